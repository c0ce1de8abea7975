//! Numbers for Prometheus. The crates below keep plain atomics; here they get names and help texts.

use std::sync::{Arc, OnceLock};

use parlor_core::{chat::Chat, histogram::Histogram, store::Store};
use parlor_live::{Door, Live, LiveMetrics};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text::encode},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};

/// Everything that `/metrics` shows.
#[derive(Debug)]
pub struct Metrics {
    registry: OnceLock<Registry>,
}

impl Metrics {
    /// Reads the store's and the connections' counters whenever it is asked.
    pub fn new(store: Arc<dyn Store>, live: Arc<Live>, chat: Arc<Chat>) -> Arc<Self> {
        let mut registry = Registry::with_prefix("parlor");
        registry.register_collector(Box::new(Sources { store, live, chat }));
        Arc::new(Self { registry: OnceLock::from(registry) })
    }

    /// The text that Prometheus reads.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Some(registry) = self.registry.get() {
            // Writing into a String can't fail.
            let _ = encode(&mut text, registry);
        }
        text
    }
}

struct Sources {
    store: Arc<dyn Store>,
    live: Arc<Live>,
    chat: Arc<Chat>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let now = self.store.counters();
        let hub = self.chat.hub_figures();
        let counters = [
            ("store_statements", "SQL statements run", now.statements),
            ("store_rows_written", "Rows written", now.rows_written),
            ("store_commits", "Transactions committed", now.commits),
            ("events_published", "Committed changes and passing events handed to listeners", hub.published),
            ("events_delivered", "Deliveries of room events to listeners", hub.deliveries),
            ("events_holes", "Gaps that were filled from the store", hub.holes),
            ("listeners_revoked", "Subscriptions taken away because an access ended", hub.revoked),
        ];
        for (name, help, value) in counters {
            let counter = ConstCounter::new(value);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let gauges = [
            ("store_queue", "Jobs waiting for the store", now.queued),
            ("outbox_bytes", "Bytes waiting for live connections", self.live.queued_bytes() as u64),
            ("users_online", "Users who are online or watched", hub.users as u64),
            ("events_parked", "Events that wait for an earlier one", hub.parked as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        let latencies = self.chat.latencies();
        let times = [
            ("send_seconds", "From a message's coming until it is on disk", &latencies.stored),
            (
                "publish_seconds",
                "From a commit until all listeners have its events in their outboxes",
                &latencies.published,
            ),
        ];
        for (name, help, times) in times {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
            histogram(&mut metric, times)?;
        }
        self.doors(&mut encoder)
    }
}

type Word = (&'static str, &'static str);

impl Sources {
    /// What is told for each door.
    fn doors(&self, encoder: &mut DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let doors = self.live.doors();
        let of = |door: &Door| -> [Word; 1] { [("door", door.name)] };
        let help = "From a frame's place in an outbox until the socket has taken all there was";
        let mut metric = encoder.encode_descriptor("outbox_seconds", help, None, MetricType::Histogram)?;
        for door in &doors {
            histogram(&mut metric.encode_family(&of(door))?, &door.metrics.waited)?;
        }
        let mut metric =
            encoder.encode_descriptor("connections", "Live connections", None, MetricType::Gauge)?;
        for door in &doors {
            let open = i64::try_from(door.metrics.connections.get()).unwrap_or(i64::MAX);
            ConstGauge::new(open).encode(metric.encode_family(&of(door))?)?;
        }
        type Read = fn(&LiveMetrics) -> u64;
        let counters: [(&str, &str, Read); 6] = [
            ("messages_in", "Messages from clients", |m| m.messages_in.get()),
            ("frames_out", "Frames written to sockets", |m| m.frames_out.get()),
            ("bytes_in", "Bytes from clients", |m| m.bytes_in.get()),
            ("bytes_out", "Bytes written to sockets", |m| m.bytes_out.get()),
            ("connections_too_slow", "Connections cut for being too slow", |m| m.too_slow.get()),
            ("connections_refused", "Upgrades refused", |m| m.refused.get()),
        ];
        for (name, help, read) in counters {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            for door in &doors {
                ConstCounter::new(read(&door.metrics)).encode(metric.encode_family(&of(door))?)?;
            }
        }
        Ok(())
    }
}

fn histogram(metric: &mut MetricEncoder<'_>, times: &Histogram) -> Result<(), std::fmt::Error> {
    let mut reading = times.read();
    if let Some(last) = reading.buckets.last_mut() {
        // How Prometheus writes infinity.
        last.0 = f64::MAX;
    }
    metric.encode_histogram::<NoLabelSet>(reading.sum, reading.count, &reading.buckets, None)
}

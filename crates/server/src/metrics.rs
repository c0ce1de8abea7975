//! Numbers for Prometheus. The crates below keep plain atomics; here they get names and help texts.

use std::sync::{Arc, OnceLock};

use parlor_core::{chat::Chat, store::Store};
use parlor_live::Live;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
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
            ("connections", "Live connections", self.live.connections() as u64),
            ("outbox_bytes", "Bytes waiting for live connections", self.live.queued_bytes() as u64),
            ("users_online", "Users who are online or watched", hub.users as u64),
            ("events_parked", "Events that wait for an earlier one", hub.parked as u64),
        ];
        for (name, help, value) in gauges {
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

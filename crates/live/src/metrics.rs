//! Counters of the live connections: plain atomics that whoever runs the server may show.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parlor_core::histogram::Histogram;

/// A number that others read while it changes.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it.
    pub fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Takes from it (for what is counted while it lasts).
    pub fn sub(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    /// Its value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened on the connections of one door.
#[derive(Debug, Default)]
pub struct LiveMetrics {
    /// Connections open now.
    pub connections: Counter,
    /// Connections ever opened.
    pub opened: Counter,
    /// Messages received from clients.
    pub messages_in: Counter,
    /// Bytes received from clients, framing included.
    pub bytes_in: Counter,
    /// Frames written to sockets.
    pub frames_out: Counter,
    /// Bytes written to sockets.
    pub bytes_out: Counter,
    /// How long frames waited in the outboxes until the sockets had taken all there was.
    pub waited: Histogram,
    /// Volatile frames dropped because an outbox was full.
    pub volatile_dropped: Counter,
    /// Pings sent.
    pub pings: Counter,
    /// Connections cut for being too slow.
    pub too_slow: Counter,
    /// Connections cut because nothing was heard.
    pub silent: Counter,
    /// Connections cut for breaking the protocol.
    pub broken: Counter,
    /// Connections ended by a kick.
    pub kicked: Counter,
    /// Upgrades refused (bad request, foreign origin, caps).
    pub refused: Counter,
}

impl LiveMetrics {
    /// Counts what was written to a socket; with how long the first of it had waited, if nothing is left.
    pub(crate) fn wrote(&self, frames: usize, bytes: usize, waited: Option<Duration>) {
        self.frames_out.add(frames as u64);
        self.bytes_out.add(bytes as u64);
        if let Some(waited) = waited {
            self.waited.add(waited);
        }
    }
}

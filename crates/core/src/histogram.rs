//! How long things take, counted while they happen.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The upper bounds of the counts, in microseconds; what takes longer than the last is counted in the total alone.
const BOUNDS: [u64; 15] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000,
];

/// Times by their length. Adding one is two additions and never waits.
#[derive(Debug, Default)]
pub struct Histogram {
    counts: [AtomicU64; BOUNDS.len()],
    longer: AtomicU64,
    micros: AtomicU64,
}

/// A reading of a [`Histogram`]; not one consistent cut while others add to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// Upper bounds in seconds, infinity last, each with the times that fell between it and the bound before it.
    pub buckets: Vec<(f64, u64)>,
    /// How many there were.
    pub count: u64,
    /// All of them together, in seconds.
    pub sum: f64,
}

impl Histogram {
    /// Counts a time.
    pub fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let place = BOUNDS.partition_point(|bound| *bound < micros);
        self.counts.get(place).unwrap_or(&self.longer).fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> Reading {
        let bounds = BOUNDS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        let counts = self.counts.iter().chain([&self.longer]).map(|count| count.load(Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.zip(counts).collect();
        let count = buckets.iter().map(|(_, count)| count).sum();
        Reading { buckets, count, sum: self.micros.load(Relaxed) as f64 / 1e6 }
    }
}

/// How long people wait.
#[derive(Debug, Default)]
pub struct Latencies {
    /// From a message's coming until it is on disk.
    pub stored: Histogram,
    /// From a commit until whoever listens has its events in the outbox.
    pub published: Histogram,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_below_the_first_bound_that_it_does_not_pass() {
        let histogram = Histogram::default();
        for micros in [0, 100, 101, 1_000, 6_000_000] {
            histogram.add(Duration::from_micros(micros));
        }
        let reading = histogram.read();
        assert_eq!(reading.buckets[..4], [(0.0001, 2), (0.00025, 1), (0.0005, 0), (0.001, 1)]);
        assert_eq!(reading.buckets.last(), Some(&(f64::INFINITY, 1)));
        assert_eq!(reading.count, 5);
        assert!((reading.sum - 6.001_201).abs() < 1e-9);
    }
}

//! Repeatable randomness, a clock that stands still and made-up settings for the tests.

use parlor_core::clock::{Clock, Random, Time};
use parlor_core::setting::{self, Definition, Setting, Settings, Value};
use sha2::{Digest, Sha256};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// SHA-256 of a seed and a counter.
pub struct Seeded {
    seed: u64,
    turn: AtomicU64,
}

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self { seed, turn: AtomicU64::new(0) }
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let block = Sha256::digest([self.seed.to_be_bytes(), turn.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// Settings with these values and no others.
pub fn settings(values: &[(&'static str, Value)]) -> Settings {
    let made = values.iter().map(|(id, value)| {
        let def: &'static Definition = Box::leak(Box::new(Definition {
            id,
            group: "",
            section: "",
            public: false,
            secret: false,
            default: setting::Default::Bool(false),
        }));
        (*id, Arc::new(Setting { def, value: value.clone(), updated_at: Time(0) }))
    });
    Settings { by_id: made.collect() }
}

/// Stands still until it is moved: both clocks by the same span.
pub struct Still {
    start: i64,
    moved: Mutex<Duration>,
}

impl Still {
    pub fn at(millis: i64) -> Self {
        Self { start: millis, moved: Mutex::default() }
    }

    pub fn advance(&self, span: Duration) {
        *self.moved.lock().unwrap() += span;
    }
}

impl Clock for Still {
    fn now(&self) -> Time {
        Time(self.start).after(self.monotonic())
    }
    fn monotonic(&self) -> Duration {
        *self.moved.lock().unwrap()
    }
}

//! What the suites share: both engines, a clock that the test moves, and what was published.

#![allow(dead_code, reason = "each suite uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

pub mod cast;

use parlor_core::clock::{Clock, Time};
use parlor_core::event::Fact;
use parlor_store::{Engine, Location, Options};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that stands still until it is moved.
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn new() -> Arc<Self> {
        Arc::new(TestClock(AtomicI64::new(1_700_000_000_000)))
    }
    pub fn set(&self, to: i64) {
        self.0.store(to, SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Time {
        Time(self.0.load(SeqCst))
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

/// A database of a test's own.
pub struct Place {
    pub location: Location,
    pub clock: Arc<TestClock>,
    pub facts: Arc<Mutex<Vec<Fact>>>,
    _directory: Option<tempfile::TempDir>,
}

impl Place {
    pub fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let location = Location::Sqlite(directory.path().join("parlor.db"));
        Place { location, clock: TestClock::new(), facts: Arc::default(), _directory: Some(directory) }
    }

    pub fn postgres() -> Option<Self> {
        let location = Location::Postgres(parlor_testkit::postgres::shared()?.database());
        Some(Place { location, clock: TestClock::new(), facts: Arc::default(), _directory: None })
    }

    pub fn options(&self) -> Options {
        let facts = self.facts.clone();
        Options::new(self.clock.clone(), Arc::new(move |new| facts.lock().unwrap().extend(new)))
    }

    pub fn open(&self) -> Engine {
        self.open_with(self.options())
    }

    pub fn open_with(&self, options: Options) -> Engine {
        Engine::open(&self.location, options).unwrap()
    }
}

/// Waits for an answer of the store.
pub fn wait<T>(answer: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(answer)
}

/// Makes two tests of one story: `story!(name, |place| { … })` runs on SQLite and on PostgreSQL.
#[macro_export]
macro_rules! story {
    ($(#[$meta:meta])* $name:ident, |$place:ident| $body:block) => {
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn tell($place: $crate::common::Place) $body
            $(#[$meta])*
            #[test]
            fn on_sqlite() {
                tell($crate::common::Place::sqlite());
            }
            $(#[$meta])*
            #[test]
            fn on_postgres() {
                if let Some(place) = $crate::common::Place::postgres() {
                    tell(place);
                }
            }
        }
    };
}

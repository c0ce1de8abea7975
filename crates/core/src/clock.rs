//! Time and randomness come from outside, so that tests decide them.

use std::{fmt, time::Duration};

/// A day, in milliseconds.
pub const DAY: i64 = 86_400_000;

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Shown to people, never trusted for order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(pub i64);

impl Time {
    /// Milliseconds since the epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }
    /// This moment, later by `span`.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The wall clock.
    fn now(&self) -> Time;
    /// A clock that never goes back, for spans such as lock-outs.
    fn monotonic(&self) -> Duration;
}

/// Where randomness comes from; must be fit for secrets.
pub trait Random: Send + Sync {
    /// Fills the whole slice with random bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// The machine's own clock and randomness.
pub struct System {
    start: std::time::Instant,
}

impl System {
    /// The monotonic clock starts at zero here.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for System {
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Time(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Random for System {
    fn fill(&self, bytes: &mut [u8]) {
        rand::fill(bytes);
    }
}

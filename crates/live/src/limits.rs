//! How often somebody may do something: a table of limits, each kept per key (a user, an address).

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use parking_lot::RwLock;
use tokio::time::Instant;

/// One line of the table: `burst` times at once, and as many again over every `per`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, and by which key: `api.user`.
    pub name: &'static str,
    /// The time in which a used-up burst comes back, one by one.
    pub per: Duration,
    /// How many at once. 0 switches this limit off.
    pub burst: u32,
}

impl Limit {
    /// A line of the table.
    pub const fn new(name: &'static str, burst: u32, per: Duration) -> Self {
        Self { name, per, burst }
    }
}

const MINUTE: Duration = Duration::from_secs(60);

/// The defaults. Failed logins have counters of their own (they survive a restart); this table is about load.
pub const DEFAULT_LIMITS: &[Limit] = &[
    // Requests of a logged-in user over HTTP: ten a second for ever, more than any client needs.
    Limit::new("api.user", 600, MINUTE),
    // Requests without a login; whole offices share an address.
    Limit::new("api.address", 1_200, MINUTE),
    // Attempts to log in, good or bad: each costs a password hash.
    Limit::new("login.address", 50, MINUTE.saturating_mul(5)),
    // New accounts.
    Limit::new("register.address", 30, MINUTE.saturating_mul(60)),
    // New live connections: a proxy's restart brings all of an office back at once.
    Limit::new("connect.address", 600, MINUTE),
    // Calls and subscriptions of one live connection's user.
    Limit::new("live.user", 3_000, MINUTE),
];

/// Keys remembered per limit before memory is cleared; beyond, keys share.
const MAX_KEYS: usize = 100_000;

/// Checks between two looks at the memory.
const SWEEP_EVERY: u32 = 1_024;

/// What a key has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many at once.
    pub limit: u32,
    /// How many are left of them now.
    pub remaining: u32,
    /// When all of them are back, if nothing more is used.
    pub full_in: Duration,
}

/// The key was used too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooOften {
    /// When it may come again.
    pub retry_after: Duration,
}

impl TooOften {
    /// Whole seconds for a `Retry-After` header, at least 1.
    pub fn seconds(self) -> u64 {
        (self.retry_after.as_secs_f64().ceil() as u64).max(1)
    }
}

/// The runtime's clock, which a test can stop and move.
#[derive(Clone, Debug, Default)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

type Keys = RateLimiter<u64, DashMapStateStore<u64>, RuntimeClock, StateInformationMiddleware>;

/// The table at work. Limits can be changed, and all be switched off, while it runs.
#[derive(Debug)]
pub struct Limits {
    enabled: AtomicBool,
    rules: RwLock<HashMap<&'static str, Arc<Rule>>>,
    /// Keys are remembered as hashes that an outsider can't foresee.
    hasher: RandomState,
}

#[derive(Debug)]
struct Rule {
    limit: Limit,
    keys: Option<Keys>,
    checks: AtomicU32,
    crowded: AtomicBool,
}

impl Limits {
    /// A table at work.
    pub fn new(table: &[Limit]) -> Self {
        let enabled = AtomicBool::new(true);
        let this = Self { enabled, rules: RwLock::default(), hasher: RandomState::new() };
        for limit in table {
            this.set(*limit);
        }
        this
    }

    /// Counts one use of `name` by `key`. A name that the table doesn't have is not limited.
    pub fn check(&self, name: &str, key: impl Hash) -> Result<(), TooOften> {
        self.count(name, key).map(drop)
    }

    /// As [`Limits::check`], with what is left; `None` when nothing limits it.
    pub fn count(&self, name: &str, key: impl Hash) -> Result<Option<Standing>, TooOften> {
        if !self.enabled.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Some(rule) = self.rules.read().get(name).cloned() else { return Ok(None) };
        let Some(keys) = &rule.keys else { return Ok(None) };
        let key = rule.narrow(self.hasher.hash_one(key));
        let checked = keys.check_key(&key);
        rule.sweep(keys);
        let (burst, per) = (rule.limit.burst, rule.limit.per);
        match checked {
            Ok(now) => {
                let remaining = now.remaining_burst_capacity();
                let used = burst.saturating_sub(remaining);
                Ok(Some(Standing { limit: burst, remaining, full_in: per / burst.max(1) * used }))
            }
            Err(early) => Err(TooOften { retry_after: early.wait_time_from(RuntimeClock.now()) }),
        }
    }

    /// Sets a line of the table; its keys begin anew.
    pub fn set(&self, limit: Limit) {
        let quota = NonZeroU32::new(limit.burst)
            .and_then(|burst| Some(Quota::with_period(limit.per / limit.burst)?.allow_burst(burst)));
        let keys = quota.map(|quota| {
            RateLimiter::dashmap_with_clock(quota, RuntimeClock)
                .with_middleware::<StateInformationMiddleware>()
        });
        let rule = Rule { limit, keys, checks: AtomicU32::new(0), crowded: AtomicBool::new(false) };
        self.rules.write().insert(limit.name, Arc::new(rule));
    }

    /// Switches all limits on or off.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::Relaxed);
    }

    /// The table as it is, by name.
    pub fn table(&self) -> Vec<Limit> {
        let mut table: Vec<_> = self.rules.read().values().map(|rule| rule.limit).collect();
        table.sort_by_key(|limit| limit.name);
        table
    }

    /// Keys remembered at the moment.
    pub fn remembered(&self) -> usize {
        self.rules.read().values().filter_map(|rule| rule.keys.as_ref()).map(Keys::len).sum()
    }
}

impl Rule {
    /// While somebody floods us with ever new keys, keys share places, so that memory stays bounded.
    fn narrow(&self, key: u64) -> u64 {
        if self.crowded.load(Ordering::Relaxed) { key & 0xffff } else { key }
    }

    fn sweep(&self, keys: &Keys) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY != SWEEP_EVERY - 1 {
            return;
        }
        if keys.len() > MAX_KEYS / 2 {
            keys.retain_recent();
        }
        self.crowded.store(keys.len() > MAX_KEYS, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn limits(burst: u32) -> Limits {
        Limits::new(&[Limit::new("send", burst, MINUTE)])
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_is_allowed_and_comes_back_over_time() {
        let limits = limits(6);
        for _ in 0..6 {
            assert_eq!(limits.check("send", "ann"), Ok(()));
        }
        let refused = limits.check("send", "ann").unwrap_err();
        let fresh = limits.count("send", "eve").unwrap();
        assert_eq!(fresh, Some(Standing { limit: 6, remaining: 5, full_in: Duration::from_secs(10) }));
        assert_eq!(refused.seconds(), 10);
        assert_eq!(limits.check("send", "bob"), Ok(()), "others have their own");
        advance(Duration::from_secs(10)).await;
        assert_eq!(limits.check("send", "ann"), Ok(()));
        assert!(limits.check("send", "ann").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn limits_are_changed_and_switched_off_while_running() {
        let limits = limits(1);
        limits.check("send", 1).unwrap();
        assert!(limits.check("send", 1).is_err());
        limits.set_enabled(false);
        assert_eq!(limits.check("send", 1), Ok(()));
        limits.set_enabled(true);
        assert!(limits.check("send", 1).is_err());
        limits.set(Limit::new("send", 0, MINUTE));
        assert_eq!(limits.check("send", 1), Ok(()));
        assert_eq!(limits.table(), [Limit::new("send", 0, MINUTE)]);
        assert_eq!(limits.check("unknown", 1), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_new_keys_is_forgotten_when_it_may_be_and_bounded_before() {
        let limits = limits(60);
        for key in 0..300_000 {
            let _ = limits.check("send", key);
        }
        assert!(limits.remembered() < MAX_KEYS + 0x10000 + SWEEP_EVERY as usize);
        advance(MINUTE * 2).await;
        for _ in 0..SWEEP_EVERY {
            let _ = limits.check("send", "ann");
        }
        assert!(limits.remembered() < 10);
    }

    #[tokio::test(start_paused = true)]
    async fn the_default_table_has_every_name_once() {
        assert_eq!(Limits::new(DEFAULT_LIMITS).table().len(), DEFAULT_LIMITS.len());
    }
}

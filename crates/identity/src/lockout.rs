//! Counters that stop guessing: after so many failures within a window, a user or an address is refused, with the
//! right password too.
//!
//! Ask [`Lockout::check`] before the work and report the outcome after it. [`Lockout::succeeded`] checks again:
//! guesses that were sent side by side, before the first had failed, gain nothing by that.
//!
//! Refused attempts are not counted, so a block ends when its window has passed, whoever keeps knocking. A success
//! forgets the failures of that user, everywhere; other people's failures at the same address stay, or an attacker
//! could clear the address's count by logging in as himself.

use parking_lot::Mutex;
use parlor_core::credentials::Attempt;
use parlor_core::error::Lock;
use parlor_core::setting::{Settings, Value};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// Keys that one [`Lockout`] remembers of each kind (users, addresses); beyond it the one whose last failure is
/// oldest goes. An entry with a few failures takes about 200 bytes, so 20 MB of each kind at most in practice: every
/// failure has cost a password hash, and failures out of their window are dropped.
pub const MAX_ENTRIES: usize = 100_000;
/// Most failures that a limit can ask for.
pub const MAX_ATTEMPTS: u32 = 1000;
/// Longest block, in minutes: a year.
const MAX_WINDOW_MINUTES: f64 = 525_600.0;

/// So many failures within so long a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Failures that block; 0 is no limit, more than [`MAX_ATTEMPTS`] counts as that.
    pub attempts: u32,
    /// How far back failures count, and so how long a block lasts.
    pub window: Duration,
}

/// The limits in force: Rocket.Chat's `Block_Multiple_Failed_Logins_*`, whose defaults are
/// [`LockoutPolicy::default`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockoutPolicy {
    /// `..._By_User` with `..._Attempts_Until_Block_by_User` and `..._Time_To_Unblock_By_User_In_Minutes`.
    pub per_user: Option<Limit>,
    /// `..._By_Ip` with `..._Attempts_Until_Block_By_Ip` and `..._Time_To_Unblock_By_Ip_In_Minutes`.
    pub per_address: Option<Limit>,
    /// `..._Ip_Whitelist`: addresses that are never blocked; IPv4 not written as IPv6.
    pub trusted: Vec<IpAddr>,
}

impl Default for LockoutPolicy {
    fn default() -> Self {
        let window = Duration::from_secs(5 * 60);
        Self {
            per_user: Some(Limit { attempts: 10, window }),
            per_address: Some(Limit { attempts: 50, window }),
            trusted: Vec::new(),
        }
    }
}

impl LockoutPolicy {
    /// As the settings say; a setting that is missing keeps its default.
    pub fn from_settings(settings: &Settings) -> Self {
        let value =
            |name: &str| settings.get(&format!("Block_Multiple_Failed_Logins_{name}")).map(|s| &s.value);
        let on = |name| !matches!(value(name), Some(Value::Bool(false)));
        let number = |name, default| match value(name) {
            Some(Value::Number(number)) => *number,
            _ => default,
        };
        if !on("Enabled") {
            return Self::off();
        }
        let limit = |switch, attempts, default, minutes| {
            // Saturates: below 0 and what is no number become 0, which is no limit.
            let attempts = number(attempts, default) as u32;
            let minutes = number(minutes, 5.0).clamp(0.0, MAX_WINDOW_MINUTES);
            on(switch).then(|| Limit { attempts, window: Duration::from_millis((minutes * 60_000.0) as u64) })
        };
        let trusted = match value("Ip_Whitelist") {
            Some(Value::Text(list)) => {
                list.split(',').filter_map(|ip| ip.trim().parse::<IpAddr>().ok()).collect()
            }
            _ => Vec::new(),
        };
        Self {
            per_user: limit(
                "By_User",
                "Attempts_Until_Block_by_User",
                10.0,
                "Time_To_Unblock_By_User_In_Minutes",
            ),
            per_address: limit(
                "By_Ip",
                "Attempts_Until_Block_By_Ip",
                50.0,
                "Time_To_Unblock_By_Ip_In_Minutes",
            ),
            trusted: trusted.iter().map(IpAddr::to_canonical).collect(),
        }
    }

    /// For second-factor codes: five failures of a user in five minutes.
    pub fn for_codes() -> Self {
        let window = Duration::from_secs(5 * 60);
        Self { per_user: Some(Limit { attempts: 5, window }), per_address: None, trusted: Vec::new() }
    }

    /// How far back failures matter: a block lasts a window, and what led to it lies within one before.
    pub(crate) fn span(&self) -> Duration {
        let windows = [self.per_user, self.per_address].into_iter().flatten().map(|limit| limit.window);
        windows.max().unwrap_or_default() * 2
    }

    /// The network that an attempt is counted at, if it is.
    pub(crate) fn counts(&self, attempt: Attempt<'_>) -> Option<IpAddr> {
        self.per_address?;
        let address = attempt.address?.to_canonical();
        (!self.trusted.contains(&address)).then(|| network(address))
    }

    /// Nothing is ever blocked (`Block_Multiple_Failed_Logins_Enabled` is off).
    pub fn off() -> Self {
        Self { per_user: None, per_address: None, trusted: Vec::new() }
    }
}

/// The attempt is refused, whatever the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many failed logins, try again later")]
pub struct Locked {
    /// Why.
    pub by: Lock,
    /// How long from now; at least a second, for `Retry-After`.
    pub retry_after: Duration,
}

/// The counters. One for passwords, another for second factors.
pub struct Lockout {
    /// Keys are stored as keyed hashes: their size is bounded, and nobody can aim at a collision.
    hasher: RandomState,
    state: Mutex<State>,
}

struct State {
    users: Counters,
    addresses: Counters,
}

/// An attempt as it is counted; no address when it is unknown or trusted.
#[derive(Clone, Copy)]
struct Keys {
    user: u64,
    address: Option<u64>,
}

impl Default for Lockout {
    fn default() -> Self {
        Self::with_capacity(MAX_ENTRIES)
    }
}

impl Lockout {
    /// Remembers at most `entries` users and as many addresses.
    pub fn with_capacity(entries: usize) -> Self {
        let state = State { users: Counters::new(entries), addresses: Counters::new(entries) };
        Self { hasher: RandomState::new(), state: Mutex::new(state) }
    }

    /// Whether the attempt may go on. `now` is the reading of a clock that never goes back.
    ///
    /// # Errors
    /// [`Locked`].
    pub fn check(&self, policy: &LockoutPolicy, attempt: Attempt<'_>, now: Duration) -> Result<(), Locked> {
        let keys = self.keys(policy, attempt);
        self.state.lock().check(policy, keys, now)
    }

    /// The proof was wrong. An attempt that is blocked by now is not counted. Returns what this failure blocked,
    /// for the log.
    pub fn failed(&self, policy: &LockoutPolicy, attempt: Attempt<'_>, now: Duration) -> Option<Locked> {
        let keys = self.keys(policy, attempt);
        let mut state = self.state.lock();
        if state.check(policy, keys, now).is_err() {
            return None;
        }
        if let Some(limit) = policy.per_user {
            state.users.fail(keys.user, keys.user, limit, now);
        }
        if let (Some(limit), Some(address)) = (policy.per_address, keys.address) {
            state.addresses.fail(address, keys.user, limit, now);
        }
        state.check(policy, keys, now).err()
    }

    /// The proof was right: forgets the user's failures.
    ///
    /// # Errors
    /// [`Locked`] if other attempts have blocked it in the meantime: refuse it as if it had been wrong.
    pub fn succeeded(
        &self,
        policy: &LockoutPolicy,
        attempt: Attempt<'_>,
        now: Duration,
    ) -> Result<(), Locked> {
        let keys = self.keys(policy, attempt);
        let mut state = self.state.lock();
        state.check(policy, keys, now)?;
        state.users.forget(keys.user);
        if let Some(address) = keys.address {
            state.addresses.forgive(address, keys.user);
        }
        Ok(())
    }

    fn keys(&self, policy: &LockoutPolicy, attempt: Attempt<'_>) -> Keys {
        let counted = attempt.address.map(|ip| ip.to_canonical()).filter(|ip| !policy.trusted.contains(ip));
        Keys {
            user: self.hasher.hash_one(attempt.user),
            address: counted.map(|ip| self.hasher.hash_one(network(ip))),
        }
    }
}

impl State {
    fn check(&self, policy: &LockoutPolicy, keys: Keys, now: Duration) -> Result<(), Locked> {
        let locked = |by, left: Option<Duration>| {
            left.map_or(Ok(()), |left| Err(Locked { by, retry_after: left.max(Duration::from_secs(1)) }))
        };
        // Who is blocked by both waits for the address, as clients know it.
        if let (Some(limit), Some(address)) = (policy.per_address, keys.address) {
            locked(Lock::Address, self.addresses.blocked_for(address, limit, now))?;
        }
        if let Some(limit) = policy.per_user {
            locked(Lock::User, self.users.blocked_for(keys.user, limit, now))?;
        }
        Ok(())
    }
}

/// Whether failures that were kept elsewhere refuse an attempt now: told over again, oldest first, they lead to where
/// they led then. All times are since one moment.
pub(crate) fn judge(
    policy: &LockoutPolicy,
    of_user: &[Duration],
    of_address: &[Duration],
    now: Duration,
) -> Result<(), Locked> {
    let mut state = State { users: Counters::new(1), addresses: Counters::new(1) };
    for (counters, limit, failures) in
        [(&mut state.users, policy.per_user, of_user), (&mut state.addresses, policy.per_address, of_address)]
    {
        let Some(limit) = limit else { continue };
        for at in failures {
            if counters.blocked_for(0, limit, *at).is_none() {
                counters.fail(0, 0, limit, *at);
            }
        }
    }
    state.check(policy, Keys { user: 0, address: Some(0) }, now)
}

/// One household: an IPv4 address, or the /64 of an IPv6 one, of which every host has 2^64.
fn network(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

/// Failures by key, bounded.
struct Counters {
    capacity: usize,
    /// Goes up with each failure: the order in which keys failed last.
    turn: u64,
    entries: HashMap<u64, Entry>,
    oldest: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Entry {
    turn: u64,
    /// When, and which user; oldest first, fewer than the limit asks for.
    failures: Vec<(Duration, u64)>,
    /// When the limit was reached; the failures are forgotten then.
    blocked_at: Option<Duration>,
}

impl Entry {
    /// Whether nothing of it counts any more.
    fn is_over(&self, window: Duration, now: Duration) -> bool {
        let last = self.blocked_at.or(self.failures.last().map(|(at, _)| *at));
        last.is_none_or(|at| now.saturating_sub(at) >= window)
    }
}

impl Counters {
    fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), turn: 0, entries: HashMap::new(), oldest: BTreeMap::new() }
    }

    /// How long the key stays blocked.
    fn blocked_for(&self, key: u64, limit: Limit, now: Duration) -> Option<Duration> {
        let since = now.saturating_sub(self.entries.get(&key)?.blocked_at?);
        (limit.attempts > 0 && since < limit.window).then(|| limit.window - since)
    }

    fn fail(&mut self, key: u64, user: u64, limit: Limit, now: Duration) {
        if limit.attempts == 0 {
            return;
        }
        self.turn += 1;
        let entry = self.entries.entry(key).or_default();
        self.oldest.remove(&entry.turn);
        self.oldest.insert(self.turn, key);
        entry.turn = self.turn;
        entry.blocked_at = None;
        entry.failures.retain(|(at, _)| now.saturating_sub(*at) < limit.window);
        entry.failures.push((now, user));
        if entry.failures.len() >= limit.attempts.min(MAX_ATTEMPTS) as usize {
            entry.blocked_at = Some(now);
            entry.failures = Vec::new();
        }
        self.make_room(limit.window, now);
    }

    /// Drops the oldest over the capacity, and up to two that are over, so that a quiet server's memory comes back.
    fn make_room(&mut self, window: Duration, now: Duration) {
        for _ in 0..2 {
            let Some((_, &key)) = self.oldest.first_key_value() else { return };
            let over = self.entries.get(&key).is_none_or(|entry| entry.is_over(window, now));
            if over || self.entries.len() > self.capacity {
                self.forget(key);
            }
        }
    }

    fn forget(&mut self, key: u64) {
        if let Some(entry) = self.entries.remove(&key) {
            self.oldest.remove(&entry.turn);
        }
    }

    fn forgive(&mut self, key: u64, user: u64) {
        if let Some(entry) = self.entries.get_mut(&key) {
            entry.failures.retain(|(_, who)| *who != user);
            if entry.failures.is_empty() && entry.blocked_at.is_none() {
                self.forget(key);
            }
        }
    }
}

#[cfg(test)]
#[path = "lockout_tests.rs"]
mod tests;

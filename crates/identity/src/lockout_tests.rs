use super::*;
use proptest::prelude::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Counters under one policy.
struct Counted {
    policy: LockoutPolicy,
    lockout: Lockout,
}

impl Counted {
    fn new(policy: LockoutPolicy) -> Self {
        Self { policy, lockout: Lockout::default() }
    }
    fn check(&self, attempt: Attempt<'_>, now: Duration) -> Result<(), Locked> {
        self.lockout.check(&self.policy, attempt, now)
    }
    fn failed(&self, attempt: Attempt<'_>, now: Duration) -> Option<Locked> {
        self.lockout.failed(&self.policy, attempt, now)
    }
    fn succeeded(&self, attempt: Attempt<'_>, now: Duration) -> Result<(), Locked> {
        self.lockout.succeeded(&self.policy, attempt, now)
    }
}

fn ip(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

fn attempt<'a>(user: &'a str, address: &str) -> Attempt<'a> {
    Attempt { user, address: ip(address) }
}

fn limits(per_user: u32, per_address: u32) -> LockoutPolicy {
    let limit = |attempts| Some(Limit { attempts, window: 5 * MINUTE });
    LockoutPolicy { per_user: limit(per_user), per_address: limit(per_address), trusted: Vec::new() }
}

#[test]
fn the_third_failure_blocks_the_user_from_everywhere_even_with_the_right_password() {
    let (lockout, now) = (Counted::new(limits(3, 50)), Duration::from_secs(1000));
    for address in ["192.0.2.1", "192.0.2.2"] {
        assert_eq!(lockout.failed(attempt("alice", address), now), None);
        assert_eq!(lockout.check(attempt("alice", address), now), Ok(()));
    }
    let locked = Locked { by: Lock::User, retry_after: 5 * MINUTE };
    assert_eq!(lockout.failed(attempt("alice", "192.0.2.3"), now), Some(locked));
    assert_eq!(lockout.check(attempt("alice", "192.0.2.9"), now), Err(locked));
    assert_eq!(lockout.succeeded(attempt("alice", "192.0.2.9"), now), Err(locked));
    assert_eq!(lockout.check(Attempt { user: "alice", address: None }, now), Err(locked));
    assert_eq!(lockout.check(attempt("bob", "192.0.2.3"), now), Ok(()));
}

#[test]
fn a_block_ends_after_its_window_however_often_somebody_knocks() {
    let (lockout, start) = (Counted::new(limits(2, 50)), Duration::from_secs(1000));
    let alice = attempt("alice", "192.0.2.1");
    lockout.failed(alice, start);
    lockout.failed(alice, start + MINUTE);
    for minute in 2..6 {
        let now = start + minute * MINUTE;
        assert_eq!(lockout.check(alice, now).unwrap_err().retry_after, (6 - minute) * MINUTE);
        assert_eq!(lockout.failed(alice, now), None);
    }
    assert_eq!(lockout.check(alice, start + 6 * MINUTE), Ok(()));
    assert_eq!(lockout.failed(alice, start + 6 * MINUTE), None, "the count begins anew");
}

#[test]
fn retry_after_is_at_least_a_second() {
    let (lockout, start) = (Counted::new(limits(1, 50)), Duration::from_secs(1000));
    lockout.failed(attempt("alice", "192.0.2.1"), start);
    let nearly = start + 5 * MINUTE - Duration::from_millis(1);
    let locked = lockout.check(attempt("alice", "192.0.2.1"), nearly).unwrap_err();
    assert_eq!(locked.retry_after, Duration::from_secs(1));
}

#[test]
fn failures_outside_the_window_do_not_count() {
    let (lockout, start) = (Counted::new(limits(2, 50)), Duration::from_secs(1000));
    let alice = attempt("alice", "192.0.2.1");
    for minute in [0, 5, 10, 15] {
        assert_eq!(lockout.failed(alice, start + minute * MINUTE), None, "{minute}");
    }
    assert!(lockout.failed(alice, start + 16 * MINUTE).is_some());
}

#[test]
fn a_success_forgets_the_users_failures() {
    let (lockout, now) = (Counted::new(limits(3, 50)), Duration::from_secs(1000));
    let alice = attempt("alice", "192.0.2.1");
    for _ in 0..5 {
        lockout.failed(alice, now);
        lockout.failed(alice, now);
        assert_eq!(lockout.succeeded(alice, now), Ok(()));
    }
}

#[test]
fn an_address_is_blocked_for_everybody_behind_it_and_nobody_else() {
    let (lockout, now) = (Counted::new(limits(10, 3)), Duration::from_secs(1000));
    for user in ["alice", "bob", "nobody"] {
        lockout.failed(attempt(user, "192.0.2.1"), now);
    }
    let locked = lockout.check(attempt("carol", "192.0.2.1"), now).unwrap_err();
    assert_eq!(locked, Locked { by: Lock::Address, retry_after: 5 * MINUTE });
    assert_eq!(lockout.check(attempt("carol", "192.0.2.2"), now), Ok(()));
    let (lockout, alice) = (Counted::new(limits(2, 2)), attempt("alice", "192.0.2.1"));
    lockout.failed(alice, now);
    lockout.failed(alice, now);
    assert_eq!(
        lockout.check(alice, now).unwrap_err().by,
        Lock::Address,
        "both block: the wider one is named"
    );
}

#[test]
fn an_attackers_own_login_does_not_clear_his_guesses_at_others() {
    let (lockout, now) = (Counted::new(limits(10, 5)), Duration::from_secs(1000));
    for user in ["alice", "bob", "carol"] {
        lockout.failed(attempt(user, "192.0.2.1"), now);
        lockout.failed(attempt("mallory", "192.0.2.1"), now);
        assert_eq!(lockout.succeeded(attempt("mallory", "192.0.2.1"), now), Ok(()));
    }
    assert!(lockout.failed(attempt("dave", "192.0.2.1"), now).is_none());
    assert!(lockout.failed(attempt("erin", "192.0.2.1"), now).is_some());
}

#[test]
fn guesses_side_by_side_gain_nothing() {
    let (lockout, now) = (Counted::new(limits(3, 50)), Duration::from_secs(1000));
    let alice = attempt("alice", "192.0.2.1");
    // 25 pass the first check before any has failed; the right one is the fourth to be done.
    assert!((0..25).all(|_| lockout.check(alice, now).is_ok()));
    for _ in 0..3 {
        lockout.failed(alice, now);
    }
    assert_eq!(lockout.succeeded(alice, now).unwrap_err().by, Lock::User);
}

#[test]
fn a_host_has_one_count_for_its_ipv6_network_and_for_both_spellings_of_ipv4() {
    let (lockout, now) = (Counted::new(limits(10, 2)), Duration::from_secs(1000));
    lockout.failed(attempt("a", "2001:db8:1:2::1"), now);
    lockout.failed(attempt("b", "2001:db8:1:2:ffff::2"), now);
    assert!(lockout.check(attempt("c", "2001:db8:1:2:3:4:5:6"), now).is_err());
    assert!(lockout.check(attempt("c", "2001:db8:1:3::1"), now).is_ok());
    lockout.failed(attempt("a", "192.0.2.1"), now);
    lockout.failed(attempt("b", "::ffff:192.0.2.1"), now);
    assert!(lockout.check(attempt("c", "192.0.2.1"), now).is_err());
}

#[test]
fn trusted_addresses_are_never_blocked_but_their_users_are() {
    let policy = LockoutPolicy { trusted: vec!["192.0.2.1".parse().unwrap()], ..limits(3, 2) };
    let (lockout, now) = (Counted::new(policy), Duration::from_secs(1000));
    for user in ["a", "b", "c", "d", "d", "d"] {
        lockout.failed(attempt(user, "::ffff:192.0.2.1"), now);
    }
    assert_eq!(lockout.check(attempt("a", "192.0.2.1"), now), Ok(()));
    assert_eq!(lockout.check(attempt("d", "192.0.2.1"), now).unwrap_err().by, Lock::User);
}

#[test]
fn zero_attempts_and_no_limit_block_nobody() {
    let now = Duration::from_secs(1000);
    for policy in [limits(0, 0), LockoutPolicy::off()] {
        let lockout = Counted::new(policy);
        assert!((0..100).all(|_| lockout.failed(attempt("alice", "192.0.2.1"), now).is_none()));
        assert_eq!(lockout.check(attempt("alice", "192.0.2.1"), now), Ok(()));
    }
}

#[test]
fn changed_settings_take_effect_at_once() {
    let (mut lockout, now) = (Counted::new(limits(1, 50)), Duration::from_secs(1000));
    let alice = attempt("alice", "192.0.2.1");
    lockout.failed(alice, now);
    assert!(lockout.check(alice, now).is_err());
    lockout.policy = LockoutPolicy::off();
    assert_eq!(lockout.check(alice, now), Ok(()));
}

#[test]
fn the_oldest_go_when_the_memory_is_full_and_the_finished_go_by_themselves() {
    let (lockout, now) =
        (Counted { policy: limits(2, 50), lockout: Lockout::with_capacity(10) }, Duration::from_secs(1000));
    for name in 0..11 {
        lockout.failed(attempt(&name.to_string(), "192.0.2.1"), now + name * Duration::from_secs(1));
    }
    assert_eq!(lockout.lockout.state.lock().users.entries.len(), 10);
    let later = now + MINUTE;
    assert_eq!(lockout.failed(attempt("0", "192.0.2.1"), later), None, "forgotten");
    assert!(lockout.failed(attempt("10", "192.0.2.1"), later).is_some(), "remembered");
    let much_later = now + 60 * MINUTE;
    for name in 20..26 {
        lockout.failed(attempt(&name.to_string(), "192.0.2.1"), much_later);
    }
    let state = lockout.lockout.state.lock();
    assert_eq!((state.users.entries.len(), state.users.oldest.len()), (6, 6));
}

#[test]
fn the_defaults_are_ten_and_fifty_in_five_minutes() {
    let policy = LockoutPolicy::default();
    assert_eq!(policy.per_user, Some(Limit { attempts: 10, window: 5 * MINUTE }));
    assert_eq!(policy.per_address, Some(Limit { attempts: 50, window: 5 * MINUTE }));
    assert_eq!(LockoutPolicy::for_codes().per_user.unwrap().attempts, 5);
}

#[test]
fn the_settings_decide_and_missing_ones_keep_their_default() {
    use crate::testing::settings;
    const P: &str = "Block_Multiple_Failed_Logins_";
    let id = |name: &str| -> &'static str { format!("{P}{name}").leak() };
    assert_eq!(LockoutPolicy::from_settings(&Settings::default()), LockoutPolicy::default());
    let off = settings(&[(id("Enabled"), Value::Bool(false))]);
    assert_eq!(LockoutPolicy::from_settings(&off), LockoutPolicy::off());
    let changed = settings(&[
        (id("Enabled"), Value::Bool(true)),
        (id("Attempts_Until_Block_by_User"), Value::Number(3.0)),
        (id("Time_To_Unblock_By_User_In_Minutes"), Value::Number(0.5)),
        (id("By_Ip"), Value::Bool(false)),
        (id("Ip_Whitelist"), Value::Text("192.0.2.1, ::ffff:192.0.2.2,nonsense,".into())),
    ]);
    let expected = LockoutPolicy {
        per_user: Some(Limit { attempts: 3, window: MINUTE / 2 }),
        per_address: None,
        trusted: vec!["192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap()],
    };
    assert_eq!(LockoutPolicy::from_settings(&changed), expected);
    for odd in [f64::NAN, -1.0, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
        let odd = settings(&[
            (id("Attempts_Until_Block_by_User"), Value::Number(odd)),
            (id("Time_To_Unblock_By_User_In_Minutes"), Value::Number(odd)),
        ]);
        assert!(LockoutPolicy::from_settings(&odd).per_user.is_some());
    }
}

proptest! {
    #[test]
    fn no_user_ever_gets_more_wrong_answers_in_a_window_than_the_limit(
        steps in prop::collection::vec((0_u64..90, 0_usize..3, any::<bool>()), 1..200),
    ) {
        let lockout = Counted { policy: limits(4, 1000), lockout: Lockout::with_capacity(2) };
        let mut now = Duration::from_secs(1000);
        let mut answered: [Vec<Duration>; 3] = Default::default();
        for (seconds, user, right) in steps {
            now += Duration::from_secs(seconds);
            // Two are remembered, so of three users one may be forgotten; only the first is judged then.
            let who = attempt(["alice", "bob", "bob"][user], "192.0.2.1");
            let slot = user.min(1);
            if lockout.check(who, now).is_err() {
                continue;
            }
            if right {
                prop_assert!(lockout.succeeded(who, now).is_ok());
                answered[slot].clear();
            } else {
                lockout.failed(who, now);
                answered[slot].push(now);
            }
            let recent = answered[slot].iter().filter(|at| now - **at < 5 * MINUTE).count();
            prop_assert!(recent <= 4, "{recent} wrong answers");
        }
        let state = lockout.lockout.state.lock();
        prop_assert_eq!(state.users.entries.len(), state.users.oldest.len());
        prop_assert!(state.users.entries.len() <= 2);
    }
}

proptest! {
    /// Nodes that keep failures in common come to the same as one that counts them itself.
    #[test]
    fn failures_that_were_kept_lead_to_where_those_led_that_were_counted(
        steps in proptest::collection::vec(1..200u64, 1..60),
        (per_user, per_address) in (1..5u32, 1..9u32),
    ) {
        let counted = Counted::new(limits(per_user, per_address));
        let (mut now, mut kept) = (Duration::from_secs(1_000), Vec::new());
        let alice = attempt("alice", "192.0.2.1");
        for step in steps {
            now += Duration::from_secs(step);
            // What is older is swept.
            kept.retain(|at| now - *at <= counted.policy.span());
            let judged = judge(&counted.policy, &kept, &kept, now);
            prop_assert_eq!(judged, counted.check(alice, now));
            if judged.is_ok() {
                let locked = counted.failed(alice, now);
                kept.push(now);
                prop_assert_eq!(judge(&counted.policy, &kept, &kept, now).err(), locked);
            }
        }
    }
}

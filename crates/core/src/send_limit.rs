//! How fast one user may send, all doors together: a burst, then a steady rate.

use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    error::{Refusal, Result},
    id::UserId,
    session::Actor,
};

/// Users remembered before those who have their full burst again are forgotten.
const KEPT: usize = 10_000;

/// Each user's sends, as the moment at which all of the burst is there again.
#[derive(Default)]
pub(crate) struct SendLimit {
    rule: Mutex<Option<Rule>>,
    full_at: Mutex<FxHashMap<UserId, Duration>>,
}

#[derive(Clone, Copy)]
struct Rule {
    /// How long one send takes to come back.
    each: Duration,
    burst: u32,
}

impl SendLimit {
    /// `burst` sends at once, then `rate` a second; 0 of either switches it off.
    pub(crate) fn set(&self, burst: u32, rate: u32) {
        let rule = Rule { each: Duration::from_secs(1) / rate.max(1), burst };
        *self.rule.lock() = (burst > 0 && rate > 0).then_some(rule);
    }

    /// Takes one send.
    ///
    /// # Errors
    /// `RateLimited`.
    pub(crate) fn take(&self, actor: &Actor, now: Duration) -> Result<()> {
        let Some(rule) = *self.rule.lock() else { return Ok(()) };
        if actor.is_exempt() {
            return Ok(());
        }
        let mut all = self.full_at.lock();
        if all.len() >= KEPT {
            all.retain(|_, full_at| *full_at > now);
        }
        let full_at = all.get(&actor.user).copied().unwrap_or_default().max(now) + rule.each;
        let wait = (full_at - now).saturating_sub(rule.each * rule.burst);
        if !wait.is_zero() {
            let retry_after = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
            return Err(Refusal::RateLimited { retry_after });
        }
        all.insert(actor.user.clone(), full_at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_rate_and_others_are_not_touched() {
        let limit = SendLimit::default();
        limit.set(3, 10);
        let ann = Actor::user("ann".into(), None);
        let at = Duration::from_millis;
        for _ in 0..3 {
            assert!(limit.take(&ann, at(0)).is_ok());
        }
        assert_eq!(limit.take(&ann, at(0)), Err(Refusal::RateLimited { retry_after: 100 }));
        assert!(limit.take(&Actor::user("bob".into(), None), at(0)).is_ok());
        assert!(limit.take(&Actor::on_behalf("ann".into()), at(0)).is_ok());
        assert!(limit.take(&ann, at(100)).is_ok());
        assert!(limit.take(&ann, at(150)).is_err());
        limit.set(0, 0);
        assert!(limit.take(&ann, at(150)).is_ok());
    }
}

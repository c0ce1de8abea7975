//! Whose status changed lately.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::{chat::Chat, clock::Time, id::UserId};

/// Most changes that are remembered.
const MOST: usize = 10_000;

/// Users whose status changed lately, for clients that ask what they missed.
pub(crate) struct Moved(Mutex<Remembered>);

struct Remembered {
    /// Nothing is known of what was before.
    since: Time,
    all: VecDeque<(Time, UserId)>,
}

impl Moved {
    /// Remembers from now on.
    pub(crate) fn begin(now: Time) -> Self {
        Self(Mutex::new(Remembered { since: now, all: VecDeque::new() }))
    }

    pub(crate) fn note(&self, user: UserId, at: Time) {
        let mut known = self.0.lock();
        if known.all.len() >= MOST
            && let Some((forgotten, _)) = known.all.pop_front()
        {
            known.since = forgotten;
        }
        known.all.push_back((at, user));
    }
}

impl Chat {
    /// Users whose status changed since then; `None` if it is not remembered that far back.
    pub fn moved_since(&self, since: Time) -> Option<Vec<UserId>> {
        let known = self.moved.0.lock();
        if since < known.since {
            return None;
        }
        let mut users: Vec<UserId> =
            known.all.iter().rev().take_while(|(at, _)| *at >= since).map(|(_, id)| id.clone()).collect();
        users.sort();
        users.dedup();
        Some(users)
    }
}

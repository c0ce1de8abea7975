//! Whose status changed lately.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::{chat::Chat, clock::Time, id::UserId};

/// Most changes that are remembered.
const MOST: usize = 10_000;

/// Users whose status changed lately, for clients that ask what they missed.
#[derive(Default)]
pub(crate) struct Departed(Mutex<VecDeque<(Time, UserId)>>);

impl Departed {
    pub(crate) fn note(&self, user: UserId, at: Time) {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((at, user));
    }
}

impl Chat {
    /// Users whose status changed since then; `None` if it is not remembered that far back.
    pub fn moved_since(&self, since: Time) -> Option<Vec<UserId>> {
        let all = self.departed.0.lock();
        if all.len() >= MOST && all.front().is_some_and(|(first, _)| *first > since) {
            return None;
        }
        let mut users: Vec<UserId> =
            all.iter().rev().take_while(|(at, _)| *at >= since).map(|(_, id)| id.clone()).collect();
        users.sort();
        users.dedup();
        Some(users)
    }
}

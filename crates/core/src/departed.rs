//! Who went offline lately.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::{chat::Chat, clock::Time, id::UserId};

/// Users who went offline lately, for clients that ask what they missed. At most 10,000.
#[derive(Default)]
pub(crate) struct Departed(Mutex<VecDeque<(Time, UserId)>>);

impl Departed {
    pub(crate) fn note(&self, user: UserId, at: Time) {
        let mut all = self.0.lock();
        if all.len() >= 10_000 {
            all.pop_front();
        }
        all.push_back((at, user));
    }
}

impl Chat {
    /// Users who went offline since then, as far as is remembered.
    pub fn departed_since(&self, since: Time) -> Vec<UserId> {
        let all = self.departed.0.lock();
        let mut users: Vec<UserId> =
            all.iter().rev().take_while(|(at, _)| *at >= since).map(|(_, id)| id.clone()).collect();
        users.sort();
        users.dedup();
        users
    }
}

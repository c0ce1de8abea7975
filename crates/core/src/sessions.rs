//! Sessions in memory: so that a request's token costs no read of the store.

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rustc_hash::FxHashSet;

use crate::{
    id::{SessionId, UserId},
    session::Session,
};

/// Sessions remembered at most, about 400 bytes each.
const CAPACITY: usize = 50_000;

/// Valid sessions by their token's hash. What has ended is forgotten before anybody gets an answer.
pub(crate) struct Sessions {
    by_hash: Cache<[u8; 32], Session>,
    /// Sessions that ended while their look-up was on its way; small, because look-ups are quick.
    ended: Mutex<FxHashSet<SessionId>>,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { by_hash: Cache::new(CAPACITY), ended: Mutex::default() }
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Session> {
        self.by_hash.get(hash)
    }

    pub(crate) fn remember(&self, hash: [u8; 32], session: Session) {
        let ended = self.ended.lock();
        if !ended.contains(&session.id) {
            self.by_hash.insert(hash, session);
        }
    }

    /// One session, or all of a user but `kept`, have ended.
    pub(crate) fn forget(&self, user: &UserId, session: Option<&SessionId>, kept: Option<&SessionId>) {
        let mut ended = self.ended.lock();
        if ended.len() > 10_000 {
            ended.clear();
        }
        ended.extend(session.cloned());
        self.by_hash.retain(|_, s| {
            s.user != *user || session.is_some_and(|id| s.id != *id) || kept.is_some_and(|id| s.id == *id)
        });
    }
}

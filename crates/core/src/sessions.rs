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
    ended: Mutex<Ended>,
}

/// What ended while look-ups were on their way.
#[derive(Default)]
struct Ended {
    /// Single sessions; few, because look-ups are quick.
    sessions: FxHashSet<SessionId>,
    /// How often all of somebody's ended.
    rounds: u64,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { by_hash: Cache::new(CAPACITY), ended: Mutex::default() }
    }

    pub(crate) fn get(&self, hash: &[u8; 32]) -> Option<Session> {
        self.by_hash.get(hash)
    }

    /// To be asked before a session is looked up or made.
    pub(crate) fn round(&self) -> u64 {
        self.ended.lock().rounds
    }

    /// Keeps a session that was looked up or made since that round, unless it may have ended meanwhile.
    pub(crate) fn remember(&self, hash: [u8; 32], session: Session, since: u64) {
        let ended = self.ended.lock();
        if ended.rounds == since && !ended.sessions.contains(&session.id) {
            self.by_hash.insert(hash, session);
        }
    }

    /// One session, or all of a user but `kept`, have ended.
    pub(crate) fn forget(&self, user: &UserId, session: Option<&SessionId>, kept: Option<&SessionId>) {
        let mut ended = self.ended.lock();
        if ended.sessions.len() > 10_000 {
            ended.sessions.clear();
            ended.rounds += 1;
        }
        match session {
            Some(session) => {
                ended.sessions.insert(session.clone());
            }
            None => ended.rounds += 1,
        }
        self.by_hash.retain(|_, s| {
            s.user != *user || session.is_some_and(|id| s.id != *id) || kept.is_some_and(|id| s.id == *id)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Time, session::SessionKind};

    #[test]
    fn what_ended_while_it_was_looked_up_is_not_kept() {
        let sessions = Sessions::new();
        let session = |id: &str| Session {
            id: id.into(),
            user: "ann".into(),
            token_hash: [1; 32],
            expires_at: None,
            kind: SessionKind::Login,
            created_at: Time(0),
            user_agent: String::new(),
            address: String::new(),
        };
        let known = || sessions.get(&[1; 32]).is_some();
        let since = sessions.round();
        sessions.forget(&"ann".into(), Some(&"one".into()), None);
        sessions.remember([1; 32], session("one"), since);
        assert!(!known(), "it ended by itself");
        sessions.remember([1; 32], session("two"), since);
        assert!(known());
        let since = sessions.round();
        sessions.forget(&"ann".into(), None, Some(&"three".into()));
        sessions.remember([1; 32], session("two"), since);
        assert!(!known(), "all but one ended");
        sessions.remember([1; 32], session("three"), sessions.round());
        assert!(known());
    }
}

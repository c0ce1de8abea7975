//! Sessions in memory: so that a request's token costs no read of the store.

use parking_lot::Mutex;
use quick_cache::sync::Cache;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    id::{SessionId, UserId},
    session::Session,
    store::{Lane, Tx},
};

/// Sessions remembered at most, about 400 bytes each.
const CAPACITY: usize = 50_000;
/// How exactly it is known when a session was last used (ms): each is written once in this time at most.
const USED: i64 = 5 * 60_000;
/// Written in one transaction.
const BATCH: usize = 500;

/// Valid sessions by their token's hash. What has ended is forgotten before anybody gets an answer.
pub(crate) struct Sessions {
    by_hash: Cache<[u8; 32], Session>,
    ended: Mutex<Ended>,
    /// When sessions were used, as far as that is still to be written; at most as many as are remembered.
    used: Mutex<FxHashMap<SessionId, Time>>,
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
        Self { by_hash: Cache::new(CAPACITY), ended: Mutex::default(), used: Mutex::default() }
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

    /// A session that is remembered was used just now: noted now and then, so that most requests cost nothing.
    pub(crate) fn used(&self, hash: &[u8; 32], session: &Session, now: Time) {
        if now.millis() - session.used_at.millis() < USED {
            return;
        }
        let since = self.round();
        // What has ended meanwhile stays forgotten.
        if self.get(hash).is_none() {
            return;
        }
        self.remember(*hash, Session { used_at: now, ..session.clone() }, since);
        let mut used = self.used.lock();
        if used.len() < CAPACITY {
            used.insert(session.id.clone(), now);
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

impl Chat {
    /// A live connection speaks for this session, which is a use as a request is. `noted` is when this connection
    /// noted it last.
    pub fn note_use(&self, session: &SessionId, noted: &mut Time) {
        let now = self.now();
        if now.millis() - noted.millis() < USED {
            return;
        }
        *noted = now;
        let mut used = self.sessions.used.lock();
        if used.len() < CAPACITY {
            used.insert(session.clone(), now);
        }
    }

    /// Writes when sessions were last used. To be called now and then, and before the end.
    pub async fn flush_sessions(&self) -> Result<()> {
        let all: Vec<_> = self.sessions.used.lock().drain().collect();
        for batch in all.chunks(BATCH) {
            let rows = batch.to_vec();
            let store = move |tx: &mut dyn Tx| {
                rows.iter().try_for_each(|(session, at)| tx.put_session_use(session, *at))
            };
            self.store().writing(Lane::Bulk, store).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::Time, session::SessionKind};

    fn session(id: &str) -> Session {
        Session {
            id: id.into(),
            user: "ann".into(),
            token_hash: [1; 32],
            expires_at: None,
            kind: SessionKind::Login,
            created_at: Time(0),
            used_at: Time(0),
            user_agent: String::new(),
            address: String::new(),
        }
    }

    #[test]
    fn what_ended_while_it_was_looked_up_is_not_kept() {
        let sessions = Sessions::new();
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

    #[test]
    fn a_use_is_noted_once_in_some_minutes_and_not_of_what_has_ended() {
        let sessions = Sessions::new();
        sessions.remember([1; 32], session("one"), sessions.round());
        let use_at = |at| {
            if let Some(known) = sessions.get(&[1; 32]) {
                sessions.used(&[1; 32], &known, Time(at));
            }
            sessions.used.lock().drain().map(|(_, at)| at).collect::<Vec<_>>()
        };
        assert_eq!(use_at(USED - 1), [], "it was made a moment ago");
        assert_eq!(use_at(USED), [Time(USED)]);
        assert_eq!(use_at(USED + 1), []);
        assert_eq!(use_at(3 * USED), [Time(3 * USED)]);
        sessions.forget(&"ann".into(), None, None);
        assert_eq!(use_at(9 * USED), []);
    }
}

//! Who must be judged before a room goes on.

use std::time::Duration;

use rustc_hash::FxHashSet;

use super::Room;
use crate::{
    event::{Change, Event},
    hub::{Output, crowd::Entry},
    id::UserId,
};

/// Who has to be judged.
#[derive(Clone, Debug)]
pub(in crate::hub) enum Whom {
    These {
        /// Who listens: may they still read the room?
        users: Vec<UserId>,
        /// Who follows it: are they members?
        followers: Vec<UserId>,
    },
    Everyone {
        /// The followers too: are they still members?
        followers: bool,
    },
}

pub(super) struct Judging {
    pub(super) round: u64,
    pub(super) whom: Whom,
    pub(super) asked: Duration,
    pub(super) failed: bool,
}

impl Whom {
    /// Both.
    fn and(self, more: Self) -> Self {
        match (self, more) {
            (
                Self::These { mut users, mut followers },
                Self::These { users: more, followers: more_followers },
            ) => {
                users.extend(more);
                followers.extend(more_followers);
                Self::These { users, followers }
            }
            (one, other) => Self::Everyone { followers: one.has_followers() || other.has_followers() },
        }
    }

    fn has_followers(&self) -> bool {
        match self {
            Self::These { followers, .. } => !followers.is_empty(),
            Self::Everyone { followers } => *followers,
        }
    }
}

fn once(users: &[UserId]) -> Vec<UserId> {
    let mut seen = FxHashSet::default();
    users.iter().filter(|user| seen.insert(*user)).cloned().collect()
}

impl Room {
    /// Whoever must be judged before this position goes out; asked once.
    pub(super) fn whom_to_judge(&mut self, position: i64) -> Option<Whom> {
        let parked = self.early.get_mut(&position)?;
        if std::mem::replace(&mut parked.judged, true) {
            return None;
        }
        if std::mem::take(&mut self.guessed) {
            return Some(self.unsure(position));
        }
        let mut users = Vec::new();
        let facts = &self.early.get(&position)?.facts;
        for published in facts {
            match &published.fact.event {
                Event::MembershipRemoved { user, .. } if self.listens(user) => users.push(user.clone()),
                Event::Room { room, change: Change::Changed } if self.access != Some(room.access) => {
                    return Some(Whom::Everyone { followers: false });
                }
                _ => {}
            }
        }
        (!users.is_empty()).then_some(Whom::These { users, followers: Vec::new() })
    }

    /// Those whose access may have ended just before the first position that is known here.
    fn unsure(&self, first: i64) -> Whom {
        let users = self.entries().filter_map(|e| e.who.as_ref()).filter(|w| !w.system);
        let unsure = self.followers.iter().filter(|follower| follower.since < first - 1);
        let followers = unsure.map(|follower| follower.cell.user.clone()).collect();
        Whom::These { users: users.map(|w| w.user.clone()).collect(), followers }
    }

    /// Stops the room until these have been judged, together with those who are being judged already.
    pub(in crate::hub) fn ask(&mut self, whom: Whom, now: Duration, round: u64) -> Option<Output> {
        #[cfg(feature = "testing")]
        if crate::hub::faults::on(crate::hub::faults::Fault::SkipJudgement) {
            return None;
        }
        let whom = match self.judging.take() {
            Some(judging) => judging.whom.and(whom),
            None => whom,
        };
        let question = self.question(&whom, round);
        if question.is_some() {
            self.judging = Some(Box::new(Judging { round, whom, asked: now, failed: false }));
        }
        question
    }

    pub(super) fn question(&self, whom: &Whom, round: u64) -> Option<Output> {
        let (users, followers): (Vec<_>, Vec<_>) = match whom {
            Whom::These { users, followers } => (once(users), once(followers)),
            Whom::Everyone { followers } => {
                let mut seen = FxHashSet::default();
                let users = self.entries().filter_map(|e| e.who.as_ref()).filter(|w| !w.system);
                let users = users.map(|w| &w.user).filter(|u| seen.insert(*u)).cloned().collect();
                let asked = self.followers.iter().filter(|_| *followers);
                (users, asked.map(|follower| follower.cell.user.clone()).collect())
            }
        };
        let nobody = users.is_empty() && followers.is_empty();
        (!nobody).then(|| Output::Judge { room: self.id.clone(), round, users, followers })
    }

    /// The answer to a question: who lost the room. `None` when the question has been overtaken.
    pub(in crate::hub) fn judged(&mut self, round: u64, denied: &FxHashSet<&UserId>) -> Option<Vec<Entry>> {
        if self.judging.as_ref()?.round != round {
            return None;
        }
        self.judging = None;
        let lost = |e: &Entry| e.who.as_ref().is_some_and(|w| !w.system && denied.contains(&w.user));
        let mut out = self.crowd.remove_where(lost);
        out.extend(self.silent.extract_if(.., |silent| lost(&silent.entry)).map(|silent| silent.entry));
        Some(out)
    }

    /// The question could not be answered; `tick` asks again.
    pub(in crate::hub) fn unjudged(&mut self, round: u64) {
        if let Some(judging) = self.judging.as_mut().filter(|j| j.round == round) {
            judging.failed = true;
        }
    }
}

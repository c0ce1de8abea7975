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
    Users(Vec<UserId>),
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

impl Room {
    /// Whoever must be judged before this position goes out; asked once.
    pub(super) fn whom_to_judge(&mut self, position: i64) -> Option<Whom> {
        let parked = self.early.get_mut(&position)?;
        if std::mem::replace(&mut parked.judged, true) {
            return None;
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
        (!users.is_empty()).then_some(Whom::Users(users))
    }

    pub(in crate::hub) fn listens(&self, user: &UserId) -> bool {
        self.entries().any(|entry| entry.is_of(user))
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.crowd.iter().chain(&self.silent)
    }

    /// Stops the room until these have been judged, together with those who are being judged already.
    pub(in crate::hub) fn ask(&mut self, whom: Whom, now: Duration, round: u64) -> Option<Output> {
        #[cfg(feature = "testing")]
        if crate::hub::faults::on(crate::hub::faults::Fault::SkipJudgement) {
            return None;
        }
        let whom = match (self.judging.take().map(|j| j.whom), whom) {
            (None, whom) => whom,
            (Some(Whom::Users(mut before)), Whom::Users(more)) => {
                before.extend(more);
                Whom::Users(before)
            }
            (Some(Whom::Everyone { followers: a }), Whom::Everyone { followers: b }) => {
                Whom::Everyone { followers: a || b }
            }
            (Some(everyone @ Whom::Everyone { .. }), _) | (_, everyone @ Whom::Everyone { .. }) => everyone,
        };
        let question = self.question(&whom, round);
        if question.is_some() {
            self.judging = Some(Box::new(Judging { round, whom, asked: now, failed: false }));
        }
        question
    }

    pub(super) fn question(&self, whom: &Whom, round: u64) -> Option<Output> {
        let mut seen = FxHashSet::default();
        let (users, followers): (Vec<_>, Vec<_>) = match whom {
            Whom::Users(users) => (users.iter().filter(|u| seen.insert(*u)).cloned().collect(), Vec::new()),
            Whom::Everyone { followers } => {
                let users = self.entries().filter_map(|e| e.who.as_ref()).filter(|w| !w.system);
                let users = users.map(|w| &w.user).filter(|u| seen.insert(*u)).cloned().collect();
                let cells = self.followers.iter().filter(|_| *followers);
                (users, cells.map(|cell| cell.user.clone()).collect())
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
        out.extend(self.silent.extract_if(.., |entry| lost(entry)));
        Some(out)
    }

    /// The question could not be answered; `tick` asks again.
    pub(in crate::hub) fn unjudged(&mut self, round: u64) {
        if let Some(judging) = self.judging.as_mut().filter(|j| j.round == round) {
            judging.failed = true;
        }
    }
}

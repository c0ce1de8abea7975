//! One room in the hub: which position is next, what waits for it, who must be judged before anything goes on.
//! A state machine; it calls nobody.

mod audience;
mod judging;

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
    time::Duration,
};

use smallvec::{SmallVec, smallvec};

use self::judging::Judging;
pub(super) use self::{
    audience::{Follower, Silent},
    judging::Whom,
};
use super::{Output, crowd::Crowd};
use crate::{catch_up::Piece, event::Event, id::RoomId, published::Published};

/// Facts that may wait in one room for an earlier position; with more, all are read from the store instead.
pub(super) const PARKED: usize = 10_000;
/// Facts without a position that may wait for a judgement; more are dropped (they are read marks and the like).
const WAITING: usize = 1_000;
/// How old a hole must be before it is read from the store.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);
/// A question that nobody answered for so long is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(5);
/// The `call` of facts that were read from the store.
const READ: u64 = 0;
/// No position is known yet.
const NOWHERE: i64 = i64::MIN;

/// The facts of one position.
pub(super) type Unit = SmallVec<[Arc<Published>; 1]>;

struct Parked {
    /// The call of `publish` that brought it: more of the same position may come in the same call only.
    call: u64,
    /// Its changes of access have been judged.
    judged: bool,
    facts: Unit,
}

/// What became of a fact that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It waits for its turn, which may be now.
    Parked,
    /// Its position is past; nobody who listens to the room needs it, but it may concern a user.
    Late {
        /// It was never released here, so followers don't know of it.
        news: bool,
    },
}

/// What to do next.
pub(super) enum Step {
    /// Hand these out.
    Deliver(Unit),
    /// Hand these out to the followers alone.
    News(Vec<Arc<Published>>),
    /// Too many waited: what concerns users goes out now, the rest comes from the store.
    Spill(Vec<Unit>),
    /// Have this answered; nothing is handed out until then.
    Ask(Output),
    /// Nothing for now.
    Idle,
}

struct Hole {
    after: i64,
    since: Duration,
    asked: Option<Duration>,
}

/// A room that somebody listens to or follows.
pub(super) struct Room {
    id: RoomId,
    pub(super) crowd: Crowd,
    /// Registered, but not yet listening.
    pub(super) silent: Vec<Silent>,
    pub(super) followers: Arc<Vec<Follower>>,
    /// In the shard's list of rooms that `tick` looks at.
    pub(super) listed: bool,
    released: i64,
    released_by: u64,
    /// Positions before this one were never released here.
    floor: i64,
    known: i64,
    /// Placed where somebody has not heard what came just before.
    guessed: bool,
    /// Up to here the store was read: missing positions don't matter.
    jump: i64,
    early: BTreeMap<i64, Parked>,
    waiting: Vec<Arc<Published>>,
    /// Late news for the followers that came while somebody was judged.
    late_news: Vec<Arc<Published>>,
    access: Option<i64>,
    judging: Option<Box<Judging>>,
    hole: Option<Hole>,
}

impl Room {
    pub(super) fn new(id: RoomId) -> Box<Self> {
        Box::new(Self {
            id,
            crowd: Crowd::default(),
            silent: Vec::new(),
            followers: Arc::default(),
            listed: false,
            released: NOWHERE,
            released_by: 0,
            floor: NOWHERE,
            known: NOWHERE,
            guessed: false,
            jump: NOWHERE,
            early: BTreeMap::new(),
            waiting: Vec::new(),
            late_news: Vec::new(),
            access: None,
            judging: None,
            hole: None,
        })
    }

    pub(super) fn id(&self) -> &RoomId {
        &self.id
    }

    /// Whether any position is known.
    pub(super) fn is_placed(&self) -> bool {
        self.released != NOWHERE
    }

    /// Everything up to here is known to whoever comes now; only the first word counts.
    fn place(&mut self, position: i64) {
        if !self.is_placed() {
            self.released = position;
            self.floor = position + 1;
            self.known = position;
            self.guessed = self.followers.iter().any(|follower| follower.since < position);
        }
    }

    /// Nothing would be lost by forgetting it.
    pub(super) fn is_idle(&self) -> bool {
        !self.has_audience() && self.early.is_empty() && self.waiting.is_empty()
    }

    /// `tick` has to look at it.
    pub(super) fn is_uneasy(&self) -> bool {
        self.judging.is_some() || self.known > self.released || !self.has_audience()
    }

    pub(super) fn parked(&self) -> usize {
        self.early.len()
    }

    /// A fact with a position has come.
    pub(super) fn arrive(&mut self, position: i64, published: Arc<Published>, call: u64) -> Arrival {
        if !self.is_placed() {
            self.guess(position);
        }
        if position < self.floor {
            return Arrival::Late { news: true };
        }
        let again = position == self.released && call == self.released_by;
        if position <= self.released && !again {
            return Arrival::Late { news: false };
        }
        self.known = self.known.max(position);
        match self.early.entry(position) {
            btree_map::Entry::Vacant(place) => {
                place.insert(Parked { call, judged: false, facts: smallvec![published] });
            }
            btree_map::Entry::Occupied(mut place) => {
                let parked = place.get_mut();
                // What was read from the store holds the messages, but nothing that concerns users.
                if parked.call == call || (parked.call == READ && !is_state(&published.fact.event)) {
                    parked.facts.push(published);
                    parked.judged = false;
                }
            }
        }
        Arrival::Parked
    }

    /// The first fact says where the room stands, unless a follower knows of a later position.
    fn guess(&mut self, position: i64) {
        let known = self.followers.iter().map(|follower| follower.since).max();
        self.released = known.map_or(position - 1, |known| known.max(position - 1));
        self.floor = self.released + 1;
        self.known = self.released;
        self.guessed = true;
    }

    /// A fact of this room without a position has come.
    pub(super) fn pass(&mut self, published: Arc<Published>) -> Option<Arc<Published>> {
        if self.judging.is_none() {
            return Some(published);
        }
        let passing = matches!(published.fact.event, Event::Activity { .. });
        if !passing && self.waiting.len() < WAITING {
            self.waiting.push(published);
        }
        None
    }

    /// News that came late, for the followers: `true` when they may hear it now; otherwise it is kept for them.
    pub(super) fn may_hear_late(&mut self, published: &Arc<Published>) -> bool {
        if self.judging.is_some() && self.late_news.len() < WAITING {
            self.late_news.push(published.clone());
        }
        self.judging.is_none()
    }

    /// What to do next.
    pub(super) fn next(&mut self, now: Duration, round: &mut dyn FnMut() -> u64) -> Step {
        if self.judging.is_none() {
            if !self.waiting.is_empty() {
                return Step::Deliver(Unit::from_vec(std::mem::take(&mut self.waiting)));
            }
            if !self.late_news.is_empty() {
                return Step::News(std::mem::take(&mut self.late_news));
            }
            if let Some(step) = self.release(now, round) {
                return step;
            }
            self.look_for_hole(now);
        }
        if self.early.len() > PARKED {
            return Step::Spill(self.spill(now));
        }
        Step::Idle
    }

    fn release(&mut self, now: Duration, round: &mut dyn FnMut() -> u64) -> Option<Step> {
        loop {
            let first = self.early.first_key_value().map(|(p, _)| *p);
            let ready = first.filter(|&p| self.may_go(p));
            let Some(position) = ready else {
                if self.released < self.jump {
                    self.released = self.jump;
                    continue;
                }
                self.join(self.released);
                return None;
            };
            if let Some(whom) = self.whom_to_judge(position)
                && let Some(question) = self.ask(whom, now, round())
            {
                return Some(Step::Ask(question));
            }
            self.join(position - 1);
            let parked = self.early.remove(&position)?;
            self.released = self.released.max(position);
            self.released_by = parked.call;
            self.note_access(&parked.facts);
            return Some(Step::Deliver(parked.facts));
        }
    }

    fn may_go(&self, position: i64) -> bool {
        #[cfg(feature = "testing")]
        if super::faults::on(super::faults::Fault::IgnoreHoles) {
            return true;
        }
        position <= self.released + 1 || position <= self.jump
    }

    fn look_for_hole(&mut self, now: Duration) {
        if self.known <= self.released {
            self.hole = None;
        } else if self.hole.as_ref().is_none_or(|hole| hole.after != self.released) {
            self.hole = Some(Hole { after: self.released, since: now, asked: None });
        }
    }

    fn spill(&mut self, now: Duration) -> Vec<Unit> {
        self.hole = Some(Hole { after: self.released, since: now.saturating_sub(PATIENCE), asked: None });
        self.empty()
    }

    /// Takes out all that waits.
    pub(super) fn empty(&mut self) -> Vec<Unit> {
        std::mem::take(&mut self.early).into_values().map(|parked| parked.facts).collect()
    }

    fn note_access(&mut self, facts: &[Arc<Published>]) {
        for published in facts {
            if let Event::Room { room, .. } = &published.fact.event {
                self.access = Some(room.access);
            }
        }
    }

    /// What was read from the store: all changes up to `upto`. Those who listen are judged first, because an
    /// access change may have been among what was missed.
    pub(super) fn repaired(&mut self, piece: Piece, now: Duration, round: u64) -> Option<Output> {
        let Piece { after, facts, upto } = piece;
        self.hole = None;
        // It may answer a question from before the room was forgotten and kept anew: then it does not fit.
        if !self.is_placed() || after > self.released || upto <= self.released {
            return None;
        }
        for (_, parked) in self.early.range_mut(..=upto) {
            parked.facts.retain(|p| !is_state(&p.fact.event));
            parked.judged = true;
        }
        for fact in facts {
            let Some((_, position)) = fact.place else { continue };
            if position <= self.released || position > upto {
                continue;
            }
            let fresh = || Parked { call: READ, judged: true, facts: Unit::new() };
            let parked = self.early.entry(position).or_insert_with(fresh);
            #[cfg(feature = "testing")]
            if super::faults::on(super::faults::Fault::EmptyRepairs) {
                continue;
            }
            parked.facts.push(Arc::new(Published::new(fact)));
        }
        self.jump = self.jump.max(upto);
        self.known = self.known.max(upto);
        self.ask(Whom::Everyone { followers: true }, now, round)
    }

    /// The store could not be read; `tick` asks again.
    pub(super) fn unrepaired(&mut self, now: Duration) {
        if let Some(hole) = &mut self.hole {
            hole.asked = None;
            hole.since = now;
        }
    }

    /// What has to be asked by now. A room without audience gives up what waits in it.
    pub(super) fn tick(&mut self, now: Duration) -> Step {
        if !self.has_audience() {
            (self.judging, self.hole) = (None, None);
            self.waiting.clear();
            self.late_news.clear();
            return Step::Spill(self.empty());
        }
        if let Some(judging) = &mut self.judging {
            if !judging.failed && now.saturating_sub(judging.asked) < ASK_AGAIN {
                return Step::Idle;
            }
            (judging.failed, judging.asked) = (false, now);
            let (round, whom) = (judging.round, judging.whom.clone());
            return match self.question(&whom, round) {
                Some(question) => Step::Ask(question),
                None => {
                    self.judging = None;
                    Step::Idle
                }
            };
        }
        self.look_for_hole(now);
        let Some(hole) = &mut self.hole else { return Step::Idle };
        let old = now.saturating_sub(hole.since) >= PATIENCE;
        if !old || hole.asked.is_some_and(|at| now.saturating_sub(at) < ASK_AGAIN) {
            return Step::Idle;
        }
        hole.asked = Some(now);
        Step::Ask(Output::ReadHole { room: self.id.clone(), after: hole.after })
    }
}

/// Events whose whole content the store gives back when it is read.
fn is_state(event: &Event) -> bool {
    matches!(event, Event::Message { .. } | Event::MessageDeleted { .. })
}

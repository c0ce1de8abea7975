//! Facts in, calls of listeners out.

use std::{sync::Arc, time::Duration};

use super::{
    Global, Hub, Output, Shard, add,
    crowd::{Crowd, Entry},
    room::{Arrival, Follower, Room, Step},
    user::Cell,
};
use crate::{
    catch_up::Piece,
    event::{Audience, Change, Event, Fact},
    id::{RoomId, UserId},
    published::Published,
};

/// One call of the hub: its time, its number, the questions it raises.
pub(super) struct Call {
    pub(super) now: Duration,
    pub(super) number: u64,
    pub(super) out: Vec<Output>,
}

impl Hub {
    pub(super) fn call(&self, now: Duration) -> Call {
        Call { now, number: self.number(), out: Vec::new() }
    }

    /// Takes in facts: committed ones in the order of their commits as far as it is known, and passing ones. All
    /// facts of one position must come in one call. `now` is a clock that never goes back.
    pub fn publish(&self, facts: Vec<Fact>, now: Duration) -> Vec<Output> {
        let mut call = self.call(now);
        add(&self.counts.published, facts.len());
        for fact in facts {
            let published = Arc::new(Published::new(fact));
            self.before(&published.fact.event);
            match (&published.fact.place, published.fact.event.audience()) {
                (Some((room, position)), _) => self.arrive(room, *position, &published, &mut call),
                (None, Audience::Room(room)) => self.pass(&room, &published, &mut call),
                (None, _) => self.late(&published, None, &mut call),
            }
            self.after(&published.fact.event, &mut call);
        }
        call.out
    }

    /// What has become due: holes that stayed open, questions that got no answer. Every 50 ms or so.
    pub fn tick(&self, now: Duration) -> Vec<Output> {
        let mut call = self.call(now);
        for shard in &self.shards {
            let uneasy = std::mem::take(&mut shard.rooms.lock().uneasy);
            for id in uneasy {
                self.tick_room(shard, &id, &mut call);
            }
        }
        call.out
    }

    fn tick_room(&self, shard: &Shard, id: &RoomId, call: &mut Call) {
        let _gate = shard.gate.lock();
        let mut rooms = shard.rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else { return };
        room.listed = false;
        let step = room.tick(call.now);
        drop(rooms);
        self.carry_out(step, None, call);
        self.release(shard, id, call);
    }

    fn arrive(&self, id: &RoomId, position: i64, published: &Arc<Published>, call: &mut Call) {
        let shard = self.shard(id);
        let _gate = shard.gate.lock();
        let mut rooms = shard.rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else {
            drop(rooms);
            self.deliver(published, &Audible::desk_alone());
            return self.untimely(published, call);
        };
        let arrival = room.arrive(position, published.clone(), call.number);
        let news = arrival == Arrival::Late { news: true } && room.may_hear_late(published);
        let followers = room.followers.clone();
        drop(rooms);
        if let Arrival::Late { .. } = arrival {
            self.late(published, news.then_some(&followers), call);
        }
        self.release(shard, id, call);
    }

    fn pass(&self, id: &RoomId, published: &Arc<Published>, call: &mut Call) {
        let shard = self.shard(id);
        let _gate = shard.gate.lock();
        let mut rooms = shard.rooms.lock();
        let now = match rooms.table.get_mut(id) {
            Some(room) => room.pass(published.clone()).map(|p| (p, Audible::of(room))),
            None => Some((published.clone(), Audible::desk_alone())),
        };
        drop(rooms);
        if let Some((published, audible)) = now {
            self.deliver(&published, &audible);
            self.conclude(&published, call);
        }
    }

    /// Hands out whatever may go out now. With the gate held.
    pub(super) fn release(&self, shard: &Shard, id: &RoomId, call: &mut Call) {
        loop {
            let mut rooms = shard.rooms.lock();
            let Some(room) = rooms.table.get_mut(id) else { return };
            let step = room.next(call.now, &mut || self.number());
            let audible = Audible::of(room);
            if matches!(step, Step::Idle) {
                return rooms.tidy(id);
            }
            drop(rooms);
            self.carry_out(step, Some(&audible), call);
        }
    }

    fn carry_out(&self, step: Step, audible: Option<&Audible>, call: &mut Call) {
        match step {
            Step::Idle => {}
            Step::Ask(question) => {
                let counter = match question {
                    Output::ReadHole { .. } => &self.counts.holes,
                    _ => &self.counts.judgements,
                };
                add(counter, 1);
                call.out.push(question);
            }
            Step::Deliver(unit) => {
                for published in &unit {
                    self.deliver(published, audible.unwrap_or(&Audible::default()));
                    self.conclude(published, call);
                }
            }
            Step::News(late) => {
                let followers = audible.map(|audible| audible.followers.clone()).unwrap_or_default();
                let audible = Audible { followers, ..Audible::desk_alone() };
                late.iter().filter(|p| is_for_room(p)).for_each(|p| self.deliver_to_room(p, &audible));
            }
            Step::Spill(units) => {
                for published in units.iter().flatten() {
                    self.late(published, None, call);
                }
            }
        }
    }

    /// A fact that the room's listeners don't get (any more), but that may concern users.
    fn late(&self, published: &Arc<Published>, followers: Option<&Arc<Vec<Follower>>>, call: &mut Call) {
        let followers = followers.cloned().unwrap_or_default();
        self.deliver(published, &Audible { followers, ..Audible::default() });
        self.untimely(published, call);
    }

    /// What follows from a fact that did not come in the room's order.
    fn untimely(&self, published: &Arc<Published>, call: &mut Call) {
        match &published.fact.event {
            Event::MembershipRemoved { room, user, .. } => self.doubt(room, user, call),
            Event::Membership { membership, change: Change::Made, .. } => {
                self.doubt_follower(&membership.room, &membership.user, call);
            }
            _ => {}
        }
        self.conclude(published, call);
    }

    /// The end of a room is the end of all subscriptions to it.
    fn conclude(&self, published: &Published, call: &mut Call) {
        let Event::RoomRemoved { room } = &published.fact.event else { return };
        for unit in self.close_room(&room.id) {
            unit.iter().for_each(|published| self.late(published, None, call));
        }
    }

    fn deliver(&self, published: &Arc<Published>, audible: &Audible) {
        let event = &published.fact.event;
        match event.audience() {
            Audience::Room(_) => self.deliver_to_room(published, audible),
            Audience::User(user) => {
                self.keep_rooms(published, &user);
                if let Some(cell) = self.cell(&user) {
                    cell.tell_ears(published);
                }
                self.tell_members(published, &user);
            }
            Audience::Presence(user) => {
                if let Some(cell) = self.cell(&user) {
                    cell.tell_watchers(published);
                }
                self.statuses.tell(published);
            }
            Audience::LoggedIn => self.logged_in.tell(published),
            Audience::Everyone => self.everyone.tell(published),
        }
    }

    fn deliver_to_room(&self, published: &Arc<Published>, audible: &Audible) {
        let event = &published.fact.event;
        if matches!(event, Event::Skipped { .. }) {
            return;
        }
        audible.crowd.tell(published);
        if audible.desk && !self.desk.heard.crowd.lock().is_empty() && self.is_of_case(published) {
            self.desk.heard.tell(published);
        }
        add(&self.counts.deliveries, audible.crowd.len());
        match event {
            Event::Activity { .. } | Event::Gathered { .. } => {}
            // One's own read mark moves the own badge; the others' don't.
            Event::Read { user, .. } => {
                if let Some(cell) = self.cell(user) {
                    cell.tell_ears(published);
                }
            }
            _ => audible.followers.iter().for_each(|follower| follower.cell.tell_inbox(published)),
        }
    }

    /// Whether it happened in a support case.
    fn is_of_case(&self, published: &Published) -> bool {
        match (published.fact.event.audience(), self.cases.get()) {
            (Audience::Room(room), Some(is_case)) => is_case(&room),
            _ => false,
        }
    }

    /// Who comes and goes is news to the room's other members.
    fn tell_members(&self, published: &Arc<Published>, user: &UserId) {
        let room = match &published.fact.event {
            Event::Membership { membership, change: Change::Made, .. } => &membership.room,
            Event::MembershipRemoved { room, .. } => room,
            _ => return,
        };
        let followers = self.shard(room).rooms.lock().table.get(room).map(|room| room.followers.clone());
        let others =
            followers.iter().flat_map(|all| all.iter()).filter(|follower| follower.cell.user != *user);
        others.for_each(|follower| follower.cell.tell_inbox(published));
    }

    /// Keeps the rooms of an online user's inbox.
    fn keep_rooms(&self, published: &Published, user: &UserId) {
        let (room, is_member) = match &published.fact.event {
            Event::Membership { membership, change: Change::Made, .. } => (&membership.room, true),
            Event::MembershipRemoved { room, .. } => (room, false),
            _ => return,
        };
        let Some(cell) = self.cell(user) else { return };
        // Memberships have positions. One without is taken to be the oldest or the newest, whichever is safe.
        let place = published.fact.place.as_ref().map(|(_, position)| position);
        let position = place.unwrap_or(if is_member { &0 } else { &i64::MAX });
        let mut state = cell.state.lock();
        if is_member {
            self.follow(&cell, &mut state, room, *position);
            return;
        }
        if !state.loading.is_empty() {
            let gone = state.gone.entry(room.clone()).or_insert(*position);
            *gone = (*gone).max(*position);
        }
        if state.rooms.contains(room) && self.unfollow(room, &cell, *position) {
            state.rooms.remove(room);
        }
    }

    /// The answer to [`Output::ReadHole`]: what changed up to `upto`, in one snapshot, each with its place (for a
    /// message its `rev`). More may follow after another question.
    pub fn repaired(&self, room: &RoomId, piece: Piece, now: Duration) -> Vec<Output> {
        self.answer(room, now, |found, call| {
            let question = found.repaired(piece, call.now, self.number());
            Answered { question, ..Answered::default() }
        })
    }

    /// The hole could not be read; `tick` will ask again.
    pub fn unrepaired(&self, room: &RoomId, now: Duration) {
        if let Some(found) = self.shard(room).rooms.lock().table.get_mut(room) {
            found.unrepaired(now);
        }
    }

    /// Changes a room on somebody's answer, tells those who lost it, and lets the room go on.
    pub(super) fn answer(
        &self,
        id: &RoomId,
        now: Duration,
        change: impl FnOnce(&mut Room, &Call) -> Answered,
    ) -> Vec<Output> {
        let mut call = self.call(now);
        let shard = self.shard(id);
        let _gate = shard.gate.lock();
        let mut rooms = shard.rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else { return Vec::new() };
        let Answered { lost, left, question } = change(room, &call);
        drop(rooms);
        self.tell_lost(lost);
        for cell in left {
            cell.state.lock().rooms.remove(id);
            self.unfollow(id, &cell, i64::MAX);
        }
        self.carry_out(question.map_or(Step::Idle, Step::Ask), None, &mut call);
        self.release(shard, id, &mut call);
        call.out
    }
}

fn is_for_room(published: &Published) -> bool {
    matches!(published.fact.event.audience(), Audience::Room(_))
}

/// What an answer changed.
#[derive(Default)]
pub(super) struct Answered {
    /// Subscriptions that were taken out.
    pub(super) lost: Vec<Entry>,
    /// Followers to be taken out.
    pub(super) left: Vec<Arc<Cell>>,
    /// What has to be asked next.
    pub(super) question: Option<Output>,
}

/// Those who listen to a room, as they are at one moment.
#[derive(Default)]
struct Audible {
    crowd: Crowd,
    followers: Arc<Vec<Follower>>,
    /// Those who listen to all cases hear it too: it is told for the first time.
    desk: bool,
}

impl Audible {
    fn of(room: &Room) -> Self {
        Self { crowd: room.crowd.clone(), followers: room.followers.clone(), desk: true }
    }

    /// Nobody listens to the room itself.
    fn desk_alone() -> Self {
        Self { desk: true, ..Self::default() }
    }
}

impl Global {
    fn tell(&self, published: &Arc<Published>) {
        let _gate = self.gate.lock();
        let crowd = self.crowd.lock().clone();
        crowd.tell(published);
    }
}

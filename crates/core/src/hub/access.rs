//! Whoever loses access loses the subscription, before anything later is heard.

use std::time::Duration;

use rustc_hash::FxHashSet;

use super::{
    Hub, Kind, Output, Subscription, add,
    crowd::{Entry, Who},
    release::{Answered, Call},
    room::{Unit, Whom},
};
use crate::{
    event::{Change, Event},
    id::{RoomId, UserId},
};

impl Hub {
    /// What must happen before an event is told: who can do nothing any more must not hear it either.
    pub(super) fn before(&self, event: &Event) {
        match event {
            Event::User { user, change: Change::Changed, .. } if !user.active => {
                self.drop_where(&user.id, |_| true);
            }
            // Under another id he begins anew.
            Event::User { user, before: Some(before), .. } if user.id != before.id => {
                self.drop_where(&before.id, |_| true);
            }
            Event::User { user, change: Change::Changed, .. } => self.reseat(&user.id, user),
            Event::UserRemoved { user } => self.drop_where(&user.id, |_| true),
            _ => {}
        }
    }

    /// What follows from an event once it was told: an ended session has heard that it ended.
    pub(super) fn after(&self, event: &Event, call: &mut Call) {
        match event {
            Event::SessionsEnded { user, session, kept } => self.drop_where(user, |who| match session {
                Some(ended) => who.session.as_ref() == Some(ended),
                None => kept.is_none() || who.session != *kept,
            }),
            Event::User { user, change: Change::Changed, before }
                if before.as_ref().is_none_or(|b| b.access != user.access) =>
            {
                self.doubt_everywhere(&user.id, None, call);
            }
            Event::RoleGiven { user, .. } => self.doubt_everywhere(user, None, call),
            // It may have been the main room of a team whose channels were open by it. The room itself asks in its
            // order.
            Event::MembershipRemoved { user, room, .. } => self.doubt_everywhere(user, Some(room), call),
            Event::Permission { .. } | Event::Role { .. } => self.doubt_all(call),
            _ => {}
        }
    }

    /// Drops a user's subscriptions (but the server's own) at once.
    fn drop_where(&self, user: &UserId, doomed: impl Fn(&Who) -> bool) {
        let Some(cell) = self.cell(user) else { return };
        let is_doomed = |(_, who): &&(Subscription, _)| -> bool {
            let who: &std::sync::Arc<Who> = who;
            !who.system && doomed(who)
        };
        let subscriptions: Vec<_> =
            cell.state.lock().subscriptions.iter().filter(is_doomed).map(|(s, _)| *s).collect();
        for subscription in subscriptions {
            self.revoke(subscription);
        }
    }

    /// Takes a subscription away and tells its listener; nothing is heard after that.
    fn revoke(&self, subscription: Subscription) {
        // Whoever is being told something just now holds the gate; a user's own listeners are told under the
        // user's lock, so they need none.
        let _gate = match subscription.kind {
            Kind::Room => Some(self.shards[usize::from(subscription.shard)].gate.lock()),
            Kind::Statuses => Some(self.statuses.gate.lock()),
            Kind::Desk => Some(self.desk.heard.gate.lock()),
            Kind::LoggedIn => Some(self.logged_in.gate.lock()),
            Kind::Everyone => Some(self.everyone.gate.lock()),
            Kind::User | Kind::Inbox | Kind::Presence => None,
        };
        if let Some(entry) = self.take(subscription) {
            entry.listener.revoked();
            add(&self.counts.revoked, 1);
        }
    }

    /// Tells those whose room subscriptions were taken out. With the gate held.
    pub(super) fn tell_lost(&self, lost: Vec<Entry>) {
        add(&self.counts.revoked, lost.len());
        for entry in lost {
            entry.listener.revoked();
            if let Some(who) = &entry.who {
                self.leave(&who.user, |state| state.forget(entry.serial));
            }
        }
    }

    /// A room is gone: nobody listens to it or follows it any more. With the gate held.
    /// What still waited is given back.
    pub(super) fn close_room(&self, id: &RoomId) -> Vec<Unit> {
        let removed = self.shard(id).rooms.lock().table.remove(id);
        let Some(mut room) = removed else { return Vec::new() };
        let mut lost = room.crowd.remove_where(|_| true);
        lost.extend(room.silent.drain(..).map(|silent| silent.entry));
        self.tell_lost(lost);
        for follower in room.followers.iter() {
            follower.cell.state.lock().rooms.remove(id);
        }
        room.empty()
    }

    /// One user may have lost one room.
    pub(super) fn doubt(&self, id: &RoomId, user: &UserId, call: &mut Call) {
        let mut rooms = self.shard(id).rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else { return };
        if room.listens(user) {
            let question = room.ask(listens(user), call.now, self.number());
            self.asked(question, call);
            rooms.tidy(id);
        }
    }

    /// A user follows a room by a word that came out of its order: is that the last one?
    pub(super) fn doubt_follower(&self, id: &RoomId, user: &UserId, call: &mut Call) {
        let mut rooms = self.shard(id).rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else { return };
        if room.followers.iter().any(|follower| follower.cell.user == *user) {
            let whom = Whom::These { users: Vec::new(), followers: vec![user.clone()] };
            let question = room.ask(whom, call.now, self.number());
            self.asked(question, call);
            rooms.tidy(id);
        }
    }

    /// One user may have lost any room but this one.
    fn doubt_everywhere(&self, user: &UserId, but: Option<&RoomId>, call: &mut Call) {
        let Some(cell) = self.cell(user) else { return };
        let mut seen = FxHashSet::default();
        let mut places = Vec::new();
        for (subscription, who) in &cell.state.lock().subscriptions {
            let place = (subscription.shard, subscription.slot);
            if subscription.kind == Kind::Room && !who.system && seen.insert(place) {
                places.push(place);
            }
        }
        for (shard, slot) in places {
            let mut rooms = self.shards[usize::from(shard)].rooms.lock();
            let Some(room) = rooms.table.at_mut(slot) else { continue };
            if room.listens(user) && but != Some(room.id()) {
                let question = room.ask(listens(user), call.now, self.number());
                self.asked(question, call);
                let id = room.id().clone();
                rooms.tidy(&id);
            }
        }
    }

    /// Everybody may have lost any room. Each room stands still until its question is answered.
    fn doubt_all(&self, call: &mut Call) {
        for shard in &self.shards {
            let mut rooms = shard.rooms.lock();
            let mut stopped = Vec::new();
            for room in rooms.table.values_mut() {
                let whom = Whom::Everyone { followers: false };
                if let Some(question) = room.ask(whom, call.now, self.number()) {
                    self.asked(Some(question), call);
                    stopped.push(room.id().clone());
                }
            }
            for id in stopped {
                rooms.tidy(&id);
            }
        }
    }

    fn asked(&self, question: Option<Output>, call: &mut Call) {
        add(&self.counts.judgements, usize::from(question.is_some()));
        call.out.extend(question);
    }

    /// The answer to [`Output::Judge`]: those of the asked who may not read the room, and those of the asked
    /// followers who are no members. They are dropped and told, then the room goes on.
    pub fn judged(
        &self,
        room: &RoomId,
        round: u64,
        denied: &[UserId],
        left: &[UserId],
        now: Duration,
    ) -> Vec<Output> {
        let denied: FxHashSet<&UserId> = denied.iter().collect();
        let left: FxHashSet<&UserId> = left.iter().collect();
        self.answer(room, now, |found, _| {
            let Some(lost) = found.judged(round, &denied) else { return Answered::default() };
            let gone = found.followers.iter().filter(|follower| left.contains(&follower.cell.user));
            let left = gone.map(|follower| follower.cell.clone()).collect();
            Answered { lost, left, question: None }
        })
    }

    /// The question could not be answered; `tick` will ask again, and the room stands still until then.
    pub fn unjudged(&self, room: &RoomId, round: u64) {
        if let Some(found) = self.shard(room).rooms.lock().table.get_mut(room) {
            found.unjudged(round);
        }
    }
}

fn listens(user: &UserId) -> Whom {
    Whom::These { users: vec![user.clone()], followers: Vec::new() }
}

//! Coming and going: subscriptions, followed rooms, watch lists.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use super::{
    Global, Hub, Interest, Kind, Listener, Output, Subscription,
    crowd::{Entry, Who},
    room::{Follower, Room, Silent},
    user::{Cell, CellState, WatchList, Watcher},
};
use crate::{
    id::{RoomId, UserId},
    session::Actor,
};

/// Users on one watch list at most; more are not watched.
pub const WATCHED: usize = 10_000;
/// Rooms that one inbox follows at most; more are not followed.
pub const FOLLOWED: usize = 10_000;

impl Hub {
    /// Registers a listener. Nothing is judged here; `Chat::listen_room` and its like do that, afterwards.
    /// A subscription to a room hears nothing before `activate`, one to the desk before `seat`; the others hear from
    /// now on.
    pub fn listen(&self, interest: Interest, actor: &Actor, listener: Arc<dyn Listener>) -> Subscription {
        let serial = self.number();
        let mut users = self.users[self.shard_of(&actor.user)].lock();
        let (slot, cell) = users.get_or_insert(&actor.user, || Cell::new(actor.user.clone()));
        let mut state = cell.state.lock();
        let who = state.share(Who::new(actor));
        let entry = Entry { serial, who: Some(who.clone()), listener };
        let mut subscription =
            Subscription { kind: Kind::User, shard: self.shard_of(&actor.user) as u8, slot, serial };
        match interest {
            Interest::User => state.ears.push(entry),
            Interest::Inbox => {
                subscription.kind = Kind::Inbox;
                state.loading.push(serial);
                cell.readers.fetch_add(usize::from(entry.listener.wants_messages()), Ordering::Release);
                state.inbox.push(entry);
            }
            Interest::Presence => {
                subscription.kind = Kind::Presence;
                state.watching.push(Arc::new(Watcher { entry, list: WatchList::new() }));
            }
            Interest::Room(room) => {
                subscription.kind = Kind::Room;
                subscription.shard = self.shard_of(&room) as u8;
                subscription.slot = self.add_silent(&room, entry);
            }
            Interest::Statuses => {
                subscription.kind = Kind::Statuses;
                self.statuses.crowd.lock().add(entry);
            }
            Interest::Desk => {
                subscription.kind = Kind::Desk;
                self.desk.sit(entry);
            }
            Interest::LoggedIn => {
                subscription.kind = Kind::LoggedIn;
                self.logged_in.crowd.lock().add(entry);
            }
            Interest::Everyone => {
                subscription.kind = Kind::Everyone;
                self.everyone.crowd.lock().add(entry);
            }
        }
        state.subscriptions.push((subscription, who));
        subscription
    }

    /// Registers a listener of a connection that is not logged in: it hears what concerns everyone.
    pub fn listen_anonymously(&self, listener: Arc<dyn Listener>) -> Subscription {
        let serial = self.number();
        self.everyone.crowd.lock().add(Entry { serial, who: None, listener });
        Subscription { kind: Kind::Everyone, shard: 0, slot: 0, serial }
    }

    fn add_silent(&self, id: &RoomId, entry: Entry) -> u32 {
        let mut rooms = self.shard(id).rooms.lock();
        let (slot, room) = rooms.table.get_or_insert(id, || Room::new(id.clone()));
        room.silent.push(Silent { entry, from: None });
        slot
    }

    /// Whether `activate` needs the room's position: nothing of this room has been handed out yet.
    pub fn wants_position(&self, subscription: Subscription) -> bool {
        let rooms = self.shards[usize::from(subscription.shard)].rooms.lock();
        subscription.kind == Kind::Room
            && rooms.table.at(subscription.slot).is_some_and(|room| !room.is_placed())
    }

    /// Lets a room's subscription hear from now on. `position` is the room's last one, read after `listen`: what
    /// is not newer can be paged from the store, what is newer will be heard without a gap. `false` when it was
    /// ended or revoked in between.
    pub fn activate(&self, subscription: Subscription, position: Option<i64>) -> bool {
        if subscription.kind != Kind::Room {
            return false;
        }
        let mut rooms = self.shards[usize::from(subscription.shard)].rooms.lock();
        let Some(room) = rooms.table.at_mut(subscription.slot) else { return false };
        let active = room.activate(subscription.serial, position);
        let id = room.id().clone();
        rooms.tidy(&id);
        active
    }

    /// Ends a subscription; ending it again does nothing.
    pub fn end(&self, subscription: Subscription) {
        self.take(subscription);
    }

    /// Takes a subscription out of everything.
    pub(super) fn take(&self, subscription: Subscription) -> Option<Entry> {
        let entry = match subscription.kind {
            Kind::Room => self.take_from_room(subscription),
            Kind::Statuses => self.statuses.take(subscription),
            Kind::Desk => self.desk.take(subscription),
            Kind::LoggedIn => self.logged_in.take(subscription),
            Kind::Everyone => self.everyone.take(subscription),
            Kind::User | Kind::Inbox | Kind::Presence => return self.take_from_user(subscription),
        };
        if let Some(who) = entry.as_ref().and_then(|e| e.who.as_ref()) {
            self.leave(&who.user, |state| state.forget(subscription.serial));
        }
        entry
    }

    fn take_from_room(&self, subscription: Subscription) -> Option<Entry> {
        let mut rooms = self.shards[usize::from(subscription.shard)].rooms.lock();
        let room = rooms.table.at_mut(subscription.slot)?;
        let silent = room.silent.iter().position(|s| s.entry.serial == subscription.serial);
        let entry = match silent {
            Some(at) => room.silent.swap_remove(at).entry,
            None => room.crowd.remove(subscription.serial)?,
        };
        let id = room.id().clone();
        rooms.tidy(&id);
        Some(entry)
    }

    fn take_from_user(&self, subscription: Subscription) -> Option<Entry> {
        let cell = self.cell_at(subscription)?;
        let serial = subscription.serial;
        if subscription.kind == Kind::Presence {
            let watcher = self.leave(&cell.user, |state| {
                state.forget(serial);
                let at = state.watching.iter().position(|w| w.entry.serial == serial)?;
                Some(state.watching.swap_remove(at))
            })??;
            self.close_list(&watcher);
            return Some(watcher.entry.clone());
        }
        self.leave(&cell.user, |state| {
            state.forget(serial);
            if subscription.kind == Kind::Inbox {
                let (entry, rooms) = state.close_inbox(serial);
                if entry.as_ref().is_some_and(|entry| entry.listener.wants_messages()) {
                    cell.readers.fetch_sub(1, Ordering::Release);
                }
                for room in &rooms {
                    self.unfollow(room, &cell, i64::MAX);
                }
                return entry;
            }
            let at = state.ears.iter().position(|e| e.serial == serial)?;
            Some(state.ears.swap_remove(at))
        })?
    }

    pub(super) fn cell_at(&self, subscription: Subscription) -> Option<Arc<Cell>> {
        if !matches!(subscription.kind, Kind::User | Kind::Inbox | Kind::Presence) {
            return None;
        }
        self.users[usize::from(subscription.shard)].lock().at(subscription.slot).cloned()
    }

    /// Changes a user's place, and forgets it when nothing is left there.
    pub(super) fn leave<T>(&self, user: &UserId, change: impl FnOnce(&mut CellState) -> T) -> Option<T> {
        let mut users = self.users[self.shard_of(user)].lock();
        let cell = users.get(user)?.clone();
        let mut state = cell.state.lock();
        let made = change(&mut state);
        if state.is_empty() {
            users.remove(user);
        }
        Some(made)
    }

    /// Adds rooms to what an inbox follows: all of the user's memberships, read after `listen`, each with the room's
    /// last position of the same snapshot. `last`: these were all. From then on memberships come and go by their
    /// events. Rooms in which an end of the membership may have been missed since are asked about.
    pub fn follow_rooms(
        &self,
        subscription: Subscription,
        rooms: &[(RoomId, i64)],
        last: bool,
        now: Duration,
    ) -> Vec<Output> {
        let mut call = self.call(now);
        let Some(cell) = self.cell_at(subscription) else { return Vec::new() };
        let mut state = cell.state.lock();
        if !state.loading.contains(&subscription.serial) {
            return Vec::new();
        }
        for (room, position) in rooms {
            if state.gone.get(room).is_none_or(|gone| gone <= position) {
                let doubtful = self.follow(&cell, &mut state, room, *position);
                if doubtful {
                    self.doubt_follower(room, &cell.user, &mut call);
                }
            }
        }
        if last {
            state.complete = true;
            state.loaded(subscription.serial);
        }
        call.out
    }

    /// Whether the rooms of this inbox are known already, by another connection of the same user.
    pub fn knows_rooms(&self, subscription: Subscription) -> bool {
        let Some(cell) = self.cell_at(subscription) else { return true };
        let mut state = cell.state.lock();
        if state.complete {
            state.loaded(subscription.serial);
        }
        state.complete
    }

    /// A user with an inbox was a member of a room at this position. `true` when that may have ended since,
    /// in a part of the timeline that nobody heard here.
    pub(super) fn follow(&self, cell: &Arc<Cell>, state: &mut CellState, id: &RoomId, at: i64) -> bool {
        if state.inbox.is_empty() || state.rooms.len() >= FOLLOWED {
            return false;
        }
        let known = !state.rooms.insert(id.clone());
        let mut rooms = self.shard(id).rooms.lock();
        let (_, room) = rooms.table.get_or_insert(id, || Room::new(id.clone()));
        let followers = Arc::make_mut(&mut room.followers);
        match followers.iter_mut().find(|f| known && Arc::ptr_eq(&f.cell, cell)) {
            Some(follower) => follower.since = at.max(follower.since),
            None => followers.push(Follower { cell: cell.clone(), since: at }),
        }
        room.missed_after(at)
    }

    /// A user has a room less, unless the user was known to be a member at this position or later.
    pub(super) fn unfollow(&self, id: &RoomId, cell: &Arc<Cell>, before: i64) -> bool {
        let mut rooms = self.shard(id).rooms.lock();
        let Some(room) = rooms.table.get_mut(id) else { return true };
        if let Some(at) = room.followers.iter().position(|f| Arc::ptr_eq(&f.cell, cell)) {
            if room.followers[at].since >= before {
                return false;
            }
            Arc::make_mut(&mut room.followers).swap_remove(at);
        }
        rooms.tidy(id);
        true
    }

    /// Changes a watch list; at most [`WATCHED`] users are watched, how many were left out is the answer.
    pub fn watch(&self, subscription: Subscription, more: &[UserId], fewer: &[UserId]) -> usize {
        let Some(cell) = self.cell_at(subscription) else { return more.len() };
        let is_it = |w: &&Arc<Watcher>| w.entry.serial == subscription.serial;
        let Some(watcher) = cell.state.lock().watching.iter().find(is_it).cloned() else { return more.len() };
        let mut list = watcher.list.lock();
        if list.ended {
            return more.len();
        }
        for user in fewer {
            if list.users.remove(user) {
                self.unwatch(user, &watcher);
            }
        }
        let mut left_out = 0;
        for user in more {
            if list.users.len() >= WATCHED {
                left_out += usize::from(!list.users.contains(user));
            } else if list.users.insert(user.clone()) {
                let mut users = self.users[self.shard_of(user)].lock();
                let (_, watched) = users.get_or_insert(user, || Cell::new(user.clone()));
                watched.state.lock().watchers.push(watcher.clone());
            }
        }
        left_out
    }

    fn unwatch(&self, user: &UserId, watcher: &Arc<Watcher>) {
        self.leave(user, |state| {
            if let Some(at) = state.watchers.iter().position(|w| Arc::ptr_eq(w, watcher)) {
                state.watchers.swap_remove(at);
            }
        });
    }

    fn close_list(&self, watcher: &Arc<Watcher>) {
        let mut list = watcher.list.lock();
        list.ended = true;
        for user in std::mem::take(&mut list.users) {
            self.unwatch(&user, watcher);
        }
    }

    /// Whether anybody watches this user's presence.
    pub fn is_watched(&self, user: &UserId) -> bool {
        !self.statuses.crowd.lock().is_empty()
            || self.cell(user).is_some_and(|cell| !cell.state.lock().watchers.is_empty())
    }
}

impl Global {
    pub(super) fn take(&self, subscription: Subscription) -> Option<Entry> {
        self.crowd.lock().remove(subscription.serial)
    }
}

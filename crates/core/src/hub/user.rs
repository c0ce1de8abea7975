//! One user in the hub: who listens to what happens to that user, in which rooms the user is a member (while an
//! inbox listens), who watches the user's presence, and all of the user's own subscriptions.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    Subscription,
    crowd::{Entry, Who},
};
use crate::{
    event::Event,
    id::{RoomId, UserId},
    published::Published,
};

/// A user's place in the hub.
pub(crate) struct Cell {
    pub(super) user: UserId,
    /// Inboxes that hear of messages, to pass over the others without a look at them.
    pub(super) readers: AtomicUsize,
    pub(super) state: Mutex<CellState>,
}

#[derive(Default)]
pub(super) struct CellState {
    /// Subscriptions to what happens to the user.
    pub(super) ears: Vec<Entry>,
    /// Subscriptions to the news of all rooms.
    pub(super) inbox: Vec<Entry>,
    /// The rooms that the inbox follows.
    pub(super) rooms: FxHashSet<RoomId>,
    /// `rooms` is all of them.
    pub(super) complete: bool,
    /// Inbox subscriptions whose rooms are still being loaded …
    pub(super) loading: Vec<u64>,
    /// … and rooms that were left meanwhile, at this position: what was read before must not bring them back.
    pub(super) gone: FxHashMap<RoomId, i64>,
    /// Those who watch this user's presence.
    pub(super) watchers: Vec<Arc<Watcher>>,
    /// The watch lists of this user.
    pub(super) watching: Vec<Arc<Watcher>>,
    /// All subscriptions of this user, to drop or judge them.
    pub(super) subscriptions: Vec<(Subscription, Arc<Who>)>,
}

/// A watch list.
pub(super) struct Watcher {
    pub(super) entry: Entry,
    pub(super) list: Mutex<WatchList>,
}

#[derive(Default)]
pub(super) struct WatchList {
    pub(super) users: FxHashSet<UserId>,
    pub(super) ended: bool,
}

impl WatchList {
    pub(super) fn new() -> Mutex<Self> {
        Mutex::default()
    }
}

impl Cell {
    pub(super) fn new(user: UserId) -> Arc<Self> {
        Arc::new(Self { user, readers: AtomicUsize::new(0), state: Mutex::default() })
    }

    pub(super) fn tell_ears(&self, published: &Arc<Published>) {
        for entry in &self.state.lock().ears {
            entry.listener.hear(published);
        }
    }

    pub(super) fn tell_inbox(&self, published: &Arc<Published>) {
        if matches!(published.fact.event, Event::Message { .. } | Event::MessageDeleted { .. })
            && self.readers.load(Ordering::Acquire) == 0
        {
            return;
        }
        for entry in &self.state.lock().inbox {
            entry.listener.hear(published);
        }
    }

    pub(super) fn tell_watchers(&self, published: &Arc<Published>) {
        for watcher in &self.state.lock().watchers {
            watcher.entry.listener.hear(published);
        }
    }
}

impl CellState {
    pub(super) fn is_empty(&self) -> bool {
        self.subscriptions.is_empty() && self.watchers.is_empty()
    }

    /// The same `Who` for all subscriptions of a session.
    pub(super) fn share(&self, who: Who) -> Arc<Who> {
        let known = self.subscriptions.iter().map(|(_, known)| known).find(|known| ***known == who);
        known.cloned().unwrap_or_else(|| Arc::new(who))
    }

    pub(super) fn forget(&mut self, serial: u64) {
        if let Some(at) = self.subscriptions.iter().position(|(s, _)| s.serial == serial) {
            self.subscriptions.swap_remove(at);
        }
    }

    /// Takes an inbox out; the rooms to leave when it was the last one.
    pub(super) fn close_inbox(&mut self, serial: u64) -> (Option<Entry>, FxHashSet<RoomId>) {
        let at = self.inbox.iter().position(|e| e.serial == serial);
        let entry = at.map(|at| self.inbox.swap_remove(at));
        self.loaded(serial);
        if !self.inbox.is_empty() {
            return (entry, FxHashSet::default());
        }
        self.complete = false;
        (entry, std::mem::take(&mut self.rooms))
    }

    /// Loading ended, well or not.
    pub(super) fn loaded(&mut self, serial: u64) {
        self.loading.retain(|s| *s != serial);
        if self.loading.is_empty() {
            self.gone = FxHashMap::default();
        }
    }
}

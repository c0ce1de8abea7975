//! Those who listen to a room, are about to, or follow it.

use std::sync::Arc;

use super::Room;
use crate::{
    hub::{crowd::Entry, user::Cell},
    id::UserId,
};

/// An inbox that follows a room.
#[derive(Clone)]
pub(in crate::hub) struct Follower {
    pub(in crate::hub) cell: Arc<Cell>,
    /// The position at which its user was known to be a member: an earlier end of the membership that is told later
    /// changes nothing.
    pub(in crate::hub) since: i64,
}

/// A listener that hears nothing yet.
pub(in crate::hub) struct Silent {
    pub(in crate::hub) entry: Entry,
    /// It was found entitled, and listens once everything up to this position, which it can read, has gone out.
    pub(in crate::hub) from: Option<i64>,
}

impl Room {
    /// A silent listener was found entitled, by what was true at this position: it listens from there on, or from
    /// what is known here. `false` when there is no such listener.
    pub(in crate::hub) fn activate(&mut self, serial: u64, position: Option<i64>) -> bool {
        let Some(silent) = self.silent.iter_mut().find(|s| s.entry.serial == serial) else { return false };
        // What is known here was told by somebody, so it is stored and can be read.
        let from = position.map_or(self.known, |position| position.max(self.known));
        silent.from = Some(from);
        self.place(from);
        self.known = self.known.max(from);
        if self.judging.is_none() {
            self.join(self.released);
        }
        true
    }

    /// Silent listeners that can read everything after this position up to theirs, which is none, listen now.
    pub(super) fn join(&mut self, released: i64) {
        if self.silent.is_empty() {
            return;
        }
        let ready = |silent: &mut Silent| silent.from.is_some_and(|from| from <= released);
        for silent in self.silent.extract_if(.., ready) {
            self.crowd.add(silent.entry);
        }
        if self.silent.is_empty() {
            self.silent = Vec::new();
        }
    }

    /// Whether some position after this one was passed over here: the room was placed later, or read from the store.
    pub(in crate::hub) fn missed_after(&self, position: i64) -> bool {
        self.jump > position || self.floor > position + 1
    }

    pub(super) fn has_audience(&self) -> bool {
        !(self.crowd.is_empty() && self.silent.is_empty() && self.followers.is_empty())
    }

    pub(in crate::hub) fn listens(&self, user: &UserId) -> bool {
        self.entries().any(|entry| entry.is_of(user))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.crowd.iter().chain(self.silent.iter().map(|silent| &silent.entry))
    }
}

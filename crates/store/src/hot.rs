//! What the SQLite writer keeps in memory between statements: rooms and users as the last appends saw them, and
//! rows that wait to be written together. Right only because nobody else writes: the engine holds a lock on the
//! file, flushes before any other statement and forgets after any that could have changed what is kept.

use crate::rows::heads::Place;
use parlor_core::id::{RoomId, UserId};
use rustc_hash::FxHashMap;

/// Rooms and users kept; beyond it all are forgotten and read again. About 300 bytes each.
const KEPT: usize = 20_000;

/// A row of the journal that waits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalRow {
    pub(crate) g: i64,
    pub(crate) at: i64,
    pub(crate) kind: i64,
    pub(crate) room: i64,
    pub(crate) position: i64,
}

/// A user as an append needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author {
    pub(crate) key: i64,
    pub(crate) access: i64,
}

/// The tables whose rows are kept, as bits: which of them a statement may change.
pub(crate) mod touches {
    pub(crate) const ROOMS: u8 = 1;
    pub(crate) const USERS: u8 = 2;
    /// No table: the statement is not to be kept.
    pub(crate) const ONCE: u8 = 4;
}

/// A room as the last append left it; `dirty` while its row is behind.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) dirty: bool,
}

#[derive(Default)]
pub(crate) struct Hot {
    pub(crate) rooms: FxHashMap<RoomId, Kept>,
    pub(crate) users: FxHashMap<UserId, Author>,
    /// Rooms whose head in memory is ahead of its row.
    pub(crate) dirty: Vec<RoomId>,
    /// Rows to be appended to the journal.
    pub(crate) journal: Vec<JournalRow>,
    /// The number of the journal's last row.
    pub(crate) g: i64,
}

impl Hot {
    pub(crate) fn is_clean(&self) -> bool {
        self.dirty.is_empty() && self.journal.is_empty()
    }

    /// Forgets what a statement may have changed.
    pub(crate) fn forget(&mut self, touched: u8) {
        if touched & touches::ROOMS != 0 {
            self.rooms.clear();
        }
        if touched & touches::USERS != 0 {
            self.users.clear();
        }
    }

    /// Forgets everything, also what was not written: the transaction is gone. Numbers are not given out again.
    pub(crate) fn reset(&mut self) {
        let g = self.g;
        *self = Hot { g, ..Hot::default() };
    }

    /// Makes room for one more, if nothing waits to be written.
    pub(crate) fn trim(&mut self) {
        if self.is_clean() && (self.rooms.len() >= KEPT || self.users.len() >= KEPT) {
            self.rooms.clear();
            self.users.clear();
        }
    }
}

/// Which kept tables a writing statement names.
pub(crate) fn touched(sql: &str) -> u8 {
    let rooms = if sql.contains("room_heads") || sql.contains("rooms") { touches::ROOMS } else { 0 };
    let users = if sql.contains("users") { touches::USERS } else { 0 };
    rooms | users
}

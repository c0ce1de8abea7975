//! Rooms as they were before somebody came or went, for those who hear of it and can't wait until the room is read again.

use std::sync::Arc;

use quick_cache::sync::Cache;

use crate::{id::RoomId, room::Room};

/// Rooms remembered.
const ROOMS: usize = 2_000;

/// All of a room that comings and goings don't change; its member count is that of the last time that it was read.
pub(crate) struct LastKnown(Cache<RoomId, Arc<Room>>);

impl LastKnown {
    pub(crate) fn new() -> Self {
        Self(Cache::new(ROOMS))
    }

    /// The room is about to be forgotten because of its members.
    pub(crate) fn keep(&self, room: Option<Arc<Room>>) {
        if let Some(room) = room {
            self.0.insert(room.id.clone(), room);
        }
    }

    pub(crate) fn get(&self, room: &RoomId) -> Option<Arc<Room>> {
        self.0.get(room)
    }

    /// The room changed by itself, or is gone.
    pub(crate) fn forget(&self, room: &RoomId) {
        self.0.remove(room);
    }
}

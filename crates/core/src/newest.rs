//! The newest messages of rooms, in memory: what everybody reads who opens a room, above all when all clients come back
//! at once.

use std::sync::Arc;

use crate::{
    cache::Cache,
    event::{Change, Event, Fact},
    id::RoomId,
    message::Message,
    messages_host::Messages,
};

/// Messages of one room that are kept: what a page has unless it is asked for otherwise.
pub(crate) const KEPT: u64 = 50;
/// Rooms whose newest messages are kept.
const ROOMS: usize = 256;
/// Bytes of text of one room that are kept; what is longer is read each time.
const BYTES: usize = 64 * 1024;

/// The newest messages of rooms.
pub(crate) struct Newest(pub(crate) Cache<RoomId, Option<Arc<Messages>>>);

impl Newest {
    pub(crate) fn new(in_order: bool) -> Self {
        Self(Cache::new(ROOMS, in_order))
    }

    /// Forgets what a fact has changed. Every change of a timeline takes a place in it.
    pub(crate) fn take_in(&self, fact: &Fact) {
        if let Some((room, _)) = &fact.place {
            self.0.forget(room);
        }
        match &fact.event {
            Event::MessageDeleted { room, .. } | Event::MessagesPurged { room, .. } => self.0.forget(room),
            Event::RoomRemoved { room } => self.0.forget(&room.id),
            // Messages show the names of their authors.
            Event::User { user, change: Change::Changed, before } => {
                let same = |before: &Arc<crate::user::User>| {
                    before.id == user.id && before.username == user.username && before.name == user.name
                };
                if !before.as_ref().is_some_and(same) {
                    self.0.clear();
                }
            }
            Event::UserRemoved { .. } => self.0.clear(),
            _ => {}
        }
    }
}

/// Whether these may be kept: plain and short enough.
pub(crate) fn is_light(page: &Messages) -> bool {
    let weight = |message: &Message| match message.attachments.is_empty() && message.links.is_empty() {
        true => message.text.len() + message.custom_fields.as_str().len() + message.extras.as_str().len(),
        false => BYTES,
    };
    page.messages.iter().map(|message| weight(message)).sum::<usize>() < BYTES
}

/// The newest `limit` of a page of the newest ones.
pub(crate) fn newest(page: &Messages, limit: u64) -> Messages {
    let skip = page.messages.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    let messages = page.messages[skip..].to_vec();
    Messages { messages, more: page.more || skip > 0, total: page.total, position: page.position }
}

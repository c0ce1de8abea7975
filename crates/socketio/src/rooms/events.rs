//! Events that only the rooms form has.

use bytes::Bytes;
use parlor_core::{event::Event, id::UserId, message::Message};
use parlor_host::shape::rooms as shape;
use serde_json::json;

use crate::{Door, packet};

/// An event in the rooms form alone.
pub(crate) fn frame(door: &Door, event: &Event) -> Bytes {
    crate::events::render(door, event, true, None, &UserId::new(""))
}

/// The reactions to a message, as they are now.
pub(crate) fn reactions(message: &Message) -> Bytes {
    let told = json!({
        "room_id": message.room.as_str(), "message_id": message.id.as_str(),
        "reactions": shape::Reactions(&message.reactions),
    });
    packet::event("message_reaction", &told)
}

//! What the server says to one user alone, in a room: answers of commands. Never stored.

use crate::{
    chat::Chat,
    event::Event,
    id::{MessageId, RoomId, UserId},
};

impl Chat {
    /// Says something to one user, shown in a room on the connections that are there now.
    pub fn whisper(&self, user: &UserId, room: &RoomId, text: &str, thread: Option<MessageId>) {
        self.pass(Event::Whisper { user: user.clone(), room: room.clone(), text: text.into(), thread });
    }
}

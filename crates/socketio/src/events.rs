//! All events of the two contracts, as a table (the reference is written from it), and how an event of the core is
//! written in the keys of one form or both.

use bytes::Bytes;
use parlor_core::{
    clock::Time,
    event::{Change, Event},
    id::UserId,
    message::Message,
};
use parlor_host::{
    shape,
    time::{Iso, iso},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{Door, packet, rooms, session::Form, tickets};

/// An event of the contracts.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// Part of the rooms contract.
    pub rooms: bool,
    /// Part of the tickets contract.
    pub tickets: bool,
    /// The keys of its payload, `?` behind those that may be absent; for both forms.
    pub payload: &'static str,
    /// What it means.
    pub meaning: &'static str,
}

impl Described {
    /// The one contract that has it; `None` where both do.
    pub(crate) fn form(&self) -> Option<Form> {
        match (self.rooms, self.tickets) {
            (true, false) => Some(Form::Rooms),
            (false, true) => Some(Form::Tickets),
            _ => None,
        }
    }
}

const fn rooms(name: &'static str, payload: &'static str, meaning: &'static str) -> Described {
    Described { name, rooms: true, tickets: false, payload, meaning }
}

const fn tickets(name: &'static str, payload: &'static str, meaning: &'static str) -> Described {
    Described { name, rooms: false, tickets: true, payload, meaning }
}

const fn both(name: &'static str, payload: &'static str, meaning: &'static str) -> Described {
    Described { name, rooms: true, tickets: true, payload, meaning }
}

/// What clients may emit. Each may ask for an ack.
pub const CLIENT_EVENTS: &[Described] = &[
    rooms("join_room", "room_id, after?, limit?", "Listen to a room; with `after`, catch up first."),
    rooms("leave_room", "room_id", "Listen no more."),
    tickets("join_ticket", "ticketId, after?, limit?", "Listen to a ticket's room and read its history."),
    tickets("leave_ticket", "ticketId", "Listen no more."),
    both(
        "send_message",
        "rooms: room_id, content?, message_type?, reply_to_id?, forwarded_from_id?, media_url?, media_id?, \
         media_filename?, thread_id?, metadata?, client_id?; or room_id and message_id or message; tickets: ticketId, \
         message?, messageType?, attachments?, replyToId?, threadId?, clientId?",
        "Send a message. With `message_id` or `message` in the rooms form it is a hint that delivers nothing.",
    ),
    both(
        "message_edited",
        "rooms: message_id, content, room_id?; or message_id or message; tickets: ticketId, messageId, message",
        "Edit one's own message; without a text it is a hint.",
    ),
    both(
        "message_deleted",
        "rooms: message_id, room_id?; tickets: ticketId, messageId",
        "Delete one's own message, or as an admin of the room anybody's.",
    ),
    rooms("typing", "room_id, is_typing", "Typing has begun or ended; needs the join."),
    tickets("typing_start", "ticketId", "Typing has begun; needs the join."),
    tickets("typing_stop", "ticketId", "Typing has ended; needs the join."),
    rooms(
        "mark_as_read",
        "room_id, message_ids?",
        "These messages and all older ones are read; all when absent.",
    ),
];

/// What clients may hear.
pub const SERVER_EVENTS: &[Described] = &[
    both("connected", "user_id, userId, message, timestamp", "The token was good."),
    rooms(
        "room_joined",
        "room_id, room, online_user_ids, timestamp, messages?, pagination?",
        "The room is joined; with what came after `after`.",
    ),
    rooms("room_left", "room_id, timestamp", "The room is left."),
    tickets("joined_ticket", "ticketId, message, room_id, timestamp", "The ticket is joined."),
    tickets("messages_history", "ticketId, messages, pagination", "What was said, oldest first."),
    tickets(
        "left_ticket",
        "ticketId, message, timestamp",
        "The ticket is left, closed to the user, or deleted.",
    ),
    both(
        "new_message",
        "rooms: room_id, message, timestamp; tickets: ticketId, message, timestamp",
        "A message, to all who joined, its sender too.",
    ),
    both(
        "message_edited",
        "rooms: room_id, message_id, message, timestamp; tickets: ticketId, messageId, message, timestamp",
        "A message says something else now.",
    ),
    both(
        "message_deleted",
        "rooms: room_id, message_id, deleted_by, message, timestamp; tickets: ticketId, messageId, message, timestamp",
        "A message is gone; its place stays.",
    ),
    both(
        "message_updated",
        "rooms: room_id, message_id, message, timestamp; tickets: ticketId, messageId, message, timestamp",
        "Something about a message changed, but not what it says: reactions, a pin, replies in its thread.",
    ),
    rooms(
        "message_reaction",
        "room_id, message_id, reactions",
        "The reactions to a message, as they are now.",
    ),
    rooms("messages_read", "room_id, user_id, message_ids, read_at", "Somebody read up to these messages."),
    both(
        "user_joined",
        "rooms: room_id, user_id, user_name, timestamp; tickets: ticketId, userId, userName, timestamp",
        "Somebody's first connection joined.",
    ),
    both(
        "user_left",
        "rooms: room_id, user_id, user_name, timestamp; tickets: ticketId, userId, userName, timestamp",
        "Somebody's last connection left.",
    ),
    both(
        "user_typing",
        "rooms: room_id, user_id, user_name, is_typing, timestamp; tickets: ticketId, userId, userName, timestamp",
        "Somebody types; in the rooms form also the end of it, by `is_typing` false.",
    ),
    tickets("user_stopped_typing", "ticketId, userId, userName, timestamp", "Somebody types no more."),
    rooms("room_created", "room_id, room", "The user is in a new room."),
    rooms("room_updated", "room_id, room", "A room of the user changed."),
    rooms("member_added", "room_id, user_id, member, added_by, room", "Somebody is a member now."),
    rooms("member_removed", "room_id, user_id, removed_by", "Somebody is out; perhaps the user."),
    both(
        "error",
        "type, code, message, event?, room_id or ticketId?, retry_after?",
        "An event was refused; `type` and `code` are equal.",
    ),
];

/// The frame of an event that is told once, in the rooms form, in the tickets form (of this ticket), or in both.
pub(crate) fn render(
    door: &Door,
    event: &Event,
    in_rooms: bool,
    ticket: Option<&str>,
    viewer: &UserId,
) -> Bytes {
    if let Event::Message { message, change: Change::Made, .. } = event {
        // By far the most frequent one: written straight from the noun.
        let timestamp = Iso(message.at);
        match ticket {
            None if in_rooms => {
                let (room_id, message) = (message.room.as_str(), rooms::message(door, message, viewer));
                return packet::event("new_message", &NewInRoom { room_id, message, timestamp });
            }
            Some(ticket_id) if !in_rooms => {
                let message = tickets::message(door, message, ticket_id, viewer);
                return packet::event("new_message", &NewInTicket { ticket_id, message, timestamp });
            }
            _ => {}
        }
    }
    let mut writing = Writing { door, in_rooms, ticket, viewer, body: Map::new() };
    match writing.message_event(event).or_else(|| writing.other_event(event)) {
        Some(name) => packet::event(name, &writing.body),
        None => Bytes::new(),
    }
}

#[derive(Serialize)]
struct NewInRoom<'a> {
    room_id: &'a str,
    message: shape::rooms::Shown<'a>,
    timestamp: Iso,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewInTicket<'a> {
    ticket_id: &'a str,
    message: shape::tickets::Shown<'a>,
    timestamp: Iso,
}

/// An event's payload in the keys of one form or both.
struct Writing<'a> {
    door: &'a Door,
    in_rooms: bool,
    ticket: Option<&'a str>,
    viewer: &'a UserId,
    body: Map<String, Value>,
}

impl Writing<'_> {
    fn put(&mut self, keys: Value) {
        if let Value::Object(keys) = keys {
            self.body.extend(keys);
        }
    }

    fn place(&mut self, room: &str) {
        if self.in_rooms {
            self.put(json!({ "room_id": room }));
        }
        if let Some(ticket) = self.ticket {
            self.put(json!({ "ticketId": ticket }));
        }
    }

    fn at(&mut self, room: &str, at: Time) {
        self.place(room);
        self.put(json!({ "timestamp": iso(at) }));
    }

    fn message(&mut self, message: &Message) {
        let object = message_object(self.door, message, self.in_rooms, self.ticket, self.viewer);
        self.put(json!({ "message": object }));
    }

    /// Which message is spoken of.
    fn subject(&mut self, id: &str) {
        if self.in_rooms {
            self.put(json!({ "message_id": id }));
        }
        if self.ticket.is_some() {
            self.put(json!({ "messageId": id }));
        }
    }

    fn person(&mut self, user: &UserId, name: &str) {
        if self.in_rooms {
            self.put(json!({ "user_id": user.as_str(), "user_name": name }));
        }
        if self.ticket.is_some() {
            self.put(json!({ "userId": user.as_str(), "userName": name }));
        }
    }

    fn deleted_by(&mut self, by: Option<&UserId>) {
        if self.in_rooms {
            self.put(json!({ "deleted_by": by.map(UserId::as_str) }));
        }
    }

    /// Writes what became of a message; the event's name.
    fn message_event(&mut self, event: &Event) -> Option<&'static str> {
        match event {
            Event::Message { message, change, .. } => {
                self.message(message);
                if *change == Change::Made {
                    self.at(&message.room, message.at);
                    return Some("new_message");
                }
                self.subject(&message.id);
                self.at(&message.room, message.updated_at);
                if message.is_gone() {
                    self.deleted_by(message.edited.as_ref().map(|mark| &mark.by));
                    return Some("message_deleted");
                }
                Some(if message.is_just_edited() { "message_edited" } else { "message_updated" })
            }
            Event::MessageDeleted { room, message: id, emptied, by, .. } => {
                match emptied {
                    Some(emptied) => self.message(emptied),
                    None => self.put(json!({ "message": null })),
                }
                self.subject(id);
                self.deleted_by(by.as_ref());
                let at = emptied.as_ref().map_or_else(|| self.door.host.now(), |left| left.updated_at);
                self.at(room, at);
                Some("message_deleted")
            }
            _ => None,
        }
    }

    /// Writes who comes, goes, types or reads; the event's name, or `None` where there is nothing to tell.
    fn other_event(&mut self, event: &Event) -> Option<&'static str> {
        let now = self.door.host.now();
        match event {
            Event::Gathered { room, user, name, here } => {
                self.person(user, name);
                self.at(room, now);
                Some(if *here { "user_joined" } else { "user_left" })
            }
            Event::Activity { room, user, name, activities, .. } => {
                let on = !activities.is_empty();
                self.person(user, name);
                if self.in_rooms {
                    self.put(json!({ "is_typing": on }));
                }
                self.at(room, now);
                Some(if on || self.in_rooms { "user_typing" } else { "user_stopped_typing" })
            }
            Event::Read { room, user, named, at, .. } => {
                let ids: Vec<&str> = named.iter().map(|id| id.as_str()).collect();
                self.put(json!({ "user_id": user.as_str(), "message_ids": ids, "read_at": iso(*at) }));
                self.place(room);
                Some("messages_read")
            }
            _ => None,
        }
    }
}

/// A message in the keys of one form or both. `attachments` of both is a list whose items carry both spellings.
fn message_object(
    door: &Door,
    message: &Message,
    in_rooms: bool,
    ticket: Option<&str>,
    viewer: &UserId,
) -> Value {
    let Some(ticket) = ticket else { return json!(rooms::message(door, message, viewer)) };
    let in_ticket = json!(tickets::message(door, message, ticket, viewer));
    if !in_rooms {
        return in_ticket;
    }
    let mut both = json!(rooms::message(door, message, viewer));
    let Value::Object(keys) = in_ticket else { return both };
    for (key, value) in keys {
        if key != "attachments" {
            both[key.as_str()] = value;
        } else if let (Some(ours), Value::Array(theirs)) = (both["attachments"].as_array_mut(), value) {
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                if let (Value::Object(ours), Value::Object(theirs)) = (ours, theirs) {
                    ours.extend(theirs);
                }
            }
        }
    }
    both
}

/// The event reference, as a page.
pub fn reference() -> String {
    let mut page = String::from(REFERENCE_HEAD);
    for (title, events) in [("Client to server", CLIENT_EVENTS), ("Server to client", SERVER_EVENTS)] {
        page.push_str(&format!(
            "\n## {title}\n\n| event | contract | payload | meaning |\n|---|---|---|---|\n"
        ));
        for event in events {
            let contract = match event.form() {
                Some(Form::Rooms) => "rooms",
                Some(Form::Tickets) => "tickets",
                None => "both",
            };
            page.push_str(&format!(
                "| `{}` | {contract} | {} | {} |\n",
                event.name, event.payload, event.meaning
            ));
        }
    }
    page
}

const REFERENCE_HEAD: &str = "\
# Socket.IO events

Written from the code (`crates/socketio/src/events.rs`); a test keeps this page and the code the same.

`/socket.io`, Engine.IO 4, Socket.IO protocol 5, namespace `/`, transports `polling` and `websocket`. A socket enters
with `auth.token`, or `auth.authToken` and `auth.userId`, or the headers and query that the REST calls know.

The form of an event is the form in which its room was joined: `join_room` for rooms, `join_ticket` for tickets. A
socket that joined a room both ways gets one event with the keys of both; the end of typing comes once in each form.

Every event of a client may ask for an ack: `{\"success\":true, ...}` or `{\"success\":false,\"error\":CODE,\"message\":TEXT}`.
A refused event is told by `error` first. Events of one socket are carried out in their order.

A client that reads too slowly (more than 1 MiB waits for it) hears `error` with the code `too_slow` and its transport is
closed (a WebSocket by 4408), not the socket for good: it connects again by itself and joins with `after`, the id of the
last message that it has. The same brings back what a cut of any transport took, also one in the middle of an upgrade.

`member_added` and `member_removed` of a channel with more than 50 members are told to whom they concern and to those who
have the room open; of groups of any size to all of their members.

Messages of both forms carry keys beyond the contracts: `reactions`, `thread_id`, `thread_replies`, `thread_last_at`,
`pinned`, `pinned_at`, `pinned_by`, and of each attachment `kind` (a voice message is one of the kind `audio`), `width`,
`height`, `preview` (a blurred picture as a `data:` URL) and `thumbnail_url`; in the tickets form `threadId` and so on.
Reacting, pinning, threads, search, presence, and pushes to browsers (`/api/chat/push`) are REST calls that take rooms and
messages of every kind, tickets' too.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_says_what_the_code_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/socketio-events.md");
        if std::env::var_os("PARLOR_WRITE_DOCS").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(kept == reference(), "run this test with PARLOR_WRITE_DOCS=1 and keep what it writes");
    }
}

//! Conversations and messages as this contract writes them.

use parlor_core::{
    case::{Conversation, Queue},
    chat::Chat,
    clock::Time,
    id::UserId,
    message::Message,
    user::User,
};
use parlor_host::{
    Host, iso,
    shape::{
        beyond::{self, Spelling},
        rooms,
    },
    time::iso_or_null,
};
use serde_json::{Map, Value, json};

/// Who looks: links to files are signed for one viewer, and rooms of two are named after the other one.
#[derive(Clone, Copy)]
pub(crate) struct Eyes<'a> {
    pub(crate) host: &'a Host,
    pub(crate) viewer: &'a UserId,
}

impl Eyes<'_> {
    fn chat(&self) -> &Chat {
        self.host.chat()
    }
}

/// A message. The same for all viewers unless it has files.
pub(crate) fn message(eyes: Eyes<'_>, message: &Message) -> Value {
    let gone = message.is_gone();
    let content = (!gone).then_some(message.text.as_str());
    let attachments: Vec<Value> = match gone {
        true => Vec::new(),
        false => rooms::attachments(eyes.host, eyes.viewer, message),
    };
    let mut told = json!({
        "id": message.id.as_str(),
        "conversation_id": message.room.as_str(),
        "sender_id": message.author.as_str(),
        "content": content,
        "message_type": if message.is_system() { "SYSTEM" } else { "TEXT" },
        "sent_at": iso(message.at),
        "created_at": iso(message.at),
        "updated_at": iso(message.updated_at.max(message.at)),
        "sender_name": rooms::sender_name(message),
        "seq": message.seq,
        "reply_to_id": rooms::reply_to(message).map(|id| id.as_str()),
        "attachments": attachments,
        "is_edited": message.edited.is_some() && !gone,
        "is_deleted": gone,
        "reactions": rooms::Reactions(&message.reactions),
        "client_id": message.client_id,
    });
    beyond::add(Spelling::Snake, &mut told, message);
    told
}

/// As [`message`], of several.
pub(crate) fn messages<'a>(eyes: Eyes<'_>, all: impl IntoIterator<Item = &'a Message>) -> Value {
    all.into_iter().map(|one| message(eyes, one)).collect()
}

/// A conversation as the viewer sees it.
pub(crate) fn conversation(eyes: Eyes<'_>, found: &Conversation) -> Value {
    let mut value = base(eyes, found);
    value.extend(case_keys(found));
    Value::Object(value)
}

fn base(eyes: Eyes<'_>, found: &Conversation) -> Map<String, Value> {
    let room = &found.room;
    let participants: Vec<&str> = found.participants.iter().map(|id| id.as_str()).collect();
    let last = found.last.as_deref().map(|last| message(eyes, last));
    let value = json!({
        "id": room.id.as_str(),
        "participants": participants,
        "title": title(eyes, found),
        "status": if found.is_open() { "ACTIVE" } else { "CLOSED" },
        "created_by": room.creator.as_str(),
        "last_message_at": iso_or_null(found.head.last_at),
        "created_at": iso(room.created_at),
        "updated_at": iso(room.updated_at.max(found.head.changed_at)),
        "kind": rooms::kind(room),
        "unread_count": found.unread_of(eyes.viewer),
        "last_message": last,
    });
    crate::envelope::keys(value)
}

/// What only cases have; empty in other rooms.
fn case_keys(found: &Conversation) -> Map<String, Value> {
    let case = found.case.as_deref();
    let requester = found.requester.as_deref();
    let closed: Option<&(UserId, Time)> = case.and_then(|case| case.closed.as_ref());
    let rooms: Vec<&str> = match case {
        Some(case) if case.queue == Queue::General => vec![case.queue.as_str()],
        Some(case) => vec![Queue::General.as_str(), case.queue.as_str()],
        None => Vec::new(),
    };
    let value = json!({
        "requester_id": case.and_then(|case| case.requester.as_ref()).map(|id| id.as_str()),
        "requester_name": requester.map(User::shown_name),
        "requester_role": case.and_then(|case| case.requester_role.as_deref()),
        "queue": case.map(|case| case.queue.as_str()),
        "room_types": rooms,
        "priority": case.map_or("NORMAL", |case| case.priority.as_str()),
        "closed_at": iso_or_null(closed.map(|(_, at)| *at)),
        "closed_by": closed.map(|(by, _)| by.as_str()),
    });
    crate::envelope::keys(value)
}

fn title(eyes: Eyes<'_>, found: &Conversation) -> String {
    let room = &found.room;
    if !room.is_direct() {
        return room.shown_name().to_owned();
    }
    let others = room.direct.iter().filter(|id| *id != eyes.viewer);
    let names: Vec<String> = others
        .filter_map(|id| eyes.chat().user_at_hand(id))
        .map(|user| user.shown_name().to_owned())
        .collect();
    names.join(", ")
}

/// The first frame of a connection.
pub(crate) fn connected(user: &User) -> Value {
    json!({
        "user_id": user.id.as_str(),
        "user_name": user.shown_name(),
        "roles": user.words(),
        "class": user.class().as_str(),
        "message": "Connected",
    })
}

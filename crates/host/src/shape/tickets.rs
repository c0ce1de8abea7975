//! Tickets and their messages as the ticket contract writes them.

use std::borrow::Cow;

use parlor_core::{
    clock::Time,
    id::UserId,
    message::{FileCard, Message, Said},
    ticket::{Relation, Ticket},
    tickets::SYSTEM_USER,
    user::User,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    host::Host,
    shape::{
        beyond::{self, Beyond, Spelling},
        rooms,
    },
    time::{Iso, iso},
};

/// A ticket's facts.
pub fn ticket(ticket: &Ticket) -> Value {
    let ids = |people: &[UserId]| people.iter().map(|id| id.as_str().into()).collect::<Vec<Value>>();
    json!({
        "id": ticket.id,
        "title": ticket.title,
        "created_by": ticket.created_by.as_str(),
        "assignees": ids(&ticket.assignees),
        "vendor_id": ticket.vendor,
        "verified_by": ids(&ticket.verified_by),
        "category": ticket.category,
        "status": ticket.status,
        "room_id": ticket.room.as_str(),
        "created_at": iso(ticket.created_at),
        "updated_at": iso(ticket.updated_at),
    })
}

/// A message as it is written: straight from the noun, since pages and deliveries are full of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shown<'a> {
    id: &'a str,
    ticket_id: &'a str,
    sender_id: &'a str,
    message: Option<&'a str>,
    attachments: Option<Vec<Value>>,
    message_type: &'static str,
    created_at: Iso,
    updated_at: Iso,
    sender: Sender<'a>,
    seq: i64,
    is_edited: bool,
    is_deleted: bool,
    reply_to_id: Option<&'a str>,
    client_id: Option<&'a str>,
    #[serde(flatten)]
    beyond: Beyond<'a>,
}

#[derive(Debug, Serialize)]
struct Sender<'a> {
    id: &'a str,
    name: Cow<'a, str>,
    role: Cow<'static, str>,
}

/// A message of a ticket; the same for all viewers unless it has files.
pub fn message<'a>(host: &Host, viewer: &UserId, ticket_id: &'a str, message: &'a Message) -> Shown<'a> {
    let gone = message.is_gone();
    let files: Vec<Value> = match gone {
        true => Vec::new(),
        false => message.files().map(|file| attachment(host, viewer, file)).collect(),
    };
    Shown {
        id: message.id.as_str(),
        ticket_id,
        sender_id: message.author.as_str(),
        message: Some(message.text.as_str()).filter(|text| !gone && !text.is_empty()),
        attachments: (!files.is_empty()).then_some(files),
        message_type: message_type(message),
        created_at: Iso(message.at),
        updated_at: Iso(changed_at(message)),
        sender: sender(host, message),
        seq: message.seq,
        is_edited: message.edited.is_some() && !gone,
        is_deleted: gone,
        reply_to_id: rooms::reply_to(message).map(|id| id.as_str()),
        client_id: message.client_id.as_deref(),
        beyond: Beyond { spelling: Spelling::Camel, message },
    }
}

/// The last edit or removal; reactions and pins are none.
fn changed_at(message: &Message) -> Time {
    match &message.edited {
        _ if message.is_gone() => message.updated_at.max(message.at),
        Some(mark) => mark.at,
        None => message.at,
    }
}

/// TEXT, FILE, IMAGE or SYSTEM: what the sender said, else what the files are.
pub fn message_type(message: &Message) -> &'static str {
    if message.is_system() {
        return "SYSTEM";
    }
    let Some(first) = message.files().next().filter(|_| !message.is_gone()) else { return "TEXT" };
    let images = || message.files().all(|file| file.media_type.starts_with("image/"));
    match first.said {
        Some(Said::Text) => "TEXT",
        Some(Said::Image) | None if images() => "IMAGE",
        _ => "FILE",
    }
}

fn sender<'a>(host: &Host, message: &'a Message) -> Sender<'a> {
    let user = host.chat().user_at_hand(&message.author);
    let name = match user.as_deref() {
        Some(user) => Cow::Owned(user.shown_name().to_owned()),
        None => Cow::Borrowed(rooms::sender_name(message)),
    };
    let role = match user.as_deref() {
        _ if message.author.as_str() == SYSTEM_USER => "SYSTEM".into(),
        Some(user) => role(user).into(),
        None => "USER".into(),
    };
    Sender { id: message.author.as_str(), name, role }
}

/// The first of a user's role words.
pub fn role(user: &User) -> String {
    user.words().into_iter().next().unwrap_or_else(|| "USER".to_owned())
}

/// A file, signed for one viewer.
pub fn attachment(host: &Host, viewer: &UserId, file: &FileCard) -> Value {
    let mut told = json!({
        "id": file.upload.as_str(),
        "url": host.file_url(viewer, &file.upload, &file.name).url,
        "filename": file.name,
        "size": file.size,
        "mimeType": file.media_type,
        "kind": rooms::media_class(&file.media_type),
    });
    beyond::add_preview(Spelling::Camel, &mut told, host, viewer, file);
    told
}

/// Somebody in a ticket's room.
pub fn participant(user: &User, relation: Relation, online: bool, in_room: bool) -> Value {
    json!({
        "userId": user.id.as_str(),
        "userName": user.shown_name(),
        "username": user.username,
        "role": role(user),
        "relation": relation.as_str(),
        "online": online,
        "inRoom": in_room,
    })
}

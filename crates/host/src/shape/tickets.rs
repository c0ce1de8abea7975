//! Tickets and their messages as the ticket contract writes them.

use parlor_core::{
    clock::Time,
    id::UserId,
    message::{FileCard, Message},
    ticket::{Relation, Ticket},
    tickets::SYSTEM_USER,
    user::User,
};
use serde_json::{Value, json};

use crate::{
    host::Host,
    shape::{
        beyond::{self, Spelling},
        rooms,
        user::shown_name,
    },
    time::iso,
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

/// A message of a ticket; the same for all viewers unless it has files.
pub fn message(host: &Host, viewer: &UserId, ticket_id: &str, message: &Message) -> Value {
    let gone = message.is_gone();
    let text = Some(&message.text).filter(|text| !gone && !text.is_empty());
    let files: Vec<Value> = match gone {
        true => Vec::new(),
        false => message.files().map(|file| attachment(host, viewer, file)).collect(),
    };
    let mut told = json!({
        "id": message.id.as_str(),
        "ticketId": ticket_id,
        "senderId": message.author.as_str(),
        "message": text,
        "attachments": if files.is_empty() { Value::Null } else { files.into() },
        "messageType": message_type(message),
        "createdAt": iso(message.at),
        "updatedAt": iso(changed_at(message)),
        "sender": sender(host, message),
        "seq": message.seq,
        "isEdited": message.edited.is_some() && !gone,
        "isDeleted": gone,
        "replyToId": rooms::reply_to(message).map(|id| id.as_str()),
        "clientId": message.client_id,
    });
    beyond::add(Spelling::Camel, &mut told, message);
    told
}

/// The last edit or removal; reactions and pins are none.
fn changed_at(message: &Message) -> Time {
    match &message.edited {
        _ if message.is_gone() => message.updated_at.max(message.at),
        Some(mark) => mark.at,
        None => message.at,
    }
}

/// TEXT, FILE, IMAGE or SYSTEM.
pub fn message_type(message: &Message) -> &'static str {
    let mut files = message.files().peekable();
    if message.is_system() {
        "SYSTEM"
    } else if message.is_gone() || files.peek().is_none() {
        "TEXT"
    } else if files.all(|file| file.media_type.starts_with("image/")) {
        "IMAGE"
    } else {
        "FILE"
    }
}

fn sender(host: &Host, message: &Message) -> Value {
    let user = host.chat().user_at_hand(&message.author);
    let name = user.as_deref().map_or_else(|| rooms::sender_name(message), shown_name);
    let role = match user.as_deref() {
        _ if message.author.as_str() == SYSTEM_USER => "SYSTEM".to_owned(),
        Some(user) => role(user),
        None => "USER".to_owned(),
    };
    json!({ "id": message.author.as_str(), "name": name, "role": role })
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
        "userName": shown_name(user),
        "username": user.username,
        "role": role(user),
        "relation": relation.as_str(),
        "online": online,
        "inRoom": in_room,
    })
}

//! Rooms, members, messages and receipts as the rooms contract writes them: for one viewer, from nouns, without looking
//! anything up.

use parlor_core::{
    cards::{Card, Seat},
    clock::Time,
    id::{MessageId, UserId},
    message::{FileCard, Message, Reaction, Said},
    room::{Room, RoomKind},
    rooms_host::AVATAR_FIELD,
    user::User,
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::{
    host::Host,
    shape::beyond::{self, Beyond, Spelling},
    time::{Iso, iso, iso_or_null},
};

/// `direct` or `group`.
pub fn room_type(room: &Room) -> &'static str {
    if is_pair(room) { "direct" } else { "group" }
}

/// What it really is: `direct`, `group`, `channel`, `support`, `ticket`.
pub fn kind(room: &Room) -> &'static str {
    match room.kind {
        RoomKind::Channel => "channel",
        RoomKind::Group => "group",
        RoomKind::Direct => "direct",
        RoomKind::Case => "support",
        RoomKind::Ticket => "ticket",
    }
}

/// A direct room of two, or with oneself.
fn is_pair(room: &Room) -> bool {
    room.is_direct() && room.direct.len() <= 2
}

/// The name that the viewer sees: of a direct room the other side's.
pub fn room_name(card: &Card) -> Option<String> {
    let room = &card.room;
    if !room.is_direct() {
        return Some(room.shown_name().to_owned());
    }
    if let Some(other) = &card.other {
        return Some(other.shown_name().to_owned());
    }
    let seats = card.members.as_deref().unwrap_or_default();
    let others: Vec<&str> =
        seats.iter().filter(|seat| seat.user.id != card.viewer).map(|seat| seat.user.shown_name()).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// The address of a room's picture.
pub fn avatar_url(room: &Room) -> Option<String> {
    let fields: Map<String, Value> = serde_json::from_str(room.custom_fields.as_str()).ok()?;
    fields.get(AVATAR_FIELD)?.as_str().map(str::to_owned)
}

/// A room.
pub fn room(host: &Host, card: &Card) -> Value {
    let room = &card.room;
    let mut value = json!({
        "id": room.id.as_str(),
        "name": room_name(card),
        "room_type": room_type(room),
        "description": if room.description.is_empty() { None } else { Some(&room.description) },
        "avatar_url": avatar_url(room),
        "created_by": room.creator.as_str(),
        "created_at": iso(room.created_at),
        "updated_at": iso(room.updated_at),
        "is_active": !room.archived && room.members > 0,
        "kind": kind(room),
        "member_count": room.members,
        "unread_count": card.unread,
        "last_read_at": iso_or_null(card.membership.as_ref().and_then(|m| m.mark.at)),
        "last_message": card.last.as_ref().map(|last| message(host, &card.viewer, last)),
        "ticket_id": card.ticket,
    });
    if let (Some(object), Some(seats)) = (value.as_object_mut(), &card.members) {
        let members = seats.iter().map(|seat| member(room, seat)).collect();
        object.insert("members".into(), members);
    }
    value
}

/// A member.
pub fn member(room: &Room, seat: &Seat) -> Value {
    let Seat { membership, user } = seat;
    json!({
        "id": member_id(room, &user.id),
        "room_id": room.id.as_str(),
        "user_id": user.id.as_str(),
        "joined_at": iso(membership.joined_at),
        "last_read_at": iso_or_null(membership.mark.at),
        "is_admin": !room.is_direct() && membership.is_room_admin(),
        "is_active": true,
        "is_muted": room.muted.contains(&user.id),
        "user_name": user.shown_name(),
        "username": user.username,
    })
}

/// The id of a user's place in a room: the same for ever, also after leaving and coming back.
pub fn member_id(room: &Room, user: &UserId) -> String {
    derived_id(&["member", &room.id, user])
}

/// A message as it is written: straight from the noun, since pages and deliveries are full of them.
#[derive(Debug, Serialize)]
pub struct Shown<'a> {
    id: &'a str,
    room_id: &'a str,
    sender_id: &'a str,
    message_type: &'static str,
    content: Option<&'a str>,
    media_url: Value,
    media_filename: Value,
    media_size: Value,
    media_mime_type: Value,
    reply_to_id: Option<&'a str>,
    forwarded_from_id: Option<&'a str>,
    is_edited: bool,
    edited_at: Option<Iso>,
    is_deleted: bool,
    deleted_at: Option<Iso>,
    created_at: Iso,
    sender_name: &'a str,
    sender_username: &'a str,
    seq: i64,
    media_id: Value,
    attachments: Vec<Value>,
    metadata: Value,
    client_id: Option<&'a str>,
    #[serde(flatten)]
    beyond: Beyond<'a>,
}

/// A message.
pub fn message<'a>(host: &Host, viewer: &UserId, message: &'a Message) -> Shown<'a> {
    let gone = message.is_gone();
    let attachments: Vec<Value> = if gone { Vec::new() } else { attachments(host, viewer, message) };
    let first = attachments.first();
    let of_first = |key: &str| first.map_or(Value::Null, |file| file[key].clone());
    let content = !gone && (!message.text.is_empty() || first.is_none());
    let edited = message.edited.as_ref().filter(|_| !gone || message.deleted);
    Shown {
        id: message.id.as_str(),
        room_id: message.room.as_str(),
        sender_id: message.author.as_str(),
        message_type: message_type(message),
        content: content.then_some(&message.text),
        media_url: of_first("url"),
        media_filename: of_first("filename"),
        media_size: of_first("size"),
        media_mime_type: of_first("mime_type"),
        reply_to_id: reply_to(message).map(MessageId::as_str),
        forwarded_from_id: message.forwarded_from.as_ref().map(MessageId::as_str),
        is_edited: edited.is_some(),
        edited_at: edited.map(|mark| Iso(mark.at)),
        is_deleted: gone,
        deleted_at: gone.then_some(Iso(message.updated_at)),
        created_at: Iso(message.at),
        sender_name: sender_name(message),
        sender_username: &message.author_username,
        seq: message.seq,
        media_id: of_first("id"),
        metadata: metadata(message),
        client_id: message.client_id.as_deref(),
        beyond: Beyond { spelling: Spelling::Snake, message },
        attachments,
    }
}

/// The name that people see beside a message.
pub fn sender_name(message: &Message) -> &str {
    let alias = message.guise.alias.as_deref().filter(|alias| !alias.is_empty());
    alias.unwrap_or_else(|| message.shown_author())
}

/// What it answers: another message, or the root of its thread.
pub fn reply_to(message: &Message) -> Option<&MessageId> {
    message.reply_to.as_ref().or(message.thread.as_ref())
}

/// `text`, `image`, `video`, `audio`, `file` or `system`: what the sender said, else what the first file is.
pub fn message_type(message: &Message) -> &'static str {
    if message.is_system() {
        return "system";
    }
    match message.files().next() {
        // Texts with files come from contracts that show both at once.
        Some(file) => match file.said.filter(|said| *said != Said::Text) {
            Some(said) => said.as_str(),
            None => media_class(&file.media_type),
        },
        None => "text",
    }
}

/// `image`, `video`, `audio` or `file`.
pub fn media_class(media_type: &str) -> &'static str {
    match media_type.split('/').next() {
        Some("image") => "image",
        Some("video") => "video",
        Some("audio") => "audio",
        _ => "file",
    }
}

/// The files of a message, signed for one viewer.
pub fn attachments(host: &Host, viewer: &UserId, message: &Message) -> Vec<Value> {
    message.files().map(|file| attachment(host, viewer, file)).collect()
}

/// A file, signed for one viewer.
pub fn attachment(host: &Host, viewer: &UserId, file: &FileCard) -> Value {
    let mut told = json!({
        "id": file.upload.as_str(),
        "url": host.file_url(viewer, &file.upload, &file.name).url,
        "filename": file.name,
        "size": file.size,
        "mime_type": file.media_type,
        "kind": media_class(&file.media_type),
    });
    beyond::add_preview(Spelling::Snake, &mut told, host, viewer, file);
    told
}

/// The reactions of a message: each emoji with the ids of those who reacted.
#[derive(Clone, Copy, Debug)]
pub struct Reactions<'a>(pub &'a [Reaction]);

impl Serialize for Reactions<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct One<'a> {
            emoji: &'a str,
            user_ids: Vec<&'a str>,
        }
        to.collect_seq(self.0.iter().map(|reaction| One {
            emoji: &reaction.emoji,
            user_ids: reaction.users.iter().map(|(id, _)| id.as_str()).collect(),
        }))
    }
}

/// What the host sent along, as it was given; gone with the message.
pub fn metadata(message: &Message) -> Value {
    let metadata = message.metadata.as_ref().filter(|_| !message.is_gone());
    let json = metadata.and_then(|json| serde_json::from_str(json.as_str()).ok());
    json.unwrap_or_default()
}

/// Who has read a message, and when.
pub fn receipt(message: &MessageId, user: &User, read_at: Option<Time>) -> Value {
    json!({
        "id": derived_id(&["receipt", message, &user.id]),
        "message_id": message.as_str(),
        "user_id": user.id.as_str(),
        "read_at": iso_or_null(read_at),
    })
}

/// An id that always is the same for the same parts.
pub fn derived_id(parts: &[&str]) -> String {
    let hash = Sha256::digest(parts.join("\n").as_bytes());
    let hex = hex::encode(&hash[..16]);
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

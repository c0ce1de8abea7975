//! A message as the tickets contract writes it.

use parlor_core::{id::UserId, message::Message};
use parlor_host::{
    Host, iso,
    shape::rooms::{message_type, reply_to, sender_name},
};
use serde_json::{Value, json};

/// A message of a ticket, for one viewer.
pub(super) fn message(host: &Host, viewer: &UserId, ticket: &str, message: &Message) -> Value {
    let gone = message.is_gone();
    let files: Vec<Value> = message
        .files()
        .filter(|_| !gone)
        .map(|file| {
            json!({
                "id": file.upload.as_str(), "url": host.file_url(viewer, &file.upload, &file.name).url,
                "filename": file.name, "size": file.size, "mimeType": file.media_type,
            })
        })
        .collect();
    let kind = match message_type(message) {
        "text" => "TEXT",
        "image" => "IMAGE",
        "system" => "SYSTEM",
        _ => "FILE",
    };
    let text = (!gone && !message.text.is_empty()).then_some(&message.text);
    let role = if message.is_system() { "SYSTEM".to_owned() } else { role(host, &message.author) };
    json!({
        "id": message.id.as_str(), "ticketId": ticket, "senderId": message.author.as_str(), "message": text,
        "attachments": if files.is_empty() { Value::Null } else { files.into() }, "messageType": kind,
        "createdAt": iso(message.at), "updatedAt": iso(message.edited.as_ref().map_or(message.at, |mark| mark.at)),
        "sender": { "id": message.author.as_str(), "name": sender_name(message), "role": role },
        "seq": message.seq, "isEdited": message.edited.is_some() && !gone, "isDeleted": gone,
        "replyToId": reply_to(message).map(|id| id.as_str()), "clientId": message.client_id,
    })
}

/// The first of somebody's role words.
fn role(host: &Host, user: &UserId) -> String {
    let user = host.chat().user_at_hand(user);
    user.and_then(|user| user.words().into_iter().next()).unwrap_or_else(|| "USER".to_owned())
}

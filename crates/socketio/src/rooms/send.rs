//! A message of the rooms contract as the core takes it.

use parlor_core::{id::MessageId, messages::Draft};
use parlor_host::{Fields, Problem, Text};
use serde_json::{Map, Value};

use super::{message_id, room_id};

/// Reads a message.
pub(super) fn draft(payload: &Map<String, Value>) -> Result<Draft, Problem> {
    let mut fields = Fields::new(payload);
    let room = fields.need_text("room_id", Text::ID);
    let content = fields.text("content", Text::MESSAGE);
    let kind = fields.text("message_type", Text::ID).unwrap_or_else(|| "text".into()).to_lowercase();
    let (reply_to, forwarded) =
        (fields.text("reply_to_id", Text::ID), fields.text("forwarded_from_id", Text::ID));
    let (metadata, client_id) = (fields.object("metadata"), fields.client_id(&["client_id"]));
    if kind != "text" {
        fields.fault("message_type", "must be text");
    } else if content.is_none() && forwarded.is_none() && fields.value("content").is_none() {
        fields.missing("content");
    }
    fields.done()?;
    let id = |text: Option<String>| text.map(|text| message_id(&text)).transpose();
    let (reply_to, forwarded_from): (Option<MessageId>, Option<MessageId>) = (id(reply_to)?, id(forwarded)?);
    Ok(Draft {
        reply_to,
        forwarded_from,
        metadata,
        client_id,
        from_host: true,
        ..Draft::text(room_id(&room)?, content.unwrap_or_default())
    })
}

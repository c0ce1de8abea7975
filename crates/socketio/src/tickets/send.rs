//! A message of the tickets contract as the core takes it.

use parlor_core::{id::MessageId, message::FileCard, messages::Draft, session::Actor, ticket::Ticket};
use parlor_host::{Fields, Host, Problem, Text, attached};
use serde_json::{Map, Value};

/// Reads a message for this ticket.
pub(super) async fn draft(
    host: &Host,
    actor: &Actor,
    ticket: &Ticket,
    payload: &Map<String, Value>,
) -> Result<Draft, Problem> {
    let mut fields = Fields::new(payload);
    let text = fields.text("message", Text::MESSAGE);
    let kind = fields.text("messageType", Text::ID).map(|kind| kind.to_uppercase());
    let reply_to = fields.text("replyToId", Text::ID);
    let client_id = fields.client_id(&["clientId", "client_id"]);
    let files = attached::asked(&mut fields, "attachments");
    check(&mut fields, kind.as_deref(), text.is_some(), files.len());
    fields.done()?;
    let files = attached::cards(host, actor, Some(&ticket.room), &files).await?;
    let images = files.iter().all(|file: &FileCard| file.media_type.starts_with("image/"));
    if kind.as_deref() == Some("IMAGE") && !images {
        return Err(Problem::invalid("messageType", "IMAGE takes images only"));
    }
    let reply_to = reply_to.map(|id| MessageId::parse(&id).ok_or_else(|| Problem::not_found("Message")));
    Ok(Draft {
        reply_to: reply_to.transpose()?,
        client_id,
        files,
        from_host: true,
        ..Draft::text(ticket.room.clone(), text.unwrap_or_default())
    })
}

/// What a message of each kind needs.
fn check(fields: &mut Fields<'_>, kind: Option<&str>, has_text: bool, files: usize) {
    match kind {
        Some("FILE" | "IMAGE") if files == 0 && fields.value("attachments").is_none() => {
            fields.missing("attachments");
        }
        Some("FILE" | "IMAGE") => {}
        Some("TEXT") if !has_text && fields.value("message").is_none() => fields.missing("message"),
        None if !has_text && files == 0 && fields.value("message").is_none() => fields.missing("message"),
        None | Some("TEXT") => {}
        Some(_) => fields.fault("messageType", "must be TEXT, FILE or IMAGE"),
    }
}

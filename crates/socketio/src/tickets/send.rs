//! A message of the tickets contract as the core takes it.

use parlor_core::{id::MessageId, messages::Draft, ticket::Ticket};
use parlor_host::{Fields, Problem, Text};
use serde_json::{Map, Value};

/// Reads a message for this ticket.
pub(super) fn draft(ticket: &Ticket, payload: &Map<String, Value>) -> Result<Draft, Problem> {
    let mut fields = Fields::new(payload);
    let text = fields.text("message", Text::MESSAGE);
    let kind = fields.text("messageType", Text::ID).unwrap_or_else(|| "TEXT".into()).to_uppercase();
    let reply_to = fields.text("replyToId", Text::ID);
    let client_id = fields.client_id(&["clientId", "client_id"]);
    if kind != "TEXT" {
        fields.fault("messageType", "must be TEXT");
    } else if fields.value("message").is_none() {
        fields.missing("message");
    }
    fields.done()?;
    let reply_to = reply_to.map(|id| MessageId::parse(&id).ok_or_else(|| Problem::not_found("Message")));
    Ok(Draft {
        reply_to: reply_to.transpose()?,
        client_id,
        from_host: true,
        ..Draft::text(ticket.room.clone(), text.unwrap_or_default())
    })
}

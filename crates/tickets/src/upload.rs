//! Uploading a file for a later message.

use parlor_host::{Answer, Call, Problem, answer, iso, uploads};
use serde_json::json;

use crate::refused;

pub(crate) async fn upload(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let chat = call.host.chat().clone();
    let (ticket, _) = chat.ticket(&actor, call.path("ticketId")).await.map_err(refused)?;
    let upload = uploads::receive(&mut call, &actor, Some(&ticket.room)).await.map_err(as_ticket)?;
    let signed = call.host.file_url(&actor.user, &upload.id, &upload.name);
    let attachment = json!({
        "id": upload.id.as_str(), "url": signed.url, "filename": upload.name, "size": upload.size,
        "mimeType": upload.media_type, "expiresAt": iso(signed.expires_at),
    });
    answer(201, &json!({ "success": true, "attachment": attachment }))
}

/// In this contract a room that is not there is a ticket that is not there.
fn as_ticket(problem: Problem) -> Problem {
    if problem.code == "not_found" { Problem::not_found("Ticket") } else { problem }
}

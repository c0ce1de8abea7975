//! Uploading a file for a later message.

use std::path::PathBuf;

use axum::http::header;
use parlor_core::{error::Refusal, id::RoomId, session::Actor, store::Upload, uploads::Arrived};
use parlor_host::{
    Answer, Call, Problem, answer,
    body::{Field, Form},
    iso,
    uploads::unread,
};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::refused;

/// Bytes of a form around its file.
const AROUND: u64 = 1024 * 1024;
/// Fields beside the file.
const FIELDS: usize = 20;

/// A temporary file that goes with its request unless it is stored.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // It may be gone already; whatever stays is swept later.
            let _ = std::fs::remove_file(path);
        }
    }
}

pub(crate) async fn upload(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let chat = call.host.chat().clone();
    let (ticket, _) = chat.ticket(&actor, call.path("ticketId")).await.map_err(refused)?;
    let upload = receive(&mut call, &actor, &ticket.room).await?;
    let signed = call.host.file_url(&actor.user, &upload.id, &upload.name);
    let attachment = json!({
        "id": upload.id.as_str(), "url": signed.url, "filename": upload.name, "size": upload.size,
        "mimeType": upload.media_type, "expiresAt": iso(signed.expires_at),
    });
    answer(201, &json!({ "success": true, "attachment": attachment }))
}

async fn receive(call: &mut Call, actor: &Actor, room: &RoomId) -> Result<Upload, Problem> {
    let (_, limit) = call.host.chat().may_upload(actor, room).await.map_err(refused)?;
    let announced = call.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let announced = announced.and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|size| size > limit.saturating_add(AROUND)) {
        return Err(too_large(limit));
    }
    let no_form = |_| Problem::invalid("file", "must come in a multipart form");
    let body = call.take_body();
    let mut form = Form::of(&call.headers, body).await.map_err(no_form)?;
    for _ in 0..FIELDS {
        let Some(mut field) = form.next().await.map_err(unread)? else { break };
        if field.name() == "file" && field.file_name().is_some() {
            return take(call, actor, room, &mut field, limit).await;
        }
    }
    Err(Problem::invalid("file", "is required"))
}

async fn take(
    call: &Call,
    actor: &Actor,
    room: &RoomId,
    field: &mut Field<'_>,
    limit: u64,
) -> Result<Upload, Problem> {
    let chat = call.host.chat();
    let name = field.file_name().unwrap_or_default().to_owned();
    let path = chat.temporary_file().map_err(refused)?;
    let mut temporary = Temporary(Some(path.clone()));
    let full = |_| Problem::from(Refusal::Unavailable);
    let mut file = tokio::fs::File::create(&path).await.map_err(full)?;
    let (mut size, mut hash) = (0, Sha256::new());
    while let Some(chunk) = field.piece().await.map_err(unread)? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    let arrived = Arrived { path, name, size, sha256: hash.finalize().into() };
    let upload = chat.store_upload(actor, room, arrived).await.map_err(|refusal| match refusal {
        Refusal::Invalid { field: "file-type", .. } => not_taken(),
        Refusal::Invalid { field: "file", .. } => Problem::invalid("file", "must not be empty"),
        other => refused(other),
    })?;
    temporary.0 = None;
    // What the workspace takes elsewhere may still be too much here; it ends by itself after a day.
    let types = &call.host.options().upload_types;
    if types.contains(&upload.media_type) { Ok(upload) } else { Err(not_taken()) }
}

fn too_large(limit: u64) -> Problem {
    Problem::too_large(&format!("A file may have {limit} bytes"))
}

fn not_taken() -> Problem {
    Problem::unsupported_type("Files of this type are not taken")
}

//! Files as they come in: to disk as they arrive, cut off above the limit, known by their bytes.

use std::path::PathBuf;

use axum::{body::Body, http::header};
use parlor_core::{
    chat::Chat,
    error::Refusal,
    id::{RoomId, UploadId},
    session::Actor,
    store::Upload,
    uploads::Arrived,
};
use parlor_live::body::{Form, Unread};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::{call::Call, problem::Problem};

/// Bytes of a form around its file.
const AROUND: u64 = 1024 * 1024;
/// Fields of a form that are looked at.
const FIELDS: usize = 20;
/// Longest `room_id` in a form, in bytes.
const LONGEST_ROOM: usize = 1024;

/// A file on its way, removed unless it is stored.
struct Temporary(Option<PathBuf>);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // It may be gone already; whatever stays is swept later.
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Temporary {
    /// It was stored.
    fn keep(mut self) {
        self.0 = None;
    }
}

/// A refusal about an upload.
pub fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Invalid { field: "file-type", .. } => unsupported(),
        Refusal::Invalid { field: "file-infected" | "file-scan", problem } => {
            Problem::invalid("file", problem)
        }
        Refusal::Invalid { field: "file", .. } => Problem::invalid("file", "must not be empty"),
        other => other.into(),
    }
}

fn unsupported() -> Problem {
    Problem::unsupported_type("Files of this type are not taken")
}

fn too_large(limit: u64) -> Problem {
    refused(Refusal::TooLarge { what: "file", limit })
}

/// Why a form could not be read.
#[must_use]
pub fn unread(why: Unread) -> Problem {
    match why {
        Unread::Late => Problem::new(408, "timeout", "The form did not come in time"),
        Unread::TooLarge | Unread::Broken => Problem::invalid("file", "the form is broken off"),
    }
}

/// Receives the file of a form, for this room, or for the one that the form names, or for none yet.
///
/// # Errors
/// 404 for the room, 413, 415, `validation_failed`.
pub async fn receive(call: &mut Call, actor: &Actor, into: Option<&RoomId>) -> Result<Upload, Problem> {
    let chat = call.host.chat().clone();
    let limit = chat.upload_limit(actor, into).await.map_err(refused)?;
    check_announced(call, limit.saturating_add(AROUND), limit)?;
    let no_form = |_| Problem::invalid("file", "must come in a multipart form");
    let body = call.take_body();
    let mut form = Form::of(&call.headers, body).await.map_err(no_form)?;
    let (mut room, mut arrived, mut temporary) = (None, None, Temporary(None));
    for _ in 0..FIELDS {
        let Some(mut field) = form.next().await.map_err(unread)? else { break };
        match field.name() {
            "file" if field.file_name().is_some() && arrived.is_none() => {
                let name = field.file_name().unwrap_or_default().to_owned();
                let mut writing = Writing::begin(&chat, limit).await?;
                while let Some(chunk) = field.piece().await.map_err(unread)? {
                    writing.take(&chunk).await?;
                }
                let (file, half) = writing.end(name).await?;
                (arrived, temporary) = (Some(file), half);
            }
            "room_id" if into.is_none() => {
                let long = |_| Problem::not_found("Room");
                let text = field.whole(LONGEST_ROOM).await.map_err(long)?;
                room = Some(room_of(&text)?);
            }
            _ => {}
        }
    }
    let arrived = arrived.ok_or_else(|| Problem::invalid("file", "is required"))?;
    let types = &call.host.options().upload_types;
    let room = into.or(room.as_ref());
    let stored = chat.store_host_upload(actor, room, arrived, types).await.map_err(refused)?;
    temporary.keep();
    Ok(stored)
}

fn room_of(text: &[u8]) -> Result<RoomId, Problem> {
    std::str::from_utf8(text).ok().and_then(RoomId::parse).ok_or_else(|| Problem::not_found("Room"))
}

/// Receives the bytes of an announced upload, at most `size`.
///
/// # Errors
/// 409 when they came before, 413, 415, `validation_failed`.
pub async fn receive_announced(
    call: &mut Call,
    actor: &Actor,
    id: &UploadId,
    name: &str,
    size: u64,
) -> Result<Upload, Problem> {
    use futures_util::StreamExt as _;
    let chat = call.host.chat().clone();
    check_announced(call, size, size)?;
    let mut writing = Writing::begin(&chat, size).await?;
    let mut chunks = Body::into_data_stream(call.take_body());
    while let Some(chunk) = chunks.next().await {
        writing.take(&chunk.map_err(|_| Problem::invalid("body", "is broken off"))?).await?;
    }
    let (arrived, temporary) = writing.end(name.to_owned()).await?;
    let types = &call.host.options().upload_types;
    let stored = chat.store_announced(actor, id, arrived, types).await.map_err(refused)?;
    let stored = stored.ok_or_else(|| Problem::new(409, "name_taken", "This file was uploaded before"))?;
    temporary.keep();
    Ok(stored)
}

fn check_announced(call: &Call, most: u64, limit: u64) -> Result<(), Problem> {
    let announced = call.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    match announced.and_then(|text| text.parse::<u64>().ok()) {
        Some(size) if size > most => Err(too_large(limit)),
        _ => Ok(()),
    }
}

/// A file that is being written.
struct Writing {
    file: tokio::fs::File,
    path: PathBuf,
    half: Temporary,
    size: u64,
    limit: u64,
    hash: Sha256,
}

impl Writing {
    async fn begin(chat: &Chat, limit: u64) -> Result<Self, Problem> {
        let path = chat.temporary_file()?;
        let half = Temporary(Some(path.clone()));
        let file = tokio::fs::File::create(&path).await.map_err(|_| Refusal::Unavailable)?;
        Ok(Self { file, path, half, size: 0, limit, hash: Sha256::new() })
    }

    async fn take(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        self.size += chunk.len() as u64;
        if self.size > self.limit {
            return Err(too_large(self.limit));
        }
        self.hash.update(chunk);
        self.file.write_all(chunk).await.map_err(|_| Refusal::Unavailable)?;
        Ok(())
    }

    async fn end(mut self, name: String) -> Result<(Arrived, Temporary), Problem> {
        self.file.flush().await.map_err(|_| Refusal::Unavailable)?;
        let sha256 = self.hash.finalize().into();
        Ok((Arrived { path: self.path, name, size: self.size, sha256 }, self.half))
    }
}

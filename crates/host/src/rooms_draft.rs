//! A message of the rooms contract as the core takes it: the same for REST and sockets.

use parlor_core::{
    error::Refusal,
    id::{MessageId, RoomId},
    message::FileCard,
    messages::Draft,
    session::Actor,
};
use serde_json::{Map, Value};

use crate::{
    attached,
    fields::{Fields, Text},
    host::Host,
    problem::Problem,
    shape::rooms::media_class,
};

/// The kinds of messages that show a file.
const MEDIA: [&str; 4] = ["image", "video", "audio", "file"];

/// A room's id as a client writes it.
///
/// # Errors
/// `not_found` for what can be none.
pub fn room_id(text: &str) -> Result<RoomId, Problem> {
    RoomId::parse(text).ok_or_else(|| Problem::not_found("Room"))
}

/// A message's id as a client writes it.
///
/// # Errors
/// `not_found` for what can be none.
pub fn message_id(text: &str) -> Result<MessageId, Problem> {
    MessageId::parse(text).ok_or_else(|| Problem::not_found("Message"))
}

/// Reads a message that is to be sent.
///
/// # Errors
/// `validation_failed`, `not_found` for ids that can be none and uploads that may not be used.
pub async fn read(host: &Host, actor: &Actor, payload: &Map<String, Value>) -> Result<Draft, Problem> {
    let mut fields = Fields::new(payload);
    let room = fields.need_text("room_id", Text::ID);
    let content = fields.text("content", Text::MESSAGE);
    let kind = fields.text("message_type", Text::ID).map(|kind| kind.to_lowercase());
    let reply_to = fields.text("reply_to_id", Text::ID);
    let thread = fields.text("thread_id", Text::ID);
    let forwarded = fields.text("forwarded_from_id", Text::ID);
    let (metadata, client_id) = (fields.object("metadata"), fields.client_id(&["client_id"]));
    let kind = kind.unwrap_or_else(|| "text".into());
    let file = file_asked(&mut fields, &kind);
    let name = fields.text("media_filename", Text::new(1, 255));
    if kind == "text" && forwarded.is_none() && fields.value("content").is_none() {
        fields.missing("content");
    }
    fields.done()?;
    let id = |text: Option<String>| text.map(|text| message_id(&text)).transpose();
    let (reply_to, thread, forwarded_from) = (id(reply_to)?, id(thread)?, id(forwarded)?);
    let room = room_id(&room)?;
    let ids: Vec<String> = file.into_iter().collect();
    let mut files = attached::cards(host, actor, Some(&room), &ids).await?;
    if let Some(file) = files.first_mut() {
        check_kind(file, &kind)?;
        file.name = name.unwrap_or_else(|| file.name.clone());
    }
    Ok(Draft {
        reply_to,
        thread,
        forwarded_from,
        metadata,
        client_id,
        files,
        from_host: true,
        ..Draft::text(room, content.unwrap_or_default())
    })
}

/// A refusal about a message's text, with the name that this contract gives it.
pub fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::TooLarge { what: "message", limit } => {
            Problem::invalid("content", format!("must have at most {limit} characters"))
        }
        Refusal::Invalid { field: "text" | "message", problem } => Problem::invalid("content", problem),
        other => other.into(),
    }
}

/// The upload that a message of this kind names.
fn file_asked(fields: &mut Fields<'_>, kind: &str) -> Option<String> {
    let id = fields.text("media_id", Text::ID);
    let url = fields.text("media_url", Text::MESSAGE);
    // These two are only looked at for their type: what is stored counts.
    fields.integer("media_size", 0..=i64::MAX);
    fields.text("media_mime_type", Text::ID);
    if kind == "text" {
        return None;
    }
    if !MEDIA.contains(&kind) {
        fields.fault("message_type", "must be text, image, video, audio or file");
        return None;
    }
    let named = id.or_else(|| url.map(|url| attached::id_in(&url).unwrap_or_default().to_owned()));
    if named.is_none() && fields.value("forwarded_from_id").is_none() {
        fields.missing("media_url");
    }
    named
}

fn check_kind(file: &FileCard, kind: &str) -> Result<(), Problem> {
    let class = media_class(&file.media_type);
    let fits = match kind {
        "image" => class == "image",
        "video" | "audio" => matches!(class, "video" | "audio"),
        _ => true,
    };
    if fits { Ok(()) } else { Err(Problem::invalid("message_type", "does not fit the file")) }
}

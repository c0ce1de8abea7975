//! A message of the rooms contract as the core takes it: the same for REST and sockets.

use parlor_core::{
    error::Refusal,
    id::{MessageId, RoomId},
    message::{FileCard, Said},
    messages::Draft,
    session::Actor,
    uploads::clean_name,
};
use serde_json::{Map, Value};

use crate::{
    attached,
    fields::{Fields, Text},
    host::Host,
    problem::Problem,
    shape::rooms::media_class,
};

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
    let kind = said(&mut fields);
    let reply_to = fields.text("reply_to_id", Text::ID);
    let thread = fields.text("thread_id", Text::ID);
    let forwarded = fields.text("forwarded_from_id", Text::ID);
    let (metadata, client_id) = (fields.object("metadata"), fields.client_id(&["client_id"]));
    let file = file_asked(&mut fields, kind);
    let name = fields.text("media_filename", Text::new(1, 255));
    if kind == Said::Text && forwarded.is_none() && fields.value("content").is_none() {
        fields.missing("content");
    }
    fields.done()?;
    let id = |text: Option<String>| text.map(|text| message_id(&text)).transpose();
    let (reply_to, thread, forwarded_from) = (id(reply_to)?, id(thread)?, id(forwarded)?);
    let room = room_id(&room)?;
    let ids: Vec<String> = file.into_iter().collect();
    let mut files = attached::cards(host, actor, Some(&room), client_id.as_deref(), &ids).await?;
    if let Some(file) = files.first_mut() {
        check_kind(file, kind)?;
        file.said = Some(kind);
        file.name = name.map_or_else(|| file.name.clone(), |name| clean_name(&name));
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

/// What the message says that it is; a text unless it says so.
fn said(fields: &mut Fields<'_>) -> Said {
    let Some(word) = fields.text("message_type", Text::ID) else { return Said::Text };
    Said::parse(&word).unwrap_or_else(|| {
        fields.fault("message_type", "must be text, image, video, audio or file");
        Said::Text
    })
}

/// The upload that a message of this kind names.
fn file_asked(fields: &mut Fields<'_>, kind: Said) -> Option<String> {
    let id = fields.text("media_id", Text::ID);
    let url = fields.text("media_url", Text::MESSAGE);
    // These two are only looked at for their type: what is stored counts.
    fields.integer("media_size", 0..=i64::MAX);
    fields.text("media_mime_type", Text::ID);
    if kind == Said::Text {
        return None;
    }
    let named = id.or_else(|| url.map(|url| attached::id_in(&url).unwrap_or_default().to_owned()));
    if named.is_none() && fields.value("forwarded_from_id").is_none() {
        fields.missing("media_url");
    }
    named
}

fn check_kind(file: &FileCard, kind: Said) -> Result<(), Problem> {
    let class = media_class(&file.media_type);
    let fits = match kind {
        Said::Image => class == "image",
        Said::Video | Said::Audio => matches!(class, "video" | "audio"),
        Said::Text | Said::File => true,
    };
    if fits { Ok(()) } else { Err(Problem::invalid("message_type", "does not fit the file")) }
}

//! Pages of a room's messages, by cursor, by message id or by page.

use std::sync::Arc;

use parlor_core::{
    error::Refusal,
    id::{MessageId, RoomId},
    message::Message,
    messages_host::{Messages, Part},
    session::Actor,
};
use serde_json::Value;

use crate::{
    host::Host,
    page::{Cursor, PageAsked, Seek},
    problem::Problem,
};

/// The kind of cursors of lists of messages.
const CURSOR: char = 'm';

/// A page of a room's messages, oldest first, and its `pagination`.
///
/// # Errors
/// `not_found` for a room that the actor may not read, `bad_cursor`.
pub async fn messages(
    host: &Host,
    actor: &Actor,
    room: &RoomId,
    asked: &PageAsked,
) -> Result<(Vec<Arc<Message>>, Value), Problem> {
    let part = part(host, actor, room, asked).await?;
    let found = host.chat().host_messages(actor, room, part, asked.limit).await?;
    let pagination = pagination(asked, part, &found);
    Ok((found.messages, pagination))
}

/// The `pagination` of a page of messages.
pub fn pagination(asked: &PageAsked, part: Part, found: &Messages) -> Value {
    let edge = match part {
        Part::After(_) => found.messages.last(),
        _ => found.messages.first(),
    };
    let next = edge.filter(|_| found.more).map(|message| Cursor::make(CURSOR, &message.seq.to_string()));
    asked.told(found.more, next, Some(found.total))
}

/// Where a page of messages begins.
///
/// # Errors
/// As [`messages`].
pub async fn part(host: &Host, actor: &Actor, room: &RoomId, asked: &PageAsked) -> Result<Part, Problem> {
    Ok(match &asked.seek {
        Seek::Start => Part::Newest,
        Seek::Before(place) => Part::Before(seq(host, actor, room, place).await?),
        Seek::After(place) => Part::After(seq(host, actor, room, place).await?),
        Seek::Page(_) | Seek::Skip(_) => Part::Skip(asked.offset().unwrap_or_default()),
    })
}

/// The place that a cursor or the id of one of the room's messages names. A room that can't be read is told first, so
/// that a cursor tells nothing about it.
async fn seq(host: &Host, actor: &Actor, room: &RoomId, place: &str) -> Result<i64, Problem> {
    let chat = host.chat();
    chat.find_room(actor, parlor_core::rooms::RoomRef::Id(room)).await?;
    if let Some(seq) = Cursor::read(CURSOR, place).and_then(|text| text.parse().ok()) {
        return Ok(seq);
    }
    let id = MessageId::parse(place).ok_or_else(Problem::bad_cursor)?;
    match chat.host_message(actor, &id).await {
        Ok((_, message)) if message.room == *room => Ok(message.seq),
        Ok(_) | Err(Refusal::NotFound(_)) => Err(Problem::bad_cursor()),
        Err(refusal) => Err(refusal.into()),
    }
}

//! Messages: sent, listed, edited, removed, read.

use parlor_core::error::Refusal;
use parlor_host::{
    Answer, Call, Cursor, Fields, PageAsked, Problem, Seek, Text, answer, history,
    page::Habit,
    rooms_draft::{self, message_id, refused},
    shape::rooms as shape,
    time::iso_or_null,
};
use serde_json::{Value, json};

use crate::{message_of, room_of};

/// Messages that one call may mark as read.
const MOST_NAMED: usize = 100;
/// The kind of cursors of lists of receipts.
const RECEIPTS: char = 'c';

/// `POST /api/chat/messages`.
pub(crate) async fn send(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let body = call.object().await?;
    let draft = rooms_draft::read(&call.host, &actor, &body).await?;
    let sent = call.host.chat().post(&actor, draft).await.map_err(refused)?;
    let value = shape::message(&call.host, &call.admitted()?.user.id, &sent.message);
    answer(if sent.duplicate { 200 } else { 201 }, &value)
}

/// `GET /api/chat/rooms/{room_id}/messages`.
pub(crate) async fn list(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    call.host.chat().find_room(&actor, parlor_core::rooms::RoomRef::Id(&room)).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Pages)?;
    let (found, pagination) = history::messages(&call.host, &actor, &room, &asked).await?;
    let viewer = &call.admitted()?.user.id;
    let messages: Vec<_> = found.iter().map(|m| shape::message(&call.host, viewer, m)).collect();
    answer(200, &json!({ "messages": messages, "pagination": pagination }))
}

/// `GET /api/chat/messages/{message_id}`.
pub(crate) async fn one(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let (_, message) = call.host.chat().host_message(&actor, &message_of(&call)?).await?;
    answer(200, &shape::message(&call.host, &call.admitted()?.user.id, &message))
}

/// `PATCH /api/chat/messages/{message_id}`.
pub(crate) async fn edit(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let id = message_of(&call)?;
    let body = call.object().await?;
    let chat = call.host.chat().clone();
    chat.host_message(&actor, &id).await?;
    let mut fields = Fields::new(&body);
    let content = fields.need_text("content", Text::MESSAGE);
    fields.done()?;
    let (message, _) = chat.edit_own(&actor, &id, &content).await.map_err(not_yours)?;
    answer(200, &shape::message(&call.host, &call.admitted()?.user.id, &message))
}

/// `DELETE /api/chat/messages/{message_id}`.
pub(crate) async fn remove(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let (left, _) = call.host.chat().remove_own(&actor, &message_of(&call)?).await.map_err(not_yours)?;
    let message = shape::message(&call.host, &call.admitted()?.user.id, &left);
    answer(200, &json!({ "success": true, "message": message }))
}

fn not_yours(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotAllowed(_) => Problem::forbidden("This is another's message"),
        other => refused(other),
    }
}

/// `POST /api/chat/rooms/{room_id}/read`.
pub(crate) async fn read(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    let body = call.object_if_any().await?;
    call.host.chat().find_room(&actor, parlor_core::rooms::RoomRef::Id(&room)).await?;
    let mut fields = Fields::new(&body);
    let named = fields.texts("message_ids", MOST_NAMED);
    fields.done()?;
    let named =
        named.map(|ids| ids.iter().map(|id| message_id(id)).collect::<Result<Vec<_>, _>>()).transpose()?;
    let read = call.host.chat().read_named(&actor, &room, named).await?;
    let ids: Vec<&str> = read.named.iter().map(|id| id.as_str()).collect();
    answer(
        200,
        &json!({
            "success": true,
            "room_id": room.as_str(),
            "message_ids": ids,
            "last_read_at": iso_or_null(read.mark),
            "unread_count": read.unread,
        }),
    )
}

/// `GET /api/chat/messages/{message_id}/receipts`.
pub(crate) async fn receipts(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let (message, all) = call.host.chat().host_receipts(&actor, &message_of(&call)?).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Pages)?;
    let place = |cursor: &str| {
        let text = Cursor::read(RECEIPTS, cursor).ok_or_else(Problem::bad_cursor)?;
        text.parse::<usize>().map_err(|_| Problem::bad_cursor())
    };
    let skip = match &asked.seek {
        Seek::Before(cursor) | Seek::After(cursor) => place(cursor)?,
        _ => usize::try_from(asked.offset().unwrap_or_default()).unwrap_or(usize::MAX),
    };
    let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let page = all.iter().skip(skip).take(limit);
    let receipts: Vec<Value> =
        page.map(|(user, receipt)| shape::receipt(&message.id, user, Some(receipt.at))).collect();
    let more = all.len() > skip.saturating_add(limit);
    let next = Cursor::make(RECEIPTS, &skip.saturating_add(limit).to_string());
    let pagination = asked.told(more, Some(next), Some(all.len() as u64));
    answer(200, &json!({ "receipts": receipts, "pagination": pagination }))
}

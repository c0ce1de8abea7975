//! What the contract adds: reactions, search, presence, export.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, header},
    response::Response,
};
use parlor_core::{
    chat::Chat, id::RoomId, message::Message, messages_host::Part, session::Actor, store::MessageFilter,
    user::Status,
};
use parlor_host::{
    Answer, Call, Fields, Host, PageAsked, Problem, Text, answer, page::Habit, rooms_draft, search,
    shape::rooms as shape,
};
use serde_json::{Value, json};

use crate::{message_of, room_of, rooms::refused};

/// The kind of cursors of these lists.
const CURSOR: char = 's';
/// Messages of an export that are read at once.
const PIECE: u64 = 200;

/// `POST /api/chat/messages/{message_id}/reactions`.
pub(crate) async fn react(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let id = message_of(&call)?;
    let body = call.object().await?;
    call.host.chat().host_message(&actor, &id).await?;
    let mut fields = Fields::new(&body);
    let emoji = fields.need_text("emoji", Text::new(1, 100));
    fields.done()?;
    let message = call.host.chat().react(&actor, &id, &emoji, Some(true)).await?;
    told(&message)
}

/// `DELETE /api/chat/messages/{message_id}/reactions/{emoji}`.
pub(crate) async fn unreact(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let id = message_of(&call)?;
    let message = call.host.chat().react(&actor, &id, call.path("emoji"), Some(false)).await?;
    told(&message)
}

fn told(message: &Message) -> Answer {
    answer(
        200,
        &json!({ "message_id": message.id.as_str(), "reactions": shape::Reactions(&message.reactions) }),
    )
}

/// `POST /api/chat/messages/{message_id}/pin`.
pub(crate) async fn pin(call: Call) -> Answer {
    let actor = call.user()?.clone();
    shown(&call, &*call.host.chat().pin(&actor, &message_of(&call)?).await?)
}

/// `DELETE /api/chat/messages/{message_id}/pin`.
pub(crate) async fn unpin(call: Call) -> Answer {
    let actor = call.user()?.clone();
    shown(&call, &*call.host.chat().unpin(&actor, &message_of(&call)?).await?)
}

fn shown(call: &Call, message: &Message) -> Answer {
    answer(200, &shape::message(&call.host, &call.admitted()?.user.id, message))
}

/// `GET /api/chat/rooms/{room_id}/pinned`: the latest first.
pub(crate) async fn pinned(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    call.host.chat().card(&actor, &room).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let filter = MessageFilter { pinned: true, ..MessageFilter::default() };
    let found = call.host.chat().list_messages(&actor, &room, filter, counted.page()).await?;
    listed(&call, &found.items, &counted.told(found.items.len(), found.total))
}

/// `GET /api/chat/messages/{message_id}/thread`: the replies, oldest first, and the message that they hang on.
pub(crate) async fn thread(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let root = message_of(&call)?;
    let (_, found) = call.host.chat().thread_messages(&actor, &root, false, counted.page()).await?;
    listed(&call, &found.items, &counted.told(found.items.len(), found.total))
}

fn listed(call: &Call, messages: &[Message], pagination: &Value) -> Answer {
    let viewer = &call.admitted()?.user.id;
    let messages: Vec<_> = messages.iter().map(|m| shape::message(&call.host, viewer, m)).collect();
    answer(200, &json!({ "messages": messages, "pagination": pagination }))
}

/// `GET /api/chat/search`.
pub(crate) async fn search(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let text = search::wanted(&call.query)?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let room: Option<RoomId> = call.query.get("room_id").map(rooms_draft::room_id).transpose()?;
    let (found, pagination) = search::found(call.host.chat(), &actor, room.as_ref(), text, &counted).await?;
    listed(&call, &found, &pagination)
}

/// `GET /api/chat/rooms/{room_id}/presence`.
pub(crate) async fn presence(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let chat = call.host.chat();
    let card = chat.card(&actor, &room_of(&call)?).await?;
    let seats = card.members.as_deref().unwrap_or_default();
    let online: Vec<&str> = seats
        .iter()
        .filter(|seat| chat.status_of(&seat.user.id) != Status::Offline)
        .map(|seat| seat.user.id.as_str())
        .collect();
    let here = chat.users_live_in(&card.room.id);
    let here: Vec<&str> = here.iter().map(|id| id.as_str()).collect();
    answer(
        200,
        &json!({ "room_id": card.room.id.as_str(), "online_user_ids": online, "in_room_user_ids": here }),
    )
}

/// `GET /api/chat/rooms/{room_id}/export`: one message a line, oldest first.
pub(crate) async fn export(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let format = call.query.get("format").unwrap_or("json");
    let chat = call.host.chat();
    let room = chat.may_export(&actor, &room_of(&call)?).await.map_err(refused)?;
    if format != "json" {
        return Err(Problem::invalid_query("format", "must be json"));
    }
    let lines = lines(call.host.clone(), chat.clone(), actor, room.id.clone());
    let mut response = Response::new(lines);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(value) = HeaderValue::try_from(format!("attachment; filename=\"room-{}.jsonl\"", room.id)) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}

/// Piece by piece, each read by itself: a long room holds nothing up. Access is judged anew for each.
fn lines(host: Host, chat: Arc<Chat>, actor: Actor, room: RoomId) -> Body {
    let pieces = futures_util::stream::unfold(Some(0_i64), move |after| {
        let (host, chat, actor, room) = (host.clone(), chat.clone(), actor.clone(), room.clone());
        async move {
            let after = after?;
            let found = match chat.host_messages(&actor, &room, Part::After(after), PIECE).await {
                Ok(found) => found,
                Err(refusal) => return Some((Err(std::io::Error::other(refusal.to_string())), None)),
            };
            let mut text = Vec::new();
            for message in &found.messages {
                // Writing into memory can't fail.
                let _ = serde_json::to_writer(&mut text, &shape::message(&host, &actor.user, message));
                text.push(b'\n');
            }
            let next = found.messages.last().map(|message| message.seq).filter(|_| found.more);
            Some((Ok(text), next))
        }
    });
    Body::from_stream(pieces)
}

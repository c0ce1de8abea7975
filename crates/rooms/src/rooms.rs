//! Rooms: made, listed, shown, changed.

use parlor_core::{
    cards::RoomPlace,
    clock::Time,
    error::{Refusal, What},
    id::{RoomId, UserId},
    rooms_host::{HostGroup, HostRoomChange, MAX_DESCRIPTION, MAX_TITLE},
};
use parlor_host::{
    Answer, Call, Cursor, Fields, PageAsked, Problem, Seek, Text, answer, page::Habit, shape::rooms as shape,
};
use serde_json::{Value, json};

use crate::room_of;

/// Members that one call may name.
const MOST_MEMBERS: usize = 1_000;
/// The kind of cursors of lists of rooms.
const CURSOR: char = 'r';

/// `POST /api/chat/rooms`.
pub(crate) async fn create(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let kind = fields.need_text("room_type", Text::ID).to_lowercase();
    let mut ids = fields.texts("member_ids", MOST_MEMBERS).unwrap_or_default();
    let group = HostGroup {
        title: fields.text("name", Text::new(0, MAX_TITLE)).unwrap_or_default(),
        description: fields.text("description", Text::new(0, MAX_DESCRIPTION)).unwrap_or_default(),
        avatar_url: fields.text("avatar_url", Text::new(1, 2_000)),
        members: Vec::new(),
    };
    let own = call.admitted()?.user.id.clone();
    ids.retain(|id| *id != *own);
    let mut seen = std::collections::HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    match kind.as_str() {
        // It is not there, or no text: told already.
        "" if fields.value("room_type").is_none_or(|value| !value.is_string()) => {}
        "group" if group.title.trim().is_empty() => fields.fault("name", "is required for a group"),
        "direct" if ids.len() != 1 => fields.fault("member_ids", "must name exactly one other user"),
        "group" | "direct" => {}
        _ => fields.fault("room_type", "must be direct or group"),
    }
    fields.done()?;
    let chat = call.host.chat();
    let unknown = chat.unknown_users(&ids).await?;
    if !unknown.is_empty() {
        return Err(Problem::unknown_users(&unknown));
    }
    let members: Vec<UserId> = ids.iter().map(|id| UserId::new(id.as_str())).collect();
    let (room, new) = match members.as_slice() {
        [other] if kind == "direct" => chat.host_direct(&actor, other).await?,
        _ => (chat.host_group(&actor, HostGroup { members, ..group }).await?, true),
    };
    let card = chat.card(&actor, &room.id).await?;
    answer(if new { 201 } else { 200 }, &shape::room(&call.host, &card))
}

/// `GET /api/chat/rooms`.
pub(crate) async fn list(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let asked = PageAsked::of_query(&call.query, Habit::Pages)?;
    let beyond = match &asked.seek {
        Seek::Before(cursor) | Seek::After(cursor) => Some(place(cursor).ok_or_else(Problem::bad_cursor)?),
        _ => None,
    };
    let back = matches!(asked.seek, Seek::After(_));
    let skip = asked.offset().unwrap_or_default();
    let cards = call.host.chat().my_cards(&actor, beyond, back, skip, asked.limit).await?;
    let edge = if back { cards.items.first() } else { cards.items.last() };
    let next = edge.map(|card| cursor(&card.place()));
    let rooms: Vec<Value> = cards.items.iter().map(|card| shape::room(&call.host, card)).collect();
    let pagination = asked.told(cards.more, next, Some(cards.total));
    answer(200, &json!({ "rooms": rooms, "pagination": pagination }))
}

fn cursor((at, id): &RoomPlace) -> String {
    Cursor::make(CURSOR, &format!("{}:{id}", at.millis()))
}

fn place(cursor: &str) -> Option<RoomPlace> {
    let text = Cursor::read(CURSOR, cursor)?;
    let (at, id) = text.split_once(':')?;
    Some((Time(at.parse().ok()?), RoomId::parse(id)?))
}

/// `GET /api/chat/rooms/{room_id}`.
pub(crate) async fn one(call: Call) -> Answer {
    let actor = call.user()?.clone();
    let card = call.host.chat().card(&actor, &room_of(&call)?).await?;
    answer(200, &shape::room(&call.host, &card))
}

/// `PATCH /api/chat/rooms/{room_id}`.
pub(crate) async fn change(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let room = room_of(&call)?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let change = HostRoomChange {
        title: fields.text("name", Text::new(0, MAX_TITLE)),
        description: nullable(&mut fields, "description", Text::new(0, MAX_DESCRIPTION)),
        avatar_url: nullable(&mut fields, "avatar_url", Text::new(1, 2_000)),
    };
    if change.title.as_ref().is_some_and(|title| title.trim().is_empty())
        || (fields.has("name") && fields.value("name").is_none())
    {
        fields.fault("name", "must not be empty");
    }
    if !["name", "description", "avatar_url"].iter().any(|name| fields.has(name)) {
        fields.fault("body", "names nothing to change");
    }
    let chat = call.host.chat();
    // Whoever may not know the room learns nothing about fields either.
    chat.card(&actor, &room).await?;
    fields.done()?;
    let room = chat.change_host_room(&actor, &room, change).await.map_err(refused)?;
    let card = chat.card(&actor, &room.id).await?;
    answer(200, &shape::room(&call.host, &card))
}

/// A text; `null` takes it away.
fn nullable(fields: &mut Fields<'_>, name: &str, bounds: Text) -> Option<Option<String>> {
    if fields.has(name) && fields.value(name).is_none() {
        return Some(None);
    }
    fields.text(name, bounds).map(Some)
}

/// A refusal about a room or its members.
pub(crate) fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotAllowed(_) => Problem::forbidden("Only admins of the room may do this"),
        Refusal::NotFound(What::Membership) => Problem::not_found("Member"),
        other => other.into(),
    }
}

//! The inbox: rooms with their newest messages.

use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId},
    inbox::{InboxPage, InboxRoom},
    messages_host::{Messages, Part},
    store::Activity,
};
use parlor_host::{
    call::{Answer, Call, Query, answer},
    page::{Cursor, Habit, PageAsked, Seek},
    problem::Problem,
};
use serde_json::{Map, Value, json};

use crate::{
    acting::{Acting, Known, Unknown, acting},
    shape,
};

/// Messages of one room in one answer.
pub(crate) const MOST_MESSAGES: u64 = 50;
/// The letter of cursors in a room's messages.
const IN_ROOM: char = 'm';
/// The letter of cursors in lists of rooms.
const IN_ROOMS: char = 'r';

/// `GET /api/chat/inbox/<username>`.
pub(crate) async fn inbox(call: Call) -> Answer {
    let name = call.path("username").to_owned();
    let who = acting(&call, "path", "username", Some(&name), Unknown::Left, Known::default()).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?.at_most(MOST_MESSAGES);
    let Some(who) = who else { return answer(200, &empty(&name, &call.query)) };
    let room = call.query.get("room_id");
    let (rooms, pagination) = match room {
        Some(id) => one_room(&call, &who, id, &asked).await?,
        None => page_of_rooms(&call, &who, &asked).await?,
    };
    let unread: i64 = call.host.chat().unread_rooms(&who.actor).await?.iter().map(|(_, n)| n).sum();
    let mut body = json!({
        "success": true,
        "username": who.user.username,
        "known": true,
        "unread_total": unread,
        "pagination": pagination,
    });
    if let Some(object) = body.as_object_mut() {
        put_rooms(object, rooms, call.query.flag("flat"));
    }
    answer(200, &body)
}

/// What a name that nobody has reads.
fn empty(name: &str, query: &Query) -> Value {
    let mut body = json!({
        "success": true, "username": name, "known": false, "unread_total": 0, "rooms": [],
        "pagination": { "limit": 50, "has_more": false, "next_cursor": null },
    });
    if let (true, Some(object)) = (query.flag("flat"), body.as_object_mut()) {
        object.insert("messages".into(), json!([]));
    }
    body
}

/// Rooms with their messages, or all messages in one list by time.
fn put_rooms(body: &mut Map<String, Value>, mut rooms: Vec<Map<String, Value>>, flat: bool) {
    if flat {
        let mut all: Vec<Value> = Vec::new();
        for room in &mut rooms {
            if let Some(Value::Array(messages)) = room.remove("messages") {
                all.extend(messages);
            }
        }
        let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        all.sort_by_cached_key(|message| (text(message, "timestamp"), text(message, "id")));
        body.insert("messages".into(), all.into());
    }
    body.insert("rooms".into(), rooms.into_iter().map(Value::Object).collect());
}

async fn page_of_rooms(
    call: &Call,
    who: &Acting,
    asked: &PageAsked,
) -> Result<(Vec<Map<String, Value>>, Value), Problem> {
    let limits = Query::read(&format!("limit={}", call.query.given("rooms_limit").unwrap_or("50")));
    let limit = PageAsked::of_query(&limits, Habit::Cursors)
        .map_err(|_| Problem::invalid_query("rooms_limit", "must be an integer, at least 1"))?
        .limit;
    let (page, backwards) = rooms_page(&asked.seek, limit, false)?;
    let found = call.host.chat().inbox(&who.actor, page).await?;
    let edge = if backwards { found.rooms.first() } else { found.rooms.last() };
    let next = edge.map(|room| room_cursor(&room.activity));
    let told = PageAsked::start(limit).told(found.more, next, None);
    let newest = PageAsked::start(asked.limit);
    let mut rooms = Vec::with_capacity(found.rooms.len());
    for room in &found.rooms {
        rooms.push(with_messages(call, who, room, &newest).await?);
    }
    Ok((rooms, told))
}

/// Which page of rooms a cursor asks for; `true` when it goes to newer ones.
pub(crate) fn rooms_page(seek: &Seek, limit: u64, groups: bool) -> Result<(InboxPage, bool), Problem> {
    let page = InboxPage { groups, limit, ..InboxPage::default() };
    Ok(match seek {
        Seek::Before(cursor) => (InboxPage { older_than: Some(read_cursor(cursor)?), ..page }, false),
        Seek::After(cursor) => (InboxPage { newer_than: Some(read_cursor(cursor)?), ..page }, true),
        _ => (page, false),
    })
}

/// The cursor at a place in a list of rooms.
pub(crate) fn room_cursor(place: &Activity) -> String {
    Cursor::make(IN_ROOMS, &format!("{}:{}", place.at.millis(), place.room))
}

fn read_cursor(cursor: &str) -> Result<Activity, Problem> {
    let read = || {
        let text = Cursor::read(IN_ROOMS, cursor)?;
        let (at, room) = text.split_once(':')?;
        Some(Activity { at: Time(at.parse().ok()?), room: RoomId::parse(room)? })
    };
    read().ok_or_else(Problem::bad_cursor)
}

async fn one_room(
    call: &Call,
    who: &Acting,
    id: &str,
    asked: &PageAsked,
) -> Result<(Vec<Map<String, Value>>, Value), Problem> {
    let id = RoomId::parse(id).ok_or_else(|| Problem::not_found("Room"))?;
    let found = call.host.chat().inbox_room(&who.actor, &id).await?;
    let room = with_messages(call, who, &found, asked).await?;
    let told = PageAsked::start(50).told(false, None, None);
    Ok((vec![room], told))
}

/// A room with a page of its messages, oldest first.
async fn with_messages(
    call: &Call,
    who: &Acting,
    found: &InboxRoom,
    asked: &PageAsked,
) -> Result<Map<String, Value>, Problem> {
    let host = &call.host;
    let part = match &asked.seek {
        Seek::Before(cursor) => Part::Before(place_of(call, who, found, cursor).await?),
        Seek::After(cursor) => Part::After(place_of(call, who, found, cursor).await?),
        _ => Part::Newest,
    };
    let Messages { messages, more, total, .. } =
        host.chat().host_messages(&who.actor, &found.room.id, part, asked.limit).await?;
    let place = shape::Place::of(host.chat(), &found.room).await?;
    let read = found.membership.as_ref().map_or(0, |membership| membership.mark.seq);
    let written: Vec<Value> =
        messages.iter().map(|m| shape::message(host, &who.user, &place, m, read)).collect();
    let edge = if matches!(part, Part::After(_)) { messages.last() } else { messages.first() };
    let next = edge.map(|message| Cursor::make(IN_ROOM, &message.seq.to_string()));
    let mut room = shape::room(host, &who.user, found).await?.as_object().cloned().unwrap_or_default();
    room.insert("messages".into(), written.into());
    room.insert("pagination".into(), asked.told(more, next, Some(total)));
    Ok(room)
}

/// The place that a cursor, or the id of a message of this room, means.
async fn place_of(call: &Call, who: &Acting, found: &InboxRoom, cursor: &str) -> Result<i64, Problem> {
    if let Some(seq) = Cursor::read(IN_ROOM, cursor) {
        return seq.parse().map_err(|_| Problem::bad_cursor());
    }
    let id = MessageId::parse(cursor).ok_or_else(Problem::bad_cursor)?;
    match call.host.chat().host_message(&who.actor, &id).await {
        Ok((room, message)) if room.id == found.room.id => Ok(message.seq),
        _ => Err(Problem::bad_cursor()),
    }
}

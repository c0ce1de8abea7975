//! DDP methods that read messages and say how far somebody read.

use parlor_core::{
    clock::Time,
    error::{Refusal, State, What},
    id::{MessageId, RoomId},
    message::Message,
    room::Room,
    rooms::RoomRef,
    store::{MessageFilter, Page, Slice},
    threads::Threads,
};
use serde::Serialize;
use serde_json::{
    Value, json,
    value::{RawValue, to_raw_value},
};
use std::sync::Arc;

use crate::{
    date::{self, Dates},
    method::{Answer, Invocation, Method, method, mismatch, writing},
    refusal::Refused,
    rest::{
        chat_draft::{message_id, seen, seen_all, seen_all_written, text},
        chat_lists::{at_or_after, room_id},
        chat_threads,
        timeline::without_hidden_in,
    },
    who::Who,
};

/// Messages in one answer.
const MOST: u64 = 1_000;

pub(crate) fn methods() -> Vec<Method> {
    vec![
        writing("loadHistory", Who::Reader, r#"["$private",null,20]"#, load_history),
        method("loadNextMessages", Who::Reader, r#"["$private",{"$date":0},20]"#, load_next),
        method(
            "loadSurroundingMessages",
            Who::Reader,
            r#"[{"_id":"$message","rid":"$private"},20]"#,
            load_surrounding,
        ),
        method("loadMissedMessages", Who::Reader, r#"["$private",{"$date":0}]"#, load_missed),
        method("getSingleMessage", Who::Reader, r#"["$message"]"#, single),
        method("getMessages", Who::Reader, r#"[["$message"]]"#, several),
        method("getThreadMessages", Who::Reader, r#"[{"tmid":"$message"}]"#, thread_messages),
        method("getThreadsList", Who::Reader, r#"[{"rid":"$private"}]"#, threads_list),
        method("readThreads", Who::Reader, r#"["$message"]"#, read_threads),
        method("readMessages", Who::Member, r#"["$private"]"#, read_messages),
        method("unreadMessages", Who::Member, r#"[{"_id":"$message"}]"#, unread_messages)
            .answering("error-action-not-allowed"),
        method("messageSearch", Who::Reader, r#"["hello","$private",20]"#, search),
        method("messages/get", Who::Reader, r#"["$private",{"lastUpdate":{"$date":0}}]"#, get),
        method("getDeletedMessages", Who::Reader, r#"["$private",{"$date":0}]"#, deleted),
        method("getPinnedMessages", Who::Reader, r#"["$private",20]"#, pinned),
        method("getUserMentionsByChannel", Who::Reader, r#"[{"roomId":"$private"}]"#, own_mentions),
    ]
}

fn no_room(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Room) => Refused::meteor("error-invalid-room", "Invalid room"),
        other => other.into(),
    }
}

/// The room that a parameter names.
async fn room(call: &Invocation, index: usize) -> Result<Arc<Room>, Refused> {
    let id = call.text(index)?;
    call.chat().find_room(call.actor()?, RoomRef::Id(id)).await.map_err(no_room)
}

/// A date that may be absent.
fn moment(call: &Invocation, index: usize) -> Result<Option<Time>, Refused> {
    match call.param(index) {
        None => Ok(None),
        Some(value) => date::read(value).map(Some).ok_or_else(|| mismatch("date", Some(value))),
    }
}

fn count(value: Option<&Value>, default: u64) -> u64 {
    value.and_then(Value::as_f64).map_or(default, |n| n as u64).min(MOST)
}

async fn shown(call: &Invocation, messages: &[Message]) -> Result<Vec<Value>, Refused> {
    seen_all(call.chat(), &call.actor()?.user, messages, Dates::Ejson).await
}

/// A page of a room's history.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Loaded {
    messages: Box<RawValue>,
    unread_not_loaded: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_unread: Option<Value>,
}

/// `rid, end, limit, last seen, showThreadMessages`
async fn load_history(call: Invocation) -> Result<Box<RawValue>, Refused> {
    let room = room(&call, 0).await?;
    let slice = Slice {
        latest: moment(&call, 1)?,
        room_only: call.param(4) == Some(&Value::Bool(false)),
        ..Slice::newest(count(call.param(2), 20))
    };
    let found = call.chat().history(call.actor()?, &room.id, slice).await?;
    let found = without_hidden_in(call.chat(), &room, found);
    let messages = seen_all_written(call.chat(), &call.actor()?.user, &found, Dates::Ejson).await?;
    let mut answer = Loaded { messages, unread_not_loaded: 0, first_unread: None };
    let seen = call.param(3).and_then(date::read);
    if let (Some(seen), Some(first_loaded)) = (seen, found.last())
        && first_loaded.at > seen
    {
        let slice = Slice {
            oldest: Some(seen),
            before: Some(first_loaded.seq),
            newest_first: false,
            ..Slice::newest(MOST)
        };
        let left = call.chat().history(call.actor()?, &room.id, slice).await?;
        answer.unread_not_loaded = left.len();
        answer.first_unread = shown(&call, &left[..left.len().min(1)]).await?.pop();
    }
    // As above: there is nothing in it that can't be written.
    Ok(to_raw_value(&answer).unwrap_or_default())
}

async fn load_next(call: Invocation) -> Answer {
    let room = room(&call, 0).await?;
    let slice =
        Slice { oldest: moment(&call, 1)?, newest_first: false, ..Slice::newest(count(call.param(2), 20)) };
    let found = call.chat().history(call.actor()?, &room.id, slice).await?;
    let found = without_hidden_in(call.chat(), &room, found);
    Ok(json!({ "messages": shown(&call, &found).await? }))
}

async fn load_surrounding(call: Invocation) -> Answer {
    let id = text(call.object(0)?, "_id")?.ok_or_else(|| Refused::new("Match error: Missing key '_id'"))?;
    let none = || json!({ "messages": [], "moreBefore": false, "moreAfter": false });
    let Some(id) = MessageId::parse(id) else { return Ok(none()) };
    let around = call.chat().surroundings(call.actor()?, &id, count(call.param(1), 50)).await?;
    Ok(json!({
        "messages": shown(&call, &around.messages).await?,
        "moreBefore": around.more_before, "moreAfter": around.more_after,
    }))
}

async fn load_missed(call: Invocation) -> Answer {
    let Some(since) = call.params.get(1).and_then(date::read) else {
        return Err(mismatch("date", call.params.get(1)));
    };
    let room = room(&call, 0).await?;
    let slice = Slice { oldest: Some(at_or_after(since)), ..Slice::newest(MOST) };
    let found = call.chat().history(call.actor()?, &room.id, slice).await?;
    Ok(shown(&call, &without_hidden_in(call.chat(), &room, found)).await?.into())
}

async fn single(call: Invocation) -> Answer {
    let message = call.chat().message(call.actor()?, &message_id(call.text(0)?)?).await?;
    seen(call.chat(), call.actor()?, &message, Dates::Ejson).await
}

async fn several(call: Invocation) -> Answer {
    let Some(Value::Array(ids)) = call.params.first() else {
        return Err(mismatch("array", call.params.first()));
    };
    let refuse = |refusal| match refusal {
        Refusal::NotFound(_) | Refusal::NotAllowed(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        other => Refused::from(other),
    };
    let mut wanted = Vec::new();
    for id in ids.iter().take(parlor_core::messages_read::MAX_IDS + 1) {
        let text = id.as_str().ok_or_else(|| mismatch("string", Some(id)))?;
        wanted.push(MessageId::parse(text).ok_or_else(|| refuse(Refusal::NotFound(What::Message)))?);
    }
    let found = call.chat().messages(call.actor()?, &wanted).await.map_err(refuse)?;
    Ok(shown(&call, &found).await?.into())
}

async fn thread_messages(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let root = text(object, "tmid")?.ok_or_else(|| Refused::new("Match error: Missing key 'tmid'"))?;
    let number = |key| object.get(key).and_then(Value::as_u64);
    let page = chat_threads::page(number("limit"), number("skip"));
    let root = message_id(root).map_err(|_| Refused::meteor("error-invalid-message", "Invalid Message"))?;
    let found = call.chat().thread_messages(call.actor()?, &root, false, page).await;
    let (root, replies) = found.map_err(chat_threads::refused)?;
    call.chat().read_thread(call.actor()?, &root.id).await.map_err(chat_threads::refused)?;
    let mut all = vec![root];
    all.extend(replies.items);
    Ok(shown(&call, &all).await?.into())
}

async fn threads_list(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let rid = text(object, "rid")?.ok_or_else(|| Refused::new("Match error: Missing key 'rid'"))?;
    let number = |key| object.get(key).and_then(Value::as_u64);
    let page = chat_threads::page(number("limit").or(Some(50)), number("skip"));
    let room = room_id(rid).map_err(chat_threads::refused)?;
    let found = call.chat().threads(call.actor()?, &room, Threads::All, "", page).await;
    Ok(shown(&call, &found.map_err(chat_threads::refused)?.items).await?.into())
}

async fn read_threads(call: Invocation) -> Answer {
    let root =
        message_id(call.text(0)?).map_err(|_| Refused::meteor("error-invalid-message", "Invalid Message"))?;
    call.chat().read_thread(call.actor()?, &root).await.map_err(chat_threads::refused)?;
    Ok(Value::Null)
}

async fn read_messages(call: Invocation) -> Answer {
    let id = RoomId::parse(call.text(0)?).ok_or_else(|| no_room(Refusal::NotFound(What::Room)))?;
    let threads = call.param(1) == Some(&Value::Bool(true));
    call.chat().read_room(call.actor()?, &id, threads).await.map_err(no_room)?;
    Ok(Value::Null)
}

/// `firstUnreadMessage, rid`
async fn unread_messages(call: Invocation) -> Answer {
    let refuse = |refusal| match refusal {
        Refusal::NotFound(What::Message) | Refusal::Invalid { .. } | Refusal::State(State::Deleted) => {
            Refused::meteor("error-action-not-allowed", "Not allowed")
        }
        other => no_room(other),
    };
    if let Some(Value::Object(first)) = call.param(0)
        && let Some(id) = text(first, "_id")?
    {
        let id = MessageId::parse(id).ok_or_else(|| refuse(Refusal::NotFound(What::Message)))?;
        call.chat().mark_unread_from(call.actor()?, &id).await.map_err(refuse)?;
        return Ok(Value::Null);
    }
    let room = RoomId::parse(call.text(1)?).ok_or_else(|| no_room(Refusal::NotFound(What::Room)))?;
    call.chat().mark_unread_newest(call.actor()?, &room).await.map_err(refuse)?;
    Ok(Value::Null)
}

/// `text, rid or null for all one's rooms, limit`
async fn search(call: Invocation) -> Answer {
    let text = call.text(0)?;
    let room = match call.param(1) {
        None => None,
        Some(Value::String(id)) => {
            Some(RoomId::parse(id).ok_or_else(|| no_room(Refusal::NotFound(What::Room)))?)
        }
        Some(other) => return Err(mismatch("string", Some(other))),
    };
    let page = Page { offset: 0, count: count(call.param(2), 20).min(100) };
    let found =
        call.chat().search_messages(call.actor()?, room.as_ref(), text, page).await.map_err(no_room)?;
    let mut answer = json!({ "message": { "docs": shown(&call, &found.messages).await? } });
    if found.partial {
        answer["message"]["partial"] = true.into();
    }
    Ok(answer)
}

/// `rid, {lastUpdate}`
async fn get(call: Invocation) -> Answer {
    let room = room(&call, 0).await?;
    let since = call.object(1)?.get("lastUpdate").and_then(date::read);
    let since =
        since.ok_or_else(|| mismatch("date", call.object(1).ok().and_then(|o| o.get("lastUpdate"))))?;
    let changes = call.chat().changes_since(call.actor()?, &room.id, at_or_after(since)).await?;
    let gone = |t: &parlor_core::store::Tombstone| crate::rest::chat_lists::tombstone(t, Dates::Ejson);
    let deleted: Vec<Value> = changes.deleted.iter().map(gone).collect();
    Ok(json!({ "updated": shown(&call, &changes.updated).await?, "deleted": deleted }))
}

async fn deleted(call: Invocation) -> Answer {
    let room = room(&call, 0).await?;
    let since = moment(&call, 1)?.unwrap_or_default();
    let changes = call.chat().changes_since(call.actor()?, &room.id, since).await?;
    Ok(changes.deleted.iter().map(|t| crate::rest::chat_lists::tombstone(t, Dates::Ejson)).collect())
}

async fn pinned(call: Invocation) -> Answer {
    let room = room(&call, 0).await?;
    let page = Page { offset: 0, count: count(call.param(1), 20) };
    let filter = MessageFilter { pinned: true, ..MessageFilter::default() };
    let found = call.chat().list_messages(call.actor()?, &room.id, filter, page).await?;
    Ok(shown(&call, &found.items).await?.into())
}

/// `{roomId, options: {limit, skip}}`: what mentions the caller there, newest first.
async fn own_mentions(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let room = text(object, "roomId")?.ok_or_else(|| Refused::new("Match error: Missing key 'roomId'"))?;
    let room = room_id(room).map_err(no_room)?;
    let options = object.get("options");
    let number = |key| options.and_then(|options| options.get(key));
    let page = Page { offset: count(number("skip"), 0), count: count(number("limit"), 50) };
    let filter = MessageFilter { mentioning: vec![call.actor()?.user.clone()], ..MessageFilter::default() };
    let found = call.chat().list_messages(call.actor()?, &room, filter, page).await.map_err(no_room)?;
    Ok(shown(&call, &found.items).await?.into())
}

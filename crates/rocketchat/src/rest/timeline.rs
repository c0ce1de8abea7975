//! The timelines of rooms: `channels.`, `groups.` and `im.` (also `dm.`) `history` and `messages`, and what else reads or
//! clears them as a whole.

use std::sync::Arc;

use axum::http::StatusCode;
use parlor_core::{
    clock::Time,
    error::{Refusal, State},
    event::Purge,
    id::UserId,
    message::Message,
    moderation::Spare,
    room::{Room, RoomKind},
    rooms::RoomRef,
    store::{MessageFilter, Page, Slice},
};
use serde_json::{Map, Value, json};

use super::{
    chat_draft::{flag, seen_all, text},
    chat_lists::{listed, room_id},
    chat_threads::newest_first,
};
use crate::{
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

/// Messages on a page of history unless asked otherwise.
const HISTORY_PAGE: u64 = 20;

pub(crate) fn routes() -> Vec<Route> {
    use Family::{Channels, Direct, Groups};
    let mut routes = vec![
        get("channels.history", Who::Reader, "roomId=$public", |call| history(call, Channels)),
        get("groups.history", Who::Reader, "roomId=$private", |call| history(call, Groups)),
        get("channels.messages", Who::Reader, "roomId=$public", |call| messages(call, Channels)),
        get("groups.messages", Who::Reader, "roomId=$private", |call| messages(call, Groups)),
        get("channels.anonymousread", Who::Anyone, "roomId=$public", anonymous_read)
            .answering("Allow Anonymous Read"),
        get("channels.getAllUserMentionsByChannel", Who::Reader, "roomId=$public", own_mentions),
        post(
            "rooms.cleanHistory",
            Who::MayInRoom(&["clean-channel-history"]),
            r#"{"roomId":"$private","oldest":"2020-01-01T00:00:00.000Z","latest":"2020-01-02T00:00:00.000Z"}"#,
            clean_history,
        ),
    ];
    for family in ["im", "dm"] {
        let name = |rest: &str| format!("{family}.{rest}");
        routes.extend([
            get(&name("history"), Who::Reader, "roomId=$direct", |call| history(call, Direct)),
            get(&name("messages"), Who::Reader, "roomId=$direct", |call| messages(call, Direct)),
            get(&name("messages.others"), Who::May(&["view-room-administration"]), "", others_messages)
                .answering("endpoint is disabled"),
        ]);
    }
    routes
}

/// The kinds of rooms that a family of routes speaks of; others it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Channels,
    Groups,
    Direct,
}

impl Family {
    fn has(self, kind: RoomKind) -> bool {
        match self {
            Self::Channels => kind == RoomKind::Channel,
            Self::Direct => kind == RoomKind::Direct,
            Self::Groups => !matches!(kind, RoomKind::Channel | RoomKind::Direct),
        }
    }

    fn unknown(self) -> Refused {
        let reason = match self {
            Self::Channels => {
                "The required \"roomId\" or \"roomName\" param provided does not match any channel"
            }
            Self::Groups => "The required \"roomId\" or \"roomName\" param provided does not match any group",
            Self::Direct => return Refused::meteor("invalid-channel", ""),
        };
        Refused::meteor("error-room-not-found", reason)
    }
}

/// The room that a query names.
async fn room_of(call: &Call, family: Family) -> Result<Arc<Room>, Refused> {
    let (id, name) = (call.param("roomId"), call.param("roomName"));
    let found = match (id, name, call.param("username")) {
        (Some(id), ..) => call.chat().find_room(call.actor()?, RoomRef::Id(id)).await,
        (None, Some(name), _) if family != Family::Direct => {
            call.chat().find_room(call.actor()?, RoomRef::Name(name)).await
        }
        (None, _, Some(user)) if family == Family::Direct => {
            let users = [user.to_owned()];
            call.chat().direct_room(call.actor()?, &users, false).await.map(|(room, _)| room)
        }
        _ if family == Family::Direct => {
            let reason = "Query param \"roomId\" or \"username\" is required";
            return Err(Refused::meteor("error-room-param-not-provided", reason));
        }
        _ => {
            let reason = "The parameter \"roomId\" or \"roomName\" is required";
            return Err(Refused::meteor("error-roomid-param-not-provided", reason));
        }
    };
    match found {
        Ok(room) if family.has(room.kind) => Ok(room),
        Ok(_) | Err(Refusal::NotFound(_)) => Err(family.unknown()),
        Err(other) => Err(other.into()),
    }
}

fn moment(call: &Call, name: &str) -> Result<Option<Time>, Refused> {
    match call.param(name) {
        None => Ok(None),
        Some(text) => date::read_text(text)
            .map(Some)
            .ok_or_else(|| Refused::invalid_params(&format!("{name} must match format \"iso-date-time\""))),
    }
}

async fn history(call: Call, family: Family) -> Outcome {
    let room = room_of(&call, family).await?;
    let page = call.page()?;
    let count = if call.param("count").is_none() { HISTORY_PAGE } else { page.count };
    let slice = Slice {
        latest: moment(&call, "latest")?,
        oldest: moment(&call, "oldest")?,
        inclusive: call.flag("inclusive").unwrap_or_default(),
        room_only: call.flag("showThreadMessages") == Some(false),
        page: Page { offset: page.offset, count },
        ..Slice::newest(count)
    };
    let unreads = call.flag("unreads").unwrap_or_default();
    let found = call.chat().history(call.actor()?, &room.id, slice.clone()).await?;
    let shown = without_hidden(&call, &room, found);
    let mut answer =
        json!({ "messages": seen_all(call.chat(), &call.actor()?.user, &shown, Dates::Iso).await? });
    if let (true, Some(oldest)) = (unreads, slice.oldest) {
        let (first, left) = unread_before(&call, &room, oldest, shown.last()).await?;
        answer["firstUnread"] = first;
        answer["unreadNotLoaded"] = left.into();
    }
    success(answer)
}

/// The first message after a moment, and how many after it stand before the page that was loaded.
async fn unread_before(
    call: &Call,
    room: &Room,
    oldest: Time,
    first_loaded: Option<&Message>,
) -> Result<(Value, usize), Refused> {
    let Some(first_loaded) = first_loaded else { return Ok((Value::Null, 0)) };
    let slice = Slice {
        oldest: Some(oldest),
        before: Some(first_loaded.seq),
        newest_first: false,
        ..Slice::newest(1_000)
    };
    let left = call.chat().history(call.actor()?, &room.id, slice).await?;
    let first = seen_all(call.chat(), &call.actor()?.user, &left[..left.len().min(1)], Dates::Iso).await?;
    Ok((first.into_iter().next().unwrap_or_default(), left.len()))
}

/// Without the kinds of notices that the room or the workspace hides.
pub(crate) fn without_hidden_in(
    chat: &parlor_core::chat::Chat,
    room: &Room,
    messages: Vec<Message>,
) -> Vec<Message> {
    let settings = chat.settings();
    let mut hidden: Vec<String> = room.hidden_system.clone();
    if let Some(parlor_core::setting::Value::List(all)) =
        settings.get("Hide_System_Messages").map(|s| &s.value)
    {
        hidden.extend(all.iter().cloned());
    }
    if hidden.is_empty() {
        return messages;
    }
    // One switch for both.
    if hidden.iter().any(|kind| kind == "mute_unmute") {
        hidden.extend(["user-muted".to_owned(), "user-unmuted".to_owned()]);
    }
    let shown = |m: &Message| m.notice_kind().is_none_or(|kind| hidden.iter().all(|h| h != kind));
    messages.into_iter().filter(shown).collect()
}

fn without_hidden(call: &Call, room: &Room, messages: Vec<Message>) -> Vec<Message> {
    without_hidden_in(call.chat(), room, messages)
}

/// What `query` may ask for: what clients of earlier servers send for their lists of pinned, starred and mentioning
/// messages, and `{"tmid": {"$exists": false}}`. The rest is passed over.
fn asked(call: &Call) -> Result<MessageFilter, Refused> {
    let Some(Value::Object(query)) = call.json_param("query")? else { return Ok(MessageFilter::default()) };
    super::rooms_call::refuse_operators(&query, 0)?;
    let who = |key: &str| match query.get(key)? {
        Value::Object(among) => among.get("$in")?.as_array()?.first()?.as_str(),
        one => one.as_str(),
    };
    Ok(MessageFilter {
        pinned: query.get("pinned") == Some(&Value::Bool(true)),
        starred_by: who("starred._id").map(|_| call.actor().map(|me| me.user.clone())).transpose()?,
        mentioning: who("mentions._id").and_then(UserId::parse).into_iter().collect(),
        room_only: query.get("tmid").and_then(|tmid| tmid.get("$exists")) == Some(&Value::Bool(false)),
        ..MessageFilter::default()
    })
}

async fn messages(call: Call, family: Family) -> Outcome {
    let room = match room_of(&call, family).await {
        // Clients of direct rooms know this one answer for rooms of others and rooms that are not there.
        Err(refused) if family == Family::Direct && refused.is("invalid-channel") => {
            return Err(Refused::unauthorized());
        }
        found => found?,
    };
    if family == Family::Channels {
        let may = call.chat().require(call.actor()?, "view-c-room", Some(&room)).await;
        may.map_err(|_| Refused::no_permission())?;
    }
    let page = call.page()?;
    let mentioned: Vec<UserId> = call.list("mentionIds").iter().filter_map(|id| UserId::parse(id)).collect();
    let me = &call.actor()?.user;
    let asked = asked(&call)?;
    let filter = MessageFilter {
        pinned: call.flag("pinned").unwrap_or(asked.pinned),
        // Stars are their owner's alone: others' are not to be looked for.
        starred_by: call
            .param("starredIds")
            .map(|_| me.clone())
            .or_else(|| (!call.list("starredIds").is_empty()).then(|| me.clone()))
            .or(asked.starred_by),
        mentioning: if mentioned.is_empty() { asked.mentioning } else { mentioned },
        room_only: asked.room_only,
        ascending: call.param("sort").is_some() && !newest_first(&call)?,
        ..MessageFilter::default()
    };
    let found = call.chat().list_messages(call.actor()?, &room.id, filter, page).await?;
    listed(&call, "messages", page, found).await
}

async fn anonymous_read(call: Call) -> Outcome {
    let page = call.page()?;
    if !call.chat().settings().is_on("Accounts_AllowAnonymousRead") {
        return Err(Refused::meteor("error-not-allowed", "Enable \"Allow Anonymous Read\""));
    }
    let wanted = match (call.param("roomId"), call.param("roomName")) {
        (Some(id), _) => RoomRef::Id(id),
        (None, Some(name)) => RoomRef::Name(name),
        (None, None) => {
            let reason = "The parameter \"roomId\" or \"roomName\" is required";
            return Err(Refused::meteor("error-roomid-param-not-provided", reason));
        }
    };
    let unknown = |refusal| match refusal {
        Refusal::NotFound(_) => Family::Channels.unknown().at(StatusCode::NOT_FOUND),
        other => Refused::from(other),
    };
    let slice = Slice { page, ..Slice::newest(page.count) };
    let found = call.chat().anonymous_history(call.actor_if_any(), wanted, slice).await;
    let (room, found) = found.map_err(unknown)?;
    let look = super::chat_draft::look(call.chat(), Dates::Iso);
    let items: Vec<Value> =
        found.iter().map(|message| crate::shape::message::value(message, &look)).collect();
    let total = room.head.messages;
    success(json!({ "messages": items, "count": items.len(), "offset": page.offset, "total": total }))
}

async fn own_mentions(call: Call) -> Outcome {
    let room = room_of(&call, Family::Channels).await?;
    let page = call.page()?;
    let filter = MessageFilter { mentioning: vec![call.actor()?.user.clone()], ..Default::default() };
    let found = call.chat().list_messages(call.actor()?, &room.id, filter, page).await?;
    listed(&call, "mentions", page, found).await
}

async fn others_messages(call: Call) -> Outcome {
    let page = call.page()?;
    let refuse = |refusal| match refusal {
        Refusal::Disabled(_) => Refused::meteor("error-endpoint-disabled", "This endpoint is disabled"),
        Refusal::NotFound(_) => {
            Refused::meteor("error-room-not-found", "No direct message room found by the id of: roomId")
        }
        other => Refused::from(other),
    };
    let off = || refuse(Refusal::Disabled("API_Enable_Direct_Message_History_EndPoint"));
    if !call.chat().settings().is_on("API_Enable_Direct_Message_History_EndPoint") {
        return Err(off());
    }
    let missing =
        || Refused::meteor("error-roomid-param-not-provided", "The parameter \"roomId\" is required");
    let room = room_id(call.param("roomId").ok_or_else(missing)?).map_err(refuse)?;
    let found = call.chat().list_others_messages(call.actor()?, &room, page).await.map_err(refuse)?;
    listed(&call, "messages", page, found).await
}

/// What a purge shall remove, as clients write it.
pub(crate) fn purge(body: &Map<String, Value>) -> Result<(Purge, Spare), Refused> {
    let moment = |key: &'static str| match body.get(key) {
        None | Some(Value::Null) => Err(Refused::missing(key)),
        Some(value) => date::read(value)
            .ok_or_else(|| Refused::invalid_params(&format!("{key} must match format \"iso-date-time\""))),
    };
    let on = |key| Ok::<_, Refused>(flag(body, key)?.unwrap_or_default());
    let users = match body.get("users").or_else(|| body.get("fromUsers")) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => all
            .iter()
            .take(1_000)
            .map(|user| user.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| Refused::invalid_params("must be string"))?,
        Some(_) => return Err(Refused::invalid_params("must be array")),
    };
    let limit = match body.get("limit") {
        None | Some(Value::Null) => 0,
        Some(limit) => limit.as_u64().ok_or_else(|| Refused::invalid_params("must be number"))?,
    };
    let purge = Purge {
        from: moment("oldest")?,
        to: moment("latest")?,
        inclusive: on("inclusive")?,
        keep_pinned: on("excludePinned")?,
        keep_discussions: on("ignoreDiscussion")?,
        files_only: on("filesOnly")?,
        users,
        ids: Vec::new(),
    };
    Ok((purge, Spare { threads: on("ignoreThreads")?, limit }))
}

/// Refusals of a purge.
pub(crate) fn not_purged(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-not-allowed", "User does not have access to the room"),
        Refusal::NotAllowed(_) | Refusal::NotMember | Refusal::State(State::ReadOnly) => {
            Refused::meteor("error-not-allowed", "Not allowed")
        }
        other => other.into(),
    }
}

async fn clean_history(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let room = text(&body, "roomId")?.ok_or_else(|| Refused::missing("roomId"))?;
    let (purge, spare) = purge(&body)?;
    let id = room_id(room).map_err(not_purged)?;
    let count = call.chat().purge(call.actor()?, &id, purge, spare).await.map_err(not_purged)?;
    success(json!({ "_id": room, "count": count }))
}

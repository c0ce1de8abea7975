//! `chat.*`: threads.

use parlor_core::{error::Refusal, messages_read::Changes, store::Page, threads::Threads};
use serde_json::{Value, json};

use super::{
    chat_draft::{message_id, seen_all, text},
    chat_lists::{listed, named_message, room_id, tombstone, updated_since},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("chat.getThreadsList", Who::Reader, "rid=$private", list),
        get("chat.getThreadMessages", Who::Reader, "tmid=$message", messages),
        get(
            "chat.syncThreadsList",
            Who::Reader,
            "rid=$private&updatedSince=2026-01-01T00:00:00.000Z",
            sync_list,
        ),
        get(
            "chat.syncThreadMessages",
            Who::Reader,
            "tmid=$message&updatedSince=2026-01-01T00:00:00.000Z",
            sync_messages,
        ),
        post("chat.followMessage", Who::Reader, r#"{"mid":"$message"}"#, |call| follow(call, true)),
        post("chat.unfollowMessage", Who::Reader, r#"{"mid":"$message"}"#, |call| follow(call, false)),
    ]
}

/// Refusals of what reads threads.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled("Threads_enabled") => Refused::meteor("error-not-allowed", "Threads Disabled"),
        Refusal::NotFound(_) | Refusal::NotMember | Refusal::NotAllowed(_) => {
            Refused::meteor("error-not-allowed", "Not Allowed")
        }
        other => other.into(),
    }
}

/// `sort={"ts": -1}`: newest first.
pub(crate) fn newest_first(call: &Call) -> Result<bool, Refused> {
    let sort = call.json_param("sort")?;
    Ok(sort.as_ref().and_then(|sort| sort.get("ts")).and_then(Value::as_i64) == Some(-1))
}

fn room_of(call: &Call, code: &str) -> Result<parlor_core::id::RoomId, Refused> {
    if !call.chat().settings().is_on("Threads_enabled") {
        return Err(refused(Refusal::Disabled("Threads_enabled")));
    }
    let missing = || Refused::meteor(code, "The required \"rid\" query param is missing.");
    room_id(call.param("rid").ok_or_else(missing)?).map_err(refused)
}

async fn list(call: Call) -> Outcome {
    threads_on(&call)?;
    let room = room_id(call.param("rid").ok_or_else(|| Refused::missing("rid"))?)?;
    let which = match call.param("type") {
        Some("following") => Threads::Following,
        Some("unread") => Threads::Unread,
        None => Threads::All,
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let (page, text) = (call.page()?, call.param("text").unwrap_or_default());
    let found = call.chat().threads(call.actor()?, &room, which, text, page).await.map_err(refused)?;
    listed(&call, "threads", page, found).await
}

fn missing_tmid() -> Refused {
    Refused::meteor("error-invalid-params", "The required \"tmid\" query param is missing.")
}

fn threads_on(call: &Call) -> Result<(), Refused> {
    if call.chat().settings().is_on("Threads_enabled") {
        Ok(())
    } else {
        Err(refused(Refusal::Disabled("Threads_enabled")))
    }
}

async fn messages(call: Call) -> Outcome {
    threads_on(&call)?;
    let root = named_message(&call, "tmid", missing_tmid())?;
    let page = call.page()?;
    let (_, found) = call
        .chat()
        .thread_messages(call.actor()?, &root, newest_first(&call)?, page)
        .await
        .map_err(refused)?;
    listed(&call, "messages", page, found).await
}

async fn changed(call: &Call, key: &str, changes: Changes) -> Outcome {
    let update = seen_all(call.chat(), &call.actor()?.user, &changes.updated, Dates::Iso).await?;
    let remove: Vec<Value> = changes.deleted.iter().map(|gone| tombstone(gone, Dates::Iso)).collect();
    success(json!({ key: { "update": update, "remove": remove } }))
}

async fn sync_list(call: Call) -> Outcome {
    let room = room_of(&call, "error-room-id-param-not-provided")?;
    let since = updated_since(&call)?;
    let changes = call.chat().thread_changes(call.actor()?, &room, since).await.map_err(refused)?;
    changed(&call, "threads", changes).await
}

async fn sync_messages(call: Call) -> Outcome {
    threads_on(&call)?;
    let root = named_message(&call, "tmid", missing_tmid())?;
    let since = updated_since(&call)?;
    let changes = call.chat().thread_reply_changes(call.actor()?, &root, since).await.map_err(refused)?;
    changed(&call, "messages", changes).await
}

async fn follow(mut call: Call, on: bool) -> Outcome {
    let body = call.object().await?;
    let missing = || Refused::meteor("The required \"mid\" body param is missing.", "");
    let id = text(&body, "mid")?.filter(|id| !id.is_empty()).ok_or_else(missing)?;
    follow_by_id(call.chat(), call.actor()?, id, on).await?;
    success(Value::Null)
}

/// Follows a message's thread, or no longer.
pub(crate) async fn follow_by_id(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
    id: &str,
    on: bool,
) -> Result<(), Refused> {
    let refuse = |refusal| match refusal {
        Refusal::Disabled(_) | Refusal::NotAllowed(_) => Refused::meteor("error-not-allowed", "not-allowed"),
        Refusal::NotFound(_) => Refused::meteor("error-invalid-message", "Invalid message"),
        other => Refused::from(other),
    };
    if !chat.settings().is_on("Threads_enabled") {
        return Err(refuse(Refusal::Disabled("Threads_enabled")));
    }
    let id = message_id(id).map_err(|_| Refused::meteor("error-invalid-message", "Invalid message"))?;
    chat.follow_thread(actor, &id, on).await.map_err(refuse)?;
    Ok(())
}

/// A page of a thread with its root, for the methods that give both.
pub(crate) fn page(limit: Option<u64>, skip: Option<u64>) -> Page {
    Page { offset: skip.unwrap_or_default(), count: limit.unwrap_or(100).clamp(1, 10_000) }
}

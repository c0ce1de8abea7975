//! `chat.*`: lists of messages, catching up, search.

use parlor_core::{
    clock::Time,
    error::{Refusal, What},
    id::{MessageId, RoomId},
    message::Message,
    messages_read::Changes,
    store::{MessageFilter, Page, Paged, Tombstone},
};
use serde_json::{Value, json};

use super::chat_draft::{message_id, moment, seen_all};
use crate::{
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    route::{Outcome, Route, get},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("chat.getPinnedMessages", Who::Reader, "roomId=$private", pinned),
        get("chat.getStarredMessages", Who::Reader, "roomId=$private", starred),
        get("chat.getMentionedMessages", Who::Reader, "roomId=$private", mentioned),
        get("chat.getDiscussions", Who::Reader, "roomId=$private", discussions),
        get(
            "chat.getDeletedMessages",
            Who::Reader,
            "roomId=$private&since=2026-01-01T00:00:00.000Z",
            deleted,
        ),
        get("chat.search", Who::Reader, "roomId=$private&searchText=hello", search),
        get("chat.syncMessages", Who::Reader, "roomId=$private&lastUpdate=2026-01-01T00:00:00.000Z", sync),
    ]
}

/// A room's id in a query; one that can't be any leads nowhere.
pub(crate) fn room_id(text: &str) -> Result<RoomId, Refusal> {
    RoomId::parse(text).ok_or(Refusal::NotFound(What::Room))
}

/// `{KEY: [...], count, offset, total}`
pub(crate) async fn listed(call: &Call, key: &str, page: Page, found: Paged<Message>) -> Outcome {
    let items = seen_all(call.chat(), &call.actor()?.user, &found.items, Dates::Iso).await?;
    success(json!({ key: items, "count": items.len(), "offset": page.offset, "total": found.total }))
}

async fn list(call: Call, room: &str, filter: MessageFilter, refuse: fn(Refusal) -> Refused) -> Outcome {
    let page = call.page()?;
    let room = room_id(room).map_err(refuse)?;
    let found = call.chat().list_messages(call.actor()?, &room, filter, page).await.map_err(refuse)?;
    listed(&call, "messages", page, found).await
}

async fn pinned(call: Call) -> Outcome {
    let missing = || {
        let reason = "The required \"roomId\" query param is missing.";
        Refused::meteor("error-roomId-param-not-provided", reason)
    };
    let room = call.param("roomId").ok_or_else(missing)?.to_owned();
    let filter = MessageFilter { pinned: true, ..MessageFilter::default() };
    list(call, &room, filter, |refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        other => other.into(),
    })
    .await
}

fn needed_room(call: &Call) -> Result<String, Refused> {
    let missing =
        || Refused::meteor("error-invalid-params", "The required \"roomId\" query param is missing.");
    Ok(call.param("roomId").ok_or_else(missing)?.to_owned())
}

fn plainly_not_allowed(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::new("error-not-allowed"),
        other => other.into(),
    }
}

async fn starred(call: Call) -> Outcome {
    let room = needed_room(&call)?;
    let user = call.actor()?.user.clone();
    list(call, &room, MessageFilter { starred_by: Some(user), ..Default::default() }, plainly_not_allowed)
        .await
}

async fn mentioned(call: Call) -> Outcome {
    let room = needed_room(&call)?;
    let user = call.actor()?.user.clone();
    list(call, &room, MessageFilter { mentioning: vec![user], ..Default::default() }, plainly_not_allowed)
        .await
}

async fn discussions(call: Call) -> Outcome {
    let room = needed_room(&call)?;
    let text = call.param("text").unwrap_or_default().to_owned();
    list(call, &room, MessageFilter { discussions: true, text, ..Default::default() }, plainly_not_allowed)
        .await
}

/// `{_id, _deletedAt}`
pub(crate) fn tombstone(gone: &Tombstone, dates: Dates) -> Value {
    json!({ "_id": gone.id.as_str(), "_deletedAt": dates.value(gone.at) })
}

async fn deleted(call: Call) -> Outcome {
    let sentence = |text: &str| Refused::meteor(text, "");
    let room =
        call.param("roomId").ok_or_else(|| sentence("The required \"roomId\" query param is missing."))?;
    let since =
        call.param("since").ok_or_else(|| sentence("The required \"since\" query param is missing."))?;
    let since =
        moment(since).ok_or_else(|| sentence("The \"since\" query parameter must be a valid date."))?;
    let page = call.page()?;
    let changes = call.chat().changes_since(call.actor()?, &room_id(room)?, since).await?;
    let all: Vec<Value> = changes.deleted.iter().map(|gone| tombstone(gone, Dates::Iso)).collect();
    let shown = super::settings::cut(&all, page);
    success(json!({ "messages": shown, "count": shown.len(), "offset": page.offset, "total": all.len() }))
}

async fn search(call: Call) -> Outcome {
    let need = |name: &'static str| {
        call.param(name).ok_or_else(|| {
            let reason = format!("The required \"{name}\" query param is missing.");
            Refused::meteor(&format!("error-{name}-param-not-provided"), &reason)
        })
    };
    let (room, text) = (need("roomId")?, need("searchText")?);
    let page = call.page()?;
    let found = call.chat().search_messages(call.actor()?, Some(&room_id(room)?), text, page).await?;
    let items = seen_all(call.chat(), &call.actor()?.user, &found.messages, Dates::Iso).await?;
    let mut answer = json!({ "messages": items });
    // Beyond Rocket.Chat: time ran out, and there may be older ones.
    if found.partial {
        answer["partial"] = true.into();
    }
    success(answer)
}

/// What came in the very moment counts as later: whoever has one message of a millisecond may lack the next, and one that
/// comes again is kept once.
pub(crate) fn at_or_after(since: Time) -> Time {
    Time(since.millis().saturating_sub(1))
}

async fn sync(call: Call) -> Outcome {
    let room = call.param("roomId").ok_or_else(|| Refused::missing("roomId"))?;
    let kind = call.param("type");
    if kind.is_some_and(|kind| !matches!(kind, "UPDATED" | "DELETED")) {
        return Err(Refused::invalid_params("must be equal to one of the allowed values"));
    }
    let since = call.param("lastUpdate");
    if kind.is_none() && since.is_none() {
        let reason = "The \"type\" or \"lastUpdate\" parameters must be provided";
        return Err(Refused::meteor("error-param-required", reason));
    }
    let since = match since.map(moment) {
        Some(None) => {
            let reason = "The \"lastUpdate\" query parameter must be a valid date.";
            return Err(Refused::meteor("error-lastUpdate-param-invalid", reason));
        }
        since => since.flatten(),
    };
    let room = room_id(room).map_err(|_| not_synced(Refusal::NotFound(What::Room)))?;
    let (next, previous) = (call.param("next").is_some(), call.param("previous").is_some());
    if next && previous {
        let reason = "You cannot provide both \"next\" and \"previous\" parameters";
        return Err(Refused::meteor("error-cursor-conflict", reason));
    }
    if (next || previous) && since.is_some() {
        let reason = "The attributes \"next\", \"previous\" and \"lastUpdate\" cannot be used together";
        return Err(Refused::meteor("error-cursor-and-lastUpdate-conflict", reason));
    }
    if let (Some(kind), None) = (kind, since) {
        return sync_by_cursor(&call, &room, kind).await;
    }
    let since = at_or_after(since.unwrap_or_default());
    let mut changes = call.chat().changes_since(call.actor()?, &room, since).await.map_err(not_synced)?;
    changes.updated.reverse();
    let updated = seen_all(call.chat(), &call.actor()?.user, &changes.updated, Dates::Iso).await?;
    let deleted: Vec<Value> = changes.deleted.iter().map(|gone| tombstone(gone, Dates::Iso)).collect();
    success(json!({ "result": { "updated": updated, "deleted": deleted } }))
}

fn not_synced(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        other => other.into(),
    }
}

/// By pages of one kind: the cursor is a time in milliseconds, and a page never ends between two of the same time.
async fn sync_by_cursor(call: &Call, room: &RoomId, kind: &str) -> Outcome {
    let cursor = |name| match call.param(name) {
        None => Ok(None),
        Some(text) => text.parse::<i64>().map(|ms| Some(Time(ms))).map_err(|_| {
            Refused::meteor(
                "error-invalid-params",
                &format!("The \"{name}\" query parameter must be a number."),
            )
        }),
    };
    let (next, previous) = (cursor("next")?, cursor("previous")?);
    let since = next.unwrap_or_default();
    let count = usize::try_from(call.page()?.count).unwrap_or(50).max(1);
    let changes = call.chat().changes_since(call.actor()?, room, since).await.map_err(not_synced)?;
    let Changes { updated, deleted } = changes;
    match kind {
        "UPDATED" => {
            let (shown, cursor) = page_of(updated, count, |m| m.updated_at, previous);
            let items = seen_all(call.chat(), &call.actor()?.user, &shown, Dates::Iso).await?;
            success(json!({ "result": { "updated": items, "cursor": cursor } }))
        }
        _ => {
            let (shown, cursor) = page_of(deleted, count, |gone| gone.at, previous);
            let items: Vec<Value> = shown.iter().map(|gone| tombstone(gone, Dates::Iso)).collect();
            success(json!({ "result": { "deleted": items, "cursor": cursor } }))
        }
    }
}

/// The first `count` (and those of the same moment as the last of them), with the cursor behind them.
fn page_of<T>(mut all: Vec<T>, count: usize, at: fn(&T) -> Time, before: Option<Time>) -> (Vec<T>, Value) {
    if let Some(before) = before {
        all.retain(|one| at(one) < before);
        let cut = all.len().saturating_sub(count);
        let first = all.get(cut).map(|one| at(one).millis().to_string()).filter(|_| cut > 0);
        let last = all.last().map(|one| at(one).millis().to_string());
        return (all.split_off(cut), json!({ "next": last, "previous": first }));
    }
    let mut end = count.min(all.len());
    while end > 0 && end < all.len() && at(&all[end]) == at(&all[end - 1]) {
        end += 1;
    }
    let more = end < all.len();
    all.truncate(end);
    let next = all.last().map(|one| at(one).millis().to_string()).filter(|_| more);
    let previous = all.first().map(|one| at(one).millis().to_string());
    (all, json!({ "next": next, "previous": previous }))
}

/// A date parameter that must be there and be one, in the words of the threads' routes.
pub(crate) fn updated_since(call: &Call) -> Result<Time, Refused> {
    let code = "error-updatedSince-param-invalid";
    let text = call
        .param("updatedSince")
        .ok_or_else(|| Refused::meteor(code, "The required param \"updatedSince\" is missing."))?;
    date::read_text(text)
        .ok_or_else(|| Refused::meteor(code, "The \"updatedSince\" query parameter must be a valid date."))
}

/// The message that a query names, as an id.
pub(crate) fn named_message(call: &Call, name: &str, missing: Refused) -> Result<MessageId, Refused> {
    message_id(call.param(name).ok_or(missing)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_changes_never_ends_between_two_of_the_same_time() {
        let at = |t: &i64| Time(*t);
        let (shown, cursor) = page_of(vec![1, 2, 2, 2, 3], 2, at, None);
        assert_eq!(shown, [1, 2, 2, 2]);
        assert_eq!(cursor, json!({ "next": "2", "previous": "1" }));
        let (shown, cursor) = page_of(vec![3], 2, at, None);
        assert_eq!((shown.len(), &cursor["next"]), (1, &Value::Null));
        let (shown, cursor) = page_of(vec![1, 2, 3], 1, at, Some(Time(3)));
        assert_eq!(shown, [2]);
        assert_eq!(cursor, json!({ "next": "2", "previous": "2" }));
        assert_eq!(page_of(Vec::<i64>::new(), 2, at, None).1, json!({ "next": null, "previous": null }));
    }
}

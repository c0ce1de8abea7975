//! `subscriptions.*`: the caller's places in rooms.

use std::sync::Arc;

use parlor_core::{
    chat::Chat,
    clock::Time,
    error::{Refusal, What},
    id::{MessageId, RoomId},
    rooms::{Bring, Mine, MyRooms},
    session::Actor,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, refuse};
use crate::{
    call::{Call, success},
    date::{Dates, read_text},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape::{
        room::People,
        subscription::{removed, subscription},
    },
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("subscriptions.get", Who::User, " ", get_all),
        get("subscriptions.getOne", Who::User, "roomId=$private", get_one),
        post("subscriptions.read", Who::Member, r#"{"rid":"$private"}"#, read),
        post("subscriptions.unread", Who::Member, r#"{"firstUnreadMessage":{"_id":"$message"}}"#, unread)
            .answering("error-action-not-allowed"),
    ]
}

/// The moment in `updatedSince`.
pub(crate) fn updated_since(call: &Call) -> Result<Option<Time>, Refused> {
    let Some(text) = call.param("updatedSince") else { return Ok(None) };
    read_text(text).map(Some).ok_or_else(|| {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        Refused::meteor("error-updatedSince-param-invalid", text)
    })
}

async fn get_all(call: Call) -> Outcome {
    let since = updated_since(&call)?;
    let (update, remove) = my_subscriptions(call.chat(), call.actor()?, since, Dates::Iso).await?;
    success(json!({ "update": update, "remove": remove }))
}

/// The actor's subscriptions and what is left of ended ones.
pub(crate) async fn my_subscriptions(
    chat: &Arc<Chat>,
    actor: &Actor,
    since: Option<Time>,
    dates: Dates,
) -> Result<(Vec<Value>, Vec<Value>), Refused> {
    let MyRooms { items, removed: gone } = chat.my_rooms(actor, since, Bring::Unread).await?;
    let people = people_of(chat, &items).await?;
    let settings = chat.settings();
    let update = items.iter().map(|mine| subscription(mine, &people, &settings, dates)).collect();
    Ok((update, gone.iter().map(|gone| removed(gone, false, dates)).collect()))
}

/// Whom subscriptions name: their holders, and the others of direct rooms.
pub(crate) async fn people_of(chat: &Chat, all: &[Mine]) -> Result<People, Refusal> {
    let mut named = Vec::new();
    for mine in all {
        named.push(mine.membership.user.clone());
        named.extend(mine.view.room.direct.iter().cloned());
    }
    People::with(chat, named).await
}

async fn get_one(call: Call) -> Outcome {
    let id = call.need("roomId")?;
    let mine = match RoomId::parse(id) {
        Some(id) => call.chat().my_room(call.actor()?, &id).await?,
        None => None,
    };
    let value = match mine {
        Some(mine) => {
            let people = people_of(call.chat(), std::slice::from_ref(&mine)).await?;
            without_empty_threads(subscription(&mine, &people, &call.chat().settings(), Dates::Iso))
        }
        None => Value::Null,
    };
    success(json!({ "subscription": value }))
}

/// Asked for one place, clients know that no thread is unread by the list not being there. (In lists and live updates
/// the empty one stays: they are laid over what a client knew before.)
fn without_empty_threads(mut subscription: Value) -> Value {
    if let Value::Object(object) = &mut subscription {
        let empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
        object.retain(|key, value| !(key.starts_with("tunread") && empty(value)));
    }
    subscription
}

fn refuse_reading(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotMember | Refusal::NotFound(What::Room | What::Membership) => {
            Refused::meteor("error-invalid-subscription", "Invalid subscription")
        }
        Refusal::NotFound(What::Message) => {
            Refused::meteor("error-no-message-for-unread", "There are no messages to mark unread")
        }
        Refusal::Invalid { .. } => Refused::meteor("error-action-not-allowed", "Not allowed"),
        other => refuse(other),
    }
}

fn room_id(text: &str) -> Result<RoomId, Refused> {
    RoomId::parse(text).ok_or_else(|| refuse_reading(Refusal::NotMember))
}

async fn read(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = match (body.text("rid")?, body.text("roomId")?) {
        (Some(id), None) | (None, Some(id)) => id,
        (None, None) => return Err(Refused::missing("rid")),
        (Some(_), Some(_)) => return Err(Refused::invalid_params("must match exactly one schema in oneOf")),
    };
    let threads = body.flag("readThreads")?.unwrap_or_default();
    let unknown = || Refused::new("error-invalid-subscription");
    let room = RoomId::parse(id).ok_or_else(unknown)?;
    let done = call.chat().read_room(call.actor()?, &room, threads).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotMember | Refusal::NotFound(What::Room | What::Membership) => unknown(),
        other => refuse_reading(other),
    })?;
    success(Value::Null)
}

async fn unread(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let actor = call.actor()?;
    let done = match body.get("firstUnreadMessage") {
        Some(Value::Object(message)) => {
            let id = message.get("_id").and_then(Value::as_str).and_then(MessageId::parse);
            let id = id.ok_or_else(|| Refused::invalid_params("must be string"))?;
            call.chat().mark_unread_from(actor, &id).await
        }
        Some(_) => return Err(Refused::invalid_params("must be object")),
        None => call.chat().mark_unread_newest(actor, &room_id(body.need("roomId")?)?).await,
    };
    done.map_err(refuse_reading)?;
    success(Value::Null)
}

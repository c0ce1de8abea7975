//! `im.*`, also called `dm.*`: direct rooms.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, State},
    room::{Room, RoomKind},
    room_settings::RoomChange,
    rooms::{RoomRef, Scope},
    store::RoomFilter,
};
use serde_json::{Value, json};

use super::{
    channels::{answer_counters, answer_list},
    channels_members::answer_members,
    rooms_call::{Body, list_filter, refuse},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    ["im", "dm"].into_iter().flat_map(under).collect()
}

fn under(prefix: &'static str) -> Vec<Route> {
    let path = |name: &str| format!("{prefix}.{name}");
    let admin = Who::May(&["view-room-administration"]);
    vec![
        post(&path("create"), Who::User, r#"{"username":"$username"}"#, create),
        get(&path("list"), Who::User, " ", |call| list(call, Scope::Mine)),
        get(&path("list.everyone"), admin, " ", |call| list(call, Scope::All)),
        get(&path("counters"), Who::Reader, "roomId=$direct", counters),
        get(&path("members"), Who::Reader, "roomId=$direct", members),
        post(&path("open"), Who::Member, r#"{"roomId":"$direct"}"#, open),
        post(&path("close"), Who::Member, r#"{"roomId":"$direct"}"#, close).answering("is already closed"),
        post(&path("delete"), Who::Holder(&["delete-d"]), r#"{"roomId":"$direct"}"#, delete),
        post(&path("setTopic"), Who::Member, r#"{"roomId":"$direct","topic":"t"}"#, set_topic),
        post(&path("blockUser"), Who::Member, r#"{"roomId":"$direct","block":true}"#, block),
    ]
}

fn invalid() -> Refused {
    Refused::meteor("invalid-channel", "")
}

/// The caller's direct room of this id, or the one with this user.
pub(super) async fn find(call: &Call, id: Option<&str>, name: Option<&str>) -> Result<Arc<Room>, Refused> {
    let actor = call.actor()?;
    let (id, name) = (id.filter(|t| !t.is_empty()), name.filter(|t| !t.is_empty()));
    let found = match (id, name) {
        (Some(id), _) => call.chat().find_room(actor, RoomRef::Id(id)).await,
        (None, Some(name)) => {
            call.chat().direct_room(actor, &[name.to_owned()], false).await.map(|(room, _)| room)
        }
        (None, None) => {
            let text = "Query param \"roomId\" or \"username\" is required";
            return Err(Refused::meteor("error-room-param-not-provided", text));
        }
    };
    match found {
        Ok(room) if room.is_direct() => Ok(room),
        Ok(_) | Err(Refusal::NotFound(_)) => Err(invalid()),
        Err(other) => Err(refuse(other)),
    }
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let usernames: Vec<String> = match (body.text("username")?, body.get("usernames")) {
        (Some(name), _) => vec![name.to_owned()],
        (None, Some(Value::String(names))) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        (None, Some(Value::Array(items))) => super::rooms_call::texts(items)?,
        (None, Some(_)) => return Err(Refused::invalid_params("must be string")),
        (None, None) => {
            let text = "must have required property 'username'\n must have required property 'usernames'\n must match exactly one schema in oneOf";
            return Err(Refused::invalid_params(text));
        }
    };
    let without_me = body.flag("excludeSelf")?.unwrap_or_default();
    let made = call.chat().direct_room(call.actor()?, &usernames, without_me).await;
    let (room, _) = made.map_err(refuse)?;
    success(json!({ "room": with_rid(&call, &room).await? }))
}

/// A direct room with its id under the name that clients read it by.
async fn with_rid(call: &Call, room: &Arc<Room>) -> Result<Value, Refused> {
    let mut value = shape::room::current(call.chat(), call.actor()?, room, Dates::Iso).await?;
    value["rid"] = room.id.as_str().into();
    Ok(value)
}

async fn list(call: Call, scope: Scope) -> Outcome {
    let filter = RoomFilter { kinds: vec![RoomKind::Direct], ..list_filter(&call)? };
    let page = call.page()?;
    let found = call.chat().list_rooms(call.actor()?, scope, filter, page).await?;
    answer_list(&call, "ims", page.offset, &found).await
}

async fn counters(call: Call) -> Outcome {
    let actor = call.actor()?;
    let room = match (call.param("userId"), call.param("roomId")) {
        // Somebody else's numbers are for administrators, who need not be in the room.
        (Some(_), Some(id)) if call.chat().may(actor, "view-room-administration", None).await? => {
            call.chat().find_known_room(actor, RoomRef::Id(id)).await.map_err(|_| invalid())?
        }
        (_, id) => find(&call, id, call.param("username")).await?,
    };
    answer_counters(&call, &room).await
}

async fn members(call: Call) -> Outcome {
    let room = find(&call, call.param("roomId"), call.param("username")).await?;
    answer_members(&call, &room).await
}

async fn named(call: &Call, body: &Body) -> Result<Arc<Room>, Refused> {
    find(call, body.text("roomId")?, body.text("username")?).await
}

async fn open(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("roomId")?;
    // A room that the caller is not in and one that does not exist are the same to him.
    let room = named(&call, &body).await.map_err(|_| Refused::unauthorized())?;
    match call.chat().open_room(call.actor()?, &room.id, true).await {
        Err(Refusal::State(State::AlreadyOpen)) => {}
        done => done.map_err(refuse)?,
    }
    success(Value::Null)
}

async fn close(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = named(&call, &body).await?;
    match call.chat().open_room(call.actor()?, &room.id, false).await {
        Err(Refusal::State(State::AlreadyClosed)) => {
            let name = room.id.as_str();
            Err(Refused::new(format!("The direct message room, {name}, is already closed to the sender")))
        }
        done => {
            done.map_err(refuse)?;
            success(Value::Null)
        }
    }
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = match body.text("roomId")? {
        Some(id) => id.to_owned(),
        None => named(&call, &body).await?.id.to_string(),
    };
    let done = call.chat().remove_room(call.actor()?, RoomRef::Id(&id)).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => invalid(),
        other => refuse(other),
    })?;
    success(Value::Null)
}

async fn set_topic(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let topic = body.need("topic")?.to_owned();
    let room = named(&call, &body).await?;
    let change = [RoomChange::Topic(topic.clone())];
    call.chat().change_room(call.actor()?, RoomRef::Id(&room.id), &change).await.map_err(refuse)?;
    success(json!({ "topic": topic }))
}

async fn block(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = find(&call, Some(body.need("roomId")?), None).await?;
    let on = body.flag("block")?.ok_or_else(|| Refused::missing("block"))?;
    let actor = call.actor()?;
    let other = room.direct.iter().find(|id| **id != actor.user).ok_or_else(invalid)?;
    call.chat().block(actor, &room.id, other, on).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => invalid(),
        other => refuse(other),
    })?;
    success(Value::Null)
}

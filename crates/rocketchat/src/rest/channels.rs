//! `channels.*` and `groups.*`: making, finding, listing.

use std::sync::Arc;

use parlor_core::{
    error::Refusal,
    json::Json,
    room::{Room, RoomView},
    rooms::{RoomRef, Scope},
    rooms_create::NewRoom,
    store::Paged,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, Family, list_filter, projected, refuse, texts};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let mut all: Vec<Route> = [Family::Channels, Family::Groups].into_iter().flat_map(of_family).collect();
    all.push(get("channels.list.joined", Who::User, " ", |call| list(Family::Channels, call, Scope::Mine)));
    let admin = Who::May(&["view-room-administration"]);
    all.push(get("groups.listAll", admin, " ", |call| list(Family::Groups, call, Scope::All)));
    all
}

fn of_family(f: Family) -> Vec<Route> {
    let may_create = f.pick(Who::May(&["create-c"]), Who::May(&["create-p"]));
    let scope = f.pick(Scope::Visible, Scope::Mine);
    vec![
        post(&f.path("create"), may_create, r#"{"name":"$name"}"#, move |call| create(f, call)),
        get(&f.path("info"), Who::Reader, f.pick("roomId=$public", "roomId=$private"), move |call| {
            info(f, call)
        }),
        get(&f.path("list"), Who::User, " ", move |call| list(f, call, scope)),
        post(
            &f.path("delete"),
            f.pick(Who::MayInRoom(&["delete-c"]), Who::MayInRoom(&["delete-p"])),
            f.pick(r#"{"roomId":"$public"}"#, r#"{"roomId":"$private"}"#),
            move |call| delete(f, call),
        ),
        get(&f.path("counters"), Who::Reader, f.pick("roomId=$public", "roomId=$private"), move |call| {
            counters(f, call)
        }),
    ]
}

async fn create(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let wanted = new_room(f, &body)?;
    let room = call.chat().create_room(call.actor()?, wanted).await.map_err(refuse_creation)?;
    f.answer(&call, &room).await
}

fn refuse_creation(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("create-team-group") => Refused::meteor("error-not-allowed", "Not allowed"),
        Refusal::NotAllowed(_) => Refused::unauthorized(),
        other => refuse(other),
    }
}

fn new_room(f: Family, body: &Body) -> Result<NewRoom, Refused> {
    let name = match body.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => return Err(Refused::new("Param \"name\" is required")),
    };
    let mut wanted = NewRoom::new(f.kind(), name);
    wanted.members = match body.get("members") {
        None => Vec::new(),
        Some(Value::Array(items)) => texts(items)?,
        Some(_) => return Err(Refused::new("Param \"members\" must be an array if provided")),
    };
    wanted.custom_fields = match body.get("customFields") {
        None => Json::object(),
        Some(fields @ Value::Object(_)) => Json::new(fields.to_string()),
        Some(_) => return Err(Refused::new("Param \"customFields\" must be an object if provided")),
    };
    wanted.read_only = body.flag("readOnly")?.unwrap_or_default();
    wanted.without_me = body.flag("excludeSelf")?.unwrap_or_default();
    let extra = match body.get("extraData") {
        None => return Ok(wanted),
        Some(Value::Object(extra)) => Body(extra.clone()),
        Some(_) => return Err(Refused::invalid_params("must be object")),
    };
    wanted.broadcast = extra.flag("broadcast")?.unwrap_or_default();
    wanted.encrypted = extra.flag("encrypted")?;
    wanted.topic = extra.text("topic")?.unwrap_or_default().to_owned();
    wanted.team = extra.text("teamId")?.map(|team| team.into());
    Ok(wanted)
}

async fn info(f: Family, call: Call) -> Outcome {
    let room = f.asked(&call).await?;
    let value = seen(&call, &room).await?;
    success(json!({ f.key(): projected(&call, value)? }))
}

/// A room as the caller sees it: with his own star on the last message.
pub(crate) async fn seen(call: &Call, room: &Arc<Room>) -> Result<Value, Refused> {
    let view = call.chat().room_view(call.actor()?, room).await?;
    let people = shape::room::People::of_rooms(call.chat(), &[&view]).await?;
    let mut values = [shape::room::room(&view, &people, Dates::Iso)];
    shape::room::put_stars(call.chat(), &[&view], &call.actor()?.user, &mut values).await?;
    let [value] = values;
    Ok(value)
}

async fn list(f: Family, call: Call, scope: Scope) -> Outcome {
    let mut filter = list_filter(&call)?;
    filter.kinds = shape::room::kinds(f.pick("c", "p")).to_vec();
    if let Some(id) = call.param("_id") {
        filter.ids = Some(vec![id.into()]);
    }
    let page = call.page()?;
    let found = call.chat().list_rooms(call.actor()?, scope, filter, page).await?;
    answer_list(&call, f.plural(), page.offset, &found).await
}

/// A page of rooms under its key.
pub(crate) async fn answer_list(call: &Call, key: &str, offset: u64, found: &Paged<RoomView>) -> Outcome {
    let views: Vec<&RoomView> = found.items.iter().collect();
    let rooms = shape::room::rooms(call.chat(), &views, &call.actor()?.user, Dates::Iso).await?;
    success(json!({ "count": rooms.len(), key: rooms, "offset": offset, "total": found.total }))
}

async fn delete(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.named(&call, &body).await?;
    call.chat().remove_room(call.actor()?, RoomRef::Id(&room.id)).await.map_err(refuse)?;
    success(Value::Null)
}

async fn counters(f: Family, call: Call) -> Outcome {
    let room = f.asked(&call).await?;
    answer_counters(&call, &room).await
}

/// What a room counts for the caller, or for `userId`.
pub(crate) async fn answer_counters(call: &Call, room: &std::sync::Arc<parlor_core::room::Room>) -> Outcome {
    let actor = call.actor()?;
    let user = match call.param("userId") {
        Some(id) => super::rooms_call::user(call, Some(id), None).await?.id.clone(),
        None => actor.user.clone(),
    };
    let counters = call.chat().room_counters(actor, room, &user).await?;
    let date = |time: Option<_>| time.map_or(Value::Null, |time| Dates::Iso.value(time));
    success(json!({
        "joined": counters.joined, "members": counters.members, "unreads": counters.unread,
        "unreadsFrom": date(counters.unread_from), "msgs": counters.messages, "latest": date(counters.latest),
        "userMentions": counters.mentions,
    }))
}

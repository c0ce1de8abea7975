//! `rooms.*`: one room of whatever kind, and the caller's place in it.

use std::sync::Arc;

use parlor_core::{
    chat::Chat,
    clock::Time,
    error::{Refusal, State, What},
    id::RoomId,
    members_list::Member,
    room::{Room, RoomView},
    room_settings::RoomChange,
    rooms::{Bring, RoomRef},
    session::Actor,
    teams::TeamRef,
    user::Status,
};
use serde_json::{Value, json};

use super::{
    channels_members::{member, page_of_members, room_roles},
    rooms_call::{Body, any_room, projected, refuse, user, user_of},
    subscriptions::updated_since,
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
    let mute = Who::MayInRoom(&["mute-user"]);
    vec![
        get("rooms.get", Who::User, " ", get_all),
        get("rooms.info", Who::Reader, "roomId=$private", info),
        get("rooms.nameExists", Who::User, "roomName=general", name_exists),
        get("rooms.isMember", Who::Reader, "roomId=$private&userId=$user", is_member),
        get("rooms.roles", Who::Reader, "rid=$private", roles),
        get("rooms.membersOrderedByRole", Who::Reader, "roomId=$private", members_by_role),
        post("rooms.favorite", Who::Member, r#"{"roomId":"$private","favorite":true}"#, favourite),
        post("rooms.join", Who::User, r#"{"roomId":"$public"}"#, join),
        post("rooms.leave", Who::Member, r#"{"roomId":"$private"}"#, leave).answering("last-owner"),
        post("rooms.open", Who::Member, r#"{"roomId":"$private"}"#, open),
        post("rooms.hide", Who::Member, r#"{"roomId":"$private"}"#, hide),
        post("rooms.delete", Who::Holder(&["delete-c", "delete-p"]), r#"{"roomId":"$private"}"#, delete),
        post("rooms.muteUser", mute, r#"{"roomId":"$private","userId":"$user"}"#, |call| {
            mute_user(call, true)
        }),
        post("rooms.unmuteUser", mute, r#"{"roomId":"$private","userId":"$user"}"#, |call| {
            mute_user(call, false)
        }),
        post(
            "rooms.changeArchivationState",
            Who::Holder(&["archive-room"]),
            r#"{"rid":"$private","action":"archive"}"#,
            archive,
        ),
    ]
}

async fn get_all(call: Call) -> Outcome {
    let since = updated_since(&call)?;
    let (update, remove) = my_rooms(call.chat(), call.actor()?, since, Dates::Iso).await?;
    success(json!({ "update": update, "remove": remove }))
}

/// The rooms that the actor is in, and those he is not in any more.
pub(crate) async fn my_rooms(
    chat: &Arc<Chat>,
    actor: &Actor,
    since: Option<Time>,
    dates: Dates,
) -> Result<(Vec<Value>, Vec<Value>), Refused> {
    let found = chat.my_rooms(actor, since, Bring::LastMessages).await?;
    let views: Vec<&RoomView> = found.items.iter().map(|mine| &mine.view).collect();
    let update = shape::room::rooms(chat, &views, &actor.user, dates).await?;
    let there = |id: &RoomId| found.items.iter().any(|mine| mine.membership.room == *id);
    let gone = found.removed.iter().filter(|gone| !there(&gone.room));
    Ok((update, gone.map(|gone| shape::subscription::removed(gone, true, dates)).collect()))
}

async fn info(call: Call) -> Outcome {
    let room = any_room(&call, call.param("roomId"), call.param("roomName")).await?;
    let value = super::channels::seen(&call, &room).await?;
    let mut answer = json!({ "room": projected(&call, value)? });
    if let Some(rule) = retention(&call, &room).await? {
        answer["room"]["retention"] = rule;
    }
    let parent = match &room.parent {
        Some(parent) => call.chat().find_known_room(call.actor()?, RoomRef::Id(parent)).await.ok(),
        None => None,
    };
    let team = match &room.team {
        Some(team) if parent.is_none() => {
            call.chat().find_team(call.actor()?, TeamRef::Id(team.as_str())).await.ok()
        }
        _ => None,
    };
    if let Some(parent) = parent {
        answer["parent"] = brief(&parent);
    }
    if let Some(team) = team {
        if !room.team_main
            && let Ok(main) = call.chat().find_known_room(call.actor()?, RoomRef::Id(&team.room)).await
        {
            answer["parent"] = brief(&main);
        }
        answer["team"] = shape::team::brief(&team);
    }
    success(answer)
}

/// A room's own rule of how long messages stay, if it has one.
pub(super) async fn retention(call: &Call, room: &Room) -> Result<Option<Value>, Refused> {
    let rule = call.chat().room_retention(call.actor()?, &room.id).await?;
    Ok(rule.map(|rule| {
        json!({
            "enabled": rule.enabled, "overrideGlobal": rule.own, "maxAge": rule.days,
            "excludePinned": rule.keep_pinned, "filesOnly": rule.files_only, "ignoreThreads": rule.keep_threads,
        })
    }))
}

/// A room as another one refers to it.
fn brief(room: &Room) -> Value {
    let mut value = json!({
        "_id": room.id.as_str(), "name": room.name, "fname": room.shown_name(),
        "t": shape::room::letter(room.kind),
    });
    if let Some(parent) = &room.parent {
        value["prid"] = parent.as_str().into();
    }
    value["u"] = json!({ "_id": room.creator.as_str() });
    value
}

async fn name_exists(call: Call) -> Outcome {
    let name = call.need("roomName")?;
    success(json!({ "exists": call.chat().room_name_exists(call.actor()?, name).await? }))
}

async fn is_member(call: Call) -> Outcome {
    let (id, name) = (call.param("userId"), call.param("username"));
    let room = any_room(&call, call.param("roomId"), call.param("roomName")).await;
    // Rocket.Chat tells a closed room from an unknown one. Here the id's form decides, so that nobody learns which it is.
    let like_an_id = |id: &str| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let by_id = call.param("roomId").is_some_and(|id| !id.is_empty() && like_an_id(id));
    let room = room.map_err(|refused| if by_id { Refused::unauthorized() } else { refused })?;
    if id.is_none() && name.is_none() {
        return Err(Refused::invalid_params(
            "must have required property 'userId'\n must have required property 'username'\n must match exactly one schema in oneOf",
        ));
    }
    let user = user(&call, id, name).await.map_err(|_| Refused::new("error-user-not-found"))?;
    success(json!({ "isMember": call.chat().is_member(call.actor()?, &room, &user.id).await? }))
}

async fn roles(call: Call) -> Outcome {
    let room = any_room(&call, Some(call.need("rid")?), None).await?;
    success(json!({ "roles": room_roles(&call, &room).await? }))
}

async fn members_by_role(call: Call) -> Outcome {
    let room = any_room(&call, call.param("roomId"), call.param("roomName")).await;
    let asked = call.param("roomId").or(call.param("roomName")).is_some();
    let unknown = |refused: Refused| if asked { refused.not_found() } else { refused };
    answer_by_role(&call, &room.map_err(unknown)?).await
}

/// A page of a room's members with their roles there, owners first.
pub(crate) async fn answer_by_role(call: &Call, room: &Arc<Room>) -> Outcome {
    let page = call.page()?;
    let mut found = page_of_members(call, room, true).await?;
    if call.param("sort").is_none() {
        // Whoever is there comes before his equals who are not; who that is, no page of rows knows.
        let rank = |m: &Member| {
            let has = |role: &str| m.membership.roles.iter().any(|there| there.as_str() == role);
            let role = ["owner", "leader", "moderator"].iter().position(|role| has(role)).unwrap_or(3);
            (role, m.status == Status::Offline)
        };
        found.items.sort_by_key(rank);
    }
    let members: Vec<_> = found
        .items
        .iter()
        .map(|m| {
            let mut value = member(m);
            value["roles"] = m.membership.roles.iter().map(|role| role.as_str()).collect();
            value["subscription"] =
                json!({ "_id": m.membership.id.as_str(), "ts": Dates::Iso.value(m.membership.joined_at) });
            value
        })
        .collect();
    success(
        json!({ "count": members.len(), "members": members, "offset": page.offset, "total": found.total }),
    )
}

async fn favourite(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let Some(on) = body.flag("favorite")? else {
        return Err(Refused::new("The 'favorite' param is required"));
    };
    let room = any_room(&call, body.text("roomId")?, body.text("roomName")?).await?;
    call.chat().favour(call.actor()?, &room.id, Some(on)).await.map_err(refuse_own)?;
    success(Value::Null)
}

/// A refusal of what only members do.
pub(crate) fn refuse_own(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Membership) => {
            Refused::meteor("error-invalid-subscription", "You must be part of a room to do this")
        }
        other => refuse(other),
    }
}

async fn join(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let actor = call.actor()?;
    let wanted = match (body.text("roomId")?, body.text("roomName")?) {
        (Some(id), _) => RoomRef::Id(id),
        (None, Some(name)) => RoomRef::Name(name),
        (None, None) => return Err(Refused::missing("roomId")),
    };
    let room = call.chat().join(actor, wanted, body.text("joinCode")?).await.map_err(refuse)?;
    success(json!({ "room": shape::room::current(call.chat(), call.actor()?, &room, Dates::Iso).await? }))
}

async fn leave(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = any_room(&call, body.text("roomId")?, body.text("roomName")?).await?;
    call.chat().leave(call.actor()?, &room.id).await.map_err(refuse)?;
    success(Value::Null)
}

async fn open(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = any_room(&call, Some(body.need("roomId")?), None).await?;
    match call.chat().open_room(call.actor()?, &room.id, true).await {
        Err(Refusal::State(State::AlreadyOpen)) => {}
        done => done.map_err(refuse_own)?,
    }
    success(Value::Null)
}

async fn hide(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = any_room(&call, Some(body.need("roomId")?), None).await?;
    match call.chat().open_room(call.actor()?, &room.id, false).await {
        Err(Refusal::State(State::AlreadyClosed)) => return Err(Refused::new("error-room-already-hidden")),
        done => done.map_err(refuse_own)?,
    }
    success(Value::Null)
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = match body.text("roomId")? {
        Some(id) if !id.is_empty() => id,
        _ => return Err(Refused::new("The 'roomId' param is required")),
    };
    call.chat().remove_room(call.actor()?, RoomRef::Id(id)).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-room", "Invalid room"),
        other => refuse(other),
    })?;
    success(Value::Null)
}

async fn mute_user(mut call: Call, on: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = any_room(&call, Some(body.need("roomId")?), None).await?;
    let user = user_of(&call, &body).await?;
    call.chat().mute(call.actor()?, &room.id, &user.id, on).await.map_err(refuse)?;
    success(Value::Null)
}

async fn archive(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("rid")?;
    let on = match body.need("action")? {
        "archive" => true,
        "unarchive" => false,
        _ => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let done = call.chat().change_room(call.actor()?, RoomRef::Id(id), &[RoomChange::Archived(on)]).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-room", "Invalid room"),
        Refusal::NotAllowed(_) => Refused::meteor("error-not-authorized", "Not authorized"),
        other => refuse(other),
    })?;
    success(Value::Null)
}

//! `channels.*` and `groups.*`: who is in a room, who comes and goes, who holds which role.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, State},
    id::UserId,
    members_list::Member,
    room::Room,
    rooms::RoomRef,
    store::{MemberFilter, Paged},
    user::Status,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, Family, refuse, user_of};
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
    all.push(post("channels.join", Who::User, r#"{"roomId":"$public"}"#, join));
    all
}

const ROOM: [&str; 2] = [r#"{"roomId":"$public"}"#, r#"{"roomId":"$private"}"#];
const ROOM_AND_USER: [&str; 2] =
    [r#"{"roomId":"$public","userId":"$user"}"#, r#"{"roomId":"$private","userId":"$user"}"#];
const QUERY: [&str; 2] = ["roomId=$public", "roomId=$private"];

fn of_family(f: Family) -> Vec<Route> {
    let at = |samples: [&'static str; 2]| f.pick(samples[0], samples[1]);
    let add =
        Who::MayInRoom(&["add-user-to-joined-room", "add-user-to-any-c-room", "add-user-to-any-p-room"]);
    let mut all = vec![
        post(&f.path("invite"), add, at(ROOM_AND_USER), move |call| invite(f, call)),
        post(&f.path("addAll"), Who::MayInRoom(&["add-all-to-room"]), at(ROOM), move |call| add_all(f, call)),
        post(&f.path("kick"), Who::MayInRoom(&["remove-user"]), at(ROOM_AND_USER), move |call| kick(f, call)),
        post(&f.path("leave"), Who::Member, at(ROOM), move |call| leave(f, call)).answering("last-owner"),
        post(&f.path("open"), Who::Member, at(ROOM), move |call| open(f, call, true))
            .answering("is already open to the sender"),
        post(&f.path("close"), Who::Member, at(ROOM), move |call| open(f, call, false)),
        get(&f.path("members"), Who::Reader, at(QUERY), move |call| members(f, call)),
        get(
            &f.path("online"),
            Who::Reader,
            f.pick(r#"query={"_id":"$public"}"#, r#"query={"_id":"$private"}"#),
            move |call| online(f, call),
        ),
        get(&f.path("moderators"), Who::Reader, at(QUERY), move |call| moderators(f, call)),
        get(&f.path("roles"), Who::Reader, at(QUERY), move |call| roles(f, call)),
    ];
    for (role, title, permission) in [
        ("owner", "Owner", &["set-owner"]),
        ("moderator", "Moderator", &["set-moderator"]),
        ("leader", "Leader", &["set-leader"]),
    ] {
        for (word, given) in [("add", true), ("remove", false)] {
            let path = f.path(&format!("{word}{title}"));
            let change = move |call| set_role(f, call, role, given);
            let none = if given { "" } else { "error-user-not-" };
            all.push(post(&path, Who::MayInRoom(permission), at(ROOM_AND_USER), change).answering(none));
        }
    }
    all
}

async fn join(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = Family::Channels.living(&call, &body).await?;
    let code = body.text("joinCode")?;
    let room = call.chat().join(call.actor()?, RoomRef::Id(&room.id), code).await.map_err(refuse)?;
    Family::Channels.answer(&call, &room).await
}

async fn invite(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.living(&call, &body).await?;
    let users = users_of(&call, &body).await?;
    let room = call.chat().add_members(call.actor()?, &room.id, &users).await.map_err(refuse)?;
    f.answer(&call, &room).await
}

/// One user or several.
async fn users_of(call: &Call, body: &Body) -> Result<Vec<UserId>, Refused> {
    let (ids, names) = (body.list("userIds")?, body.list("usernames")?.or(body.list("users")?));
    if ids.is_none() && names.is_none() {
        return Ok(vec![user_of(call, body).await?.id.clone()]);
    }
    let (ids, names) = (ids.unwrap_or_default(), names.unwrap_or_default());
    if ids.len() + names.len() > parlor_core::rooms::MAX_USERS {
        return Err(Refused::invalid_params("must NOT have more than 1000 items"));
    }
    let mut users = Vec::new();
    for id in &ids {
        users.push(super::rooms_call::user(call, Some(id), None).await?.id.clone());
    }
    for name in &names {
        users.push(super::rooms_call::user(call, None, Some(name)).await?.id.clone());
    }
    Ok(users)
}

async fn add_all(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.living(&call, &body).await?;
    let only_active = body.flag("activeUsersOnly")?.unwrap_or_default();
    let room = call.chat().add_everybody(call.actor()?, &room.id, only_active).await.map_err(refuse)?;
    f.answer(&call, &room).await
}

async fn kick(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = match f.named(&call, &body).await {
        // Holders of `kick-user-from-any-p-room` remove people from groups that they don't read.
        Err(unknown) => match body.text("roomId")?.and_then(parlor_core::id::RoomId::parse) {
            Some(id) => {
                let user = user_of(&call, &body).await?;
                let kicked = call.chat().kick(call.actor()?, &id, &user.id).await;
                return match kicked {
                    Err(Refusal::NotFound(parlor_core::error::What::Room) | Refusal::NotAllowed(_)) => {
                        Err(unknown)
                    }
                    done => f.answer(&call, &done.map_err(refuse)?).await,
                };
            }
            None => return Err(unknown),
        },
        room => room?,
    };
    let user = user_of(&call, &body).await?;
    let room = call.chat().kick(call.actor()?, &room.id, &user.id).await.map_err(refuse)?;
    f.answer(&call, &room).await
}

async fn leave(f: Family, mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.named(&call, &body).await?;
    let room = call.chat().leave(call.actor()?, &room.id).await.map_err(refuse)?;
    f.answer(&call, &room).await
}

async fn open(f: Family, mut call: Call, on: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.named(&call, &body).await?;
    let name = room.shown_name();
    match call.chat().open_room(call.actor()?, &room.id, on).await {
        Ok(()) => success(Value::Null),
        Err(Refusal::NotFound(_)) => {
            Err(Refused::new(format!("The user/callee is not in the {} \"{name}\".", f.word())))
        }
        Err(Refusal::State(State::AlreadyOpen)) => {
            Err(Refused::new(format!("The {}, {name}, is already open to the sender", f.word())))
        }
        Err(Refusal::State(State::AlreadyClosed)) => {
            Err(Refused::new(format!("The {}, {name}, is already closed to the sender", f.word())))
        }
        Err(other) => Err(refuse(other)),
    }
}

async fn members(f: Family, call: Call) -> Outcome {
    let room = f.asked(&call).await?;
    answer_members(&call, &room).await
}

/// A page of a room's members, by `filter`, `status[]` and `sort` of user names.
pub(crate) async fn answer_members(call: &Call, room: &Arc<Room>) -> Outcome {
    let page = call.page()?;
    let found = page_of_members(call, room, false).await?;
    let members: Vec<_> = found.items.iter().map(member).collect();
    success(
        json!({ "count": members.len(), "members": members, "offset": page.offset, "total": found.total }),
    )
}

pub(crate) async fn page_of_members(
    call: &Call,
    room: &Arc<Room>,
    by_role: bool,
) -> Result<Paged<Member>, Refused> {
    let sort = call.json_param("sort")?.unwrap_or_default();
    let falls = |keys: &[&str]| {
        keys.iter().find_map(|key| sort.get(key)).and_then(Value::as_f64).is_some_and(|way| way < 0.0)
    };
    let filter = MemberFilter {
        text: call.param("filter").unwrap_or_default().to_owned(),
        descending: falls(&["username", "name"]),
        by_rank: by_role.then(|| falls(&["rolePriority"])),
        ..MemberFilter::default()
    };
    let words = call.list("status");
    let status: Vec<Status> = words.iter().filter_map(|word| Status::from_word(word)).collect();
    if status.is_empty() && !words.is_empty() {
        // Nobody has a status that there is not.
        return Ok(Paged { items: Vec::new(), total: 0 });
    }
    Ok(call.chat().members(call.actor()?, room, filter, &status, call.page()?).await?)
}

/// A member as lists show one.
pub(crate) fn member(member: &Member) -> Value {
    let mut value = shape::user::member(&member.user, member.status);
    value["_updatedAt"] = Dates::Iso.value(member.user.updated_at);
    value
}

async fn online(f: Family, call: Call) -> Outcome {
    let query = match call.json_param("query")? {
        Some(Value::Object(query)) if !query.is_empty() => query,
        _ => match call.param("_id") {
            Some(id) => serde_json::Map::from_iter([("_id".to_owned(), id.into())]),
            None => return Err(Refused::new("Invalid query")),
        },
    };
    let Some(id) = query.get("_id").and_then(Value::as_str) else {
        return Err(Refused::new("Invalid query"));
    };
    let unknown = |_| match f {
        Family::Channels => Refused::new("Channel does not exists"),
        Family::Groups => Refused::meteor("error-not-allowed", "Not Allowed"),
    };
    let room = f.find(&call, Some(id), None).await.map_err(unknown)?;
    let members = call.chat().online_members(call.actor()?, &room).await.map_err(refuse)?;
    let online: Vec<_> =
        members.iter().map(|m| json!({ "_id": m.user.id.as_str(), "username": m.user.username })).collect();
    success(json!({ "online": online }))
}

async fn moderators(f: Family, call: Call) -> Outcome {
    let room = f.asked(&call).await?;
    let members = call.chat().members_with_roles(call.actor()?, &room).await?;
    let moderators: Vec<_> = members
        .iter()
        .filter(|m| m.membership.has_role("moderator"))
        .map(|m| json!({ "_id": m.user.id.as_str(), "username": m.user.username, "name": m.user.shown_name() }))
        .collect();
    success(json!({ "moderators": moderators }))
}

async fn roles(f: Family, call: Call) -> Outcome {
    let room = f.asked(&call).await?;
    success(json!({ "roles": room_roles(&call, &room).await? }))
}

/// Who holds a role in the room, by user name.
pub(crate) async fn room_roles(call: &Call, room: &Arc<Room>) -> Result<Value, Refused> {
    let members = call.chat().members_with_roles(call.actor()?, room).await?;
    Ok(members.iter().map(role_entry).collect())
}

pub(crate) fn role_entry(member: &Member) -> Value {
    let (m, user) = (&member.membership, &member.user);
    json!({
        "_id": m.id.as_str(), "rid": m.room.as_str(),
        "u": { "_id": user.id.as_str(), "username": user.username, "name": user.shown_name() },
        "roles": m.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
    })
}

async fn set_role(f: Family, mut call: Call, role: &'static str, given: bool) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = f.living(&call, &body).await?;
    let user = user_of(&call, &body).await?;
    let done = call.chat().set_room_role(call.actor()?, &room.id, &user.id, role, given).await;
    done.map_err(|refusal| refuse_role(refusal, role))?;
    success(Value::Null)
}

/// A refusal in the words for this role.
pub(crate) fn refuse_role(refusal: Refusal, role: &str) -> Refused {
    let a = if role == "owner" { "an" } else { "a" };
    match refusal {
        Refusal::State(State::HasRole) => {
            Refused::meteor(&format!("error-user-already-{role}"), &format!("User is already {a} {role}"))
        }
        Refusal::State(State::LacksRole) => {
            Refused::meteor(&format!("error-user-not-{role}"), &format!("User is not {a} {role}"))
        }
        Refusal::State(State::LastOwner) => Refused::meteor(
            "error-remove-last-owner",
            "This is the last owner. Please set a new owner before removing this one.",
        ),
        other => refuse(other),
    }
}

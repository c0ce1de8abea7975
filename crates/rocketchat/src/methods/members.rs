//! Methods about members: coming, going, roles, and what members decide for themselves.

use parlor_core::{
    error::{Refusal, State, What},
    id::{RoomId, UserId},
    rooms::RoomRef,
    store::{MemberFilter, Page},
    user::{Status, User},
};
use serde_json::{Value, json};
use std::sync::Arc;

use super::rooms::{invalid_room, object, refuse_method, room_id};
use crate::{
    method::{Answer, Invocation, Method, method},
    refusal::Refused,
    rest::{
        channels_members::{refuse_role, role_entry},
        rooms_call::Body,
    },
    shape,
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    let mute = Who::Holder(&["mute-user"]);
    let add =
        Who::MayInRoom(&["add-user-to-joined-room", "add-user-to-any-c-room", "add-user-to-any-p-room"]);
    let mut all = vec![
        method("joinRoom", Who::User, r#"["$public"]"#, join),
        method("leaveRoom", Who::Member, r#"["$private"]"#, leave).answering("last-owner"),
        method("openRoom", Who::Member, r#"["$private"]"#, |call| open(call, true)),
        method("hideRoom", Who::Member, r#"["$private"]"#, |call| open(call, false)),
        method("toggleFavorite", Who::Member, r#"["$private",true]"#, favourite),
        method("addUsersToRoom", add, r#"[{"rid":"$private","users":["$username"]}]"#, add_users),
        method("addUserToRoom", add, r#"[{"rid":"$private","username":"$username"}]"#, add_user),
        method("addAllUserToRoom", Who::Holder(&["add-all-to-room"]), r#"["$private"]"#, add_all),
        method(
            "removeUserFromRoom",
            Who::MayInRoom(&["remove-user"]),
            r#"[{"rid":"$private","username":"$username"}]"#,
            remove,
        ),
        method("muteUserInRoom", mute, r#"[{"rid":"$private","username":"$username"}]"#, |call| {
            mute_user(call, true)
        }),
        method("unmuteUserInRoom", mute, r#"[{"rid":"$private","username":"$username"}]"#, |call| {
            mute_user(call, false)
        }),
        method("blockUser", Who::Member, r#"[{"rid":"$direct","blocked":"$other"}]"#, |call| {
            block(call, true)
        }),
        method("unblockUser", Who::Member, r#"[{"rid":"$direct","blocked":"$other"}]"#, |call| {
            block(call, false)
        })
        .answering("not-allowed"),
        method("ignoreUser", Who::Member, r#"[{"rid":"$private","userId":"$user","ignore":true}]"#, ignore),
        method("getUsersOfRoom", Who::Reader, r#"["$private",true]"#, users_of_room),
        method("getRoomRoles", Who::Reader, r#"["$private"]"#, roles),
        method("joinDefaultChannels", Who::User, "[]", join_default),
    ];
    for (add, remove, role, permission) in [
        ("addRoomOwner", "removeRoomOwner", "owner", &["set-owner"]),
        ("addRoomModerator", "removeRoomModerator", "moderator", &["set-moderator"]),
        ("addRoomLeader", "removeRoomLeader", "leader", &["set-leader"]),
    ] {
        let who = Who::Holder(permission);
        all.push(method(add, who, r#"["$private","$user"]"#, move |call| set_role(call, role, true)));
        let none = "error-user-not-";
        let sample = r#"["$private","$user"]"#;
        all.push(method(remove, who, sample, move |call| set_role(call, role, false)).answering(none));
    }
    all
}

async fn join(call: Invocation) -> Answer {
    let code = call.param(1).and_then(Value::as_str).filter(|code| !code.is_empty());
    let done = call.chat().join(call.actor()?, RoomRef::Id(call.text(0)?), code).await;
    done.map_err(refuse_method)?;
    Ok(true.into())
}

async fn leave(call: Invocation) -> Answer {
    let room = room_id(&call, 0)?;
    call.chat().leave(call.actor()?, &room).await.map_err(refuse_method)?;
    Ok(Value::Null)
}

async fn open(call: Invocation, on: bool) -> Answer {
    let room = room_id(&call, 0)?;
    match call.chat().open_room(call.actor()?, &room, on).await {
        Ok(()) => Ok(1.into()),
        Err(Refusal::State(State::AlreadyOpen | State::AlreadyClosed)) => Ok(0.into()),
        Err(Refusal::NotFound(_)) => Err(invalid_room()),
        Err(other) => Err(refuse_method(other)),
    }
}

fn refuse_subscription(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) | Refusal::NotMember => {
            Refused::meteor("error-invalid-subscription", "You must be part of a room to do this")
        }
        other => refuse_method(other),
    }
}

async fn favourite(call: Invocation) -> Answer {
    let room = room_id(&call, 0)?;
    let on = call.param(1).and_then(Value::as_bool);
    call.chat().favour(call.actor()?, &room, on).await.map_err(refuse_subscription)?;
    Ok(1.into())
}

async fn add(call: &Invocation, rid: &str, names: &[String]) -> Answer {
    let room = RoomId::parse(rid).ok_or_else(invalid_room)?;
    if names.is_empty() {
        return Err(Refused::meteor("error-invalid-arguments", "Invalid arguments"));
    }
    if names.len() > parlor_core::rooms::MAX_USERS {
        return Err(Refused::meteor("error-user-limit-exceeded", "User Limit Exceeded"));
    }
    let mut users = Vec::with_capacity(names.len());
    for name in names {
        users.push(user_named(call, name).await?.id.clone());
    }
    match call.chat().add_members(call.actor()?, &room, &users).await {
        Ok(_) => Ok(true.into()),
        Err(refusal) => {
            // Whoever is in a direct room is told why nobody else can be.
            let seen = call.chat().find_room(call.actor()?, RoomRef::Id(&room)).await;
            if seen.is_ok_and(|room| room.is_direct()) {
                let reason = "Can't invite user to direct rooms";
                return Err(Refused::meteor("error-cant-invite-for-direct-room", reason));
            }
            Err(refuse_method(refusal))
        }
    }
}

async fn user_named(call: &Invocation, name: &str) -> Result<Arc<User>, Refused> {
    call.chat().user_named(name).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-username", "Invalid username"),
        other => other.into(),
    })
}

async fn add_users(call: Invocation) -> Answer {
    let body = object(&call, 0)?;
    add(&call, body.need("rid")?, &body.list("users")?.unwrap_or_default()).await
}

async fn add_user(call: Invocation) -> Answer {
    let body = object(&call, 0)?;
    add(&call, body.need("rid")?, &[body.need("username")?.to_owned()]).await
}

async fn add_all(call: Invocation) -> Answer {
    let room = room_id(&call, 0)?;
    let only_active = call.param(1).and_then(Value::as_bool).unwrap_or_default();
    call.chat().add_everybody(call.actor()?, &room, only_active).await.map_err(refuse_method)?;
    Ok(true.into())
}

/// The room and user that `{rid, username}` names.
async fn room_and_user(call: &Invocation, body: &Body) -> Result<(RoomId, Arc<User>), Refused> {
    let room = RoomId::parse(body.need("rid")?).ok_or_else(invalid_room)?;
    Ok((room, user_named(call, body.need("username")?).await?))
}

async fn remove(call: Invocation) -> Answer {
    let body = object(&call, 0)?;
    let (room, user) = room_and_user(&call, &body).await?;
    call.chat().kick(call.actor()?, &room, &user.id).await.map_err(refuse_method)?;
    Ok(true.into())
}

async fn mute_user(call: Invocation, on: bool) -> Answer {
    let body = object(&call, 0)?;
    let (room, user) = room_and_user(&call, &body).await?;
    call.chat().mute(call.actor()?, &room, &user.id, on).await.map_err(refuse_method)?;
    Ok(true.into())
}

async fn block(call: Invocation, on: bool) -> Answer {
    let body = object(&call, 0)?;
    let room = RoomId::parse(body.need("rid")?).ok_or_else(invalid_room)?;
    let other = UserId::parse(body.need("blocked")?).ok_or_else(invalid_room)?;
    call.chat().block(call.actor()?, &room, &other, on).await.map_err(refuse_method)?;
    Ok(true.into())
}

async fn ignore(call: Invocation) -> Answer {
    let body = object(&call, 0)?;
    let room = RoomId::parse(body.need("rid")?).ok_or_else(invalid_room)?;
    let user = UserId::parse(body.need("userId")?).ok_or_else(invalid_room)?;
    let on = body.flag("ignore")?.unwrap_or(true);
    call.chat().ignore_user(call.actor()?, &room, &user, on).await.map_err(refuse_subscription)?;
    Ok(true.into())
}

/// `(rid, showAll, {limit, skip}, filter)`.
async fn users_of_room(call: Invocation) -> Answer {
    let Some(rid) = call.param(0).and_then(Value::as_str) else { return Err(invalid_room()) };
    let room = call.chat().find_room(call.actor()?, RoomRef::Id(rid)).await.map_err(refuse_method)?;
    let number = |key: &str| call.param(2).and_then(|page| page.get(key)).and_then(Value::as_u64);
    let page = Page {
        offset: number("skip").unwrap_or(0).min(i64::MAX as u64),
        count: number("limit").filter(|n| *n > 0).unwrap_or(100).min(100),
    };
    let text = call.param(3).and_then(Value::as_str).unwrap_or_default().to_owned();
    let filter = MemberFilter { text, ..MemberFilter::default() };
    let everybody = call.param(1).and_then(Value::as_bool).unwrap_or_default();
    let online = [Status::Online, Status::Away, Status::Busy];
    let status = if everybody { &[][..] } else { &online };
    let found =
        call.chat().members(call.actor()?, &room, filter, status, page).await.map_err(refuse_method)?;
    let records: Vec<_> = found.items.iter().map(|m| shape::user::member(&m.user, m.status)).collect();
    // All that there are, also where only those who are online are listed.
    let total = if everybody {
        found.total
    } else {
        let one = Page { offset: 0, count: 1 };
        let all = call.chat().members(call.actor()?, &room, MemberFilter::default(), &[], one).await;
        all.map_err(refuse_method)?.total
    };
    Ok(json!({ "total": total, "records": records }))
}

async fn roles(call: Invocation) -> Answer {
    let room =
        call.chat().find_room(call.actor()?, RoomRef::Id(call.text(0)?)).await.map_err(refuse_method)?;
    let members = call.chat().members_with_roles(call.actor()?, &room).await.map_err(refuse_method)?;
    Ok(members.iter().map(role_entry).collect())
}

async fn join_default(call: Invocation) -> Answer {
    let silent = call.param(0).and_then(Value::as_bool).unwrap_or_default();
    call.chat().join_default_rooms(&call.actor()?.user.clone(), silent).await?;
    Ok(Value::Null)
}

async fn set_role(call: Invocation, role: &'static str, given: bool) -> Answer {
    let room = room_id(&call, 0)?;
    let user =
        UserId::parse(call.text(1)?).ok_or_else(|| Refused::meteor("error-invalid-user", "Invalid user"))?;
    let done = call.chat().set_room_role(call.actor()?, &room, &user, role, given).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Room) => invalid_room(),
        other => refuse_role(other, role),
    })?;
    Ok(true.into())
}

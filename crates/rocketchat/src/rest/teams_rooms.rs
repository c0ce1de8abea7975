//! `teams.*`: who and what belongs to a team.

use parlor_core::{
    error::{Refusal, What},
    id::{RoleId, RoomId, TeamId, UserId},
    members_list::Member,
    room::RoomView,
    rooms::RoomRef,
    store::{MemberFilter, Paged, Team},
    teams::TeamRef,
    teams_rooms::TeamRoomFilter,
    user::Status,
};
use serde_json::{Value, json};

use super::{
    channels::answer_list,
    rooms_call::{Body, user},
    teams::{find, named, no_team, refuse_team, room_ids, team_ref},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape::{self, room::People},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("teams.members", Who::Reader, "teamId=$team", members),
        post(
            "teams.addMembers",
            Who::Holder(&["add-team-member"]),
            r#"{"teamId":"$team","members":[{"userId":"$victim"}]}"#,
            add_members,
        ),
        post(
            "teams.updateMember",
            Who::Holder(&["edit-team-member"]),
            r#"{"teamId":"$team","member":{"userId":"$user","roles":["moderator"]}}"#,
            update_member,
        ),
        post(
            "teams.removeMember",
            Who::Holder(&["edit-team-member"]),
            r#"{"teamId":"$team","userId":"$user"}"#,
            remove_member,
        ),
        post("teams.leave", Who::Member, r#"{"teamId":"$team"}"#, leave).answering("last-owner"),
        post(
            "teams.addRooms",
            Who::Holder(&["add-team-channel"]),
            r#"{"teamId":"$team","rooms":["$public"]}"#,
            add_rooms,
        )
        .answering("error-no-owner-channel"),
        post(
            "teams.removeRoom",
            Who::Holder(&["remove-team-channel"]),
            r#"{"teamId":"$team","roomId":"$teamRoom"}"#,
            remove_room,
        ),
        post(
            "teams.updateRoom",
            Who::Holder(&["edit-team-channel"]),
            r#"{"roomId":"$teamRoom","isDefault":true}"#,
            update_room,
        ),
        get("teams.listRooms", Who::Reader, "teamId=$team", list_rooms),
        get("teams.listRoomsOfUser", Who::Reader, "teamId=$team&userId=$user", list_rooms_of_user),
        get("teams.listChildren", Who::Member, "teamId=$team", list_children),
    ]
}

async fn asked(call: &Call) -> Result<Team, Refused> {
    find(call, call.param("teamId"), call.param("teamName")).await
}

async fn members(call: Call) -> Outcome {
    let team = asked(&call).await?;
    let text = call.param("username").or(call.param("name")).or(call.param("filter"));
    let filter = MemberFilter { text: text.unwrap_or_default().to_owned(), ..MemberFilter::default() };
    let words = call.list("status");
    let status: Vec<Status> = words.iter().filter_map(|word| Status::from_word(word)).collect();
    let page = call.page()?;
    let found = call.chat().team_members(call.actor()?, &team, filter, &status, page).await;
    let found = found.map_err(refuse_team)?;
    let people = People::with(call.chat(), vec![team.creator.clone()]).await?;
    let members: Vec<_> = found.items.iter().map(|m| member(m, &team, &people)).collect();
    success(
        json!({ "count": members.len(), "members": members, "offset": page.offset, "total": found.total }),
    )
}

fn member(member: &Member, team: &Team, people: &People) -> Value {
    let (m, user) = (&member.membership, &member.user);
    let mut value = json!({
        "user": {
            "_id": user.id.as_str(), "username": user.username, "name": user.shown_name(),
            "status": member.status.word(),
        },
        "createdBy": { "_id": team.creator.as_str(), "username": people.username(&team.creator) },
        "createdAt": Dates::Iso.value(m.joined_at),
    });
    // Clients say `member` of all but the one who made the team; here it is no role.
    let plain = (user.id != team.creator).then_some("member");
    value["roles"] = plain.into_iter().chain(m.roles.iter().map(|role| role.as_str())).collect();
    value
}

/// `{userId, roles?}`.
fn entry(value: &Value) -> Result<(UserId, Vec<RoleId>), Refused> {
    let Value::Object(object) = value else { return Err(Refused::invalid_params("must be object")) };
    let object = Body(object.clone());
    let user = UserId::parse(object.need("userId")?).ok_or_else(|| Refused::new("invalid-user"))?;
    // Clients say `member` of those who are no more than that; it is no role.
    let roles = object.list("roles")?.unwrap_or_default().into_iter().filter(|role| role != "member");
    Ok((user, roles.map(RoleId::from).collect()))
}

async fn add_members(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let members: Vec<_> = match body.get("members") {
        Some(Value::Array(items)) => items.iter().map(entry).collect::<Result<_, _>>()?,
        Some(_) => return Err(Refused::invalid_params("must be array")),
        None => return Err(Refused::missing("members")),
    };
    call.chat().add_team_members(call.actor()?, &team, &members).await.map_err(refuse_team)?;
    success(Value::Null)
}

async fn update_member(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let (user, roles) = entry(body.get("member").ok_or_else(|| Refused::missing("member"))?)?;
    let done = call.chat().update_team_member(call.actor()?, &team, &user, &roles).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Role) => Refused::new("invalid-roles"),
        other => refuse_team(other),
    })?;
    success(Value::Null)
}

async fn remove_member(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let rooms = rooms_too(&body)?;
    let user =
        user(&call, Some(body.need("userId")?), None).await.map_err(|_| Refused::new("invalid-user"))?;
    put_out(&call, &team, &user.id, &rooms).await
}

async fn leave(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let me = call.actor()?.user.clone();
    put_out(&call, &team, &me, &rooms_too(&body)?).await
}

/// The rooms that somebody leaves with the team: none, or a list that names some.
fn rooms_too(body: &Body) -> Result<Vec<RoomId>, Refused> {
    match body.list("rooms")? {
        Some(rooms) if rooms.is_empty() => Err(Refused::invalid_params("must NOT have fewer than 1 items")),
        _ => room_ids(body, "rooms"),
    }
}

async fn put_out(call: &Call, team: &Team, user: &UserId, rooms: &[RoomId]) -> Outcome {
    let done = call.chat().remove_team_member(call.actor()?, team, user, rooms).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Membership) | Refusal::NotMember => {
            Refused::meteor("error-user-not-in-room", "User is not in this team")
        }
        other => refuse_team(other),
    })?;
    success(Value::Null)
}

async fn add_rooms(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let wanted = team_ref(body.text("teamId")?, body.text("teamName")?)?;
    let rooms = body.list("rooms")?.ok_or_else(|| Refused::missing("rooms"))?;
    let ids = room_ids(&body, "rooms")?;
    if ids.len() != rooms.len() {
        return Err(Refused::new("invalid-room"));
    }
    let team = call.chat().find_team_for_rooms(call.actor()?, wanted).await.map_err(no_team)?;
    let added =
        call.chat().add_team_rooms(call.actor()?, &team, &ids).await.map_err(|refusal| match refusal {
            Refusal::NotFound(What::Room) => Refused::new("invalid-room"),
            Refusal::NotAllowed("own-the-room") => Refused::new("error-no-owner-channel"),
            Refusal::NotAllowed("add-team-channel") => {
                Refused::status(axum::http::StatusCode::FORBIDDEN, "error-no-permission-team-channel")
            }
            Refusal::Taken { .. } => Refused::new("room-already-on-team"),
            other => refuse_team(other),
        })?;
    let mut rooms = Vec::with_capacity(added.len());
    for room in &added {
        rooms.push(shape::room::current(call.chat(), call.actor()?, room, Dates::Iso).await?);
    }
    success(json!({ "rooms": rooms }))
}

fn refuse_room(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Room) => Refused::new("invalid-room"),
        other => refuse_team(other),
    }
}

async fn remove_room(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let team = named(&call, &body).await?;
    let id = room_id(body.need("roomId")?)?;
    let room = call.chat().remove_team_room(call.actor()?, &team, &id).await.map_err(refuse_room)?;
    success(json!({ "room": shape::room::current(call.chat(), call.actor()?, &room, Dates::Iso).await? }))
}

fn room_id(text: &str) -> Result<RoomId, Refused> {
    RoomId::parse(text).ok_or_else(|| Refused::new("invalid-room"))
}

async fn update_room(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = room_id(body.need("roomId")?)?;
    let on = body.flag("isDefault")?.ok_or_else(|| Refused::missing("isDefault"))?;
    let room = call.chat().set_team_default(call.actor()?, &id, on).await.map_err(refuse_room)?;
    success(json!({ "room": shape::room::current(call.chat(), call.actor()?, &room, Dates::Iso).await? }))
}

async fn list_rooms(call: Call) -> Outcome {
    let wanted = team_ref(call.param("teamId"), call.param("teamName"))?;
    let team = call.chat().find_team(call.actor()?, wanted).await.map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) => Refused::new("user-not-on-private-team"),
        other => no_team(other),
    })?;
    let filter = TeamRoomFilter {
        text: call.param("filter").unwrap_or_default().to_owned(),
        default: (call.param("type") == Some("autoJoin")).then_some(true),
        member: None,
    };
    let page = call.page()?;
    let found = call.chat().team_rooms(call.actor()?, &team, filter, page).await.map_err(refuse_team)?;
    answer_list(&call, "rooms", page.offset, &found).await
}

async fn list_rooms_of_user(call: Call) -> Outcome {
    let team = asked(&call).await?;
    let user =
        user(&call, Some(call.need("userId")?), None).await.map_err(|_| Refused::new("invalid-user"))?;
    let filter = TeamRoomFilter { member: Some(user.id.clone()), ..TeamRoomFilter::default() };
    let page = call.page()?;
    let found = call.chat().team_rooms(call.actor()?, &team, filter, page).await.map_err(refuse_team)?;
    let found = kept_deletable(&call, found).await?;
    let mut rooms = Vec::with_capacity(found.items.len());
    for view in &found.items {
        let mut value = shape::room::current(call.chat(), call.actor()?, &view.room, Dates::Iso).await?;
        let mine = call.chat().room_of(&view.room.id, &user.id).await?;
        value["isLastOwner"] = match mine {
            Some(mine) if mine.membership.has_role("owner") => {
                let members =
                    call.chat().members_with_roles(call.actor()?, &view.room).await.unwrap_or_default();
                (members.iter().filter(|m| m.membership.has_role("owner")).count() == 1).into()
            }
            _ => false.into(),
        };
        rooms.push(value);
    }
    success(json!({ "count": rooms.len(), "rooms": rooms, "offset": page.offset, "total": found.total }))
}

/// With `canUserDelete=true` only rooms that the caller may delete.
async fn kept_deletable(call: &Call, mut found: Paged<RoomView>) -> Result<Paged<RoomView>, Refused> {
    if call.flag("canUserDelete") != Some(true) {
        return Ok(found);
    }
    let mut kept = Vec::new();
    for view in found.items {
        let permission = if view.room.is_public() { "delete-c" } else { "delete-p" };
        if call.chat().may(call.actor()?, permission, Some(&view.room)).await? {
            kept.push(view);
        }
    }
    found.total = kept.len() as u64;
    found.items = kept;
    Ok(found)
}

async fn list_children(call: Call) -> Outcome {
    let not_found = || Refused::status(axum::http::StatusCode::NOT_FOUND, "Resource not found");
    let team = match call.param("roomId") {
        Some(id) => {
            let room =
                call.chat().find_room(call.actor()?, RoomRef::Id(id)).await.map_err(|_| not_found())?;
            let team: &TeamId = room.team.as_ref().ok_or_else(not_found)?;
            let team = TeamRef::Id(team.as_str());
            call.chat().find_team(call.actor()?, team).await.map_err(|_| not_found())?
        }
        None => match asked(&call).await {
            Err(_) if call.param("teamId").or(call.param("teamName")).is_some() => return Err(not_found()),
            team => team?,
        },
    };
    let discussions = match call.param("type") {
        None => None,
        Some("channels") => Some(false),
        Some("discussions") => Some(true),
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let (text, page) = (call.param("filter").unwrap_or_default(), call.page()?);
    let found = call.chat().team_children(call.actor()?, &team, text, discussions, page).await;
    answer_list(&call, "data", page.offset, &found.map_err(|_| not_found())?).await
}

//! `roles.*`: who holds which role.

use std::sync::Arc;

use parlor_core::{
    error::{Refusal, State},
    explain::RoleChange,
    id::RoomId,
    role::{Role, RoleScope},
    rooms::RoomRef,
    user::User,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let admins = Who::May(&["access-permissions"]);
    vec![
        get("roles.list", Who::User, "", list),
        get("roles.sync", Who::User, "updatedSince=2020-01-01T00:00:00.000Z", sync),
        get("roles.getUsersInPublicRoles", Who::User, "", in_public_roles),
        get("roles.getUsersInRole", admins, "role=admin", in_role),
        post("roles.addUserToRole", admins, r#"{"roleId":"bot","username":"$username"}"#, add).grave(),
        post("roles.removeUserFromRole", admins, r#"{"roleId":"user","username":"$victimName"}"#, remove)
            .grave(),
        post("roles.create", admins, r#"{"name":"$name"}"#, |call| put(call, true)).answering("enterprise"),
        post("roles.update", admins, r#"{"roleId":"none","name":"$name"}"#, |call| put(call, false))
            .answering("enterprise"),
        post("roles.delete", admins, r#"{"roleId":"none"}"#, delete).answering("error-invalid-roleId"),
    ]
}

async fn list(call: Call) -> Outcome {
    let roles: Vec<Value> =
        call.chat().all_roles().iter().map(|r| shape::role::role(r, Dates::Iso)).collect();
    success(json!({ "roles": roles }))
}

async fn sync(call: Call) -> Outcome {
    let since = call.since("updatedSince")?.ok_or_else(|| {
        Refused::meteor(
            "error-updatedSince-param-invalid",
            "The \"updatedSince\" query parameter must be a valid date.",
        )
    })?;
    let newer = |role: &Role| role.protected || date::is_newer(role.updated_at, Some(since));
    let update: Vec<Value> = call
        .chat()
        .all_roles()
        .iter()
        .filter(|r| newer(r))
        .map(|r| shape::role::role(r, Dates::Iso))
        .collect();
    success(json!({ "roles": { "update": update, "remove": [] } }))
}

/// Users of public roles with those of their roles that are shown.
pub(crate) async fn public_role_holders(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
) -> Result<Vec<Value>, Refused> {
    let users = chat.users_in_public_roles(actor).await?;
    let roles = chat.roles();
    let shown =
        |id: &&parlor_core::id::RoleId| roles.roles.get(*id).is_some_and(|r| !r.description.is_empty());
    let holder = |user: &User| {
        let held: Vec<&str> = user.roles.iter().filter(shown).map(|r| r.as_str()).collect();
        json!({ "_id": user.id.as_str(), "username": user.username, "roles": held })
    };
    Ok(users.iter().map(holder).collect())
}

async fn in_public_roles(call: Call) -> Outcome {
    let users = public_role_holders(call.chat(), call.actor()?).await?;
    success(json!({ "users": users }))
}

async fn in_role(call: Call) -> Outcome {
    let page = call.page()?;
    let wanted = call.param("role").or(call.param("roleId")).ok_or_else(missing)?;
    let role = call.chat().role(wanted).map_err(|_| unknown_role())?;
    let chat = call.chat();
    if role.scope == RoleScope::Room {
        let Some(room) = call.param("roomId") else {
            return success(json!({ "users": [], "count": 0, "offset": page.offset, "total": 0 }));
        };
        let room = RoomId::parse(room).ok_or_else(Refused::unknown_room)?;
        let room = chat.find_room(call.actor()?, RoomRef::Id(&room)).await?;
        let all = chat.members_with_roles(call.actor()?, &room).await?;
        let held: Vec<_> = all.iter().filter(|m| m.membership.has_role(&role.id)).collect();
        let users: Vec<Value> =
            super::settings::cut(&held, page).iter().map(|m| shown(&call, &m.user)).collect();
        return success(
            json!({ "count": users.len(), "offset": page.offset, "total": held.len(), "users": users }),
        );
    }
    let found = chat.users_in_role(call.actor()?, &role.id, page).await?;
    let users: Vec<Value> = found.items.iter().map(|user| shown(&call, user)).collect();
    success(json!({ "count": users.len(), "offset": page.offset, "total": found.total, "users": users }))
}

fn shown(call: &Call, user: &User) -> Value {
    shape::user::full(user, call.chat().status_of(&user.id), Dates::Iso)
}

/// Who gets or loses which role, and where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Given {
    role_id: Option<String>,
    role_name: Option<String>,
    username: String,
    #[serde(alias = "scope")]
    room_id: Option<String>,
}

async fn add(mut call: Call) -> Outcome {
    let wanted: Given = call.json().await?;
    change(&call, wanted, true).await
}

async fn remove(mut call: Call) -> Outcome {
    let wanted: Given = call.json().await?;
    change(&call, wanted, false).await
}

async fn change(call: &Call, wanted: Given, given: bool) -> Outcome {
    let named = wanted.role_id.or(wanted.role_name).ok_or_else(missing)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let role = chat.role(&named).map_err(|_| unknown_role())?;
    let user: Arc<User> = chat.user_named(&wanted.username).await.map_err(|_| no_such_user())?;
    if role.scope == RoleScope::Room {
        let room = wanted.room_id.as_deref().and_then(RoomId::parse);
        let room = room.ok_or_else(|| Refused::meteor("error-invalid-room", "Invalid room"))?;
        chat.set_room_role(actor, &room, &user.id, &role.id, given).await.map_err(refused)?;
    } else {
        chat.set_user_role(actor, &user.id, &role.id, given).await.map_err(refused)?;
    }
    success(json!({ "role": shape::role::role(&role, Dates::Iso) }))
}

pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::State(State::HasRole) => Refused::new("User already in role"),
        Refusal::State(State::LacksRole) => {
            Refused::meteor("error-user-not-in-role", "User is not in this role")
        }
        Refusal::State(State::LastAdmin) => {
            Refused::meteor("error-admin-required", "You need to have at least one admin")
        }
        Refusal::NotAllowed("assign-admin-role") => {
            Refused::meteor("error-action-not-allowed", "Assigning admin is not allowed")
        }
        other => other.into(),
    }
}

async fn delete(mut call: Call) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Delete {
        role_id: String,
    }
    let wanted: Delete = call.json().await?;
    call.chat().remove_role(call.actor()?, &wanted.role_id).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => unknown_role(),
        other => other.into(),
    })?;
    success(Value::Null)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    role_id: Option<String>,
    name: Option<String>,
    scope: Option<String>,
    description: Option<String>,
    mandatory2fa: Option<bool>,
}

/// Client suites take this server for the community edition, which has no roles of its own making.
async fn put(mut call: Call, new: bool) -> Outcome {
    if call.door.config.test_mode {
        return Err(Refused::enterprise());
    }
    let wanted: Wanted = call.json().await?;
    let invalid = || Refused::meteor("error-invalid-role-properties", "The role properties are invalid.");
    let change = RoleChange {
        name: Some(wanted.name.ok_or_else(|| Refused::missing("name"))?),
        description: wanted.description,
        scope: match wanted.scope.as_deref() {
            None => None,
            Some("Users") => Some(RoleScope::Workspace),
            Some("Subscriptions") => Some(RoleScope::Room),
            Some(_) => return Err(invalid()),
        },
        mandatory_2fa: wanted.mandatory2fa,
    };
    let (chat, actor) = (call.chat(), call.actor()?);
    let done = match (new, &wanted.role_id) {
        (true, _) => chat.create_role(actor, change).await,
        (false, Some(id)) => chat.change_role(actor, id, change).await,
        (false, None) => return Err(missing()),
    };
    let role = done.map_err(|refusal| match refusal {
        Refusal::Taken { .. } => {
            Refused::meteor("error-duplicate-role-names-not-allowed", "Role name already exists")
        }
        Refusal::Invalid { .. } => invalid(),
        other => other.into(),
    })?;
    success(json!({ "role": shape::role::role(&role, Dates::Iso) }))
}

fn missing() -> Refused {
    Refused::invalid_params("must have required property 'roleId'")
}

fn unknown_role() -> Refused {
    Refused::meteor("error-invalid-roleId", "This role does not exist")
}

fn no_such_user() -> Refused {
    Refused::meteor("error-invalid-user", "There is no user with this username")
}

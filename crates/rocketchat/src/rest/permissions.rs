//! `permissions.*`: what may be done, and by whom.

use parlor_core::{
    clock::Time,
    error::{Refusal, What},
    id::{RoleId, RoomId},
    permission_table::PERMISSIONS,
    role::Grant,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Door,
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("permissions.listAll", Who::User, "", list_all),
        post(
            "permissions.update",
            Who::May(&["access-permissions"]),
            r#"{"permissions":[{"_id":"view-outside-room","roles":["admin","user","bot","app"]}]}"#,
            update,
        )
        .grave(),
        post(
            "permissions.addRole",
            Who::May(&["access-permissions"]),
            r#"{"permissionId":"view-outside-room","role":"user"}"#,
            |call| change(call, true),
        )
        .grave(),
        get("permissions.explain", Who::User, "permission=view-c-room", explain),
        get("permissions.room", Who::May(&["access-permissions"]), "roomId=$private", of_room),
        post(
            "permissions.setInRoom",
            Who::May(&["access-permissions"]),
            r#"{"roomId":"$private","permissionId":"pin-message","roles":["admin","owner","moderator"]}"#,
            set_in_room,
        )
        .grave(),
        post(
            "permissions.removeRole",
            Who::May(&["access-permissions"]),
            r#"{"permissionId":"view-outside-room","role":"bot"}"#,
            |call| change(call, false),
        )
        .grave(),
    ]
}

/// All permissions in the order of the table (which is part of the contract), changed after `since` when given.
pub(crate) fn grants(door: &Door, since: Option<Time>, dates: Dates) -> Vec<Value> {
    let roles = door.chat.roles();
    let in_order = PERMISSIONS.iter().filter_map(|(id, _)| roles.grants.get(*id));
    let newer = |grant: &&Grant| date::is_newer(grant.updated_at, since);
    in_order.filter(newer).map(|grant| shape::role::grant(grant, dates)).collect()
}

async fn list_all(call: Call) -> Outcome {
    let since = call.since("updatedSince")?;
    success(json!({ "update": grants(&call.door, since, Dates::Iso), "remove": [] }))
}

#[derive(Deserialize)]
struct Update {
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
struct Permission {
    #[serde(rename = "_id")]
    id: String,
    roles: Vec<String>,
}

async fn update(mut call: Call) -> Outcome {
    let invalid = || Refused::new("Invalid body params").kind("error-invalid-body-params");
    let wanted: Update = call.json().await.map_err(|_| invalid())?;
    let mut changes = Vec::with_capacity(wanted.permissions.len());
    for permission in wanted.permissions {
        let roles: Option<Vec<RoleId>> = permission.roles.iter().map(|r| RoleId::parse(r)).collect();
        changes.push((permission.id, roles.ok_or_else(invalid_role)?));
    }
    call.chat().set_grants(call.actor()?, changes).await.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Role) => invalid_role(),
        other => other.into(),
    })?;
    success(json!({ "permissions": grants(&call.door, None, Dates::Iso) }))
}

fn names(roles: &[RoleId]) -> Vec<&str> {
    roles.iter().map(|role| role.as_str()).collect()
}

/// `?permission=&userId=|username=&roomId=`: which rule allows or denies; about oneself when nobody is named.
async fn explain(call: Call) -> Outcome {
    let permission = call.need("permission")?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let user = match call.param("userId").or(call.param("username")) {
        Some(_) => call.named_user().await?.id.clone(),
        None => actor.user.clone(),
    };
    let room = match call.param("roomId") {
        Some(id) => Some(RoomId::parse(id).ok_or_else(Refused::unknown_room)?),
        None => None,
    };
    let told = chat.explain(actor, &user, permission, room.as_ref()).await?;
    success(json!({
        "permission": told.permission, "allowed": told.allowed, "active": told.active, "by": told.by.as_deref(),
        "roles": names(&told.roles), "roomRoles": names(&told.room_roles), "holders": names(&told.holders),
        "ownRuleOfRoom": told.own_rule, "member": told.member, "mayReadRoom": told.reads,
    }))
}

async fn of_room(call: Call) -> Outcome {
    let room = RoomId::parse(call.need("roomId")?).ok_or_else(Refused::unknown_room)?;
    let own = call.chat().room_grants(call.actor()?, &room).await?;
    let shown: Vec<Value> =
        own.iter().map(|(permission, roles)| json!({ "_id": permission, "roles": names(roles) })).collect();
    success(json!({ "permissions": shown }))
}

/// `roles`: who holds the permission in this room; `null` goes back to what the workspace says.
async fn set_in_room(mut call: Call) -> Outcome {
    let body = super::rooms_call::Body::of(&mut call).await?;
    let room = RoomId::parse(body.need("roomId")?).ok_or_else(Refused::unknown_room)?;
    let roles = match body.list("roles")? {
        None => None,
        Some(roles) => {
            let roles: Option<Vec<RoleId>> = roles.iter().map(|r| RoleId::parse(r)).collect();
            Some(roles.ok_or_else(invalid_role)?)
        }
    };
    let done = call.chat().set_room_grant(call.actor()?, &room, body.need("permissionId")?, roles).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Role) => invalid_role(),
        other => other.into(),
    })?;
    success(Value::Null)
}

async fn change(mut call: Call, given: bool) -> Outcome {
    let body = super::rooms_call::Body::of(&mut call).await?;
    let (permission, role) = (body.need("permissionId")?, body.need("role")?);
    crate::methods::administration::change_grant(call.chat(), call.actor()?, permission, role, given).await?;
    success(Value::Null)
}

fn invalid_role() -> Refused {
    Refused::new("Invalid role").kind("error-invalid-role")
}

impl Call {
    /// A date in the query, such as `updatedSince`.
    pub(crate) fn since(&self, name: &str) -> Result<Option<Time>, Refused> {
        let Some(text) = self.param(name) else { return Ok(None) };
        let bad = || {
            Refused::meteor(
                "error-roomId-param-invalid",
                &format!("The \"{name}\" query parameter must be a valid date."),
            )
        };
        date::read_text(text).map(Some).ok_or_else(bad)
    }
}

//! Methods of administrators: settings, permissions, roles.

use parlor_core::{
    error::{Refusal, State, What},
    id::{RoleId, RoomId},
    role::RoleScope,
};
use serde_json::{Map, Value, json};

use crate::{
    date::{self, Dates},
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    rest::{roles, settings},
    shape,
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    let editors = Who::May(&["edit-privileged-setting"]);
    let admins = Who::May(&["access-permissions"]);
    let grant = r#"["view-outside-room","user"]"#;
    vec![
        method("private-settings/get", Who::User, "[]", private_settings),
        method("saveSettings", editors, r#"[[{"_id":"Site_Name","value":"Parlor"}]]"#, save_settings).grave(),
        method("saveSetting", editors, r#"["Site_Name","Parlor"]"#, save_setting).grave(),
        method("authorization:addPermissionToRole", admins, grant, |call| set_grant(call, true)).grave(),
        method("authorization:removeRoleFromPermission", admins, r#"["view-outside-room","bot"]"#, |call| {
            set_grant(call, false)
        })
        .grave(),
        method("authorization:addUserToRole", admins, r#"["bot","$username"]"#, |call| set_role(call, true))
            .grave(),
        method("authorization:removeUserFromRole", admins, r#"["user","$victimName"]"#, |call| {
            set_role(call, false)
        })
        .grave(),
        method("authorization:deleteRole", admins, r#"["none"]"#, delete_role)
            .answering("error-invalid-role"),
        method("addOAuthService", Who::May(&["add-oauth-service"]), r#"["Walked"]"#, add_service).grave(),
        method("removeOAuthService", Who::May(&["add-oauth-service"]), r#"["Unheard"]"#, remove_service)
            .grave()
            .answering("error-invalid-setting"),
        // Services are read from the settings whenever they are needed.
        method("refreshOAuthService", Who::May(&["add-oauth-service"]), "[]", |_| async { Ok(true.into()) }),
        method("license:getTags", Who::Anyone, "[]", |_| async { Ok(json!([])) }),
        method("license:hasLicense", Who::Anyone, r#"["auditing"]"#, |_| async { Ok(false.into()) }),
        method("getSetupWizardParameters", Who::Anyone, "[]", |_| async {
            Ok(json!({ "settings": [], "serverAlreadyRegistered": true, "hasAdmin": true }))
        }),
        method("instances/get", Who::May(&["view-statistics"]), "[]", |call| async move {
            Ok(json!([crate::rest::answers::instance(&call.door)]))
        }),
        method("checkFederationConfiguration", Who::May(&["view-statistics"]), "", |_| async {
            Err(Refused::meteor("error-federation-disabled", "Federation is not enabled"))
        })
        .answering("error-federation-disabled"),
    ]
}

/// `(name)`.
async fn add_service(call: Invocation) -> Answer {
    call.chat().add_outside_service(call.actor()?, call.text(0)?).await?;
    Ok(Value::Null)
}

async fn remove_service(call: Invocation) -> Answer {
    call.chat().remove_outside_service(call.actor()?, call.text(0)?).await?;
    Ok(Value::Null)
}

/// Settings that are not public, for whoever may read them; to others there are none.
async fn private_settings(call: Invocation) -> Answer {
    let since = call.param(0).and_then(date::read);
    if !call.chat().may_read_settings(call.actor()?).await? {
        return Ok(json!([]));
    }
    let settings = call.chat().settings();
    let newer = |at| date::is_newer(at, since);
    let mut found: Vec<_> =
        settings.by_id.values().filter(|s| !s.def.public && newer(s.updated_at)).collect();
    found.sort_unstable_by_key(|s| s.def.id);
    let shown: Vec<Value> = found.iter().map(|s| shape::setting::private(s, Dates::Ejson)).collect();
    Ok(match call.param(0) {
        Some(_) => json!({ "update": shown, "remove": [] }),
        None => shown.into(),
    })
}

async fn save(call: &Invocation, wanted: &[Map<String, Value>]) -> Result<(), Refused> {
    settings::save(call.chat(), call.actor()?, wanted).await
}

async fn save_settings(call: Invocation) -> Answer {
    let Some(Value::Array(items)) = call.param(0) else { return Err(mismatch("array", call.param(0))) };
    let items: Option<Vec<_>> = items.iter().map(|item| item.as_object().cloned()).collect();
    save(&call, &items.ok_or_else(|| mismatch("object", None))?).await?;
    Ok(true.into())
}

async fn save_setting(call: Invocation) -> Answer {
    let value = call.param(1).cloned().unwrap_or_default();
    let item = Map::from_iter([("_id".to_owned(), call.text(0)?.into()), ("value".to_owned(), value)]);
    save(&call, &[item]).await?;
    Ok(true.into())
}

async fn set_grant(call: Invocation, given: bool) -> Answer {
    change_grant(call.chat(), call.actor()?, call.text(0)?, call.text(1)?, given).await?;
    Ok(true.into())
}

/// Gives a role a permission, or takes it away.
pub(crate) async fn change_grant(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
    permission: &str,
    role: &str,
    given: bool,
) -> Result<(), Refused> {
    let role = chat.role(role).map_err(|_| Refused::meteor("error-invalid-role", "Role does not exist"))?;
    let changed = chat.change_grant(actor, permission, &role.id, given).await;
    changed.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Permission) if given => {
            Refused::meteor("error-invalid-permission", "Permission does not exist")
        }
        Refusal::NotFound(What::Permission) => {
            Refused::meteor("error-permission-not-found", "Permission not found")
        }
        Refusal::NotAllowed(_) => {
            Refused::meteor("error-action-not-allowed", "Adding permission is not allowed")
        }
        other => other.into(),
    })?;
    Ok(())
}

/// `(role, username, roomId?)`.
async fn set_role(call: Invocation, given: bool) -> Answer {
    let (chat, actor) = (call.chat(), call.actor()?);
    let role = chat.role(call.text(0)?).map_err(|_| Refused::meteor("error-invalid-role", "Invalid Role"))?;
    let user = chat.user_named(call.text(1)?).await;
    let user = user.map_err(|_| Refused::meteor("error-invalid-user", "Invalid user"))?;
    if role.scope == RoleScope::Room {
        let room = call.param(2).and_then(Value::as_str).and_then(RoomId::parse);
        let room = room.ok_or_else(|| Refused::meteor("error-invalid-room", "Invalid room"))?;
        chat.set_room_role(actor, &room, &user.id, &role.id, given).await.map_err(roles::refused)?;
    } else {
        chat.set_user_role(actor, &user.id, &role.id, given).await.map_err(roles::refused)?;
    }
    Ok(true.into())
}

async fn delete_role(call: Invocation) -> Answer {
    let role = call.text(0)?;
    RoleId::parse(role).ok_or_else(|| Refused::meteor("error-invalid-role", "Invalid role"))?;
    call.chat().remove_role(call.actor()?, role).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-role", "Invalid role"),
        Refusal::State(State::Protected) => {
            Refused::meteor("error-delete-protected-role", "Cannot delete a protected role")
        }
        other => other.into(),
    })?;
    Ok(true.into())
}

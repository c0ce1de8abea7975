//! Roles and permissions as Rocket.Chat writes them.

use parlor_core::role::{Grant, Role, RoleScope};
use serde_json::{Value, json};

use crate::date::Dates;

/// A role.
pub(crate) fn role(role: &Role, dates: Dates) -> Value {
    let scope = match role.scope {
        RoleScope::Workspace => "Users",
        RoleScope::Room => "Subscriptions",
    };
    json!({
        "_id": role.id.as_str(), "name": role.name, "description": role.description, "scope": scope,
        "protected": role.protected, "mandatory2fa": role.mandatory_2fa,
        "_updatedAt": dates.value(role.updated_at),
    })
}

/// A permission with the roles that hold it.
pub(crate) fn grant(grant: &Grant, dates: Dates) -> Value {
    let roles: Vec<&str> = grant.roles.iter().map(|r| r.as_str()).collect();
    json!({ "_id": &*grant.permission, "roles": roles, "_updatedAt": dates.value(grant.updated_at) })
}

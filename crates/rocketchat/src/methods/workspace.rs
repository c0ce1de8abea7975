//! Methods about the workspace: settings, permissions, licences.

use parlor_core::clock::Time;
use serde_json::{Value, json};

use crate::rest::{commands, finding};
use crate::{
    date::{self, Dates},
    method::{Answer, Invocation, Method, method},
    rest::{permissions::grants, roles::public_role_holders},
    shape,
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("public-settings/get", Who::Anyone, "[]", public_settings),
        method("permissions/get", Who::User, "[]", permissions),
        method("spotlight", Who::User, r#"["a",[],{"users":true,"rooms":true}]"#, finding::spotlight_method),
        method(
            "slashCommand",
            Who::Member,
            r#"[{"cmd":"shrug","params":"","msg":{"rid":"$private"}}]"#,
            commands::method,
        ),
        method("getUserRoles", Who::User, "[]", user_roles),
        method("license:getModules", Who::Anyone, "[]", |_| async { Ok(json!([])) }),
        method("license:isEnterprise", Who::Anyone, "[]", |_| async { Ok(false.into()) }),
    ]
}

/// Without a date a bare array, with one what changed since.
fn since_or_all(since: Option<Time>, items: Vec<Value>) -> Value {
    if since.is_some() { json!({ "update": items, "remove": [] }) } else { items.into() }
}

async fn public_settings(invocation: Invocation) -> Answer {
    let since = invocation.param(0).and_then(date::read);
    let settings = invocation.chat().settings();
    let mut found: Vec<_> =
        settings.by_id.values().filter(|s| s.def.public && date::is_newer(s.updated_at, since)).collect();
    found.sort_unstable_by_key(|s| s.def.id);
    let shown = found.iter().map(|s| shape::setting::public(s)).collect();
    Ok(since_or_all(since, shown))
}

async fn permissions(invocation: Invocation) -> Answer {
    let since = invocation.param(0).and_then(date::read);
    let shown = grants(&invocation.door, since, Dates::Ejson);
    Ok(since_or_all(since, shown))
}

async fn user_roles(invocation: Invocation) -> Answer {
    Ok(public_role_holders(invocation.chat(), invocation.actor()?).await?.into())
}

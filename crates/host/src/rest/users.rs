//! Users, as the host application tells of them and as everybody may look them up.

use parlor_core::{
    classes::MAX_WORDS,
    host_users::{HostUser, word},
    id::UserId,
    user::User,
    users_change::Secret,
};
use serde_json::json;

use crate::{
    call::{Answer, Call, answer},
    fields::{Fields, Text},
    problem::Problem,
    shape::user,
};

/// `PUT /api/users/{id}`: for the application and ADMIN; only keys that are present change.
pub(super) async fn put(mut call: Call) -> Answer {
    let caller = call.caller()?.clone();
    if !caller.may_push() {
        return Err(Problem::forbidden("Only the application or an ADMIN may do this"));
    }
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let optional = |fields: &mut Fields<'_>, name: &str, most: usize| {
        if fields.has(name) && fields.value(name).is_none() {
            return Some(None);
        }
        fields.text(name, Text::new(1, most)).map(Some)
    };
    let told = HostUser {
        username: fields.text("username", Text::new(1, 1000)),
        name: fields.text("name", Text::new(1, 1000)),
        email: optional(&mut fields, "email", 1000),
        roles: fields.texts("roles", MAX_WORDS).map(|roles| roles.iter().map(|role| word(role)).collect()),
        vendor: vendor(&mut fields),
        password: fields.text("password", Text::new(1, 1024)).map(Secret),
    };
    fields.done()?;
    let (pushed, new) = call.host.chat().push_user(&caller.acting(), call.path("id"), told).await?;
    answer(if new { 201 } else { 200 }, &json!({ "user": user::value(&pushed, true) }))
}

/// A text; `null` takes it away.
fn vendor(fields: &mut Fields<'_>) -> Option<Option<String>> {
    if fields.has("vendor_id") && fields.value("vendor_id").is_none() {
        return Some(None);
    }
    fields.text("vendor_id", Text::new(1, 64)).map(Some)
}

/// `GET /api/users/{id}`.
pub(super) async fn one(call: Call) -> Answer {
    let caller = call.caller()?.clone();
    let found = find(&call).await?;
    let own = caller.user().is_some_and(|user| user.id == found.id);
    answer(200, &json!({ "user": user::value(&found, own || caller.may_push()) }))
}

async fn find(call: &Call) -> Result<std::sync::Arc<User>, Problem> {
    let unknown = || Problem::not_found("User");
    let id = UserId::parse(call.path("id")).ok_or_else(unknown)?;
    call.host.chat().user(&id).await?.ok_or_else(unknown)
}

/// `DELETE /api/users/{id}`, or with `mode=deactivate` only switched off.
pub(super) async fn delete(call: Call) -> Answer {
    let caller = call.caller()?.clone();
    if !caller.may_push() {
        return Err(Problem::forbidden("Only the application or an ADMIN may do this"));
    }
    let found = find(&call).await?;
    let chat = call.host.chat();
    match call.query.get("mode") {
        Some("deactivate") => {
            let user = chat.set_pushed_active(&caller.acting(), &found.id, false).await?;
            answer(200, &json!({ "user": user::value(&user, true) }))
        }
        Some("activate") => {
            let user = chat.set_pushed_active(&caller.acting(), &found.id, true).await?;
            answer(200, &json!({ "user": user::value(&user, true) }))
        }
        Some(_) => Err(Problem::invalid_query("mode", "must be deactivate or activate")),
        None => {
            chat.remove_pushed_user(&caller.acting(), &found.id).await?;
            answer(200, &json!({ "success": true }))
        }
    }
}

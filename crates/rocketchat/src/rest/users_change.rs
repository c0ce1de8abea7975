//! Changing and removing accounts.

use parlor_core::{
    credentials::Password,
    error::{Refusal, State, What},
    id::{RoleId, UserId},
    json::Json,
    setting::{self, Settings},
    user::User,
    users_change::{Proof, Secret, UserChange, what_is_disabled},
};
use serde_json::{Map, Value, json};

use super::rooms_call::{Body, user_of};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let movers = Who::May(&["edit-other-user-active-status", "manage-moderation-actions"]);
    vec![
        post(
            "users.update",
            Who::Holder(&["edit-other-user-info"]),
            r#"{"userId":"$victim","data":{"name":"New Name"}}"#,
            update,
        )
        .grave(),
        post("users.updateOwnBasicInfo", Who::User, r#"{"data":{"nickname":"Nick"}}"#, update_own),
        post("users.setPreferences", Who::User, r#"{"data":{"useEmojis":true}}"#, set_preferences),
        get("users.getPreferences", Who::User, "", get_preferences),
        post("users.setActiveStatus", movers, r#"{"userId":"$victim","activeStatus":false}"#, set_active),
        post(
            "users.deactivateIdle",
            Who::May(&["edit-other-user-active-status"]),
            r#"{"daysIdle":999}"#,
            idle,
        ),
        post("users.delete", Who::May(&["delete-user"]), r#"{"userId":"$victim"}"#, delete),
        post("users.deleteOwnAccount", Who::User, r#"{"password":"not it"}"#, delete_own)
            .answering("Not allowed"),
    ]
}

/// What a request's `data` wants changed. Texts must be texts: nothing else slips through.
pub(crate) fn read(data: &Body) -> Result<UserChange, Refused> {
    let text = |key| data.text(key).map(|t| t.map(str::to_owned));
    let roles = data.list("roles")?.map(|roles| roles.iter().filter_map(|r| RoleId::parse(r)).collect());
    let username = text("username")?.map(|name| name.trim().to_owned());
    Ok(UserChange {
        username,
        name: text("name")?,
        email: text("email")?.map(|email| email.trim().to_owned()),
        email_verified: data.flag("verified")?,
        password: text("password")?.map(Secret),
        roles,
        require_password_change: data.flag("requirePasswordChange")?,
        bio: text("bio")?,
        nickname: text("nickname")?,
        status_text: text("statusText")?.or(text("statusMessage")?),
        custom_fields: fields(data.get("customFields"))?,
        language: text("language")?,
        utc_offset: data.get("utcOffset").and_then(Value::as_f64),
    })
}

fn fields(value: Option<&Value>) -> Result<Option<Json>, Refused> {
    match value {
        None => Ok(None),
        Some(value @ Value::Object(_)) => Ok(Some(Json::new(value.to_string()))),
        Some(_) => Err(Refused::invalid_params("must be object")),
    }
}

/// The object under `data`.
fn data(body: &Body) -> Result<Body, Refused> {
    match body.get("data") {
        Some(Value::Object(data)) => Ok(Body(data.clone())),
        Some(_) => Err(Refused::invalid_params("must be object")),
        None => Err(Refused::missing("data")),
    }
}

/// What `data` of `users.update` may name. A new account's choices, such as which rooms it enters, are none of it.
const CHANGEABLE: &[&str] = &[
    "_id",
    "active",
    "avatarUrl",
    "bio",
    "customFields",
    "email",
    "freeSwitchExtension",
    "language",
    "name",
    "nickname",
    "password",
    "realname",
    "requirePasswordChange",
    "roles",
    "sendWelcomeEmail",
    "setRandomPassword",
    "status",
    "statusDefault",
    "statusMessage",
    "statusText",
    "statusType",
    "type",
    "username",
    "utcOffset",
    "verified",
];

async fn update(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("userId")?;
    if id.is_empty() {
        return Err(Refused::invalid_params("must NOT have fewer than 1 characters"));
    }
    let data = data(&body)?;
    if data.0.keys().any(|key| !CHANGEABLE.contains(&key.as_str())) {
        return Err(Refused::invalid_params("must NOT have additional properties"));
    }
    let change = read(&data)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let id = UserId::parse(id).ok_or_else(no_such_user)?;
    let active = data.flag("active")?;
    let mut user = chat.change_user(actor, &id, change).await.map_err(refused)?;
    if let Some(active) = active.filter(|active| *active != user.active) {
        user = chat.set_active(actor, &id, active, false).await.map_err(refused)?;
    }
    answer(&call, &user)
}

fn answer(call: &Call, user: &User) -> Outcome {
    success(json!({ "user": shape::user::full(user, call.chat().status_of(&user.id), Dates::Iso) }))
}

/// SHA-256 as hex is taken as Rocket.Chat's digest, anything else as the password itself.
pub(crate) fn password(text: &str) -> Password {
    if text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Password::Digest(text.to_ascii_lowercase())
    } else {
        Password::Plain(text.to_owned())
    }
}

async fn update_own(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let data = data(&body)?;
    let mut change = read(&data)?;
    change.password = data.text("newPassword")?.filter(|t| !t.is_empty()).map(|t| Secret(t.to_owned()));
    if let Some(fields) = fields(body.get("customFields"))? {
        change.custom_fields = Some(fields);
    }
    let settings = call.chat().settings();
    // The present password counts as a second factor there, so suites that switch those off send an old one.
    let proof = match data.text("currentPassword")?.map(password) {
        Some(_)
            if call.door.config.test_mode && !settings.is_on("Accounts_TwoFactorAuthentication_Enabled") =>
        {
            Proof::Waived
        }
        given => Proof::Password(given),
    };
    let user = call.chat().change_self(call.actor()?, change, proof).await.map_err(refused)?;
    success(json!({ "user": shape::user::own(&call.door, &user, Dates::Iso) }))
}

/// Refusals of changes in Rocket.Chat's words.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    let not_allowed =
        |what: &str| Refused::meteor("error-action-not-allowed", &format!("{what} is not allowed"));
    match refusal {
        Refusal::Taken { what: What::Username, .. }
        | Refusal::Reserved(_)
        | Refusal::Invalid { field: "username" | "name", .. } => {
            Refused::meteor("error-could-not-save-identity", "Could not save user identity")
        }
        Refusal::NotAllowed("edit-other-user-info") => not_allowed("Editing user"),
        Refusal::NotAllowed("edit-other-user-password") => not_allowed("Edit user password"),
        Refusal::NotAllowed("assign-roles" | "assign-admin-role") => not_allowed("Assigning role"),
        Refusal::Disabled("Accounts_AllowUserProfileChange") => not_allowed("Edit user profile"),
        Refusal::Disabled("Accounts_AllowDeleteOwnAccount") => {
            Refused::meteor("error-not-allowed", "Not allowed")
        }
        Refusal::Disabled(setting) => match what_is_disabled(setting) {
            Some(what) => not_allowed(&format!("Edit {what}")),
            None => not_allowed("This"),
        },
        Refusal::BadCredentials => Refused::meteor("error-invalid-password", "Invalid password"),
        Refusal::State(State::LastOwner) => Refused::meteor("user-last-owner", ""),
        Refusal::NotFound(What::User | What::Username) => no_such_user(),
        Refusal::NotFound(What::Role) => Refused::meteor("error-invalid-role", "Invalid role"),
        other => other.into(),
    }
}

fn no_such_user() -> Refused {
    Refused::meteor("error-invalid-user", "The required \"userId\" param provided does not match any users")
}

async fn set_preferences(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let data = data(&body)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let of = match body.text("userId")? {
        Some(id) => UserId::parse(id).ok_or_else(unknown_optional)?,
        None => actor.user.clone(),
    };
    let wanted = preferences(&chat.settings(), data.0)?;
    let user = chat.set_preferences(actor, &of, wanted).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => unknown_optional(),
        other => refused(other),
    })?;
    let mut preferences = shape::user::chosen_preferences(&user);
    if !user.language.is_empty() {
        preferences.insert("language".into(), user.language.as_str().into());
    }
    success(json!({ "user": { "_id": user.id.as_str(), "settings": { "preferences": preferences } } }))
}

/// Preferences as clients send them: those that have a default are of its kind, what clients invent may be anything.
pub(crate) fn preferences(settings: &Settings, wanted: Map<String, Value>) -> Result<Json, Refused> {
    for (key, value) in wanted.iter().filter(|(_, value)| !value.is_null()) {
        let default = settings.get(&format!("Accounts_Default_User_Preferences_{key}"));
        let problem = match default.map(|setting| &setting.value) {
            Some(setting::Value::Bool(_)) if !value.is_boolean() => "must be boolean",
            Some(setting::Value::Number(_)) if !value.is_number() => "must be number",
            // Previews of features are a text by default and a list when chosen.
            Some(setting::Value::Text(_)) if !value.is_string() && key != "featuresPreview" => {
                "must be string"
            }
            _ => continue,
        };
        return Err(Refused::invalid_params(problem));
    }
    Ok(Json::new(Value::Object(wanted).to_string()))
}

fn unknown_optional() -> Refused {
    Refused::meteor("error-invalid-user", "The optional \"userId\" param provided does not match any users")
}

async fn get_preferences(call: Call) -> Outcome {
    let user = call.chat().active_user(call.actor()?).await?;
    let preferences: Map<String, Value> = shape::user::chosen_preferences(&user);
    success(json!({ "preferences": preferences }))
}

async fn set_active(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let active = body.flag("activeStatus")?.ok_or_else(|| Refused::missing("activeStatus"))?;
    let id = UserId::parse(body.need("userId")?).ok_or_else(no_such_user)?;
    let relinquish = body.flag("confirmRelinquish")?.unwrap_or_default();
    let user = call.chat().set_active(call.actor()?, &id, active, relinquish).await.map_err(refused)?;
    success(json!({ "user": { "_id": user.id.as_str(), "active": user.active } }))
}

async fn idle(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let days = body.get("daysIdle").and_then(Value::as_f64).ok_or_else(|| Refused::missing("daysIdle"))?;
    let role = body.text("role")?.unwrap_or("user");
    let count =
        call.chat().deactivate_idle(call.actor()?, days, role).await.map_err(|refusal| match refusal {
            Refusal::Invalid { problem, .. } => Refused::invalid_params(&problem),
            other => other.into(),
        })?;
    success(json!({ "count": count }))
}

async fn delete(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let user = user_of(&call, &body).await?;
    let relinquish = body.flag("confirmRelinquish")?.unwrap_or_default();
    // Beyond Rocket.Chat: what becomes of the messages, instead of what `Message_ErasureType` says.
    let fate = body.text("messages")?;
    call.chat().remove_user(call.actor()?, &user.id, relinquish, fate).await.map_err(refused)?;
    success(json!({ "deletedRooms": [] }))
}

async fn delete_own(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let proof = password(
        body.text("password")?
            .filter(|p| !p.is_empty())
            .ok_or_else(|| Refused::new("Body parameter \"password\" is required."))?,
    );
    let relinquish = body.flag("confirmRelinquish")?.unwrap_or_default();
    call.chat().remove_self(call.actor()?, proof, relinquish).await.map_err(refused)?;
    success(Value::Null)
}

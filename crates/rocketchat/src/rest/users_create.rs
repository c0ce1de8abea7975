//! New accounts: `users.create` for administrators, `users.register` for everybody.

use parlor_core::{
    error::{Refusal, What},
    id::RoleId,
    json::Json,
    second_factor::{Ask, is_ordinary},
    users_create::{NewUser, Registration},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post(
            "users.create",
            Who::May(&["create-user"]),
            r#"{"name":"$name","username":"$name","email":"$name@example.org","password":"correct horse 7"}"#,
            create,
        ),
        post(
            "users.register",
            Who::Anyone,
            r#"{"name":"$name","username":"$name","email":"$name@example.org","pass":"correct horse 7"}"#,
            register,
        )
        .answering("can not register again"),
    ]
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    email: String,
    name: String,
    username: String,
    password: Option<String>,
    active: Option<bool>,
    roles: Option<Vec<String>>,
    join_default_channels: Option<bool>,
    join_default_channels_silenced: Option<bool>,
    require_password_change: Option<bool>,
    #[serde(default)]
    verified: bool,
    custom_fields: Option<Map<String, Value>>,
    bio: Option<String>,
    nickname: Option<String>,
    status_text: Option<String>,
}

/// Custom fields as the core carries them; bounded by the body's size.
pub(crate) fn fields(given: Option<Map<String, Value>>) -> Option<Json> {
    given.map(|fields| Json::new(Value::Object(fields).to_string()))
}

async fn create(mut call: Call) -> Outcome {
    let wanted: Create = call.json().await?;
    let roles: Option<Vec<RoleId>> =
        wanted.roles.map(|roles| roles.iter().filter_map(|r| RoleId::parse(r)).collect());
    let user = NewUser {
        username: wanted.username.trim().to_owned(),
        name: wanted.name.trim().to_owned(),
        email: Some(wanted.email.trim().to_owned()),
        email_verified: wanted.verified,
        password: wanted.password,
        roles: roles.filter(|roles| !roles.is_empty()),
        inactive: wanted.active == Some(false),
        require_password_change: wanted.require_password_change.unwrap_or_default(),
        stay_out: wanted.join_default_channels == Some(false),
        silent: wanted.join_default_channels_silenced.unwrap_or_default(),
        custom_fields: fields(wanted.custom_fields),
        bio: wanted.bio.unwrap_or_default(),
        nickname: wanted.nickname.unwrap_or_default(),
        status_text: wanted.status_text.unwrap_or_default(),
    };
    // To make a new administrator is as grave as to make somebody one.
    if user.roles.iter().flatten().any(|role| !is_ordinary(role)) {
        call.confirm(Ask::WhoeverHasOne).await?;
    }
    let made = call.chat().create_user(call.actor()?, user).await.map_err(refused)?;
    let mut shown = shape::user::full(&made, call.chat().status_of(&made.id), Dates::Iso);
    shown["settings"] = json!({});
    success(json!({ "user": shown }))
}

/// Refusals of the administrator's way.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("assign-roles" | "assign-admin-role") => {
            Refused::meteor("error-action-not-allowed", "Assigning role is not allowed")
        }
        Refusal::NotAllowed("create-user") => {
            Refused::meteor("error-action-not-allowed", "Adding user is not allowed")
        }
        Refusal::NotFound(What::Role) => Refused::meteor("error-invalid-role", "Invalid role"),
        other => other.into(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Register {
    username: String,
    email: String,
    pass: String,
    name: String,
    #[serde(rename = "secretURL")]
    secret_url: Option<String>,
    custom_fields: Option<Map<String, Value>>,
}

async fn register(mut call: Call) -> Outcome {
    let wanted: Register = call.json().await?;
    let user = NewUser {
        username: wanted.username,
        name: wanted.name,
        email: Some(wanted.email.trim().to_owned()),
        password: Some(wanted.pass),
        custom_fields: fields(wanted.custom_fields),
        ..NewUser::default()
    };
    let secret = wanted.secret_url.unwrap_or_default();
    let made = call.chat().sign_up(Registration { user, secret }).await.map_err(turned_away)?;
    success(json!({ "user": shape::user::full(&made, call.chat().status_of(&made.id), Dates::Iso) }))
}

/// Refusals of a registration are plain sentences.
fn turned_away(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled(_) => Refused::new("User registration is disabled"),
        Refusal::NotAllowed(_) => Refused::new("User registration is only allowed via Secret URL"),
        Refusal::Taken { what: What::Username, .. } => Refused::new("Username is already in use"),
        Refusal::Taken { what: What::Email, .. } => Refused::new("Email already exists."),
        Refusal::Reserved(name) => Refused::new(format!("{name} is blocked and can't be used!")),
        weak @ Refusal::WeakPassword(_) => weak.into(),
        field @ Refusal::Invalid { field: "user-registration-custom-field", .. } => field.into(),
        other => Refused::from(other).plain(),
    }
}

//! Methods by which administrators keep accounts, and by which people come in.

use parlor_core::{
    error::{Refusal, State},
    id::{RoleId, UserId},
    json::Json,
    users_create::{NewUser, Registration},
    users_find::Whom,
};
use serde_json::{Value, json};

use super::rooms::object;
use crate::{
    method::{Answer, Invocation, Method, method},
    refusal::Refused,
    rest::{
        rooms_call::Body,
        users_change::{read, refused},
        users_create,
    },
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    let movers = Who::May(&["edit-other-user-active-status", "manage-moderation-actions"]);
    vec![
        method(
            "insertOrUpdateUser",
            Who::Holder(&["edit-other-user-info"]),
            r#"[{"_id":"$victim","name":"New Name"}]"#,
            insert_or_update,
        )
        .grave(),
        method("setUserActiveStatus", movers, r#"["$victim",false,false]"#, set_active),
        method("deleteUser", Who::May(&["delete-user"]), r#"["$victim",true]"#, delete),
        method(
            "registerUser",
            Who::Anyone,
            r#"[{"name":"$name","username":"$name","email":"$name@example.org","pass":"correct horse 7"}]"#,
            register,
        ),
        method("checkRegistrationSecretURL", Who::Anyone, r#"["guess"]"#, secret_url),
        // Clients ask it at every start. Without encryption nobody lacks a key.
        method("e2e.requestSubscriptionKeys", Who::User, "", |_| async { Ok(true.into()) }),
        method("resetUserE2EKey", Who::User, "", |_| async { Err(crate::rest::e2e::off()) })
            .answering("End-to-end"),
        method("userData", Who::User, "[]", own_data),
    ]
}

/// Makes an account, or changes one when the data has an `_id`.
async fn insert_or_update(call: Invocation) -> Answer {
    let data = object(&call, 0)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    if let Some(id) = data.text("_id")?.filter(|id| !id.is_empty()) {
        let id = UserId::parse(id).ok_or_else(|| Refused::meteor("error-invalid-user", "Invalid user"))?;
        chat.change_user(actor, &id, read(&data)?).await.map_err(refused)?;
        return Ok(true.into());
    }
    let made = chat.create_user(actor, new_user(&data)?).await.map_err(users_create::refused)?;
    Ok(made.id.as_str().into())
}

fn new_user(data: &Body) -> Result<NewUser, Refused> {
    let text = |key: &str| data.text(key).map(|t| t.unwrap_or_default().trim().to_owned());
    let roles = data.list("roles")?.map(|roles| roles.iter().filter_map(|r| RoleId::parse(r)).collect());
    let fields = data.get("customFields").filter(|f| f.is_object());
    Ok(NewUser {
        username: text("username")?,
        name: text("name")?,
        email: Some(text("email")?).filter(|email| !email.is_empty()),
        email_verified: data.flag("verified")?.unwrap_or_default(),
        password: data.text("password")?.map(str::to_owned),
        roles: roles.filter(|roles: &Vec<RoleId>| !roles.is_empty()),
        require_password_change: data.flag("requirePasswordChange")?.unwrap_or_default(),
        stay_out: data.flag("joinDefaultChannels")? == Some(false),
        custom_fields: fields.map(|fields| Json::new(fields.to_string())),
        bio: text("bio")?,
        nickname: text("nickname")?,
        status_text: text("statusText")?,
        ..NewUser::default()
    })
}

/// `(userId, active, confirmRelinquish?)`.
async fn set_active(call: Invocation) -> Answer {
    let id = UserId::parse(call.text(0)?).ok_or_else(unknown)?;
    let active = call.param(1).and_then(Value::as_bool);
    let active = active.ok_or_else(|| crate::method::mismatch("boolean", call.param(1)))?;
    let relinquish = call.param(2).and_then(Value::as_bool).unwrap_or_default();
    call.chat().set_active(call.actor()?, &id, active, relinquish).await.map_err(refuse_end)?;
    Ok(true.into())
}

async fn delete(call: Invocation) -> Answer {
    let id = UserId::parse(call.text(0)?).ok_or_else(unknown)?;
    let relinquish = call.param(1).and_then(Value::as_bool).unwrap_or_default();
    call.chat().remove_user(call.actor()?, &id, relinquish, None).await.map_err(refuse_end)?;
    Ok(json!({ "deletedRooms": [] }))
}

fn refuse_end(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::State(State::LastAdmin) => {
            let text = "Leaving the app without an active admin is not allowed";
            Refused::meteor("error-action-not-allowed", text)
        }
        other => refused(other),
    }
}

fn unknown() -> Refused {
    Refused::meteor("error-invalid-user", "Invalid user")
}

async fn register(call: Invocation) -> Answer {
    let data = object(&call, 0)?;
    let user = NewUser {
        username: data.text("username")?.unwrap_or_default().to_owned(),
        name: data.text("name")?.unwrap_or_default().to_owned(),
        email: Some(data.need("email")?.trim().to_owned()),
        password: Some(data.text("pass")?.or(data.text("password")?).unwrap_or_default().to_owned()),
        ..NewUser::default()
    };
    let secret = data.text("secretURL")?.unwrap_or_default().to_owned();
    let made = call.chat().sign_up(Registration { user, secret }).await?;
    Ok(made.id.as_str().into())
}

/// Whether this is the secret by which people may register.
async fn secret_url(call: Invocation) -> Answer {
    let settings = call.chat().settings();
    let secret = settings.text("Accounts_RegistrationForm_SecretURL");
    Ok((!secret.is_empty() && secret == call.text(0)?).into())
}

async fn own_data(call: Invocation) -> Answer {
    let actor = call.actor()?;
    let me = call.chat().find_user(actor, Whom::Id(&actor.user)).await?;
    Ok(crate::shape::user::own(&call.door, &me, crate::date::Dates::Ejson))
}

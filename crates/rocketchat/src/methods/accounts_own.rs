//! Methods about one's own account: the second factor, preferences, profile, picture, tokens.

use parlor_core::{
    error::{Refusal, What},
    id::UserId,
    second_factor::Ask,
    users_change::{Proof, Secret, UserChange},
};
use serde_json::{Value, json};

use crate::{
    avatar,
    date::Dates,
    method::{Answer, Invocation, Method, Reply, method, mismatch},
    refusal::Refused,
    rest::{
        rooms_call::Body,
        users_change::{password, preferences, read, refused},
        users_tokens,
    },
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("2fa:enable", Who::User, "", enable_totp).answering("error-invalid-user"),
        method("2fa:validateTempToken", Who::User, r#"["123456"]"#, confirm_totp).answering("invalid-totp"),
        method("2fa:disable", Who::User, r#"["123456"]"#, disable_totp),
        method("2fa:regenerateCodes", Who::User, r#"["123456"]"#, renew_codes).answering("invalid-totp"),
        method("2fa:checkCodesRemaining", Who::User, "", codes_left).answering("invalid-totp"),
        method("saveUserPreferences", Who::User, r#"[{"useEmojis":true}]"#, save_preferences),
        method("saveUserProfile", Who::User, r#"[{"nickname":"Nick"},{}]"#, save_profile),
        method("setUsername", Who::User, r#"["$username"]"#, set_username)
            .answering("error-could-not-save-identity"),
        method("setRealName", Who::User, r#"["Some Body"]"#, set_name),
        method("setEmail", Who::User, r#"["$name@example.org"]"#, set_email)
            .answering("error-invalid-password"),
        method("setUserPassword", Who::User, r#"["correct horse 7"]"#, set_password)
            .answering("error-invalid-password"),
        method("userSetUtcOffset", Who::User, "[1]", set_utc_offset),
        method("getUsernameSuggestion", Who::User, "[]", suggestion),
        method("checkUsernameAvailability", Who::User, r#"["$name"]"#, is_free),
        method(
            "setAvatarFromService",
            Who::User,
            r#"["data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII=","image/png","upload"]"#,
            set_avatar,
        ),
        method("resetAvatar", Who::User, "[]", reset_avatar),
        method("getAvatarSuggestion", Who::User, "[]", |_| async { Ok(json!({})) }),
        method("deleteUserOwnAccount", Who::User, r#"["not it"]"#, delete_own).answering("Not allowed"),
        method("logoutOtherClients", Who::User, "", log_out_others),
        method("removeOtherTokens", Who::User, "", log_out_others),
        method("personalAccessTokens:generateToken", Who::User, r#"[{"tokenName":"$name"}]"#, |call| {
            make_token(call, false)
        }),
        method("personalAccessTokens:regenerateToken", Who::User, r#"[{"tokenName":"none"}]"#, |call| {
            make_token(call, true)
        })
        .answering("error-token-does-not-exists"),
        method("personalAccessTokens:removeToken", Who::User, r#"[{"tokenName":"none"}]"#, remove_token)
            .answering("error-token-does-not-exists"),
        method(
            "callWithTwoFactorRequired",
            Who::Anyone,
            r#"["none","totp","public-settings/get",[]]"#,
            with_code,
        ),
    ]
}

/// Refusals of the authenticator's methods.
fn refuse_totp(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Invalid { problem, .. } => Refused::meteor("error-invalid-user", &problem),
        Refusal::NotFound(What::Token) => Refused::meteor("invalid-totp", "Invalid two factor code"),
        Refusal::Disabled(_) => Refused::meteor("error-not-allowed", "Not allowed"),
        other => other.into(),
    }
}

async fn enable_totp(call: Invocation) -> Answer {
    call.confirm(Ask::Lately).await?;
    let (secret, url) = call.chat().offer_totp(call.actor()?).await.map_err(refuse_totp)?;
    Ok(json!({ "secret": secret, "url": url }))
}

/// A code, also one that a client sends as a number.
fn code(call: &Invocation) -> Result<String, Refused> {
    match call.param(0) {
        Some(Value::String(code)) => Ok(code.trim().to_owned()),
        Some(Value::Number(code)) => Ok(code.to_string()),
        other => Err(mismatch("string", other)),
    }
}

async fn confirm_totp(call: Invocation) -> Answer {
    let code = code(&call)?;
    match call.chat().confirm_totp(call.actor()?, &code).await {
        Ok(codes) => Ok(json!({ "codes": codes })),
        // Clients read the absence of codes as a wrong code.
        Err(Refusal::SecondFactor(_)) => Ok(json!({})),
        Err(other) => Err(refuse_totp(other)),
    }
}

async fn disable_totp(call: Invocation) -> Answer {
    let code = code(&call)?;
    match call.chat().disable_totp(call.actor()?, &code).await {
        Ok(()) => Ok(true.into()),
        Err(Refusal::SecondFactor(_) | Refusal::NotFound(_)) => Ok(false.into()),
        Err(other) => Err(refuse_totp(other)),
    }
}

async fn renew_codes(call: Invocation) -> Answer {
    let code = code(&call)?;
    match call.chat().renew_recovery_codes(call.actor()?, &code).await {
        Ok(codes) => Ok(json!({ "codes": codes })),
        Err(Refusal::SecondFactor(_)) => Ok(json!({})),
        Err(other) => Err(refuse_totp(other)),
    }
}

async fn codes_left(call: Invocation) -> Answer {
    let factors = call.chat().factors(call.actor()?).await?;
    if !factors.totp {
        return Err(Refused::meteor("invalid-totp", "Two factor authentication is not enabled"));
    }
    Ok(json!({ "remaining": factors.recovery_codes }))
}

async fn save_preferences(call: Invocation) -> Answer {
    let wanted = preferences(&call.chat().settings(), call.object(0)?.clone())?;
    let actor = call.actor()?;
    call.chat().set_preferences(actor, &actor.user.clone(), wanted).await.map_err(refused)?;
    Ok(true.into())
}

/// `(settings, customFields)`: profile forms of older clients name some fields in their own way.
async fn save_profile(call: Invocation) -> Answer {
    let mut data = call.object(0)?.clone();
    for (theirs, ours) in [("realname", "name"), ("statusText", "statusText")] {
        if let Some(value) = data.remove(theirs) {
            data.insert(ours.to_owned(), value);
        }
    }
    if let Some(Value::Object(fields)) =
        call.param(1).filter(|f| f.as_object().is_some_and(|f| !f.is_empty()))
    {
        data.insert("customFields".to_owned(), Value::Object(fields.clone()));
    }
    let data = Body(data);
    let mut change = read(&data)?;
    change.password = data.text("newPassword")?.filter(|t| !t.is_empty()).map(|t| Secret(t.to_owned()));
    let proof = data.text("typedPassword")?.or(data.text("currentPassword")?).map(password);
    call.chat().change_self(call.actor()?, change, Proof::Password(proof)).await.map_err(refused)?;
    Ok(true.into())
}

async fn change(call: &Invocation, change: UserChange) -> Result<(), Refused> {
    call.chat().change_self(call.actor()?, change, Proof::Password(None)).await.map_err(refused)?;
    Ok(())
}

async fn set_username(call: Invocation) -> Answer {
    let name = call.text(0)?.trim().to_owned();
    change(&call, UserChange { username: Some(name.clone()), ..UserChange::default() }).await?;
    Ok(name.into())
}

async fn set_name(call: Invocation) -> Answer {
    let name = call.text(0)?.to_owned();
    change(&call, UserChange { name: Some(name.clone()), ..UserChange::default() }).await?;
    Ok(name.into())
}

async fn set_email(call: Invocation) -> Answer {
    let email = call.text(0)?.trim().to_owned();
    change(&call, UserChange { email: Some(email.clone()), ..UserChange::default() }).await?;
    Ok(email.into())
}

/// For those who must choose a new password: with the old one as proof, like any change of it.
async fn set_password(call: Invocation) -> Answer {
    let wanted = Secret(call.text(0)?.to_owned());
    let proof = call.param(1).and_then(Value::as_str).filter(|p| !p.is_empty()).map(password);
    let change = UserChange { password: Some(wanted), ..UserChange::default() };
    call.chat().change_self(call.actor()?, change, Proof::Password(proof)).await.map_err(refused)?;
    Ok(true.into())
}

async fn set_utc_offset(call: Invocation) -> Answer {
    let hours = call.param(0).and_then(Value::as_f64).ok_or_else(|| mismatch("number", call.param(0)))?;
    change(&call, UserChange { utc_offset: Some(hours), ..UserChange::default() }).await?;
    Ok(Value::Null)
}

async fn suggestion(call: Invocation) -> Answer {
    Ok(call.chat().suggest_username(call.actor()?).await?.into())
}

async fn is_free(call: Invocation) -> Answer {
    Ok(call.chat().is_username_free(call.actor()?, call.text(0)?).await?.into())
}

/// Whose picture: the caller's unless the parameter names somebody.
fn subject(call: &Invocation, index: usize) -> Result<UserId, Refused> {
    match call.param(index) {
        None => Ok(call.actor()?.user.clone()),
        Some(Value::String(id)) if id.is_empty() => Ok(call.actor()?.user.clone()),
        Some(Value::String(id)) => {
            UserId::parse(id).ok_or_else(|| Refused::meteor("error-invalid-user", "Invalid user"))
        }
        other => Err(mismatch("string", other)),
    }
}

/// `(dataURI, contentType, service, userId?)`.
async fn set_avatar(call: Invocation) -> Answer {
    let image = avatar::data_url(call.text(0)?)?;
    let of = subject(&call, 3)?;
    call.chat().set_avatar(call.actor()?, &of, image).await.map_err(avatar::refused)?;
    Ok(Value::Null)
}

async fn reset_avatar(call: Invocation) -> Answer {
    let of = subject(&call, 0)?;
    call.chat().reset_avatar(call.actor()?, &of).await.map_err(avatar::refused)?;
    Ok(Value::Null)
}

async fn delete_own(call: Invocation) -> Answer {
    let proof = password(call.text(0)?);
    let relinquish = call.param(1).and_then(Value::as_bool).unwrap_or_default();
    call.chat().remove_self(call.actor()?, proof, relinquish).await.map_err(refused)?;
    Ok(true.into())
}

async fn log_out_others(call: Invocation) -> Answer {
    call.chat().end_other_sessions(call.actor()?).await?;
    let session = call.chat().own_session(call.actor()?).await?;
    let expires = session.and_then(|s| s.expires_at).map(|at| Dates::Ejson.value(at));
    Ok(json!({ "tokenExpires": expires }))
}

async fn make_token(call: Invocation, again: bool) -> Answer {
    call.confirm(Ask::Lately).await?;
    let body = super::rooms::object(&call, 0)?;
    let bypass = body.flag("bypassTwoFactor")?.unwrap_or_default();
    let bypass = (!again).then_some(bypass);
    let token = call.chat().make_personal_token(call.actor()?, body.need("tokenName")?, bypass, again).await;
    Ok(token.map_err(users_tokens::refused)?.into())
}

async fn remove_token(call: Invocation) -> Answer {
    call.confirm(Ask::Lately).await?;
    let body = super::rooms::object(&call, 0)?;
    let done = call.chat().remove_personal_token(call.actor()?, body.need("tokenName")?).await;
    done.map_err(users_tokens::refused)?;
    Ok(true.into())
}

/// `(code, method, ddpMethod, ...args)`: another method, together with the second factor that it asked for.
async fn with_code(mut call: Invocation) -> Answer {
    let code = call.text(0)?.to_owned();
    let way = call.param(1).and_then(Value::as_str).map(str::to_owned);
    let name = call.text(2)?.to_owned();
    if name == "callWithTwoFactorRequired" {
        return Err(Refused::meteor("error-invalid-params", "Invalid params"));
    }
    call.params.drain(..3);
    call.code = Some(parlor_core::accounts::Code { code, method: way });
    let method = call.door.method(&name).cloned();
    let method = method.ok_or_else(|| Refused::meteor_number(404, &format!("Method '{name}' not found")))?;
    method.call(call).await.map(Reply::into_value)
}

//! Sessions and tokens: logging out, personal access tokens, tokens for host applications.

use parlor_core::{
    error::{Refusal, What},
    second_factor::Ask,
    session::{Session, SessionKind},
};
use serde_json::{Value, json};

use super::rooms_call::{Body, user, user_of};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("users.logout", Who::User, "", log_out),
        post("users.logoutOtherClients", Who::User, "", log_out_others),
        post("users.removeOtherTokens", Who::User, "", remove_others),
        post("users.generatePersonalAccessToken", Who::User, r#"{"tokenName":"$name"}"#, generate),
        post("users.regeneratePersonalAccessToken", Who::User, r#"{"tokenName":"none"}"#, regenerate)
            .answering("error-token-does-not-exists"),
        post("users.removePersonalAccessToken", Who::User, r#"{"tokenName":"none"}"#, remove)
            .answering("error-token-does-not-exists"),
        get("users.getPersonalAccessTokens", Who::User, "", list),
        post("users.createToken", Who::User, r#"{"userId":"$user","secret":"none"}"#, create_token)
            .answering("Not authorized"),
    ]
}

async fn log_out(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let actor = call.actor()?;
    let id = match body.text("userId")? {
        Some(id) => user(&call, Some(id), None).await?.id.clone(),
        None => actor.user.clone(),
    };
    call.chat().log_out_user(actor, &id).await?;
    success(json!({ "message": format!("User {id} has been logged out!") }))
}

async fn log_out_others(call: Call) -> Outcome {
    let (chat, actor) = (call.chat(), call.actor()?);
    chat.end_other_sessions(actor).await?;
    let expires = chat.own_session(actor).await?.and_then(|s| s.expires_at);
    let token = call.headers.get("x-auth-token").and_then(|v| v.to_str().ok()).unwrap_or_default();
    success(json!({ "token": token, "tokenExpires": expires.map(crate::date::iso).unwrap_or_default() }))
}

async fn remove_others(call: Call) -> Outcome {
    call.chat().end_other_sessions(call.actor()?).await?;
    success(Value::Null)
}

/// Refusals about personal access tokens.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("create-personal-access-tokens") => {
            Refused::meteor("not-authorized", "Not Authorized")
        }
        Refusal::Taken { .. } => {
            Refused::meteor("error-token-already-exists", "A token with this name already exists")
        }
        Refusal::NotFound(What::Token) => {
            Refused::meteor("error-token-does-not-exists", "Token does not exist")
        }
        other => other.into(),
    }
}

async fn generate(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.confirm(Ask::Lately).await?;
    let name = body.need("tokenName")?;
    let bypass = body.flag("bypassTwoFactor")?.unwrap_or_default();
    let token = call.chat().make_personal_token(call.actor()?, name, Some(bypass), false).await;
    success(json!({ "token": token.map_err(refused)? }))
}

async fn regenerate(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.confirm(Ask::Lately).await?;
    let name = body.need("tokenName")?;
    let token = call.chat().make_personal_token(call.actor()?, name, None, true).await;
    success(json!({ "token": token.map_err(refused)? }))
}

async fn remove(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.confirm(Ask::Lately).await?;
    let name = body.need("tokenName")?;
    call.chat().remove_personal_token(call.actor()?, name).await.map_err(refused)?;
    success(Value::Null)
}

async fn list(call: Call) -> Outcome {
    let tokens = call.chat().personal_tokens(call.actor()?).await.map_err(refused)?;
    let shown = |token: &Session| match &token.kind {
        SessionKind::PersonalToken { name, last_six, bypass } => Some(json!({
            "name": name, "lastTokenPart": last_six, "bypassTwoFactor": bypass,
            "createdAt": Dates::Iso.value(token.created_at),
        })),
        SessionKind::Login | SessionKind::Application { .. } | SessionKind::Ended => None,
    };
    success(json!({ "tokens": tokens.iter().filter_map(shown).collect::<Vec<_>>() }))
}

/// For host applications of the operator: closed unless a secret for it is configured.
async fn create_token(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let given = body.text("secret")?.unwrap_or_default();
    let wanted = call.door.config.create_tokens_secret.as_ref().map(|secret| secret.0.as_str());
    if !wanted.is_some_and(|wanted| !wanted.is_empty() && same(wanted, given)) {
        return Err(Refused::meteor("error-not-authorized", "Not authorized"));
    }
    let user = user_of(&call, &body).await?;
    let login = call.chat().open_session_for(call.actor()?, &user.id, call.device()).await?;
    success(json!({ "data": { "userId": login.user.id.as_str(), "authToken": login.token } }))
}

/// Compares digests, so that the time tells nothing of the secret.
fn same(a: &str, b: &str) -> bool {
    use sha2::{Digest, Sha256};
    Sha256::digest(a) == Sha256::digest(b)
}

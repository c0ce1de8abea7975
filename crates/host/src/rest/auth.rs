//! Logging in, and who one is.

use axum::http::header;
use parlor_core::{
    accounts::{Code, Device, Proof},
    credentials::Password,
    error::Refusal,
};
use serde_json::json;

use crate::{
    call::{Answer, Call, answer},
    caller::Caller,
    fields::{Fields, Text},
    problem::Problem,
    shape::user,
};

/// Longest name, password or code that is looked at, in characters.
const LONGEST: Text = Text::new(1, 1024);

/// `POST /api/auth/login`: the same path as every other login, with a token that lives as long as the operator says.
pub(super) async fn log_in(mut call: Call) -> Answer {
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let (username, email) = (fields.text("username", LONGEST), fields.text("email", LONGEST));
    let password = fields.need_text("password", LONGEST);
    let code = fields.text("code", LONGEST);
    if username.is_none() && email.is_none() && fields.value("username").is_none() {
        fields.missing("username");
    }
    fields.done()?;
    let agent = call.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let device = Device {
        user_agent: agent.unwrap_or_default().to_owned(),
        address: call.address,
        lifetime: Some(call.host.options().token_ttl),
    };
    let name = username.or(email).unwrap_or_default();
    let proof = Proof::Password { name, password: Password::Plain(password) };
    let code = code.map(|code| Code { code, method: None });
    let login = call.host.chat().login(proof, code, device).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => Refusal::BadCredentials.into(),
        other => Problem::of(other, call.host.now()),
    })?;
    answer(
        200,
        &json!({
            "access_token": login.token,
            "token_type": "Bearer",
            "expires_in": call.host.options().token_ttl.as_secs(),
            "user": user::value(&login.user, true),
        }),
    )
}

/// `GET /api/auth/me`: the cheap "am I connected" call.
pub(super) async fn me(call: Call) -> Answer {
    match call.caller()? {
        Caller::App => answer(200, &json!({ "app": true })),
        Caller::User(admitted) => answer(200, &json!({ "user": user::value(&admitted.user, true) })),
    }
}

//! `login`, `logout`, `me`.

use parlor_core::accounts::{Device, Proof};
use serde_json::{Value, json};

use crate::{
    call::{Call, bare, success},
    date::Dates,
    login,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("login", Who::Anyone, r#"{"user":"nobody","password":"nothing"}"#, log_in)
            .answering("Unauthorized"),
        post("logout", Who::User, "", log_out),
        get("logout", Who::User, "", log_out),
        get("me", Who::User, "", me),
    ]
}

async fn log_in(mut call: Call) -> Outcome {
    let body = Value::Object(call.object().await?);
    let (proof, code) = login::read(&body)?;
    let resume = matches!(proof, Proof::Token(_));
    let code = code.or_else(|| call.code());
    let done = call.chat().login(proof, code, call.device()).await;
    let done = done.map_err(|refusal| login::refused(refusal, resume))?;
    bare(&json!({
        "status": "success",
        "data": {
            "userId": done.user.id.as_str(),
            "authToken": done.token,
            "me": shape::user::own(&call.door, &done.user, Dates::Iso),
        },
    }))
}

async fn log_out(call: Call) -> Outcome {
    call.chat().logout(call.actor()?).await?;
    bare(&json!({ "status": "success", "data": { "message": "You've been logged out!" } }))
}

async fn me(call: Call) -> Outcome {
    let user = call.chat().active_user(call.actor()?).await?;
    let mut me = shape::user::own(&call.door, &user, Dates::Iso);
    let factors = call.chat().factors(call.actor()?).await?;
    me["services"]["totp"] = json!({ "enabled": factors.totp });
    me["services"]["email2fa"] = json!({ "enabled": factors.email });
    success(me)
}

impl Call {
    /// The device that calls.
    pub(crate) fn device(&self) -> Device {
        let agent = self.headers.get(axum::http::header::USER_AGENT).and_then(|v| v.to_str().ok());
        Device {
            user_agent: agent.unwrap_or_default().to_owned(),
            address: self.address,
            ..Device::default()
        }
    }

    /// A second factor in the headers `x-2fa-code` and `x-2fa-method`.
    pub(crate) fn code(&self) -> Option<parlor_core::accounts::Code> {
        let header = |name: &str| self.headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let code = header("x-2fa-code").filter(|code| !code.is_empty())?;
        Some(parlor_core::accounts::Code { code, method: header("x-2fa-method") })
    }
}

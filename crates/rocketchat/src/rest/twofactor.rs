//! The second factor over REST, and asking for it.

use serde_json::{Value, json};

use super::rooms_call::{Body, user};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("users.2fa.enableEmail", Who::User, "", no_mail).answering("SMTP"),
        post("users.2fa.disableEmail", Who::User, "", no_mail).answering("SMTP"),
        post("users.2fa.sendEmailCode", Who::Anyone, r#"{"emailOrUsername":"$username"}"#, send_code),
        post("users.resetTOTP", Who::May(&["edit-other-user-totp"]), r#"{"userId":"$user"}"#, reset)
            .answering("totp-required"),
        post("users.resetE2EKey", Who::User, "", |_| async { Err(super::e2e::off()) })
            .answering("End-to-end encryption is not enabled"),
    ]
}

impl Call {
    /// Asks for a second factor before something grave. Client suites are spared, but where `always` is set.
    pub(crate) async fn confirm(&self, always: bool) -> Result<(), Refused> {
        if self.door.config.test_mode && !always {
            return Ok(());
        }
        Ok(self.chat().confirm(self.actor()?, self.code(), always).await?)
    }
}

async fn no_mail(_: Call) -> Outcome {
    Err(Refused::meteor("error-email-send-failed", "SMTP is not configured"))
}

/// Says the same for everybody, known or not.
async fn send_code(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("emailOrUsername")?;
    success(Value::Null)
}

async fn reset(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.confirm(true).await?;
    let of = user(&call, body.text("userId")?, body.text("username")?).await?;
    call.chat().reset_totp(call.actor()?, &of.id).await?;
    success(json!({}))
}

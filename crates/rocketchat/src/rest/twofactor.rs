//! The second factor over REST, and asking for it.

use parlor_core::{error::Refusal, second_factor::Ask};
use serde_json::{Value, json};

use super::{
    mail,
    rooms_call::{Body, user},
};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("users.2fa.enableEmail", Who::User, "", enable_mail).answering("SMTP"),
        post("users.2fa.disableEmail", Who::User, "", disable_mail).answering("totp-required"),
        post("users.2fa.sendEmailCode", Who::Anyone, r#"{"emailOrUsername":"$username"}"#, send_code),
        post("users.resetTOTP", Who::May(&["edit-other-user-totp"]), r#"{"userId":"$user"}"#, reset)
            .answering("totp-required"),
        post("users.resetE2EKey", Who::User, "", |_| async { Err(super::e2e::off()) })
            .answering("End-to-end encryption is not enabled"),
    ]
}

impl Call {
    /// Asks for a second factor before something grave. Client suites are spared, but where it is always asked for.
    pub(crate) async fn confirm(&self, ask: Ask) -> Result<(), Refused> {
        if self.door.config.test_mode && ask != Ask::Always {
            return Ok(());
        }
        Ok(self.chat().confirm(self.actor()?, self.code(), ask).await?)
    }
}

async fn enable_mail(call: Call) -> Outcome {
    if !call.chat().sends_mail() {
        return Err(mail::refused(Refusal::Disabled("SMTP_Host")));
    }
    call.confirm(Ask::Always).await?;
    call.chat().set_mail_codes(call.actor()?, true).await.map_err(mail::refused)?;
    success(Value::Null)
}

async fn disable_mail(call: Call) -> Outcome {
    call.confirm(Ask::Always).await?;
    call.chat().set_mail_codes(call.actor()?, false).await?;
    success(Value::Null)
}

/// Says the same for everybody, known or not, and takes no longer for some.
async fn send_code(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let name = body.need("emailOrUsername")?.to_owned();
    let chat = call.chat().clone();
    tokio::spawn(async move {
        if let Err(refusal) = chat.send_code_to(&name).await {
            tracing::warn!(%refusal, "a code could not be kept for mailing");
        }
    });
    success(Value::Null)
}

async fn reset(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.confirm(Ask::Always).await?;
    let of = user(&call, body.text("userId")?, body.text("username")?).await?;
    call.chat().reset_totp(call.actor()?, &of.id).await?;
    success(json!({}))
}

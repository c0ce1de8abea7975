//! Methods about letters: a new password, the proof of an address, invitations, trying mail out.

use std::time::Duration;

use parlor_core::{accounts::Device, credentials::Password, error::Refusal, store::DeliveryState};
use serde_json::{Value, json};

use crate::{
    date::Dates,
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    rest::{mail::refused, rooms_call::texts},
    who::Who,
};

/// How long whoever tries mail out waits for the mail server, in looks a tenth of a second apart.
const LOOKS: usize = 250;

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("sendConfirmationEmail", Who::Anyone, r#"["a@example.org"]"#, confirmation).answering("SMTP"),
        method("sendForgotPasswordEmail", Who::Anyone, r#"["a@example.org"]"#, forgot_password),
        method("sendInvitationEmail", Who::May(&["bulk-register-user"]), r#"[["a@example.org"]]"#, invite)
            .answering("SMTP"),
        method("sendSMTPTestEmail", Who::May(&["test-admin-options"]), "", try_out).answering("SMTP"),
        method("resetPassword", Who::Anyone, r#"["none","correct horse 7"]"#, reset)
            .answering("Token expired"),
        method("verifyEmail", Who::Anyone, r#"["none"]"#, verify).answering("link expired"),
    ]
}

/// Of whoever is logged in the own address; before login, whoever has not proved his.
async fn confirmation(call: Invocation) -> Answer {
    call.chat().ask_to_verify_unknown(call.text(0)?).await.map_err(refused)?;
    Ok(true.into())
}

/// Whether the address is known is not told.
async fn forgot_password(call: Invocation) -> Answer {
    match call.chat().forgot_password(call.text(0)?).await {
        Ok(()) => Ok(true.into()),
        Err(Refusal::Disabled(_)) => {
            Err(Refused::meteor("error-not-allowed", "Password reset is not enabled"))
        }
        Err(other) => Err(other.into()),
    }
}

async fn invite(call: Invocation) -> Answer {
    let emails = call.param(0).and_then(Value::as_array).ok_or_else(|| mismatch("array", call.param(0)))?;
    let sent = call.chat().invite_by_mail(call.actor()?, &texts(emails)?).await.map_err(refused)?;
    Ok(sent.into())
}

/// Waits for what the mail server says: whoever tries it out wants to know.
async fn try_out(call: Invocation) -> Answer {
    let chat = call.chat();
    let letter = chat.try_mail_out(call.actor()?).await.map_err(refused)?;
    for _ in 0..LOOKS {
        let now = chat.delivery_now(&letter.id).await?;
        match now.map(|now| (now.state, now.problem)) {
            Some((DeliveryState::Waiting, _)) => tokio::time::sleep(Duration::from_millis(100)).await,
            Some((DeliveryState::Failed, problem)) => {
                let text = format!("Error trying to send email: {problem}");
                return Err(Refused::meteor("error-email-send-failed", &text));
            }
            Some((DeliveryState::Done, _)) | None => {
                return Ok(json!({ "message": "Your_mail_was_sent_to_s", "params": [] }));
            }
        }
    }
    Err(Refused::meteor("error-email-send-failed", "The mail server does not answer"))
}

/// `(token, newPassword)`, the password as text or as a digest: like Meteor's, it logs in. Where there is a second
/// factor the new password is in force, and logging in is for whoever has the other one too.
async fn reset(call: Invocation) -> Answer {
    let password = match call.param(1) {
        Some(Value::String(plain)) => Password::Plain(plain.clone()),
        Some(given) => crate::login::digest(given)?,
        None => return Err(mismatch("string", None)),
    };
    let renewed =
        call.chat().renew_password(call.text(0)?, password).await.map_err(|refusal| match refusal {
            Refusal::TokenExpired => Refused::meteor("403", "Token expired"),
            Refusal::Disabled(_) => Refused::meteor("error-not-allowed", "Password reset is not enabled"),
            Refusal::Invalid { problem, .. } => Refused::meteor("error-invalid-password", &problem),
            other => other.into(),
        })?;
    if renewed.second_factor {
        let text = "Changed password, but user not logged in because 2FA is enabled";
        return Err(Refused::meteor("2fa-enabled", text));
    }
    let login = call.chat().log_in_renewed(&renewed, Device::default()).await?;
    Ok(json!({
        "id": login.user.id.as_str(), "token": login.token, "type": "password",
        "tokenExpires": login.expires_at.map(|at| Dates::Ejson.value(at)),
    }))
}

async fn verify(call: Invocation) -> Answer {
    let id = call.chat().verify_address(call.text(0)?).await.map_err(|refusal| match refusal {
        Refusal::TokenExpired => Refused::meteor("403", "Verify email link expired"),
        other => other.into(),
    })?;
    Ok(json!({ "id": id.as_str() }))
}

//! What needs a mail server: said plainly while none is set up.

use parlor_core::chat::Chat;
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let inviters = Who::May(&["bulk-register-user"]);
    vec![
        get("smtp.check", Who::User, "", check),
        post("sendInvitationEmail", inviters, r#"{"emails":["a@example.org"]}"#, invite).answering("SMTP"),
        post("users.verifyEmail", Who::Anyone, r#"{"token":"none"}"#, verify).answering("link expired"),
        post(
            "mailer",
            Who::May(&["send-mail"]),
            r#"{"from":"a@example.org","subject":"s","body":"b","dryrun":true,"query":""}"#,
            mailer,
        )
        .answering("SMTP is not configured"),
        post("mailer.unsubscribe", Who::Anyone, r#"{"_id":"none","createdAt":"1"}"#, unsubscribe)
            .answering("Invalid link"),
    ]
}

/// Nothing is said to be sent that is not.
pub(crate) fn refuse_mail(chat: &Chat) -> Result<(), Refused> {
    let text = if chat.settings().text("SMTP_Host").is_empty() {
        "SMTP is not configured"
    } else {
        "This server does not send mail"
    };
    Err(Refused::meteor("error-email-send-failed", text))
}

async fn check(call: Call) -> Outcome {
    success(json!({ "isSMTPConfigured": !call.chat().settings().text("SMTP_Host").is_empty() }))
}

async fn invite(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let emails = body.list("emails")?.ok_or_else(|| Refused::missing("emails"))?;
    if emails.iter().all(|email| !email.contains('@')) {
        return Err(Refused::meteor("error-email-send-failed", "No valid email addresses"));
    }
    refuse_mail(call.chat())?;
    success(Value::Null)
}

async fn verify(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("token")?;
    Err(Refused::new("Verify email link expired"))
}

async fn mailer(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let from = body.need("from")?;
    body.need("subject")?;
    if !from.contains('@') {
        return Err(Refused::meteor("error-invalid-from-address", "Invalid from address"));
    }
    refuse_mail(call.chat())?;
    success(Value::Null)
}

async fn unsubscribe(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("_id")?;
    body.need("createdAt")?;
    Err(Refused::meteor("error-email-unsubscribe-failed", "Invalid link"))
}

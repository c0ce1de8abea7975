//! Letters: proving an address, asking people to come, a new password, trying mail out.

use parlor_core::error::{Refusal, What};
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
        post("users.forgotPassword", Who::Anyone, r#"{"email":"a@example.org"}"#, forgot_password),
        post("users.sendConfirmationEmail", Who::User, r#"{"email":"a@example.org"}"#, confirmation)
            .answering("error-invalid-user"),
        post("users.sendWelcomeEmail", Who::May(&["send-mail"]), r#"{"email":"a@example.org"}"#, welcome)
            .answering("SMTP is not configured"),
        post(
            "mailer",
            Who::May(&["send-mail"]),
            r#"{"from":"a@example.org","subject":"s","body":"b","dryrun":true,"query":""}"#,
            mailer,
        )
        .answering("not part of this server"),
        get("mail.unsubscribe", Who::Anyone, "t=none", ask_to_leave),
        post("mail.unsubscribe", Who::Anyone, "{}", leave).answering("Invalid link"),
        post("mailer.unsubscribe", Who::Anyone, r#"{"_id":"none","createdAt":"1"}"#, unsubscribe)
            .answering("Invalid link"),
    ]
}

/// Refusals of letters.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled("SMTP_Host") => {
            Refused::meteor("error-email-send-failed", "SMTP is not configured")
        }
        Refusal::Invalid { field: "emails", problem } => Refused::meteor("error-email-send-failed", &problem),
        Refusal::NotFound(What::Email | What::User) => Refused::meteor("error-invalid-user", "Invalid user"),
        other => other.into(),
    }
}

async fn check(call: Call) -> Outcome {
    success(json!({ "isSMTPConfigured": call.chat().sends_mail() }))
}

async fn invite(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let emails = body.list("emails")?.ok_or_else(|| Refused::missing("emails"))?;
    call.chat().invite_by_mail(call.actor()?, &emails).await.map_err(refused)?;
    success(Value::Null)
}

async fn verify(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().verify_address(body.need("token")?).await.map_err(|refusal| match refusal {
        Refusal::TokenExpired => Refused::new("Verify email link expired"),
        other => other.into(),
    })?;
    success(Value::Null)
}

/// Whether the address is known is not told.
async fn forgot_password(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    if !call.chat().settings().is_on("Accounts_PasswordReset") {
        return Err(Refused::new("Password reset is not enabled"));
    }
    let address = body.text("email")?.filter(|text| !text.is_empty());
    let address = address.ok_or_else(|| Refused::new("The 'email' param is required"))?;
    call.chat().forgot_password(address).await?;
    success(Value::Null)
}

async fn confirmation(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    match call.chat().ask_to_verify(call.actor()?, body.need("email")?).await {
        // Clients' own suites run without a mail server and expect a success.
        Ok(()) => success(Value::Null),
        Err(Refusal::Disabled("SMTP_Host")) if call.door.config.test_mode => success(Value::Null),
        Err(refusal) => Err(refused(refusal)),
    }
}

async fn welcome(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().welcome_by_mail(call.actor()?, body.need("email")?).await.map_err(refused)?;
    success(Value::Null)
}

async fn mailer(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let from = body.need("from")?;
    body.need("subject")?;
    if !from.contains('@') {
        return Err(Refused::meteor("error-invalid-from-address", "Invalid from address"));
    }
    Err(Refused::meteor("error-endpoint-not-available", "Newsletters: not part of this server"))
}

async fn unsubscribe(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    body.need("_id")?;
    body.need("createdAt")?;
    Err(Refused::meteor("error-email-unsubscribe-failed", "Invalid link"))
}

/// A page with a button: programs that look at links before their readers do must not press it.
async fn ask_to_leave(call: Call) -> Outcome {
    let french = call.chat().settings().text("Language").starts_with("fr");
    let (title, label) = if french {
        ("Ne plus recevoir de lettres ?", "Me désinscrire")
    } else {
        ("No more letters about unread messages?", "Unsubscribe")
    };
    Ok(page(&format!("<h1>{title}</h1><form method=\"post\"><button>{label}</button></form>")))
}

/// One click, as RFC 8058 wants it: the link alone says who it is.
async fn leave(call: Call) -> Outcome {
    let token = call.param("t").unwrap_or_default();
    let invalid = |refusal| match refusal {
        Refusal::TokenExpired => Refused::meteor("error-email-unsubscribe-failed", "Invalid link"),
        other => Refused::from(other),
    };
    call.chat().leave_letters(token).await.map_err(invalid)?;
    let french = call.chat().settings().text("Language").starts_with("fr");
    let done = if french { "C'est fait." } else { "Done. You will get no more of these letters." };
    Ok(page(&format!("<h1>{done}</h1>")))
}

fn page(body: &str) -> axum::response::Response {
    use axum::response::IntoResponse;
    let html = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>Parlor</title></head><body>{body}</body></html>"
    );
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("content-security-policy", "default-src 'none'; form-action 'self'"),
    ];
    (headers, html).into_response()
}

//! What clients ask before anything else: `/api/info`, `/_timesync`.

use axum::{body::Body, http::header, response::Response};
use serde_json::json;

use crate::{
    call::{Call, success},
    route::{Outcome, Route, get},
    who::Who,
};

/// Oldest versions of the official applications that are told to be good enough.
const CLIENTS: (&str, &str) = ("3.9.6", "4.39.0");

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/api/info", Who::Anyone, "", info),
        get("/api/info/", Who::Anyone, "", info),
        get("info", Who::Anyone, "", info),
        get("/_timesync", Who::Anyone, "", timesync),
    ]
}

async fn info(call: Call) -> Outcome {
    let version = call.door.config.version.as_str();
    let short: Vec<&str> = version.splitn(3, '.').take(2).collect();
    let unique = call.chat().settings().text("uniqueID").to_owned();
    let mut answer = json!({
        "version": short.join("."),
        "minimumClientVersions": { "desktop": CLIENTS.0, "mobile": CLIENTS.1 },
        "cloudWorkspaceId": unique,
    });
    let known = match call.actor_if_any() {
        Some(actor) => call.chat().may(actor, "view-statistics", None).await.unwrap_or(false),
        None => false,
    };
    if known {
        answer["version"] = version.into();
        answer["info"] = json!({
            "version": version,
            "build": { "date": "", "nodeVersion": "", "arch": std::env::consts::ARCH, "platform": std::env::consts::OS },
            "commit": {},
            "marketplaceApiVersion": "1.44.0",
        });
    }
    success(answer)
}

/// The server's clock in milliseconds, as plain text.
async fn timesync(call: Call) -> Outcome {
    let mut answer = Response::new(Body::from(call.chat().now().millis().to_string()));
    let text = axum::http::HeaderValue::from_static("text/plain;charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, text);
    Ok(answer)
}

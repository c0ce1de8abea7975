//! Devices of everybody, for administrators (`sessions/list.all` and its like).

use parlor_core::{error::Refusal, id::SessionId, second_factor::Ask, session::Session};
use serde_json::{Value, json};

use super::{banners::device, rooms_call::Body};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let viewers = Who::May(&["view-device-management"]);
    vec![
        get("sessions/list.all", viewers, "", list),
        get("sessions/info.admin", viewers, "sessionId=none", one).answering("Session not found"),
        post("sessions/logout", Who::May(&["logout-device-management"]), r#"{"sessionId":"none"}"#, end)
            .answering("Session not found"),
    ]
}

async fn shown(call: &Call, session: &Session) -> Result<Value, Refused> {
    let mut shown = device(call, session, call.actor()?.session.as_ref());
    if let Some(user) = call.chat().user(&session.user).await? {
        shown["_user"] = json!({ "username": user.username, "name": user.name });
    }
    Ok(shown)
}

async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let found = call.chat().all_sessions(call.actor()?, page).await?;
    let mut items = Vec::with_capacity(found.items.len());
    for session in &found.items {
        items.push(shown(&call, session).await?);
    }
    success(json!({ "sessions": items, "count": items.len(), "offset": page.offset, "total": found.total }))
}

fn unknown(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::new("Session not found"),
        other => other.into(),
    }
}

fn wanted(id: &str) -> Result<SessionId, Refused> {
    SessionId::parse(id).ok_or_else(|| Refused::new("Session not found"))
}

async fn one(call: Call) -> Outcome {
    let id = wanted(call.need("sessionId")?)?;
    let session = call.chat().session_by_id(call.actor()?, &id).await.map_err(unknown)?;
    success(shown(&call, &session).await?)
}

async fn end(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = wanted(body.need("sessionId")?)?;
    call.confirm(Ask::Lately).await?;
    call.chat().end_session_of(call.actor()?, &id).await.map_err(unknown)?;
    success(json!({ "sessionId": id.as_str() }))
}

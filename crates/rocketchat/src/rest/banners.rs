//! `banners`, and the devices that one is logged in with (`sessions/…`).

use parlor_core::{
    banners::Banner,
    error::Refusal,
    id::SessionId,
    session::{Session, SessionKind},
};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let makers = Who::May(&["edit-privileged-setting"]);
    vec![
        get("banners", Who::User, "platform=web", |call| list(call, None)),
        get("banners.getNew", Who::User, "platform=web", |call| list(call, None)),
        get("banners/{id}", Who::User, "/none platform=web", |call| async move {
            let id = call.path("id").to_owned();
            list(call, Some(id)).await
        }),
        post("banners.dismiss", Who::User, r#"{"bannerId":"none"}"#, dismiss).answering("Banner not found"),
        post("banners.create", makers, r#"{"title":"Hello","text":"to all"}"#, create),
        post("banners.remove", makers, r#"{"bannerId":"none"}"#, remove).answering("Banner not found"),
        get("sessions/list", Who::User, "", sessions),
        get("sessions/info", Who::User, "sessionId=none", session).answering("Session not found"),
        post("sessions/logout.me", Who::User, r#"{"sessionId":"none"}"#, end_session)
            .answering("Session not found"),
    ]
}

/// As Rocket.Chat's apps draw it: a block of text.
fn shown(banner: &Banner) -> Value {
    json!({
        "_id": banner.id, "platform": ["web", "mobile"], "active": true,
        "startAt": Dates::Iso.value(banner.created_at), "createdAt": Dates::Iso.value(banner.created_at),
        "expireAt": banner.ends_at.map(|at| Dates::Iso.value(at)), "_updatedAt": Dates::Iso.value(banner.created_at),
        "view": {
            "viewId": banner.id, "appId": "banner-core", "variant": "info", "icon": "info", "inline": true,
            "title": { "type": "plain_text", "text": banner.title },
            "blocks": [{ "type": "section", "blockId": "text", "text": { "type": "mrkdwn", "text": banner.text } }],
        },
    })
}

async fn list(call: Call, only: Option<String>) -> Outcome {
    match call.param("platform") {
        Some("web" | "mobile") => {}
        None => return Err(Refused::missing("platform")),
        Some(_) => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    }
    let banners = call.chat().banners(call.actor()?, only.as_deref()).await?;
    success(json!({ "banners": banners.iter().map(shown).collect::<Vec<_>>() }))
}

async fn dismiss(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = match body.0.get("bannerId") {
        None => return Err(Refused::new("Match error: Missing key 'bannerId'")),
        Some(Value::String(id)) if !id.is_empty() => id,
        Some(_) => return Err(Refused::new("The required \"bannerId\" param is missing.")),
    };
    call.chat().dismiss_banner(call.actor()?, id).await.map_err(unknown_banner)?;
    success(Value::Null)
}

fn unknown_banner(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-unknown-id", "Banner not found"),
        other => other.into(),
    }
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let ends = match body.text("expireAt")? {
        Some(text) => Some(date::read_text(text).ok_or_else(|| Refused::invalid_params("must be a date"))?),
        None => None,
    };
    let title = body.text("title")?.unwrap_or_default();
    let made = call.chat().put_banner(call.actor()?, title, body.need("text")?, ends).await?;
    success(json!({ "banner": shown(&made) }))
}

async fn remove(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().remove_banner(call.actor()?, body.need("bannerId")?).await.map_err(unknown_banner)?;
    success(Value::Null)
}

/// A device as Rocket.Chat's lists show it.
pub(crate) fn device(call: &Call, session: &Session, current: Option<&SessionId>) -> Value {
    let agent = session.user_agent.as_str();
    let kind = if agent.starts_with("RC Mobile") { "mobile" } else { "browser" };
    let name = agent.split(['/', ';']).next().unwrap_or_default();
    let root = crate::shape::user::root(&call.door).split("://").nth(1).unwrap_or_default().to_owned();
    json!({
        "_id": session.id.as_str(), "sessionId": session.id.as_str(), "userId": session.user.as_str(),
        "device": { "type": kind, "name": name, "longVersion": agent, "os": { "name": "", "version": "" }, "version": "" },
        "host": root, "ip": session.address, "loginAt": Dates::Iso.value(session.created_at),
        "lastActivityAt": Dates::Iso.value(session.used_at),
        "current": current == Some(&session.id),
    })
}

async fn own(call: &Call) -> Result<Vec<Session>, Refused> {
    let mut all = call.chat().own_sessions(call.actor()?).await?;
    all.retain(|session| matches!(session.kind, SessionKind::Login));
    all.sort_by_key(|session| std::cmp::Reverse(session.created_at));
    Ok(all)
}

async fn sessions(call: Call) -> Outcome {
    let page = call.page()?;
    let all = own(&call).await?;
    let current = call.actor()?.session.clone();
    let items: Vec<Value> =
        super::settings::cut(&all, page).iter().map(|s| device(&call, s, current.as_ref())).collect();
    success(json!({ "sessions": items, "count": items.len(), "offset": page.offset, "total": all.len() }))
}

async fn session(call: Call) -> Outcome {
    let id = call.need("sessionId")?;
    let all = own(&call).await?;
    let found = all.iter().find(|s| s.id.as_str() == id).ok_or_else(unknown_session)?;
    let current = call.actor()?.session.clone();
    success(device(&call, found, current.as_ref()))
}

fn unknown_session() -> Refused {
    Refused::new("Session not found")
}

async fn end_session(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("sessionId")?;
    let wanted = SessionId::parse(id).ok_or_else(unknown_session)?;
    call.chat().end_own_session(call.actor()?, &wanted).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => unknown_session(),
        other => other.into(),
    })?;
    success(json!({ "sessionId": id }))
}

//! `video-conference.*`: calls over Jitsi.

use parlor_core::{
    calls::{self, Call as Held, InCall},
    error::{Refusal, State},
    id::RoomId,
};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("video-conference.start", Who::Reader, r#"{"roomId":"$private"}"#, start)
            .answering("video-conf-provider-not-configured"),
        post("video-conference.join", Who::User, r#"{"callId":"none"}"#, join).answering("invalid-params"),
        post("video-conference.cancel", Who::User, r#"{"callId":"none"}"#, cancel)
            .answering("invalid-params"),
        post("video-conference.end", Who::User, r#"{"callId":"none"}"#, end).answering("invalid-params"),
        get("video-conference.info", Who::User, "callId=none", info).answering("invalid-params"),
        get("video-conference.list", Who::Reader, "roomId=$private", list),
        get("video-conference.providers", Who::User, "", providers),
        get("video-conference.capabilities", Who::User, "", capabilities)
            .answering("video-conf-provider-not-configured"),
        post("video-conference/jitsi.update-timeout", Who::Reader, r#"{"roomId":"$private"}"#, extend),
    ]
}

/// Refusals are bare words here.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled("Jitsi_Enabled") => Refused::new("no-active-video-conf-provider"),
        Refusal::Disabled("Jitsi_Domain") => Refused::new("video-conf-provider-not-configured"),
        Refusal::NotFound(_) => Refused::new("invalid-params"),
        Refusal::NotAllowed("call-management") => Refused::unauthorized(),
        Refusal::State(State::AlreadyClosed) => Refused::new("invalid-call-status"),
        other => other.into(),
    }
}

fn person(user: &InCall) -> Value {
    json!({ "_id": user.id.as_str(), "username": user.username, "name": user.name })
}

fn held(call: &Held) -> Value {
    let users = call.users.iter().map(|user| {
        let mut shown = person(user);
        shown["avatarETag"] = Value::Null;
        shown["ts"] = Dates::Iso.value(user.at);
        shown
    });
    let kind = if call.direct { "direct" } else { "videoconference" };
    let mut shown = json!({
        "_id": call.id, "type": kind, "rid": call.room.as_str(), "users": users.collect::<Vec<_>>(),
        "status": calls::number(call.status), "messages": { "started": call.message.as_str() },
        "createdBy": person(&call.creator), "createdAt": Dates::Iso.value(call.creator.at),
        "providerName": "jitsi", "ringing": call.ringing, "anonymousUsers": 0, "url": call.url,
        "_updatedAt": Dates::Iso.value(call.updated_at),
    });
    if !call.direct {
        shown["title"] = call.title.as_str().into();
    }
    if let (Some(at), Some(by)) = (call.ended_at, &call.ended_by) {
        shown["endedAt"] = Dates::Iso.value(at);
        shown["endedBy"] = person(by);
    }
    shown
}

fn room(id: &str) -> Result<RoomId, Refused> {
    RoomId::parse(id).ok_or_else(|| Refused::new("invalid-params"))
}

async fn start(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = room(body.need("roomId")?)?;
    let title = body.text("title")?.unwrap_or_default();
    let ring = body.flag("allowRinging")?.unwrap_or_default();
    let (chat, actor) = (call.chat(), call.actor()?);
    let made = chat.start_call(actor, &room, title, ring).await.map_err(refused)?;
    let mut data = json!({ "callId": made.id, "rid": made.room.as_str(), "providerName": "jitsi" });
    if made.direct {
        let room = chat.find_room(actor, parlor_core::rooms::RoomRef::Id(&room)).await?;
        let other = room.direct.iter().find(|id| **id != actor.user);
        data["type"] = "direct".into();
        data["calleeId"] = other.map(|id| id.as_str()).into();
    } else {
        data["type"] = "videoconference".into();
    }
    success(json!({ "data": data }))
}

async fn join(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.need("callId")?;
    let (_, mut url) = call.chat().join_call(call.actor()?, id).await.map_err(refused)?;
    // How the client's devices are to be when it comes in.
    if let Some(state) = body.get("state").and_then(Value::as_object) {
        let off = |key: &str| state.get(key).and_then(Value::as_bool) == Some(false);
        let mut parts = vec!["config.prejoinPageEnabled=false"];
        parts.extend(off("mic").then_some("config.startWithAudioMuted=true"));
        parts.extend(off("cam").then_some("config.startWithVideoMuted=true"));
        url = format!("{url}#{}", parts.join("&"));
    }
    success(json!({ "url": url, "providerName": "jitsi" }))
}

async fn cancel(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let done = call.chat().cancel_call(call.actor()?, body.need("callId")?).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) => Refused::new("invalid-call"),
        other => refused(other),
    })?;
    success(Value::Null)
}

async fn end(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    call.chat().end_call(call.actor()?, body.need("callId")?).await.map_err(refused)?;
    success(Value::Null)
}

fn abilities() -> Value {
    json!({ "mic": true, "cam": true, "title": true })
}

async fn info(call: Call) -> Outcome {
    let id = call.need("callId")?;
    let found = call.chat().call(call.actor()?, id).await.map_err(refused)?;
    let mut shown = held(&found);
    shown["capabilities"] = abilities();
    success(shown)
}

async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let room = room(call.need("roomId")?)?;
    let found = call.chat().calls(call.actor()?, &room, page).await.map_err(refused)?;
    let data: Vec<Value> = found.items.iter().map(held).collect();
    success(json!({ "count": data.len(), "offset": page.offset, "total": found.total, "data": data }))
}

async fn providers(call: Call) -> Outcome {
    let data = match call.chat().calls_possible() {
        Ok(()) => json!([{ "key": "jitsi", "label": "Jitsi" }]),
        Err(_) => json!([]),
    };
    success(json!({ "data": data }))
}

async fn capabilities(call: Call) -> Outcome {
    call.chat().calls_possible().map_err(refused)?;
    success(json!({ "providerName": "jitsi", "capabilities": abilities() }))
}

/// Old clients say every ten seconds that they are still there.
async fn extend(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let room = room(body.need("roomId")?)?;
    call.chat().find_room(call.actor()?, parlor_core::rooms::RoomRef::Id(&room)).await.map_err(refused)?;
    let at = call.chat().now().after(std::time::Duration::from_secs(10));
    success(json!({ "jitsiTimeout": Dates::Iso.value(at) }))
}

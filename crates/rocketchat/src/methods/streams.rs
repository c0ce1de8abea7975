//! The write side of streams, and presence. A write that is not allowed answers nothing, as clients expect.

use parlor_core::{
    error::{Refusal, Result},
    id::{MessageId, RoomId, UserId},
    json::Json,
    presence::NewStatus,
    room::RoomKind,
    rooms::RoomRef,
    user::Status,
};
use serde_json::Value;

use crate::{
    method::{Answer, Invocation, Method, method, mismatch},
    refusal::Refused,
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method(
            "stream-notify-room",
            Who::User,
            r#"["$private/user-activity","$me",["user-typing"],{}]"#,
            notify_room,
        ),
        method("stream-notify-user", Who::User, r#"["$me/otr"]"#, nothing),
        method(
            "stream-notify-room-users",
            Who::User,
            r#"["$private/e2ekeyRequest","$private","key"]"#,
            notify_members,
        ),
        method(
            "updateOTRAck",
            Who::User,
            r#"[{"message":{"_id":"x","rid":"$private","t":"otr","ts":{"$date":0}},"ack":"x"}]"#,
            acknowledge_private_talk,
        )
        .answering("error-invalid-room"),
        method("UserPresence:online", Who::User, "[]", online),
        method("UserPresence:away", Who::User, "[]", away),
        method("UserPresence:setDefaultStatus", Who::User, r#"["online"]"#, set_default),
        method("setUserStatus", Who::User, r#"["online","here"]"#, set_status),
    ]
}

async fn nothing(_: Invocation) -> Answer {
    Ok(Value::Null)
}

async fn notify_room(call: Invocation) -> Answer {
    let Some((room, event)) = call.text(0)?.split_once('/') else { return Ok(Value::Null) };
    let Some(room) = RoomId::parse(room) else { return Ok(Value::Null) };
    let actor = call.actor()?;
    let user = call.chat().active_user(actor).await?;
    let name = call.text(1)?;
    let own = name == user.username || (!name.is_empty() && name == user.name);
    let activities: Vec<String> = match (event, call.param(2)) {
        ("user-activity", Some(Value::Array(list))) => {
            list.iter().filter_map(Value::as_str).map(str::to_owned).take(8).collect()
        }
        ("typing", Some(Value::Bool(true))) => vec!["user-typing".to_owned()],
        ("typing" | "user-activity", _) => Vec::new(),
        _ => return Ok(Value::Null),
    };
    if own {
        let thread = call.param(3).and_then(|extra| extra.get("tmid")).and_then(Value::as_str);
        let thread = thread.and_then(MessageId::parse);
        let shown = call.chat().show_activity(actor, &room, thread, &activities, call.origin).await;
        quietly(shown)?;
    }
    Ok(Value::Null)
}

/// Refusals of a stream's write side are not told; faults are.
fn quietly(done: Result<()>) -> std::result::Result<(), Refused> {
    match done {
        Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => Err(refusal.into()),
        _ => Ok(()),
    }
}

/// Passes a signal to every other member who is connected.
async fn notify_members(call: Invocation) -> Answer {
    let Some((room, event)) = call.text(0)?.split_once('/') else { return Ok(Value::Null) };
    let Some(room) = RoomId::parse(room) else { return Ok(Value::Null) };
    if !matches!(event, "e2ekeyRequest" | "webrtc" | "video-conference" | "userData") {
        return Ok(Value::Null);
    }
    let args = Json::new(Value::from(call.params[1..].to_vec()).to_string());
    quietly(call.chat().signal_members(call.actor()?, &room, event, args).await)?;
    Ok(Value::Null)
}

/// Off-the-record talk of two is not kept, and its acknowledgements reach nobody here: only what is wrong with one is
/// told.
async fn acknowledge_private_talk(call: Invocation) -> Answer {
    let body = call.object(0)?;
    let Some(Value::Object(message)) = body.get("message") else {
        return Err(mismatch("object", body.get("message")));
    };
    let text = |key: &str| match message.get(key) {
        Some(Value::String(text)) => Ok(text.as_str()),
        None => Err(Refused::new(format!("Match error: Missing key '{key}'"))),
        other => Err(mismatch("string", other).within(key)),
    };
    let (room, kind) = (text("rid")?, text("t")?);
    if kind != "otr" {
        return Err(Refused::meteor("error-invalid-message", "Invalid message type"));
    }
    let unknown = || Refused::meteor("error-invalid-room", "Invalid room");
    let room = RoomId::parse(room).ok_or_else(unknown)?;
    let by = message.get("u").and_then(|user| user.get("_id")).and_then(Value::as_str);
    let foreign = || Refused::meteor("error-invalid-user", "Invalid user, not in room");
    let room = match call.chat().find_room(call.actor()?, RoomRef::Id(&room)).await {
        // Whose message it is decides, so that nobody learns whether there is such a room.
        Err(Refusal::NotFound(_)) => {
            let by = by.and_then(UserId::parse);
            let known = matches!(by, Some(id) if call.chat().user(&id).await?.is_some());
            return Err(if known { foreign() } else { unknown() });
        }
        found => found?,
    };
    if room.kind != RoomKind::Direct {
        return Err(unknown());
    }
    match by {
        Some(id) if !room.direct.iter().any(|member| member.as_str() == id) => Err(foreign()),
        _ => Ok(Value::Null),
    }
}

async fn online(call: Invocation) -> Answer {
    call.chat().set_away(&call.actor()?.user, call.origin, false);
    Ok(Value::Null)
}

async fn away(call: Invocation) -> Answer {
    call.chat().set_away(&call.actor()?.user, call.origin, true);
    Ok(Value::Null)
}

async fn set_default(call: Invocation) -> Answer {
    let status = Status::from_word(call.text(0)?);
    call.chat().set_status(call.actor()?, None, NewStatus { status, text: None }).await?;
    Ok(Value::Null)
}

async fn set_status(call: Invocation) -> Answer {
    let status = match call.param(0) {
        Some(Value::String(word)) => {
            let bad = || {
                Refused::meteor(
                    "error-invalid-status",
                    "Valid status types include online, away, offline, and busy.",
                )
            };
            Some(Status::from_word(word).ok_or_else(bad)?)
        }
        _ => None,
    };
    let text = call.param(1).and_then(Value::as_str).map(str::to_owned);
    call.chat().set_status(call.actor()?, None, NewStatus { status, text }).await?;
    Ok(Value::Null)
}

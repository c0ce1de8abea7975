//! Calls as documents of the store, and as their messages show them.

use serde_json::{Map, Value, json};

use crate::{
    calls::{Call, CallStatus, InCall, number},
    clock::Time,
    id::{MessageId, RoomId, UserId},
    json::Json,
    store::Document,
};

/// What clients draw the call from: Rocket.Chat's block, and the state itself.
pub(crate) fn shown(call: &Call) -> Json {
    let block = json!({
        "type": "video_conf", "blockId": call.id, "callId": call.id, "appId": "videoconf-core",
    });
    let users: Vec<Value> = call.users.iter().take(20).map(person).collect();
    let state = json!({
        "callId": call.id, "title": call.title, "status": number(call.status), "users": users,
        "joined": call.users.len(), "startedAt": call.creator.at.millis(),
        "endedAt": call.ended_at.map(Time::millis),
    });
    Json::new(json!({ "blocks": [block], "call": state }).to_string())
}

fn person(user: &InCall) -> Value {
    json!({ "_id": user.id.as_str(), "username": user.username, "name": user.name, "ts": user.at.millis() })
}

pub(crate) fn document(call: &Call) -> Document {
    let body = json!({
        "direct": call.direct, "title": call.title, "creator": person(&call.creator),
        "users": call.users.iter().map(person).collect::<Vec<_>>(), "status": number(call.status),
        "message": call.message.as_str(), "url": call.url, "ringing": call.ringing,
        "endedAt": call.ended_at.map(Time::millis), "endedBy": call.ended_by.as_ref().map(person),
    });
    let body = Json::new(body.to_string());
    Document { id: call.id.clone(), key: call.room.to_string(), body, updated_at: call.updated_at }
}

fn read_person(value: &Value) -> Option<InCall> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    Some(InCall {
        id: UserId::new(text("_id")?),
        username: text("username")?.to_owned(),
        name: text("name")?.to_owned(),
        at: Time(value.get("ts")?.as_i64()?),
    })
}

pub(crate) fn read(stored: &Document) -> Option<Call> {
    let body: Map<String, Value> = serde_json::from_str(stored.body.as_str()).ok()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
    Some(Call {
        id: stored.id.clone(),
        room: RoomId::new(stored.key.clone()),
        direct: flag("direct"),
        title: text("title")?,
        creator: read_person(body.get("creator")?)?,
        users: body.get("users")?.as_array()?.iter().filter_map(read_person).collect(),
        status: match body.get("status")?.as_i64()? {
            0 => CallStatus::Calling,
            1 => CallStatus::Started,
            2 => CallStatus::Expired,
            4 => CallStatus::Declined,
            _ => CallStatus::Ended,
        },
        message: MessageId::new(text("message")?),
        url: text("url")?,
        ringing: flag("ringing"),
        ended_at: body.get("endedAt").and_then(Value::as_i64).map(Time),
        ended_by: body.get("endedBy").and_then(read_person),
        updated_at: stored.updated_at,
    })
}

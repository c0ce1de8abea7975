//! `integrations.*`: setting up webhooks both ways, and looking at what they did.

use parlor_core::{
    error::{Refusal, What},
    integration::{Backoff, Direction, Integration, Trigger},
    integrations::WantedIntegration,
    json::Json,
    store::{Delivery, DeliveryState},
};
use serde_json::{Map, Value, json};

use super::rooms_call::Family;
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post, put},
    who::Who,
};

const KEEPERS: &[&str] = &[
    "manage-incoming-integrations",
    "manage-own-incoming-integrations",
    "manage-outgoing-integrations",
    "manage-own-outgoing-integrations",
];
const ANY: Who = Who::May(KEEPERS);
const SENDERS: &[&str] = &["manage-outgoing-integrations", "manage-own-outgoing-integrations"];
const OUTGOING: Who = Who::May(SENDERS);

pub(crate) fn routes() -> Vec<Route> {
    let incoming = r##"{"type":"webhook-incoming","name":"$name","enabled":true,"username":"$username","channel":"@owner","scriptEnabled":false}"##;
    vec![
        post("integrations.create", Who::Holder(KEEPERS), incoming, create),
        put("integrations.update", ANY, r#"{"type":"webhook-incoming","integrationId":"none","name":"n","enabled":true,"username":"owner","channel":"@owner","scriptEnabled":false}"#, update).answering("error-invalid-integration"),
        post("integrations.remove", ANY, r#"{"type":"webhook-incoming","integrationId":"none"}"#, remove).answering("No integration found"),
        get("integrations.get", Who::Holder(KEEPERS), "integrationId=none", one).answering("does not exists"),
        get("integrations.list", ANY, "count=10", list),
        get("integrations.history", OUTGOING, "id=none", history).answering("error-invalid-integration"),
        post("integrations.clearHistory", Who::Holder(SENDERS), r#"{"integrationId":"none"}"#, clear).answering("error-invalid-integration"),
        post("integrations.replayOutgoing", Who::Holder(SENDERS), r#"{"integrationId":"none","historyId":"none"}"#, replay).answering("error-invalid-integration"),
        post("integrations.test", OUTGOING, r#"{"integrationId":"none"}"#, test).answering("error-invalid-integration"),
        get("channels.getIntegrations", ANY, "roomId=$public", |call| of_room(Family::Channels, call)),
        get("groups.getIntegrations", ANY, "roomId=$private", |call| of_room(Family::Groups, call))
            .answering("error-room-not-found"),
    ]
}

/// An integration as Rocket.Chat writes it. Incoming tokens are kept hashed, so only creation can tell them.
pub(crate) fn value(it: &Integration, token: Option<&str>) -> Value {
    let mut value = json!({
        "_id": it.id, "type": it.direction.as_str(), "name": it.name, "enabled": it.enabled,
        "username": it.username, "userId": it.user.as_str(), "channel": it.channels, "alias": it.alias,
        "avatar": it.avatar, "emoji": it.emoji, "script": it.script, "scriptEnabled": it.script_enabled,
        "scriptEngine": "isolated-vm", "overrideDestinationChannelEnabled": it.free_channel,
        "_createdAt": Dates::Iso.value(it.created_at), "_updatedAt": Dates::Iso.value(it.updated_at),
        "_createdBy": { "_id": it.created_by.0.as_str(), "username": it.created_by.1 },
    });
    let Some(object) = value.as_object_mut() else { return value };
    if let Some(token) = token {
        object.insert("token".into(), token.into());
    }
    if let Some(calls) = &it.calls {
        let more = json!({
            "event": calls.trigger.as_str(), "urls": calls.urls, "triggerWords": calls.words,
            "triggerWordAnywhere": calls.anywhere, "runOnEdits": calls.on_edits, "impersonateUser": false,
            "retryFailedCalls": calls.retry, "retryCount": calls.retries, "retryDelay": calls.backoff.as_str(),
        });
        object.extend(more.as_object().cloned().unwrap_or_default());
    }
    value
}

/// A call that went out, as Rocket.Chat writes it.
fn delivery(d: &Delivery) -> Value {
    json!({
        "_id": d.id, "type": "outgoing-webhook", "event": d.event, "url": d.url,
        "integration": { "_id": d.integration }, "roomId": d.room,
        "data": serde_json::from_str::<Value>(d.body.as_str()).unwrap_or_default(),
        "step": match d.state {
            DeliveryState::Waiting => "before-http-call",
            DeliveryState::Done => "after-process-false-result",
            DeliveryState::Failed => "after-http-call",
        },
        "finished": d.state != DeliveryState::Waiting, "error": d.state == DeliveryState::Failed,
        "httpError": d.problem, "httpResult": d.answer, "httpStatus": d.status, "attempts": d.attempts,
        "nextAttemptAt": (d.state == DeliveryState::Waiting).then(|| Dates::Iso.value(d.due_at)),
        "_createdAt": Dates::Iso.value(d.created_at), "_updatedAt": Dates::Iso.value(d.updated_at),
    })
}

/// Whoever may not is told so as methods tell it, with 400.
fn not_authorized(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed(_) => Refused::meteor("not_authorized", "Unauthorized"),
        other => refused(other),
    }
}

fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Integration) => {
            Refused::meteor("error-invalid-integration", "Invalid integration")
        }
        other => other.into(),
    }
}

fn text(body: &Map<String, Value>, key: &str) -> Result<Option<String>, Refused> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::invalid_params(&format!("{key} must be string"))),
    }
}

fn flag(body: &Map<String, Value>, key: &str) -> Result<Option<bool>, Refused> {
    match body.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(_) => Err(Refused::invalid_params(&format!("{key} must be boolean"))),
    }
}

/// A list of texts, or one text with commas.
fn texts(body: &Map<String, Value>, key: &str) -> Result<Option<Vec<String>>, Refused> {
    let wrong = || Refused::invalid_params(&format!("{key} must be array"));
    let all: Vec<String> = match body.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.split(',').map(str::to_owned).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong()),
    };
    Ok(Some(all.iter().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()).collect()))
}

fn word<T>(body: &Map<String, Value>, key: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Refused> {
    let Some(text) = text(body, key)?.filter(|text| !text.is_empty()) else { return Ok(None) };
    let wrong = || Refused::invalid_params(&format!("{key} must be equal to one of the allowed values"));
    parse(&text).map(Some).ok_or_else(wrong)
}

fn direction(body: &Map<String, Value>) -> Result<Direction, Refused> {
    let named = text(body, "type")?.ok_or_else(|| Refused::missing("type"))?;
    Direction::parse(&named).ok_or_else(|| {
        Refused::invalid_params(
            "must be equal to one of the allowed values\n must match exactly one schema in oneOf",
        )
    })
}

fn wanted(body: &Map<String, Value>) -> Result<WantedIntegration, Refused> {
    let retries = match body.get("retryCount") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
            Some(number.ok_or_else(|| Refused::invalid_params("retryCount must be number"))?)
        }
    };
    Ok(WantedIntegration {
        name: text(body, "name")?,
        enabled: flag(body, "enabled")?,
        username: text(body, "username")?,
        alias: text(body, "alias")?,
        avatar: text(body, "avatar")?,
        emoji: text(body, "emoji")?,
        channels: texts(body, "channel")?,
        free_channel: flag(body, "overrideDestinationChannelEnabled")?,
        script: text(body, "script")?,
        script_enabled: flag(body, "scriptEnabled")?,
        token: text(body, "token")?,
        trigger: word(body, "event", Trigger::parse)?,
        urls: texts(body, "urls")?,
        words: texts(body, "triggerWords")?,
        anywhere: flag(body, "triggerWordAnywhere")?,
        on_edits: flag(body, "runOnEdits")?,
        retry: flag(body, "retryFailedCalls")?,
        retries,
        backoff: word(body, "retryDelay", Backoff::parse)?,
    })
}

async fn create(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let named = text(&body, "type")?.ok_or_else(|| Refused::missing("type"))?;
    let direction = Direction::parse(&named).ok_or_else(|| Refused::new("Invalid integration type."))?;
    for needed in ["username", "channel", "name", "enabled", "scriptEnabled"] {
        if body.get(needed).is_none_or(Value::is_null) {
            return Err(Refused::invalid_params(&format!("must have required property '{needed}'")));
        }
    }
    let made = call.chat().create_integration(call.actor()?, direction, wanted(&body)?).await;
    let (made, token) = made.map_err(not_authorized)?;
    success(json!({ "integration": value(&made, Some(&token)) }))
}

async fn update(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let id = text(&body, "integrationId")?.unwrap_or_default();
    let changed = call
        .chat()
        .update_integration(call.actor()?, direction(&body)?, &id, wanted(&body)?)
        .await
        .map_err(refused)?;
    success(json!({ "integration": value(&changed, None) }))
}

async fn remove(mut call: Call) -> Outcome {
    let body = call.object().await?;
    direction(&body)?;
    let id = text(&body, "integrationId")?.or(text(&body, "target_url")?).unwrap_or_default();
    let unknown = |refusal| match refusal {
        Refusal::NotFound(_) => Refused::new("No integration found."),
        other => refused(other),
    };
    let gone = call.chat().remove_integration(call.actor()?, &id).await.map_err(unknown)?;
    success(json!({ "integration": value(&gone, None) }))
}

async fn one(call: Call) -> Outcome {
    let id = call.need("integrationId")?;
    let unknown = |refusal| match refusal {
        Refusal::NotFound(_) => Refused::new("The integration does not exists."),
        Refusal::NotAllowed(_) => Refused::new("not-authorized"),
        other => refused(other),
    };
    let found = call.chat().managed(call.actor()?, id).await.map_err(unknown)?;
    success(json!({ "integration": value(&found, None) }))
}

async fn list(call: Call) -> Outcome {
    let page = call.page()?;
    let only = call.param("type").and_then(Direction::parse);
    let name = call.param("name").unwrap_or_default().to_lowercase();
    let mut all = call.chat().list_integrations(call.actor()?, only).await.map_err(refused)?;
    all.retain(|it| it.name.to_lowercase().contains(&name));
    let total = all.len();
    let shown: Vec<Value> =
        all.iter().skip(page.offset as usize).take(page.count as usize).map(|it| value(it, None)).collect();
    let count = shown.len();
    success(
        json!({ "integrations": shown, "offset": page.offset, "items": count, "count": count, "total": total }),
    )
}

async fn of_room(f: Family, call: Call) -> Outcome {
    let page = call.page()?;
    let room = f.asked(&call).await?;
    if !call.chat().can_read(call.actor()?, &room).await? {
        return Err(Refused::unknown_room());
    }
    let here = [Some(room.id.as_str()), room.name.as_deref()];
    let mut all = call.chat().list_integrations(call.actor()?, None).await.map_err(refused)?;
    all.retain(|it| it.channels.iter().any(|c| here.contains(&c.strip_prefix('#'))));
    let total = all.len();
    let shown: Vec<Value> =
        all.iter().skip(page.offset as usize).take(page.count as usize).map(|it| value(it, None)).collect();
    success(json!({ "integrations": shown, "offset": page.offset, "count": shown.len(), "total": total }))
}

async fn history(call: Call) -> Outcome {
    let page = call.page()?;
    let id = call.param("id").ok_or_else(|| Refused::invalid_params("must have required property 'id'"))?;
    let found = call.chat().integration_log(call.actor()?, id, page).await.map_err(refused)?;
    let shown: Vec<Value> = found.items.iter().map(delivery).collect();
    let count = shown.len();
    success(
        json!({ "history": shown, "offset": page.offset, "items": count, "count": count, "total": found.total }),
    )
}

async fn clear(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let id = text(&body, "integrationId")?
        .ok_or_else(|| Refused::invalid_params("must have required property 'integrationId'"))?;
    call.chat().clear_integration_log(call.actor()?, &id).await.map_err(not_authorized)?;
    success(Value::Null)
}

async fn replay(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let need = |key: &str| {
        text(&body, key)?
            .ok_or_else(|| Refused::invalid_params(&format!("must have required property '{key}'")))
    };
    let (id, entry) = (need("integrationId")?, need("historyId")?);
    let again = call.chat().replay_delivery(call.actor()?, &id, &entry).await.map_err(not_authorized)?;
    success(json!({ "historyId": again.id }))
}

/// Beyond Rocket.Chat: a call with made-up content, to see whether the other side is there.
async fn test(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let id = text(&body, "integrationId")?
        .ok_or_else(|| Refused::invalid_params("must have required property 'integrationId'"))?;
    let now = Dates::Iso.value(call.chat().now());
    let sample = json!({
        "test": true, "bot": false, "channel_id": "GENERAL", "channel_name": "general", "message_id": "test",
        "timestamp": now, "user_id": "test", "user_name": "test", "user": { "name": "test" },
        "text": "This is a test.", "attachments": [{ "text": "This is a test." }],
    });
    let made = call
        .chat()
        .test_integration(call.actor()?, &id, Json::new(sample.to_string()))
        .await
        .map_err(refused)?;
    success(json!({ "historyId": made.id }))
}

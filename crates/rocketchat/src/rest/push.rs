//! Pushes: browsers subscribe here (Parlor's own endpoints), and phones ask what a push was about.

use parlor_core::{error::Refusal, id::MessageId, rooms::RoomRef};
use serde_json::{Value, json};

use super::rooms_call::Body;
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("push.vapid", Who::User, "", vapid),
        post(
            "push.subscribe",
            Who::User,
            r#"{"endpoint":"https://push.example.org/$name","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}"#,
            subscribe,
        ),
        post("push.unsubscribe", Who::User, r#"{"endpoint":"https://push.example.org/none"}"#, unsubscribe),
        post("push.test", Who::May(&["test-push-notifications"]), "", try_out).answering("Push is disabled"),
        get("push.get", Who::User, "id=none", push_get).answering("Message not found"),
        get("push.info", Who::User, "", info),
    ]
}

/// The key with which this server signs its web pushes: a browser subscribes to it.
async fn vapid(call: Call) -> Outcome {
    let key = call.chat().vapid().await?.ok_or(Refusal::Unavailable)?;
    success(json!({ "publicKey": key.public }))
}

/// A browser's `PushSubscription`, as its `toJSON()` gives it.
async fn subscribe(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let endpoint = body.need("endpoint")?;
    let keys = body.get("keys").and_then(Value::as_object).ok_or_else(|| Refused::missing("keys"))?;
    let key =
        |name: &'static str| keys.get(name).and_then(Value::as_str).ok_or_else(|| Refused::missing(name));
    let kept = call.chat().subscribe_browser(call.actor()?, endpoint, key("p256dh")?, key("auth")?).await?;
    success(json!({ "id": kept.id }))
}

/// Success also when there was none: a browser that forgot must not be told of a fault.
async fn unsubscribe(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    match call.chat().remove_push_token(call.actor()?, body.need("endpoint")?).await {
        Ok(()) | Err(Refusal::NotFound(_)) => success(Value::Null),
        Err(other) => Err(other.into()),
    }
}

/// To all devices of whoever asks.
async fn try_out(call: Call) -> Outcome {
    let count = call.chat().try_push_out(call.actor()?).await.map_err(|refusal| match refusal {
        Refusal::Disabled(_) => Refused::meteor("error-push-disabled", "Push is disabled"),
        Refusal::NotFound(_) => {
            Refused::meteor("error-no-tokens-for-this-user", "There are no tokens for this user")
        }
        other => other.into(),
    })?;
    success(json!({ "tokensCount": count }))
}

async fn info(call: Call) -> Outcome {
    let settings = call.chat().settings();
    let gateway = settings.text("Push_gateway").trim_end_matches('/');
    let on = settings.is_on("Push_enable") && settings.is_on("Push_enable_gateway");
    success(json!({
        "pushGatewayEnabled": on && !gateway.is_empty(),
        "defaultPushGateway": gateway == "https://gateway.rocket.chat",
    }))
}

/// What a push was about, for phones that were told only its id.
async fn push_get(call: Call) -> Outcome {
    let unknown = || Refused::meteor("error-message-not-found", "Message not found");
    let id = MessageId::parse(call.need("id")?).ok_or_else(unknown)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let message = chat.message(actor, &id).await.map_err(|_| unknown())?;
    let room = chat.find_room(actor, RoomRef::Id(&message.room)).await.map_err(|_| unknown())?;
    let name = message.shown_author();
    let title = if room.is_direct() { name.to_owned() } else { format!("#{}", room.shown_name()) };
    success(json!({ "data": { "notification": {
        "notId": message.seq & 0x7fff_ffff, "title": title, "text": message.text, "name": room.name,
        "payload": {
            "host": shape::user::root(&call.door), "rid": room.id.as_str(), "messageId": message.id.as_str(),
            "type": shape::room::letter(room.kind), "name": room.name, "notificationType": "message",
            "senderName": name,
            "sender": { "_id": message.author.as_str(), "username": message.author_username, "name": name },
        },
    } } }))
}

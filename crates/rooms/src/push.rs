//! Pushes to browsers, for the users of every door for host applications. What a push says stands in
//! `docs/notifications.md`.

use parlor_core::error::Refusal;
use parlor_host::{Answer, Call, Fields, Problem, Text, answer};
use serde_json::{Value, json};

/// Longest address of a browser's push service.
const ENDPOINT: Text = Text::new(1, 4096);

/// `GET /api/chat/push`: the key that a browser subscribes to.
pub(crate) async fn key(call: Call) -> Answer {
    call.user()?;
    let key = call.host.chat().vapid().await?.ok_or(Refusal::Unavailable)?;
    answer(200, &json!({ "public_key": key.public }))
}

/// `POST /api/chat/push`: a browser's `PushSubscription`, as its `toJSON()` gives it.
pub(crate) async fn subscribe(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let endpoint = fields.need_text("endpoint", ENDPOINT);
    let Some(keys) = fields.value("keys").and_then(Value::as_object) else {
        fields.fault("keys", "must be an object");
        return Err(fields.done().err().unwrap_or_else(|| Problem::invalid("keys", "must be an object")));
    };
    fields.done()?;
    let mut keys = Fields::new(keys);
    let (p256dh, auth) = (keys.need_text("p256dh", Text::ID), keys.need_text("auth", Text::ID));
    keys.done()?;
    let kept = call.host.chat().subscribe_browser(&actor, &endpoint, &p256dh, &auth).await?;
    answer(201, &json!({ "id": kept.id, "endpoint": endpoint }))
}

/// `DELETE /api/chat/push`: success also when there was none, for a browser that forgot.
pub(crate) async fn unsubscribe(mut call: Call) -> Answer {
    let actor = call.user()?.clone();
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let endpoint = fields.need_text("endpoint", ENDPOINT);
    fields.done()?;
    match call.host.chat().remove_push_token(&actor, &endpoint).await {
        Ok(()) | Err(Refusal::NotFound(_)) => answer(200, &json!({ "success": true })),
        Err(other) => Err(other.into()),
    }
}

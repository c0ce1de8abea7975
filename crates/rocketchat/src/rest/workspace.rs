//! Small answers that clients ask for at their start: licences, push.

use parlor_core::{id::MessageId, rooms::RoomRef};
use serde_json::json;

use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("licenses.info", Who::User, "", |_| async {
            success(json!({ "license": { "activeModules": [], "tags": [], "preventedActions": {} } }))
        }),
        get("licenses.isEnterprise", Who::User, "", |_| async { success(json!({ "isEnterprise": false })) }),
        post("push.test", Who::May(&["test-push-notifications"]), "", |_| async {
            Err(Refused::meteor("error-push-disabled", "Push is disabled"))
        })
        .answering("Push is disabled"),
        get("push.get", Who::User, "id=none", push_get).answering("Message not found"),
        get("push.info", Who::User, "", |_| async {
            success(json!({ "pushGatewayEnabled": false, "defaultPushGateway": false }))
        }),
    ]
}

/// What a push was about, for phones that were told only its id.
async fn push_get(call: Call) -> Outcome {
    let unknown = || Refused::meteor("error-message-not-found", "Message not found");
    let id = MessageId::parse(call.need("id")?).ok_or_else(unknown)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let message = chat.message(actor, &id).await.map_err(|_| unknown())?;
    let room = chat.find_room(actor, RoomRef::Id(&message.room)).await.map_err(|_| unknown())?;
    let name = if message.author_name.is_empty() { &message.author_username } else { &message.author_name };
    let title = if room.is_direct() { name.clone() } else { format!("#{}", room.shown_name()) };
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

//! DDP methods that send and change messages.

use parlor_core::{
    error::{Refusal, What},
    id::MessageId,
    messages::Draft,
    messages_change::Edit,
};
use serde_json::{Map, Value};

use crate::{
    date::{self, Dates},
    method::{Answer, Invocation, Method, method},
    refusal::Refused,
    rest::{
        chat::{not_deletable, not_editable, not_reactable},
        chat_draft::{
            cards, custom_fields, draft, encrypted, flag, kept_cards, look, message_id, previews, refused,
            text,
        },
        chat_lists::room_id,
        chat_marks::{not_pinnable, not_starrable, receipts},
        chat_threads::follow_by_id,
        timeline::{not_purged, purge},
    },
    who::Who,
};

pub(crate) fn methods() -> Vec<Method> {
    vec![
        method("sendMessage", Who::Member, r#"[{"rid":"$private","msg":"hello"}]"#, send),
        method(
            "updateMessage",
            Who::Author(&["edit-message"]),
            r#"[{"_id":"$message","rid":"$private","msg":"new"}]"#,
            update,
        ),
        method("deleteMessage", Who::Author(&["delete-message"]), r#"[{"_id":"$message"}]"#, delete),
        method("setReaction", Who::Reader, r#"[":+1:","$message"]"#, react),
        method("pinMessage", Who::MayInRoom(&["pin-message"]), r#"[{"_id":"$message"}]"#, |i| pin(i, true)),
        method("unpinMessage", Who::MayInRoom(&["pin-message"]), r#"[{"_id":"$message"}]"#, |i| {
            pin(i, false)
        }),
        method("starMessage", Who::Member, r#"[{"_id":"$message","rid":"$private","starred":true}]"#, star),
        method("followMessage", Who::Reader, r#"[{"mid":"$message"}]"#, |i| follow(i, true)),
        method("unfollowMessage", Who::Reader, r#"[{"mid":"$message"}]"#, |i| follow(i, false)),
        method("reportMessage", Who::Reader, r#"["$message","spam"]"#, report),
        method(
            "cleanRoomHistory",
            Who::MayInRoom(&["clean-channel-history"]),
            r#"[{"roomId":"$private","latest":{"$date":9999999999999},"oldest":{"$date":0}}]"#,
            clean,
        ),
        method("getReadReceipts", Who::Reader, r#"[{"messageId":"$message"}]"#, read_receipts)
            .answering("enterprise"),
    ]
}

/// The message object of a call, with its dates as REST writes them: drafts read both forms.
async fn send(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let known = |key: &&String| [UNCHANGED, CHANGED, SENT].iter().any(|keys| keys.contains(&key.as_str()));
    if let Some(key) = object.keys().find(|key| !known(key)) {
        return Err(Refused::new(format!("Match error: Unknown key in field {key}")));
    }
    let draft = Draft { previews: previews(call.param(1))?, ..draft(object)? };
    let sent = call.chat().post(call.actor()?, draft).await.map_err(refused)?;
    Ok(crate::shape::message::value(&sent.message, &look(call.chat(), Dates::Ejson)))
}

/// The `_id` of an object.
fn id_of(object: &Map<String, Value>) -> Result<MessageId, Refused> {
    let id = text(object, "_id")?.ok_or_else(|| Refused::new("Match error: Missing key '_id'"))?;
    message_id(id).map_err(|_| refused(Refusal::NotFound(What::Message)))
}

/// What an update may say beside what it changes: all of it must be as it is.
const UNCHANGED: &[&str] = &[
    "_id",
    "rid",
    "tmid",
    "u",
    "ts",
    "t",
    "_updatedAt",
    "editedAt",
    "editedBy",
    "mentions",
    "channels",
    "urls",
    "md",
    "replies",
    "tcount",
    "tlm",
    "starred",
    "pinned",
    "pinnedAt",
    "pinnedBy",
    "reactions",
    "drid",
    "dcount",
    "dlm",
    "file",
    "files",
    "groupable",
    "bot",
    "translations",
    "role",
    "private",
    "parseUrls",
];
/// What an update changes, or what it may carry without an effect.
const CHANGED: &[&str] = &[
    "msg",
    "attachments",
    "customFields",
    "content",
    "e2e",
    "tshow",
    "alias",
    "avatar",
    "emoji",
    "blocks",
    "previewUrls",
    "text",
];

/// What only a message that is being sent says.
const SENT: &[&str] =
    &["location", "otrAck", "e2eMentions", "federation", "sentByEmail", "status", "temp", "unread", "tmsg"];

async fn update(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let id = id_of(object)?;
    // What may not be seen is refused like what may not be changed.
    let now = call.chat().message(call.actor()?, &id).await.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => not_editable(Refusal::NotMember),
        other => not_editable(other),
    })?;
    for (key, value) in object {
        let known = CHANGED.contains(&key.as_str()) || UNCHANGED.contains(&key.as_str());
        let moved = match key.as_str() {
            "rid" => value.as_str() != Some(now.room.as_str()),
            "tmid" => value.as_str() != now.thread.as_deref() && !value.is_null(),
            _ => false,
        };
        if !known || moved {
            let reason = format!("Cannot update the message {key}");
            return Err(Refused::meteor("error-invalid-update-key", &reason));
        }
    }
    let edit = Edit {
        text: text(object, "msg")?.map(str::to_owned),
        encrypted: encrypted(object, text(object, "t")?.unwrap_or_default())?,
        custom_fields: custom_fields(object)?,
        cards: kept_cards(&now, cards(object)?.filter(|_| now.attachments.iter().all(is_card))),
        previews: previews(call.param(1))?,
        shown_in_room: flag(object, "tshow")?,
    };
    call.chat().edit_message(call.actor()?, &id, edit).await.map_err(not_editable)?;
    Ok(Value::Null)
}

/// Clients send back the attachments that they were shown: only plain cards may be replaced by them.
fn is_card(attachment: &parlor_core::message::Attachment) -> bool {
    matches!(attachment, parlor_core::message::Attachment::Card(_))
}

async fn delete(call: Invocation) -> Answer {
    let id = id_of(call.object(0)?)?;
    let refuse = |refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-action-not-allowed", "Not allowed"),
        other => not_deletable(other),
    };
    call.chat().delete_message(call.actor()?, &id).await.map_err(refuse)?;
    Ok(Value::Null)
}

async fn react(call: Invocation) -> Answer {
    let id = message_id(call.text(1)?)?;
    let on = call.param(2).and_then(Value::as_bool);
    call.chat().react(call.actor()?, &id, call.text(0)?, on).await.map_err(not_reactable)?;
    Ok(Value::Null)
}

async fn pin(call: Invocation, on: bool) -> Answer {
    let id = id_of(call.object(0)?)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let pinned = if on { chat.pin(actor, &id).await } else { chat.unpin(actor, &id).await };
    let pinned = pinned.map_err(not_pinnable)?;
    Ok(crate::shape::message::value(&pinned, &look(chat, Dates::Ejson)))
}

async fn star(call: Invocation) -> Answer {
    let object = call.object(0)?;
    let on = flag(object, "starred")?.unwrap_or(true);
    call.chat().star(call.actor()?, &id_of(object)?, on).await.map_err(not_starrable)?;
    Ok(true.into())
}

async fn follow(call: Invocation, on: bool) -> Answer {
    let id = text(call.object(0)?, "mid")?.ok_or_else(|| Refused::new("Match error: Missing key 'mid'"))?;
    follow_by_id(call.chat(), call.actor()?, id, on).await?;
    Ok(true.into())
}

async fn report(call: Invocation) -> Answer {
    let refuse = |refusal| match refusal {
        Refusal::NotFound(_) => Refused::meteor("error-invalid-message_id", "Invalid message id"),
        other => Refused::from(other),
    };
    let id = MessageId::parse(call.text(0)?).ok_or_else(|| refuse(Refusal::NotFound(What::Message)))?;
    call.chat().report_message(call.actor()?, &id, call.text(1)?).await.map_err(refuse)?;
    Ok(true.into())
}

async fn clean(call: Invocation) -> Answer {
    let object = call.object(0)?;
    for key in ["latest", "oldest"] {
        if object.get(key).and_then(date::read).is_none() {
            return Err(Refused::new(format!("Match error: Missing key '{key}'")));
        }
    }
    let room = text(object, "roomId")?.ok_or_else(|| Refused::new("Match error: Missing key 'roomId'"))?;
    let (purge, spare) = purge(object)?;
    let room = room_id(room).map_err(not_purged)?;
    Ok(call.chat().purge(call.actor()?, &room, purge, spare).await.map_err(not_purged)?.into())
}

async fn read_receipts(call: Invocation) -> Answer {
    let id = text(call.object(0)?, "messageId")?
        .ok_or_else(|| Refused::new("Match error: Missing key 'messageId'"))?;
    Ok(receipts(call.chat(), call.actor()?, id, Dates::Ejson).await?.into())
}

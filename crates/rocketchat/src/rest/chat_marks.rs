//! `chat.*`: pins, stars, reports, receipts, and whom one ignores.

use parlor_core::{
    error::{Refusal, What},
    id::{RoomId, UserId},
    rooms::RoomRef,
};
use serde_json::{Value, json};

use super::{
    chat::{one, unknown_message},
    chat_draft::{message_id, seen, text},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("chat.pinMessage", Who::MayInRoom(&["pin-message"]), r#"{"messageId":"$message"}"#, |call| {
            pin(call, true)
        }),
        post("chat.unPinMessage", Who::MayInRoom(&["pin-message"]), r#"{"messageId":"$message"}"#, |call| {
            pin(call, false)
        }),
        post("chat.starMessage", Who::Member, r#"{"messageId":"$message"}"#, |call| star(call, true)),
        post("chat.unStarMessage", Who::Member, r#"{"messageId":"$message"}"#, |call| star(call, false)),
        post("chat.reportMessage", Who::Reader, r#"{"messageId":"$message","description":"spam"}"#, report),
        get("chat.ignoreUser", Who::Member, "rid=$private&userId=$user&ignore=true", ignore_user),
        get("chat.getURLPreview", Who::Reader, "roomId=$private&url=https://example.org/", url_preview),
        get("chat.getMessageReadReceipts", Who::Reader, "messageId=$message", read_receipts)
            .answering("enterprise"),
        get("chat.getMessageVersions", Who::Author(&["edit-message"]), "messageId=$message", versions),
    ]
}

async fn pin(mut call: Call, on: bool) -> Outcome {
    let (_, id) = one(&mut call).await?;
    let chat = call.chat();
    let pinned =
        if on { chat.pin_told(call.actor()?, &id).await } else { chat.unpin(call.actor()?, &id).await };
    let pinned = pinned.map_err(not_pinnable)?;
    match on {
        true => success(json!({ "message": seen(call.chat(), call.actor()?, &pinned, Dates::Iso).await? })),
        false => success(Value::Null),
    }
}

/// Refusals of a pin.
pub(crate) fn not_pinnable(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled(_) => Refused::meteor("error-action-not-allowed", "Message pinning not allowed"),
        Refusal::NotAllowed(_) | Refusal::NotMember => Refused::meteor("not-authorized", "Not Authorized"),
        other => unknown_message(other),
    }
}

async fn star(mut call: Call, on: bool) -> Outcome {
    let (_, id) = one(&mut call).await?;
    call.chat().star(call.actor()?, &id, on).await.map_err(not_starrable)?;
    success(Value::Null)
}

/// Refusals of a star.
pub(crate) fn not_starrable(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Disabled(_) => Refused::meteor("error-action-not-allowed", "Message starring not allowed"),
        other => unknown_message(other),
    }
}

async fn report(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let need = |key: &'static str, reason: &'static str| {
        text(&body, key)?.filter(|text| !text.trim().is_empty()).ok_or_else(|| Refused::new(reason))
    };
    let id = message_id(need("messageId", "The required \"messageId\" param is missing.")?)?;
    let description = need("description", "The required \"description\" param is missing.")?;
    call.chat().report_message(call.actor()?, &id, description).await.map_err(unknown_message)?;
    success(Value::Null)
}

async fn ignore_user(call: Call) -> Outcome {
    let missing = |name: &str| {
        let reason = format!("The required \"{name}\" param is missing.");
        Refused::meteor("error-room-id-param-not-provided", &reason)
    };
    let room = call.param("rid").ok_or_else(|| missing("rid"))?;
    let user = call.param("userId").ok_or_else(|| missing("userId"))?;
    let refuse = |refusal| match refusal {
        Refusal::NotFound(_) | Refusal::NotMember => {
            Refused::meteor("error-invalid-subscription", "Invalid subscription")
        }
        other => Refused::from(other),
    };
    let room = RoomId::parse(room).ok_or_else(|| refuse(Refusal::NotMember))?;
    let user = UserId::parse(user).ok_or_else(|| refuse(Refusal::NotMember))?;
    let on = call.flag("ignore").unwrap_or(true);
    call.chat().ignore_user(call.actor()?, &room, &user, on).await.map_err(refuse)?;
    success(Value::Null)
}

async fn url_preview(call: Call) -> Outcome {
    let (room, url) = (call.param("roomId"), call.param("url"));
    let (Some(room), Some(url)) = (room, url) else {
        // A room that the client has not loaded yet is sent as a word, not left out.
        if url.is_some() && call.has_param("roomId") {
            return Err(Refused::meteor("error-not-allowed", "Not allowed"));
        }
        let absent = if room.is_none() { "roomId" } else { "url" };
        return Err(Refused::missing(absent));
    };
    let refuse = |_| Refused::meteor("error-not-allowed", "Not allowed");
    call.chat().find_room(call.actor()?, RoomRef::Id(room)).await.map_err(refuse)?;
    let found = call.chat().preview(call.actor()?, url).await?;
    let mut preview: Value = serde_json::from_str(found.as_str()).unwrap_or_default();
    preview["url"] = url.into();
    for part in ["meta", "headers", "parsedUrl"] {
        if preview[part].is_null() {
            preview[part] = json!({});
        }
    }
    success(json!({ "urlPreview": preview }))
}

async fn read_receipts(call: Call) -> Outcome {
    let id = call.param("messageId").ok_or_else(|| {
        Refused::new("The required 'messageId' param is missing.").kind("error-invalid-params")
    })?;
    success(json!({ "receipts": receipts(call.chat(), call.actor()?, id, Dates::Iso).await? }))
}

/// What a message was before it was edited: Parlor's own.
async fn versions(call: Call) -> Outcome {
    let id = call.param("messageId").ok_or_else(|| {
        Refused::new("The required 'messageId' param is missing.").kind("error-invalid-params")
    })?;
    let versions = call.chat().versions(call.actor()?, &message_id(id)?).await.map_err(unknown_message)?;
    let shown = versions.iter().map(|v| json!({ "text": v.text, "ts": Dates::Iso.value(v.at) }));
    success(json!({ "versions": shown.collect::<Vec<_>>() }))
}

/// Who read a message.
pub(crate) async fn receipts(
    chat: &parlor_core::chat::Chat,
    actor: &parlor_core::session::Actor,
    id: &str,
    dates: Dates,
) -> Result<Vec<Value>, Refused> {
    let refuse = |refusal| match refusal {
        Refusal::Disabled(_) => Refused::meteor("error-action-not-allowed", "This is an enterprise feature"),
        Refusal::NotFound(What::Message) => Refused::meteor("error-invalid-message", "Invalid message"),
        other => Refused::from(other),
    };
    let off = || refuse(Refusal::Disabled("Message_Read_Receipt_Enabled"));
    if !chat.settings().is_on("Message_Read_Receipt_Enabled") {
        return Err(off());
    }
    let (message, receipts) = chat.receipts(actor, &message_id(id)?).await.map_err(refuse)?;
    let people =
        crate::shape::room::People::with(chat, receipts.iter().map(|r| r.user.clone()).collect()).await?;
    let one = |receipt: &parlor_core::store::Receipt| {
        json!({
            "_id": format!("{}-{}", message.id, receipt.user), "roomId": message.room.as_str(),
            "userId": receipt.user.as_str(), "messageId": message.id.as_str(), "ts": dates.value(receipt.at),
            "user": people.brief(&receipt.user),
        })
    };
    Ok(receipts.iter().map(one).collect())
}

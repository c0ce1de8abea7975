//! `rooms.saveRoomSettings` and `rooms.saveNotification`; the methods of the same names share them.

use parlor_core::{
    chat::Chat,
    error::{Refusal, What},
    id::RoomId,
    json::Json,
    members_own::NotifyChange,
    room::RoomKind,
    room_settings::RoomChange,
    rooms::RoomRef,
    session::Actor,
};
use serde_json::{Map, Value, json};

use super::{channels_settings::refuse_change, rooms::refuse_own, rooms_call::Body, teams::sidepanel};
use crate::{
    call::{Call, success},
    refusal::Refused,
    route::{Outcome, Route, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post(
            "rooms.saveRoomSettings",
            Who::Holder(&["edit-room"]),
            r#"{"rid":"$private","roomTopic":"t"}"#,
            save,
        ),
        post(
            "rooms.saveNotification",
            Who::Member,
            r#"{"roomId":"$private","notifications":{"disableNotifications":"0"}}"#,
            save_notification,
        ),
    ]
}

async fn save(mut call: Call) -> Outcome {
    let mut body = Body::of(&mut call).await?;
    let rid = body.need("rid")?.to_owned();
    body.0.remove("rid");
    save_room(call.chat(), call.actor()?, &rid, &body).await?;
    success(json!({ "rid": rid }))
}

/// Makes all changes that the object asks for, or none.
pub(crate) async fn save_room(chat: &Chat, actor: &Actor, rid: &str, body: &Body) -> Result<(), Refused> {
    let changes = changes(body)?;
    let unknown = || Refused::meteor("error-invalid-room", "Invalid room");
    let room = RoomId::parse(rid).ok_or_else(unknown)?;
    let done = chat.change_room(actor, RoomRef::Id(&room), &changes).await;
    done.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Room) => unknown(),
        Refusal::Invalid { field: "sidepanel", .. } => Refused::new("error-invalid-sidepanel"),
        other => refuse_change(other),
    })?;
    picture(chat, actor, &room, body).await?;
    retention(chat, actor, &room, body).await?;
    if let Some(Value::Object(favourite)) = body.get("favorite")
        && let Some(on) = favourite.get("favorite").and_then(Value::as_bool)
    {
        match chat.favour(actor, &room, Some(on)).await {
            // An administrator who is not in the room has no favourites there.
            Err(Refusal::NotFound(What::Membership)) => {}
            done => done.map_err(refuse_own)?,
        }
    }
    Ok(())
}

/// `roomAvatar`: a data URL, or empty to take the picture away.
async fn picture(chat: &Chat, actor: &Actor, room: &RoomId, body: &Body) -> Result<(), Refused> {
    let image = match body.0.get("roomAvatar") {
        None => return Ok(()),
        Some(Value::Null) => None,
        Some(Value::String(url)) if url.is_empty() => None,
        Some(Value::String(url)) => Some(crate::avatar::data_url(url)?),
        Some(_) => return Err(Refused::invalid_params("must be string")),
    };
    chat.set_room_avatar(actor, room, image).await.map_err(|refusal| match refusal {
        Refusal::Invalid { .. } => Refused::meteor("error-avatar-invalid-image", "Invalid image"),
        other => refuse_change(other),
    })?;
    Ok(())
}

/// `retention…`: how long messages stay in this room.
async fn retention(chat: &Chat, actor: &Actor, room: &RoomId, body: &Body) -> Result<(), Refused> {
    if !body.0.keys().any(|key| key.starts_with("retention")) {
        return Ok(());
    }
    let mut rule = chat.room_retention(actor, room).await?.unwrap_or_default();
    let flags: [(&str, &mut bool); 5] = [
        ("retentionEnabled", &mut rule.enabled),
        ("retentionOverrideGlobal", &mut rule.own),
        ("retentionExcludePinned", &mut rule.keep_pinned),
        ("retentionIgnoreThreads", &mut rule.keep_threads),
        ("retentionFilesOnly", &mut rule.files_only),
    ];
    for (key, place) in flags {
        if let Some(on) = body.flag(key)? {
            *place = on;
        }
    }
    if let Some(days) = body.get("retentionMaxAge") {
        let days = days.as_i64().or(days.as_f64().map(|d| d as i64));
        rule.days = days.ok_or_else(|| Refused::invalid_params("must be number"))?;
    }
    chat.set_room_retention(actor, room, rule).await.map_err(|refusal| match refusal {
        Refusal::NotAllowed(_) => {
            Refused::meteor("error-action-not-allowed", "Editing room retention policy is not allowed")
        }
        other => refuse_change(other),
    })
}

fn changes(body: &Body) -> Result<Vec<RoomChange>, Refused> {
    use RoomChange as C;
    let mut all = Vec::new();
    type Make<T> = fn(T) -> RoomChange;
    let texts: [(&str, Make<String>); 4] = [
        ("roomName", C::Name),
        ("roomTopic", C::Topic),
        ("roomAnnouncement", C::Announcement),
        ("roomDescription", C::Description),
    ];
    for (key, make) in texts {
        all.extend(body.text(key)?.map(|text| make(text.to_owned())));
    }
    match body.text("roomType")? {
        None => {}
        Some("c") => all.push(C::Kind(RoomKind::Channel)),
        Some("p") => all.push(C::Kind(RoomKind::Group)),
        Some(_) => return Err(Refused::meteor("error-invalid-room-type", "error-invalid-room-type")),
    }
    // `default` stands before `favorite`, which only default rooms have.
    let switches: [(&str, Make<bool>); 5] = [
        ("readOnly", C::ReadOnly),
        ("reactWhenReadOnly", C::ReactWhenReadOnly),
        ("default", C::Default),
        ("featured", C::Featured),
        ("encrypted", C::Encrypted),
    ];
    for (key, make) in switches {
        all.extend(body.flag(key)?.map(make));
    }
    if let Some(Value::Object(favourite)) = body.get("favorite") {
        all.extend(favourite.get("defaultValue").and_then(Value::as_bool).map(C::Favourite));
    }
    if let Some(code) = body.text("joinCode")? {
        all.push(C::JoinCode(Some(code.to_owned())));
    }
    match body.get("roomCustomFields") {
        None => {}
        Some(fields @ Value::Object(_)) => all.push(C::CustomFields(Json::new(fields.to_string()))),
        Some(_) => return Err(Refused::meteor("error-invalid-room-custom-fields", "Invalid custom fields")),
    }
    match body.get("systemMessages") {
        None => {}
        Some(Value::Bool(_)) => all.push(C::HiddenSystem(Vec::new())),
        Some(_) => all.extend(body.list("systemMessages")?.map(C::HiddenSystem)),
    }
    all.extend(sidepanel(body)?.map(C::Sidepanel));
    Ok(all)
}

async fn save_notification(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let id = body.text("roomId")?.ok_or_else(|| Refused::new("The 'roomId' param is required"))?;
    let notifications = match body.get("notifications") {
        Some(Value::Object(notifications)) => notifications.clone(),
        Some(_) => return Err(Refused::invalid_params("must be object")),
        None => return Err(Refused::new("The 'notifications' param is required")),
    };
    let room = RoomId::parse(id).ok_or_else(|| refuse_own(Refusal::NotFound(What::Membership)))?;
    let change = notify_change(notifications)?;
    call.chat().set_notifications(call.actor()?, &room, change).await.map_err(refuse_own)?;
    success(Value::Null)
}

/// Flags come as the texts `0` and `1`; `default` goes back to the general preference.
pub(crate) fn notify_change(object: Map<String, Value>) -> Result<NotifyChange, Refused> {
    let body = Body(object);
    let level = |key: &str| {
        let text = body.text(key)?;
        Ok::<_, Refused>(text.map(|text| (text != "default").then(|| text.to_owned())))
    };
    Ok(NotifyChange {
        disabled: body.flag("disableNotifications")?,
        mute_group_mentions: body.flag("muteGroupMentions")?,
        hide_unread: body.flag("hideUnreadStatus")?,
        hide_mentions: body.flag("hideMentionStatus")?,
        desktop: level("desktopNotifications")?,
        mobile: level("mobilePushNotifications")?,
        email: level("emailNotifications")?,
        sound: level("audioNotificationValue")?,
        unread_alert: level("unreadAlert")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(value: Value) -> Body {
        match value {
            Value::Object(object) => Body(object),
            _ => Body(Map::new()),
        }
    }

    #[test]
    fn settings_are_read_in_an_order_that_works() {
        let body = body(json!({
            "favorite": { "favorite": true, "defaultValue": true }, "default": true, "roomType": "c",
        }));
        let wanted =
            [RoomChange::Kind(RoomKind::Channel), RoomChange::Default(true), RoomChange::Favourite(true)];
        assert_eq!(changes(&body).ok(), Some(wanted.to_vec()));
    }

    #[test]
    fn settings_of_a_wrong_type_are_refused() {
        for bad in [
            json!({ "roomName": { "$ne": 1 } }),
            json!({ "readOnly": [] }),
            json!({ "roomType": "x" }),
            json!({ "sidepanel": { "items": [] } }),
            json!({ "roomCustomFields": "x" }),
        ] {
            assert!(changes(&body(bad.clone())).is_err(), "{bad}");
        }
    }

    #[test]
    fn notifications_come_as_texts() {
        let change =
            notify_change(match json!({ "disableNotifications": "1", "desktopNotifications": "default" }) {
                Value::Object(object) => object,
                _ => Map::new(),
            });
        let change = change.unwrap_or_default();
        assert_eq!((change.disabled, change.desktop), (Some(true), Some(None)));
    }
}

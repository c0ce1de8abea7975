//! What a push says: for the web app's service worker (docs/notifications.md), and for Rocket.Chat's apps.

use parlor_core::{
    chat::Chat,
    message::Message,
    notices_open::{Push, Told, piece},
    room::{Room, RoomKind},
};
use serde_json::{Value, json};

/// Longest title and text, in characters.
const PIECE: usize = 250;

fn letter(room: &Room) -> &'static str {
    match room.kind {
        RoomKind::Channel => "c",
        RoomKind::Direct => "d",
        _ => "p",
    }
}

/// What is shown: the settings say how much. French where the workspace speaks it.
fn shown(chat: &Chat, message: &Message, room: &Room) -> (String, String) {
    let settings = chat.settings();
    let french = settings.text("Language").starts_with("fr");
    let from = message.shown_author();
    let title = match (settings.is_on("Push_show_username_room"), room.is_direct()) {
        (false, _) => settings.text("Site_Name").to_owned(),
        (true, true) => from.to_owned(),
        (true, false) => format!("#{}", room.shown_name()),
    };
    let open = settings.is_on("Push_show_message") && message.encrypted.is_none();
    let text = match message.files().next() {
        Some(file) if message.text.is_empty() => file.name.clone(),
        _ => message.text.clone(),
    };
    let body = match open {
        true if room.is_direct() || !settings.is_on("Push_show_username_room") => text,
        true => format!("{from}: {text}"),
        false if french => "Vous avez un nouveau message".to_owned(),
        false => "You have a new message".to_owned(),
    };
    (piece(&title, PIECE), piece(&body, PIECE))
}

/// For the service worker.
pub(crate) fn web(chat: &Chat, push: &Push) -> String {
    let site = chat.settings().text("Site_Name").to_owned();
    let payload = match &push.told {
        Told::Test => json!({ "type": "test", "title": site, "body": "Push", "badge": push.badge }),
        Told::Read(room) => {
            json!({ "type": "read", "tag": room.as_str(), "room": room.as_str(), "badge": push.badge })
        }
        Told::Message { message, room, reason, path } => {
            let (title, body) = shown(chat, message, room);
            json!({
                "type": "message", "tag": room.id.as_str(), "title": title, "body": body, "url": path,
                "room": room.id.as_str(), "roomType": letter(room), "roomName": room.name,
                "message": message.id.as_str(), "thread": message.thread.as_ref().map(|root| root.as_str()),
                "sender": {
                    "_id": message.author.as_str(), "username": message.author_username, "name": message.shown_author(),
                },
                "reason": reason, "icon": format!("/avatar/{}", message.author_username),
                "badge": push.badge, "at": message.at.millis(),
            })
        }
    };
    payload.to_string()
}

/// For a gateway as Rocket.Chat's is: the device's token, and what its apps read.
pub(crate) fn phone(chat: &Chat, push: &Push) -> String {
    json!({ "token": push.device.value, "options": options(chat, push) }).to_string()
}

/// For Firebase Cloud Messaging (HTTP v1), whose `data` knows only texts.
pub(crate) fn google(chat: &Chat, push: &Push) -> String {
    let options = options(chat, push);
    let text = |name: &str| match &options[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    json!({ "message": {
        "token": push.device.value,
        "notification": { "title": options["title"], "body": options["text"] },
        "data": {
            "ejson": options["payload"].to_string(), "msgcnt": text("badge"), "soundname": text("sound"),
            "notId": text("notId"), "style": "inbox",
        },
        "android": { "priority": "HIGH" },
    }})
    .to_string()
}

/// For Apple's push service.
pub(crate) fn apple(chat: &Chat, push: &Push) -> String {
    let options = options(chat, push);
    json!({
        "aps": {
            "alert": { "title": options["title"], "body": options["text"] }, "badge": options["badge"],
            "sound": options["sound"], "category": "MESSAGE", "mutable-content": 1,
            "thread-id": options["notId"].to_string(),
        },
        "ejson": options["payload"].to_string(), "messageFrom": options["from"],
    })
    .to_string()
}

/// What Rocket.Chat's apps are told, whoever brings it to them.
fn options(chat: &Chat, push: &Push) -> Value {
    let settings = chat.settings();
    let host = settings.text("Site_Url").to_owned();
    let (title, text, not_id, payload) = match &push.told {
        Told::Message { message, room, .. } => {
            let (title, text) = shown(chat, message, room);
            // The app asks for what it was about, when the gateway is not to know.
            let asks = settings.is_on("Push_request_content_from_server");
            let kind = if asks { "message-id-only" } else { "message" };
            let mut payload = json!({
                "host": host, "messageId": message.id.as_str(), "notificationType": kind,
                "rid": room.id.as_str(),
            });
            if !asks {
                payload["sender"] = json!({
                    "_id": message.author.as_str(), "username": message.author_username, "name": message.shown_author(),
                });
                payload["senderName"] = message.shown_author().into();
                payload["type"] = letter(room).into();
                payload["name"] = room.name.clone().into();
                payload["tmid"] = message.thread.as_ref().map(|root| root.as_str()).into();
            }
            let (title, text) =
                if asks { (settings.text("Site_Name").to_owned(), String::new()) } else { (title, text) };
            (title, text, not_id(room), payload)
        }
        _ => (settings.text("Site_Name").to_owned(), "Push".to_owned(), 1, json!({ "host": host })),
    };
    let (apn, gcm) = (push.device.kind == "apn", push.device.kind == "gcm");
    let text = if text.is_empty() { "You have a new message".to_owned() } else { text };
    let mut options = json!({
        "from": "push", "title": title, "text": text, "badge": push.badge, "sound": "default", "notId": not_id,
        "payload": payload, "topic": push.device.app, "uniqueId": settings.text("uniqueID"),
        "userId": push.device.user.as_str(),
    });
    if apn {
        options["apn"] = json!({ "category": "MESSAGE", "text": text });
    }
    if gcm {
        options["gcm"] = json!({ "style": "inbox", "image": Value::Null });
    }
    options
}

/// One notification a room: a number that stays the same for it.
fn not_id(room: &Room) -> u32 {
    room.id
        .as_str()
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
        & 0x7fff_ffff
}

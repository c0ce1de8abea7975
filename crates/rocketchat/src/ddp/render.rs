//! Events as DDP frames, each rendered once for all connections.

use std::{io::Write as _, sync::Arc};

use bytes::Bytes;
use parlor_core::{
    event::{AvatarOf, CustomKind, Event, Fact, Purge},
    id::{MembershipId, MessageId, RoomId, UserId},
    message::Message,
    published::Slot,
    role::RoleScope,
    room::{Room, RoomKind},
    user::User,
};
use parlor_live::FrameWriter;
use serde_json::{Map, Value, json};

use super::frame;
use crate::{
    Door,
    date::Dates,
    shape::{self, message::Stars},
};

/// What a room's listeners get.
pub(super) const ROOM: Slot = Slot::number(0);
/// The older form of typing.
pub(super) const TYPING: Slot = Slot::number(1);
/// What everybody who is logged in gets.
pub(super) const WORKSPACE: Slot = Slot::number(2);
/// Presence.
pub(super) const PRESENCE: Slot = Slot::number(3);
/// A message for bots that hear all rooms.
pub(super) const MY_MESSAGES: Slot = Slot::number(4);

/// Presence for those who know no watch list.
pub(super) const STATUS: Slot = Slot::number(5);

/// The frame of a room's event.
pub(super) fn room(door: &Door, fact: &Fact) -> Bytes {
    match &fact.event {
        Event::Message { message, .. } => {
            let key = Value::from(message.room.as_str());
            stream_message(&key, &shown(door, message), None)
        }
        Event::MessageDeleted { room, message, .. } => {
            notify_room(room, "deleteMessage", &json!([{ "_id": message.as_str() }]))
        }
        Event::MessagesPurged { room, purge } => {
            notify_room(room, "deleteMessageBulk", &json!([bulk(room, purge)]))
        }
        Event::Read { room, at, thread, .. } => {
            let mut read = json!({ "until": Dates::Ejson.value(*at) });
            if let Some(root) = thread {
                read["tmid"] = root.as_str().into();
            }
            notify_room(room, "messagesRead", &json!([read]))
        }
        Event::Activity { room, name, activities, thread, .. } => {
            let extra = thread.as_ref().map_or_else(|| json!({}), |root| json!({ "tmid": root.as_str() }));
            notify_room(room, "user-activity", &json!([&**name, &**activities, extra]))
        }
        _ => Bytes::new(),
    }
}

fn notify_room(room: &RoomId, event: &str, args: &Value) -> Bytes {
    frame::event("notify-room", &format!("{room}/{event}"), args)
}

/// A message as the user sees it who starred it, or took the star off.
pub(super) fn message_for(door: &Door, message: &Message, user: &UserId, on: bool) -> Bytes {
    let key = Value::from(message.room.as_str());
    let stars = if on { Stars::Of(user) } else { Stars::Gone };
    stream_message(&key, &text(door, message, stars), None)
}

/// A message as all see it, written out once for its sender and its listeners.
pub(super) fn shown(door: &Door, message: &Arc<Message>) -> Bytes {
    door.lately.text(message, || text(door, message, Stars::Unsaid))
}

fn text(door: &Door, message: &Message, stars: Stars<'_>) -> Bytes {
    let look = shape::message::Look::new(&door.chat.settings(), Dates::Ejson);
    let mut text = Vec::with_capacity(512 + message.text.len() * 4);
    // Writing into memory fails only for maps with keys that are not texts; there are none.
    let _ = serde_json::to_writer(&mut text, &shape::message::Shaped { message, look: &look, stars });
    text.into()
}

/// A message of any room, with what bots want to know of the room.
pub(super) fn my_message(door: &Door, fact: &Fact) -> Bytes {
    let Event::Message { message, .. } = &fact.event else { return Bytes::new() };
    let room = door.chat.room_at_hand(&message.room);
    let info = json!({
        "roomParticipant": true,
        "roomType": room.as_ref().map_or("c", |room| shape::room::letter(room.kind)),
        "roomName": room.as_ref().and_then(|room| room.name.as_deref()),
    });
    stream_message(&Value::from("__my_messages__"), &shown(door, message), Some(&info))
}

fn stream_message(key: &Value, message: &[u8], info: Option<&Value>) -> Bytes {
    let mut frame = FrameWriter::text(256 + message.len());
    put(
        &mut frame,
        br#"{"msg":"changed","collection":"stream-room-messages","id":"id","fields":{"eventName":"#,
    );
    write(&mut frame, key);
    put(&mut frame, br#","args":["#);
    put(&mut frame, message);
    if let Some(info) = info {
        put(&mut frame, b",");
        write(&mut frame, info);
    }
    put(&mut frame, b"]}}");
    frame.finish()
}

fn put(frame: &mut FrameWriter, bytes: &[u8]) {
    // Writing into memory can't fail.
    let _ = frame.write_all(bytes);
}

fn write(frame: &mut FrameWriter, value: &impl serde::Serialize) {
    // Writing into memory fails only for maps with keys that are not texts; there are none.
    let _ = serde_json::to_writer(&mut *frame, value);
}

fn bulk(room: &RoomId, purge: &Purge) -> Value {
    let (after, before) = if purge.inclusive { ("$gte", "$lte") } else { ("$gt", "$lt") };
    let mut bulk = json!({
        "rid": room.as_str(),
        "excludePinned": purge.keep_pinned,
        "ignoreDiscussion": purge.keep_discussions,
        "ts": { after: Dates::Ejson.value(purge.from), before: Dates::Ejson.value(purge.to) },
        "users": purge.users,
        "filesOnly": purge.files_only,
    });
    if !purge.ids.is_empty() {
        bulk["ids"] = purge.ids.iter().map(MessageId::as_str).collect();
    }
    bulk
}

/// Typing as clients of before 2021 hear it.
pub(super) fn typing(fact: &Fact) -> Bytes {
    let Event::Activity { room, name, activities, .. } = &fact.event else { return Bytes::new() };
    let on = activities.iter().any(|a| a == "user-typing");
    notify_room(room, "typing", &json!([&**name, on]))
}

/// A membership that is over.
pub(super) fn subscription_removed(
    id: &MembershipId,
    room: &RoomId,
    kind: Option<RoomKind>,
    user: &UserId,
) -> Value {
    let mut gone = json!({ "_id": id.as_str(), "rid": room.as_str(), "u": { "_id": user.as_str() } });
    if let Some(kind) = kind {
        gone["t"] = shape::room::letter(kind).into();
    }
    json!(["removed", gone])
}

/// A message that only one user sees.
pub(super) fn whisper(fact: &Fact) -> Value {
    let Event::Whisper { room, text, thread, .. } = &fact.event else { return Value::Null };
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let at = parlor_core::clock::Time(i64::try_from(now.as_millis()).unwrap_or_default());
    let mut message = json!({
        "_id": format!("{room}-{}", now.as_nanos()), "rid": room.as_str(), "msg": &**text,
        "ts": Dates::Ejson.value(at), "_updatedAt": Dates::Ejson.value(at), "private": true, "groupable": false,
        "u": { "_id": "rocket.cat", "username": "rocket.cat", "name": "Rocket.Cat" },
    });
    if let Some(root) = thread {
        message["tmid"] = root.as_str().into();
    }
    json!([message])
}

/// A desktop or in-app notification.
pub(super) fn notification(message: &Message, room: &Room) -> Value {
    let who = message.shown_author();
    let title = if room.is_direct() { who.to_owned() } else { format!("#{}", room.shown_name()) };
    let text = if room.is_direct() { message.text.clone() } else { format!("{who}: {}", message.text) };
    let mut payload = json!({
        "_id": message.id.as_str(), "rid": message.room.as_str(), "type": shape::room::letter(room.kind), "name": room.name,
        "sender": { "_id": message.author.as_str(), "username": message.author_username, "name": message.author_name },
        "message": { "msg": message.text },
    });
    if let Some(root) = &message.thread {
        payload["tmid"] = root.as_str().into();
    }
    json!([{ "title": title, "text": text, "payload": payload }])
}

/// What changed about the own user.
pub(super) fn user_data(door: &Door, user: &User, before: Option<&User>) -> Value {
    let fields = |of: &User| match shape::user::own(door, of, Dates::Ejson) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let then = before.map(fields).unwrap_or_default();
    let diff: Map<String, Value> =
        fields(user).into_iter().filter(|(key, value)| then.get(key) != Some(value)).collect();
    json!([{ "type": "updated", "id": user.id.as_str(), "diff": diff, "unset": {} }])
}

/// Stream and key under which everybody hears of this.
pub(super) fn workspace_stream(fact: &Fact) -> Option<(&'static str, &'static str)> {
    Some(match &fact.event {
        Event::Setting { .. } => ("notify-all", "public-settings-changed"),
        // Rules of single rooms are not for everybody's ears.
        Event::Permission { id, .. } if id.contains('@') => return None,
        Event::Permission { .. } => ("notify-logged", "permissions-changed"),
        Event::Role { .. } => ("roles", "roles"),
        Event::RoleGiven { .. } => ("notify-logged", "roles-change"),
        Event::Avatar { .. } => ("notify-logged", "updateAvatar"),
        Event::UserRemoved { .. } => ("notify-logged", "Users:Deleted"),
        Event::User { user, before: Some(before), .. } => {
            if user.username == before.username && user.name == before.name {
                return None;
            }
            ("notify-logged", "Users:NameChanged")
        }
        Event::Custom { kind: CustomKind::Emoji, removed, .. } => {
            ("notify-logged", if *removed { "deleteEmojiCustom" } else { "updateEmojiCustom" })
        }
        Event::Custom { kind: CustomKind::Status, removed, .. } => {
            ("notify-logged", if *removed { "deleteCustomUserStatus" } else { "updateCustomUserStatus" })
        }
        Event::Custom { kind: CustomKind::Sound, removed, .. } => {
            ("notify-all", if *removed { "deleteCustomSound" } else { "updateCustomSound" })
        }
        _ => return None,
    })
}

/// The frame that goes with it; empty where only those who may are told (settings that are not public).
pub(super) fn workspace(fact: &Fact) -> Bytes {
    let Some((stream, key)) = workspace_stream(fact) else { return Bytes::new() };
    workspace_args(&fact.event).map_or_else(Bytes::new, |args| frame::event(stream, key, &args))
}

fn workspace_args(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Setting { id, value, .. } => {
            let def = parlor_core::settings_table::SETTINGS.iter().find(|d| d.id == &**id && d.public)?;
            json!(["updated", { "_id": def.id, "value": shape::setting::value(value) }])
        }
        Event::Permission { id, roles, .. } => {
            let roles: Vec<&str> = roles.iter().map(|r| r.as_str()).collect();
            json!(["updated", { "_id": &**id, "roles": roles }])
        }
        Event::Role { id, role: None, .. } => {
            json!([{ "type": "removed", "_id": id.as_str(), "name": id.as_str() }])
        }
        Event::Role { id, role: Some(role), .. } => json!([{
            "type": "changed", "_id": id.as_str(), "name": role.name, "description": role.description,
            "scope": if role.scope == RoleScope::Room { "Subscriptions" } else { "Users" }, "protected": role.protected,
        }]),
        Event::RoleGiven { user, username, role, room, given } => json!([{
            "type": if *given { "added" } else { "removed" }, "_id": role.as_str(),
            "u": { "_id": user.as_str(), "username": username }, "scope": room.as_deref(),
        }]),
        Event::Avatar { of: AvatarOf::User(_, username), tag } => {
            json!([{ "username": username, "etag": tag }])
        }
        Event::Avatar { of: AvatarOf::Room(room), tag } => json!([{ "rid": room.as_str(), "etag": tag }]),
        Event::UserRemoved { user } => json!([{ "userId": user.id.as_str() }]),
        Event::User { user, .. } => {
            json!([{ "_id": user.id.as_str(), "name": user.name, "username": user.username }])
        }
        Event::Custom { kind, id, name, .. } => {
            let thing = json!({ "_id": &**id, "name": &**name });
            match kind {
                CustomKind::Emoji => json!([{ "emojiData": thing }]),
                CustomKind::Sound => json!([{ "soundData": thing }]),
                CustomKind::Status => json!([{ "userStatusData": thing }]),
            }
        }
        _ => return None,
    })
}

/// A change of presence; clients read only `uid`.
pub(super) fn presence(fact: &Fact) -> Bytes {
    let Event::Presence { user, status } = &fact.event else { return Bytes::new() };
    let args = json!([[user.username, shape::user::status_code(*status), user.status_text]]);
    frame::value(&json!({
        "msg": "changed", "collection": "stream-user-presence", "id": user.id.as_str(),
        "fields": { "uid": user.id.as_str(), "eventName": user.id.as_str(), "args": args },
    }))
}

/// A change of presence, as everybody hears it who asked for all.
pub(super) fn status(fact: &Fact) -> Bytes {
    let Event::Presence { user, status } = &fact.event else { return Bytes::new() };
    let roles: Vec<&str> = user.roles.iter().map(|role| role.as_str()).collect();
    let code = shape::user::status_code(*status);
    let args = json!([[user.id.as_str(), user.username, code, user.status_text, user.name, roles]]);
    frame::event("notify-logged", "user-status", &args)
}

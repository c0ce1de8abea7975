//! Texts and ids that mean something elsewhere mean nothing here.

use serde_json::{Value, json};

use super::{
    doors::{Door, Hands},
    stage::{Kind, Stage, TICKET},
};

const HOSTILE: [&str; 6] = [
    "'; DROP TABLE messages; --",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{\"$ne\": null} ${7*7} {{7*7}} %27 OR 1=1",
    "\u{202e}right to left\u{202c}, \u{1f469}\u{200d}\u{1f680} and e\u{301}",
    "  kept as it is \t\r\n ",
    "\\u0000 \\x00 ../../etc/passwd %00",
];

/// S3-72, S3-73, S2-58, S4-54, S4-47: each door stores and shows exactly what was said, whatever it looks like.
#[tokio::test]
async fn s2_58_s3_72_s3_73_s4_47_s4_54_what_looks_like_a_command_is_a_text_by_every_door() {
    let stage = Stage::set(Kind::Ticket).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    let mut said = Vec::new();
    // Rocket.Chat's own doors trim what is sent to them, as their clients expect.
    for door in Door::of(Kind::Ticket, |door| !matches!(door, Door::RocketRest | Door::RocketDdp)) {
        for text in HOSTILE {
            said.push((ann.send(door, text).await, text.to_owned()));
        }
    }
    for (door, list) in stage.lists(&stage.ben).await {
        assert_eq!(list[list.len() - said.len()..], said, "{door}");
    }
    for text in HOSTILE {
        let found = stage.ben.rest.get("/api/chat/search", &[("q", text)]).await;
        assert_eq!(found.status, 200, "{text}: {}", found.text());
    }
}

/// S3-72, S3-73, S4-47, S0-63: ids, cursors and objects where a text is meant are refused clearly, never by a 5xx.
#[tokio::test]
async fn s0_63_s3_72_s3_73_s4_47_odd_ids_and_types_are_refused_and_nothing_breaks() {
    let stage = Stage::set(Kind::Ticket).await;
    let (rest, room) = (&stage.ann.rest, &stage.room);
    for odd in ["%27%20OR%201%3D1", "%7B%22%24ne%22%3A1%7D", "%2e%2e%2f%2e%2e", "%00", "a%20b", "%ff%fe"] {
        for path in [
            format!("/api/chat/rooms/{odd}"),
            format!("/api/chat/rooms/{odd}/messages"),
            format!("/api/chat/messages/{odd}"),
            format!("/api/conversations/{odd}/messages"),
            format!("/api/tickets/{odd}/chat"),
            format!("/api/users/{odd}"),
            format!("/api/files/{odd}/name.png"),
            format!("/api/chat/inbox/{odd}"),
            format!("/api/chat/rooms/{room}/messages?before={odd}"),
            format!("/api/conversations?before={odd}"),
            format!("/api/tickets?after={odd}"),
            format!("/api/chat/search?q={odd}&room_id={odd}"),
        ] {
            let told = rest.get(&path, &[]).await;
            assert!((400..500).contains(&told.status), "{path}: {} {}", told.status, told.text());
            assert!(
                told.body["error"].is_string() && told.body["message"].is_string(),
                "{path}: {}",
                told.text()
            );
        }
    }
    let objects = [json!({"$ne": null}), json!([1]), json!(7), json!(true), json!({"a": {"b": []}})];
    for object in objects {
        for (path, field) in [
            ("/api/chat/send", "message"),
            ("/api/chat/send", "room_id"),
            ("/api/chat/messages", "room_id"),
            ("/api/chat/messages", "content"),
            ("/api/chat/messages", "client_id"),
            ("/api/chat/rooms", "room_type"),
            ("/api/chat/rooms", "member_ids"),
            ("/api/conversations/create", "title"),
            (&*format!("/api/conversations/{room}/messages"), "content"),
            (&*format!("/api/conversations/{room}/read"), "message_ids"),
            (&*format!("/api/tickets/{TICKET}/chat"), "message"),
            (&*format!("/api/tickets/{TICKET}/chat"), "attachments"),
            ("/api/chat/mark-read", "room_id"),
            ("/api/chat/groups", "name"),
            ("/api/auth/login", "password"),
        ] {
            let mut body = json!({"message": "x", "content": "x", "room_id": room, "title": "x", "username": "ann",
                "room_type": "direct", "member_ids": ["u-ben"], "name": "x", "password": "x"});
            body[field] = object.clone();
            let told = rest.post(path, body).await;
            let lists = matches!(field, "member_ids" | "attachments" | "message_ids") && object == json!([1]);
            assert!(matches!(told.status, 400 | 422) || lists, "{path} {field} {object}: {}", told.text());
            assert!(told.status < 500, "{path} {field} {object}: {}", told.text());
            assert_ne!(told.body.get("error"), None::<&Value>, "{path} {field} {object}");
        }
    }
}

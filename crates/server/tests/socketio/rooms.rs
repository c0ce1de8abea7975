//! The rooms contract over sockets, section 5.

use parlor_testkit::{Cast, Server};
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Heard, Sio, call, group, setup, token};

fn by(id: &str) -> String {
    token(id, &[], 600)
}

async fn kick(server: &Server, owner: &str, room: &str, user: &str) {
    let body = json!({"roomId": room, "userId": user});
    let _ = call(server, Method::POST, "/api/v1/groups.kick", Some(&by(owner)), Some(body)).await.ok();
}

async fn say(server: &Server, who: &str, room: &str, text: &str) -> String {
    let body = json!({"message": {"rid": room, "msg": text}});
    let sent = call(server, Method::POST, "/api/v1/chat.sendMessage", Some(&by(who)), Some(body)).await.ok();
    sent["message"]["_id"].as_str().expect("an id").to_owned()
}

/// S3-63: with the message journeys below, the flows of the manual checklist.
#[tokio::test]
async fn s3_2_s3_27_to_s3_47_s3_63_the_golden_exchange() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut c = Sio::of(&server, "u-carol", &[]).await;
    let room = group(&server, &by("u-alice"), "team", &["bob", "carol"]).await;
    for socket in [&mut a, &mut b, &mut c] {
        let made = socket.event("room_created").await;
        assert_eq!((&made["room_id"], &made["room"]["id"]), (&json!(room), &json!(room)));
        assert_eq!((&made["room"]["room_type"], &made["room"]["member_count"]), (&json!("group"), &json!(3)));
    }
    let id = b.emit("join_room", json!({"room_id": room})).await;
    let joined = b.event("room_joined").await;
    assert_eq!((&joined["room_id"], &joined["room"]["id"]), (&json!(room), &json!(room)));
    assert!(joined["online_user_ids"].as_array().is_some_and(|ids| ids.len() == 3), "{joined}");
    assert_eq!(b.next().await, Heard::Ack(id, json!({"success": true, "room_id": room})));
    c.grant("join_room", json!({"room_id": room})).await;
    let came = b.event("user_joined").await;
    assert_eq!(
        (&came["room_id"], &came["user_id"], &came["user_name"]),
        (&json!(room), &json!("u-carol"), &json!("Carol Doe"))
    );
    let message = say(&server, "u-alice", &room, "Hello, team!").await;
    for socket in [&mut b, &mut c] {
        let heard = socket.event("new_message").await;
        assert_eq!((&heard["room_id"], &heard["message"]["id"]), (&json!(room), &json!(message)));
        assert_eq!(heard["message"]["content"], "Hello, team!");
        assert_eq!(heard["timestamp"], heard["message"]["created_at"]);
    }
    let hint = json!({"room_id": room, "message": {"id": message}});
    assert_eq!(
        a.ask("send_message", hint).await,
        json!({"success": true, "message_id": message, "hint": true})
    );
    let ack = b.ask("mark_as_read", json!({"room_id": room, "message_ids": [message]})).await;
    assert_eq!(ack, json!({"success": true, "room_id": room, "message_ids": [message], "unread_count": 0}));
    let read = c.event("messages_read").await;
    assert_eq!((&read["user_id"], &read["message_ids"]), (&json!("u-bob"), &json!([message])));
    let rest = b.rest().await;
    assert!(
        !rest.iter().any(|name| name.contains("message")),
        "neither the hint nor one's own mark: {rest:?}"
    );
    kick(&server, "u-alice", &room, "u-carol").await;
    for socket in [&mut a, &mut b, &mut c] {
        let out = socket.event("member_removed").await;
        assert_eq!((&out["room_id"], &out["user_id"]), (&json!(room), &json!("u-carol")));
    }
    say(&server, "u-alice", &room, "without Carol").await;
    b.event("new_message").await;
    let heard = a.rest().await;
    assert!(!heard.iter().any(|name| name.contains("message")), "she has not joined: {heard:?}");
    assert!(!c.rest().await.iter().any(|name| name.contains("message")), "nothing of the room any more");
    c.refused("join_room", json!({"room_id": room}), "not_found").await;
}

/// S3-60, S3-61: an edit is its sender's alone, a removal also an admin's of the room.
#[tokio::test]
async fn s3_29_s3_31_s3_32_s3_60_s3_61_messages_are_sent_edited_and_deleted_by_those_who_may() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let room = group(&server, &by("u-alice"), "words", &["bob"]).await;
    a.grant("join_room", json!({"room_id": room})).await;
    b.grant("join_room", json!({"room_id": room})).await;
    let sent = json!({"room_id": room, "content": "first", "client_id": "c-1", "metadata": {"a": [1]}});
    let ack = b.grant("send_message", sent.clone()).await;
    let id = ack["message"]["id"].clone();
    assert_eq!(
        (&ack["message"]["client_id"], &ack["message"]["metadata"]),
        (&json!("c-1"), &json!({"a": [1]}))
    );
    assert_eq!(b.grant("send_message", sent).await["message"]["id"], id, "a retry is the same message");
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.event("new_message").await["message"]["id"], id);
    }
    let reply = json!({"room_id": room, "content": "second", "reply_to_id": id});
    assert_eq!(a.grant("send_message", reply).await["message"]["reply_to_id"], id);
    a.event("new_message").await;
    b.event("new_message").await;

    a.refused("message_edited", json!({"message_id": id, "content": "mine now"}), "forbidden").await;
    let edited =
        b.grant("message_edited", json!({"message_id": id, "content": "first!", "room_id": room})).await;
    assert_eq!(
        (&edited["message"]["is_edited"], &edited["message"]["content"]),
        (&json!(true), &json!("first!"))
    );
    for socket in [&mut a, &mut b] {
        let heard = socket.event("message_edited").await;
        assert_eq!((&heard["message_id"], &heard["message"]["content"]), (&id, &json!("first!")));
        assert_eq!(heard["room_id"], room);
    }
    b.grant("message_edited", json!({"message_id": id, "content": "first!"})).await;
    let hint = b.grant("message_edited", json!({"message": {"id": id, "content": "not taken over"}})).await;
    assert_eq!(hint, json!({"success": true, "message_id": id, "hint": true}));

    let gone = a.grant("message_deleted", json!({"message_id": id})).await;
    assert_eq!(gone, json!({"success": true, "message_id": id}));
    a.grant("message_deleted", json!({"message_id": id, "room_id": room})).await;
    for socket in [&mut a, &mut b] {
        let heard = socket.event("message_deleted").await;
        assert_eq!((&heard["message_id"], &heard["deleted_by"]), (&id, &json!("u-alice")));
        let left = &heard["message"];
        assert_eq!(
            (&left["content"], &left["is_deleted"], &left["sender_id"]),
            (&json!(null), &json!(true), &json!("u-bob"))
        );
        let rest = socket.rest().await;
        assert!(!rest.iter().any(|name| name.contains("message")), "each once: {rest:?}");
    }
    b.refused("message_edited", json!({"message_id": id, "content": "again"}), "message_deleted").await;
    b.refused(
        "send_message",
        json!({"room_id": room, "content": "re", "reply_to_id": id}),
        "message_deleted",
    )
    .await;
}

/// S3-48: each refusal is an `error` event and an ack with the same code and words.
#[tokio::test]
async fn s3_48_s3_69_s3_70_s3_72_whoever_may_not_and_whatever_is_wrong_is_refused_in_the_same_words() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    let room = group(&server, &by("u-alice"), "closed", &[]).await;
    let id =
        a.grant("send_message", json!({"room_id": room, "content": "secret"})).await["message"]["id"].clone();
    for (event, payload) in [
        ("join_room", json!({"room_id": room})),
        ("join_room", json!({"room_id": room, "after": id})),
        ("send_message", json!({"room_id": room, "content": "let me in"})),
        ("send_message", json!({"room_id": room, "message_id": id})),
        ("mark_as_read", json!({"room_id": room, "message_ids": [id]})),
        ("typing", json!({"room_id": room, "is_typing": true})),
        ("message_edited", json!({"message_id": id, "content": "x"})),
        ("message_edited", json!({"message_id": id})),
        ("message_deleted", json!({"message_id": id})),
    ] {
        let known = x.refused(event, payload.clone(), "not_found").await;
        let text = payload
            .to_string()
            .replace(&room, "no-such-room")
            .replace(id.as_str().expect("text"), "no-such-id");
        let unknown: Value = serde_json::from_str(&text).expect("JSON");
        let unknown = x.refused(event, unknown, "not_found").await;
        assert_eq!(known["message"], unknown["message"], "{event} {payload}");
    }
    for (event, payload, code) in [
        ("join_room", json!({}), "bad_request"),
        ("join_room", json!({"room_id": room, "ticketId": "T-1"}), "bad_request"),
        ("join_room", json!({"ticketId": "T-1"}), "bad_request"),
        ("join_room", json!({"room_id": {"$ne": null}}), "validation_failed"),
        ("join_room", json!({"room_id": room, "after": "nonsense"}), "bad_cursor"),
        ("join_room", json!({"room_id": room, "after": 5}), "validation_failed"),
        ("join_room", json!({"room_id": room, "limit": 0}), "validation_failed"),
        ("join_room", json!("text"), "validation_failed"),
        ("join_room", json!(null), "validation_failed"),
        ("send_message", json!({"content": "nowhere"}), "bad_request"),
        ("send_message", json!({"room_id": room}), "validation_failed"),
        ("send_message", json!({"room_id": room, "content": 7}), "validation_failed"),
        ("send_message", json!({"room_id": room, "content": " \n"}), "validation_failed"),
        ("send_message", json!({"room_id": room, "content": "x".repeat(5001)}), "validation_failed"),
        (
            "send_message",
            json!({"room_id": room, "content": "x", "message_type": "system"}),
            "validation_failed",
        ),
        ("send_message", json!({"room_id": room, "content": "x", "client_id": "a b"}), "validation_failed"),
        ("send_message", json!({"room_id": room, "message_type": "image", "media_id": "nope"}), "not_found"),
        ("send_message", json!({"room_id": room, "message_type": "image"}), "validation_failed"),
        ("send_message", json!({"room_id": room, "content": "x", "reply_to_id": "nope"}), "not_found"),
        ("typing", json!({"room_id": room, "is_typing": "yes"}), "validation_failed"),
        ("typing", json!({"room_id": room, "is_typing": true}), "not_in_room"),
        ("mark_as_read", json!({"room_id": room, "message_ids": "all"}), "validation_failed"),
        ("mark_as_read", json!({"room_id": room, "message_ids": ["nope"]}), "not_found"),
        ("no_such_event", json!({"room_id": room}), "unknown_event"),
    ] {
        let error = a.refused(event, payload.clone(), code).await;
        assert_eq!(error["event"], event, "{payload}");
    }
    assert_eq!(a.refused("join_room", json!({"room_id": "nope"}), "not_found").await["room_id"], "nope");
}

#[tokio::test]
async fn s3_6_s3_28_s3_30_s3_37_s3_38_typing_and_presence_are_told_once_per_user_and_never_to_oneself() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut a2 = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let room = group(&server, &by("u-alice"), "here", &["bob"]).await;
    b.grant("join_room", json!({"room_id": room})).await;
    a.grant("join_room", json!({"room_id": room})).await;
    a2.grant("join_room", json!({"room_id": room})).await;
    a.grant("join_room", json!({"room_id": room})).await;
    assert_eq!(b.event("user_joined").await["user_id"], "u-alice");
    let more = b.rest().await;
    assert!(!more.contains(&"user_joined".to_owned()), "a second connection, and joining again: {more:?}");
    a.grant("typing", json!({"room_id": room, "is_typing": true})).await;
    let typing = b.event("user_typing").await;
    assert_eq!(
        (&typing["is_typing"], &typing["user_name"], &typing["room_id"]),
        (&json!(true), &json!("Alice Doe"), &json!(room))
    );
    a.grant("typing", json!({"room_id": room, "is_typing": true})).await;
    a.grant("typing", json!({"room_id": room, "is_typing": false})).await;
    assert_eq!(b.event("user_typing").await["is_typing"], false);
    a.grant("typing", json!({"room_id": room, "is_typing": true})).await;
    assert_eq!(b.event("user_typing").await["is_typing"], true);
    a.grant("send_message", json!({"room_id": room, "content": "done"})).await;
    assert_eq!(b.next_event("user_typing").await["is_typing"], false, "the stop comes before the message");
    b.next_event("new_message").await;
    let left = a.grant("leave_room", json!({"room_id": room})).await;
    assert_eq!(left, json!({"success": true, "room_id": room}));
    assert_eq!(a.event("room_left").await["room_id"], room);
    assert!(!b.rest().await.contains(&"user_left".to_owned()), "another connection of hers is still there");
    drop(a2);
    assert_eq!(b.event("user_left").await["user_id"], "u-alice");
    b.grant("send_message", json!({"room_id": room, "content": "alone"})).await;
    let heard = a.rest().await;
    assert!(
        !heard.contains(&"user_typing".to_owned()) && !heard.contains(&"user_joined".to_owned()),
        "{heard:?}"
    );
    assert_eq!(
        heard.iter().filter(|name| *name == "new_message").count(),
        1,
        "only what came before she left"
    );
}

#[tokio::test]
async fn s3_44_to_s3_47_members_hear_of_their_rooms_joined_or_not() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    let room = group(&server, &by("u-alice"), "growing", &[]).await;
    a.event("room_created").await;
    let added = json!({"roomId": room, "userId": "u-bob"});
    let _ =
        call(&server, Method::POST, "/api/v1/groups.invite", Some(&by("u-alice")), Some(added)).await.ok();
    for socket in [&mut a, &mut b] {
        let heard = socket.event("member_added").await;
        assert_eq!((&heard["room_id"], &heard["user_id"]), (&json!(room), &json!("u-bob")));
        assert_eq!((&heard["member"]["user_id"], &heard["room"]["id"]), (&json!("u-bob"), &json!(room)));
    }
    let renamed = json!({"roomId": room, "name": "grown"});
    let _ =
        call(&server, Method::POST, "/api/v1/groups.rename", Some(&by("u-alice")), Some(renamed)).await.ok();
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.event("room_updated").await["room"]["name"], "grown");
    }
    assert!(x.rest().await.is_empty(), "nothing of a private room reaches an outsider");
}

#[tokio::test]
async fn s3_74_reactions_are_told_as_they_are() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let room = group(&server, &by("u-alice"), "joy", &[]).await;
    a.grant("join_room", json!({"room_id": room})).await;
    let id = say(&server, "u-alice", &room, "we did it").await;
    let react = json!({"messageId": id, "emoji": "tada", "shouldReact": true});
    let _ = call(&server, Method::POST, "/api/v1/chat.react", Some(&by("u-alice")), Some(react)).await.ok();
    let heard = a.event("message_reaction").await;
    assert_eq!((&heard["room_id"], &heard["message_id"]), (&json!(room), &json!(id)));
    assert_eq!(heard["reactions"], json!([{"emoji": ":tada:", "user_ids": ["u-alice"]}]));
}

/// Changes the first channel's topic; who was added there, by what the socket heard until that.
async fn until_updated(cast: &Cast, socket: &mut Sio) -> Vec<Value> {
    let topic = json!({"roomId": "GENERAL", "topic": format!("so many: {socket:p}")});
    let _ = cast.administrator.rest.post("channels.setTopic", topic).await.ok();
    let mut added = Vec::new();
    loop {
        match socket.hear_anything().await {
            Heard::Event(name, _) if name == "room_updated" => return added,
            Heard::Event(name, payload) if name == "member_added" => added.push(payload["user_id"].clone()),
            other => assert_ne!(other, Heard::Closed),
        }
    }
}

#[tokio::test]
async fn who_comes_into_a_crowded_channel_is_told_to_those_who_have_it_open() {
    const CROWD: usize = 50;
    let server = setup().start().await;
    let cast = Cast::assemble(&server).await;
    let mut away = Sio::of(&server, "u-away", &[]).await;
    let mut there = Sio::of(&server, "u-there", &[]).await;
    there.grant("join_room", json!({"room_id": "GENERAL"})).await;
    for number in 0..CROWD {
        Sio::of(&server, &format!("u-{number}"), &[]).await;
    }
    let known = cast.administrator.rest.get("channels.info", &[("roomId", "GENERAL")]).await.ok();
    assert!(known["channel"]["usersCount"].as_u64() > Some(CROWD as u64));
    Sio::of(&server, "u-late", &[]).await;
    let told = until_updated(&cast, &mut there).await;
    assert!(told.contains(&json!("u-late")), "{told:?}");
    let told = until_updated(&cast, &mut away).await;
    assert!(told.contains(&json!("u-0")), "the first are told to all members: {told:?}");
    assert!(!told.contains(&json!("u-late")), "{told:?}");
}

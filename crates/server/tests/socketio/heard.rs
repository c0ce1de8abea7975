//! Who hears what of the rooms contract, and as whom: what is personal is as its reader sees it, and what is not for somebody
//! does not come.

use parlor_testkit::{Rest, Server};
use serde_json::{Value, json};

use super::client::{Heard, Sio, group, put_ticket, setup, token};

fn as_user(server: &Server, id: &str) -> Rest {
    server.rest().header("authorization", &format!("Bearer {}", token(id, &[], 600)))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The payloads of the events of this name that have come.
async fn told(socket: &mut Sio, name: &str) -> Vec<Value> {
    let heard = socket.everything().await.into_iter();
    heard
        .filter_map(
            |heard| if let Heard::Event(n, told) = heard { (n == name).then_some(told) } else { None },
        )
        .collect()
}

async fn send(rest: &Rest, room: &str, text: &str) -> Value {
    rest.post("/api/chat/messages", json!({"room_id": room, "content": text})).await.expect(201)
}

/// S3-13, S3-39, S3-44: a room is told once and named as each of the two sees it; a member who has not joined hears no message,
/// whoever writes; a hint by an id alone is one too.
#[tokio::test]
async fn s3_13_s3_29_s3_39_s3_44_a_room_is_told_as_each_sees_it_and_messages_to_those_who_joined() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    let (alice, bob) = (as_user(&server, "u-alice"), as_user(&server, "u-bob"));
    let ask = |other: &str| json!({"room_type": "direct", "member_ids": [other]});
    let made = alice.post("/api/chat/rooms", ask("u-bob")).await.expect(201);
    let room = text(&made["id"]);
    for (socket, other) in [(&mut a, "Bob Doe"), (&mut b, "Alice Doe")] {
        let told = socket.event("room_created").await;
        assert_eq!(
            (&told["room_id"], &told["room"]["name"], &told["room"]["room_type"]),
            (&json!(room), &json!(other), &json!("direct"))
        );
    }
    bob.post("/api/chat/rooms", ask("u-alice")).await.expect(200);
    b.grant("join_room", json!({"room_id": room})).await;
    let message = send(&alice, &room, "for those who joined").await;
    assert_eq!(b.event("new_message").await["message"]["id"], message["id"]);
    let hint = a.grant("send_message", json!({"room_id": room, "message_id": message["id"]})).await;
    assert_eq!(hint, json!({"success": true, "message_id": message["id"], "hint": true}));
    alice
        .patch(&format!("/api/chat/messages/{}", text(&message["id"])), json!({"content": "x"}))
        .await
        .expect(200);
    b.event("message_edited").await;
    for (socket, who) in [(&mut a, "a member who has not joined"), (&mut x, "an outsider")] {
        let heard = socket.rest().await;
        let quiet = heard.iter().all(|name| !name.contains("message") && !name.starts_with("room"));
        assert!(quiet, "{who} heard {heard:?}");
    }
    assert_eq!(told(&mut b, "room_created").await, Vec::<Value>::new(), "it was there");
}

/// S3-33, S3-42: reading is told to all who joined but the socket that marked; after a REST call to that one too.
#[tokio::test]
async fn s3_33_s3_42_reading_is_told_to_everybody_but_the_socket_that_marked() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut own = Sio::of(&server, "u-bob", &[]).await;
    let mut away = Sio::of(&server, "u-bob", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "read", &["bob"]).await;
    for socket in [&mut a, &mut b, &mut own] {
        socket.grant("join_room", json!({"room_id": room})).await;
    }
    let alice = as_user(&server, "u-alice");
    let first = send(&alice, &room, "one").await["id"].clone();
    b.grant("mark_as_read", json!({"room_id": room, "message_ids": [first]})).await;
    for socket in [&mut a, &mut own] {
        let told = socket.event("messages_read").await;
        assert_eq!(
            (&told["room_id"], &told["user_id"], &told["message_ids"]),
            (&json!(room), &json!("u-bob"), &json!([first]))
        );
    }
    assert!(told(&mut b, "messages_read").await.is_empty(), "it knows");
    send(&alice, &room, "two").await;
    let read =
        as_user(&server, "u-bob").post(&format!("/api/chat/rooms/{room}/read"), json!({})).await.expect(200);
    for socket in [&mut a, &mut own, &mut b] {
        let told = socket.event("messages_read").await;
        assert_eq!((&told["user_id"], &told["read_at"]), (&json!("u-bob"), &read["last_read_at"]));
    }
    assert!(told(&mut away, "messages_read").await.is_empty(), "it has not joined");
}

/// S3-40, S3-41, S3-71: addresses of files in events are signed for whoever hears them, and nobody hears another's.
#[tokio::test]
async fn s3_39_to_s3_41_s3_71_addresses_of_files_in_events_are_each_readers_own() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "files", &["bob"]).await;
    for socket in [&mut a, &mut b] {
        socket.grant("join_room", json!({"room_id": room})).await;
    }
    let alice = as_user(&server, "u-alice");
    let note = ("n.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let file = alice.upload("/api/chat/upload", "file", note, &[]).await.expect(201);
    let body = json!({"room_id": room, "message_type": "file", "content": "read", "media_url": file["url"]});
    let sent = alice.post("/api/chat/messages", body).await.expect(201);
    let path = format!("/api/chat/messages/{}", text(&sent["id"]));
    alice.patch(&path, json!({"content": "read it"})).await.expect(200);
    for name in ["new_message", "message_edited"] {
        for (socket, own, foreign) in [(&mut a, "u=u-alice&", "u=u-bob&"), (&mut b, "u=u-bob&", "u=u-alice&")]
        {
            let told = socket.event(name).await;
            for url in [&told["message"]["media_url"], &told["message"]["attachments"][0]["url"]] {
                assert!(text(url).contains(own), "{name}: {url}");
            }
            assert!(!told.to_string().contains(foreign), "{name}: {told}");
            let url = text(&told["message"]["media_url"]);
            let fetched = server.rest().get(&url[url.find("/api/").expect("a path")..], &[]).await;
            assert_eq!((fetched.status, &fetched.bytes[..]), (200, note.2));
        }
    }
    alice.remove(&path).await.expect(200);
    let gone = b.event("message_deleted").await;
    assert_eq!((&gone["message"]["media_url"], &gone["message"]["attachments"]), (&Value::Null, &json!([])));
    assert!(!gone.to_string().contains("sig="), "{gone}");
}

/// S3-8, S3-18, S3-45: when the last admin leaves, the others hear who left and how the room is now, and of no addition.
#[tokio::test]
async fn s3_8_s3_18_s3_45_s3_47_a_new_admin_is_told_by_the_room_as_it_is() {
    let server = setup().start().await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    drop(Sio::of(&server, "u-alice", &[]).await);
    let alice = as_user(&server, "u-alice");
    let made = json!({"room_type": "group", "name": "heirs", "member_ids": ["u-bob"]});
    let room = text(&alice.post("/api/chat/rooms", made).await.expect(201)["id"]);
    b.event("room_created").await;
    alice.remove(&format!("/api/chat/rooms/{room}/members/u-alice")).await.expect(200);
    let left = b.event("member_removed").await;
    assert_eq!((&left["user_id"], &left["removed_by"]), (&json!("u-alice"), &json!("u-alice")));
    let seen = b.event("room_updated").await["room"]["members"].take();
    assert_eq!(seen.as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!((&seen[0]["user_id"], &seen[0]["is_admin"]), (&json!("u-bob"), &json!(true)));
    assert!(!b.rest().await.contains(&"member_added".to_owned()));
}

/// S3-44 to S3-47: of tickets these events tell nothing: neither that one is made, nor that it changes, nor who comes or goes.
#[tokio::test]
async fn s3_44_to_s3_47_of_tickets_no_personal_event_tells() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    for facts in [
        json!({"created_by": "u-alice"}),
        json!({"assignees": ["u-bob"]}),
        json!({"title": "Another"}),
        json!({"assignees": []}),
    ] {
        put_ticket(&server, "T-1", facts).await;
    }
    // A group is told; whatever was said of the ticket has come by then.
    group(&server, &token("u-alice", &[], 600), "fence", &["bob"]).await;
    for socket in [&mut a, &mut b] {
        assert_eq!(socket.next_event("room_created").await["room"]["name"], "fence");
    }
}

/// S3-27, S3-70: whatever room one may see can be joined, and looking at a channel makes nobody a member.
#[tokio::test]
async fn s3_27_s3_70_whatever_one_may_see_can_be_joined_and_looking_is_no_membership() {
    let server = setup().start().await;
    let mut x = Sio::of(&server, "u-xena", &[]).await;
    drop(Sio::of(&server, "u-alice", &[]).await);
    let (alice, xena) = (as_user(&server, "u-alice"), as_user(&server, "u-xena"));
    let channel = alice.post("channels.create", json!({"name": "open"})).await.expect(200);
    let channel = text(&channel["channel"]["_id"]);
    let ticket = text(&put_ticket(&server, "T-1", json!({"created_by": "u-xena"})).await["room_id"]);
    for (room, kind) in [(&channel, "channel"), (&ticket, "ticket")] {
        x.grant("join_room", json!({"room_id": room})).await;
        let joined = x.event("room_joined").await;
        assert_eq!((&joined["room"]["kind"], &joined["room"]["room_type"]), (&json!(kind), &json!("group")));
    }
    assert_eq!(
        send(&alice, &channel, "to whoever listens").await["id"],
        x.event("new_message").await["message"]["id"]
    );
    let listed = xena.get("/api/chat/rooms", &[]).await.expect(200);
    let rooms = listed["rooms"].as_array().expect("rooms");
    assert!(rooms.iter().all(|room| room["id"] != channel.as_str()), "{listed}");
    let seen = xena.get(&format!("/api/chat/rooms/{channel}"), &[]).await.expect(200);
    assert_eq!(seen["member_count"], 1);
}

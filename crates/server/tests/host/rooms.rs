//! Rooms and messages over REST, as the rooms contract says it.

use parlor_testkit::{Cast, HostApp, HostPerson, Rest, Server};
use serde_json::{Value, json};

struct Three {
    server: Server,
    alice: HostPerson,
    bob: HostPerson,
    carol: HostPerson,
    outsider: HostPerson,
}

async fn three() -> Three {
    let server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let bob = HostApp::person(&server, "u-bob", &[]).await;
    let carol = HostApp::person(&server, "u-carol", &[]).await;
    let outsider = HostApp::person(&server, "u-otto", &["ADMIN"]).await;
    Three { server, alice, bob, carol, outsider }
}

impl Three {
    /// A group of Alice (admin), Bob and Carol.
    async fn group(&self) -> String {
        let body = json!({"room_type": "group", "name": "Project Team", "member_ids": ["u-bob", "u-carol"]});
        let room = self.alice.rest.post("/api/chat/rooms", body).await.expect(201);
        room["id"].as_str().expect("an id").to_owned()
    }
}

async fn say(rest: &Rest, room: &str, text: &str) -> Value {
    rest.post("/api/chat/messages", json!({"room_id": room, "content": text})).await.expect(201)
}

fn url(room: &str, rest: &str) -> String {
    format!("/api/chat/rooms/{room}{rest}")
}

fn of(message: &Value, rest: &str) -> String {
    format!("/api/chat/messages/{}{rest}", message["id"].as_str().expect("an id"))
}

/// S3-1, S3-9, S3-10, S3-13, S3-15, S3-57: a group with its maker as admin, as the contract writes it.
#[tokio::test]
async fn s3_1_s3_9_s3_10_s3_13_s3_15_s3_57_a_group_is_made_and_shown_to_its_members() {
    let all = three().await;
    let body = json!({"room_type": "GROUP", "name": "Project Team", "description": "d",
        "avatar_url": "https://x.example/a.png", "member_ids": ["u-bob", "u-alice", "u-bob", "u-carol"]});
    let room = all.alice.rest.post("/api/chat/rooms", body).await.expect(201);
    for (key, value) in [
        ("name", json!("Project Team")),
        ("room_type", json!("group")),
        ("kind", json!("group")),
        ("description", json!("d")),
        ("avatar_url", json!("https://x.example/a.png")),
        ("created_by", json!("u-alice")),
        ("is_active", json!(true)),
        ("member_count", json!(3)),
        ("unread_count", json!(0)),
        ("last_message", Value::Null),
        ("ticket_id", Value::Null),
    ] {
        assert_eq!(room[key], value, "{key}: {room}");
    }
    let admins: Vec<(&Value, &Value)> =
        room["members"].as_array().unwrap().iter().map(|m| (&m["user_id"], &m["is_admin"])).collect();
    assert_eq!(admins.len(), 3);
    assert!(
        admins.contains(&(&json!("u-alice"), &json!(true)))
            && admins.contains(&(&json!("u-bob"), &json!(false)))
    );
    let id = room["id"].as_str().expect("an id");
    assert_eq!(all.bob.rest.get(&url(id, ""), &[]).await.expect(200)["members"], room["members"]);
    let unknown = all.outsider.rest.get(&url("no-such-room", ""), &[]).await;
    let hidden = all.outsider.rest.get(&url(id, ""), &[]).await;
    assert_eq!(hidden.bytes, unknown.bytes);
    assert_eq!(hidden.problem(404, "not_found")["detail"], "Room not found");
    HostApp::rest(&all.server).get(&url(id, ""), &[]).await.problem(403, "user_required");
    all.server.rest().get(&url(id, ""), &[]).await.problem(401, "unauthorized");
}

/// S3-1, S3-13, S3-72: one direct room for a pair, named by who looks; and what is refused.
#[tokio::test]
async fn s3_1_s3_13_s3_72_a_direct_room_is_one_for_each_pair() {
    let all = three().await;
    let body = json!({"room_type": "direct", "member_ids": ["u-bob"]});
    let room = all.alice.rest.post("/api/chat/rooms", body).await.expect(201);
    assert_eq!((&room["name"], &room["room_type"]), (&json!("Bob Person"), &json!("direct")));
    assert!(room["members"].as_array().unwrap().iter().all(|m| m["is_admin"] == false));
    let same = json!({"room_type": "direct", "member_ids": ["u-alice"]});
    let same = all.bob.rest.post("/api/chat/rooms", same).await.expect(200);
    assert_eq!((&same["id"], &same["name"]), (&room["id"], &json!("Alice Person")));
    for bad in [
        json!({}),
        json!({"room_type": "crowd", "member_ids": []}),
        json!({"room_type": "", "name": "x"}),
        json!({"room_type": null, "name": "x"}),
        json!({"room_type": "direct"}),
        json!({"room_type": "direct", "member_ids": ["u-alice"]}),
        json!({"room_type": "direct", "member_ids": ["u-bob", "u-carol"]}),
        json!({"room_type": "group", "member_ids": []}),
        json!({"room_type": "group", "name": "x", "member_ids": "u-bob"}),
        json!({"room_type": "group", "name": "x", "member_ids": [1]}),
        json!({"room_type": "group", "name": "x".repeat(121)}),
        json!({"room_type": "group", "name": "x", "avatar_url": "javascript:1"}),
    ] {
        let refused = all.alice.rest.post("/api/chat/rooms", bad.clone()).await;
        assert!(refused.problem(422, "validation_failed")["detail"].is_array(), "{bad}");
    }
    let unknown = json!({"room_type": "group", "name": "x", "member_ids": ["u-bob", "x9"]});
    let refused = all.alice.rest.post("/api/chat/rooms", unknown).await.problem(404, "unknown_users");
    assert_eq!(refused["detail"], json!({"unknown_ids": ["x9"]}));
}

/// S2-14 on this door: field staff make no room among themselves.
#[tokio::test]
async fn s2_14_field_staff_are_kept_apart_here_too() {
    let server = HostApp::setup().start().await;
    let driver = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await;
    HostApp::person(&server, "u-other", &["QUEUE_REGULATOR"]).await;
    let direct = json!({"room_type": "direct", "member_ids": ["u-other"]});
    driver.rest.post("/api/chat/rooms", direct).await.problem(403, "field_to_field");
    let group = json!({"room_type": "group", "name": "g", "member_ids": ["u-other"]});
    driver.rest.post("/api/chat/rooms", group).await.problem(403, "field_to_field");
    let alone = json!({"room_type": "group", "name": "g"});
    let room = driver.rest.post("/api/chat/rooms", alone).await.expect(201);
    let add = url(room["id"].as_str().expect("an id"), "/members/u-other");
    driver.rest.post(&add, json!({})).await.problem(403, "field_to_field");
}

/// S3-8, S3-16..S3-18, S3-58, S3-59, C-22: admins decide about members and settings, others leave.
#[tokio::test]
async fn s3_8_s3_16_to_s3_18_s3_58_s3_59_admins_change_the_room_and_its_members() {
    let all = three().await;
    let room = all.group().await;
    let change = json!({"name": "New name", "description": null});
    all.bob.rest.patch(&url(&room, ""), change.clone()).await.problem(403, "forbidden");
    all.outsider.rest.patch(&url(&room, ""), change.clone()).await.problem(404, "not_found");
    assert_eq!(all.alice.rest.patch(&url(&room, ""), change).await.expect(200)["name"], "New name");
    for bad in [json!({}), json!({"name": " "}), json!({"avatar_url": "ftp://x"})] {
        all.alice.rest.patch(&url(&room, ""), bad).await.problem(422, "validation_failed");
    }
    HostApp::person(&all.server, "u-dave", &[]).await;
    let dave = url(&room, "/members/u-dave");
    all.bob.rest.post(&dave, json!({})).await.problem(403, "forbidden");
    let member = all.alice.rest.post(&dave, json!({"is_admin": true})).await.expect(201);
    assert_eq!((&member["user_id"], &member["is_admin"]), (&json!("u-dave"), &json!(true)));
    all.alice.rest.post(&dave, json!({})).await.expect(200);
    all.alice.rest.post(&url(&room, "/members/x9"), json!({})).await.problem(404, "unknown_users");

    let carol = url(&room, "/members/u-carol");
    all.bob.rest.remove(&carol).await.problem(403, "forbidden");
    assert_eq!(all.alice.rest.remove(&carol).await.expect(200)["success"], true);
    all.alice.rest.remove(&carol).await.problem(404, "not_found");
    all.carol.rest.get(&url(&room, ""), &[]).await.problem(404, "not_found");
    let back = all.alice.rest.post(&carol, json!({})).await.expect(201);
    assert_eq!(back["is_active"], true);

    // The last admins go: the longest-standing of the others becomes one.
    all.alice.rest.remove(&dave).await.expect(200);
    all.alice.rest.remove(&url(&room, "/members/u-alice")).await.expect(200);
    let left = all.bob.rest.get(&url(&room, ""), &[]).await.expect(200);
    let admin = left["members"].as_array().unwrap().iter().find(|m| m["is_admin"] == true).unwrap();
    assert_eq!(admin["user_id"], "u-bob", "{left}");

    let direct = json!({"room_type": "direct", "member_ids": ["u-bob"]});
    let direct = all.alice.rest.post("/api/chat/rooms", direct).await.expect(201);
    let direct = direct["id"].as_str().expect("an id");
    all.alice.rest.patch(&url(direct, ""), json!({"name": "x"})).await.problem(409, "direct_room");
    all.alice.rest.post(&url(direct, "/members/u-carol"), json!({})).await.problem(409, "direct_room");
    all.alice.rest.remove(&url(direct, "/members/u-alice")).await.problem(409, "direct_room");
}

/// S3-4, S3-11, S3-19, S3-21, S3-22, S3-60..S3-62, S3-67: sent, edited, removed, answered, forwarded; and by whom not.
#[tokio::test]
async fn s3_4_s3_11_s3_19_s3_21_s3_22_s3_60_to_s3_62_s3_67_s3_73_messages_and_what_becomes_of_them() {
    let all = three().await;
    let room = all.group().await;
    let first = say(&all.alice.rest, &room, "Hello, team!").await;
    for (key, value) in [
        ("room_id", json!(room)),
        ("sender_id", json!("u-alice")),
        ("message_type", json!("text")),
        ("content", json!("Hello, team!")),
        ("media_url", Value::Null),
        ("reply_to_id", Value::Null),
        ("is_edited", json!(false)),
        ("is_deleted", json!(false)),
        ("sender_username", json!("alice")),
        ("reactions", json!([])),
        ("client_id", Value::Null),
    ] {
        assert_eq!(first[key], value, "{key}: {first}");
    }
    let reply =
        json!({"room_id": room, "content": "Thanks!", "reply_to_id": first["id"], "metadata": {"a": [1]}});
    let reply = all.bob.rest.post("/api/chat/messages", reply).await.expect(201);
    assert_eq!((&reply["reply_to_id"], &reply["metadata"]), (&first["id"], &json!({"a": [1]})));
    assert!(reply["seq"].as_i64() > first["seq"].as_i64());
    // Rocket.Chat's clients see the same message, with what it answers as a quote.
    let seen =
        all.carol.rest.get("chat.getMessage", &[("msgId", reply["id"].as_str().expect("an id"))]).await.ok();
    assert_eq!(seen["message"]["attachments"][0]["text"], "Hello, team!");

    all.bob.rest.patch(&of(&first, ""), json!({"content": "x"})).await.problem(403, "forbidden");
    all.outsider.rest.patch(&of(&first, ""), json!({"content": "x"})).await.problem(404, "not_found");
    let edited = all.alice.rest.patch(&of(&first, ""), json!({"content": "Hi"})).await.expect(200);
    assert_eq!((&edited["content"], &edited["is_edited"]), (&json!("Hi"), &json!(true)));
    let again = all.alice.rest.patch(&of(&first, ""), json!({"content": "Hi"})).await.expect(200);
    assert_eq!(again["edited_at"], edited["edited_at"]);
    all.alice.rest.patch(&of(&first, ""), json!({"content": " "})).await.problem(422, "validation_failed");

    let direct = json!({"room_type": "direct", "member_ids": ["u-otto"]});
    let direct = all.bob.rest.post("/api/chat/rooms", direct).await.expect(201);
    let forward = json!({"room_id": direct["id"], "forwarded_from_id": first["id"]});
    let forwarded = all.bob.rest.post("/api/chat/messages", forward.clone()).await.expect(201);
    assert_eq!((&forwarded["content"], &forwarded["forwarded_from_id"]), (&json!("Hi"), &first["id"]));
    all.outsider.rest.post("/api/chat/messages", forward.clone()).await.problem(404, "not_found");

    all.carol.rest.remove(&of(&reply, "")).await.problem(403, "forbidden");
    let gone = all.alice.rest.remove(&of(&reply, "")).await.expect(200)["message"].take();
    assert_eq!(
        (&gone["is_deleted"], &gone["content"], &gone["seq"]),
        (&json!(true), &Value::Null, &reply["seq"])
    );
    assert_eq!(gone["created_at"], reply["created_at"]);
    all.alice.rest.remove(&of(&reply, "")).await.expect(200);
    all.bob.rest.patch(&of(&reply, ""), json!({"content": "x"})).await.problem(409, "message_deleted");
    let answer = json!({"room_id": room, "content": "x", "reply_to_id": reply["id"]});
    all.bob.rest.post("/api/chat/messages", answer).await.problem(409, "message_deleted");
    let elsewhere = json!({"room_id": direct["id"], "content": "x", "reply_to_id": first["id"]});
    all.bob.rest.post("/api/chat/messages", elsewhere).await.problem(404, "not_found");
    for bad in [
        json!({"room_id": room}),
        json!({"room_id": room, "content": 7}),
        json!({"room_id": room, "content": "\u{0} \u{1b}"}),
        json!({"room_id": room, "content": "x".repeat(5001)}),
        json!({"room_id": room, "content": "x", "message_type": "system"}),
        json!({"room_id": room, "message_type": "image", "content": "x"}),
        json!({"room_id": room, "content": "x", "client_id": "a b"}),
        json!({"room_id": room, "content": "x", "metadata": "m"}),
        json!({"content": "x"}),
    ] {
        all.bob.rest.post("/api/chat/messages", bad).await.problem(422, "validation_failed");
    }
    // Stored and returned exactly, but for control characters.
    let odd = say(&all.bob.rest, &room, " <b>&amp;\t\u{7}'; DROP TABLE users;-- é\n").await;
    assert_eq!(odd["content"], " <b>&amp;\t'; DROP TABLE users;-- é\n");
}

/// README 7: the same author's retry is the same message for ever; another room refuses it; another author may.
#[tokio::test]
async fn a_retry_is_the_same_message_and_nothing_is_told_twice() {
    let all = three().await;
    let room = all.group().await;
    let send = |room: &str, text: &str| json!({"room_id": room, "content": text, "client_id": "c-1"});
    let first = all.alice.rest.post("/api/chat/messages", send(&room, "once")).await.expect(201);
    assert_eq!(first["client_id"], "c-1");
    let again = all.alice.rest.post("/api/chat/messages", send(&room, "other text")).await.expect(200);
    assert_eq!(again, first);
    let direct = json!({"room_type": "direct", "member_ids": ["u-bob"]});
    let direct = all.alice.rest.post("/api/chat/rooms", direct).await.expect(201);
    let conflict = send(direct["id"].as_str().expect("an id"), "x");
    let refused =
        all.alice.rest.post("/api/chat/messages", conflict).await.problem(409, "client_id_conflict");
    assert!(!refused.to_string().contains(&room));
    let others = all.bob.rest.post("/api/chat/messages", send(&room, "mine")).await.expect(201);
    assert_ne!(others["id"], first["id"]);
    all.alice.rest.remove(&of(&first, "")).await.expect(200);
    let gone = all.alice.rest.post("/api/chat/messages", send(&room, "again")).await.expect(200);
    assert_eq!((&gone["id"], &gone["is_deleted"]), (&first["id"], &json!(true)));
    let listed = all.bob.rest.get(&url(&room, "/messages"), &[]).await.expect(200);
    assert_eq!(listed["pagination"]["total"], 2, "{listed}");
}

/// S3-14, S3-20, S3-65, C-17: pages by cursor and by number; tombstones keep their place, notices are none.
#[tokio::test]
async fn s3_14_s3_20_s3_65_messages_and_rooms_come_in_pages() {
    let all = three().await;
    let room = all.group().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(
            say(&all.alice.rest, &room, &format!("m{n}")).await["id"].as_str().expect("an id").to_owned(),
        );
    }
    all.alice.rest.remove(&format!("/api/chat/messages/{}", ids[3])).await.expect(200);
    let messages = url(&room, "/messages");
    let page = async |query: &[(&str, &str)]| all.bob.rest.get(&messages, query).await.expect(200);
    let shown = |page: &Value| -> Vec<String> {
        page["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| m["id"].as_str().expect("an id").to_owned())
            .collect()
    };
    let newest = page(&[("limit", "3")]).await;
    assert_eq!(shown(&newest), ids[4..7]);
    assert_eq!(
        (&newest["pagination"]["total"], &newest["pagination"]["has_more"]),
        (&json!(7), &json!(true))
    );
    let cursor = newest["pagination"]["next_cursor"].as_str().unwrap();
    let older = page(&[("limit", "3"), ("before", cursor)]).await;
    assert_eq!(shown(&older), ids[1..4]);
    assert_eq!(older["messages"][2]["is_deleted"], true);
    assert_eq!(shown(&page(&[("limit", "2"), ("after", &ids[3])]).await), ids[4..6]);
    let numbered = page(&[("page", "2"), ("page_size", "3")]).await;
    assert_eq!(shown(&numbered), ids[1..4]);
    assert_eq!(numbered["pagination"]["total_pages"], 3);
    for (query, code) in [
        (&[("limit", "0")][..], "validation_failed"),
        (&[("page", "1"), ("before", cursor)], "validation_failed"),
        (&[("before", "nonsense")], "bad_cursor"),
    ] {
        all.bob.rest.get(&messages, query).await.problem(422, code);
    }
    all.outsider.rest.get(&messages, &[("before", "nonsense")]).await.problem(404, "not_found");

    for name in ["one", "two"] {
        let body = json!({"room_type": "group", "name": name, "member_ids": ["u-bob"]});
        all.alice.rest.post("/api/chat/rooms", body).await.expect(201);
    }
    say(&all.alice.rest, &room, "newest").await;
    let names = |page: &Value| -> Vec<Value> {
        page["rooms"].as_array().unwrap().iter().map(|room| room["name"].clone()).collect()
    };
    let first = all.carol.rest.get("/api/chat/rooms", &[]).await.expect(200);
    assert_eq!(first["rooms"][0]["last_message"]["content"], "newest");
    let first = all.bob.rest.get("/api/chat/rooms", &[("limit", "2")]).await.expect(200);
    assert_eq!(names(&first), ["Project Team", "two"]);
    let next = first["pagination"]["next_cursor"].as_str().unwrap();
    let rest = all.bob.rest.get("/api/chat/rooms", &[("limit", "2"), ("before", next)]).await.expect(200);
    assert_eq!(names(&rest)[0], "one");
    let paged = all.bob.rest.get("/api/chat/rooms", &[("page", "2"), ("page_size", "2")]).await.expect(200);
    assert_eq!(names(&paged), names(&rest));
}

/// S3-5, S3-12, S3-23, C-21: one mark for each member, receipts from it, and it never goes back.
#[tokio::test]
async fn s3_5_s3_12_s3_23_reading_moves_one_mark_and_receipts_follow_from_it() {
    let all = three().await;
    let room = all.group().await;
    let (one, two) = (say(&all.alice.rest, &room, "1").await, say(&all.alice.rest, &room, "2").await);
    let read = url(&room, "/read");
    let unread = async |rest: &Rest| rest.get(&url(&room, ""), &[]).await.expect(200)["unread_count"].clone();
    assert_eq!(unread(&all.bob.rest).await, 2);
    let body = json!({"message_ids": [one["id"]]});
    let done = all.bob.rest.post(&read, body.clone()).await.expect(200);
    assert_eq!((&done["unread_count"], &done["message_ids"]), (&json!(1), &json!([one["id"]])));
    let receipts = async |message: &Value| {
        let all = all.alice.rest.get(&of(message, "/receipts"), &[]).await.expect(200);
        all["receipts"].as_array().unwrap().iter().map(|r| r["user_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(receipts(&one).await, ["u-bob"]);
    assert!(receipts(&two).await.is_empty());
    let everything = all.bob.rest.request(reqwest::Method::POST, &read);
    assert_eq!(parlor_testkit::rest::answer(everything).await.expect(200)["unread_count"], 0);
    all.bob.rest.post(&read, body).await.expect(200);
    assert_eq!(unread(&all.bob.rest).await, 0);
    assert_eq!(unread(&all.alice.rest).await, 0);
    all.bob.rest.post(&read, json!({"message_ids": ["nope"]})).await.problem(404, "not_found");
    all.bob.rest.post(&read, json!({"message_ids": "x"})).await.problem(422, "validation_failed");
    all.outsider.rest.post(&read, json!({})).await.problem(404, "not_found");
    all.outsider.rest.get(&of(&one, "/receipts"), &[]).await.problem(404, "not_found");
}

/// S2-65, S2-68, S3-74, S3-76, S3-79, S3-82, S3-83: reactions, search, presence, export, mute.
#[tokio::test]
async fn s2_65_s2_68_s3_74_s3_76_s3_79_s3_82_s3_83_what_the_contract_adds_obeys_the_same_rules() {
    let all = three().await;
    let room = all.group().await;
    let message = say(&all.alice.rest, &room, "The road is closed").await;
    let reacted =
        all.bob.rest.post(&of(&message, "/reactions"), json!({"emoji": ":tada:"})).await.expect(200);
    assert_eq!(reacted["reactions"], json!([{"emoji": ":tada:", "user_ids": ["u-bob"]}]));
    all.outsider
        .rest
        .post(&of(&message, "/reactions"), json!({"emoji": ":tada:"}))
        .await
        .problem(404, "not_found");
    let back = all.bob.rest.remove(&of(&message, "/reactions/:tada:")).await.expect(200);
    assert_eq!(back["reactions"], json!([]));

    let found = async |rest: &Rest, q: &str| {
        let page = rest.get("/api/chat/search", &[("q", q)]).await.expect(200);
        page["messages"].as_array().unwrap().len()
    };
    assert_eq!(found(&all.bob.rest, "ROA").await, 1);
    assert_eq!(found(&all.outsider.rest, "road").await, 0);
    all.bob.rest.get("/api/chat/search", &[("q", "")]).await.problem(422, "validation_failed");
    let other = all.outsider.rest.get("/api/chat/search", &[("q", "road"), ("room_id", &room)]).await;
    other.problem(404, "not_found");

    let presence = all.bob.rest.get(&url(&room, "/presence"), &[]).await.expect(200);
    assert_eq!((&presence["online_user_ids"], &presence["in_room_user_ids"]), (&json!([]), &json!([])));
    all.outsider.rest.get(&url(&room, "/presence"), &[]).await.problem(404, "not_found");

    all.bob.rest.get(&url(&room, "/export"), &[]).await.problem(403, "forbidden");
    let export = all.alice.rest.get(&url(&room, "/export"), &[("format", "json")]).await;
    assert_eq!(export.status, 200);
    let lines: Vec<Value> = export.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["id"], message["id"]);

    let mute = url(&room, "/members/u-bob/mute");
    all.carol.rest.post(&mute, json!({"muted": true})).await.problem(403, "forbidden");
    assert_eq!(all.alice.rest.post(&mute, json!({"muted": true})).await.expect(200)["is_muted"], true);
    let send = json!({"room_id": room, "content": "x"});
    all.bob.rest.post("/api/chat/messages", send.clone()).await.problem(403, "muted");
    all.alice.rest.post(&mute, json!({"muted": false})).await.expect(200);
    all.bob.rest.post("/api/chat/messages", send).await.expect(201);
    all.alice.rest.post(&mute, json!({"muted": "yes"})).await.problem(422, "validation_failed");
}

/// S3-69, S3-70, S2-59, S4-49: rooms of Rocket.Chat are the same rooms; a flood is held back on all doors together.
#[tokio::test]
async fn s2_59_s3_69_s3_70_s4_49_rocket_chats_rooms_are_the_same_and_sends_are_counted_together() {
    let server = HostApp::setup().env("PARLOR_SEND_BURST", "3").env("PARLOR_SEND_RATE", "1").start().await;
    let cast = Cast::assemble(&server).await;
    let group = cast.owner.group("plans", &[&cast.member]).await;
    let said = cast.owner.say(&group, "over there").await;
    let listed = cast.member.rest.get(&url(&group, "/messages"), &[]).await.expect(200);
    assert_eq!(listed["messages"][0]["id"], said["_id"]);
    cast.outsider.rest.get(&url(&group, "/messages"), &[]).await.problem(404, "not_found");
    let channel = cast.owner.channel("open", &[]).await;
    let room = cast.outsider.rest.get(&url(&channel, ""), &[]).await.expect(200);
    assert_eq!(room["kind"], "channel");
    cast.outsider.rest.patch(&url(&channel, ""), json!({"name": "x"})).await.problem(403, "forbidden");

    for n in 0..3 {
        say(&cast.member.rest, &group, &format!("{n}")).await;
    }
    let body = json!({"room_id": group, "content": "too fast"});
    let refused = cast.member.rest.post("/api/chat/messages", body).await;
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    refused.problem(429, "rate_limited");
    let body = json!({"message": {"rid": group, "msg": "too fast"}});
    let _ = cast.member.rest.post("chat.sendMessage", body).await.refused(429);
}

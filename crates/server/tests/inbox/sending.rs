//! Sending, and what it makes on the way.

use serde_json::json;

use crate::world::{World, room, texts, to_team};

/// S0-2, S0-28, S0-29, S0-30, S0-49, S0-52, S0-53, S0-55, S0-73, S0-34.
#[tokio::test]
async fn s0_2_s0_28_s0_29_s0_30_s0_34_s0_49_s0_52_a_first_message_makes_its_sender_and_its_team() {
    let world = World::start().await;
    let sent = world
        .send(json!({"from_name": "Alice", "name": "Alice Doe", "email": "alice@example.com",
            "message": "Curtain at 19:30", "team": "Crew", "client_id": "c-1",
            "metadata": {"migrated": true, "original_date": "2020", "sender": "a"}}))
        .await;
    let message = &sent["message"];
    assert_eq!(sent["success"], true);
    for (key, value) in [
        ("from_name", json!("Alice")),
        ("name", json!("Alice Doe")),
        ("message", json!("Curtain at 19:30")),
        ("team", json!("crew")),
        ("group", json!(null)),
        ("to", json!(null)),
        ("room_name", json!("crew")),
        ("room_type", json!("channel")),
        ("read", json!(true)),
        ("edited", json!(false)),
        ("edited_at", json!(null)),
        ("deleted", json!(false)),
        ("system", json!(false)),
        ("reply_to_id", json!(null)),
        ("attachments", json!([])),
        ("metadata", json!({"migrated": true, "original_date": "2020", "sender": "a"})),
        ("client_id", json!("c-1")),
    ] {
        assert_eq!(message[key], value, "{key}");
    }
    let stamp = message["timestamp"].as_str().expect("a time");
    assert!(stamp.len() == 24 && stamp.ends_with('Z') && &stamp[10..11] == "T", "{stamp}");
    assert!(message["seq"].is_i64());
    assert_eq!(sent["room"]["members_count"], 1);
    assert_eq!(sent["room"]["type"], "channel");
    let users = world.read("/api/users?q=alice").await;
    assert_eq!(users["users"][0]["username"], "Alice");
    assert_eq!(users["users"][0]["email"], "alice@example.com");
    assert_eq!(users["users"][0]["roles"], json!(["USER"]));
    // Nobody can log in as somebody who was made by name.
    let login = world.server.rest().post("login", json!({"user": "Alice", "password": ""})).await;
    assert_eq!(login.status, 401);
}

/// S0-55, S0-86: without a target it goes to `general`, which everybody is in.
#[tokio::test]
async fn s0_55_s0_86_a_message_without_a_target_goes_to_general() {
    let world = World::start().await;
    let sent = world.send(json!({"username": "alice", "message": "hello"})).await;
    assert_eq!(sent["message"]["team"], "general");
    world.send(to_team("bob", "crew", "elsewhere")).await;
    let bob = world.inbox("bob").await;
    assert_eq!(texts(&room(&bob, "team", "general")["messages"]), ["hello"]);
}

/// S0-41, S0-51, S0-57.
#[tokio::test]
async fn s0_41_s0_51_s0_57_a_direct_message_makes_whom_it_is_for_and_is_between_the_two() {
    let world = World::start().await;
    let sent = world.send(json!({"from_name": "alice", "to": "bob", "message": "psst"})).await;
    assert_eq!(sent["message"]["room_type"], "dm");
    assert_eq!(sent["message"]["to"], "bob");
    assert_eq!(sent["message"]["room_name"], "bob");
    assert_eq!(sent["room"]["with"], "bob");
    let answer =
        world.send(json!({"from_name": "BOB", "username": "bob", "to": "Alice", "message": "what?"})).await;
    assert_eq!(answer["room"]["id"], sent["room"]["id"], "one room for the two");
    assert_eq!(answer["message"]["to"], "alice");
    let bob = world.inbox("bob").await;
    let dm = room(&bob, "type", "dm");
    assert_eq!((&dm["with"], &dm["unread"]), (&json!("alice"), &json!(1)));
    assert_eq!(texts(&dm["messages"]), ["psst", "what?"]);
    assert_eq!(dm["messages"][0]["to"], "bob");
    let itself = json!({"from_name": "bob", "to": "Bob", "message": "x"});
    world.app.post("/api/chat/send", itself).await.problem(400, "validation_failed");
    let other = world.inbox("carol").await;
    assert_eq!(other["known"], false);
}

/// S0-41, S0-57: the direct room of two is the one that `dm.create` makes, nameless, and nobody else's: an administrator has
/// no more right in it than an outsider.
#[tokio::test]
async fn s0_41_s0_57_a_direct_room_is_that_of_dm_create_and_nobody_elses() {
    let world = World::start().await;
    let (ann, ben, eve) = (world.person("ann").await, world.person("ben").await, world.person("eve").await);
    world.send(json!({"from_name": "eve", "message": "here"})).await;
    let (mut eves, mut bens) = (world.stream("eve").await, world.stream("ben").await);
    let made = ann.rest.post("dm.create", json!({"username": "ben"})).await.ok()["room"].take();
    let said = json!({"to": "ben", "message": "between us"});
    let sent = ann.rest.post("/api/chat/send", said).await.expect(201);
    assert_eq!(sent["room"]["id"], made["_id"]);
    let again = ben.rest.post("im.create", json!({"username": "ann"})).await.ok()["room"].take();
    assert_eq!((&again["_id"], again.get("name")), (&made["_id"], None), "its name is the server's business");
    assert_eq!(bens.message().await.data["message"], "between us");
    let id = made["_id"].as_str().expect("an id");
    for (name, other) in [("eve", &eve), ("administrator", &world.administrator)] {
        let asked = format!("/api/chat/inbox/{name}?room_id={id}");
        other.rest.get(&asked, &[]).await.problem(404, "not_found");
        let body = json!({"room_id": id, "message": "let me in"});
        other.rest.post("/api/chat/send", body).await.problem(404, "not_found");
        let _ = other.rest.get("im.messages", &[("roomId", id)]).await.refused(403);
        assert!(!world.inbox(name).await.to_string().contains("between us"), "{name}");
    }
    world.send(json!({"from_name": "ann", "message": "to all"})).await;
    assert_eq!(eves.message().await.data["message"], "to all");
    let shown = world.inbox("ben").await;
    assert_eq!(texts(&room(&shown, "with", "ann")["messages"]), ["between us"], "and nothing came in");
}

/// S0-49: name and address of a sender are for the one who is made; they change nobody who is there.
#[tokio::test]
async fn s0_49_what_is_said_of_a_sender_counts_only_when_he_is_made() {
    let world = World::start().await;
    for (name, email) in [("Alice Doe", "alice@example.com"), ("Somebody", "else@example.com")] {
        world.send(json!({"from_name": "alice", "name": name, "email": email, "message": "hi"})).await;
    }
    let users = world.read("/api/users?q=alice").await["users"].take();
    assert_eq!(
        (users.as_array().map(Vec::len), &users[0]["name"], &users[0]["email"]),
        (Some(1), &json!("Alice Doe"), &json!("alice@example.com"))
    );
    // Names that the server keeps for itself make nobody.
    for name in ["admin", "all", "here"] {
        let body = json!({"from_name": name, "message": "hi"});
        world.app.post("/api/chat/send", body).await.problem(400, "validation_failed");
        assert_eq!(world.read(&format!("/api/chat/inbox/{name}")).await["known"], false);
    }
}

/// S0-30, S0-83, S0-87: a retry is the same message, another room a conflict.
#[tokio::test]
async fn s0_30_s0_83_s0_87_a_retry_with_the_same_client_id_is_the_same_message() {
    let world = World::start().await;
    let metadata =
        json!({"migrated": true, "original_date": "2020-01-01", "sender": "a", "more": [1, {"x": null}]});
    let body = json!({"from_name": "alice", "team": "crew", "message": "once", "client_id": "c:1", "metadata": metadata});
    let first = world.send(body.clone()).await;
    let again = world.app.post("/api/chat/send", body.clone()).await;
    assert_eq!((again.status, &again.body["message"]), (200, &first["message"]));
    assert_eq!(again.body["message"]["metadata"], metadata);
    let mut elsewhere = body.clone();
    elsewhere["team"] = json!("general");
    world.app.post("/api/chat/send", elsewhere).await.problem(409, "client_id_conflict");
    assert_eq!(
        room(&world.inbox("alice").await, "team", "general")["messages"],
        json!([]),
        "and nothing is sent"
    );
    let mut bob = body;
    bob["from_name"] = json!("bob");
    world.send(bob).await;
    assert_eq!(texts(&room(&world.inbox("alice").await, "team", "crew")["messages"]), ["once", "once"]);
}

/// S0-63: every wrong body is a 400 that names its field, and sends nothing.
#[tokio::test]
async fn s0_63_what_is_wrong_with_a_body_is_told_by_field() {
    let world = World::start().await;
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    for (body, field) in [
        (json!({"message": "x"}), "from_name"),
        (json!({"from_name": "a b", "message": "x"}), "from_name"),
        (json!({"from_name": "a", "username": "b", "message": "x"}), "username"),
        (json!({"from_name": "a"}), "message"),
        (json!({"from_name": "a", "message": ""}), "message"),
        (json!({"from_name": "a", "message": " \n"}), "message"),
        (json!({"from_name": "a", "message": {"$ne": 1}}), "message"),
        (json!({"from_name": ["a"], "message": "x"}), "from_name"),
        (json!({"from_name": "a", "message": "x".repeat(5001)}), "message"),
        (json!({"from_name": "a", "message": "x", "team": "a b"}), "team"),
        (json!({"from_name": "a", "message": "x", "team": "case-1"}), "team"),
        (json!({"from_name": "a", "message": "x", "team": "ticket-1"}), "team"),
        (json!({"from_name": "a", "message": "x", "team": "group_x"}), "team"),
        (json!({"from_name": "a", "message": "x", "team": "t", "to": "b"}), "team"),
        (json!({"from_name": "a", "message": "x", "to": "b/c"}), "to"),
        (json!({"from_name": "a", "message": "x", "client_id": "ä"}), "client_id"),
        (json!({"from_name": "a", "message": "x", "metadata": []}), "metadata"),
        (json!({"from_name": "a", "message": "x", "metadata": {"x": "y".repeat(5000)}}), "metadata"),
        (json!({"from_name": "a", "message": "x", "attachments": ["f"]}), "attachments"),
    ] {
        let answer = world.app.post("/api/chat/send", body.clone()).await;
        assert_eq!((answer.status, &answer.body["error"]), (400, &json!("validation_failed")), "{body}");
        assert_eq!(answer.body["detail"][0]["field"], field, "{}", answer.body);
        assert!(answer.body.get("success").is_none());
    }
    let answer = world.app.post("/api/chat/send", json!({"from_name": "a", "message": deep})).await;
    assert_eq!((answer.status, &answer.body["error"]), (400, &json!("bad_json")));
    let huge = json!({"from_name": "a", "message": "x".repeat(1_100_000)});
    assert_eq!(world.app.post("/api/chat/send", huge).await.status, 413);
    let plain = world.app.request("POST".parse().expect("POST"), "/api/chat/send").body("{}");
    assert_eq!(parlor_testkit::rest::answer(plain).await.status, 415);
    assert_eq!(world.app.get("/api/chat/send", &[]).await.status, 405);
    let longest = json!({"from_name": "a", "message": "é".repeat(5000)});
    assert_eq!(world.app.post("/api/chat/send", longest).await.status, 201);
    let all = world.read("/api/chat/inbox/a?flat=1").await["messages"].take();
    assert_eq!(all.as_array().map(Vec::len), Some(1), "and nothing of what was refused");
}

/// S0-3, S0-40: groups and other people's rooms take nothing from outsiders, and look like unknown ones.
#[tokio::test]
async fn s0_3_s0_40_who_is_no_member_finds_neither_group_nor_room() {
    let world = World::start().await;
    let group = world
        .post("/api/chat/groups", json!({"name": "Props", "created_by": "alice", "members": ["bob"]}))
        .await;
    let id = group["group"]["id"].as_str().expect("an id");
    for target in [json!({"group": "group_props"}), json!({"group": id}), json!({"room_id": id})] {
        let mut body = json!({"from_name": "carol", "message": "let me in"});
        body.as_object_mut().expect("an object").extend(target.as_object().expect("an object").clone());
        let refused = world.app.post("/api/chat/send", body.clone()).await;
        let key = target.as_object().and_then(|t| t.keys().next()).expect("a key").clone();
        body[&key] = json!("nothing-like-it");
        let unknown = world.app.post("/api/chat/send", body.clone()).await;
        assert_eq!((refused.status, &refused.bytes), (404, &unknown.bytes), "{key}");
        body["from_name"] = json!("bob");
        body[&key] = target[&key].clone();
        assert_eq!(world.app.post("/api/chat/send", body).await.status, 201);
    }
    // A team can't take a private room's name.
    let private = world.administrator.group("secret", &[]).await;
    let taken = world.app.post("/api/chat/send", to_team("carol", "secret", "x")).await;
    assert_eq!((taken.status, &taken.body["error"]), (409, &json!("name_taken")));
    assert!(!String::from_utf8_lossy(&taken.bytes).contains(&private));
}

/// S0-8, S0-26, S0-89: the same rooms and ids as Rocket.Chat's own API shows.
#[tokio::test]
async fn s0_8_s0_26_s0_89_what_is_sent_here_is_seen_by_rocket_chat_clients_with_the_same_id() {
    let world = World::start().await;
    let sent = world.send(to_team("alice", "crew", "seen by all")).await;
    let id = sent["message"]["id"].as_str().expect("an id");
    let found = world.administrator.rest.get("chat.getMessage", &[("msgId", id)]).await.ok();
    assert_eq!(found["message"]["msg"], "seen by all");
    assert_eq!(found["message"]["rid"], sent["room"]["id"]);
    let room = sent["room"]["id"].as_str().expect("an id");
    _ = world.administrator.rest.post("channels.join", json!({"roomId": room})).await.ok();
    let back = world.administrator.say(room, "and back").await;
    let messages = world.inbox("alice").await;
    let last = &room_messages(&messages, "crew")[1];
    assert_eq!((&last["id"], &last["message"]), (&back["_id"], &json!("and back")));
}

fn room_messages(inbox: &serde_json::Value, team: &str) -> Vec<serde_json::Value> {
    room(inbox, "team", team)["messages"].as_array().expect("messages").clone()
}

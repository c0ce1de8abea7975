//! The inbox, its pages, and what is unread.

use serde_json::{Value, json};

use crate::world::{World, room, texts, to_team};

/// S0-4, S0-5, S0-32, S0-33, S0-76, S0-67.
#[tokio::test]
async fn s0_4_s0_5_s0_32_s0_33_s0_67_s0_76_the_inbox_shows_rooms_by_activity_with_their_newest_messages() {
    let world = World::start().await;
    for n in 0..60 {
        world.send(to_team("alice", "crew", &format!("{n}"))).await;
    }
    world.send(to_team("bob", "cast", "latest")).await;
    world.send(to_team("alice", "cast", "me too")).await;
    let inbox = world.inbox("alice").await;
    assert_eq!((&inbox["username"], &inbox["known"]), (&json!("alice"), &json!(true)));
    let order: Vec<&str> =
        inbox["rooms"].as_array().expect("rooms").iter().filter_map(|r| r["name"].as_str()).collect();
    assert_eq!(order[..2], ["cast", "crew"]);
    assert!(order.contains(&"general"), "rooms without messages too");
    let crew = room(&inbox, "team", "crew");
    let messages = texts(&crew["messages"]);
    assert_eq!((messages.len(), messages[0], messages[49]), (50, "10", "59"));
    assert_eq!(crew["pagination"]["has_more"], true);
    assert_eq!(crew["pagination"]["total"], 60);
    // The cursor, and the id of the oldest message, both lead to what is older.
    let id = crew["id"].as_str().expect("an id");
    let oldest = crew["messages"][0]["id"].as_str().expect("an id");
    for before in [crew["pagination"]["next_cursor"].as_str().expect("a cursor"), oldest] {
        let page = world.read(&format!("/api/chat/inbox/alice?room_id={id}&before={before}")).await;
        let found = texts(&page["rooms"][0]["messages"]).len();
        assert_eq!((found, texts(&page["rooms"][0]["messages"])[9]), (10, "9"));
        assert_eq!(page["rooms"][0]["pagination"]["next_cursor"], Value::Null);
    }
    let page = world.read(&format!("/api/chat/inbox/alice?room_id={id}&after={oldest}&limit=2")).await;
    assert_eq!(texts(&page["rooms"][0]["messages"]), ["11", "12"]);
    let more = world.read("/api/chat/inbox/alice?limit=1000").await;
    assert_eq!(texts(&room(&more, "team", "crew")["messages"]).len(), 50, "more is treated as 50");
}

/// S0-5, S0-77: rooms are paged, and all messages can come in one list.
#[tokio::test]
async fn s0_5_s0_77_rooms_are_paged_and_messages_can_be_flat() {
    let world = World::start().await;
    for team in ["one", "two", "three"] {
        world.send(to_team("alice", team, team)).await;
    }
    let names = |page: &Value| -> Vec<String> {
        page["rooms"]
            .as_array()
            .expect("rooms")
            .iter()
            .map(|r| r["name"].as_str().unwrap_or("?").to_owned())
            .collect()
    };
    let first = world.read("/api/chat/inbox/alice?rooms_limit=2").await;
    assert_eq!(names(&first), ["three", "two"]);
    assert_eq!((&first["pagination"]["limit"], &first["pagination"]["has_more"]), (&json!(2), &json!(true)));
    let cursor = first["pagination"]["next_cursor"].as_str().expect("a cursor");
    let second = world.read(&format!("/api/chat/inbox/alice?rooms_limit=2&before={cursor}")).await;
    assert_eq!(names(&second), ["one", "general"]);
    assert_eq!(second["pagination"]["has_more"], false);
    let flat = world.read("/api/chat/inbox/alice?flat=1").await;
    assert_eq!(texts(&flat["messages"]), ["one", "two", "three"]);
    assert!(flat["rooms"].as_array().expect("rooms").iter().all(|room| room.get("messages").is_none()));
    for bad in ["before=x", "limit=0", "limit=x", "rooms_limit=0", "before=a&after=b"] {
        let answer = world.app.get(&format!("/api/chat/inbox/alice?{bad}"), &[]).await;
        assert_eq!(answer.status, 400, "{bad}");
    }
    for unknown in ["nothing", "a%2Fb"] {
        let answer = world.app.get(&format!("/api/chat/inbox/alice?room_id={unknown}"), &[]).await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not_found")));
    }
}

/// S0-4, S0-43, S0-44, S0-45.
#[tokio::test]
async fn s0_4_s0_43_s0_44_s0_45_unread_numbers_fall_when_messages_are_read_and_never_rise_by_reading() {
    let world = World::start().await;
    world.send(to_team("alice", "crew", "hi")).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let sent = world.send(to_team("bob", "crew", &format!("{n}"))).await;
        ids.push(sent["message"]["id"].as_str().expect("an id").to_owned());
    }
    world.send(json!({"from_name": "bob", "to": "alice", "message": "dm"})).await;
    let crew = room(&world.inbox("alice").await, "team", "crew")["id"].as_str().expect("an id").to_owned();
    let count = world.read("/api/chat/unread-count/alice").await;
    assert_eq!((&count["unread_count"], &count["rooms"][&crew]), (&json!(5), &json!(4)));
    assert_eq!(world.inbox("alice").await["unread_total"], 5, "reading the inbox reads no message");
    let read = world
        .post("/api/chat/mark-read", json!({"username": "alice", "room_id": crew, "message_id": ids[1]}))
        .await;
    assert_eq!((&read["unread_count"], &read["unread_total"]), (&json!(2), &json!(3)));
    let inbox = world.inbox("alice").await;
    let flags: Vec<bool> = room(&inbox, "team", "crew")["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|m| m["read"] == true)
        .collect();
    assert_eq!(flags, [true, true, true, false, false]);
    let again = world.post("/api/chat/mark-read", json!({"username": "alice", "id": ids[0]})).await;
    assert_eq!((&again["room_id"], &again["unread_count"]), (&json!(crew), &json!(2)), "never back");
    let whole = world
        .post("/api/chat/mark-read", json!({"username": "alice", "message_ids": [ids[2], ids[3]]}))
        .await;
    assert_eq!((&whole["unread_count"], &whole["unread_total"]), (&json!(0), &json!(1)));
    let all = world.post("/api/chat/mark-all-read", json!({"username": "alice"})).await;
    assert_eq!(all["unread_count"], 0);
    let count = world.read("/api/chat/unread-count/alice").await;
    assert_eq!((&count["unread_count"], &count["rooms"]), (&json!(0), &json!({})));
    // The room alone: up to its newest.
    world.send(to_team("bob", "crew", "more")).await;
    let read = world.post("/api/chat/mark-read", json!({"username": "alice", "room_id": crew})).await;
    assert_eq!(read["unread_count"], 0);
}

/// S0-43, S0-63: what can't be marked.
#[tokio::test]
async fn s0_43_s0_63_marking_what_one_can_not_see_is_marking_nothing() {
    let world = World::start().await;
    let dm = world.send(json!({"from_name": "alice", "to": "bob", "message": "private"})).await;
    world.send(to_team("carol", "crew", "hello")).await;
    let (room, id) = (&dm["room"]["id"], &dm["message"]["id"]);
    for body in [
        json!({"username": "carol", "room_id": room}),
        json!({"username": "carol", "message_id": id}),
        json!({"username": "carol", "room_id": room, "message_ids": [id]}),
        json!({"username": "carol", "message_id": "nothing"}),
        json!({"username": "nobody", "room_id": room}),
    ] {
        let answer = world.app.post("/api/chat/mark-read", body.clone()).await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not_found")), "{body}");
        assert!(!String::from_utf8_lossy(&answer.bytes).contains("private"));
    }
    for body in [
        json!({"username": "carol"}),
        json!({"username": "carol", "message_ids": "x"}),
        json!({"room_id": room}),
    ] {
        assert_eq!(world.app.post("/api/chat/mark-read", body.clone()).await.status, 400, "{body}");
    }
}

/// S0-48.
#[tokio::test]
async fn s0_48_users_are_listed_by_name_in_pages() {
    let world = World::start().await;
    for name in ["dora", "Cora", "alma", "bert"] {
        world.send(json!({"from_name": name, "name": format!("{name} x"), "message": "hi"})).await;
    }
    let names = |page: &Value| -> Vec<String> {
        page["users"]
            .as_array()
            .expect("users")
            .iter()
            .map(|u| u["username"].as_str().unwrap_or("?").to_owned())
            .collect()
    };
    let all = world.read("/api/users").await;
    assert_eq!(names(&all), ["administrator", "alma", "bert", "Cora", "dora"]);
    let first = world.read("/api/users?limit=2").await;
    let next = first["pagination"]["next_cursor"].as_str().expect("a cursor");
    let second = world.read(&format!("/api/users?limit=2&after={next}")).await;
    assert_eq!((names(&first).len(), names(&second)), (2, vec!["bert".to_owned(), "Cora".to_owned()]));
    assert_eq!(names(&world.read("/api/users?q=CO").await), ["Cora"]);
    assert!(names(&world.read("/api/users?q=%25").await).is_empty());
    let person = world.person("eve").await;
    let own = person.rest.get("/api/users", &[]).await;
    assert_eq!(own.status, 200);
    assert!(own.body["users"].as_array().expect("users").iter().all(|user| user.get("email").is_none()));
    assert_eq!(world.app.get("/api/users?after=x", &[]).await.status, 400);
}

/// S0-83, S0-1, S0-85: what was acknowledged is there after a kill.
#[tokio::test]
async fn s0_1_s0_83_s0_85_what_was_acknowledged_outlives_a_kill() {
    let mut world = World::start().await;
    let sent = world.send(to_team("alice", "crew", "kept")).await;
    world.server.restart().await;
    world.app = world.server.rest().header("x-app-key", crate::world::KEY);
    let inbox = world.inbox("alice").await;
    assert_eq!(room(&inbox, "team", "crew")["messages"][0]["id"], sent["message"]["id"]);
}

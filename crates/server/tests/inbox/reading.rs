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
    let on = page["rooms"][0]["pagination"]["next_cursor"].as_str().expect("a cursor").to_owned();
    let page = world.read(&format!("/api/chat/inbox/alice?room_id={id}&after={on}&limit=2")).await;
    assert_eq!(texts(&page["rooms"][0]["messages"]), ["13", "14"], "on in the same direction");
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
    let newer = world.read(&format!("/api/chat/inbox/alice?rooms_limit=2&after={cursor}")).await;
    assert_eq!(names(&newer), ["three"]);
    for (bad, code) in [
        ("before=x", "bad_cursor"),
        ("after=x", "bad_cursor"),
        ("limit=0", "validation_failed"),
        ("limit=-1", "validation_failed"),
        ("limit=x", "validation_failed"),
        ("rooms_limit=0", "validation_failed"),
        ("before=a&after=b", "validation_failed"),
    ] {
        world.app.get(&format!("/api/chat/inbox/alice?{bad}"), &[]).await.problem(400, code);
    }
    // The id of a message is a cursor in its own room only.
    let room = |n: usize| first["rooms"][n]["id"].as_str().expect("an id").to_owned();
    let foreign = first["rooms"][1]["messages"][0]["id"].as_str().expect("an id");
    for id in [foreign, "019a9f3c-5a10-7c3e-8b1a-2f6f0c9d1e01"] {
        let path = format!("/api/chat/inbox/alice?room_id={}&before={id}", room(0));
        world.app.get(&path, &[]).await.problem(400, "bad_cursor");
    }
    for unknown in ["nothing", "a%2Fb"] {
        let answer = world.app.get(&format!("/api/chat/inbox/alice?room_id={unknown}"), &[]).await;
        assert_eq!((answer.status, &answer.body["error"]), (404, &json!("not_found")));
    }
}

/// Statements that the store has run so far.
async fn statements(world: &World) -> u64 {
    let text = world.server.rest().get("/metrics", &[]).await.text();
    let count = text.lines().find_map(|line| line.strip_prefix("parlor_store_statements_total "));
    count.and_then(|count| count.parse::<f64>().ok()).expect("a number") as u64
}

/// What a small page of an inbox takes. Other work goes on beside it: the least of several looks is its own.
async fn cost_of_a_page(world: &World) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..8 {
        let before = statements(world).await;
        let page = world.read("/api/chat/inbox/alice?rooms_limit=2").await;
        assert_eq!(page["rooms"].as_array().map(Vec::len), Some(2));
        least = least.min(statements(world).await - before);
    }
    least
}

/// S0-77: a page costs what is on it, however many rooms with news lie outside.
#[tokio::test]
async fn s0_77_a_page_costs_the_same_however_many_rooms_lie_outside_it() {
    let world = World::start().await;
    let news = async |teams: std::ops::Range<u32>| {
        for n in teams {
            let team = format!("t{n}");
            world.post("/api/chat/teams", json!({"team": team, "members": ["alice"]})).await;
            world.send(to_team("bob", &team, "news")).await;
        }
        cost_of_a_page(&world).await
    };
    let (few, many) = (news(0..4).await, news(4..40).await);
    assert_eq!(few, many, "statements for a page of two rooms, of 5 and of 41");
    assert_eq!(world.inbox("alice").await["unread_total"], 40);
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
    world.send(json!({"from_name": "alice", "to": "bob", "message": "and back"})).await;
    let mut stream = world.stream("alice").await;
    let all = world.post("/api/chat/mark-all-read", json!({"username": "alice"})).await;
    assert_eq!(all["unread_count"], 0);
    let told = stream.named("read").await.data;
    assert_eq!(
        (&told["unread"], &told["unread_total"]),
        (&json!(0), &json!(0)),
        "the last one, and it is told"
    );
    assert_eq!(
        world.read("/api/chat/unread-count/bob").await["unread_count"],
        1,
        "bob's are his own business"
    );
    let nobody = world.read("/api/chat/unread-count/nobody").await;
    let empty =
        json!({"success": true, "username": "nobody", "known": false, "unread_count": 0, "rooms": {}});
    assert_eq!(nobody, empty);
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
    // One's own room, and a message of another one, also of another room that one is in.
    let said = world.send(to_team("alice", "crew", "to the crew")).await;
    let crew = &said["room"]["id"];
    for (who, ids) in
        [("carol", json!([said["message"]["id"], id])), ("alice", json!([id])), ("bob", json!([id]))]
    {
        let body = json!({"username": who, "room_id": crew, "message_ids": ids});
        world.app.post("/api/chat/mark-read", body).await.problem(404, "not_found");
    }
    for body in [
        json!({"username": "carol"}),
        json!({"username": "carol", "message_ids": []}),
        json!({"username": "carol", "message_ids": "x"}),
        json!({"username": "carol", "message_ids": [5]}),
        json!({"username": "carol", "room_id": {"$ne": 1}}),
        json!({"username": "c d", "room_id": room}),
        json!({"room_id": room}),
    ] {
        world.app.post("/api/chat/mark-read", body).await.problem(400, "validation_failed");
    }
    for (who, unread) in [("alice", 0), ("bob", 1), ("carol", 1)] {
        let count = world.read(&format!("/api/chat/unread-count/{who}")).await;
        assert_eq!(count["unread_count"], unread, "{who}: nothing was marked");
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

/// S0-39: a team's channel that one never joined does not stand in the inbox; whoever asks for it by its id reads it, has
/// nothing unread there, and is no member for it.
#[tokio::test]
async fn s0_39_a_team_that_one_is_not_in_is_read_by_its_id_alone() {
    let world = World::start().await;
    let sent = world.send(to_team("bob", "crew", "open to all")).await;
    world.send(json!({"from_name": "alice", "message": "here"})).await;
    let id = sent["room"]["id"].as_str().expect("an id");
    for _ in 0..2 {
        let inbox = world.inbox("alice").await;
        assert!(!inbox.to_string().contains("open to all"), "{inbox}");
        let asked = world.read(&format!("/api/chat/inbox/alice?room_id={id}")).await;
        let room = &asked["rooms"][0];
        assert_eq!((&room["unread"], &room["members_count"]), (&json!(0), &json!(1)));
        assert_eq!(texts(&room["messages"]), ["open to all"]);
    }
    assert_eq!(world.read("/api/chat/unread-count/alice").await["rooms"].get(id), None);
}

/// S0-4: whoever has read a message is named to its author with the time, and whoever has not is not.
#[tokio::test]
async fn s0_4_the_author_is_told_who_has_read_and_when() {
    let world = World::start().await;
    let (ann, ben, eve) = (world.person("ann").await, world.person("ben").await, world.person("eve").await);
    let group = json!({"name": "Props", "members": ["ben"]});
    let group = ann.rest.post("/api/chat/groups", group).await.expect(201)["group"].take();
    let body = json!({"group": group["name"], "message": "read me"});
    let said = ann.rest.post("/api/chat/send", body).await.expect(201)["message"].take();
    let receipts = format!("/api/chat/messages/{}/receipts", said["id"].as_str().expect("an id"));
    let told = ann.rest.get(&receipts, &[]).await.expect(200);
    assert_eq!(told["receipts"], json!([]), "nobody yet");
    eve.rest.get(&receipts, &[]).await.problem(404, "not_found");
    let mark = json!({"room_id": group["id"], "message_id": said["id"]});
    eve.rest.post("/api/chat/mark-read", mark.clone()).await.problem(404, "not_found");
    ben.rest.post("/api/chat/mark-read", mark).await.expect(200);
    let told = ann.rest.get(&receipts, &[]).await.expect(200)["receipts"].take();
    assert_eq!((told.as_array().map(Vec::len), &told[0]["user_id"]), (Some(1), &json!(ben.id)));
    let at = told[0]["read_at"].as_str().expect("a time");
    assert!(at >= said["timestamp"].as_str().expect("a time") && at.ends_with('Z'), "{at}");
}

/// S0-1, S0-83, S0-85: what was acknowledged is there after a kill, wherever it went: messages once and in their order, with
/// what belongs to them, and what was read of them.
#[tokio::test]
async fn s0_1_s0_83_s0_85_what_was_acknowledged_outlives_a_kill() {
    let mut world = World::start().await;
    let made = json!({"name": "Props", "created_by": "alice", "members": ["bob"]});
    let group = world.post("/api/chat/groups", made).await["group"]["id"].clone();
    let mut told = Vec::new();
    for to in
        [json!({"team": "crew"}), json!({"to": "bob"}), json!({"group": group}), json!({"team": "support"})]
    {
        for n in 0..3 {
            let mut body = json!({"from_name": "alice", "message": format!("{n}"), "client_id": format!("c-{}", told.len()),
                "metadata": {"n": n}});
            body.as_object_mut().expect("an object").extend(to.as_object().expect("an object").clone());
            told.push(world.send(body).await["message"].take());
        }
    }
    world.post("/api/chat/mark-read", json!({"username": "bob", "message_id": told[4]["id"]})).await;
    world.server.restart().await;
    world.app = world.server.rest().header("x-app-key", crate::world::KEY);
    let inbox = world.inbox("alice").await;
    for said in told.chunks(3) {
        let kept = room(&inbox, "id", said[0]["room_id"].as_str().expect("an id"))["messages"].clone();
        assert_eq!(kept, json!(said), "each once, in order, with all that belongs to it");
    }
    let unread = world.read("/api/chat/unread-count/bob").await;
    let of = |at: usize| &unread["rooms"][told[at]["room_id"].as_str().expect("an id")];
    assert_eq!((of(3), of(6)), (&json!(1), &json!(3)));
}

//! What goes beyond the guide, by user name: reactions, pins, threads, search, voice.

use serde_json::{Value, json};

use crate::world::{World, texts, to_team};

/// Reacted to in somebody's name, told to streams, shown in the inbox, taken back; others are refused.
#[tokio::test]
async fn reactions_and_pins_are_made_by_name_and_told() {
    let world = World::start().await;
    let (ann, eve) = (world.person("ann").await, world.person("eve").await);
    let group = ann.rest.post("/api/chat/groups", json!({"name": "Props", "members": []})).await;
    let room = group.body["group"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/chat/groups/{room}/members");
    world.post(&path, json!({"members": ["bob"]})).await;
    let sent = world.send(json!({"from_name": "bob", "room_id": room, "message": "lamp"})).await;
    let id = sent["message"]["id"].clone();
    let mut stream = world.stream("ann").await;
    let react = json!({"username": "bob", "message_id": id, "emoji": ":tada:"});
    let told = world.post("/api/chat/react", react.clone()).await;
    let tada = json!([{"emoji": ":tada:", "usernames": ["bob"]}]);
    assert_eq!((&told["username"], &told["message"]["reactions"]), (&json!("bob"), &tada));
    let event = stream.named("message_updated").await;
    assert_eq!((&event.data["id"], &event.data["reactions"]), (&id, &tada));
    world.post("/api/chat/react", react).await;
    let back = json!({"username": "bob", "message_id": id, "emoji": "tada", "remove": true});
    assert_eq!(world.post("/api/chat/react", back).await["message"]["reactions"], json!([]));
    assert_eq!(
        stream.named("message_updated").await.data["reactions"],
        json!([]),
        "said again it is not told"
    );

    let by_admin = ann.rest.post("/api/chat/pin", json!({"message_id": id})).await;
    assert_eq!((by_admin.status, &by_admin.body["message"]["pinned_by"]), (200, &json!("ann")));
    assert_eq!(stream.named("message_updated").await.data["pinned"], true);
    let list = format!("/api/chat/pinned/bob?room_id={room}");
    assert_eq!(texts(&world.read(&list).await["messages"]), ["lamp"]);
    let by_member = world.app.post("/api/chat/pin", json!({"username": "bob", "message_id": id})).await;
    assert_eq!((by_member.status, &by_member.body["error"]), (403, &json!("forbidden")));
    for (path, body) in [
        ("/api/chat/react", json!({"message_id": id, "emoji": ":x:"})),
        ("/api/chat/pin", json!({"message_id": id, "pinned": false})),
        ("/api/chat/react", json!({"message_id": "nothing", "emoji": ":x:"})),
    ] {
        let refused = eve.rest.post(path, body).await;
        assert_eq!((refused.status, &refused.body["error"]), (404, &json!("not_found")), "{path}");
    }
    assert_eq!(eve.rest.get(&format!("/api/chat/pinned/eve?room_id={room}"), &[]).await.status, 404);
    assert_eq!(eve.rest.get(&list, &[]).await.status, 403);
    for body in [
        json!({"username": "bob", "emoji": ":x:"}),
        json!({"username": "bob", "message_id": id}),
        json!({"username": "bob", "message_id": id, "emoji": 5}),
        json!({"username": "bob", "message_id": id, "emoji": ":x:", "remove": "yes"}),
        json!({"message_id": id, "emoji": ":x:"}),
    ] {
        assert_eq!(world.app.post("/api/chat/react", body.clone()).await.status, 400, "{body}");
    }
}

/// S2-68's search and threads, here: found by whoever may read it, in pages; not by others.
#[tokio::test]
async fn threads_and_searches_show_what_one_may_read() {
    let world = World::start().await;
    let root = world.send(to_team("alice", "crew", "who has the lantern?")).await;
    let (room, id) = (root["room"]["id"].clone(), root["message"]["id"].clone());
    for n in 0..3 {
        let reply = json!({"from_name": "alice", "room_id": room, "message": format!("lantern {n}"), "thread_id": id});
        assert_eq!(world.send(reply).await["message"]["thread_id"], id);
    }
    world.send(json!({"from_name": "carol", "to": "dave", "message": "a lantern of our own"})).await;
    let thread = format!("/api/chat/thread/alice?message_id={}&limit=2", id.as_str().expect("an id"));
    let first = world.read(&thread).await;
    assert_eq!(texts(&first["messages"]), ["lantern 0", "lantern 1"]);
    let next = first["pagination"]["next_cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(texts(&world.read(&format!("{thread}&before={next}")).await["messages"]), ["lantern 2"]);
    let found = async |name: &str| -> Value { world.read(&format!("/api/chat/search/{name}?q=lant")).await };
    assert_eq!(found("alice").await["messages"].as_array().map(Vec::len), Some(4));
    assert_eq!(texts(&found("dave").await["messages"]), ["a lantern of our own"]);
    let nobody = found("nobody").await;
    assert_eq!((&nobody["known"], &nobody["messages"]), (&json!(false), &json!([])));
    let page = world.read("/api/chat/search/alice?q=lantern&limit=1").await;
    assert_eq!(texts(&page["messages"]), ["lantern 2"]);
    let cursor = page["pagination"]["next_cursor"].as_str().expect("a cursor");
    let older = world.read(&format!("/api/chat/search/alice?q=lantern&limit=1&before={cursor}")).await;
    assert_eq!(texts(&older["messages"]), ["lantern 1"]);
    for (query, status) in
        [("q=", 400), ("", 400), ("q=x&room_id=nothing", 404), ("q=x&before=y", 400), ("q=x&limit=0", 400)]
    {
        let answer = world.app.get(&format!("/api/chat/search/alice?{query}"), &[]).await;
        assert_eq!(answer.status, status, "{query}: {}", answer.body);
    }
    let outside = format!("/api/chat/thread/alice?message_id={}", "nothing");
    assert_eq!(world.app.get(&outside, &[]).await.status, 404);
    assert_eq!(world.app.get("/api/chat/thread/alice", &[]).await.status, 400);
}

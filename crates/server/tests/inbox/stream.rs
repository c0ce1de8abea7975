//! The stream.

use parlor_testkit::{HostApp, Server, host_app::JWT_SECRET, wait};
use serde_json::{Value, json};

use crate::{
    sse::Stream,
    world::{KEY, World, to_team},
};

/// S0-36, S0-38, S0-78: the head of the answer and the first event.
#[tokio::test]
async fn s0_36_s0_38_s0_78_a_stream_begins_with_ready_and_the_right_head() {
    let world = World::start().await;
    world.send(to_team("bob", "crew", "x")).await;
    world.send(to_team("alice", "crew", "y")).await;
    let mut stream = world.stream_from("alice", None).await;
    assert_eq!(stream.status, 200);
    for line in
        ["content-type: text/event-stream", "cache-control: no-cache, no-transform", "x-accel-buffering: no"]
    {
        assert!(stream.head.contains(line), "{line} in {}", stream.head);
    }
    assert!(!stream.head.contains("content-encoding"));
    let ready = stream.event().await;
    assert_eq!((&*ready.name, stream.retry), ("ready", Some(3000)));
    assert_eq!(ready.data, json!({"username": "alice", "known": true, "unread_total": 0}));
    let id = ready.id.expect("an id");
    assert!(!id.is_empty() && id.len() <= 64);
}

/// S0-31, S0-73, S0-30: a message is one unnamed event, the whole object, for members only and for the sender too.
#[tokio::test]
async fn s0_30_s0_31_s0_73_a_message_is_an_unnamed_event_with_the_whole_object() {
    let world = World::start().await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice", "bob"]})).await;
    world.send(json!({"from_name": "carol", "message": "here"})).await;
    let (mut alice, mut bob, mut carol) =
        (world.stream("alice").await, world.stream("bob").await, world.stream("carol").await);
    let mut second = world.stream("bob").await;
    let sent = world.send(to_team("alice", "crew", "hi\nthere")).await;
    for stream in [&mut alice, &mut bob, &mut second] {
        let event = stream.message().await;
        assert_eq!(event.data["type"], "message");
        let mut wanted = sent["message"].clone();
        wanted["type"] = json!("message");
        wanted["read"] = event.data["read"].clone();
        assert_eq!(event.data, wanted);
        assert!(event.id.is_some());
    }
    world.send(json!({"from_name": "bob", "message": "to all"})).await;
    assert_eq!(carol.message().await.data["message"], "to all", "the team's talk is not for carol");
}

/// S0-31, S0-68: edits, removals and reactions made elsewhere.
#[tokio::test]
async fn s0_31_s0_68_edits_and_removals_on_other_surfaces_are_events() {
    let world = World::start().await;
    let bob = world.person("bob").await;
    let room = bob.channel("crew", &[]).await;
    let mut stream = world.stream("bob").await;
    let id = bob.say(&room, "first").await["_id"].clone();
    let made = stream.message().await;
    assert_eq!((&made.data["id"], &made.data["message"]), (&id, &json!("first")));
    _ = bob.rest.post("chat.update", json!({"roomId": room, "msgId": id, "text": "second"})).await.ok();
    let edited = stream.named("message_edited").await;
    assert_eq!(
        (&edited.data["type"], &edited.data["message"], &edited.data["edited"]),
        (&json!("message_edited"), &json!("second"), &json!(true))
    );
    assert_eq!(
        (&edited.data["seq"], &edited.data["timestamp"]),
        (&made.data["seq"], &made.data["timestamp"])
    );
    _ = bob.rest.post("chat.delete", json!({"roomId": room, "msgId": id})).await.ok();
    let gone = stream.named("message_deleted").await;
    assert_eq!(
        (&gone.data["id"], &gone.data["message"], &gone.data["deleted"]),
        (&id, &json!(""), &json!(true))
    );
    assert_eq!((&gone.data["seq"], &gone.data["timestamp"]), (&made.data["seq"], &made.data["timestamp"]));
    let inbox = world.read(&format!("/api/chat/inbox/bob?room_id={room}")).await;
    assert_eq!(inbox["rooms"][0]["messages"][0]["deleted"], true, "its place stays");
}

/// S0-31, S0-43: own marks, rooms that come, change and go.
#[tokio::test]
async fn s0_31_s0_43_rooms_and_own_marks_are_events() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.person("ben").await);
    world.send(json!({"from_name": "ben", "message": "here"})).await;
    let mut stream = world.stream("ben").await;
    let made = ann.rest.post("/api/chat/groups", json!({"name": "Props", "members": ["ben"]})).await;
    let id = made.body["group"]["id"].as_str().expect("an id").to_owned();
    let added = stream.event().await;
    assert_eq!(
        (&*added.name, &added.data["action"], &added.data["room"]["id"]),
        ("room", &json!("added"), &json!(id))
    );
    world.person("eve").await;
    let path = format!("/api/chat/groups/{id}/members");
    ann.rest.post(&path, json!({"members": ["eve"]})).await.expect(200);
    let grown = loop {
        let told = stream.named("room").await.data;
        // Of its making more may be told.
        if told["room"]["members_count"] != 2 {
            break told;
        }
    };
    assert_eq!((&grown["action"], &grown["room"]["members_count"]), (&json!("updated"), &json!(3)));
    ann.say(&id, "read me").await;
    stream.message().await;
    ben.rest.post("/api/chat/mark-read", json!({"room_id": id})).await;
    let read = stream.event().await;
    assert_eq!(read.name, "read");
    assert_eq!(
        read.data,
        json!({"type": "read", "username": "ben", "room_id": id, "unread": 0, "unread_total": 0})
    );
    _ = ann.rest.post("groups.setTopic", json!({"roomId": id, "topic": "lamps"})).await.ok();
    let updated = stream.event().await;
    assert_eq!((&*updated.name, &updated.data["action"]), ("room", &json!("updated")));
    _ = ann.rest.post("groups.kick", json!({"roomId": id, "userId": ben.id})).await.ok();
    let removed = stream.named("room").await;
    assert_eq!((&removed.data["action"], &removed.data["room"]["id"]), (&json!("removed"), &json!(id)));
    // Nothing more of it comes.
    ann.say(&id, "he is gone").await;
    world.send(json!({"from_name": "ann", "message": "to all"})).await;
    assert_eq!(stream.message().await.data["message"], "to all");
}

/// S0-36, C-26: tokens, in the header and in the query; whose stream.
#[tokio::test]
async fn s0_36_a_stream_is_for_its_own_user_the_application_and_administrators() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.person("ben").await);
    let token = ann.rest.token().expect("a token").to_owned();
    let mut own = Stream::open(&world.server, &format!("/api/chat/stream?access_token={token}"), &[]).await;
    assert_eq!(own.event().await.data["username"], "ann");
    let status = async |path: String, headers: Vec<(&str, &str)>| {
        Stream::open(&world.server, &path, &headers).await.status
    };
    let stream = "/api/chat/stream".to_owned();
    let bearer = format!("Bearer {token}");
    assert_eq!(status(format!("{stream}?user=ben"), vec![("authorization", &bearer)]).await, 403);
    assert_eq!(status(format!("{stream}?user=nobody"), vec![("authorization", &bearer)]).await, 403);
    assert_eq!(status(format!("{stream}?user=ANN"), vec![("authorization", &bearer)]).await, 200);
    assert_eq!(status(stream.clone(), vec![]).await, 401);
    assert_eq!(status(stream.clone(), vec![("authorization", "Bearer wrong")]).await, 401);
    assert_eq!(status(format!("{stream}?token={token}"), vec![]).await, 401, "not that name");
    assert_eq!(status(stream.clone(), vec![("x-app-key", KEY)]).await, 400);
    assert_eq!(status(format!("{stream}?user=a%20b"), vec![("x-app-key", KEY)]).await, 400);
    assert_eq!(
        status(stream.clone(), vec![("authorization", &bearer), ("accept", "application/json")]).await,
        406
    );
    assert_eq!(status(stream.clone(), vec![("authorization", &bearer), ("accept", "*/*")]).await, 200);
    assert_eq!(
        status(stream.clone(), vec![("authorization", &bearer), ("origin", "https://evil.example")]).await,
        403
    );
    assert_eq!(
        status(stream.clone(), vec![("origin", "https://evil.example")]).await,
        403,
        "before any token"
    );
    let admin = format!("Bearer {}", world.administrator.rest.token().expect("a token"));
    assert_eq!(status(format!("{stream}?user=ben"), vec![("authorization", &admin)]).await, 200);
    assert_eq!(status(format!("{stream}?user=nobody"), vec![("authorization", &admin)]).await, 404);
    drop(ben);
}

/// S0-36, R-3: somebody who is not there yet.
#[tokio::test]
async fn s0_36_the_stream_of_an_unknown_name_makes_nobody_and_begins_when_he_comes() {
    let world = World::start().await;
    let mut stream = world.stream_from("later", None).await;
    assert_eq!(stream.event().await.data, json!({"username": "later", "known": false, "unread_total": 0}));
    assert_eq!(world.read("/api/users?q=later").await["users"], json!([]));
    world.send(json!({"from_name": "alice", "to": "later", "message": "welcome"})).await;
    assert_eq!(stream.message().await.data["message"], "welcome");
}

/// S0-36, S0-49, S0-65, S0-68: a stream of somebody who was made by name loses nothing when his first token takes the account
/// over: it goes on, or ends and is taken up where it was.
#[tokio::test]
async fn s0_36_s0_49_s0_65_s0_68_a_stream_of_somebody_made_by_name_loses_nothing_when_his_token_comes() {
    let world = World::on(Server::setup().env("PARLOR_JWT_SECRET", JWT_SECRET)).await;
    world.send(to_team("zoe", "crew", "made by name")).await;
    let mut stream = world.stream("zoe").await;
    world.send(to_team("bob", "crew", "before")).await;
    let last = stream.message().await.id.expect("an id");
    let token = HostApp::token("u-zoe", 600, json!({"preferred_username": "zoe"}));
    let bearer = format!("Bearer {token}");
    let zoe = world.server.rest().header("authorization", &bearer);
    assert_eq!(zoe.get("/api/auth/me", &[]).await.expect(200)["user"]["username"], "zoe");
    let mut own = Stream::open(&world.server, "/api/chat/stream", &[("authorization", &bearer)]).await;
    assert_eq!(own.event().await.data["unread_total"], 1);
    world.send(to_team("bob", "crew", "after")).await;
    assert_eq!(own.message().await.data["message"], "after");
    let heard = loop {
        match wait::within("an event", stream.next()).await {
            Some(event) if event.name == "message" => break event,
            Some(_) => {}
            None => stream = world.stream_from("zoe", Some(&last)).await,
        }
    };
    assert_eq!(heard.data["message"], "after");
}

/// C-26: a session that ends takes its streams with it, with a reason.
#[tokio::test]
async fn s0_36_a_stream_ends_with_its_session_and_its_account() {
    let world = World::start().await;
    let ann = world.person("ann").await;
    let bearer = format!("Bearer {}", ann.rest.token().expect("a token"));
    let mut stream = Stream::open(&world.server, "/api/chat/stream", &[("authorization", &bearer)]).await;
    stream.event().await;
    _ = ann.rest.post("logout", json!({})).await.ok();
    let error = stream.named("error").await;
    assert_eq!(
        (&error.data["type"], &error.data["error"], error.id),
        (&json!("error"), &json!("invalid_token"), None)
    );
    assert!(stream.ends().await);
    let ben = world.person("ben").await;
    let mut by_app = world.stream("ben").await;
    _ = world
        .administrator
        .rest
        .post("users.setActiveStatus", json!({"userId": ben.id, "activeStatus": false}))
        .await
        .ok();
    assert_eq!(by_app.named("error").await.data["error"], "user_inactive");
    assert!(by_app.ends().await);
}

/// C-26: an administrator listens as somebody else for as long as he is one.
#[tokio::test]
async fn s0_36_whoever_listens_as_another_hears_no_more_without_the_right_to() {
    let world = World::start().await;
    world.send(json!({"from_name": "ben", "message": "hello"})).await;
    let chief = "/api/users/u-chief";
    let account = json!({"username": "chief", "password": "password123", "roles": ["ADMIN"]});
    world.app.put(chief, account.clone()).await.expect(201);
    let log_in = json!({"username": "chief", "password": "password123"});
    for (change, code) in [(json!({"roles": ["USER"]}), "forbidden"), (json!(null), "user_inactive")] {
        let token = world.server.rest().post("/api/auth/login", log_in.clone()).await.expect(200);
        let bearer = format!("Bearer {}", token["access_token"].as_str().expect("a token"));
        let headers = [("authorization", bearer.as_str())];
        let mut stream = Stream::open(&world.server, "/api/chat/stream?user=ben", &headers).await;
        assert_eq!(stream.event().await.data["username"], "ben");
        match change {
            Value::Null => world.app.remove("/api/users/u-chief?mode=deactivate").await.expect(200),
            change => world.app.put(chief, change).await.expect(200),
        };
        assert_eq!(stream.named("error").await.data["error"], code);
        assert!(stream.ends().await, "{code}");
        // For the next round.
        world.app.put(chief, json!({"roles": ["ADMIN"]})).await.expect(200);
    }
}

/// S0-36: a quiet stream says something now and then, so that no proxy takes it for dead; every 15 seconds unless the
/// operator says otherwise.
#[tokio::test]
async fn s0_36_a_quiet_stream_is_kept_alive() {
    let world = World::on(Server::setup().env("PARLOR_STREAM_PING", "1")).await;
    let mut stream = world.stream("administrator").await;
    stream.comment().await;
    stream.comment().await;
    world.send(json!({"from_name": "alice", "message": "hello"})).await;
    assert_eq!(stream.message().await.data["message"], "hello", "comments are no events");
}

/// S0-48, S2-60: whoever has a stream open is there, as long as it is open.
#[tokio::test]
async fn s0_48_s2_60_whoever_listens_is_shown_as_online() {
    let world = World::start().await;
    world.send(json!({"from_name": "alice", "message": "hello"})).await;
    let online = async || world.read("/api/users?q=alice").await["users"][0]["online"].clone();
    assert_eq!(online().await, false);
    let stream = world.stream("alice").await;
    let becomes = async |wanted: bool| {
        wait::until("presence", || async { (online().await == wanted).then_some(()) }).await;
    };
    becomes(true).await;
    drop(stream);
    becomes(false).await;
}

/// S0-78: who reads too slowly is cut off and told why, and nobody waits for him.
#[tokio::test]
async fn s0_78_a_slow_reader_is_cut_off_and_the_others_go_on() {
    let world = World::start().await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["slow", "quick"]})).await;
    let path = "/api/chat/stream?user=slow";
    let mut slow = Stream::open_narrow(&world.server, path, &[("x-app-key", KEY)]).await;
    assert_eq!(slow.event().await.name, "ready");
    let mut quick = world.stream("quick").await;
    // Four bytes each: a few hundred messages are more than there is room for on the way.
    let (text, total) = ("\u{1f69a}".repeat(5_000), 352);
    let sending: Vec<_> = (0..8)
        .map(|_| {
            let (app, body) = (world.app.clone(), to_team("alice", "crew", &text));
            tokio::spawn(async move {
                for _ in 0..total / 8 {
                    assert_eq!(app.post("/api/chat/send", body.clone()).await.status, 201);
                }
            })
        })
        .collect();
    for _ in 0..total {
        quick.message().await;
    }
    for sender in sending {
        sender.await.expect("all are sent");
    }
    // It gets what was on the way, then the word for it, then the end; and from its last event on nothing is missing.
    let (mut heard, mut why) = (0, None);
    while let Some(event) = wait::within("the end", slow.next()).await {
        assert!(why.is_none(), "it is the last word");
        heard += u64::from(event.name == "message");
        why = (event.name == "error").then(|| event.data["error"].clone());
    }
    assert_eq!((why, slow.ended_in_order()), (Some(json!("too_slow")), true));
    assert!(heard < total, "cut off before the end: {heard}");
    let last = slow.last_id.clone().expect("an id");
    let mut again = world.stream_from("slow", Some(&last)).await;
    while heard < total {
        again.message().await;
        heard += 1;
    }
}

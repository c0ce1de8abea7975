//! Coming, going, and frames that are none.

use parlor_testkit::{Ddp, HostApp, host_app::APP_KEY, wait};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, client::IntoClientRequest};

use crate::world::{Socket, World};

/// S2-1, S2-43, S2-55: a good token opens the socket, whose first frame says who one is.
#[tokio::test]
async fn s2_1_s2_43_s2_55_a_good_token_is_greeted_with_who_one_is() {
    let world = World::assemble().await;
    for (who, class, role) in [
        (&world.driver, "field", "BUS_DRIVER"),
        (&world.control, "control", "CONTROL_STAFF"),
        (&world.outsider, "none", "USER"),
    ] {
        let socket = world.socket(who).await;
        let hello = &socket.hello;
        assert_eq!((hello["user_id"].as_str(), hello["class"].as_str()), (Some(&*who.id), Some(class)));
        let name = format!("{}{} Person", who.id[2..3].to_uppercase(), &who.id[3..]);
        assert_eq!((&hello["roles"], &hello["user_name"]), (&json!([role]), &json!(name)));
        assert_eq!(hello["message"], "Connected");
        assert!(hello["timestamp"].as_str().is_some_and(|time| time.ends_with('Z')), "{hello}");
    }
}

/// S2-71, S2-55: no, bad and expired tokens are told in one frame, then 4401, and an account that is off by 4403; no request
/// is served.
#[tokio::test]
async fn s2_55_s2_71_a_bad_token_is_told_and_closed_without_serving_anything() {
    let world = World::assemble().await;
    let expired = HostApp::token("u-driver", -10, json!({}));
    HostApp::rest(&world.server).remove("/api/users/u-regulator?mode=deactivate").await.expect(200);
    for (query, code, wanted) in [
        (String::new(), "unauthorized", 4401),
        ("?token=nonsense".to_owned(), "invalid_token", 4401),
        (format!("?token={expired}"), "token_expired", 4401),
        (format!("?token={}", world.regulator.token), "user_inactive", 4403),
    ] {
        let mut socket = Socket::open(&world.server, &query).await;
        let open = json!({"type": "create_support_conversation", "data": {"title": "t", "content": "c"}});
        socket.send(open).await;
        let (close, frames) = socket.end().await;
        assert_eq!(close, wanted, "{query}");
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!((frames[0]["type"].as_str(), frames[0]["error"].as_str()), (Some("error"), Some(code)));
        assert!(frames[0]["message"].is_string() && frames[0]["timestamp"].is_string(), "{frames:?}");
    }
    let mut control = world.socket(&world.control).await;
    let waiting = control.done("join_support_room", json!({"room_type": "general_support"})).await;
    assert_eq!(waiting["conversations"], json!([]));
}

/// S2-43: plain HTTP gets 426, a foreign page 403 before its token is looked at.
#[tokio::test]
async fn s2_43_only_upgrades_of_ones_own_pages_are_taken() {
    let world = World::assemble().await;
    world.driver.rest.get("/api/websocket/connect", &[]).await.problem(426, "upgrade_required");
    let foreign = world.server.rest().header("origin", "https://elsewhere.example");
    foreign.get("/api/websocket/connect", &[]).await.problem(403, "origin_not_allowed");

    let upgrade = async |name: &'static str, value: &str, query: &str| {
        let url = format!("ws://{}/api/websocket/connect{query}", world.server.address());
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        Ddp::open_at(request).await
    };
    let good = format!("?token={}", world.driver.token);
    for query in [good.as_str(), "?token=nonsense", ""] {
        match upgrade("origin", "https://elsewhere.example", query).await.err() {
            Some(Error::Http(told)) => assert_eq!(told.status(), 403, "{query}"),
            other => panic!("{query}: {other:?}"),
        }
    }
    for (name, value, query) in [
        ("origin", world.server.url(), good.as_str()),
        ("authorization", format!("Bearer {}", world.driver.token), ""),
    ] {
        let taken = upgrade(name, &value, query).await.expect("the server takes the socket");
        assert_eq!(Socket::over(taken).event("connected").await["user_id"], "u-driver", "{name}");
    }
    // The application is nobody who could talk here.
    let taken = upgrade("x-app-key", APP_KEY, "").await.expect("the server takes the socket");
    let (close, frames) = Socket::over(taken).end().await;
    assert_eq!((close, frames.len()), (4401, 1), "{frames:?}");
    assert_eq!((&frames[0]["type"], &frames[0]["error"]), (&json!("error"), &json!("user_required")));
}

/// S2-60: the end of the token ends the connection within 5 s; a deactivated user is cut within 1 s.
#[tokio::test]
async fn s2_60_a_connection_does_not_outlive_its_token_or_its_account() {
    let world = World::assemble().await;
    let short = HostApp::token("u-driver", 2, json!({}));
    let mut socket = Socket::open(&world.server, &format!("?token={short}")).await;
    let _ = socket.event("connected").await;
    let (close, frames) = socket.end().await;
    assert_eq!(close, 4401);
    assert_eq!(frames.last().map(|frame| frame["error"].clone()), Some(json!("token_expired")));

    let mut socket = world.socket(&world.regulator).await;
    let app = HostApp::rest(&world.server);
    app.remove("/api/users/u-regulator?mode=deactivate").await.expect(200);
    let (close, frames) = socket.end().await;
    assert_eq!(close, 4403);
    assert_eq!(frames.last().map(|frame| frame["error"].clone()), Some(json!("user_inactive")));
}

/// S2-29, S2-39, S2-58: what is no request is answered and the connection stays.
#[tokio::test]
async fn s2_29_s2_39_s2_58_broken_frames_are_told_and_survived() {
    let world = World::assemble().await;
    let mut socket = world.socket(&world.driver).await;
    for (frame, code) in [
        ("{", "bad_json"),
        ("[1]", "validation_failed"),
        ("{\"data\":{}}", "validation_failed"),
        ("{\"type\":7}", "validation_failed"),
        ("{\"type\":\"no_such_thing\"}", "unknown_type"),
    ] {
        socket.wire().send_text(frame).await;
        assert_eq!(socket.event("error").await["error"], code, "{frame}");
    }
    socket.wire().send_bytes(b"\x00\x01").await;
    assert_eq!(socket.event("error").await["error"], "validation_failed");
    let pong = socket.ask("ping", json!({})).await;
    assert_eq!(pong["type"], "pong");
    // A request whose data is none is refused by its own name.
    for data in [json!([]), json!("x"), json!(7), json!(true)] {
        let refused = socket.refused("send_chat_message", data.clone(), "validation_failed").await;
        assert_eq!(refused["detail"], json!([{"field": "data", "problem": "must be an object"}]), "{data}");
    }
    let unknown = socket.ask("no_such_thing", json!([])).await;
    assert_eq!((&unknown["type"], &unknown["error"]), (&json!("error"), &json!("unknown_type")));
}

/// S2-29, S2-39: each request has one answer, in the order of the requests, whatever each of them takes; its id comes back
/// as it was given, and an id that is none does not.
#[tokio::test]
async fn s2_29_s2_39_answers_come_in_the_order_of_the_requests() {
    let world = World::assemble().await;
    let id = world.case("many at once").await;
    let mut socket = world.socket(&world.driver).await;
    let at = json!({"conversation_id": id});
    let say = json!({"conversation_id": id, "content": "one of many"});
    let round = [
        ("send_chat_message", say, "send_chat_message_success"),
        ("ping", json!({}), "pong"),
        ("get_conversation_messages", at.clone(), "get_conversation_messages_success"),
        ("no_such_thing", json!({}), "error"),
        ("mark_message_read", at.clone(), "mark_message_read_success"),
        ("join_support_room", json!({"room_type": "general_support"}), "join_support_room_error"),
        ("get_active_conversations", json!({}), "get_active_conversations_success"),
        ("typing_indicator", at.clone(), "typing_indicator_error"),
        ("send_chat_message", at, "send_chat_message_error"),
        ("leave_conversation", json!({"conversation_id": "another"}), "leave_conversation_success"),
    ];
    let asked: Vec<_> = round.iter().cycle().take(40).enumerate().collect();
    for (n, (kind, data, _)) in &asked {
        socket.send(json!({"type": kind, "data": data, "request_id": n})).await;
    }
    for (n, (_, _, wanted)) in asked {
        let answer = socket.wait("an answer", |frame| frame.get("request_id").is_some()).await;
        assert_eq!((&answer["request_id"], &answer["type"]), (&json!(n), &json!(wanted)), "{answer}");
    }
    for odd in [json!(1.5), json!({}), json!(true), json!("x".repeat(65)), Value::Null] {
        socket.send(json!({"type": "get_active_conversations", "request_id": odd})).await;
        let answer = socket.event("get_active_conversations_success").await;
        assert!(answer.get("request_id").is_none(), "{answer}");
    }
}

/// S2-30: a flat ping is answered by a pong with the time as given.
#[tokio::test]
async fn s2_30_a_flat_ping_is_answered() {
    let world = World::assemble().await;
    let mut socket = world.socket(&world.driver).await;
    socket.send(json!({"type": "ping", "timestamp": 1234})).await;
    let pong = socket.event("pong").await;
    assert_eq!(pong["timestamp"], 1234);
    assert!(pong["server_time"].is_string() && pong.get("request_id").is_none(), "{pong}");
}

/// S2-60: over 256 KiB closes with 1009; a hundred bad frames with 1008.
#[tokio::test]
async fn s2_60_what_is_too_large_or_too_much_ends_the_connection() {
    let world = World::assemble().await;
    let mut socket = world.socket(&world.driver).await;
    let large = "x".repeat(300 * 1024);
    socket.send(json!({"type": "ping", "timestamp": large})).await;
    assert_eq!(socket.end().await.0, 1009);

    let mut socket = world.socket(&world.driver).await;
    for _ in 0..100 {
        socket.wire().send_text("nonsense").await;
    }
    assert_eq!(socket.end().await.0, 1008);
}

/// S2-60: the end of the server is told as such.
#[tokio::test]
async fn s2_60_a_restart_is_told() {
    let mut world = World::assemble().await;
    let mut socket = world.socket(&world.driver).await;
    let (ended, end) = tokio::join!(world.server.stop(), wait::within("the close", socket.end()));
    assert!(ended.success());
    assert_eq!(end.0, 1001);
}

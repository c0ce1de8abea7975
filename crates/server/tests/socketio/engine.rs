//! Engine.IO on raw requests and sockets.

use parlor_testkit::Server;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{Poller, Sio, Upgrading, group, setup, token};

#[tokio::test]
async fn s3_55_s3_64_s4_12_requests_that_fit_no_session_get_the_errors_of_engine_io() {
    let server = Server::start().await;
    let rest = server.rest();
    for (path, code, message) in [
        ("/socket.io/?EIO=4", 0, "Transport unknown"),
        ("/socket.io/?EIO=4&transport=carrier-pigeon", 0, "Transport unknown"),
        ("/socket.io/?EIO=4&transport=polling&sid=nobody", 1, "Session ID unknown"),
        ("/socket.io/?EIO=4&transport=websocket&sid=nobody", 1, "Session ID unknown"),
        ("/socket.io/?EIO=4&transport=websocket", 3, "Bad request"),
        ("/socket.io/?EIO=3&transport=polling", 5, "Unsupported protocol version"),
        ("/socket.io/?transport=polling", 5, "Unsupported protocol version"),
        ("/socket.io?EIO=3&transport=polling", 5, "Unsupported protocol version"),
    ] {
        let answer = rest.get(path, &[]).await;
        assert_eq!(
            (answer.status, &answer.body),
            (400, &json!({"code": code, "message": message})),
            "{path}"
        );
    }
    let posted = rest.post("/socket.io/?EIO=4&transport=polling", json!({})).await;
    assert_eq!((posted.status, &posted.body["code"]), (400, &json!(2)));
}

#[tokio::test]
async fn s3_53_s3_64_s4_11_s4_55_a_foreign_page_is_refused_before_any_token_and_its_own_is_not() {
    let server = Server::start().await;
    let path = "/socket.io/?EIO=4&transport=polling";
    let foreign = server.rest().header("origin", "https://evil.example").get(path, &[]).await;
    assert_eq!((foreign.status, &foreign.body["error"]), (403, &json!("origin_not_allowed")));
    let own = server.rest().header("origin", &server.url()).get(path, &[]).await;
    assert_eq!(own.status, 200);
}

/// S0-80, S3-55: at `/socket.io`, on the one port.
#[tokio::test]
async fn s3_55_s4_13_the_handshake_says_what_the_contract_says() {
    let server = Server::start().await;
    let opened = server.rest().get("/socket.io/?EIO=4&transport=polling", &[]).await;
    let open: Value =
        serde_json::from_str(opened.text().strip_prefix('0').expect("an open packet")).expect("JSON");
    assert_eq!(open["upgrades"], json!(["websocket"]));
    assert_eq!((&open["pingInterval"], &open["pingTimeout"]), (&json!(25000), &json!(20000)));
    assert_eq!(open["maxPayload"], 1_000_000);
    assert!(open["sid"].as_str().is_some_and(|sid| sid.len() >= 20));
}

/// No session is taken up again by its place in it: a client that asks so gets a new one, and catches up by `after`.
#[tokio::test]
async fn s3_27_a_client_that_asks_for_its_state_of_before_gets_a_session_without_one() {
    let server = setup().start().await;
    let auth = json!({"token": token("u-alice", &[], 600), "pid": "of-before", "offset": "of-before"});
    let mut sids = Vec::new();
    for _ in 0..2 {
        let mut socket = Sio::open(&server, "").await;
        socket.raw(&format!("40{auth}")).await;
        let connected = socket.text().await.expect("an answer");
        let connected: Value =
            serde_json::from_str(connected.strip_prefix("40").expect("let in")).expect("JSON");
        parlor_testkit::rest::has_keys(&connected, &["sid"], &[]);
        sids.push(connected["sid"].clone());
    }
    assert_ne!(sids[0], sids[1]);
}

#[tokio::test]
async fn many_packets_go_in_one_payload_both_ways_and_keep_their_order() {
    let server = setup().env("PARLOR_SEND_RATE", "0").start().await;
    let room = {
        let _seen = Sio::of(&server, "u-alice", &[]).await;
        group(&server, &token("u-alice", &[], 600), "plans", &[]).await
    };
    let poller = Poller::enter(&server, "u-alice").await;
    let mut packets = vec![format!("420{}", json!(["join_room", {"room_id": room}]))];
    packets.extend((1..=100).map(|n| {
        format!("42{n}{}", json!(["send_message", {"room_id": room, "content": format!("line {n}")}]))
    }));
    assert_eq!(poller.post(packets.join("\u{1e}")).await.text(), "ok");
    let mut heard = Vec::new();
    while heard.iter().filter(|p: &&String| p.starts_with("42[\"new_message\"")).count() < 100
        || !heard.iter().any(|p| p.starts_with("43100["))
    {
        heard.extend(poller.until("4").await);
    }
    let acks: Vec<&String> = heard.iter().filter(|p| p.starts_with("43")).collect();
    let wanted: Vec<String> = (0..=100).map(|n| format!("43{n}[")).collect();
    assert_eq!(acks.len(), 101);
    assert!(acks.iter().zip(&wanted).all(|(ack, wanted)| ack.starts_with(wanted)), "acks in order");
    let lines = heard.iter().filter(|p| p.starts_with("42[\"new_message\""));
    for (n, line) in (1..).zip(lines) {
        assert!(line.contains(&format!("\"content\":\"line {n}\"")), "{n}: {line}");
    }
}

#[tokio::test]
async fn a_session_that_moves_to_a_websocket_stays_the_same() {
    let server = setup().start().await;
    let poller = Poller::enter(&server, "u-alice").await;
    let room = group(&server, &token("u-alice", &[], 600), "moving", &[]).await;
    poller.until("42[\"room_created\"").await;
    poller.post(format!("421{}", json!(["join_room", {"room_id": room}]))).await;
    poller.until("431[").await;
    let waiting = tokio::spawn({
        let (rest, path) = (server.rest(), format!("/socket.io/?EIO=4&transport=polling&sid={}", poller.sid));
        async move { rest.get(&path, &[]).await }
    });
    let mut socket = Upgrading::open(&server, &poller.sid).await;
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    // The poll that waited is let go.
    assert_eq!(waiting.await.expect("it ends").text(), "6");
    socket.say("5").await;
    socket.say(&format!("422{}", json!(["send_message", {"room_id": room, "content": "here I am"}]))).await;
    let (first, second) = (socket.hear().await, socket.hear().await);
    let both = format!("{first}{second}");
    assert!(both.contains("432[{") && both.contains("42[\"new_message\""), "{both}");
    let gone = poller.get().await;
    assert_eq!((gone.status, &gone.body["code"]), (400, &json!(1)));
}

#[tokio::test]
async fn a_probe_that_comes_to_nothing_leaves_the_polls_as_they_were() {
    let server = setup().start().await;
    let poller = Poller::enter(&server, "u-alice").await;
    let mut socket = Upgrading::open(&server, &poller.sid).await;
    socket.say("2probe").await;
    assert_eq!(socket.hear().await, "3probe");
    drop(socket);
    poller.post(format!("427{}", json!(["leave_room", {"room_id": "x"}]))).await;
    poller.until("437[").await;
}

#[tokio::test]
async fn what_breaks_the_protocol_ends_the_session_and_nothing_else() {
    let server = setup().start().await;
    let mut other = Sio::of(&server, "u-other", &[]).await;
    for bad in
        ["", "9", "b!", "2\u{1e}", "4x", "42", "42{}", "42[]", "42[1]", "451-[\"x\",{}]", "40{", "4212"]
    {
        let poller = Poller::enter(&server, "u-alice").await;
        poller.post(bad).await;
        let mut over = poller.get().await;
        if over.status == 200 {
            over = poller.get().await;
        }
        assert_eq!(over.status, 400, "{bad:?}: {}", over.text());
    }
    for bad in ["x", "7", "42", "4{", "4/a,", "44", "42[\"x\",", "450-[\"x\"", "459999-[\"x\"]"] {
        let mut socket = Sio::of(&server, "u-alice", &[]).await;
        socket.raw(bad).await;
        assert!(!socket.ended().await, "{bad:?}");
    }
    let mut socket = Sio::of(&server, "u-alice", &[]).await;
    socket.binary(b"out of the blue").await;
    assert!(!socket.ended().await);
    assert!(other.rest().await.is_empty());
}

#[tokio::test]
async fn a_payload_over_the_limit_ends_the_session() {
    let server = setup().start().await;
    let poller = Poller::enter(&server, "u-alice").await;
    let large = format!("42{}", json!(["send_message", {"room_id": "x", "content": "x".repeat(1_000_001)}]));
    assert_eq!(poller.post(large.clone()).await.status, 413);
    assert_eq!(poller.get().await.status, 400);
    let mut socket = Sio::of(&server, "u-alice", &[]).await;
    socket.raw(&large).await;
    assert!(!socket.ended().await);
}

#[tokio::test]
async fn two_polls_at_once_end_the_session() {
    let server = setup().start().await;
    let poller = Poller::enter(&server, "u-alice").await;
    // What still waits to be fetched answers a poll before the next one comes.
    for tries in 1.. {
        let (one, two) = tokio::join!(poller.get(), poller.get());
        if one.status == 400 || two.status == 400 {
            break;
        }
        assert!(tries < 10, "two polls were answered again and again");
    }
    assert_eq!(poller.get().await.status, 400);
}

#[tokio::test]
async fn s3_2_binary_attachments_are_read_and_refused_only_where_a_field_means_something_else() {
    let server = setup().start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "bytes", &[]).await;
    let placeholder = json!({"_placeholder": true, "num": 0});
    let extra = json!(["send_message", {"room_id": room, "content": "with bytes", "blob": placeholder}]);
    alice.raw(&format!("451-7{extra}")).await;
    alice.binary(&[1, 2, 3]).await;
    loop {
        if let super::client::Heard::Ack(7, ack) = alice.next().await {
            assert_eq!(ack["message"]["content"], "with bytes");
            break;
        }
    }
    let wrong = json!(["send_message", {"room_id": room, "content": placeholder}]);
    alice.raw(&format!("451-8{wrong}")).await;
    alice.binary(&[1, 2, 3]).await;
    assert_eq!(alice.event("error").await["code"], "validation_failed");
    let poller = Poller::enter(&server, "u-alice").await;
    poller.post(format!("451-9{extra}\u{1e}bAQID")).await;
    poller.until("439[{").await;
    // Nothing may come between an event and its bytes.
    alice.raw(&format!("451-9{extra}")).await;
    alice.raw("42[\"x\",{}]").await;
    assert!(!alice.ended().await);
}

#[tokio::test]
async fn s4_32_a_flood_of_bad_events_ends_the_conversation() {
    let server = setup().start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    for _ in 0..100 {
        alice.raw("42[\"no_such_event\",{}]").await;
    }
    assert!(alice.ended().await, "for good");
}

#[tokio::test]
async fn other_methods_and_namespaces_are_refused() {
    let server = setup().start().await;
    let poller = Poller::open(&server).await;
    let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", poller.sid);
    let put = parlor_testkit::rest::answer(server.rest().request(Method::PUT, &path)).await;
    assert_eq!((put.status, &put.body["code"]), (400, &json!(3)));
    let mut socket = Sio::open(&server, "").await;
    socket.raw("40/admin,{}").await;
    assert_eq!(socket.text().await.as_deref(), Some("44/admin,{\"message\":\"Invalid namespace\"}"));
    // The right one can still be entered.
    socket.raw(&format!("40{}", json!({"token": token("u-alice", &[], 600)}))).await;
    assert!(socket.text().await.is_some_and(|text| text.starts_with("40{")));
}

//! Socket.IO by long polls and by WebSocket: packets that mean nothing, events with anything in their fields.

use parlor_testkit::{HostApp, HostPerson, Server};
use serde_json::{Value, json};

use crate::attack::{Dialect, judge, wrong};
use crate::nasty::{DEEP, VALUES, nested, places, replaced, some};
use crate::watch::Watch;
use crate::wire::{Wire, frame, text};

/// The largest payload of a long poll that is taken, in bytes.
const MAX_PAYLOAD: usize = 1_000_000;

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// A session on long polls that was entered by this person.
async fn polling(server: &Server, who: &HostPerson) -> String {
    let rest = server.rest();
    let open = rest.get(POLLING, &[]).await.text();
    let open: Value = serde_json::from_str(&open[1..]).expect("an open packet");
    let path = format!("{POLLING}&sid={}", open["sid"].as_str().expect("an id"));
    let enter = format!("40{}", json!({"token": who.token}));
    let request = rest.request(reqwest::Method::POST, &path).body(enter);
    assert_eq!(parlor_testkit::rest::answer(request).await.text(), "ok");
    let entered = rest.get(&path, &[]).await.text();
    assert!(entered.starts_with("40{"), "{entered}");
    path
}

fn payloads() -> Vec<(&'static str, Vec<u8>)> {
    let bomb = nested(DEEP);
    let plain: [(&str, &[u8]); 22] = [
        ("nothing", b""),
        ("a separator", b"\x1e"),
        ("separators", b"\x1e\x1e\x1e"),
        ("an unknown type", b"9"),
        ("a letter", b"x"),
        ("an empty packet behind a good one", b"3\x1e"),
        ("no UTF-8", b"42[\"\xff\"]"),
        ("half a character", b"\xed\xa0\x80"),
        ("bad base64", b"b!!!"),
        ("half of base64", b"bA"),
        ("bytes that nobody announced", b"bAQID"),
        ("an unknown packet", b"49"),
        ("an empty message", b"4"),
        ("an event without data", b"42"),
        ("an event that is no list", b"42{}"),
        ("an event without a name", b"42[]"),
        ("an event whose name is none", b"42[{\"$ne\":\"\"}]"),
        ("an event cut off", b"42[\"join_room\",{"),
        ("a thousand million attachments", b"451000000000-[\"x\",{\"_placeholder\":true,\"num\":0}]"),
        ("an attachment that does not follow", b"451-[\"x\",{\"_placeholder\":true,\"num\":7}]"),
        ("a number without end", b"4299999999999999999999999[\"x\"]"),
        ("an upgrade that was not tried", b"5"),
    ];
    let mut all: Vec<(&str, Vec<u8>)> =
        plain.into_iter().map(|(name, bytes)| (name, bytes.to_vec())).collect();
    all.push(("a nesting bomb", format!("42[\"join_room\",{bomb}]").into_bytes()));
    all.push(("a bomb on entering", format!("40{bomb}").into_bytes()));
    all.push(("a long namespace", format!("40/{},", "n".repeat(100_000)).into_bytes()));
    all.push(("100,000 packets", b"3\x1e".repeat(100_000)));
    all
}

#[tokio::test]
async fn a_payload_that_means_nothing_ends_its_session_or_is_refused() {
    let (server, watch) = Watch::server().await;
    let alice = HostApp::person(&server, "u-alice", &["USER"]).await;
    let rest = server.rest();
    for (name, payload) in payloads() {
        let path = polling(&server, &alice).await;
        let posted =
            parlor_testkit::rest::answer(rest.request(reqwest::Method::POST, &path).body(payload)).await;
        assert!(matches!(posted.status, 200 | 400), "{name}: {} {}", posted.status, posted.text());
        if posted.status == 400 {
            assert!(
                posted.body["code"].is_number() && posted.body["message"].is_string(),
                "{name}: {}",
                posted.text()
            );
        }
        // Whether it goes on or is over: asking is answered, and a poll of a session that goes on waits for news.
        let end = rest.request(reqwest::Method::POST, &path).body("1");
        let ended = parlor_testkit::rest::answer(end).await;
        assert!(matches!(ended.status, 200 | 400), "{name}: {}", ended.status);
        let poll = rest.get(&path, &[]).await;
        assert!(matches!(poll.status, 200 | 400), "{name}: {}", poll.status);
    }
    let path = polling(&server, &alice).await;
    let long = rest.request(reqwest::Method::POST, &path).body(format!("4{}", "x".repeat(MAX_PAYLOAD)));
    let answer = parlor_testkit::rest::answer(long).await;
    assert_eq!(answer.status, 413, "{}", answer.text());
    assert!(answer.body["message"].is_string());
    watch.end(&server).await;
}

#[tokio::test]
async fn a_request_of_no_transport_or_session_is_refused_in_its_words() {
    let (server, watch) = Watch::server().await;
    let alice = HostApp::person(&server, "u-alice", &["USER"]).await;
    let rest = server.rest();
    let (mut tried, mut found) = (0, Vec::new());
    for query in [
        "",
        "EIO=4",
        "EIO=3&transport=polling",
        "transport=polling",
        "EIO=4&transport=flash",
        "EIO=4&transport=",
        "EIO=4&transport=polling&sid=none",
        "EIO=4&transport=websocket&sid=none",
        "EIO=4&transport=websocket",
        "EIO=4&transport=polling&sid=../../x",
        "EIO=%00&transport=polling",
        "EIO=4&transport=polling&sid=%FF",
        "EIO=4&transport=polling&sid=x&sid=y",
        "&&&&=&=",
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a verb");
            let answer = parlor_testkit::rest::answer(
                rest.request(method.clone(), &format!("/socket.io/?{query}")).body("4"),
            )
            .await;
            tried += 1;
            if answer.status != 400 || !answer.body["message"].is_string() {
                let preflight = method == reqwest::Method::OPTIONS && answer.status < 400;
                if !preflight {
                    found.push(format!("{method} {query}: {} {}", answer.status, answer.text()));
                }
            }
            found.extend(wrong(Dialect::Any, &answer));
        }
    }
    judge("requests of Engine.IO", tried, found);
    // Two polls at once end the session: neither hangs.
    let path = polling(&server, &alice).await;
    let (one, other) = tokio::join!(rest.get(&path, &[]), rest.get(&path, &[]));
    assert!(one.status == 400 || other.status == 400, "{} {}", one.status, other.status);
    watch.end(&server).await;
}

/// A socket that entered, by WebSocket.
async fn entered(server: &Server, who: &HostPerson) -> Wire {
    let mut wire = Wire::socket(server, "/socket.io/?EIO=4&transport=websocket").await;
    assert!(wire.text().await.expect("an open packet").starts_with('0'));
    wire.send(text(format!("40{}", json!({"token": who.token})))).await;
    assert!(wire.text().await.expect("an answer").starts_with("40{"));
    wire
}

#[tokio::test]
async fn a_packet_that_means_nothing_closes_with_a_reason() {
    let (server, watch) = Watch::server().await;
    let alice = HostApp::person(&server, "u-alice", &["USER"]).await;
    let mut sent: Vec<(&str, Vec<u8>)> = payloads()
        .into_iter()
        .filter(|(name, payload)| {
            std::str::from_utf8(payload).is_ok()
                && !matches!(
                    *name,
                    "an upgrade that was not tried" | "100,000 packets" | "an empty packet behind a good one"
                )
        })
        .map(|(name, payload)| (name, text(payload)))
        .collect();
    sent.push(("bytes that nobody announced", frame(0x82, b"\x01")));
    let announced = text(r#"452-["join_room",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#);
    sent.push((
        "an event among attachments",
        [announced.clone(), frame(0x82, b"x"), text("42[\"x\"]")].concat(),
    ));
    sent.push(("a text of 2 MB", text("4".repeat(2_000_000))));
    for (name, bytes) in sent {
        let mut wire = entered(&server, &alice).await;
        wire.send(&bytes).await;
        let (code, reason) = wire.closed().await.unwrap_or_else(|| panic!("{name}: no close"));
        assert!(matches!(code, 1002 | 1008 | 1009), "{name}: {code} {reason}");
        assert!(!reason.is_empty(), "{name}");
    }
    watch.end(&server).await;
}

/// Every event with a good payload.
fn events(room: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "join_room",
            json!({"room_id": room, "limit": 10, "before": "x", "after": "x", "last_message_id": "x"}),
        ),
        ("leave_room", json!({"room_id": room})),
        (
            "send_message",
            json!({
                "room_id": room, "content": "hello", "message_type": "text", "client_id": "c", "reply_to_id": "x",
                "metadata": {"a": 1}, "attachments": [], "message_id": "x", "message": {"id": "x"},
            }),
        ),
        ("typing", json!({"room_id": room, "is_typing": true})),
        ("mark_as_read", json!({"room_id": room, "message_id": "x", "message_ids": ["x"]})),
        ("message_edited", json!({"room_id": room, "message_id": "x", "content": "other"})),
        ("message_deleted", json!({"room_id": room, "message_id": "x"})),
        ("join_ticket", json!({"ticketId": "T-1", "limit": 10, "after": "x"})),
        ("leave_ticket", json!({"ticketId": "T-1"})),
        ("typing_start", json!({"ticketId": "T-1"})),
        ("typing_stop", json!({"ticketId": "T-1"})),
        (
            "send_message",
            json!({"ticketId": "T-1", "message": "hello", "messageType": "TEXT", "attachments": [], "clientId": "c"}),
        ),
        ("mark_as_read", json!({"ticketId": "T-1", "messageIds": ["x"]})),
        ("no_such_event", json!({"room_id": room})),
    ]
}

#[tokio::test]
async fn every_field_of_every_event_takes_anything() {
    let (server, watch) = Watch::server().await;
    let alice = HostApp::person(&server, "u-alice", &["USER"]).await;
    let facts = json!({"title": "GRN 1", "created_by": "u-alice", "category": "PAYMENT"});
    let made = HostApp::rest(&server).put("/api/tickets/T-1", facts).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made =
        alice.rest.post("/api/chat/rooms", json!({"name": "crew", "type": "group", "member_ids": []})).await;
    let room = made.body["room"]["id"].as_str().or(made.body["id"].as_str()).unwrap_or("none").to_owned();
    let (mut tried, mut found) = (0, Vec::new());
    let mut wire = entered(&server, &alice).await;
    for (event, sample) in events(&room) {
        for (at, place) in places(&sample).iter().enumerate() {
            for nasty in some(&VALUES, tried + at).filter(|nasty| nasty.json.len() < 900_000) {
                tried += 1;
                let payload = replaced(&sample, place, &nasty.json);
                wire.send(text(format!("42{tried}[\"{event}\",{payload}]"))).await;
                let mark = format!("43{tried}[");
                let told = loop {
                    match wire.text().await {
                        Some(told) if told == "2" => wire.send(text("3")).await,
                        Some(told) if told.starts_with(&mark) => break Some(told),
                        Some(_) => {}
                        None => break None,
                    }
                };
                // A malformed packet and too many bad ones end the conversation; another one is begun.
                let Some(told) = told else {
                    wire = entered(&server, &alice).await;
                    continue;
                };
                let ack: Value = serde_json::from_str(&told[mark.len() - 1..]).expect("JSON");
                let ack = &ack[0];
                let clear =
                    ack["success"] == true || (ack["error"].is_string() && ack["message"].is_string());
                let fault = matches!(ack["error"].as_str(), Some("internal" | "unavailable"));
                if !clear || fault {
                    found.push(format!("{event} {place} {}: {told:.300}", nasty.name));
                }
            }
        }
    }
    judge("events", tried, found);
    watch.end(&server).await;
}

//! Coming back after a cut: nothing lost, nothing doubled, on both transports.

use parlor_testkit::Server;
use serde_json::{Value, json};

use super::client::{Poller, Sio, Upgrading, group, put_ticket, setup, token};

/// Bob writes a line every now and then while Alice comes and goes; she counts what she gets.
async fn write(bob: &mut Sio, room: &str, lines: std::ops::Range<u64>) {
    for n in lines {
        bob.grant("send_message", json!({"room_id": room, "content": format!("{n}")})).await;
    }
}

fn number(message: &Value) -> u64 {
    message["content"].as_str().and_then(|text| text.parse().ok()).expect("a number")
}

async fn stage() -> (Server, Sio, String) {
    let server = setup().env("PARLOR_SEND_RATE", "0").start().await;
    let alice = Sio::of(&server, "u-alice", &[]).await;
    let bob = Sio::of(&server, "u-bob", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "log", &["bob"]).await;
    drop(alice);
    (server, bob, room)
}

/// Wherever in a burst the line goes dead, with whatever was under way: Bob writes on without waiting for her.
#[tokio::test]
async fn s3_27_a_cut_on_a_websocket_loses_and_doubles_nothing() {
    const LINES: u64 = 100;
    let (server, mut bob, room) = stage().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    alice.grant("join_room", json!({"room_id": room})).await;
    let writing = tokio::spawn({
        let room = room.clone();
        async move { write(&mut bob, &room, 0..LINES).await }
    });
    let mut seen: Vec<Value> = Vec::new();
    let mut until = 0;
    while seen.last().map(number) != Some(LINES - 1) {
        until += 13;
        while seen.len() < until && seen.last().map(number) != Some(LINES - 1) {
            seen.push(alice.event("new_message").await["message"].clone());
        }
        drop(alice);
        alice = Sio::of(&server, "u-alice", &[]).await;
        let after = seen.last().expect("she heard something")["id"].clone();
        alice.grant("join_room", json!({"room_id": room, "after": after, "limit": LINES})).await;
        let joined = alice.event("room_joined").await;
        seen.extend(joined["messages"].as_array().expect("a list").iter().cloned());
        until = until.max(seen.len());
    }
    writing.await.expect("all is written");
    assert_eq!(seen.iter().map(number).collect::<Vec<_>>(), (0..LINES).collect::<Vec<_>>());
}

/// Polls are read for a while, then the next is given up with whatever is on its way; Bob writes on without waiting for her.
#[tokio::test]
async fn s3_27_a_cut_of_long_polls_loses_and_doubles_nothing() {
    const LINES: u64 = 100;
    let (server, mut bob, room) = stage().await;
    let join = async |alice: &Poller, after: &Value| {
        let join = json!(["join_room", {"room_id": room, "after": after, "limit": LINES}]);
        alice.post(format!("421{join}")).await;
        lines(&alice.until("431[").await)
    };
    let mut alice = Poller::enter(&server, "u-alice").await;
    join(&alice, &Value::Null).await;
    let writing = tokio::spawn({
        let room = room.clone();
        async move { write(&mut bob, &room, 0..LINES).await }
    });
    let mut seen: Vec<Value> = Vec::new();
    let is_all = |seen: &Vec<Value>| seen.last().map(number) == Some(LINES - 1);
    while !is_all(&seen) {
        let before = seen.len();
        while seen.len() < before + 13 && !is_all(&seen) {
            seen.extend(lines(&alice.until("42").await));
        }
        let path = format!("/socket.io/?EIO=4&transport=polling&sid={}", alice.sid);
        drop(tokio::time::timeout(std::time::Duration::from_millis(20), server.rest().get(&path, &[])).await);
        alice = Poller::enter(&server, "u-alice").await;
        let last = seen.last().expect("she heard something")["id"].clone();
        seen.extend(join(&alice, &last).await);
    }
    writing.await.expect("all is written");
    assert_eq!(seen.iter().map(number).collect::<Vec<_>>(), (0..LINES).collect::<Vec<_>>());
}

#[tokio::test]
async fn s4_43_history_and_live_messages_of_a_ticket_meet_without_gap_or_repeat_also_after_a_kill() {
    let mut server = setup().env("PARLOR_SEND_RATE", "0").start().await;
    put_ticket(&server, "T-1", json!({"created_by": "u-alice", "assignees": ["u-bob"]})).await;
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    let mut last = Value::Null;
    let mut seen: Vec<String> = Vec::new();
    for round in 0..3 {
        let mut alice = Sio::of(&server, "u-alice", &[]).await;
        let mut join = json!({"ticketId": "T-1", "limit": 100});
        if !last.is_null() {
            join["after"] = last.clone();
        }
        let writing = async {
            for n in 0..15 {
                bob.grant("send_message", json!({"ticketId": "T-1", "message": format!("{round}-{n}")}))
                    .await;
            }
        };
        tokio::join!(writing, alice.ask("join_ticket", join));
        let history = alice.event("messages_history").await;
        let mut got = history["messages"].as_array().cloned().unwrap_or_default();
        while got.last().is_none_or(|message| message["message"] != format!("{round}-14")) {
            got.push(alice.event("new_message").await["message"].clone());
        }
        last = got[got.len() - 1]["id"].clone();
        seen.extend(got.iter().filter_map(|message| message["message"].as_str().map(str::to_owned)));
        if round == 1 {
            server.kill9();
            server.restart().await;
            bob = Sio::of(&server, "u-bob", &[]).await;
        }
    }
    let all: Vec<String> = (0..3).flat_map(|round| (0..15).map(move |n| format!("{round}-{n}"))).collect();
    assert_eq!(seen, all);
}

/// What a poller heard of a room, in order: what a join brought, and what came after it.
fn lines(packets: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    for packet in packets {
        let Some(Ok(Value::Array(event))) = packet.strip_prefix("42").map(serde_json::from_str) else {
            continue;
        };
        match event[0].as_str() {
            Some("room_joined") => all.extend(event[1]["messages"].as_array().cloned().unwrap_or_default()),
            Some("new_message") => all.push(event[1]["message"].clone()),
            _ => {}
        }
    }
    all
}

/// A move to a WebSocket that is cut after the probe goes on with polls; one that is cut after the move ends the session, and
/// the next begins after the last message that came.
#[tokio::test]
async fn s3_27_a_cut_in_the_middle_of_an_upgrade_loses_and_doubles_nothing() {
    let (server, mut bob, room) = stage().await;
    let (mut seen, mut last) = (Vec::new(), Value::Null);
    for round in 0..3 {
        let lines_of = |part: u64| round * 30 + part * 10..round * 30 + part * 10 + 10;
        let alice = Poller::enter(&server, "u-alice").await;
        let join = json!(["join_room", {"room_id": room, "after": last, "limit": 100}]);
        alice.post(format!("421{join}")).await;
        let mut packets = alice.until("431[").await;
        let mut socket = Upgrading::open(&server, &alice.sid).await;
        // More is said while she tries a WebSocket.
        let ((), ()) = tokio::join!(write(&mut bob, &room, lines_of(0)), socket.say("2probe"));
        assert_eq!(socket.hear().await, "3probe");
        drop(socket);
        write(&mut bob, &room, lines_of(1)).await;
        let wanted = format!("\"content\":\"{}\"", lines_of(1).end - 1);
        while !packets.iter().any(|packet| packet.contains(&wanted)) {
            let polled = alice.get().await;
            assert_eq!(polled.status, 200, "{}", polled.text());
            packets.extend(polled.text().split('\u{1e}').map(str::to_owned));
        }
        let got = lines(&packets);
        last = got.last().expect("she heard")["id"].clone();
        seen.extend(got.iter().map(number));

        let mut socket = Upgrading::open(&server, &alice.sid).await;
        socket.say("2probe").await;
        assert_eq!(socket.hear().await, "3probe");
        socket.say("5").await;
        drop(socket);
        write(&mut bob, &room, lines_of(2)).await;
    }
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    alice.grant("join_room", json!({"room_id": room, "after": last, "limit": 100})).await;
    let joined = alice.event("room_joined").await;
    seen.extend(joined["messages"].as_array().expect("a list").iter().map(number));
    let first = seen[0];
    assert_eq!(seen, (first..90).collect::<Vec<_>>());
}

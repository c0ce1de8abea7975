//! Whoever reads too slowly is told so and comes back; nobody else notices.

use parlor_testkit::Server;
use serde_json::{Value, json};

use super::client::{Heard, Poller, Sio, group, setup, token};

/// Messages of twenty kilobytes that are more than an outbox of one mebibyte holds.
const TOO_MANY: u64 = 58;

/// The number that a message begins with.
fn number(message: &Value) -> u64 {
    let content = message["content"].as_str().expect("a text");
    content.split(' ').next().and_then(|first| first.parse().ok()).expect("a number")
}

/// More messages than all buffers on a way to a narrow reader hold.
const FAR_TOO_MANY: u64 = 800;

/// Whether the server has cut somebody off for reading too slowly.
async fn is_cut_off(server: &Server) -> bool {
    let told = server.rest().get("/metrics", &[]).await.text();
    let name = "connections_too_slow_total{door=\"socketio\"} ";
    told.lines().filter_map(|line| line.split_once(name)).any(|(_, count)| count.trim() != "0")
}

/// What the poller hears of events of this name, of these packets.
fn events(packets: &[String], name: &str) -> Vec<Value> {
    let read = packets.iter().filter_map(|packet| packet.strip_prefix("42"));
    let read = read.map(|event| serde_json::from_str::<Vec<Value>>(event).expect("an event is a list"));
    read.filter(|event| event[0] == name).map(|mut event| event.pop().expect("a payload")).collect()
}

#[tokio::test]
async fn s4_40_s4_50_a_slow_reader_is_told_why_it_ends_and_catches_up_while_the_others_miss_nothing() {
    let server = setup().env("PARLOR_SEND_RATE", "0").start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    drop(Sio::of(&server, "u-bob", &[]).await);
    let room = group(&server, &token("u-alice", &[], 600), "flood", &["bob"]).await;
    alice.grant("join_room", json!({"room_id": room})).await;
    let slow = Poller::enter(&server, "u-bob").await;
    slow.post(format!("421{}", json!(["join_room", {"room_id": room}]))).await;
    slow.until("431[").await;
    let text = "\u{1f69a}".repeat(4_990);
    let mut first = Value::Null;
    // Nobody polls any more.
    for n in 0..=TOO_MANY {
        let said = alice.grant("send_message", json!({"room_id": room, "content": format!("{n} {text}")}));
        let id = said.await["message"]["id"].clone();
        if n == 0 {
            first = id;
        }
    }
    for n in 0..=TOO_MANY {
        assert_eq!(number(&alice.event("new_message").await["message"]), n);
    }
    let mut heard = Vec::new();
    while !heard.contains(&"1".to_owned()) {
        let polled = slow.get().await;
        assert_eq!(polled.status, 200, "{}", polled.text());
        heard.extend(polled.text().split('\u{1e}').map(str::to_owned));
    }
    let reason =
        json!({"type": "too_slow", "code": "too_slow", "message": "too slow; come back and catch up"});
    assert_eq!(events(&heard, "error"), [reason]);
    let over = slow.get().await;
    assert_eq!((over.status, &over.body["code"]), (400, &json!(1)));

    // It comes back and reads on after the last message that it knows, page by page.
    let back = Poller::enter(&server, "u-bob").await;
    let (mut seen, mut last) = (Vec::new(), first);
    while seen.last() != Some(&TOO_MANY) {
        let join = json!(["join_room", {"room_id": room, "after": last, "limit": 30}]);
        back.post(format!("422{join}")).await;
        let joined = events(&back.until("432[").await, "room_joined").remove(0);
        let messages = joined["messages"].as_array().expect("a list");
        seen.extend(messages.iter().map(number));
        last = messages.last().expect("there is more")["id"].clone();
    }
    assert_eq!(seen, (1..=TOO_MANY).collect::<Vec<_>>());
}

/// S4-40, S4-50: a WebSocket that is not read is told why and closed by 4408; whoever reads hears everything, and what was
/// missed is read behind the last message that came.
#[tokio::test]
async fn s4_40_s4_50_a_websocket_that_is_not_read_is_closed_by_4408_and_catches_up() {
    // Time enough to take the word for it, however busy the machine is.
    let server = setup().env("PARLOR_SEND_RATE", "0").env("PARLOR_CLOSE_TIMEOUT", "60").start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    drop(Sio::of(&server, "u-bob", &[]).await);
    let room = group(&server, &token("u-alice", &[], 600), "flood", &["bob"]).await;
    let join = json!({"room_id": room});
    alice.grant("join_room", join.clone()).await;
    let mut slow = Sio::narrow(&server, "u-bob").await;
    slow.grant("join_room", join.clone()).await;
    let text = "\u{1f69a}".repeat(4_990);
    let mut sent = 0;
    while !is_cut_off(&server).await {
        assert!(sent < FAR_TOO_MANY, "nobody was cut off");
        // Many at a time, so that they are stored together; fewer than an outbox holds.
        for n in sent..sent + 32 {
            let said = json!(["send_message", {"room_id": room, "content": format!("{n} {text}")}]);
            alice.raw(&format!("42{said}")).await;
        }
        for n in sent..sent + 32 {
            assert_eq!(number(&alice.event("new_message").await["message"]), n);
        }
        sent += 32;
    }
    let (mut seen, mut last, mut why) = (Vec::new(), Value::Null, Value::Null);
    loop {
        match slow.next().await {
            Heard::Event(name, told) if name == "new_message" => {
                seen.push(number(&told["message"]));
                last = told["message"]["id"].clone();
            }
            Heard::Event(name, told) if name == "error" => why = told["code"].clone(),
            Heard::Event(..) | Heard::Ack(..) => {}
            // The socket is not dismissed for good: its client comes back by itself.
            Heard::Disconnect => panic!("an end for good"),
            Heard::Closed => break,
        }
    }
    assert_eq!((slow.closed_by, why), (Some(4408), json!("too_slow")));
    assert!(!seen.is_empty() && (seen.len() as u64) < sent, "{} of {sent}", seen.len());

    let mut back = Sio::of(&server, "u-bob", &[]).await;
    while (seen.len() as u64) < sent {
        back.grant("join_room", json!({"room_id": room, "after": last, "limit": 30})).await;
        let joined = back.event("room_joined").await;
        let messages = joined["messages"].as_array().expect("a list");
        seen.extend(messages.iter().map(number));
        last = messages.last().expect("there is more")["id"].clone();
    }
    assert_eq!(seen, (0..sent).collect::<Vec<_>>());
}

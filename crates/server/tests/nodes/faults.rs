//! Redis goes and comes back, a node dies.

use parlor_testkit::{Ddp, HostPerson, Person, server::ADMINISTRATOR, wait};
use serde_json::{Value, json};

use crate::{
    doors::{Door, Hands},
    sink::Sink,
    sse::Stream,
    stage::{Kind, Stage, text},
    world::Nodes,
};

/// The ids of the messages that a socket hears, up to the one with this text.
async fn until(socket: &mut Ddp, room: &str, last: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let args = socket.event("room-messages", room).await;
        let message = &args[0];
        if message.get("t").is_none() {
            heard.push(message["msg"].as_str().unwrap_or_default().to_owned());
            if message["msg"] == last {
                return heard;
            }
        }
    }
}

/// As a phone does whose node is gone: at the other node it listens again and asks for what came after the last message
/// that it has, over its socket and over REST.
async fn goes_on_elsewhere(other: &Stage, last: &str, missed: &str) {
    let mut socket = hears(other, &other.cy).await;
    let last = other.cy.rest.get("chat.getMessage", &[("msgId", last)]).await.ok()["message"].take();
    let since = last["ts"].as_str().expect("a time");
    let query = [("roomId", other.room.as_str()), ("lastUpdate", since)];
    let found = other.cy.rest.get("chat.syncMessages", &query).await.ok()["result"]["updated"].take();
    let ids = |found: &Value| -> Vec<String> {
        let found = found.as_array().expect("a list").iter().map(|message| text(&message["_id"]));
        found.filter(|id| *id != text(&last["_id"])).collect()
    };
    assert_eq!(ids(&found), [missed], "once, by REST");
    let since = socket.method("getMessages", json!([[text(&last["_id"])]])).await.expect("a member may");
    let since = since[0]["ts"]["$date"].as_i64().expect("a time");
    let found = socket.method("loadMissedMessages", json!([other.room, {"$date": since}])).await;
    assert_eq!(ids(&found.expect("a member may")), [missed], "once, by its socket");
    let marker = text(
        &other.ann.rest.post("chat.postMessage", json!({"roomId": other.room, "text": "marker"})).await.ok()
            ["message"]["_id"],
    );
    assert_eq!(socket.event("room-messages", &other.room).await[0]["_id"], marker.as_str());
}

/// How this person is seen by somebody on some node.
async fn status(by: &HostPerson, of: &str) -> Value {
    let username = of.trim_start_matches("u-");
    by.rest.get("users.getPresence", &[("username", username)]).await.ok()["presence"].take()
}

async fn until_seen(by: &HostPerson, of: &str, wanted: &str) {
    wait::until(
        "a presence on the other node",
        || async move { (status(by, of).await == wanted).then_some(()) },
    )
    .await;
}

/// Somebody on the sockets of one node, who hears the room.
async fn hears(stage: &Stage, who: &HostPerson) -> Ddp {
    let mut socket = Ddp::connect(&stage.server).await;
    socket.resume(&who.token).await.expect("let in");
    socket.stream("room-messages", &stage.room).await.expect("a member may listen");
    socket
}

/// A stream of events on one node, from the beginning or from a place.
async fn streams(stage: &Stage, who: &HostPerson, after: Option<&str>) -> Stream {
    let bearer = format!("Bearer {}", who.token);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(after.map(|place| ("last-event-id", place)));
    Stream::open(&stage.server, "/api/chat/stream", &headers).await
}

/// Has what is said in groups told to this address.
async fn tell_outside(stage: &Stage, url: &str) {
    let administrator = Person::sign_in(&stage.server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let wanted = json!({
        "type": "webhook-outgoing", "name": "host", "enabled": true, "username": "administrator", "urls": [url],
        "channel": "all_private_groups", "scriptEnabled": false, "event": "sendMessage", "token": "shared",
    });
    let _ = administrator.rest.post("integrations.create", wanted).await.ok();
}

/// What is told outside, up to the message with this text.
async fn told_outside(sink: &mut Sink, last: &str) -> Vec<String> {
    let mut told = Vec::new();
    while told.last().is_none_or(|text| text != last) {
        told.push(text(&sink.next().await.body["text"]));
    }
    told
}

/// S0-79, S0-84: Redis is killed while both nodes talk, comes back, freezes, and loses every hint: every message is acknowledged, and heard once on both, in
/// one order; outside it is told once. Then a node is killed: the other goes on, and those who were connected there are
/// gone, or go on at the other from where they were. So it is the other way round: one of the two led.
#[tokio::test]
async fn s0_79_s0_84_without_redis_nothing_is_lost_or_doubled_and_a_dead_node_takes_its_people_along() {
    let Some(mut nodes) = Nodes::start(Kind::Group).await else { return };
    let room = nodes.a.room.clone();
    let mut outside = Sink::open().await;
    tell_outside(&nodes.a, &outside.url).await;
    let (mut here, mut there) = (hears(&nodes.a, &nodes.a.cy).await, hears(&nodes.b, &nodes.b.ben).await);
    let mut stream = streams(&nodes.a, &nodes.a.cy, None).await;
    assert_eq!(stream.event().await.name, "ready");
    // Seen on the other node, each way.
    until_seen(&nodes.b.ann, "u-cy", "online").await;
    until_seen(&nodes.a.ann, "u-ben", "online").await;

    let (mut ann, mut ben) =
        (Hands::of(&nodes.a, &nodes.a.ann).await, Hands::of(&nodes.b, &nodes.b.ben).await);
    let (mut stories, mut newest) = ([Vec::new(), Vec::new()], String::new());
    for (turn, last) in
        ["with Redis", "without", "with it again", "frozen", "with no hint"].into_iter().enumerate()
    {
        match turn {
            1 => nodes.redis.take_away(),
            2 => nodes.redis.bring_back().await,
            3 => nodes.redis.freeze(true),
            4 => {
                nodes.redis.freeze(false);
                nodes.redis.lose_hints(true);
            }
            _ => {}
        }
        for n in 0..6 {
            let (first, second) = (format!("ann {turn} {n}"), format!("ben {turn} {n}"));
            tokio::join!(ann.send(Door::RocketRest, &first), ben.send(Door::RoomsRest, &second));
        }
        newest = ann.send(Door::Inbox, last).await;
        stories[0].extend(until(&mut here, &room, last).await);
        stories[1].extend(until(&mut there, &room, last).await);
    }
    assert!(nodes.redis.lost_hints() > 0, "hints are lost while Redis is there");
    nodes.redis.lose_hints(false);
    assert_eq!(stories[0], stories[1]);
    assert_eq!(stories[0].len(), 5 * 13, "{:?}", stories[0]);
    let mut told = Vec::new();
    while told.len() < stories[0].len() {
        told.push(text(&outside.next().await.body["text"]));
    }
    told.sort();
    stories[0].sort();
    assert_eq!(told, stories[0], "outside each is told once");

    // Whoever was away in between is told of who is where.
    until_seen(&nodes.a.ann, "u-ben", "online").await;
    let place = loop {
        let heard = stream.message().await;
        if heard.data["id"] == newest.as_str() {
            break heard.id.expect("events have ids");
        }
    };
    nodes.a.server.kill9();
    let missed = ben.send(Door::RocketRest, "goes on").await;
    assert_eq!(until(&mut there, &room, "goes on").await, ["goes on"]);
    let mut again = streams(&nodes.b, &nodes.b.cy, Some(&place)).await;
    assert_eq!(again.message().await.data["id"], missed.as_str(), "from where it was");
    goes_on_elsewhere(&nodes.b, &newest, &missed).await;
    assert!(told_outside(&mut outside, "goes on").await.len() <= 2, "the last call may be made again");
    drop(again);
    until_seen(&nodes.b.ann, "u-cy", "offline").await;
    assert_eq!(status(&nodes.b.ann, "u-ben").await, json!("online"));

    nodes.a.server.restart().await;
    let mut back = hears(&nodes.a, &nodes.a.cy).await;
    until_seen(&nodes.b.ann, "u-cy", "online").await;
    nodes.b.server.kill9();
    let mut ann = Hands::of(&nodes.a, &nodes.a.ann).await;
    ann.send(Door::RocketRest, "the other way round").await;
    assert_eq!(until(&mut back, &room, "the other way round").await, ["the other way round"]);
    drop(told_outside(&mut outside, "the other way round").await);
}

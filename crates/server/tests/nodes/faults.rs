//! Redis goes and comes back, a node dies.

use parlor_testkit::{Ddp, HostPerson, wait};
use serde_json::{Value, json};

use crate::{
    doors::{Door, Hands},
    stage::Kind,
    world::Nodes,
};

/// The ids of the messages that a socket hears, up to the one with this text.
async fn until(socket: &mut Ddp, room: &str, last: &str) -> Vec<String> {
    let mut heard = Vec::new();
    loop {
        let frame = socket.event("stream-room-messages", room).await;
        let message = &frame["fields"]["args"][0];
        if message.get("t").is_none() {
            heard.push(message["msg"].as_str().unwrap_or_default().to_owned());
            if message["msg"] == last {
                return heard;
            }
        }
    }
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

/// S0-79, S0-84: Redis is killed while both nodes talk, and comes back: every message is acknowledged, and heard once on both, in
/// one order. Then a node is killed: the other goes on, and those who were connected there are gone.
#[tokio::test]
async fn s0_79_s0_84_without_redis_nothing_is_lost_or_doubled_and_a_dead_node_takes_its_people_along() {
    let Some(mut nodes) = Nodes::start(Kind::Group).await else { return };
    let room = nodes.a.room.clone();
    let (mut here, mut there) = {
        let (a, b) = (&nodes.a, &nodes.b);
        let mut here = Ddp::connect(&a.server).await;
        here.resume(&a.cy.token).await.expect("let in");
        let mut there = Ddp::connect(&b.server).await;
        there.resume(&b.ben.token).await.expect("let in");
        for socket in [&mut here, &mut there] {
            socket.stream("room-messages", &room).await.expect("a member may listen");
        }
        (here, there)
    };
    // Seen on the other node, each way.
    until_seen(&nodes.b.ann, "u-cy", "online").await;
    until_seen(&nodes.a.ann, "u-ben", "online").await;

    let (mut ann, mut ben) =
        (Hands::of(&nodes.a, &nodes.a.ann).await, Hands::of(&nodes.b, &nodes.b.ben).await);
    let mut stories = [Vec::new(), Vec::new()];
    for (turn, last) in ["with Redis", "without", "with it again"].into_iter().enumerate() {
        match turn {
            1 => nodes.redis.take_away(),
            2 => nodes.redis.bring_back().await,
            _ => {}
        }
        for n in 0..6 {
            let (first, second) = (format!("ann {turn} {n}"), format!("ben {turn} {n}"));
            tokio::join!(ann.send(Door::RocketRest, &first), ben.send(Door::RoomsRest, &second));
        }
        ann.send(Door::Inbox, last).await;
        stories[0].extend(until(&mut here, &room, last).await);
        stories[1].extend(until(&mut there, &room, last).await);
    }
    assert_eq!(stories[0], stories[1]);
    assert_eq!(stories[0].len(), 3 * 13, "{:?}", stories[0]);

    // Whoever was away in between is told of who is where.
    until_seen(&nodes.a.ann, "u-ben", "online").await;
    nodes.a.server.kill9();
    ben.send(Door::RocketRest, "goes on").await;
    assert_eq!(until(&mut there, &room, "goes on").await, ["goes on"]);
    until_seen(&nodes.b.ann, "u-cy", "offline").await;
    assert_eq!(status(&nodes.b.ann, "u-ben").await, json!("online"));
}

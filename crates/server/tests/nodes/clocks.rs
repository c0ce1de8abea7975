//! Nodes whose clocks are an hour apart: there is one order all the same, no time goes back, and nobody misses anything.

use futures_util::future::join_all;
use parlor_testkit::{Ddp, HostApp, HostPerson, wait};
use serde_json::{Value, json};

use crate::{
    doors::{Hands, rooms_socket},
    ears::ears,
    sio::{Heard, Sio},
    sse::Stream,
    stage::{Kind, Stage, text},
    told::{changes_cross, conversation, passing_things_cross, until},
    world::Nodes,
};

/// What the clock of the second node is away from that of the first, in seconds.
const APART: i64 = -3_600;

/// Both nodes; `None` where what they stand on is missing.
async fn apart(kind: Kind) -> Option<Nodes> {
    let nodes = Nodes::start_apart(kind, APART).await?;
    let says = async |stage: &Stage| {
        let mut socket = Sio::enter(&stage.server, json!({"token": stage.ann.token})).await.expect("let in");
        text(&socket.event("connected").await["timestamp"])
    };
    let (first, second) = (says(&nodes.a).await, says(&nodes.b).await);
    assert!(second < first, "asked later, it is earlier there: {first} and {second}");
    Some(nodes)
}

/// The messages that come over DDP up to the one with this text, each with its time.
async fn dated(stage: &Stage, ddp: &mut Ddp, last: &str) -> Vec<(String, i64)> {
    let mut all = Vec::new();
    loop {
        let told = ddp.event("room-messages", &stage.room).await[0].take();
        all.push((text(&told["_id"]), told["ts"]["$date"].as_i64().expect("a date")));
        if told["msg"] == last {
            return all;
        }
    }
}

async fn listen(stage: &Stage) -> Ddp {
    let mut ddp = Ddp::connect(&stage.server).await;
    ddp.resume(&stage.cy.token).await.expect("let in");
    ddp.stream("room-messages", &stage.room).await.expect("a member listens");
    ddp
}

/// S0-6, S0-68, S2-5, S4-40, S4-48: said on both nodes at once by all doors: one order on both, in which no time goes back;
/// and what is changed, removed, typed and read on the one that is behind is so everywhere.
#[tokio::test]
async fn s0_6_s0_68_s2_5_s4_40_s4_48_clocks_apart_there_is_one_order_and_no_time_goes_back() {
    let Some(nodes) = apart(Kind::Ticket).await else { return };
    let mut all = ears(&nodes.a, &nodes.a.cy).await;
    all.extend(ears(&nodes.b, &nodes.b.cy).await);
    let (mut near, mut far) = (listen(&nodes.a).await, listen(&nodes.b).await);
    let (ann, ben) = (Hands::of(&nodes.a, &nodes.a.ann).await, Hands::of(&nodes.b, &nodes.b.ben).await);
    let listening = join_all(all.iter_mut().map(|ear| until(ear, "the last word")));
    let ((mut ann, mut ben, _), stories, here, there) = tokio::join!(
        conversation(ann, ben),
        listening,
        dated(&nodes.a, &mut near, "the last word"),
        dated(&nodes.b, &mut far, "the last word"),
    );
    let (_, first) = &stories[0];
    for (name, story) in &stories {
        assert_eq!(story, first, "by {name}");
    }
    assert_eq!(here, there, "the same times on both");
    assert_eq!(here.iter().map(|(id, _)| id).collect::<Vec<_>>(), first.iter().collect::<Vec<_>>());
    assert!(here.is_sorted_by_key(|(_, at)| *at), "{here:?}");
    for lists in [nodes.a.lists(&nodes.a.cy).await, nodes.b.lists(&nodes.b.cy).await] {
        for (door, list) in lists {
            let ids: Vec<&String> = list.iter().map(|(id, _)| id).collect();
            assert_eq!(ids, first.iter().collect::<Vec<_>>(), "{door}");
        }
    }
    let late = ben.send(crate::doors::Door::RoomsRest, "behind").await;
    for stage in [&nodes.a, &nodes.b] {
        let path = format!("/api/chat/rooms/{}/messages", stage.room);
        let page = stage.cy.rest.get(&path, &[("limit", "100")]).await.expect(200);
        let shown = page["messages"].as_array().expect("messages");
        assert_eq!(shown.last().map(|last| &last["id"]), Some(&json!(late)));
        let times: Vec<&str> = shown.iter().filter_map(|m| m["created_at"].as_str()).collect();
        assert!(times.len() == shown.len() && times.is_sorted(), "{times:?}");
    }
    for ear in &mut all {
        assert_eq!(until(ear, "behind").await.1.pop(), Some(late.clone()));
    }
    changes_cross(&mut ben, &mut all, &late).await;
    passing_things_cross(&mut ann, &mut ben, &mut all).await;
    ann.send(crate::doors::Door::RoomsRest, "something to read").await;
    ben.read(crate::doors::Door::RoomsRest).await;
    for stage in [&nodes.a, &nodes.b] {
        wait::until("all is read on both", || async {
            let unread = stage.unread(&stage.ben).await;
            unread.iter().all(|(_, unread)| *unread == 0).then_some(())
        })
        .await;
    }
}

/// Somebody with a stream and a socket on each node.
struct Newcomer {
    who: HostPerson,
    streams: Vec<Stream>,
    sockets: Vec<Sio>,
}

async fn stream(stage: &Stage, who: &HostPerson, place: Option<&str>) -> Stream {
    let bearer = format!("Bearer {}", who.token);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(place.map(|place| ("last-event-id", place)));
    let mut stream = Stream::open(&stage.server, "/api/chat/stream", &headers).await;
    assert_eq!(stream.event().await.name, "ready");
    stream
}

impl Newcomer {
    async fn of(nodes: &Nodes, id: &str) -> Self {
        let who = HostApp::person(&nodes.a.server, id, &["USER"]).await;
        let (mut streams, mut sockets) = (Vec::new(), Vec::new());
        for stage in [&nodes.a, &nodes.b] {
            streams.push(stream(stage, &who, None).await);
            sockets.push(Sio::enter(&stage.server, json!({"token": who.token})).await.expect("let in"));
        }
        Self { who, streams, sockets }
    }

    /// Is brought in on one of the nodes, and told so on both, as are those who are there.
    async fn comes_by(&mut self, stage: &Stage, there: &mut [Sio]) {
        let path = format!("/api/chat/rooms/{}/members/{}", stage.room, self.who.id);
        stage.ann.rest.post(&path, json!({})).await.expect(201);
        for socket in self.sockets.iter_mut().chain(there) {
            let told = next_of(socket, &stage.room, &["room_created", "member_added"]).await;
            assert_eq!((&told.0[..], &told.1["user_id"]), ("member_added", &json!(self.who.id)));
        }
        for stream in &mut self.streams {
            let told = loop {
                let told = stream.named("room").await.data;
                if told["room"]["id"] == stage.room.as_str() {
                    break told;
                }
            };
            assert_eq!(told["action"], "added", "{told}");
        }
    }
}

/// The next of these events that is about the room.
async fn next_of(socket: &mut Sio, room: &str, names: &[&str]) -> (String, Value) {
    loop {
        match socket.next().await {
            Heard::Event(name, told) if names.contains(&&*name) && told["room_id"] == room => {
                return (name, told);
            }
            Heard::Event(..) | Heard::Ack(..) => {}
            over => panic!("{over:?}"),
        }
    }
}

async fn say(stage: &Stage, said: &str) -> String {
    let body = json!({"room_id": stage.room, "message": said});
    text(&stage.ben.rest.post("/api/chat/send", body).await.expect(201)["message"]["id"])
}

/// S0-68, S3-46: whoever comes by the node that is ahead hears at once, on both, what is said on the one behind, and misses
/// none of it while away; whoever comes by the one behind has come, and not before the room was made.
#[tokio::test]
async fn s0_68_s3_46_clocks_apart_a_newcomer_is_told_and_misses_nothing() {
    let Some(nodes) = apart(Kind::Group).await else { return };
    let mut there = vec![
        rooms_socket(&nodes.a.server, &nodes.a.ben, &nodes.a.room).await,
        rooms_socket(&nodes.b.server, &nodes.b.ben, &nodes.b.room).await,
    ];
    let mut dee = Newcomer::of(&nodes, "u-dee").await;
    dee.comes_by(&nodes.a, &mut there).await;
    let first = say(&nodes.b, "welcome").await;
    let mut places = Vec::new();
    for stream in &mut dee.streams {
        let heard = stream.message().await;
        assert_eq!(heard.data["id"], first.as_str());
        places.push(heard.id.expect("events have ids"));
    }
    dee.streams.clear();
    let missed = [say(&nodes.b, "missed").await, say(&nodes.a, "missed too").await];
    for place in &places {
        for stage in [&nodes.a, &nodes.b] {
            let mut again = stream(stage, &dee.who, Some(place)).await;
            for id in &missed {
                assert_eq!(again.message().await.data["id"], id.as_str());
            }
        }
    }
    let mut fay = Newcomer::of(&nodes, "u-fay").await;
    fay.comes_by(&nodes.b, &mut there).await;
    // Out again on the node that is behind, while nobody listens: told on coming back.
    let place = fay.streams[0].last_id.clone().expect("a place");
    fay.streams.clear();
    let path = format!("/api/chat/rooms/{}/members/{}", nodes.b.room, fay.who.id);
    nodes.b.ann.rest.remove(&path).await.expect(200);
    say(&nodes.a, "not for her").await;
    for stage in [&nodes.a, &nodes.b] {
        let mut again = stream(stage, &fay.who, Some(&place)).await;
        let told = loop {
            let told = again.named("room").await.data;
            if told["room"]["id"] == stage.room.as_str() {
                break told;
            }
        };
        assert_eq!(told["action"], "removed", "{told}");
        stage.ben.rest.post("/api/chat/send", json!({"message": "fence"})).await.expect(201);
        assert_eq!(again.message().await.data["message"], "fence");
    }
}

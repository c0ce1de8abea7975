//! What is done on one node is told on the other.

use futures_util::future::join_all;
use parlor_testkit::{Server, postgres, server::Setup};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    doors::{Door, Hands},
    ears::{Ear, Seen, ears},
    stage::{Kind, Stage, text},
    world::Nodes,
};

/// Messages that each of two people sends at once.
const EACH: usize = 24;

/// S0-6, S0-79, S0-84, S4-48: sent on both nodes at once by all doors, heard on both by all doors: each once, and in the one
/// order of the room.
#[tokio::test]
async fn s0_6_s0_79_s0_84_s4_48_what_is_said_on_two_nodes_is_heard_on_both_once_and_in_one_order() {
    let Some(nodes) = Nodes::start(Kind::Ticket).await else { return };
    let mut all = ears(&nodes.a, &nodes.a.cy).await;
    all.extend(ears(&nodes.b, &nodes.b.cy).await);
    let (ann, ben) = (Hands::of(&nodes.a, &nodes.a.ann).await, Hands::of(&nodes.b, &nodes.b.ben).await);
    // All listen while the two talk: whoever does not answer is cut off.
    let listening = join_all(all.iter_mut().map(|ear| until(ear, "the last word")));
    let ((mut ann, mut ben, last), stories) = tokio::join!(conversation(ann, ben), listening);
    let (_, first) = &stories[0];
    assert_eq!(first.len(), 2 * EACH + 1, "{first:?}");
    for (name, story) in &stories {
        assert_eq!(story, first, "by {name}");
    }
    for lists in [nodes.a.lists(&nodes.a.cy).await, nodes.b.lists(&nodes.b.cy).await] {
        for (door, list) in lists {
            let ids: Vec<&String> = list.iter().map(|(id, _)| id).collect();
            assert_eq!(ids, first.iter().collect::<Vec<_>>(), "{door}");
        }
    }
    changes_cross(&mut ann, &mut all, &last).await;
    passing_things_cross(&mut ann, &mut ben, &mut all).await;
    a_retry_elsewhere_is_the_same(&nodes).await;
}

/// Both talk at once, then one has the last word; its id.
pub async fn conversation(ann: Hands, ben: Hands) -> (Hands, Hands, String) {
    let (mut ann, ben) = tokio::join!(talk(ann, "ann"), talk(ben, "ben"));
    let last = ann.send(Door::RocketRest, "the last word").await;
    (ann, ben, last)
}

async fn talk(mut hands: Hands, name: &str) -> Hands {
    let doors: Vec<Door> = Door::of(Kind::Ticket, |_| true).collect();
    for n in 0..EACH {
        drop(hands.send(doors[n % doors.len()], &format!("{name} {n}")).await);
    }
    hands
}

/// The messages that an ear hears up to the one with this text, whatever else it hears; and which ear it is.
pub async fn until(ear: &mut Ear, last: &str) -> (&'static str, Vec<String>) {
    let mut story = Vec::new();
    loop {
        if let Seen::Sent { id, said } = ear.next().await {
            story.push(id);
            if said == last {
                return (ear.name(), story);
            }
        }
    }
}

/// The next thing that concerns a message.
async fn about_messages(ear: &mut Ear) -> Seen {
    loop {
        let seen = ear.next().await;
        if seen.id().is_some() {
            return seen;
        }
    }
}

pub async fn changes_cross(ann: &mut Hands, all: &mut [Ear], id: &str) {
    ann.edit(Door::RoomsRest, id, "said otherwise").await;
    for ear in all.iter_mut() {
        assert_eq!(about_messages(ear).await, Seen::edited(id, "said otherwise"), "by {}", ear.name());
    }
    ann.delete(Door::RocketRest, id).await;
    for ear in all.iter_mut() {
        assert_eq!(about_messages(ear).await, Seen::Deleted { id: id.to_owned() }, "by {}", ear.name());
    }
}

/// Typing and who reads: by people on either node, heard on both.
pub async fn passing_things_cross(ann: &mut Hands, ben: &mut Hands, all: &mut [Ear]) {
    for (hands, who) in [(ann, "u-ann"), (ben, "u-ben")] {
        for on in [true, false] {
            hands.typing(Door::TicketsSocket, on).await;
            let typing = Seen::Typing { who: who.to_owned(), on };
            for ear in all.iter_mut().filter(|ear| ear.hears(&typing)) {
                expect_among(ear, &typing).await;
            }
        }
        hands.read(Door::RoomsRest).await;
        let read = Seen::Read { who: who.to_owned() };
        for ear in all.iter_mut().filter(|ear| ear.hears(&read)) {
            expect_among(ear, &read).await;
        }
    }
}

async fn expect_among(ear: &mut Ear, wanted: &Seen) {
    while ear.next().await != *wanted {}
}

/// The same id, author and room is the same message, whichever node is asked, and at the same time.
async fn a_retry_elsewhere_is_the_same(nodes: &Nodes) {
    let send = async |server: &Server, token: &str, n: usize| {
        let body = json!({"message": {"rid": nodes.a.room, "_id": format!("sent-twice-{n}"), "msg": "once"}});
        let rest = server.rest().header("authorization", &format!("Bearer {token}"));
        rest.post("chat.sendMessage", body).await.ok()["message"].take()
    };
    let token = &nodes.a.ann.token;
    for n in 0..8 {
        let (here, there) = tokio::join!(send(&nodes.a.server, token, n), send(&nodes.b.server, token, n));
        assert_eq!((&here["_id"], &here["ts"]), (&there["_id"], &there["ts"]));
    }
    let lists = nodes.b.lists(&nodes.b.ben).await;
    let once = |list: &[(String, String)]| list.iter().filter(|(_, said)| said == "once").count();
    assert!(lists.iter().all(|(_, list)| once(list) == 8), "{lists:?}");
}

/// Ben's stream.
async fn open(stage: &Stage, more: &[(&str, &str)]) -> crate::sse::Stream {
    let bearer = format!("Bearer {}", stage.ben.token);
    let mut headers = vec![("authorization", &*bearer)];
    headers.extend(more);
    crate::sse::Stream::open(&stage.server, "/api/chat/stream", &headers).await
}

/// Ann says something; its id.
async fn say(stage: &Stage, said: &str) -> String {
    let body = json!({"room_id": stage.room, "message": said});
    text(&stage.ann.rest.post("/api/chat/send", body).await.expect(201)["message"]["id"])
}

/// Where commits can be overtaken, a stream tells nothing that was acknowledged before it began.
#[tokio::test]
async fn a_stream_begins_behind_what_was_acknowledged_while_a_longer_transaction_runs() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let begin = || postgres::shared().expect("the nodes have it").running();
    let running = spawn_blocking(begin).await.expect("a transaction");
    let before = say(&nodes.a, "before").await;
    let mut stream = open(&nodes.a, &[]).await;
    let ready = stream.event().await;
    spawn_blocking(move || drop(running)).await.expect("it is over");
    let after = say(&nodes.a, "after").await;
    assert_eq!(stream.message().await.data["id"], after.as_str());
    // Whoever takes it up from the beginning misses nothing.
    let mut again = open(&nodes.b, &[("last-event-id", &ready.id.expect("an id"))]).await;
    for id in [&before, &after] {
        assert_eq!(again.message().await.data["id"], id.as_str());
    }
}

/// Where commits can be overtaken, a stream that is taken up tells nothing that was said in a room before one came.
#[tokio::test]
async fn a_stream_that_is_taken_up_while_a_longer_transaction_runs_tells_no_history() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let place = open(&nodes.a, &[]).await.event().await.id.expect("events have ids");
    let begin = || postgres::shared().expect("the nodes have it").running();
    let running = spawn_blocking(begin).await.expect("a transaction");
    let ann = &nodes.a.ann.rest;
    let room = ann.post("groups.create", json!({"name": "fresh"})).await.expect(200)["group"]["_id"].take();
    let say = async |said: &str| {
        let body = json!({"room_id": room, "message": said});
        text(&ann.post("/api/chat/send", body).await.expect(201)["message"]["id"])
    };
    say("before he came").await;
    ann.post("groups.invite", json!({"roomId": room, "userId": nodes.a.ben.id})).await.expect(200);
    let after = say("after he came").await;
    let mut again = open(&nodes.a, &[("last-event-id", &place)]).await;
    assert_eq!(again.event().await.name, "ready");
    spawn_blocking(move || drop(running)).await.expect("it is over");
    assert_eq!(again.message().await.data["id"], after.as_str());
}

/// Where commits can be overtaken, what was missed counts as soon as it is acknowledged; whoever is told to begin anew then
/// hears only what is new.
#[tokio::test]
async fn who_missed_too_much_while_a_longer_transaction_runs_is_told_to_begin_anew() {
    let few = |setup: Setup| setup.env("PARLOR_STREAM_MISSED", "20");
    let Some(nodes) = Nodes::start_with(Kind::Group, few).await else { return };
    let mut stream = open(&nodes.a, &[]).await;
    say(&nodes.a, "before").await;
    let place = stream.message().await.id.expect("events have ids");
    let begin = || postgres::shared().expect("the nodes have it").running();
    let running = spawn_blocking(begin).await.expect("a transaction");
    let mut missed = Vec::new();
    for n in 0..20 {
        missed.push(say(&nodes.a, &n.to_string()).await);
    }
    let mut patient = open(&nodes.a, &[("last-event-id", &place)]).await;
    assert_eq!(patient.event().await.name, "ready");
    missed.push(say(&nodes.b, "one more").await);
    let mut late = open(&nodes.a, &[("last-event-id", &place)]).await;
    assert_eq!(late.event().await.name, "ready");
    assert_eq!(late.event().await.data, json!({"type": "reset", "reason": "too_old"}));
    missed.push(say(&nodes.a, "live").await);
    spawn_blocking(move || drop(running)).await.expect("it is over");
    for id in &missed {
        assert_eq!(patient.message().await.data["id"], id.as_str());
    }
    assert_eq!(late.message().await.data["id"], missed[21].as_str());
}

/// S0-78: what a transaction of somebody else holds up comes at once, and is more than may wait for one who reads it.
#[tokio::test]
async fn s0_78_much_that_comes_at_once_cuts_off_nobody_who_reads() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let mut stream = open(&nodes.a, &[]).await;
    assert_eq!(stream.event().await.name, "ready");
    let begin = || postgres::shared().expect("the nodes have it").running();
    let running = spawn_blocking(begin).await.expect("a transaction");
    // Four bytes each: two megabytes and a half in all.
    let (words, total) = ("\u{1f69a}".repeat(5_000), 128);
    for _ in 0..total / 8 {
        join_all((0..8).map(|_| say(&nodes.a, &words))).await;
    }
    spawn_blocking(move || drop(running)).await.expect("it is over");
    for _ in 0..total {
        assert_eq!(stream.message().await.data["message"], words.as_str());
    }
}

/// A stream that was open on one node goes on at another from where it was.
#[tokio::test]
async fn a_stream_goes_on_at_the_other_node_and_a_setting_and_a_room_are_known_there() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let mut stream = open(&nodes.a, &[]).await;
    assert_eq!(stream.event().await.name, "ready");
    let first = say(&nodes.b, "on the other node").await;
    let heard = stream.message().await;
    assert_eq!(heard.data["id"], first.as_str());
    let place = heard.id.expect("events have ids");
    drop(stream);
    let missed = [say(&nodes.a, "missed").await, say(&nodes.b, "missed too").await];
    let mut again = open(&nodes.b, &[("last-event-id", &place)]).await;
    for id in &missed {
        assert_eq!(again.message().await.data["id"], id.as_str());
    }
    // A new room reaches whoever listens on the other node.
    let body = json!({"name": "fresh", "members": ["ben"]});
    let room = text(&nodes.a.ann.rest.post("groups.create", body).await.expect(200)["group"]["_id"]);
    let told = again.named("room").await;
    assert!(told.data.to_string().contains(&room), "{}", told.data);
    let body = json!({"room_id": room, "message": "in it"});
    let said: Value = nodes.a.ann.rest.post("/api/chat/send", body).await.expect(201)["message"]["id"].take();
    assert_eq!(again.message().await.data["id"], said);
}

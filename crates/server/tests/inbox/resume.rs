//! Coming back after a cut: nothing lost, nothing twice, in order.

use parlor_testkit::{Server, faketime, wait};
use serde_json::json;

use crate::{
    sse::Stream,
    world::{World, room, to_team},
};

/// A small generator of numbers, so that a run can be repeated from its seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }
}

/// S0-68.
#[tokio::test]
async fn s0_68_what_was_missed_comes_once_and_in_order_then_it_goes_on_live() {
    let world = World::start().await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice"]})).await;
    let mut stream = world.stream("alice").await;
    world.send(to_team("bob", "crew", "0")).await;
    let last = stream.message().await.id.expect("an id");
    drop(stream);
    for n in 1..4 {
        world.send(to_team("bob", if n == 2 { "cast" } else { "crew" }, &n.to_string())).await;
    }
    world.post("/api/chat/teams", json!({"team": "cast", "members": ["alice"]})).await;
    let mut stream = world.stream_from("alice", Some(&last)).await;
    let ready = stream.event().await;
    assert_eq!((&*ready.name, &ready.id), ("ready", &Some(last.clone())));
    world.send(to_team("bob", "cast", "4")).await;
    let mut texts = Vec::new();
    for _ in 0..3 {
        texts.push(stream.message().await.data["message"].as_str().expect("a text").to_owned());
    }
    // What was said in a team before one came is history.
    assert_eq!(texts, ["1", "3", "4"]);
    // The query serves where no header can be set.
    let path = format!("/api/chat/stream?user=alice&last_event_id={last}");
    let mut by_query = Stream::open(&world.server, &path, &[("x-app-key", crate::world::KEY)]).await;
    assert_eq!(by_query.event().await.id, Some(last));
    assert_eq!(by_query.message().await.data["message"], "1");
}

/// S0-68: removals and edits while away, and a kill of the server in between.
#[tokio::test]
async fn s0_68_what_happened_while_away_is_told_as_it_is_now_even_after_a_restart() {
    let mut world = World::start().await;
    let bob = world.person("bob").await;
    let crew = bob.channel("crew", &[]).await;
    let mut stream = world.stream("bob").await;
    let kept = bob.say(&crew, "kept").await["_id"].clone();
    let last = stream.message().await.id.expect("an id");
    drop(stream);
    let gone = bob.say(&crew, "gone").await["_id"].clone();
    _ = bob.rest.post("chat.update", json!({"roomId": crew, "msgId": kept, "text": "changed"})).await.ok();
    _ = bob.rest.post("chat.delete", json!({"roomId": crew, "msgId": gone})).await.ok();
    world.server.restart().await;
    world.app = world.server.rest().header("x-app-key", crate::world::KEY);
    let mut stream = world.stream_from("bob", Some(&last)).await;
    let mut seen = Vec::new();
    for _ in 0..3 {
        let event = stream.event().await;
        seen.push((event.name, event.data["message"].as_str().unwrap_or_default().to_owned()));
    }
    assert_eq!(seen[0].0, "ready");
    assert_eq!(seen[1], ("message_edited".to_owned(), "changed".to_owned()));
    assert_eq!(seen[2], ("message_deleted".to_owned(), String::new()));
}

/// S0-40, S0-68: rooms that came and went while away are told, with what was said and read in those that came; nothing of
/// what was said in one that is gone.
#[tokio::test]
async fn s0_40_s0_68_rooms_that_came_and_went_while_away_are_told() {
    let world = World::start().await;
    let (ann, ben) = (world.person("ann").await, world.person("ben").await);
    let old = ann.group("old", &[&ben]).await;
    world.send(json!({"from_name": "ben", "message": "here"})).await;
    let mut stream = world.stream("ben").await;
    ann.say(&old, "before").await;
    let last = stream.message().await.id.expect("an id");
    drop(stream);
    ann.say(&old, "the secret").await;
    _ = ann.rest.post("groups.kick", json!({"roomId": old, "userId": ben.id})).await.ok();
    let new = ann.group("new", &[&ben]).await;
    ann.say(&new, "welcome").await;
    ben.rest.post("/api/chat/mark-read", json!({"room_id": new})).await.expect(200);
    let mut stream = world.stream_from("ben", Some(&last)).await;
    assert_eq!(stream.event().await.name, "ready");
    world.send(json!({"from_name": "ann", "message": "live"})).await;
    let mut told = Vec::new();
    loop {
        let event = stream.event().await;
        assert!(!event.data.to_string().contains("the secret"), "{}", event.data);
        let word = |key: &str| event.data[key].as_str().unwrap_or_default().to_owned();
        match &*event.name {
            "message" if event.data["message"] == "live" => break,
            "message" => told.push((word("message"), word("room_id"))),
            "read" => told.push(("read".to_owned(), word("room_id"))),
            "room" if word("action") != "updated" => {
                let id = event.data["room"]["id"].as_str().expect("an id");
                told.push((word("action"), id.to_owned()));
            }
            _ => {}
        }
    }
    let told: Vec<(&str, &str)> = told.iter().map(|(what, room)| (&**what, &**room)).collect();
    assert_eq!(told, [("removed", &*old), ("added", &*new), ("welcome", &*new), ("read", &*new)]);
}

/// S0-68: ids that were never given out.
#[tokio::test]
async fn s0_68_an_unknown_place_is_a_reset_and_the_stream_goes_on_live() {
    let world = World::start().await;
    world.send(to_team("alice", "crew", "x")).await;
    for id in ["nonsense", "999999999999", "-1", "1;2", &"9".repeat(64)] {
        let mut stream = world.stream_from("alice", Some(id)).await;
        assert_eq!(stream.event().await.name, "ready", "{id}");
        let reset = stream.event().await;
        assert_eq!(
            (&*reset.name, &reset.data),
            ("reset", &json!({"type": "reset", "reason": "unknown"})),
            "{id}"
        );
        assert!(reset.id.is_some());
        world.send(to_team("alice", "crew", id)).await;
        assert_eq!(stream.message().await.data["message"], id);
    }
}

/// S0-68: as much as may be missed is told; one more is too much. (The bound is 10,000 unless the operator sets another.)
#[tokio::test]
async fn s0_68_who_missed_too_much_is_told_to_begin_anew() {
    let setup = Server::setup().env("PARLOR_STREAM_MISSED", "20");
    let world = World::on(setup).await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice", "bob"]})).await;
    let mut stream = world.stream("alice").await;
    world.send(to_team("bob", "crew", "before")).await;
    let last = stream.message().await.id.expect("an id");
    drop(stream);
    for n in 0..20 {
        world.send(to_team("bob", "crew", &n.to_string())).await;
    }
    let mut stream = world.stream_from("alice", Some(&last)).await;
    assert_eq!(stream.event().await.name, "ready");
    for n in 0..20 {
        assert_eq!(stream.message().await.data["message"], n.to_string());
    }
    drop(stream);
    world.send(to_team("bob", "crew", "one more")).await;
    let mut stream = world.stream_from("alice", Some(&last)).await;
    assert_eq!(stream.event().await.name, "ready");
    assert_eq!(stream.event().await.data, json!({"type": "reset", "reason": "too_old"}));
    world.send(to_team("bob", "crew", "live")).await;
    assert_eq!(stream.message().await.data["message"], "live");
}

/// S0-43, S0-68: what others read is nothing that one missed; what one read oneself is.
#[tokio::test]
async fn s0_43_s0_68_what_others_read_is_not_missed() {
    let world = World::on(Server::setup().env("PARLOR_STREAM_MISSED", "10")).await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice", "bob", "carol"]})).await;
    let mut stream = world.stream("alice").await;
    world.send(to_team("bob", "crew", "before")).await;
    let last = stream.message().await.id.expect("an id");
    drop(stream);
    let room = room(&world.inbox("carol").await, "team", "crew")["id"].clone();
    let read = async |who: &str| {
        world.post("/api/chat/mark-read", json!({"username": who, "room_id": room})).await;
    };
    for n in 0..5 {
        world.send(to_team("bob", "crew", &n.to_string())).await;
        read("carol").await;
        read("bob").await;
    }
    read("alice").await;
    let mut stream = world.stream_from("alice", Some(&last)).await;
    assert_eq!(stream.event().await.name, "ready");
    for n in 0..5 {
        assert_eq!(stream.message().await.data["message"], n.to_string());
    }
    assert_eq!(stream.event().await.name, "read");
    drop(stream);
    for n in 5..10 {
        world.send(to_team("bob", "crew", &n.to_string())).await;
    }
    let mut stream = world.stream_from("alice", Some(&last)).await;
    assert_eq!(stream.event().await.name, "ready");
    assert_eq!(stream.event().await.name, "reset");
}

/// S0-68: a place is good for thirty days; then one begins anew, and a later place still is good.
#[tokio::test]
async fn s0_68_who_was_away_for_too_long_is_told_to_begin_anew() {
    let Some(clock) = faketime::Clock::start() else { return };
    let (month, hour) = (30 * 24 * 3600, 3600);
    let world = World::on(clock.given_to(Server::setup())).await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice", "bob"]})).await;
    let mut stream = world.stream("alice").await;
    world.send(to_team("bob", "crew", "before")).await;
    let first = stream.message().await.id.expect("an id");
    drop(stream);
    clock.set(month - hour);
    world.send(to_team("bob", "crew", "missed")).await;
    let mut stream = world.stream_from("alice", Some(&first)).await;
    assert_eq!(stream.event().await.name, "ready");
    let missed = stream.message().await;
    assert_eq!(missed.data["message"], "missed");
    drop(stream);
    clock.set(month + hour);
    let mut late = world.stream_from("alice", Some(&first)).await;
    assert_eq!(late.event().await.name, "ready");
    assert_eq!(late.event().await.data, json!({"type": "reset", "reason": "too_old"}));
    let mut stream = world.stream_from("alice", missed.id.as_deref()).await;
    assert_eq!(stream.event().await.name, "ready");
    world.send(to_team("bob", "crew", "live")).await;
    for stream in [&mut late, &mut stream] {
        assert_eq!(stream.message().await.data["message"], "live");
    }
}

/// S0-68, S0-78: cut at random moments while others write, with joins and leaves in between.
#[tokio::test]
async fn s0_68_s0_78_cut_at_random_a_stream_loses_nothing_and_repeats_nothing() {
    let world = World::start().await;
    let teams = ["one", "two", "three"];
    for team in teams {
        world.post("/api/chat/teams", json!({"team": team, "members": ["alice", "bob"]})).await;
    }
    let seed = std::env::var("PARLOR_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(7);
    let mut dice = Dice::new(seed);
    let total = 120;
    let (app, mut writer) = (world.app.clone(), Dice::new(seed + 1));
    // A stream without a place begins now: it must stand before the first word.
    let first = world.stream_from("alice", None).await;
    let writing = tokio::spawn(async move {
        for n in 0..total {
            let team = teams[writer.roll(3) as usize];
            let body = to_team("bob", team, &n.to_string());
            assert_eq!(app.post("/api/chat/send", body).await.status, 201);
        }
    });
    let (mut stream, mut last, mut heard) = (first, None::<String>, Vec::new());
    while heard.len() < total {
        for _ in 0..=dice.roll(12) {
            if heard.len() == total {
                break;
            }
            let event = wait::within("an event", stream.next()).await.expect("the stream goes on");
            last = event.id.clone().or(last);
            if event.name == "message" {
                heard.push((
                    event.data["room_id"].clone(),
                    event.data["seq"].as_i64(),
                    event.data["id"].clone(),
                ));
            }
            assert_ne!(event.name, "reset", "seed {seed}");
        }
        if heard.len() < total {
            stream = world.stream_from("alice", last.as_deref()).await;
        }
    }
    writing.await.expect("all are sent");
    let inbox = world.inbox("alice").await;
    for team in teams {
        let id = room(&inbox, "team", team)["id"].clone();
        let seqs: Vec<_> = heard.iter().filter(|(room, ..)| *room == id).map(|(_, seq, _)| *seq).collect();
        assert!(seqs.windows(2).all(|w| w[0] < w[1]), "in order, each once (seed {seed})");
    }
    let mut ids: Vec<String> = heard.iter().map(|(.., id)| id.to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), total, "seed {seed}");
}

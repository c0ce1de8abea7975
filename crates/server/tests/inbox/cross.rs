//! One message, all doors: what is sent, edited or removed through one is seen once, with the same id and in the same
//! order, through every other; and what is private through none.

use std::collections::HashSet;

use parlor_testkit::{Person, ddp::Ddp};
use serde_json::{Value, json};

use crate::{
    resume::Dice,
    sse::Stream,
    world::{World, texts},
};

/// Doors that a message can be sent by.
#[derive(Clone, Copy, Debug)]
enum By {
    RocketChatRest,
    RocketChatDdp,
    Inbox,
    Support,
}

const DOORS: [By; 4] = [By::RocketChatRest, By::RocketChatDdp, By::Inbox, By::Support];

/// Two members of a room who listen everywhere, and somebody who must hear nothing.
struct Stage {
    world: World,
    ann: Person,
    eve: Person,
    room: String,
    /// Ann's socket, for sending.
    ann_ddp: Ddp,
    ben_ddp: Ddp,
    ben_sse: Stream,
    eve_sse: Stream,
}

impl Stage {
    async fn set() -> Self {
        let world = World::start().await;
        let (ann, ben, eve) =
            (world.person("ann").await, world.person("ben").await, world.person("eve").await);
        let room = ann.group("cross", &[&ben]).await;
        // Eve is in general, where she hears what everybody hears.
        world.send(json!({ "from_name": "eve", "message": "here" })).await;
        let ann_ddp = ann.socket(&world.server).await;
        let mut ben_ddp = ben.socket(&world.server).await;
        ben_ddp.stream("room-messages", &room).await.expect("a member may listen");
        let (ben_sse, eve_sse) = (world.stream("ben").await, world.stream("eve").await);
        Self { world, ann, eve, room, ann_ddp, ben_ddp, ben_sse, eve_sse }
    }

    /// Ann says something through a door; the id that it got.
    async fn say(&mut self, by: By, text: &str) -> String {
        let room = self.room.clone();
        let id = match by {
            By::RocketChatRest => self.ann.say(&room, text).await["_id"].clone(),
            By::RocketChatDdp => {
                let params = json!([{ "rid": room, "msg": text }]);
                self.ann_ddp.method("sendMessage", params).await.expect("it is sent")["_id"].clone()
            }
            By::Inbox => {
                let body = json!({ "room_id": room, "message": text });
                self.ann.rest.post("/api/chat/send", body).await.body["message"]["id"].clone()
            }
            By::Support => {
                let path = format!("/api/conversations/{room}/messages");
                let answer = self.ann.rest.post(&path, json!({ "content": text })).await;
                assert!(answer.status < 300, "{}", answer.body);
                let body = &answer.body;
                [&body["message"]["id"], &body["data"]["id"], &body["id"]]
                    .into_iter()
                    .find(|id| id.is_string())
                    .unwrap_or_else(|| panic!("no id in {body}"))
                    .clone()
            }
        };
        id.as_str().unwrap_or_else(|| panic!("no id by {by:?}: {id}")).to_owned()
    }

    /// The next change of a message that Ben's socket hears.
    async fn by_ddp(&mut self) -> Value {
        let wanted = |frame: &Value| frame["collection"] == "stream-room-messages";
        let frame = self.ben_ddp.expect("a message", wanted).await;
        frame["fields"]["args"][0].clone()
    }

    /// The room's texts as each door lists them, oldest first.
    async fn lists(&self) -> Vec<Vec<(String, String)>> {
        let query = [("roomId", &*self.room), ("count", "100")];
        let history = self.ann.rest.get("groups.history", &query).await.ok();
        let mut plain: Vec<(String, String)> = history["messages"]
            .as_array()
            .expect("messages")
            .iter()
            .filter(|m| m.get("t").is_none())
            .map(|m| (word(&m["_id"]), word(&m["msg"])))
            .collect();
        plain.reverse();
        let inbox = self.world.read(&format!("/api/chat/inbox/ben?room_id={}", self.room)).await;
        let messages = inbox["rooms"][0]["messages"].as_array().expect("messages").clone();
        let inbox = messages
            .iter()
            .filter(|m| m["deleted"] == false)
            .map(|m| (word(&m["id"]), word(&m["message"])))
            .collect();
        vec![plain, inbox]
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or("?").to_owned()
}

/// S0-8, S0-26, S0-78: each door's message through each other door.
#[tokio::test]
async fn s0_8_s0_26_s0_78_a_message_of_each_door_is_seen_once_and_alike_by_the_others() {
    let mut stage = Stage::set().await;
    for by in DOORS {
        let text = format!("by {by:?}");
        let id = stage.say(by, &text).await;
        let (ddp, sse) = (stage.by_ddp().await, stage.ben_sse.message().await);
        assert_eq!((word(&ddp["_id"]), word(&ddp["msg"])), (id.clone(), text.clone()));
        assert_eq!((word(&sse.data["id"]), word(&sse.data["message"])), (id.clone(), text));
        let rid = stage.room.clone();
        let edit = json!({ "roomId": rid, "msgId": id, "text": "changed" });
        _ = stage.ann.rest.post("chat.update", edit).await.ok();
        let (ddp, sse) = (stage.by_ddp().await, stage.ben_sse.named("message_edited").await);
        assert_eq!((word(&ddp["_id"]), word(&ddp["msg"])), (id.clone(), "changed".to_owned()));
        assert_eq!((word(&sse.data["id"]), word(&sse.data["message"])), (id.clone(), "changed".to_owned()));
        _ = stage.ann.rest.post("chat.delete", json!({ "roomId": rid, "msgId": id })).await.ok();
        assert_eq!(word(&stage.ben_sse.named("message_deleted").await.data["id"]), id);
    }
    // What of a private room somebody else hears is nothing at all.
    stage.world.send(json!({ "from_name": "ann", "message": "to all" })).await;
    assert_eq!(stage.eve_sse.message().await.data["message"], "to all");
}

/// The messages that a stream tells up to this one, and those that it tells are removed.
async fn told_up_to(stream: &mut Stream, last: &str) -> (Vec<String>, Vec<String>) {
    let (mut made, mut gone) = (Vec::new(), Vec::new());
    while made.last().is_none_or(|id| id != last) {
        let event = stream.event().await;
        match &*event.name {
            "message" => made.push(word(&event.data["id"])),
            "message_deleted" => gone.push(word(&event.data["id"])),
            _ => {}
        }
    }
    (made, gone)
}

/// S0-68, S0-78: mixed at random, one order for all.
#[tokio::test]
async fn s0_68_s0_78_mixed_at_random_all_doors_show_one_order() {
    let mut stage = Stage::set().await;
    let seed = std::env::var("PARLOR_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(11);
    let mut dice = Dice::new(seed);
    let (mut made, mut standing): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let rid = stage.room.clone();
        let pick = dice.roll(standing.len().max(1) as u64) as usize;
        match dice.roll(6) {
            0 if !standing.is_empty() => {
                let body = json!({ "roomId": rid, "msgId": standing[pick], "text": format!("changed {n}") });
                _ = stage.ann.rest.post("chat.update", body).await.ok();
            }
            1 if !standing.is_empty() => {
                let body = json!({ "roomId": rid, "msgId": standing.remove(pick) });
                _ = stage.ann.rest.post("chat.delete", body).await.ok();
            }
            _ => {
                let by = DOORS[dice.roll(4) as usize];
                let id = stage.say(by, &format!("{n}")).await;
                made.push(id.clone());
                standing.push(id);
            }
        }
    }
    let last = stage.say(By::Inbox, "last").await;
    made.push(last.clone());
    standing.push(last.clone());
    let (by_sse, gone) = told_up_to(&mut stage.ben_sse, &last).await;
    let mut by_ddp: Vec<String> = Vec::new();
    while by_ddp.last() != Some(&last) {
        let id = word(&stage.by_ddp().await["_id"]);
        // Edits come by the same stream.
        if !by_ddp.contains(&id) {
            by_ddp.push(id);
        }
    }
    // Whatever was removed before it was told, by a stream that lags behind, is told as removed alone.
    let removed: HashSet<&String> = made.iter().filter(|id| !standing.contains(id)).collect();
    assert_eq!(
        (gone.iter().collect::<HashSet<_>>(), gone.len()),
        (removed.clone(), removed.len()),
        "seed {seed}"
    );
    let told: Vec<&String> = made.iter().filter(|id| !removed.contains(id) || by_sse.contains(id)).collect();
    assert_eq!(by_sse.iter().collect::<Vec<_>>(), told, "seed {seed}");
    by_ddp.retain(|id| made.contains(id));
    assert_eq!(by_ddp, made, "seed {seed}");
    for list in stage.lists().await {
        let ids: Vec<String> = list.into_iter().map(|(id, _)| id).collect();
        assert_eq!(ids, standing, "seed {seed}");
    }
}

/// S2-57, S0-40: a private room's text reaches no one outside, through any door, event or error.
#[tokio::test]
async fn s0_40_s2_57_private_text_reaches_nobody_outside_by_any_door_or_error() {
    const SECRET: &str = "the-secret-of-the-room";
    let mut stage = Stage::set().await;
    let id = stage.say(By::Inbox, SECRET).await;
    let case = stage.world.send(json!({ "from_name": "ann", "team": "support", "message": SECRET })).await;
    let case = word(&case["room"]["id"]);
    let eve = &stage.eve.rest;
    for room in [stage.room.clone(), case] {
        for path in [
            format!("/api/chat/inbox/eve?room_id={room}"),
            format!("/api/chat/inbox/ann?room_id={room}"),
            format!("/api/conversations/{room}"),
            format!("/api/conversations/{room}/messages"),
            format!("/api/v1/groups.history?roomId={room}"),
            format!("/api/v1/channels.history?roomId={room}"),
            format!("/api/v1/rooms.info?roomId={room}"),
            format!("/api/v1/chat.getMessage?msgId={id}"),
            format!("/api/v1/chat.search?roomId={room}&searchText=secret"),
            "/api/chat/inbox/eve".to_owned(),
            "/api/conversations".to_owned(),
            "/api/tickets".to_owned(),
        ] {
            let answer = eve.get(&path, &[]).await;
            assert!(answer.status < 500, "{path}: {}", answer.status);
            assert!(!String::from_utf8_lossy(&answer.bytes).contains(SECRET), "{path}");
        }
        for (path, body) in [
            ("/api/chat/send", json!({ "room_id": room, "message": "x", "reply_to_id": id })),
            ("/api/chat/send", json!({ "message": "x", "reply_to_id": id })),
            ("/api/chat/mark-read", json!({ "room_id": room })),
            ("/api/chat/mark-read", json!({ "message_id": id })),
            ("/api/v1/chat.update", json!({ "roomId": room, "msgId": id, "text": "x" })),
            ("/api/v1/chat.delete", json!({ "roomId": room, "msgId": id })),
            ("/api/v1/chat.react", json!({ "messageId": id, "emoji": "smile" })),
        ] {
            let answer = eve.post(path, body.clone()).await;
            assert!((400..500).contains(&answer.status), "{path} {body}: {}", answer.status);
            assert!(!String::from_utf8_lossy(&answer.bytes).contains(SECRET), "{path} {body}");
        }
    }
    stage.world.send(json!({ "from_name": "ann", "message": "to all" })).await;
    let heard = stage.eve_sse.message().await;
    assert_eq!(heard.data["message"], "to all", "the first that is heard outside");
    let general = stage.world.read("/api/chat/inbox/eve").await;
    assert!(texts(&general["rooms"][0]["messages"]).contains(&"to all"));
}

//! Each door beside each other, in each kind of room, with each verb.

use serde_json::{Value, json};

use super::{
    doors::{Door, Hands},
    ears::{Ear, Seen, ears},
    sio::Sio,
    sse::Stream,
    stage::{KINDS, Kind, Stage, TICKET},
    support::Socket,
};

async fn all_hear(ears: &mut [Ear], seen: &Seen) {
    for ear in ears {
        ear.expect(seen).await;
    }
}

/// S0-1, S0-5, S0-8, S2-5, S3-2, S4-4, S4-40, S4-50: whatever is said, changed, removed, read or typed through one door is
/// heard once, with the same id and in the same order, through every other; and read in the same order afterwards. Whoever
/// may not see the room hears nothing of it, by any of them.
async fn each_door_beside_each_other(kind: Kind) {
    let stage = Stage::set(kind).await;
    let mut eve = Eve::listens(&stage).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    let mut ears = ears(&stage, &stage.ben).await;
    let mut standing = Vec::new();
    for door in Door::of(kind, |_| true) {
        let said = format!("by {door:?}");
        let id = ann.send(door, &said).await;
        all_hear(&mut ears, &Seen::sent(&id, &said)).await;
        if !door.changes() {
            standing.push((id, said));
            continue;
        }
        let said = format!("changed by {door:?}");
        ann.edit(door, &id, &said).await;
        all_hear(&mut ears, &Seen::edited(&id, &said)).await;
        let other = ann.send(door, "to go").await;
        all_hear(&mut ears, &Seen::sent(&other, "to go")).await;
        ann.delete(door, &other).await;
        all_hear(&mut ears, &Seen::Deleted { id: other }).await;
        standing.push((id, said));
    }
    let who = || "u-ann".to_owned();
    for door in Door::of(kind, Door::types) {
        for on in [true, false] {
            ann.typing(door, on).await;
            all_hear(&mut ears, &Seen::Typing { who: who(), on }).await;
        }
    }
    let mut ben = Hands::of(&stage, &stage.ben).await;
    let mut own = Own::of(&stage).await;
    for door in Door::of(kind, Door::reads) {
        let said = format!("read me by {door:?}");
        let id = ben.send(door, &said).await;
        all_hear(&mut ears, &Seen::sent(&id, &said)).await;
        let unread = stage.unread(&stage.ann).await;
        assert!(unread.iter().all(|(_, unread)| *unread == 1), "before {door:?}: {unread:?}");
        own.subscription(true).await;
        ann.read(door).await;
        all_hear(&mut ears, &Seen::Read { who: who() }).await;
        let unread = stage.unread(&stage.ann).await;
        assert!(unread.iter().all(|(_, unread)| *unread == 0), "after {door:?}: {unread:?}");
        own.hears_reading().await;
        standing.push((id, said));
    }
    for (door, list) in stage.lists(&stage.ben).await {
        let from = list.len() - standing.len();
        assert_eq!(list[from..], standing, "{door} in a {kind:?}");
    }
    if kind != Kind::Channel {
        eve.heard_nothing(&stage, &standing).await;
    }
}

/// Ann's own ears: the inbox and DDP tell of reading to the reader alone.
struct Own {
    stream: Stream,
    ddp: parlor_testkit::Ddp,
    room: String,
}

impl Own {
    const KEY: &str = "u-ann/subscriptions-changed";

    async fn of(stage: &Stage) -> Self {
        let bearer = format!("Bearer {}", stage.ann.token);
        let mut stream = Stream::open(&stage.server, "/api/chat/stream", &[("authorization", &bearer)]).await;
        assert_eq!(stream.event().await.name, "ready");
        let mut ddp = parlor_testkit::Ddp::connect(&stage.server).await;
        ddp.resume(&stage.ann.token).await.expect("let in");
        ddp.stream("notify-user", Self::KEY).await.expect("her own");
        Self { stream, ddp, room: stage.room.clone() }
    }

    /// The next word of her subscription that says that there is, or is not, anything new.
    async fn subscription(&mut self, anything: bool) {
        let is = |args: &Value| args[1]["rid"] == self.room.as_str() && args[1]["alert"] == anything;
        self.ddp.event_where("notify-user", Self::KEY, is).await;
        // What came before is past.
        self.ddp.take_events("notify-user", Self::KEY);
    }

    async fn hears_reading(&mut self) {
        let told = self.stream.named("read").await.data;
        let of = (&told["username"], &told["room_id"], &told["unread"]);
        assert_eq!(of, (&json!("ann"), &json!(self.room), &json!(0)));
        self.subscription(false).await;
    }
}

/// An outsider on every live door: with whatever is her own to listen to, and refused what is not.
struct Eve {
    stream: Stream,
    ddp: parlor_testkit::Ddp,
    support: Socket,
    sockets: Vec<Sio>,
}

impl Eve {
    async fn listens(stage: &Stage) -> Self {
        let (server, room, token) = (&stage.server, stage.room.as_str(), &stage.eve.token);
        let bearer = format!("Bearer {token}");
        let mut stream = Stream::open(server, "/api/chat/stream", &[("authorization", &bearer)]).await;
        assert_eq!(stream.event().await.name, "ready");
        let mut ddp = parlor_testkit::Ddp::connect(server).await;
        ddp.resume(token).await.expect("let in");
        for (own, of) in [
            ("room-messages", "__my_messages__"),
            ("notify-user", "u-eve/rooms-changed"),
            ("notify-user", "u-eve/subscriptions-changed"),
            ("notify-user", "u-eve/message"),
            ("notify-user", "u-eve/notification"),
        ] {
            ddp.stream(own, of).await.expect("her own");
        }
        let mut sockets = Vec::new();
        for _ in 0..2 {
            sockets.push(Sio::enter(server, json!({"token": token})).await.expect("let in"));
        }
        let mut support = Socket::open(server, &format!("?token={token}")).await;
        let _ = support.event("connected").await;
        if stage.kind != Kind::Channel {
            for (theirs, of) in [
                ("room-messages", room.to_owned()),
                ("notify-room", format!("{room}/user-activity")),
                ("notify-room", format!("{room}/deleteMessage")),
                ("notify-room", format!("{room}/messagesRead")),
            ] {
                assert!(ddp.stream(theirs, &of).await.is_err(), "{of}");
            }
            sockets[0].refused("join_room", json!({"room_id": room}), "not_found").await;
            sockets[1].refused("join_ticket", json!({"ticketId": TICKET}), "not_found").await;
            support.refused("join_conversation", json!({"conversation_id": room}), "not_found").await;
        }
        Self { stream, ddp, support, sockets }
    }

    /// Nothing that came to her by any door names the room or anybody's words in it.
    async fn heard_nothing(&mut self, stage: &Stage, words: &[(String, String)]) {
        let is_foreign = |told: &str| {
            let theirs = |(id, said): &(String, String)| told.contains(id) || told.contains(said);
            told.contains(&stage.room) || words.iter().any(theirs)
        };
        stage.eve.rest.post("/api/chat/send", json!({"message": "fence"})).await.expect(201);
        loop {
            let told = self.stream.event().await;
            assert!(!is_foreign(&told.data.to_string()), "{told:?}");
            if told.data["message"] == "fence" {
                break;
            }
        }
        let frames = self.support.rest().await;
        assert!(frames.iter().all(|frame| !is_foreign(&frame.to_string())), "{frames:?}");
        for socket in &mut self.sockets {
            let heard = socket.everything().await;
            assert!(heard.iter().all(|heard| !is_foreign(&format!("{heard:?}"))), "{heard:?}");
        }
        let of_fence = |args: &Value| args[0]["msg"] == "fence";
        self.ddp.event_where("room-messages", "__my_messages__", of_fence).await;
        self.ddp.barrier().await;
        for frame in self.ddp.kept() {
            assert!(!is_foreign(&frame.to_string()), "{frame}");
        }
    }
}

#[tokio::test]
async fn s0_5_s0_8_s0_80_in_a_channel() {
    each_door_beside_each_other(Kind::Channel).await;
}

#[tokio::test]
async fn s3_2_in_a_group() {
    each_door_beside_each_other(Kind::Group).await;
}

#[tokio::test]
async fn in_a_direct_room() {
    each_door_beside_each_other(Kind::Direct).await;
}

#[tokio::test]
async fn s2_5_in_a_case() {
    each_door_beside_each_other(Kind::Case).await;
}

#[tokio::test]
async fn s4_4_s4_40_s4_50_in_a_ticket() {
    each_door_beside_each_other(Kind::Ticket).await;
}

/// The table says which doors meet where: all of them in tickets, all but the tickets doors elsewhere.
#[test]
fn every_kind_of_room_has_its_doors() {
    for kind in KINDS {
        let doors = Door::of(kind, |_| true).count();
        assert_eq!(doors, if kind == Kind::Ticket { 8 } else { 6 }, "{kind:?}");
    }
}

//! Who comes and goes, as a member and with a live connection, through each door that has a word for it.

use parlor_testkit::HostPerson;
use serde_json::{Value, json};

use super::{
    doors::{rooms_socket, support_socket, ticket_socket},
    ears::{Seen, ears},
    sio::{Heard, Sio},
    sse::Stream,
    stage::{Kind, Stage, TICKET, text},
    support::Socket,
};

/// By which door somebody is brought in and put out.
#[derive(Clone, Copy, Debug)]
pub enum By {
    RocketRest,
    RocketDdp,
    Inbox,
    Rooms,
    Support,
    Tickets,
}

pub async fn bring(stage: &Stage, by: By, dee: &HostPerson) {
    let (room, rest) = (&stage.room, &stage.ann.rest);
    match by {
        By::RocketRest => {
            rest.post("groups.invite", json!({"roomId": room, "userId": dee.id})).await.expect(200);
        }
        By::RocketDdp => {
            let mut ddp = parlor_testkit::Ddp::connect(&stage.server).await;
            ddp.resume(&stage.ann.token).await.expect("let in");
            let params = json!([{"rid": room, "users": ["dee"]}]);
            ddp.method("addUsersToRoom", params).await.expect("added");
        }
        By::Inbox => {
            let path = format!("/api/chat/groups/{room}/members");
            rest.post(&path, json!({"members": ["dee"]})).await.expect(200);
        }
        By::Rooms => {
            let path = format!("/api/chat/rooms/{room}/members/{}", dee.id);
            rest.post(&path, json!({})).await.expect(201);
        }
        By::Support => {
            let path = format!("/api/conversations/{room}/participants");
            stage.ben.rest.post(&path, json!({"user_id": dee.id})).await.expect(200);
        }
        By::Tickets => {
            let facts = json!({"assignees": ["u-ben", "u-cy", dee.id]});
            stage.app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(200);
        }
    }
}

pub async fn put_out(stage: &Stage, by: By, dee: &HostPerson) {
    let (room, rest) = (&stage.room, &stage.ann.rest);
    match by {
        By::RocketRest => {
            rest.post("groups.kick", json!({"roomId": room, "userId": dee.id})).await.expect(200);
        }
        By::RocketDdp => {
            let mut ddp = parlor_testkit::Ddp::connect(&stage.server).await;
            ddp.resume(&stage.ann.token).await.expect("let in");
            let params = json!([{"rid": room, "username": "dee"}]);
            ddp.method("removeUserFromRoom", params).await.expect("removed");
        }
        // These contracts have no word for it: she leaves by herself, through another door.
        By::Inbox | By::Support => {
            dee.rest.post("groups.leave", json!({"roomId": room})).await.expect(200);
        }
        By::Rooms => {
            let path = format!("/api/chat/rooms/{room}/members/{}", dee.id);
            rest.remove(&path).await.expect(200);
        }
        By::Tickets => {
            let facts = json!({"assignees": ["u-ben", "u-cy"]});
            stage.app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(200);
        }
    }
}

/// Whether each door shows her among the members.
pub async fn is_member(stage: &Stage) -> Vec<(&'static str, bool)> {
    let (room, rest) = (&stage.room, &stage.ben.rest);
    let has = |list: &Value, key: &str, is: &str| {
        list.as_array().is_some_and(|all| all.iter().any(|one| one[key] == is || *one == is))
    };
    let members = if stage.kind == Kind::Channel { "channels.members" } else { "groups.members" };
    let rocket = rest.get(members, &[("roomId", room)]).await.expect(200);
    let support = rest.get(&format!("/api/conversations/{room}"), &[]).await.expect(200);
    let rooms = rest.get(&format!("/api/chat/rooms/{room}"), &[]).await.expect(200);
    let mut all = vec![
        ("rocketchat", has(&rocket["members"], "_id", "u-dee")),
        ("support", has(&support["conversation"]["participants"], "", "u-dee")),
        ("rooms", has(&rooms["members"], "user_id", "u-dee")),
    ];
    if stage.kind == Kind::Ticket {
        let path = format!("/api/tickets/{TICKET}/chat/participants");
        let tickets = rest.get(&path, &[]).await.expect(200);
        all.push(("tickets", has(&tickets["participants"], "userId", "u-dee")));
    }
    all
}

/// What those hear who are there, and she herself.
struct Audience {
    dee: HostPerson,
    dee_stream: Stream,
    dee_ddp: parlor_testkit::Ddp,
    ben_rooms: Sio,
    ben_support: Socket,
}

impl Audience {
    async fn of(stage: &Stage) -> Self {
        let dee = parlor_testkit::HostApp::person(&stage.server, "u-dee", &["USER"]).await;
        let bearer = format!("Bearer {}", dee.token);
        let mut dee_stream =
            Stream::open(&stage.server, "/api/chat/stream", &[("authorization", &bearer)]).await;
        assert_eq!(dee_stream.event().await.name, "ready");
        let mut dee_ddp = parlor_testkit::Ddp::connect(&stage.server).await;
        dee_ddp.resume(&dee.token).await.expect("let in");
        dee_ddp.stream("notify-user", "u-dee/subscriptions-changed").await.expect("her own");
        let ben_rooms = rooms_socket(&stage.server, &stage.ben, &stage.room).await;
        let ben_support = support_socket(&stage.server, &stage.ben, &stage.room).await;
        Self { dee, dee_stream, dee_ddp, ben_rooms, ben_support }
    }

    async fn hear(&mut self, stage: &Stage, came: bool, by: Value) {
        let room = stage.room.as_str();
        let action = if came { "added" } else { "removed" };
        let told = loop {
            let told = self.dee_stream.named("room").await.data;
            // The room where everybody comes may still be on its way.
            if told["action"] != "updated" && told["room"]["id"] != "GENERAL" {
                break told;
            }
        };
        assert_eq!((&told["action"], &told["room"]["id"]), (&json!(action), &json!(room)));
        let wanted = if came { "inserted" } else { "removed" };
        let is = |args: &Value| args[0] == wanted && args[1]["rid"] == room;
        self.dee_ddp.event_where("notify-user", "u-dee/subscriptions-changed", is).await;
        // Tickets have no word for it among the personal events of rooms.
        if stage.kind != Kind::Ticket {
            let name = if came { "member_added" } else { "member_removed" };
            let told = self.ben_rooms.event(name).await;
            assert_eq!((&told["room_id"], &told["user_id"]), (&json!(room), &json!("u-dee")));
            assert_eq!(told[if came { "added_by" } else { "removed_by" }], by);
        }
        if stage.kind == Kind::Case {
            let action = if came { "participant_added" } else { "participant_removed" };
            let told = self.ben_support.event("conversation_updated").await;
            assert_eq!((&told["action"], &told["conversation"]["id"]), (&json!(action), &json!(room)));
        }
    }
}

/// The doors by which somebody comes in and goes: brought and put out by others, into a channel and out of it alone.
pub fn doors(kind: Kind) -> &'static [By] {
    match kind {
        Kind::Channel => &[By::RocketRest, By::RocketDdp, By::Inbox, By::Rooms, By::Support],
        Kind::Group => &[By::RocketRest, By::RocketDdp, By::Inbox, By::Rooms],
        Kind::Case => &[By::Support],
        Kind::Ticket => &[By::Tickets],
        Kind::Direct => &[],
    }
}

async fn comes_and_goes(kind: Kind) {
    let stage = Stage::set(kind).await;
    let mut audience = Audience::of(&stage).await;
    for &by in doors(kind) {
        bring(&stage, by, &audience.dee).await;
        let author = if matches!(by, By::Support) { "u-ben" } else { "u-ann" };
        audience.hear(&stage, true, json!(author)).await;
        for (door, there) in is_member(&stage).await {
            assert!(there, "brought in by {by:?}, seen by {door}");
        }
        put_out(&stage, by, &audience.dee).await;
        let author = if matches!(by, By::Support | By::Inbox) { "u-dee" } else { "u-ann" };
        audience.hear(&stage, false, json!(author)).await;
        for (door, there) in is_member(&stage).await {
            assert!(!there, "put out by {by:?}, seen by {door}");
        }
        let path = format!("/api/chat/rooms/{}/messages", stage.room);
        audience.dee.rest.get(&path, &[]).await.problem(404, "not_found");
    }
}

/// S3-17, S3-18, S3-46, S3-47, S0-46, S0-50: a member who comes or goes by one door does so for all of them; who did it is told.
#[tokio::test]
async fn s0_46_s0_50_s3_17_s3_18_s3_46_s3_47_a_member_of_a_group_comes_and_goes_by_each_door() {
    comes_and_goes(Kind::Group).await;
}

/// By oneself: into a channel that everybody may read, and out of it.
pub async fn join(stage: &Stage, by: By, dee: &HostPerson) {
    let room = &stage.room;
    match by {
        By::RocketRest => {
            dee.rest.post("channels.join", json!({"roomId": room})).await.expect(200);
        }
        By::RocketDdp => {
            let mut ddp = parlor_testkit::Ddp::connect(&stage.server).await;
            ddp.resume(&dee.token).await.expect("let in");
            ddp.method("joinRoom", json!([room])).await.expect("joined");
        }
        // Speaking is joining.
        By::Inbox => {
            dee.rest.post("/api/chat/send", json!({"team": "all", "message": "here"})).await.expect(201);
        }
        By::Rooms => {
            let said = json!({"room_id": room, "content": "here"});
            dee.rest.post("/api/chat/messages", said).await.expect(201);
        }
        By::Support => {
            let path = format!("/api/conversations/{room}/messages");
            dee.rest.post(&path, json!({"content": "here"})).await.expect(201);
        }
        By::Tickets => panic!("{by:?} has no joining"),
    }
}

pub async fn leave(stage: &Stage, by: By, dee: &HostPerson) {
    let room = &stage.room;
    match by {
        By::RocketDdp => {
            let mut ddp = parlor_testkit::Ddp::connect(&stage.server).await;
            ddp.resume(&dee.token).await.expect("let in");
            ddp.method("leaveRoom", json!([room])).await.expect("left");
        }
        // The others have no word for it.
        _ => {
            dee.rest.post("channels.leave", json!({"roomId": room})).await.expect(200);
        }
    }
}

/// S0-39, S1-35, S2-17, S3-46, S3-47: whoever joins a channel or leaves it by one door has done so for all of them.
#[tokio::test]
async fn s0_39_s3_37_s3_38_whoever_joins_or_leaves_by_one_door_does_so_by_all() {
    let stage = Stage::set(Kind::Channel).await;
    let mut audience = Audience::of(&stage).await;
    for &by in doors(Kind::Channel) {
        join(&stage, by, &audience.dee).await;
        audience.hear(&stage, true, json!("u-dee")).await;
        for (door, there) in is_member(&stage).await {
            assert!(there, "joined by {by:?}, seen by {door}");
        }
        leave(&stage, by, &audience.dee).await;
        audience.hear(&stage, false, json!("u-dee")).await;
        for (door, there) in is_member(&stage).await {
            assert!(!there, "left by {by:?}, seen by {door}");
        }
    }
}

/// S2-8, S2-42: the same of cases.
#[tokio::test]
async fn s2_8_s2_42_a_participant_of_a_case_comes_and_goes() {
    comes_and_goes(Kind::Case).await;
}

/// S4-35, S4-52: the same of tickets, by their facts.
#[tokio::test]
async fn s4_35_s4_52_a_person_of_a_ticket_comes_and_goes() {
    comes_and_goes(Kind::Ticket).await;
}

/// S3-37, S3-38, S4-28, S4-29, S4-41: whoever has the room open is counted over all live doors: told when the first connection
/// comes and when the last one goes, whichever doors they use.
#[tokio::test]
async fn s3_37_s3_38_s4_28_s4_29_s4_41_a_user_is_here_from_the_first_connection_to_the_last() {
    let stage = Stage::set(Kind::Ticket).await;
    let mut ears = ears(&stage, &stage.ben).await;
    let mut hear = async |here: bool| {
        for ear in &mut ears {
            ear.expect(&Seen::Here { who: "u-ann".to_owned(), here }).await;
        }
    };
    let (server, ann, room) = (&stage.server, &stage.ann, stage.room.as_str());
    let mut support = support_socket(server, ann, room).await;
    hear(true).await;
    let rooms = rooms_socket(server, ann, room).await;
    let tickets = ticket_socket(server, ann).await;
    support.done("leave_conversation", json!({"conversation_id": room})).await;
    let participants = format!("/api/tickets/{TICKET}/chat/participants");
    let told = stage.ben.rest.get(&participants, &[]).await.expect(200);
    let seat = told["participants"].as_array().and_then(|all| all.iter().find(|p| p["userId"] == "u-ann"));
    assert_eq!(seat.map(|seat| seat["inRoom"].clone()), Some(json!(true)));
    drop(rooms);
    drop(tickets);
    hear(false).await;
    // It counts anew, and again for each joining once.
    for _ in 0..2 {
        support.done("join_conversation", json!({"conversation_id": room})).await;
    }
    hear(true).await;
    drop(support);
    hear(false).await;
    // By each of the other doors alone: a word ends it, and so does a cut.
    let mut socket = rooms_socket(server, ann, room).await;
    hear(true).await;
    socket.grant("leave_room", json!({"room_id": room})).await;
    hear(false).await;
    socket.grant("join_ticket", json!({"ticketId": TICKET})).await;
    hear(true).await;
    socket.grant("leave_ticket", json!({"ticketId": TICKET})).await;
    hear(false).await;
    // Both at once on one connection are one; left in one form, it is there in the other.
    socket.grant("join_ticket", json!({"ticketId": TICKET})).await;
    hear(true).await;
    socket.grant("join_room", json!({"room_id": room})).await;
    socket.grant("leave_ticket", json!({"ticketId": TICKET})).await;
    drop(socket);
    hear(false).await;
}

/// S3-46: whoever is brought into a large group is told to all of its members, and with who did it; the list of members is
/// left out where it would be long.
#[tokio::test]
async fn s3_46_members_of_large_rooms_are_told_too() {
    let stage = Stage::set(Kind::Group).await;
    let mut crowd = Vec::new();
    for n in 0..55 {
        let body = json!({"username": format!("n{n}")});
        stage.app.put(&format!("/api/users/u-n{n}"), body).await.expect(201);
        crowd.push(format!("u-n{n}"));
    }
    let made = json!({"room_type": "group", "name": "crowd", "member_ids": crowd});
    let made = stage.ann.rest.post("/api/chat/rooms", made).await.expect(201);
    let room = text(&made["id"]);
    stage.ann.rest.post(&format!("/api/chat/rooms/{room}/members/u-ben"), json!({})).await.expect(201);
    let mut ben = Sio::enter(&stage.server, json!({"token": stage.ben.token})).await.expect("let in");
    stage.ann.rest.post(&format!("/api/chat/rooms/{room}/members/u-cy"), json!({})).await.expect(201);
    let told = loop {
        match ben.next().await {
            // His own coming may be told still.
            Heard::Event(name, told) if name == "member_added" && told["user_id"] == "u-cy" => break told,
            Heard::Event(..) => {}
            over => panic!("{over:?}"),
        }
    };
    assert_eq!((&told["user_id"], &told["added_by"]), (&json!("u-cy"), &json!("u-ann")));
    assert_eq!((&told["room"]["member_count"], told["room"].get("members")), (&json!(58), None));
}

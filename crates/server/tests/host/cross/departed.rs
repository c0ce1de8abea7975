//! Whoever is no longer of a room reads and hears nothing of it, through any door, by any address, nor by coming back to a
//! place before.

use parlor_testkit::{Ddp, HostPerson, rest::answer};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    doors::{Door, Hands, rooms_socket, support_socket, ticket_socket},
    sio::Sio,
    sse::Stream,
    stage::{Kind, Stage, TICKET, text},
    support::Socket,
};

const SECRET: &str = "the-secret-of-those-who-stayed";
const MARK: &str = "the-mark-that-everybody-hears";

/// Everything that somebody listens with.
struct Listening {
    stream: Stream,
    support: Socket,
    sockets: Vec<Sio>,
    ddp: Ddp,
}

impl Listening {
    async fn of(stage: &Stage, who: &HostPerson) -> Self {
        let (server, room) = (&stage.server, &stage.room);
        let mut ddp = Ddp::connect(server).await;
        ddp.resume(&who.token).await.expect("let in");
        for (stream, of) in
            [("room-messages", room.clone()), ("notify-room", format!("{room}/deleteMessage"))]
        {
            ddp.stream(stream, &of).await.expect("a member may listen");
        }
        let mut sockets = vec![rooms_socket(server, who, room).await];
        if stage.kind == Kind::Ticket {
            sockets.push(ticket_socket(server, who).await);
        }
        let support = support_socket(server, who, room).await;
        Self { stream: stream(stage, who, None).await, support, sockets, ddp }
    }

    /// What came up to now holds nothing of it.
    async fn heard_nothing(&mut self) {
        let frames = self.support.rest().await;
        assert!(frames.iter().all(|frame| !frame.to_string().contains(SECRET)), "{frames:?}");
        for socket in &mut self.sockets {
            let heard = socket.rest().await;
            let spoke =
                ["new_message", "message_edited", "message_updated", "message_deleted", "user_typing"];
            assert!(heard.iter().all(|name| !spoke.contains(&name.as_str())), "{heard:?}");
        }
        self.ddp.barrier().await;
        for frame in self.ddp.kept() {
            assert!(!frame.to_string().contains(SECRET), "{frame}");
        }
        to_the_mark(&mut self.stream).await;
    }
}

async fn stream(stage: &Stage, who: &HostPerson, last: Option<&str>) -> Stream {
    let bearer = format!("Bearer {}", who.token);
    let mut headers = vec![("authorization", bearer.as_str())];
    headers.extend(last.map(|last| ("last-event-id", last)));
    let mut stream = Stream::open(&stage.server, "/api/chat/stream", &headers).await;
    assert_eq!(stream.event().await.name, "ready");
    stream
}

/// Reads on until what everybody hears.
async fn to_the_mark(stream: &mut Stream) {
    loop {
        let event = stream.event().await;
        assert!(!event.data.to_string().contains(SECRET), "{}", event.data);
        if event.data["message"] == MARK {
            return;
        }
    }
}

/// A file of the room as this person sees it: its message and its address.
async fn file(stage: &Stage, who: &HostPerson) -> (String, String) {
    let bytes: &[u8] = b"what only those in the room may read";
    let ann = &stage.ann.rest;
    let stored =
        ann.upload("/api/chat/upload", "file", ("note.txt", "text/plain", bytes), &[]).await.expect(201);
    let body = json!({"room_id": stage.room, "message_type": "file", "media_id": stored["id"]});
    let id = text(&ann.post("/api/chat/messages", body).await.expect(201)["id"]);
    let seen = who.rest.get(&format!("/api/chat/messages/{id}"), &[]).await.expect(200);
    let url = text(&seen["media_url"]);
    (id, url[url.find("/api/").expect("a path")..].to_owned())
}

async fn put_out(stage: &Stage) {
    match stage.kind {
        Kind::Ticket => {
            let facts = json!({"assignees": ["u-ben"]});
            stage.app.put(&format!("/api/tickets/{TICKET}"), facts).await.expect(200);
        }
        // By himself: this contract has no word for it.
        Kind::Case => {
            let leave = json!({"roomId": stage.room});
            drop(stage.cy.rest.post("groups.leave", leave).await.expect(200));
        }
        _ => {
            let path = format!("/api/chat/rooms/{}/members/u-cy", stage.room);
            stage.ann.rest.remove(&path).await.expect(200);
        }
    }
}

/// Asks for it by every path.
async fn reads_nothing(stage: &Stage, who: &HostPerson, id: &str) {
    let room = &stage.room;
    for path in [
        format!("/api/chat/inbox/cy?room_id={room}"),
        format!("/api/chat/rooms/{room}"),
        format!("/api/chat/rooms/{room}/messages"),
        format!("/api/chat/rooms/{room}/presence"),
        format!("/api/chat/rooms/{room}/pinned"),
        format!("/api/chat/rooms/{room}/export"),
        format!("/api/chat/messages/{id}"),
        format!("/api/chat/messages/{id}/receipts"),
        format!("/api/chat/messages/{id}/thread"),
        format!("/api/chat/search?q={SECRET}&room_id={room}"),
        format!("/api/chat/thread/cy?message_id={id}"),
        format!("/api/chat/pinned/cy?room_id={room}"),
        format!("/api/conversations/{room}"),
        format!("/api/conversations/{room}/messages"),
        format!("/api/tickets/{TICKET}"),
        format!("/api/tickets/{TICKET}/chat"),
        format!("/api/tickets/{TICKET}/chat/participants"),
    ] {
        who.rest.get(&path, &[]).await.problem(404, "not_found");
    }
    for path in [
        "/api/chat/inbox/cy".to_owned(),
        "/api/chat/rooms".to_owned(),
        "/api/conversations".to_owned(),
        "/api/tickets".to_owned(),
        format!("/api/chat/search?q={SECRET}"),
        format!("/api/chat/search/cy?q={SECRET}"),
        format!("/api/v1/groups.history?roomId={room}"),
        format!("/api/v1/chat.getMessage?msgId={id}"),
        format!("/api/v1/chat.search?roomId={room}&searchText=secret"),
        "/api/v1/rooms.get".to_owned(),
        "/api/v1/subscriptions.get".to_owned(),
    ] {
        let told = who.rest.get(&path, &[]).await;
        assert!(
            told.status < 500 && !told.text().contains(SECRET),
            "{path}: {} {}",
            told.status,
            told.text()
        );
    }
}

/// Acts on it by every socket.
async fn acts_on_nothing(stage: &Stage, listening: &mut Listening, id: &str) {
    let room = &stage.room;
    let at = json!({"conversation_id": room});
    for (kind, more) in [
        ("join_conversation", json!({})),
        ("get_conversation_messages", json!({})),
        ("send_chat_message", json!({"content": "still here?"})),
        ("mark_message_read", json!({})),
        ("get_presence", json!({})),
    ] {
        let mut data = at.clone();
        merge(&mut data, more);
        let refused = listening.support.refused(kind, data, "not_found").await;
        assert!(!refused.to_string().contains(SECRET), "{refused}");
    }
    for (event, payload) in [
        ("join_room", json!({"room_id": room, "after": id})),
        ("send_message", json!({"room_id": room, "content": "still here?"})),
        ("send_message", json!({"room_id": room, "message_id": id})),
        ("message_edited", json!({"message_id": id})),
        ("message_deleted", json!({"message_id": id})),
        ("mark_as_read", json!({"room_id": room, "message_ids": [id]})),
        ("typing", json!({"room_id": room, "is_typing": true})),
        ("join_ticket", json!({"ticketId": TICKET})),
        ("send_message", json!({"ticketId": TICKET, "message": "still here?"})),
        ("typing_start", json!({"ticketId": TICKET})),
    ] {
        let refused = listening.sockets[0].refused(event, payload, "not_found").await;
        assert!(!refused.to_string().contains(SECRET), "{refused}");
    }
}

fn merge(into: &mut Value, more: Value) {
    if let (Some(into), Value::Object(more)) = (into.as_object_mut(), more) {
        into.extend(more);
    }
}

async fn leaves_everything_behind(kind: Kind) {
    let stage = Stage::set(kind).await;
    let cy = stage.cy.clone();
    if kind == Kind::Case {
        let path = format!("/api/conversations/{}/participants", stage.room);
        stage.ben.rest.post(&path, json!({"user_id": "u-cy"})).await.expect(200);
    }
    let mut listening = Listening::of(&stage, &cy).await;
    let (id, address) = file(&stage, &cy).await;
    let nobody = stage.server.rest();
    let fetch = || answer(nobody.request(Method::GET, &address));
    assert_eq!(fetch().await.status, 200, "a member's address is good");
    let place = listening.stream.message().await.id.expect("a place");
    // Whatever a member hears of it has come.
    for socket in &mut listening.sockets {
        socket.event("new_message").await;
    }
    listening.support.event("new_message").await;

    put_out(&stage).await;
    let mut ann = Hands::of(&stage, &stage.ann).await;
    for door in Door::of(kind, |_| true) {
        ann.send(door, &format!("{SECRET} by {door:?}")).await;
    }
    ann.edit(Door::RoomsRest, &id, SECRET).await;
    ann.typing(Door::RoomsSocket, true).await;
    stage.ann.rest.post("/api/chat/send", json!({"message": MARK})).await.expect(201);

    listening.heard_nothing().await;
    let mut again = stream(&stage, &cy, Some(&place)).await;
    to_the_mark(&mut again).await;
    fetch().await.problem(404, "not_found");
    let bare = address.split('?').next().unwrap_or_default();
    cy.rest.get(bare, &[]).await.problem(404, "not_found");
    reads_nothing(&stage, &cy, &id).await;
    acts_on_nothing(&stage, &mut listening, &id).await;
}

/// S2-57, S3-70, S3-71, S0-40: who was put out of a group.
#[tokio::test]
async fn s0_40_s2_57_s3_70_s3_71_whoever_is_put_out_of_a_group_reads_and_hears_nothing_of_it() {
    leaves_everything_behind(Kind::Group).await;
}

/// S2-57, S2-72: who took part in a case and left.
#[tokio::test]
async fn s2_57_s2_72_whoever_left_a_case_reads_and_hears_nothing_of_it() {
    leaves_everything_behind(Kind::Case).await;
}

/// S4-46, S4-52, S4-53: whom a ticket's facts name no more.
#[tokio::test]
async fn s4_46_s4_52_s4_53_whom_a_ticket_names_no_more_reads_and_hears_nothing_of_it() {
    leaves_everything_behind(Kind::Ticket).await;
}

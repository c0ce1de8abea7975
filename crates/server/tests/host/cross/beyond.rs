//! What the documents ask for later: reactions, threads, pins, search, presence, voice. On every door, as further keys and
//! events that clients who do not know them ignore.

use parlor_testkit::Rest;
use serde_json::{Value, json};

use super::{
    doors::{rooms_socket, support_socket, ticket_socket},
    stage::{Kind, Stage, TICKET, text},
};

/// The message as each door lists it.
async fn everywhere(stage: &Stage, rest: &Rest, id: &str) -> Vec<(&'static str, Value)> {
    let room = &stage.room;
    let mut paths = vec![
        ("inbox", format!("/api/chat/inbox/ben?room_id={room}"), "/rooms/0/messages"),
        ("support", format!("/api/conversations/{room}/messages"), "/messages"),
        ("rooms", format!("/api/chat/rooms/{room}/messages"), "/messages"),
    ];
    if stage.kind == Kind::Ticket {
        paths.push(("tickets", format!("/api/tickets/{TICKET}/chat"), "/messages"));
    }
    let mut all = Vec::new();
    for (door, path, list) in paths {
        let told = rest.get(&path, &[]).await.expect(200);
        let found =
            told.pointer(list).and_then(Value::as_array).and_then(|l| l.iter().find(|m| m["id"] == id));
        all.push((door, found.unwrap_or_else(|| panic!("{door} shows {id}: {told}")).clone()));
    }
    all
}

/// S2-65, S2-66, S3-74, S3-78: a reply in a thread and a reaction, by each door that sends, seen by all of them.
#[tokio::test]
async fn s2_65_s2_66_s3_74_s3_78_threads_and_reactions_are_seen_by_every_door() {
    let stage = Stage::set(Kind::Ticket).await;
    let (rest, room) = (&stage.ann.rest, &stage.room);
    let mut support = support_socket(&stage.server, &stage.ben, room).await;
    let mut rooms = rooms_socket(&stage.server, &stage.ben, room).await;
    let mut tickets = ticket_socket(&stage.server, &stage.ben).await;
    let body = json!({"room_id": room, "content": "the root"});
    let root = text(&rest.post("/api/chat/messages", body).await.expect(201)["id"]);
    let sends = [
        ("/api/chat/messages".to_owned(), json!({"room_id": room, "content": "1", "thread_id": root}), "/id"),
        (
            "/api/chat/send".to_owned(),
            json!({"room_id": room, "message": "2", "thread_id": root}),
            "/message/id",
        ),
        (
            format!("/api/conversations/{room}/messages"),
            json!({"content": "3", "thread_id": root}),
            "/message/id",
        ),
        (format!("/api/tickets/{TICKET}/chat"), json!({"message": "4", "threadId": root}), "/message/id"),
    ];
    let mut replies = Vec::new();
    for (path, body, at) in sends {
        let told = rest.post(&path, body).await.expect(201);
        replies.push(text(told.pointer(at).expect("an id")));
    }
    // Each reply is a message like others, and the root is told anew.
    for (n, reply) in replies.iter().enumerate() {
        assert_eq!(support.wait("a reply", |f| f["message"]["id"] == *reply).await["type"], "new_message");
        let by_rooms = rooms.event("message_updated").await;
        assert_eq!(
            (&by_rooms["message_id"], &by_rooms["message"]["thread_replies"]),
            (&json!(root), &json!(n + 1))
        );
        let by_tickets = tickets.event("message_updated").await;
        assert_eq!(
            (&by_tickets["messageId"], &by_tickets["message"]["threadReplies"]),
            (&json!(root), &json!(n + 1))
        );
        let by_support = support.event("message_updated").await;
        assert_eq!(by_support["message"]["thread_replies"], n + 1);
        for (door, shown) in everywhere(&stage, &stage.ben.rest, reply).await {
            let key = if door == "tickets" { "threadId" } else { "thread_id" };
            assert_eq!(shown[key], root.as_str(), "{door}");
            let key = if door == "tickets" { "replyToId" } else { "reply_to_id" };
            assert_eq!(shown[key], root.as_str(), "{door}: what it answers");
        }
    }
    let thread = format!("/api/chat/messages/{root}/thread");
    let listed = stage.ben.rest.get(&thread, &[("limit", "3")]).await.expect(200);
    let ids: Vec<String> =
        listed["messages"].as_array().expect("messages").iter().map(|m| text(&m["id"])).collect();
    assert_eq!(ids, replies[..3]);
    let cursor = text(&listed["pagination"]["next_cursor"]);
    let rest_of = stage.ben.rest.get(&thread, &[("before", &*cursor)]).await.expect(200);
    assert_eq!(rest_of["messages"][0]["id"], replies[3].as_str());
    stage.eve.rest.get(&thread, &[]).await.problem(404, "not_found");
    let nowhere = json!({"room_id": room, "content": "x", "thread_id": "nothing"});
    rest.post("/api/chat/messages", nowhere).await.problem(404, "not_found");

    let reactions = format!("/api/chat/messages/{root}/reactions");
    stage.ben.rest.post(&reactions, json!({"emoji": ":tada:"})).await.expect(200);
    stage.eve.rest.post(&reactions, json!({"emoji": ":tada:"})).await.problem(404, "not_found");
    for (door, shown) in everywhere(&stage, &stage.ben.rest, &root).await {
        assert_eq!(shown["reactions"][0]["emoji"], ":tada:", "{door}");
    }
    assert_eq!(tickets.event("message_updated").await["message"]["reactions"][0]["emoji"], ":tada:");
}

/// Pinned by an admin of the room, seen by every door, listed, and taken off; others are refused.
#[tokio::test]
async fn pins_are_seen_by_every_door() {
    let stage = Stage::set(Kind::Group).await;
    let (rest, room) = (&stage.ann.rest, &stage.room);
    let mut support = support_socket(&stage.server, &stage.ben, room).await;
    let mut rooms = rooms_socket(&stage.server, &stage.ben, room).await;
    let body = json!({"room_id": room, "content": "read this"});
    let id = text(&rest.post("/api/chat/messages", body).await.expect(201)["id"]);
    let pin = format!("/api/chat/messages/{id}/pin");
    stage.ben.rest.post(&pin, json!({})).await.problem(403, "forbidden");
    stage.eve.rest.post(&pin, json!({})).await.problem(404, "not_found");
    assert_eq!(rest.post(&pin, json!({})).await.expect(200)["pinned"], true);
    assert_eq!(rooms.event("message_updated").await["message"]["pinned_by"], "u-ann");
    assert_eq!(support.event("message_updated").await["message"]["pinned"], true);
    for (door, shown) in everywhere(&stage, &stage.ben.rest, &id).await {
        assert!(shown["pinned"] == true && shown["pinned_at"].is_string(), "{door}: {shown}");
    }
    let pinned = format!("/api/chat/rooms/{room}/pinned");
    assert_eq!(stage.ben.rest.get(&pinned, &[]).await.expect(200)["messages"][0]["id"], id.as_str());
    stage.eve.rest.get(&pinned, &[]).await.problem(404, "not_found");
    assert_eq!(rest.remove(&pin).await.expect(200)["pinned"], false);
    assert_eq!(rooms.event("message_updated").await["message"]["pinned"], false);
    assert_eq!(stage.ben.rest.get(&pinned, &[]).await.expect(200)["messages"], json!([]));
}

/// S2-68, S2-69, S3-76, S3-79, S2-64: search and presence serve rooms of every kind; a voice message is an audio file that
/// each door marks as one.
#[tokio::test]
async fn s2_64_s2_68_s2_69_s3_76_s3_79_search_presence_and_voice_are_there_in_rooms_of_every_kind() {
    let stage = Stage::set(Kind::Case).await;
    let (rest, room) = (&stage.ann.rest, &stage.room);
    let mut support = support_socket(&stage.server, &stage.ben, room).await;
    let found =
        async |who: &Rest, text: &str| who.get("/api/chat/search", &[("q", text), ("room_id", room)]).await;
    let messages = found(rest, "first wo").await.expect(200)["messages"].take();
    assert_eq!(messages[0]["content"], "the first words");
    found(&stage.eve.rest, "first").await.problem(404, "not_found");
    let presence = rest.get(&format!("/api/chat/rooms/{room}/presence"), &[]).await.expect(200);
    assert_eq!(presence["in_room_user_ids"], json!(["u-ben"]), "a support connection is one");

    // A WAV file of silence, and what it becomes on each door.
    let mut voice = b"RIFF\x28\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data".to_vec();
    voice.extend([4, 0, 0, 0, 0, 0, 0, 0]);
    let file =
        rest.upload("/api/chat/upload", "file", ("voice.wav", "audio/wav", &voice), &[]).await.expect(201);
    let body = json!({"attachments": [{"id": file["id"]}]});
    let sent = rest.post(&format!("/api/conversations/{room}/messages"), body).await.expect(201);
    let id = text(&sent["message"]["id"]);
    assert_eq!(support.event("new_message").await["message"]["attachments"][0]["kind"], "audio");
    for (door, shown) in everywhere(&stage, &stage.ben.rest, &id).await {
        assert_eq!(shown["attachments"][0]["kind"], "audio", "{door}: {shown}");
    }
}

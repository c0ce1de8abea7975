//! The objects, answers and events of the two contracts, key by key.

use parlor_testkit::{Rest, Server, rest::has_keys};
use serde_json::{Value, json};

use super::client::{Sio, put_ticket, setup, token};

const ROOM: [&str; 16] = [
    "id",
    "name",
    "room_type",
    "description",
    "avatar_url",
    "created_by",
    "created_at",
    "updated_at",
    "is_active",
    "kind",
    "member_count",
    "members",
    "unread_count",
    "last_read_at",
    "last_message",
    "ticket_id",
];
const MEMBER: [&str; 9] = [
    "id",
    "room_id",
    "user_id",
    "joined_at",
    "last_read_at",
    "is_admin",
    "is_active",
    "user_name",
    "username",
];
const MESSAGE: [&str; 24] = [
    "id",
    "room_id",
    "sender_id",
    "message_type",
    "content",
    "media_url",
    "media_filename",
    "media_size",
    "media_mime_type",
    "reply_to_id",
    "forwarded_from_id",
    "is_edited",
    "edited_at",
    "is_deleted",
    "deleted_at",
    "created_at",
    "sender_name",
    "sender_username",
    "seq",
    "media_id",
    "attachments",
    "reactions",
    "metadata",
    "client_id",
];
/// Keys that stand beside those of the contract, for clients that know them.
const BEYOND: [&str; 6] =
    ["thread_id", "thread_replies", "thread_last_at", "pinned", "pinned_at", "pinned_by"];
const PAGE: [&str; 4] = ["limit", "has_more", "next_cursor", "total"];
const ERROR: [&str; 5] = ["type", "code", "message", "event", "room_id"];
const NOTE: &[u8] = b"words enough to be known as plain text";

fn as_user(server: &Server, id: &str) -> Rest {
    server.rest().header("authorization", &format!("Bearer {}", token(id, &[], 600)))
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T")
}

fn is_uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|id| id.len() == 36 && id.split('-').count() == 5 && id == id.to_lowercase())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// Whose times are times, and ids ids.
fn is_room(room: &Value) {
    has_keys(room, &ROOM, &[]);
    assert!(is_uuid(&room["id"]) && is_time(&room["created_at"]) && is_time(&room["updated_at"]), "{room}");
    for member in room["members"].as_array().expect("a list") {
        is_member(member);
    }
}

fn is_member(member: &Value) {
    has_keys(member, &MEMBER, &["is_muted"]);
    assert!(is_uuid(&member["id"]) && is_time(&member["joined_at"]), "{member}");
}

fn is_message(message: &Value) {
    has_keys(message, &MESSAGE, &BEYOND);
    assert!(is_uuid(&message["id"]) && is_time(&message["created_at"]), "{message}");
}

/// S3-9 to S3-12, S3-19 to S3-25, S3-27 to S3-48: each object, answer and event of the rooms contract.
#[tokio::test]
async fn s3_9_to_s3_12_s3_19_to_s3_25_s3_27_to_s3_48_rooms_have_the_keys_of_the_contract() {
    let server = setup().start().await;
    let mut a = Sio::of(&server, "u-alice", &[]).await;
    let mut b = Sio::of(&server, "u-bob", &[]).await;
    let mut c = Sio::of(&server, "u-carol", &[]).await;
    let (alice, bob) = (as_user(&server, "u-alice"), as_user(&server, "u-bob"));

    let wanted = json!({"room_type": "group", "name": "Team", "member_ids": ["u-bob", "u-carol"]});
    let room = alice.post("/api/chat/rooms", wanted).await.expect(201);
    is_room(&room);
    let id = text(&room["id"]);
    let at = |rest: &str| format!("/api/chat/rooms/{id}{rest}");
    for socket in [&mut a, &mut b, &mut c] {
        let told = socket.event("room_created").await;
        has_keys(&told, &["room_id", "room"], &[]);
        is_room(&told["room"]);
    }
    b.grant("join_room", json!({"room_id": id})).await;
    let told = b.event("room_joined").await;
    has_keys(&told, &["room_id", "room", "online_user_ids", "timestamp"], &[]);
    is_room(&told["room"]);
    c.grant("join_room", json!({"room_id": id})).await;
    has_keys(&b.event("user_joined").await, &["room_id", "user_id", "user_name", "timestamp"], &[]);

    let message = json!({"room_id": id, "message_type": "text", "content": "Hello, team!"});
    let message = alice.post("/api/chat/messages", message).await.expect(201);
    is_message(&message);
    let told = b.event("new_message").await;
    has_keys(&told, &["room_id", "message", "timestamp"], &[]);
    is_message(&told["message"]);
    let of = |rest: &str| format!("/api/chat/messages/{}{rest}", text(&message["id"]));
    is_message(&alice.get(&of(""), &[]).await.expect(200));

    b.grant("typing", json!({"room_id": id, "is_typing": true})).await;
    let keys = ["room_id", "user_id", "user_name", "is_typing", "timestamp"];
    has_keys(&c.event("user_typing").await, &keys, &[]);
    b.grant("mark_as_read", json!({"room_id": id, "message_ids": [message["id"]]})).await;
    let told = c.event("messages_read").await;
    has_keys(&told, &["room_id", "user_id", "message_ids", "read_at"], &[]);
    assert!(is_time(&told["read_at"]), "{told}");

    is_message(&alice.patch(&of(""), json!({"content": "Hello!"})).await.expect(200));
    let told = b.event("message_edited").await;
    has_keys(&told, &["room_id", "message_id", "message", "timestamp"], &[]);
    let reacted = bob.post(&of("/reactions"), json!({"emoji": ":tada:"})).await.expect(200);
    has_keys(&reacted, &["message_id", "reactions"], &[]);
    has_keys(&reacted["reactions"][0], &["emoji", "user_ids"], &[]);
    has_keys(&b.event("message_reaction").await, &["room_id", "message_id", "reactions"], &[]);

    lists(&alice, &bob, id, text(&message["id"])).await;

    let gone = alice.remove(&of("")).await.expect(200);
    has_keys(&gone, &["success", "message"], &[]);
    is_message(&gone["message"]);
    assert!(is_time(&gone["message"]["deleted_at"]), "{gone}");
    let keys = ["room_id", "message_id", "deleted_by", "message", "timestamp"];
    has_keys(&b.event("message_deleted").await, &keys, &[]);
    let read = bob.post(&at("/read"), json!({})).await.expect(200);
    has_keys(&read, &["success", "room_id", "message_ids", "last_read_at", "unread_count"], &[]);

    is_room(&alice.patch(&at(""), json!({"name": "Crew"})).await.expect(200));
    has_keys(&b.event("room_updated").await, &["room_id", "room"], &[]);
    drop(Sio::of(&server, "u-dave", &[]).await);
    let member = alice.post(&at("/members/u-dave"), json!({})).await.expect(201);
    is_member(&member);
    let told = b.event("member_added").await;
    has_keys(&told, &["room_id", "user_id", "member", "added_by", "room"], &[]);
    is_member(&told["member"]);
    let gone = alice.remove(&at("/members/u-dave")).await.expect(200);
    assert_eq!(gone, json!({"success": true, "room_id": id, "user_id": "u-dave"}));
    has_keys(&b.event("member_removed").await, &["room_id", "user_id", "removed_by"], &[]);
    let back = alice.post(&at("/members/u-dave"), json!({})).await.expect(201);
    assert_eq!(back["id"], member["id"], "whoever comes back takes his place again");
    let muted = alice.post(&at("/members/u-dave/mute"), json!({"muted": true})).await.expect(200);
    is_member(&muted);

    c.grant("leave_room", json!({"room_id": id})).await;
    has_keys(&c.event("room_left").await, &["room_id", "timestamp"], &[]);
    has_keys(&b.event("user_left").await, &["room_id", "user_id", "user_name", "timestamp"], &[]);
    let told = b.refused("join_room", json!({"room_id": "none"}), "not_found").await;
    has_keys(&told, &ERROR, &[]);
    let presence = bob.get(&at("/presence"), &[]).await.expect(200);
    has_keys(&presence, &["room_id", "online_user_ids", "in_room_user_ids"], &[]);
    let found = bob.get("/api/chat/search", &[("q", "hello")]).await.expect(200);
    has_keys(&found, &["messages", "pagination"], &[]);
    files(&alice, id).await;
}

/// S3-12, S3-14, S3-20: what lists tell, and their pages.
async fn lists(alice: &Rest, bob: &Rest, room: &str, message: &str) {
    let receipts_of = format!("/api/chat/messages/{message}/receipts");
    let messages_of = format!("/api/chat/rooms/{room}/messages");
    let receipts = alice.get(&receipts_of, &[]).await.expect(200);
    has_keys(&receipts, &["receipts", "pagination"], &[]);
    let receipt = &receipts["receipts"][0];
    has_keys(receipt, &["id", "message_id", "user_id", "read_at"], &[]);
    assert!(is_uuid(&receipt["id"]) && is_time(&receipt["read_at"]), "{receipt}");
    let again = alice.get(&receipts_of, &[]).await.expect(200);
    assert_eq!(again["receipts"][0]["id"], receipt["id"], "the same for ever");

    let list = bob.get(&messages_of, &[("limit", "1000")]).await.expect(200);
    has_keys(&list, &["messages", "pagination"], &[]);
    has_keys(&list["pagination"], &PAGE, &[]);
    assert_eq!(list["pagination"]["limit"], 100, "more is treated as a hundred");
    let list = bob.get(&messages_of, &[("page", "1")]).await.expect(200);
    has_keys(&list["pagination"], &PAGE, &["page", "page_size", "total_pages"]);
    let list = bob.get("/api/chat/rooms", &[]).await.expect(200);
    has_keys(&list, &["rooms", "pagination"], &[]);
    is_message(&list["rooms"][0]["last_message"]);
}

/// S3-11, S3-24, S3-25: what is told of a file.
async fn files(alice: &Rest, room: &str) {
    let stored =
        alice.upload("/api/chat/upload", "file", ("n.txt", "text/plain", NOTE), &[]).await.expect(201);
    has_keys(&stored, &["id", "url", "filename", "size", "mime_type", "expires_at"], &[]);
    let id = text(&stored["id"]);
    let url = text(&stored["url"]);
    let from = url.find("/api/files/").expect("an address of this server");
    let rest = url[from..].strip_prefix(&format!("/api/files/{id}/n.txt?u=u-alice&exp="));
    assert!(rest.is_some_and(|rest| rest.contains("&sig=")), "{url}");
    let media = alice.get(&format!("/api/chat/media/{id}/url"), &[]).await.expect(200);
    has_keys(&media, &["id", "url", "expires_at"], &[]);
    let size = NOTE.len().to_string();
    let asked = [("filename", "n.txt"), ("mime_type", "text/plain"), ("size", size.as_str())];
    let signed = alice.get("/api/chat/upload/signed-url", &asked).await.expect(200);
    has_keys(&signed, &["id", "upload_url", "method", "headers", "url", "expires_at"], &[]);
    assert_eq!(
        (&signed["method"], &signed["headers"]),
        (&json!("PUT"), &json!({"Content-Type": "text/plain"}))
    );
    let sent = json!({"room_id": room, "message_type": "file", "media_url": url});
    let sent = alice.post("/api/chat/messages", sent).await.expect(201);
    is_message(&sent);
    assert_eq!((&sent["content"], &sent["media_size"]), (&Value::Null, &json!(NOTE.len())));
    let told = ["kind", "width", "height", "preview", "thumbnail_url"];
    has_keys(&sent["attachments"][0], &["id", "url", "filename", "size", "mime_type"], &told);
}

/// A ticket's message.
const SHOWN: [&str; 14] = [
    "id",
    "ticketId",
    "senderId",
    "message",
    "attachments",
    "messageType",
    "createdAt",
    "updatedAt",
    "sender",
    "seq",
    "isEdited",
    "isDeleted",
    "replyToId",
    "clientId",
];
/// What stands beside it.
const BESIDE: [&str; 7] =
    ["reactions", "threadId", "threadReplies", "threadLastAt", "pinned", "pinnedAt", "pinnedBy"];

/// S4-6, S4-14 to S4-32: each object, answer and event of the tickets contract.
#[tokio::test]
async fn s4_6_s4_14_to_s4_32_tickets_have_the_keys_of_the_contract() {
    let is_message = |message: &Value| {
        has_keys(message, &SHOWN, &BESIDE);
        has_keys(&message["sender"], &["id", "name", "role"], &[]);
        assert!(is_uuid(&message["id"]) && is_time(&message["createdAt"]), "{message}");
    };
    let server = setup().start().await;
    let facts = json!({"title": "GRN 4711", "created_by": "u-alice", "assignees": ["u-bob"]});
    let ticket = put_ticket(&server, "T-1", facts).await;
    let keys = [
        "id",
        "title",
        "created_by",
        "assignees",
        "vendor_id",
        "verified_by",
        "category",
        "status",
        "room_id",
        "created_at",
        "updated_at",
    ];
    has_keys(&ticket, &keys, &[]);
    let (mut a, mut b) = (Sio::of(&server, "u-alice", &[]).await, Sio::of(&server, "u-bob", &[]).await);
    let (alice, at) = (as_user(&server, "u-alice"), json!({"ticketId": "T-1"}));
    a.grant("join_ticket", at.clone()).await;
    has_keys(&a.event("joined_ticket").await, &["ticketId", "message", "room_id", "timestamp"], &[]);
    let told = a.event("messages_history").await;
    has_keys(&told, &["ticketId", "messages", "pagination"], &[]);
    has_keys(&told["pagination"], &PAGE, &[]);
    b.grant("join_ticket", at.clone()).await;
    let came = ["userId", "ticketId", "timestamp", "userName"];
    has_keys(&a.event("user_joined").await, &came, &[]);
    for (said, heard) in [("typing_start", "user_typing"), ("typing_stop", "user_stopped_typing")] {
        b.grant(said, at.clone()).await;
        has_keys(&a.event(heard).await, &came, &[]);
    }
    let chat = "/api/tickets/T-1/chat";
    let sent = alice.post(chat, json!({"message": "Hello!"})).await.expect(201);
    has_keys(&sent, &["success", "message"], &[]);
    is_message(&sent["message"]);
    let told = b.event("new_message").await;
    has_keys(&told, &["message", "ticketId", "timestamp"], &[]);
    is_message(&told["message"]);
    let path = format!("{chat}/{}", text(&sent["message"]["id"]));
    has_keys(&alice.patch(&path, json!({"message": "Hi!"})).await.expect(200), &["success", "message"], &[]);
    let changed = ["message", "messageId", "ticketId", "timestamp"];
    has_keys(&b.event("message_edited").await, &changed, &[]);
    let list = alice.get(chat, &[]).await.expect(200);
    has_keys(&list, &["ticketId", "messages", "pagination"], &[]);
    is_message(&list["messages"][0]);
    has_keys(&alice.remove(&path).await.expect(200), &["success", "message"], &[]);
    has_keys(&b.event("message_deleted").await, &changed, &[]);
    let people = alice.get(&format!("{chat}/participants"), &[]).await.expect(200);
    has_keys(&people, &["ticketId", "participants"], &[]);
    let keys = ["userId", "userName", "username", "role", "relation", "online", "inRoom"];
    has_keys(&people["participants"][0], &keys, &[]);
    let read = alice.post(&format!("{chat}/read"), json!({})).await.expect(200);
    has_keys(&read, &["success", "unreadCount"], &[]);
    let file = ("n.txt", "text/plain", NOTE);
    let stored = alice.upload(&format!("{chat}/upload"), "file", file, &[]).await.expect(201);
    has_keys(&stored, &["success", "attachment"], &[]);
    has_keys(&stored["attachment"], &["id", "url", "filename", "size", "mimeType", "expiresAt"], &[]);
    let body = json!({"attachments": [{"id": stored["attachment"]["id"]}]});
    let sent = alice.post(chat, body).await.expect(201)["message"].take();
    is_message(&sent);
    let beside = ["kind", "width", "height", "preview", "thumbnailUrl"];
    has_keys(&sent["attachments"][0], &["id", "url", "filename", "size", "mimeType"], &beside);
    b.grant("leave_ticket", at).await;
    has_keys(&b.event("left_ticket").await, &["ticketId", "message", "timestamp"], &[]);
    has_keys(&a.event("user_left").await, &came, &[]);
    let told = a.refused("join_ticket", json!({"ticketId": "none"}), "not_found").await;
    has_keys(&told, &["type", "code", "message", "event", "ticketId"], &[]);
}

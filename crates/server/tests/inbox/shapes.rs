//! The objects of the contract, key by key.

use parlor_testkit::rest::has_keys;
use serde_json::json;

use crate::world::{World, room};

/// Keys that stand beside those of the contract, for clients that know them.
const BEYOND: [&str; 7] =
    ["reactions", "pinned", "pinned_at", "pinned_by", "thread_id", "thread_last_at", "thread_replies"];

/// S0-34, S0-35, S0-63, S0-73: what a list in the manner of a phone's messenger shows comes in one call: name, last line, who
/// said it and when, how many are unread; each object with exactly the keys of the contract.
#[tokio::test]
async fn s0_34_s0_35_s0_73_the_inbox_has_what_a_messengers_list_shows() {
    let world = World::start().await;
    world.send(json!({"from_name": "bob", "to": "alice", "message": "psst"})).await;
    let sent = world.send(json!({"from_name": "bob", "to": "alice", "message": "are you there?"})).await;
    let message = [
        "id",
        "from_name",
        "name",
        "user_id",
        "message",
        "timestamp",
        "team",
        "group",
        "to",
        "room_id",
        "room_name",
        "room_type",
        "seq",
        "read",
        "edited",
        "edited_at",
        "deleted",
        "system",
        "reply_to_id",
        "attachments",
        "metadata",
        "client_id",
    ];
    let place = [
        "id",
        "name",
        "display_name",
        "type",
        "team",
        "group",
        "with",
        "requester",
        "status",
        "members_count",
        "unread",
        "last_activity",
    ];
    has_keys(&sent, &["success", "message", "room"], &[]);
    has_keys(&sent["message"], &message, &BEYOND);
    has_keys(&sent["room"], &place, &[]);
    let inbox = world.read("/api/chat/inbox/alice?limit=1").await;
    has_keys(&inbox, &["success", "username", "known", "unread_total", "rooms", "pagination"], &[]);
    let shown = room(&inbox, "type", "dm");
    has_keys(shown, &place, &["messages", "pagination"]);
    assert_eq!((&shown["display_name"], &shown["unread"]), (&json!("bob"), &json!(2)));
    let last = &shown["messages"][0];
    has_keys(last, &message, &BEYOND);
    assert_eq!((&last["from_name"], &last["message"]), (&json!("bob"), &json!("are you there?")));
    assert_eq!(last["timestamp"], shown["last_activity"]);
    assert_eq!(inbox["rooms"][0]["id"], shown["id"], "the latest first");
    let mut stream = world.stream("alice").await;
    world.send(json!({"from_name": "bob", "to": "alice", "message": "now"})).await;
    let mut keys = message.to_vec();
    keys.push("type");
    has_keys(&stream.message().await.data, &keys, &BEYOND);
    let made = json!({"name": "Props", "created_by": "alice"});
    let made = world.post("/api/chat/groups", made).await;
    let keys = ["id", "name", "display_name", "type", "created_by", "members", "created_at", "updated_at"];
    has_keys(&made["group"], &keys, &[]);
    let users = world.read("/api/users").await;
    has_keys(&users["users"][0], &["id", "username", "name", "roles", "online", "active", "email"], &[]);
    let read = world.post("/api/chat/mark-read", json!({"username": "alice", "room_id": shown["id"]})).await;
    has_keys(&read, &["success", "username", "room_id", "unread_count", "unread_total"], &[]);
    let unread = world.read("/api/chat/unread-count/alice").await;
    has_keys(&unread, &["success", "username", "known", "unread_count", "rooms"], &[]);
    let all = world.post("/api/chat/mark-all-read", json!({"username": "alice"})).await;
    has_keys(&all, &["success", "username", "unread_count"], &[]);
}

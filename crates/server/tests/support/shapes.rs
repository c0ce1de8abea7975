//! The objects of the contract, key by key.

use parlor_testkit::{HostApp, rest::has_keys};
use serde_json::{Value, json};

use crate::world::{World, text};

/// Keys that stand beside those of the contract, for clients that know them.
const BEYOND: [&str; 6] =
    ["pinned", "pinned_at", "pinned_by", "thread_id", "thread_last_at", "thread_replies"];

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|time| time.len() == 24 && time.ends_with('Z') && &time[10..11] == "T")
}

fn is_uuid(value: &Value) -> bool {
    value.as_str().is_some_and(|id| id.len() == 36 && id.split('-').count() == 5 && id == id.to_lowercase())
}

/// S2-40, S2-41: each key, its type, and nothing that a client could not know of.
#[tokio::test]
async fn s2_40_s2_41_a_conversation_and_a_message_have_the_keys_of_the_contract() {
    let world = World::assemble().await;
    let mut driver = world.socket(&world.driver).await;
    let asked = json!({"title": "Route Change Request", "content": "I need to discuss my route."});
    let made = driver.done("create_support_conversation", asked).await;
    let (case, message) = (&made["conversation"], &made["message"]);
    let keys = [
        "id",
        "participants",
        "title",
        "status",
        "created_by",
        "last_message_at",
        "created_at",
        "updated_at",
        "requester_id",
        "requester_name",
        "requester_role",
        "queue",
        "room_types",
        "priority",
        "kind",
        "unread_count",
        "last_message",
        "closed_at",
        "closed_by",
    ];
    has_keys(case, &keys, &[]);
    assert!(is_uuid(&case["id"]) && is_uuid(&message["id"]), "{made}");
    assert_eq!((&case["status"], &case["created_by"]), (&json!("ACTIVE"), &json!("u-driver")));
    assert_eq!(case["requester_name"], "Driver Person");
    for time in ["last_message_at", "created_at", "updated_at"] {
        assert!(is_time(&case[time]), "{time} of {case}");
    }
    assert_eq!((&case["closed_at"], &case["closed_by"]), (&Value::Null, &Value::Null));
    let keys = [
        "id",
        "conversation_id",
        "sender_id",
        "content",
        "message_type",
        "sent_at",
        "created_at",
        "updated_at",
        "sender_name",
        "seq",
        "reply_to_id",
        "attachments",
        "is_edited",
        "is_deleted",
        "reactions",
        "client_id",
    ];
    has_keys(message, &keys, &BEYOND);
    has_keys(&case["last_message"], &keys, &BEYOND);
    for time in ["sent_at", "created_at", "updated_at"] {
        assert!(is_time(&message[time]), "{time} of {message}");
    }
    assert_eq!(message["sent_at"], message["created_at"]);
    for (key, value) in [
        ("sender_name", json!("Driver Person")),
        ("reply_to_id", Value::Null),
        ("attachments", json!([])),
        ("is_edited", json!(false)),
        ("is_deleted", json!(false)),
        ("reactions", json!([])),
        ("client_id", Value::Null),
    ] {
        assert_eq!(message[key], value, "{key}");
    }
    let claimed = json!({"conversation_id": case["id"]});
    let mut control = world.socket(&world.control).await;
    control.done("claim_conversation", claimed).await;
    let system = driver.event("new_message").await["message"].take();
    assert_eq!(
        (&system["message_type"], &system["content"]),
        (&json!("SYSTEM"), &json!("Control Person took over"))
    );
}

/// S2-36 to S2-39, S2-28: each event with exactly the keys of the contract.
#[tokio::test]
async fn s2_28_s2_36_s2_37_s2_38_s2_39_events_and_answers_have_the_keys_of_the_contract() {
    let world = World::assemble().await;
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    let hello = ["type", "user_id", "user_name", "roles", "class", "message", "timestamp"];
    has_keys(&driver.hello, &hello, &[]);
    let made = driver.done("create_support_conversation", json!({"title": "t", "content": "c"})).await;
    has_keys(&made, &["type", "request_id", "conversation", "message", "timestamp"], &[]);
    let told = control.event("new_support_conversation").await;
    let keys = [
        "type",
        "conversation_id",
        "conversation",
        "message",
        "room_types",
        "user_id",
        "user_name",
        "title",
        "timestamp",
    ];
    has_keys(&told, &keys, &[]);
    let at = json!({"conversation_id": made["conversation"]["id"]});
    let joined = control.done("join_conversation", at.clone()).await;
    let keys =
        ["conversation", "conversation_id", "messages", "pagination", "request_id", "timestamp", "type"];
    has_keys(&joined, &keys, &[]);
    control.done("claim_conversation", at.clone()).await;
    let told = driver.event("conversation_updated").await;
    has_keys(&told, &["type", "action", "conversation", "timestamp"], &[]);
    let told = driver.event("new_message").await;
    has_keys(&told, &["type", "conversation_id", "message", "timestamp"], &[]);
    let typing = json!({"conversation_id": at["conversation_id"], "is_typing": true});
    control.done("typing_indicator", typing).await;
    let told = driver.event("typing_status").await;
    has_keys(&told, &["type", "conversation_id", "user_id", "user_name", "is_typing", "timestamp"], &[]);
    let read = driver.done("mark_message_read", at.clone()).await;
    let keys =
        ["conversation_id", "message_ids", "read_at", "unread_count", "request_id", "timestamp", "type"];
    has_keys(&read, &keys, &[]);
    let told = control.event("message_read").await;
    has_keys(&told, &["type", "conversation_id", "user_id", "message_ids", "read_at", "timestamp"], &[]);
    let refused = driver.refused("claim_conversation", at, "role_required").await;
    has_keys(&refused, &["type", "request_id", "error", "message", "timestamp"], &[]);
}

/// S2-36, S2-38, S2-42, S2-65: what is told of a case that changes, and of a message that does, with exactly its keys.
#[tokio::test]
async fn s2_36_s2_38_s2_42_changes_have_the_keys_of_the_contract() {
    let world = World::assemble().await;
    let id = world.case("changes").await;
    let at = json!({"conversation_id": id});
    let (mut driver, mut watcher) = (world.socket(&world.driver).await, world.socket(&world.second).await);
    watcher.done("join_support_room", json!({"room_type": "driver_support"})).await;
    driver.done("join_conversation", at.clone()).await;
    let mut control = world.socket(&world.control).await;
    control.done("join_conversation", at.clone()).await;
    let told = driver.event("presence_status").await;
    let keys = ["type", "conversation_id", "user_id", "user_name", "is_present", "timestamp"];
    has_keys(&told, &keys, &[]);

    let say = json!({"conversation_id": id, "content": "one"});
    let sent = driver.done("send_chat_message", say).await["message"].take();
    let told = watcher.event("support_conversation_updated").await;
    has_keys(&told, &["type", "action", "conversation", "message", "timestamp"], &[]);
    assert_eq!((&told["action"], &told["message"]), (&json!("message"), &sent));
    assert_eq!(told["conversation"]["last_message"], sent);
    let (rocket, message) = (&world.driver.rest, text(&sent["id"]));
    let changed = ["type", "conversation_id", "message", "timestamp"];
    let react = json!({"messageId": message, "emoji": ":tada:"});
    world.control.rest.post("/api/v1/chat.react", react).await.expect(200);
    let told = driver.event("message_reaction").await;
    has_keys(&told, &["type", "conversation_id", "message_id", "reactions", "timestamp"], &[]);
    assert_eq!((&told["conversation_id"], &told["message_id"]), (&json!(id), &sent["id"]));
    has_keys(&driver.event("message_updated").await, &changed, &[]);
    rocket.post("/api/v1/chat.delete", json!({"roomId": id, "msgId": message})).await.expect(200);
    let told = driver.event("message_deleted").await;
    has_keys(&told, &changed, &[]);
    for kept in ["id", "seq", "sender_id", "sent_at", "created_at"] {
        assert_eq!(told["message"][kept], sent[kept], "{kept}");
    }
    assert_eq!((&told["message"]["reactions"], &told["message"]["content"]), (&json!([]), &Value::Null));

    control.done("close_conversation", at).await;
    let told = watcher.event("support_conversation_updated").await;
    has_keys(&told, &["type", "action", "conversation", "timestamp"], &[]);
    assert_eq!(
        (&told["action"], &told["conversation"]["closed_by"]),
        (&json!("closed"), &json!("u-control"))
    );
    assert!(is_time(&told["conversation"]["closed_at"]), "{told}");
    // The same whether it is told of or asked for.
    let asked = driver.done("get_active_conversations", json!({"status": "CLOSED"})).await;
    let keys = |case: &Value| case.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&told["conversation"]), keys(&asked["conversations"][0]));
}

/// S2-70: a call in a case is a message of it; whoever takes part may join it, others find nothing.
#[tokio::test]
async fn s2_70_a_video_call_is_begun_in_a_case() {
    let setup = HostApp::setup().setting("Jitsi_Domain", "https://meet.example.org/");
    let world = World::on(setup.start().await).await;
    let id = world.case("let me show you").await;
    world.control.rest.post(&format!("/api/conversations/{id}/claim"), json!({})).await.expect(200);
    let mut driver = world.socket(&world.driver).await;
    driver.done("join_conversation", json!({"conversation_id": id})).await;
    let start = json!({"roomId": id});
    let begun = world.control.rest.post("video-conference.start", start.clone()).await.expect(200);
    let call = text(&begun["data"]["callId"]);
    let join = json!({"callId": call});
    let joined = world.driver.rest.post("video-conference.join", join.clone()).await.expect(200);
    assert!(
        joined["url"].as_str().is_some_and(|url| url.starts_with("https://meet.example.org/")),
        "{joined}"
    );
    // In the room's history it is a message that says which call; those whom it does not concern learn nothing of it.
    let query = [("roomId", id.as_str())];
    let history = world.driver.rest.get("groups.history", &query).await.expect(200);
    let calls: Vec<&Value> =
        history["messages"].as_array().unwrap().iter().filter(|m| m["t"] == "videoconf").collect();
    assert_eq!(calls.len(), 1, "{history}");
    assert!(calls[0].to_string().contains(&call), "{}", calls[0]);
    for (name, body) in [("video-conference.join", join), ("video-conference.start", start)] {
        let other = world.regulator.rest.post(name, body).await;
        assert_eq!(other.status, 400, "{name}: {}", other.text());
        assert!(!other.text().contains("meet.example.org"), "{name}: {}", other.text());
    }
}

/// S2-49: people with a password and a role, as the document's test users are.
#[tokio::test]
async fn s2_49_the_documents_test_users_sign_in_by_address_and_open_the_socket() {
    let world = World::assemble().await;
    let app = HostApp::rest(&world.server);
    for (name, role, class) in [("driver1", "BUS_DRIVER", "field"), ("control1", "CONTROL_STAFF", "control")]
    {
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "email": email, "password": "password123", "roles": [role]});
        app.put(&format!("/api/users/u-{name}"), body).await.expect(201);
        let login = json!({"email": email, "password": "password123"});
        let login = world.server.rest().post("/api/auth/login", login).await.expect(200);
        let query = format!("?token={}", text(&login["access_token"]));
        let mut socket = crate::world::Socket::open(&world.server, &query).await;
        assert_eq!(socket.event("connected").await["class"], class);
    }
}

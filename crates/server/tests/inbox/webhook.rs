//! Webhooks in.

use serde_json::{Value, json};

use crate::world::{KEY, World, room, texts};

fn told(text: &str) -> Value {
    json!({"user": {"name": "deployer"}, "attachments": [{"text": text}], "channel_name": "crew", "message_id": "abc"})
}

/// S0-71, S0-72, S0-73, S0-37.
#[tokio::test]
async fn s0_37_s0_71_s0_72_s0_73_a_webhook_is_a_message_to_a_team_and_a_live_event() {
    let world = World::start().await;
    world.post("/api/chat/teams", json!({"team": "crew", "members": ["alice"]})).await;
    let mut stream = world.stream("alice").await;
    let answer = world.app.post("/api/chat/webhook", told("deploy done")).await;
    assert_eq!((answer.status, &answer.body), (200, &json!({"success": true})));
    let event = stream.message().await;
    assert_eq!(
        (&event.data["from_name"], &event.data["message"]),
        (&json!("deployer"), &json!("deploy done"))
    );
    assert!(event.data["timestamp"].as_str().is_some_and(|stamp| stamp.ends_with('Z')));
    // The same again is the same message; the other spellings work; without a channel it is general.
    world.app.post("/api/chat/webhook", told("deploy done")).await;
    world.app.post("/api/chat/webhook", json!({"user_name": "deployer", "text": "all is well"})).await;
    let inbox = world.inbox("alice").await;
    assert_eq!(texts(&room(&inbox, "team", "crew")["messages"]), ["deploy done"]);
    assert_eq!(texts(&room(&inbox, "team", "general")["messages"]), ["all is well"]);
}

/// S0-71: its own message coming back is not posted again.
#[tokio::test]
async fn s0_71_a_message_of_ones_own_is_not_posted_again() {
    let world = World::start().await;
    let sent = world.send(json!({"from_name": "alice", "team": "crew", "message": "once"})).await;
    let mut back = told("once");
    back["message_id"] = sent["message"]["id"].clone();
    assert_eq!(world.app.post("/api/chat/webhook", back).await.status, 200);
    assert_eq!(texts(&room(&world.inbox("alice").await, "team", "crew")["messages"]), ["once"]);
}

/// S0-71, S0-72: who may, and what is refused.
#[tokio::test]
async fn s0_71_s0_72_only_the_applications_key_opens_it() {
    let world = World::start().await;
    let nobody = world.server.rest();
    let mut with_token = told("by token");
    with_token["token"] = json!(KEY);
    assert_eq!(nobody.post("/api/chat/webhook", with_token.clone()).await.status, 200);
    with_token["token"] = json!("wrong");
    assert_eq!(nobody.post("/api/chat/webhook", with_token).await.status, 401);
    let ann = world.person("ann").await;
    for rest in [&world.administrator.rest, &ann.rest, &nobody.header("x-app-key", "wrong")] {
        rest.post("/api/chat/webhook", told("x")).await.problem(401, "invalid_token");
    }
    nobody.post("/api/chat/webhook", told("x")).await.problem(401, "unauthorized");
    for bad in [
        json!({}),
        json!({"user": {"name": "a"}}),
        json!({"attachments": [{"text": "x"}]}),
        json!({"user": {"name": "a b"}, "text": "x"}),
        json!({"user": {"name": 5}, "user_name": "a", "text": "x"}),
        json!({"user": {"name": "a"}, "attachments": [{"text": 5}], "text": "x"}),
        json!({"user": {"name": "a"}, "attachments": "x", "text": "x"}),
        json!({"user": {"name": "a"}, "text": "x", "channel_name": 5}),
        json!({"user": {"name": "a"}, "text": "x", "message_id": 5}),
    ] {
        world.app.post("/api/chat/webhook", bad.clone()).await.problem(400, "validation_failed");
    }
    let quiet = json!({"user": {"name": "a"}, "attachments": [], "text": "x", "channel_name": null});
    assert_eq!(
        world.app.post("/api/chat/webhook", quiet).await.status,
        200,
        "empty lists and null say nothing"
    );
    let inbox = world.inbox("deployer").await;
    assert_eq!(
        texts(&room(&inbox, "team", "crew")["messages"]),
        ["by token"],
        "what was refused is not posted"
    );
    assert_eq!(room(&inbox, "team", "general")["messages"].as_array().map(Vec::len), Some(1));
}

/// S0-42, S0-71: the team `support` is each one's own case for webhooks too, never a channel that everybody reads.
#[tokio::test]
async fn s0_42_s0_71_a_webhook_to_support_is_a_case_and_no_channel() {
    let world = World::start().await;
    let mut help = told("it is broken");
    help["channel_name"] = json!("Support");
    assert_eq!(world.app.post("/api/chat/webhook", help.clone()).await.status, 200);
    assert_eq!(
        world.app.post("/api/chat/webhook", help).await.status,
        200,
        "the same again is the same message"
    );
    let inbox = world.inbox("deployer").await;
    let case = room(&inbox, "type", "support");
    assert_eq!((texts(&case["messages"]), &case["requester"]), (vec!["it is broken"], &json!("deployer")));
    let other = world.person("eve").await;
    let named = other.rest.get("/api/v1/channels.info", &[("roomName", "support")]).await;
    assert_eq!(named.status, 400, "{}", named.body);
    let mut stranger = told("x");
    (stranger["user"]["name"], stranger["channel_name"]) =
        (json!(world.administrator.username), json!("support"));
    assert_eq!(world.app.post("/api/chat/webhook", stranger).await.status, 400, "whose case is it?");
}

//! The team `support`: cases of those who ask, seen by the control centre.

use serde_json::json;

use crate::world::{World, room, texts, to_team};

/// S0-42, S0-56.
#[tokio::test]
async fn support_is_seen_by_the_sender_and_administrators_only() {
    let world = World::start().await;
    let mut administrator = world.stream("administrator").await;
    let mut bystander = {
        world.send(json!({"from_name": "bob", "message": "hello"})).await;
        world.stream("bob").await
    };
    let sent = world.send(to_team("alice", "support", "help!")).await;
    let message = &sent["message"];
    assert_eq!(
        (&message["room_type"], &message["team"], &message["room_name"]),
        (&json!("support"), &json!("support"), &json!("support"))
    );
    assert_eq!((&sent["room"]["requester"], &sent["room"]["status"]), (&json!("alice"), &json!("ACTIVE")));
    assert_eq!(sent["room"]["display_name"], "Support: alice");
    let more = world.send(to_team("alice", "support", "please")).await;
    assert_eq!(more["room"]["id"], sent["room"]["id"], "one open case");
    let seen = administrator.message().await;
    let seen = if seen.data["room_type"] == "channel" { administrator.message().await } else { seen };
    assert_eq!(seen.data["message"], "help!");
    let inbox = world.inbox("administrator").await;
    assert_eq!(texts(&room(&inbox, "type", "support")["messages"]), ["help!", "please"]);
    assert_eq!(room(&inbox, "type", "support")["unread"], 0, "no part in it, no unread");
    let id = sent["room"]["id"].as_str().expect("an id");
    let refused = world.app.get(&format!("/api/chat/inbox/bob?room_id={id}"), &[]).await;
    assert_eq!(refused.status, 404);
    // What bob hears next is not the case.
    world.send(json!({"from_name": "carol", "message": "to all"})).await;
    assert_eq!(bystander.message().await.data["message"], "to all");
}

/// S0-42, S0-56: the control centre answers in the requester's case.
#[tokio::test]
async fn an_administrator_names_whose_case_it_is() {
    let world = World::start().await;
    let sent = world.send(to_team("alice", "support", "help!")).await;
    let none = world.app.post("/api/chat/send", to_team("administrator", "support", "yes?")).await;
    assert_eq!((none.status, &none.body["detail"][0]["field"]), (400, &json!("to")));
    let answer = world
        .send(json!({"from_name": "administrator", "team": "support", "to": "alice", "message": "yes?"}))
        .await;
    assert_eq!(answer["room"]["id"], sent["room"]["id"]);
    assert_eq!(texts(&room(&world.inbox("alice").await, "type", "support")["messages"]), ["help!", "yes?"]);
    // He takes part from now on: what comes is unread for him.
    world.send(to_team("alice", "support", "thanks")).await;
    assert_eq!(room(&world.inbox("administrator").await, "type", "support")["unread"], 1);
    // Somebody without a case gets one.
    let new = world
        .send(json!({"from_name": "administrator", "team": "support", "to": "bob", "message": "all well?"}))
        .await;
    assert_ne!(new["room"]["id"], sent["room"]["id"]);
    assert_eq!(room(&world.inbox("bob").await, "type", "support")["unread"], 1);
}

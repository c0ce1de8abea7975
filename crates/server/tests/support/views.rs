//! The four support rooms.

use serde_json::{Value, json};

use crate::world::{World, text};

fn ids(answer: &Value) -> Vec<String> {
    answer["conversations"].as_array().unwrap().iter().map(|c| text(&c["id"])).collect()
}

/// S2-32 to S2-35, S2-20: who waits where, the longest waiting first, emergencies in a queue of their own.
#[tokio::test]
async fn cases_wait_in_the_views_that_show_them() {
    let world = World::assemble().await;
    let open = async |who: &parlor_testkit::HostPerson, title: &str, priority: &str| {
        let body = json!({"title": title, "content": "c", "priority": priority});
        let made = who.rest.post("/api/conversations/create", body).await.expect(201);
        text(&made["conversation"]["id"])
    };
    let first = open(&world.driver, "first", "HIGH").await;
    let second = open(&world.regulator, "second", "NORMAL").await;
    let third = open(&world.driver, "third", "EMERGENCY").await;
    let mut control = world.socket(&world.control).await;
    for (view, expected) in [
        ("general_support", vec![&first, &second, &third]),
        ("driver_support", vec![&first]),
        ("regulator_support", vec![&second]),
        ("emergency_support", vec![&third]),
    ] {
        let joined = control.done("join_support_room", json!({"room_type": view})).await;
        assert_eq!(ids(&joined), expected.into_iter().cloned().collect::<Vec<_>>(), "{view}");
        assert_eq!(joined["room_type"], view);
    }
    let page = json!({"room_type": "general_support", "limit": 2});
    let page = control.done("join_support_room", page).await;
    assert_eq!(ids(&page), [first.clone(), second.clone()]);
    let rest = json!({"room_type": "general_support", "before": page["pagination"]["next_cursor"]});
    assert_eq!(ids(&control.done("join_support_room", rest).await), [third]);
    control.done("close_conversation", json!({"conversation_id": first})).await;
    let joined = control.done("join_room", json!({"room_id": "driver_support"})).await;
    assert_eq!((ids(&joined).len(), &joined["room_id"]), (0, &json!("driver_support")));
}

/// S2-4, S2-16: what happens in a case is told once to whoever watches it, however many views show it.
#[tokio::test]
async fn watchers_are_told_once_until_they_join_or_leave() {
    let world = World::assemble().await;
    let id = world.case("watched").await;
    let mut watcher = world.socket(&world.control).await;
    for view in ["general_support", "driver_support"] {
        watcher.done("join_support_room", json!({"room_type": view})).await;
    }
    let path = format!("/api/conversations/{id}");
    let say = |text: &str| json!({"content": text});
    world.driver.rest.post(&format!("{path}/messages"), say("one")).await.expect(201);
    let told = watcher.event("support_conversation_updated").await;
    assert_eq!((&told["action"], &told["message"]["content"]), (&json!("message"), &json!("one")));
    assert_eq!(told["conversation"]["id"], id.as_str());
    world.second.rest.post(&format!("{path}/claim"), json!({})).await.expect(200);
    let told = watcher.wait("claimed", |f| f["action"] == "claimed").await;
    assert_eq!(told["type"], "support_conversation_updated");
    world.second.rest.post(&format!("{path}/close"), json!({})).await.expect(200);
    let _ = watcher.wait("closed", |f| f["action"] == "closed").await;
    world.second.rest.post(&format!("{path}/reopen"), json!({})).await.expect(200);
    let _ = watcher.wait("reopened", |f| f["action"] == "reopened").await;
    // Joined to the case itself, the view says nothing of it.
    watcher.done("join_conversation", json!({"conversation_id": id})).await;
    watcher.rest().await;
    world.driver.rest.post(&format!("{path}/messages"), say("two")).await.expect(201);
    assert_eq!(watcher.event("new_message").await["message"]["content"], "two");
    watcher.heard_no("support_conversation_updated").await;
    watcher.done("leave_conversation", json!({"conversation_id": id})).await;
    for view in ["general_support", "driver_support"] {
        watcher.done("leave_support_room", json!({"room_type": view})).await;
    }
    world.driver.rest.post(&format!("{path}/messages"), say("three")).await.expect(201);
    let rest = watcher.rest().await;
    assert!(rest.is_empty(), "{rest:?}");
}

/// S2-19, S2-38: every connection of the control centre is told of a new case once, watching or not; the field never.
#[tokio::test]
async fn new_cases_are_told_to_the_whole_control_centre_once() {
    let world = World::assemble().await;
    let mut watching = world.socket(&world.control).await;
    let mut idle = world.socket(&world.second).await;
    let mut field = world.socket(&world.regulator).await;
    for view in ["general_support", "driver_support"] {
        watching.done("join_support_room", json!({"room_type": view})).await;
    }
    let id = world.case("new").await;
    for socket in [&mut watching, &mut idle] {
        let told = socket.event("new_support_conversation").await;
        assert_eq!(told["conversation_id"], id.as_str());
        let rest = socket.rest().await;
        assert!(rest.is_empty(), "the opening message comes with it: {rest:?}");
    }
    assert!(field.rest().await.is_empty());
}

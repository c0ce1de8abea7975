//! The four support rooms.

use serde_json::{Value, json};

use crate::world::{World, text};

fn ids(answer: &Value) -> Vec<String> {
    answer["conversations"].as_array().unwrap().iter().map(|c| text(&c["id"])).collect()
}

/// S2-20, S2-26, S2-32 to S2-35: who waits where, the longest waiting first, emergencies in a queue of their own.
#[tokio::test]
async fn s2_20_s2_26_s2_32_s2_33_s2_34_s2_35_cases_wait_in_the_views_that_show_them() {
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
async fn s2_4_s2_16_watchers_are_told_once_until_they_join_or_leave() {
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
async fn s2_19_s2_38_new_cases_are_told_to_the_whole_control_centre_once() {
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

/// S2-23, S2-44, S2-62, S3-65: lists go on in both directions, over the socket and over REST; `after` is what is newer.
#[tokio::test]
async fn s2_23_s2_44_s2_62_s3_65_lists_of_conversations_are_paged_in_both_directions() {
    let world = World::assemble().await;
    let mut made = Vec::new();
    for n in 0..5 {
        made.push(world.case(&format!("case {n}")).await);
    }
    made.reverse();
    let mut driver = world.socket(&world.driver).await;
    let kind = "get_active_conversations";
    let newest = driver.done(kind, json!({"limit": 2})).await;
    assert_eq!(ids(&newest), made[..2]);
    let older = json!({"limit": 2, "before": newest["pagination"]["next_cursor"]});
    let older = driver.done(kind, older).await;
    assert_eq!(ids(&older), made[2..4]);
    let last = json!({"limit": 2, "before": older["pagination"]["next_cursor"]});
    let last = driver.done(kind, last).await;
    assert_eq!((ids(&last), &last["pagination"]["next_cursor"]), (made[4..].to_vec(), &json!(null)));
    // Back from the last place that is known: the nearest newer ones, in the order of the list.
    let back = json!({"limit": 2, "after": older["pagination"]["next_cursor"]});
    let back = driver.done(kind, back).await;
    assert_eq!((ids(&back), &back["pagination"]["has_more"]), (made[1..3].to_vec(), &json!(true)));
    let cursor = text(&back["pagination"]["next_cursor"]);
    let query = [("limit", "2"), ("after", cursor.as_str())];
    let rest = world.driver.rest.get("/api/conversations", &query).await.expect(200);
    assert_eq!((ids(&rest), &rest["pagination"]["has_more"]), (made[..1].to_vec(), &json!(false)));
    let rooms = world.driver.rest.get("/api/chat/rooms", &[("limit", "2")]).await.expect(200);
    let cursor = text(&rooms["pagination"]["next_cursor"]);
    let older = world.driver.rest.get("/api/chat/rooms", &[("before", &*cursor)]).await.expect(200);
    let oldest = text(&older["pagination"]["next_cursor"].as_str().map_or(json!(cursor), |c| json!(c)));
    let back =
        world.driver.rest.get("/api/chat/rooms", &[("after", &*oldest), ("limit", "1")]).await.expect(200);
    assert_eq!(back["rooms"][0]["id"], rooms["rooms"][0]["id"], "the nearest newer one");
}

/// S2-23, S2-44: open ones over the socket and all over REST unless it is said otherwise; those of others in no list.
#[tokio::test]
async fn s2_23_s2_44_a_list_holds_ones_own_conversations_of_the_status_that_is_wanted() {
    let world = World::assemble().await;
    let (closed, open) = (world.case("closed").await, world.case("open").await);
    let mut driver = world.socket(&world.driver).await;
    driver.done("close_conversation", json!({"conversation_id": closed})).await;
    // What the system says is no activity.
    let both = vec![open.clone(), closed.clone()];
    for (status, over_socket, over_rest) in [
        (None, vec![open.clone()], both.clone()),
        (Some("ACTIVE"), vec![open.clone()], vec![open.clone()]),
        (Some("CLOSED"), vec![closed.clone()], vec![closed.clone()]),
        (Some("ALL"), both.clone(), both.clone()),
    ] {
        let data = status.map_or(json!({}), |status| json!({"status": status}));
        let mine = driver.done("get_active_conversations", data).await;
        assert_eq!(ids(&mine), over_socket, "{status:?}");
        let query: Vec<(&str, &str)> = status.map(|status| ("status", status)).into_iter().collect();
        let mine = world.driver.rest.get("/api/conversations", &query).await.expect(200);
        assert_eq!(ids(&mine), over_rest, "{status:?}");
    }
    // Nor does the control centre take part in what it only watches.
    for who in [&world.regulator, &world.outsider, &world.control] {
        let none = who.rest.get("/api/conversations", &[]).await.expect(200);
        assert_eq!(none["conversations"], json!([]), "{}", who.id);
        let none = world.socket(who).await.done("get_active_conversations", json!({"status": "ALL"})).await;
        assert_eq!(none["conversations"], json!([]), "{}", who.id);
    }
    let refused = world.driver.rest.get("/api/conversations", &[("status", "OPEN")]).await;
    assert_eq!(refused.problem(400, "validation_failed")["detail"][0]["field"], "status");
}

/// S2-7, S2-16: what is unread counts what others said, also in what watchers are told; one's own words never count.
#[tokio::test]
async fn s2_7_s2_16_ones_own_messages_are_never_unread() {
    let world = World::assemble().await;
    let id = world.case("counted").await;
    let path = format!("/api/conversations/{id}");
    let mut watcher = world.socket(&world.control).await;
    watcher.done("join_support_room", json!({"room_type": "general_support"})).await;
    world.control.rest.post(&format!("{path}/claim"), json!({})).await.expect(200);
    for action in ["claimed", "message"] {
        assert_eq!(watcher.event("support_conversation_updated").await["action"], action);
    }
    let say = json!({"content": "x"});
    let mut told = Vec::new();
    for who in [&world.control, &world.driver, &world.control, &world.driver, &world.control] {
        world_say(&who.rest, &path, &say).await;
        let event = watcher.event("support_conversation_updated").await;
        assert_eq!((&event["action"], &event["message"]["sender_id"]), (&json!("message"), &json!(who.id)));
        told.push(event["conversation"]["unread_count"].clone());
    }
    assert_eq!(told, [0, 1, 1, 2, 2]);
    // In the order of what happened, whatever has to be counted first.
    world_say(&world.driver.rest, &path, &say).await;
    world.second.rest.post(&format!("{path}/close"), json!({})).await.expect(200);
    let mut order = Vec::new();
    while order.last() != Some(&json!("closed")) {
        order.push(watcher.event("support_conversation_updated").await["action"].clone());
    }
    assert_eq!(order[..2], [json!("message"), json!("closed")]);
}

async fn world_say(rest: &parlor_testkit::Rest, path: &str, say: &Value) {
    rest.post(&format!("{path}/messages"), say.clone()).await.expect(201);
}

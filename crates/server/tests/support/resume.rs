//! Coming back after a cut: nothing lost, nothing doubled; and the same messages through other doors.

use serde_json::{Value, json};

use crate::world::{World, text};

/// S2-5, S2-61: whoever was away catches up by the last message that he saw, and goes on live.
#[tokio::test]
async fn s2_5_s2_61_a_cut_connection_catches_up_without_loss_or_repetition() {
    let world = World::assemble().await;
    let id = world.case("cut").await;
    let path = format!("/api/conversations/{id}/messages");
    let mut socket = world.socket(&world.driver).await;
    socket.done("join_conversation", json!({"conversation_id": id})).await;
    let (mut sent, mut seen) = (Vec::new(), Vec::new());
    for round in 0..4 {
        let sender = {
            let (rest, path) = (world.control.rest.clone(), path.clone());
            tokio::spawn(async move {
                let mut sent = Vec::new();
                for n in 0..12 {
                    let answer = rest.post(&path, json!({"content": format!("{round} {n}")})).await;
                    sent.push(text(&answer.expect(201)["message"]["id"]));
                }
                sent
            })
        };
        for _ in 0..5 {
            seen.push(text(&socket.event("new_message").await["message"]["id"]));
        }
        // The cut, in the middle of things; some of what comes is missed.
        drop(socket);
        sent.extend(sender.await.unwrap());
        socket = world.socket(&world.driver).await;
        let mut page = json!({"pagination": {"has_more": true}});
        let mut kind = "join_conversation";
        while page["pagination"]["has_more"] == true {
            let asked = json!({"conversation_id": id, "after": seen.last(), "limit": 3});
            page = socket.done(kind, asked).await;
            seen.extend(page["messages"].as_array().unwrap().iter().map(|message| text(&message["id"])));
            kind = "get_conversation_messages";
        }
    }
    assert_eq!(seen, sent);
    socket.heard_no("new_message").await;
}

/// S2-5: what was acknowledged is there after the server was killed, with the case as it was.
#[tokio::test]
async fn s2_5_what_was_acknowledged_survives_a_kill() {
    let mut world = World::assemble().await;
    let id = world.case("killed").await;
    let mut driver = world.socket(&world.driver).await;
    let mut said = vec!["the first words".to_owned()];
    for n in 0..10 {
        let say = json!({"conversation_id": id, "content": format!("line {n}")});
        said.push(text(&driver.done("send_chat_message", say).await["message"]["content"]));
    }
    let control =
        world.socket(&world.control).await.done("claim_conversation", json!({"conversation_id": id})).await;
    world.server.kill9();
    world.server.restart().await;
    let mut driver = world.socket(&world.driver).await;
    let joined = driver.done("join_conversation", json!({"conversation_id": id})).await;
    assert_eq!(joined["conversation"]["participants"], control["conversation"]["participants"]);
    let history = driver.done("get_conversation_messages", json!({"conversation_id": id})).await;
    said.push("Control Person took over".to_owned());
    let kept: Vec<String> =
        history["messages"].as_array().unwrap().iter().map(|message| text(&message["content"])).collect();
    assert_eq!(kept, said);
}

/// A join without paging hears each message exactly once, whatever comes meanwhile.
#[tokio::test]
async fn a_join_in_the_middle_of_sends_has_no_gap_and_no_repetition() {
    let world = World::assemble().await;
    let id = world.case("busy").await;
    let path = format!("/api/conversations/{id}/messages");
    let first = world.control.rest.post(&path, json!({"content": "start"})).await.expect(201);
    let start = first["message"]["id"].clone();
    let sender = {
        let (rest, path) = (world.control.rest.clone(), path.clone());
        tokio::spawn(async move {
            let mut sent = Vec::new();
            for n in 0..50 {
                let answer = rest.post(&path, json!({"content": format!("n{n}")})).await;
                sent.push(text(&answer.expect(201)["message"]["id"]));
            }
            sent
        })
    };
    for _ in 0..3 {
        let mut socket = world.socket(&world.driver).await;
        let asked = json!({"conversation_id": id, "after": start, "limit": 100});
        let joined = socket.done("join_conversation", asked).await;
        let mut seen: Vec<Value> = joined["messages"].as_array().unwrap().clone();
        assert_eq!(joined["pagination"]["has_more"], false);
        while seen.len() < 50 {
            seen.push(socket.event("new_message").await["message"].clone());
        }
        let order: Vec<i64> = seen.iter().filter_map(|m| m["seq"].as_i64()).collect();
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        socket.heard_no("new_message").await;
    }
    assert_eq!(sender.await.unwrap().len(), 50);
}

/// A message sent through this door is seen once, with the same id, through Rocket.Chat's, and the other way round.
#[tokio::test]
async fn the_same_message_is_seen_through_rocket_chat_and_back() {
    let world = World::assemble().await;
    let id = world.case("both").await;
    let mut socket = world.socket(&world.driver).await;
    socket.done("join_conversation", json!({"conversation_id": id})).await;
    let body = json!({"message": {"rid": id, "msg": "from over there"}});
    let sent = world.driver.rest.post("/api/v1/chat.sendMessage", body).await.expect(200);
    let heard = socket.event("new_message").await;
    assert_eq!(heard["message"]["id"], sent["message"]["_id"]);
    socket.heard_no("new_message").await;
    let mine = socket.done("send_chat_message", json!({"conversation_id": id, "content": "from here"})).await;
    let query = [("roomId", id.as_str())];
    let history = world.driver.rest.get("/api/v1/groups.history", &query).await.expect(200);
    let same = history["messages"].as_array().unwrap().iter().filter(|m| m["_id"] == mine["message"]["id"]);
    assert_eq!(same.count(), 1);
    // An outsider finds nothing there either.
    let other = world.regulator.rest.get("/api/v1/groups.history", &query).await;
    assert!(other.status >= 400, "{}", other.text());
}

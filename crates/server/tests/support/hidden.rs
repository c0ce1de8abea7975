//! Whatever a request names that its sender may not see is answered as if it were not there; and what a closed case takes
//! no more, it takes by no door.

use serde_json::{Value, json};

use crate::world::{World, text};

/// What was answered, but for what every answer has of its own.
fn bare(mut answer: Value) -> Value {
    let keys = answer.as_object_mut().unwrap();
    keys.remove("request_id");
    keys.remove("timestamp");
    answer
}

/// S2-57, S2-73: messages and files of others' cases, in every field of a request that can name them.
#[tokio::test]
async fn s2_57_s2_73_what_others_have_is_not_there_in_whatever_field_it_is_named() {
    let world = World::assemble().await;
    let own =
        world.regulator.rest.post("/api/conversations/create", json!({"title": "own", "content": "mine"}));
    let own = own.await.expect(201)["conversation"]["id"].take();
    let file = ("note.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let stored = world.driver.rest.upload("/api/chat/upload", "file", file, &[]).await.expect(201);
    let body = json!({"title": "t", "content": "the secret", "attachments": [{"id": stored["id"]}]});
    let made = world.driver.rest.post("/api/conversations/create", body).await.expect(201);
    let (case, message, file) =
        (text(&made["conversation"]["id"]), text(&made["message"]["id"]), text(&stored["id"]));
    let mut socket = world.socket(&world.regulator).await;
    for (kind, data) in [
        ("mark_message_read", json!({"message_id": message})),
        ("mark_message_read", json!({"message_ids": [message]})),
        ("mark_message_read", json!({"conversation_id": own, "message_ids": [message]})),
        ("mark_message_read", json!({"conversation_id": case, "message_ids": [message]})),
        ("send_chat_message", json!({"conversation_id": own, "content": "x", "reply_to_id": message})),
        ("send_chat_message", json!({"conversation_id": own, "content": "x", "thread_id": message})),
        ("send_chat_message", json!({"conversation_id": own, "attachments": [{"id": file}]})),
        ("send_chat_message", json!({"conversation_id": own, "attachments": [{"url": stored["url"]}]})),
        ("get_conversation_messages", json!({"conversation_id": own, "after": message})),
        ("get_conversation_messages", json!({"conversation_id": own, "before": message})),
        ("join_conversation", json!({"conversation_id": own, "after": message})),
        ("join_room", json!({"room_id": case})),
        ("leave_conversation", json!({"conversation_id": case})),
        ("react_to_message", json!({"message_id": message, "emoji": ":eyes:"})),
        ("pin_message", json!({"message_id": message})),
        ("get_thread_messages", json!({"message_id": message})),
        ("search_messages", json!({"query": "secret", "conversation_id": case})),
        ("get_presence", json!({"conversation_id": case})),
    ] {
        let none =
            |text: String| text.replace(&case, "none").replace(&message, "none").replace(&file, "none");
        let nothing: Value = serde_json::from_str(&none(data.to_string())).unwrap();
        let there = bare(socket.ask(kind, data.clone()).await);
        let nowhere = bare(socket.ask(kind, nothing).await);
        assert_eq!(none(there.to_string()), nowhere.to_string(), "{kind} {data}");
        let refused = there["type"] == format!("{kind}_error");
        assert!(refused || kind == "leave_conversation", "{kind} {data}: {there}");
    }
    assert!(socket.rest().await.is_empty());
    let kept = world.regulator.rest.get(&format!("/api/conversations/{}/messages", text(&own)), &[]).await;
    assert_eq!(kept.expect(200)["pagination"]["total"], 1, "nothing was said");
}

/// S2-42: whatever door one comes by, nobody writes in a closed case, and everybody does again when it is open.
#[tokio::test]
async fn s2_42_a_closed_case_takes_no_message_by_any_door() {
    let world = World::assemble().await;
    let id = world.case("closed").await;
    let path = format!("/api/conversations/{id}");
    for (turn, closed) in [("close", true), ("reopen", false)] {
        world.control.rest.post(&format!("{path}/{turn}"), json!({})).await.expect(200);
        for who in [&world.driver, &world.control] {
            for (door, body) in [
                (format!("{path}/messages"), json!({"content": "by support"})),
                ("/api/chat/messages".to_owned(), json!({"room_id": id, "content": "by rooms"})),
                ("/api/chat/send".to_owned(), json!({"room_id": id, "message": "by inbox"})),
            ] {
                let told = who.rest.post(&door, body).await;
                match closed {
                    true => drop(told.problem(409, "conversation_closed")),
                    false => assert_eq!(told.status, 201, "{door}: {}", told.text()),
                }
            }
            let by_rocket = json!({"message": {"rid": id, "msg": "by Rocket.Chat"}});
            let told = who.rest.post("/api/v1/chat.sendMessage", by_rocket).await;
            assert_eq!(told.status, if closed { 400 } else { 200 }, "{}", told.text());
        }
    }
    let kept = world.driver.rest.get(&format!("{path}/messages"), &[]).await.expect(200);
    // The first words, two lines of the system, and what each said by each door.
    assert_eq!(kept["pagination"]["total"], 1 + 2 + 8, "{kept}");
}

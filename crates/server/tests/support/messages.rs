//! Messages, typing, receipts, history.

use serde_json::{Value, json};

use crate::world::{World, text};

/// S2-22, S2-25, S2-36, S2-72: only connections that joined hear messages, each once.
#[tokio::test]
async fn s2_22_s2_25_s2_36_s2_72_messages_reach_those_who_joined_and_nobody_else() {
    let world = World::assemble().await;
    let id = world.case("hello").await;
    let at = json!({"conversation_id": id});
    let mut joined = world.socket(&world.driver).await;
    let mut idle = world.socket(&world.driver).await;
    let mut outsider = world.socket(&world.outsider).await;
    joined.done("join_conversation", at.clone()).await;
    joined.done("join_conversation", at.clone()).await;
    outsider.refused("join_conversation", at.clone(), "not_found").await;
    let unknown = json!({"conversation_id": "no-such-room"});
    let other = outsider.refused("join_conversation", unknown, "not_found").await;
    assert_eq!(other["message"], "Conversation not found");

    let sent = idle.done("send_chat_message", json!({"conversation_id": id, "content": "hi <b>&"})).await;
    let heard = joined.event("new_message").await;
    assert_eq!(heard["message"], sent["message"]);
    assert_eq!(heard["message"]["content"], "hi <b>&");
    joined.heard_no("new_message").await;
    idle.heard_no("new_message").await;
    assert!(outsider.rest().await.is_empty());

    joined.done("leave_conversation", at).await;
    idle.done("send_chat_message", json!({"conversation_id": id, "content": "gone?"})).await;
    joined.heard_no("new_message").await;
}

/// S2-22: a retry is the message that is stored, and nothing is told again; in another conversation it is refused, without a
/// word about the first.
#[tokio::test]
async fn s2_22_a_retry_is_the_stored_message_and_goes_nowhere_else() {
    let world = World::assemble().await;
    let (id, other) = (world.case("one").await, world.case("another").await);
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    control.done("join_conversation", json!({"conversation_id": id})).await;
    control.done("join_conversation", json!({"conversation_id": other})).await;
    let say = |room: &str, text: &str| json!({"conversation_id": room, "content": text, "client_id": "c-1"});
    let first = driver.done("send_chat_message", say(&id, "once")).await;
    assert_eq!(
        (&first["message"]["content"], &first["message"]["client_id"]),
        (&json!("once"), &json!("c-1"))
    );
    let again = driver.done("send_chat_message", say(&id, "twice")).await;
    assert_eq!(again["message"], first["message"]);
    let refused = driver.refused("send_chat_message", say(&other, "once"), "client_id_conflict").await;
    assert!(!refused.to_string().contains(&id), "{refused}");
    let path = format!("/api/conversations/{other}/messages");
    let body = json!({"content": "once", "client_id": "c-1"});
    let refused = world.driver.rest.post(&path, body.clone()).await.problem(409, "client_id_conflict");
    assert!(!refused.to_string().contains(&id), "{refused}");
    // The same word of another author is another message, and the next that is heard.
    let theirs = world.control.rest.post(&path, body).await.expect(201);
    assert_eq!(control.event("new_message").await["message"]["id"], first["message"]["id"]);
    assert_eq!(control.event("new_message").await["message"]["id"], theirs["message"]["id"]);
    let kept = world.driver.rest.get(&path, &[]).await.expect(200);
    assert_eq!(kept["pagination"]["total"], 2, "the first words and those of the control centre: {kept}");
}

/// S2-31, S2-66: `join_room` flat, replies, edits, removals and reactions from other surfaces.
#[tokio::test]
async fn s2_31_s2_66_changes_of_messages_are_told() {
    let world = World::assemble().await;
    let id = world.case("changes").await;
    let mut driver = world.socket(&world.driver).await;
    driver.send(json!({"type": "join_room", "room_id": id, "request_id": 5})).await;
    let joined = driver.wait("join_room", |f| f["request_id"] == 5).await;
    assert_eq!((&joined["type"], &joined["room_id"]), (&json!("join_room_success"), &json!(id)));
    let say = json!({"conversation_id": id, "content": "one"});
    let first = driver.done("send_chat_message", say).await;
    let reply = json!({"conversation_id": id, "content": "two", "reply_to_id": first["message"]["id"]});
    let second = driver.done("send_chat_message", reply).await;
    assert_eq!(second["message"]["reply_to_id"], first["message"]["id"]);
    let wrong = json!({"conversation_id": id, "content": "three", "reply_to_id": "no-such-message"});
    driver.refused("send_chat_message", wrong, "not_found").await;
    let _ = driver.event("new_message").await;
    let _ = driver.event("new_message").await;

    let rocket = &world.driver.rest;
    let message = text(&first["message"]["id"]);
    let react = json!({"messageId": message, "emoji": ":tada:"});
    rocket.post("/api/v1/chat.react", react).await.expect(200);
    let told = driver.event("message_reaction").await;
    assert_eq!(told["reactions"], json!([{"emoji": ":tada:", "user_ids": ["u-driver"]}]));
    let edit = json!({"roomId": id, "msgId": message, "text": "one, better"});
    rocket.post("/api/v1/chat.update", edit).await.expect(200);
    let told = driver.event("message_edited").await;
    assert_eq!(
        (&told["message"]["content"], &told["message"]["is_edited"]),
        (&json!("one, better"), &json!(true))
    );
    rocket.post("/api/v1/chat.delete", json!({"roomId": id, "msgId": message})).await.expect(200);
    let told = driver.event("message_deleted").await;
    assert_eq!((&told["message"]["content"], &told["message"]["is_deleted"]), (&json!(null), &json!(true)));
    assert_eq!(told["message"]["id"], message.as_str());
    let history = driver.done("get_conversation_messages", json!({"conversation_id": id})).await;
    let kept: Vec<&Value> =
        history["messages"].as_array().unwrap().iter().filter(|m| m["id"] == message.as_str()).collect();
    assert_eq!(kept.len(), 1, "its place stays");
}

/// S2-6, S2-12, S2-18, S2-27, S2-37: typing is told to those who joined, not to the typist, and ends with a message.
#[tokio::test]
async fn s2_6_s2_12_s2_18_s2_27_s2_37_typing_is_shown_to_the_others_until_the_message() {
    let world = World::assemble().await;
    let id = world.case("typing").await;
    let typing = |on: bool| json!({"conversation_id": id, "is_typing": on});
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    let mut idle = world.socket(&world.control).await;
    let mut own = world.socket(&world.driver).await;
    driver.refused("typing_indicator", typing(true), "not_in_room").await;
    for socket in [&mut own, &mut driver, &mut control] {
        socket.done("join_conversation", json!({"conversation_id": id})).await;
    }
    let wrong = json!({"conversation_id": id, "is_typing": "yes"});
    driver.refused("typing_indicator", wrong, "validation_failed").await;
    driver.done("typing_indicator", typing(true)).await;
    let told = control.event("typing_status").await;
    assert_eq!((&told["user_id"], &told["is_typing"]), (&json!("u-driver"), &json!(true)));
    assert_eq!((&told["user_name"], &told["conversation_id"]), (&json!("Driver Person"), &json!(id)));
    // Said again at once it is not repeated.
    driver.done("typing_indicator", typing(true)).await;
    driver.done("send_chat_message", json!({"conversation_id": id, "content": "done"})).await;
    let mut order = Vec::new();
    while order.len() < 2 {
        let next = |f: &Value| f["type"] == "typing_status" || f["type"] == "new_message";
        order.push(text(&control.wait("the end and the message", next).await["type"]));
    }
    assert_eq!(order, ["typing_status", "new_message"], "the end comes before the message");
    own.event("new_message").await;
    for socket in [&mut driver, &mut own, &mut idle] {
        socket.heard_no("typing_status").await;
    }
    // It ends with the connection too.
    driver.done("typing_indicator", typing(true)).await;
    assert_eq!(control.event("typing_status").await["is_typing"], true);
    drop(driver);
    assert_eq!(control.event("typing_status").await["is_typing"], false);
}

/// S2-6, S2-18, S2-42: nobody begins to type in a closed case, and who typed when it was closed can say that it is over.
#[tokio::test]
async fn s2_6_s2_18_s2_42_whoever_typed_when_a_case_was_closed_can_say_that_it_is_over() {
    let world = World::assemble().await;
    let at = json!({"conversation_id": world.case("typing").await});
    let typing = |on: bool| json!({"conversation_id": at["conversation_id"], "is_typing": on});
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    for socket in [&mut driver, &mut control] {
        socket.done("join_conversation", at.clone()).await;
    }
    driver.done("typing_indicator", typing(true)).await;
    assert_eq!(control.event("typing_status").await["is_typing"], true);
    control.done("close_conversation", at.clone()).await;
    driver.refused("typing_indicator", typing(true), "conversation_closed").await;
    driver.done("typing_indicator", typing(false)).await;
    assert_eq!(control.event("typing_status").await["is_typing"], false);
}

/// S2-7, S2-28: receipts.
#[tokio::test]
async fn s2_7_s2_28_reading_is_told_and_moves_the_unread_number() {
    let world = World::assemble().await;
    let id = world.case("receipts").await;
    let mut driver = world.socket(&world.driver).await;
    let mut elsewhere = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    control.done("claim_conversation", json!({"conversation_id": id})).await;
    let say = |text: &str| json!({"conversation_id": id, "content": text});
    let first = control.done("send_chat_message", say("a")).await;
    let second = control.done("send_chat_message", say("b")).await;
    let mine = driver.done("get_active_conversations", json!({})).await;
    assert_eq!(mine["conversations"][0]["unread_count"], 2);

    let one = json!({"message_id": first["message"]["id"]});
    let read = driver.done("mark_message_read", one).await;
    assert_eq!((&read["conversation_id"], &read["unread_count"]), (&json!(id), &json!(1)));
    assert_eq!(read["message_ids"], json!([first["message"]["id"]]));
    let told = control.event("message_read").await;
    assert_eq!((&told["user_id"], &told["message_ids"]), (&json!("u-driver"), &read["message_ids"]));
    assert_eq!((&told["conversation_id"], &told["read_at"]), (&json!(id), &read["read_at"]));
    assert_eq!(elsewhere.event("message_read").await["message_ids"], read["message_ids"], "one's own others");
    let all = driver.done("mark_message_read", json!({"conversation_id": id})).await;
    assert_eq!(all["unread_count"], 0);
    assert_eq!(elsewhere.event("message_read").await["message_ids"], all["message_ids"]);
    driver.heard_no("message_read").await;
    driver.done("join_conversation", json!({"conversation_id": id})).await;
    let third = control.done("send_chat_message", say("c")).await;
    driver.done("mark_message_read", json!({"message_id": third["message"]["id"]})).await;
    let told = driver.event("message_read").await;
    assert_eq!(told["message_ids"], json!([third["message"]["id"]]), "whoever joined hears it");
    driver.heard_no("message_read").await;
    assert_eq!(all["message_ids"], json!([second["message"]["id"]]));

    driver.refused("mark_message_read", json!({"message_id": "no-such"}), "not_found").await;
    let many: Vec<String> = (0..101).map(|n| format!("m{n}")).collect();
    let many = json!({"conversation_id": id, "message_ids": many});
    driver.refused("mark_message_read", many, "validation_failed").await;
    driver.refused("mark_message_read", json!({}), "validation_failed").await;
    // Somebody of the control centre who takes no part is answered, and nothing is kept or told.
    while control.event("message_read").await["message_ids"] != json!([third["message"]["id"]]) {}
    let mut second = world.socket(&world.second).await;
    let answered = second.done("mark_message_read", json!({"conversation_id": id})).await;
    assert_eq!((&answered["conversation_id"], &answered["unread_count"]), (&json!(id), &json!(0)));
    driver.done("mark_message_read", json!({"message_id": first["message"]["id"]})).await;
    for socket in [&mut control, &mut driver, &mut second] {
        socket.heard_no("message_read").await;
    }
    // What is read stays read.
    let mine = driver.done("get_active_conversations", json!({})).await;
    assert_eq!(mine["conversations"][0]["unread_count"], 0);
}

/// S2-24, S2-62: history by cursor, by message id, by skip, with bad cursors refused.
#[tokio::test]
async fn s2_24_s2_62_history_is_paged() {
    let world = World::assemble().await;
    let id = world.case("history").await;
    let mut driver = world.socket(&world.driver).await;
    for n in 0..7 {
        driver.done("send_chat_message", json!({"conversation_id": id, "content": format!("m{n}")})).await;
    }
    let page = |more: Value| {
        let mut asked = json!({"conversation_id": id, "limit": 3});
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        asked
    };
    let contents = |answer: &Value| -> Vec<String> {
        answer["messages"].as_array().unwrap().iter().map(|m| text(&m["content"])).collect()
    };
    let newest = driver.done("get_conversation_messages", page(json!({}))).await;
    assert_eq!(contents(&newest), ["m4", "m5", "m6"]);
    assert_eq!(
        (&newest["pagination"]["has_more"], &newest["pagination"]["total"]),
        (&json!(true), &json!(8))
    );
    let older = json!({"before": newest["pagination"]["next_cursor"]});
    let older = driver.done("get_conversation_messages", page(older)).await;
    assert_eq!(contents(&older), ["m1", "m2", "m3"]);
    let by_id = json!({"after": older["messages"][2]["id"]});
    let newer = driver.done("get_conversation_messages", page(by_id)).await;
    assert_eq!(contents(&newer), ["m4", "m5", "m6"]);
    let skipped = driver.done("get_conversation_messages", page(json!({"skip": 3}))).await;
    assert_eq!(contents(&skipped), ["m1", "m2", "m3"]);
    assert_eq!(
        (&skipped["pagination"]["page"], &skipped["pagination"]["total_pages"]),
        (&json!(2), &json!(3))
    );
    driver.refused("get_conversation_messages", page(json!({"before": "nonsense!"})), "bad_cursor").await;
    driver.refused("get_conversation_messages", page(json!({"before": 5})), "validation_failed").await;
    driver.refused("get_conversation_messages", page(json!({"limit": 0})), "validation_failed").await;
    let both = json!({"before": "a", "after": "b"});
    driver.refused("get_conversation_messages", page(both), "validation_failed").await;
}

/// S2-58: wrong types and sizes are told with their field, and nothing is stored.
#[tokio::test]
async fn s2_58_wrong_fields_are_named() {
    let world = World::assemble().await;
    let id = world.case("fields").await;
    let mut driver = world.socket(&world.driver).await;
    let number = json!({"conversation_id": id, "content": 5});
    let told = driver.refused("send_chat_message", number, "validation_failed").await;
    assert_eq!(told["detail"], json!([{"field": "content", "problem": "must be a string"}]));
    for (kind, data, field) in [
        ("send_chat_message", json!({"conversation_id": id}), "content"),
        ("send_chat_message", json!({"conversation_id": id, "content": "  \n"}), "content"),
        ("send_chat_message", json!({"conversation_id": id, "content": "x".repeat(5001)}), "content"),
        ("send_chat_message", json!({"conversation_id": {"$ne": 1}, "content": "x"}), "conversation_id"),
        (
            "send_chat_message",
            json!({"conversation_id": id, "content": "x", "client_id": "a b"}),
            "client_id",
        ),
        ("create_support_conversation", json!({"content": "x"}), "title"),
        ("create_support_conversation", json!({"title": "x"}), "content"),
        ("create_support_conversation", json!({"title": "x".repeat(201), "content": "x"}), "title"),
        ("create_support_conversation", json!({"title": "x", "content": "x", "priority": "VIP"}), "priority"),
        ("get_active_conversations", json!({"status": "OPEN"}), "status"),
    ] {
        let told = driver.refused(kind, data.clone(), "validation_failed").await;
        assert_eq!(told["detail"][0]["field"], field, "{kind} {data} {told}");
    }
    let unknown = json!({"conversation_id": id, "content": "x", "attachments": [{"id": "nothing"}]});
    driver.refused("send_chat_message", unknown, "not_found").await;
    let history = driver.done("get_conversation_messages", json!({"conversation_id": id})).await;
    assert_eq!(history["messages"].as_array().map(Vec::len), Some(1));
}

/// S2-6, S2-37: whoever leaves types no more.
#[tokio::test]
async fn s2_6_s2_37_whoever_leaves_while_typing_has_stopped_first() {
    let world = World::assemble().await;
    let at = json!({"conversation_id": world.case("hello").await});
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    driver.done("join_conversation", at.clone()).await;
    control.done("join_conversation", at.clone()).await;
    let mut typing = at.clone();
    typing["is_typing"] = true.into();
    driver.done("typing_indicator", typing).await;
    assert_eq!(control.event("typing_status").await["is_typing"], true);
    driver.done("leave_conversation", at).await;
    let either = |frame: &Value| frame["type"] == "typing_status" || frame["type"] == "presence_status";
    let stopped = control.wait("a stop", either).await;
    assert_eq!(
        (&stopped["is_typing"], &stopped["user_id"]),
        (&json!(false), &json!("u-driver")),
        "{stopped}"
    );
    assert_eq!(control.wait("a going", either).await["is_present"], false);
}

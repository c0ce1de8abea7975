//! What is wrong with a request is told by its field, and changes nothing.

use serde_json::json;

use crate::world::World;

/// S2-58: every request names the field that it can't take, and what is wrong with it.
#[tokio::test]
async fn s2_58_every_request_names_the_field_that_it_can_not_take() {
    let world = World::assemble().await;
    let id = world.case("fields").await;
    let mut driver = world.socket(&world.driver).await;
    for (kind, data, field) in [
        ("create_support_conversation", json!({"title": " ", "content": "x"}), "title"),
        ("create_support_conversation", json!({"title": ["x"], "content": "x"}), "title"),
        ("send_chat_message", json!({"content": "x"}), "conversation_id"),
        ("send_chat_message", json!({"conversation_id": id, "attachments": "x"}), "attachments"),
        (
            "send_chat_message",
            json!({"conversation_id": id, "content": "x", "reply_to_id": 5}),
            "reply_to_id",
        ),
        ("get_active_conversations", json!({"status": 5}), "status"),
        ("get_active_conversations", json!({"limit": "many"}), "limit"),
        ("get_conversation_messages", json!({}), "conversation_id"),
        ("get_conversation_messages", json!({"conversation_id": id, "skip": -1}), "skip"),
        ("join_conversation", json!({}), "conversation_id"),
        ("join_conversation", json!({"conversation_id": [id]}), "conversation_id"),
        ("join_conversation", json!({"conversation_id": id, "after": 5}), "after"),
        ("join_room", json!({}), "room_id"),
        ("join_room", json!({"room_id": 5}), "room_id"),
        ("leave_conversation", json!({}), "conversation_id"),
        ("typing_indicator", json!({"is_typing": true}), "conversation_id"),
        ("typing_indicator", json!({"conversation_id": id}), "is_typing"),
        ("mark_message_read", json!({"message_id": 5}), "message_id"),
        ("mark_message_read", json!({"message_ids": "all"}), "message_ids"),
        ("claim_conversation", json!({"conversation_id": null}), "conversation_id"),
        ("close_conversation", json!({"conversation_id": id, "reason": 5}), "reason"),
        ("close_conversation", json!({"conversation_id": id, "reason": "x".repeat(501)}), "reason"),
        ("reopen_conversation", json!({"conversation_id": true}), "conversation_id"),
    ] {
        let told = driver.refused(kind, data.clone(), "validation_failed").await;
        assert_eq!(told["detail"][0]["field"], field, "{kind} {data} {told}");
        assert!(told["detail"][0]["problem"].is_string(), "{told}");
    }
    driver.heard_no("new_message").await;
    let mine = driver.done("get_active_conversations", json!({"status": "ALL"})).await;
    assert_eq!(mine["conversations"].as_array().map(Vec::len), Some(1), "none was opened: {mine}");
    let case = &mine["conversations"][0];
    assert_eq!(
        (&case["status"], &case["last_message"]["content"]),
        (&json!("ACTIVE"), &json!("the first words"))
    );
}

//! Opening, claiming, closing and opening again.

use serde_json::json;

use crate::world::{World, text};

/// S2-3, S2-9, S2-19, S2-21, S2-38, S2-40, S2-41: the golden exchange of the contract.
#[tokio::test]
async fn s2_3_s2_9_s2_19_s2_21_s2_38_s2_40_s2_41_a_request_goes_from_the_driver_to_the_control_centre_and_back()
 {
    let world = World::assemble().await;
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    let mut other = world.socket(&world.regulator).await;
    control.done("join_support_room", json!({"room_type": "general_support"})).await;

    let title = "Route Change Request";
    let asked = json!({"title": title, "content": "I need to discuss my route."});
    let made = driver.done("create_support_conversation", asked).await;
    let case = &made["conversation"];
    let id = text(&case["id"]);
    assert_eq!(case["participants"], json!(["u-driver"]));
    assert_eq!((&case["title"], &case["status"]), (&json!(title), &json!("ACTIVE")));
    assert_eq!((&case["queue"], &case["requester_role"]), (&json!("driver_support"), &json!("BUS_DRIVER")));
    assert_eq!(case["room_types"], json!(["general_support", "driver_support"]));
    assert_eq!((&case["priority"], &case["kind"]), (&json!("NORMAL"), &json!("support")));
    assert_eq!(made["message"]["content"], "I need to discuss my route.");
    assert_eq!(made["message"]["message_type"], "TEXT");
    assert_eq!(made["message"]["conversation_id"], id.as_str());

    let told = control.event("new_support_conversation").await;
    assert_eq!((&told["conversation_id"], &told["user_id"]), (&json!(id), &json!("u-driver")));
    assert_eq!((&told["title"], &told["message"]["id"]), (&json!(title), &made["message"]["id"]));
    assert_eq!((&told["conversation"], &told["message"]), (case, &made["message"]));
    assert_eq!((&told["room_types"], &told["user_name"]), (&case["room_types"], &json!("Driver Person")));

    let claimed = control.done("claim_conversation", json!({"conversation_id": id})).await;
    assert_eq!(claimed["conversation"]["participants"], json!(["u-driver", "u-control"]));
    let updated = driver.event("conversation_updated").await;
    assert_eq!((&updated["action"], &updated["conversation"]["id"]), (&json!("claimed"), &json!(id)));
    let line = driver.event("new_message").await;
    assert_eq!(line["message"]["message_type"], "SYSTEM");
    assert_eq!(line["message"]["sender_id"], "u-control");

    let say = json!({"conversation_id": id, "content": "Which road?"});
    let sent = control.done("send_chat_message", say).await;
    let heard = driver.event("new_message").await;
    assert_eq!(heard["message"], sent["message"]);
    let echo =
        control.wait("own copy", |f| f["type"] == "new_message" && f["message"]["content"] == "Which road?");
    assert_eq!(echo.await["message"]["id"], sent["message"]["id"]);
    driver.heard_no("new_message").await;
    // S2-14, S2-57: nobody else of the field hears of it.
    let foreign = other.rest().await;
    assert!(foreign.is_empty(), "{foreign:?}");
}

/// S2-21, S2-42: who opens a case has it in the answer; the requester's other connections are told of it.
#[tokio::test]
async fn s2_21_s2_42_only_the_requesters_other_connections_are_told_of_a_new_case() {
    let world = World::assemble().await;
    let (mut here, mut there) = (world.socket(&world.driver).await, world.socket(&world.driver).await);
    let made = here.done("create_support_conversation", json!({"title": "t", "content": "c"})).await;
    let told = there.event("conversation_updated").await;
    assert_eq!(
        (&told["action"], &told["conversation"]["id"]),
        (&json!("created"), &made["conversation"]["id"])
    );
    // One that is opened elsewhere comes behind, and is the first that is heard of.
    let elsewhere = world.case("by REST").await;
    let told = here.event("conversation_updated").await;
    assert_eq!((&told["action"], &told["conversation"]["id"]), (&json!("created"), &json!(elsewhere)));
}

/// S2-42: closing and opening again, with who may; writing to a closed case is refused.
#[tokio::test]
async fn s2_42_a_closed_case_is_read_but_not_written() {
    let world = World::assemble().await;
    let id = world.case("stuck").await;
    let at = json!({"conversation_id": id});
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    let mut outsider = world.socket(&world.outsider).await;
    outsider.refused("close_conversation", at.clone(), "not_found").await;
    driver.refused("claim_conversation", at.clone(), "role_required").await;
    driver.done("join_conversation", at.clone()).await;

    let closing = json!({"conversation_id": id, "reason": "solved"});
    let closed = control.done("close_conversation", closing).await;
    assert_eq!(closed["conversation"]["status"], "CLOSED");
    assert_eq!(closed["conversation"]["closed_by"], "u-control");
    assert!(closed["conversation"]["closed_at"].is_string());
    let told = driver.wait("closed", |f| f["type"] == "conversation_updated" && f["action"] == "closed");
    assert_eq!(told.await["conversation"]["status"], "CLOSED");
    assert_eq!(driver.event("new_message").await["message"]["content"], "closed: solved");
    // Again: success, nothing new.
    control.done("close_conversation", at.clone()).await;
    let rest = driver.rest().await;
    assert!(rest.iter().all(|frame| frame["action"] != "closed"), "{rest:?}");

    let say = json!({"conversation_id": id, "content": "one more thing"});
    driver.refused("send_chat_message", say.clone(), "conversation_closed").await;
    driver.done("get_conversation_messages", at.clone()).await;
    driver.done("join_conversation", at.clone()).await;
    driver.done("mark_message_read", at.clone()).await;

    // The requester may open it again.
    let opened = driver.done("reopen_conversation", at.clone()).await;
    assert_eq!(
        (&opened["conversation"]["status"], &opened["conversation"]["closed_at"]),
        (&json!("ACTIVE"), &json!(null))
    );
    driver.done("send_chat_message", say).await;
}

/// S2-42: closing and opening again are told to whoever takes part, each with a line of who did it; what is so already is
/// told to nobody.
#[tokio::test]
async fn s2_42_closing_and_opening_again_are_told_once() {
    let world = World::assemble().await;
    let id = world.case("told").await;
    let at = json!({"conversation_id": id});
    world.control.rest.post(&format!("/api/conversations/{id}/claim"), json!({})).await.expect(200);
    let mut control = world.socket(&world.control).await;
    control.done("join_conversation", at.clone()).await;
    let mut driver = world.socket(&world.driver).await;
    driver.done("join_conversation", at.clone()).await;
    control.event("presence_status").await;
    let with_reason = json!({"conversation_id": id, "reason": "not solved"});
    for (kind, data, action, status, line) in [
        ("close_conversation", at.clone(), "closed", "CLOSED", "closed"),
        ("reopen_conversation", with_reason, "reopened", "ACTIVE", "reopened: not solved"),
    ] {
        for _ in 0..2 {
            let done = driver.done(kind, data.clone()).await;
            assert_eq!(done["conversation"]["status"], status);
        }
        for socket in [&mut driver, &mut control] {
            let told = socket.event("conversation_updated").await;
            assert_eq!((&told["action"], &told["conversation"]["status"]), (&json!(action), &json!(status)));
            let by = if status == "CLOSED" { json!("u-driver") } else { json!(null) };
            assert_eq!((&told["conversation"]["id"], &told["conversation"]["closed_by"]), (&json!(id), &by));
            let said = socket.event("new_message").await["message"].take();
            assert_eq!((&said["content"], &said["message_type"]), (&json!(line), &json!("SYSTEM")));
            assert_eq!(said["sender_id"], "u-driver");
            assert!(socket.rest().await.is_empty(), "once");
        }
    }
}

/// S2-42: whoever takes part and neither asked nor is of the control centre closes nothing; nor does a stranger.
#[tokio::test]
async fn s2_42_only_the_requester_and_the_control_centre_close_a_case() {
    let world = World::assemble().await;
    let id = world.case("whose").await;
    let path = format!("/api/conversations/{id}");
    world.control.rest.post(&format!("{path}/claim"), json!({})).await.expect(200);
    let add = json!({"user_id": "u-outsider"});
    world.control.rest.post(&format!("{path}/participants"), add).await.expect(200);
    let at = json!({"conversation_id": id});
    for (who, code, status) in [(&world.outsider, "forbidden", 403), (&world.regulator, "not_found", 404)] {
        let mut socket = world.socket(who).await;
        for turn in ["close", "reopen"] {
            socket.refused(&format!("{turn}_conversation"), at.clone(), code).await;
            who.rest.post(&format!("{path}/{turn}"), json!({})).await.problem(status, code);
        }
        let claim = if status == 403 { "role_required" } else { code };
        socket.refused("claim_conversation", at.clone(), claim).await;
        who.rest.post(&format!("{path}/claim"), json!({})).await.problem(status, claim);
    }
    let case = world.driver.rest.get(&path, &[]).await.expect(200);
    assert_eq!(case["conversation"]["status"], "ACTIVE");
    let said = world.driver.rest.get(&format!("{path}/messages"), &[]).await.expect(200);
    assert_eq!(said["pagination"]["total"], 2, "the first words, and who took over: {said}");
    world
        .driver
        .rest
        .post(&format!("{path}/close"), json!({"reason": 5}))
        .await
        .problem(400, "validation_failed");
    let closed = world.driver.rest.post(&format!("{path}/close"), json!({})).await.expect(200);
    assert_eq!(closed["conversation"]["closed_by"], "u-driver");
    let opened = world.control.rest.post(&format!("{path}/reopen"), json!({})).await.expect(200);
    assert_eq!(
        (&opened["conversation"]["status"], &opened["conversation"]["closed_by"]),
        (&json!("ACTIVE"), &json!(null))
    );
    // Somebody who takes part talks there like anybody else.
    world.outsider.rest.post(&format!("{path}/messages"), json!({"content": "me too"})).await.expect(201);
}

/// S2-15: the first words of a member of the control centre make him a participant; claiming twice changes nothing.
#[tokio::test]
async fn s2_15_whoever_answers_takes_part() {
    let world = World::assemble().await;
    let id = world.case("who is there").await;
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    driver.done("join_conversation", json!({"conversation_id": id})).await;
    control.done("send_chat_message", json!({"conversation_id": id, "content": "me"})).await;
    let told =
        driver.wait("claimed", |f| f["type"] == "conversation_updated" && f["action"] == "claimed").await;
    assert_eq!(told["conversation"]["participants"], json!(["u-driver", "u-control"]));
    let first = driver.event("new_message").await;
    assert_eq!(first["message"]["content"], "me");

    let claimed = control.done("claim_conversation", json!({"conversation_id": id})).await;
    assert_eq!(claimed["conversation"]["participants"], json!(["u-driver", "u-control"]));
    driver.heard_no("new_message").await;
    // A second member of the control centre may take part as well.
    world.second.rest.post(&format!("/api/conversations/{id}/claim"), json!({})).await.expect(200);
    let told = driver.wait("claimed", |f| f["type"] == "conversation_updated").await;
    assert_eq!(told["conversation"]["participants"], json!(["u-driver", "u-control", "u-second"]));
}

/// A retry with the same client id is the same case and message, and nothing is told again.
#[tokio::test]
async fn a_retried_request_opens_one_case() {
    let world = World::assemble().await;
    let mut driver = world.socket(&world.driver).await;
    let mut control = world.socket(&world.control).await;
    let asked = json!({"title": "once", "content": "only once", "client_id": "c-1"});
    let first = driver.done("create_support_conversation", asked.clone()).await;
    let again = driver.done("create_support_conversation", asked).await;
    assert_eq!(again["conversation"]["id"], first["conversation"]["id"]);
    assert_eq!(again["message"]["id"], first["message"]["id"]);
    assert_eq!(again["message"]["client_id"], "c-1");
    let _ = control.event("new_support_conversation").await;
    control.heard_no("new_support_conversation").await;
}

/// S2-21 to S2-23, S2-26, S2-30, S2-31: the lines of the document as they stand there, without a request's id, in both envelopes.
#[tokio::test]
async fn s2_21_s2_22_s2_23_s2_26_s2_30_s2_31_the_documents_own_lines_are_answered() {
    let world = World::assemble().await;
    let (mut driver, mut control) = (world.socket(&world.driver).await, world.socket(&world.control).await);
    control.wire().send_text(r#"{"type":"join_support_room","data":{"room_type":"general_support"}}"#).await;
    assert_eq!(control.event("join_support_room_success").await["conversations"], json!([]));
    let open = r#"{"type":"create_support_conversation","data":{"title":"Route Change Request",
        "content":"I need to discuss changing my route due to road construction."}}"#;
    driver.wire().send_text(open).await;
    let made = driver.event("create_support_conversation_success").await;
    assert!(made.get("request_id").is_none(), "{made}");
    let id = text(&made["conversation"]["id"]);
    assert_eq!(control.event("new_support_conversation").await["conversation_id"], id.as_str());
    let say = r#"{"type":"send_chat_message","data":{"conversation_id":"conv_123","content":"Hello, I need assistance."}}"#;
    driver.wire().send_text(say).await;
    assert_eq!(driver.event("send_chat_message_error").await["error"], "not_found");
    driver.wire().send_text(&say.replace("conv_123", &id)).await;
    driver.event("send_chat_message_success").await;
    assert_eq!(driver.event("new_message").await["message"]["content"], "Hello, I need assistance.");
    driver.wire().send_text(r#"{"type":"ping","timestamp":1795250000000}"#).await;
    assert_eq!(driver.event("pong").await["timestamp"], 1_795_250_000_000_i64);
    driver.wire().send_text(r#"{"type":"get_active_conversations","data":{}}"#).await;
    let mine = driver.event("get_active_conversations_success").await;
    assert_eq!(mine["conversations"][0]["id"], id.as_str());
    driver.wire().send_text(r#"{"type":"join_room","room_id":"test_room"}"#).await;
    assert_eq!(driver.event("join_room_error").await["error"], "not_found");
    driver.wire().send_text(&format!(r#"{{"type":"join_room","room_id":"{id}"}}"#)).await;
    assert_eq!(driver.event("join_room_success").await["room_id"], id.as_str());
}

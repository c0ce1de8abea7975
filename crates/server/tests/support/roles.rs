//! Who may what: the table of the contract.

use serde_json::json;

use crate::world::World;

/// S2-2, S2-9 to S2-20, S2-56, S2-57, S2-73.
#[tokio::test]
async fn each_class_may_what_the_table_says() {
    let world = World::assemble().await;
    let id = world.case("table").await;
    let at = json!({"conversation_id": id});
    let say = json!({"conversation_id": id, "content": "x"});
    let open = json!({"title": "t", "content": "c"});
    let view = json!({"room_type": "general_support"});
    let mut regulator = world.socket(&world.regulator).await;
    let mut control = world.socket(&world.control).await;
    let mut nobody = world.socket(&world.outsider).await;

    control.refused("create_support_conversation", open.clone(), "role_required").await;
    nobody.refused("create_support_conversation", open.clone(), "role_required").await;
    let made = regulator.done("create_support_conversation", open).await;
    assert_eq!(made["conversation"]["queue"], "regulator_support");

    for socket in [&mut regulator, &mut nobody] {
        for (kind, data) in [
            ("send_chat_message", &say),
            ("join_conversation", &at),
            ("get_conversation_messages", &at),
            ("mark_message_read", &at),
            ("claim_conversation", &at),
            ("close_conversation", &at),
            ("reopen_conversation", &at),
        ] {
            let told = socket.refused(kind, data.clone(), "not_found").await;
            assert_eq!(told["message"], "Conversation not found", "{kind}");
        }
        let told = socket.refused("join_support_room", view.clone(), "support_room_denied").await;
        assert_eq!(told["message"], "Only control staff can join support rooms");
        let vip = json!({"room_type": "vip"});
        socket.refused("join_support_room", vip, "support_room_denied").await;
    }
    for (kind, data) in [
        ("join_conversation", &at),
        ("get_conversation_messages", &at),
        ("send_chat_message", &say),
        ("join_support_room", &view),
        ("leave_support_room", &view),
        ("claim_conversation", &at),
    ] {
        control.done(kind, data.clone()).await;
    }
    control.refused("join_support_room", json!({"room_type": "vip"}), "validation_failed").await;
    control.refused("join_support_room", json!({"room_type": 1}), "validation_failed").await;
}

/// S2-2: a role that is given or taken is in force on an open connection.
#[tokio::test]
async fn a_role_that_is_taken_is_gone_at_once() {
    let world = World::assemble().await;
    let id = world.case("before").await;
    let mut control = world.socket(&world.control).await;
    control.done("join_support_room", json!({"room_type": "general_support"})).await;
    control.done("join_conversation", json!({"conversation_id": id})).await;
    let app = parlor_testkit::HostApp::rest(&world.server);
    app.put("/api/users/u-control", json!({"roles": ["USER"]})).await.expect(200);
    let told = control.wait("the loss", |f| f["type"] == "error").await;
    assert_eq!(told["error"], "not_found");
    control.refused("get_conversation_messages", json!({"conversation_id": id}), "not_found").await;
    let second = world.case("after").await;
    let say = json!({"content": "secret"});
    world.driver.rest.post(&format!("/api/conversations/{id}/messages"), say).await.expect(201);
    let rest = control.rest().await;
    assert!(rest.iter().all(|f| f["type"] == "error" || !f.to_string().contains(&second)), "{rest:?}");
    assert!(!format!("{rest:?}").contains("secret"), "{rest:?}");
}

/// CONTROL_STAFF outside a private group or direct room is like anybody.
#[tokio::test]
async fn the_control_centre_has_no_right_in_other_private_rooms() {
    let world = World::assemble().await;
    let made = json!({"name": "private-talk", "members": ["outsider"]});
    let made = world.second.rest.post("/api/v1/groups.create", made).await.expect(200);
    let id = made["group"]["_id"].clone();
    let mut control = world.socket(&world.control).await;
    control.refused("join_conversation", json!({"conversation_id": id}), "not_found").await;
    // A member may use the same requests there.
    let mut member = world.socket(&world.outsider).await;
    let joined = member.done("join_conversation", json!({"conversation_id": id})).await;
    assert_eq!(
        (&joined["conversation"]["kind"], &joined["conversation"]["queue"]),
        (&json!("group"), &json!(null))
    );
    member.done("send_chat_message", json!({"conversation_id": id, "content": "hi"})).await;
}

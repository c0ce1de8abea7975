//! The support desk on several nodes.

use parlor_testkit::HostApp;
use serde_json::json;

use crate::{
    stage::{Kind, text},
    support::Socket,
    world::Nodes,
};

/// S2-19, S2-38, S2-16: a case that is opened on one node, and what is said in it on the other, is told to the control
/// centre on both, by people who take part in nothing themselves.
#[tokio::test]
async fn s2_16_s2_19_s2_38_a_case_and_what_is_said_in_it_reach_the_control_centre_on_both_nodes() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let mut watchers = Vec::new();
    for stage in [&nodes.a, &nodes.b] {
        let mut socket = Socket::open(&stage.server, &format!("?token={}", stage.ben.token)).await;
        let _ = socket.event("connected").await;
        for view in ["general_support", "driver_support"] {
            socket.done("join_support_room", json!({"room_type": view})).await;
        }
        watchers.push(socket);
    }
    let body = json!({"title": "lost key", "content": "the first words"});
    let made = nodes.a.ann.rest.post("/api/conversations/create", body).await.expect(201);
    let id = text(&made["conversation"]["id"]);
    for watcher in &mut watchers {
        let told = watcher.event("new_support_conversation").await;
        assert_eq!((&told["conversation_id"], &told["user_id"]), (&json!(id), &json!("u-ann")));
    }
    let path = format!("/api/conversations/{id}/messages");
    for (stage, words) in [(&nodes.b, "found it"), (&nodes.a, "lost it again")] {
        stage.ann.rest.post(&path, json!({"content": words})).await.expect(201);
        for watcher in &mut watchers {
            let told = watcher.event("support_conversation_updated").await;
            assert_eq!((&told["action"], &told["message"]["content"]), (&json!("message"), &json!(words)));
            assert_eq!(told["conversation"]["requester_name"], made["conversation"]["requester_name"]);
        }
    }
}

/// S2-2, S2-19, S2-56: a role that is given on one node is heard of on the connections of the other.
#[tokio::test]
async fn s2_2_s2_19_s2_56_a_control_role_given_on_one_node_is_heard_on_both() {
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let mut sockets = Vec::new();
    for stage in [&nodes.a, &nodes.b] {
        let risen = HostApp::person(&stage.server, "u-cyd", &["USER"]).await;
        let mut socket = Socket::open(&stage.server, &format!("?token={}", risen.token)).await;
        let _ = socket.event("connected").await;
        sockets.push(socket);
    }
    let view = json!({"room_type": "general_support"});
    for socket in &mut sockets {
        socket.refused("join_support_room", view.clone(), "support_room_denied").await;
    }
    nodes.a.app.put("/api/users/u-cyd", json!({"roles": ["CONTROL_STAFF"]})).await.expect(200);
    // The facts come over in the order of their commits: the role before the case.
    let body = json!({"title": "lost key", "content": "the first words"});
    let made = nodes.a.ann.rest.post("/api/conversations/create", body).await.expect(201);
    for socket in &mut sockets {
        let told = socket.event("new_support_conversation").await;
        assert_eq!(told["conversation_id"], made["conversation"]["id"]);
        assert!(socket.rest().await.iter().all(|frame| frame["type"] != "new_support_conversation"), "once");
    }
}

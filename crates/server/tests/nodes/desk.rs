//! The support desk on several nodes.

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

//! The official Socket.IO client: one person on each node, a ticket and a room between them.

use std::process::{Command, Stdio};

use parlor_testkit::{HostApp, binary, needs, wait};
use serde_json::json;

use crate::{
    stage::{Kind, text},
    world::Nodes,
};

fn token(username: &str, name: &str) -> String {
    let more = json!({"preferred_username": username, "name": name, "roles": []});
    HostApp::token(&format!("u-{username}"), 600, more)
}

#[tokio::test]
async fn s0_6_s4_48_socket_io_client_finds_no_difference_between_one_node_and_two() {
    let clients = binary::root().join("tests/clients/node");
    let client = clients.join("node_modules/socket.io-client/package.json");
    let installed =
        client.exists().then_some(()).ok_or_else(|| "socket.io-client is not installed".to_owned());
    if !needs::met("clients", installed) {
        return;
    }
    let Some(nodes) = Nodes::start(Kind::Group).await else { return };
    let (a, b) = (&nodes.a.server, &nodes.b.server);
    let tokens = [token("alice", "Alice Doe"), token("bob", "Bob Doe"), token("xena", "Xena Doe")];
    let of = |token: &str| a.rest().header("authorization", &format!("Bearer {token}"));
    for token in &tokens {
        let _ = of(token).get("/api/auth/me", &[]).await.ok();
    }
    let made = of(&tokens[0]).post("groups.create", json!({"name": "journey", "members": ["bob"]})).await;
    let room = text(&made.expect(200)["group"]["_id"]);
    let facts = json!({"title": "One", "created_by": "u-alice", "assignees": ["u-bob"]});
    let _ = nodes.a.app.put("/api/tickets/T-1", facts).await.expect(201);
    let mut command = Command::new("node");
    command.arg(clients.join("socketio-journey.mjs")).arg(format!("{},{}", a.url(), b.url()));
    command.args(["polling,websocket", &room]).args(tokens);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let done = tokio::task::spawn_blocking(move || command.output());
    let done = wait::within("the journey", done).await.expect("it runs").expect("it starts");
    let (told, error) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && told.contains("journey done"), "{told}\n{error}");
}

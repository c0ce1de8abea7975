//! The official clients: `socket.io-client` over WebSocket, long polls and an upgrade, and `python-socketio`. Each plays
//! both sides of a ticket and of a room, judges what it hears, and says so.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use parlor_testkit::{binary, needs};
use serde_json::json;

use super::client::{Sio, group, put_ticket, setup, token};

fn clients() -> PathBuf {
    binary::root().join("tests/clients")
}

fn installed(what: &Path) -> Result<(), String> {
    if what.exists() { Ok(()) } else { Err(format!("{} is not installed", what.display())) }
}

async fn journey(program: &Path, script: &str, transports: &str) {
    let server = setup().start().await;
    let ticket = put_ticket(&server, "T-1", json!({"created_by": "u-alice", "assignees": ["u-bob"]})).await;
    for id in ["u-alice", "u-bob"] {
        drop(Sio::of(&server, id, &[]).await);
    }
    let room = group(&server, &token("u-alice", &[], 600), "journey", &["bob"]).await;
    let mut command = Command::new(program);
    command.arg(clients().join(script)).arg(server.url()).arg(transports).arg(&room);
    command.args([token("u-alice", &[], 600), token("u-bob", &[], 600), token("u-xena", &[], 600)]);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let done = tokio::task::spawn_blocking(move || command.output());
    let done = parlor_testkit::wait::within("the journey", done).await.expect("it runs").expect("it starts");
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    let error = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && told.contains("journey done"), "{ticket}\n{told}\n{error}");
}

#[tokio::test]
async fn s3_56_s4_12_socket_io_client_over_each_transport() {
    let node = clients().join("node/node_modules/socket.io-client/package.json");
    if !needs::met("clients", installed(&node)) {
        return;
    }
    for transports in ["websocket", "polling", "polling,websocket", "websocket,polling"] {
        journey(Path::new("node"), "node/socketio-journey.mjs", transports).await;
    }
}

#[tokio::test]
async fn s3_56_python_socketio_over_each_transport() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let home = scratch.parent().unwrap_or(scratch).join("clients-python");
    let there = std::fs::read_dir(home.join("lib")).into_iter().flatten().flatten();
    let found = there.map(|python| python.path().join("site-packages/socketio")).find(|path| path.exists());
    if !needs::met("clients", found.map(|_| ()).ok_or_else(|| "python-socketio is not installed".to_owned()))
    {
        return;
    }
    for transports in ["websocket", "polling", "polling,websocket"] {
        journey(&home.join("bin/python"), "python/socketio_journey.py", transports).await;
    }
}

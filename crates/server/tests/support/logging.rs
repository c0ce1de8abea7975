//! What the operator reads in the log: who comes and goes, where, what is said (never the words), and what is denied.

use std::path::Path;

use parlor_testkit::{HostApp, wait};
use serde_json::json;

use crate::world::{Socket, World, text};

/// The lines of the log with all of these words in them, once there are some.
async fn lines(world: &World, words: &[&str]) -> Vec<String> {
    wait::until(&words.join(" "), || async {
        let log = world.server.logs();
        let found = log.lines().filter(|line| words.iter().all(|word| line.contains(word)));
        let found: Vec<String> = found.map(str::to_owned).collect();
        (!found.is_empty()).then_some(found)
    })
    .await
}

/// Empties every stored file, as a disk that fails does.
fn ruin(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => ruin(&path),
            path => std::fs::write(path, "").unwrap(),
        }
    }
}

/// S2-53, S2-54: what fails in the server itself is an error, told to whoever asked without its cause.
#[tokio::test]
async fn s2_53_s2_54_what_fails_is_an_error_in_the_log() {
    let world = World::assemble().await;
    let file = ("note.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let stored = world.driver.rest.upload("/api/chat/upload", "file", file, &[]).await.expect(201);
    ruin(&world.server.data().join("files"));
    let url = text(&stored["url"]);
    let path = &url[url.find("/api/").unwrap()..];
    world.server.rest().get(path, &[]).await.problem(404, "not_found");
    assert!(lines(&world, &["ERROR", "a stored file"]).await.iter().all(|line| !line.contains("note.txt")));
}

/// S2-50 to S2-54, S0-64: each at its level; what was said and what somebody proved himself by are in no line.
#[tokio::test]
async fn s0_64_s2_50_s2_51_s2_52_s2_53_s2_54_the_log_tells_what_happens_and_not_what_was_said() {
    let setup = HostApp::setup().env("PARLOR_LOG", "info,parlor_support=debug");
    let world = World::on(setup.start().await).await;
    let id = world.case("words for the title").await;
    let mut driver = world.socket(&world.driver).await;
    let at = json!({"conversation_id": id});
    driver.done("join_conversation", at.clone()).await;
    let said = json!({"conversation_id": id, "content": "words that stay between us"});
    let sent = driver.done("send_chat_message", said).await;
    driver.refused("join_support_room", json!({"room_type": "general_support"}), "support_room_denied").await;
    driver.refused("send_chat_message", at.clone(), "validation_failed").await;
    driver.done("leave_conversation", at).await;
    drop(driver);
    let mut wrong = Socket::open(&world.server, "?token=proof-of-nothing").await;
    assert_eq!(wrong.end().await.0, 4401);

    lines(&world, &["INFO", "connected", "u-driver"]).await;
    lines(&world, &["INFO", "disconnected", "u-driver"]).await;
    lines(&world, &["INFO", "joined", "u-driver", &id]).await;
    lines(&world, &["INFO", "left", "u-driver", &id]).await;
    lines(&world, &["DEBUG", "u-driver", &id, &text(&sent["message"]["id"])]).await;
    lines(&world, &["WARN", "u-driver", "join_support_room", "support_room_denied"]).await;
    lines(&world, &["DEBUG", "u-driver", "send_chat_message", "validation_failed"]).await;
    lines(&world, &["WARN", "refused", "invalid_token"]).await;
    let log = world.server.logs();
    for secret in ["words that stay", "words for the title", "proof-of-nothing", &world.driver.token] {
        assert!(!log.contains(secret), "{secret} stands in the log");
    }
}

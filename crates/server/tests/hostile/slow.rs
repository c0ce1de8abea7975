//! Clients that are slow, silent or half there: they are cut off in time, and told why where they can be told.

use parlor_testkit::{HostApp, Server};

use crate::watch::Watch;
use crate::wire::Wire;

/// A server that waits a second for what others wait half a minute for.
async fn impatient() -> (Server, Watch) {
    let server = HostApp::setup().env("PARLOR_CLIENT_TIMEOUT", "1").start().await;
    let watch = Watch::begin(&server).await;
    (server, watch)
}

#[tokio::test]
async fn heads_that_never_end_are_cut_off_while_others_are_served() {
    let (server, watch) = impatient().await;
    let mut wires = Vec::new();
    for number in 0..300 {
        let mut wire = Wire::open(&server).await;
        let said =
            ["", "G", "GET /health HTTP/1.1\r\n", "GET /health HTTP/1.1\r\nhost: x\r\nx-a: "][number % 4];
        wire.send(said).await;
        wires.push(wire);
    }
    watch.more_rounds().await;
    for mut wire in wires {
        for told in wire.all_told().await {
            assert_eq!(told.status, 408);
        }
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn a_head_that_drips_is_cut_off_too() {
    let (server, watch) = impatient().await;
    let wire = Wire::open(&server).await;
    let (mut reader, mut writer) = wire.stream.into_split();
    let dripping = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let _ = writer.write_all(b"GET /health HTTP/1.1\r\n").await;
        // A byte whenever the clock ticks, for as long as somebody takes it.
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(50));
        while writer.write_all(b"x").await.is_ok() {
            tick.tick().await;
        }
    });
    use tokio::io::AsyncReadExt;
    let mut said = Vec::new();
    let _ = parlor_testkit::wait::within("the end", reader.read_to_end(&mut said)).await;
    drop(reader);
    parlor_testkit::wait::within("nobody takes more", dripping).await.expect("no panic");
    watch.end(&server).await;
}

#[tokio::test]
async fn a_body_that_never_comes_is_answered_408_in_the_doors_words() {
    let (server, watch) = impatient().await;
    let app = parlor_testkit::host_app::APP_KEY;
    let mut wires = Vec::new();
    for path in [
        "/api/v1/login",
        "/hooks/none/none",
        "/api/chat/send",
        "/api/chat/webhook",
        "/api/tickets/t-1/chat",
        "/api/conversations/create",
    ] {
        for said in ["", "{", "{\"user\":"] {
            let mut wire = Wire::open(&server).await;
            wire.send(format!(
                "POST {path} HTTP/1.1\r\nhost: x\r\nx-app-key: {app}\r\ncontent-type: application/json\r\n\
                 content-length: 1000\r\n\r\n{said}"
            ))
            .await;
            wires.push((path, wire));
        }
    }
    watch.more_rounds().await;
    for (path, mut wire) in wires {
        let told = wire.told().await.unwrap_or_else(|| panic!("{path}: no answer"));
        // Where nobody is let in without a token the body is not waited for.
        assert!(matches!(told.status, 408 | 401 | 403), "{path}: {} {}", told.status, told.text());
        let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
        assert!(body["error"].is_string() || body["message"].is_string(), "{path}: {body}");
        assert!(wire.told().await.is_none(), "{path}: the connection is over");
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn who_asks_and_reads_nothing_is_cut_off() {
    let (server, watch) = impatient().await;
    let mut wires = Vec::new();
    for _ in 0..5 {
        let mut wire = Wire::open(&server).await;
        // More answers than buffers between us hold, none of them read.
        let row = "GET /api/v1/settings.public HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
        wire.send(row).await;
        wires.push(wire);
    }
    watch.more_rounds().await;
    watch.end(&server).await;
    drop(wires);
}

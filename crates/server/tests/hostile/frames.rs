//! WebSocket frames as they must not be, at every door that has sockets: a close that says why, and nobody else is
//! disturbed.

use parlor_testkit::{HostApp, Server, wait};

use crate::watch::Watch;
use crate::wire::{Wire, frame, head, text};

/// The doors with sockets: name in the metrics, and path.
async fn sockets(server: &Server) -> Vec<(&'static str, String)> {
    let driver = HostApp::person(server, "u-driver", &["BUS_DRIVER"]).await;
    vec![
        ("ddp", "/websocket".to_owned()),
        ("support", format!("/api/websocket/connect?token={}", driver.token)),
        ("socketio", "/socket.io/?EIO=4&transport=websocket".to_owned()),
    ]
}

/// What is sent, and the code with which the server closes.
fn broken() -> Vec<(&'static str, Vec<u8>, u16)> {
    let fragments = |count: usize| {
        let mut bytes = frame(0x01, "a");
        (0..count).for_each(|_| bytes.extend(frame(0x00, "a")));
        bytes
    };
    vec![
        ("no mask", b"\x81\x02hi".to_vec(), 1002),
        ("first reserved bit", frame(0xc1, "x"), 1002),
        ("second reserved bit", frame(0xa1, "x"), 1002),
        ("third reserved bit", frame(0x91, "x"), 1002),
        ("reserved opcode of data", frame(0x83, "x"), 1002),
        ("reserved opcode of control", frame(0x8b, "x"), 1002),
        ("a ping of 126 bytes", frame(0x89, [0; 126]), 1002),
        ("a ping in fragments", frame(0x09, "x"), 1002),
        ("a close in fragments", frame(0x08, ""), 1002),
        ("a continuation of nothing", frame(0x80, "x"), 1002),
        ("a message within a message", [frame(0x01, "x"), frame(0x81, "y")].concat(), 1002),
        ("two messages in turns", [frame(0x01, "x"), frame(0x02, "y"), frame(0x00, "x")].concat(), 1002),
        ("a close of one byte", frame(0x88, b"\x03"), 1002),
        ("a close with a code of nobody's", frame(0x88, 1005_u16.to_be_bytes()), 1002),
        ("a close with a reason that is no UTF-8", frame(0x88, b"\x03\xe8\xff"), 1007),
        ("a length in a longer form", vec![0x81, 0xfe, 0, 5, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'], 1002),
        ("a length of 2^63", head(0x81, 1 << 63), 1002),
        ("a length of 16 MiB", head(0x81, 16 << 20), 1009),
        ("a length of 2^62", head(0x82, 1 << 62), 1009),
        ("text that is no UTF-8", text(b"\xc3\x28"), 1007),
        ("half a character in the first fragment", frame(0x01, b"\xed\xa0\x80"), 1007),
        ("a character that never ends", [frame(0x01, b"\xf0\x9f"), frame(0x80, b"\x98")].concat(), 1007),
        ("100,000 fragments of a byte", fragments(100_000), 1009),
        ("fragments of 16 MiB", [frame(0x01, vec![b'a'; 250_000]), head(0x00, 16 << 20)].concat(), 1009),
    ]
}

/// A door's live connections.
async fn connections(server: &Server, door: &str) -> u64 {
    let metrics = server.rest().get("/metrics", &[]).await.text();
    let wanted = format!("parlor_connections{{door=\"{door}\"}} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&wanted));
    line.unwrap_or_else(|| panic!("{wanted}in {metrics}")).trim().parse().expect("a number")
}

#[tokio::test]
async fn a_broken_frame_is_answered_with_its_code_and_a_reason() {
    let (server, watch) = Watch::server().await;
    for (door, path) in sockets(&server).await {
        let before = connections(&server, door).await;
        for (name, bytes, code) in broken() {
            let mut wire = Wire::socket(&server, &path).await;
            wire.send(&bytes).await;
            let (told, reason) = wire.closed().await.unwrap_or_else(|| panic!("{door}, {name}: no close"));
            assert_eq!(told, code, "{door}, {name}: {reason}");
            assert!(!reason.is_empty(), "{door}, {name}");
        }
        wait::until("all broken connections are gone", || async {
            (connections(&server, door).await <= before).then_some(())
        })
        .await;
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn a_client_that_vanishes_in_the_middle_leaves_nothing_behind() {
    let (server, watch) = Watch::server().await;
    for (door, path) in sockets(&server).await {
        let before = connections(&server, door).await;
        let whole = text(r#"{"msg":"connect","version":"1","support":["1"]}"#);
        for cut in 0..whole.len() {
            let mut wire = Wire::socket(&server, &path).await;
            wire.send(&whole[..cut]).await;
        }
        // Half a message, and then nothing but the promise of more.
        let mut halves = Vec::new();
        for _ in 0..50 {
            let mut wire = Wire::socket(&server, &path).await;
            wire.send(frame(0x01, vec![b'a'; 200_000])).await;
            halves.push(wire);
        }
        watch.more_rounds().await;
        drop(halves);
        wait::until("all of them are gone", || async {
            (connections(&server, door).await <= before).then_some(())
        })
        .await;
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn pings_between_fragments_are_answered_and_the_message_is_whole() {
    let (server, watch) = Watch::server().await;
    let mut wire = Wire::socket(&server, "/websocket").await;
    let connect = r#"{"msg":"connect","version":"1","support":["1"]}"#;
    wire.send(frame(0x01, &connect[..10])).await;
    wire.send(frame(0x89, "there?")).await;
    wire.send(frame(0x80, &connect[10..])).await;
    let mut pong = false;
    loop {
        match wire.frame().await.expect("the socket goes on") {
            (10, payload) => pong = payload == b"there?",
            (1, payload) if String::from_utf8_lossy(&payload).contains("connected") => break,
            _ => {}
        }
    }
    assert!(pong);
    watch.end(&server).await;
}

#[tokio::test]
async fn a_bad_handshake_is_refused_with_a_reason() {
    let (server, watch) = Watch::server().await;
    let good = "upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    for (_, path) in sockets(&server).await {
        for (name, verb, headers, statuses) in [
            ("nothing", "GET", String::new(), [400, 426]),
            ("no key", "GET", "upgrade: websocket\r\nconnection: upgrade\r\n".to_owned(), [400, 426]),
            ("a short key", "GET", good.replace("dGhl", ""), [400, 426]),
            ("no version", "GET", good.to_owned(), [426, 426]),
            ("version 8", "GET", format!("{good}sec-websocket-version: 8\r\n"), [426, 426]),
            (
                "version 99999999999",
                "GET",
                format!("{good}sec-websocket-version: 99999999999\r\n"),
                [426, 426],
            ),
            ("POST", "POST", format!("{good}sec-websocket-version: 13\r\n"), [400, 426]),
            ("no upgrade", "GET", good.replace("upgrade: websocket\r\n", ""), [400, 426]),
        ] {
            let mut wire = Wire::open(&server).await;
            wire.send(format!("{verb} {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: 0\r\n\r\n"))
                .await;
            let told = wire.told().await.unwrap_or_else(|| panic!("{path}, {name}: no answer"));
            assert!(
                statuses.contains(&told.status) || (verb == "POST" && matches!(told.status, 404 | 405)),
                "{path}, {name}: {} {}",
                told.status,
                told.text()
            );
            assert!(!told.body.is_empty(), "{path}, {name}");
        }
    }
    watch.end(&server).await;
}

//! HTTP as it must not be: heads that are too long, requests that mean two things, paths that climb.

use futures_util::future::join_all;
use parlor_testkit::{HostApp, Server, wait};
use tokio::io::AsyncWriteExt;

use crate::nasty::thorough;
use crate::watch::Watch;
use crate::wire::{Told, Wire};

/// What is answered at all is answered within it; incomplete requests wait this long for their end.
const ANSWERED: std::time::Duration = std::time::Duration::from_secs(2);

/// Sends bytes and the end, and returns everything that was answered.
async fn answers(server: &Server, bytes: impl AsRef<[u8]>) -> Vec<Told> {
    let mut wire = Wire::open(server).await;
    wire.send(bytes).await;
    // Who is gone before the answer gets none; what is no request gets none until it ends.
    let _ = tokio::time::timeout(ANSWERED, wire.stream.peek(&mut [0])).await;
    let _ = wire.stream.shutdown().await;
    wire.all_told().await
}

#[tokio::test]
async fn a_head_that_is_too_long_is_answered_431_and_never_kept() {
    let (server, watch) = Watch::server().await;
    let many: String = (0..5_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let handshake = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n";
    for (name, head) in [
        ("5,000 headers", format!("GET /health HTTP/1.1\r\nhost: x\r\n{many}\r\n")),
        ("101 headers", format!("GET /health HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: 1\r\n".repeat(101))),
        ("a header of 2 MiB", format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(2 << 20))),
        ("a header of 40 KiB", format!("GET /health HTTP/1.1\r\nhost: {}\r\n\r\n", "x".repeat(40 << 10))),
        (
            "5,000 headers and a WebSocket",
            format!("GET /websocket HTTP/1.1\r\nhost: x\r\n{handshake}{many}\r\n"),
        ),
    ] {
        let mut wire = Wire::open(&server).await;
        wire.send(&head).await;
        let told = wire.told().await.unwrap_or_else(|| panic!("{name}: no answer"));
        assert_eq!(told.status, 431, "{name}");
        assert!(wire.told().await.is_none(), "{name}: the connection is over");
    }
    let mut wire = Wire::open(&server).await;
    wire.send(format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(70 << 10))).await;
    let told = wire.told().await.expect("an answer to a long address");
    assert!(matches!(told.status, 414 | 431), "{}", told.status);
    watch.end(&server).await;
}

#[tokio::test]
async fn a_request_that_means_two_things_gets_one_answer() {
    let (server, watch) = Watch::server().await;
    let post = "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let hidden = "GET /health HTTP/1.1\r\nhost: x\r\n\r\n";
    let body = |more: &str, body: &str| format!("{post}{more}\r\n{body}{hidden}");
    let requests = [
        ("two lengths", body("content-length: 2\r\ncontent-length: 7\r\n", "{}")),
        ("a list of lengths", body("content-length: 2, 7\r\n", "{}")),
        ("a length with a sign", body("content-length: +2\r\n", "{}")),
        ("a negative length", body("content-length: -1\r\n", "{}")),
        ("a length beyond all", body("content-length: 99999999999999999999999\r\n", "{}")),
        ("a length of words", body("content-length: two\r\n", "{}")),
        ("length, then chunks", body("content-length: 5\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n")),
        ("chunks, then length", body("transfer-encoding: chunked\r\ncontent-length: 5\r\n", "0\r\n\r\n")),
        ("chunks that are not last", body("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n")),
        ("no chunks at all", body("transfer-encoding: xchunked\r\n", "0\r\n\r\n")),
        (
            "chunks in 1.0",
            body("transfer-encoding: chunked\r\n", "0\r\n\r\n")
                .replace("HTTP/1.1\r\nhost: x\r\ncontent", "HTTP/1.0\r\nhost: x\r\ncontent"),
        ),
        ("a chunk's size that is none", body("transfer-encoding: chunked\r\n", "g\r\n{}\r\n0\r\n\r\n")),
        ("a negative chunk", body("transfer-encoding: chunked\r\n", "-2\r\n{}\r\n0\r\n\r\n")),
        (
            "a chunk beyond all",
            body("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
        ),
        ("a chunk without an end", body("transfer-encoding: chunked\r\n", "2\r\n{}0\r\n\r\n")),
        (
            "a chunk with a long comment",
            body(
                "transfer-encoding: chunked\r\n",
                &format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x".repeat(100_000)),
            ),
        ),
        ("a space before the colon", body("content-length : 2\r\n", "{}")),
        ("a folded header", body("content-length: 2\r\nx-a: 1\r\n  2\r\n", "{}")),
        ("NUL in a header", body("content-length: 2\r\nx-a: \0\r\n", "{}")),
        ("a bare CR in a header", body("content-length: 2\r\nx-a: 1\rb: 2\r\n", "{}")),
        ("a header without a name", body("content-length: 2\r\n: 1\r\n", "{}")),
        ("a header without a colon", body("content-length: 2\r\nnothing\r\n", "{}")),
    ];
    // All at once: some of them are waited for.
    let one = &server;
    let asked = requests.map(|(name, bytes)| Box::pin(async move { (name, answers(one, bytes).await) }));
    for (name, told) in join_all(asked).await {
        assert_eq!(told.len(), 1, "{name}: {told:?}");
        assert!((400..500).contains(&told[0].status), "{name}: {}", told[0].status);
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn what_is_no_http_is_hung_up_on() {
    let (server, watch) = Watch::server().await;
    let noise = [
        ("one word", b"GET\r\n\r\n".to_vec()),
        ("no version", b"GET /\r\n\r\n".to_vec()),
        ("version 9.9", b"GET / HTTP/9.9\r\n\r\n".to_vec()),
        ("the preface of 2.0", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
        ("NUL", vec![0; 4_096]),
        ("a verb of odd letters", b"G\xffT / HTTP/1.1\r\n\r\n".to_vec()),
        ("a path of odd letters", b"GET /\xff\xfe\x00 HTTP/1.1\r\n\r\n".to_vec()),
        ("line ends without end", b"\r\n".repeat(10_000)),
        ("DDP without HTTP", br#"{"msg":"connect"}"#.to_vec()),
    ];
    // All at once: most of them are waited for.
    let one = &server;
    let asked = noise.map(|(name, bytes)| Box::pin(async move { (name, answers(one, bytes).await) }));
    for (name, told) in join_all(asked).await {
        for told in told {
            assert!((400..500).contains(&told.status), "{name}: {}", told.status);
        }
    }
    for (line, statuses) in [
        ("TRACE / HTTP/1.1", 400..500),
        ("CONNECT example.org:443 HTTP/1.1", 400..500),
        ("BREW /health HTTP/1.1", 400..500),
        ("OPTIONS * HTTP/1.1", 200..500),
        ("GET http://elsewhere.example/health HTTP/1.1", 200..500),
    ] {
        let told = answers(&server, format!("{line}\r\nhost: x\r\nx-secret: canary\r\n\r\n")).await;
        assert_eq!(told.len(), 1, "{line}");
        assert!(statuses.contains(&told[0].status), "{line}: {}", told[0].status);
        assert!(!told[0].text().contains("canary"), "{line}: what was sent is echoed");
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn requests_in_a_row_are_answered_in_their_order() {
    const COUNT: usize = 200;
    let (server, watch) = Watch::server().await;
    let mut wire = Wire::open(&server).await;
    let row: String = (0..COUNT)
        .map(|number| {
            let body = format!("{{\"user\":\"nobody-{number}\"}}");
            let (verb, path) = [("GET", "/health"), ("POST", "/api/v1/login"), ("GET", "/api/v1/nowhere")][number % 3];
            let length = if verb == "POST" { body.len() } else { 0 };
            format!(
                "{verb} {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{}",
                &body[..length]
            )
        })
        .collect();
    let (_, mut told) = (wire.send(&row).await, Vec::new());
    for _ in 0..COUNT {
        told.push(wire.told().await.expect("an answer to each").status);
    }
    for (number, status) in told.into_iter().enumerate() {
        let wanted: &[u16] = [&[200][..], &[400, 401], &[404]][number % 3];
        assert!(wanted.contains(&status), "request {number}: {status}");
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn no_path_leads_out_of_where_files_lie() {
    let (server, watch) = Watch::server().await;
    std::fs::write(server.data().join("canary.txt"), "the canary sings").expect("the data folder is there");
    let token = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await.token;
    let climbs = [
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "..\\",
        "....//",
        "%252e%252e%252f",
        "..;/",
        "%c0%ae%c0%ae/",
        "..%00/",
    ];
    let places = [
        "/",
        "/assets/",
        "/avatar/",
        "/avatar/room/",
        "/emoji-custom/",
        "/custom-sounds/",
        "/file-upload/",
        "/file-upload/x/",
        "/ufs/FileSystem/",
        "/api/files/",
        "/api/files/x/",
        "/assets/logo/",
        "/images/",
        "/i18n/",
    ];
    let targets = ["etc/passwd", "canary.txt", "parlor.sqlite", "Cargo.toml"];
    let mut tried = 0;
    for (at, place) in places.into_iter().enumerate() {
        for (nth, climb) in climbs.into_iter().enumerate() {
            // Each climb of each place leads to one of them, and to all with everything.
            let aim = |target: &usize| thorough() || (at + nth) % targets.len() == *target;
            for target in (0..targets.len()).filter(aim).map(|target| targets[target]) {
                let mut wire = Wire::open(&server).await;
                let path =
                    format!("{place}{}{target}", climb.repeat(if target == "etc/passwd" { 8 } else { 3 }));
                wire.send(format!(
                    "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
                ))
                .await;
                let told = wire.told().await.unwrap_or_else(|| panic!("{path}: no answer"));
                let text = told.text();
                assert!(told.status < 500, "{path}: {} {text}", told.status);
                for secret in ["root:", "the canary sings", "SQLite format", "[workspace]"] {
                    assert!(!text.contains(secret), "{path} leads to {secret}");
                }
                tried += 1;
            }
        }
    }
    assert_eq!(tried, places.len() * climbs.len() * if thorough() { targets.len() } else { 1 });
    watch.end(&server).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_or_packed_is_refused_in_the_doors_words() {
    let (server, watch) = Watch::server().await;
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(5 << 20));
    for path in
        ["/api/v1/login", "/hooks/none/none", "/api/chat/send", "/api/chat/webhook", "/api/auth/login"]
    {
        for (name, said, body) in [
            ("too large", None, large.as_bytes().to_vec()),
            ("packed", Some("gzip"), b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec()),
            ("packed twice", Some("gzip, br, deflate"), vec![0xff; 1_000]),
        ] {
            // Each on a connection of its own: one of them ends with its request.
            let rest = HostApp::rest(&server);
            let request =
                rest.request(reqwest::Method::POST, path).header("content-type", "application/json");
            let request =
                said.iter().fold(request, |request, said| request.header("content-encoding", *said));
            // What is too large is read to its end before the server hangs up, so the answer always comes.
            let answer = parlor_testkit::rest::answer(request.body(body)).await;
            let wanted: &[u16] = if name == "too large" { &[413] } else { &[400, 401, 404, 415] };
            assert!(wanted.contains(&answer.status), "{path}, {name}: {} {}", answer.status, answer.text());
            assert!(answer.body["error"].is_string() || answer.body["message"].is_string(), "{path}, {name}");
        }
    }
    watch.end(&server).await;
}

#[tokio::test]
async fn bodies_that_claim_more_than_they_bring_cost_nothing() {
    let (server, watch) = Watch::server().await;
    let mut wires = Vec::new();
    for _ in 0..200 {
        let mut wire = Wire::open(&server).await;
        wire.send(
            "POST /api/v1/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n{",
        )
        .await;
        wires.push(wire);
    }
    watch.more_rounds().await;
    drop(wires);
    // Whoever goes away in the middle of a body is not waited for.
    wait::until("the server serves others", || async {
        (server.rest().get("/health", &[]).await.status == 200).then_some(())
    })
    .await;
    watch.end(&server).await;
}

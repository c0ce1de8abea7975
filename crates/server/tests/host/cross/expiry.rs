//! A connection ends with the token that opened it, whichever door it is at.

use parlor_testkit::{Ddp, HostApp, Server, host_app::now};
use serde_json::json;

use super::{
    sio::{Poller, Sio},
    sse::Stream,
    support::Socket,
};

/// How soon after its token's end a connection has ended, in seconds.
const SOON: i64 = 5;

/// S4-52, S3-69, S2-55, S2-60: within 5 seconds of the token's end, with the door's own word for it; nothing is served after.
#[tokio::test]
async fn s2_55_s2_60_s3_69_s4_52_every_connection_ends_with_its_token() {
    let server = HostApp::setup().start().await;
    let _ = HostApp::person(&server, "u-ann", &[]).await;
    let token = HostApp::token("u-ann", 3, json!({}));
    every_connection_ends(&server, &token, now() + 3).await;
}

/// S2-49, S4-52: the same of a token of a log-in.
#[tokio::test]
async fn s2_49_s4_52_every_connection_ends_with_its_log_in() {
    let server = HostApp::setup().env("PARLOR_TOKEN_TTL", "3").start().await;
    let ann = json!({"username": "ann", "password": "password123"});
    HostApp::rest(&server).put("/api/users/u-ann", ann.clone()).await.expect(201);
    let login = server.rest().post("/api/auth/login", ann).await.expect(200);
    every_connection_ends(&server, login["access_token"].as_str().expect("a token"), now() + 3).await;
}

async fn every_connection_ends(server: &Server, token: &str, end: i64) {
    let mut ddp = Ddp::connect(server).await;
    let login = ddp.resume(token).await.expect("let in");
    assert!(login["tokenExpires"]["$date"].is_i64(), "{login}");
    let bearer = format!("Bearer {token}");
    let mut stream = Stream::open(server, "/api/chat/stream", &[("authorization", &bearer)]).await;
    let mut support = Socket::open(server, &format!("?token={token}")).await;
    let mut sio = Sio::enter(server, json!({"token": token})).await.expect("let in");
    let poller = Poller::open(server).await;
    poller.post(format!("40{}", json!({"token": token}))).await;
    poller.until("42[\"connected\"").await;

    let error = stream.named("error").await.data;
    assert_eq!((&error["type"], &error["error"]), (&json!("error"), &json!("token_expired")));
    assert!(stream.ends().await);
    let (code, frames) = support.end().await;
    assert_eq!((code, &frames.last().expect("a word")["error"]), (4401, &json!("token_expired")));
    assert_eq!(sio.event("error").await["code"], "token_expired");
    assert!(sio.ended().await, "for good");
    let mut packets = poller.until("42[\"error\"").await;
    assert!(packets.iter().any(|packet| packet.contains("token_expired")), "{packets:?}");
    while !packets.iter().any(|packet| packet == "41") {
        packets.extend(poller.until("4").await);
    }
    let over = poller.get().await;
    assert!(over.status == 400 || over.text() == "1", "{} {}", over.status, over.text());
    let (_, reason) = ddp.until_closed().await.expect("a close");
    assert_eq!(reason, "token_expired");
    assert!((end - 1..=end + SOON).contains(&now()), "{} s after the token's end", now() - end);
    let rest = server.rest().header("authorization", &bearer);
    rest.get("/api/auth/me", &[]).await.problem(401, "token_expired");
    rest.get("me", &[]).await.expect(401);
}

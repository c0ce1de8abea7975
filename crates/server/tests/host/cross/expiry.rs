//! A connection ends with the token that opened it, whichever door it is at.

use parlor_testkit::{Ddp, HostApp};
use serde_json::json;

use super::{
    sio::{Poller, Sio},
    sse::Stream,
    support::Socket,
};

/// S4-52, S3-69, S2-55, S2-60: within 5 seconds of the token's end, with the door's own word for it; nothing is served after.
#[tokio::test]
async fn s2_55_s2_60_s3_69_s4_52_every_connection_ends_with_its_token() {
    let server = HostApp::setup().start().await;
    let _ = HostApp::person(&server, "u-ann", &[]).await;
    let token = HostApp::token("u-ann", 3, json!({}));
    let mut ddp = Ddp::connect(&server).await;
    let login = ddp.resume(&token).await.expect("let in");
    assert!(login["tokenExpires"]["$date"].is_i64(), "{login}");
    let bearer = format!("Bearer {token}");
    let mut stream = Stream::open(&server, "/api/chat/stream", &[("authorization", &bearer)]).await;
    let mut support = Socket::open(&server, &format!("?token={token}")).await;
    let mut sio = Sio::enter(&server, json!({"token": token})).await.expect("let in");
    let poller = Poller::open(&server).await;
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
    let rest = server.rest().header("authorization", &bearer);
    rest.get("/api/auth/me", &[]).await.problem(401, "token_expired");
    rest.get("me", &[]).await.expect(401);
}

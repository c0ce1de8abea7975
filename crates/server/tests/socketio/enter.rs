//! Who is let in, and for how long.

use parlor_testkit::Cast;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{APP_KEY, Sio, call, setup, token};

async fn refusal(server: &parlor_testkit::Server, auth: Value) -> Value {
    Sio::enter(server, auth).await.err().expect("refused")
}

#[tokio::test]
async fn s3_26_s4_3_tokens_of_every_kind_enter_wherever_they_stand() {
    let server = setup().start().await;
    let cast = Cast::assemble(&server).await;
    let (member, rocket) = (&cast.member.id, cast.member.rest.token().expect("signed in"));
    let host = token("u-alice", &[], 600);
    for (auth, who) in [
        (json!({"token": host}), "u-alice"),
        (json!({"token": format!("Bearer {host}")}), "u-alice"),
        (json!({"token": rocket}), member.as_str()),
        (json!({"authToken": rocket, "userId": member}), member.as_str()),
    ] {
        let mut socket = Sio::enter(&server, auth).await.expect("let in");
        let hello = socket.next_event("connected").await;
        assert_eq!(hello["user_id"], who);
        assert_eq!((&hello["userId"], &hello["message"]), (&json!(who), &json!("Connected")));
        assert!(hello["timestamp"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 24));
    }
    let mut socket = Sio::open(&server, &format!("&token={host}")).await;
    socket.raw("40").await;
    assert!(socket.text().await.is_some_and(|text| text.starts_with("40{")));
}

#[tokio::test]
async fn s3_64_s4_55_whoever_is_not_let_in_is_told_why_and_hears_nothing() {
    let server = setup().start().await;
    let cast = Cast::assemble(&server).await;
    let own = cast.member.rest.token().expect("signed in");
    let expired = refusal(&server, json!({"token": token("u-alice", &[], -5)})).await;
    let told =
        json!({"message": "Token expired", "data": {"code": "token_expired", "type": "token_expired"}});
    assert_eq!(expired, told);
    for (auth, code) in [
        (json!({}), "unauthorized"),
        (json!({"token": ""}), "unauthorized"),
        (json!({"token": "nonsense"}), "invalid_token"),
        (json!({"token": {"$ne": null}}), "invalid_token"),
        (json!({"authToken": own}), "invalid_token"),
        (json!({"authToken": own, "userId": cast.owner.id}), "invalid_token"),
        (json!({"token": format!("{}x", token("u-alice", &[], 600))}), "invalid_token"),
        (json!({"token": cast.deactivated.rest.token()}), "user_inactive"),
        (json!({"token": APP_KEY}), "invalid_token"),
    ] {
        let refused = refusal(&server, auth.clone()).await;
        assert_eq!(refused["data"]["code"], code, "{auth}: {refused}");
    }
    let mut unnamed = Sio::open(&server, "").await;
    unnamed.raw(&format!("42{}", json!(["join_room", {"room_id": "GENERAL"}]))).await;
    assert!(!unnamed.ended().await, "events before the entrance end the connection");
}

#[tokio::test]
async fn s4_52_a_token_that_ends_during_the_connection_ends_it() {
    let server = setup().start().await;
    let mut alice = Sio::enter(&server, json!({"token": token("u-alice", &[], 2)})).await.expect("let in");
    let error = alice.event("error").await;
    assert_eq!((&error["type"], &error["code"]), (&json!("token_expired"), &json!("token_expired")));
    assert!(alice.ended().await, "for good");
}

#[tokio::test]
async fn s4_52_a_deactivated_user_and_a_revoked_token_end_their_connections() {
    let server = setup().start().await;
    let cast = Cast::assemble(&server).await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    let gone = call(&server, Method::DELETE, "/api/users/u-alice?mode=deactivate", None, None).await;
    if gone.status == 200 {
        assert_eq!(alice.event("error").await["code"], "user_inactive");
        assert!(alice.ended().await);
    }
    let rocket = json!({"token": cast.member.rest.token()});
    let mut member = Sio::enter(&server, rocket.clone()).await.expect("let in");
    let _ = cast.member.rest.post("logout", json!({})).await.ok();
    assert_eq!(member.event("error").await["code"], "invalid_token");
    assert!(member.ended().await);
    assert_eq!(refusal(&server, rocket).await["data"]["code"], "invalid_token");
}

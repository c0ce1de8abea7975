//! What the documents of the contracts list for later, on these two doors: further keys and events that older clients do not
//! look at.

use axum::{Router, body::Bytes, http::HeaderMap};
use parlor_testkit::{Rest, Server};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::client::{Sio, call, group, put_ticket, setup, token};

fn as_user(server: &Server, id: &str) -> Rest {
    server.rest().header("authorization", &format!("Bearer {}", token(id, &[], 600)))
}

fn picture() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 900, 300);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..900_u32 * 300 * 3).map(|n| (n / 7 % 251) as u8).collect();
    encoder.write_header().expect("a header").write_image_data(&pixels).expect("pixels");
    bytes
}

/// A picture brings its size, a blurred preview and a thumbnail that only those who may read the room can fetch.
#[tokio::test]
async fn s3_77_pictures_are_told_with_previews_in_both_forms() {
    let server = setup().start().await;
    let room =
        put_ticket(&server, "T-1", json!({"created_by": "u-alice", "assignees": ["u-bob"]})).await["room_id"]
            .as_str()
            .expect("a room")
            .to_owned();
    let mut bob = Sio::of(&server, "u-bob", &[]).await;
    let alice = as_user(&server, "u-alice");
    let uploaded =
        alice.upload("/api/chat/upload", "file", ("a.png", "image/png", &picture()), &[]).await.expect(201);
    bob.grant("join_room", json!({"room_id": room})).await;
    bob.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    let body = json!({"room_id": room, "message_type": "image", "media_url": uploaded["url"]});
    let _ = alice.post("/api/chat/messages", body).await.expect(201);
    let told = bob.event("new_message").await["message"]["attachments"][0].take();
    assert_eq!((&told["width"], &told["height"]), (&json!(900), &json!(300)));
    assert!(told["preview"].as_str().is_some_and(|url| url.starts_with("data:image/jpeg;base64,")), "{told}");
    // A socket in both forms gets both spellings.
    assert_eq!(told["thumbnail_url"].is_string(), told["thumbnailUrl"].is_string(), "{told}");
    let path = |url: &Value| url.as_str().and_then(|url| url.find("/api/").map(|at| url[at..].to_owned()));
    let thumbnail = path(&told["thumbnail_url"]).expect("an address of this server");
    let fetched = server.rest().get(&thumbnail, &[]).await;
    assert_eq!(fetched.status, 200, "{}", fetched.text());
    assert_ne!(fetched.bytes, picture());
    let bare = thumbnail.split('?').next().expect("a path");
    drop(Sio::of(&server, "u-xena", &[]).await);
    as_user(&server, "u-xena").get(bare, &[]).await.problem(404, "not_found");
}

/// A reply in a thread is a message like others; the root is told anew; a pin and a reaction by `message_updated`.
#[tokio::test]
async fn s3_78_threads_and_pins_are_heard_and_listed() {
    let server = setup().start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "threads", &[]).await;
    alice.grant("join_room", json!({"room_id": room})).await;
    let root = alice.grant("send_message", json!({"room_id": room, "content": "the root"})).await["message"]
        ["id"]
        .take();
    let reply = json!({"room_id": room, "content": "a reply", "thread_id": root});
    let reply = alice.grant("send_message", reply).await["message"].take();
    assert_eq!((&reply["thread_id"], &reply["reply_to_id"]), (&root, &root));
    let updated = alice.event("message_updated").await;
    assert_eq!((&updated["message_id"], &updated["message"]["thread_replies"]), (&root, &json!(1)));
    let rest = as_user(&server, "u-alice");
    let of = |what: &str| format!("/api/chat/messages/{}/{what}", root.as_str().expect("an id"));
    assert_eq!(rest.get(&of("thread"), &[]).await.expect(200)["messages"][0]["id"], reply["id"]);
    let _ = rest.post(&of("pin"), json!({})).await.expect(200);
    assert_eq!(alice.event("message_updated").await["message"]["pinned"], true);
    let unknown = json!({"room_id": room, "content": "x", "thread_id": "nothing"});
    alice.refused("send_message", unknown, "not_found").await;
    alice
        .refused(
            "send_message",
            json!({"room_id": room, "content": "x", "thread_id": 5}),
            "validation_failed",
        )
        .await;
    drop(Sio::of(&server, "u-xena", &[]).await);
    as_user(&server, "u-xena").get(&of("thread"), &[]).await.problem(404, "not_found");
}

/// A browser's push service that tells what it gets.
async fn push_service() -> (String, mpsc::UnboundedReceiver<(HeaderMap, Bytes)>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/push", listener.local_addr().expect("an address"));
    let (sender, calls) = mpsc::unbounded_channel();
    let router = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        let _ = sender.send((headers, body));
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, calls)
}

/// A browser subscribes at the door, is told of a ticket's message while nobody looks, and of nothing after it left.
#[tokio::test]
async fn s3_80_a_browser_is_pushed_to_when_a_ticket_is_written_in() {
    let server = setup().setting("SSRF_Allowlist", "127.0.0.1").start().await;
    put_ticket(&server, "T-1", json!({"created_by": "u-alice", "assignees": ["u-bob"]})).await;
    let (alice, bob) = (as_user(&server, "u-alice"), as_user(&server, "u-bob"));
    let key = bob.get("/api/chat/push", &[]).await.expect(200)["public_key"].take();
    assert!(key.as_str().is_some_and(|key| key.len() == 87), "{key}");
    let (url, mut pushed) = push_service().await;
    // A point of P-256 and a secret, as a browser makes them.
    let keys = json!({
        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
    });
    let _ = bob
        .post("/api/chat/push", json!({"endpoint": url, "expirationTime": null, "keys": keys}))
        .await
        .expect(201);
    let said = alice.post("/api/tickets/T-1/chat", json!({"message": "@bob can you look?"})).await;
    let _ = said.expect(201);
    let (headers, body) = parlor_testkit::wait::within("a push", pushed.recv()).await.expect("it is open");
    assert_eq!(headers["content-encoding"], "aes128gcm");
    let proof = headers["authorization"].to_str().expect("text");
    assert!(proof.starts_with("vapid t=") && proof.ends_with(key.as_str().unwrap_or_default()), "{proof}");
    assert!(!body.windows(4).any(|part| part == b"look"), "nothing of it can be read on the way");

    for (bad, field) in [
        (json!({"keys": keys}), "endpoint"),
        (json!({"endpoint": url}), "keys"),
        (json!({"endpoint": url, "keys": {"p256dh": 1, "auth": "x"}}), "p256dh"),
        (json!({"endpoint": "ftp://x", "keys": keys}), "endpoint"),
        (json!({"endpoint": url, "keys": {"p256dh": "short", "auth": "x"}}), "p256dh"),
    ] {
        let refused = bob.post("/api/chat/push", bad).await.problem(422, "validation_failed");
        assert!(refused.to_string().contains(field), "{field}: {refused}");
    }
    server.rest().get("/api/chat/push", &[]).await.problem(401, "unauthorized");
    call(&server, Method::GET, "/api/chat/push", None, None).await.problem(403, "user_required");
    for _ in 0..2 {
        assert_eq!(bob.delete("/api/chat/push", json!({"endpoint": url})).await.expect(200)["success"], true);
    }
}

/// The server keeps people's keys and carries what they encrypted as it came; it neither reads nor finds it.
#[tokio::test]
async fn s3_81_what_is_encrypted_is_carried_as_it_came() {
    let server = setup().start().await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    let room = group(&server, &token("u-alice", &[], 600), "sealed", &[]).await;
    alice.grant("join_room", json!({"room_id": room})).await;
    let rest = as_user(&server, "u-alice");
    let keys = json!({"public_key": "{\"kty\":\"RSA\"}", "private_key": "sealed by a password"});
    let _ = rest.post("e2e.setUserPublicAndPrivateKeys", keys.clone()).await.expect(200);
    let kept = rest.get("e2e.fetchMyKeys", &[]).await.expect(200);
    assert_eq!((&kept["public_key"], &kept["private_key"]), (&keys["public_key"], &keys["private_key"]));
    let content = json!({"algorithm": "rc.v1.aes-sha2", "ciphertext": "c2VhbGVk"});
    let sealed = json!({"message": {"rid": room, "msg": "", "t": "e2e", "content": content}});
    let sent = rest.post("chat.sendMessage", sealed).await.expect(200)["message"].take();
    assert_eq!((&sent["t"], &sent["content"]), (&json!("e2e"), &content));
    let heard = alice.event("new_message").await["message"].take();
    assert_eq!((&heard["id"], &heard["sender_id"]), (&sent["_id"], &json!("u-alice")));
    assert!(!heard["content"].as_str().is_some_and(|text| text.contains("c2VhbGVk")), "{heard}");
    let found = rest.get("/api/chat/search", &[("q", "c2VhbGVk")]).await.expect(200);
    assert_eq!(found["messages"], json!([]));
    drop(Sio::of(&server, "u-xena", &[]).await);
    let xena = as_user(&server, "u-xena").get("e2e.fetchMyKeys", &[]).await.expect(200);
    assert!(xena.get("private_key").is_none(), "{xena}");
}

/// Connections and messages of the door are counted for whoever watches over the server, and for nobody else.
#[tokio::test]
async fn s4_51_connections_and_messages_are_counted() {
    let server = setup().start().await;
    put_ticket(&server, "T-1", json!({"created_by": "u-alice"})).await;
    let mut alice = Sio::of(&server, "u-alice", &[]).await;
    alice.grant("join_ticket", json!({"ticketId": "T-1"})).await;
    alice.grant("send_message", json!({"ticketId": "T-1", "message": "counted"})).await;
    let text = server.rest().get("/metrics", &[]).await.text();
    let figure = |name: &str| -> f64 {
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("{door=\"socketio\"} "));
        line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in:\n{text}"))
    };
    assert!(figure("parlor_connections") >= 1.0);
    assert!(figure("parlor_messages_in_total") >= 3.0);
    assert!(figure("parlor_frames_out_total") >= 4.0);
    let outside = server.rest().header("x-forwarded-for", "203.0.113.7").get("/metrics", &[]).await;
    assert!(matches!(outside.status, 401 | 403 | 404), "{}", outside.status);
}

//! What the operator says by the names that host applications know.

use parlor_testkit::{HostApp, Rest};
use serde_json::json;

/// S0-2, S0-10, S0-11, S0-14, S0-19 to S0-25, S0-27, S0-60: the old names of the environment make the administrator and his token;
/// with either of them, or the password, a backend is in; the public address is the one that it is told.
#[tokio::test]
async fn s0_10_s0_11_s0_14_s0_19_s0_20_s0_21_s0_22_s0_23_s0_60_a_backend_that_knew_rocket_chat_points_at_this_server_and_is_in()
 {
    let token = "a-token-of-the-administrator-of-32-characters-and-more";
    let setup = HostApp::setup()
        .env("ADMIN_USERNAME", "")
        .env("ADMIN_PASS", "")
        .env("ADMIN_EMAIL", "")
        .env("ROCKETCHAT_ADMIN_USER", "boss")
        .env("ROCKETCHAT_ADMIN_PASSWORD", "the boss's own secret")
        .env("ROCKETCHAT_ADMIN_USER_ID", "boss-id")
        .env("ROCKETCHAT_ADMIN_TOKEN", token)
        .env("MONGO_URL", "mongodb://mongo:27017/rocketchat")
        .env("ROOT_URL", "https://chat.example.org/base");
    let server = setup.start().await;
    let by_token = server.rest().signed_in("boss-id", token);
    let me = by_token.get("/api/auth/me", &[]).await.expect(200)["user"].take();
    assert_eq!((&me["id"], &me["username"]), (&json!("boss-id"), &json!("boss")));
    assert!(me["roles"].as_array().is_some_and(|roles| roles.contains(&json!("ADMIN"))), "{me}");
    assert_eq!(by_token.get("me", &[]).await.ok()["username"], "boss");
    let login = json!({"user": "boss", "password": "the boss's own secret"});
    let login = server.rest().post("login", login).await.ok();
    assert_eq!(login["data"]["userId"], "boss-id");
    let wrong = json!({"user": "boss", "password": "somebody else's secret"});
    let _ = server.rest().post("login", wrong).await.refused(401);
    let wrong: Rest = server.rest().signed_in("boss-id", "another-token-of-32-characters-and-more");
    wrong.get("/api/auth/me", &[]).await.problem(401, "invalid_token");

    let note = ("note.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let file = by_token.upload("/api/chat/upload", "file", note, &[]).await.expect(201);
    let url = file["url"].as_str().expect("an address");
    assert!(url.starts_with("https://chat.example.org/base/api/files/"), "{url}");
    assert_eq!(server.rest().get("/", &[]).await.status, 200, "a plain probe is answered");
    let log = server.logs();
    let words: Vec<&str> = log.lines().filter(|line| line.contains("MONGO_URL")).collect();
    assert_eq!(
        (words.len(), words[0].contains("WARN")),
        (1, true),
        "one word about what is not used: {words:?}"
    );
}

/// S0-19, S0-22, S0-23: the pair of id and token is enough by itself, on the first start alone: another pair that is given
/// later makes nobody.
#[tokio::test]
async fn s0_19_s0_22_s0_23_a_backend_that_knows_only_the_pair_is_in_by_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = |n: u8| format!("a-token-of-the-administrator-of-32-characters-and-more-{n}");
    for n in [1, 2] {
        let none = ["ADMIN_USERNAME", "ADMIN_PASS", "ADMIN_EMAIL", "TEST_MODE"];
        let setup = none.iter().fold(HostApp::setup().data(folder.path()), |setup, name| setup.env(name, ""));
        let setup = setup.env("ROCKETCHAT_ADMIN_USER_ID", &format!("boss-{n}"));
        let server = setup.env("ROCKETCHAT_ADMIN_TOKEN", &token(n)).start().await;
        let me = server.rest().signed_in("boss-1", &token(1)).get("me", &[]).await.ok();
        assert_eq!((&me["username"], &me["roles"]), (&json!("admin"), &json!(["admin"])));
        let guess = json!({"user": "admin", "password": "admin"});
        let _ = server.rest().post("login", guess).await.refused(401);
        let other = server.rest().signed_in("boss-2", &token(2));
        other.get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    }
}

/// S2-58, S3-7, S4-38, S4-44, S4-52, S4-54: the operator's own bounds and words are in force on every door: whose tokens, how
/// long a message, which files, what is the business of ACCOUNTS.
#[tokio::test]
async fn s2_58_s3_7_s4_38_s4_44_s4_52_s4_54_what_the_operator_sets_is_in_force_on_every_door() {
    let setup = HostApp::setup()
        .env("PARLOR_JWT_ISSUER", "the host")
        .env("PARLOR_JWT_AUDIENCE", "chat")
        .env("PARLOR_MAX_MESSAGE", "10")
        .env("PARLOR_UPLOAD_TYPES", "text/plain")
        .env("PARLOR_ACCOUNTS_CATEGORIES", "REFUND, CLAIM");
    let server = setup.start().await;
    let by = |id: &str, more: serde_json::Value| {
        let token = HostApp::token(id, 600, more);
        server.rest().header("authorization", &format!("Bearer {token}"))
    };
    let person = |id: &str, role: &str| by(id, json!({"iss": "the host", "aud": ["chat"], "role": role}));
    for more in [
        json!({}),
        json!({"iss": "the host"}),
        json!({"aud": "chat"}),
        json!({"iss": "another", "aud": "chat"}),
        json!({"iss": "the host", "aud": ["mail"]}),
    ] {
        let refused = by("u-1", more.clone()).get("/api/auth/me", &[]).await;
        assert_eq!(refused.problem(401, "invalid_token")["error"], "invalid_token", "{more}");
    }
    let (ann, ada) = (person("u-ann", "BUS_DRIVER"), person("u-ada", "ACCOUNTS, USER"));
    for one in [&ann, &ada] {
        one.get("/api/auth/me", &[]).await.expect(200);
    }
    let app = HostApp::rest(&server);
    for (id, category, code) in [("T-1", "PAYMENT", 404), ("T-2", "claim", 200), ("T-3", "Refund", 200)] {
        let facts = json!({"created_by": "u-ann", "category": category});
        app.put(&format!("/api/tickets/{id}"), facts).await.expect(201);
        assert_eq!(ada.get(&format!("/api/tickets/{id}/chat"), &[]).await.status, code, "{category}");
    }
    let made = json!({"room_type": "group", "name": "few"});
    let room = ann.post("/api/chat/rooms", made).await.expect(201)["id"].clone();
    let (longest, longer) = ("\u{1f69a}".repeat(10), "\u{1f69a}".repeat(11));
    let said = |text: &str| json!({"room_id": room, "content": text, "message": text, "title": "t"});
    for (path, refused) in [
        ("/api/chat/messages", 422),
        ("/api/chat/send", 400),
        ("/api/tickets/T-1/chat", 400),
        ("/api/conversations/create", 400),
    ] {
        ann.post(path, said(&longest)).await.expect(201);
        ann.post(path, said(&longer)).await.problem(refused, "validation_failed");
    }
    for path in ["/api/chat/upload", "/api/tickets/T-1/chat/upload"] {
        let gif = ("a.gif", "image/gif", &b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"[..]);
        ann.upload(path, "file", gif, &[]).await.problem(415, "unsupported_media_type");
        let note = ("n.txt", "text/plain", &b"words enough to be known as plain text"[..]);
        ann.upload(path, "file", note, &[]).await.expect(201);
    }
}

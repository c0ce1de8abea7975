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
    let wrong: Rest = server.rest().signed_in("boss-id", "another-token-of-32-characters-and-more");
    wrong.get("/api/auth/me", &[]).await.problem(401, "invalid_token");

    let note = ("note.txt", "text/plain", &b"words enough to be known as plain text"[..]);
    let file = by_token.upload("/api/chat/upload", "file", note, &[]).await.expect(201);
    let url = file["url"].as_str().expect("an address");
    assert!(url.starts_with("https://chat.example.org/base/api/files/"), "{url}");
    assert_eq!(server.rest().get("/", &[]).await.status, 200, "a plain probe is answered");
    assert!(server.logs().contains("MONGO_URL"), "one word about what is not used");
}

//! Users as the host application tells of them.

use parlor_testkit::{Cast, HostApp};
use serde_json::{Value, json};

/// S2-49, S0-54, S0-69, S0-65, S0-66: made, changed key by key, and each clash has its name.
#[tokio::test]
async fn s0_54_s0_65_s0_66_s0_69_s2_49_the_application_tells_of_users() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let driver = json!({"username": "driver1", "name": "Driver One", "email": "d1@example.com",
        "roles": ["bus driver"], "vendor_id": "v-1"});
    let made = app.put("/api/users/u-1", driver).await.expect(201)["user"].take();
    let expected = json!({"id": "u-1", "username": "driver1", "name": "Driver One", "email": "d1@example.com",
        "roles": ["BUS_DRIVER"], "vendor_id": "v-1", "active": true});
    assert_eq!(made, expected);
    let changed = app.put("/api/users/u-1", json!({"name": "D. One", "vendor_id": null})).await.expect(200);
    assert_eq!((&changed["user"]["name"], &changed["user"]["vendor_id"]), (&json!("D. One"), &Value::Null));
    assert_eq!(changed["user"]["roles"], json!(["BUS_DRIVER"]));

    app.put("/api/users/u-2", json!({"username": "DRIVER1"})).await.problem(409, "username_taken");
    let same_address = json!({"username": "driver2", "email": "D1@example.com"});
    app.put("/api/users/u-2", same_address).await.problem(409, "email_taken");
    for (id, bad) in [
        ("u%20x", json!({"username": "x"})),
        ("system", json!({"username": "x"})),
        ("u-3", json!({"username": "a b"})),
        ("u-3", json!({"username": {"$ne": 1}})),
        ("u-3", json!({"username": "admin"})),
        ("u-3", json!({"username": "x3", "roles": "OPS"})),
        ("u-3", json!({"username": "x3", "email": "no address"})),
        ("u-3", json!({"username": "x3", "password": "short"})),
    ] {
        app.put(&format!("/api/users/{id}"), bad).await.problem(400, "validation_failed");
    }
    app.get("/api/users/u-3", &[]).await.problem(404, "not_found");
}

/// S0-65, S0-66, S2-49: another address or password takes the place of the one before, and what was proved by the old
/// password ends; a name is free when its user is removed. What is refused changes nothing.
#[tokio::test]
async fn s0_65_s0_66_s2_49_another_address_takes_the_place_of_the_one_before() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let body = json!({"username": "driver1", "email": "old@example.com", "password": "password123"});
    app.put("/api/users/u-1", body).await.expect(201);
    let login = async |email: &str, password: &str| {
        server.rest().post("/api/auth/login", json!({"email": email, "password": password})).await
    };
    let token = login("old@example.com", "password123").await.expect(200)["access_token"].take();
    let bearer = format!("Bearer {}", token.as_str().expect("a token"));
    let mine = server.rest().header("authorization", &bearer);

    let user =
        app.put("/api/users/u-1", json!({"email": "new@example.com"})).await.expect(200)["user"].take();
    assert_eq!((&user["email"], &user["username"]), (&json!("new@example.com"), &json!("driver1")));
    login("old@example.com", "password123").await.problem(401, "invalid_credentials");
    login("new@example.com", "password123").await.expect(200);
    mine.get("/api/auth/me", &[]).await.expect(200);
    app.put("/api/users/u-1", json!({"name": "x", "password": "short"}))
        .await
        .problem(400, "validation_failed");
    app.put("/api/users/u-1", json!({"password": "another password"})).await.expect(200);
    login("new@example.com", "password123").await.problem(401, "invalid_credentials");
    login("new@example.com", "another password").await.expect(200);
    mine.get("/api/auth/me", &[]).await.problem(401, "invalid_token");

    let second = json!({"username": "Driver1", "name": "Second", "email": "old@example.com"});
    app.put("/api/users/u-2", second.clone()).await.problem(409, "username_taken");
    app.get("/api/users/u-2", &[]).await.problem(404, "not_found");
    let user = app.get("/api/users/u-1", &[]).await.expect(200)["user"].take();
    assert_eq!((&user["name"], &user["email"]), (&json!("driver1"), &json!("new@example.com")), "as it was");
    app.remove("/api/users/u-1").await.expect(200);
    let user = app.put("/api/users/u-2", second).await.expect(201)["user"].take();
    assert_eq!((&user["username"], &user["email"]), (&json!("Driver1"), &json!("old@example.com")));
}

/// Roles: only the application and ADMIN push; nobody sees another's address.
#[tokio::test]
async fn ordinary_users_tell_nothing_and_see_no_addresses() {
    let server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &["OPS"]).await;
    let root = HostApp::person(&server, "u-root", &["ADMIN"]).await;
    let body = json!({"username": "bob", "email": "bob@example.com"});
    alice.rest.put("/api/users/u-bob", body.clone()).await.problem(403, "forbidden");
    alice.rest.remove("/api/users/u-bob").await.problem(403, "forbidden");
    server.rest().put("/api/users/u-bob", body.clone()).await.problem(401, "unauthorized");
    root.rest.put("/api/users/u-bob", body).await.expect(201);
    let seen = |answer: Value| answer["user"].get("email").cloned();
    assert_eq!(seen(alice.rest.get("/api/users/u-bob", &[]).await.expect(200)), None);
    assert_eq!(
        seen(root.rest.get("/api/users/u-bob", &[]).await.expect(200)),
        Some("bob@example.com".into())
    );
    assert!(seen(alice.rest.get("/api/users/u-alice", &[]).await.expect(200)).is_some());
    alice.rest.get("/api/users/nobody", &[]).await.problem(404, "not_found");
    alice.rest.get("/api/users/a%2Fb", &[]).await.problem(404, "not_found");
}

/// S0-48: all users, by name, in pages; deactivated ones and bots are left out.
#[tokio::test]
async fn s0_48_users_are_listed_by_name_in_pages() {
    let server = HostApp::setup().start().await;
    let cast = Cast::assemble(&server).await;
    let app = HostApp::rest(&server);
    for name in ["carl", "Anna", "berta"] {
        app.put(&format!("/api/users/u-{name}"), json!({"username": name})).await.expect(201);
    }
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let query = [("limit", "2"), ("after", after.as_str())];
        let page =
            cast.member.rest.get("/api/users", if after.is_empty() { &query[..1] } else { &query }).await;
        let page = page.expect(200);
        assert_eq!(page["success"], true);
        for user in page["users"].as_array().unwrap() {
            assert!(user.get("email").is_none(), "{user}");
            seen.push(user["username"].as_str().unwrap().to_owned());
        }
        match page["pagination"]["next_cursor"].as_str() {
            Some(cursor) => after = cursor.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["administrator", "Anna", "berta", "carl", "member", "outsider", "owner"]);
    let found = app.get("/api/users", &[("q", "AN")]).await.expect(200);
    assert_eq!(found["users"].as_array().unwrap().len(), 1, "{found}");
    assert!(found["users"][0].get("email").is_some());
    for (name, value, code) in [("limit", "0", "validation_failed"), ("after", "x", "bad_cursor")] {
        app.get("/api/users", &[(name, value)]).await.problem(400, code);
    }
    server.rest().get("/api/users", &[]).await.problem(401, "unauthorized");
}

/// S4-8: whoever ever wrote can't be removed; others can.
#[tokio::test]
async fn s4_8_a_user_with_messages_stays() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    HostApp::person(&server, "u-bob", &[]).await;
    let said = alice.rest.post("chat.postMessage", json!({"roomId": "GENERAL", "text": "hello"})).await.ok();
    app.remove("/api/users/u-alice").await.problem(409, "user_has_messages");
    let id = said["message"]["_id"].clone();
    let _ = alice.rest.post("chat.delete", json!({"roomId": "GENERAL", "msgId": id})).await.ok();
    app.remove("/api/users/u-alice").await.problem(409, "user_has_messages");
    assert_eq!(app.remove("/api/users/u-bob").await.expect(200), json!({"success": true}));
    app.get("/api/users/u-bob", &[]).await.problem(404, "not_found");
    app.remove("/api/users/u-bob").await.problem(404, "not_found");
    app.remove("/api/users/u-alice?mode=nonsense").await.problem(400, "validation_failed");
}

/// C-14: words that mean something are Rocket.Chat roles; a claim takes back only what a claim gave.
#[tokio::test]
async fn role_words_are_rocket_chat_roles_and_claims_take_back_only_their_own() {
    let server = HostApp::setup().env("PARLOR_JWT_ROLE_MAP", "BOSS=CONTROL_ADMIN").start().await;
    let cast = Cast::assemble(&server).await;
    let person = HostApp::person(&server, "u-1", &["BOSS", "PILOT"]).await;
    let roles = |answer: Value| answer["roles"].clone();
    assert_eq!(roles(person.rest.get("me", &[]).await.ok()), json!(["user", "control-admin"]));
    let user = person.rest.get("/api/auth/me", &[]).await.expect(200)["user"].take();
    assert_eq!(user["roles"], json!(["CONTROL_ADMIN", "PILOT"]));
    let give = json!({"roleId": "ops", "username": "1"});
    let _ = cast.administrator.rest.post("roles.addUserToRole", give).await.ok();
    let person = HostApp::person(&server, "u-1", &[]).await;
    assert_eq!(roles(person.rest.get("me", &[]).await.ok()), json!(["user", "ops"]));
    let user = person.rest.get("/api/auth/me", &[]).await.expect(200)["user"].take();
    assert_eq!(user["roles"], json!(["OPS"]));
}

/// S2-14, C-13: no room of field staff alone, whatever door makes it.
#[tokio::test]
async fn s2_14_field_staff_make_no_room_among_themselves_through_rocket_chats_door() {
    let server = HostApp::setup().start().await;
    let driver = HostApp::person(&server, "u-driver", &["BUS_DRIVER"]).await;
    HostApp::person(&server, "u-regulator", &["QUEUE_REGULATOR"]).await;
    HostApp::person(&server, "u-control", &["CONTROL_STAFF"]).await;
    let dm = |name: &str| json!({"username": name});
    let refused = driver.rest.post("im.create", dm("regulator")).await.refused(400);
    assert_eq!(refused["errorType"], "error-not-allowed");
    let _ = driver.rest.post("im.create", dm("control")).await.ok();
    let group = |name: &str, members: Value| json!({"name": name, "members": members});
    let _ = driver.rest.post("groups.create", group("a", json!(["regulator"]))).await.refused(400);
    let _ = driver.rest.post("groups.create", group("b", json!(["regulator", "control"]))).await.ok();
    let alone = driver.rest.post("groups.create", group("c", json!([]))).await.ok();
    let invite = json!({"roomId": alone["group"]["_id"], "userId": "u-regulator"});
    let _ = driver.rest.post("groups.invite", invite).await.refused(400);
    let _ = driver.rest.post("channels.create", group("d", json!(["regulator"]))).await.ok();
}

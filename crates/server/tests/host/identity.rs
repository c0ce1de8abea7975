//! Who calls: the host's tokens, our own, Rocket.Chat's, and the application's key.

use parlor_testkit::host_app::{JWT_SECRET, now, sign_with};
use parlor_testkit::{Cast, Ddp, HostApp, Server, wait};
use serde_json::{Value, json};

async fn me(server: &Server, token: &str) -> parlor_testkit::Answer {
    server.rest().header("authorization", &format!("Bearer {token}")).get("/api/auth/me", &[]).await
}

/// S3-7, S4-3, S4-52, S0-2, S0-49, S0-52, S0-53: the person of a good token is there, follows it, and has no password.
#[tokio::test]
async fn s0_2_s0_49_s0_52_s0_53_s3_7_s4_3_s4_52_a_person_comes_with_the_first_token_and_follows_it() {
    let server = HostApp::setup().start().await;
    let claims = json!({"preferred_username": "driver1", "name": "Driver One", "email": "d1@example.com",
        "roles": ["bus-driver"], "vendor_id": "v-9"});
    let body = me(&server, &HostApp::token("u-driver1", 600, claims)).await.expect(200);
    let expected = json!({"id": "u-driver1", "username": "driver1", "name": "Driver One",
        "email": "d1@example.com", "roles": ["BUS_DRIVER"], "vendor_id": "v-9", "active": true});
    assert_eq!(body["user"], expected);

    let changed = HostApp::token("u-driver1", 600, json!({"name": "Driver 1", "role": "CONTROL_STAFF"}));
    let user = me(&server, &changed).await.expect(200)["user"].take();
    assert_eq!((&user["name"], &user["roles"]), (&json!("Driver 1"), &json!(["CONTROL_STAFF"])));
    assert_eq!((&user["username"], &user["vendor_id"]), (&json!("driver1"), &json!("v-9")));

    // In a pair it must be its own user's.
    let token = HostApp::token("u-driver1", 600, json!({}));
    server.rest().signed_in("u-driver2", &token).get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    server.rest().signed_in("u-driver1", &token).get("/api/auth/me", &[]).await.expect(200);

    let guess = json!({"username": "driver1", "password": ""});
    server.rest().post("/api/auth/login", guess).await.problem(400, "validation_failed");
    let guess = json!({"username": "driver1", "password": "driver1"});
    server.rest().post("/api/auth/login", guess).await.problem(401, "invalid_credentials");
    let renamed = HostApp::token("u-driver1", 600, json!({"preferred_username": "wheels"}));
    assert_eq!(me(&server, &renamed).await.expect(200)["user"]["username"], "wheels");
}

/// S0-2, S3-7: where each claim goes, what stands in for one that is absent, and what is refused or mended.
#[tokio::test]
async fn s0_2_s3_7_each_claim_of_a_token_has_its_place() {
    let server = HostApp::setup().env("PARLOR_JWT_ROLE_MAP", "CHIEF=ADMIN").start().await;
    for (claims, expected) in [
        (
            json!({"sub": 42, "email": "max+chat@example.com", "role": "bus-driver, Ops", "roles": ["ops"], "vendor_id": 7}),
            json!({"id": "42", "username": "max.chat", "name": "max.chat", "roles": ["BUS_DRIVER", "OPS"], "vendor_id": "7"}),
        ),
        (
            json!({"sub": "a:b@c", "preferred_username": "J\u{f6}rg M.", "name": "n".repeat(200), "roles": "queue regulator"}),
            json!({"id": "a:b@c", "username": "J.rg.M.", "name": "n".repeat(128), "roles": ["QUEUE_REGULATOR"], "vendor_id": null}),
        ),
        (
            json!({"sub": "bare"}),
            json!({"id": "bare", "username": "bare", "name": "bare", "roles": ["USER"], "email": null}),
        ),
        (
            json!({"sub": "chief", "role": "chief"}),
            json!({"username": "chief", "roles": ["ADMIN"], "active": true}),
        ),
    ] {
        let mut all = json!({"exp": now() + 60, "iat": now() + 5, "nbf": now() + 5});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let user = me(&server, &HostApp::sign(&all)).await.expect(200)["user"].take();
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(user[key], *value, "{key} of {claims}");
        }
    }
    for (claims, why) in [
        (json!({"sub": "a b"}), "an id of other characters"),
        (json!({"sub": "x".repeat(65)}), "too long an id"),
        (json!({"sub": 1.5}), "no integer"),
        (json!({"roles": {"$ne": 1}}), "roles of another type"),
        (json!({"name": 5}), "a name of another type"),
        (json!({"nbf": now() + 60}), "not yet"),
        (json!({"iat": now() + 60}), "made tomorrow"),
        (json!({"exp": "soon"}), "no time"),
    ] {
        let mut all = json!({"sub": "u-1", "exp": now() + 60});
        all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let told = me(&server, &HostApp::sign(&all)).await;
        assert_eq!((told.status, &told.body["error"]), (401, &json!("invalid_token")), "{why}");
    }
    HostApp::rest(&server).get("/api/users/u-1", &[]).await.problem(404, "not_found");
}

/// S3-69, S4-55, S2-71: each bad token has its code.
#[tokio::test]
async fn s2_71_s3_69_s4_55_a_bad_token_is_refused_by_its_code() {
    let server = HostApp::setup().start().await;
    server.rest().get("/api/auth/me", &[]).await.problem(401, "unauthorized");
    let good = HostApp::token("u-1", 600, json!({}));
    me(&server, &good).await.expect(200);
    me(&server, &HostApp::token("u-1", -1, json!({}))).await.problem(401, "token_expired");
    let tampered = format!("{}x", &good[..good.len() - 1]);
    let other_key = sign_with(
        "another secret of 32 bytes or more",
        &json!({"alg": "HS256"}),
        &json!({"sub": "u-1", "exp": now() + 60}),
    );
    let none = sign_with(JWT_SECRET, &json!({"alg": "none"}), &json!({"sub": "u-1", "exp": now() + 60}));
    let no_end = HostApp::sign(&json!({"sub": "u-1"}));
    let no_one = HostApp::sign(&json!({"exp": now() + 60}));
    let reserved = HostApp::token("system", 600, json!({}));
    for bad in [tampered, other_key, none, no_end, no_one, reserved, "nonsense".into(), "a.b.c".into()] {
        me(&server, &bad).await.problem(401, "invalid_token");
    }
    // A token in the query is none.
    server.rest().get("/api/auth/me", &[("token", &good)]).await.problem(401, "unauthorized");
}

/// C-18: the first proof found decides, and there is no second try.
#[tokio::test]
async fn a_bad_first_proof_is_not_made_good_by_a_second() {
    let server = HostApp::setup().start().await;
    let good = format!("Bearer {}", HostApp::token("u-1", 600, json!({})));
    let rest = server.rest().header("authorization", &good);
    rest.get("/api/auth/me", &[]).await.expect(200);
    rest.header("x-app-key", "wrong").get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    let bad = server.rest().header("authorization", "Bearer wrong");
    let pair = bad.signed_in("u-1", &HostApp::token("u-1", 600, json!({})));
    pair.get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    assert_eq!(HostApp::rest(&server).get("/api/auth/me", &[]).await.expect(200), json!({"app": true}));
    let as_bearer =
        server.rest().header("authorization", &format!("Bearer {}", parlor_testkit::host_app::APP_KEY));
    assert_eq!(as_bearer.get("/api/auth/me", &[]).await.expect(200), json!({"app": true}));
}

/// S0-24, S0-25: Rocket.Chat's tokens are good here, and the host's are good there; a pair must belong together.
#[tokio::test]
async fn s0_24_s0_25_tokens_of_one_surface_are_good_on_the_others() {
    let server = HostApp::setup().start().await;
    let cast = Cast::assemble(&server).await;
    let user = cast.owner.rest.get("/api/auth/me", &[]).await.expect(200)["user"].take();
    assert_eq!(user["id"], cast.owner.id.as_str());
    let stolen = server.rest().signed_in(&cast.member.id, cast.owner.rest.token().unwrap());
    stolen.get("/api/auth/me", &[]).await.problem(401, "invalid_token");
    cast.deactivated.rest.get("/api/auth/me", &[]).await.problem(401, "user_inactive");

    let alice = HostApp::person(&server, "u-alice", &[]).await;
    assert_eq!(alice.rest.get("me", &[]).await.ok()["_id"], "u-alice");
    let pair = server.rest().signed_in("u-alice", &alice.token);
    assert_eq!(pair.get("me", &[]).await.ok()["username"], "alice");
    pair.get("/api/auth/me", &[]).await.expect(200);
    let _ = server.rest().signed_in("u-bob", &alice.token).get("me", &[]).await.refused(401);
    let mut socket = Ddp::connect(&server).await;
    let login = socket.resume(&alice.token).await.expect("the host's token is let in");
    assert_eq!(login["id"], "u-alice");
    let expired = HostApp::token("u-alice", -5, json!({}));
    assert!(Ddp::connect(&server).await.resume(&expired).await.is_err());
}

/// S2-49: Parlor's own login, by name or address; the same answer for a wrong password and for nobody.
#[tokio::test]
async fn s2_49_a_user_with_a_password_logs_in_for_as_long_as_the_operator_says() {
    let server = HostApp::setup().env("PARLOR_TOKEN_TTL", "120").start().await;
    let app = HostApp::rest(&server);
    let driver = json!({"username": "driver1", "email": "d1@example.com", "roles": ["BUS_DRIVER"], "password": "password123"});
    app.put("/api/users/u-driver1", driver).await.expect(201);
    for who in [json!({"username": "driver1"}), json!({"email": "D1@example.com"})] {
        let mut body = who;
        body["password"] = "password123".into();
        let login = server.rest().post("/api/auth/login", body).await.expect(200);
        assert_eq!((&login["token_type"], &login["expires_in"]), (&json!("Bearer"), &json!(120)));
        assert_eq!(login["user"]["roles"], json!(["BUS_DRIVER"]));
        let token = login["access_token"].as_str().unwrap();
        assert_eq!(me(&server, token).await.expect(200)["user"]["id"], "u-driver1");
        let pair = server.rest().signed_in("u-driver1", token);
        assert_eq!(pair.get("me", &[]).await.ok()["username"], "driver1");
    }
    let wrong = |name: &str| json!({"username": name, "password": "wrong"});
    let known =
        server.rest().post("/api/auth/login", wrong("driver1")).await.problem(401, "invalid_credentials");
    let nobody =
        server.rest().post("/api/auth/login", wrong("nobody")).await.problem(401, "invalid_credentials");
    assert_eq!(known, nobody);
    // Nor is it told who has no password, or is switched off, to whoever does not know the password.
    HostApp::person(&server, "u-token", &[]).await;
    app.put("/api/users/u-off", json!({"username": "off", "password": "password123"})).await.expect(201);
    app.remove("/api/users/u-off?mode=deactivate").await.expect(200);
    for name in ["token", "off", "token@host.example"] {
        let told = server.rest().post("/api/auth/login", wrong(name)).await;
        assert_eq!(told.problem(401, "invalid_credentials"), nobody, "{name}");
    }
    for bad in [
        json!({"username": {"$ne": null}, "password": "x"}),
        json!({"username": "driver1", "password": ["password123"]}),
        json!({"username": "driver1", "password": "password123", "code": {}}),
        json!({"username": "driver1"}),
        json!({"password": "password123"}),
        json!({}),
    ] {
        server.rest().post("/api/auth/login", bad).await.problem(400, "validation_failed");
    }
}

/// S2-49: whoever has a second factor is asked for it here too; and after ten wrong passwords the account is closed to
/// guesses for a while, the right one among them, while others get in.
#[tokio::test]
async fn s2_49_a_login_asks_for_the_second_factor_and_is_closed_to_guessing() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    for name in ["driver1", "driver2"] {
        let user = json!({"username": name, "roles": ["BUS_DRIVER"], "password": "password123"});
        app.put(&format!("/api/users/u-{name}"), user).await.expect(201);
    }
    let login = async |name: &str, password: &str, code: Option<&str>| {
        let body = json!({"username": name, "password": password, "code": code});
        server.rest().post("/api/auth/login", body).await
    };
    let token = login("driver2", "password123", None).await.expect(200)["access_token"].take();
    let mut socket = Ddp::connect(&server).await;
    socket.resume(token.as_str().expect("a token")).await.expect("let in");
    let offered = socket.method("2fa:enable", json!([])).await.expect("a new account needs no proof");
    let totp =
        totp_rs::Totp::from_url_unchecked(offered["url"].as_str().expect("an address")).expect("a key");
    let code = totp.generate_current().to_string();
    let kept = socket.method("2fa:validateTempToken", json!([code])).await.expect("a good code");
    login("driver2", "password123", None).await.problem(401, "totp_required");
    let spare = kept["codes"][0].as_str().expect("a spare code");
    login("driver2", "password123", Some(spare)).await.expect(200);
    assert_eq!(login("driver2", "password123", Some(spare)).await.status, 401, "a spare code works once");

    for _ in 0..10 {
        login("driver1", "wrong", None).await.problem(401, "invalid_credentials");
    }
    let refused = login("driver1", "password123", None).await;
    assert!(refused.headers.contains_key("retry-after"), "when to come back");
    refused.problem(429, "rate_limited");
    login("driver2", "password123", None).await.problem(401, "totp_required");
}

/// S2-49: fifty wrong guesses from one address close it, whatever the names, and to the right password too; other addresses
/// stay open.
#[tokio::test]
async fn s2_49_an_address_that_guessed_fifty_times_is_closed_and_others_are_not() {
    let server = HostApp::setup().env("HTTP_FORWARDED_COUNT", "1").start().await;
    let user = json!({"username": "driver1", "roles": ["BUS_DRIVER"], "password": "password123"});
    HostApp::rest(&server).put("/api/users/u-driver1", user).await.expect(201);
    let login = async |from: &str, name: &str, password: &str| {
        let body = json!({"username": name, "password": password});
        server.rest().header("x-forwarded-for", from).post("/api/auth/login", body).await
    };
    let (bad, good) = ("203.0.113.7", "203.0.113.8");
    for guess in 0..49 {
        login(bad, &format!("nobody-{guess}"), "wrong").await.problem(401, "invalid_credentials");
    }
    // That one of them is right does not make the others undone.
    login(bad, "driver1", "password123").await.expect(200);
    login(bad, "nobody-49", "wrong").await.problem(401, "invalid_credentials");
    let refused = login(bad, "driver1", "password123").await;
    let wait: u64 =
        refused.headers["retry-after"].to_str().ok().and_then(|s| s.parse().ok()).expect("seconds");
    assert!((1..=300).contains(&wait), "{wait}");
    refused.problem(429, "rate_limited");
    login(bad, "nobody-50", "wrong").await.problem(429, "rate_limited");
    login(good, "driver1", "password123").await.expect(200);
}

/// S0-65: a taken name gets a number; a user made by name only is taken over and keeps what it wrote.
#[tokio::test]
async fn s0_65_names_are_unique_and_a_local_account_is_never_taken_over() {
    let server = HostApp::setup().start().await;
    let cast = Cast::assemble(&server).await;
    let named = |id: &str, name: &str| HostApp::token(id, 600, json!({"preferred_username": name}));
    let name = async |token: String| me(&server, &token).await.expect(200)["user"]["username"].clone();
    assert_eq!(name(named("u-1", "ann")).await, "ann");
    assert_eq!(name(named("u-2", "Ann")).await, "Ann-2");
    assert_eq!(name(named("u-2", "Ann")).await, "Ann-2");
    assert_eq!(name(named("u-3", &cast.owner.username)).await, "owner-2");
    assert_eq!(cast.owner.rest.get("me", &[]).await.ok()["_id"], cast.owner.id.as_str());
    // A foreign address is left out rather than taken away.
    let claims = json!({"preferred_username": "eve", "email": "owner@example.org"});
    let user = me(&server, &HostApp::token("u-4", 600, claims)).await.expect(200)["user"].take();
    assert_eq!((&user["username"], &user["email"]), (&json!("eve"), &Value::Null));
}

/// S4-8, S4-52, C-22: a switched-off user is refused with a word, and open sockets end.
#[tokio::test]
async fn s4_8_s4_52_a_deactivated_user_is_out_at_once() {
    let server = HostApp::setup().start().await;
    let alice = HostApp::person(&server, "u-alice", &[]).await;
    let mut socket = Ddp::connect(&server).await;
    socket.resume(&alice.token).await.expect("let in");
    let app = HostApp::rest(&server);
    let off = app.remove("/api/users/u-alice?mode=deactivate").await.expect(200);
    assert_eq!(off["user"]["active"], false);
    alice.rest.get("/api/auth/me", &[]).await.problem(401, "user_inactive");
    assert!(socket.seek(|_| false).await.is_none(), "the socket ends");
    app.remove("/api/users/u-alice?mode=activate").await.expect(200);
    alice.rest.get("/api/auth/me", &[]).await.expect(200);
}

/// S2-49, S4-52, C-22: tokens of a log-in are refused with the same word while their account is off, on every door. They
/// stay refused when it is on again, as those that nobody gave out.
#[tokio::test]
async fn s2_49_s4_52_a_log_in_of_a_deactivated_user_is_refused_with_a_word() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let guard = json!({"username": "guard", "roles": ["BUS_DRIVER"], "password": "password123"});
    app.put("/api/users/u-guard", guard).await.expect(201);
    let proof = json!({"username": "guard", "password": "password123"});
    let login = server.rest().post("/api/auth/login", proof.clone()).await.expect(200);
    let token = login["access_token"].as_str().expect("a token");
    me(&server, token).await.expect(200);
    app.remove("/api/users/u-guard?mode=deactivate").await.expect(200);
    me(&server, token).await.problem(401, "user_inactive");
    server.rest().post("/api/auth/login", proof.clone()).await.problem(401, "user_inactive");
    let pair = server.rest().signed_in("u-guard", token);
    pair.get("/api/conversations", &[]).await.problem(401, "user_inactive");
    let _ = pair.get("me", &[]).await.refused(401);
    assert!(Ddp::connect(&server).await.resume(token).await.is_err());

    app.remove("/api/users/u-guard?mode=activate").await.expect(200);
    me(&server, token).await.problem(401, "invalid_token");
    let anew = server.rest().post("/api/auth/login", proof).await.expect(200);
    me(&server, anew["access_token"].as_str().expect("a token")).await.expect(200);
}

/// S2-49, S3-64, S4-55: a token of a log-in that grew too old is told from one that nobody gave out.
#[tokio::test]
async fn s2_49_s3_64_s4_55_a_log_in_that_grew_too_old_says_so() {
    let server = HostApp::setup().env("PARLOR_TOKEN_TTL", "1").start().await;
    let driver = json!({"username": "driver1", "password": "password123"});
    HostApp::rest(&server).put("/api/users/u-driver1", driver.clone()).await.expect(201);
    let login = server.rest().post("/api/auth/login", driver).await.expect(200);
    let token = login["access_token"].as_str().expect("a token");
    wait::until("it is too old", || async { (me(&server, token).await.status == 401).then_some(()) }).await;
    me(&server, token).await.problem(401, "token_expired");
    let pair = server.rest().signed_in("u-driver1", token);
    pair.get("/api/chat/rooms", &[]).await.problem(401, "token_expired");
    let _ = pair.get("me", &[]).await.refused(401);
}

/// S0-49, S0-65: somebody who was made by name only is taken over by the first token of that name: with its messages and
/// memberships, under the token's id, while the old id goes on meaning him. Another token of the name gets a number.
#[tokio::test]
async fn s0_49_s0_65_a_user_made_by_name_is_taken_over_with_everything_he_has() {
    let server = HostApp::setup().start().await;
    let app = HostApp::rest(&server);
    let send = |body: Value| app.post("/api/chat/send", body);
    let said = json!({"from_name": "Zoe", "team": "crew", "message": "before"});
    let before = send(said).await.expect(201)["message"].take();
    let old = before["user_id"].as_str().unwrap().to_owned();
    send(json!({"from_name": "ben", "to": "zoe", "message": "for you"})).await.expect(201);

    let claims = json!({"preferred_username": "zoe", "name": "Zoe Z"});
    let token = HostApp::token("u-zoe", 600, claims.clone());
    let user = me(&server, &token).await.expect(200)["user"].take();
    assert_eq!(
        (&user["id"], &user["username"], &user["name"]),
        (&json!("u-zoe"), &json!("Zoe"), &json!("Zoe Z"))
    );
    let zoe = server.rest().header("authorization", &format!("Bearer {token}"));
    let inbox = zoe.get("/api/chat/inbox/zoe", &[]).await.expect(200);
    let messages: Vec<&Value> =
        inbox["rooms"].as_array().unwrap().iter().flat_map(|r| r["messages"].as_array().unwrap()).collect();
    let kept = messages.iter().find(|m| m["id"] == before["id"]).expect("what was said before");
    assert_eq!((&kept["user_id"], &kept["from_name"]), (&json!("u-zoe"), &json!("Zoe")));
    assert!(messages.iter().any(|m| m["message"] == "for you"));
    assert_eq!(app.get(&format!("/api/users/{old}"), &[]).await.expect(200)["user"]["id"], "u-zoe");
    let path = format!("/api/chat/messages/{}", before["id"].as_str().unwrap());
    zoe.patch(&path, json!({"content": "mine"})).await.expect(200);

    let other = me(&server, &HostApp::token("u-other", 600, claims)).await.expect(200)["user"].take();
    assert_eq!(other["username"], "zoe-2");
}

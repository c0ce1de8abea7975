//! The second factor before what changes how the server works, or who may do what.

use parlor_testkit::{Person, Rest, Server, server::ADMINISTRATOR};
use serde_json::{Value, json};

/// Spare codes of an account's authenticator, each good once.
pub(crate) type Spare = Vec<String>;

async fn stage() -> (Server, Person, Person) {
    let server = Server::setup()
        .env("TEST_MODE", "false")
        .setting("API_Enable_Rate_Limiter", "false")
        .setting("DDP_Rate_Limit_User_Enabled", "false")
        .start()
        .await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let member = administrator.make(&server, "member", "Mina Member").await;
    (server, administrator, member)
}

async fn set(rest: &Rest, name: &str) -> parlor_testkit::Answer {
    rest.post("settings/Site_Name", json!({ "value": name })).await
}

fn with(rest: &Rest, code: &str) -> Rest {
    rest.header("x-2fa-code", code).header("x-2fa-method", "totp")
}

/// Switches an authenticator on.
pub(crate) async fn enrol(server: &Server, who: &Person) -> Spare {
    let mut socket = who.socket(server).await;
    let proof = parlor_testkit::ddp::digest(&who.password);
    let enable = json!([proof, "password", "2fa:enable"]);
    let offered = socket.method("callWithTwoFactorRequired", enable).await.expect("the password proves him");
    let url = offered["url"].as_str().expect("an address");
    let code = totp_rs::Totp::from_url_unchecked(url).expect("a key").generate_current().to_string();
    let kept = socket.method("2fa:validateTempToken", json!([code])).await.expect("a good code");
    let codes = kept["codes"].as_array().expect("spare codes");
    codes.iter().filter_map(|code| code.as_str().map(str::to_owned)).collect()
}

/// What asks whoever has a second factor, over REST.
fn grave(member: &Person) -> Vec<(&'static str, Value)> {
    let id = &member.id;
    let site = json!({ "_id": "Site_Name", "value": "Elsewhere" });
    let account = json!({
        "name": "Ada", "username": "ada", "email": "ada@example.org", "password": "correct horse 7",
        "roles": ["admin"],
    });
    vec![
        ("settings/Site_Name", json!({ "value": "Elsewhere" })),
        ("settings", json!({ "settings": [site] })),
        ("users.update", json!({ "userId": id, "data": { "password": "another secret 7" } })),
        ("users.update", json!({ "userId": id, "data": { "roles": ["user", "admin"] } })),
        ("users.create", account),
        ("roles.addUserToRole", json!({ "roleId": "bot", "username": "member" })),
        ("permissions.update", json!({ "permissions": [{ "_id": "create-c", "roles": ["user", "guest"] }] })),
        ("settings.addCustomOAuth", json!({ "name": "Elsewhere" })),
        ("oauth-apps.create", json!({ "name": "x", "redirectUri": "https://x.example", "active": true })),
    ]
}

#[tokio::test]
async fn whoever_has_an_authenticator_shows_its_code_before_he_changes_the_server_or_others() {
    let (server, administrator, member) = stage().await;
    let spare = enrol(&server, &administrator).await;
    let rest = &administrator.rest;
    for (endpoint, body) in grave(&member) {
        let asked = rest.post(endpoint, body).await.refused(400);
        assert_eq!(asked["errorType"], "totp-required", "{endpoint}: {asked}");
        let wanted = json!({ "method": "totp", "codeGenerated": false, "availableMethods": ["totp"] });
        assert_eq!(asked["details"], wanted, "{endpoint}");
        assert!(asked["error"].as_str().is_some_and(|text| text.contains("totp-required")), "{asked}");
    }
    let proof = parlor_testkit::ddp::digest(ADMINISTRATOR.1);
    let password = rest.header("x-2fa-code", &proof).header("x-2fa-method", "password");
    for wrong in [with(rest, "000000"), password] {
        assert_eq!(set(&wrong, "Elsewhere").await.refused(400)["errorType"], "totp-invalid");
    }
    // What grants nothing asks for nothing.
    let name = json!({ "value": "Parlor" });
    assert_eq!(rest.get("settings/Site_Name", &[]).await.ok()["value"], name["value"]);
    let plain = json!({
        "name": "Bea", "username": "bea", "email": "bea@example.org", "password": "correct horse 7",
        "roles": ["user"],
    });
    let _ = rest.post("users.create", plain).await.ok();
    let mut socket = administrator.socket(&server).await;
    for (method, params) in [
        ("saveSettings", json!([[{ "_id": "Site_Name", "value": "Elsewhere" }]])),
        ("saveSetting", json!(["Site_Name", "Elsewhere"])),
        ("insertOrUpdateUser", json!([{ "_id": member.id, "password": "another secret 7" }])),
        ("authorization:addUserToRole", json!(["admin", "member"])),
        ("authorization:addPermissionToRole", json!(["create-c", "guest"])),
        ("addOAuthService", json!(["Elsewhere"])),
    ] {
        let asked = socket.method(method, params).await.expect_err(method);
        assert_eq!((&asked["error"], &asked["details"]["method"]), (&json!("totp-required"), &json!("totp")));
    }
    // The code that comes with the call is remembered for the session, and for no other.
    assert_eq!(set(&with(rest, &spare[0]), "Elsewhere").await.status, 200);
    for (endpoint, body) in grave(&member) {
        let _ = rest.post(endpoint, body).await.ok();
    }
    let login = json!({ "user": ADMINISTRATOR.0, "password": ADMINISTRATOR.1, "code": spare[1] });
    let other = server.rest().post("login", login).await.ok();
    let text = |key: &str| other["data"][key].as_str().expect("a text").to_owned();
    let other = server.rest().signed_in(&text("userId"), &text("authToken"));
    assert_eq!(set(&other, "Again").await.refused(400)["errorType"], "totp-required");
    let reused = set(&with(&other, &spare[0]), "Again").await.refused(400);
    assert_eq!(reused["errorType"], "totp-invalid", "a spare code is good once");
}

#[tokio::test]
async fn over_the_socket_a_code_comes_around_the_call_or_behind_its_parameters() {
    let (server, administrator, _) = stage().await;
    let rest = &administrator.rest;
    let at_once = json!({ "value": 0 });
    let _ = rest.post("settings/Accounts_TwoFactorAuthentication_RememberFor", at_once).await.ok();
    let spare = enrol(&server, &administrator).await;
    let mut socket = administrator.socket(&server).await;
    let around = json!([spare[0], "totp", "saveSetting", "Site_Name", "Around"]);
    let saved = socket.method("callWithTwoFactorRequired", around.clone()).await;
    assert_eq!(saved, Ok(json!(true)));
    assert_eq!(rest.get("settings/Site_Name", &[]).await.ok()["value"], "Around");
    let twice =
        socket.method("callWithTwoFactorRequired", around).await.expect_err("a spare code is good once");
    assert_eq!(twice["error"], "totp-invalid");
    let behind = json!({ "twoFactorCode": spare[1], "twoFactorMethod": "totp" });
    let saved = socket.method("saveSetting", json!(["Site_Name", "Behind", behind])).await;
    assert_eq!(saved, Ok(json!(true)));
    // Nothing is remembered when the settings say so.
    let asked = socket.method("saveSetting", json!(["Site_Name", "Again", ""])).await.expect_err("asked");
    assert_eq!(asked["error"], "totp-required");
    let asked = rest.method("saveSetting", json!(["Site_Name", "Again"])).await.expect_err("asked");
    assert_eq!((&asked["error"], &asked["details"]["method"]), (&json!("totp-required"), &json!("totp")));
    let saved = with(rest, &spare[2]).method("saveSetting", json!(["Site_Name", "By REST"])).await;
    assert_eq!(saved, Ok(json!(true)));
}

#[tokio::test]
async fn whoever_has_no_second_factor_is_asked_for_nothing_nor_are_tokens_that_bypass_it() {
    let (server, administrator, member) = stage().await;
    let rest = &administrator.rest;
    // Even a session that is not new, whose account is not either.
    let at_once = json!({ "value": 0 });
    let _ = rest.post("settings/Accounts_TwoFactorAuthentication_RememberFor", at_once).await.ok();
    for (endpoint, body) in grave(&member) {
        let _ = rest.post(endpoint, body).await.ok();
    }
    let saved = rest.method("saveSettings", json!([[{ "_id": "Site_Name", "value": "Free" }]])).await;
    assert_eq!(saved, Ok(json!(true)));
    let _ = rest
        .post("settings/Accounts_TwoFactorAuthentication_RememberFor", json!({ "value": 1800 }))
        .await
        .ok();
    let mut tokens = Vec::new();
    for bypass in [true, false] {
        let wanted = json!({ "tokenName": format!("{bypass}"), "bypassTwoFactor": bypass });
        let made = rest.post("users.generatePersonalAccessToken", wanted).await.ok();
        tokens.push(made["token"].as_str().expect("a token").to_owned());
    }
    let spare = enrol(&server, &administrator).await;
    let by = |token: &str| server.rest().signed_in(&administrator.id, token);
    assert_eq!(set(&by(&tokens[0]), "By token").await.status, 200);
    assert_eq!(set(&by(&tokens[1]), "By token").await.refused(400)["errorType"], "totp-required");
    assert_eq!(set(&with(&by(&tokens[1]), &spare[0]), "By token").await.status, 200);
    // Whoever may not is told so whatever he shows.
    let other = by(&tokens[0]);
    let account =
        json!({ "name": "Bo", "username": "bo", "email": "bo@example.org", "password": "correct horse 7" });
    let _ = other.post("users.create", account).await.ok();
    let other = Person::sign_in(&server, "bo", "correct horse 7").await;
    let _ = set(&with(&other.rest, &spare[1]), "Mine").await.refused(403);
}

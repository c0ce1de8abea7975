//! Guesses, stolen sessions and whoever comes first: what keeps accounts their owners'.

use axum::http::Method;
use parlor_testkit::{Person, Rest, Server, rest, server::ADMINISTRATOR};
use serde_json::{Value, json};

use crate::{
    factors::enrol,
    post::{Sink, there},
};

async fn stage() -> (Server, Person, Person) {
    let server =
        Server::setup().env("TEST_MODE", "false").setting("API_Enable_Rate_Limiter", "false").start().await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let member = administrator.make(&server, "member", "Mina Member").await;
    (server, administrator, member)
}

/// CVE-2023-28316: a session that somebody else holds does not outlive the second factor.
#[tokio::test]
async fn cve_2023_28316_a_second_factor_ends_the_other_sessions_of_before() {
    let (server, _, member) = stage().await;
    let stolen = Person::sign_in(&server, "member", &member.password).await;
    let mut socket = stolen.socket(&server).await;
    assert_eq!(stolen.rest.get("me", &[]).await.ok()["username"], "member");
    let _ = enrol(&server, &member).await;
    let _ = stolen.rest.get("me", &[]).await.refused(401);
    let _ = socket.until_closed().await;
    assert_eq!(member.rest.get("me", &[]).await.ok()["username"], "member", "who switched it on stays");
}

/// A code counts once, at every door, and five wrong ones close the account for a while, even to a good one.
#[tokio::test]
async fn codes_count_once_and_can_not_be_guessed() {
    let (server, _, member) = stage().await;
    let spare = enrol(&server, &member).await;
    let code = |code: &str| json!({ "user": "member", "password": member.password, "code": code });
    let login = async |body: Value| server.rest().post("login", body).await;
    let _ = login(json!({ "user": "member", "password": member.password })).await.refused(401);
    let _ = login(code(&spare[0])).await.ok();
    let used = login(code(&spare[0])).await.refused(401);
    assert_eq!(used["error"], "totp-invalid");
    let mut answers = Vec::new();
    for guess in 0..6 {
        let refused = login(code(&format!("{guess:06}"))).await.refused(401);
        answers.push(refused["error"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(answers.first().map(String::as_str), Some("totp-invalid"));
    assert_eq!(answers.last().map(String::as_str), Some("error-login-blocked-for-user"), "{answers:?}");
    let _ = login(code(&spare[1])).await.refused(401);
    let mut socket = parlor_testkit::Ddp::connect(&server).await;
    let proof = json!({ "digest": parlor_testkit::ddp::digest(&member.password), "algorithm": "sha-256" });
    let by_socket = json!({ "user": { "username": "member" }, "password": proof });
    let by_socket = json!([{ "totp": { "login": by_socket, "code": spare[1] } }]);
    let refused = socket.method("login", by_socket).await.expect_err("the same account is closed here");
    assert_eq!(refused["error"], "error-login-blocked-for-user");
}

/// RCSA-2023-0004: another address in a header is no other address, and another browser no other guesser.
#[tokio::test]
async fn guesses_at_a_password_are_counted_whatever_the_headers_say() {
    let (server, _, member) = stage().await;
    for guess in 0..10 {
        let disguised = server
            .rest()
            .header("x-forwarded-for", &format!("203.0.113.{guess}"))
            .header("user-agent", &format!("browser {guess}"));
        let _ = disguised
            .post("login", json!({ "user": "member", "password": format!("{guess}") }))
            .await
            .refused(401);
    }
    let right = json!({ "user": "member", "password": member.password });
    let blocked = server.rest().post("login", right).await.refused(401);
    assert_eq!(blocked["error"], "error-login-blocked-for-user");
}

/// The first to register administers the workspace, however many come at once.
#[tokio::test]
async fn of_all_who_register_first_one_becomes_administrator() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::setup()
        .data(folder.path())
        .env("ADMIN_USERNAME", "")
        .env("ADMIN_PASS", "")
        .env("ADMIN_EMAIL", "")
        .env("TEST_MODE", "bare")
        .start()
        .await;
    let register = |number: usize| {
        let name = format!("racer{number}");
        let body = json!({
            "username": name, "name": name, "email": format!("{name}@example.org"), "pass": format!("{name} secret 7"),
        });
        let rest = server.rest();
        async move { rest.post("users.register", body).await.status }
    };
    let made = futures_util::future::join_all((0..12).map(register)).await;
    assert!(made.iter().all(|status| *status == 200), "{made:?}");
    let mut administrators = 0;
    for number in 0..12 {
        let name = format!("racer{number}");
        let racer = Person::sign_in(&server, &name, &format!("{name} secret 7")).await;
        let roles = racer.rest.get("me", &[]).await.ok()["roles"].take();
        administrators += usize::from(roles.as_array().is_some_and(|all| all.contains(&json!("admin"))));
    }
    assert_eq!(administrators, 1);
}

/// A letter's link leads where the operator says, whatever host the request for it names.
#[tokio::test]
async fn the_link_of_a_lost_password_leads_to_this_workspace_alone() {
    if !there() {
        return;
    }
    let mut sink = Sink::open(0).await;
    let server = Server::setup()
        .env("MAIL_URL", &sink.url())
        .env("ROOT_URL", "https://chat.example.org")
        .setting("From_Email", "chat@example.org")
        .start()
        .await;
    let administrator = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
    let _ = administrator.make(&server, "member", "Mina Member").await;
    let lost = server
        .rest()
        .request(Method::POST, "users.forgotPassword")
        .header("host", "evil.example.net")
        .header("x-forwarded-host", "evil.example.net")
        .header("origin", "https://evil.example.net")
        .json(&json!({ "email": "member@example.org" }));
    let answer = rest::answer(lost).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let letter = sink.next().await;
    assert!(letter.text.contains("https://chat.example.org/reset-password/"), "{}", letter.text);
    assert!(!format!("{}{}", letter.text, letter.html).contains("evil.example.net"), "{}", letter.html);
    assert!(!answer.text().contains("reset-password"), "the link is in the letter alone");
}

/// What lets anybody in lies nowhere in the database or in a copy of it.
#[tokio::test]
async fn no_secret_lies_open_in_the_database_or_its_backup() {
    let (server, administrator, member) = stage().await;
    let mut secrets = vec![member.password.clone(), member.rest.token().expect("a token").to_owned()];
    let made = json!({ "tokenName": "scripts", "bypassTwoFactor": true });
    let made = member.rest.post("users.generatePersonalAccessToken", made).await.ok();
    secrets.push(made["token"].as_str().expect("a token").to_owned());
    secrets.extend(enrol(&server, &member).await);
    let set = async |rest: &Rest, id: &str, value: &str| {
        rest.post(&format!("settings/{id}"), json!({ "value": value })).await.expect(200);
    };
    for id in [
        "SMTP_Password",
        "LDAP_Authentication_Password",
        "Jitsi_Application_Secret",
        "Accounts_OAuth_Google_secret",
    ] {
        let secret = format!("canary of {id}");
        set(&administrator.rest, id, &secret).await;
        secrets.push(secret);
    }
    let hook = json!({
        "type": "webhook-outgoing", "name": "x", "enabled": true, "username": ADMINISTRATOR.0, "event": "sendMessage",
        "urls": ["https://app.example.org/hook"], "channel": "#general", "scriptEnabled": false, "token": "canary of a hook",
    });
    administrator.rest.post("integrations.create", hook).await.expect(200);
    secrets.push("canary of a hook".to_owned());
    let copy = server.data().join("copy");
    crate::commands::typed(server.data(), &["backup", copy.to_str().expect("a path")], "").await.ok(&[]);
    let (mut seen, open) = (0, b"member@example.org");
    let mut folders = vec![server.data().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("it is read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).expect("it is read");
            seen += usize::from(bytes.windows(open.len()).any(|part| part == open));
            for secret in &secrets {
                let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
                assert!(!found, "{secret} lies in {}", path.display());
            }
        }
    }
    assert!(seen >= 2, "what is no secret is found in the database and its copy: {seen}");
    let log = server.logs();
    assert!(secrets.iter().all(|secret| !log.contains(secret.as_str())), "{log}");
}

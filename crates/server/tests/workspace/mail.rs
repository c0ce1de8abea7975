//! Letters, as a real mail server gets them.

use parlor_testkit::{Cast, Person, Server, rest};
use serde_json::{Value, json};

use crate::post::{Sink, there};

/// A server that sends its mail to a sink; calls are counted and second factors asked for as in earnest.
async fn stage(refuse: u32) -> Option<(Server, Cast, Sink)> {
    if !there() {
        return None;
    }
    let sink = Sink::open(refuse).await;
    let server = Server::setup()
        .env("MAIL_URL", &sink.url())
        .env("TEST_MODE", "false")
        .setting("From_Email", "Parlor <chat@example.org>")
        .setting("API_Enable_Rate_Limiter", "false")
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    Some((server, cast, sink))
}

fn token(link: &str) -> String {
    link.rsplit('/').next().unwrap_or_default().to_owned()
}

async fn anonymous(server: &Server, method: &str, params: Value) -> Result<Value, Value> {
    let message = json!({"msg": "method", "id": "1", "method": method, "params": params}).to_string();
    let answer =
        server.rest().post(&format!("method.callAnon/{method}"), json!({ "message": message })).await.ok();
    let mut frame: Value = serde_json::from_str(answer["message"].as_str().expect("text")).expect("JSON");
    if frame["error"].is_null() { Ok(frame["result"].take()) } else { Err(frame["error"].take()) }
}

#[tokio::test]
async fn an_administrator_tries_mail_out_and_others_may_not() {
    let Some((_server, cast, mut sink)) = stage(0).await else { return };
    cast.member.rest.method("sendSMTPTestEmail", json!([])).await.expect_err("not everybody's");
    let sent = cast.administrator.rest.method("sendSMTPTestEmail", json!([])).await.expect("it works");
    assert_eq!(sent["message"], "Your_mail_was_sent_to_s");
    let letter = sink.next().await;
    assert_eq!(letter.to, "administrator@example.org");
    assert!(letter.headers.contains("From: Parlor <chat@example.org>"), "{}", letter.headers);
    let checked = cast.administrator.rest.get("smtp.check", &[]).await.ok();
    assert_eq!(checked["isSMTPConfigured"], true);
    let nowhere = json!({ "value": "127.0.0.1" });
    let _ = cast.administrator.rest.post("settings/SMTP_Host", nowhere).await.ok();
    let _ = cast.administrator.rest.post("settings/SMTP_Port", json!({ "value": "1" })).await.ok();
    let refused = cast.administrator.rest.method("sendSMTPTestEmail", json!([])).await;
    assert_eq!(refused.expect_err("nobody listens there")["error"], "error-email-send-failed");
}

#[tokio::test]
async fn a_lost_password_is_renewed_once_ends_all_sessions_and_nobody_learns_who_is_here() {
    let Some((server, cast, mut sink)) = stage(1).await else { return };
    let ask =
        async |address: &str| server.rest().post("users.forgotPassword", json!({ "email": address })).await;
    let known = ask("member@example.org").await;
    let unknown = ask("nobody@example.org").await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    // The mail server put the letter off at first: it is sent again.
    let letter = sink.next().await;
    assert_eq!(letter.to, "member@example.org");
    assert!(letter.text.contains("Hello Mina Member,") && letter.html.contains("<a href="));
    let token = token(&letter.link("http"));
    assert!(letter.link("http").contains("/reset-password/"));
    anonymous(&server, "resetPassword", json!(["guess", "correct horse 7"])).await.expect_err("a guess");
    anonymous(&server, "resetPassword", json!([token, " "])).await.expect_err("a blank password");
    let renewed =
        anonymous(&server, "resetPassword", json!([token, "correct horse 7"])).await.expect("it is good");
    let in_by_it = server.rest().signed_in(&cast.member.id, renewed["token"].as_str().expect("a token"));
    let _ = in_by_it.get("me", &[]).await.ok();
    let _ = cast.member.rest.get("me", &[]).await.refused(401);
    let again = anonymous(&server, "resetPassword", json!([token, "another horse 7"])).await;
    assert_eq!(again.expect_err("it was good once")["reason"], "Token expired");
    Person::sign_in(&server, "member", "correct horse 7").await;
    // Whoever asks again and again gets three letters and no more; nobody's address got any.
    for _ in 0..5 {
        let _ = ask("owner@example.org").await.ok();
    }
    for _ in 0..3 {
        assert_eq!(sink.next().await.to, "owner@example.org");
    }
    let _ = cast.administrator.rest.method("sendSMTPTestEmail", json!([])).await;
    assert_eq!(sink.next().await.to, "administrator@example.org");
    assert_eq!(sink.unread(), 0);
}

#[tokio::test]
async fn an_address_is_proved_by_its_letter_in_the_readers_language_before_the_first_login() {
    let Some((server, cast, mut sink)) = stage(0).await else { return };
    let set = json!({ "value": true });
    let _ = cast.administrator.rest.post("settings/Accounts_EmailVerification", set).await.ok();
    let french = json!({ "value": "fr" });
    let _ = cast.administrator.rest.post("settings/Language", french).await.ok();
    let account =
        json!({ "username": "nina", "email": "nina@example.org", "pass": "correct horse 7", "name": "Nina" });
    let _ = server.rest().post("users.register", account).await.ok();
    let login = json!({ "user": "nina", "password": "correct horse 7" });
    let refused = server.rest().post("login", login.clone()).await.refused(401);
    assert_eq!(refused["error"], "error-invalid-email", "{refused}");
    let letter = sink.next().await;
    assert!(letter.text.contains("Bonjour Nina,"), "{}", letter.text);
    let token = token(&letter.link("http"));
    let verify = async |token: &str| server.rest().post("users.verifyEmail", json!({ "token": token })).await;
    let _ = verify("guess").await.refused(400);
    let _ = verify(&token).await.ok();
    let _ = verify(&token).await.refused(400);
    let _ = server.rest().post("login", login).await.ok();
    let mine = json!({ "email": "member@example.org" });
    let _ = cast.member.rest.post("users.sendConfirmationEmail", mine.clone()).await.ok();
    assert_eq!(sink.next().await.to, "member@example.org");
    let _ = cast.owner.rest.post("users.sendConfirmationEmail", mine).await.refused(400);
}

#[tokio::test]
async fn invitations_go_to_addresses_alone_and_nobody_writes_headers_by_them() {
    let Some((_server, cast, mut sink)) = stage(0).await else { return };
    let evil = "a@example.org\r\nBcc: everybody@example.org";
    let emails = json!({ "emails": [evil, "friend@example.org", "nonsense"] });
    let _ = cast.member.rest.post("sendInvitationEmail", emails.clone()).await.refused(403);
    let _ = cast.administrator.rest.post("sendInvitationEmail", emails).await.ok();
    let letter = sink.next().await;
    assert_eq!(letter.to, "friend@example.org");
    let none = json!({ "emails": [evil] });
    let _ = cast.administrator.rest.post("sendInvitationEmail", none).await.refused(400);
    let _ = cast.administrator.rest.method("sendSMTPTestEmail", json!([])).await;
    assert_eq!(sink.next().await.to, "administrator@example.org");
}

#[tokio::test]
async fn a_code_by_mail_is_the_second_factor_of_whoever_wants_it() {
    let Some((server, cast, mut sink)) = stage(0).await else { return };
    let password = parlor_testkit::ddp::digest;
    let proved = cast
        .member
        .rest
        .header("x-2fa-code", &password(&cast.member.password))
        .header("x-2fa-method", "password");
    let _ = cast.member.rest.post("users.2fa.enableEmail", json!({})).await.refused(400);
    let elsewhere = Person::sign_in(&server, "member", &cast.member.password).await;
    let mut socket = elsewhere.socket(&server).await;
    let _ = proved.post("users.2fa.enableEmail", json!({})).await.ok();
    // Other devices came in without a code: they come in again.
    let _ = elsewhere.rest.get("me", &[]).await.refused(401);
    socket.until_closed().await;
    let me = cast.member.rest.get("me", &[]).await.ok();
    assert_eq!(me["services"]["email2fa"]["enabled"], true, "{me}");
    let devices = cast.member.rest.get("sessions/list", &[]).await.ok();
    let device = &devices["sessions"][0];
    assert!(device["lastActivityAt"].as_str() >= device["loginAt"].as_str(), "{device}");
    let login = |code: &str| {
        let mut form = json!({ "user": "member", "password": cast.member.password });
        if !code.is_empty() {
            form["code"] = code.into();
        }
        form
    };
    let asked = server.rest().post("login", login("")).await.refused(401);
    assert_eq!((&asked["error"], &asked["details"]["method"]), (&json!("totp-required"), &json!("email")));
    assert_eq!(
        (&asked["details"]["codeGenerated"], &asked["details"]["codeCount"]),
        (&json!(true), &json!(1))
    );
    let letter = sink.next().await;
    let code = letter.text.lines().find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit()));
    let code = code.unwrap_or_else(|| panic!("a code in {}", letter.text)).to_owned();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let refused = server.rest().post("login", login(wrong)).await.refused(401);
    assert_eq!(refused["error"], "totp-invalid");
    let came = server.rest().post("login", login(&code)).await.ok();
    let used = server.rest().post("login", login(&code)).await.refused(401);
    assert_eq!(used["error"], "totp-invalid");
    let ask = |name: &str| json!({ "emailOrUsername": name });
    let known = server.rest().post("users.2fa.sendEmailCode", ask("member")).await;
    let unknown = server.rest().post("users.2fa.sendEmailCode", ask("nobody")).await;
    assert_eq!(known.body, unknown.body);
    let letter = sink.next().await;
    // Made an administrator, she is asked for a code before she changes the server: the one that is on its way will do.
    let role = json!({ "roleId": "admin", "username": "member" });
    let _ = cast.administrator.rest.post("roles.addUserToRole", role).await.ok();
    let text = |key: &str| came["data"][key].as_str().expect("a text").to_owned();
    let rest = server.rest().signed_in(&text("userId"), &text("authToken"));
    let asked = rest.post("settings/Site_Name", json!({ "value": "Ours" })).await.refused(400);
    assert_eq!(
        (&asked["errorType"], &asked["details"]["method"]),
        (&json!("totp-required"), &json!("email"))
    );
    assert_eq!(asked["details"]["availableMethods"], json!(["email"]));
    let code = letter.text.lines().find(|line| line.len() == 6 && line.bytes().all(|b| b.is_ascii_digit()));
    let proved = rest.header("x-2fa-code", code.expect("a code")).header("x-2fa-method", "email");
    let _ = proved.post("settings/Site_Name", json!({ "value": "Ours" })).await.ok();
}

#[tokio::test]
async fn who_is_not_there_gets_a_letter_until_one_click_ends_it() {
    let Some((server, cast, mut sink)) = stage(0).await else { return };
    let room = cast.owner.group("plans", &[&cast.member, &cast.outsider]).await;
    let evil = "@member see <b>this</b> & that";
    cast.owner.say(&room, "not for letters").await;
    cast.owner.say(&room, evil).await;
    let letter = sink.next().await;
    assert_eq!(letter.to, "member@example.org");
    assert!(letter.text.contains(evil) && !letter.text.contains("not for letters"), "{}", letter.text);
    assert!(letter.html.contains("&lt;b&gt;this&lt;/b&gt;"), "{}", letter.html);
    let headers = letter.headers.replace("\n ", " ").replace("\n\t", " ");
    assert!(headers.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click"), "{headers}");
    let begin = headers.find("List-Unsubscribe: <").expect("a way out") + "List-Unsubscribe: <".len();
    let link = headers[begin..].split('>').next().unwrap_or_default().replace(' ', "");
    let path = format!("/{}", link.splitn(4, '/').nth(3).unwrap_or_default());
    let asked = server.rest().get(&path, &[]).await;
    assert!(asked.status == 200 && asked.text().contains("<form"), "looking is not leaving");
    cast.owner.say(&room, "@member once more").await;
    assert!(sink.next().await.text.contains("once more"));
    let click = |path: &str| {
        server.rest().request(axum::http::Method::POST, path).form(&[("List-Unsubscribe", "One-Click")])
    };
    assert_eq!(rest::answer(click("/api/v1/mail.unsubscribe?t=guess")).await.status, 400);
    assert_eq!(rest::answer(click(&path)).await.status, 200);
    cast.owner.say(&room, "@member in vain").await;
    cast.owner.say(&room, "@outsider hello").await;
    assert_eq!(sink.next().await.to, "outsider@example.org");
    let again = json!({ "data": { "emailNotificationMode": "mentions" } });
    let _ = cast.member.rest.post("users.setPreferences", again).await.ok();
    cast.owner.say(&room, "@member welcome back").await;
    assert!(sink.next().await.text.contains("welcome back"));
}

/// Whoever wants letters gathered gets one with all that was for him and is unread, when its hour has come.
#[tokio::test]
async fn letters_that_are_gathered_come_as_one_with_what_was_not_read_meanwhile() {
    let Some((mut server, cast, mut sink)) = stage(0).await else { return };
    let wanted = json!({ "data": { "emailDigest": "daily" } });
    let _ = cast.member.rest.post("users.setPreferences", wanted).await.ok();
    let wrong = json!({ "data": { "emailDigest": "each minute" } });
    let _ = cast.member.rest.post("users.setPreferences", wrong).await.refused(400);
    let room = cast.owner.group("plans", &[&cast.member, &cast.outsider]).await;
    let read = cast.owner.group("read", &[&cast.member]).await;
    cast.owner.say(&read, "@member this was read in time").await;
    for words in ["@member first", "@member second", "@outsider at once"] {
        cast.owner.say(&room, words).await;
    }
    assert_eq!(sink.next().await.to, "outsider@example.org", "nothing came for those who gather");
    let _ = cast.member.rest.post("subscriptions.read", json!({ "rid": read })).await.ok();
    server.stop().await;
    {
        // A day goes by.
        let database = rusqlite::Connection::open(server.data().join("parlor.sqlite")).expect("a database");
        let day = "UPDATE deliveries SET due_at = due_at - 86400000, created_at = created_at - 72000000,
                   updated_at = updated_at - 72000000 WHERE way = 1 AND state = 0";
        assert!(database.execute(day, []).expect("it is changed") > 0, "a letter waits");
    }
    server.restart().await;
    let letter = sink.next().await;
    assert_eq!(letter.to, "member@example.org");
    for words in ["@member first", "@member second"] {
        assert!(letter.text.contains(words) && letter.html.contains(words), "{words} in {}", letter.text);
    }
    assert!(!letter.text.contains("read in time") && !letter.text.contains("at once"), "{}", letter.text);
    assert!(letter.headers.contains("List-Unsubscribe-Post"), "{}", letter.headers);
}

#[tokio::test]
async fn letters_go_over_tls_by_either_way_with_a_password_and_only_to_a_server_that_proves_itself() {
    if !there() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path is text").to_owned();
    let pair = |name: &str| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(path(&format!("{name}.pem")), made.cert.pem()).expect("a file");
        std::fs::write(path(&format!("{name}.key")), made.signing_key.serialize_pem()).expect("a file");
    };
    pair("known");
    pair("strange");
    let files = |name: &str| (path(&format!("{name}.pem")), path(&format!("{name}.key")));
    let open = async |way: &str, name: &str| {
        let (certificate, key) = files(name);
        Sink::open_with(&["--tls", way, "--certificate", &certificate, "--key", &key]).await
    };
    let (mut plain, mut plain_strange, mut wrapped, mut wrapped_strange) = tokio::join!(
        open("starttls", "known"),
        open("starttls", "strange"),
        open("smtps", "known"),
        open("smtps", "strange"),
    );
    let server = Server::setup()
        .env("MAIL_URL", &format!("smtp://ann:secret%20p%3Aw@localhost:{}", plain.port))
        .env("SSL_CERT_FILE", &path("known.pem"))
        .setting("From_Email", "Parlor <chat@example.org>")
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    let admin = &cast.administrator.rest;
    let set = async |id: &str, value: &str| {
        let _ = admin.post(&format!("settings/{id}"), json!({ "value": value })).await.ok();
    };
    for (way, known, strange) in
        [("smtp", &mut plain, &mut plain_strange), ("smtps", &mut wrapped, &mut wrapped_strange)]
    {
        set("SMTP_Protocol", way).await;
        set("SMTP_Port", &known.port.to_string()).await;
        set("SMTP_Password", "secret p:w").await;
        let test = async || admin.method("sendSMTPTestEmail", json!([])).await;
        test().await.expect("it is sent");
        let letter = known.next().await;
        assert!(letter.encrypted && letter.to == "administrator@example.org", "{way}");
        // A server whose certificate nobody vouches for gets neither the password nor the letter.
        set("SMTP_Port", &strange.port.to_string()).await;
        assert_eq!(test().await.expect_err("a stranger")["error"], "error-email-send-failed");
        set("SMTP_Port", &known.port.to_string()).await;
        set("SMTP_Password", "wrong").await;
        assert_eq!(test().await.expect_err("a wrong password")["error"], "error-email-send-failed");
        assert_eq!((known.unread(), strange.unread()), (0, 0), "{way}");
        assert!(!server.logs().contains("secret p:w"));
    }
}

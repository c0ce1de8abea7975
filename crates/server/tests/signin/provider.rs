//! Parlor as an OAuth 2 provider, asked by `requests-oauthlib`, and how it refuses.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use parlor_testkit::{Cast, Rest, Server, binary, needs, wait};
use reqwest::Method;
use serde_json::{Value, json};

const BACK: &str = "https://app.example.org/back?from=parlor";

fn python() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("clients-python")
}

fn installed() -> bool {
    let there = std::fs::read_dir(python().join("lib")).into_iter().flatten().flatten();
    let found = there.map(|p| p.path().join("site-packages/requests_oauthlib")).any(|path| path.exists());
    needs::met("clients", if found { Ok(()) } else { Err("requests-oauthlib is not installed".to_owned()) })
}

struct World {
    server: Server,
    cast: Cast,
    app: Value,
}

impl World {
    async fn start() -> Self {
        let server = Server::start().await;
        let cast = Cast::assemble(&server).await;
        let wanted = json!({ "name": "Timer <b>", "redirectUri": BACK, "active": true });
        let _ = cast.owner.rest.post("oauth-apps.create", wanted.clone()).await.refused(403);
        let app = cast.administrator.rest.post("oauth-apps.create", wanted).await.ok()["application"].take();
        Self { server, cast, app }
    }

    fn text(&self, key: &str) -> &str {
        self.app[key].as_str().expect("it is text")
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> parlor_testkit::Answer {
        parlor_testkit::rest::answer(self.server.rest().request(Method::POST, path).form(fields)).await
    }

    /// What comes back when somebody allows it.
    async fn code(&self, token: &str) -> String {
        let fields = [
            ("client_id", self.text("clientId")),
            ("response_type", "code"),
            ("redirect_uri", BACK),
            ("allow", "yes"),
            ("state", "s t"),
            ("token", token),
        ];
        let answer = self.form("/oauth/authorize", &fields).await;
        assert_eq!(answer.status, 302, "{}", answer.text());
        let to = answer.headers["location"].to_str().expect("an address").to_owned();
        assert!(to.ends_with("&state=s%20t"), "{to}");
        let code = to.strip_prefix(&format!("{BACK}&code=")).expect("a code").split('&').next();
        code.expect("a code").replace("%2D", "-").replace("%5F", "_")
    }

    async fn exchange(&self, code: &str, others: &[(&str, &str)]) -> parlor_testkit::Answer {
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("client_id", self.text("clientId")),
            ("client_secret", self.text("clientSecret")),
        ];
        for (name, value) in others {
            fields.retain(|(known, _)| known != name);
            fields.push((name, value));
        }
        self.form("/oauth/token", &fields).await
    }
}

fn bearing(server: &Server, token: &Value) -> Rest {
    server.rest().header("authorization", &format!("Bearer {}", token.as_str().expect("a token")))
}

#[tokio::test]
async fn an_application_gets_access_by_a_real_client_and_loses_it_with_the_application() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let owner = &world.cast.owner;
    let done = tokio::process::Command::new(python().join("bin/python"))
        .arg(binary::root().join("tests/clients/python/oauth_client.py"))
        .args([&world.server.url(), world.text("clientId"), world.text("clientSecret"), BACK])
        .arg(owner.rest.token().expect("signed in"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null())
        .output();
    let done = wait::within("the application", done).await.expect("it runs");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let seen: Value = serde_json::from_slice(&done.stdout).expect("it is JSON");
    assert_eq!((&seen["sub"], &seen["me"]), (&json!(owner.id), &json!(owner.id)));
    assert_eq!((&seen["old"], &seen["new"]), (&json!(401), &json!(200)));
    // Access that ends must not make itself something that does not.
    let app = bearing(&world.server, &seen["access_token"]);
    let _ =
        app.post("users.generatePersonalAccessToken", json!({ "tokenName": "for ever" })).await.refused(400);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", seen["refresh_token"].as_str().expect("a token")),
        ("client_id", world.text("clientId")),
        ("client_secret", world.text("clientSecret")),
    ];
    let gone = json!({ "appId": world.text("_id") });
    let _ = owner.rest.post("oauth-apps.delete", gone.clone()).await.refused(403);
    assert_eq!(world.cast.administrator.rest.post("oauth-apps.delete", gone.clone()).await.ok(), json!(true));
    let _ = app.get("me", &[]).await.refused(401);
    let _ = world.form("/oauth/token", &fields).await.refused(401);
    let _ = world.cast.administrator.rest.post("oauth-apps.delete", gone).await.refused(400);
}

#[tokio::test]
async fn codes_work_once_for_their_application_address_and_verifier() {
    let world = World::start().await;
    let login = world.cast.owner.rest.token().expect("signed in").to_owned();
    let code = world.code(&login).await;
    for (wrong, status) in [
        ([("redirect_uri", "https://app.example.org/back")], 400),
        ([("client_secret", "guess")], 401),
        ([("client_id", "guess")], 401),
        ([("code", "guess")], 400),
        ([("code_verifier", "a verifier that nobody announced before it")], 400),
        ([("grant_type", "password")], 400),
    ] {
        let answer = world.exchange(&code, &wrong).await;
        assert_eq!(answer.status, status, "{wrong:?} {}", answer.text());
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
    }
    let granted = world.exchange(&code, &[]).await.ok();
    assert_eq!(granted["token_type"], "Bearer");
    let _ = bearing(&world.server, &granted["access_token"]).get("me", &[]).await.ok();
    // A code that is shown twice was stolen by somebody: what it brought is void.
    let _ = world.exchange(&code, &[]).await.refused(400);
    let _ = bearing(&world.server, &granted["access_token"]).get("me", &[]).await.refused(401);
    // A new password ends what was granted before it.
    let granted = world.exchange(&world.code(&login).await, &[]).await.ok();
    let change = json!({ "userId": world.cast.owner.id, "data": { "password": "another secret 9" } });
    let _ = world.cast.administrator.rest.post("users.update", change).await.ok();
    let _ = bearing(&world.server, &granted["access_token"]).get("me", &[]).await.refused(401);
    let fields = [
        ("grant_type", "refresh_token"),
        ("refresh_token", granted["refresh_token"].as_str().expect("a token")),
        ("client_id", world.text("clientId")),
        ("client_secret", world.text("clientSecret")),
    ];
    let _ = world.form("/oauth/token", &fields).await.refused(400);
}

#[tokio::test]
async fn nobody_is_asked_or_sent_away_for_an_application_that_is_not_as_it_says() {
    let world = World::start().await;
    let rest = world.server.rest();
    let client = world.text("clientId");
    let good = [("client_id", client), ("response_type", "code"), ("redirect_uri", BACK)];
    let page = rest.get("/oauth/authorize", &good).await;
    assert!(page.status == 200 && page.text().contains("Timer &lt;b&gt;"), "{}", page.text());
    for (change, status) in [
        (("client_id", "none"), 404),
        (("redirect_uri", "https://app.example.org/back"), 400),
        (("redirect_uri", "https://evil.example/"), 400),
        // These are told to the application itself.
        (("response_type", "token"), 302),
        (("code_challenge", "plain"), 302),
    ] {
        let mut query = good.to_vec();
        query.retain(|(name, _)| *name != change.0);
        query.push(change);
        let answer = rest.get("/oauth/authorize", &query).await;
        assert_eq!(answer.status, status, "{change:?}");
        let to = answer.headers.get("location").and_then(|to| to.to_str().ok()).unwrap_or(BACK);
        assert!(to.starts_with(BACK), "{to}");
    }
    // Somebody who says no, nobody, and an application that would grant itself more.
    let login = world.cast.owner.rest.token().expect("signed in").to_owned();
    let mut fields = good.to_vec();
    fields.push(("token", &login));
    let denied = world.form("/oauth/authorize", &fields).await;
    assert_eq!(denied.headers["location"], format!("{BACK}&error=access_denied"));
    fields.push(("allow", "yes"));
    fields.retain(|(name, _)| *name != "token");
    assert_eq!(world.form("/oauth/authorize", &fields).await.status, 401);
    let granted = world.exchange(&world.code(&login).await, &[]).await.ok();
    fields.push(("token", granted["access_token"].as_str().expect("a token")));
    assert_eq!(world.form("/oauth/authorize", &fields).await.status, 401);
    // Secrets are told once; an application that is switched off has nothing left.
    let admin = &world.cast.administrator.rest;
    let listed = admin.get("oauth-apps.list", &[]).await.ok().to_string();
    assert!(listed.contains(client) && !listed.contains(world.text("clientSecret")), "{listed}");
    let off = json!({ "appId": world.text("_id"), "name": "Timer", "redirectUri": BACK, "active": false });
    let _ = admin.post("oauth-apps.update", off).await.ok();
    let _ = bearing(&world.server, &granted["access_token"]).get("me", &[]).await.refused(401);
    for bad in ["javascript:alert(1)", "/back", "https://a.example/#x"] {
        let wanted = json!({ "name": "Bad", "redirectUri": bad, "active": true });
        let _ = admin.post("oauth-apps.create", wanted).await.refused(400);
    }
}

#[tokio::test]
async fn administrators_see_and_end_the_devices_of_others() {
    let world = World::start().await;
    let admin = &world.cast.administrator.rest;
    let _ = world.cast.owner.rest.get("sessions/list.all", &[]).await.refused(403);
    let all = admin.get("sessions/list.all", &[]).await.ok();
    let listed = all["sessions"].as_array().expect("a list");
    let its =
        listed.iter().find(|s| s["userId"] == json!(world.cast.member.id)).expect("the member's device");
    assert_eq!(its["_user"]["username"], "member");
    let id = its["sessionId"].as_str().expect("an id");
    let _ = admin.get("sessions/info.admin", &[("sessionId", id)]).await.ok();
    let end = json!({ "sessionId": id });
    let _ = world.cast.owner.rest.post("sessions/logout", end.clone()).await.refused(403);
    let _ = admin.post("sessions/logout", end.clone()).await.ok();
    let _ = world.cast.member.rest.get("me", &[]).await.refused(401);
    let _ = admin.post("sessions/logout", end).await.refused(400);
}

//! S1-54: signing in by an OpenID provider (npm's `oidc-provider`), the way a browser goes, and how it is refused.

use std::path::PathBuf;
use std::process::Stdio;

use parlor_testkit::rest::Rest;
use parlor_testkit::{Cast, Ddp, Server, binary, needs, wait};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::browser::{Browser, Page, form_action};

const SETTING: &str = "Accounts_OAuth_Custom-Acme";
/// A client's own token, as long as Rocket.Chat's.
const TOKEN: &str = "pZ8x0QGk1mJ7uYh5RrT3eWqAsDfGhJkLzXcVbNmQwEr";

fn node() -> PathBuf {
    binary::root().join("tests/clients/node")
}

fn installed() -> bool {
    let found = node().join("node_modules/oidc-provider/package.json").exists();
    needs::met("clients", if found { Ok(()) } else { Err("the Node clients are not installed".to_owned()) })
}

/// A running provider that knows one client, and Parlor set up as it.
struct World {
    server: Server,
    cast: Cast,
    issuer: String,
    _provider: Child,
}

impl World {
    async fn start() -> Self {
        let server = Server::setup().setting("SSRF_Allowlist", "127.0.0.1").start().await;
        let cast = Cast::assemble(&server).await;
        let clients = json!([{
            "client_id": "parlor", "client_secret": "only for tests", "scope": "openid email profile",
            "redirect_uris": [format!("{}/_oauth/acme", server.url())], "grant_types": ["authorization_code"],
        }]);
        let person = |name: &str, verified: bool, roles: Value| {
            json!({
                "email": format!("{name}@example.org"), "email_verified": verified, "name": format!("The {name}"),
                "preferred_username": name, "roles": roles,
            })
        };
        let accounts = json!({
            "ann": person("ann", true, json!(["guest", "admin", "unheard"])), "member": person("member", true, json!([])),
            "bob": person("owner", false, json!([])), "deactivated": person("deactivated", true, json!([])),
            "administrator": { "email": "else@example.org", "email_verified": true,
                "preferred_username": "administrator" },
        });
        let mut provider = Command::new("node")
            .arg(node().join("oidc-issuer.mjs"))
            .args([clients.to_string(), accounts.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let mut lines = BufReader::new(provider.stdout.take().expect("it was asked for")).lines();
        let line = wait::within("the provider's address", lines.next_line()).await;
        let issuer = line.expect("it is read").expect("it is told");
        let world = Self { server, cast, issuer, _provider: provider };
        let add = json!({ "name": "acme" });
        let _ = world.cast.owner.rest.post("settings.addCustomOAuth", add.clone()).await.refused(403);
        let _ = world.cast.administrator.rest.post("settings.addCustomOAuth", add).await.ok();
        for (part, value) in [
            ("-issuer", json!(world.issuer)),
            ("-id", json!("parlor")),
            ("-secret", json!("only for tests")),
            ("-button_label_text", json!("Sign in by Acme")),
            ("", json!(true)),
        ] {
            world.set(&format!("{SETTING}{part}"), value).await;
        }
        world
    }

    async fn set(&self, id: &str, value: Value) {
        let admin = &self.cast.administrator.rest;
        let _ = admin.post(&format!("settings/{id}"), json!({ "value": value })).await.ok();
    }

    fn rest(&self) -> Rest {
        self.server.rest()
    }

    fn begin(&self, state: &Value) -> Url {
        use base64::Engine as _;
        let state = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(state.to_string());
        let url = format!("{}/_oauth/acme/authorize?client_id=parlor&state={state}", self.server.url());
        Url::parse(&url).expect("an address")
    }

    /// Goes to the provider, is whoever it is there, agrees, and stops before coming back.
    async fn at_provider(&self, browser: &mut Browser, url: Url, name: &str) -> Url {
        let stop = format!("{}/_oauth/acme", self.server.url());
        let login = browser.get(url).await;
        let login = browser.follow(login, &stop).await;
        let entered = [("prompt", "login"), ("login", name), ("password", "any")];
        let consent = browser.post(form_action(&login), &entered).await;
        let consent = browser.follow(consent, &stop).await;
        let agreed = browser.post(form_action(&consent), &[("prompt", "consent")]).await;
        browser.follow(agreed, &stop).await.to.expect("the way back")
    }

    async fn go(&self, browser: &mut Browser, name: &str) -> Page {
        let out = browser.get(self.begin(&popup())).await;
        let back = self.at_provider(browser, out.to.expect("the way out"), name).await;
        browser.get(back).await
    }

    /// The whole way for a fresh browser: the credential.
    async fn credential(&self, name: &str) -> Value {
        let page = self.go(&mut Browser::new(), name).await;
        let config = config(&page);
        json!({ "credentialToken": config["credentialToken"], "credentialSecret": config["credentialSecret"] })
    }

    async fn sign_in(&self, name: &str) -> parlor_testkit::rest::Answer {
        let credential = self.credential(name).await;
        self.rest().post("login", json!({ "oauth": credential })).await
    }
}

fn popup() -> Value {
    json!({ "credentialToken": TOKEN, "loginStyle": "popup" })
}

fn config(page: &Page) -> Value {
    let (_, rest) = page.text.split_once("id=\"config\">").unwrap_or_else(|| panic!("{}", page.text));
    serde_json::from_str(rest.split_once("</script>").expect("it ends").0).expect("it is JSON")
}

#[tokio::test]
async fn a_browser_goes_out_and_comes_back_with_a_credential_that_signs_in_once() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let listed = world.rest().get("settings.oauth", &[]).await.ok();
    let service = &listed["services"][0];
    assert_eq!((&service["service"], &service["custom"]), (&json!("acme"), &json!(true)), "{listed}");
    assert!(!listed.to_string().contains("only for tests"), "{listed}");
    let credential = world.credential("ann").await;
    let wrong = json!({ "oauth": { "credentialToken": TOKEN, "credentialSecret": TOKEN } });
    let _ = world.rest().post("login", wrong).await.refused(401);
    let login = json!({ "oauth": credential });
    let me = world.rest().post("login", login.clone()).await.ok()["data"]["me"].take();
    assert_eq!((&me["username"], &me["name"]), (&json!("ann"), &json!("The ann")));
    assert_eq!(me["emails"], json!([{ "address": "ann@example.org", "verified": true }]));
    // Roles are not taken from a provider unless the settings say so.
    assert_eq!(me["roles"], json!(["user"]));
    let _ = world.rest().post("login", login).await.refused(401);
    // The same person again, over DDP, is the same account.
    let again = world.credential("ann").await;
    let mut socket = Ddp::connect(&world.server).await;
    let result = socket.method("login", json!([{ "oauth": again }])).await.expect("a session");
    assert_eq!(result["id"], me["_id"]);
    assert!(socket.method("login", json!([{ "oauth": again }])).await.is_err());
}

#[tokio::test]
async fn wrong_states_replayed_codes_other_nonces_and_other_browsers_are_refused() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let mut browser = Browser::new();
    let out = browser.get(world.begin(&popup())).await.to.expect("the way out");
    let pairs: Vec<(String, String)> = out.query_pairs().into_owned().collect();
    assert!(
        ["nonce", "code_challenge", "state"].iter().all(|key| pairs.iter().any(|(k, _)| k == key)),
        "{out}"
    );
    let changed = |url: &Url, key: &str| {
        let mut other = url.clone();
        let pairs = url.query_pairs().map(|(k, v)| if k == key { (k, TOKEN.into()) } else { (k, v) });
        other.query_pairs_mut().clear().extend_pairs(pairs);
        other
    };
    // Another nonce than the one that was noted.
    let back = world.at_provider(&mut Browser::new(), changed(&out, "nonce"), "ann").await;
    assert_eq!(browser.get(back).await.status, 403);
    // Another challenge: the provider says no to the code.
    let out = browser.get(world.begin(&popup())).await.to.expect("the way out");
    let back = world.at_provider(&mut Browser::new(), changed(&out, "code_challenge"), "ann").await;
    assert_eq!(browser.get(back).await.status, 403);
    let out = browser.get(world.begin(&popup())).await.to.expect("the way out");
    let back = world.at_provider(&mut Browser::new(), out, "ann").await;
    assert_eq!(browser.get(changed(&back, "state")).await.status, 403);
    assert_eq!(browser.get(changed(&back, "code")).await.status, 403);
    // Somebody else's browser has no note of it.
    assert_eq!(Browser::new().get(back.clone()).await.status, 403);
    // That of this browser is used up by the first wrong answer or the right one.
    let mut browser = Browser::new();
    let out = browser.get(world.begin(&popup())).await.to.expect("the way out");
    let back = world.at_provider(&mut browser, out, "ann").await;
    assert_eq!(browser.get(back.clone()).await.status, 200);
    assert_eq!(browser.get(back).await.status, 403);
    // Addresses that lead elsewhere, and tokens that anybody could guess.
    for state in [
        json!({ "credentialToken": TOKEN, "loginStyle": "redirect", "redirectUrl": "https://evil.example/" }),
        json!({ "credentialToken": "short", "loginStyle": "popup" }),
        json!({ "loginStyle": "popup" }),
    ] {
        assert_eq!(browser.get(world.begin(&state)).await.status, 400, "{state}");
    }
    let nobody =
        Url::parse(&format!("{}/_oauth/none?code=x&state=y", world.server.url())).expect("an address");
    assert_eq!(browser.get(nobody).await.status, 403);
}

#[tokio::test]
async fn accounts_are_linked_only_as_the_rules_say_and_never_taken_over() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    // Somebody has this address and a password; nothing leads to that account without being asked.
    let refused = world.sign_in("member").await.refused(403);
    assert_eq!(refused["errorType"], "error-account-exists", "{refused}");
    world.set(&format!("{SETTING}-merge_users"), json!(true)).await;
    let _ = world.sign_in("member").await.refused(403);
    // An address that the provider did not prove leads nowhere, whatever the rule.
    world.set("Accounts_OAuth_Merge_Users_With_Password", json!(true)).await;
    let _ = world.sign_in("bob").await.refused(403);
    let me = world.sign_in("member").await.ok()["data"]["me"].take();
    assert_eq!(me["_id"], json!(world.cast.member.id));
    // Whoever is switched off stays so.
    let _ = world.sign_in("deactivated").await.refused(401);
    // A name that is taken, or reserved, is not given twice.
    let other = world.sign_in("administrator").await.ok()["data"]["me"].take();
    assert_ne!(other["username"], "administrator");
    assert_ne!(other["_id"], json!(world.cast.administrator.id));
    // Holders link by themselves, by a credential that they bring while they are signed in.
    let owner = &world.cast.owner.rest;
    let link = world.credential("ann").await;
    let _ = owner.post("users.linkService", link.clone()).await.ok();
    assert_eq!(owner.get("users.linkedServices", &[]).await.ok()["services"], json!(["acme"]));
    let _ = owner.post("users.linkService", link).await.refused(400);
    let me = world.sign_in("ann").await.ok()["data"]["me"].take();
    assert_eq!(me["_id"], json!(world.cast.owner.id));
    let second = world.credential("ann").await;
    let _ = world.cast.outsider.rest.post("users.linkService", second).await.refused(400);
    let _ = owner.post("users.unlinkService", json!({ "service": "acme" })).await.ok();
    let _ = owner.post("users.unlinkService", json!({ "service": "acme" })).await.refused(400);
}

#[tokio::test]
async fn roles_follow_the_provider_where_the_settings_let_them() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    world.set(&format!("{SETTING}-merge_roles"), json!(true)).await;
    let me = world.sign_in("ann").await.ok()["data"]["me"].take();
    // Administrators are made by name only: `admin` must stand in the list of what follows.
    let roles = me["roles"].as_array().expect("a list");
    assert!(
        roles.len() == 2 && roles.contains(&json!("guest")) && !roles.contains(&json!("admin")),
        "{roles:?}"
    );
    world.set("Accounts_Registration_AuthenticationServices_Enabled", json!(false)).await;
    let _ = world.sign_in("administrator").await.refused(403);
    let _ = world.sign_in("ann").await.ok();
    world.set(SETTING, json!(false)).await;
    assert_eq!(world.rest().get("settings.oauth", &[]).await.ok()["services"], json!([]));
    let _ = world
        .cast
        .administrator
        .rest
        .post("settings.removeCustomOAuth", json!({ "name": "Acme" }))
        .await
        .ok();
    let gone = format!("settings/{SETTING}-issuer");
    let _ = world.cast.administrator.rest.get(&gone, &[]).await.refused(400);
}

#[tokio::test]
async fn an_application_is_told_in_its_own_way() {
    if !installed() {
        return;
    }
    let world = World::start().await;
    let told = async |state: Value| {
        let mut browser = Browser::new();
        let out = browser.get(world.begin(&state)).await.to.expect("the way out");
        let back = world.at_provider(&mut browser, out, "ann").await;
        config(&browser.get(back).await)
    };
    let view = told(json!({ "credentialToken": TOKEN, "loginStyle": "popup", "isCordova": true })).await;
    assert_eq!((&view["how"], &view["isCordova"]), (&json!("fragment"), &json!(true)));
    let app = json!({
        "credentialToken": TOKEN, "loginStyle": "redirect", "isCordova": true, "redirectUrl": "rocketchat://auth",
    });
    let app = told(app).await;
    assert_eq!((&app["how"], &app["to"]), (&json!("app"), &json!("rocketchat://auth")));
    let page = json!({ "credentialToken": TOKEN, "loginStyle": "redirect", "redirectUrl": "/login" });
    assert_eq!(told(page).await["to"], "/login");
}

//! Keys of an identity provider behind an address, which change while the server runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use parking_lot::Mutex;
use parlor_testkit::{
    Ddp, HostApp, Person, Server,
    host_app::{JWT_SECRET, now, sign_with},
    server::ADMINISTRATOR,
    wait,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Private keys made for tests alone.
const RSA: &[u8] = include_bytes!("../../../identity/tests/data/rsa.der");
const EC: &[u8] = include_bytes!("../../../identity/tests/data/ec.der");

/// A key with its name and its one algorithm.
struct Key {
    id: &'static str,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl Key {
    fn first() -> Self {
        Self { id: "first", algorithm: Algorithm::ES256, key: EncodingKey::from_ec_der(EC) }
    }

    fn second() -> Self {
        Self { id: "second", algorithm: Algorithm::RS256, key: EncodingKey::from_rsa_der(RSA) }
    }

    fn public(&self) -> Value {
        let mut jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("a key has a public half");
        jwk.common.key_id = Some(self.id.into());
        serde_json::to_value(JwkSet { keys: vec![jwk] }).expect("JSON")
    }

    fn token(&self, more: Value) -> String {
        let mut claims = json!({"sub": "u-ann", "exp": now() + 600});
        claims.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
        let header = Header { kid: Some(self.id.into()), ..Header::new(self.algorithm) };
        encode(&header, &claims, &self.key).expect("a token")
    }
}

/// An identity provider of one page.
#[derive(Default)]
struct Provider {
    /// What it publishes; `None`: it is out of order.
    keys: Mutex<Option<Value>>,
    /// How often it was asked.
    asked: AtomicUsize,
}

impl Provider {
    fn of(key: &Key) -> Arc<Self> {
        let provider = Self::default();
        *provider.keys.lock() = Some(key.public());
        Arc::new(provider)
    }
}

/// The address of its page.
async fn provider(provider: Arc<Provider>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 4096];
            if socket.read(&mut head).await.is_err() {
                continue;
            }
            provider.asked.fetch_add(1, Ordering::SeqCst);
            let (status, body) = match &*provider.keys.lock() {
                Some(keys) => ("200 OK", keys.to_string()),
                None => ("503 Service Unavailable", String::new()),
            };
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            // A server that went away asks again.
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/jwks.json")
}

async fn me(server: &Server, token: &str) -> parlor_testkit::Answer {
    server.rest().header("authorization", &format!("Bearer {token}")).get("/api/auth/me", &[]).await
}

/// S3-7, S4-52: a key that is replaced is taken up when a token names the new one, and the old one is refused from then on, on
/// every door; while the provider is out of order the keys so far stay in force. `ADMIN` needs the operator's word.
#[tokio::test]
async fn s3_7_s4_52_keys_behind_an_address_are_replaced_while_the_server_runs() {
    let published = Provider::of(&Key::first());
    let address = provider(published.clone()).await;
    let setup = HostApp::setup().env("PARLOR_JWT_JWKS", &address).env("PARLOR_JWT_JWKS_REFRESH", "1");
    let server = setup.start().await;
    let (old, new) = (Key::first().token(json!({"role": "ADMIN"})), Key::second().token(json!({})));
    let user = me(&server, &old).await.expect(200)["user"].take();
    assert_eq!((&user["id"], &user["roles"]), (&json!("u-ann"), &json!(["USER"])), "no ADMIN by a key set");
    me(&server, &new).await.problem(401, "invalid_token");

    *published.keys.lock() = Some(Key::second().public());
    wait::until("the new key is taken up", || async {
        (me(&server, &new).await.status == 200).then_some(())
    })
    .await;
    me(&server, &old).await.problem(401, "invalid_token");
    assert!(Ddp::connect(&server).await.resume(&old).await.is_err());
    Ddp::connect(&server).await.resume(&new).await.expect("let in");

    for broken in [None, Some(json!({})), Some(json!({"keys": []})), Some(json!("no keys"))] {
        *published.keys.lock() = broken;
        let before = published.asked.load(Ordering::SeqCst);
        wait::until("it is asked again", || async {
            me(&server, &old).await.problem(401, "invalid_token");
            (published.asked.load(Ordering::SeqCst) > before).then_some(())
        })
        .await;
        me(&server, &new).await.expect(200);
    }
}

/// S3-7, S4-52: the keys are kept: tokens of known keys ask nobody, and whoever comes with tokens of unknown ones makes the
/// server ask once a minute, not once a token.
#[tokio::test]
async fn s3_7_s4_52_bad_tokens_do_not_have_the_keys_fetched_again_and_again() {
    let published = Provider::of(&Key::first());
    let address = provider(published.clone()).await;
    let server = HostApp::setup().env("PARLOR_JWT_JWKS", &address).start().await;
    let (good, unknown) = (Key::first().token(json!({})), Key::second().token(json!({})));
    for _ in 0..20 {
        me(&server, &good).await.expect(200);
        me(&server, &unknown).await.problem(401, "invalid_token");
    }
    assert_eq!(published.asked.load(Ordering::SeqCst), 1);
}

/// S3-7, S4-3, S4-55: the key decides by which algorithm: what is signed otherwise is refused, whatever its head says, and
/// so is a good signature of a token that has ended. A file of keys is as good as an address; roles follow the operator's
/// own words.
#[tokio::test]
async fn s3_7_s4_3_s4_55_a_key_is_good_for_its_own_algorithm_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    let key = Key::second();
    std::fs::write(&file, key.public().to_string()).expect("written");
    let setup = HostApp::setup().env("PARLOR_JWT_JWKS", file.to_str().expect("a path"));
    let server = setup.env("PARLOR_JWT_ROLE_MAP", "boss=ADMIN").start().await;
    let claims = json!({"sub": "u-ann", "exp": now() + 60, "role": "ADMIN"});
    let user = me(&server, &key.token(json!({"roles": ["boss"]}))).await.expect(200)["user"].take();
    assert_eq!(user["roles"], json!(["ADMIN"]), "by the operator's word");

    let public = &key.public()["keys"][0];
    let head = |algorithm: &str| json!({"alg": algorithm, "kid": key.id});
    let modulus = public["n"].as_str().expect("a modulus");
    let mut forged: Vec<String> =
        [modulus, &public.to_string()].map(|secret| sign_with(secret, &head("HS256"), &claims)).into();
    forged.push(sign_with(modulus, &head("none"), &claims));
    forged.push(sign_with(JWT_SECRET, &head("RS256"), &claims));
    let other = Header { kid: Some(key.id.into()), ..Header::new(Algorithm::PS256) };
    forged.push(encode(&other, &claims, &key.key).expect("a token"));
    let good = key.token(json!({}));
    forged.push(format!("{}.", good.rsplit_once('.').expect("a signature").0));
    for token in forged {
        me(&server, &token).await.problem(401, "invalid_token");
    }
    me(&server, &key.token(json!({"exp": now() - 1}))).await.problem(401, "token_expired");
    // The secret goes on beside the keys.
    me(&server, &HostApp::token("u-ben", 60, json!({}))).await.expect(200);
}

/// S0-65, S3-7: tokens of a key set take over somebody who was made by name only when the operator says so.
#[tokio::test]
async fn s0_65_s3_7_a_key_set_takes_over_whoever_was_made_by_name_only_by_the_operators_word() {
    let address = provider(Provider::of(&Key::first())).await;
    for (word, name) in [("", "zoe-2"), ("1", "zoe")] {
        let setup = HostApp::setup().env("PARLOR_JWT_JWKS", &address);
        let server = setup.env("PARLOR_JWT_CLAIM_PLACEHOLDERS", word).start().await;
        let said = json!({"from_name": "zoe", "team": "crew", "message": "before"});
        HostApp::rest(&server).post("/api/chat/send", said).await.expect(201);
        let token = Key::first().token(json!({"preferred_username": "zoe"}));
        assert_eq!(me(&server, &token).await.expect(200)["user"]["username"], name);
        // Nor does a key set speak for accounts that are the workspace's own.
        let own = Person::sign_in(&server, ADMINISTRATOR.0, ADMINISTRATOR.1).await;
        if word.is_empty() {
            let token = Key::first().token(json!({"sub": own.id, "name": "Mallory", "role": "USER"}));
            me(&server, &token).await.problem(401, "invalid_token");
            let same = own.rest.get("/api/auth/me", &[]).await.expect(200)["user"].take();
            assert_eq!((&same["name"], &same["roles"]), (&json!(own.name), &json!(["ADMIN"])));
        }
    }
}

//! Keys of an identity provider behind an address, which change while the server runs.

use std::sync::Arc;

use jsonwebtoken::{
    Algorithm, EncodingKey, Header, encode,
    jwk::{Jwk, JwkSet},
};
use parking_lot::Mutex;
use parlor_testkit::{Ddp, HostApp, Server, wait};
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
        let mut claims = json!({"sub": "u-ann", "exp": parlor_testkit::host_app::now() + 600});
        claims.as_object_mut().expect("claims").extend(more.as_object().expect("claims").clone());
        let header = Header { kid: Some(self.id.into()), ..Header::new(self.algorithm) };
        encode(&header, &claims, &self.key).expect("a token")
    }
}

/// What the provider publishes; `None`: it is out of order.
type Published = Arc<Mutex<Option<Value>>>;

/// An identity provider of one page; its address.
async fn provider(published: Published) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = [0; 4096];
            if socket.read(&mut head).await.is_err() {
                continue;
            }
            let (status, body) = match &*published.lock() {
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
    let published = Published::default();
    *published.lock() = Some(Key::first().public());
    let address = provider(published.clone()).await;
    let setup = HostApp::setup().env("PARLOR_JWT_JWKS", &address).env("PARLOR_JWT_JWKS_REFRESH", "1");
    let server = setup.start().await;
    let (old, new) = (Key::first().token(json!({"role": "ADMIN"})), Key::second().token(json!({})));
    let user = me(&server, &old).await.expect(200)["user"].take();
    assert_eq!((&user["id"], &user["roles"]), (&json!("u-ann"), &json!(["USER"])), "no ADMIN by a key set");
    me(&server, &new).await.problem(401, "invalid_token");

    *published.lock() = Some(Key::second().public());
    wait::until("the new key is taken up", || async {
        (me(&server, &new).await.status == 200).then_some(())
    })
    .await;
    me(&server, &old).await.problem(401, "invalid_token");
    assert!(Ddp::connect(&server).await.resume(&old).await.is_err());
    Ddp::connect(&server).await.resume(&new).await.expect("let in");

    *published.lock() = None;
    me(&server, &old).await.problem(401, "invalid_token");
    me(&server, &new).await.expect(200);
}

/// S0-65, S3-7: tokens of a key set take over somebody who was made by name only when the operator says so.
#[tokio::test]
async fn s0_65_s3_7_a_key_set_takes_over_whoever_was_made_by_name_only_by_the_operators_word() {
    let published = Published::default();
    *published.lock() = Some(Key::first().public());
    let address = provider(published).await;
    for (word, name) in [("", "zoe-2"), ("1", "zoe")] {
        let setup = HostApp::setup().env("PARLOR_JWT_JWKS", &address);
        let server = setup.env("PARLOR_JWT_CLAIM_PLACEHOLDERS", word).start().await;
        let said = json!({"from_name": "zoe", "team": "crew", "message": "before"});
        HostApp::rest(&server).post("/api/chat/send", said).await.expect(201);
        let token = Key::first().token(json!({"preferred_username": "zoe"}));
        assert_eq!(me(&server, &token).await.expect(200)["user"]["username"], name);
    }
}

//! The host application: its secret, its key, its people.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::rest::{Answer, Rest, answer};
use crate::server::{Server, Setup};

/// The secret of the tokens that [`HostApp`] makes.
pub const JWT_SECRET: &str = "the host's own secret, known to the chat";
/// The application's key.
pub const APP_KEY: &str = "the application's own key, 32 or more";

/// A product beside the chat: it makes tokens for its people and tells of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostApp;

/// One of the host's people.
#[derive(Clone, Debug)]
pub struct HostPerson {
    /// The user id.
    pub id: String,
    /// A token good for an hour.
    pub token: String,
    /// A client that sends it.
    pub rest: Rest,
}

impl HostApp {
    /// A server that knows the application.
    #[must_use]
    pub fn setup() -> Setup {
        Server::setup().env("PARLOR_JWT_SECRET", JWT_SECRET).env("PARLOR_APP_KEY", APP_KEY)
    }

    /// A token with exactly these claims.
    #[must_use]
    pub fn sign(claims: &Value) -> String {
        sign_with(JWT_SECRET, &json!({"alg": "HS256", "typ": "JWT"}), claims)
    }

    /// A token for somebody, good for so many seconds (negative: expired). `more` are further claims.
    ///
    /// # Panics
    /// When `more` is no object.
    #[must_use]
    pub fn token(id: &str, seconds: i64, more: Value) -> String {
        let mut claims = json!({"sub": id, "exp": now() + seconds});
        let more = more.as_object().expect("claims are an object").clone();
        claims.as_object_mut().expect("claims are an object").extend(more);
        Self::sign(&claims)
    }

    /// Somebody with these roles, whose name is the id without `u-`; made by a first call.
    pub async fn person(server: &Server, id: &str, roles: &[&str]) -> HostPerson {
        let username = id.strip_prefix("u-").unwrap_or(id);
        let name = format!("{}{} Person", username[..1].to_uppercase(), &username[1..]);
        let email = format!("{username}@host.example");
        let more = json!({"preferred_username": username, "name": name, "email": email, "roles": roles});
        let token = Self::token(id, 3600, more);
        let rest = server.rest().header("authorization", &format!("Bearer {token}"));
        let _ = rest.get("/api/auth/me", &[]).await.ok();
        HostPerson { id: id.to_owned(), token, rest }
    }

    /// The application itself.
    #[must_use]
    pub fn rest(server: &Server) -> Rest {
        server.rest().header("x-app-key", APP_KEY)
    }
}

/// A token of this secret and header.
///
/// # Panics
/// Never: a key of any length will do.
#[must_use]
pub fn sign_with(secret: &str, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length will do");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

impl Rest {
    /// PUT with a JSON body.
    pub async fn put(&self, endpoint: &str, body: Value) -> Answer {
        answer(self.request(reqwest::Method::PUT, endpoint).json(&body)).await
    }

    /// PATCH with a JSON body.
    pub async fn patch(&self, endpoint: &str, body: Value) -> Answer {
        answer(self.request(reqwest::Method::PATCH, endpoint).json(&body)).await
    }

    /// DELETE without a body.
    pub async fn remove(&self, endpoint: &str) -> Answer {
        answer(self.request(reqwest::Method::DELETE, endpoint)).await
    }
}

impl Answer {
    /// The body, if the status is this one.
    ///
    /// # Panics
    /// When it is another; the answer is shown.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "got {} {}", self.status, self.text());
        self.body
    }

    /// The body of a refusal with this status and code.
    ///
    /// # Panics
    /// When status or code is another; the answer is shown.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Value {
        let text = self.text();
        let body = self.expect(status);
        assert_eq!(body["error"], code, "{text}");
        assert!(body["message"].as_str().is_some_and(|message| !message.is_empty()), "{text}");
        body
    }
}

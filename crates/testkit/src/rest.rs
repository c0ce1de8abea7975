//! A plain REST client: what was answered is handed back as it was, for the test to judge.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, multipart};
use serde_json::{Value, json};

use crate::wait;

/// A client of one server, signed in as somebody or as nobody.
#[derive(Clone, Debug)]
pub struct Rest {
    http: Client,
    base: String,
    headers: HeaderMap,
}

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub bytes: Vec<u8>,
    /// The body as JSON; null when it is something else.
    pub body: Value,
}

impl Rest {
    /// A client that is not signed in. `base` is the server's address without a slash at the end.
    ///
    /// # Panics
    /// Only when no HTTP client can be made at all.
    #[must_use]
    pub fn new(base: &str) -> Self {
        // Again and again is refused, which is fine.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Redirects are answers like others, and a proxy from the environment is no part of a test.
        let http =
            Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().timeout(wait::PATIENCE);
        // The server ends connections that idle for 30 s, and whoever measures does not look until then.
        let http = http.pool_idle_timeout(Duration::from_secs(15));
        let http = http.build().expect("an HTTP client can be made");
        Self { http, base: base.to_owned(), headers: HeaderMap::new() }
    }

    /// The same client signed in by user id and token.
    #[must_use]
    pub fn signed_in(&self, user: &str, token: &str) -> Self {
        self.header("x-user-id", user).header("x-auth-token", token)
    }

    /// The same client with one more header on every request.
    ///
    /// # Panics
    /// When the header is none.
    #[must_use]
    pub fn header(&self, name: &str, value: &str) -> Self {
        let mut other = self.clone();
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        other.headers.insert(name, HeaderValue::from_str(value).expect("a header's value"));
        other
    }

    /// The token it is signed in with.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.headers.get("x-auth-token").and_then(|token| token.to_str().ok())
    }

    /// The address of an endpoint: `me` stands for `/api/v1/me`, and `/health` for itself.
    #[must_use]
    pub fn url(&self, endpoint: &str) -> String {
        if endpoint.starts_with('/') {
            format!("{}{endpoint}", self.base)
        } else {
            format!("{}/api/v1/{endpoint}", self.base)
        }
    }

    /// A request to an endpoint, for what the shorter forms don't cover.
    pub fn request(&self, method: Method, endpoint: &str) -> RequestBuilder {
        self.http.request(method, self.url(endpoint)).headers(self.headers.clone())
    }

    /// A GET of somebody else's address, without anything of one's own.
    pub fn at(&self, url: &str) -> RequestBuilder {
        self.http.request(Method::GET, url)
    }

    /// GET with a query.
    pub async fn get(&self, endpoint: &str, query: &[(&str, &str)]) -> Answer {
        answer(self.request(Method::GET, endpoint).query(query)).await
    }

    /// POST with a JSON body.
    pub async fn post(&self, endpoint: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, endpoint).json(&body)).await
    }

    /// DELETE with a JSON body.
    pub async fn delete(&self, endpoint: &str, body: Value) -> Answer {
        answer(self.request(Method::DELETE, endpoint).json(&body)).await
    }

    /// POST of a form with one file in it, under the name `field`.
    ///
    /// # Panics
    /// When `kind` is no media type.
    pub async fn upload(
        &self,
        endpoint: &str,
        field: &str,
        (name, kind, content): (&str, &str, &[u8]),
        others: &[(&str, &str)],
    ) -> Answer {
        let file = multipart::Part::bytes(content.to_vec()).file_name(name.to_owned());
        let file = file.mime_str(kind).expect("a media type");
        let form = others.iter().fold(multipart::Form::new(), |form, (name, value)| {
            form.text((*name).to_owned(), (*value).to_owned())
        });
        answer(self.request(Method::POST, endpoint).multipart(form.part(field.to_owned(), file))).await
    }

    /// Calls a DDP method over REST, as clients without a socket do.
    ///
    /// # Errors
    /// The error the method answered.
    ///
    /// # Panics
    /// When the answer is not one of a method.
    pub async fn method(&self, name: &str, params: Value) -> Result<Value, Value> {
        let message = json!({"msg": "method", "id": "1", "method": name, "params": params}).to_string();
        let answer = self.post(&format!("method.call/{name}"), json!({"message": message})).await.ok();
        let text = answer["message"].as_str().expect("a method's answer is text");
        let mut frame: Value = serde_json::from_str(text).expect("a method's answer is JSON");
        assert_eq!(frame["msg"], "result", "{frame}");
        if frame["error"].is_null() { Ok(frame["result"].take()) } else { Err(frame["error"].take()) }
    }

    /// The status of `/health`; none while nobody listens.
    pub(crate) fn health(&self) -> impl Future<Output = Option<u16>> + use<> {
        let request = self.request(Method::GET, "/health").send();
        async { request.await.ok().map(|response| response.status().as_u16()) }
    }
}

/// Sends a request and reads the whole answer.
///
/// # Panics
/// When the server does not answer: a server that hangs up owes an answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    try_answer(request).await.unwrap_or_else(|error| panic!("the server did not answer: {error:?}"))
}

/// Sends a request and reads the whole answer, for tests in which the server may be down.
///
/// # Errors
/// When no complete answer came.
pub async fn try_answer(request: RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, headers, bytes, body })
}

impl Answer {
    /// The body of a success.
    ///
    /// # Panics
    /// When it is a failure; the answer is shown.
    #[track_caller]
    #[must_use]
    pub fn ok(self) -> Value {
        let refused = self.body["success"] == false || self.body["status"] == "error";
        assert!(self.status == 200 && !refused, "expected a success, got {} {}", self.status, self.text());
        self.body
    }

    /// The body of a failure with this status.
    ///
    /// # Panics
    /// When the status is another; the answer is shown.
    #[track_caller]
    #[must_use]
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status, status, "expected a refusal, got {} {}", self.status, self.text());
        assert_ne!(self.body["success"], true, "a refusal that calls itself a success: {}", self.text());
        self.body
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

/// Whether an object has exactly these keys, in any order; those of a contract, and what stands beside them.
///
/// # Panics
/// When it has others, or is none.
#[track_caller]
pub fn has_keys(object: &Value, keys: &[&str], more: &[&str]) {
    let mut found: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    let mut wanted: Vec<&str> = keys.iter().chain(more).copied().collect();
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted, "{object}");
}

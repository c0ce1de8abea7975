//! A REST call: who calls, with what; and the answers' common form.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::Response,
};
use parking_lot::Mutex;
use parlor_core::{chat::Chat, error::Refusal, id::UserId, session::Actor, store::Page};
use parlor_live::{
    ClientAddress,
    body::{self, Unread as Why},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    Door,
    rates::Told,
    refusal::Refused,
    route::{BODY_LIMIT, Outcome, Route},
    who::Who,
};

/// A body until somebody reads it.
pub(crate) type Unread = Arc<Mutex<Option<Body>>>;

/// Bytes of a body that nobody wanted which are read all the same, and how long for: a connection whose request was
/// not read to its end is closed, and its client's next request gets no answer.
const LEFT_OVER: usize = 64 * 1024;
const LEFT_OVER_TIME: std::time::Duration = std::time::Duration::from_secs(1);

/// Reads what is left of a body after the answer was decided, if it is little.
pub(crate) async fn drain(body: &Unread) {
    let left = body.lock().take();
    if let Some(left) = left {
        let _ = tokio::time::timeout(LEFT_OVER_TIME, axum::body::to_bytes(left, LEFT_OVER)).await;
    }
}

/// One REST call that was let in.
pub(crate) struct Call {
    pub(crate) door: Arc<Door>,
    actor: Option<Actor>,
    pub(crate) headers: HeaderMap,
    pub(crate) address: Option<IpAddr>,
    pub(crate) query: HashMap<String, Vec<String>>,
    path: HashMap<String, String>,
    /// Behind a lock because a body can't be shared between threads and a call must be; shared with the router, which
    /// reads what nobody read.
    body: Unread,
}

impl Call {
    /// Reads the call and turns away whom the route's declaration turns away.
    pub(crate) async fn admit(
        door: Arc<Door>,
        route: &Route,
        mut parts: Parts,
        body: Unread,
        told: &Told,
    ) -> Result<Self, Refused> {
        let path = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        let path = path.iter().flatten().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let actor = authenticate(&door.chat, &parts.headers).await?;
        let call = Self {
            door,
            actor,
            address: parts.extensions.get::<ClientAddress>().map(|a| a.0),
            query: read_query(parts.uri.query().unwrap_or_default()),
            headers: parts.headers,
            path,
            body,
        };
        call.count(route, told).await?;
        if route.who != Who::Anyone {
            let actor = call.actor()?;
            if let Who::May(permissions) = route.who {
                call.require_any(actor, permissions).await?;
            }
        }
        Ok(call)
    }

    /// The API's calls are limited for each user; before login for each address.
    async fn count(&self, route: &Route, told: &Told) -> Result<(), Refused> {
        if self.door.config.test_mode || !route.path.starts_with("/api/v1/") {
            return Ok(());
        }
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        let key = self.actor.as_ref().map_or(address.as_str(), |actor| actor.user.as_str());
        Ok(self.door.rates.rest(self.chat(), self.actor.as_ref(), key, told).await?)
    }

    async fn require_any(&self, actor: &Actor, permissions: &[&'static str]) -> Result<(), Refused> {
        for &permission in permissions {
            if self.chat().may(actor, permission, None).await? {
                return Ok(());
            }
        }
        Err(Refused::unauthorized())
    }

    pub(crate) fn chat(&self) -> &Arc<Chat> {
        &self.door.chat
    }

    /// Who calls; a 401 when nobody is logged in.
    pub(crate) fn actor(&self) -> Result<&Actor, Refused> {
        self.actor.as_ref().ok_or_else(Refused::not_logged_in)
    }

    /// Who calls, if anybody.
    pub(crate) fn actor_if_any(&self) -> Option<&Actor> {
        self.actor.as_ref()
    }

    /// Who asks for a file: besides the headers, browsers send `rc_uid` and `rc_token` as cookies or in the query. Only
    /// for reading files.
    pub(crate) async fn file_actor(&self) -> Result<Option<Actor>, Refused> {
        if self.actor.is_some() {
            return Ok(self.actor.clone());
        }
        let cookies = self.headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let pairs: Vec<(&str, &str)> =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('=')).collect();
        let find = |name: &str| {
            self.param(name).or_else(|| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
        };
        let (Some(user), Some(token)) = (find("rc_uid").and_then(UserId::parse), find("rc_token")) else {
            return Ok(None);
        };
        Ok(self.chat().authenticate(&user, token).await?)
    }

    /// A part of the path.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A query parameter; empty, `undefined` and `null` count as absent (clients send them).
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        let value = self.query.get(name)?.last()?.as_str();
        (!value.is_empty() && value != "undefined" && value != "null").then_some(value)
    }

    /// Whether a query parameter is there, with or without a value.
    pub(crate) fn has_param(&self, name: &str) -> bool {
        self.query.contains_key(name)
    }

    /// A cookie of the browser that calls.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let lines = self.headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A query parameter that must be there.
    pub(crate) fn need(&self, name: &'static str) -> Result<&str, Refused> {
        self.param(name).ok_or_else(|| Refused::missing(name))
    }

    /// A list: `name[]=a&name[]=b`, `name=a,b`, repeated `name=a`, or a JSON array in one parameter.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let mut all = self.query.get(&format!("{name}[]")).cloned().unwrap_or_default();
        for value in self.query.get(name).into_iter().flatten() {
            match serde_json::from_str::<Vec<String>>(value) {
                Ok(items) if value.starts_with('[') => all.extend(items),
                _ => all.extend(value.split(',').filter(|v| !v.is_empty()).map(str::to_owned)),
            }
        }
        all.truncate(1000);
        all
    }

    /// All values of a repeated parameter, as they are.
    pub(crate) fn all(&self, name: &str) -> &[String] {
        self.query.get(name).map_or(&[], Vec::as_slice)
    }

    /// The body of a call that has none.
    pub(crate) fn no_body() -> Unread {
        Arc::new(Mutex::new(None))
    }

    /// A switch: `true`, `True`, `1`.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.param(name).map(|v| matches!(v, "true" | "True" | "1"))
    }

    /// `offset` and `count` (default and cap by the settings; 0 means as many as allowed).
    pub(crate) fn page(&self) -> Result<Page, Refused> {
        let settings = self.chat().settings();
        let number = |name| match self.param(name) {
            None => Ok(None),
            Some(text) => text
                .parse::<u64>()
                .map(Some)
                .map_err(|_| Refused::invalid_params(&format!("{name} must be number"))),
        };
        let cap = match settings.number("API_Upper_Count_Limit") as u64 {
            0 => 100,
            cap => cap,
        };
        let default = match settings.number("API_Default_Count") as u64 {
            0 => 50,
            count => count,
        };
        let all = if settings.is_on("API_Allow_Infinite_Count") { 10_000 } else { cap };
        let count = match number("count")? {
            None => default,
            Some(0) => all,
            Some(count) => count.min(cap),
        };
        Ok(Page { offset: number("offset")?.unwrap_or(0).min(i64::MAX as u64), count })
    }

    /// A JSON value in a query parameter (`query`, `sort`, `fields`, `selector`).
    pub(crate) fn json_param(&self, name: &str) -> Result<Option<Value>, Refused> {
        let Some(text) = self.param(name) else { return Ok(None) };
        let bad = || {
            Refused::new(format!("Invalid {name} parameter provided: \"{name}\" [error-invalid-params]"))
                .kind("error-invalid-params")
        };
        serde_json::from_str(text).map(Some).map_err(|_| bad())
    }

    /// The raw body, for uploads.
    pub(crate) fn take_body(&mut self) -> Body {
        self.body.lock().take().unwrap_or_else(Body::empty)
    }

    /// The body's bytes, at most [`BODY_LIMIT`].
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Refused> {
        body::read(self.take_body(), BODY_LIMIT).await.map_err(|why| match why {
            Why::TooLarge => Refused::status(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"),
            Why::Late => {
                Refused::status(StatusCode::REQUEST_TIMEOUT, "The request's body did not come in time")
            }
            Why::Broken => Refused::invalid_params("The request's body broke off"),
        })
    }

    /// The body as a JSON object, or form fields turned into one; an absent body is `{}`.
    pub(crate) async fn object(&mut self) -> Result<Map<String, Value>, Refused> {
        let form = self
            .headers
            .get(header::CONTENT_TYPE)
            .is_some_and(|t| t.as_bytes().starts_with(b"application/x-www-form"));
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        if form {
            let text = String::from_utf8_lossy(&bytes);
            let fields = read_query(&text).into_iter();
            return Ok(fields.filter_map(|(k, mut v)| v.pop().map(|v| (k, Value::String(v)))).collect());
        }
        match serde_json::from_slice(&bytes) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Refused::invalid_params("must be object")),
            Err(_) => {
                Err(Refused::new("Invalid JSON in the request body [invalid-params]").kind("invalid-params"))
            }
        }
    }

    /// The body as what the route expects; wrong types and missing keys are `invalid-params`.
    pub(crate) async fn json<T: DeserializeOwned>(&mut self) -> Result<T, Refused> {
        let object = self.object().await?;
        serde_json::from_value(Value::Object(object)).map_err(|error| Refused::from_serde(&error))
    }
}

/// `X-Auth-Token` + `X-User-Id`, or `Authorization: Bearer`. Wrong credentials are nobody's.
async fn authenticate(chat: &Chat, headers: &HeaderMap) -> Result<Option<Actor>, Refused> {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let (token, user) = (header("x-auth-token"), header("x-user-id"));
    if token.is_empty() || user.is_empty() {
        let bearer =
            header("authorization").split_once(' ').filter(|(way, _)| way.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = bearer else { return Ok(None) };
        return match chat.admit(token.trim()).await {
            Ok(admitted) => Ok(Some(admitted.actor)),
            Err(Refusal::BadCredentials | Refusal::TokenExpired | Refusal::Deactivated) => Ok(None),
            Err(refusal) => Err(refusal.into()),
        };
    }
    let Some(user) = UserId::parse(user) else { return Ok(None) };
    Ok(chat.authenticate(&user, token).await?)
}

/// The fields of a query or a form; the first 1,000 of them.
pub(crate) fn read_query(text: &str) -> HashMap<String, Vec<String>> {
    let mut all: HashMap<String, Vec<String>> = HashMap::new();
    for pair in text.split('&').filter(|p| !p.is_empty()).take(1000) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        all.entry(decode(key)).or_default().push(decode(value));
    }
    all
}

/// 200 with these keys and `success: true`.
pub(crate) fn success(value: Value) -> Outcome {
    let mut object = match value {
        Value::Object(object) => object,
        Value::Null => Map::new(),
        other => Map::from_iter([("result".to_owned(), other)]),
    };
    object.insert("success".to_owned(), Value::Bool(true));
    Ok(json_response(StatusCode::OK, &Value::Object(object)))
}

/// 200 with exactly this body.
pub(crate) fn bare(value: &Value) -> Outcome {
    Ok(json_response(StatusCode::OK, value))
}

/// A JSON answer. Suites compare the content type as a whole: exactly `application/json`.
pub(crate) fn json_response(status: StatusCode, value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff"));
    response
}

//! A REST call: who calls, with what.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use parlor_core::{admission::Admitted, session::Actor};
use parlor_live::{
    ClientAddress,
    body::{self, Unread},
};
use serde_json::{Map, Value};

use crate::{
    caller::Caller,
    fields::read_object,
    host::Host,
    problem::{Problem, json_response},
};

/// Largest JSON body, in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Most parameters of a query.
const MAX_PARAMETERS: usize = 200;

/// What a handler gives.
pub type Answer = Result<Response, Problem>;

/// An answer with this status and body.
pub fn answer(status: u16, body: &impl serde::Serialize) -> Answer {
    // All statuses are constants of the doors.
    Ok(json_response(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body))
}

/// Where besides the headers a route takes a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryTokens {
    /// Nowhere.
    None,
    /// `token`: WebSocket and Socket.IO.
    Socket,
    /// `access_token`: streams and files.
    Stream,
}

/// A query string. Of a repeated parameter the last counts; empty values count as absent.
#[derive(Clone, Debug, Default)]
pub struct Query(HashMap<String, String>);

impl Query {
    /// Reads a query string.
    pub fn read(text: &str) -> Self {
        let decode = |part: &str| {
            percent_encoding::percent_decode_str(&part.replace('+', " ")).decode_utf8_lossy().into_owned()
        };
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).take(MAX_PARAMETERS);
        let split = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Self(split.map(|(name, value)| (decode(name), decode(value))).collect())
    }

    /// A parameter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A parameter, also when it is empty.
    pub fn given(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A switch: `1` or `true`.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), Some("1" | "true"))
    }
}

/// A call. As an axum extractor it reads the token from the headers only; [`Call::read`] takes it from the query
/// too. Nobody is turned away before [`Call::caller`] or [`Call::user`] is asked.
pub struct Call {
    /// The shared part of the doors.
    pub host: Host,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The query.
    pub query: Query,
    /// The client's address.
    pub address: Option<IpAddr>,
    caller: Result<Caller, Problem>,
    path: HashMap<String, String>,
    /// Behind a lock that is never taken: a body can't be shared between threads, a call can.
    body: Mutex<Body>,
}

impl Call {
    /// Reads a call.
    pub async fn read(host: Host, request: Request, tokens: QueryTokens) -> Self {
        let (mut parts, body) = request.into_parts();
        let path = RawPathParams::from_request_parts(&mut parts, &()).await.ok();
        let path = path.iter().flatten().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let query = Query::read(parts.uri.query().unwrap_or_default());
        let token = match tokens {
            QueryTokens::None => None,
            QueryTokens::Socket => query.get("token"),
            QueryTokens::Stream => query.get("access_token"),
        };
        let caller = host.caller(&parts.headers, token).await;
        let address = parts.extensions.get::<ClientAddress>().map(|address| address.0);
        Self { host, headers: parts.headers, query, address, caller, path, body: Mutex::new(body) }
    }

    /// Who calls.
    ///
    /// # Errors
    /// The 401 codes.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().map_err(Clone::clone)
    }

    /// The user who calls, with the token's end.
    ///
    /// # Errors
    /// The 401 codes; `user_required` for the application's key.
    pub fn admitted(&self) -> Result<&Admitted, Problem> {
        self.caller()?.require_user()
    }

    /// The acting user.
    ///
    /// # Errors
    /// As [`Call::admitted`].
    pub fn user(&self) -> Result<&Actor, Problem> {
        Ok(&self.admitted()?.actor)
    }

    /// A part of the path, percent-decoded.
    pub fn path(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The raw body, for uploads.
    pub fn take_body(&mut self) -> Body {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(body, Body::empty())
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// 415, 413, `bad_json`, `validation_failed`.
    pub async fn object(&mut self) -> Result<Map<String, Value>, Problem> {
        let bytes = self.bytes().await?;
        self.check_type()?;
        read_object(&bytes)
    }

    /// As [`Call::object`], where no body at all is an empty object.
    ///
    /// # Errors
    /// As [`Call::object`].
    pub async fn object_if_any(&mut self) -> Result<Map<String, Value>, Problem> {
        let bytes = self.bytes().await?;
        if bytes.is_empty() {
            return Ok(Map::new());
        }
        self.check_type()?;
        read_object(&bytes)
    }

    fn check_type(&self) -> Result<(), Problem> {
        let kind = self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/json") {
            Ok(())
        } else {
            Err(Problem::unsupported_type("Content-Type must be application/json"))
        }
    }

    async fn bytes(&mut self) -> Result<Bytes, Problem> {
        let too_large = || Problem::too_large("The body may have 1 MiB");
        let announced = self.headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        if announced.and_then(|text| text.parse::<u64>().ok()).is_some_and(|size| size > MAX_BODY as u64) {
            return Err(too_large());
        }
        body::read(self.take_body(), MAX_BODY).await.map_err(|why| match why {
            Unread::TooLarge => too_large(),
            Unread::Late => Problem::new(408, "timeout", "The body did not come in time"),
            Unread::Broken => Problem::bad_json("The body broke off"),
        })
    }
}

impl FromRequest<Host> for Call {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, host: &Host) -> Result<Self, Self::Rejection> {
        Ok(Self::read(host.clone(), request, QueryTokens::None).await)
    }
}

//! The port for everything that leaves the server over HTTP: webhooks, previews, key sets, pictures. One client for
//! all, so that what it may reach is decided in one place.

use std::{future::Future, pin::Pin, time::Duration};

/// An answer that will come.
pub type Fetching = Pin<Box<dyn Future<Output = Result<Fetched, Unfetched>> + Send>>;

/// A call to somebody else's server.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: &'static str,
    /// `http` or `https`, with a host.
    pub url: String,
    /// Names and values, as they are sent.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Vec<u8>,
    /// Longest time for the whole call, redirects included.
    pub within: Duration,
    /// Largest answer in bytes; a longer one is cut there when `cut_long`, else refused.
    pub at_most: usize,
    /// Whether a longer answer is cut instead of refused.
    pub cut_long: bool,
}

impl Request {
    /// A GET with ten seconds and a megabyte.
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: "GET",
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            within: Duration::from_secs(10),
            at_most: 1024 * 1024,
            cut_long: false,
        }
    }

    /// A POST of JSON with ten seconds and a megabyte.
    pub fn post_json(url: impl Into<String>, body: Vec<u8>) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self { method: "POST", headers, body, ..Self::get(url) }
    }
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    /// Where it came from, after redirects.
    pub url: String,
    /// Names in lower case, values as far as they are text.
    pub headers: Vec<(String, String)>,
    /// The body, at most as long as asked.
    pub body: Vec<u8>,
}

impl Fetched {
    /// The first header of that name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfetched {
    /// No URL, or one that is not HTTP.
    #[error("this is no http or https address")]
    BadUrl,
    /// The host is, or resolves to, an address that the operator has not opened.
    #[error("this address is not allowed")]
    Forbidden,
    /// Nobody there: no such name, refused, cut off.
    #[error("the server can't be reached: {0}")]
    Unreachable(String),
    /// Too slow.
    #[error("the server did not answer in time")]
    TimedOut,
    /// The answer is larger than what was asked for.
    #[error("the answer is too large")]
    TooLarge,
    /// More than five redirects, or one that leads nowhere.
    #[error("too many redirects")]
    Redirects,
}

/// Who fetches.
pub trait Fetch: Send + Sync {
    /// Does a call. Redirects of GET are followed, at most five, each judged like the first.
    fn fetch(&self, request: Request) -> Fetching;
}

/// Reaches nothing: for tests and commands that need no outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Fetch for Offline {
    fn fetch(&self, _request: Request) -> Fetching {
        Box::pin(async { Err(Unfetched::Forbidden) })
    }
}

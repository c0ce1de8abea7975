//! A running Rocket.Chat's REST API, asked as one administrator, at the pace that it allows.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use parlor_core::fetch::{Fetch, Fetched, Request, Unfetched};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::doc::Doc;

/// Items of one page.
pub(super) const PAGE: usize = 100;
/// Largest page.
const LARGEST: usize = 32 * 1024 * 1024;
/// Longest time for one call.
const WITHIN: Duration = Duration::from_secs(60);
/// How often a call is made again that was put off, or did not get through.
const MOST_TRIES: u32 = 60;
/// Longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Who is asked, and as whom.
pub(super) struct Api {
    fetch: Arc<dyn Fetch>,
    base: String,
    headers: Vec<(String, String)>,
}

/// An answer of the API.
pub(super) enum Answer {
    Good(Doc),
    /// It says no, with these words.
    Refused(String),
}

impl Api {
    pub(super) fn new(fetch: Arc<dyn Fetch>, url: &str, user: &str, token: &str) -> Self {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![header("x-user-id", user), header("x-auth-token", token)];
        Self { fetch, base: url.trim_end_matches('/').to_owned(), headers }
    }

    /// Asks for something that must be answered.
    pub(super) async fn get(&self, endpoint: &str, query: &[(&str, &str)]) -> Result<Doc> {
        match self.ask(endpoint, query).await? {
            Answer::Good(doc) => Ok(doc),
            Answer::Refused(why) => bail!("{endpoint} is refused: {why}"),
        }
    }

    /// Asks for something that may be refused.
    pub(super) async fn ask(&self, endpoint: &str, query: &[(&str, &str)]) -> Result<Answer> {
        let query: Vec<String> =
            query.iter().map(|(key, value)| format!("{key}={}", utf8_percent_encode(value, KEPT))).collect();
        let path = format!("/api/v1/{endpoint}?{}", query.join("&"));
        // A good answer that can't be read was cut off on its way, or is some proxy's page: taken for an empty list, it
        // would end what it is only a part of.
        let whole = |got: &Fetched| !got.is_success() || read(got).is_some();
        let got = self.call(&path, LARGEST, whole).await?;
        let doc = Doc::of(read(&got).unwrap_or_default());
        if got.is_success() && doc.flag("success") != Some(false) {
            return Ok(Answer::Good(doc));
        }
        let why = ["error", "message", "errorType"].iter().find_map(|key| doc.text(key));
        Ok(Answer::Refused(why.unwrap_or_else(|| format!("status {}", got.status))))
    }

    /// The bytes behind a path of the server.
    pub(super) async fn bytes(&self, path: &str, at_most: usize) -> Result<Fetched> {
        self.call(path, at_most, |_| true).await
    }

    async fn call(&self, path: &str, at_most: usize, whole: impl Fn(&Fetched) -> bool) -> Result<Fetched> {
        let url = format!("{}{path}", self.base);
        let mut wait = Duration::from_millis(250);
        for _ in 0..MOST_TRIES {
            let headers = self.headers.clone();
            let request = Request { headers, within: WITHIN, at_most, ..Request::get(url.clone()) };
            match self.fetch.fetch(request).await {
                Ok(got) if got.status == 429 => wait = put_off(&got),
                Ok(got) if matches!(got.status, 502..=504) || !whole(&got) => {
                    wait = (wait * 2).min(LONGEST_WAIT)
                }
                Ok(got) => return Ok(got),
                Err(Unfetched::Unreachable(_) | Unfetched::TimedOut) => wait = (wait * 2).min(LONGEST_WAIT),
                Err(why) => return Err(why).with_context(|| format!("{url} can't be read")),
            }
            eprintln!("{} asks for patience: going on in {} ms", self.base, wait.as_millis());
            tokio::time::sleep(wait).await;
        }
        bail!("{url} does not answer; run this again when it does")
    }

    /// The items of all pages of a list, page by page.
    pub(super) async fn page(
        &self,
        endpoint: &str,
        query: &[(&str, &str)],
        key: &str,
        offset: usize,
    ) -> Result<Vec<Doc>> {
        let (offset, count) = (offset.to_string(), PAGE.to_string());
        let mut all = query.to_vec();
        all.extend([("offset", offset.as_str()), ("count", count.as_str())]);
        Ok(self.get(endpoint, &all).await?.docs(key))
    }
}

/// The body, when it is an object.
fn read(got: &Fetched) -> Option<Value> {
    serde_json::from_slice(&got.body).ok().filter(Value::is_object)
}

/// How long the server wants to be left alone.
fn put_off(got: &Fetched) -> Duration {
    let number = |name: &str| got.header(name).and_then(|value| value.trim().parse::<i64>().ok());
    let now = jiff::Timestamp::now().as_millisecond();
    let wait = match (number("retry-after"), number("x-ratelimit-reset")) {
        (Some(seconds), _) => seconds.saturating_mul(1_000),
        (None, Some(at)) => at - now,
        (None, None) => 1_000,
    };
    Duration::from_millis(u64::try_from(wait).unwrap_or_default())
        .clamp(Duration::from_millis(100), LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_says_how_long_it_wants_to_be_left_alone() {
        let answer = |name: &str, value: &str| Fetched {
            status: 429,
            url: String::new(),
            headers: vec![(name.to_owned(), value.to_owned())],
            body: Vec::new(),
        };
        assert_eq!(put_off(&answer("retry-after", "3")), Duration::from_secs(3));
        assert_eq!(put_off(&answer("retry-after", "-3")), Duration::from_millis(100));
        assert_eq!(put_off(&answer("x-ratelimit-reset", "99999999999999999")), LONGEST_WAIT);
        assert_eq!(put_off(&answer("x", "y")), Duration::from_secs(1));
    }
}

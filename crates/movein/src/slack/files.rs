//! Files that Slack keeps: fetched by their addresses.

use std::{io::Write, sync::Arc, time::Duration};

use anyhow::Result;
use parlor_core::{
    chat::Chat,
    fetch::{Fetch, Request},
};

use crate::{doc::Doc, workspace::Bytes};

/// Longest time for one file.
const WITHIN: Duration = Duration::from_secs(300);
/// Largest file.
const LARGEST: usize = 256 * 1024 * 1024;
/// The token goes to Slack and to nobody else.
const OWNER: &str = ".slack.com";

/// Fetches by `url`.
pub(super) struct Outside<'a> {
    fetch: Arc<dyn Fetch>,
    token: &'a str,
}

impl<'a> Outside<'a> {
    pub(super) fn new(chat: &Chat, token: &'a str) -> Self {
        Self { fetch: chat.outside(), token }
    }
}

impl Bytes for Outside<'_> {
    async fn copy(&mut self, doc: &Doc, to: &mut (dyn Write + Send)) -> Result<Result<(), String>> {
        let address = doc.words("url");
        if !is_slacks(&address) {
            return Ok(Err("its bytes are not kept by Slack".to_owned()));
        }
        let headers = vec![("authorization".to_owned(), format!("Bearer {}", self.token))];
        let request = Request { headers, within: WITHIN, at_most: LARGEST, ..Request::get(address) };
        Ok(match self.fetch.fetch(request).await {
            Err(why) => Err(why.to_string()),
            // Whoever may not see it gets a page to sign in at.
            Ok(got) if got.header("content-type").is_some_and(|kind| kind.starts_with("text/html")) => {
                Err("the token does not open it".to_owned())
            }
            Ok(got) if got.is_success() => to.write_all(&got.body).map_err(|why| why.to_string()),
            Ok(got) => Err(format!("Slack answers {}", got.status)),
        })
    }

    async fn missing(&mut self, doc: &Doc) -> Option<String> {
        (!is_slacks(&doc.words("url"))).then(|| "its bytes are not kept by Slack".to_owned())
    }
}

fn is_slacks(address: &str) -> bool {
    let rest = address.strip_prefix("https://").unwrap_or_default();
    let host = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
    // What parsers read differently is nobody's.
    host.ends_with(OWNER) && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_slack_alone() {
        assert!(is_slacks("https://files.slack.com/files-pri/T1-F1/a.png"));
        for other in [
            "http://files.slack.com/a",
            "https://slack.com.evil.example/a",
            "https://evil.example/files.slack.com",
            "https://evil.example?.slack.com",
            "https://user@evil.example/.slack.com",
            "https://evil.example\\.slack.com/",
            "",
        ] {
            assert!(!is_slacks(other), "{other}");
        }
    }
}

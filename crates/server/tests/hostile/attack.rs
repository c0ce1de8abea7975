//! What an answer to bad input must be, in each dialect.

use parlor_testkit::rest::{Answer, try_answer};
use reqwest::RequestBuilder;
use serde_json::Value;

/// Words that no answer holds: they would tell how the server is made, or what lies beside its data.
const SECRETS: [&str; 5] = ["panicked", "SqlError", "rusqlite", "SQLite format", "root:x:"];

/// The dialect of a door's refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `success: false` with an `error`, or `status: error` with a `message`.
    RocketChat,
    /// `error` and `message`.
    Host,
    /// No more is known of it than what holds everywhere.
    Any,
}

/// What is wrong with an answer to bad input; none when it is a success or a clear refusal.
pub fn wrong(dialect: Dialect, answer: &Answer) -> Option<String> {
    let told = answer.text();
    let short = || format!("{} {:.300}", answer.status, told);
    if answer.status >= 500 {
        return Some(format!("a fault: {}", short()));
    }
    if SECRETS.iter().any(|secret| told.contains(secret)) {
        return Some(format!("secrets: {}", short()));
    }
    if answer.status < 400 {
        return None;
    }
    let text = |key: &str| answer.body[key].as_str().is_some_and(|text| !text.is_empty());
    let clear = match dialect {
        Dialect::RocketChat => {
            (answer.body["success"] == false && text("error"))
                || (answer.body["status"] == "error" && text("message"))
        }
        Dialect::Host => text("error") && text("message"),
        Dialect::Any => true,
    };
    (!clear).then(|| format!("not clear: {}", short()))
}

/// Sends a request and says what is wrong with its answer, under a name.
pub async fn ask(dialect: Dialect, name: impl FnOnce() -> String, request: RequestBuilder) -> Option<String> {
    let wrong = match try_answer(request).await {
        Ok(answer) => wrong(dialect, &answer)?,
        Err(error) => format!("no answer: {error:?}"),
    };
    Some(format!("{}: {wrong}", name()))
}

/// What is wrong with an error of a method or a subscription over DDP.
pub fn wrong_error(error: &Value) -> Option<String> {
    let told = error.to_string();
    let fault = told.contains("Internal server error") || told.contains("server is busy");
    let secret = SECRETS.iter().any(|secret| told.contains(secret));
    let clear = error["reason"].is_string() || error["message"].is_string();
    (fault || secret || !clear).then(|| format!("{told:.300}"))
}

/// Fails with everything that was wrong.
#[track_caller]
pub fn judge(what: &str, tried: usize, mut wrong: Vec<String>) {
    wrong.sort();
    const MOST: usize = 60;
    let shown = wrong.iter().take(MOST).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {tried} {what} were answered wrongly:\n{shown}", wrong.len());
    assert!(tried > 0, "no {what} were tried");
    println!("{tried} {what}");
}

//! One client library in a program of its own, and the conversation with it.

use std::collections::{HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use parlor_testkit::{Server, binary, wait};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The client libraries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `@rocket.chat/ddp-client`.
    DdpClient,
    /// `@rocket.chat/sdk` 1.0 alpha.
    Alpha,
    /// `@rocket.chat/sdk` 0.2.
    Classic,
    /// `rocketchat-async`.
    Async,
    /// `rocketchat_API`.
    Api,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::DdpClient, Self::Alpha, Self::Classic, Self::Async, Self::Api];

    /// A name for its user.
    pub fn name(self) -> &'static str {
        match self {
            Self::DdpClient => "dina.ddp",
            Self::Alpha => "alfa.sdk",
            Self::Classic => "clara.sdk",
            Self::Async => "asa.async",
            Self::Api => "rita.api",
        }
    }

    /// Whether it sends one message after another on one connection. The others use a request each, and requests
    /// in flight together have no order.
    pub fn keeps_order(self) -> bool {
        matches!(self, Self::DdpClient | Self::Classic | Self::Async)
    }

    fn command(self) -> Command {
        let script = match self {
            Self::DdpClient => "node/ddp-client.mjs",
            Self::Alpha => "node/sdk-alpha.mjs",
            Self::Classic => "node/sdk-classic.mjs",
            Self::Async => "python/async_client.py",
            Self::Api => "python/api_client.py",
        };
        let program =
            if script.starts_with("node") { PathBuf::from("node") } else { python().join("bin/python") };
        let mut command = Command::new(program);
        command.arg(clients().join(script)).env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

fn clients() -> PathBuf {
    binary::root().join("tests/clients")
}

/// Where the Python clients are installed: beside what Cargo builds.
fn python() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("clients-python")
}

/// Whether the clients are installed, in the versions asked for; if not, what is missing.
pub fn installed() -> Result<(), String> {
    let same =
        |wanted: PathBuf, stamp: PathBuf| fs::read(&stamp).ok() == fs::read(&wanted).ok() && stamp.exists();
    let node = clients().join("node");
    if !same(node.join("package-lock.json"), node.join("node_modules/.installed")) {
        return Err("the Node clients are not installed".to_owned());
    }
    if !same(clients().join("python/requirements.txt"), python().join(".installed")) {
        return Err("the Python clients are not installed".to_owned());
    }
    Ok(())
}

/// A running client.
pub struct Client {
    pub kind: Kind,
    can: HashSet<String>,
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What it saw and nobody has asked for yet.
    seen: VecDeque<Value>,
    last: u64,
}

impl Client {
    /// Starts the program and waits for its greeting.
    pub async fn start(kind: Kind, server: &Server) -> Self {
        let mut command = kind.command();
        command.arg(server.url()).kill_on_drop(true).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the client's program starts");
        let input = child.stdin.take().expect("it was asked for");
        let output = BufReader::new(child.stdout.take().expect("it was asked for")).lines();
        let mut client =
            Self { kind, can: HashSet::new(), child, input, output, seen: VecDeque::new(), last: 0 };
        let hello = client.event("hello", |_| true).await;
        let can = hello["can"].as_array().expect("a greeting lists what the client can do");
        client.can = can.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
        client
    }

    /// Whether its library can do this.
    pub fn can(&self, what: &str) -> bool {
        self.can.contains(what)
    }

    /// Tells it to do something and returns its answer.
    pub async fn ask(&mut self, what: &str, arguments: Value) -> Value {
        self.ask_at(what, arguments).await.1
    }

    /// Like [`Client::ask`], with the moment it was done, on the clock that all clients share.
    pub async fn ask_at(&mut self, what: &str, arguments: Value) -> (u64, Value) {
        let number = self.begin(what, arguments).await;
        self.finish(number, what).await
    }

    /// Tells it to do something without waiting.
    pub async fn begin(&mut self, what: &str, mut arguments: Value) -> u64 {
        self.last += 1;
        arguments["id"] = json!(self.last);
        arguments["do"] = json!(what);
        let line = format!("{arguments}\n");
        self.input.write_all(line.as_bytes()).await.expect("the client listens");
        self.last
    }

    /// Waits for the answer to what was begun.
    pub async fn finish(&mut self, number: u64, what: &str) -> (u64, Value) {
        let mut answer = self.line(&format!("the answer to {what}"), |line| line["re"] == number).await;
        assert!(answer["error"].is_null(), "{:?} could not {what}: {}", self.kind, text(&answer["error"]));
        (nanoseconds(&answer["at"]), answer["ok"].take())
    }

    /// Waits until it sees something.
    pub async fn event(&mut self, event: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let what = format!("the event {event}");
        self.line(&what, |line| line["event"] == event && wanted(line)).await
    }

    /// Everything it has seen and nobody asked for.
    pub fn take_seen(&mut self) -> Vec<Value> {
        self.seen.drain(..).collect()
    }

    async fn line(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.seen.iter().position(&wanted) {
            return self.seen.remove(at).unwrap_or_default();
        }
        let kind = self.kind;
        wait::within(&format!("{kind:?}: {what}; so far {:?}", self.seen), async {
            loop {
                let line = self.output.next_line().await.expect("the client's output is text");
                let line = line.unwrap_or_else(|| panic!("{kind:?} ended while waiting for {what}"));
                let line: Value = serde_json::from_str(&line).expect("the client writes JSON");
                assert_ne!(line["event"], "failure", "{kind:?} failed by itself: {}", text(&line["reason"]));
                if wanted(&line) {
                    return line;
                }
                // What was begun and can't be finished would otherwise be waited for in vain.
                assert!(
                    line["error"].is_null(),
                    "{kind:?}, while waiting for {what}: {}",
                    text(&line["error"])
                );
                self.seen.push_back(line);
            }
        })
        .await
    }

    /// Says goodbye and waits for its end.
    pub async fn quit(mut self) {
        self.begin("quit", json!({})).await;
        let status =
            wait::within("the client ends", self.child.wait()).await.expect("a child can be awaited");
        assert!(status.success(), "{:?} ended with {status}", self.kind);
    }
}

/// A moment that a client told.
pub fn nanoseconds(at: &Value) -> u64 {
    at.as_str().and_then(|at| at.parse().ok()).expect("a moment in nanoseconds")
}

/// A text that a client told.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

//! A real mail server in Python (`tests/clients/python/smtp_sink.py`), and the letters it took.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::sync::mpsc;

/// Longest wait for a letter.
const PATIENCE: Duration = Duration::from_secs(30);

/// A letter, with both parts decoded.
pub struct Letter {
    pub to: String,
    pub headers: String,
    pub text: String,
    pub html: String,
    pub encrypted: bool,
}

impl Letter {
    /// What stands behind the address that begins so, up to a blank, a quote or the end of the line.
    pub fn link(&self, begin: &str) -> String {
        let start = self.text.find(begin).unwrap_or_else(|| panic!("{begin} in {}", self.text));
        self.text[start..].split_whitespace().next().unwrap_or_default().to_owned()
    }
}

/// The mail server.
pub struct Sink {
    pub port: u16,
    letters: mpsc::UnboundedReceiver<Value>,
    child: Child,
    /// What it complained of: shown when a test fails.
    complaints: File,
    // Closing it ends the server.
    _input: Option<ChildStdin>,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let mut said = String::new();
            let _ = self.complaints.rewind().and_then(|()| self.complaints.read_to_string(&mut said));
            eprintln!("the mail server on port {} said:\n{said}", self.port);
        }
    }
}

fn python() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    scratch.parent().unwrap_or(scratch).join("clients-python")
}

/// Whether there is a mail server to start.
pub fn there() -> bool {
    let versions = std::fs::read_dir(python().join("lib")).into_iter().flatten().flatten();
    let works = versions.map(|p| p.path().join("site-packages/aiosmtpd")).any(|path| path.exists());
    let found = if works { Ok(()) } else { Err("aiosmtpd is not installed".to_owned()) };
    parlor_testkit::needs::met("clients", found)
}

impl Sink {
    /// Puts the first letters off.
    pub async fn open(refuse: u32) -> Self {
        Self::open_with(&["--refuse", &refuse.to_string()]).await
    }

    /// As the script's options say.
    pub async fn open_with(options: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/python/smtp_sink.py");
        let mut command = Command::new(python().join("bin/python"));
        // It tells of every client that hangs up on it, as it should.
        let complaints = tempfile::tempfile().expect("a file");
        command.stderr(complaints.try_clone().expect("a file"));
        command.arg(script).args(options);
        command.env("PYTHONDONTWRITEBYTECODE", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python starts");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, mut letters) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str::<Value>(&line).expect("a line of JSON"));
            }
        });
        let first = tokio::time::timeout(PATIENCE, letters.recv()).await.expect("in time").expect("a line");
        let port = first["port"].as_u64().and_then(|port| u16::try_from(port).ok()).expect("a port");
        Self { port, letters, complaints, _input: child.stdin.take(), child }
    }

    /// The address as operators give it.
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    pub async fn next(&mut self) -> Letter {
        let letter = tokio::time::timeout(PATIENCE, self.letters.recv()).await;
        let letter = letter.expect("a letter in time").expect("the server is up");
        let data = letter["data"].as_str().expect("text").replace("\r\n", "\n");
        let (headers, body) = data.split_once("\n\n").expect("headers and a body");
        let parts: Vec<String> = body.split("\nContent-Type: ").map(decoded).collect();
        let part = |kind: &str| parts.iter().find(|p| p.starts_with(kind)).cloned().unwrap_or_default();
        let to = letter["to"][0].as_str().expect("a reader").to_owned();
        let encrypted = letter["encrypted"] == true;
        Letter {
            to,
            encrypted,
            headers: headers.to_owned(),
            text: part("text/plain"),
            html: part("text/html"),
        }
    }

    /// What has come and not been looked at.
    pub fn unread(&mut self) -> usize {
        std::iter::from_fn(|| self.letters.try_recv().ok()).count()
    }
}

/// A part with its transfer encoding undone.
fn decoded(part: &str) -> String {
    let (head, body) = part.split_once("\n\n").unwrap_or((part, ""));
    let body = body.split("\n--").next().unwrap_or_default();
    let lower = head.to_lowercase();
    let text = if lower.contains("base64") {
        let joined: String = body.split_whitespace().collect();
        String::from_utf8_lossy(&base64(&joined)).into_owned()
    } else if lower.contains("quoted-printable") {
        quoted_printable(body)
    } else {
        body.to_owned()
    };
    format!("{head}\n\n{text}")
}

fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut bytes = Vec::new();
    for four in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = four.iter().fold(0, |bits, c| bits << 6 | value(*c)) << (6 * (4 - four.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..four.len()]);
    }
    bytes
}

fn quoted_printable(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&first, after)) = rest.split_first() {
        let hex = (first == b'=').then(|| after.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match byte {
            Some(byte) => (bytes.push(byte), rest = &after[2..]).1,
            None => (bytes.push(first), rest = after).1,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

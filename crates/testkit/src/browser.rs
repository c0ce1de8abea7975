//! A real browser: Chromium without a window, with pages that a test serves and that tell the test what they see.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use crate::wait;

/// Tells the test something; and everything that the page shows, whenever that changes.
pub const TELL: &str = r#"<script>
const tell = (what) => fetch("/told", { method: "POST", body: JSON.stringify(what) });
new MutationObserver(() => tell(document.body.innerText))
  .observe(document.documentElement, { subtree: true, childList: true, characterData: true });
</script>"#;

/// A file of a page: its path, its type, what is in it.
pub type Served = (&'static str, &'static str, String);

/// Pages of one origin, and what they tell.
pub struct Pages {
    /// Where they come from, to be listed in `CORS_ORIGINS`.
    pub origin: String,
    listener: TcpListener,
}

/// An open page.
pub struct Page {
    told: mpsc::UnboundedReceiver<Value>,
    browser: Child,
    serving: tokio::task::JoinHandle<()>,
    _profile: TempDir,
}

/// Whether there is a Chromium here.
///
/// # Errors
/// Says that there is none.
pub fn installed() -> Result<(), String> {
    chromium().map(drop).ok_or_else(|| "Chromium is not installed".to_owned())
}

fn chromium() -> Option<PathBuf> {
    let usual = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    usual.iter().map(PathBuf::from).find(|path| path.exists())
}

impl Pages {
    /// A place for pages.
    ///
    /// # Panics
    /// When no port is free.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        Self { origin, listener }
    }

    /// Serves these files and opens a path of them.
    ///
    /// # Panics
    /// When Chromium does not start.
    pub async fn open(self, files: Vec<Served>, path: &str) -> Page {
        let (sender, told) = mpsc::unbounded_channel();
        let serving = tokio::spawn(serve(self.listener, files, sender));
        let profile = tempfile::tempdir().expect("a folder");
        let browser = Command::new(chromium().unwrap_or_default())
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-proxy-server",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(format!("{}{path}", self.origin))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("Chromium starts");
        Page { told, browser, serving, _profile: profile }
    }
}

async fn serve(listener: TcpListener, files: Vec<Served>, told: mpsc::UnboundedSender<Value>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(answer(socket, files.clone(), told.clone()));
    }
}

async fn answer(mut socket: TcpStream, files: Vec<Served>, told: mpsc::UnboundedSender<Value>) {
    let mut request = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4096];
        let Ok(got @ 1..) = socket.read(&mut piece).await else { return };
        request.extend_from_slice(&piece[..got]);
        let Some(end) = request.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&request[..end]).into_owned();
        let length = head.lines().find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
        });
        if request.len() >= end + 4 + length.unwrap_or(0) {
            break (head, request[end + 4..].to_vec());
        }
    };
    if let Ok(value) = serde_json::from_slice::<Value>(&body) {
        // Nobody listens any more: the test is over.
        let _ = told.send(value);
    }
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default();
    let nothing = ("", "text/plain", String::new());
    let (_, kind, text) = files.iter().find(|file| file.0 == path).unwrap_or(&nothing);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n");
    let answer = format!("{head}content-length: {}\r\n\r\n{text}", text.len());
    // A browser that went away has its answer already, or needs none.
    let _ = socket.write_all(answer.as_bytes()).await;
}

impl Page {
    /// The next thing that the page tells.
    ///
    /// # Panics
    /// When it tells nothing in time.
    pub async fn tells(&mut self) -> Value {
        wait::within("the page tells something", self.told.recv()).await.expect("it is open")
    }

    /// Waits until the page shows a text; everything that it shows then.
    ///
    /// # Panics
    /// When it does not show it in time.
    pub async fn shows(&mut self, text: &str) -> String {
        loop {
            if let Value::String(shown) = self.tells().await
                && shown.contains(text)
            {
                return shown;
            }
        }
    }

    /// Closes the browser.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn close(mut self) {
        self.browser.kill().await.expect("Chromium ends");
        self.serving.abort();
    }
}

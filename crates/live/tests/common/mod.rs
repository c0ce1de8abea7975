//! A server with one door whose session does as it is told, and a client that speaks raw bytes.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part; a failure here is a failed test"
)]

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use bytes::Bytes;
use parlor_live::upgrade::accept;
use parlor_live::{
    Answer, CapLimits, Class, Close, Closed, Dirty, Door, Live, Options, Origins, Outbox, ServeOptions,
    Session, Step, frame_text, serve, sse,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

pub const EVENT: Class = Class::Event { topic: 7 };

/// What the sessions of a server share with the test.
#[derive(Default)]
pub struct Stage {
    /// The outboxes, in the order of the connections.
    pub outboxes: Mutex<Vec<Arc<Outbox>>>,
    /// Requests that were started, in order.
    pub started: Mutex<Vec<String>>,
    /// Why sessions ended.
    pub ended: Mutex<Vec<Closed>>,
    gates: Mutex<HashMap<String, watch::Sender<bool>>>,
}

impl Stage {
    /// Lets the request of this name be answered.
    pub fn release(&self, name: &str) {
        self.gate(name).send_replace(true);
    }

    fn gate(&self, name: &str) -> watch::Sender<bool> {
        self.gates.lock().unwrap().entry(name.to_owned()).or_insert_with(|| watch::channel(false).0).clone()
    }

    pub fn outbox(&self, at: usize) -> Arc<Outbox> {
        self.outboxes.lock().unwrap()[at].clone()
    }
}

/// Does what its messages say: `answer X`, `wait X`, `apart X` wait for the test's release of X; `end`; all
/// else is echoed.
pub struct Puppet {
    outbox: Arc<Outbox>,
    stage: Arc<Stage>,
}

impl Puppet {
    pub fn new(outbox: Arc<Outbox>, stage: Arc<Stage>) -> Self {
        stage.outboxes.lock().unwrap().push(outbox.clone());
        Self { outbox, stage }
    }

    fn request(&self, name: &str) -> Answer<String> {
        let (stage, name) = (self.stage.clone(), name.to_owned());
        Box::pin(async move {
            stage.started.lock().unwrap().push(name.clone());
            let gate = stage.gate(&name);
            gate.subscribe().wait_for(|open| *open).await.unwrap();
            name
        })
    }
}

impl Session for Puppet {
    type Answer = String;

    fn text(&mut self, text: &str) -> Step<String> {
        match text.split_once(' ').unwrap_or((text, "")) {
            ("answer", name) => Step::Answer(self.request(name)),
            ("wait", name) => Step::Wait(self.request(name)),
            ("queue", name) => {
                let stored = self.request(name);
                Step::queued(Box::pin(std::future::ready(String::new())), |_| Step::Answer(stored))
            }
            ("refuse", name) => Step::queued(Box::pin(std::future::ready(name.to_owned())), Step::ready),
            ("apart", name) => Step::Apart(self.request(name)),
            ("end", _) => Step::End(Close::new(4000, "as you wish")),
            ("panic", _) => panic!("as you wish"),
            _ => {
                self.outbox.push(frame_text(text.as_bytes()), Class::Reply);
                Step::Done
            }
        }
    }

    fn answered(&mut self, name: String) -> Step<String> {
        self.outbox.push(frame_text(format!("answered {name}").as_bytes()), Class::Reply);
        Step::Done
    }

    fn changed(&mut self, changed: Vec<Dirty>) -> Option<Answer<String>> {
        let rooms: Vec<_> = changed.iter().map(|d| &*d.room).collect();
        self.outbox.push(frame_text(format!("changed {}", rooms.join(",")).as_bytes()), EVENT);
        None
    }

    fn closing(&mut self, why: &Closed) -> Option<Bytes> {
        self.stage.ended.lock().unwrap().push(why.clone());
        matches!(why, Closed::Kicked(_)).then(|| frame_text(b"farewell"))
    }
}

pub struct TestServer {
    pub address: SocketAddr,
    pub live: Arc<Live>,
    pub door: Arc<Door>,
    pub stage: Arc<Stage>,
    stop: Option<oneshot::Sender<()>>,
    done: mpsc::Receiver<bool>,
}

impl TestServer {
    pub async fn start() -> Self {
        Self::with(Options::default(), ServeOptions::default(), CapLimits::default()).await
    }

    pub async fn with(options: Options, serving: ServeOptions, caps: CapLimits) -> Self {
        let live = Live::new(caps);
        let door = live.door("puppet", options);
        let stage = Arc::<Stage>::default();
        let app = Router::new()
            .route("/ws", any(upgrade))
            .route("/events", any(events))
            .route("/health", any(|| async { "fine" }))
            .route("/body", any(read))
            .route("/whoami", any(|client: parlor_live::ClientAddress| async move { client.0.to_string() }))
            .with_state((door.clone(), stage.clone()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (tell, done) = mpsc::channel(1);
        let serving = serve(listener, app, live.clone(), serving, async { drop(stopped.await) });
        tokio::spawn(async move {
            let ended = serving.await;
            let _ = tell.send(ended.clean).await;
        });
        Self { address, live, door, stage, stop: Some(stop), done }
    }

    pub async fn connect(&self) -> Raw {
        Raw::connect(self.address).await
    }

    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the end; whether it was clean.
    pub async fn stopped(&mut self) -> bool {
        self.done.recv().await.unwrap()
    }
}

/// How much a body brought, or why it did not come.
async fn read(body: axum::body::Body) -> String {
    match parlor_live::body::read(body, 1 << 20).await {
        Ok(body) => body.len().to_string(),
        Err(why) => format!("{why:?}"),
    }
}

async fn upgrade(State((door, stage)): State<(Arc<Door>, Arc<Stage>)>, mut request: Request) -> Response {
    match accept(&door, &mut request, Origins::SameHost) {
        Ok(upgrade) => upgrade.start(|outbox| Puppet::new(outbox, stage)),
        Err(refused) => refused.into_response(),
    }
}

async fn events(State((door, stage)): State<(Arc<Door>, Arc<Stage>)>) -> Response {
    sse::stream(door, None, |_| None, |outbox| stage.outboxes.lock().unwrap().push(outbox.clone()))
}

/// A client that writes and reads bytes.
pub struct Raw {
    pub stream: TcpStream,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Ping,
    Pong(Vec<u8>),
    Close(u16, String),
    End,
}

impl Raw {
    pub async fn connect(address: SocketAddr) -> Self {
        let mut raw = Self { stream: TcpStream::connect(address).await.unwrap() };
        let head = raw.request(&handshake("")).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        raw
    }

    /// Sends an HTTP request and reads the head of the answer.
    pub async fn request(&mut self, text: &str) -> String {
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
        String::from_utf8(head).unwrap()
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    pub async fn say(&mut self, text: &str) {
        self.send(&frame(0x81, text.as_bytes())).await;
    }

    pub async fn hear(&mut self) -> Got {
        let mut head = [0; 2];
        if self.stream.read_exact(&mut head).await.is_err() {
            return Got::End;
        }
        let size = match head[1] {
            126 => usize::from(self.stream.read_u16().await.unwrap()),
            127 => self.stream.read_u64().await.unwrap() as usize,
            size => usize::from(size),
        };
        let mut payload = vec![0; size];
        self.stream.read_exact(&mut payload).await.unwrap();
        match head[0] {
            0x81 => Got::Text(String::from_utf8(payload).unwrap()),
            0x88 if size == 0 => Got::Close(0, String::new()),
            0x88 => Got::Close(
                u16::from_be_bytes([payload[0], payload[1]]),
                String::from_utf8(payload.split_off(2)).unwrap(),
            ),
            0x89 => Got::Ping,
            0x8a => Got::Pong(payload),
            other => panic!("unexpected frame {other:#x}"),
        }
    }

    pub async fn expect(&mut self, text: &str) {
        assert_eq!(self.hear().await, Got::Text(text.to_owned()));
    }

    /// Reads on until what was read ends like this.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            read.push(self.stream.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    /// Reads on to the close frame, and its code.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Got::Close(code, _) => return code,
                Got::End => panic!("ended without a close"),
                _ => {}
            }
        }
    }
}

pub fn handshake(more: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: chat.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// A masked client frame.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [1, 2, 3, 4];
    let mut out = vec![first];
    match payload.len() {
        size @ 0..126 => out.push(0x80 | size as u8),
        size @ 126..65536 => {
            out.push(0x80 | 126);
            out.extend((size as u16).to_be_bytes());
        }
        size => {
            out.push(0x80 | 127);
            out.extend((size as u64).to_be_bytes());
        }
    }
    out.extend(MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

//! A DDP client that shows the wire: every frame is JSON for the test to judge.

use std::collections::VecDeque;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async, connect_async};

use crate::server::Server;
use crate::wait;

/// Frames kept that nobody has asked for yet. A test that lets more pile up has lost its thread.
const BACKLOG: usize = 100_000;

/// One live socket. Frames that come while the test waits for another are kept for later.
pub struct Ddp {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    backlog: VecDeque<Value>,
    ended: Option<Option<CloseFrame>>,
    last_id: u64,
}

impl Ddp {
    /// Opens the socket and says nothing yet.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn open(server: &Server) -> Self {
        Self::open_at(&server.socket_url()).await.expect("the server takes the socket")
    }

    /// Opens a socket at an address, or by a request with headers of its own, for tests in which the server may be down or
    /// may refuse it.
    ///
    /// # Errors
    /// When it can't be opened.
    pub async fn open_at(request: impl IntoClientRequest + Unpin) -> Result<Self, Error> {
        let (socket, _) = wait::within("a socket opens", connect_async(request)).await?;
        Ok(Self { socket, backlog: VecDeque::new(), ended: None, last_id: 0 })
    }

    /// As [`Ddp::open_at`], with hardly any room for what is on its way: whoever does not read this socket is soon behind.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn open_narrow(server: &Server, url: &str) -> Self {
        let narrow = TcpSocket::new_v4().expect("a socket");
        narrow.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let stream = narrow.connect(server.address()).await.expect("a connection");
        let shaken = client_async(url, MaybeTlsStream::Plain(stream));
        let (socket, _) = wait::within("a socket opens", shaken).await.expect("the server takes the socket");
        Self { socket, backlog: VecDeque::new(), ended: None, last_id: 0 }
    }

    /// Opens the socket and shakes hands.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn connect(server: &Server) -> Self {
        let mut ddp = Self::open(server).await;
        ddp.shake_hands().await;
        ddp
    }

    /// Sends `connect` and waits for `connected`.
    ///
    /// # Panics
    /// When the server does not take it.
    pub async fn shake_hands(&mut self) {
        self.send(json!({"msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"]})).await;
        let _ = self.expect("connected", |frame| frame["msg"] == "connected").await;
    }

    /// Sends one frame.
    pub async fn send(&mut self, frame: Value) {
        self.send_raw(Message::text(frame.to_string())).await;
    }

    /// Sends whatever a WebSocket can carry. A socket that the server has ended swallows it; the test sees the end
    /// when it next reads.
    pub async fn send_raw(&mut self, message: Message) {
        let _ = wait::within("a frame is sent", self.socket.send(message)).await;
    }

    /// Sends a text as it is, JSON or not.
    pub async fn send_text(&mut self, text: &str) {
        self.send_raw(Message::text(text)).await;
    }

    /// Sends a binary frame.
    pub async fn send_bytes(&mut self, bytes: &[u8]) {
        self.send_raw(Message::binary(bytes.to_vec())).await;
    }

    /// The code with which the server closed, once it has.
    #[must_use]
    pub fn close_code(&self) -> Option<u16> {
        self.ended.as_ref()?.as_ref().map(|frame| u16::from(frame.code))
    }

    /// The next frame the server sends; none when it has ended the socket. The server's pings are answered.
    ///
    /// # Panics
    /// When the server is silent for longer than [`wait::PATIENCE`].
    pub async fn read(&mut self) -> Option<Value> {
        wait::within("a frame comes", self.next_frame()).await
    }

    /// Like [`Ddp::read`], however long it takes.
    pub async fn next_frame(&mut self) -> Option<Value> {
        while self.ended.is_none() {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame =
                        serde_json::from_str(&text).unwrap_or(Value::String(text.as_str().to_owned()));
                    if frame["msg"] != "ping" {
                        return Some(frame);
                    }
                    self.pong(&frame).await;
                }
                Some(Ok(Message::Close(frame))) => self.ended = Some(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.ended = Some(None),
            }
        }
        None
    }

    async fn pong(&mut self, ping: &Value) {
        let mut pong = json!({"msg": "pong"});
        if let Some(id) = ping.get("id") {
            pong["id"] = id.clone();
        }
        self.send(pong).await;
    }

    /// The first frame, kept or coming, that is what the test waits for. Others are kept.
    ///
    /// # Panics
    /// When the socket ends before it comes; `what` says what was awaited.
    pub async fn expect(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        match self.seek(wanted).await {
            Some(frame) => frame,
            None => panic!("the socket ended ({:?}) while waiting for {what}", self.ended),
        }
    }

    /// Like [`Ddp::expect`], for tests in which the server may go down: none when the socket ends first.
    pub async fn seek(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        if let Some(at) = self.backlog.iter().position(&wanted) {
            return self.backlog.remove(at);
        }
        loop {
            let frame = self.read().await?;
            if wanted(&frame) {
                return Some(frame);
            }
            assert!(self.backlog.len() < BACKLOG, "{BACKLOG} frames came that nobody asked for");
            self.backlog.push_back(frame);
        }
    }

    /// Calls a method and waits for its result.
    ///
    /// # Errors
    /// The error the method answered.
    pub async fn method(&mut self, name: &str, params: Value) -> Result<Value, Value> {
        let id = self.start(name, params).await;
        self.result(&id).await
    }

    /// Calls a method without waiting; [`Ddp::result`] waits.
    pub async fn start(&mut self, name: &str, params: Value) -> String {
        let id = self.fresh_id();
        self.send(json!({"msg": "method", "id": id, "method": name, "params": params})).await;
        id
    }

    /// Waits for the result of a call.
    ///
    /// # Errors
    /// The error the method answered.
    pub async fn result(&mut self, id: &str) -> Result<Value, Value> {
        let result = self.result_if_any(id).await;
        result.unwrap_or_else(|| panic!("the socket ended ({:?}) before the result of call {id}", self.ended))
    }

    /// Like [`Ddp::result`], for tests in which the server may go down: none when the socket ends first.
    pub async fn result_if_any(&mut self, id: &str) -> Option<Result<Value, Value>> {
        let mut frame = self.seek(|frame| frame["msg"] == "result" && frame["id"] == id).await?;
        Some(if frame["error"].is_null() { Ok(frame["result"].take()) } else { Err(frame["error"].take()) })
    }

    /// Signs in by token.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn resume(&mut self, token: &str) -> Result<Value, Value> {
        self.method("login", json!([{"resume": token}])).await
    }

    /// Signs in by username and the digest of a password, as current clients do.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn sign_in(&mut self, username: &str, password: &str) -> Result<Value, Value> {
        let password = json!({"digest": digest(password), "algorithm": "sha-256"});
        self.method("login", json!([{"user": {"username": username}, "password": password}])).await
    }

    /// Subscribes and waits for the answer; returns the subscription's id.
    ///
    /// # Errors
    /// The error of a `nosub`.
    pub async fn sub(&mut self, name: &str, params: Value) -> Result<String, Value> {
        let id = self.fresh_id();
        self.send(json!({"msg": "sub", "id": id, "name": name, "params": params})).await;
        let wanted = |frame: &Value| match frame["msg"].as_str() {
            Some("ready") => frame["subs"][0] == id.as_str(),
            Some("nosub") => frame["id"] == id.as_str(),
            _ => false,
        };
        let mut frame = self.expect(&format!("an answer to subscribing {name}"), wanted).await;
        if frame["msg"] == "ready" { Ok(id) } else { Err(frame["error"].take()) }
    }

    /// Subscribes to one key of a stream, as current clients do.
    ///
    /// # Errors
    /// The error of a `nosub`.
    pub async fn stream(&mut self, stream: &str, key: &str) -> Result<String, Value> {
        self.sub(&format!("stream-{stream}"), json!([key, {"useCollection": false, "args": []}])).await
    }

    /// Ends a subscription and waits for the server's word.
    pub async fn unsub(&mut self, id: &str) {
        self.send(json!({"msg": "unsub", "id": id})).await;
        let _ = self
            .expect("the end of a subscription", |frame| frame["msg"] == "nosub" && frame["id"] == id)
            .await;
    }

    /// Waits for the next event of a stream's key and returns its arguments.
    pub async fn event(&mut self, stream: &str, key: &str) -> Value {
        self.event_where(stream, key, |_| true).await
    }

    /// Waits for an event of a stream's key whose arguments are what the test waits for.
    pub async fn event_where(&mut self, stream: &str, key: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let is = |frame: &Value| is_event(frame, stream, key) && wanted(&frame["fields"]["args"]);
        self.expect(&format!("an event {stream} {key}"), is).await["fields"]["args"].take()
    }

    /// Everything the server had to say on this socket before it read our ping has come when this returns.
    pub async fn barrier(&mut self) {
        let id = self.fresh_id();
        self.send(json!({"msg": "ping", "id": id})).await;
        let _ = self.expect("a pong", |frame| frame["msg"] == "pong" && frame["id"] == id.as_str()).await;
    }

    /// Frames that have come and that nobody asked for.
    pub fn kept(&self) -> impl Iterator<Item = &Value> {
        self.backlog.iter()
    }

    /// The arguments of all events of a stream's key that have come and that nobody asked for, taken away.
    pub fn take_events(&mut self, stream: &str, key: &str) -> Vec<Value> {
        let (taken, kept) =
            self.backlog.drain(..).partition::<Vec<_>, _>(|frame| is_event(frame, stream, key));
        self.backlog = kept.into();
        taken.into_iter().map(|mut frame| frame["fields"]["args"].take()).collect()
    }

    /// Reads until the server ends the socket; its close code and reason, none when it just hung up.
    pub async fn until_closed(&mut self) -> Option<(u16, String)> {
        while let Some(frame) = self.read().await {
            self.backlog.push_back(frame);
        }
        let frame = self.ended.clone().flatten()?;
        Some((frame.code.into(), frame.reason.as_str().to_owned()))
    }

    /// Hangs up in an orderly way.
    pub async fn close(mut self) {
        let _ = wait::within("a socket closes", self.socket.close(None)).await;
    }

    fn fresh_id(&mut self) -> String {
        self.last_id += 1;
        self.last_id.to_string()
    }
}

/// The SHA-256 of a password in lower-case hexadecimal, which clients send instead of the password.
#[must_use]
pub fn digest(password: &str) -> String {
    hex::encode(Sha256::digest(password.as_bytes()))
}

fn is_event(frame: &Value, stream: &str, key: &str) -> bool {
    let collection = frame["collection"].as_str().and_then(|name| name.strip_prefix("stream-"));
    frame["msg"] == "changed" && collection == Some(stream) && frame["fields"]["eventName"] == key
}

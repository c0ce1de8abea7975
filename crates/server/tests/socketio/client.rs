//! A Socket.IO client that sees everything as it comes, and a host application that makes people and tickets.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{EncodingKey, Header, encode};
use parlor_testkit::rest::{Answer, answer};
use parlor_testkit::server::Setup;
use parlor_testkit::{Server, wait};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message};

pub const SECRET: &str = "a secret of at least thirty-two bytes";
pub const APP_KEY: &str = "a key of the host application of 32 bytes and more";

/// A server for a host application.
pub fn setup() -> Setup {
    Server::setup().env("PARLOR_JWT_SECRET", SECRET).env("PARLOR_APP_KEY", APP_KEY)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// A token of the host's for this user, with further claims, good for so many seconds (or over since).
pub fn token(id: &str, roles: &[&str], seconds: i64) -> String {
    let name = id.trim_start_matches("u-");
    let claims = json!({
        "sub": id, "preferred_username": name, "name": format!("{} Doe", capital(name)), "roles": roles,
        "vendor_id": "v-9", "exp": now().saturating_add_signed(seconds),
    });
    encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("a token")
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// Calls a path with a user's token, or as the application (`None`).
pub async fn call(
    server: &Server,
    method: Method,
    path: &str,
    by: Option<&str>,
    body: Option<Value>,
) -> Answer {
    let request = server.rest().request(method, path);
    let request = match by {
        Some(token) => request.bearer_auth(token),
        None => request.header("x-app-key", APP_KEY),
    };
    answer(match body {
        Some(body) => request.json(&body),
        None => request,
    })
    .await
}

/// Makes or changes a ticket.
pub async fn put_ticket(server: &Server, id: &str, facts: Value) -> Value {
    let told = call(server, Method::PUT, &format!("/api/tickets/{id}"), None, Some(facts)).await;
    assert!(matches!(told.status, 200 | 201), "{} {}", told.status, told.text());
    told.body["ticket"].clone()
}

/// Makes a private group over the Rocket.Chat surface of people who have been seen.
pub async fn group(server: &Server, owner: &str, name: &str, members: &[&str]) -> String {
    let body = json!({"name": name, "members": members});
    let made = call(server, Method::POST, "/api/v1/groups.create", Some(owner), Some(body)).await.ok();
    made["group"]["_id"].as_str().expect("a room has an id").to_owned()
}

/// A socket over WebSocket.
pub struct Sio {
    ws: WebSocketStream<MaybeTlsStream<TcpStream>>,
    seen: VecDeque<Heard>,
    next: u64,
    /// Why the transport was closed, once it is.
    pub closed_by: Option<u16>,
}

/// What a socket hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    Event(String, Value),
    Ack(u64, Value),
    /// The server ended the conversation.
    Disconnect,
    /// The transport is closed.
    Closed,
}

impl Sio {
    /// A WebSocket that has heard its open packet.
    pub async fn open(server: &Server, query: &str) -> Self {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket{query}", server.address());
        let (ws, _) =
            wait::within("a WebSocket", tokio_tungstenite::connect_async(url)).await.expect("it opens");
        Self::opened(ws).await
    }

    async fn opened(ws: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        let mut socket = Self { ws, seen: VecDeque::new(), next: 0, closed_by: None };
        let open = socket.text().await.expect("an open packet");
        assert!(open.starts_with("0{"), "{open}");
        socket
    }

    /// Enters as this user, with hardly any room for what is on its way: whoever does not read it is soon behind.
    pub async fn narrow(server: &Server, id: &str) -> Self {
        let narrow = TcpSocket::new_v4().expect("a socket");
        narrow.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let stream = MaybeTlsStream::Plain(narrow.connect(server.address()).await.expect("a connection"));
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.address());
        let shaken = wait::within("a WebSocket", tokio_tungstenite::client_async(url, stream));
        let socket = Self::opened(shaken.await.expect("it opens").0).await;
        socket.entered(json!({"token": token(id, &[], 600)})).await.expect("let in")
    }

    /// Enters with this auth; the refusal otherwise.
    pub async fn enter(server: &Server, auth: Value) -> Result<Self, Value> {
        Self::open(server, "").await.entered(auth).await
    }

    async fn entered(mut self, auth: Value) -> Result<Self, Value> {
        self.raw(&format!("40{auth}")).await;
        let answer = self.text().await.expect("an answer to CONNECT");
        if let Some(refused) = answer.strip_prefix("44") {
            return Err(serde_json::from_str(refused).expect("JSON"));
        }
        assert!(answer.starts_with("40{\"sid\":"), "{answer}");
        Ok(self)
    }

    /// Enters as this user.
    pub async fn of(server: &Server, id: &str, roles: &[&str]) -> Self {
        let mut socket = Self::enter(server, json!({"token": token(id, roles, 600)})).await.expect("let in");
        let hello = socket.event("connected").await;
        assert_eq!((&hello["user_id"], &hello["userId"]), (&json!(id), &json!(id)));
        socket
    }

    pub async fn raw(&mut self, text: &str) {
        // A server that has hung up shows when it is read.
        let _ = self.ws.send(Message::text(text.to_owned())).await;
    }

    pub async fn binary(&mut self, bytes: &[u8]) {
        self.ws.send(Message::binary(bytes.to_vec())).await.expect("it is taken");
    }

    /// The next text, pings answered and left out; `None` at the end.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            match wait::within("something on the socket", self.ws.next()).await {
                Some(Ok(Message::Text(text))) if text == "2" => self.raw("3").await,
                Some(Ok(Message::Text(text))) => return Some(text.to_string()),
                Some(Ok(Message::Close(why))) => {
                    self.closed_by = why.map(|why| why.code.into());
                    return None;
                }
                Some(Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// What comes next; that everybody is put into the first channel is no part of what is told here.
    async fn hear(&mut self) -> Heard {
        loop {
            match self.hear_anything().await {
                Heard::Event(_, payload) if payload["room_id"] == "GENERAL" => {}
                heard => return heard,
            }
        }
    }

    /// What comes next, of the first channel too.
    pub async fn hear_anything(&mut self) -> Heard {
        let Some(text) = self.text().await else { return Heard::Closed };
        if text == "41" {
            return Heard::Disconnect;
        }
        if let Some(event) = text.strip_prefix("42") {
            let mut event: Vec<Value> = serde_json::from_str(event).expect("an event is a list");
            let payload = event.pop().expect("a payload");
            return Heard::Event(event[0].as_str().expect("a name").to_owned(), payload);
        }
        let ack = text.strip_prefix("43").unwrap_or_else(|| panic!("unexpected: {text}"));
        let digits = ack.find('[').expect("a list");
        let mut list: Vec<Value> = serde_json::from_str(&ack[digits..]).expect("a list");
        Heard::Ack(ack[..digits].parse().expect("an id"), list.pop().expect("one value"))
    }

    /// The next thing, whatever it is.
    pub async fn next(&mut self) -> Heard {
        match self.seen.pop_front() {
            Some(heard) => heard,
            None => self.hear().await,
        }
    }

    /// The next event, which must have this name.
    pub async fn next_event(&mut self, name: &str) -> Value {
        match self.next().await {
            Heard::Event(heard, payload) if heard == name => payload,
            other => panic!("expected {name}, heard {other:?}"),
        }
    }

    /// The first event of this name; others stay.
    pub async fn event(&mut self, name: &str) -> Value {
        self.find(|heard| matches!(heard, Heard::Event(n, _) if n == name)).await.1
    }

    async fn find(&mut self, wanted: impl Fn(&Heard) -> bool) -> (String, Value) {
        let mut at = 0;
        loop {
            if at == self.seen.len() {
                let heard = self.hear().await;
                assert_ne!(heard, Heard::Closed, "the socket ended; heard before: {:?}", self.seen);
                self.seen.push_back(heard);
            }
            if wanted(&self.seen[at]) {
                return match self.seen.remove(at) {
                    Some(Heard::Event(name, payload)) => (name, payload),
                    Some(Heard::Ack(_, payload)) => (String::new(), payload),
                    _ => (String::new(), Value::Null),
                };
            }
            at += 1;
        }
    }

    /// Emits and does not wait; the id of the ack.
    pub async fn emit(&mut self, event: &str, payload: Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.raw(&format!("42{id}{}", json!([event, payload]))).await;
        id
    }

    /// Emits and waits for the ack; what came before stays.
    pub async fn ask(&mut self, event: &str, payload: Value) -> Value {
        let id = self.emit(event, payload).await;
        self.find(|heard| matches!(heard, Heard::Ack(n, _) if *n == id)).await.1
    }

    /// Asks, and is granted.
    pub async fn grant(&mut self, event: &str, payload: Value) -> Value {
        let ack = self.ask(event, payload).await;
        assert_eq!(ack["success"], true, "{event}: {ack}");
        ack
    }

    /// Asks, and is refused with this code: by an `error` event and by the ack.
    pub async fn refused(&mut self, event: &str, payload: Value, code: &str) -> Value {
        let ack = self.ask(event, payload.clone()).await;
        assert_eq!(
            (&ack["success"], &ack["error"]),
            (&json!(false), &json!(code)),
            "{event} {payload}: {ack}"
        );
        let error = self.event("error").await;
        assert_eq!((&error["type"], &error["code"]), (&json!(code), &json!(code)));
        assert_eq!(error["message"], ack["message"]);
        error
    }

    /// The names of whatever came and was not asked for, up to an answer to a question of its own.
    pub async fn rest(&mut self) -> Vec<String> {
        let names = self.everything().await.into_iter().map(|heard| match heard {
            Heard::Event(name, _) => name,
            other => format!("{other:?}"),
        });
        names.collect()
    }

    /// As [`Sio::rest`], with what it says.
    pub async fn everything(&mut self) -> Vec<Heard> {
        self.ask("leave_room", json!({"room_id": "nowhere"})).await;
        let _ = self.event("room_left").await;
        self.seen.drain(..).collect()
    }

    /// Waits for the end and tells whether it was one for good.
    pub async fn ended(&mut self) -> bool {
        let mut for_good = false;
        loop {
            match self.next().await {
                Heard::Disconnect => for_good = true,
                Heard::Closed => return for_good,
                _ => {}
            }
        }
    }
}

/// A client that only polls.
pub struct Poller {
    server: parlor_testkit::Rest,
    pub sid: String,
}

impl Poller {
    /// Opens a session.
    pub async fn open(server: &Server) -> Self {
        let rest = server.rest();
        let opened = rest.get("/socket.io/?EIO=4&transport=polling", &[]).await;
        assert_eq!(opened.status, 200, "{}", opened.text());
        let text = opened.text();
        let open: Value =
            serde_json::from_str(text.strip_prefix('0').expect("an open packet")).expect("JSON");
        Self { server: rest, sid: open["sid"].as_str().expect("a sid").to_owned() }
    }

    fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    pub async fn get(&self) -> Answer {
        self.server.get(&self.path(), &[]).await
    }

    pub async fn post(&self, body: impl Into<String>) -> Answer {
        let request = self.server.request(Method::POST, &self.path()).header("content-type", "text/plain");
        answer(request.body(body.into())).await
    }

    /// The packets of polls, until one of them begins like this (pings answered); all that came.
    pub async fn until(&self, beginning: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let polled = self.get().await;
            assert_eq!(polled.status, 200, "{}", polled.text());
            all.extend(polled.text().split('\u{1e}').map(str::to_owned));
            if all.iter().any(|packet| packet.starts_with(beginning)) {
                return all;
            }
        }
    }

    /// Enters as this user.
    pub async fn enter(server: &Server, id: &str) -> Self {
        let poller = Self::open(server).await;
        let entered = poller.post(format!("40{}", json!({"token": token(id, &[], 600)}))).await;
        assert_eq!(entered.text(), "ok");
        poller.until("42[\"connected\"").await;
        poller
    }
}

/// A WebSocket for a session that polls.
pub struct Upgrading(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Upgrading {
    pub async fn open(server: &Server, sid: &str) -> Self {
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket&sid={sid}", server.address());
        Self(tokio_tungstenite::connect_async(url).await.expect("it opens").0)
    }

    pub async fn say(&mut self, text: &str) {
        let message = Message::text(text.to_owned());
        self.0.send(message).await.expect("it is taken");
    }

    pub async fn hear(&mut self) -> String {
        loop {
            let heard = wait::within("a frame", self.0.next()).await;
            let text = heard.expect("it is open").expect("a frame").into_text().expect("text");
            if text == "2" {
                self.say("3").await;
            } else {
                return text.to_string();
            }
        }
    }
}

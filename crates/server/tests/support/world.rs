//! Field staff, the control centre, and whoever is neither, with sockets and REST clients.

use parlor_testkit::{Ddp, HostApp, HostPerson, Server};
use serde_json::{Value, json};

/// Who there is.
pub struct World {
    pub server: Server,
    pub driver: HostPerson,
    pub regulator: HostPerson,
    pub control: HostPerson,
    pub second: HostPerson,
    pub outsider: HostPerson,
}

impl World {
    pub async fn assemble() -> Self {
        Self::on(HostApp::setup().start().await).await
    }

    pub async fn on(server: Server) -> Self {
        let person = async |id: &str, role: &str| HostApp::person(&server, id, &[role]).await;
        Self {
            driver: person("u-driver", "BUS_DRIVER").await,
            regulator: person("u-regulator", "QUEUE_REGULATOR").await,
            control: person("u-control", "CONTROL_STAFF").await,
            second: person("u-second", "CONTROL_ADMIN").await,
            outsider: person("u-outsider", "USER").await,
            server,
        }
    }

    /// A socket of this person, greeted.
    pub async fn socket(&self, who: &HostPerson) -> Socket {
        let mut socket = Socket::open(&self.server, &format!("?token={}", who.token)).await;
        socket.hello = socket.event("connected").await;
        socket
    }

    /// A new case of the driver's, with its first message.
    pub async fn case(&self, title: &str) -> String {
        let body = json!({"title": title, "content": "the first words"});
        let made = self.driver.rest.post("/api/conversations/create", body).await.expect(201);
        text(&made["conversation"]["id"])
    }
}

/// A text in an answer.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A socket of the contract.
pub struct Socket {
    wire: Ddp,
    kept: Vec<Value>,
    next: u64,
    pub hello: Value,
}

impl Socket {
    pub async fn open(server: &Server, query: &str) -> Self {
        let url = format!("ws://{}/api/websocket/connect{query}", server.address());
        Self::over(Ddp::open_at(&url).await.expect("the server takes the socket"))
    }

    /// What such a socket carries.
    pub fn over(wire: Ddp) -> Self {
        Self { wire, kept: Vec::new(), next: 0, hello: Value::Null }
    }

    pub async fn send(&mut self, frame: Value) {
        self.wire.send(frame).await;
    }

    pub fn wire(&mut self) -> &mut Ddp {
        &mut self.wire
    }

    /// The first frame, kept or coming, that is wanted.
    pub async fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.kept.iter().position(&wanted) {
            return self.kept.remove(at);
        }
        loop {
            match self.wire.read().await {
                Some(frame) if wanted(&frame) => return frame,
                Some(frame) => self.kept.push(frame),
                None => {
                    let code = self.wire.close_code();
                    panic!("the socket ended ({code:?}) while waiting for {what}; kept: {:?}", self.kept)
                }
            }
        }
    }

    /// An event of this type.
    pub async fn event(&mut self, kind: &str) -> Value {
        self.wait(kind, |frame| frame["type"] == kind).await
    }

    /// Asks and waits for the answer, whatever it is.
    pub async fn ask(&mut self, kind: &str, data: Value) -> Value {
        self.next += 1;
        let id = format!("r{}", self.next);
        self.send(json!({"type": kind, "data": data, "request_id": id})).await;
        let answer = self.wait(kind, |frame| frame["request_id"] == id.as_str()).await;
        assert!(answer["timestamp"].is_string(), "{answer}");
        answer
    }

    /// Asks for something that is granted.
    pub async fn done(&mut self, kind: &str, data: Value) -> Value {
        let answer = self.ask(kind, data).await;
        assert_eq!(answer["type"], format!("{kind}_success").as_str(), "{answer}");
        answer
    }

    /// Asks for something that is refused with this code.
    pub async fn refused(&mut self, kind: &str, data: Value, code: &str) -> Value {
        let answer = self.ask(kind, data).await;
        assert_eq!(answer["type"], format!("{kind}_error").as_str(), "{answer}");
        assert_eq!(answer["error"], code, "{answer}");
        assert!(answer["message"].is_string(), "{answer}");
        answer
    }

    /// Everything that came up to now and was not asked for.
    pub async fn rest(&mut self) -> Vec<Value> {
        self.next += 1;
        let id = format!("fence{}", self.next);
        self.send(json!({"type": "ping", "request_id": id})).await;
        let _ = self.wait("pong", |frame| frame["request_id"] == id.as_str()).await;
        std::mem::take(&mut self.kept)
    }

    /// Asserts that no event of this type is among what came.
    pub async fn heard_no(&mut self, kind: &str) {
        let rest = self.rest().await;
        assert!(rest.iter().all(|frame| frame["type"] != kind), "{rest:?}");
    }

    /// Reads to the end; the close code and the frames before it.
    pub async fn end(&mut self) -> (u16, Vec<Value>) {
        while let Some(frame) = self.wire.read().await {
            self.kept.push(frame);
        }
        let code = self.wire.close_code().unwrap_or_default();
        (code, std::mem::take(&mut self.kept))
    }
}

//! Server-sent events by a plain socket, as a browser's `EventSource` reads them.

use std::collections::VecDeque;
use std::net::SocketAddr;

use parlor_testkit::{Server, wait};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// `message` when it has none of its own.
    pub name: String,
    pub id: Option<String>,
    pub data: Value,
}

/// An open stream.
pub struct Stream {
    socket: TcpStream,
    /// What came and is no whole chunk yet.
    raw: Vec<u8>,
    /// What came and is no whole event yet.
    text: String,
    events: VecDeque<Event>,
    pub status: u16,
    pub head: String,
    /// Milliseconds, as the stream asked.
    pub retry: Option<u64>,
    /// Comments so far.
    pub comments: usize,
    over: bool,
    in_order: bool,
    /// The id of the last event that was handed out.
    pub last_id: Option<String>,
}

impl Stream {
    /// Opens a stream; its answer's head is read.
    pub async fn open(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        Self::open_at(server.address(), path, headers).await
    }

    /// As [`Stream::open`], by the server's address.
    pub async fn open_at(address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let socket = TcpStream::connect(address).await.expect("a connection");
        Self::begin(socket, address, path, headers).await
    }

    /// As [`Stream::open`], with hardly any room for what is on its way: whoever does not read it is soon behind.
    pub async fn open_narrow(server: &Server, path: &str, headers: &[(&str, &str)]) -> Self {
        let narrow = TcpSocket::new_v4().expect("a socket");
        narrow.set_recv_buffer_size(16 * 1024).expect("a small buffer");
        let socket = narrow.connect(server.address()).await.expect("a connection");
        Self::begin(socket, server.address(), path, headers).await
    }

    async fn begin(mut socket: TcpStream, address: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !headers.iter().any(|(name, _)| *name == "accept") {
            request.push_str("accept: text/event-stream\r\n");
        }
        request.push_str("\r\n");
        socket.write_all(request.as_bytes()).await.expect("the request is sent");
        let mut raw = Vec::new();
        let end = loop {
            if let Some(end) = raw.windows(4).position(|w| w == b"\r\n\r\n") {
                break end;
            }
            let mut piece = [0; 4096];
            let got = wait::within("the answer's head", socket.read(&mut piece)).await.expect("an answer");
            assert!(got > 0, "the connection ended before the answer's head");
            raw.extend_from_slice(&piece[..got]);
        };
        let head = String::from_utf8_lossy(&raw[..end]).to_lowercase();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        raw.drain(..end + 4);
        Self {
            socket,
            raw,
            text: String::new(),
            events: VecDeque::new(),
            status,
            head,
            retry: None,
            comments: 0,
            over: false,
            in_order: false,
            last_id: None,
        }
    }

    /// The next event.
    pub async fn event(&mut self) -> Event {
        wait::within("an event", self.next()).await.expect("the stream goes on")
    }

    /// The next message, whatever else comes before it.
    pub async fn message(&mut self) -> Event {
        self.named("message").await
    }

    /// The next event of this name; others are passed over.
    pub async fn named(&mut self, name: &str) -> Event {
        loop {
            let event = self.event().await;
            if event.name == name {
                return event;
            }
        }
    }

    /// Waits for a comment more than there were.
    pub async fn comment(&mut self) {
        let before = self.comments;
        let read = async {
            while self.comments == before && !self.over {
                self.read().await;
            }
        };
        wait::within("a comment", read).await;
        assert!(self.comments > before, "the stream goes on");
    }

    /// Whether its end was told as such, rather than the connection cut; known once it is over.
    pub fn ended_in_order(&self) -> bool {
        self.in_order
    }

    /// Whether the stream ends before another event.
    pub async fn ends(&mut self) -> bool {
        wait::within("the end of the stream", self.next()).await.is_none()
    }

    /// The next event; `None` at the end.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                self.last_id = event.id.clone().or(self.last_id.take());
                return Some(event);
            }
            if self.over {
                return None;
            }
            self.read().await;
        }
    }

    async fn read(&mut self) {
        let mut piece = [0; 16 * 1024];
        let got = self.socket.read(&mut piece).await.unwrap_or(0);
        if got == 0 {
            self.over = true;
        }
        self.raw.extend_from_slice(&piece[..got]);
        self.unchunk();
        self.split();
    }

    fn unchunk(&mut self) {
        while let Some(line) = self.raw.windows(2).position(|w| w == b"\r\n") {
            let size = String::from_utf8_lossy(&self.raw[..line]).trim().to_owned();
            let size = usize::from_str_radix(&size, 16).expect("a chunk's size");
            if self.raw.len() < line + 2 + size + 2 {
                return;
            }
            self.text.push_str(std::str::from_utf8(&self.raw[line + 2..line + 2 + size]).expect("UTF-8"));
            self.raw.drain(..line + 2 + size + 2);
            if size == 0 {
                (self.over, self.in_order) = (true, true);
                return;
            }
        }
    }

    fn split(&mut self) {
        while let Some(end) = self.text.find("\n\n") {
            let block: String = self.text.drain(..end + 2).collect();
            let (mut name, mut id, mut data) = ("message".to_owned(), None, Vec::new());
            for line in block.lines().filter(|line| !line.is_empty()) {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "" => self.comments += 1,
                    "event" => name = value.to_owned(),
                    "id" => id = Some(value.to_owned()),
                    "data" => data.push(value.to_owned()),
                    "retry" => self.retry = value.parse().ok(),
                    other => panic!("no field of a stream: {other}"),
                }
            }
            assert!(data.len() <= 1, "one line of data an event");
            if let Some(data) = data.pop() {
                let data = serde_json::from_str(&data).expect("JSON");
                self.events.push_back(Event { name, id, data });
            }
        }
    }
}

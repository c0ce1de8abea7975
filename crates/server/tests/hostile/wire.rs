//! Bytes on a socket, as broken as a test likes, and what is answered.

use parlor_testkit::{Server, wait};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection of HTTP, perhaps upgraded.
pub struct Wire {
    pub stream: TcpStream,
    seen: Vec<u8>,
}

/// One answer.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Told {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Wire {
    pub async fn open(server: &Server) -> Self {
        let stream = wait::within("a connection", TcpStream::connect(server.address())).await;
        Self { stream: stream.expect("the server listens"), seen: Vec::new() }
    }

    /// A server that has hung up shows when it is read.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = wait::within("bytes are taken", self.stream.write_all(bytes.as_ref())).await;
    }

    /// Reads more; `false` at the end.
    async fn more(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        // A reset is an end, too.
        let got = wait::within("an answer or the end", self.stream.read(&mut piece)).await.unwrap_or(0);
        self.seen.extend_from_slice(&piece[..got]);
        got > 0
    }

    async fn at_least(&mut self, size: usize) -> bool {
        while self.seen.len() < size {
            if !self.more().await {
                return false;
            }
        }
        true
    }

    /// Bytes up to and with this mark.
    async fn until(&mut self, mark: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.seen.windows(mark.len()).position(|window| window == mark) {
                return Some(self.seen.drain(..at + mark.len()).collect());
            }
            if !self.more().await {
                return None;
            }
        }
    }

    async fn take(&mut self, size: usize) -> Option<Vec<u8>> {
        self.at_least(size).await.then(|| self.seen.drain(..size).collect())
    }

    /// The next answer; `None` when the server has hung up.
    pub async fn told(&mut self) -> Option<Told> {
        let head = self.until(b"\r\n\r\n").await?;
        let head = String::from_utf8_lossy(&head).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
        let of = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let body = if of("transfer-encoding").is_some() {
            self.chunks().await?
        } else {
            let size = of("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
            self.take(size).await?
        };
        Some(Told { status, body })
    }

    async fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n").await?;
            let size = String::from_utf8_lossy(&line).trim().to_owned();
            let size = usize::from_str_radix(&size, 16).expect("a chunk's size");
            let piece = self.take(size + 2).await?;
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&piece[..size]);
        }
    }

    /// All answers until the server hangs up.
    pub async fn all_told(&mut self) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.told().await {
            all.push(told);
        }
        all
    }

    /// Asks for a WebSocket and returns the status.
    pub async fn upgrade(&mut self, path: &str) -> u16 {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
        ))
        .await;
        self.told().await.expect("an answer to the handshake").status
    }

    /// A connection that has become a WebSocket.
    pub async fn socket(server: &Server, path: &str) -> Self {
        let mut wire = Self::open(server).await;
        assert_eq!(wire.upgrade(path).await, 101, "{path}");
        wire
    }

    /// The server's next frame: opcode and payload; `None` at the end.
    pub async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.take(2).await?;
        let size = match head[1] {
            126 => self.take(2).await?.iter().fold(0, |size, byte| size << 8 | usize::from(*byte)),
            127 => self.take(8).await?.iter().fold(0, |size, byte| size << 8 | usize::from(*byte)),
            short => usize::from(short),
        };
        Some((head[0] & 0x0f, self.take(size).await?))
    }

    /// The next text; pings and pongs are passed over. `None` at the end, or at a close.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            match self.frame().await? {
                (1, payload) => return Some(String::from_utf8(payload).expect("UTF-8")),
                (8, _) => return None,
                _ => {}
            }
        }
    }

    /// Code and reason of the close that the server sends, whatever comes before it; none when it just hangs up.
    pub async fn closed(&mut self) -> Option<(u16, String)> {
        loop {
            let (opcode, payload) = self.frame().await?;
            if opcode == 8 {
                let (code, reason) = payload.split_first_chunk::<2>()?;
                return Some((u16::from_be_bytes(*code), String::from_utf8_lossy(reason).into_owned()));
            }
        }
    }
}

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A client's frame: its first byte as it is given, masked, in its shortest form.
pub fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = head(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The beginning of a client's frame that says how long it is.
pub fn head(first: u8, size: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match size {
        0..126 => bytes.push(0x80 | size as u8),
        126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend((size as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend(size.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A text in one frame.
pub fn text(payload: impl AsRef<[u8]>) -> Vec<u8> {
    frame(0x81, payload)
}

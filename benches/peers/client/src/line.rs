//! Sockets that speak just enough: an upgrade, CONNECT, a join, sends; and count what comes.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use memchr::memmem::{self, Finder};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::Fault;

/// A text that every message carries.
const WORDS: &str = "The quick brown fox jumps over the lazy dog while the others look on and take notes of it.";

struct Line {
    stream: TcpStream,
    upgraded: bool,
    token: String,
    ticket: String,
    joined: bool,
    input: Vec<u8>,
    output: Vec<u8>,
}

/// All sockets of a run, on one thread.
pub struct Pool {
    poll: Poll,
    events: Events,
    lines: Vec<Line>,
    server: SocketAddr,
    scratch: Vec<u8>,
    joined: usize,
    acked: Vec<usize>,
    /// Sends acknowledged.
    pub acks: usize,
    /// Messages heard, by all sockets together.
    pub messages: usize,
    heard: Instant,
}

impl Pool {
    pub fn new(server: SocketAddr) -> Result<Self, Fault> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            lines: Vec::new(),
            server,
            scratch: vec![0; 256 * 1024],
            joined: 0,
            acked: Vec::new(),
            acks: 0,
            messages: 0,
            heard: Instant::now(),
        })
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Sockets that have joined and read the history.
    pub fn joined(&self) -> usize {
        self.joined
    }

    /// The socket of each acknowledgement since the last time.
    pub fn take_acked(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.acked)
    }

    pub fn open(&mut self, token: &str, ticket: &str) -> Result<(), Fault> {
        let mut stream = TcpStream::connect(self.server)?;
        let number = self.lines.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest)?;
        // Each has an address of its own, as behind a proxy: a server's share for one address is not what is measured.
        let [_, a, b, c] = (number as u32).to_be_bytes();
        let output = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             X-Forwarded-For: 10.{a}.{b}.{c}\r\n\r\n"
        );
        self.lines.push(Line {
            stream,
            upgraded: false,
            token: token.to_owned(),
            ticket: ticket.to_owned(),
            joined: false,
            input: Vec::new(),
            output: output.into_bytes(),
        });
        Ok(())
    }

    /// Sends a message on one socket, with an ack.
    pub fn say(&mut self, line: usize, ticket: &str) {
        let event = format!(r#"427["send_message",{{"ticketId":"{ticket}","message":"{WORDS}"}}]"#);
        let line = &mut self.lines[line];
        text(&mut line.output, event.as_bytes());
        // A socket that has closed shows when it is read.
        let _ = line.flush();
    }

    /// Turns until nothing has come for a second.
    pub fn settle(&mut self) -> Result<(), Fault> {
        while self.heard.elapsed() < Duration::from_secs(1) {
            self.turn(Duration::from_millis(100))?;
        }
        Ok(())
    }

    /// Waits for whatever comes first and handles all that has come.
    pub fn turn(&mut self, patience: Duration) -> Result<(), Fault> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        if !self.events.is_empty() {
            self.heard = Instant::now();
        } else if self.heard.elapsed() > Duration::from_secs(30) {
            return Err("the server has said nothing for long".into());
        }
        let numbers: Vec<(usize, bool)> = self.events.iter().map(|e| (e.token().0, e.is_readable())).collect();
        for (number, readable) in numbers {
            if readable {
                self.read(number)?;
            }
            self.lines[number].flush()?;
        }
        Ok(())
    }

    fn read(&mut self, number: usize) -> Result<(), Fault> {
        loop {
            let line = &mut self.lines[number];
            let size = match line.stream.read(&mut self.scratch) {
                Ok(0) => return Err(format!("the server closed socket {number}").into()),
                Ok(size) => size,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let mut input = std::mem::take(&mut line.input);
            input.extend_from_slice(&self.scratch[..size]);
            let used = self.handle(number, &input)?;
            input.drain(..used);
            if !input.is_empty() {
                self.lines[number].input = input;
            }
            if size < self.scratch.len() {
                return Ok(());
            }
        }
    }

    fn handle(&mut self, number: usize, bytes: &[u8]) -> Result<usize, Fault> {
        let mut used = 0;
        if !self.lines[number].upgraded {
            let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return Ok(0) };
            if !bytes.starts_with(b"HTTP/1.1 101") {
                return Err(String::from_utf8_lossy(&bytes[..end]).into_owned().into());
            }
            used = end + 4;
            self.lines[number].upgraded = true;
        }
        while let Some((opcode, payload, length)) = frame(&bytes[used..]) {
            used += length;
            match opcode {
                1 => self.heard(number, payload)?,
                8 => return Err(format!("the server closed socket {number}").into()),
                _ => {}
            }
        }
        Ok(used)
    }

    fn heard(&mut self, number: usize, packet: &[u8]) -> Result<(), Fault> {
        let line = &mut self.lines[number];
        if packet.starts_with(b"42[\"new_message\"") {
            self.messages += 1;
        } else if packet.starts_with(b"437[") {
            if Finder::new("\"success\":true").find(packet).is_none() {
                return Err(String::from_utf8_lossy(packet).into_owned().into());
            }
            self.acks += 1;
            self.acked.push(number);
        } else if packet.starts_with(b"431[") {
            line.joined = true;
            self.joined += 1;
        } else if packet == b"2" {
            text(&mut line.output, b"3");
        } else if packet.starts_with(b"0{") {
            let connect = format!(r#"40{{"token":"{}"}}"#, line.token);
            text(&mut line.output, connect.as_bytes());
        } else if packet.starts_with(b"40") {
            let join = format!(r#"421["join_ticket",{{"ticketId":"{}"}}]"#, line.ticket);
            text(&mut line.output, join.as_bytes());
        } else if packet.starts_with(b"44") || packet.starts_with(b"42[\"error\"") {
            return Err(String::from_utf8_lossy(packet).into_owned().into());
        }
        Ok(())
    }
}

impl Line {
    fn flush(&mut self) -> Result<(), Fault> {
        let mut sent = 0;
        while sent < self.output.len() {
            match self.stream.write(&self.output[sent..]) {
                Ok(size) => sent += size,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => break,
                Err(error) => return Err(error.into()),
            }
        }
        self.output.drain(..sent);
        Ok(())
    }
}

/// Adds a text frame with a mask of zeros.
fn text(out: &mut Vec<u8>, payload: &[u8]) {
    out.push(0x81);
    match payload.len() {
        short @ ..126 => out.push(0x80 | short as u8),
        long => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(long as u16).to_be_bytes());
        }
    }
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(payload);
}

/// The first frame: opcode, payload, length.
fn frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (header, length) = match second & 0x7f {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let end = header + usize::try_from(length).ok()?;
    Some((first & 0x0f, bytes.get(header..end)?, end))
}

/// Seconds of processor time that a process has used.
pub fn cpu(pid: u32) -> Result<f64, Fault> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after = stat.rsplit(')').next().ok_or("no stat")?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
    Ok(ticks / 100.0)
}

/// Resident bytes of a process.
pub fn rss(pid: u32) -> Result<f64, Fault> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: f64 = statm.split_whitespace().nth(1).ok_or("no statm")?.parse()?;
    Ok(pages * 4096.0)
}

//! Many sockets on one thread.

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::wire;

/// Bytes read at once.
const READ: usize = 256 * 1024;
/// Sockets told of at once.
const EVENTS: usize = 1_024;
/// How long a run may hear nothing at all before it is given up.
const SILENCE: Duration = Duration::from_secs(20);

/// A socket and what is under way on it.
struct Line {
    stream: TcpStream,
    upgraded: bool,
    /// The beginning of a frame.
    input: Vec<u8>,
    /// What the socket did not take yet.
    output: Vec<u8>,
}

/// The sockets of one phase. Dropping it closes them.
pub struct Pool {
    poll: Poll,
    events: Events,
    lines: HashMap<usize, Line>,
    next: usize,
    server: SocketAddr,
    scratch: Vec<u8>,
    heard: Instant,
}

/// What a phase does with what its sockets hear; what it adds to `out` is sent on the same socket.
pub trait Hears {
    /// A socket is open: whatever is to be said first.
    fn opened(&mut self, line: usize, out: &mut Vec<u8>);
    /// A text has come.
    fn heard(&mut self, line: usize, text: &[u8], out: &mut Vec<u8>) -> Result<()>;
}

impl Pool {
    /// No sockets yet.
    pub fn new(server: SocketAddr) -> Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS),
            lines: HashMap::new(),
            next: 0,
            server,
            scratch: vec![0; READ],
            heard: Instant::now(),
        })
    }

    /// Opens one more socket; its number.
    pub fn open(&mut self) -> Result<usize> {
        let mut stream = TcpStream::connect(self.server).context("can't connect")?;
        let line = self.next;
        self.next += 1;
        // Edges only: a socket that stays writable is told of once.
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(line), interest)?;
        let output = wire::upgrade(u32::try_from(line).unwrap_or(u32::MAX));
        self.lines.insert(line, Line { stream, upgraded: false, input: Vec::new(), output });
        Ok(line)
    }

    /// Sends on one socket, outside its turn.
    pub fn send(&mut self, line: usize, bytes: &[u8]) -> Result<()> {
        let line = self.lines.get_mut(&line).context("a socket that was never opened")?;
        line.output.extend_from_slice(bytes);
        line.flush()
    }

    /// Waits for whatever comes first and handles all that has come; fails when nothing came for long.
    pub fn turn(&mut self, patience: Duration, hears: &mut impl Hears) -> Result<()> {
        match self.poll.poll(&mut self.events, Some(patience)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        let now = Instant::now();
        if !self.events.is_empty() {
            self.heard = now;
        } else if now.duration_since(self.heard) > SILENCE {
            bail!("the server has said nothing for {SILENCE:?}");
        }
        for event in &self.events {
            let Token(number) = event.token();
            let Some(line) = self.lines.get_mut(&number) else { continue };
            if event.is_readable() {
                line.read(number, &mut self.scratch, hears)?;
            }
            line.flush()?;
        }
        Ok(())
    }

    /// Turns until `done` says so.
    pub fn turn_until<H: Hears>(&mut self, hears: &mut H, done: impl Fn(&H) -> bool) -> Result<()> {
        self.heard = Instant::now();
        while !done(hears) {
            self.turn(Duration::from_millis(100), hears)?;
        }
        Ok(())
    }
}

impl Line {
    fn read(&mut self, number: usize, scratch: &mut [u8], hears: &mut impl Hears) -> Result<()> {
        loop {
            let size = match self.stream.read(scratch) {
                Ok(0) => bail!("the server closed socket {number}"),
                Ok(size) => size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error).context("reading from the server"),
            };
            if self.input.is_empty() {
                let used = self.handle(number, &scratch[..size], hears)?;
                self.input.extend_from_slice(&scratch[used..size]);
            } else {
                let mut input = std::mem::take(&mut self.input);
                input.extend_from_slice(&scratch[..size]);
                let used = self.handle(number, &input, hears)?;
                input.drain(..used);
                if !input.is_empty() {
                    self.input = input;
                }
            }
            // A read that was not filled has emptied the socket.
            if size < scratch.len() {
                return Ok(());
            }
        }
    }

    fn handle(&mut self, number: usize, bytes: &[u8], hears: &mut impl Hears) -> Result<usize> {
        const TEXT: u8 = 1;
        let mut used = 0;
        if !self.upgraded {
            match wire::upgraded(bytes) {
                Err(said) => bail!("the server refused socket {number}: {said}"),
                Ok(None) => return Ok(0),
                Ok(Some(end)) => used = end,
            }
            self.upgraded = true;
            hears.opened(number, &mut self.output);
        }
        while let Some((opcode, payload, length)) = wire::frame(&bytes[used..]) {
            used += length;
            match opcode {
                TEXT if payload == br#"{"msg":"ping"}"# => {
                    wire::text(&mut self.output, br#"{"msg":"pong"}"#);
                }
                TEXT => hears.heard(number, payload, &mut self.output)?,
                8 => bail!("the server closed socket {number}: {}", String::from_utf8_lossy(payload)),
                _ => {}
            }
        }
        Ok(used)
    }

    fn flush(&mut self) -> Result<()> {
        let mut sent = 0;
        while sent < self.output.len() {
            match self.stream.write(&self.output[sent..]) {
                Ok(size) => sent += size,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                    break;
                }
                Err(error) => return Err(error).context("writing to the server"),
            }
        }
        self.output.drain(..sent);
        if self.output.is_empty() {
            self.output = Vec::new();
        }
        Ok(())
    }
}

//! What a connection reads.

use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::drive::Connection;
use super::scratch::Drained;
use super::{Session, scratch};
use crate::close::Closed;
use crate::outbox::Class;
use crate::ws::{Incoming, frame_pong};

impl<IO: AsyncRead + AsyncWrite + Unpin, S: Session> Connection<IO, S> {
    /// Handles what was kept, or reads once; nothing while the next request has to wait.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, drained: Drained) -> Result<bool, Closed> {
        // Where the socket took all there was there is room.
        if self.is_busy() || (drained.blocked && !self.has_room()) {
            return Ok(false);
        }
        if !self.input.is_empty() && !self.starved {
            let mut input = std::mem::take(&mut self.input);
            let used = self.handle(&mut input)?;
            input.drain(..used);
            self.keep(input);
            return Ok(true);
        }
        scratch::lend(|buffer| match scratch::read(&mut self.io, cx, buffer) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0) | Err(_)) => Err(Closed::Gone),
            Poll::Ready(Ok(size)) => self.take_in(&mut buffer[..size]).map(|()| true),
        })
    }

    fn take_in(&mut self, bytes: &mut [u8]) -> Result<(), Closed> {
        if !self.door().options.steady {
            self.heard = Instant::now();
        }
        self.pinged = None;
        self.door().metrics.bytes_in.add(bytes.len() as u64);
        if self.input.is_empty() {
            let used = self.handle(bytes)?;
            self.input.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut input = std::mem::take(&mut self.input);
        input.extend_from_slice(bytes);
        let used = self.handle(&mut input)?;
        input.drain(..used);
        self.keep(input);
        Ok(())
    }

    /// Keeps what is left, but no memory for nothing.
    fn keep(&mut self, input: Vec<u8>) {
        if !input.is_empty() {
            self.input = input;
        }
    }

    /// Handles complete frames at the front of `bytes`, as many as may start now; returns their length.
    fn handle(&mut self, bytes: &mut [u8]) -> Result<usize, Closed> {
        let mut used = 0;
        self.starved = false;
        while !self.paused() {
            let Some((size, incoming)) = self.decoder.step(&mut bytes[used..]).map_err(Closed::Broken)?
            else {
                self.starved = true;
                break;
            };
            used += size;
            let step = match incoming {
                Incoming::Text(text) => self.session.text(text),
                Incoming::Binary(bytes) => self.session.binary(bytes),
                Incoming::Ping(payload) => {
                    self.entered.outbox().push(frame_pong(payload), Class::Reply);
                    continue;
                }
                Incoming::Pong(_) | Incoming::Fragment => continue,
                Incoming::Close(code) => return Err(Closed::ByPeer(code)),
            };
            self.door().metrics.messages_in.add(1);
            self.follow(step);
        }
        Ok(used)
    }
}

//! Long polling as a stream: a connection reads from it what clients post and writes into it what waiting polls take
//! away, in WebSocket frames. When the client moves to a WebSocket the same connection goes on over that.
//!
//! While no poll waits nothing is taken from the outbox, so its bound and the stall timeout hold here as well.

use std::{
    convert::Infallible,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll as Task, Waker},
};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_live::RawStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};

use super::{MAX_PAYLOAD, Place, payload};

/// What a poll gets while the client tries a WebSocket: nothing, so that it can stop polling.
const NOOP: &[u8] = b"6";

/// A session on long polls, shared by its connection and the requests of its client.
#[derive(Default)]
pub(super) struct Polls(Mutex<State>);

#[derive(Default)]
struct State {
    phase: Phase,
    /// Posted frames that the connection has not read yet: those of one request.
    posted: Vec<u8>,
    /// The next request, which waits until they are read.
    room: Option<oneshot::Sender<Infallible>>,
    /// The poll that waits.
    waiting: Option<oneshot::Sender<Bytes>>,
    /// What it will get.
    answer: Vec<u8>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Default)]
enum Phase {
    #[default]
    Polling,
    /// The client tries a WebSocket.
    Probing,
    /// It has moved there.
    Moved(Option<RawStream>),
    Ended,
}

/// Why a request of a polling client is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// The session has ended or moved to a WebSocket.
    Over,
    /// Another request of the same kind is under way; the session ends.
    Overlap,
}

/// What a poll gets.
pub(super) enum Turn {
    /// This, at once.
    Now(&'static [u8]),
    /// Whatever comes.
    Later(oneshot::Receiver<Bytes>),
}

impl State {
    fn wake(&mut self) {
        self.reader.take().into_iter().chain(self.writer.take()).for_each(Waker::wake);
    }

    fn end(&mut self) {
        if matches!(self.phase, Phase::Polling | Phase::Probing) {
            self.phase = Phase::Ended;
        }
        self.wake();
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Moved(_) | Phase::Ended)
    }

    /// Reads what was posted; `false` when there is nothing.
    fn read(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        if self.posted.is_empty() {
            return false;
        }
        let size = self.posted.len().min(buffer.remaining());
        buffer.put_slice(&self.posted[..size]);
        self.posted.drain(..size);
        if self.posted.is_empty() {
            self.posted = Vec::new();
            // Wakes the request that waits.
            self.room = None;
        }
        true
    }

    /// Hands out what was collected for the waiting poll; `false` when its client has gone.
    fn hand_out(&mut self) -> bool {
        if self.answer.is_empty() {
            return true;
        }
        let Some(waiting) = self.waiting.take() else { return true };
        waiting.send(std::mem::take(&mut self.answer).into()).is_ok()
    }
}

impl Polls {
    /// A poll comes.
    pub fn poll(&self) -> Result<Turn, Refused> {
        let mut state = self.0.lock();
        match state.phase {
            Phase::Moved(_) | Phase::Ended => return Err(Refused::Over),
            Phase::Probing => return Ok(Turn::Now(NOOP)),
            Phase::Polling => {}
        }
        if state.waiting.as_ref().is_some_and(|waiting| !waiting.is_closed()) {
            state.end();
            return Err(Refused::Overlap);
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting = Some(sender);
        if let Some(writer) = state.writer.take() {
            writer.wake();
        }
        Ok(Turn::Later(receiver))
    }

    /// Takes posted frames and leaves `frames` empty, or says when to offer them again: after those of the request
    /// before are read.
    ///
    /// What is taken is answered at once. Clients that hear an event's ack before the answer to its request, and close
    /// then, wait for a request that they never send.
    pub fn post(&self, frames: &mut Vec<u8>) -> Result<Option<oneshot::Receiver<Infallible>>, Refused> {
        let mut state = self.0.lock();
        if state.is_over() {
            return Err(Refused::Over);
        }
        if state.posted.is_empty() {
            state.posted = std::mem::take(frames);
            if let Some(reader) = state.reader.take() {
                reader.wake();
            }
            return Ok(None);
        }
        if state.room.as_ref().is_some_and(|room| !room.is_closed()) {
            state.end();
            return Err(Refused::Overlap);
        }
        let (sender, receiver) = oneshot::channel();
        state.room = Some(sender);
        Ok(Some(receiver))
    }

    /// The client went away, or broke the protocol.
    pub fn end(&self) {
        self.0.lock().end();
    }

    /// The client tries a WebSocket: its poll is let go. `false` when it is too late for that.
    pub fn probe(&self) -> bool {
        let mut state = self.0.lock();
        if state.is_over() {
            return false;
        }
        state.phase = Phase::Probing;
        if let Some(waiting) = state.waiting.take() {
            let answer = std::mem::take(&mut state.answer);
            let answer = if answer.is_empty() { NOOP.into() } else { answer };
            // A client that has gone shows on its WebSocket.
            let _ = waiting.send(answer.into());
        }
        true
    }

    /// The WebSocket came to nothing: long polls go on.
    pub fn unprobe(&self) {
        let mut state = self.0.lock();
        if matches!(state.phase, Phase::Probing) {
            state.phase = Phase::Polling;
        }
    }

    /// The client has moved to this stream.
    pub fn move_to(&self, stream: RawStream) {
        let mut state = self.0.lock();
        if matches!(state.phase, Phase::Probing) {
            state.phase = Phase::Moved(Some(stream));
            state.wake();
        }
    }
}

/// The connection's side of long polls.
pub(super) struct PollStream {
    polls: Arc<Polls>,
    /// Where requests find it, until it has moved.
    place: Option<Place>,
    /// Where the client has moved to.
    moved: Option<RawStream>,
}

impl PollStream {
    pub fn new(polls: Arc<Polls>, place: Place) -> Self {
        Self { polls, place: Some(place), moved: None }
    }

    /// Takes the WebSocket when there is one; what was posted before and not read yet comes first.
    fn follow(&mut self) -> Option<&mut RawStream> {
        if self.moved.is_none() {
            let mut state = self.polls.0.lock();
            if let Phase::Moved(stream) = &mut state.phase {
                let mut stream = stream.take()?;
                stream.unread(&std::mem::take(&mut state.posted));
                state.room = None;
                drop(state);
                self.place = None;
                self.moved = Some(stream);
            }
        }
        self.moved.as_mut()
    }

    /// Takes whole frames for the waiting poll, as many as a payload may hold, at least one.
    fn collect(&self, cx: &Context<'_>, frames: &[IoSlice<'_>]) -> Task<io::Result<usize>> {
        let mut state = self.polls.0.lock();
        if matches!(state.phase, Phase::Ended) {
            return Task::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if state.waiting.as_ref().is_some_and(oneshot::Sender::is_closed) {
            state.waiting = None;
        }
        let mut taken = 0;
        if state.waiting.is_some() {
            for frame in frames {
                if !state.answer.is_empty() && state.answer.len() + frame.len() >= MAX_PAYLOAD {
                    break;
                }
                payload::add_frame(&mut state.answer, frame);
                taken += frame.len();
            }
        }
        if taken > 0 {
            return Task::Ready(Ok(taken));
        }
        state.writer = Some(cx.waker().clone());
        Task::Pending
    }
}

impl Drop for PollStream {
    fn drop(&mut self) {
        let mut state = self.polls.0.lock();
        // The last words, if a poll still waits for them.
        state.hand_out();
        state.end();
        state.waiting = None;
        state.room = None;
    }
}

impl AsyncRead for PollStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Task<io::Result<()>> {
        if let Some(stream) = self.follow() {
            return Pin::new(stream).poll_read(cx, buffer);
        }
        let mut state = self.polls.0.lock();
        if state.read(buffer) {
            return Task::Ready(Ok(()));
        }
        if matches!(state.phase, Phase::Ended) {
            return Task::Ready(Ok(()));
        }
        state.reader = Some(cx.waker().clone());
        Task::Pending
    }
}

impl AsyncWrite for PollStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Task<io::Result<usize>> {
        match self.follow() {
            Some(stream) => Pin::new(stream).poll_write(cx, bytes),
            None => self.collect(cx, &[IoSlice::new(bytes)]),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Task<io::Result<usize>> {
        match self.follow() {
            Some(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            None => self.collect(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Task<io::Result<()>> {
        if let Some(stream) = self.follow() {
            return Pin::new(stream).poll_flush(cx);
        }
        if self.polls.0.lock().hand_out() {
            Task::Ready(Ok(()))
        } else {
            // Somebody left with a part of the conversation: it can't go on without a gap.
            Task::Ready(Err(io::ErrorKind::BrokenPipe.into()))
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Task<io::Result<()>> {
        if let Some(stream) = self.follow() {
            return Pin::new(stream).poll_shutdown(cx);
        }
        let mut state = self.polls.0.lock();
        state.hand_out();
        state.end();
        Task::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_posted_is_taken_at_once_and_the_next_waits_until_it_is_read() {
        let polls = Polls::default();
        let mut frames = b"first".to_vec();
        assert!(polls.post(&mut frames).unwrap().is_none());
        assert!(frames.is_empty(), "nobody read it, and it is taken");

        frames = b"second".to_vec();
        let mut wait = polls.post(&mut frames).unwrap().expect("there is room for one");
        assert_eq!(frames, b"second");
        assert_eq!(wait.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        polls.0.lock().read(&mut ReadBuf::new(&mut [0; 2]));
        assert_eq!(wait.try_recv(), Err(oneshot::error::TryRecvError::Empty), "a part of it is not read");
        polls.0.lock().read(&mut ReadBuf::new(&mut [0; 64]));
        assert_eq!(wait.try_recv(), Err(oneshot::error::TryRecvError::Closed));
        assert!(polls.post(&mut frames).unwrap().is_none());
    }

    #[test]
    fn two_requests_at_once_end_the_session() {
        let polls = Polls::default();
        assert!(polls.post(&mut b"first".to_vec()).unwrap().is_none());
        let _waits = polls.post(&mut b"second".to_vec()).unwrap();
        assert_eq!(polls.post(&mut b"third".to_vec()).unwrap_err(), Refused::Overlap);
        assert_eq!(polls.post(&mut b"fourth".to_vec()).unwrap_err(), Refused::Over);
    }
}

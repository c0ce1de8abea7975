//! One live connection: one task that polls socket, outbox, requests in flight and heartbeat.

mod clock;
mod drive;
mod input;
mod scratch;
mod work;

use std::future::{Future, ready};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

pub use self::drive::Connection;
use crate::close::{Close, Closed};
use crate::outbox::Dirty;

/// A request in flight.
pub type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a door's session does with a message.
pub enum Step<A> {
    /// Nothing to wait for; whatever there was to say has been pushed to the outbox.
    Done,
    /// A request. Requests are started (polled first) in their order and answered in their order, and many
    /// may be in flight. What must keep the order of the requests, such as enqueuing a write, has to happen
    /// before this future waits for the first time, or already before it is returned.
    Answer(Answer<A>),
    /// A request that later ones depend on (a login): none of them is looked at before it is answered.
    Wait(Answer<A>),
    /// A request whose answer may overtake others and be overtaken.
    Apart(Answer<A>),
    /// End the connection gently: answers in flight and what is queued go out first.
    End(Close),
}

impl<A: Send + 'static> Step<A> {
    /// A request of two parts, such as a write: it is queued before the next request is looked at, and answered when it is
    /// stored. `then` makes the second part of what the first came to.
    ///
    /// What a write is judged by is nearly always in memory: then the first part is over at the first look, and many
    /// writes of one connection may be in flight.
    pub fn queued(mut first: Answer<A>, then: impl FnOnce(A) -> Self) -> Self {
        match first.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => then(done),
            Poll::Pending => Self::Wait(first),
        }
    }

    /// An answer that is there already and waits for its turn.
    pub fn ready(done: A) -> Self {
        Self::Answer(Box::pin(ready(done)))
    }
}

/// What a session did when the client was silent for [`crate::Options::ping_every`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Send a WebSocket ping and expect a sign of life.
    Ping,
    /// The session has pushed a ping of its own protocol; expect a sign of life.
    Pinged,
    /// Expect nothing.
    Quiet,
}

/// A protocol's side of one connection, implemented by a door.
///
/// A session talks to its client through the [`crate::Outbox`] that it was made with. Its methods must not
/// block: what takes time is a future in a [`Step`], which has no access to the session; its result comes
/// back to [`Session::answered`]. Dropping the session is the end: unsubscribe there.
pub trait Session: Send + 'static {
    /// What requests in flight come back with.
    type Answer: Send + 'static;

    /// The connection is open; the place for a greeting.
    fn opened(&mut self) -> Step<Self::Answer> {
        Step::Done
    }

    /// A text message.
    fn text(&mut self, text: &str) -> Step<Self::Answer>;

    /// A binary message. Refused with 1003 unless a door speaks binary.
    fn binary(&mut self, _bytes: &[u8]) -> Step<Self::Answer> {
        Step::End(Close::new(1003, "text only"))
    }

    /// A request is done: push its reply, change the session.
    fn answered(&mut self, answer: Self::Answer) -> Step<Self::Answer>;

    /// Personal state changed and is due (see [`crate::Outbox::mark`]): push its rendering, or return the
    /// future that renders it. The next changes wait until that is done.
    fn changed(&mut self, _changed: Vec<Dirty>) -> Option<Answer<Self::Answer>> {
        None
    }

    /// The client was silent for the ping interval.
    fn idle(&mut self) -> Idle {
        Idle::Ping
    }

    /// The connection ends for this reason. The returned frame is the last one before the close frame. The
    /// outbox takes nothing any more.
    fn closing(&mut self, _why: &Closed) -> Option<Bytes> {
        None
    }

    /// The close that the client is told; for protocols with codes of their own.
    fn farewell(&self, why: &Closed) -> Option<Close> {
        why.close()
    }
}

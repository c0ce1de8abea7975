//! The connection's task: a future that turns until there is nothing to do.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::clock::Timer;
use super::scratch::{self, Drained};
use super::work::Work;
use super::{Session, Step};
use crate::close::Closed;
use crate::live::{Door, Entered};
use crate::outbox::{WakeOn, gather};
use crate::ws::{Decoder, frame_close};

/// Turns in one go before others get the thread.
const TURNS: usize = 16;

/// How far a connection is.
pub(super) enum State {
    Open,
    /// Gently ending: no reading, the rest goes out.
    Finishing {
        until: Instant,
        why: Closed,
    },
    /// The close frame is queued or sent; the client may answer it until then.
    Closing {
        until: Instant,
        why: Closed,
        shut: bool,
    },
}

/// A connection over a stream that has been upgraded; a future that ends with the connection.
///
/// Idle it holds no buffers: reading and writing use the thread's (see `scratch`). What a delivery looks at lies together in
/// front: with a thousand connections in turn, memory that is in no cache is most of what each costs.
#[repr(C)]
pub struct Connection<IO, S: Session> {
    pub(super) io: IO,
    pub(super) entered: Entered,
    pub(super) work: Work<S::Answer>,
    pub(super) heard: Instant,
    pub(super) pinged: Option<Instant>,
    pub(super) stuck: Option<Instant>,
    pub(super) dirty_due: Option<Instant>,
    pub(super) timer: Timer,
    /// Bytes that were read and not handled yet.
    pub(super) input: Vec<u8>,
    /// `input` is the beginning of a frame: only more bytes help.
    pub(super) starved: bool,
    /// The session ended the connection: requests behind that are not looked at.
    deaf: bool,
    pub(super) state: State,
    pub(super) decoder: Decoder,
    pub(super) session: S,
}

// The session is never pinned by this future, only its boxed answers are.
impl<IO, S: Session> Unpin for Connection<IO, S> {}

impl<IO: AsyncRead + AsyncWrite + Unpin, S: Session> Connection<IO, S> {
    /// A connection over `io`; `ahead` is what was read of it before.
    pub fn new(io: IO, ahead: &[u8], session: S, entered: Entered) -> Self {
        let options = &entered.door().options;
        let now = Instant::now();
        let mut this = Self {
            io,
            work: Work::none(),
            heard: now,
            pinged: None,
            stuck: None,
            dirty_due: None,
            timer: Timer::at(now + options.ping_every),
            input: ahead.to_vec(),
            starved: false,
            deaf: false,
            state: State::Open,
            decoder: Decoder::new(options.ws),
            session,
            entered,
        };
        let greeting = this.session.opened();
        this.follow(greeting);
        this
    }

    pub(super) fn door(&self) -> &Door {
        self.entered.door()
    }

    /// One turn: write, answer, read, then the clock. Says whether another turn is needed; an error ends
    /// the connection.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<bool, Closed> {
        let drained = self.write(cx)?;
        if drained.closed {
            self.notice_close()?;
        }
        let moved = match self.state {
            State::Open => {
                let answered = self.answers(cx);
                let refreshed = self.refresh(drained);
                let read = self.read(cx, drained)?;
                answered | refreshed | read
            }
            State::Finishing { .. } => self.answers(cx) || self.finish(drained)?,
            State::Closing { .. } => self.linger(cx, drained)?,
        };
        let ticked = self.tick(cx, drained.at)?;
        Ok(moved | ticked || !self.arm(cx, drained))
    }

    /// Turns until there is nothing to do, or it is the turn of others.
    fn turns(&mut self, cx: &mut Context<'_>) -> Poll<Closed> {
        for _ in 0..TURNS {
            match self.turn(cx) {
                Ok(true) => {}
                Ok(false) => return Poll::Pending,
                Err(why) => {
                    if let Some(why) = self.end(why) {
                        tracing::debug!(door = self.door().name, why = why.name(), "connection ended");
                        return Poll::Ready(why);
                    }
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn arm(&self, cx: &Context<'_>, drained: Drained) -> bool {
        let open = matches!(self.state, State::Open) && !self.work.refreshing();
        let wake_on = WakeOn { frames: !drained.blocked, dirty: open && !drained.blocked };
        let seen = match &self.state {
            State::Open => None,
            State::Finishing { why, .. } | State::Closing { why, .. } => Some(why),
        };
        self.entered.outbox().arm(cx.waker(), wake_on, seen)
    }

    fn write(&mut self, cx: &mut Context<'_>) -> Result<Drained, Closed> {
        let outbox = self.entered.outbox();
        let mut drained = scratch::drain(&mut self.io, cx, outbox).map_err(|_| Closed::Gone)?;
        if drained.bytes > 0 {
            let now = Instant::now();
            let waited = drained.since.map(|since| now.into_std().saturating_duration_since(since));
            self.door().metrics.wrote(drained.frames, drained.bytes, waited);
            drained.at = Some(now);
            self.stuck = None;
        }
        if !drained.blocked {
            self.stuck = None;
        } else if self.stuck.is_none() {
            self.stuck = Some(Instant::now());
        }
        Ok(drained)
    }

    /// Pushes the answers that are due, while the outbox has room for them.
    fn answers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while !self.work.is_empty() && self.has_room() {
            let Poll::Ready(answer) = self.work.poll_next(cx) else { break };
            let step = self.session.answered(answer);
            self.follow(step);
            moved = true;
        }
        moved
    }

    fn refresh(&mut self, drained: Drained) -> bool {
        if drained.blocked || self.work.refreshing() || !(drained.marked || self.dirty_due.is_some()) {
            return false;
        }
        let now = Instant::now();
        if !drained.marked && self.dirty_due.is_some_and(|due| due > now) {
            return false;
        }
        let (due, next) = self.entered.outbox().take_dirty(now.into_std(), self.door().options.pace);
        self.dirty_due = next.map(Instant::from_std);
        if due.is_empty() {
            return false;
        }
        if let Some(rendering) = self.session.changed(due) {
            self.work.set_refresh(rendering);
        }
        true
    }

    pub(super) fn follow(&mut self, step: Step<S::Answer>) {
        match step {
            Step::Done => {}
            Step::Answer(answer) => self.work.add_ordered(answer, false),
            Step::Wait(answer) => self.work.add_ordered(answer, true),
            Step::Apart(answer) => self.work.add_apart(answer),
            Step::End(close) => {
                self.deaf = true;
                self.entered.outbox().finish(close);
            }
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.entered.outbox().bytes() < self.door().options.read_pause
    }

    /// Whether the next request has to wait.
    pub(super) fn paused(&self) -> bool {
        self.is_busy() || !self.has_room()
    }

    /// Whether it has to wait even if there is room for its answer.
    pub(super) fn is_busy(&self) -> bool {
        self.deaf || self.work.is_gated() || self.work.len() >= self.door().options.max_pending
    }

    fn finish(&mut self, drained: Drained) -> Result<bool, Closed> {
        match &self.state {
            State::Finishing { why, .. } if self.work.is_empty() && !drained.blocked => Err(why.clone()),
            _ => Ok(false),
        }
    }

    /// Somebody closed the outbox.
    fn notice_close(&mut self) -> Result<(), Closed> {
        let why = self.entered.outbox().closed();
        match (&self.state, why) {
            (State::Closing { .. }, _) | (State::Finishing { .. }, Some(Closed::Finished(_))) | (_, None) => {
            }
            (State::Open, Some(why @ Closed::Finished(_))) => {
                let until = Instant::now() + self.door().options.finish_timeout;
                self.state = State::Finishing { until, why };
            }
            (_, Some(why)) => return Err(why),
        }
        Ok(())
    }

    /// Begins the end: last frame, close frame. `Some` when it is over already.
    fn end(&mut self, why: Closed) -> Option<Closed> {
        if let State::Closing { why, .. } = &self.state {
            return Some(why.clone());
        }
        let outbox = self.entered.outbox();
        outbox.close(why.clone());
        let why = outbox.closed().unwrap_or(why);
        self.entered.count(&why);
        let last = self.session.closing(&why);
        self.work.clear();
        let Some(close) = self.session.farewell(&why) else { return Some(why) };
        outbox.last_words(last.into_iter().chain([frame_close(&close)]));
        let until = Instant::now() + self.door().options.close_timeout;
        self.state = State::Closing { until, why, shut: false };
        None
    }

    /// After the close frame: stop sending, and read on until the client has closed too.
    fn linger(&mut self, cx: &mut Context<'_>, drained: Drained) -> Result<bool, Closed> {
        if let State::Closing { why, shut, .. } = &mut self.state
            && !drained.blocked
            && !*shut
        {
            *shut = true;
            let _ = Pin::new(&mut self.io).poll_shutdown(cx);
            if matches!(why, Closed::ByPeer(_)) {
                return Err(Closed::Gone);
            }
        }
        match scratch::lend(|buffer| scratch::read(&mut self.io, cx, buffer)) {
            Poll::Ready(Ok(0) | Err(_)) => Err(Closed::Gone),
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Pending => Ok(false),
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin, S: Session> Future for Connection<IO, S> {
    type Output = Closed;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Closed> {
        // Whom it told something (who came, who types) is woken once, at its end.
        gather(|| self.get_mut().turns(cx))
    }
}

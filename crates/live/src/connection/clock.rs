//! What a connection does by time: heartbeat, stalls, deadlines.

use std::future::Future;
use std::pin::Pin;
use std::task::Context;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep};

use super::drive::{Connection, State};
use super::{Idle, Session};
use crate::close::Closed;
use crate::outbox::Class;
use crate::ws::frame_ping;

/// A connection's one timer.
pub(super) struct Timer {
    /// What it is set to.
    due: Instant,
    /// It will wake the connection's task, which is always the same.
    running: bool,
    sleep: Pin<Box<Sleep>>,
}

impl Timer {
    pub(super) fn at(due: Instant) -> Self {
        Self { due, running: false, sleep: Box::pin(tokio::time::sleep_until(due)) }
    }

    fn set(&mut self, due: Instant) {
        self.due = due;
        self.running = false;
        self.sleep.as_mut().reset(due);
    }

    /// Once it runs it is left alone until it is due: it fires then and not before.
    fn has_fired(&mut self, cx: &mut Context<'_>, now: Option<Instant>) -> bool {
        if self.running && now.unwrap_or_else(Instant::now) < self.due {
            return false;
        }
        self.running = true;
        self.sleep.as_mut().poll(cx).is_ready()
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin, S: Session> Connection<IO, S> {
    /// Sets the one timer to the next deadline, and acts when one has passed.
    pub(super) fn tick(&mut self, cx: &mut Context<'_>, now: Option<Instant>) -> Result<bool, Closed> {
        let deadline = self.deadline();
        // A later deadline is found when the timer fires: most traffic leaves the timer alone.
        if deadline < self.timer.due {
            self.timer.set(deadline);
        }
        if !self.timer.has_fired(cx, now) {
            return Ok(false);
        }
        self.on_time(Instant::now())?;
        let next = self.deadline();
        self.timer.set(next);
        Ok(true)
    }

    fn deadline(&self) -> Instant {
        let options = &self.door().options;
        let stall = self.stuck.map(|since| since + options.stall_timeout);
        match &self.state {
            State::Open => {
                let rendering = self.stuck.is_some() || self.work.refreshing();
                let dirty = if rendering { None } else { self.dirty_due };
                self.heartbeat().min(stall.unwrap_or(self.heartbeat())).min(dirty.unwrap_or(self.heartbeat()))
            }
            State::Finishing { until, .. } | State::Closing { until, .. } => *until,
        }
    }

    /// When a ping is due, or its answer overdue.
    fn heartbeat(&self) -> Instant {
        let options = &self.door().options;
        match self.pinged {
            Some(at) => at + options.ping_timeout,
            None => self.heard + options.ping_every,
        }
    }

    fn on_time(&mut self, now: Instant) -> Result<(), Closed> {
        match &self.state {
            State::Finishing { until, why } if *until <= now => return Err(why.clone()),
            State::Closing { until, .. } if *until <= now => return Err(Closed::Gone),
            State::Finishing { .. } | State::Closing { .. } => return Ok(()),
            State::Open => {}
        }
        let stall_timeout = self.door().options.stall_timeout;
        if self.stuck.is_some_and(|since| since + stall_timeout <= now) {
            return Err(Closed::TooSlow);
        }
        if self.heartbeat() <= now {
            self.beat(now)?;
        }
        Ok(())
    }

    fn beat(&mut self, now: Instant) -> Result<(), Closed> {
        self.entered.outbox().trim();
        if self.paused() {
            // We are not listening, so silence proves nothing.
            self.heard = now;
            self.pinged = None;
            if self.door().options.steady {
                self.session.idle();
            }
            return Ok(());
        }
        if self.pinged.is_some() {
            return Err(Closed::Silent);
        }
        self.heard = now;
        match self.session.idle() {
            Idle::Quiet => return Ok(()),
            Idle::Pinged => {}
            Idle::Ping => {
                self.entered.outbox().push(frame_ping(&[]), Class::Reply);
            }
        }
        self.door().metrics.pings.add(1);
        self.pinged = Some(now);
        Ok(())
    }
}

//! Writing past a connection's task: for a frame to a connection at rest, waking its task costs about as much as the
//! system call that it would make.
//!
//! One writes at a time. Who writes here finds the drainer at rest and the socket ready; when the socket takes no more, or
//! when the drainer has been up meanwhile, the drainer is woken and goes on.

use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::time::Instant;

use super::queue::Entry;
use super::{Outbox, gather};

/// Frames written at once.
pub const FRAMES: usize = 64;

/// A socket that whoever holds it may write to, without waiting.
pub trait Sink: Debug + Send + Sync {
    /// Takes some of these bytes, or says that it would have to wait. An error is the drainer's to find.
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Counts what was written; with since when the first of it had waited, if nothing is left.
    fn wrote(&self, frames: usize, bytes: usize, since: Option<Instant>);
}

/// What an outbox knows of its socket.
#[derive(Debug, Default)]
pub(super) struct Straight {
    sink: Option<Arc<dyn Sink>>,
    /// It is on somebody's list of outboxes to be written.
    listed: bool,
    writing: bool,
    /// The drainer came meanwhile and found somebody writing.
    missed: bool,
}

impl Straight {
    pub(super) fn is_there(&self) -> bool {
        self.sink.is_some()
    }

    /// Puts it on a list; `false` when it is on one.
    pub(super) fn list(&mut self) -> bool {
        !std::mem::replace(&mut self.listed, true)
    }

    /// For the drainer: whether somebody else is writing, who is to wake it then.
    pub(super) fn is_writing(&mut self) -> bool {
        self.missed = self.writing;
        self.writing
    }

    /// For the drainer: whether somebody wrote while it was at work, and has ended.
    pub(super) fn is_over(&mut self) -> bool {
        !self.writing && std::mem::take(&mut self.missed)
    }
}

impl Outbox {
    /// From now on frames may be written to this socket while the drainer is at rest.
    pub fn attach(&self, sink: Arc<dyn Sink>) {
        self.inner.lock().straight.sink = Some(sink);
    }

    /// Lets the socket go.
    pub fn detach(&self) {
        let sink = self.inner.lock().straight.sink.take();
        drop(sink);
    }

    /// Writes what is queued, if the drainer is at rest and waits for frames.
    pub(super) fn write_straight(&self, batch: &mut Vec<Entry>) {
        let Some(sink) = self.begin(batch) else { return };
        while !batch.is_empty() {
            let Ok(written) = offer(&*sink, batch) else { return self.leave(batch) };
            let frames = self.settle(batch, written);
            let since = self.go_on(batch);
            sink.wrote(frames, written, since);
        }
    }

    fn begin(&self, batch: &mut Vec<Entry>) -> Option<Arc<dyn Sink>> {
        let mut inner = self.inner.lock();
        inner.straight.listed = false;
        let at_rest = inner.armed && inner.wake_on.frames && inner.queue.closed().is_none();
        if !at_rest || inner.straight.writing {
            return None;
        }
        let sink = inner.straight.sink.clone()?;
        inner.queue.take(batch, FRAMES);
        inner.straight.writing = !batch.is_empty();
        Some(sink)
    }

    /// Takes what has come meanwhile; if there is nothing, the writing is over.
    fn go_on(&self, batch: &mut Vec<Entry>) -> Option<Instant> {
        let mut inner = self.inner.lock();
        inner.queue.take(batch, FRAMES);
        if !batch.is_empty() {
            return None;
        }
        inner.straight.writing = false;
        let since = inner.waits_since.take();
        let waker = if inner.straight.missed && inner.armed { inner.rouse() } else { None };
        inner.straight.missed &= waker.is_none();
        drop(inner);
        waker.into_iter().for_each(|waker| gather::add(gather::Due::Wake(waker)));
        since
    }

    /// The socket takes no more: the drainer waits for it.
    fn leave(&self, batch: &mut Vec<Entry>) {
        let mut inner = self.inner.lock();
        inner.queue.put_back(batch.drain(..), 0);
        inner.straight.writing = false;
        let waker = inner.rouse();
        inner.straight.missed &= waker.is_none();
        drop(inner);
        waker.into_iter().for_each(|waker| gather::add(gather::Due::Wake(waker)));
    }

    /// Forgets what was written of `batch`, gives the rest back; returns the number of whole frames written.
    pub(crate) fn settle(&self, batch: &mut Vec<Entry>, mut written: usize) -> usize {
        let mut whole = 0;
        while let Some(entry) = batch.get(whole)
            && entry.frame.len() <= written
        {
            written -= entry.frame.len();
            whole += 1;
        }
        if whole < batch.len() {
            self.put_back(batch.drain(whole..), written);
        }
        batch.clear();
        whole
    }
}

/// Offers frames to a socket, all in one system call.
fn offer(sink: &dyn Sink, batch: &[Entry]) -> io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); FRAMES];
    for (slice, entry) in slices.iter_mut().zip(batch) {
        *slice = IoSlice::new(&entry.frame);
    }
    match sink.try_write(&slices[..batch.len()])? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        written => Ok(written),
    }
}

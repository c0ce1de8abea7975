//! What waits to be sent on one connection.
//!
//! [`Outbox`] is a lock and a waker around [`Queue`] and [`DirtySet`], which are plain state machines: a
//! simulation drives them, or the outbox itself with its own waker, without sockets or a runtime. Pushing
//! never waits: who is too slow is cut off and resumes by position.
//!
//! A frame has two ways to a plain socket. Mostly it waits here for its connection's task, and leaves with whatever else
//! has come by then. Within [`tell`], while the task is at rest and nothing waits, whoever pushes writes it to the socket:
//! for a message alone that costs a sixth less than waking the task (docs/performance.md).

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod at_once_tests;
mod dirty;
mod gather;
mod lane;
mod queue;
mod socket;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock, Weak};
use std::task::Waker;
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use rustix::net::Shutdown;

pub use self::dirty::{Dirty, DirtySet};
pub use self::gather::{Alone, gather, tell};
pub use self::queue::{Entry, FRAME_COST, Lost, Queue};
pub(crate) use self::socket::OutboxStream;
use self::socket::Socket;
use crate::close::{Close, Closed};

/// A hash of what a frame is about (a room, a stream), by which queued frames can be purged. 0 is about
/// nothing and never purged; the largest number is the outbox's own.
pub type Topic = u64;

/// What kind of frame this is: what may happen to it when the client is slow or loses an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Something that happened. Never dropped, except with its whole connection or by a purge.
    Event {
        /// What it is about.
        topic: Topic,
    },
    /// Something that is worth nothing later (typing, presence): the last one per key wins, and it is the
    /// first to go when the outbox is full. It may overtake and be overtaken by events.
    Volatile {
        /// What it is about, for purging.
        topic: Topic,
        /// What it replaces.
        key: u64,
    },
    /// An answer to the client's own request. Never dropped or purged.
    Reply,
}

/// What became of a pushed frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits for its turn.
    Queued,
    /// It was volatile and there was no room.
    Dropped,
    /// The connection has ended or is ending: nothing more will go out, stop listening for it.
    Closed,
}

/// Bounds of an outbox.
#[derive(Clone, Copy, Debug)]
pub struct OutboxLimits {
    /// Bytes queued, each frame counted with [`FRAME_COST`] on top, the largest reply not counted. Default 1 MiB.
    pub bytes: u32,
    /// Volatile frames queued (different keys). Default 256.
    pub volatile: u16,
    /// Dirty keys waiting. Default 10,000.
    pub dirty: u16,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { bytes: 1 << 20, volatile: 256, dirty: 10_000 }
    }
}

/// What [`Outbox::take`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The outbox was closed: ask [`Outbox::closed`] why.
    pub closed: bool,
    /// Dirty keys were marked since the last [`Outbox::take_dirty`].
    pub marked: bool,
    /// This was all there was: since when it has waited.
    pub waited_since: Option<Instant>,
    /// More is queued than was asked for.
    pub more: bool,
}

/// What the drainer wants to be woken for, besides the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WakeOn {
    /// Frames; pointless while the socket takes nothing.
    pub frames: bool,
    /// Newly marked dirty keys.
    pub dirty: bool,
}

enum News {
    Frames,
    Dirty,
    End,
    Nothing,
}

#[derive(Debug)]
struct Inner {
    queue: Queue,
    dirty: Option<Box<DirtySet>>,
    /// A key was marked since the last [`Outbox::take_dirty`].
    marked: bool,
    waker: Option<Waker>,
    /// The drainer is at rest. While it is at work it sees by itself what comes.
    armed: bool,
    wake_on: WakeOn,
    /// When the first frame was pushed since all were taken.
    waits_since: Option<Instant>,
    /// The same of those that were taken last, in case they come back.
    taken_since: Option<Instant>,
}

impl Inner {
    /// The drainer's waker, if it is at rest and wants to hear of such news.
    fn due(&mut self, news: &News) -> Option<Waker> {
        let wanted = match news {
            News::Frames => self.wake_on.frames,
            News::Dirty => self.wake_on.dirty,
            News::End => true,
            News::Nothing => false,
        };
        if !wanted || !std::mem::take(&mut self.armed) {
            return None;
        }
        self.waker.take()
    }
}

/// The frames and the dirty state that wait for one connection. Listeners push, the connection drains.
#[derive(Debug)]
pub struct Outbox {
    /// Where the socket can be written past the drainer.
    socket: OnceLock<Socket>,
    inner: Mutex<Inner>,
}

impl Outbox {
    /// An empty outbox; about 200 bytes until something is pushed.
    pub fn new(limits: OutboxLimits) -> Arc<Self> {
        let queue = Queue::new(limits);
        let inner = Inner {
            queue,
            dirty: None,
            marked: false,
            waker: None,
            armed: false,
            wake_on: WakeOn::default(),
            waits_since: None,
            taken_since: None,
        };
        Arc::new(Self { socket: OnceLock::new(), inner: Mutex::new(inner) })
    }

    /// Queues a complete frame (see [`crate::ws::frame_text`]), or writes it at once within [`tell`]; never waits.
    pub fn push(&self, frame: Bytes, class: Class) -> Pushed {
        let mut written = 0;
        let pushed = self.change(|inner| {
            written = self.write_at_once(inner, &frame);
            if written > 0 && written == frame.len() {
                return (Pushed::Queued, News::Nothing);
            }
            let open = inner.queue.closed().is_none();
            let pushed = match written {
                0 => inner.queue.push(frame, class),
                _ => inner.queue.push_rest(frame.slice(written..)),
            };
            let news = match pushed {
                Pushed::Queued => {
                    inner.waits_since.get_or_insert_with(gather::now);
                    News::Frames
                }
                Pushed::Closed if open => News::End,
                Pushed::Closed | Pushed::Dropped => News::Nothing,
            };
            (pushed, news)
        });
        if written > 0 {
            gather::breathe();
        }
        pushed
    }

    /// Writes a frame past the drainer, if that is at rest and has nothing to write; the bytes that the socket took.
    fn write_at_once(&self, inner: &Inner, frame: &[u8]) -> usize {
        let at_rest = inner.armed && inner.wake_on.frames && inner.queue.is_calm();
        match self.socket.get() {
            Some(socket) if at_rest && gather::is_at_once() => socket.offer(frame),
            _ => 0,
        }
    }

    /// The end of the connection: its socket says so, however long the outbox is still held by those who push.
    pub(crate) fn hang_up(&self) {
        if let Some(socket) = self.socket.get() {
            socket.shut(Shutdown::Both);
        }
    }

    /// Marks personal state as changed; `false` when the connection has ended. Too many different keys
    /// waiting end the connection like too many bytes.
    pub fn mark(&self, dirty: Dirty) -> bool {
        self.change(|inner| {
            if inner.queue.closed().is_some() {
                return (false, News::Nothing);
            }
            let max = inner.queue.max_dirty();
            match inner.dirty.get_or_insert_default().mark(dirty, max) {
                Some(false) => (true, News::Nothing),
                Some(true) => {
                    inner.marked = true;
                    (true, News::Dirty)
                }
                None => {
                    inner.queue.close(Closed::TooSlow);
                    (false, News::End)
                }
            }
        })
    }

    /// Drops queued events and volatile frames of what is lost (a revoked access); returns how many were
    /// queued. Those that the socket is just being offered go too, except one that is half on the wire: it
    /// is finished.
    pub fn purge(&self, lost: Lost) -> usize {
        self.inner.lock().queue.purge(lost)
    }

    /// Ends the connection at once: what is queued is dropped, the client gets this close.
    pub fn kick(&self, close: Close) {
        self.close(Closed::Kicked(close));
    }

    /// Ends the connection gently: no more events, but answers in flight and frames queued go out first.
    pub fn finish(&self, close: Close) {
        self.close(Closed::Finished(close));
    }

    /// Ends the connection for this reason. The first reason stays, but any other overrides a gentle end.
    pub fn close(&self, why: Closed) {
        self.change(|inner| {
            inner.dirty = None;
            inner.marked = false;
            let taken = inner.queue.close(why);
            ((), if taken { News::End } else { News::Nothing })
        });
    }

    /// A handle that can only end the connection.
    pub fn kick_handle(self: &Arc<Self>) -> Kick {
        Kick(Arc::downgrade(self))
    }

    /// Why the connection ended or is ending.
    pub fn closed(&self) -> Option<Closed> {
        self.inner.lock().queue.closed().cloned()
    }

    /// Bytes queued, each frame with [`FRAME_COST`].
    pub fn bytes(&self) -> usize {
        self.inner.lock().queue.bytes()
    }

    /// Volatile frames dropped for want of room since the beginning.
    pub fn dropped(&self) -> u32 {
        self.inner.lock().queue.dropped()
    }

    /// Moves up to `max` frames into `batch`. For the one who drains.
    pub fn take(&self, batch: &mut Vec<Entry>, max: usize) -> Taken {
        let mut inner = self.inner.lock();
        inner.armed = false;
        inner.queue.take(batch, max);
        let more = !inner.queue.is_empty();
        let waited_since = if more { None } else { inner.waits_since.take() };
        inner.taken_since = waited_since;
        Taken { closed: inner.queue.closed().is_some(), marked: inner.marked, waited_since, more }
    }

    /// Gives back what the socket did not take; see [`Queue::put_back`].
    pub fn put_back(&self, unsent: impl DoubleEndedIterator<Item = Entry>, written: usize) {
        let mut inner = self.inner.lock();
        inner.queue.put_back(unsent, written);
        inner.waits_since = inner.taken_since.take().or(inner.waits_since);
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

    /// Adds the last frames after the end, past all bounds.
    pub(crate) fn last_words(&self, frames: impl IntoIterator<Item = Bytes>) {
        self.inner.lock().queue.last_words(frames);
    }

    /// Takes the dirty keys that are due, each then at rest for `gap`; with the time of the next one.
    pub fn take_dirty(&self, now: Instant, gap: Duration) -> (Vec<Dirty>, Option<Instant>) {
        let mut inner = self.inner.lock();
        inner.marked = false;
        let Some(set) = &mut inner.dirty else { return (Vec::new(), None) };
        let due = set.take(now, gap);
        let next = set.due(now);
        if set.is_empty() {
            inner.dirty = None;
        }
        (due, next)
    }

    /// Asks to be woken once. `false` when there is something to do at once: what `wake_on` names, or an end
    /// that the drainer has not `seen` yet.
    pub fn arm(&self, waker: &Waker, wake_on: WakeOn, seen: Option<&Closed>) -> bool {
        let mut inner = self.inner.lock();
        let frames = wake_on.frames && !inner.queue.is_empty();
        let dirty = wake_on.dirty && inner.marked;
        if frames || dirty || inner.queue.closed() != seen {
            return false;
        }
        inner.wake_on = wake_on;
        inner.armed = true;
        match &mut inner.waker {
            Some(old) => old.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        true
    }

    /// Gives back memory that a burst left behind.
    pub fn trim(&self) {
        let mut inner = self.inner.lock();
        inner.queue.trim();
    }

    /// Runs a change and, if the drainer waits for such news, sees to it after the lock is gone.
    fn change<R>(&self, change: impl FnOnce(&mut Inner) -> (R, News)) -> R {
        let (result, waker) = {
            let mut inner = self.inner.lock();
            let (result, news) = change(&mut inner);
            (result, inner.due(&news))
        };
        if let Some(waker) = waker {
            gather::add(waker);
        }
        result
    }
}

/// Ends a connection from outside, and holds nothing of it.
#[derive(Clone, Debug)]
pub struct Kick(Weak<Outbox>);

impl Kick {
    /// Ends the connection at once with this close; nothing happens if it has ended already.
    pub fn kick(&self, close: Close) {
        if let Some(outbox) = self.0.upgrade() {
            outbox.kick(close);
        }
    }

    /// Whether the connection still exists.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

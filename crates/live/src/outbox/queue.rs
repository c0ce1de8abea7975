//! The outbox without lock and waker: a state machine over pushes and takes.

use std::collections::VecDeque;

use bytes::{Buf, Bytes};

use super::lane::Lane;
use super::{Class, OutboxLimits, Pushed, Topic};
use crate::close::Closed;

/// What a queued frame is taken to cost besides its bytes, so that many tiny frames are bounded too.
pub const FRAME_COST: usize = 64;

/// The topic of a frame that is already half on the wire: it must be finished whatever happens.
const STARTED: Topic = Topic::MAX;

/// What a connection may no longer be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The frames of this topic.
    Topic(Topic),
    /// The frames of all topics.
    All,
}

impl Lost {
    fn covers(self, topic: Topic) -> bool {
        topic != 0 && topic != STARTED && (self == Self::All || self == Self::Topic(topic))
    }
}

/// A queued frame.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What goes to the socket.
    pub frame: Bytes,
    /// What it is about; 0 is never purged.
    pub topic: Topic,
    /// It answers a request of the client's own.
    reply: bool,
}

impl Entry {
    fn event(frame: Bytes, topic: Topic) -> Self {
        Self { frame, topic, reply: false }
    }

    fn reply(frame: Bytes) -> Self {
        Self { frame, topic: 0, reply: true }
    }
}

#[derive(Debug)]
struct Volatile {
    key: u64,
    entry: Entry,
}

/// Frames waiting for one connection, within a bound.
///
/// Two lanes: events and replies in their order, and volatile frames (last one per key), which go when the
/// first lane is empty. Nothing is allocated before the first push.
#[derive(Debug)]
pub struct Queue {
    frames: Lane,
    volatile: VecDeque<Volatile>,
    bytes: usize,
    /// What the largest waiting reply costs. It does not count against the bound: somebody with a few thousand rooms
    /// asks for them all at once, and would be cut off by whatever comes before a slow line has taken the answer.
    spared: usize,
    limits: OutboxLimits,
    dropped: u32,
    closed: Option<Closed>,
    /// Frames were taken and may be put back.
    out: bool,
    /// What was lost meanwhile.
    lost: Vec<Lost>,
    /// The last words are in: nothing changes any more.
    sealed: bool,
}

impl Queue {
    /// An empty queue.
    pub fn new(limits: OutboxLimits) -> Self {
        Self {
            frames: Lane::default(),
            volatile: VecDeque::new(),
            bytes: 0,
            spared: 0,
            limits,
            dropped: 0,
            closed: None,
            out: false,
            lost: Vec::new(),
            sealed: false,
        }
    }

    /// Adds a frame, or says why not. Over the bound volatile frames go first, then the connection.
    pub fn push(&mut self, frame: Bytes, class: Class) -> Pushed {
        match (&self.closed, class) {
            (None, _) => {}
            (Some(Closed::Finished(_)), Class::Reply) if !self.sealed => {}
            (Some(_), _) => return Pushed::Closed,
        }
        let cost = cost(&frame);
        match class {
            Class::Volatile { topic, key } => self.push_volatile(key, Entry::event(frame, topic)),
            Class::Event { topic } => self.push_ordered(Entry::event(frame, topic), self.counted() + cost),
            // Replies are paced by the connection, which stops reading requests long before the bound.
            Class::Reply => {
                let pushed = self.push_ordered(Entry::reply(frame), self.counted());
                if pushed == Pushed::Queued {
                    self.spared = self.spared.max(cost);
                }
                pushed
            }
        }
    }

    /// What counts against the bound.
    fn counted(&self) -> usize {
        self.bytes - self.spared
    }

    /// Looks for the largest reply again, after replies went or came back.
    fn spare(&mut self) {
        let replies = self.frames.iter().filter(|entry| entry.reply);
        self.spared = replies.map(|entry| cost(&entry.frame)).max().unwrap_or_default();
    }

    fn push_ordered(&mut self, entry: Entry, load: usize) -> Pushed {
        let limit = self.limits.bytes as usize;
        if load > limit && load - self.drop_volatile() > limit {
            self.close(Closed::TooSlow);
            return Pushed::Closed;
        }
        self.bytes += cost(&entry.frame);
        self.frames.push_back(entry);
        Pushed::Queued
    }

    fn push_volatile(&mut self, key: u64, entry: Entry) -> Pushed {
        if let Some(at) = self.volatile.iter().position(|v| v.key == key) {
            self.forget_volatile(at);
        } else if self.volatile.len() >= usize::from(self.limits.volatile) {
            self.forget_volatile(0);
            self.dropped += 1;
        }
        let cost = cost(&entry.frame);
        if self.counted() + cost > self.limits.bytes as usize {
            self.dropped += 1;
            return Pushed::Dropped;
        }
        self.bytes += cost;
        self.volatile.push_back(Volatile { key, entry });
        Pushed::Queued
    }

    fn forget_volatile(&mut self, at: usize) {
        if let Some(old) = self.volatile.remove(at) {
            self.bytes -= cost(&old.entry.frame);
        }
    }

    /// Drops all volatile frames; returns what they cost.
    fn drop_volatile(&mut self) -> usize {
        let freed = self.volatile.iter().map(|v| cost(&v.entry.frame)).sum();
        self.dropped += self.volatile.len() as u32;
        self.volatile = VecDeque::new();
        self.bytes -= freed;
        freed
    }

    /// Moves up to `max` frames into `batch`, events and replies before volatile frames. What an earlier
    /// take handed out and nobody put back is taken to be sent.
    pub fn take(&mut self, batch: &mut Vec<Entry>, max: usize) {
        let before = batch.len();
        let ordered = self.frames.len().min(max);
        (0..ordered).for_each(|_| batch.extend(self.frames.pop_front()));
        let rest = self.volatile.len().min(max - ordered);
        batch.extend(self.volatile.drain(..rest).map(|v| v.entry));
        self.bytes -= batch[before..].iter().map(|e| cost(&e.frame)).sum::<usize>();
        if batch[before..].iter().any(|entry| entry.reply) {
            self.spare();
        }
        self.out = batch.len() > before;
        self.lost = Vec::new();
    }

    /// Gives back what [`Queue::take`] handed out and the socket did not take, except what was lost
    /// meanwhile. `written` are the bytes of the first frame that are already on the wire.
    pub fn put_back(&mut self, mut unsent: impl DoubleEndedIterator<Item = Entry>, written: usize) {
        let lost = std::mem::take(&mut self.lost);
        self.out = false;
        let begun = (written > 0).then(|| unsent.next()).flatten();
        for entry in unsent.rev().filter(|entry| !lost.iter().any(|lost| lost.covers(entry.topic))) {
            self.bytes += cost(&entry.frame);
            self.frames.push_front(entry);
        }
        if let Some(mut first) = begun {
            first.frame.advance(written);
            first.topic = STARTED;
            self.bytes += cost(&first.frame);
            self.frames.push_front(first);
        }
        self.spare();
        // Closed meanwhile. Once the last words are in, whatever is here belongs to them.
        if !self.sealed && self.closed.as_ref().is_some_and(Closed::drops_queued) {
            self.clear();
        }
    }

    /// Drops the queued frames of what is lost; returns how many. Replies have no topic and stay. Frames in
    /// hand (taken, not put back) are dropped when they are put back, and are not counted.
    pub fn purge(&mut self, lost: Lost) -> usize {
        if self.out && !self.lost.contains(&lost) {
            self.lost.push(lost);
        }
        let (mut freed, mut count) = (0, 0);
        let mut keep = |entry: &Entry| {
            let drop = lost.covers(entry.topic);
            if drop {
                freed += cost(&entry.frame);
                count += 1;
            }
            !drop
        };
        self.frames.retain(&mut keep);
        self.volatile.retain(|v| keep(&v.entry));
        self.bytes -= freed;
        count
    }

    /// Ends the queue. The first reason stays, except that any other overrides a gentle end. Returns
    /// whether this reason was taken.
    pub fn close(&mut self, why: Closed) -> bool {
        match (&self.closed, &why) {
            _ if self.sealed => return false,
            (None, _) => {}
            (Some(Closed::Finished(_)), Closed::Finished(_)) => return false,
            (Some(Closed::Finished(_)), _) => {}
            (Some(_), _) => return false,
        }
        if why.drops_queued() {
            self.clear();
        }
        self.closed = Some(why);
        true
    }

    /// Adds the last frames of a closed queue, past all bounds; nothing follows them.
    pub fn last_words(&mut self, frames: impl IntoIterator<Item = Bytes>) {
        self.sealed = true;
        for frame in frames {
            self.bytes += cost(&frame);
            self.frames.push_back(Entry::event(frame, 0));
        }
    }

    fn clear(&mut self) {
        let first = self.frames.pop_front().filter(|first| first.topic == STARTED);
        self.frames = Lane::default();
        self.volatile = VecDeque::new();
        self.bytes = first.as_ref().map_or(0, |e| cost(&e.frame));
        first.into_iter().for_each(|first| self.frames.push_back(first));
        self.spare();
    }

    /// Gives back memory after a burst.
    pub fn trim(&mut self) {
        self.frames.trim();
        self.volatile.shrink_to_fit();
    }

    /// Frames there is memory for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.frames.capacity() + self.volatile.capacity()
    }

    /// Why it was closed, if it was.
    pub fn closed(&self) -> Option<&Closed> {
        self.closed.as_ref()
    }

    /// Open, and no frame waits.
    pub fn is_calm(&self) -> bool {
        self.closed.is_none() && self.is_empty()
    }

    /// Adds the rest of a frame that is half on the wire to a queue that was empty; whatever happens it is finished.
    pub fn push_rest(&mut self, frame: Bytes) -> Pushed {
        self.push_ordered(Entry::event(frame, STARTED), 0)
    }

    /// No frame waits.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty() && self.volatile.is_empty()
    }

    /// Bytes that wait: frames and [`FRAME_COST`] for each.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Volatile frames dropped so far for want of room.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }

    /// The bound on dirty keys (see [`super::Dirty`]).
    pub fn max_dirty(&self) -> usize {
        self.limits.dirty as usize
    }
}

fn cost(frame: &Bytes) -> usize {
    frame.len() + FRAME_COST
}

//! The thread that keeps the index up: woken by commits, it follows the journal chunk by chunk.

use super::index::{CHUNK, changes, pass_over, store, waiting};
use crate::engine::{Inner, Lane, spawn};
use parking_lot::{Condvar, Mutex};
use parlor_core::{error::Result, event::Fact, store::Answer};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long it waits after a commit for more of them: what is not indexed yet is found all the same, and a quiet
/// server need not sync its disk twice for a message.
const GATHER: Duration = Duration::from_millis(500);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(1);
/// How many chunks are stored between two looks at how much waits.
const LOOK_EVERY: u32 = 16;

/// How often one row that can't be indexed is tried before it is passed over.
const TRIES: u32 = 2;

/// How many rows are taken at once: fewer after a failure, until the one is found that can't be indexed.
struct Stride {
    rows: u64,
    /// Failures with a single row.
    failed: u32,
}

impl Default for Stride {
    fn default() -> Self {
        Self { rows: CHUNK, failed: 0 }
    }
}

impl Stride {
    fn went(&mut self) {
        *self = Self { rows: (self.rows * 2).min(CHUNK), failed: 0 };
    }
    /// Whether the row that is next is to be passed over.
    fn fell(&mut self) -> bool {
        self.failed += u32::from(self.rows == 1);
        self.rows = (self.rows / 32).max(1);
        self.failed >= TRIES
    }
}

/// The indexing thread.
pub(crate) struct Indexer {
    signal: Arc<Signal>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Wakes the indexer.
#[derive(Default)]
pub(crate) struct Signal {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default, Clone, Copy)]
struct State {
    news: bool,
    closed: bool,
}

impl Signal {
    /// Hears of committed facts.
    pub(crate) fn heard(&self, facts: &[Fact]) {
        if facts.iter().all(|fact| fact.place.is_none()) {
            return;
        }
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.news, true) {
            drop(state);
            self.wake.notify_one();
        }
    }

    /// Sleeps until there is news; false when it is over.
    fn news(&self) -> bool {
        let mut state = self.state.lock();
        while !state.news && !state.closed {
            self.wake.wait(&mut state);
        }
        state.news = false;
        !state.closed
    }

    /// Sleeps for a while; false when it is over.
    fn rest(&self, time: Duration) -> bool {
        let mut state = self.state.lock();
        if !state.closed {
            // News wake it early only if they come while it waits for them.
            self.wake.wait_while_for(&mut state, |state| !state.closed, time);
        }
        !state.closed
    }
}

impl Indexer {
    pub(crate) fn start(engine: Arc<Inner>, signal: Arc<Signal>) -> Self {
        let driver = Driver { engine, signal: signal.clone() };
        // What was stored before a stop may still wait.
        signal.state.lock().news = true;
        Indexer { signal, thread: Mutex::new(Some(spawn("store-index", move || driver.run()))) }
    }

    pub(crate) fn close(&self) {
        self.signal.state.lock().closed = true;
        self.signal.wake.notify_all();
        if let Some(thread) = self.thread.lock().take() {
            // If it panicked, searches look through what it left.
            let _ = thread.join();
        }
    }
}

struct Driver {
    engine: Arc<Inner>,
    signal: Arc<Signal>,
}

impl Driver {
    fn run(self) {
        let mut stride = Stride::default();
        while self.signal.news() && self.signal.rest(GATHER) {
            while let Err(refusal) = self.catch_up(&mut stride) {
                tracing::warn!(%refusal, "indexing waits");
                if stride.fell() {
                    self.pass_over(&mut stride);
                }
                if !self.signal.rest(PAUSE) {
                    return;
                }
            }
        }
    }

    /// Leaves out the one row that can't be indexed. Where nothing can be stored, this can't either: it waits.
    fn pass_over(&self, stride: &mut Stride) {
        match block(self.engine.write(Lane::Bulk, 0, |tx| Ok(pass_over(tx)?))) {
            Ok(row) => {
                tracing::error!(row, "a change can't be indexed: searches don't find it");
                *stride = Stride::default();
            }
            Err(refusal) => tracing::warn!(%refusal, "indexing waits"),
        }
    }

    /// Indexes until nothing waits.
    fn catch_up(&self, stride: &mut Stride) -> Result<()> {
        let mut lane = Lane::Bulk;
        for round in 0.. {
            if self.signal.state.lock().closed {
                return Ok(());
            }
            if round % LOOK_EVERY == LOOK_EVERY - 1 {
                let behind = block(self.engine.read(|tx| Ok(waiting(tx)?)))?;
                lane = if behind > super::TAIL { Lane::Verb } else { Lane::Bulk };
            }
            let most = stride.rows;
            let changes = block(self.engine.read(move |tx| Ok(changes(tx, most)?)))?;
            let last = changes.last;
            if !changes.is_empty() {
                let chunk = changes.cut();
                block(self.engine.write(lane, 64 << 10, move |tx| Ok(store(tx, &chunk)?)))?;
            }
            stride.went();
            if last {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Waits for an answer on a thread of one's own.
fn block<T>(answer: Answer<T>) -> Result<T> {
    struct Thread(std::thread::Thread);
    impl Wake for Thread {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Thread(std::thread::current())));
    let mut answer = pin!(answer);
    loop {
        match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(done) => return done,
            Poll::Pending => std::thread::park(),
        }
    }
}

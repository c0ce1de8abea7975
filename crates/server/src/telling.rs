//! From commits to those who listen: a queue and the publisher's thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
        mpsc,
    },
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::Result;
use parlor_core::{chat::Chat, event::Fact, hub::Output, publisher::Publisher};
use parlor_live::{Alone, gather, tell};

/// Batches of committed facts that may wait for the publisher; then the store waits (see the core's `hub.rs`).
const WAITING_BATCHES: usize = 256;
/// How often the publisher looks for what has become due.
const TICK: Duration = Duration::from_millis(50);

/// The end of the queue that commits go into.
#[derive(Clone)]
pub(crate) struct Telling {
    sender: mpsc::SyncSender<(Instant, Vec<Fact>)>,
    waiting: Arc<AtomicUsize>,
}

/// The end that the publisher reads.
pub(crate) struct ToTell {
    facts: mpsc::Receiver<(Instant, Vec<Fact>)>,
    waiting: Arc<AtomicUsize>,
}

/// The queue.
pub(crate) fn queue() -> (Telling, ToTell) {
    let (sender, facts) = mpsc::sync_channel(WAITING_BATCHES);
    let waiting = Arc::<AtomicUsize>::default();
    (Telling { sender, waiting: waiting.clone() }, ToTell { facts, waiting })
}

impl Telling {
    /// Hands on what one commit brought; waits while the queue is full.
    pub(crate) fn send(&self, facts: Vec<Fact>) {
        self.waiting.fetch_add(1, Relaxed);
        // The receiver is gone only when the process ends.
        let _ = self.sender.send((Instant::now(), facts));
    }
}

impl ToTell {
    /// Starts the publisher's thread: commits in, events out.
    pub(crate) fn publish(self, publisher: Arc<Publisher>, chat: Arc<Chat>) -> Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Handle::current();
        let thread = Builder::new().name("publisher".into());
        Ok(thread.spawn(move || {
            let _within = runtime.enter();
            let alone = self.alone(&chat);
            loop {
                let questions = match self.facts.recv_timeout(TICK) {
                    Ok((since, batch)) => {
                        self.waiting.fetch_sub(1, Relaxed);
                        let questions = guarded(|| at_once_or_together(&publisher, &alone, batch));
                        chat.latencies().published.add(since.elapsed());
                        questions
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => guarded(|| publisher.tick()),
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                };
                if !questions.is_empty() {
                    let publisher = publisher.clone();
                    runtime.spawn(async move { publisher.execute(questions).await });
                }
            }
        })?)
    }

    /// Whether nothing else is about to be told: what comes soon would leave together with this.
    fn alone(&self, chat: &Arc<Chat>) -> Alone {
        let (waiting, chat) = (self.waiting.clone(), chat.clone());
        // The message that is being told may not have been answered yet.
        Arc::new(move || waiting.load(Relaxed) == 0 && chat.sends_under_way() <= 1)
    }
}

fn at_once_or_together(publisher: &Publisher, alone: &Alone, batch: Vec<Fact>) -> Vec<Output> {
    let several = batch.iter().filter(|fact| fact.place.is_some()).nth(1).is_some();
    if several { gather(|| publisher.publish(batch)) } else { tell(alone, || publisher.publish(batch)) }
}

/// A mistake in telling of one change must not silence all later ones: whoever missed it learns of it by its position.
fn guarded(tell: impl FnOnce() -> Vec<Output>) -> Vec<Output> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(tell)).unwrap_or_else(|_| {
        tracing::error!("telling of a change failed; it is told with the next change of its room");
        Vec::new()
    })
}

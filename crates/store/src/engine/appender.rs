//! The thread that stores messages on PostgreSQL: what is queued becomes one transaction. A batch that fails is
//! split until the message that spoils it stands alone.

use super::batch::Step;
use super::lanes::Lane;
use super::link::{Attempt, Ended, Link, PATIENCE, Verdict, patiently};
use super::queue::Queue;
use super::readers::spawn_committing;
use super::{OnPoison, Options, Sink};
use crate::rows::append::Item;
use crate::rows::append_postgres::store_many;
use crate::sql::{Counters, SqlError};
use parking_lot::Mutex;
use parlor_core::{
    clock::Clock,
    error::{Refusal, Result},
    event::Fact,
    id::RoomId,
    store::{Answer, Append, Appended},
};
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;
use tokio::sync::oneshot;

pub(super) struct Appender {
    queue: Arc<Queue<Waiting>>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Waiting {
    item: Item,
    reply: oneshot::Sender<Result<Appended>>,
    since: Instant,
}

impl Appender {
    pub(super) fn start(link: Link, options: &Options, counters: &Arc<Counters>) -> Self {
        let queue = Arc::new(Queue::new(options.bounds, options.batch));
        let mut driver = Driver {
            link,
            queue: queue.clone(),
            clock: options.clock.clone(),
            sink: options.sink.clone(),
            counters: counters.clone(),
        };
        let (left, on_poison) = (queue.clone(), options.on_poison.clone());
        let fallen: OnPoison = Arc::new(move |why| {
            // Their callers hear that it is unavailable.
            drop(left.stop());
            on_poison(why);
        });
        let thread = spawn_committing("store-append", fallen, move || driver.run());
        Appender { queue, counters: counters.clone(), thread: Mutex::new(Some(thread)) }
    }

    pub(super) fn push(&self, append: Append) -> Answer<Appended> {
        let bytes = Item::bytes(&append);
        let (reply, answer) = Answer::channel();
        let waiting = Waiting { item: append.into(), reply, since: Instant::now() };
        if self.queue.push(Lane::Message, bytes, waiting).is_err() {
            // The sender is gone with it: the answer is `Unavailable`.
            Counters::add(&self.counters.full, 1);
        }
        answer
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // If it panicked, its callers have heard that it is unavailable.
            let _ = thread.join();
        }
    }
}

struct Driver {
    link: Link,
    queue: Arc<Queue<Waiting>>,
    clock: Arc<dyn Clock>,
    sink: Sink,
    counters: Arc<Counters>,
}

impl Driver {
    fn run(&mut self) {
        let mut batch = Vec::with_capacity(512);
        loop {
            match self.queue.next() {
                Step::Run(waiting) => batch.push(waiting),
                Step::Commit => self.store(std::mem::take(&mut batch)),
                Step::Wait => {}
                Step::End => return,
            }
        }
    }

    fn store(&mut self, batch: Vec<Waiting>) {
        let Some(since) = batch.first().map(|waiting| waiting.since) else { return };
        let mut stored: Option<(Vec<Result<Appended>>, Vec<Fact>)> = None;
        let counters = self.counters.clone();
        let failed = patiently(since, &counters, || {
            let (attempt, outcome) = self.attempt(&batch, since + PATIENCE);
            stored = outcome;
            attempt
        });
        match (failed, stored) {
            (None, Some((outcomes, facts))) => self.answer(batch, outcomes, facts),
            (Some(error @ SqlError::Unavailable(_)), _) => refuse(batch, &error),
            (Some(error), _) if batch.len() == 1 => refuse(batch, &error),
            _ => {
                let mut batch = batch;
                let rest = batch.split_off(batch.len() / 2);
                self.store(batch);
                self.store(rest);
            }
        }
    }

    #[allow(clippy::type_complexity, reason = "one use")]
    fn attempt(
        &mut self,
        batch: &[Waiting],
        until: Instant,
    ) -> (Attempt, Option<(Vec<Result<Appended>>, Vec<Fact>)>) {
        let items: Vec<&Item> = batch.iter().map(|waiting| &waiting.item).collect();
        if self.counters.own.is_one_of_several() {
            // Two processes number the messages of a room as they place them.
            self.link.lock_first(items.iter().map(|item| lock_of(&item.message.room)).collect());
        }
        let ended = self.link.write(self.clock.now(), until, &mut |tx| match store_many(tx, &items) {
            Ok(outcomes) => Verdict::Keep(Ok(outcomes)),
            Err(error) => Verdict::Refuse(Err(error)),
        });
        match ended {
            Ended::Committed((Ok(outcomes), facts)) => (Attempt::Done, Some((outcomes, facts))),
            Ended::Committed((Err(error), _)) | Ended::RolledBack((Err(error), _)) => {
                (Attempt::Failed(error), None)
            }
            Ended::RolledBack((Ok(_), _)) => {
                (Attempt::Failed(SqlError::Other("a batch failed".into())), None)
            }
            Ended::Again(error) => (Attempt::Again(error), None),
            Ended::Failed(error) => (Attempt::Failed(error), None),
        }
    }

    fn answer(&self, batch: Vec<Waiting>, outcomes: Vec<Result<Appended>>, facts: Vec<Fact>) {
        let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count() as u64;
        Counters::add(&self.counters.jobs, outcomes.len() as u64);
        Counters::add(&self.counters.refused, refused);
        if !facts.is_empty() {
            (self.sink)(facts);
        }
        for (waiting, outcome) in batch.into_iter().zip(outcomes) {
            // Nobody listening is fine: the message is stored all the same.
            let _ = waiting.reply.send(outcome);
        }
    }
}

fn refuse(batch: Vec<Waiting>, error: &SqlError) {
    for waiting in batch {
        let _ = waiting.reply.send(Err(Refusal::from(error.clone())));
    }
}

/// The lock of a room's messages. Two rooms that share one only wait for each other.
fn lock_of(room: &RoomId) -> i64 {
    // The lower half keeps apart from the locks of `lead.rs` and of migrations.
    (FxBuildHasher.hash_one(room) >> 1) as i64 | (1 << 62)
}

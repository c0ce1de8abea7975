//! The one thread that writes to SQLite: the driver of [`Queue`].

use super::batch::Step;
use super::job::BoxJob;
use super::lanes::Lane;
use super::queue::Queue;
use super::readers::spawn_committing;
use super::{OnPoison, Options, Sink};
use crate::sql::{Counters, On, SqlError, SqlTx, SqliteConn};
use parking_lot::Mutex;
use parlor_core::clock::Clock;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::Duration;

/// Bytes of a page of the database.
const PAGE: u64 = 4_096;
/// How long a checkpoint waits for readers to leave the old part of the log.
const PATIENCE: Duration = Duration::from_millis(20);
/// The same once the log has grown to four times its mark; by then every read has reached its limit.
const LONG_PATIENCE: Duration = Duration::from_millis(1_500);

/// The queue to the writing thread.
pub(super) struct Writer {
    queue: Arc<Queue<BoxJob>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(conn: SqliteConn, options: &Options, counters: Arc<Counters>) -> Self {
        let queue = Arc::new(Queue::new(options.bounds, options.batch));
        let driver = Driver {
            conn,
            queue: queue.clone(),
            counters,
            clock: options.clock.clone(),
            sink: options.sink.clone(),
            on_poison: options.on_poison.clone(),
            checkpoint_at: options.checkpoint_at,
            next_checkpoint: options.checkpoint_at,
            patient_at: 4 * options.checkpoint_at,
        };
        let (left, on_poison) = (queue.clone(), options.on_poison.clone());
        let fallen: OnPoison = Arc::new(move |why| {
            let gone = Some(SqlError::Unavailable("its writer is gone"));
            left.stop().into_iter().for_each(|job| job.answer(gone.clone()));
            on_poison(why);
        });
        let thread = spawn_committing("store-write", fallen, move || driver.run());
        Writer { queue, thread: Mutex::new(Some(thread)) }
    }

    pub(super) fn push(&self, lane: Lane, bytes: usize, job: BoxJob) -> Result<(), BoxJob> {
        self.queue.push(lane, bytes, job)
    }

    pub(super) fn queued(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // A writer that panicked has answered nobody wrongly; its callers hear that it is unavailable.
            let _ = thread.join();
        }
    }
}

struct Driver {
    conn: SqliteConn,
    queue: Arc<Queue<BoxJob>>,
    counters: Arc<Counters>,
    clock: Arc<dyn Clock>,
    sink: Sink,
    on_poison: OnPoison,
    checkpoint_at: u64,
    next_checkpoint: u64,
    /// The length of the log at which a checkpoint waits for readers with patience.
    patient_at: u64,
}

/// What became of a batch that was not stored.
enum Lost {
    /// Nothing of it is there; the next one may fare better.
    Batch(SqlError),
    /// A write or fsync of the commit failed: nobody knows.
    Trust(SqlError),
}

/// A job that was run, and whether what it wrote stands.
type Ran = (BoxJob, bool);

impl Driver {
    fn run(mut self) {
        let mut ran: Vec<Ran> = Vec::with_capacity(512);
        loop {
            let first = match self.queue.next() {
                Step::Run(job) => job,
                Step::Commit | Step::Wait => continue,
                Step::End => break,
            };
            match self.batch(first, &mut ran) {
                Ok(()) => answer(&mut ran, None, &self.counters),
                Err(Lost::Batch(error)) => {
                    tracing::error!(%error, jobs = ran.len(), "a batch was not stored");
                    answer(&mut ran, Some(&error), &self.counters);
                }
                Err(Lost::Trust(error)) => return self.poison(&error, ran),
            }
            if let Err(error) = self.checkpoint() {
                tracing::error!(%error, "a checkpoint failed");
                if matches!(error, SqlError::Io(_)) {
                    return self.poison(&error, ran);
                }
            }
        }
        // What stands in the log is copied now, so that the next start has nothing to recover.
        let _ = self.conn.conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    }

    /// Runs the jobs of one batch and commits it.
    fn batch(&self, first: BoxJob, ran: &mut Vec<Ran>) -> Result<(), Lost> {
        let mut tx = SqlTx::new(On::Sqlite { conn: &self.conn, savepoints: true }, &self.counters);
        let mut next = Step::Run(first);
        let begun = self.conn.control("BEGIN IMMEDIATE");
        while let Step::Run(mut job) = next {
            if let Err(error) = &begun {
                ran.push((job, false));
                return self.abandon(error.clone());
            }
            tx.begin_job(self.clock.now());
            let keep = job.run(&mut tx);
            ran.push((job, keep));
            if let Err(error) = tx.end_job(keep) {
                // Where SQLite has rolled back by itself there is no savepoint to go back to: why it did so counts.
                return self.abandon(tx.failure().cloned().unwrap_or(error));
            }
            // Some errors (disk full, failed reads) make SQLite roll back the whole transaction.
            if self.conn.conn.is_autocommit() {
                return self.abandon(tx.failure().cloned().unwrap_or(SqlError::Unavailable("rolled back")));
            }
            next = self.queue.next();
        }
        if let Err(error) = self.conn.flush() {
            return self.abandon(error);
        }
        if let Err(error) = self.conn.control("COMMIT") {
            let trusted = !matches!(error, SqlError::Io(_));
            return if trusted { self.abandon(error) } else { Err(Lost::Trust(error)) };
        }
        Counters::add(&self.counters.commits, 1);
        let facts = tx.take_facts();
        if !facts.is_empty() {
            (self.sink)(facts);
        }
        Ok(())
    }

    /// Rolls back whatever is open. Jobs that still wait belong to the next batch.
    fn abandon(&self, error: SqlError) -> Result<(), Lost> {
        self.conn.forget_job();
        if !self.conn.conn.is_autocommit() {
            // The first error counts; what could not be rolled back now is when the connection closes.
            let _ = self.conn.control("ROLLBACK");
        }
        self.queue.abandon();
        Err(Lost::Batch(error))
    }

    /// After a failed write or fsync nobody knows what is on the disk: nothing is acknowledged any more.
    fn poison(self, error: &SqlError, mut ran: Vec<Ran>) {
        let waiting = self.queue.stop();
        tracing::error!(%error, "the disk failed: the store stops");
        (self.on_poison)(&error.to_string());
        ran.extend(waiting.into_iter().map(|job| (job, false)));
        answer(&mut ran, Some(&SqlError::Unavailable("the disk failed")), &self.counters);
    }

    /// Copies the log into the database once it has grown to its mark. The writer does it itself: beside a
    /// busy writer a checkpoint of another thread never reaches the log's end, and the log grows without bound.
    fn checkpoint(&mut self) -> Result<(), SqlError> {
        let log = self.counters.log_pages.load(Relaxed) * PAGE;
        if log < self.next_checkpoint {
            return Ok(());
        }
        // Waiting for long is tried once for each doubling: a backup in another process may read for minutes.
        let large = log >= self.patient_at;
        self.patient_at = if large { 2 * log } else { self.patient_at };
        self.conn.conn.busy_timeout(if large { LONG_PATIENCE } else { PATIENCE })?;
        let done: Result<i64, _> =
            self.conn.conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |row| row.get(0));
        self.conn.conn.busy_timeout(Duration::from_secs(5))?;
        let busy = done? != 0;
        Counters::add(&self.counters.checkpoints, 1);
        if busy && large {
            tracing::warn!(
                bytes = log,
                "another process reads the database and keeps its log from shrinking"
            );
        }
        // A reader held the log's end: all else is copied; try again after another eighth.
        self.next_checkpoint = if busy { log + self.checkpoint_at / 8 } else { self.checkpoint_at };
        self.patient_at = if busy { self.patient_at } else { 4 * self.checkpoint_at };
        Ok(())
    }
}

/// Answers the jobs of a batch, with `instead` if that befell the whole batch.
fn answer(ran: &mut Vec<Ran>, instead: Option<&SqlError>, counters: &Counters) {
    let refused = ran.iter().filter(|(_, keep)| !keep).count() as u64;
    Counters::add(&counters.jobs, ran.len() as u64);
    Counters::add(&counters.refused, refused);
    for (job, _) in ran.drain(..) {
        job.answer(instead.cloned());
    }
}

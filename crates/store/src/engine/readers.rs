//! The threads that read from SQLite, each with a connection of its own that can't write.

use super::OnPoison;
use super::job::BoxJob;
use crate::sql::{Counters, On, SqlTx, SqliteConn};
use parking_lot::{Condvar, Mutex};
use parlor_core::clock::Clock;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// After how many steps of SQLite's virtual machine a read looks at the time.
const STEPS: i32 = 4_000;

/// The reads that wait and the threads that take them.
pub(super) struct Readers {
    queue: Arc<Queue>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    bound: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<BoxJob>,
    closed: bool,
}

impl Readers {
    /// Starts a thread on each connection.
    pub(super) fn start(
        conns: Vec<rusqlite::Connection>,
        bound: usize,
        limit: Duration,
        clock: &Arc<dyn Clock>,
        counters: &Arc<Counters>,
    ) -> Self {
        let queue = Arc::new(Queue { waiting: Mutex::default(), wake: Condvar::new(), bound });
        let threads = conns
            .into_iter()
            .map(|conn| {
                let reader = Reader {
                    queue: queue.clone(),
                    clock: clock.clone(),
                    counters: counters.clone(),
                    limit,
                    deadline: Arc::default(),
                    began: Instant::now(),
                };
                spawn("store-read", move || reader.run(conn))
            })
            .collect();
        Readers { queue, threads: Mutex::new(threads) }
    }

    pub(super) fn push(&self, job: BoxJob) -> Result<(), BoxJob> {
        let mut waiting = self.queue.waiting.lock();
        if waiting.closed || waiting.jobs.len() >= self.queue.bound {
            return Err(job);
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        self.queue.wake.notify_one();
        Ok(())
    }

    pub(super) fn close(&self) {
        self.queue.waiting.lock().closed = true;
        self.queue.wake.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A reader that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// Starts a named thread. A process that can't start its few threads at opening can't serve.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .expect("the system has room for the store's few threads when it opens")
}

/// As [`spawn`], for a thread that commits. Jobs catch their own panics; one beside them has left changes that are stored
/// and told to nobody, caches among them: the process has to end and recover.
pub(super) fn spawn_committing(
    name: &str,
    on_poison: OnPoison,
    run: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    struct Fallen(OnPoison);
    impl Drop for Fallen {
        fn drop(&mut self) {
            if std::thread::panicking() {
                (self.0)("a thread that commits has panicked");
            }
        }
    }
    spawn(name, move || {
        let _fallen = Fallen(on_poison);
        run();
    })
}

struct Reader {
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    counters: Arc<Counters>,
    limit: Duration,
    /// Microseconds since `began` at which the current read is cut off.
    deadline: Arc<AtomicU64>,
    began: Instant,
}

impl Reader {
    fn run(self, mut conn: rusqlite::Connection) {
        let (deadline, began) = (self.deadline.clone(), self.began);
        let handler = move || began.elapsed().as_micros() as u64 > deadline.load(Relaxed);
        if let Err(error) = conn.progress_handler(STEPS, Some(handler)) {
            tracing::error!(%error, "reads can't be limited in time");
        }
        let conn = SqliteConn::new(conn);
        while let Some(job) = self.take() {
            self.serve(&conn, job);
        }
    }

    fn take(&self) -> Option<BoxJob> {
        let mut waiting = self.queue.waiting.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            self.queue.wake.wait(&mut waiting);
        }
    }

    fn serve(&self, conn: &SqliteConn, mut job: BoxJob) {
        self.deadline.store((self.began.elapsed() + self.limit).as_micros() as u64, Relaxed);
        let mut cut = false;
        let instead = match conn.control("BEGIN") {
            Ok(()) => {
                let mut tx = SqlTx::new(On::Sqlite { conn, savepoints: false }, &self.counters);
                tx.begin_job(self.clock.now());
                job.run(&mut tx);
                cut = matches!(tx.failure(), Some(crate::sql::SqlError::Interrupted));
                None
            }
            Err(error) => Some(error),
        };
        self.deadline.store(u64::MAX, Relaxed);
        // Nothing was written: ROLLBACK only ends the snapshot, also after an interrupted statement.
        if !conn.conn.is_autocommit()
            && let Err(error) = conn.control("ROLLBACK")
        {
            tracing::error!(%error, "a reader can't end its snapshot");
        }
        Counters::add(&self.counters.reads, 1);
        Counters::add(&self.counters.reads_cut, u64::from(cut));
        job.answer(instead);
    }
}

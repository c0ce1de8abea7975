//! PostgreSQL: threads with a connection each that share one queue, one transaction a job; and one thread that
//! stores messages by the batch.
//!
//! Transactions run at READ COMMITTED. What a job decides by, it locks: reading a room or a user with `{lock}`
//! makes it wait for whoever changes the same one, and then see that change. Deadlocks are broken by the server
//! and run again. A job that looked for something, did not find it and then met it while making it runs once more.

use super::appender::Appender;
use super::job::BoxJob;
use super::lanes::{Lane, Lanes};
use super::link::{Attempt, Ended, Link, PATIENCE, Verdict, connect, patiently};
use super::readers::spawn_committing;
use super::{OpenError, Options};
use crate::migrations::{self, Migrate};
use crate::sql::{Counters, On, PLACE_BITS, PostgresConn, SqlError, SqlTx, Target};
use parking_lot::{Condvar, Mutex};
use parlor_core::store::{Answer, Append, Appended};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The advisory lock that keeps two nodes from migrating at once.
const MIGRATION_LOCK: i64 = 0x7061_726c_6f72;

/// PostgreSQL with its threads.
pub(crate) struct Postgres {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    appender: Appender,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    start: Instant,
    options: Options,
    counters: Arc<Counters>,
}

struct State {
    writes: Lanes<Waiting>,
    reads: VecDeque<Waiting>,
    bulk_running: usize,
    /// Reads and writes take turns while both wait.
    read_next: bool,
}

struct Waiting {
    job: BoxJob,
    since: Instant,
}

enum Task {
    Read(Waiting),
    Write(Waiting),
    Bulk(Waiting),
}

impl Postgres {
    pub(crate) fn open(url: &str, options: Options, counters: Arc<Counters>) -> Result<Self, OpenError> {
        let mut target = Target::parse(url)?;
        target
            .config
            .application_name("parlor")
            .connect_timeout(Duration::from_secs(5))
            .keepalives_idle(Duration::from_secs(30));
        let base = if options.looks { look(&target, &counters)? } else { prepare(&target, &counters)? };
        let appender =
            Appender::start(Link::new(&target, base, &counters).for_batches(), &options, &counters);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                writes: Lanes::new(options.bounds),
                reads: VecDeque::new(),
                bulk_running: 0,
                read_next: false,
            }),
            wake: Condvar::new(),
            start: Instant::now(),
            counters: counters.clone(),
            options,
        });
        let threads = (0..shared.options.connections.max(2))
            .map(|_| {
                let mut worker = Worker {
                    shared: shared.clone(),
                    link: Link::new(&target, base, &counters),
                    until: Instant::now(),
                    met: false,
                };
                spawn_committing("store-sql", shared.options.on_poison.clone(), move || worker.run())
            })
            .collect();
        Ok(Postgres { shared, threads: Mutex::new(threads), appender })
    }

    pub(crate) fn write(&self, lane: Lane, bytes: usize, job: BoxJob) -> Result<(), BoxJob> {
        let now = self.shared.start.elapsed();
        let waiting = Waiting { job, since: Instant::now() };
        self.shared.state.lock().writes.push(now, lane, bytes, waiting).map_err(|waiting| waiting.job)?;
        self.shared.wake.notify_one();
        Ok(())
    }

    pub(crate) fn append(&self, append: Append) -> Answer<Appended> {
        self.appender.push(append)
    }

    pub(crate) fn read(&self, job: BoxJob) -> Result<(), BoxJob> {
        let mut state = self.shared.state.lock();
        if state.writes.is_closed() || state.reads.len() >= self.shared.options.reads_waiting {
            return Err(job);
        }
        state.reads.push_back(Waiting { job, since: Instant::now() });
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    pub(crate) fn queued(&self) -> usize {
        self.shared.state.lock().writes.len() + self.appender.queued()
    }

    pub(crate) fn close(&self) {
        self.appender.close();
        self.shared.state.lock().writes.close();
        self.shared.wake.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A worker that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

/// Brings the schema up to date, one node at a time; tells the base of the journal's numbers.
fn prepare(target: &Target, counters: &Counters) -> Result<i64, OpenError> {
    let mut direct = Direct { conn: connect(target, None)?, counters };
    // Another node may be at it, for as long as it takes.
    direct.conn.client.batch_execute(&format!(
        "SET statement_timeout = 0; SELECT pg_advisory_lock({MIGRATION_LOCK}); SET statement_timeout = '4s'"
    ))?;
    migrations::migrate(&mut direct)?;
    let mut base = 0;
    direct.transaction(&mut |tx| {
        base = journal_base(tx)?;
        Ok(())
    })?;
    // Dropping the connection frees the advisory lock.
    Ok(base)
}

/// As [`prepare`], but nothing is changed: the schema must be this version's.
fn look(target: &Target, counters: &Counters) -> Result<i64, OpenError> {
    let mut direct = Direct { conn: connect(target, None)?, counters };
    let (mut found, mut base) = (0, 0);
    direct.transaction(&mut |tx| {
        let there = "SELECT COUNT(*) FROM pg_tables WHERE tablename = 'schema_version' AND schemaname = current_schema()";
        if tx.one::<i64>(there, &[], |row| row.get(0))? > 0 {
            found = tx.one("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[], |row| row.get(0))?;
        }
        Ok(())
    })?;
    migrations::readable(found)?;
    direct.transaction(&mut |tx| {
        base = tx.one("SELECT base FROM journal_base", &[], |row| row.get(0))?;
        Ok(())
    })?;
    Ok(base)
}

/// Moves the base of the journal's numbers if a restore brought rows whose numbers are still to come here.
fn journal_base(tx: &mut SqlTx<'_>) -> Result<i64, SqlError> {
    let base: i64 = tx.one("SELECT base FROM journal_base", &[], |row| row.get(0))?;
    let last = crate::rows::journal::last_g(tx)?;
    let xid: i64 = tx.one("SELECT pg_current_xact_id()::text::bigint", &[], |row| row.get(0))?;
    let next = base + (xid << PLACE_BITS);
    if last < next {
        return Ok(base);
    }
    let base = base + ((((last - next) >> PLACE_BITS) + 1) << PLACE_BITS);
    tx.exec("UPDATE journal_base SET base = $1", crate::params![base])?;
    Ok(base)
}

/// The migrating connection.
pub(crate) struct Direct<'a> {
    pub(crate) conn: PostgresConn,
    pub(crate) counters: &'a Counters,
}

impl Migrate for Direct<'_> {
    fn transaction(
        &mut self,
        work: &mut dyn FnMut(&mut SqlTx<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        // A step may build an index, which takes its time.
        self.conn.client.batch_execute("BEGIN; SET LOCAL statement_timeout = 0")?;
        let done = work(&mut SqlTx::new(On::Postgres(&mut self.conn), self.counters));
        match done {
            Ok(()) => self.conn.client.batch_execute("COMMIT"),
            Err(error) => {
                // The first error counts; a connection that is gone has rolled back.
                let _ = self.conn.client.batch_execute("ROLLBACK");
                Err(error)
            }
        }
    }
}

impl Shared {
    fn take(&self) -> Option<Task> {
        let mut state = self.state.lock();
        let bulk_threads = (self.options.connections / 4).max(1);
        loop {
            if let Some(task) = state.next(self.start.elapsed(), bulk_threads) {
                return Some(task);
            }
            if state.writes.is_closed() && state.writes.len() == 0 {
                // Others may sleep beside bulk work that was not theirs to take.
                self.wake.notify_all();
                return None;
            }
            self.wake.wait(&mut state);
        }
    }
}

impl State {
    fn next(&mut self, now: Duration, bulk_threads: usize) -> Option<Task> {
        self.read_next = !self.read_next;
        if self.read_next
            && let Some(read) = self.reads.pop_front()
        {
            return Some(Task::Read(read));
        }
        let may_bulk = self.bulk_running < bulk_threads;
        if may_bulk && let Some(bulk) = self.writes.pop_overdue(now) {
            self.bulk_running += 1;
            return Some(Task::Bulk(bulk));
        }
        if let Some(write) = self.writes.pop(now) {
            return Some(Task::Write(write));
        }
        if let Some(read) = self.reads.pop_front() {
            return Some(Task::Read(read));
        }
        let bulk = if may_bulk { self.writes.pop_bulk(now) } else { None };
        self.bulk_running += usize::from(bulk.is_some());
        bulk.map(Task::Bulk)
    }
}

struct Worker {
    shared: Arc<Shared>,
    link: Link,
    /// When the caller of the current job has waited long enough.
    until: Instant,
    /// The current job met somebody else's row before, and is judged by what it says now.
    met: bool,
}

impl Worker {
    fn run(&mut self) {
        let shared = self.shared.clone();
        while let Some(task) = shared.take() {
            match task {
                Task::Read(waiting) => self.serve(waiting, Worker::read),
                Task::Write(waiting) => self.serve(waiting, Worker::write),
                Task::Bulk(waiting) => {
                    self.serve(waiting, Worker::write);
                    shared.state.lock().bulk_running -= 1;
                    shared.wake.notify_one();
                }
            }
        }
    }

    /// Tries a job until it is done, hopeless or out of time.
    fn serve(&mut self, waiting: Waiting, attempt: fn(&mut Worker, &mut BoxJob) -> Attempt) {
        let Waiting { mut job, since } = waiting;
        self.until = since + PATIENCE;
        self.met = false;
        let shared = self.shared.clone();
        let instead = patiently(since, &shared.counters, || attempt(self, &mut job));
        job.answer(instead);
    }

    fn read(&mut self, job: &mut BoxJob) -> Attempt {
        let options = &self.shared.options;
        self.link.read(options.read_limit, options.clock.now(), &mut |tx| {
            job.run(tx);
        })
    }

    fn write(&mut self, job: &mut BoxJob) -> Attempt {
        let shared = self.shared.clone();
        Counters::add(&shared.counters.jobs, 1);
        let ended = self.link.write(shared.options.clock.now(), self.until, &mut |tx| {
            if job.run(tx) { Verdict::Keep(()) } else { Verdict::Refuse(()) }
        });
        match ended {
            Ended::Committed(((), facts)) => {
                if !facts.is_empty() {
                    (shared.options.sink)(facts);
                }
                Attempt::Done
            }
            Ended::RolledBack(_) if job.met_another() && !std::mem::replace(&mut self.met, true) => {
                Attempt::Again(SqlError::Busy("a row that was not there before".into()))
            }
            Ended::RolledBack(_) => {
                Counters::add(&shared.counters.refused, 1);
                Attempt::Done
            }
            Ended::Again(error) => Attempt::Again(error),
            Ended::Failed(error) => Attempt::Failed(error),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;
    use crate::engine::job::job;
    use std::sync::mpsc::channel;

    #[test]
    fn every_thread_ends_when_the_last_of_the_bulk_work_that_waited_is_done() {
        let clock = Arc::new(parlor_core::clock::System::new());
        let options = Options { connections: 4, ..Options::new(clock, Arc::new(|_| {})) };
        let mut writes = Lanes::new(options.bounds);
        for _ in 0..3 {
            let waiting = Waiting { job: job(|_| Ok(())).0, since: Instant::now() };
            assert!(writes.push(Duration::ZERO, Lane::Bulk, 1, waiting).is_ok());
        }
        writes.close();
        let state = State { writes, reads: VecDeque::new(), bulk_running: 0, read_next: false };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            wake: Condvar::new(),
            start: Instant::now(),
            options,
            counters: Arc::default(),
        });
        let (ended, heard) = channel();
        for _ in 0..4 {
            let (shared, ended) = (shared.clone(), ended.clone());
            std::thread::spawn(move || {
                while shared.take().is_some() {
                    // The others fall asleep meanwhile.
                    std::thread::sleep(Duration::from_millis(20));
                    shared.state.lock().bulk_running -= 1;
                    shared.wake.notify_one();
                }
                ended.send(()).unwrap();
            });
        }
        for _ in 0..4 {
            assert!(heard.recv_timeout(Duration::from_secs(30)).is_ok(), "a thread sleeps for ever");
        }
    }
}

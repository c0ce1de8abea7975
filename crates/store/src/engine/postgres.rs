//! PostgreSQL: threads with a connection each that share one queue; one transaction a job.
//!
//! Transactions run at READ COMMITTED. What a job decides by, it locks: reading a room or a user with `{lock}`
//! makes it wait for whoever changes the same one, and then see that change. Deadlocks are broken by the server
//! and run again.

use super::job::BoxJob;
use super::lanes::{Lane, Lanes};
use super::readers::spawn;
use super::{OpenError, Options};
use crate::migrations::{self, Migrate};
use crate::sql::{Access, Counters, On, PostgresConn, SqlError, SqlTx};
use parking_lot::{Condvar, Mutex};
use postgres::{NoTls, SimpleQueryMessage};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a job is tried again after conflicts and lost connections before its caller hears `Unavailable`.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause after a failure that another attempt may mend; doubled up to [`MAX_PAUSE`].
const PAUSE: Duration = Duration::from_millis(2);
const MAX_PAUSE: Duration = Duration::from_millis(250);
/// The advisory lock that keeps two nodes from migrating at once.
const MIGRATION_LOCK: i64 = 0x7061_726c_6f72;

/// PostgreSQL with its threads.
pub(crate) struct Postgres {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    start: Instant,
    config: postgres::Config,
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
        let mut config: postgres::Config = url.parse().map_err(SqlError::from)?;
        config.application_name("parlor").connect_timeout(PATIENCE).keepalives_idle(Duration::from_secs(30));
        let mut direct = Direct { conn: connect(&config)?, counters: &counters };
        direct
            .conn
            .client
            .execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK])
            .map_err(SqlError::from)?;
        migrations::migrate(&mut direct)?;
        // Dropping the connection frees the advisory lock.
        drop(direct);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                writes: Lanes::new(options.bounds),
                reads: VecDeque::new(),
                bulk_running: 0,
                read_next: false,
            }),
            wake: Condvar::new(),
            start: Instant::now(),
            config,
            counters,
            options,
        });
        let threads = (0..shared.options.connections.max(2))
            .map(|_| {
                let mut worker = Worker { shared: shared.clone(), conn: None };
                spawn("store-sql", move || worker.run())
            })
            .collect();
        Ok(Postgres { shared, threads: Mutex::new(threads) })
    }

    pub(crate) fn write(&self, lane: Lane, bytes: usize, job: BoxJob) -> Result<(), BoxJob> {
        let now = self.shared.start.elapsed();
        let waiting = Waiting { job, since: Instant::now() };
        self.shared.state.lock().writes.push(now, lane, bytes, waiting).map_err(|waiting| waiting.job)?;
        self.shared.wake.notify_one();
        Ok(())
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
        self.shared.state.lock().writes.len()
    }

    pub(crate) fn close(&self) {
        self.shared.state.lock().writes.close();
        self.shared.wake.notify_all();
        for thread in self.threads.lock().drain(..) {
            // A worker that panicked has nothing left to finish.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn take(&self) -> Option<Task> {
        let mut state = self.state.lock();
        let bulk_threads = (self.options.connections / 4).max(1);
        loop {
            let now = self.start.elapsed();
            state.read_next = !state.read_next;
            let read = if state.read_next { state.reads.pop_front() } else { None };
            if let Some(read) = read {
                return Some(Task::Read(read));
            }
            let may_bulk = state.bulk_running < bulk_threads;
            if may_bulk && let Some(bulk) = state.writes.pop_overdue(now) {
                state.bulk_running += 1;
                return Some(Task::Bulk(bulk));
            }
            if let Some(write) = state.writes.pop(now) {
                return Some(Task::Write(write));
            }
            if let Some(read) = state.reads.pop_front() {
                return Some(Task::Read(read));
            }
            if may_bulk && let Some(bulk) = state.writes.pop_bulk(now) {
                state.bulk_running += 1;
                return Some(Task::Bulk(bulk));
            }
            if state.writes.is_closed() && state.writes.len() == 0 {
                return None;
            }
            self.wake.wait(&mut state);
        }
    }
}

/// Opens a connection and sets what every session needs.
pub(crate) fn connect(config: &postgres::Config) -> Result<PostgresConn, SqlError> {
    let mut client = config.connect(NoTls)?;
    client.batch_execute(
        "SET synchronous_commit = on; SET statement_timeout = '5s'; SET jit = off;
         SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = warning;
         SET default_transaction_isolation = 'read committed'",
    )?;
    Ok(PostgresConn::new(client))
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
            Ok(()) => Ok(self.conn.client.batch_execute("COMMIT")?),
            Err(error) => {
                // The first error counts; a connection that is gone has rolled back.
                let _ = self.conn.client.batch_execute("ROLLBACK");
                Err(error)
            }
        }
    }
}

struct Worker {
    shared: Arc<Shared>,
    conn: Option<PostgresConn>,
}

/// How one attempt at a job ended.
enum Attempt {
    /// The job holds its answer.
    Done,
    /// Nothing was stored; the job may be run again.
    Again(SqlError),
    /// Hopeless.
    Failed(SqlError),
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
        let mut pause = PAUSE;
        let instead = loop {
            if since.elapsed() > PATIENCE {
                break Some(SqlError::Unavailable("the database did not answer in time"));
            }
            match attempt(self, &mut job) {
                Attempt::Done => break None,
                Attempt::Failed(error) => break Some(error),
                Attempt::Again(error) => {
                    tracing::debug!(%error, "a store job is run again");
                    Counters::add(&self.shared.counters.retries, 1);
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(MAX_PAUSE);
                }
            }
        };
        job.answer(instead);
    }

    fn conn(&mut self) -> Result<&mut PostgresConn, SqlError> {
        if self.conn.as_ref().is_none_or(|conn| conn.client.is_closed()) {
            self.conn = None;
            self.conn = Some(connect(&self.shared.config)?);
        }
        self.conn.as_mut().ok_or(SqlError::Unavailable("no connection"))
    }

    fn read(&mut self, job: &mut BoxJob) -> Attempt {
        let shared = self.shared.clone();
        let limit = shared.options.read_limit.as_millis();
        let begin =
            format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {limit}");
        let conn = match self.conn().and_then(|conn| Ok(conn.client.batch_execute(&begin).map(|()| conn)?)) {
            Ok(conn) => conn,
            Err(error) => return Attempt::Again(self.lost(error)),
        };
        conn.access = Access::Read;
        let mut tx = SqlTx::new(On::Postgres(conn), &shared.counters);
        tx.begin_job(shared.options.clock.now());
        job.run(&mut tx);
        let cut = matches!(tx.failure(), Some(SqlError::Interrupted));
        Counters::add(&shared.counters.reads, 1);
        Counters::add(&shared.counters.reads_cut, u64::from(cut));
        if let Err(error) = conn.client.batch_execute("ROLLBACK") {
            // What was read stands; the connection is opened anew for the next job.
            self.lost(error.into());
        }
        Attempt::Done
    }

    fn write(&mut self, job: &mut BoxJob) -> Attempt {
        let shared = self.shared.clone();
        let (conn, xid) = match self.begin() {
            Ok(begun) => begun,
            Err(error) => return Attempt::Again(self.lost(error)),
        };
        let mut tx = SqlTx::new(On::Postgres(conn), &shared.counters);
        tx.begin_job(shared.options.clock.now());
        let keep = job.run(&mut tx);
        let failure = tx.failure().cloned();
        let facts = tx.take_facts();
        Counters::add(&shared.counters.jobs, 1);
        if !keep {
            Counters::add(&shared.counters.refused, 1);
            let rolled_back = conn.client.batch_execute("ROLLBACK");
            if let Some(error) = failure.filter(SqlError::retry) {
                return Attempt::Again(self.lost(error));
            }
            if let Err(error) = rolled_back {
                self.lost(error.into());
            }
            return Attempt::Done;
        }
        let committed = conn.client.batch_execute("COMMIT").map_err(SqlError::from);
        if let Err(error) = committed {
            match error {
                SqlError::Lost(_) => match self.outcome(&xid) {
                    Ok(true) => {}
                    Ok(false) => return Attempt::Again(error),
                    Err(unknown) => return Attempt::Failed(unknown),
                },
                error if error.retry() => return Attempt::Again(error),
                error => return Attempt::Failed(error),
            }
        }
        Counters::add(&shared.counters.commits, 1);
        if !facts.is_empty() {
            (shared.options.sink)(facts);
        }
        Attempt::Done
    }

    /// Begins a writing transaction and learns its number, by which a commit whose answer was lost is looked up.
    fn begin(&mut self) -> Result<(&mut PostgresConn, String), SqlError> {
        let conn = self.conn()?;
        conn.access = Access::Write;
        let answers = conn.client.simple_query("BEGIN; SELECT pg_current_xact_id()::text")?;
        let xid = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok((conn, xid.ok_or(SqlError::Unavailable("no transaction number"))?))
    }

    /// Whether a transaction was committed although its connection was lost: asked on a new connection, until
    /// the server has ended it one way or the other.
    fn outcome(&mut self, xid: &str) -> Result<bool, SqlError> {
        self.conn = None;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let status = self.conn().and_then(|conn| {
                let row = conn.client.query_one("SELECT pg_xact_status($1::text::xid8)", &[&xid])?;
                Ok(row.try_get::<_, Option<String>>(0)?)
            });
            match status.as_ref().map(|s| s.as_deref()) {
                Ok(Some("committed")) => return Ok(true),
                Ok(Some("aborted")) => return Ok(false),
                Ok(_) => {}
                Err(error) => {
                    self.lost(error.clone());
                }
            }
            std::thread::sleep(MAX_PAUSE);
        }
        Err(SqlError::Unavailable("the connection was lost while storing; the outcome is not known"))
    }

    /// Forgets the connection if it is of no more use after this error.
    fn lost(&mut self, error: SqlError) -> SqlError {
        if !matches!(error, SqlError::Busy(_)) {
            self.conn = None;
        }
        error
    }
}

//! The engine that runs jobs: one writer thread and a few readers on SQLite, a set of threads on PostgreSQL.

mod appender;
mod batch;
mod job;
mod lanes;
mod lead;
mod link;
mod postgres;
mod queue;
mod readers;
mod sqlite;
mod writer;

pub use batch::{BatchLimits, Batcher, Step};
pub use lanes::{Bounds, Lane};
pub use lead::{Alone, Lead, Serving, Turn};
pub(crate) use link::connect;
pub(crate) use postgres::Direct;
pub(crate) use readers::spawn;
pub(crate) use sqlite::in_use;
#[cfg(test)]
pub(crate) use sqlite::{Direct as DirectSqlite, open_writer};

use crate::migrations::MigrationError;
use crate::rows::append::{Item, store_one};
use crate::search::{Indexer, Signal};
use crate::sql::{Counters, Figures, Kind, SqlError, SqlTx};
use job::{BoxJob, job, job_once};
use parlor_core::{
    clock::Clock,
    error::{Refusal, Result},
    event::Fact,
    store::{Answer, Append, Appended},
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// Hears of committed facts, in commit order, before the callers get their answers. Must be quick.
pub type Sink = Arc<dyn Fn(Vec<Fact>) + Send + Sync>;
/// Hears that the store can't be trusted any more (a failed fsync): the process has to end and recover.
pub type OnPoison = Arc<dyn Fn(&str) + Send + Sync>;

/// Where the data lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// An SQLite file; its directory must exist.
    Sqlite(PathBuf),
    /// A PostgreSQL server, as a URL or a `key=value` string.
    Postgres(String),
}

impl Location {
    /// Reads `postgres://…` as a server and anything else as the path of a file.
    pub fn parse(text: &str) -> Self {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Location::Postgres(text.to_owned())
        } else {
            Location::Sqlite(Path::new(text).to_owned())
        }
    }
}

/// How an engine is to run.
#[derive(Clone)]
pub struct Options {
    /// Gives each job its time.
    pub clock: Arc<dyn Clock>,
    /// Gets the committed facts.
    pub sink: Sink,
    /// Is called when a commit's outcome can't be trusted.
    pub on_poison: OnPoison,
    /// The bounds of the write queue.
    pub bounds: Bounds,
    /// The bounds of one batch of the SQLite writer.
    pub batch: BatchLimits,
    /// Reading threads of SQLite.
    pub readers: usize,
    /// Reads that may wait.
    pub reads_waiting: usize,
    /// How long one read may take.
    pub read_limit: Duration,
    /// Connections, and threads, of PostgreSQL.
    pub connections: usize,
    /// Bytes of write-ahead log at which the SQLite writer checkpoints.
    pub checkpoint_at: u64,
    /// Other processes have the same database open: what they need to know is kept in the journal.
    pub several: bool,
    /// Only reads, also beside a server that runs: nothing is made, brought up to date or indexed, and work that writes
    /// is refused.
    pub looks: bool,
}

impl Options {
    /// The defaults, with this clock and this sink; a poisoned store aborts the process.
    pub fn new(clock: Arc<dyn Clock>, sink: Sink) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, |n| n.get());
        Options {
            clock,
            sink,
            on_poison: Arc::new(|_| std::process::abort()),
            bounds: Bounds::default(),
            batch: BatchLimits::default(),
            readers: cores.clamp(2, 4),
            reads_waiting: 8_192,
            read_limit: Duration::from_secs(1),
            connections: 12,
            checkpoint_at: 64 << 20,
            several: false,
            looks: false,
        }
    }
}

/// Why an engine could not be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("{0} is in use by another Parlor")]
    InUse(PathBuf),
    /// There is no database to look at.
    #[error("there is no database at {0}")]
    Missing(PathBuf),
    /// The database said no.
    #[error("opening the database: {0}")]
    Sql(#[from] SqlError),
    /// The schema could not be brought up to date.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The file system said no.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
}

/// An append as the SQLite writer's job. It runs once: that writer's transactions never conflict.
fn append_job(append: Append) -> (BoxJob, Answer<Appended>) {
    let mut item = Some(Item::from(append));
    job(move |tx| match (item.take(), tx.sqlite()) {
        (Some(item), Some(conn)) => store_one(tx, conn, item),
        _ => Err(Refusal::Unavailable),
    })
}

/// A running engine. Jobs are queued when the method is called, so calls from one task keep their order.
pub struct Engine {
    inner: Arc<Inner>,
    /// None where the engine only reads.
    indexer: Option<Indexer>,
}

/// The engine without what follows its journal.
pub(crate) struct Inner {
    on: On,
    looks: bool,
    counters: Arc<Counters>,
}

enum On {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Engine {
    /// Opens the database, brings its schema up to date and starts the threads.
    pub fn open(location: &Location, mut options: Options) -> std::result::Result<Self, OpenError> {
        let counters = Arc::new(Counters::default());
        let looks = options.looks;
        if options.several {
            counters.own.begin();
        }
        let signal = Arc::new(Signal::default());
        let (heard, sink) = (signal.clone(), options.sink.clone());
        options.sink = Arc::new(move |facts| {
            heard.heard(&facts);
            sink(facts);
        });
        let on = match location {
            Location::Sqlite(path) => On::Sqlite(sqlite::Sqlite::open(path, options, counters.clone())?),
            Location::Postgres(url) => {
                On::Postgres(postgres::Postgres::open(url, options, counters.clone())?)
            }
        };
        let inner = Arc::new(Inner { on, looks, counters });
        let indexer = (!looks).then(|| Indexer::start(inner.clone(), signal));
        Ok(Engine { inner, indexer })
    }

    /// Which engine this is.
    pub fn kind(&self) -> Kind {
        match self.inner.on {
            On::Sqlite(_) => Kind::Sqlite,
            On::Postgres(_) => Kind::Postgres,
        }
    }

    /// Runs work in a transaction of its own and answers after commit and fsync. The work may run twice. `bytes`
    /// is about what it holds in memory while it waits.
    pub fn write<R: Send + 'static>(
        &self,
        lane: Lane,
        bytes: usize,
        work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        self.inner.write(lane, bytes, work)
    }

    /// Runs reading work on one snapshot, ended after [`Options::read_limit`]. It never runs twice.
    pub fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        self.inner.read(work)
    }

    /// Stores a message: on the writer's batch, or in the batch of PostgreSQL's appending thread. The checks of
    /// its judgement, id, room and thread are part of it.
    pub fn append(&self, append: Append) -> Answer<Appended> {
        match &self.inner.on {
            On::Postgres(postgres) if !self.inner.looks => postgres.append(append),
            _ => {
                let bytes = Item::bytes(&append);
                let (job, answer) = append_job(append);
                self.inner.submit(Lane::Message, bytes, job);
                answer
            }
        }
    }

    /// What the engine has done so far.
    pub fn figures(&self) -> Figures {
        self.inner.counters.figures()
    }

    /// How many write jobs wait.
    pub fn queued(&self) -> usize {
        match &self.inner.on {
            On::Sqlite(sqlite) => sqlite.queued(),
            On::Postgres(postgres) => postgres.queued(),
        }
    }

    /// Takes no more work, finishes what is queued and ends the threads. Dropping the engine does the same.
    pub fn close(&self) {
        if let Some(indexer) = &self.indexer {
            indexer.close();
        }
        match &self.inner.on {
            On::Sqlite(sqlite) => sqlite.close(),
            On::Postgres(postgres) => postgres.close(),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    pub(crate) fn write<R: Send + 'static>(
        &self,
        lane: Lane,
        bytes: usize,
        work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        let (job, answer) = job(work);
        self.submit(lane, bytes, job);
        answer
    }

    pub(crate) fn read<R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        let (job, answer) = job_once(work);
        let refused = match &self.on {
            On::Sqlite(sqlite) => sqlite.read(job),
            On::Postgres(postgres) => postgres.read(job),
        };
        self.refuse(refused);
        answer
    }

    fn submit(&self, lane: Lane, bytes: usize, job: BoxJob) {
        let refused = match &self.on {
            _ if self.looks => Err(job),
            On::Sqlite(sqlite) => sqlite.write(lane, bytes, job),
            On::Postgres(postgres) => postgres.write(lane, bytes, job),
        };
        self.refuse(refused);
    }

    fn refuse(&self, refused: std::result::Result<(), BoxJob>) {
        if let Err(job) = refused {
            Counters::add(&self.counters.full, 1);
            job.answer(Some(SqlError::Unavailable("its queue is full or it is shutting down")));
        }
    }
}

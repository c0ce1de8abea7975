//! The core's port on the engine.

use parlor_core::store::{Answer, Append, Appended, Counters, Lane as Wanted, ReadJob, Store, WriteJob};

use crate::engine::{Engine, Lane};

/// What a job of unknown size is counted as in the queue's bound.
const JOB_BYTES: usize = 2 * 1024;

impl Store for Engine {
    fn write(&self, lane: Wanted, mut job: WriteJob) -> Answer<()> {
        let lane = match lane {
            Wanted::Messages => Lane::Message,
            Wanted::Verbs => Lane::Verb,
            Wanted::Bulk => Lane::Bulk,
        };
        Self::write(self, lane, JOB_BYTES, move |tx| job(tx))
    }

    fn read(&self, job: ReadJob) -> Answer<()> {
        Self::read(self, move |tx| job(tx))
    }

    fn append(&self, append: Append) -> Answer<Appended> {
        Self::append(self, append)
    }

    /// Several threads commit on PostgreSQL, and tell of it side by side.
    fn tells_in_order(&self) -> bool {
        self.kind() == crate::sql::Kind::Sqlite
    }

    fn engine(&self) -> &'static str {
        match self.kind() {
            crate::sql::Kind::Sqlite => "SQLite",
            crate::sql::Kind::Postgres => "PostgreSQL",
        }
    }

    fn counters(&self) -> Counters {
        let figures = self.figures();
        Counters {
            statements: figures.statements,
            rows_written: figures.rows_written,
            commits: figures.commits,
            queued: self.queued() as u64,
        }
    }
}

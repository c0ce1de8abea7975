use super::Own;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What an engine has done since it was opened; every figure only grows. Tests read it to prove that an
/// operation costs the same whatever the size of a room.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) statements: AtomicU64,
    pub(crate) rows_written: AtomicU64,
    pub(crate) jobs: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) commits: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) reads: AtomicU64,
    pub(crate) reads_cut: AtomicU64,
    pub(crate) full: AtomicU64,
    pub(crate) checkpoints: AtomicU64,
    pub(crate) log_pages: AtomicU64,
    /// What is to be told to nobody here again.
    pub(crate) own: Own,
}

/// A reading of [`Counters`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Statements run, reads and writes.
    pub statements: u64,
    /// Rows inserted, updated or deleted.
    pub rows_written: u64,
    /// Write jobs that were run and answered.
    pub jobs: u64,
    /// Write jobs that rolled back, by refusal or error.
    pub refused: u64,
    /// Transactions committed by writers.
    pub commits: u64,
    /// Jobs run again after a conflict or a lost connection.
    pub retries: u64,
    /// Read jobs run.
    pub reads: u64,
    /// Reads that were cut off at their time limit.
    pub reads_cut: u64,
    /// Jobs refused because a queue stayed full.
    pub full: u64,
    /// Checkpoints of the write-ahead log (SQLite).
    pub checkpoints: u64,
    /// Pages in the write-ahead log after the last commit (SQLite); the one figure that also falls.
    pub log_pages: u64,
}

impl Counters {
    /// Reads all figures; they are not one consistent cut while work is going on.
    pub fn figures(&self) -> Figures {
        Figures {
            statements: self.statements.load(Relaxed),
            rows_written: self.rows_written.load(Relaxed),
            jobs: self.jobs.load(Relaxed),
            refused: self.refused.load(Relaxed),
            commits: self.commits.load(Relaxed),
            retries: self.retries.load(Relaxed),
            reads: self.reads.load(Relaxed),
            reads_cut: self.reads_cut.load(Relaxed),
            full: self.full.load(Relaxed),
            checkpoints: self.checkpoints.load(Relaxed),
            log_pages: self.log_pages.load(Relaxed),
        }
    }

    pub(crate) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Relaxed);
    }
}

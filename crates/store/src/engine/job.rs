//! Work on its way through an engine, and the answer on its way back.

use crate::sql::{SqlError, SqlTx};
use parlor_core::{
    error::{Refusal, Result, State},
    store::Answer,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::oneshot;

/// A unit of work that the engine can run, perhaps twice, and then answers once.
pub(crate) trait Job: Send {
    /// Runs the work; true if what it wrote is to be kept.
    fn run(&mut self, tx: &mut SqlTx<'_>) -> bool;
    /// Whether the last run was refused for a row of somebody else's. Where writers work side by side, that row may
    /// have come after the work had looked for it: run again, it finds it.
    fn met_another(&self) -> bool;
    /// Gives the caller the outcome of the last run, or `instead` of it.
    fn answer(self: Box<Self>, instead: Option<SqlError>);
}

pub(crate) type BoxJob = Box<dyn Job>;

struct Work<R, W> {
    work: W,
    outcome: Option<Result<R>>,
    reply: oneshot::Sender<Result<R>>,
}

impl<R, W> Job for Work<R, W>
where
    W: FnMut(&mut SqlTx<'_>) -> Result<R> + Send,
    R: Send,
{
    fn run(&mut self, tx: &mut SqlTx<'_>) -> bool {
        // A panic spoils this job alone: its savepoint is rolled back and nothing else is shared with it.
        let outcome = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)))
            .unwrap_or_else(|_| Err(SqlError::Other("a store job panicked".into()).into()));
        // Work that swallowed the error of a statement has not done what it says.
        let outcome = match (outcome, tx.failure()) {
            (Ok(_), Some(error)) => Err(error.clone().into()),
            (outcome, _) => outcome,
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn met_another(&self) -> bool {
        matches!(self.outcome, Some(Err(Refusal::Taken { .. } | Refusal::State(State::AlreadyMember))))
    }

    fn answer(self: Box<Self>, instead: Option<SqlError>) {
        let outcome = match (instead, self.outcome) {
            (None, Some(outcome)) => outcome,
            (Some(error), _) => Err(error.into()),
            (None, None) => Err(Refusal::Unavailable),
        };
        // Nobody listening is fine: the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}

/// Boxes a closure as a job, with the answer to come.
pub(crate) fn job<R: Send + 'static>(
    work: impl FnMut(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> (BoxJob, Answer<R>) {
    let (reply, answer) = Answer::channel();
    (Box::new(Work { work, outcome: None, reply }), answer)
}

/// As [`job`], for work that runs once: reading.
pub(crate) fn job_once<R: Send + 'static>(
    work: impl FnOnce(&mut SqlTx<'_>) -> Result<R> + Send + 'static,
) -> (BoxJob, Answer<R>) {
    let mut work = Some(work);
    job(move |tx| match work.take() {
        Some(work) => work(tx),
        None => Err(Refusal::Unavailable),
    })
}

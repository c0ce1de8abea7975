//! One connection to PostgreSQL that is opened again when it is lost, and the fate of its transactions.

use crate::sql::{Access, Client, Counters, On, PLACE_BITS, PostgresConn, SqlError, SqlTx, Target};
use parlor_core::clock::Time;
use postgres::SimpleQueryMessage;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long work is tried again after conflicts and lost connections before its caller hears `Unavailable`.
pub(super) const PATIENCE: Duration = Duration::from_millis(4_500);
/// What the beginning of an attempt gets at least, and a read beyond its limit.
const GRACE: Duration = Duration::from_millis(500);
/// The pause after a failure that another attempt may mend; doubled up to [`MAX_PAUSE`].
pub(super) const PAUSE: Duration = Duration::from_millis(2);
pub(super) const MAX_PAUSE: Duration = Duration::from_millis(250);

/// Opens a connection, within this time if there is one, and sets what every session needs. Sequential scans are the
/// last resort: a plan made while a table was small is kept while it grows, and every statement of the hot path has its
/// index.
pub(crate) fn connect(target: &Target, limit: Option<Duration>) -> Result<PostgresConn, SqlError> {
    let mut client = Client::open(target, limit)?;
    client.batch_execute(
        "SET synchronous_commit = on; SET statement_timeout = '4s'; SET jit = off; SET enable_seqscan = off;
         SET idle_in_transaction_session_timeout = '15s'; SET client_min_messages = warning;
         SET default_transaction_isolation = 'read committed'",
    )?;
    Ok(PostgresConn::new(client))
}

pub(super) struct Link {
    target: Target,
    counters: Arc<Counters>,
    /// Added to the journal's numbers.
    base: i64,
    conn: Option<PostgresConn>,
    /// Joins go row by row through an index: for batches, whose tables are far larger than they are.
    batches: bool,
    /// Locks that the next writing transaction takes before it gets its number.
    first: Vec<i64>,
}

/// What begins a transaction and asks for its number, behind these locks.
fn begin(first: &[i64]) -> Cow<'static, str> {
    if first.is_empty() {
        return "BEGIN; SELECT pg_current_xact_id()::text".into();
    }
    let locks = first.iter().map(|lock| format!("SELECT pg_advisory_xact_lock({lock});"));
    format!("BEGIN;{} SELECT pg_current_xact_id()::text", locks.collect::<String>()).into()
}

/// How an attempt ended.
pub(super) enum Attempt {
    /// It is over, one way or the other.
    Done,
    /// Nothing was stored; it may be run again.
    Again(SqlError),
    /// Hopeless.
    Failed(SqlError),
}

/// Whether a running transaction is to be committed.
pub(super) enum Verdict<R> {
    Keep(R),
    /// Roll back; the caller has its answer.
    Refuse(R),
}

/// How a transaction ended.
pub(super) enum Ended<R> {
    Committed(R),
    RolledBack(R),
    /// Nothing was stored; it may be run again.
    Again(SqlError),
    /// Nothing was stored, or nobody knows.
    Failed(SqlError),
}

impl Link {
    pub(super) fn new(target: &Target, base: i64, counters: &Arc<Counters>) -> Self {
        Link {
            target: target.clone(),
            base,
            counters: counters.clone(),
            conn: None,
            batches: false,
            first: Vec::new(),
        }
    }

    /// A link for batches.
    pub(super) fn for_batches(self) -> Self {
        Link { batches: true, ..self }
    }

    /// The next writing transaction gets its number after these locks. So what several processes write under the same
    /// lock is numbered in the order in which it is written.
    pub(super) fn lock_first(&mut self, mut locks: Vec<i64>) {
        // In one order, so that nobody waits in a ring.
        locks.sort_unstable();
        locks.dedup();
        self.first = locks;
    }

    /// The connection; each call on it from now on is answered within this time, or it is given up.
    fn conn(&mut self, limit: Duration) -> Result<&mut PostgresConn, SqlError> {
        if self.conn.as_ref().is_none_or(|conn| conn.client.is_closed()) {
            self.conn = None;
            let mut conn = connect(&self.target, Some(limit))?;
            if self.batches {
                conn.client.batch_execute("SET enable_hashjoin = off; SET enable_mergejoin = off")?;
            }
            self.conn = Some(conn);
        }
        let conn = self.conn.as_mut().ok_or(SqlError::Unavailable("no connection"))?;
        conn.client.limit(limit);
        Ok(conn)
    }

    /// Runs work on one snapshot that is then dropped.
    pub(super) fn read(
        &mut self,
        limit: Duration,
        now: Time,
        work: &mut dyn FnMut(&mut SqlTx<'_>),
    ) -> Attempt {
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {}",
            limit.as_millis()
        );
        // The server ends a statement by itself at the limit; this is for one that does not even do that.
        let begun = self.conn(limit + GRACE).and_then(|conn| conn.client.batch_execute(&begin));
        if let Err(error) = begun {
            return Attempt::Again(self.lost(error));
        }
        let counters = self.counters.clone();
        let Some(conn) = &mut self.conn else {
            return Attempt::Again(SqlError::Unavailable("no connection"));
        };
        conn.access = Access::Read;
        let mut tx = SqlTx::new(On::Postgres(conn), &counters);
        tx.begin_job(now);
        work(&mut tx);
        let cut = matches!(tx.failure(), Some(SqlError::Interrupted));
        Counters::add(&counters.reads, 1);
        Counters::add(&counters.reads_cut, u64::from(cut));
        if let Err(error) = conn.client.batch_execute("ROLLBACK") {
            // What was read stands; the connection is opened anew for the next job.
            self.lost(error);
        }
        Attempt::Done
    }

    /// Runs work in a transaction and commits it, if the work wants that and no statement failed.
    pub(super) fn write<R>(
        &mut self,
        now: Time,
        until: Instant,
        work: &mut dyn FnMut(&mut SqlTx<'_>) -> Verdict<R>,
    ) -> Ended<(R, Vec<parlor_core::event::Fact>)> {
        let left = until.saturating_duration_since(Instant::now()).max(GRACE);
        let xid = match self.begin(left) {
            Ok(xid) => xid,
            Err(error) => return Ended::Again(self.lost(error)),
        };
        self.counters.own.enter(xid);
        let (counters, base) = (self.counters.clone(), self.base);
        let Some(conn) = &mut self.conn else { return Ended::Again(SqlError::Unavailable("no connection")) };
        // Work of many statements may take its time, as long as the server goes on answering.
        conn.client.limit(PATIENCE);
        let mut tx = SqlTx::new(On::Postgres(conn), &counters);
        tx.begin_job(now);
        tx.number_from(base.saturating_add(xid << PLACE_BITS));
        let verdict = work(&mut tx);
        let failure = tx.failure().cloned();
        let facts = tx.take_facts();
        let kept = match verdict {
            Verdict::Keep(kept) if failure.is_none() => kept,
            Verdict::Keep(refused) | Verdict::Refuse(refused) => {
                let rolled_back = conn.client.batch_execute("ROLLBACK");
                if let Some(error) = failure.filter(SqlError::retry) {
                    return Ended::Again(self.lost(error));
                }
                if let Err(error) = rolled_back {
                    self.lost(error);
                }
                return Ended::RolledBack((refused, Vec::new()));
            }
        };
        match self.commit(xid) {
            Ok(()) => Ended::Committed((kept, facts)),
            Err(error) => {
                self.counters.own.leave(xid);
                if error.retry() { Ended::Again(error) } else { Ended::Failed(error) }
            }
        }
    }

    /// Begins a writing transaction and learns its number, by which a commit whose answer was lost is looked up.
    fn begin(&mut self, limit: Duration) -> Result<i64, SqlError> {
        let begin = begin(&self.first);
        let conn = self.conn(limit)?;
        conn.access = Access::Write;
        let answers = conn.client.simple_query(&begin)?;
        let xid = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0)?.parse().ok(),
            _ => None,
        });
        xid.ok_or(SqlError::Unavailable("no transaction number"))
    }

    fn commit(&mut self, xid: i64) -> Result<(), SqlError> {
        let committed = self.conn(PATIENCE).and_then(|conn| conn.client.batch_execute("COMMIT"));
        match committed {
            Err(error @ SqlError::Lost(_)) => {
                self.was_undone(xid)?;
                return Err(error);
            }
            other => other?,
        }
        Counters::add(&self.counters.commits, 1);
        Ok(())
    }

    /// Makes sure that a transaction whose connection was lost came to nothing, so that it may run again: asked on a
    /// new connection, until the server has ended it one way or the other. "Committed" is no proof that it was
    /// stored: a server that crashed gives the numbers of transactions that never reached its disk to others. So that
    /// answer is passed on as not known, and whoever sends the same again hears what became of it.
    fn was_undone(&mut self, xid: i64) -> Result<(), SqlError> {
        // A server that was silent for so long is hardly back at once; one that crashed may be.
        let silent = self.conn.take().is_some_and(|conn| conn.client.has_given_up());
        let patience = if silent { GRACE } else { PATIENCE };
        let began = Instant::now();
        while began.elapsed() < patience {
            let status = self.conn(patience).and_then(|conn| {
                let row =
                    conn.client.query_one("SELECT pg_xact_status($1::text::xid8)", &[&xid.to_string()])?;
                Ok(row.try_get::<_, Option<String>>(0)?)
            });
            match status.as_ref().map(|s| s.as_deref()) {
                Ok(Some("committed")) => break,
                Ok(Some("aborted")) => return Ok(()),
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

/// Runs `attempt` until it is over or out of time; tells the error that the caller is to hear instead.
pub(super) fn patiently(
    since: Instant,
    counters: &Counters,
    mut attempt: impl FnMut() -> Attempt,
) -> Option<SqlError> {
    let mut pause = PAUSE;
    loop {
        if since.elapsed() > PATIENCE {
            return Some(SqlError::Unavailable("the database did not answer in time"));
        }
        match attempt() {
            Attempt::Done => return None,
            Attempt::Failed(error) => return Some(error),
            Attempt::Again(error) => {
                tracing::debug!(%error, "store work is run again");
                Counters::add(&counters.retries, 1);
                std::thread::sleep(pause);
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }
}

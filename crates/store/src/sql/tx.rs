use super::counters::Counters;
use super::{Kind, Own, Param, PostgresConn, Row, SqlError, SqliteConn};
use parlor_core::{clock::Time, event::Fact};
use postgres::types::ToSql;
use std::time::{Duration, Instant};

/// How long one piece of bulk work may hold the writer.
const CHUNK: Duration = Duration::from_millis(5);

/// Statements that are sent before the first is answered.
const AT_ONCE: usize = 256;

/// Bits of a journal number that count within one transaction of PostgreSQL; the others are the transaction's.
pub(crate) const PLACE_BITS: u32 = 19;

/// The transaction that a job runs in, on either engine.
///
/// After a statement fails, every later one of the same job fails with the same error, as PostgreSQL demands:
/// a job that wants to go on after a conflict says `ON CONFLICT DO NOTHING`.
pub struct SqlTx<'a> {
    on: On<'a>,
    counters: &'a Counters,
    facts: Vec<Fact>,
    /// How many facts were there when the current job began.
    before: usize,
    failed: Option<SqlError>,
    began: Instant,
    now: Time,
    /// The number of this transaction's last row in the journal (PostgreSQL).
    g: i64,
}

pub(crate) enum On<'a> {
    Sqlite { conn: &'a SqliteConn, savepoints: bool },
    Postgres(&'a mut PostgresConn),
}

impl<'a> SqlTx<'a> {
    pub(crate) fn new(on: On<'a>, counters: &'a Counters) -> Self {
        SqlTx {
            on,
            counters,
            facts: Vec::new(),
            before: 0,
            failed: None,
            began: Instant::now(),
            now: Time(0),
            g: 0,
        }
    }

    /// Which engine this is.
    pub fn kind(&self) -> Kind {
        match self.on {
            On::Sqlite { .. } => Kind::Sqlite,
            On::Postgres(_) => Kind::Postgres,
        }
    }

    /// The moment that the current job stamps on what it changes.
    pub fn time(&self) -> Time {
        self.now
    }

    /// Adds a fact to be published once this transaction is committed, in commit order.
    pub fn publish(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// True while a piece of bulk work may go on; when false it ends and the rest comes in another job.
    pub fn may_go_on(&self) -> bool {
        self.began.elapsed() < CHUNK
    }

    /// How long the current job has been running.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Runs reads on PostgreSQL of which each is cut off after this time; `None` when one was, after which the job
    /// goes on as if they had not been.
    pub(crate) fn unless_cut<T>(
        &mut self,
        limit: Duration,
        work: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        let before =
            self.one("SELECT current_setting('statement_timeout')", &[], |row| row.get::<String>(0))?;
        self.exec("SAVEPOINT patient", &[])?;
        self.exec(&format!("SET LOCAL statement_timeout = {}", limit.as_millis()), &[])?;
        match work(self) {
            Err(SqlError::Interrupted) => {
                self.failed = None;
                Counters::add(&self.counters.reads_cut, 1);
                // The time limit of before comes back with it.
                self.exec("ROLLBACK TO SAVEPOINT patient", &[])?;
                Ok(None)
            }
            done => {
                let done = done?;
                self.exec(&format!("SET LOCAL statement_timeout = '{before}'"), &[])?;
                Ok(Some(done))
            }
        }
    }

    /// Runs a statement that returns no rows; tells how many rows it wrote.
    pub fn exec(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        self.check(params)?;
        let done = match &mut self.on {
            On::Sqlite { conn, savepoints } => conn.exec(sql, params, *savepoints),
            On::Postgres(conn) => conn.exec(sql, params),
        };
        let rows = self.note(done)?;
        Counters::add(&self.counters.rows_written, rows);
        Ok(rows)
    }

    /// Runs a statement and gives each row to `each`, until that answers false.
    pub fn each(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut each: impl FnMut(&Row<'_>) -> Result<bool, SqlError>,
    ) -> Result<(), SqlError> {
        self.check(params)?;
        let done = match &mut self.on {
            On::Sqlite { conn, savepoints } => conn.each(sql, params, *savepoints, &mut each),
            On::Postgres(conn) => {
                let writes = !sql.trim_start().get(..6).is_some_and(|s| s.eq_ignore_ascii_case("select"));
                conn.each(sql, params, &mut each).map(|rows| (rows, writes))
            }
        };
        let (rows, writes) = self.note(done)?;
        if writes {
            Counters::add(&self.counters.rows_written, rows);
        }
        Ok(())
    }

    /// All rows of a statement.
    pub fn query<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        mut read: impl FnMut(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut all = Vec::new();
        self.each(sql, params, |row| {
            all.push(read(row)?);
            Ok(true)
        })?;
        Ok(all)
    }

    /// The first row, if there is one.
    pub fn opt<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        let mut first = None;
        let mut read = Some(read);
        self.each(sql, params, |row| {
            if let Some(read) = read.take() {
                first = Some(read(row)?);
            }
            Ok(false)
        })?;
        Ok(first)
    }

    /// The first row; [`SqlError::NoRow`] if there is none, which does not spoil the transaction.
    pub fn one<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        self.opt(sql, params, read)?.ok_or(SqlError::NoRow)
    }

    /// All rows of a statement that only PostgreSQL runs, with arrays among its parameters.
    pub(crate) fn many<T>(
        &mut self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
        mut read: impl FnMut(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        let mut all = Vec::new();
        let done = match &mut self.on {
            On::Postgres(conn) => conn.each_of(sql, params, &mut |row| {
                all.push(read(row)?);
                Ok(true)
            }),
            On::Sqlite { .. } => Err(SqlError::Other("a statement for PostgreSQL".into())),
        };
        self.note(done)?;
        Ok(all)
    }

    /// Runs statements that only PostgreSQL runs, in one round trip: each is sent before the one before is answered, and
    /// sees what is committed when its turn comes. `read` is told which of them a row is of.
    pub(crate) fn together(
        &mut self,
        all: &[(&str, &[&(dyn ToSql + Sync)])],
        mut read: impl FnMut(usize, &Row<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        Counters::add(&self.counters.statements, all.len() as u64 - 1);
        let done = match &mut self.on {
            On::Postgres(conn) => conn.together(all, &mut read),
            On::Sqlite { .. } => Err(SqlError::Other("statements for PostgreSQL".into())),
        };
        self.note(done)
    }

    /// Runs a statement that only PostgreSQL runs; the rows that it wrote are for the caller to count.
    pub(crate) fn exec_many(&mut self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, SqlError> {
        let done = match &mut self.on {
            On::Postgres(conn) => conn.exec_of(sql, params),
            On::Sqlite { .. } => Err(SqlError::Other("a statement for PostgreSQL".into())),
        };
        self.note(done)
    }

    /// Runs a statement with each of these: on PostgreSQL in few round trips. How many rows each wrote.
    pub(crate) fn exec_all<'p, P: AsRef<[Param<'p>]>>(
        &mut self,
        sql: &str,
        all: &[P],
    ) -> Result<Vec<u64>, SqlError> {
        let mut wrote = Vec::with_capacity(all.len());
        for some in all.chunks(AT_ONCE) {
            some.iter().try_for_each(|params| self.check(params.as_ref()))?;
            let done = match &mut self.on {
                On::Sqlite { conn, savepoints } => {
                    some.iter().map(|params| conn.exec(sql, params.as_ref(), *savepoints)).collect()
                }
                On::Postgres(conn) => conn.exec_all(sql, some),
            };
            let rows: Vec<u64> = self.noted(some.len(), done)?;
            Counters::add(&self.counters.rows_written, rows.iter().sum());
            wrote.extend(rows);
        }
        Ok(wrote)
    }

    /// The first row, if there is one, of a query with each of these: on PostgreSQL in few round trips.
    pub(crate) fn opt_all<'p, P: AsRef<[Param<'p>]>, T>(
        &mut self,
        sql: &str,
        all: &[P],
        mut read: impl FnMut(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Vec<Option<T>>, SqlError> {
        let mut found = Vec::with_capacity(all.len());
        for some in all.chunks(AT_ONCE) {
            some.iter().try_for_each(|params| self.check(params.as_ref()))?;
            let first = found.len();
            found.resize_with(first + some.len(), || None);
            let mut take = |which: usize, row: &Row<'_>| {
                let place: &mut Option<T> = &mut found[first + which];
                if place.is_none() {
                    *place = Some(read(row)?);
                }
                Ok(())
            };
            let done = match &mut self.on {
                On::Sqlite { conn, savepoints } => some.iter().enumerate().try_for_each(|(which, params)| {
                    let mut one = |row: &Row<'_>| take(which, row).map(|()| false);
                    conn.each(sql, params.as_ref(), *savepoints, &mut one).map(drop)
                }),
                On::Postgres(conn) => conn.each_all(sql, some, &mut take),
            };
            self.noted(some.len(), done)?;
        }
        Ok(found)
    }

    fn noted<T>(&mut self, statements: usize, done: Result<T, SqlError>) -> Result<T, SqlError> {
        Counters::add(&self.counters.statements, (statements as u64).saturating_sub(1));
        self.note(done)
    }

    /// This process's own transactions.
    pub(crate) fn own(&self) -> &'a Own {
        &self.counters.own
    }

    /// The connection, when it is SQLite's.
    pub(crate) fn sqlite(&self) -> Option<&'a SqliteConn> {
        match self.on {
            On::Sqlite { conn, .. } => Some(conn),
            On::Postgres(_) => None,
        }
    }

    /// The number of the next row in the journal.
    pub(crate) fn next_g(&mut self) -> Result<i64, SqlError> {
        match &self.on {
            On::Sqlite { conn, .. } => {
                let mut hot = conn.hot.borrow_mut();
                hot.g += 1;
                Ok(hot.g)
            }
            On::Postgres(_) => {
                self.g += 1;
                if self.g & ((1 << PLACE_BITS) - 1) == 0 {
                    return self.note(Err(SqlError::Value("too many changes in one transaction".into())));
                }
                Ok(self.g)
            }
        }
    }

    /// Says with which number the journal's rows of this transaction begin (PostgreSQL).
    pub(crate) fn number_from(&mut self, g: i64) {
        self.g = g;
    }

    /// Counts a statement that was run beside the methods above, and remembers its failure.
    pub(crate) fn note<T>(&mut self, done: Result<T, SqlError>) -> Result<T, SqlError> {
        Counters::add(&self.counters.statements, 1);
        done.inspect_err(|error| self.failed = Some(error.clone()))
    }

    pub(crate) fn wrote(&self, rows: u64) {
        Counters::add(&self.counters.rows_written, rows);
    }

    fn check(&mut self, params: &[Param<'_>]) -> Result<(), SqlError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        for param in params {
            // PostgreSQL can't store it; SQLite would, and the two would drift apart.
            if let Param::Text(text) = param
                && text.as_bytes().contains(&0)
            {
                return Err(SqlError::Nul);
            }
        }
        Ok(())
    }

    /// Starts the next job of this transaction.
    pub(crate) fn begin_job(&mut self, now: Time) {
        self.now = now;
        self.before = self.facts.len();
        self.failed = None;
        self.began = Instant::now();
    }

    /// Ends the job: keeps what it wrote, or takes it and its facts back.
    pub(crate) fn end_job(&mut self, keep: bool) -> Result<(), SqlError> {
        if !keep {
            self.facts.truncate(self.before);
        }
        match &self.on {
            On::Sqlite { conn, .. } => conn.end_job(keep),
            On::Postgres(_) => Ok(()),
        }
    }

    /// The error that spoiled the current job, if a statement failed.
    pub(crate) fn failure(&self) -> Option<&SqlError> {
        self.failed.as_ref()
    }

    pub(crate) fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }
}

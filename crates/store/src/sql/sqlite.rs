use super::row::Source;
use super::{Access, Kind, ONCE, Param, Row, SqlError, rewrite};
use crate::hot::{Hot, touched, touches};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

/// Statements kept prepared by a connection; more are prepared anew, least used first.
const PREPARED: usize = 512;
/// Rewritten texts kept by a connection; beyond it the table is emptied, so text that varies can't fill it.
const TEXTS: usize = 2_048;

/// One SQLite connection with its prepared statements.
pub(crate) struct SqliteConn {
    pub(crate) conn: rusqlite::Connection,
    texts: RefCell<FxHashMap<Box<str>, Text>>,
    /// Set while the current job has a savepoint; a job gets one at its first write.
    savepoint: Cell<bool>,
    /// What the writer keeps in memory.
    pub(crate) hot: RefCell<Hot>,
    /// Why rows of earlier jobs that waited could not be written: the whole transaction is lost.
    broken: RefCell<Option<SqlError>>,
}

/// A statement as SQLite reads it, and the kept tables that it names.
struct Text {
    sql: Box<str>,
    touched: u8,
}

impl SqliteConn {
    pub(crate) fn new(conn: rusqlite::Connection) -> Self {
        conn.set_prepared_statement_cache_capacity(PREPARED);
        SqliteConn {
            conn,
            texts: RefCell::default(),
            savepoint: Cell::new(false),
            hot: RefCell::default(),
            broken: RefCell::default(),
        }
    }

    /// Runs one of the engine's own statements (BEGIN, COMMIT, SAVEPOINT …).
    pub(crate) fn control(&self, sql: &str) -> Result<(), SqlError> {
        self.conn.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Keeps or takes back what the job since the last call has written.
    pub(crate) fn end_job(&self, keep: bool) -> Result<(), SqlError> {
        if let Some(error) = self.broken.borrow_mut().take() {
            return Err(error);
        }
        if !self.savepoint.replace(false) {
            return Ok(());
        }
        if !keep {
            self.control("ROLLBACK TO job")?;
            // What waits is of earlier jobs (an append adds to it only when it has succeeded) and stays.
            let mut hot = self.hot.borrow_mut();
            if hot.is_clean() {
                hot.reset();
            }
        }
        self.control("RELEASE job")
    }

    /// Forgets the savepoint and all that waits: the transaction was rolled back whole.
    pub(crate) fn forget_job(&self) {
        self.savepoint.set(false);
        self.broken.borrow_mut().take();
        self.hot.borrow_mut().reset();
    }

    /// Makes sure that the current job can be taken back, and nothing else with it: what waits of earlier jobs is
    /// written before.
    pub(crate) fn open_savepoint(&self) -> Result<(), SqlError> {
        if !self.savepoint.get() {
            self.flush()?;
            self.control("SAVEPOINT job")?;
            self.savepoint.set(true);
        }
        Ok(())
    }

    /// Writes what waits, before anybody else looks or the transaction is committed.
    pub(crate) fn flush(&self) -> Result<(), SqlError> {
        if self.hot.borrow().is_clean() {
            return Ok(());
        }
        let done = crate::rows::append::flush(self);
        self.hot.borrow_mut().trim();
        done.inspect_err(|error| *self.broken.borrow_mut() = Some(error.clone()))
    }

    fn prepare(&self, sql: &str) -> Result<(rusqlite::CachedStatement<'_>, u8), SqlError> {
        let mut texts = self.texts.borrow_mut();
        if let Some(text) = texts.get(sql) {
            return Ok((self.conn.prepare_cached(&text.sql)?, text.touched));
        }
        let text = rewrite(sql, Kind::Sqlite, Access::Write);
        let statement = self.conn.prepare_cached(&text)?;
        let touched = if statement.readonly() { 0 } else { touched(sql) };
        if sql.contains(ONCE) {
            return Ok((statement, touched | touches::ONCE));
        }
        if texts.len() >= TEXTS {
            texts.clear();
        }
        texts.insert(sql.into(), Text { sql: text.into(), touched });
        Ok((statement, touched))
    }

    fn bind(
        &self,
        sql: &str,
        params: &[Param<'_>],
        savepoint: bool,
    ) -> Result<(rusqlite::CachedStatement<'_>, bool), SqlError> {
        self.flush()?;
        let (mut statement, touched) = self.prepare(sql)?;
        if savepoint && !statement.readonly() {
            self.open_savepoint()?;
        }
        if touched != 0 {
            self.hot.borrow_mut().forget(touched);
        }
        set(&mut statement, params, sql)?;
        Ok((statement, touched & touches::ONCE != 0))
    }

    /// Runs a statement of the append itself: nothing is flushed, forgotten or saved.
    pub(crate) fn hot_exec(&self, sql: &str, params: &[Param<'_>]) -> Result<u64, SqlError> {
        let (mut statement, _) = self.prepare(sql)?;
        set(&mut statement, params, sql)?;
        Ok(statement.raw_execute()? as u64)
    }

    /// The first row of a statement of the append itself.
    pub(crate) fn hot_opt<T>(
        &self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnOnce(&Row<'_>) -> Result<T, SqlError>,
    ) -> Result<Option<T>, SqlError> {
        let (mut statement, _) = self.prepare(sql)?;
        set(&mut statement, params, sql)?;
        let mut rows = statement.raw_query();
        rows.next()?.map(|row| read(&Row(Source::Sqlite(row)))).transpose()
    }

    pub(crate) fn exec(&self, sql: &str, params: &[Param<'_>], savepoint: bool) -> Result<u64, SqlError> {
        Ok(self.bind(sql, params, savepoint)?.0.raw_execute()? as u64)
    }

    /// Runs a statement and gives each row to `each` until it answers false; tells the rows seen, and whether
    /// the statement may have written.
    pub(crate) fn each(
        &self,
        sql: &str,
        params: &[Param<'_>],
        savepoint: bool,
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, SqlError>,
    ) -> Result<(u64, bool), SqlError> {
        let (mut statement, once) = self.bind(sql, params, savepoint)?;
        let writes = !statement.readonly();
        let mut rows = statement.raw_query();
        let mut seen = 0;
        let mut wanted = true;
        while let Some(row) = rows.next()? {
            seen += 1;
            // A writing statement is stepped to its end: SQLite finishes it only there.
            if wanted {
                wanted = each(&Row(Source::Sqlite(row)))?;
            }
            if !wanted && !writes {
                break;
            }
        }
        drop(rows);
        if once {
            statement.discard();
        }
        Ok((seen, writes))
    }
}

fn set(
    statement: &mut rusqlite::CachedStatement<'_>,
    params: &[Param<'_>],
    sql: &str,
) -> Result<(), SqlError> {
    if statement.parameter_count() != params.len() {
        return Err(SqlError::Other(format!("{} parameters for {sql}", params.len())));
    }
    for (index, param) in params.iter().enumerate() {
        statement.raw_bind_parameter(index + 1, param)?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_statement_whose_text_holds_values_is_not_kept() {
        let conn = SqliteConn::new(rusqlite::Connection::open_in_memory().unwrap());
        for number in 0..100 {
            let sql = format!("SELECT 1 WHERE 1 IN ({{once}}{number}, 1)");
            let mut seen = 0;
            let _ = conn.each(&sql, &[], false, &mut |row| {
                seen += row.get::<i64>(0)?;
                Ok(true)
            });
            assert_eq!((seen, conn.texts.borrow().len()), (1, 0));
        }
        conn.exec("CREATE TABLE t (a)", &[], false).unwrap();
        assert_eq!(conn.texts.borrow().len(), 1);
    }
}

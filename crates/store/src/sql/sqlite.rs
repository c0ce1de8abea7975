use super::row::Source;
use super::{Access, Kind, Param, Row, SqlError, rewrite};
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};

/// Statements kept prepared by a connection; more are prepared anew, least used first.
const PREPARED: usize = 512;
/// Rewritten texts kept by a connection; beyond it the table is emptied, so text that varies can't fill it.
const TEXTS: usize = 2_048;

/// One SQLite connection with its prepared statements.
pub(crate) struct SqliteConn {
    pub(crate) conn: rusqlite::Connection,
    texts: RefCell<FxHashMap<Box<str>, Box<str>>>,
    /// Set while the current job has a savepoint; a job gets one at its first write.
    savepoint: Cell<bool>,
}

impl SqliteConn {
    pub(crate) fn new(conn: rusqlite::Connection) -> Self {
        conn.set_prepared_statement_cache_capacity(PREPARED);
        SqliteConn { conn, texts: RefCell::default(), savepoint: Cell::new(false) }
    }

    /// Runs one of the engine's own statements (BEGIN, COMMIT, SAVEPOINT …).
    pub(crate) fn control(&self, sql: &str) -> Result<(), SqlError> {
        self.conn.prepare_cached(sql)?.raw_execute()?;
        Ok(())
    }

    /// Keeps or takes back what the job since the last call has written.
    pub(crate) fn end_job(&self, keep: bool) -> Result<(), SqlError> {
        if !self.savepoint.replace(false) {
            return Ok(());
        }
        if !keep {
            self.control("ROLLBACK TO job")?;
        }
        self.control("RELEASE job")
    }

    /// Forgets the savepoint of a transaction that was rolled back whole.
    pub(crate) fn forget_job(&self) {
        self.savepoint.set(false);
    }

    fn prepare(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>, SqlError> {
        if !sql.contains(['$', '{']) {
            return Ok(self.conn.prepare_cached(sql)?);
        }
        let mut texts = self.texts.borrow_mut();
        if let Some(text) = texts.get(sql) {
            return Ok(self.conn.prepare_cached(text)?);
        }
        if texts.len() >= TEXTS {
            texts.clear();
        }
        let text = rewrite(sql, Kind::Sqlite, Access::Write);
        let statement = self.conn.prepare_cached(&text)?;
        texts.insert(sql.into(), text.into());
        Ok(statement)
    }

    fn bind(
        &self,
        sql: &str,
        params: &[Param<'_>],
        savepoint: bool,
    ) -> Result<rusqlite::CachedStatement<'_>, SqlError> {
        let mut statement = self.prepare(sql)?;
        if savepoint && !self.savepoint.get() && !statement.readonly() {
            self.control("SAVEPOINT job")?;
            self.savepoint.set(true);
        }
        if statement.parameter_count() != params.len() {
            return Err(SqlError::Other(format!("{} parameters for {sql}", params.len())));
        }
        for (index, param) in params.iter().enumerate() {
            statement.raw_bind_parameter(index + 1, param)?;
        }
        Ok(statement)
    }

    pub(crate) fn exec(&self, sql: &str, params: &[Param<'_>], savepoint: bool) -> Result<u64, SqlError> {
        Ok(self.bind(sql, params, savepoint)?.raw_execute()? as u64)
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
        let mut statement = self.bind(sql, params, savepoint)?;
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
        Ok((seen, writes))
    }
}

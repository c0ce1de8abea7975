//! Opening SQLite: its settings, its lock file, its threads.

use super::job::BoxJob;
use super::lanes::Lane;
use super::readers::Readers;
use super::writer::Writer;
use super::{OpenError, Options};
use crate::migrations::{self, Migrate};
use crate::sql::{Counters, On, SqlError, SqlTx, SqliteConn};
use rusqlite::{Connection, OpenFlags, config::DbConfig, functions::FunctionFlags};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// SQLite with its threads.
pub(crate) struct Sqlite {
    /// None where the engine only reads.
    writer: Option<Writer>,
    readers: Readers,
    /// Held while the engine lives: a second server on the same file would number journal and rooms on its own.
    _lock: Option<File>,
}

impl Sqlite {
    pub(crate) fn open(path: &Path, options: Options, counters: Arc<Counters>) -> Result<Self, OpenError> {
        if options.looks {
            return Self::look(path, &options, &counters);
        }
        let lock = lock(path)?;
        let mut conn = SqliteConn::new(open_writer(path)?);
        let mut direct = Direct { conn: &conn, counters: &counters };
        migrations::migrate(&mut direct)?;
        let mut g = 0;
        direct.transaction(&mut |tx| {
            g = crate::rows::journal::last_g(tx)?;
            Ok(())
        })?;
        conn.hot.borrow_mut().g = g;
        let readers = start_readers(path, &options, &counters)?;
        conn.conn.flush_prepared_statement_cache();
        watch_log(&mut conn, &counters)?;
        let writer = Writer::start(conn, &options, counters);
        Ok(Sqlite { writer: Some(writer), readers, _lock: Some(lock) })
    }

    /// Without the lock, which the server that runs may hold: readers disturb no writer.
    fn look(path: &Path, options: &Options, counters: &Arc<Counters>) -> Result<Self, OpenError> {
        if !path.exists() {
            return Err(OpenError::Missing(path.to_owned()));
        }
        let version = "SELECT COALESCE(MAX(version), 0) FROM schema_version";
        let found = open_reader(path)?.query_row(version, [], |row| row.get(0)).map_err(SqlError::from)?;
        migrations::readable(found)?;
        Ok(Sqlite { writer: None, readers: start_readers(path, options, counters)?, _lock: None })
    }

    pub(crate) fn write(&self, lane: Lane, bytes: usize, job: BoxJob) -> Result<(), BoxJob> {
        match &self.writer {
            Some(writer) => writer.push(lane, bytes, job),
            None => Err(job),
        }
    }

    pub(crate) fn read(&self, job: BoxJob) -> Result<(), BoxJob> {
        self.readers.push(job)
    }

    pub(crate) fn queued(&self) -> usize {
        self.writer.as_ref().map_or(0, Writer::queued)
    }

    pub(crate) fn close(&self) {
        // Readers first: the writer's last checkpoint then finds the log to itself.
        self.readers.close();
        if let Some(writer) = &self.writer {
            writer.close();
        }
    }
}

fn start_readers(path: &Path, options: &Options, counters: &Arc<Counters>) -> Result<Readers, OpenError> {
    let readers = (0..options.readers.max(1)).map(|_| open_reader(path)).collect::<Result<_, _>>()?;
    Ok(Readers::start(readers, options.reads_waiting, options.read_limit, &options.clock, counters))
}

/// Whether a server has this database open. Nothing is made by asking.
pub(crate) fn in_use(path: &Path) -> bool {
    let lock = File::open(path.with_extension("lock"));
    lock.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let lock_path = path.with_extension("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&lock_path)
        .map_err(|error| OpenError::Io(lock_path.clone(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(path.to_owned())),
        Err(TryLockError::Error(error)) => Err(OpenError::Io(lock_path, error)),
    }
}

/// The writing connection. Foreign keys stay off: the same checks stand in the core for both engines, and each
/// would cost the hot path a look-up. Memory-mapping stays off: a failing disk would end the process by a signal
/// where a read gives an error.
pub(crate) fn open_writer(path: &Path) -> Result<Connection, SqlError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(Duration::from_secs(5))?;
    keep_plans(&conn)?;
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 134217728;
         PRAGMA cache_size = -65536;
         PRAGMA temp_store = MEMORY;
         PRAGMA foreign_keys = OFF;
         PRAGMA trusted_schema = OFF;",
    )?;
    fold_all_letters(&conn)?;
    Ok(conn)
}

pub(crate) fn open_reader(path: &Path) -> Result<Connection, SqlError> {
    let conn = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    conn.busy_timeout(Duration::from_secs(1))?;
    keep_plans(&conn)?;
    conn.execute_batch(
        "PRAGMA query_only = ON;
         PRAGMA cache_size = -16384;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;",
    )?;
    fold_all_letters(&conn)?;
    Ok(conn)
}

/// SQLite's own `LOWER` knows the letters of ASCII alone, and what is looked for has been folded whole.
fn fold_all_letters(conn: &Connection) -> Result<(), SqlError> {
    let flags =
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("lower", 1, flags, |given| {
        Ok(given.get::<Option<String>>(0)?.map(|text| text.to_lowercase()))
    })?;
    Ok(())
}

/// A statement is planned once, whatever is bound to it. Otherwise SQLite compiles each join over a table with partial
/// indexes anew whenever another value is bound, which costs ten times what running it does.
fn keep_plans(conn: &Connection) -> Result<(), SqlError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Keeps the length of the write-ahead log in the counters, after each commit.
fn watch_log(conn: &mut SqliteConn, counters: &Arc<Counters>) -> Result<(), SqlError> {
    let counters = counters.clone();
    let hook = move |_: &mut rusqlite::hooks::Wal, pages: std::ffi::c_int| {
        counters.log_pages.store(u64::try_from(pages).unwrap_or(0), std::sync::atomic::Ordering::Relaxed);
        Ok(())
    };
    Ok(conn.conn.wal_hook(Some(hook))?)
}

/// The writing connection before its thread starts.
pub(crate) struct Direct<'a> {
    pub(crate) conn: &'a SqliteConn,
    pub(crate) counters: &'a Counters,
}

impl Migrate for Direct<'_> {
    fn transaction(
        &mut self,
        work: &mut dyn FnMut(&mut SqlTx<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        self.conn.control("BEGIN IMMEDIATE")?;
        let mut tx = SqlTx::new(On::Sqlite { conn: self.conn, savepoints: false }, self.counters);
        match work(&mut tx) {
            Ok(()) => self.conn.control("COMMIT"),
            Err(error) => {
                // The first error counts; a rollback that fails is finished by the next opening.
                let _ = self.conn.control("ROLLBACK");
                Err(error)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;
    use rusqlite::StatementStatus;

    #[test]
    fn a_statement_is_compiled_once_whatever_is_bound_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("db");
        let counters = Counters::default();
        let conn = SqliteConn::new(open_writer(&path).unwrap());
        migrations::migrate(&mut Direct { conn: &conn, counters: &counters }).unwrap();
        let reader = open_reader(&path).unwrap();
        let joined = "SELECT m.id, th.replies FROM messages m LEFT JOIN messages t ON t.key = m.thread
            LEFT JOIN threads th ON th.root = m.key WHERE m.id = ?1";
        for conn in [&conn.conn, &reader] {
            let mut statement = conn.prepare(joined).unwrap();
            for id in ["a", "b", "c"] {
                assert!(statement.query([id]).unwrap().next().unwrap().is_none());
            }
            assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        }
    }
}

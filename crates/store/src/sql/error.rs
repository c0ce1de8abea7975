use parlor_core::error::Refusal;
use rusqlite::ffi;
use std::sync::atomic::{AtomicU64, Ordering};
use thiserror::Error;

/// Which promise of the schema a statement broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Constraint {
    /// A unique index or primary key.
    Unique,
    /// A NOT NULL column.
    NotNull,
    /// A CHECK clause, or any other constraint.
    Check,
}

/// Why a statement or a transaction failed. Texts name tables and columns, never values.
#[derive(Clone, Debug, Error)]
pub enum SqlError {
    /// Locked, a deadlock or a serialisation failure: nothing was stored, the job is run again.
    #[error("conflict with another transaction: {0}")]
    Busy(String),
    /// The connection to the database is gone: the job is run again on another one.
    #[error("connection to the database lost: {0}")]
    Lost(String),
    /// A constraint said no; `on` is `table.column, table.column` as far as the engine tells.
    #[error("constraint {kind:?} on {on}")]
    Constraint {
        /// The kind of constraint.
        kind: Constraint,
        /// The table and columns concerned.
        on: String,
    },
    /// Cut off at its time limit.
    #[error("took longer than its limit")]
    Interrupted,
    /// No space left on the disk; works again once there is.
    #[error("the disk is full")]
    Full,
    /// The database file is damaged.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// Reading or writing failed.
    #[error("input or output failed: {0}")]
    Io(String),
    /// [`one`](crate::SqlTx::one) found no row.
    #[error("no such row")]
    NoRow,
    /// A text with a NUL character, which PostgreSQL can't hold.
    #[error("a text holds a NUL character")]
    Nul,
    /// A value that the column or the wanted type can't hold.
    #[error("value does not fit: {0}")]
    Value(String),
    /// The queue stayed full, the database can't be reached, or the store was stopped: try again later.
    #[error("the store is not available: {0}")]
    Unavailable(&'static str),
    /// Anything else, most likely a mistake in a statement.
    #[error("{0}")]
    Other(String),
}

impl SqlError {
    /// True if the same job may succeed when it is run again.
    pub fn retry(&self) -> bool {
        matches!(self, SqlError::Busy(_) | SqlError::Lost(_))
    }
}

/// Numbers the faults that are answered as internal errors, so that an answer can be found in the log.
static FAULTS: AtomicU64 = AtomicU64::new(1);

impl From<SqlError> for Refusal {
    fn from(error: SqlError) -> Self {
        use SqlError as E;
        match error {
            E::Busy(_) | E::Lost(_) | E::Interrupted | E::Full | E::Unavailable(_) => Refusal::Unavailable,
            // Whoever sent it is at fault.
            E::Nul => Refusal::invalid("text", "must not hold a NUL character"),
            E::Constraint { .. } | E::Corrupt(_) | E::Io(_) | E::NoRow | E::Value(_) | E::Other(_) => {
                let reference = format!("store-{}", FAULTS.fetch_add(1, Ordering::Relaxed));
                tracing::error!(reference, %error, "a store job failed");
                Refusal::Internal(reference)
            }
        }
    }
}

impl From<rusqlite::Error> for SqlError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match error {
            E::SqliteFailure(code, message) => from_code(code, message.unwrap_or_default()),
            E::SqlInputError { msg, sql, .. } => SqlError::Other(format!("{msg} in {sql}")),
            E::QueryReturnedNoRows => SqlError::NoRow,
            E::FromSqlConversionFailure(..) | E::IntegralValueOutOfRange(..) | E::InvalidColumnType(..) => {
                SqlError::Value(error.to_string())
            }
            other => SqlError::Other(other.to_string()),
        }
    }
}

fn from_code(error: ffi::Error, message: String) -> SqlError {
    use rusqlite::ErrorCode as C;
    match error.code {
        C::DatabaseBusy | C::DatabaseLocked => SqlError::Busy(message),
        C::OperationInterrupted => SqlError::Interrupted,
        C::DiskFull => SqlError::Full,
        C::DatabaseCorrupt | C::NotADatabase => SqlError::Corrupt(message),
        C::SystemIoFailure | C::CannotOpen => {
            SqlError::Io(format!("{message} (code {})", error.extended_code))
        }
        C::ConstraintViolation => {
            let kind = match error.extended_code {
                ffi::SQLITE_CONSTRAINT_UNIQUE
                | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID => Constraint::Unique,
                ffi::SQLITE_CONSTRAINT_NOTNULL => Constraint::NotNull,
                _ => Constraint::Check,
            };
            let on = message.rsplit_once(": ").map_or(message.as_str(), |(_, on)| on).to_owned();
            SqlError::Constraint { kind, on }
        }
        _ => SqlError::Other(message),
    }
}

impl From<postgres::Error> for SqlError {
    fn from(error: postgres::Error) -> Self {
        if let Some(db) = error.as_db_error() {
            return from_state(db);
        }
        if error.is_closed() || std::error::Error::source(&error).is_some_and(|e| e.is::<std::io::Error>()) {
            return SqlError::Lost(error.to_string());
        }
        // The only errors without a state, apart from the connection's, are conversions.
        SqlError::Value(error.to_string())
    }
}

fn from_state(db: &postgres::error::DbError) -> SqlError {
    let state = db.code().code();
    let message = db.message();
    match state {
        "23505" => SqlError::Constraint { kind: Constraint::Unique, on: constrained(db) },
        "23502" => SqlError::Constraint { kind: Constraint::NotNull, on: constrained(db) },
        "57014" => SqlError::Interrupted,
        "53100" => SqlError::Full,
        "55P03" | "55006" => SqlError::Busy(message.to_owned()),
        "XX001" | "XX002" => SqlError::Corrupt(message.to_owned()),
        _ => match &state[..2.min(state.len())] {
            "40" => SqlError::Busy(message.to_owned()),
            // Shutting down, starting up, too many connections, connection exceptions.
            "08" | "57" | "53" => SqlError::Lost(message.to_owned()),
            "23" => SqlError::Constraint { kind: Constraint::Check, on: constrained(db) },
            "22" => SqlError::Value(message.to_owned()),
            "58" => SqlError::Io(message.to_owned()),
            _ => SqlError::Other(format!("{message} ({state})")),
        },
    }
}

/// Names a broken constraint the way SQLite does, `table.column, …`; the detail also holds the values, which
/// must not get into a log.
fn constrained(db: &postgres::error::DbError) -> String {
    let table = db.table().unwrap_or("?");
    if let Some(column) = db.column() {
        return format!("{table}.{column}");
    }
    let columns = db.detail().and_then(|d| d.split_once('(')).and_then(|(_, d)| d.split_once(")=("));
    match columns {
        Some((columns, _)) => {
            columns.split(", ").map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
        }
        None => db.constraint().unwrap_or(table).to_owned(),
    }
}

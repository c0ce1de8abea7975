//! A small synchronous SQL layer with one text for both engines.
//!
//! A statement is written once, with `$1 … $n`; columns are TEXT, BIGINT, DOUBLE PRECISION or bytes and
//! nothing else (booleans are 0 and 1, times are milliseconds, JSON is TEXT). Three markers may stand in a
//! statement: `{lock}` after a SELECT locks its rows on PostgreSQL when the transaction writes (SQLite has one
//! writer and needs none), `{bytes}` is the type of a byte column in a migration, and `{once}` stands in a statement
//! whose text holds values, so that it is not kept prepared.

mod client;
mod counters;
mod error;
mod own;
mod param;
mod postgres;
mod row;
mod sqlite;
mod text;
mod tls;
mod tx;

pub(crate) use client::Client;
pub use counters::{Counters, Figures};
pub use error::{Constraint, SqlError};
pub(crate) use own::Own;
pub use param::{AsParam, Param};
pub(crate) use postgres::{ArrayParam, PostgresConn};
pub use row::{Column, Row};
pub(crate) use sqlite::SqliteConn;
pub(crate) use text::{Access, ONCE, rewrite};
pub(crate) use tls::Target;
pub use tx::SqlTx;
pub(crate) use tx::{On, PLACE_BITS};

/// Which engine runs a transaction. Only search, JSON functions and the append batch should ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file beside the server, written by one thread.
    Sqlite,
    /// A PostgreSQL server, shared by several nodes.
    Postgres,
}

/// Builds the parameter slice of a statement from values that it borrows: `params![id, name, 5]`.
#[macro_export]
macro_rules! params {
    () => { &[] as &[$crate::sql::Param<'_>] };
    ($($value:expr),+ $(,)?) => { &[$($crate::sql::AsParam::as_param(&$value)),+] };
}

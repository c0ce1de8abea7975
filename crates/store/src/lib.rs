//! The store: SQLite and PostgreSQL behind the core's port, with one text of SQL for both.
//!
//! # How it is built
//!
//! * [`sql`]: a synchronous transaction ([`SqlTx`]) over either engine. A statement is written once, with
//!   `$1 … $n`; `params![id, name]` borrows its values; rows are read by column index, `row.get(0)?`.
//! * `engine`: the threads that run jobs. SQLite has one writer that puts what is queued into one transaction;
//!   PostgreSQL has a set of threads, one transaction a job. Callers are answered after the commit.
//! * `migrations`: the numbered steps of the schema (`migrations/NNNN_name.sql`).
//! * `rows`: the core's row traits, implemented on [`SqlTx`], a file a noun.
//!
//! # Adding to it
//!
//! * **A rows file**: `rows/NOUN.rs` with `impl ReadNoun for SqlTx<'_>` and `impl WriteNoun for SqlTx<'_>`; add
//!   `mod NOUN;` to `rows/mod.rs`. Methods use `self.exec`, `query`, `opt`, `one` and `each`; `?` turns an
//!   [`SqlError`] into the core's `Refusal` (logged when it is a fault). After a statement failed, every later
//!   one of the same job fails too (PostgreSQL demands it), so expected conflicts are `ON CONFLICT DO NOTHING`
//!   with a look at the count, never a caught error.
//! * **A table or column**: a new step `migrations/NNNN_name.sql`, named in `migrations::STEPS`. A statement ends
//!   with `;` at the end of a line; lines between `-- sqlite:`, `-- postgres:` and `-- both:` are for one engine,
//!   inside a statement too; `{bytes}` is BLOB or BYTEA. A step that has shipped is never changed.
//! * **One text**: TEXT, BIGINT, DOUBLE PRECISION and bytes only. Sums are cast (`CAST(SUM(x) AS BIGINT)`), a
//!   parameter that stands alone is cast (`CAST($1 AS BIGINT) IS NULL`). Where the engines really differ, ask
//!   [`SqlTx::kind`].
//! * **Locking**: PostgreSQL runs writers side by side, and each statement sees what was committed before it. A
//!   job that decides by what it read either says so in its UPDATE's WHERE, or reads with `{lock}` at the end of
//!   the SELECT. Reading a room, user or membership in order to change it uses `{lock}`.

pub mod backup;
pub mod blobs;
mod engine;
mod hot;
pub mod look;
mod migrations;
mod port;
mod rows;
pub mod s3;
mod search;
pub mod sql;

/// Turns a query's words into what each engine reads: what a fuzzer calls.
pub fn fuzz_query(text: &str) {
    search::fuzz(text);
}

pub use engine::{
    Alone, BatchLimits, Batcher, Bounds, Engine, Lane, Lead, Location, OnPoison, OpenError, Options, Serving,
    Sink, Step, Turn,
};
pub use migrations::MigrationError;
pub use sql::{AsParam, Column, Counters, Figures, Kind, Param, Row, SqlError, SqlTx};

//! The store: SQLite and PostgreSQL behind core's port, with one text of SQL for both.

mod engine;
mod migrations;
pub mod sql;

pub use engine::{BatchLimits, Bounds, Engine, Lane, Location, OnPoison, OpenError, Options, Sink};
pub use migrations::MigrationError;
pub use sql::{Column, Figures, Kind, Param, Row, SqlError, SqlTx};

//! The schema's numbered steps, the same on both engines, each in a transaction of its own.
//!
//! A step is a file of statements that each end with `;` at the end of a line. `-- sqlite:` and `-- postgres:`
//! on a line of their own begin statements for one engine, `-- both:` for both again. Steps only ever get
//! added: expand first, contract in a later version, and back-fill in chunks after the server is ready.

use crate::params;
use crate::sql::{Kind, SqlError, SqlTx};
use thiserror::Error;

/// Every step in order; its number is its place, from 1.
pub(crate) const STEPS: &[(&str, &str)] = &[
    ("0001_accounts", include_str!("../migrations/0001_accounts.sql")),
    ("0002_rooms", include_str!("../migrations/0002_rooms.sql")),
    ("0003_messages", include_str!("../migrations/0003_messages.sql")),
    ("0004_journal", include_str!("../migrations/0004_journal.sql")),
    ("0005_search", include_str!("../migrations/0005_search.sql")),
    ("0006_desk", include_str!("../migrations/0006_desk.sql")),
    ("0007_host", include_str!("../migrations/0007_host.sql")),
    ("0008_vendors", include_str!("../migrations/0008_vendors.sql")),
    ("0009_deliveries", include_str!("../migrations/0009_deliveries.sql")),
    ("0010_outgoing", include_str!("../migrations/0010_outgoing.sql")),
    ("0011_blobs", include_str!("../migrations/0011_blobs.sql")),
    ("0012_nodes", include_str!("../migrations/0012_nodes.sql")),
    ("0013_translation", include_str!("../migrations/0013_translation.sql")),
    ("0014_session_use", include_str!("../migrations/0014_session_use.sql")),
];

/// Why the schema could not be brought up to date.
#[derive(Debug, Error)]
pub enum MigrationError {
    /// The data was written by a newer version.
    #[error(
        "the data has schema version {found}, this version knows {known}: use the newer version again, or restore \
         a backup made before the upgrade"
    )]
    Newer {
        /// The schema's version.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// The data was written by an earlier version, and whoever only reads brings nothing up to date.
    #[error("the data has schema version {found}; the next start of the server brings it to {known}")]
    Older {
        /// The schema's version.
        found: i64,
        /// The version that is read here.
        known: i64,
    },
    /// A statement failed; the schema stands as it was before its step.
    #[error("migration {step}: {error}")]
    Failed {
        /// The step's name.
        step: &'static str,
        /// What the database said.
        error: SqlError,
    },
    /// The version could not be read.
    #[error("reading the schema version: {0}")]
    Version(SqlError),
}

/// Something that can run a step in a transaction: commits if `work` succeeds, rolls back otherwise.
pub(crate) trait Migrate {
    fn transaction(
        &mut self,
        work: &mut dyn FnMut(&mut SqlTx<'_>) -> Result<(), SqlError>,
    ) -> Result<(), SqlError>;
}

/// Refuses to read a schema that is not exactly this version's.
pub(crate) fn readable(found: i64) -> Result<(), MigrationError> {
    let known = STEPS.len() as i64;
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(MigrationError::Newer { found, known }),
        std::cmp::Ordering::Less => Err(MigrationError::Older { found, known }),
    }
}

/// Brings the schema up to date; tells the version it had before.
pub(crate) fn migrate(on: &mut dyn Migrate) -> Result<i64, MigrationError> {
    migrate_to(on, STEPS.len(), &mut |_| Ok(()))
}

/// Brings an empty database to an earlier version, for rows that a backup of that version holds.
pub(crate) fn migrate_up_to(on: &mut dyn Migrate, version: i64) -> Result<i64, MigrationError> {
    migrate_to(on, usize::try_from(version).unwrap_or(0).min(STEPS.len()), &mut |_| Ok(()))
}

/// As [`migrate`], up to a step, with a look-in before every statement: tests end it there.
fn migrate_to(
    on: &mut dyn Migrate,
    steps: usize,
    before: &mut dyn FnMut(&str) -> Result<(), SqlError>,
) -> Result<i64, MigrationError> {
    let mut found = 0;
    on.transaction(&mut |tx| {
        tx.exec(
            "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL)",
            &[],
        )?;
        found = tx.one("SELECT COALESCE(MAX(version), 0) FROM schema_version", &[], |row| row.get(0))?;
        Ok(())
    })
    .map_err(MigrationError::Version)?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(MigrationError::Newer { found, known });
    }
    for (number, (name, text)) in (1..).zip(&STEPS[..steps]).skip(found as usize) {
        on.transaction(&mut |tx| {
            for statement in statements(text, tx.kind()) {
                before(&statement)?;
                tx.exec(&statement, &[])?;
            }
            before("the step's number")?;
            tx.exec("INSERT INTO schema_version (version, name) VALUES ($1, $2)", params![number, *name])?;
            before("the step's commit")
        })
        .map_err(|error| MigrationError::Failed { step: name, error })?;
    }
    Ok(found)
}

/// The statements of a step for one engine, without comments.
fn statements(text: &str, kind: Kind) -> Vec<String> {
    let mut all = Vec::new();
    let mut statement = String::new();
    let mut wanted = true;
    for line in text.lines() {
        match line.trim() {
            "-- both:" => wanted = true,
            "-- sqlite:" => wanted = kind == Kind::Sqlite,
            "-- postgres:" => wanted = kind == Kind::Postgres,
            line if line.is_empty() || line.starts_with("--") || !wanted => {}
            line => {
                if !statement.is_empty() {
                    statement.push('\n');
                }
                statement.push_str(line);
                if line.ends_with(';') {
                    statement.pop();
                    all.push(std::mem::take(&mut statement));
                }
            }
        }
    }
    debug_assert!(statement.is_empty(), "a statement without its semicolon: {statement}");
    all
}

#[cfg(test)]
#[path = "migrations_tests.rs"]
mod tests;

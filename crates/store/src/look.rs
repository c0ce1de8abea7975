//! What is asked of a store from outside, also while a server has it open.

use std::path::Path;

use parlor_core::store::Answer;

use crate::{Engine, Location, blobs, engine, params};

/// Ids of stored files that are read at once.
const PAGE: usize = 1_000;

/// Whether a server has the database open; known of SQLite alone. Nothing is made by asking.
pub fn in_use(location: &Location) -> bool {
    match location {
        Location::Sqlite(path) => engine::in_use(path),
        Location::Postgres(_) => false,
    }
}

/// The stored files that a database names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Files {
    /// All of them.
    pub named: u64,
    /// Those that are not in their folder.
    pub missing: u64,
}

/// Looks for each stored file in the folder where files lie.
///
/// # Errors
/// The store's, if it can't be read.
pub async fn files(engine: &Engine, folder: &Path) -> parlor_core::error::Result<Files> {
    let (mut found, mut after) = (Files::default(), String::new());
    loop {
        let ids = page(engine, after).await?;
        let Some(last) = ids.last().cloned() else { return Ok(found) };
        found.named += ids.len() as u64;
        let gone = ids.iter().filter(|id| !blobs::place(folder, id).is_some_and(|path| path.exists()));
        found.missing += gone.count() as u64;
        after = last;
    }
}

fn page(engine: &Engine, after: String) -> Answer<Vec<String>> {
    engine.read(move |tx| {
        let sql = "SELECT id FROM blobs WHERE id > $1 ORDER BY id LIMIT $2";
        Ok(tx.query(sql, params![after.as_str(), PAGE as i64], |row| row.get(0))?)
    })
}

//! SQLite, copied page by page from one snapshot. Writers go on meanwhile; their log starts again afterwards.

use super::manifest::Manifest;
use super::{BackupError, Done, at, files, sync_directory};
use crate::sql::SqlError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

const NAME: &str = "parlor.db";
/// Pages copied at a time.
const PAGES: i32 = 4_096;

/// Copies the database; tells the ids of the stored files that it names.
pub(super) fn copy(path: &Path, target: &Path, manifest: &mut Manifest) -> Done<Vec<String>> {
    // A path without a database must not be made into one.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let source = Connection::open_with_flags(path, flags).map_err(SqlError::from)?;
    source.busy_timeout(Duration::from_secs(5)).map_err(SqlError::from)?;
    let file = target.join(NAME);
    let (schema, uploads) = snapshot(&source, &file).map_err(SqlError::from)?;
    manifest.schema = schema;
    at(&file, File::open(&file).and_then(|file| file.sync_all()))?;
    manifest.add(files::entry(&file, NAME)?);
    Ok(uploads)
}

fn snapshot(source: &Connection, file: &Path) -> rusqlite::Result<(i64, Vec<String>)> {
    // The open transaction pins the snapshot: the copy can't be overtaken by a writer and start again.
    source.execute_batch("BEGIN")?;
    let schema = source.query_row("SELECT MAX(version) FROM schema_version", [], |row| row.get(0))?;
    let mut copy = Connection::open(file)?;
    copy.execute_batch("PRAGMA synchronous = OFF")?;
    {
        let backup = Backup::new(source, &mut copy)?;
        loop {
            match backup.step(PAGES)? {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    }
    source.execute_batch("ROLLBACK")?;
    let sql = "SELECT COUNT(*) > 0 FROM sqlite_master WHERE name = 'blobs'";
    let stored: bool = copy.query_row(sql, [], |row| row.get(0))?;
    let uploads = if stored { "SELECT id FROM blobs" } else { "SELECT id FROM uploads" };
    let uploads = copy.prepare(uploads)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    // One file, without a log beside it.
    copy.execute_batch("PRAGMA journal_mode = DELETE")?;
    copy.close().map_err(|(_, error)| error)?;
    Ok((schema, uploads))
}

/// Puts the database of a checked backup in its place.
pub(super) fn put_back(backup: &Path, path: &Path) -> Done<()> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    for taken in [path.to_owned(), log.into()] {
        if taken.exists() {
            return Err(BackupError::NotEmpty(taken.display().to_string()));
        }
    }
    let from = backup.join(NAME);
    let sound: Result<String, _> = Connection::open_with_flags(&from, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .and_then(|conn| conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)));
    if !matches!(sound.as_deref(), Ok("ok")) {
        return Err(BackupError::Damaged(format!("{NAME} is not a sound database")));
    }
    let unfinished = path.with_extension("restoring");
    // A restore that was cut off left it: begin again.
    let _ = fs::remove_file(&unfinished);
    files::write(at(&from, File::open(&from))?, &unfinished, "")?;
    at(path, fs::rename(&unfinished, path))?;
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_directory)
}

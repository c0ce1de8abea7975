use super::{BackupError, Done, Report, at, files, sync_directory};
use crate::engine::Location;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;

const NAME: &str = "manifest.json";
/// Grows when an older version could not read a backup any more.
const FORMAT: u32 = 1;

/// What a backup consists of.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// `sqlite` or `postgres`.
    kind: String,
    /// The schema's version.
    pub(super) schema: i64,
    /// Every file but the stored ones, which `uploads.sums` lists.
    files: Vec<Entry>,
    uploads: u64,
    upload_bytes: u64,
    missing: u64,
}

/// A file of the backup.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Manifest {
    pub(super) fn new(location: &Location) -> Self {
        Manifest {
            format: FORMAT,
            kind: kind(location).to_owned(),
            schema: 0,
            files: Vec::new(),
            uploads: 0,
            upload_bytes: 0,
            missing: 0,
        }
    }

    pub(super) fn add(&mut self, entry: Entry) {
        self.files.push(entry);
    }

    pub(super) fn count_uploads(&mut self, uploads: u64, bytes: u64, missing: u64) {
        (self.uploads, self.upload_bytes, self.missing) = (uploads, bytes, missing);
    }

    /// Writes it, which makes the directory a backup.
    pub(super) fn write(&self, target: &Path) -> Done<()> {
        let (path, unfinished) = (target.join(NAME), target.join("manifest.part"));
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| BackupError::Io(path.clone(), std::io::Error::other(error)))?;
        let mut file = at(&unfinished, fs::File::create(&unfinished))?;
        at(&unfinished, file.write_all(&text).and_then(|()| file.sync_all()))?;
        at(&path, fs::rename(&unfinished, &path))?;
        sync_directory(target)
    }

    pub(super) fn read(backup: &Path) -> Done<Self> {
        let no_backup = |text: String| BackupError::NoBackup(backup.to_owned(), text);
        let text = fs::read(backup.join(NAME)).map_err(|error| no_backup(format!("{NAME}: {error}")))?;
        serde_json::from_slice(&text).map_err(|error| no_backup(format!("{NAME}: {error}")))
    }

    /// Compares every file with what was written down.
    pub(super) fn check(&self, backup: &Path) -> Done<()> {
        for entry in &self.files {
            // Names are ours, but a manifest can be forged: it must not lead elsewhere.
            if entry.name.contains("..") || Path::new(&entry.name).is_absolute() {
                return Err(BackupError::Damaged(format!("the name {}", entry.name)));
            }
            let found = files::entry(&backup.join(&entry.name), &entry.name)
                .map_err(|error| BackupError::Damaged(error.to_string()))?;
            if found.bytes != entry.bytes || found.sha256 != entry.sha256 {
                return Err(BackupError::Damaged(format!("{} has changed", entry.name)));
            }
        }
        Ok(())
    }

    /// Whether it can be restored into such a database by this version.
    pub(super) fn fits(&self, location: &Location, known: i64) -> Done<()> {
        let unfit = |text: String| Err(BackupError::Unfit(text));
        if self.format > FORMAT || self.schema > known {
            return unfit(format!("it was made by a newer version (schema {}, known {known})", self.schema));
        }
        if self.kind != kind(location) {
            return unfit(format!("it was made from {}, the target is {}", self.kind, kind(location)));
        }
        Ok(())
    }

    pub(super) fn report(&self) -> Report {
        let bytes = self.files.iter().map(|entry| entry.bytes).sum::<u64>() + self.upload_bytes;
        Report { bytes, uploads: self.uploads, missing: self.missing, schema: self.schema }
    }
}

fn kind(location: &Location) -> &'static str {
    match location {
        Location::Sqlite(_) => "sqlite",
        Location::Postgres(_) => "postgres",
    }
}

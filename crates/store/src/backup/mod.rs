//! Copying everything into a directory while the server runs, and putting it back.
//!
//! A backup is a consistent cut: one snapshot of the database, taken first, then every stored file that it names
//! (files never change, and are removed only after their rows). `manifest.json` is written last; without it a
//! directory is no backup. Every file has its size and SHA-256 there or in `uploads.sums`.

mod files;
mod manifest;
mod postgres;
mod sqlite;

use crate::engine::{Location, OpenError};
use crate::migrations::{self, MigrationError};
use crate::sql::SqlError;
use manifest::Manifest;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What a server keeps, and where: what is copied by [`create`], and what [`restore`] fills.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database.
    pub location: Location,
    /// The directory of stored files; `None` if they lie elsewhere.
    pub blobs: Option<PathBuf>,
    /// Other files that belong to it, such as the key that secrets are sealed with. Those that are not there are
    /// left out.
    pub files: Vec<PathBuf>,
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Bytes of all files.
    pub bytes: u64,
    /// Stored files.
    pub uploads: u64,
    /// Stored files that the database names but that were not there: removed meanwhile, or lost before.
    pub missing: u64,
    /// The schema's version.
    pub schema: i64,
}

/// Why a backup could not be made, or is not one.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The target holds something.
    #[error("{0} is not empty")]
    NotEmpty(String),
    /// There is no manifest, or none that can be read.
    #[error("{0} is not a complete backup: {1}")]
    NoBackup(PathBuf, String),
    /// A file is not what the manifest says.
    #[error("the backup is damaged: {0}")]
    Damaged(String),
    /// Made by a newer version, or of another kind of database.
    #[error("this backup can't be restored here: {0}")]
    Unfit(String),
    /// The database said no.
    #[error("the database: {0}")]
    Sql(#[from] SqlError),
    /// The schema could not be made.
    #[error(transparent)]
    Migration(#[from] MigrationError),
    /// The file system said no.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
}

impl From<OpenError> for BackupError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Sql(error) => BackupError::Sql(error),
            OpenError::Migration(error) => BackupError::Migration(error),
            OpenError::Io(path, error) => BackupError::Io(path, error),
            OpenError::Missing(path) => BackupError::Io(path, std::io::ErrorKind::NotFound.into()),
            OpenError::InUse(path) => BackupError::NotEmpty(format!("{} is in use and", path.display())),
        }
    }
}

type Done<T> = Result<T, BackupError>;

/// Makes a backup of a running or stopped server in a directory that is empty or not there yet.
///
/// # Errors
/// [`BackupError`]; what was written until then has no manifest and is no backup.
pub fn create(place: &Place, target: &Path) -> Done<Report> {
    files::empty_directory(target)?;
    let mut manifest = Manifest::new(&place.location);
    let uploads = match &place.location {
        Location::Sqlite(path) => sqlite::copy(path, target, &mut manifest)?,
        Location::Postgres(url) => postgres::copy(url, target, &mut manifest)?,
    };
    for file in &place.files {
        files::copy_extra(file, target, &mut manifest)?;
    }
    if let Some(blobs) = &place.blobs {
        files::copy_uploads(blobs, &uploads, target, &mut manifest)?;
    }
    manifest.write(target)?;
    Ok(manifest.report())
}

/// What a backup says of itself, without looking whether it is true.
///
/// # Errors
/// [`BackupError::NoBackup`].
pub fn said(backup: &Path) -> Done<Report> {
    Ok(Manifest::read(backup)?.report())
}

/// Reads a whole backup and compares it with its manifest.
///
/// # Errors
/// [`BackupError::NoBackup`] and [`BackupError::Damaged`].
pub fn check(backup: &Path) -> Done<Report> {
    let manifest = Manifest::read(backup)?;
    manifest.check(backup)?;
    files::check_uploads(backup)?;
    Ok(manifest.report())
}

/// Checks a backup and puts it in place of a server that holds nothing yet.
///
/// # Errors
/// [`BackupError`]; a place that holds anything is left alone.
pub fn restore(backup: &Path, place: &Place) -> Done<Report> {
    let manifest = Manifest::read(backup)?;
    manifest.fits(&place.location, migrations::STEPS.len() as i64)?;
    check(backup)?;
    for file in &place.files {
        if file.exists() {
            return Err(BackupError::NotEmpty(file.display().to_string()));
        }
    }
    if let Some(blobs) = &place.blobs {
        files::empty_directory(blobs)?;
    }
    match &place.location {
        Location::Sqlite(path) => sqlite::put_back(backup, path)?,
        Location::Postgres(url) => postgres::put_back(backup, url, manifest.schema)?,
    }
    for file in &place.files {
        files::put_back_extra(backup, file)?;
    }
    if let Some(blobs) = &place.blobs {
        files::put_back_uploads(backup, blobs)?;
    }
    Ok(manifest.report())
}

/// Names the path in an error of the file system.
fn at<T>(path: &Path, done: std::io::Result<T>) -> Done<T> {
    done.map_err(|error| BackupError::Io(path.to_owned(), error))
}

/// Makes what a directory lists durable.
fn sync_directory(path: &Path) -> Done<()> {
    at(path, fs::File::open(path).and_then(|directory| directory.sync_all()))
}

//! Files, copied with their checksums.

use super::manifest::{Entry, Manifest};
use super::{BackupError, Done, at, sync_directory};
use crate::blobs::place;
use parlor_core::hashes::sum;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

/// The list of stored files: a line each, checksum, size, id.
const SUMS: &str = "uploads.sums";
/// The directory of stored files.
const UPLOADS: &str = "uploads";
/// The directory of other files.
const EXTRA: &str = "files";

/// Makes sure that a directory is there and holds nothing.
pub(super) fn empty_directory(path: &Path) -> Done<()> {
    at(path, fs::create_dir_all(path))?;
    if at(path, fs::read_dir(path))?.next().is_some() {
        return Err(BackupError::NotEmpty(path.display().to_string()));
    }
    Ok(())
}

/// Copies what `from` gives and syncs it; tells size and checksum.
pub(super) fn write(mut from: impl Read, to: &Path, name: &str) -> Done<Entry> {
    let mut file = at(to, File::create_new(to))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        let got = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(got) => got,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(BackupError::Io(to.to_owned(), error)),
        };
        hash.update(&buffer[..got]);
        at(to, file.write_all(&buffer[..got]))?;
        bytes += got as u64;
    }
    at(to, file.sync_all())?;
    Ok(Entry { name: name.to_owned(), bytes, sha256: hex::encode(hash.finalize()) })
}

/// Size and checksum of a file.
pub(super) fn entry(path: &Path, name: &str) -> Done<Entry> {
    let (bytes, sha256) = at(path, File::open(path).and_then(sum))?;
    Ok(Entry { name: name.to_owned(), bytes, sha256: hex::encode(sha256) })
}

/// Copies a file that belongs to the server, under its own name.
pub(super) fn copy_extra(file: &Path, target: &Path, manifest: &mut Manifest) -> Done<()> {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
    let from = match File::open(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => at(file, opened)?,
    };
    let directory = target.join(EXTRA);
    at(&directory, fs::create_dir_all(&directory))?;
    manifest.add(write(from, &directory.join(name), &format!("{EXTRA}/{name}"))?);
    private(&directory.join(name))?;
    sync_directory(&directory)
}

/// Puts such a file back, if the backup has it.
pub(super) fn put_back_extra(backup: &Path, file: &Path) -> Done<()> {
    let Some(name) = file.file_name() else { return Ok(()) };
    let from = backup.join(EXTRA).join(name);
    if !from.exists() {
        return Ok(());
    }
    write(at(&from, File::open(&from))?, file, "")?;
    private(file)?;
    file.parent().map_or(Ok(()), sync_directory)
}

/// Keys are their owner's alone.
fn private(path: &Path) -> Done<()> {
    use std::os::unix::fs::PermissionsExt;
    at(path, fs::set_permissions(path, fs::Permissions::from_mode(0o600)))
}

/// Copies the stored files of these ids.
pub(super) fn copy_uploads(blobs: &Path, ids: &[String], target: &Path, manifest: &mut Manifest) -> Done<()> {
    let sums_path = target.join(SUMS);
    let mut sums = BufWriter::new(at(&sums_path, File::create_new(&sums_path))?);
    let (mut uploads, mut bytes, mut missing) = (0, 0, 0);
    for id in ids {
        let (Some(from), Some(to)) = (place(blobs, id), place(&target.join(UPLOADS), id)) else { continue };
        let file = match File::open(&from) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                missing += 1;
                continue;
            }
            opened => at(&from, opened)?,
        };
        if let Some(parent) = to.parent() {
            at(parent, fs::create_dir_all(parent))?;
        }
        let entry = write(file, &to, id)?;
        at(&sums_path, writeln!(sums, "{} {} {id}", entry.sha256, entry.bytes))?;
        uploads += 1;
        bytes += entry.bytes;
    }
    let file = sums.into_inner().map_err(|error| BackupError::Io(sums_path.clone(), error.into_error()))?;
    at(&sums_path, file.sync_all())?;
    manifest.add(entry(&sums_path, SUMS)?);
    manifest.count_uploads(uploads, bytes, missing);
    Ok(())
}

/// Compares the stored files with the list of them.
pub(super) fn check_uploads(backup: &Path) -> Done<()> {
    each_upload(backup, |path, sum| {
        let found = entry(path, "").map_err(|error| BackupError::Damaged(error.to_string()))?;
        if found.bytes != sum.bytes || found.sha256 != sum.sha256 {
            return Err(BackupError::Damaged(format!("the stored file {} has changed", sum.name)));
        }
        Ok(())
    })
}

/// Copies the stored files into their place.
pub(super) fn put_back_uploads(backup: &Path, blobs: &Path) -> Done<()> {
    each_upload(backup, |path, sum| {
        let Some(to) = place(blobs, &sum.name) else { return Ok(()) };
        if let Some(parent) = to.parent() {
            at(parent, fs::create_dir_all(parent))?;
        }
        write(at(path, File::open(path))?, &to, "").map(|_| ())
    })?;
    sync_directory(blobs)
}

fn each_upload(backup: &Path, mut each: impl FnMut(&Path, &Entry) -> Done<()>) -> Done<()> {
    let sums = backup.join(SUMS);
    let file = match File::open(&sums) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => at(&sums, opened)?,
    };
    for line in BufReader::new(file).lines() {
        let line = at(&sums, line)?;
        let mut words = line.splitn(3, ' ');
        let (Some(sha256), Some(bytes), Some(id)) = (words.next(), words.next(), words.next()) else {
            return Err(BackupError::Damaged(format!("a line of {SUMS}")));
        };
        let damaged = || BackupError::Damaged(format!("a line of {SUMS}"));
        let path = place(&backup.join(UPLOADS), id).ok_or_else(damaged)?;
        let bytes = bytes.parse().map_err(|_| damaged())?;
        each(&path, &Entry { name: id.to_owned(), bytes, sha256: sha256.to_owned() })?;
    }
    Ok(())
}

//! Bytes as local files: `DIR/ab/cd/abcd…`, written beside their place, synced, then renamed into it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use parlor_core::{
    blobs::{Blobs, Boxed},
    error::{Refusal, Result, What},
    id::UploadId,
};

/// The most bytes that one read gives.
pub const MOST_READ: u64 = 1 << 20;

/// Files below one directory.
pub struct LocalBlobs {
    root: PathBuf,
    next: AtomicU64,
}

impl LocalBlobs {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        fs::create_dir_all(root.join("tmp"))?;
        Ok(Self { root, next: AtomicU64::new(0) })
    }

    fn path(&self, id: &UploadId) -> Option<PathBuf> {
        place(&self.root, id.as_str())
    }

    /// Removes temporary files older than `age`: uploads that were cut off. How many.
    ///
    /// # Errors
    /// What the file system says of the directory; single files that resist are left.
    pub fn sweep(&self, age: Duration) -> io::Result<u64> {
        let mut swept = 0;
        for entry in fs::read_dir(self.root.join("tmp"))? {
            let entry = entry?;
            let modified = entry.metadata().and_then(|m| m.modified());
            let old = modified.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|a| a > age));
            if old && fs::remove_file(entry.path()).is_ok() {
                swept += 1;
            }
        }
        Ok(swept)
    }
}

/// Where the file of an id lies below the root; `None` if it is no id of a file.
pub(crate) fn place(root: &Path, id: &str) -> Option<PathBuf> {
    let plain = id.len() >= 4 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    plain.then(|| root.join(&id[..2]).join(&id[2..4]).join(id))
}

fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound => Refusal::NotFound(What::Upload),
        kind => {
            tracing::error!(?kind, %error, "a stored file could not be reached");
            Refusal::Unavailable
        }
    }
}

fn sync_dir(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

fn put(temporary: &Path, target: &Path) -> io::Result<()> {
    let parent = target.parent().ok_or(ErrorKind::InvalidInput)?;
    let new = !parent.exists();
    fs::create_dir_all(parent)?;
    File::open(temporary)?.sync_all()?;
    fs::rename(temporary, target)?;
    sync_dir(target)?;
    if new {
        sync_dir(parent)?;
        parent.parent().map_or(Ok(()), sync_dir)?;
    }
    Ok(())
}

fn read(path: &Path, range: Option<Range<u64>>) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let range = range.unwrap_or(0..MOST_READ);
    file.seek(SeekFrom::Start(range.start))?;
    let mut bytes = Vec::new();
    file.take(range.end.saturating_sub(range.start).min(MOST_READ)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| refusal(&error)),
        Err(_) => Err(Refusal::Unavailable),
    }
}

impl Blobs for LocalBlobs {
    fn temporary(&self) -> Result<PathBuf> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}-{:x}", std::process::id(), rand_part());
        Ok(self.root.join("tmp").join(name))
    }

    fn put<'a>(&'a self, id: &'a UploadId, temporary: PathBuf) -> Boxed<'a, ()> {
        Box::pin(async move {
            let target = self.path(id).ok_or(Refusal::NotFound(What::Upload))?;
            blocking(move || put(&temporary, &target)).await
        })
    }

    fn read<'a>(&'a self, id: &'a UploadId, range: Option<Range<u64>>) -> Boxed<'a, Vec<u8>> {
        Box::pin(async move {
            let path = self.path(id).ok_or(Refusal::NotFound(What::Upload))?;
            blocking(move || read(&path, range)).await
        })
    }

    fn size<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, Option<u64>> {
        Box::pin(async move {
            let Some(path) = self.path(id) else { return Ok(None) };
            blocking(move || match fs::metadata(path) {
                Ok(found) => Ok(Some(found.len())),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            })
            .await
        })
    }

    fn remove<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, ()> {
        Box::pin(async move {
            let Some(path) = self.path(id) else { return Ok(()) };
            blocking(move || match fs::remove_file(path) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            })
            .await
        })
    }
}

/// Tells apart the temporary files of processes that had the same number.
fn rand_part() -> u32 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_put_is_read_back_in_ranges_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        let id = UploadId::new("AbCd1234567890abcdefgh");
        let temporary = blobs.temporary().unwrap();
        fs::write(&temporary, b"hello world").unwrap();
        blobs.put(&id, temporary).await.unwrap();
        assert_eq!(blobs.size(&id).await.unwrap(), Some(11));
        assert_eq!(blobs.read(&id, Some(6..11)).await.unwrap(), b"world");
        blobs.remove(&id).await.unwrap();
        assert_eq!(blobs.size(&id).await.unwrap(), None);
        assert_eq!(blobs.read(&id, None).await, Err(Refusal::NotFound(What::Upload)));
    }

    #[tokio::test]
    async fn an_id_that_could_lead_elsewhere_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        for id in ["../../etc/passwd", "ab", "a/b/c/d", "abcd.efgh"] {
            assert_eq!(blobs.size(&UploadId::new(id)).await.unwrap(), None, "{id}");
        }
    }
}

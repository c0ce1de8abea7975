//! Bytes as local files: `DIR/ab/cd/abcd…`, written beside their place, synced, then renamed into it.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use parlor_core::{
    blobs::{Blobs, Boxed, Kept, Pieces},
    error::{Refusal, Result, What},
    hashes::sum,
    id::UploadId,
};
use quick_cache::sync::Cache;

/// Files remembered as intact.
const MOST_COMPARED: usize = 20_000;
/// Bytes read at once.
const PIECE: u64 = 256 << 10;
/// Holds the id of the workspace that the files belong to.
pub(crate) const OWNER: &str = ".workspace";
/// Where uploads lie before they are stored.
const TEMPORARY: &str = "tmp";

/// Temporary files below one directory.
pub(crate) struct Spool {
    dir: PathBuf,
    next: AtomicU64,
}

impl Spool {
    pub(crate) fn open(root: &Path) -> io::Result<Self> {
        let dir = root.join(TEMPORARY);
        fs::create_dir_all(&dir)?;
        Ok(Self { dir, next: AtomicU64::new(0) })
    }

    pub(crate) fn path(&self) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.dir.join(format!("{}-{number}-{:x}", std::process::id(), rand_part()))
    }

    pub(crate) async fn sweep(&self, age: Duration) -> Result<u64> {
        let dir = self.dir.clone();
        blocking(move || sweep(&dir, age)).await
    }
}

fn sweep(dir: &Path, age: Duration) -> io::Result<u64> {
    let mut swept = 0;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let old = entry.metadata().is_ok_and(|found| age_of(&found) > age);
        // One that resists is left for the next time.
        swept += u64::from(old && fs::remove_file(entry.path()).is_ok());
    }
    Ok(swept)
}

/// How long ago a file was written; nothing for one from the future.
fn age_of(found: &fs::Metadata) -> Duration {
    let modified = found.modified().unwrap_or_else(|_| SystemTime::now());
    SystemTime::now().duration_since(modified).unwrap_or_default()
}

/// What a file looked like when its bytes were last compared: its size, and when it was written.
type Look = (u64, SystemTime);

/// Files below one directory.
pub struct LocalBlobs {
    root: PathBuf,
    spool: Spool,
    /// Files whose bytes were compared, so that each is read for it once as long as it looks the same.
    compared: Cache<UploadId, Look>,
}

impl LocalBlobs {
    /// Makes the directory if it is not there.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        Ok(Self { spool: Spool::open(&root)?, root, compared: Cache::new(MOST_COMPARED) })
    }

    fn path(&self, id: &UploadId) -> Option<PathBuf> {
        place(&self.root, id.as_str())
    }
}

/// Where the file of an id lies below the root; `None` if it is no id of a file.
pub(crate) fn place(root: &Path, id: &str) -> Option<PathBuf> {
    is_id(id).then(|| root.join(&id[..2]).join(&id[2..4]).join(id))
}

/// Whether a text can be the id of stored bytes: nothing that leads elsewhere.
pub(crate) fn is_id(id: &str) -> bool {
    id.len() >= 4 && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn refusal(error: &io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound => Refusal::NotFound(What::Upload),
        kind => {
            tracing::error!(?kind, %error, "a stored file could not be reached");
            Refusal::Storage
        }
    }
}

/// Compares a file's bytes with what was stored, unless it looks as it did when that was done.
fn compare(path: &Path, sha256: [u8; 32], known: Option<Look>) -> io::Result<Option<Look>> {
    let file = File::open(path)?;
    let found = file.metadata()?;
    let look = (found.len(), found.modified()?);
    if known == Some(look) {
        return Ok(known);
    }
    Ok((sum(file)?.1 == sha256).then_some(look))
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

/// The names in a directory, in order; none if there is no such directory.
fn names(dir: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(names),
        entries => {
            for entry in entries? {
                names.extend(entry?.file_name().into_string());
            }
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Walks the two levels of directories in the order of ids, from where the last walk ended.
fn list(root: &Path, after: &str, most: usize) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    let begins = |level: usize| after.get(..level).unwrap_or_default().to_owned();
    for first in names(root)?.into_iter().filter(|name| name.len() == 2 && *name >= begins(2)) {
        for second in names(&root.join(&first))?.into_iter().filter(|name| name.len() == 2) {
            if format!("{first}{second}") < begins(4) {
                continue;
            }
            let dir = root.join(&first).join(&second);
            for id in names(&dir)?.into_iter().filter(|id| is_id(id) && id.as_str() > after) {
                // It may have been removed since its directory was read.
                let Ok(file) = fs::metadata(dir.join(&id)) else { continue };
                found.push(Kept { id: UploadId::new(id), age: age_of(&file) });
                if found.len() >= most {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

fn belongs_to(root: &Path, workspace: &str) -> io::Result<bool> {
    let path = root.join(OWNER);
    match fs::read_to_string(&path) {
        Ok(owner) => Ok(owner.trim() == workspace),
        Err(error) if error.kind() == ErrorKind::NotFound => fs::write(&path, workspace).map(|()| true),
        Err(error) => Err(error),
    }
}

/// Runs file work where it may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| refusal(&error)),
        Err(_) => Err(Refusal::Storage),
    }
}

/// A local file, read a piece at a time.
struct FilePieces {
    file: Option<File>,
    left: u64,
}

impl Pieces for FilePieces {
    fn next(&mut self) -> Boxed<'_, Option<Bytes>> {
        Box::pin(async move {
            let want = self.left.min(PIECE);
            let Some(file) = self.file.take().filter(|_| want > 0) else { return Ok(None) };
            let (file, bytes) = blocking(move || {
                let mut bytes = Vec::with_capacity(want as usize);
                (&file).take(want).read_to_end(&mut bytes)?;
                Ok((file, bytes))
            })
            .await?;
            if bytes.is_empty() {
                // Shorter than it was when it was stored.
                return Err(Refusal::NotFound(What::Upload));
            }
            self.left -= bytes.len() as u64;
            self.file = Some(file);
            Ok(Some(bytes.into()))
        })
    }
}

impl Blobs for LocalBlobs {
    fn temporary(&self) -> Result<PathBuf> {
        Ok(self.spool.path())
    }

    fn put<'a>(&'a self, id: &'a UploadId, temporary: PathBuf) -> Boxed<'a, ()> {
        Box::pin(async move {
            let target = self.path(id).ok_or(Refusal::NotFound(What::Upload))?;
            blocking(move || put(&temporary, &target)).await
        })
    }

    fn open<'a>(&'a self, id: &'a UploadId, range: Range<u64>) -> Boxed<'a, Box<dyn Pieces>> {
        Box::pin(async move {
            let path = self.path(id).ok_or(Refusal::NotFound(What::Upload))?;
            let left = range.end.saturating_sub(range.start);
            let file = blocking(move || {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                Ok(file)
            });
            Ok(Box::new(FilePieces { file: Some(file.await?), left }) as Box<dyn Pieces>)
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

    fn is_intact<'a>(&'a self, id: &'a UploadId, sha256: [u8; 32]) -> Boxed<'a, bool> {
        Box::pin(async move {
            let path = self.path(id).ok_or(Refusal::NotFound(What::Upload))?;
            let known = self.compared.get(id);
            let look = blocking(move || compare(&path, sha256, known)).await?;
            if let Some(look) = look
                && known != Some(look)
            {
                self.compared.insert(id.clone(), look);
            }
            Ok(look.is_some())
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

    fn list<'a>(&'a self, after: Option<&'a UploadId>, most: usize) -> Boxed<'a, Vec<Kept>> {
        let (root, after) = (self.root.clone(), after.map(ToString::to_string).unwrap_or_default());
        Box::pin(blocking(move || list(&root, &after, most)))
    }

    fn belongs_to<'a>(&'a self, workspace: &'a str) -> Boxed<'a, bool> {
        let (root, workspace) = (self.root.clone(), workspace.to_owned());
        Box::pin(blocking(move || belongs_to(&root, &workspace)))
    }

    fn sweep_temporary(&self, age: Duration) -> Boxed<'_, u64> {
        Box::pin(self.spool.sweep(age))
    }

    fn address<'a>(&'a self, _id: &'a UploadId, _within: Duration) -> Boxed<'a, Option<String>> {
        Box::pin(async { Ok(None) })
    }
}

/// Tells apart the temporary files of processes that had the same number.
fn rand_part() -> u32 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().subsec_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn put(blobs: &LocalBlobs, id: &str, bytes: &[u8]) {
        let temporary = blobs.temporary().unwrap();
        fs::write(&temporary, bytes).unwrap();
        blobs.put(&UploadId::new(id), temporary).await.unwrap();
    }

    #[tokio::test]
    async fn what_was_put_is_read_back_in_ranges_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        let id = UploadId::new("AbCd1234567890abcdefgh");
        put(&blobs, &id, b"hello world").await;
        assert_eq!(blobs.size(&id).await.unwrap(), Some(11));
        let mut pieces = blobs.open(&id, 6..11).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap(), "world");
        assert_eq!(pieces.next().await.unwrap(), None);
        blobs.remove(&id).await.unwrap();
        assert_eq!(blobs.size(&id).await.unwrap(), None);
        assert!(matches!(blobs.open(&id, 0..1).await, Err(Refusal::NotFound(What::Upload))));
    }

    #[tokio::test]
    async fn an_id_that_could_lead_elsewhere_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        for id in ["../../etc/passwd", "ab", "a/b/c/d", "abcd.efgh"] {
            assert_eq!(blobs.size(&UploadId::new(id)).await.unwrap(), None, "{id}");
        }
    }

    #[tokio::test]
    async fn everything_stored_is_listed_once_page_by_page() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = LocalBlobs::open(dir.path()).unwrap();
        let mut ids = ["aaaa1", "aaaa2", "aaab0", "aB00x", "zz00a", "00zzz"];
        for id in ids {
            put(&blobs, id, b"x").await;
        }
        let _unfinished = fs::write(blobs.temporary().unwrap(), b"half");
        assert!(blobs.belongs_to("one").await.unwrap() && !blobs.belongs_to("other").await.unwrap());
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = blobs.list(after.as_ref(), 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id.clone());
            seen.extend(page.into_iter().map(|kept| kept.id.to_string()));
        }
        ids.sort_unstable();
        assert_eq!(seen, ids);
        assert_eq!(blobs.sweep_temporary(Duration::from_secs(60)).await.unwrap(), 0);
        assert_eq!(blobs.sweep_temporary(Duration::ZERO).await.unwrap(), 1);
    }
}

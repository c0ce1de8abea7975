//! The port to stored bytes: local files or an object store.

use std::{future::Future, ops::Range, path::PathBuf, pin::Pin, time::Duration};

use bytes::Bytes;

use crate::{error::Result, id::UploadId};

/// A boxed answer of a port.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Stored bytes, addressed by an id. They never change once they are there.
///
/// A store that can't be reached, or is too slow, answers `Refusal::Storage`; how long it may take is bounded.
pub trait Blobs: Send + Sync {
    /// A path for a temporary file, on this machine; `put` uses it up.
    fn temporary(&self) -> Result<PathBuf>;
    /// Stores a completed temporary file, durably (local: file, rename and directory synced). The temporary file is
    /// gone when this succeeds.
    fn put<'a>(&'a self, id: &'a UploadId, temporary: PathBuf) -> Boxed<'a, ()>;
    /// Opens a range that lies within the stored bytes. Only a piece at a time is held in memory.
    fn open<'a>(&'a self, id: &'a UploadId, range: Range<u64>) -> Boxed<'a, Box<dyn Pieces>>;
    /// The size in bytes, or `None` when nothing is stored under the id.
    fn size<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, Option<u64>>;
    /// Whether the bytes are still those with this SHA-256. Stores that see to it by themselves say yes unasked.
    fn is_intact<'a>(&'a self, id: &'a UploadId, sha256: [u8; 32]) -> Boxed<'a, bool> {
        let _ = (id, sha256);
        Box::pin(async { Ok(true) })
    }
    /// Removes it; unknown ids are fine.
    fn remove<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, ()>;
    /// What is stored after this id, in the order of ids; at most `most`.
    fn list<'a>(&'a self, after: Option<&'a UploadId>, most: usize) -> Boxed<'a, Vec<Kept>>;
    /// Whether all that is stored belongs to this workspace. The first that asks becomes the owner, so that nobody
    /// sweeps the files of another who was given the same place by mistake.
    fn belongs_to<'a>(&'a self, workspace: &'a str) -> Boxed<'a, bool>;
    /// Removes temporary files older than `age`: uploads that were cut off. How many.
    fn sweep_temporary(&self, age: Duration) -> Boxed<'_, u64>;
    /// An address at which the store itself serves the bytes to whoever knows it, for so long; `None` where there is
    /// no such thing.
    fn address<'a>(&'a self, id: &'a UploadId, within: Duration) -> Boxed<'a, Option<String>>;
}

/// A blob as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its id.
    pub id: UploadId,
    /// How long ago it was stored.
    pub age: Duration,
}

/// Bytes on their way out of the store.
pub trait Pieces: Send {
    /// The next piece, of at most a few megabytes; `None` at the end.
    fn next(&mut self) -> Boxed<'_, Option<Bytes>>;
}

//! The port to stored bytes: local files or an object store.

use std::{future::Future, ops::Range, path::PathBuf, pin::Pin};

use crate::{error::Result, id::UploadId};

/// A boxed answer of a port.
pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Stored bytes, addressed by an upload's id. `put` is durable when it answers (file, rename and directory synced).
pub trait Blobs: Send + Sync {
    /// A path for a temporary file on the same file system; `put` moves it into place.
    fn temporary(&self) -> Result<PathBuf>;
    /// Moves a completed temporary file into place, durably.
    fn put<'a>(&'a self, id: &'a UploadId, temporary: PathBuf) -> Boxed<'a, ()>;
    /// Reads a range (all when `None`). Ranges are bounded by the caller (at most 1 MiB a call).
    fn read<'a>(&'a self, id: &'a UploadId, range: Option<Range<u64>>) -> Boxed<'a, Vec<u8>>;
    /// The size in bytes, or `None` when nothing is stored under the id.
    fn size<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, Option<u64>>;
    /// Removes it; unknown ids are fine.
    fn remove<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, ()>;
}

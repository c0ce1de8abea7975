//! Bytes in an S3-compatible store. They come through a temporary file on this machine, so that a file is known and
//! judged before anybody else holds it; large ones go on in parts, and come back a piece at a time.
//!
//! Calls are repeated a few times and end in a bounded time; then the answer is `Refusal::Storage`. What was kept as
//! local files before is still found there.

mod client;

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, PutPayload, WriteMultipart, aws::AmazonS3,
    path::Path as Key, signer::Signer as _,
};
use parlor_core::{
    blobs::{Blobs, Boxed, Kept, Pieces},
    error::{Refusal, Result, What},
    id::UploadId,
};
use tokio::{io::AsyncReadExt as _, sync::Semaphore};

use crate::blobs::{LocalBlobs, OWNER, Spool, is_id};

/// Bytes of a part; what is smaller goes in one call. S3 takes 10,000 parts, so 80 GB.
const PART: usize = 8 << 20;
/// Parts of one file on their way at the same time.
const PARTS_AT_ONCE: usize = 2;
/// Files on their way at the same time; more wait. With the parts, this bounds memory to 192 MiB.
const PUTS_AT_ONCE: usize = 8;
/// Longest wait for a call that moves no file, repetitions included, and for the next piece of a file, unless the
/// operator says otherwise.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// The slowest way to the store that is borne with, in bytes a second.
const SLOWEST: u64 = 64 << 10;

/// Where the store is, and as whom to call.
#[derive(Clone)]
pub struct S3Place {
    /// `https://…`, without the bucket.
    pub endpoint: String,
    /// Its region; many stores take any.
    pub region: String,
    /// The bucket, which must be there.
    pub bucket: String,
    /// Who calls.
    pub access_key: String,
    /// The proof of it.
    pub secret_key: String,
    /// A further proof that some stores ask for.
    pub session_token: Option<String>,
    /// The bucket stands in the path, not in the host name.
    pub path_style: bool,
    /// What all keys begin with; empty or ending in `/`.
    pub prefix: String,
    /// Longest wait for a call, usually [`PATIENCE`]; a file may take a second more for each 64 KiB.
    pub patience: Duration,
}

impl std::fmt::Debug for S3Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Place")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}

/// Objects of one bucket.
pub struct S3Blobs {
    store: Arc<AmazonS3>,
    prefix: String,
    spool: Spool,
    /// What was stored before the bucket was chosen.
    before: LocalBlobs,
    room: Semaphore,
    patience: Duration,
}

/// Why the store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// A value that means nothing to a store.
    #[error("{0}")]
    Settings(String),
    /// The directory for temporary files.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl S3Blobs {
    /// A client for this place; nothing is called yet. `local` holds temporary files, and those of before.
    ///
    /// # Errors
    /// [`S3Error`].
    pub fn new(place: &S3Place, local: impl Into<PathBuf>) -> std::result::Result<Self, S3Error> {
        let local = local.into();
        let store = client::store(place).map_err(S3Error::Settings)?;
        Ok(Self {
            store: Arc::new(store),
            prefix: place.prefix.clone(),
            spool: Spool::open(&local)?,
            before: LocalBlobs::open(local)?,
            room: Semaphore::new(PUTS_AT_ONCE),
            patience: place.patience,
        })
    }

    /// Writes, reads, lists and removes a small object: whether everything that is needed is allowed.
    ///
    /// # Errors
    /// What the store says.
    pub async fn probe(&self) -> std::result::Result<(), String> {
        let key = self.named("parlor-probe");
        let told = |error: object_store::Error| error.to_string().lines().collect::<Vec<_>>().join(" ");
        let steps = async {
            self.store.put(&key, PutPayload::from_static(b"probe")).await.map_err(told)?;
            let back = self.store.get(&key).await.map_err(told)?.bytes().await.map_err(told)?;
            self.listing(None).next().await.transpose().map_err(told)?;
            self.store.delete(&key).await.map_err(told)?;
            if back == "probe" { Ok(()) } else { Err("what was written reads otherwise".to_owned()) }
        };
        tokio::time::timeout(self.patience, steps)
            .await
            .unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    fn key(&self, id: &UploadId) -> Result<Key> {
        if is_id(id.as_str()) { Ok(self.named(id.as_str())) } else { Err(Refusal::NotFound(What::Upload)) }
    }

    fn pieces(&self, stream: BoxStream<'static, object_store::Result<Bytes>>) -> Box<dyn Pieces> {
        Box::new(ObjectPieces { stream, patience: self.patience })
    }

    fn named(&self, name: &str) -> Key {
        Key::from(format!("{}{name}", self.prefix))
    }

    /// Sends a file: whole when it is small, else in parts, of which few are in memory.
    async fn send(&self, key: &Key, file: &mut tokio::fs::File, size: u64) -> Sent<()> {
        if size <= PART as u64 {
            let mut bytes = Vec::with_capacity(size as usize);
            file.read_to_end(&mut bytes).await?;
            self.store.put(key, bytes.into()).await?;
            return Ok(());
        }
        let upload = self.store.put_multipart(key).await?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        match feed(&mut parts, file).await {
            Ok(()) => parts.finish().await.map(drop).map_err(Into::into),
            Err(error) => {
                // Parts without an end cost room until the bucket's own rule removes them.
                let _ = parts.abort().await;
                Err(error)
            }
        }
    }

    fn listing(
        &self,
        after: Option<&Key>,
    ) -> BoxStream<'static, object_store::Result<object_store::ObjectMeta>> {
        let prefix = (!self.prefix.is_empty()).then(|| Key::from(self.prefix.clone()));
        match after {
            Some(after) => self.store.list_with_offset(prefix.as_ref(), after),
            None => self.store.list(prefix.as_ref()),
        }
    }
}

/// Why a file did not get to the store.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Store(#[from] object_store::Error),
    #[error(transparent)]
    File(#[from] std::io::Error),
}

type Sent<T> = std::result::Result<T, Unsent>;

async fn feed(parts: &mut WriteMultipart, file: &mut tokio::fs::File) -> Sent<()> {
    loop {
        parts.wait_for_capacity(PARTS_AT_ONCE - 1).await?;
        let mut piece = Vec::with_capacity(PART);
        if file.take(PART as u64).read_to_end(&mut piece).await? == 0 {
            return Ok(());
        }
        parts.put(piece.into());
    }
}

fn refusal(error: &(dyn std::error::Error + 'static)) -> Refusal {
    if let Some(object_store::Error::NotFound { .. }) = error.downcast_ref() {
        return Refusal::NotFound(What::Upload);
    }
    tracing::error!(%error, "the store for files can't be used");
    Refusal::Storage
}

/// An answer within a time.
async fn within<T, E: std::error::Error + 'static>(
    time: Duration,
    call: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T> {
    match tokio::time::timeout(time, call).await {
        Ok(done) => done.map_err(|error| refusal(&error)),
        Err(_) => {
            tracing::error!(?time, "the store for files did not answer in time");
            Err(Refusal::Storage)
        }
    }
}

/// An object on its way.
struct ObjectPieces {
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    patience: Duration,
}

impl Pieces for ObjectPieces {
    fn next(&mut self) -> Boxed<'_, Option<Bytes>> {
        Box::pin(within(self.patience, self.stream.try_next()))
    }
}

impl Blobs for S3Blobs {
    fn temporary(&self) -> Result<PathBuf> {
        Ok(self.spool.path())
    }

    fn put<'a>(&'a self, id: &'a UploadId, temporary: PathBuf) -> Boxed<'a, ()> {
        Box::pin(async move {
            let key = self.key(id)?;
            // Where all places are taken by files that get nowhere, a further one waits no longer than they do.
            let _permit = within(self.patience, self.room.acquire()).await?;
            let mut file = tokio::fs::File::open(&temporary).await.map_err(|error| refusal(&error))?;
            let size = file.metadata().await.map_err(|error| refusal(&error))?.len();
            let time = self.patience + Duration::from_secs(size / SLOWEST);
            within(time, self.send(&key, &mut file, size)).await?;
            if let Err(error) = tokio::fs::remove_file(&temporary).await {
                tracing::warn!(%error, "a temporary file could not be removed; it is swept later");
            }
            Ok(())
        })
    }

    fn open<'a>(&'a self, id: &'a UploadId, range: Range<u64>) -> Boxed<'a, Box<dyn Pieces>> {
        Box::pin(async move {
            let key = self.key(id)?;
            if range.is_empty() {
                // S3 knows no empty range.
                return Ok(self.pieces(futures_util::stream::empty().boxed()));
            }
            let options =
                GetOptions { range: Some(GetRange::Bounded(range.clone())), ..GetOptions::default() };
            match within(self.patience, self.store.get_opts(&key, options)).await {
                Ok(found) => Ok(self.pieces(found.into_stream())),
                Err(Refusal::NotFound(_)) => self.before.open(id, range).await,
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn size<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, Option<u64>> {
        Box::pin(async move {
            let Ok(key) = self.key(id) else { return Ok(None) };
            match within(self.patience, self.store.head(&key)).await {
                Ok(found) => Ok(Some(found.size)),
                Err(Refusal::NotFound(_)) => self.before.size(id).await,
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn remove<'a>(&'a self, id: &'a UploadId) -> Boxed<'a, ()> {
        Box::pin(async move {
            let Ok(key) = self.key(id) else { return Ok(()) };
            self.before.remove(id).await?;
            match within(self.patience, self.store.delete(&key)).await {
                Err(Refusal::NotFound(_)) => Ok(()),
                done => done,
            }
        })
    }

    fn list<'a>(&'a self, after: Option<&'a UploadId>, most: usize) -> Boxed<'a, Vec<Kept>> {
        Box::pin(async move {
            let after = after.map(|id| self.key(id)).transpose()?;
            let now = std::time::SystemTime::now();
            let kept = self.listing(after.as_ref()).try_filter_map(move |found| async move {
                let name = found.location.filename().filter(|name| is_id(name));
                // What others put deeper into the bucket is not ours.
                let id = name.filter(|name| self.named(name) == found.location).map(UploadId::new);
                let at = std::time::SystemTime::from(found.last_modified);
                Ok(id.map(|id| Kept { id, age: now.duration_since(at).unwrap_or_default() }))
            });
            within(self.patience, kept.take(most).try_collect()).await
        })
    }

    fn belongs_to<'a>(&'a self, workspace: &'a str) -> Boxed<'a, bool> {
        Box::pin(async move {
            let key = self.named(OWNER);
            let read = async { self.store.get(&key).await?.bytes().await };
            match within(self.patience, read).await {
                Ok(owner) => Ok(owner == workspace.as_bytes()),
                Err(Refusal::NotFound(_)) => {
                    let owner = PutPayload::from(workspace.to_owned().into_bytes());
                    within(self.patience, self.store.put(&key, owner)).await.map(|_| true)
                }
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn sweep_temporary(&self, age: Duration) -> Boxed<'_, u64> {
        Box::pin(self.spool.sweep(age))
    }

    fn address<'a>(&'a self, id: &'a UploadId, time: Duration) -> Boxed<'a, Option<String>> {
        Box::pin(async move {
            let key = self.key(id)?;
            if within(self.patience, self.store.head(&key)).await.is_err() {
                return Ok(None);
            }
            let signed = self.store.signed_url(reqwest::Method::GET, &key, time);
            within(self.patience, signed).await.map(|url| Some(url.to_string()))
        })
    }
}

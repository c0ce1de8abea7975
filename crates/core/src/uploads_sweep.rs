//! Stored bytes that nobody needs: those whose last row went, second copies, what no row names because a server ended
//! between storing and committing, and temporary files of uploads that were cut off.

use std::time::Duration;

use parking_lot::Mutex;

use crate::{chat::Chat, error::Result, id::UploadId, store::Lane};

/// How old bytes and temporary files must be before they count as left behind. An upload takes less from its last byte
/// to its commit.
const GRACE: Duration = Duration::from_secs(3600);
/// Ids that are compared at once, and how often in one run.
const PAGE: usize = 1_000;
const PAGES: usize = 10;
/// Second copies remembered at most; those beyond are found as bytes without a row.
const MOST_SPARE: usize = 10_000;
/// Characters of an id that this server makes: nothing else in a bucket is ever touched.
const ID: usize = 22;

/// What the next run begins with.
#[derive(Default)]
pub(crate) struct Sweeping {
    spare: Mutex<Vec<UploadId>>,
    /// The last id that the run before looked at.
    seen: Mutex<Option<UploadId>>,
}

impl Sweeping {
    /// Leaves bytes that no row names to the next run.
    pub(crate) fn spare(&self, bytes: UploadId) {
        let mut spare = self.spare.lock();
        if spare.len() < MOST_SPARE {
            spare.push(bytes);
        }
    }
}

impl Chat {
    /// Frees the bytes of all uploads that nothing shows any more, and second copies.
    pub(crate) async fn sweep_files(&self) -> Result<()> {
        let spare = std::mem::take(&mut *self.sweeping.spare.lock());
        for bytes in spare {
            self.free(&bytes).await;
        }
        while self.sweep_uploads().await? {}
        Ok(())
    }

    /// Removes some uploads that nothing shows any more, rows first; `true` while there may be others.
    async fn sweep_uploads(&self) -> Result<bool> {
        let now = self.now();
        let (freed, last) = self
            .store()
            .writing(Lane::Bulk, move |tx| {
                tx.remove_expired_sessions(now)?;
                tx.remove_expired_links(now)?;
                let uploads = tx.expired_uploads(now)?;
                let mut freed = Vec::new();
                for upload in &uploads {
                    freed.extend(tx.remove_upload(&upload.id)?);
                }
                Ok((freed, uploads.len() < 100))
            })
            .await?;
        for bytes in &freed {
            self.free(bytes).await;
        }
        Ok(!last)
    }

    /// Removes bytes that no row names. While their store is away they stay, and are found again.
    async fn free(&self, bytes: &UploadId) {
        if let Err(refusal) = self.ports.blobs.remove(bytes).await {
            tracing::warn!(%refusal, "bytes that nobody needs any more are removed later");
        }
    }

    /// Looks at some of what is stored, from where the last run ended, and removes what no row names.
    pub(crate) async fn sweep_orphans(&self) -> Result<()> {
        let blobs = &self.ports.blobs;
        blobs.sweep_temporary(GRACE).await?;
        let workspace = self.settings().text("uniqueID").to_owned();
        if workspace.is_empty() || !blobs.belongs_to(&workspace).await? {
            tracing::warn!("the place of files belongs to another workspace: nothing is swept in it");
            return Ok(());
        }
        let mut seen = self.sweeping.seen.lock().take();
        for _ in 0..PAGES {
            let page = blobs.list(seen.as_ref(), PAGE).await?;
            let last = page.len() < PAGE;
            seen = page.last().map(|kept| kept.id.clone());
            let old = page.into_iter().filter(|kept| kept.age > GRACE && kept.id.len() == ID);
            let old: Vec<UploadId> = old.map(|kept| kept.id).collect();
            let orphans = self.store().reading(move |rows| rows.unknown_bytes(&old)).await?;
            for orphan in &orphans {
                tracing::info!(id = %orphan.as_str(), "removing stored bytes that no row names");
                blobs.remove(orphan).await?;
            }
            if last {
                seen = None;
                break;
            }
        }
        *self.sweeping.seen.lock() = seen;
        Ok(())
    }
}

//! How bytes get in: looked into, judged, scanned, stored under an id of their own, and only then named by a row. Bytes
//! that are there already under another id are kept once; the second copy waits for the next sweep, so that nobody sees
//! by the time it takes whether somebody else has the same file.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    id::{RoomId, UploadId},
    media::{Examined, Thumbnail},
    session::Actor,
    store::{Lane, Quota, Upload},
    uploads::{Arrived, Purpose, clean_name},
};

/// How long an upload waits for its message.
const UNCONFIRMED: Duration = Duration::from_secs(24 * 3600);

impl Chat {
    /// The largest file, in bytes.
    pub(crate) fn largest_file(&self) -> u64 {
        bound(self.settings().number("FileUpload_MaxFileSize")).unwrap_or(u64::MAX)
    }

    /// What the settings allow in all.
    pub(crate) fn quota(&self) -> Quota {
        let settings = self.settings();
        Quota {
            user: bound(settings.number("FileUpload_Quota_User")),
            workspace: bound(settings.number("FileUpload_Quota_Workspace")),
        }
    }

    /// Whether there is room for so many bytes more, as far as can be told before they come; the write judges anew.
    ///
    /// # Errors
    /// `TooLarge`.
    pub(crate) async fn has_room(&self, actor: &Actor, size: u64) -> Result<()> {
        let quota = self.quota();
        if quota == Quota::default() {
            return Ok(());
        }
        let user = actor.user.clone();
        let used = self.store().reading(move |rows| Ok((rows.bytes_of(Some(&user))?, rows.bytes_of(None)?)));
        let (own, all) = used.await?;
        for (limit, used, what) in
            [(quota.workspace, all, "files of the workspace"), (quota.user, own, "files of a user")]
        {
            if let Some(limit) = limit.filter(|limit| used.saturating_add(size) > *limit) {
                return Err(Refusal::TooLarge { what, limit });
            }
        }
        Ok(())
    }

    pub(crate) async fn store_file(
        &self,
        actor: &Actor,
        room: Option<&RoomId>,
        arrived: Arrived,
        limit: u64,
        types: Option<&[String]>,
    ) -> Result<Upload> {
        self.store_file_as(None, actor, room, arrived, limit, types).await
    }

    /// Stores a file, under an id that was given out before or a new one. `types`: only these, besides what the settings
    /// say.
    pub(crate) async fn store_file_as(
        &self,
        id: Option<UploadId>,
        actor: &Actor,
        room: Option<&RoomId>,
        mut arrived: Arrived,
        limit: u64,
        types: Option<&[String]>,
    ) -> Result<Upload> {
        self.fits(actor, &arrived, limit).await?;
        let settings = self.settings();
        let name = clean_name(&arrived.name);
        if settings.is_on("Message_Attachments_Strip_Exif") && self.ports.media.strip(&arrived.path).await? {
            (arrived.size, arrived.sha256) = measured(arrived.path.clone()).await?;
        }
        let mut examined = self.ports.media.examine(&arrived.path, &name, self.thumbnail_sides()).await?;
        self.accepted_type(&examined.media_type)?;
        if types.is_some_and(|types| !types.contains(&examined.media_type)) {
            return Err(Refusal::invalid("file-type", "File type is not accepted"));
        }
        self.scanned(actor, &arrived.path, &name).await?;
        let thumbnails = settings.is_on("Message_Attachments_Thumbnails_Enabled");
        let thumbnail = examined.thumbnail.take().filter(|_| thumbnails);
        let mut upload = self.upload_row(actor, room, "file", &name, &arrived, &examined);
        upload.id = id.unwrap_or(upload.id);
        self.ports.blobs.put(&upload.bytes, arrived.path).await?;
        let mut rows = vec![upload];
        if let Some(thumbnail) = thumbnail {
            let thumb = self.put_thumbnail(actor, room, &rows[0], thumbnail).await?;
            rows.push(thumb);
        }
        Ok(self.insert_uploads(rows).await?.swap_remove(0))
    }

    async fn fits(&self, actor: &Actor, arrived: &Arrived, limit: u64) -> Result<()> {
        if arrived.size == 0 {
            return Err(Refusal::invalid("file", "is empty"));
        }
        if arrived.size > limit {
            return Err(Refusal::TooLarge { what: "file", limit });
        }
        self.has_room(actor, arrived.size).await
    }

    /// Stores a file as it came, as bytes of no type: nothing in it can be looked into or changed.
    pub(crate) async fn store_sealed(
        &self,
        actor: &Actor,
        room: &RoomId,
        arrived: Arrived,
        limit: u64,
    ) -> Result<Upload> {
        self.fits(actor, &arrived, limit).await?;
        let media_type = "application/octet-stream";
        self.accepted_type(media_type)?;
        let (name, examined) = (
            clean_name(&arrived.name),
            Examined { media_type: media_type.to_owned(), ..Examined::default() },
        );
        self.scanned(actor, &arrived.path, &name).await?;
        let upload = self.upload_row(actor, Some(room), "file", &name, &arrived, &examined);
        self.ports.blobs.put(&upload.bytes, arrived.path).await?;
        Ok(self.insert_uploads(vec![upload]).await?.swap_remove(0))
    }

    fn thumbnail_sides(&self) -> (u32, u32) {
        let settings = self.settings();
        let side = |name: &str| (settings.number(name) as u32).clamp(32, 4096);
        (side("Message_Attachments_Thumbnails_Width"), side("Message_Attachments_Thumbnails_Height"))
    }

    /// Names stored bytes by rows, in one transaction. What is stored twice by it is swept later.
    async fn insert_uploads(&self, mut uploads: Vec<Upload>) -> Result<Vec<Upload>> {
        let (rows, quota) = (Arc::new(uploads.clone()), self.quota());
        let kept = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                rows.iter().map(|row| tx.insert_upload(row, quota)).collect::<Result<Vec<_>>>()
            })
            .await;
        match kept {
            Ok(kept) => {
                for (upload, kept) in uploads.iter_mut().zip(kept) {
                    if upload.bytes != kept {
                        self.sweeping.spare(std::mem::replace(&mut upload.bytes, kept));
                    }
                }
                Ok(uploads)
            }
            Err(refusal) => {
                // Of other failures it is not certain that nothing was stored: the sweep of what no row names decides.
                if let Refusal::TooLarge { .. } = refusal {
                    uploads.into_iter().for_each(|upload| self.sweeping.spare(upload.bytes));
                }
                Err(refusal)
            }
        }
    }

    /// The same bytes once more, as the actor's own upload.
    ///
    /// # Errors
    /// `NotFound(Upload)` when they are gone, `TooLarge` when a quota is full.
    pub(crate) async fn copy_upload(
        &self,
        actor: &Actor,
        of: &Upload,
        room: Option<&RoomId>,
        original: Option<&UploadId>,
    ) -> Result<Upload> {
        let now = self.now();
        let copy = Upload {
            id: self.upload_id(),
            room: room.cloned(),
            user: actor.user.clone(),
            message: None,
            original: original.cloned(),
            at: now,
            expires_at: Some(now.after(UNCONFIRMED)),
            ..of.clone()
        };
        let (row, quota) = (copy.clone(), self.quota());
        self.store().writing(Lane::Verbs, move |tx| tx.insert_copy(&row, quota)).await?;
        Ok(copy)
    }

    /// Stores bytes that belong to no room: an avatar, emoji, sound or asset. The caller judges who may.
    pub(crate) async fn store_bytes(
        &self,
        actor: &Actor,
        purpose: Purpose,
        name: &str,
        bytes: &[u8],
    ) -> Result<Upload> {
        let arrived = self.written(name, bytes).await?;
        let examined = self.ports.media.examine(&arrived.path, name, (512, 512)).await?;
        if let Err(refusal) = self.scanned(actor, &arrived.path, name).await {
            // What stays is swept.
            let _ = tokio::fs::remove_file(&arrived.path).await;
            return Err(refusal);
        }
        let mut upload = self.upload_row(actor, None, purpose.role(), &clean_name(name), &arrived, &examined);
        upload.expires_at = None;
        self.ports.blobs.put(&upload.bytes, arrived.path).await?;
        Ok(self.insert_uploads(vec![upload]).await?.swap_remove(0))
    }

    async fn written(&self, name: &str, bytes: &[u8]) -> Result<Arrived> {
        let path = self.ports.blobs.temporary()?;
        tokio::fs::write(&path, bytes).await.map_err(|_| Refusal::Storage)?;
        let sha256 = Sha256::digest(bytes).into();
        Ok(Arrived { path, name: name.to_owned(), size: bytes.len() as u64, sha256 })
    }

    async fn put_thumbnail(
        &self,
        actor: &Actor,
        room: Option<&RoomId>,
        of: &Upload,
        thumbnail: Thumbnail,
    ) -> Result<Upload> {
        let name = format!("thumb-{}", of.name);
        let arrived = self.written(&name, &thumbnail.bytes).await?;
        let examined = Examined {
            media_type: thumbnail.media_type,
            dimensions: Some(thumbnail.dimensions),
            ..Examined::default()
        };
        let mut thumb = self.upload_row(actor, room, "thumb", &name, &arrived, &examined);
        thumb.original = Some(of.id.clone());
        self.ports.blobs.put(&thumb.bytes, arrived.path).await?;
        Ok(thumb)
    }

    fn upload_row(
        &self,
        actor: &Actor,
        room: Option<&RoomId>,
        role: &str,
        name: &str,
        arrived: &Arrived,
        examined: &Examined,
    ) -> Upload {
        let now = self.now();
        let id = self.upload_id();
        Upload {
            bytes: id.clone(),
            id,
            room: room.cloned(),
            user: actor.user.clone(),
            message: None,
            role: role.to_owned(),
            name: name.to_owned(),
            media_type: examined.media_type.clone(),
            size: i64::try_from(arrived.size).unwrap_or(i64::MAX),
            sha256: arrived.sha256,
            original: None,
            dimensions: examined.dimensions,
            preview: examined.preview.clone(),
            at: now,
            expires_at: Some(now.after(UNCONFIRMED)),
        }
    }

    fn accepted_type(&self, media_type: &str) -> Result<()> {
        let settings = self.settings();
        let listed = |list: &str| {
            list.split(',').map(str::trim).filter(|t| !t.is_empty()).any(|pattern| {
                match pattern.strip_suffix("/*") {
                    Some(family) => media_type.split('/').next() == Some(family),
                    None => media_type == pattern,
                }
            })
        };
        let white = settings.text("FileUpload_MediaTypeWhiteList");
        if (!white.trim().is_empty() && !listed(white))
            || listed(settings.text("FileUpload_MediaTypeBlackList"))
        {
            return Err(Refusal::invalid("file-type", "File type is not accepted"));
        }
        Ok(())
    }

    /// Has the workspace's scanner look at a file, if there is one. What is infected is refused, and who brought it is
    /// written down; without an answer the settings decide.
    async fn scanned(&self, actor: &Actor, path: &Path, name: &str) -> Result<()> {
        let settings = self.settings();
        let scanner = settings.text("FileUpload_Scanner").trim();
        if scanner.is_empty() {
            return Ok(());
        }
        match self.ports.media.scan(path, scanner).await {
            Ok(None) => Ok(()),
            Ok(Some(found)) => {
                let entry = self.audit_entry(actor, "upload.infected", &format!("{found} in {name}")).await?;
                self.store().writing(Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
                Err(Refusal::invalid("file-infected", format!("The file is infected: {found}")))
            }
            Err(_) if settings.text("FileUpload_Scanner_Unavailable") == "accept" => {
                tracing::warn!("a file was stored although the virus scanner could not look at it");
                Ok(())
            }
            Err(_) => {
                let problem = "The virus scanner can't look at files now. Please try again later";
                Err(Refusal::invalid("file-scan", problem))
            }
        }
    }
}

/// A setting that is a bound unless it is below 0.
fn bound(number: f64) -> Option<u64> {
    (number >= 0.0).then_some(number as u64)
}

/// Size and checksum of a file.
async fn measured(path: PathBuf) -> Result<(u64, [u8; 32])> {
    let work = move || crate::hashes::sum(std::fs::File::open(path)?);
    let done: std::result::Result<std::io::Result<_>, _> = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Refusal::Storage)?.map_err(|_| Refusal::Storage)
}

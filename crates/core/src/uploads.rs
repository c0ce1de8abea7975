//! Uploads: bytes first, durably; then a row; then a message. Whoever may see a file is decided at each look.

use std::{ops::Range, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    blobs::Pieces,
    chat::Chat,
    error::{Refusal, Result, What},
    id::{RoomId, UploadId},
    media::is_inline,
    message::FileCard,
    permissions::{Action, Object},
    room::Room,
    session::Actor,
    store::{FileFilter, Page, Paged, Upload},
};

/// Longest file name, in bytes.
const LONGEST_NAME: usize = 255;

/// A file as it arrived, in a temporary place that the store gave.
#[derive(Clone, Debug)]
pub struct Arrived {
    /// Where its bytes are.
    pub path: PathBuf,
    /// Its name as the client said.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the bytes.
    pub sha256: [u8; 32],
}

/// What a file serves as, beside those that belong to messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Purpose {
    Avatar,
    Emoji,
    Sound,
    Asset,
}

/// A file on its way out. Exactly as many bytes come as were asked for, or an error.
pub struct Opened {
    first: Option<Bytes>,
    rest: Option<Box<dyn Pieces>>,
    left: u64,
}

impl Opened {
    /// The next piece; `None` after the last.
    ///
    /// # Errors
    /// `NotFound(Upload)` when the stored bytes are fewer than they were, `Storage`.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let piece = match (self.first.take(), &mut self.rest) {
            (Some(first), _) => Some(first),
            (None, Some(rest)) if self.left > 0 => rest.next().await?,
            _ => None,
        };
        let Some(mut piece) = piece else {
            return if self.left == 0 { Ok(None) } else { Err(Refusal::NotFound(What::Upload)) };
        };
        piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }
}

impl Purpose {
    pub(crate) fn role(self) -> &'static str {
        match self {
            Self::Avatar => "avatar",
            Self::Emoji => "emoji",
            Self::Sound => "sound",
            Self::Asset => "asset",
        }
    }
}

impl Chat {
    /// Where the bytes of an upload may be written before it is stored. The caller removes it if it gives up.
    pub fn temporary_file(&self) -> Result<PathBuf> {
        self.ports.blobs.temporary()
    }

    /// Whether the actor may upload to this room now, and the largest size in bytes.
    pub async fn may_upload(&self, actor: &Actor, room: &RoomId) -> Result<(Arc<Room>, u64)> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::UploadFile, Object::Room(&found)).await?;
        let settings = self.settings();
        if !settings.is_on("FileUpload_Enabled") {
            return Err(Refusal::Disabled("FileUpload_Enabled"));
        }
        if found.is_direct() && !settings.is_on("FileUpload_Enabled_Direct") {
            return Err(Refusal::Disabled("FileUpload_Enabled_Direct"));
        }
        self.has_room(actor, 1).await?;
        Ok((found, self.largest_file()))
    }

    /// Stores a file that arrived for a room; without a message it ends after a day. The temporary file is used up.
    pub async fn store_upload(&self, actor: &Actor, room: &RoomId, arrived: Arrived) -> Result<Upload> {
        let (_, limit) = self.may_upload(actor, room).await?;
        self.store_file(actor, Some(room), arrived, limit, None).await
    }

    /// Stores a file that its sender encrypted: bytes that say nothing, whatever they look like.
    ///
    /// # Errors
    /// `Invalid("file-type")` while `E2E_Enable_Encrypt_Files` is off.
    pub async fn store_encrypted(&self, actor: &Actor, room: &RoomId, arrived: Arrived) -> Result<Upload> {
        let (_, limit) = self.may_upload(actor, room).await?;
        if !self.settings().is_on("E2E_Enable_Encrypt_Files") {
            return Err(Refusal::invalid("file-type", "File type is not accepted"));
        }
        self.store_sealed(actor, room, arrived, limit).await
    }

    /// Reads bytes that belong to no room, whole; at most 4 MiB.
    pub async fn public_bytes(&self, id: &UploadId) -> Result<(Upload, Vec<u8>)> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.upload(&wanted)).await?;
        let upload = found
            .filter(|u| u.room.is_none() && !["file", "thumb", "export"].contains(&u.role.as_str()))
            .ok_or(Refusal::NotFound(What::Upload))?;
        Ok((upload.clone(), self.read_file(&upload, 0, 4 << 20).await?))
    }

    /// 22 random base62 characters: 131 bits that nobody guesses.
    pub(crate) fn upload_id(&self) -> UploadId {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut id = String::with_capacity(22);
        while id.len() < 22 {
            let mut random = [0; 32];
            self.ports.random.fill(&mut random);
            // 248 = 4 * 62: a byte above it would make some digits likelier.
            let digits = random.iter().filter(|b| **b < 248).map(|b| char::from(DIGITS[usize::from(b % 62)]));
            id.extend(digits.take(22 - id.len()));
        }
        UploadId::new(id)
    }

    /// An unconfirmed upload of one's own as a message shows it.
    pub async fn file_card(
        &self,
        actor: &Actor,
        room: &RoomId,
        id: &UploadId,
        description: &str,
    ) -> Result<FileCard> {
        let (wanted, thumb_of) = (id.clone(), id.clone());
        let (upload, thumbnail) = self
            .store()
            .reading(move |rows| Ok((rows.upload(&wanted)?, rows.thumbnail_of(&thumb_of)?)))
            .await?;
        let mine = |u: &Upload| u.user == actor.user && u.room.as_ref() == Some(room) && u.message.is_none();
        let upload = upload.filter(mine).ok_or(Refusal::NotFound(What::Upload))?;
        Ok(FileCard {
            upload: upload.id,
            name: upload.name,
            media_type: upload.media_type,
            size: upload.size,
            description: description.to_owned(),
            dimensions: upload.dimensions,
            preview: upload.preview,
            thumbnail: thumbnail.map(|t| t.id),
            said: None,
        })
    }

    /// A file that the caller may see now: members, or whoever may enter, or anybody, as the settings say. Unknown and
    /// forbidden files give the same answer.
    pub async fn file(&self, actor: Option<&Actor>, id: &UploadId) -> Result<Upload> {
        let unknown = || Refusal::NotFound(What::Upload);
        let wanted = id.clone();
        let upload = self.store().reading(move |rows| rows.upload(&wanted)).await?.ok_or_else(unknown)?;
        // What was removed is gone at once, though its bytes wait for the sweep.
        if upload.expires_at.is_some_and(|end| end <= self.now()) {
            return Err(unknown());
        }
        let settings = self.settings();
        let Some(room) = &upload.room else { return Err(unknown()) };
        if !settings.is_on("FileUpload_ProtectFiles") {
            return Ok(upload);
        }
        let actor = actor.ok_or_else(unknown)?;
        if upload.message.is_none() && upload.user == actor.user {
            return Ok(upload);
        }
        let members_only = settings.is_on("FileUpload_Restrict_to_room_members");
        // No message shows it yet.
        if members_only && upload.message.is_none() && upload.expires_at.is_some() {
            return Err(unknown());
        }
        let room = self.room(room).await.map_err(|_| unknown())?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await.map_err(|_| unknown())?;
        if members_only && self.membership(&room.id, &actor.user).await?.is_none() {
            return Err(unknown());
        }
        Ok(upload)
    }

    /// A file's bytes on their way out, or a part of them. The first piece has been read when this answers, so that
    /// bytes that are gone or damaged, or a store that is away, are told before anything else is.
    ///
    /// # Errors
    /// `NotFound(Upload)`, `Storage`.
    pub async fn open_file(&self, upload: &Upload, range: Range<u64>) -> Result<Opened> {
        let range = range.start..range.end.min(u64::try_from(upload.size).unwrap_or_default());
        let left = range.end.saturating_sub(range.start);
        if left == 0 {
            return Ok(Opened { first: None, rest: None, left });
        }
        let known = upload.sha256 != [0; 32];
        if known && !self.ports.blobs.is_intact(&upload.bytes, upload.sha256).await? {
            tracing::error!(file = %upload.bytes, "a stored file is damaged: it is not given out");
            return Err(Refusal::NotFound(What::Upload));
        }
        let mut rest = self.ports.blobs.open(&upload.bytes, range).await?;
        let first = rest.next().await?.ok_or(Refusal::NotFound(What::Upload))?;
        Ok(Opened { first: Some(first), rest: Some(rest), left })
    }

    /// Where the store itself gives a file that may be shown in a page, to whoever the caller has judged; `None` where
    /// the bytes go through this server.
    pub async fn file_address(&self, upload: &Upload) -> Option<String> {
        let settings = self.settings();
        if settings.is_on("FileUpload_S3_Proxy_Uploads") || !is_inline(&upload.media_type) {
            return None;
        }
        let seconds = settings.number("FileUpload_S3_URLExpiryTimeSpan").clamp(5.0, 3600.0);
        self.ports.blobs.address(&upload.bytes, Duration::from_secs(seconds as u64)).await.ok().flatten()
    }

    /// A small part of a file's bytes, in memory.
    pub async fn read_file(&self, upload: &Upload, from: u64, most: u64) -> Result<Vec<u8>> {
        let mut opened = self.open_file(upload, from..from.saturating_add(most)).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = opened.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Pictures of a room's messages, newest first; from one of them on when `from` is given.
    pub async fn images(
        &self,
        actor: &Actor,
        room: &RoomId,
        from: Option<UploadId>,
        page: Page,
    ) -> Result<Paged<Upload>> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        let room = room.clone();
        self.store().reading(move |rows| rows.images(&room, from.as_ref(), page)).await
    }

    /// Files of a room's messages, newest first.
    pub async fn files(
        &self,
        actor: &Actor,
        room: &RoomId,
        filter: FileFilter,
        page: Page,
    ) -> Result<Paged<Upload>> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        let room = room.clone();
        self.store().reading(move |rows| rows.files(&room, &filter, page)).await
    }
}

/// A file name without its path and what no file name should hold; at most 255 bytes.
pub fn clean_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut clean: String = last.chars().filter(|c| !c.is_control()).collect();
    while clean.len() > LONGEST_NAME {
        clean.pop();
    }
    if clean.trim().is_empty() || clean == "." || clean == ".." { "file".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_loses_its_path_and_what_no_name_should_hold() {
        assert_eq!(clean_name("../../etc/passwd"), "passwd");
        assert_eq!(clean_name("C:\\temp\\a.txt"), "a.txt");
        assert_eq!(clean_name("a\r\nb\0.txt"), "ab.txt");
        assert_eq!(clean_name(".."), "file");
        assert_eq!(clean_name(&"é".repeat(200)).len(), 254);
    }
}

//! Files and pictures.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};
use parlor_core::{
    bootstrap::ROCKET_CAT,
    customs::{MAX_EMOJI, NewEmoji},
    event::CustomKind,
    id::{UploadId, UserId},
    moving::Moved,
    moving_files::MovedFile,
    profile::MAX_PICTURE,
    uploads::Arrived,
};
use sha2::{Digest, Sha256};

use super::{
    Importer,
    kind::{AVATARS, EMOJI, FILES},
};
use crate::doc::Doc;

/// Where the bytes of files come from.
pub(crate) trait Bytes {
    /// Writes the bytes of the file that a document speaks of; a reason when there are none.
    async fn copy(&mut self, doc: &Doc, to: &mut (dyn Write + Send)) -> Result<Result<(), String>>;
    /// The reason why there are none, as far as that is known without reading them.
    async fn missing(&mut self, doc: &Doc) -> Option<String>;
}

/// Writes and looks at what is written.
struct Watched<W> {
    to: W,
    hash: Sha256,
    size: u64,
    most: u64,
}

impl<W: Write> Watched<W> {
    fn new(to: W, most: u64) -> Self {
        Self { to, hash: Sha256::new(), size: 0, most }
    }
}

impl<W: Write> Write for Watched<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.size + bytes.len() as u64 > self.most {
            return Err(std::io::Error::other("it is too large"));
        }
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        self.to.flush()
    }
}

impl Importer<'_> {
    /// Takes in a file, before the message that shows it.
    pub(crate) async fn file(&mut self, doc: Doc, bytes: &mut impl Bytes) -> Result<()> {
        self.tally.read(FILES);
        let moved = match self.moved_file(&doc).await? {
            Ok((id, room, user)) => self.take_file(&doc, id, room, user, bytes).await?,
            Err(moved) => moved,
        };
        self.tally.done(FILES, &doc.id(), &moved);
        Ok(())
    }

    async fn moved_file(
        &mut self,
        doc: &Doc,
    ) -> Result<Result<(UploadId, parlor_core::id::RoomId, UserId), Moved<()>>> {
        let left = |reason: &str| Ok(Err(Moved::Left(reason.to_owned())));
        let Some(id) = UploadId::parse(&doc.id()) else { return left("its id can't be one here") };
        if doc.words("typeGroup") == "thumb" || doc.text("originalFileId").is_some() {
            return left("a small picture of another file: it is made anew");
        }
        if doc.flag("complete") == Some(false) {
            return left("it was never sent completely");
        }
        let Some(room) = self.rooms.get(&doc.words("rid")).cloned() else {
            return left("its room is not there");
        };
        if self.chat.has_upload(&self.actor, &id).await? {
            return Ok(Err(Moved::Known(())));
        }
        let there = doc.words("userId");
        self.remember([(there.clone(), None)]).await?;
        let user = self.people.get(&there).map_or(UserId::new(ROCKET_CAT), |person| person.id.clone());
        Ok(Ok((id, room, user)))
    }

    async fn take_file(
        &mut self,
        doc: &Doc,
        id: UploadId,
        room: parlor_core::id::RoomId,
        user: UserId,
        bytes: &mut impl Bytes,
    ) -> Result<Moved<()>> {
        if self.dry {
            return Ok(bytes.missing(doc).await.map_or(Moved::New(()), Moved::Left));
        }
        let path = self.chat.temporary_file()?;
        let file = match write(&path, doc, u64::MAX, bytes).await? {
            Ok(file) => file,
            Err(reason) => {
                let _ = std::fs::remove_file(&path);
                return Ok(Moved::Left(reason));
            }
        };
        let at = doc.time("uploadedAt").or_else(|| doc.time("_updatedAt")).unwrap_or_default();
        let moved = self.chat.move_file(&self.actor, MovedFile { id, room, user, at, file }).await?;
        // Used up, unless it was refused.
        let _ = std::fs::remove_file(&path);
        Ok(moved)
    }

    /// Takes in somebody's or a room's picture.
    pub(crate) async fn avatar(&mut self, doc: Doc, bytes: &mut impl Bytes) -> Result<()> {
        self.tally.read(AVATARS);
        let user = self.people.get(&doc.words("userId")).map(|person| person.id.clone());
        let room = self.rooms.get(&doc.words("rid")).cloned();
        if user.is_none() && room.is_none() {
            self.tally.left(AVATARS, &doc.id(), "whose it is is not there");
            return Ok(());
        }
        let moved = match self.small(&doc, MAX_PICTURE, bytes).await? {
            Err(reason) => Moved::Left(reason),
            Ok(image) => match (user, room) {
                (Some(user), _) => self.chat.move_user_avatar(&self.actor, &user, image, self.dry).await?,
                (_, Some(room)) => self.chat.move_room_avatar(&self.actor, &room, image, self.dry).await?,
                _ => Moved::Known(()),
            },
        };
        self.tally.done(AVATARS, &doc.id(), &moved);
        Ok(())
    }

    /// Takes in a custom emoji.
    pub(crate) async fn emoji(&mut self, doc: Doc, bytes: &mut impl Bytes) -> Result<()> {
        self.tally.read(EMOJI);
        let moved = self.moved_emoji(&doc, bytes).await?;
        self.tally.done(EMOJI, &doc.words("name"), &moved);
        Ok(())
    }

    async fn moved_emoji(&mut self, doc: &Doc, bytes: &mut impl Bytes) -> Result<Moved<()>> {
        let Some(name) = doc.text("name") else { return Ok(Moved::Left("it has no name".into())) };
        let there = self.chat.customs(CustomKind::Emoji).await?;
        if there.iter().any(|known| known.name == name) {
            return Ok(Moved::Known(()));
        }
        let image = match self.small(doc, MAX_EMOJI, bytes).await? {
            Ok(image) => image,
            Err(reason) => return Ok(Moved::Left(reason)),
        };
        if self.dry {
            return Ok(Moved::New(()));
        }
        let wanted = NewEmoji {
            id: None,
            name,
            aliases: Some(doc.texts("aliases")),
            image: Some((doc.words("extension"), image)),
        };
        Ok(match self.chat.put_emoji(&self.actor, wanted).await {
            Ok(_) => Moved::New(()),
            Err(refusal) => Moved::Left(refusal.to_string()),
        })
    }

    /// A small file's bytes; none in a dry run.
    async fn small(&self, doc: &Doc, most: usize, bytes: &mut impl Bytes) -> Result<Result<Vec<u8>, String>> {
        if self.dry {
            return Ok(bytes.missing(doc).await.map_or(Ok(Vec::new()), Err));
        }
        let mut image = Watched::new(Vec::new(), most as u64);
        Ok(bytes.copy(doc, &mut image).await?.map(|()| image.to))
    }
}

async fn write(path: &Path, doc: &Doc, most: u64, bytes: &mut impl Bytes) -> Result<Result<Arrived, String>> {
    let file = File::create(path).context("no temporary file can be made")?;
    let mut out = Watched::new(BufWriter::new(file), most);
    if let Err(reason) = bytes.copy(doc, &mut out).await? {
        return Ok(Err(reason));
    }
    let file = out.to.into_inner().context("a temporary file can't be written")?;
    file.sync_all().context("a temporary file can't be written")?;
    let name = doc.text("name").unwrap_or_else(|| doc.id());
    let sha256 = out.hash.finalize().into();
    Ok(Ok(Arrived { path: path.to_owned(), name, size: out.size, sha256 }))
}

//! Files and pictures that move in from another chat.

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::{AvatarOf, Event},
    id::{RoomId, UploadId, UserId},
    message::FileCard,
    moving::{Moved, only_system, reason},
    profile::MAX_PICTURE,
    rooms_notices::change_room,
    session::Actor,
    store::{Lane, Tx, Upload},
    uploads::{Arrived, Purpose},
};

/// A file of another chat, its bytes in a temporary place that the store gave.
#[derive(Clone, Debug)]
pub struct MovedFile {
    /// Its id there.
    pub id: UploadId,
    /// Where it was shown.
    pub room: RoomId,
    /// Who sent it.
    pub user: UserId,
    /// When.
    pub at: Time,
    /// Its bytes and name.
    pub file: Arrived,
}

impl Chat {
    /// Whether a file of this id is here.
    pub async fn has_upload(&self, actor: &Actor, id: &UploadId) -> Result<bool> {
        only_system(actor)?;
        let id = id.clone();
        self.store().reading(move |rows| Ok(rows.upload(&id)?.is_some())).await
    }

    /// Brings in a file under its own id, however large; it waits a day for its message. The temporary file is used
    /// up.
    pub async fn move_file(&self, actor: &Actor, moved: MovedFile) -> Result<Moved<()>> {
        only_system(actor)?;
        if self.has_upload(actor, &moved.id).await? {
            return Ok(Moved::Known(()));
        }
        let acting = Actor::system(moved.user.clone());
        let (id, at) = (moved.id.clone(), moved.at);
        let stored =
            self.store_file_as(Some(moved.id), &acting, Some(&moved.room), moved.file, u64::MAX, None).await;
        if let Err(refusal) = stored {
            return reason(Err(refusal));
        }
        self.store().writing(Lane::Bulk, move |tx| tx.date_upload(&id, at)).await?;
        Ok(Moved::New(()))
    }

    /// A file as a message shows it, whoever's it is.
    pub async fn moved_file_card(
        &self,
        actor: &Actor,
        id: &UploadId,
        description: &str,
    ) -> Result<Option<FileCard>> {
        only_system(actor)?;
        let wanted = id.clone();
        let found: Option<(Upload, Option<Upload>)> = self
            .store()
            .reading(move |rows| match rows.upload(&wanted)? {
                Some(upload) => Ok(Some((upload, rows.thumbnail_of(&wanted)?))),
                None => Ok(None),
            })
            .await?;
        Ok(found.map(|(upload, thumbnail)| FileCard {
            upload: upload.id,
            name: upload.name,
            media_type: upload.media_type,
            size: upload.size,
            description: description.to_owned(),
            dimensions: upload.dimensions,
            preview: upload.preview,
            thumbnail: thumbnail.map(|thumbnail| thumbnail.id),
            said: None,
        }))
    }

    /// Gives a user a picture, unless there is one.
    pub async fn move_user_avatar(
        &self,
        actor: &Actor,
        of: &UserId,
        image: Vec<u8>,
        dry: bool,
    ) -> Result<Moved<()>> {
        only_system(actor)?;
        match self.user(of).await? {
            Some(user) if user.avatar.is_some() => Ok(Moved::Known(())),
            _ if dry => Ok(Moved::New(())),
            _ => reason(self.set_avatar(actor, of, image).await.map(|_| Moved::New(()))),
        }
    }

    /// Gives a room a picture without a word, unless there is one.
    pub async fn move_room_avatar(
        &self,
        actor: &Actor,
        of: &RoomId,
        image: Vec<u8>,
        dry: bool,
    ) -> Result<Moved<()>> {
        only_system(actor)?;
        let wanted = of.clone();
        let found = self.store().reading(move |rows| rows.room(&wanted)).await?;
        match found {
            Some(room) if room.avatar.is_some() => return Ok(Moved::Known(())),
            _ if dry => return Ok(Moved::New(())),
            Some(_) => {}
            None => return Ok(Moved::Left(Refusal::NotFound(What::Room).to_string())),
        }
        reason(self.put_room_avatar(actor, of, image).await.map(|()| Moved::New(())))
    }

    async fn put_room_avatar(&self, actor: &Actor, of: &RoomId, image: Vec<u8>) -> Result<()> {
        if image.len() > MAX_PICTURE {
            return Err(Refusal::TooLarge { what: "file", limit: MAX_PICTURE as u64 });
        }
        let side = (self.settings().number("Accounts_AvatarSize") as u32).clamp(32, 512);
        let small = self.ports.media.square(image, side).await?;
        let tag = self.store_bytes(actor, Purpose::Avatar, "avatar.png", &small).await?.id.to_string();
        let id = of.clone();
        self.store()
            .writing(Lane::Bulk, move |tx: &mut dyn Tx| {
                change_room(tx, &id, false, |room| room.avatar = Some(tag.clone()))?;
                tx.record(None, Event::Avatar { of: AvatarOf::Room(id.clone()), tag: Some(tag.clone()) })
            })
            .await
    }
}

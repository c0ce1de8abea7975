//! Files as host applications' doors take and give them: uploaded before there is a room, seen by whoever may read the
//! room that shows them, copied when they are shown again.

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UploadId, UserId},
    message::{FileCard, Message},
    messages::Draft,
    session::Actor,
    store::Upload,
    uploads::Arrived,
};

impl Chat {
    /// Whether the actor may upload now, to this room or to none yet, and the largest size in bytes.
    pub async fn upload_limit(&self, actor: &Actor, room: Option<&RoomId>) -> Result<u64> {
        if let Some(room) = room {
            return Ok(self.may_upload(actor, room).await?.1);
        }
        self.active_user(actor).await?;
        if !self.settings().is_on("FileUpload_Enabled") {
            return Err(Refusal::Disabled("FileUpload_Enabled"));
        }
        self.has_room(actor, 1).await?;
        Ok(self.largest_file())
    }

    /// Stores a file that arrived, for a room or for none yet; `types` are taken besides what the settings say. The
    /// temporary file is used up.
    ///
    /// # Errors
    /// `Invalid("file-type")`, `Invalid("file")` for an empty one, `TooLarge("file")`.
    pub async fn store_host_upload(
        &self,
        actor: &Actor,
        room: Option<&RoomId>,
        arrived: Arrived,
        types: &[String],
    ) -> Result<Upload> {
        let limit = self.upload_limit(actor, room).await?;
        self.store_file(actor, room, arrived, limit, Some(types)).await
    }

    /// A file as a message of the actor in this room may show it: one's own that nothing shows yet, or a copy of one
    /// that the actor can see.
    ///
    /// # Errors
    /// `NotFound(Upload)`.
    pub async fn host_file_card(&self, actor: &Actor, room: &RoomId, id: &UploadId) -> Result<FileCard> {
        let unknown = || Refusal::NotFound(What::Upload);
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.upload(&wanted)).await?;
        let upload = found.filter(|upload| upload.role == "file").ok_or_else(unknown)?;
        let own = upload.user == self.active_user(actor).await?.id && upload.message.is_none();
        if own && upload.room.as_ref().is_none_or(|of| of == room) {
            return self.card_of_file(upload).await;
        }
        if upload.message.is_none() {
            return Err(unknown());
        }
        self.host_file(actor, id).await?;
        let copy = self.copy_upload(actor, &upload, None, None).await?;
        self.card_of_file(copy).await
    }

    async fn card_of_file(&self, upload: Upload) -> Result<FileCard> {
        let of = upload.id.clone();
        let thumbnail = self.store().reading(move |rows| rows.thumbnail_of(&of)).await?;
        Ok(FileCard {
            upload: upload.id,
            name: upload.name,
            media_type: upload.media_type,
            size: upload.size,
            description: String::new(),
            dimensions: upload.dimensions,
            preview: upload.preview,
            thumbnail: thumbnail.map(|thumb| thumb.id),
            said: None,
        })
    }

    /// A file that this user may see now: one's own until a message shows it, then whoever may read the room. Unknown
    /// and forbidden files give the same answer.
    pub async fn host_file(&self, actor: &Actor, id: &UploadId) -> Result<Upload> {
        let unknown = || Refusal::NotFound(What::Upload);
        let (served, judged) = self.file_and_its_original(id).await?;
        let user = self.active_user(actor).await.map_err(|_| unknown())?;
        if judged.message.is_none() {
            return if judged.user == user.id { Ok(served) } else { Err(unknown()) };
        }
        let room = judged.room.as_ref().ok_or_else(unknown)?;
        match self.readable_room(actor, room).await {
            Ok(_) => Ok(served),
            Err(Refusal::Unavailable) => Err(Refusal::Unavailable),
            Err(_) => Err(unknown()),
        }
    }

    /// As [`Chat::host_file`], by the id of the user alone: for addresses that were signed for that user.
    pub async fn host_file_of(&self, user: &UserId, id: &UploadId) -> Result<Upload> {
        self.host_file(&Actor::user(user.clone(), None), id).await
    }

    /// A file that a message shows, for workspaces whose media is public.
    pub async fn public_file(&self, id: &UploadId) -> Result<Upload> {
        Ok(self.file_and_its_original(id).await?.0)
    }

    /// A file, and what decides who may see it: itself, or of a thumbnail the picture that it was made of.
    async fn file_and_its_original(&self, id: &UploadId) -> Result<(Upload, Upload)> {
        let (wanted, now) = (id.clone(), self.now());
        let found = self.store().reading(move |rows| {
            let there = |upload: &Upload| upload.expires_at.is_none_or(|end| end > now);
            // What was removed is gone at once, though its bytes wait for the sweep.
            let Some(upload) = rows.upload(&wanted)?.filter(there) else { return Ok(None) };
            let judged = match (upload.role.as_str(), &upload.original) {
                ("file", _) => Some(upload.clone()),
                ("thumb", Some(original)) => rows.upload(original)?,
                _ => None,
            };
            Ok(judged.map(|judged| (upload, judged)))
        });
        found.await?.ok_or(Refusal::NotFound(What::Upload))
    }

    /// Fills a draft that repeats another message: without words of its own it takes that message's text and files.
    ///
    /// # Errors
    /// `NotFound(Message)` for one that the actor may not read, `State(Deleted)`.
    pub(crate) async fn repeat(&self, actor: &Actor, draft: &Draft) -> Result<Option<Draft>> {
        let Some(id) = &draft.forwarded_from else { return Ok(None) };
        let (_, repeated) = self.host_message(actor, id).await?;
        if repeated.is_gone() {
            return Err(State::Deleted.into());
        }
        if !draft.text.trim().is_empty() || !draft.files.is_empty() {
            return Ok(None);
        }
        let mut filled = Draft { text: repeated.text.clone(), ..draft.clone() };
        filled.files = self.files_again(actor, &repeated).await?;
        Ok(Some(filled))
    }

    async fn files_again(&self, actor: &Actor, message: &Message) -> Result<Vec<FileCard>> {
        let mut files = Vec::new();
        for file in message.files() {
            let wanted = file.upload.clone();
            let found = self.store().reading(move |rows| rows.upload(&wanted)).await?;
            let upload = found.ok_or(Refusal::NotFound(What::Message))?;
            let copy = self.copy_upload(actor, &upload, None, None).await?;
            let card = self.card_of_file(copy).await?;
            files.push(FileCard { name: file.name.clone(), said: file.said, ..card });
        }
        Ok(files)
    }

    /// Announces an upload whose bytes come later, in one request of their own.
    pub async fn announce_upload(&self, actor: &Actor, size: u64) -> Result<UploadId> {
        let limit = self.upload_limit(actor, None).await?;
        if size == 0 {
            return Err(Refusal::invalid("size", "must be at least 1"));
        }
        if size > limit {
            return Err(Refusal::TooLarge { what: "file", limit });
        }
        Ok(self.upload_id())
    }

    /// Stores the bytes of an announced upload; `false` when they came before.
    ///
    /// # Errors
    /// As [`Chat::store_host_upload`].
    pub async fn store_announced(
        &self,
        actor: &Actor,
        id: &UploadId,
        arrived: Arrived,
        types: &[String],
    ) -> Result<Option<Upload>> {
        let wanted = id.clone();
        if self.store().reading(move |rows| rows.upload(&wanted)).await?.is_some() {
            return Ok(None);
        }
        let limit = self.upload_limit(actor, None).await?;
        self.store_file_as(Some(id.clone()), actor, None, arrived, limit, Some(types)).await.map(Some)
    }
}

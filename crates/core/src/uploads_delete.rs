//! Removing a file by itself: its message stays and says so.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, UploadId},
    json::Json,
    message::{Attachment, Message},
    messages::store_edited,
    messages_change::{mark_of, unchanged_place},
    session::Actor,
    store::{Lane, Tx, Upload},
};

/// Shown in place of a file that was removed, as a card.
const REMOVED: &str = r##"{"color":"#FD745E","text":"_File removed_"}"##;

impl Chat {
    /// Removes a file and its thumbnail: one's own that no message shows, or that of a message which the actor may
    /// delete; what was removed. Files that the actor may not see are unknown.
    ///
    /// # Errors
    /// `NotFound(Upload)`, `NotAllowed`, `State(TooLate)`.
    pub async fn delete_file(&self, actor: &Actor, id: &UploadId) -> Result<Vec<UploadId>> {
        self.judged(|| self.delete_file_once(actor, id)).await
    }

    async fn delete_file_once(&self, actor: &Actor, id: &UploadId) -> Result<Vec<UploadId>> {
        let unknown = || Refusal::NotFound(What::Upload);
        let (wanted, of) = (id.clone(), id.clone());
        let found = self.store().reading(move |rows| Ok((rows.upload(&wanted)?, rows.thumbnail_of(&of)?)));
        let (upload, thumbnail) = found.await?;
        let upload =
            upload.filter(|upload| upload.role == "file" && upload.room.is_some()).ok_or_else(unknown)?;
        match upload.message.clone() {
            Some(message) => self.take_out(actor, &message, id).await?,
            None if upload.user == self.active_user(actor).await?.id => self.expire(&upload).await?,
            None => return Err(unknown()),
        }
        let removed = [Some(upload.id), thumbnail.map(|thumb| thumb.id)].into_iter().flatten().collect();
        self.sweep_files().await?;
        Ok(removed)
    }

    async fn expire(&self, upload: &Upload) -> Result<()> {
        let id = upload.id.clone();
        self.store().writing(Lane::Verbs, move |tx| tx.confirm_upload(&id, None)).await
    }

    async fn take_out(&self, actor: &Actor, message: &MessageId, file: &UploadId) -> Result<()> {
        let unknown = |_| Refusal::NotFound(What::Upload);
        let (room, message) = self.readable_message(actor, message).await.map_err(unknown)?;
        let judgement = self.judge_delete(actor, &room, &message).await?;
        let by = mark_of(&*self.active_user(actor).await?);
        let file = file.clone();
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let stored = unchanged_place(tx, &message)?;
            tx.confirm_upload(&file, None)?;
            store_edited(tx, without(stored, &file), by.clone()).map(drop)
        };
        self.store().writing(Lane::Verbs, store).await
    }
}

fn without(mut message: Message, file: &UploadId) -> Message {
    for attachment in &mut message.attachments {
        if matches!(attachment, Attachment::File(card) if card.upload == *file) {
            *attachment = Attachment::Card(Json::new(REMOVED));
        }
    }
    message
}

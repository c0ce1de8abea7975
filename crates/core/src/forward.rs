//! Forwarding: a message is shown in another room, by somebody who may read it here and write there.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UploadId},
    message::{Attachment, FileCard, Message},
    messages::{Draft, Sent},
    permissions::{Action, Object},
    quotes::quote,
    session::Actor,
};

/// Files that go with a forwarded message at most.
const FILES: usize = 20;

impl Chat {
    /// Shows a message in another room as a quote, with copies of its files, which then belong to that room. The
    /// source is judged as reading it is, the target as writing there.
    ///
    /// # Errors
    /// `NotFound(Message)` for what can't be read; `State(Encrypted)` for what the server can't read either.
    pub async fn forward(&self, actor: &Actor, id: &MessageId, to: &RoomId) -> Result<Sent> {
        let (_, source) = self.readable_message(actor, id).await?;
        if source.encrypted.is_some() {
            return Err(crate::error::State::Encrypted.into());
        }
        let target = self.room(to).await?;
        self.authorize(actor, Action::PostMessage, Object::Room(&target)).await?;
        let mut files = Vec::new();
        if source.files().next().is_some() {
            self.may_upload(actor, to).await?;
        }
        for card in source.files().take(FILES) {
            files.push(self.copied(actor, card, to).await?);
        }
        let link = self.link_to(&source);
        let text = format!("[ ]({link})");
        let quoted = Message { attachments: without_files(source.attachments.clone()), ..source };
        let settings = self.settings();
        let depth = settings.number("Message_QuoteChainLimit") as usize;
        let quotes = vec![quote(&link, quoted, depth, settings.is_on("UI_Use_Real_Name"))];
        let draft = Draft {
            files,
            quotes,
            no_links: true,
            forwarded_from: Some(id.clone()),
            ..Draft::text(to.clone(), text)
        };
        self.post(actor, draft).await
    }

    /// A copy of a file for another room.
    async fn copied(&self, actor: &Actor, card: &FileCard, to: &RoomId) -> Result<FileCard> {
        let mut copy = card.clone();
        copy.upload = self.copied_upload(actor, &card.upload, to, None).await?;
        if let Some(thumbnail) = &card.thumbnail {
            copy.thumbnail = Some(self.copied_upload(actor, thumbnail, to, Some(&copy.upload)).await?);
        }
        Ok(copy)
    }

    async fn copied_upload(
        &self,
        actor: &Actor,
        id: &UploadId,
        to: &RoomId,
        original: Option<&UploadId>,
    ) -> Result<UploadId> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.upload(&wanted)).await?;
        let source = found.ok_or(Refusal::NotFound(What::Upload))?;
        Ok(self.copy_upload(actor, &source, Some(to), original).await?.id)
    }
}

/// Files are copied beside the quote; those of the source's room could not be opened there.
fn without_files(mut attachments: Vec<Attachment>) -> Vec<Attachment> {
    attachments.retain(|a| !matches!(a, Attachment::File(_)));
    for attachment in &mut attachments {
        if let Attachment::Quote(quote) = attachment {
            quote.attachments = without_files(std::mem::take(&mut quote.attachments));
        }
    }
    attachments
}

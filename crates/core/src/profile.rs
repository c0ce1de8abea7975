//! Pictures of people.

use std::sync::Arc;

use crate::{
    accounts::put_user,
    chat::Chat,
    error::{Refusal, Result, What},
    event::{AvatarOf, Event},
    id::{UploadId, UserId},
    session::Actor,
    store::Lane,
    uploads::Purpose,
    user::User,
};

/// Largest picture that is taken, in bytes, before it is made small.
pub const MAX_PICTURE: usize = 5 * 1024 * 1024;

impl Chat {
    /// Gives a user a picture, made square and small. One's own needs `Accounts_AllowUserAvatarChange`, unless one may
    /// change everybody's (`edit-other-user-avatar`).
    ///
    /// # Errors
    /// `Invalid` of field `image` for what is no picture, `TooLarge`, `Disabled`, `NotAllowed`.
    pub async fn set_avatar(&self, actor: &Actor, of: &UserId, image: Vec<u8>) -> Result<Arc<User>> {
        self.may_change_avatar(actor, of).await?;
        if image.len() > MAX_PICTURE {
            return Err(Refusal::TooLarge { what: "file", limit: MAX_PICTURE as u64 });
        }
        let side = (self.settings().number("Accounts_AvatarSize") as u32).clamp(32, 512);
        let small = self.ports.media.square(image, side).await?;
        let upload = self.store_bytes(actor, Purpose::Avatar, "avatar.png", &small).await?;
        self.put_avatar(of, Some(upload.id)).await
    }

    /// Goes back to initials. Also open to `manage-moderation-actions`.
    pub async fn reset_avatar(&self, actor: &Actor, of: &UserId) -> Result<Arc<User>> {
        if !self.may(actor, "manage-moderation-actions", None).await? {
            self.may_change_avatar(actor, of).await?;
        }
        self.put_avatar(of, None).await
    }

    async fn may_change_avatar(&self, actor: &Actor, of: &UserId) -> Result<()> {
        if self.may(actor, "edit-other-user-avatar", None).await? {
            return Ok(());
        }
        if *of != actor.user {
            return Err(Refusal::NotAllowed("edit-other-user-avatar"));
        }
        let setting = "Accounts_AllowUserAvatarChange";
        if self.settings().is_on(setting) { Ok(()) } else { Err(Refusal::Disabled(setting)) }
    }

    async fn put_avatar(&self, of: &UserId, new: Option<UploadId>) -> Result<Arc<User>> {
        let (id, tag) = (of.clone(), new.map(|id| id.to_string()));
        let (user, old) = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&id)?.ok_or(Refusal::NotFound(What::User))?;
                let old = std::mem::replace(&mut user.avatar, tag.clone());
                let of = AvatarOf::User(user.id.clone(), user.username.clone());
                let user = put_user(tx, user)?;
                tx.record(None, Event::Avatar { of, tag: tag.clone() })?;
                Ok((user, old))
            })
            .await?;
        if let Some(old) = old {
            self.forget_bytes(&old).await;
        }
        Ok(user)
    }

    /// Removes bytes that nothing points to any more, row first; what can't be removed now is only left over.
    pub(crate) async fn forget_bytes(&self, tag: &str) {
        let Some(id) = UploadId::parse(tag) else { return };
        let row = id.clone();
        let gone = self.store().writing(Lane::Bulk, move |tx| match tx.upload(&row)? {
            Some(upload) if upload.room.is_none() => tx.remove_upload(&row),
            _ => Ok(None),
        });
        let done = match gone.await {
            Ok(Some(bytes)) => self.ports.blobs.remove(&bytes).await,
            other => other.map(drop),
        };
        if let Err(refusal) = done {
            tracing::warn!(%refusal, "bytes that nobody needs any more could not be removed");
        }
    }
}

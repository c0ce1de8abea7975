//! Pictures of people (and of rooms, custom emoji and the workspace itself): small images, made ready by the door,
//! kept as blobs under a tag that changes with the bytes.

use std::sync::Arc;

use crate::{
    accounts::put_user,
    chat::Chat,
    error::{Refusal, Result, What},
    event::{AvatarOf, Event},
    id::{UploadId, UserId},
    session::Actor,
    store::Lane,
    user::User,
};

/// Largest picture, in bytes.
pub const MAX_PICTURE: usize = 1024 * 1024;

impl Chat {
    /// Gives a user a picture. One's own needs `Accounts_AllowUserAvatarChange`, unless one may change everybody's
    /// (`edit-other-user-avatar`).
    pub async fn set_avatar(&self, actor: &Actor, of: &UserId, image: Vec<u8>) -> Result<Arc<User>> {
        self.may_change_avatar(actor, of, "edit-other-user-avatar").await?;
        let tag = self.keep_picture(image).await?;
        self.put_avatar(of, Some(tag)).await
    }

    /// Goes back to initials. Also open to `manage-moderation-actions`.
    pub async fn reset_avatar(&self, actor: &Actor, of: &UserId) -> Result<Arc<User>> {
        if !self.may(actor, "manage-moderation-actions", None).await? {
            self.may_change_avatar(actor, of, "edit-other-user-avatar").await?;
        }
        self.put_avatar(of, None).await
    }

    async fn may_change_avatar(&self, actor: &Actor, of: &UserId, permission: &'static str) -> Result<()> {
        if self.may(actor, permission, None).await? {
            return Ok(());
        }
        if *of != actor.user {
            return Err(Refusal::NotAllowed(permission));
        }
        let setting = "Accounts_AllowUserAvatarChange";
        if self.settings().is_on(setting) { Ok(()) } else { Err(Refusal::Disabled(setting)) }
    }

    async fn put_avatar(&self, of: &UserId, tag: Option<String>) -> Result<Arc<User>> {
        let id = of.clone();
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
        if let Some(old) = old.filter(|old| Some(old) != user.avatar.as_ref()) {
            self.forget_picture(&old).await;
        }
        Ok(user)
    }

    /// Keeps a picture durably and gives the tag by which it is found again.
    pub async fn keep_picture(&self, image: Vec<u8>) -> Result<String> {
        if image.len() > MAX_PICTURE {
            return Err(Refusal::TooLarge { what: "picture", limit: MAX_PICTURE as u64 });
        }
        let tag = self.new_id();
        let path = self.ports.blobs.temporary()?;
        if let Err(error) = tokio::fs::write(&path, image).await {
            tracing::error!(%error, "a picture could not be written");
            return Err(Refusal::Unavailable);
        }
        self.ports.blobs.put(&place(&tag), path).await?;
        Ok(tag)
    }

    /// The bytes of a picture.
    pub async fn picture(&self, tag: &str) -> Result<Option<Vec<u8>>> {
        let Some(id) = UploadId::parse(&format!("picture-{tag}")) else { return Ok(None) };
        match self.ports.blobs.size(&id).await? {
            Some(size) if size <= MAX_PICTURE as u64 => self.ports.blobs.read(&id, None).await.map(Some),
            _ => Ok(None),
        }
    }

    /// Removes a picture that nothing points to any more; what can't be removed now is only left over.
    pub(crate) async fn forget_picture(&self, tag: &str) {
        if let Err(refusal) = self.ports.blobs.remove(&place(tag)).await {
            tracing::warn!(%refusal, "an old picture could not be removed");
        }
    }
}

fn place(tag: &str) -> UploadId {
    UploadId::new(format!("picture-{tag}"))
}

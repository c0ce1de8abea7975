//! A room's own picture.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    event::{AvatarOf, Event},
    id::RoomId,
    permissions::{Action, Object},
    profile::MAX_PICTURE,
    room::Room,
    rooms::RoomRef,
    rooms_notices::change_room,
    session::Actor,
    store::{Lane, Tx},
    uploads::Purpose,
};

impl Chat {
    /// Gives a room a picture, made square and small, or (`None`) takes it away. A notice says so.
    ///
    /// # Errors
    /// `Invalid` of field `image` for what is no picture, `TooLarge`.
    pub async fn set_room_avatar(
        &self,
        actor: &Actor,
        room: &RoomId,
        image: Option<Vec<u8>>,
    ) -> Result<Arc<Room>> {
        let found = self.look_up(RoomRef::Id(room)).await?;
        self.authorize(actor, Action::EditRoom, Object::Room(&found)).await?;
        let tag = match image {
            None => None,
            Some(image) if image.len() > MAX_PICTURE => {
                return Err(Refusal::TooLarge { what: "file", limit: MAX_PICTURE as u64 });
            }
            Some(image) => {
                let side = (self.settings().number("Accounts_AvatarSize") as u32).clamp(32, 512);
                let small = self.ports.media.square(image, side).await?;
                Some(self.store_bytes(actor, Purpose::Avatar, "avatar.png", &small).await?.id.to_string())
            }
        };
        let done = self.judged(|| self.try_put_room_avatar(actor, room, &tag)).await;
        let (unused, changed) = match done {
            Ok((old, changed)) => (old, Ok(changed)),
            Err(refusal) => (tag, Err(refusal)),
        };
        if let Some(unused) = unused {
            self.forget_bytes(&unused).await;
        }
        changed
    }

    /// Gives the picture that was there before, and the room.
    async fn try_put_room_avatar(
        &self,
        actor: &Actor,
        room: &RoomId,
        tag: &Option<String>,
    ) -> Result<(Option<String>, Arc<Room>)> {
        let found = self.look_up(RoomRef::Id(room)).await?;
        let judgement = self.authorize(actor, Action::EditRoom, Object::Room(&found)).await?;
        let user = self.active_user(actor).await?;
        let notice = self.notice(&found.id, &user, "room_changed_avatar", "");
        let (id, tag) = (found.id.clone(), tag.clone());
        self.store()
            .writing(Lane::Verbs, move |tx: &mut dyn Tx| {
                tx.check(&judgement)?;
                let old = tx.lock_room(&id)?.and_then(|room| room.avatar);
                let changed = change_room(tx, &id, false, |room| room.avatar = tag.clone())?;
                tx.append_message(notice.clone())?;
                tx.record(None, Event::Avatar { of: AvatarOf::Room(id.clone()), tag: tag.clone() })?;
                Ok((old, changed))
            })
            .await
    }
}

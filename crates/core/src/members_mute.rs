//! Muting: who may not write, and who may although the room is read-only.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    permissions::{Action, Object},
    room::Room,
    rooms::RoomRef,
    rooms_notices::change_room,
    session::Actor,
    store::Lane,
};

/// Users on one of a room's two lists at most.
const MAX_MUTED: usize = 1_000;

impl Chat {
    /// Mutes a member of a channel or group, or lets him write again. In a read-only room letting write means that he
    /// may write although the others may not.
    pub async fn mute(&self, actor: &Actor, room: &RoomId, user: &UserId, on: bool) -> Result<Arc<Room>> {
        self.judged(|| self.try_mute(actor, room, user, on)).await
    }

    async fn try_mute(&self, actor: &Actor, id: &RoomId, user: &UserId, on: bool) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.authorize(actor, Action::MuteUser, Object::Room(&room)).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        if self.membership(&room.id, &user.id).await?.is_none() {
            return Err(Refusal::NotFound(What::Membership));
        }
        let kind = if on { "user-muted" } else { "user-unmuted" };
        let notice = self.notice(&room.id, &me, kind, &user.username);
        let (id, user) = (room.id.clone(), user.id.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                let list = if on { &room.muted } else { &room.unmuted };
                let grows = (on || room.read_only) && !list.contains(&user);
                if grows && list.len() >= MAX_MUTED {
                    return Err(Refusal::TooLarge { what: "muted-users", limit: MAX_MUTED as u64 });
                }
                change_room(tx, &id, true, |room| set_muted(room, &user, on))?;
                tx.append_message(notice.clone())?;
                tx.room(&id)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }
}

fn set_muted(room: &mut Room, user: &UserId, on: bool) {
    room.muted.retain(|id| id != user);
    room.unmuted.retain(|id| id != user);
    if on {
        room.muted.push(user.clone());
    } else if room.read_only {
        room.unmuted.push(user.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn letting_write_in_a_read_only_room_is_an_exception_of_its_own() {
        let mut room = samples::room("r");
        set_muted(&mut room, &"bob".into(), true);
        set_muted(&mut room, &"bob".into(), true);
        assert_eq!(room.muted, ["bob".into()]);
        set_muted(&mut room, &"bob".into(), false);
        assert!(room.muted.is_empty() && room.unmuted.is_empty());
        room.read_only = true;
        set_muted(&mut room, &"bob".into(), false);
        assert_eq!(room.unmuted, ["bob".into()]);
    }
}

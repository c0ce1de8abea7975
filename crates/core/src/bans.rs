//! Bans: users that may not come into a room until they are let in again.

use crate::{
    audit,
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    json::Json,
    permissions::{Action, Object},
    rooms::RoomRef,
    rooms_notices::{change_room, end},
    session::Actor,
    store::{Document, Lane, Page, Paged, Tx},
};

const BANS: &str = "bans";

fn key(room: &RoomId, user: &UserId) -> String {
    format!("{room} {user}")
}

/// Refuses whoever is banned from the room; part of every way in.
pub(crate) fn refuse_banned(tx: &mut dyn Tx, room: &RoomId, user: &UserId) -> Result<()> {
    match tx.document(BANS, &key(room, user))? {
        Some(_) => Err(Refusal::NotAllowed("banned")),
        None => Ok(()),
    }
}

impl Chat {
    /// Whether a user is banned from a room. Members never are.
    pub(crate) async fn is_banned(&self, room: &RoomId, user: &UserId) -> Result<bool> {
        let id = key(room, user);
        self.store().reading(move |rows| Ok(rows.document(BANS, &id)?.is_some())).await
    }

    /// Bans a user from a channel or group; a member is removed. Who is banned can neither read a public room nor write
    /// there. Takes what removing a member takes. The last owner can't be banned.
    pub async fn ban(&self, actor: &Actor, room: &RoomId, user: &UserId) -> Result<()> {
        self.judged(|| self.try_ban(actor, room, user)).await
    }

    async fn try_ban(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<()> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.authorize(actor, Action::RemoveUser, Object::Room(&room)).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        if user.id == me.id {
            return Err(Refusal::NotAllowed("remove-user"));
        }
        let notice = self.notice(&room.id, &me, "user-banned", &user.username);
        let entry = self.audit_entry(actor, "user.banned", &key(&room.id, &user.id)).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.lock_room(&room.id)?.ok_or(Refusal::NotFound(What::Room))?;
                let id = key(&room.id, &user.id);
                if tx.document(BANS, &id)?.is_some() {
                    return Ok(());
                }
                if let Some(membership) = tx.membership(&room.id, &user.id)? {
                    crate::members::keep_an_owner(tx, &membership)?;
                    end(tx, &membership, Some(&me.id))?;
                } else {
                    // Whoever reads along without being a member is judged again.
                    change_room(tx, &room.id, true, |_| {})?;
                }
                audit::keep(tx, &entry)?;
                let (key, at) = (room.id.to_string(), tx.now());
                tx.put_document(BANS, &Document { id, key, body: Json::object(), updated_at: at })?;
                tx.append_message(notice.clone()).map(drop)
            })
            .await
    }

    /// Lets a banned user come in again.
    ///
    /// # Errors
    /// `NotFound(Membership)` for whoever is not banned.
    pub async fn unban(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<()> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.authorize(actor, Action::RemoveUser, Object::Room(&room)).await?;
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        let notice = self.notice(&room.id, &me, "user-unbanned", &user.username);
        let entry = self.audit_entry(actor, "user.unbanned", &key(&room.id, &user.id)).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                if !tx.remove_document(BANS, &key(&room.id, &user.id))? {
                    return Err(Refusal::NotFound(What::Membership));
                }
                audit::keep(tx, &entry)?;
                tx.append_message(notice.clone()).map(drop)
            })
            .await
    }

    /// Who is banned from a room, in no particular order, and when. Takes what banning takes.
    pub async fn banned(&self, actor: &Actor, id: &RoomId, page: Page) -> Result<Paged<UserId>> {
        let room = self.look_up(RoomRef::Id(id)).await?;
        self.authorize(actor, Action::RemoveUser, Object::Room(&room)).await?;
        let key = room.id.to_string();
        let found = self.store().reading(move |rows| rows.documents(BANS, Some(&key), page)).await?;
        let users =
            found.items.iter().filter_map(|d| d.id.split_once(' ')).map(|(_, user)| UserId::new(user));
        Ok(Paged { items: users.collect(), total: found.total })
    }
}

//! Bans: users that may not come into a room until they are let in again.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use crate::{
    audit,
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    json::Json,
    permissions::{Action, Object},
    room::Room,
    rooms::RoomRef,
    rooms_notices::{change_room, end},
    session::Actor,
    store::{Document, Lane, Page, Paged, Tx},
};

const BANS: &str = "bans";

/// Bans of one room that are held in memory; of a room with more each is looked up.
const FEW: u64 = 1_000;

/// Who is banned from a room. A change is told by an event of that room, which forgets them.
#[derive(Clone)]
pub(crate) enum Bans {
    These(Arc<FxHashSet<UserId>>),
    Many,
}

/// Rooms whose bans are held in memory at most.
pub(crate) const ROOMS: usize = 20_000;

fn key(room: &RoomId, user: &UserId) -> String {
    format!("{room} {user}")
}

fn banned_user(ban: &Document) -> Option<UserId> {
    ban.id.split_once(' ').map(|(_, user)| UserId::new(user))
}

/// Refuses whoever is banned from the room; part of every way in.
pub(crate) fn refuse_banned(tx: &mut dyn Tx, room: &RoomId, user: &UserId) -> Result<()> {
    match tx.document(BANS, &key(room, user))? {
        Some(_) => Err(Refusal::NotAllowed("banned")),
        None => Ok(()),
    }
}

impl Chat {
    /// Whether a user is banned from a room. Members never are. Of a room with few bans from memory.
    pub(crate) async fn is_banned(&self, room: &Room, user: &UserId) -> Result<bool> {
        let id = room.id.clone();
        let load = || {
            self.store().reading(move |rows| {
                let found = rows.documents(BANS, Some(id.as_str()), Page { offset: 0, count: FEW })?;
                if found.total > FEW {
                    return Ok(Bans::Many);
                }
                let users = found.items.iter().filter_map(banned_user).collect();
                Ok(Bans::These(Arc::new(users)))
            })
        };
        match self.bans.get_or_load(&room.id, load).await? {
            Bans::These(users) => Ok(users.contains(user)),
            Bans::Many => {
                let id = key(&room.id, user);
                self.store().reading(move |rows| Ok(rows.document(BANS, &id)?.is_some())).await
            }
        }
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
        self.judged(|| self.try_unban(actor, id, user)).await
    }

    async fn try_unban(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<()> {
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
                // Whoever remembers the bans hears of it.
                change_room(tx, &room.id, false, |_| {})?;
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
        Ok(Paged { items: found.items.iter().filter_map(banned_user).collect(), total: found.total })
    }
}

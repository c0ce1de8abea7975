//! Invite links into rooms.

use std::{sync::Arc, time::Duration};

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, State, What},
    id::RoomId,
    permissions::{Action, Object},
    room::Room,
    rooms::RoomRef,
    rooms_notices::enter_once,
    session::Actor,
    store::{Invite, Lane},
};

/// Days that an invite may be good for; 0 for ever.
pub const DAYS: [i64; 5] = [0, 1, 7, 15, 30];
/// How many people an invite may bring; 0 for any number.
pub const USES: [i64; 7] = [0, 1, 5, 10, 25, 50, 100];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Invites of one room at most.
const MAX_INVITES: usize = 1_000;

impl Chat {
    /// The actor's invite into a room with these bounds; made if there is none that still works.
    pub async fn find_or_create_invite(
        &self,
        actor: &Actor,
        room: &RoomId,
        days: i64,
        max_uses: i64,
    ) -> Result<Invite> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(room)).await?;
        self.authorize(actor, Action::CreateInvite, Object::Room(&room)).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        if !DAYS.contains(&days) {
            return Err(Refusal::invalid(
                "number-of-expiration-days",
                "Invite should expire in 1, 7, 15 or 30 days, or send 0 to never expire.",
            ));
        }
        if !USES.contains(&max_uses) {
            return Err(Refusal::invalid(
                "number-of-uses",
                "Invite should be valid for 1, 5, 10, 25, 50, 100 or infinite (0) uses.",
            ));
        }
        let mut random = [0; 16];
        self.ports.random.fill(&mut random);
        let id = hex::encode(random);
        let (room, me) = (room.id.clone(), me.id.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let now = tx.now();
                let there = tx.invites(Some(&room))?;
                let same = |i: &&Invite| i.creator == me && i.days == days && i.max_uses == max_uses;
                if let Some(found) = there.iter().filter(same).find(|i| works(i, now)) {
                    return Ok(found.clone());
                }
                if there.len() >= MAX_INVITES {
                    return Err(Refusal::TooLarge { what: "invites", limit: MAX_INVITES as u64 });
                }
                let expires_at = (days > 0).then(|| now.after(DAY * u32::try_from(days).unwrap_or(1)));
                let invite = Invite {
                    id: id.clone(),
                    room: room.clone(),
                    creator: me.clone(),
                    days,
                    max_uses,
                    uses: 0,
                    created_at: now,
                    expires_at,
                };
                tx.insert_invite(&invite)?;
                Ok(invite)
            })
            .await
    }

    /// All invites, for holders of `create-invite-links`: those that do not administer rooms see those into rooms they
    /// may read.
    pub async fn list_invites(&self, actor: &Actor) -> Result<Vec<Invite>> {
        self.require(actor, "create-invite-links", None).await?;
        let all = self.store().reading(|rows| rows.invites(None)).await?;
        if self.may(actor, "view-room-administration", None).await? {
            return Ok(all);
        }
        let mut seen = Vec::new();
        for invite in all {
            if self.find_room(actor, RoomRef::Id(&invite.room)).await.is_ok() {
                seen.push(invite);
            }
        }
        Ok(seen)
    }

    /// Ends an invite.
    pub async fn remove_invite(&self, actor: &Actor, id: &str) -> Result<()> {
        let invite = self.invite(id).await?;
        let room = self.look_up(RoomRef::Id(&invite.room)).await?;
        match self.authorize(actor, Action::CreateInvite, Object::Room(&room)).await {
            Err(Refusal::NotFound(_) | Refusal::NotMember) => {
                self.authorize(actor, Action::SeeRoom, Object::Room(&room)).await?;
            }
            judged => {
                judged?;
            }
        }
        let id = id.to_owned();
        match self.store().writing(Lane::Verbs, move |tx| tx.remove_invite(&id)).await? {
            true => Ok(()),
            false => Err(Refusal::NotFound(What::Invite)),
        }
    }

    async fn invite(&self, id: &str) -> Result<Invite> {
        if id.is_empty() || id.len() > 128 || id.contains('\0') {
            return Err(Refusal::NotFound(What::Invite));
        }
        let wanted = id.to_owned();
        let found = self.store().reading(move |rows| rows.invite(&wanted)).await?;
        found.ok_or(Refusal::NotFound(What::Invite))
    }

    /// Whether an invite works now; asked by people who are not logged in yet.
    pub async fn invite_works(&self, id: &str) -> Result<bool> {
        match self.invite(id).await {
            Ok(invite) => Ok(works(&invite, self.now()) && self.stands(&invite).await?),
            Err(Refusal::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// An invite ends with its maker's membership.
    async fn stands(&self, invite: &Invite) -> Result<bool> {
        let maker = self.user(&invite.creator).await?;
        Ok(maker.is_some_and(|user| user.active)
            && self.membership(&invite.room, &invite.creator).await?.is_some())
    }

    /// Comes into the room that an invite leads to. Somebody who is in it already uses nothing up.
    pub async fn use_invite(&self, actor: &Actor, id: &str) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let invite = self.invite(id).await?;
        let room = match self.look_up(RoomRef::Id(&invite.room)).await {
            Err(Refusal::NotFound(_)) => return Err(Refusal::NotFound(What::Invite)),
            found => found?,
        };
        if self.membership(&room.id, &me.id).await?.is_some() {
            return Ok(room);
        }
        if !self.stands(&invite).await? {
            return Err(Refusal::NotFound(What::Invite));
        }
        if room.archived {
            return Err(State::Archived.into());
        }
        let entries = self.entries(&room, std::slice::from_ref(&me), None).await?;
        let (id, room) = (invite.id, room.id.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let now = tx.now();
                if !tx.use_invite(&id, now)? {
                    return Err(State::InviteOver.into());
                }
                let room_now = tx_room(tx, &room)?;
                crate::members::check_added(tx, &room_now, &entries)?;
                for (membership, notice) in &entries {
                    if enter_once(tx, membership.clone(), Some(&notice.author))?.1 {
                        tx.append_message(notice.clone())?;
                    }
                }
                tx.room(&room)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }
}

fn tx_room(tx: &mut dyn crate::store::Tx, id: &crate::id::RoomId) -> Result<crate::room::Room> {
    tx.room(id)?.ok_or(Refusal::NotFound(What::Room))
}

fn works(invite: &Invite, now: Time) -> bool {
    invite.expires_at.is_none_or(|end| end > now) && (invite.max_uses == 0 || invite.uses < invite.max_uses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_works_until_it_is_over_or_used_up() {
        let invite = Invite {
            id: "i".into(),
            room: "r".into(),
            creator: "ann".into(),
            days: 1,
            max_uses: 2,
            uses: 1,
            created_at: Time(0),
            expires_at: Some(Time(100)),
        };
        assert!(works(&invite, Time(99)));
        assert!(!works(&invite, Time(100)));
        assert!(!works(&Invite { uses: 2, ..invite.clone() }, Time(0)));
        assert!(works(&Invite { uses: 9, max_uses: 0, expires_at: None, ..invite }, Time(1000)));
    }
}

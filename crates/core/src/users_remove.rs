//! Ends of accounts: switching them off and on, and removing them with what they own.

use std::sync::Arc;

use crate::{
    accounts::{another_admin, put_user},
    chat::Chat,
    clock::{DAY, Time},
    credentials::Password,
    error::{Refusal, Result, State, What},
    event::Event,
    id::{RoleId, RoomId, SessionId, UserId},
    room::{Room, RoomKind},
    rooms_notices::{change_roles, change_room, end},
    rooms_remove::erase,
    session::{Actor, Session, SessionKind},
    store::{Lane, MemberFilter, Page, Tx, UserFilter},
    user::User,
    users_change::end_sessions,
};

/// Memberships ended in one step.
const STEP: usize = 50;
/// Sessions of which it is known that their account was switched off, and for how long where they had no end.
const REMEMBERED_MOST: usize = 50;
const REMEMBERED: i64 = 30 * DAY;

impl Chat {
    /// Switches an account off or on. Needs `edit-other-user-active-status` or `manage-moderation-actions`. Whoever is
    /// the last owner of a room can be switched off only with `relinquish`: another member becomes owner, rooms
    /// without another member are removed.
    ///
    /// # Errors
    /// `State(LastOwner)`, `State(LastAdmin)`.
    pub async fn set_active(
        &self,
        actor: &Actor,
        id: &UserId,
        active: bool,
        relinquish: bool,
    ) -> Result<Arc<User>> {
        if !self.may(actor, "manage-moderation-actions", None).await? {
            self.require(actor, "edit-other-user-active-status", None).await?;
        }
        let id = id.clone();
        let act = if active { "user.activated" } else { "user.deactivated" };
        let entry = self.audit_entry(actor, act, &id).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                let mut user = tx.user(&id)?.ok_or(Refusal::NotFound(What::User))?;
                if user.active == active {
                    return Ok(Arc::new(user));
                }
                if !active {
                    give_up_rooms(tx, &user, relinquish, true)?;
                    if user.has_role("admin") {
                        another_admin(tx, &id)?;
                    }
                }
                switch_sessions_off(tx, &id, active)?;
                user.active = active;
                put_user(tx, user)
            })
            .await
    }

    /// Switches off all active holders of a role who have neither logged in nor come back by their session for this
    /// many days, those who never did counted from when they were made; how many. Needs `edit-other-user-active-status`. Last owners and the last
    /// administrator stay.
    ///
    /// # Errors
    /// `Invalid` for less than no days: nobody means everybody by it.
    pub async fn deactivate_idle(&self, actor: &Actor, days: f64, role: &str) -> Result<u64> {
        self.require(actor, "edit-other-user-active-status", None).await?;
        if days.is_nan() || days < 0.0 {
            return Err(Refusal::invalid("days", "must be >= 0"));
        }
        let border = self.now().millis().saturating_sub((days * DAY as f64) as i64);
        let (mut offset, mut count) = (0, 0);
        loop {
            let filter =
                UserFilter { roles: vec![role.to_owned()], active: Some(true), ..UserFilter::default() };
            let page = Page { offset, count: 100 };
            let found = self.store().reading(move |rows| rows.users(&filter, page)).await?.items;
            let last = found.len() < 100;
            for user in found {
                offset += 1;
                if user.last_login.unwrap_or(user.created_at).millis() > border {
                    continue;
                }
                match self.set_active(actor, &user.id, false, false).await {
                    Ok(_) => (count, offset) = (count + 1, offset - 1),
                    Err(Refusal::State(State::LastOwner | State::LastAdmin)) => {}
                    Err(refusal) => return Err(refusal),
                }
            }
            if last {
                return Ok(count);
            }
        }
    }

    /// Removes an account with its memberships and direct rooms. Needs `delete-user`. What becomes of its messages in
    /// other rooms says `fate`, or else `Message_ErasureType`: they go too (`Delete`), stay under "Removed User"
    /// (`Unlink`), or stay under the name that was shown (`Keep`).
    ///
    /// # Errors
    /// `State(LastOwner)` unless `relinquish` (see [`Chat::set_active`]), `State(LastAdmin)`; `Invalid` for another
    /// word as `fate`.
    pub async fn remove_user(
        &self,
        actor: &Actor,
        id: &UserId,
        relinquish: bool,
        fate: Option<&str>,
    ) -> Result<()> {
        if fate.is_some_and(|fate| !["Delete", "Unlink", "Keep"].contains(&fate)) {
            return Err(Refusal::invalid("messages", "must be Delete, Unlink or Keep"));
        }
        self.require(actor, "delete-user", None).await?;
        let user = self.known_user(id).await?;
        let entry = self.audit_entry(actor, "user.removed", &user.username).await?;
        self.store().writing(Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
        self.erase_user(&user, relinquish, fate).await
    }

    /// Removes one's own account, if `Accounts_AllowDeleteOwnAccount` says so; the password is the proof.
    pub async fn remove_self(&self, actor: &Actor, proof: Password, relinquish: bool) -> Result<()> {
        let user = self.active_user(actor).await?;
        if !self.settings().is_on("Accounts_AllowDeleteOwnAccount") {
            return Err(Refusal::Disabled("Accounts_AllowDeleteOwnAccount"));
        }
        self.prove(&user, Some(proof)).await?;
        self.erase_user(&user, relinquish, None).await
    }

    /// In steps: first nobody can act as the user any more, then what the user left behind goes, last the account. A
    /// removal that was cut off leaves a deactivated account, which can be removed again.
    pub(crate) async fn erase_user(&self, user: &User, relinquish: bool, fate: Option<&str>) -> Result<()> {
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&id)?.ok_or(Refusal::NotFound(What::User))?;
                give_up_rooms(tx, &user, relinquish, false)?;
                if user.has_role("admin") && user.active {
                    another_admin(tx, &id)?;
                }
                end_sessions(tx, &id, None, true)?;
                user.active = false;
                put_user(tx, user).map(drop)
            })
            .await?;
        // Rooms that just went may still hold messages, which no room would be found for.
        self.sweep_removed_rooms().await?;
        let system = Actor::system(UserId::new(crate::bootstrap::ROCKET_CAT));
        let settings = self.settings();
        match fate.unwrap_or_else(|| settings.text("Message_ErasureType")) {
            "Unlink" => drop(self.disown_messages_of(&user.id, "Removed User").await?),
            "Keep" => {
                let name = user.shown_name();
                self.disown_messages_of(&user.id, name).await?;
            }
            _ => drop(self.remove_messages_of(&system, &user.id).await?),
        }
        loop {
            let id = user.id.clone();
            if self.store().writing(Lane::Bulk, move |tx| leave_some(tx, &id)).await? {
                break;
            }
        }
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let user = tx.user(&id)?.ok_or(Refusal::NotFound(What::User))?;
                crate::oauth_links::forget_links(tx, &id)?;
                tx.remove_user(&id)?;
                tx.record(None, Event::UserRemoved { user: Arc::new(user) })
            })
            .await?;
        if let Some(tag) = &user.avatar {
            self.forget_bytes(tag).await;
        }
        Ok(())
    }
}

/// Takes care of rooms in which the user is the only owner: refuses, or makes another member owner, or removes rooms
/// that have no other member. Who comes back one day (`returns`) stays an owner beside the new one.
fn give_up_rooms(tx: &mut dyn Tx, user: &User, relinquish: bool, returns: bool) -> Result<()> {
    for (membership, view) in tx.rooms_of(&user.id, None)? {
        if !membership.has_role("owner") || view.room.kind == RoomKind::Direct {
            continue;
        }
        let Some(room) = tx.lock_room(&view.room.id)? else { continue };
        if tx.count_role(&room.id, "owner")? > 1 {
            continue;
        }
        if !relinquish {
            return Err(State::LastOwner.into());
        }
        let heirs = MemberFilter { by_role: true, active: Some(true), ..MemberFilter::default() };
        let members = tx.members(&room.id, &heirs, Page { offset: 0, count: 2 })?.items;
        match members.into_iter().find(|m| m.user != user.id) {
            Some(heir) => {
                pass_on(tx, &room.id, &heir.user)?;
                if !returns {
                    let owner = RoleId::new("owner");
                    change_roles(tx, &room.id, &user.id, |m| m.roles.retain(|r| *r != owner))?;
                }
            }
            None if room.team_main || &*room.id == crate::rooms::GENERAL => {}
            None => erase(tx, &Arc::new(room))?,
        }
    }
    Ok(())
}

fn pass_on(tx: &mut dyn Tx, room: &RoomId, to: &UserId) -> Result<()> {
    let owner = RoleId::new("owner");
    change_roles(tx, room, to, |m| m.roles.push(owner.clone()))?;
    let username = tx.user(to)?.map(|u| u.username).unwrap_or_default();
    let event =
        Event::RoleGiven { user: to.clone(), username, role: owner, room: Some(room.clone()), given: true };
    tx.record(None, event)
}

/// Ends all sessions. Some of them stay known while the account is off, so that their clients hear why they are refused.
fn switch_sessions_off(tx: &mut dyn Tx, user: &UserId, back_on: bool) -> Result<()> {
    let mut ended = tx.sessions(user)?;
    end_sessions(tx, user, None, true)?;
    if back_on {
        return Ok(());
    }
    ended.sort_by_key(|session| std::cmp::Reverse(session.used_at));
    let forgotten_at = Time(tx.now().millis() + REMEMBERED);
    for session in ended.into_iter().take(REMEMBERED_MOST) {
        // Another id: who was let in by the old one just now hears no more by it.
        let id = SessionId::new(format!("{}.ended", session.id));
        let expires_at = session.expires_at.or(Some(forgotten_at));
        tx.insert_session(&Session { id, expires_at, kind: SessionKind::Ended, ..session })?;
    }
    Ok(())
}

/// Ends some of the user's memberships; `true` when there are none left. Direct rooms of two go altogether.
fn leave_some(tx: &mut dyn Tx, user: &UserId) -> Result<bool> {
    let all = tx.rooms_of(user, None)?;
    let last = all.len() <= STEP;
    for (membership, view) in all.into_iter().take(STEP) {
        let Some(room) = tx.lock_room(&view.room.id)? else { continue };
        if room.is_direct() && room.direct.len() <= 2 {
            erase(tx, &Arc::new(room))?;
            continue;
        }
        end(tx, &membership, None)?;
        if room.is_direct() && !others_meet(tx, &room, user)? {
            change_room(tx, &room.id, true, |room| room.direct.retain(|id| id != user))?;
        }
    }
    Ok(last)
}

/// Whether the others of a direct room have a direct room without this user already.
fn others_meet(tx: &mut dyn Tx, room: &Room, user: &UserId) -> Result<bool> {
    let others: Vec<UserId> = room.direct.iter().filter(|id| *id != user).cloned().collect();
    Ok(tx.direct_room(&others)?.is_some())
}

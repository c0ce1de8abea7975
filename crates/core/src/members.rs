//! Coming and going: joining, leaving, adding and removing members.

use std::sync::Arc;

use crate::{
    case::CaseAction,
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{RoomId, UserId},
    membership::Membership,
    message::Message,
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::{MAX_USERS, RoomRef},
    rooms_notices::{end, enter_once},
    session::Actor,
    store::{Lane, Page, RoomFilter, Tx, UserFilter},
    user::User,
};

impl Chat {
    /// Joins a public room (or one of a public team, or a discussion whose parent the actor may read). Somebody who is in
    /// it already stays as he is. `code`: the join code, where the room has one.
    pub async fn join(&self, actor: &Actor, room: RoomRef<'_>, code: Option<&str>) -> Result<Arc<Room>> {
        self.judged(|| self.try_join(actor, room, code)).await
    }

    async fn try_join(&self, actor: &Actor, wanted: RoomRef<'_>, code: Option<&str>) -> Result<Arc<Room>> {
        let user = self.active_user(actor).await?;
        let room = self.look_up(wanted).await?;
        if self.membership(&room.id, &user.id).await?.is_some() {
            return Ok(room);
        }
        let judgement = self.judge_joining(actor, &room).await?;
        if room.archived {
            return Err(State::Archived.into());
        }
        if let Some(wanted) = &room.join_code
            && !self.may(actor, "join-without-join-code", None).await?
        {
            match code.filter(|c| !c.is_empty()) {
                None => return Err(State::CodeRequired.into()),
                Some(code) if code != wanted => return Err(State::WrongCode.into()),
                Some(_) => {}
            }
        }
        self.enter_with_notice(&room, &user, judgement).await
    }

    /// Only public rooms can be joined, and discussions by those who read the room they belong to.
    async fn judge_joining(&self, actor: &Actor, room: &Arc<Room>) -> Result<Judgement> {
        if room.is_public() {
            return self.authorize(actor, Action::JoinRoom, Object::Room(room)).await;
        }
        if let Some(parent) = room.parent.as_ref().filter(|_| room.kind == RoomKind::Group) {
            let parent = self.look_up(RoomRef::Id(parent)).await?;
            return self.authorize(actor, Action::ReadRoom, Object::Room(&parent)).await;
        }
        Err(Refusal::NotFound(What::Room))
    }

    pub(crate) async fn enter_with_notice(
        &self,
        room: &Arc<Room>,
        user: &Arc<User>,
        judgement: Judgement,
    ) -> Result<Arc<Room>> {
        let entries = self.entries(room, std::slice::from_ref(user), None).await?;
        self.store_entries(room, entries, judgement).await
    }

    async fn store_entries(
        &self,
        room: &Arc<Room>,
        entries: Vec<(Membership, Message)>,
        judgement: Judgement,
    ) -> Result<Arc<Room>> {
        let id = room.id.clone();
        let is_case = room.kind == RoomKind::Case;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                check_added(tx, &room, &entries)?;
                for (membership, notice) in &entries {
                    if enter_once(tx, membership.clone(), Some(&notice.author))?.1 {
                        if is_case {
                            let (who, added) = (&notice.author, CaseAction::ParticipantAdded);
                            crate::cases::tell(tx, &id, added, who, None)?;
                        }
                        tx.append_message(notice.clone())?;
                    }
                }
                tx.room(&id)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }

    /// Leaves a channel or group. The last owner has to name another one first.
    pub async fn leave(&self, actor: &Actor, room: &RoomId) -> Result<Arc<Room>> {
        self.judged(|| self.try_leave(actor, room)).await
    }

    async fn try_leave(&self, actor: &Actor, id: &RoomId) -> Result<Arc<Room>> {
        let user = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let action = match room.kind {
            RoomKind::Channel => Action::LeaveChannel,
            RoomKind::Direct => {
                self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
                return Err(State::DirectRoom.into());
            }
            _ => Action::LeaveGroup,
        };
        let judgement = self.authorize(actor, action, Object::Room(&room)).await?;
        let notice = self.notice(&room.id, &user, leaving_notice(&room), &user.username);
        self.remove_from(&room, user.id.clone(), judgement, notice).await
    }

    /// Removes a member from a channel or group.
    pub async fn kick(&self, actor: &Actor, room: &RoomId, user: &UserId) -> Result<Arc<Room>> {
        self.judged(|| self.try_kick(actor, room, user)).await
    }

    async fn try_kick(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.judge_kicking(actor, &me, &room).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        // Who may remove anybody anywhere learns that somebody is not there by nothing being left to do.
        if self.membership(&room.id, &user.id).await?.is_none() && self.removes_anybody(actor, &room).await? {
            return Ok(room);
        }
        let kind = if room.team_main { "removed-user-from-team" } else { "ru" };
        let notice = self.notice(&room.id, &me, kind, &user.username);
        self.remove_from(&room, user.id.clone(), judgement, notice).await
    }

    async fn judge_kicking(&self, actor: &Actor, me: &User, room: &Arc<Room>) -> Result<Judgement> {
        let outside = self.membership(&room.id, &me.id).await?.is_none() && !actor.is_system();
        if outside {
            match self.authorize(actor, removing_anybody(room), Object::Room(room)).await {
                Err(Refusal::NotAllowed(_)) if room.is_public() => {}
                judged => return judged,
            }
        }
        self.authorize(actor, Action::RemoveUser, Object::Room(room)).await
    }

    /// Whether the actor may remove anybody from rooms of this kind, his own or not.
    async fn removes_anybody(&self, actor: &Actor, room: &Arc<Room>) -> Result<bool> {
        match self.authorize(actor, removing_anybody(room), Object::Room(room)).await {
            Ok(_) => Ok(!actor.is_system()),
            Err(Refusal::NotAllowed(_) | Refusal::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    pub(crate) async fn remove_from(
        &self,
        room: &Arc<Room>,
        user: UserId,
        judgement: Judgement,
        notice: Message,
    ) -> Result<Arc<Room>> {
        let id = room.id.clone();
        let is_case = room.kind == RoomKind::Case;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                let membership = tx.membership(&id, &user)?.ok_or(Refusal::NotFound(What::Membership))?;
                keep_an_owner(tx, &membership)?;
                end(tx, &membership, Some(&notice.author))?;
                if is_case {
                    let removed = CaseAction::ParticipantRemoved;
                    crate::cases::tell(tx, &id, removed, &notice.author, None)?;
                }
                tx.append_message(notice.clone())?;
                tx.room(&id)?.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
            })
            .await
    }

    /// Adds users to a channel or group; those who are in it already stay as they are. At most [`MAX_USERS`].
    pub async fn add_members(&self, actor: &Actor, room: &RoomId, users: &[UserId]) -> Result<Arc<Room>> {
        if users.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "users", limit: MAX_USERS as u64 });
        }
        self.judged(|| self.try_add_members(actor, room, users)).await
    }

    async fn try_add_members(&self, actor: &Actor, id: &RoomId, users: &[UserId]) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(id)).await?;
        let judgement = self.judge_adding(actor, &room).await?;
        if room.archived {
            return Err(State::Archived.into());
        }
        let found = self.users_by_id(users).await?;
        if found.len() != users.len() {
            return Err(Refusal::NotFound(What::User));
        }
        if let Some(gone) = found.iter().find(|u| !u.active) {
            return Err(Refusal::invalid("user", format!("{} is not active", gone.username)));
        }
        self.add_all_of(&room, &me, &found, judgement).await
    }

    async fn judge_adding(&self, actor: &Actor, room: &Arc<Room>) -> Result<Judgement> {
        if room.is_direct() {
            self.authorize(actor, Action::ReadRoom, Object::Room(room)).await?;
            return Err(State::DirectRoom.into());
        }
        let any = if room.is_public() { Action::AddAnyChannelUser } else { Action::AddAnyGroupUser };
        match self.authorize(actor, any, Object::Room(room)).await {
            Err(Refusal::NotAllowed(_)) => self.authorize(actor, Action::AddUser, Object::Room(room)).await,
            judged => judged,
        }
    }

    pub(crate) async fn add_all_of(
        &self,
        room: &Arc<Room>,
        me: &User,
        users: &[Arc<User>],
        judgement: Judgement,
    ) -> Result<Arc<Room>> {
        let entries = self.entries(room, users, Some(me)).await?;
        self.store_entries(room, entries, judgement).await
    }

    /// Adds all users of the workspace (or the active ones) to a room; no more than the setting `API_User_Limit`, 500
    /// unless it says otherwise.
    pub async fn add_everybody(&self, actor: &Actor, room: &RoomId, only_active: bool) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        self.require(actor, "add-all-to-room", None).await?;
        let room = self.find_known_room(actor, RoomRef::Id(room)).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        if room.kind == RoomKind::Ticket {
            return Err(Refusal::NotAllowed("ticket-facts"));
        }
        let limit = match self.settings().number("API_User_Limit") as u64 {
            0 => 500,
            limit => limit.min(10_000),
        };
        let filter = UserFilter { active: only_active.then_some(true), ..UserFilter::default() };
        let page = Page { offset: 0, count: limit };
        let all = self.store().reading(move |rows| rows.users(&filter, page)).await?;
        if all.total > limit {
            return Err(Refusal::TooLarge { what: "user-limit", limit });
        }
        let users: Vec<_> = all.items.into_iter().map(Arc::new).collect();
        let mut room = room;
        for chunk in users.chunks(100) {
            room = self.add_all_of(&room, &me, chunk, Judgement::default()).await?;
        }
        Ok(room)
    }

    /// Makes a new user a member of all default rooms, and of the default rooms of teams whose main room is one.
    /// `silent`: without a notice in them.
    pub async fn join_default_rooms(&self, user: &UserId, silent: bool) -> Result<()> {
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        let filter = RoomFilter { default: Some(true), archived: Some(false), ..RoomFilter::default() };
        let page = Page { offset: 0, count: 1_000 };
        let rooms = self
            .store()
            .reading(move |rows| {
                let mut all = rows.rooms(&filter, page)?.items;
                let mains: Vec<_> =
                    all.iter().filter(|v| v.room.team_main).filter_map(|v| v.room.team.clone()).collect();
                for team in mains {
                    let of_team = RoomFilter { team: Some(team), ..RoomFilter::default() };
                    let inside = rows.rooms(&of_team, page)?.items;
                    all.extend(inside.into_iter().filter(|v| v.room.team_default && !v.room.archived));
                }
                Ok(all)
            })
            .await?;
        let entries: Vec<_> = rooms
            .iter()
            .map(|view| {
                let notice = self.notice(&view.room.id, &user, joining_notice(&view.room), &user.username);
                (self.new_membership(&view.room, &user.id, false), notice)
            })
            .collect();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                for (membership, notice) in &entries {
                    if enter_once(tx, membership.clone(), None)?.1 && !silent {
                        tx.append_message(notice.clone())?;
                    }
                }
                Ok(())
            })
            .await
    }
}

/// The field rule, for those who are not in the room yet.
pub(crate) fn check_added(tx: &mut dyn Tx, room: &Room, entries: &[(Membership, Message)]) -> Result<()> {
    let mut added = Vec::new();
    for (membership, _) in entries {
        if tx.membership(&room.id, &membership.user)?.is_none() {
            added.push(membership.user.clone());
        }
    }
    crate::field_rule::check_added(tx, room, &added)
}

/// The notice of somebody who comes by himself.
pub(crate) fn joining_notice(room: &Room) -> &'static str {
    match room {
        room if room.is_discussion() => "ut",
        room if room.team_main => "ujt",
        _ => "uj",
    }
}

pub(crate) fn leaving_notice(room: &Room) -> &'static str {
    if room.team_main { "ult" } else { "ul" }
}

/// Refuses to take away a room's last owner.
pub(crate) fn keep_an_owner(tx: &mut dyn Tx, membership: &Membership) -> Result<()> {
    if membership.has_role("owner") && tx.count_role(&membership.room, "owner")? <= 1 {
        return Err(State::LastOwner.into());
    }
    Ok(())
}

fn removing_anybody(room: &Room) -> Action {
    match room.kind {
        RoomKind::Channel => Action::RemoveAnyChannelUser,
        _ => Action::RemoveAnyGroupUser,
    }
}

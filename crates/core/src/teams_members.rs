//! Who is in a team: the members of its main room, who come into the team's default rooms as well.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{RoleId, RoomId, UserId},
    members::keep_an_owner,
    members_list::Member,
    membership::Membership,
    message::Message,
    permissions::{Action, Judgement, Object},
    role::RoleScope,
    room::Room,
    rooms::{MAX_USERS, RoomRef},
    rooms_notices::{change_roles, end},
    session::Actor,
    store::{Lane, MemberFilter, Page, Paged, Team, Tx},
    user::{Status, User},
};

impl Chat {
    /// A page of a team's members, for those who are in it and holders of `view-all-teams`.
    pub async fn team_members(
        &self,
        actor: &Actor,
        team: &Team,
        filter: MemberFilter,
        status: &[Status],
        page: Page,
    ) -> Result<Paged<Member>> {
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        self.members(actor, &main, filter, status, page).await
    }

    /// Users by id or, where there is no such id, by name; unknown ones are left out.
    pub(crate) async fn users_by_id_or_name(&self, wanted: &[String]) -> Result<Vec<Arc<User>>> {
        if wanted.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "members", limit: MAX_USERS as u64 });
        }
        let mut found: Vec<Arc<User>> = Vec::new();
        for text in wanted {
            let by_id = match UserId::parse(text) {
                Some(id) => self.user(&id).await?,
                None => None,
            };
            let user = match by_id {
                Some(user) => Some(user),
                None => self.users_named(std::slice::from_ref(text)).await?.pop(),
            };
            found.extend(user.filter(|user| found.iter().all(|there| there.id != user.id)));
        }
        Ok(found)
    }

    /// Adds users to a team, each with the roles given (of the main room). Members stay as they are.
    pub async fn add_team_members(
        &self,
        actor: &Actor,
        team: &Team,
        members: &[(UserId, Vec<RoleId>)],
    ) -> Result<()> {
        if members.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "members", limit: MAX_USERS as u64 });
        }
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let judgement = self.judge_adding_members(actor, &main).await?;
        let ids: Vec<UserId> = members.iter().map(|(id, _)| id.clone()).collect();
        let users = self.users_by_id(&ids).await?;
        if users.len() != ids.len() || users.iter().any(|user| !user.active) {
            return Err(Refusal::NotFound(What::User));
        }
        self.add_all_of(&main, &me, &users, judgement).await?;
        for (user, roles) in members {
            self.set_team_roles(&main, user, roles, None).await?;
        }
        Ok(())
    }

    async fn judge_adding_members(&self, actor: &Actor, main: &Arc<Room>) -> Result<Judgement> {
        match self.authorize(actor, Action::EditTeamMember, Object::Room(main)).await {
            Err(Refusal::NotAllowed(_)) => {
                self.authorize(actor, Action::AddTeamMember, Object::Room(main)).await
            }
            judged => judged,
        }
    }

    /// Replaces a team member's roles.
    pub async fn update_team_member(
        &self,
        actor: &Actor,
        team: &Team,
        user: &UserId,
        roles: &[RoleId],
    ) -> Result<()> {
        self.judged(|| async {
            let main = self.look_up(RoomRef::Id(&team.room)).await?;
            let judgement = self.authorize(actor, Action::EditTeamMember, Object::Room(&main)).await?;
            self.set_team_roles(&main, user, roles, Some(judgement)).await
        })
        .await
    }

    /// Replaces a member's roles as somebody was allowed to, or (`instead` nothing) gives these as well.
    async fn set_team_roles(
        &self,
        main: &Arc<Room>,
        user: &UserId,
        roles: &[RoleId],
        instead: Option<Judgement>,
    ) -> Result<()> {
        if roles.is_empty() && instead.is_none() {
            return Ok(());
        }
        // A role of the workspace held in a room would give its rights there.
        let known = self.roles();
        let fits = |role: &RoleId| known.roles.get(role).is_some_and(|r| r.scope == RoleScope::Room);
        if !roles.iter().all(fits) {
            return Err(Refusal::NotFound(What::Role));
        }
        let (room, user, roles) = (main.id.clone(), user.clone(), roles.to_vec());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&instead.clone().unwrap_or_default())?;
                tx.lock_room(&room)?;
                let there = tx.membership(&room, &user)?.ok_or(Refusal::NotFound(What::Membership))?;
                let add = instead.is_none();
                if !add && !roles.iter().any(|role| &**role == "owner") {
                    keep_an_owner(tx, &there)?;
                }
                change_roles(tx, &room, &user, |m| {
                    let mut held = if add { m.roles.clone() } else { Vec::new() };
                    held.extend(roles.iter().cloned());
                    held.sort();
                    held.dedup();
                    m.roles = held;
                })?;
                Ok(())
            })
            .await
    }

    /// Removes somebody from a team, and from those of its rooms that are named. Oneself: leaving.
    pub async fn remove_team_member(
        &self,
        actor: &Actor,
        team: &Team,
        user: &UserId,
        rooms: &[RoomId],
    ) -> Result<()> {
        self.judged(|| self.try_remove_team_member(actor, team, user, rooms)).await
    }

    async fn try_remove_team_member(
        &self,
        actor: &Actor,
        team: &Team,
        user: &UserId,
        rooms: &[RoomId],
    ) -> Result<()> {
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let action = if me.id == *user { Action::TakePart } else { Action::EditTeamMember };
        let judgement = self.authorize(actor, action, Object::Room(&main)).await?;
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::User))?;
        let leaves = me.id == user.id;
        let mut notices = vec![self.leaving_line(&main, &me, &user, leaves)];
        for room in self.all_rooms_of(team).await?.iter().filter(|room| rooms.contains(&room.id)) {
            notices.push(self.leaving_line(room, &me, &user, leaves));
        }
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                for (number, notice) in notices.iter().enumerate() {
                    match put_out(tx, &user.id, notice) {
                        // In the team's other rooms he need not be.
                        Err(Refusal::NotFound(What::Membership)) if number > 0 => {}
                        done => done?,
                    }
                }
                Ok(())
            })
            .await
    }

    fn leaving_line(&self, room: &Room, by: &User, user: &User, leaves: bool) -> Message {
        let kind = match (leaves, room.team_main) {
            (true, _) => crate::members::leaving_notice(room),
            (false, true) => "removed-user-from-team",
            (false, false) => "ru",
        };
        self.notice(&room.id, by, kind, &user.username)
    }

    /// The entries that make these users members of a room: for a team's main room those into the team's default rooms
    /// as well. `by`: who adds them; `None` when they come by themselves.
    pub(crate) async fn entries(
        &self,
        room: &Arc<Room>,
        users: &[Arc<User>],
        by: Option<&User>,
    ) -> Result<Vec<(Membership, Message)>> {
        let mut rooms = vec![room.clone()];
        if let Some(team) = room.team.as_ref().filter(|_| room.team_main) {
            let team = self.team(team).await?;
            rooms.extend(
                self.all_rooms_of(&team).await?.into_iter().filter(|r| r.team_default && !r.archived),
            );
        }
        let mut entries = Vec::with_capacity(rooms.len() * users.len());
        for room in &rooms {
            for user in users {
                let kind = match by {
                    Some(_) if room.team_main => "added-user-to-team",
                    Some(_) => "au",
                    None => crate::members::joining_notice(room),
                };
                let notice = self.notice(&room.id, by.unwrap_or(user), kind, &user.username);
                entries.push((self.new_membership(room, &user.id, by.is_some()), notice));
            }
        }
        Ok(entries)
    }
}

/// Ends one membership, unless it is a last owner's, with its notice.
fn put_out(tx: &mut dyn Tx, user: &UserId, notice: &Message) -> Result<()> {
    tx.lock_room(&notice.room)?.ok_or(Refusal::NotFound(What::Room))?;
    let membership = tx.membership(&notice.room, user)?.ok_or(Refusal::NotFound(What::Membership))?;
    keep_an_owner(tx, &membership)?;
    end(tx, &membership, Some(&notice.author))?;
    tx.append_message(notice.clone())?;
    Ok(())
}

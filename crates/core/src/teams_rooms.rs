//! Which rooms belong to a team.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    id::{RoomId, UserId},
    permissions::{Action, Judgement, Object},
    room::{Room, RoomView},
    room_settings::judge_discussions_anew,
    rooms::RoomRef,
    rooms_notices::change_room,
    session::Actor,
    store::{Lane, MemberFilter, Page, Paged, RoomFilter, Team},
    teams::MAX_ROOMS,
};

/// Which rooms of a team a list wants.
#[derive(Clone, Debug, Default)]
pub struct TeamRoomFilter {
    /// Part of the name.
    pub text: String,
    /// Only those that new members join.
    pub default: Option<bool>,
    /// Only those of this member.
    pub member: Option<UserId>,
}

impl Chat {
    /// Puts rooms into a team. Whoever does it must own each of them and be allowed to add rooms to the team.
    pub async fn add_team_rooms(
        &self,
        actor: &Actor,
        team: &Team,
        rooms: &[RoomId],
    ) -> Result<Vec<Arc<Room>>> {
        self.judged(|| self.try_add_team_rooms(actor, team, rooms)).await
    }

    async fn try_add_team_rooms(
        &self,
        actor: &Actor,
        team: &Team,
        rooms: &[RoomId],
    ) -> Result<Vec<Arc<Room>>> {
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let judgement = self.authorize(actor, Action::AddTeamRoom, Object::Room(&main)).await?;
        if rooms.len() as u64 > MAX_ROOMS {
            return Err(Refusal::TooLarge { what: "rooms", limit: MAX_ROOMS });
        }
        let mut steps = Vec::new();
        for id in rooms {
            let room = self.find_room(actor, RoomRef::Id(id)).await?;
            let owner = self.membership(&room.id, &me.id).await?.is_some_and(|m| m.has_role("owner"));
            if !owner && !actor.is_system() {
                return Err(Refusal::NotAllowed("own-the-room"));
            }
            let notice = self.notice(&main.id, &me, "user-added-room-to-team", room.shown_name().to_owned());
            steps.push((room.id.clone(), notice));
        }
        let team = team.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let mut added = Vec::with_capacity(steps.len());
                for (id, notice) in &steps {
                    let room = tx.lock_room(id)?.ok_or(Refusal::NotFound(What::Room))?;
                    if room.team.is_some() || room.is_direct() || room.is_discussion() {
                        return Err(Refusal::Taken { what: What::Room, value: id.to_string() });
                    }
                    added.push(change_room(tx, id, true, |room| {
                        room.team = Some(team.id.clone());
                        room.team_default = false;
                    })?);
                    if team.private {
                        judge_discussions_anew(tx, id)?;
                    }
                    tx.append_message(notice.clone())?;
                }
                tx.record(None, Event::Team { team: team.id.clone() })?;
                Ok(added)
            })
            .await
    }

    /// A room of the team that the actor may change: one he reads, any for holders of `view-all-team-channels`.
    async fn team_room(
        &self,
        actor: &Actor,
        team: &Team,
        main: &Arc<Room>,
        id: &RoomId,
    ) -> Result<Arc<Room>> {
        let room = self.look_up(RoomRef::Id(id)).await?;
        if room.team.as_ref() != Some(&team.id) || room.team_main {
            return Err(Refusal::NotFound(What::Room));
        }
        let all = self.authorize(actor, Action::ListTeamRooms, Object::Room(main)).await.is_ok();
        if !all {
            self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        }
        Ok(room)
    }

    /// Takes a room out of a team; it goes on by itself.
    pub async fn remove_team_room(&self, actor: &Actor, team: &Team, room: &RoomId) -> Result<Arc<Room>> {
        self.judged(|| self.try_remove_team_room(actor, team, room)).await
    }

    async fn try_remove_team_room(&self, actor: &Actor, team: &Team, room: &RoomId) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let judgement = self.authorize(actor, Action::RemoveTeamRoom, Object::Room(&main)).await?;
        let room = self.team_room(actor, team, &main, room).await?;
        let notice = self.notice(&main.id, &me, "user-removed-room-from-team", room.shown_name().to_owned());
        let team = team.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = change_room(tx, &room.id, true, |room| {
                    room.team = None;
                    room.team_default = false;
                })?;
                tx.append_message(notice.clone())?;
                tx.record(None, Event::Team { team: team.clone() })?;
                Ok(room)
            })
            .await
    }

    /// Makes a team's room one that members join by themselves, now and later, or one that they don't.
    pub async fn set_team_default(&self, actor: &Actor, room: &RoomId, on: bool) -> Result<Arc<Room>> {
        let me = self.active_user(actor).await?;
        let (main, room) = self.judged(|| self.try_set_team_default(actor, room, on)).await?;
        if on {
            self.bring_team_in(&main, &room, &me).await?;
            return self.look_up(RoomRef::Id(&room.id)).await;
        }
        Ok(room)
    }

    async fn try_set_team_default(
        &self,
        actor: &Actor,
        room: &RoomId,
        on: bool,
    ) -> Result<(Arc<Room>, Arc<Room>)> {
        let found = self.look_up(RoomRef::Id(room)).await?;
        let team = match &found.team {
            Some(team) if !found.team_main => self.team(team).await?,
            _ => return Err(Refusal::NotFound(What::Team)),
        };
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let judgement = self.authorize(actor, Action::EditTeamRoom, Object::Room(&main)).await?;
        let id = self.team_room(actor, &team, &main, room).await?.id.clone();
        let room = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                change_room(tx, &id, false, |room| room.team_default = on)
            })
            .await?;
        Ok((main, room))
    }

    /// Makes the team's members (as many as the setting `API_User_Limit` allows, whoever made the room not counted)
    /// members of a room.
    async fn bring_team_in(&self, main: &Arc<Room>, room: &Arc<Room>, by: &crate::user::User) -> Result<()> {
        let limit = match self.settings().number("API_User_Limit") as u64 {
            0 => 500,
            limit => limit.min(10_000),
        };
        let (id, page) = (main.id.clone(), Page { offset: 0, count: limit + 1 });
        let filter = MemberFilter { active: Some(true), ..MemberFilter::default() };
        let members = self.store().reading(move |rows| rows.members(&id, &filter, page)).await?;
        let others = members.items.into_iter().map(|m| m.user).filter(|user| *user != room.creator);
        let ids: Vec<UserId> = others.take(limit as usize).collect();
        for chunk in ids.chunks(100) {
            let users = self.users_by_id(chunk).await?;
            self.add_all_of(room, by, &users, Judgement::default()).await?;
        }
        Ok(())
    }

    /// A page of a team's rooms: those that the actor reads, all for holders of `view-all-team-channels`. People
    /// outside a private team see nothing of it unless they hold `view-all-teams`.
    pub async fn team_rooms(
        &self,
        actor: &Actor,
        team: &Team,
        wanted: TeamRoomFilter,
        page: Page,
    ) -> Result<Paged<RoomView>> {
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let inside = self.membership(&main.id, &me.id).await?.is_some();
        if team.private && !inside && !self.may(actor, "view-all-teams", Some(&main)).await? {
            return Err(Refusal::NotAllowed("view-all-teams"));
        }
        let all = self.authorize(actor, Action::ListTeamRooms, Object::Room(&main)).await.is_ok();
        let filter = RoomFilter {
            team: Some(team.id.clone()),
            in_team: Some(true),
            text: wanted.text,
            team_default: wanted.default,
            member: wanted.member,
            visible_to: (!all).then(|| me.id.clone()),
            ..RoomFilter::default()
        };
        self.store().reading(move |rows| rows.rooms(&filter, page)).await
    }

    /// A page of what hangs below a team: its rooms and the discussions of its main room, newest first.
    pub async fn team_children(
        &self,
        actor: &Actor,
        team: &Team,
        text: &str,
        discussions: Option<bool>,
        page: Page,
    ) -> Result<Paged<RoomView>> {
        let me = self.active_user(actor).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&main)).await?;
        let filter = RoomFilter {
            below_team: Some((team.id.clone(), main.id.clone())),
            discussion: discussions,
            text: text.to_owned(),
            visible_to: Some(me.id.clone()),
            sort: crate::store::RoomSort::LastMessage,
            descending: true,
            ..RoomFilter::default()
        };
        self.store().reading(move |rows| rows.rooms(&filter, page)).await
    }
}

//! Teams: a main room whose members are the team, and rooms that belong to it.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::Event,
    id::{RoomId, TeamId, UserId},
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::RoomRef,
    rooms_create::{NewRoom, store_draft},
    rooms_notices::{change_room, later},
    rooms_remove::erase,
    session::Actor,
    store::{Lane, Page, Paged, RoomFilter, Team, TeamFilter, Tx},
};

/// What a new team shall be.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// Its name, and its main room's.
    pub name: String,
    /// Private ones are found by members only.
    pub private: bool,
    /// First members, by user name or id.
    pub members: Vec<String>,
    /// Who owns it instead of the creator; by user name or id.
    pub owner: Option<String>,
    /// What the main room is beside its name and members.
    pub room: NewRoom,
    /// What clients show beside it: one or two of `channels` and `discussions`; empty for nothing.
    pub sidepanel: Vec<String>,
}

/// A team as somebody names it.
#[derive(Clone, Copy, Debug)]
pub enum TeamRef<'a> {
    /// By its id.
    Id(&'a str),
    /// By its name.
    Name(&'a str),
}

/// A team with its numbers.
#[derive(Clone, Debug)]
pub struct TeamView {
    /// The team.
    pub team: Team,
    /// Its rooms, the main room not counted.
    pub rooms: u64,
    /// Its members.
    pub members: i64,
}

/// Rooms of one team at most.
pub(crate) const MAX_ROOMS: u64 = 1_000;

impl Chat {
    /// A team without any judgement: for verbs, which judge afterwards.
    pub(crate) async fn team(&self, id: &TeamId) -> Result<Team> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.team(&wanted)).await?;
        found.ok_or(Refusal::NotFound(What::Team))
    }

    /// A team that is open to the actor: a public one, one of his own, any for holders of `view-all-teams`. That there
    /// is a private one of this name is no secret (nobody else may take the name); what is in it is.
    pub async fn find_team(&self, actor: &Actor, wanted: TeamRef<'_>) -> Result<Team> {
        let user = self.active_user(actor).await?;
        let team = self.look_up_team(wanted).await?;
        let open = !team.private
            || self.membership(&team.room, &user.id).await?.is_some()
            || self.may(actor, "view-all-teams", None).await?;
        if open { Ok(team) } else { Err(Refusal::NotAllowed("view-all-teams")) }
    }

    /// As [`Chat::find_team`]; open as well to those who may put rooms into it, whoever they are.
    pub async fn find_team_for_rooms(&self, actor: &Actor, wanted: TeamRef<'_>) -> Result<Team> {
        match self.find_team(actor, wanted).await {
            Err(Refusal::NotAllowed(closed)) => {
                let team = self.look_up_team(wanted).await?;
                let main = self.look_up(RoomRef::Id(&team.room)).await?;
                match self.authorize(actor, Action::AddTeamRoom, Object::Room(&main)).await {
                    Ok(_) => Ok(team),
                    Err(_) => Err(Refusal::NotAllowed(closed)),
                }
            }
            found => found,
        }
    }

    /// Judges what is done to rooms of a team, by the team's main room. Whoever does it knows the team by a room of it, so
    /// one who may not see it is told which permission is missing.
    pub(crate) async fn authorize_in_team(
        &self,
        actor: &Actor,
        team: &Team,
        action: Action,
        permission: &'static str,
    ) -> Result<Judgement> {
        let main = self.room(&team.room).await?;
        match self.authorize(actor, action, Object::Room(&main)).await {
            Err(Refusal::NotFound(_)) => Err(Refusal::NotAllowed(permission)),
            judged => judged,
        }
    }

    async fn look_up_team(&self, wanted: TeamRef<'_>) -> Result<Team> {
        match wanted {
            TeamRef::Id(id) => self.team(&TeamId::parse(id).ok_or(Refusal::NotFound(What::Team))?).await,
            TeamRef::Name(name) if name.contains('\0') => Err(Refusal::NotFound(What::Team)),
            TeamRef::Name(name) => {
                let name = name.to_owned();
                let found = self.store().reading(move |rows| rows.team_by_name(&name)).await?;
                found.ok_or(Refusal::NotFound(What::Team))
            }
        }
    }

    /// A page of teams with their numbers: one's own, or all that one may know of (`everybody`; all there are for holders
    /// of `view-all-teams`).
    pub async fn list_teams(&self, actor: &Actor, everybody: bool, page: Page) -> Result<Paged<TeamView>> {
        let user = self.active_user(actor).await?.id.clone();
        let filter = if !everybody {
            TeamFilter { member: Some(user), ..TeamFilter::default() }
        } else if self.may(actor, "view-all-teams", None).await? {
            TeamFilter::default()
        } else {
            TeamFilter { visible_to: Some(user), ..TeamFilter::default() }
        };
        let found = self.store().reading(move |rows| rows.teams(&filter, page)).await?;
        let mut items = Vec::with_capacity(found.items.len());
        for team in found.items {
            items.push(self.team_view(team).await?);
        }
        Ok(Paged { items, total: found.total })
    }

    /// A team with its numbers.
    pub async fn team_view(&self, team: Team) -> Result<TeamView> {
        let members = self.look_up(RoomRef::Id(&team.room)).await.map_or(0, |room| room.members);
        let filter = RoomFilter { team: Some(team.id.clone()), in_team: Some(true), ..RoomFilter::default() };
        let none = Page { offset: 0, count: 0 };
        let rooms = self.store().reading(move |rows| rows.rooms(&filter, none)).await?.total;
        Ok(TeamView { team, rooms, members })
    }

    /// Teams that the actor may know of and whose name begins so; at most 10.
    pub async fn complete_team(&self, actor: &Actor, prefix: &str) -> Result<Vec<Team>> {
        let user = self.active_user(actor).await?.id.clone();
        let filter =
            TeamFilter { prefix: prefix.to_owned(), visible_to: Some(user), ..TeamFilter::default() };
        let page = Page { offset: 0, count: 10 };
        Ok(self.store().reading(move |rows| rows.teams(&filter, page)).await?.items)
    }

    /// Teams of another user, as far as the actor may know of them.
    pub async fn teams_of(&self, actor: &Actor, user: &UserId) -> Result<Vec<Team>> {
        let me = self.active_user(actor).await?.id.clone();
        let all = self.may(actor, "view-all-teams", None).await?;
        let visible_to = (!all && me != *user).then_some(me);
        let filter = TeamFilter { member: Some(user.clone()), visible_to, ..TeamFilter::default() };
        let page = Page { offset: 0, count: MAX_ROOMS };
        Ok(self.store().reading(move |rows| rows.teams(&filter, page)).await?.items)
    }

    /// Whether somebody owns a team.
    pub async fn owns_team(&self, team: &Team, user: &UserId) -> Result<bool> {
        Ok(self.membership(&team.room, user).await?.is_some_and(|m| m.has_role("owner")))
    }

    /// Makes a team with its main room. The creator (or the owner asked for) owns both.
    pub async fn create_team(&self, actor: &Actor, wanted: NewTeam) -> Result<Team> {
        self.judged(|| self.try_create_team(actor, &wanted)).await
    }

    async fn try_create_team(&self, actor: &Actor, wanted: &NewTeam) -> Result<Team> {
        let me = self.active_user(actor).await?;
        self.require(actor, "create-team", None).await?;
        crate::room_settings::bounded(&wanted.room.topic, "topic")?;
        let name = crate::rooms_names::clean_title(&wanted.name)?;
        if self.store().reading(move |rows| rows.team_by_name(&name)).await?.is_some() {
            return Err(Refusal::Taken { what: What::TeamName, value: wanted.name.clone() });
        }
        let names = self.check_room_name(&wanted.name, None).await?;
        let owner = match &wanted.owner {
            Some(owner) => self.users_by_id_or_name(std::slice::from_ref(owner)).await?.pop(),
            None => Some(me.clone()),
        };
        let owner = owner.ok_or(Refusal::NotFound(What::User))?;
        let members = self.users_by_id_or_name(&wanted.members).await?;
        let mut draft = self.draft_room(&owner, &wanted.room, names.clone(), &members);
        let team = Team {
            id: TeamId::new(self.new_id()),
            name: names.name,
            private: wanted.private,
            room: draft.room.id.clone(),
            creator: me.id.clone(),
            created_at: Time::default(),
            updated_at: Time::default(),
        };
        draft.room.kind = if wanted.private { RoomKind::Group } else { RoomKind::Channel };
        draft.room.team = Some(team.id.clone());
        draft.room.team_main = true;
        crate::room_settings::check_sidepanel(&draft.room, &wanted.sidepanel)?;
        draft.room.sidepanel.clone_from(&wanted.sidepanel);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                store_draft(tx, &draft)?;
                store_team(tx, &team)
            })
            .await
    }

    /// Makes a team of a room that belongs to none; its members become the team.
    pub async fn convert_to_team(&self, actor: &Actor, room: &RoomId) -> Result<Team> {
        self.judged(|| self.try_convert_to_team(actor, room)).await
    }

    async fn try_convert_to_team(&self, actor: &Actor, room: &RoomId) -> Result<Team> {
        let me = self.active_user(actor).await?;
        let room = self.look_up(RoomRef::Id(room)).await?;
        self.require(actor, "create-team", Some(&room)).await?;
        let judgement = self.authorize(actor, Action::EditRoom, Object::Room(&room)).await?;
        let team = Team {
            id: TeamId::new(self.new_id()),
            name: room.name.clone().ok_or(Refusal::invalid("room", "has no name"))?,
            private: !room.is_public(),
            room: room.id.clone(),
            creator: me.id.clone(),
            created_at: Time::default(),
            updated_at: Time::default(),
        };
        let notice = self.notice(&room.id, &me, "user-converted-to-team", &team.name);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = tx.lock_room(&team.room)?.ok_or(Refusal::NotFound(What::Room))?;
                if room.team.is_some() || room.is_discussion() || room.is_direct() {
                    return Err(Refusal::invalid("room", "it belongs to a team already or can't become one"));
                }
                let stored = store_team(tx, &team)?;
                change_room(tx, &team.room, true, |room| {
                    room.team = Some(team.id.clone());
                    room.team_main = true;
                })?;
                tx.append_message(notice.clone())?;
                Ok(stored)
            })
            .await
    }

    /// Renames a team with its main room, or makes it public or private.
    pub async fn update_team(
        &self,
        actor: &Actor,
        team: &TeamId,
        name: Option<&str>,
        private: Option<bool>,
    ) -> Result<()> {
        let team = self.team(team).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        self.authorize(actor, Action::EditTeam, Object::Room(&main)).await?;
        let mut changes = Vec::new();
        if let Some(name) = name.filter(|name| *name != team.name) {
            changes.push(crate::room_settings::RoomChange::Name(name.to_owned()));
        }
        if let Some(private) = private.filter(|private| *private != team.private) {
            let kind = if private { RoomKind::Group } else { RoomKind::Channel };
            changes.push(crate::room_settings::RoomChange::Kind(kind));
        }
        if !changes.is_empty() {
            self.change_room(actor, RoomRef::Id(&team.room), &changes).await?;
        }
        Ok(())
    }

    /// Ends a team. `remove`: rooms of it that are removed as well; the others go on by themselves. The main room is
    /// removed (`keep_main`: becomes an ordinary room).
    pub async fn end_team(
        &self,
        actor: &Actor,
        team: &TeamId,
        remove: &[RoomId],
        keep_main: bool,
    ) -> Result<()> {
        self.judged(|| self.try_end_team(actor, team, remove, keep_main)).await
    }

    async fn try_end_team(
        &self,
        actor: &Actor,
        team: &TeamId,
        remove: &[RoomId],
        keep_main: bool,
    ) -> Result<()> {
        let me = self.active_user(actor).await?;
        let team = self.team(team).await?;
        let main = self.look_up(RoomRef::Id(&team.room)).await?;
        let action = if keep_main { Action::ConvertTeam } else { Action::DeleteTeam };
        let judgement = self.authorize(actor, action, Object::Room(&main)).await?;
        let rooms = self.all_rooms_of(&team).await?;
        let mut gone = Vec::new();
        for room in &rooms {
            if remove.contains(&room.id) {
                let action = if room.is_public() { Action::DeleteChannel } else { Action::DeleteGroup };
                self.authorize(actor, action, Object::Room(room)).await?;
                gone.push(room.clone());
            }
        }
        let kept: Vec<_> = rooms.into_iter().filter(|room| !remove.contains(&room.id)).collect();
        let notice = self.notice(&main.id, &me, "user-converted-to-channel", &team.name);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                gone.iter().try_for_each(|room| erase(tx, room))?;
                for room in &kept {
                    change_room(tx, &room.id, true, |room| {
                        room.team = None;
                        room.team_default = false;
                    })?;
                }
                tx.remove_team(&team.id)?;
                if keep_main {
                    change_room(tx, &main.id, true, |room| {
                        room.team = None;
                        room.team_main = false;
                        room.sidepanel.clear();
                    })?;
                    tx.append_message(notice.clone())?;
                } else {
                    erase(tx, &main)?;
                }
                tx.record(None, Event::Team { team: team.id.clone() })
            })
            .await
    }

    /// All rooms of a team but its main room.
    pub(crate) async fn all_rooms_of(&self, team: &Team) -> Result<Vec<Arc<Room>>> {
        let filter = RoomFilter { team: Some(team.id.clone()), in_team: Some(true), ..RoomFilter::default() };
        let page = Page { offset: 0, count: MAX_ROOMS };
        let found = self.store().reading(move |rows| rows.rooms(&filter, page)).await?;
        Ok(found.items.into_iter().map(|view| view.room).collect())
    }
}

fn store_team(tx: &mut dyn Tx, team: &Team) -> Result<Team> {
    let now = tx.now();
    let team = Team { created_at: now, updated_at: later(now, team.updated_at), ..team.clone() };
    tx.insert_team(&team)?;
    tx.record(None, Event::Team { team: team.id.clone() })?;
    Ok(team)
}

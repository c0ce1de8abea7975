//! Making rooms: channels, groups and direct rooms.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::{Change, Event},
    id::{RoleId, RoomId, TeamId, UserId},
    json::Json,
    membership::Membership,
    message::Message,
    permissions::{Action, Judgement},
    room::{Room, RoomKind},
    rooms::{GENERAL, MAX_DIRECT, MAX_USERS},
    rooms_names::{Names, clean_title},
    rooms_notices::enter,
    session::Actor,
    store::{Lane, Tx},
    user::User,
};

/// What a new channel or group shall be.
#[derive(Clone, Debug)]
pub struct NewRoom {
    /// Channel or group.
    pub kind: RoomKind,
    /// Its name.
    pub name: String,
    /// User names of the first members; unknown ones are left out. At most [`MAX_USERS`].
    pub members: Vec<String>,
    /// The creator does not become a member.
    pub without_me: bool,
    /// Only owners and moderators write.
    pub read_only: bool,
    /// Only its announcers write.
    pub broadcast: bool,
    /// End-to-end encrypted; `None` asks the setting `E2E_Enabled_Default_PrivateRooms`.
    pub encrypted: Option<bool>,
    /// Short line above the conversation.
    pub topic: String,
    /// Custom fields: a JSON object.
    pub custom_fields: Json,
    /// The team it belongs to.
    pub team: Option<TeamId>,
}

impl NewRoom {
    /// A plain room of this kind and name.
    pub fn new(kind: RoomKind, name: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            members: Vec::new(),
            without_me: false,
            read_only: false,
            broadcast: false,
            encrypted: None,
            topic: String::new(),
            custom_fields: Json::object(),
            team: None,
        }
    }
}

/// A room that is ready to be stored, with its first members and notices.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) room: Room,
    pub(crate) members: Vec<Membership>,
    pub(crate) notices: Vec<Message>,
}

impl Chat {
    /// Makes a channel or group. The creator becomes its owner.
    pub async fn create_room(&self, actor: &Actor, wanted: NewRoom) -> Result<Arc<Room>> {
        self.judged(|| self.try_create_room(actor, &wanted)).await
    }

    async fn try_create_room(&self, actor: &Actor, wanted: &NewRoom) -> Result<Arc<Room>> {
        let user = self.active_user(actor).await?;
        let judgement = self.judge_creation(actor, &user, wanted).await?;
        let names = self.check_room_name(&wanted.name, None).await?;
        let members = self.users_named(&wanted.members).await?;
        let draft = self.draft_room(&user, wanted, names, &members);
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                store_draft(tx, &draft)
            })
            .await
    }

    async fn judge_creation(&self, actor: &Actor, user: &User, wanted: &NewRoom) -> Result<Judgement> {
        match wanted.kind {
            RoomKind::Channel => self.require(actor, "create-c", None).await?,
            RoomKind::Group => self.require(actor, "create-p", None).await?,
            _ => return Err(Refusal::invalid("room-type", "must be a channel or a group")),
        }
        crate::room_settings::bounded(&wanted.topic, "topic")?;
        if wanted.custom_fields.as_str().len() > 64 * 1024 {
            return Err(Refusal::TooLarge { what: "customFields", limit: 64 * 1024 });
        }
        if let Some(team) = &wanted.team {
            let id = team.clone();
            let team = self.store().reading(move |rows| rows.team(&id)).await?;
            let team = team.ok_or(Refusal::NotFound(What::Team))?;
            let (action, permission) = match wanted.kind {
                RoomKind::Channel => (Action::CreateTeamChannel, "create-team-channel"),
                _ => (Action::CreateTeamGroup, "create-team-group"),
            };
            return self.authorize_in_team(actor, &team, action, permission).await;
        }
        Ok(Judgement { user: Some((user.id.clone(), user.access)), ..Judgement::default() })
    }

    pub(crate) fn draft_room(
        &self,
        by: &User,
        wanted: &NewRoom,
        names: Names,
        members: &[Arc<User>],
    ) -> Draft {
        let mut room = self.blank_room(wanted.kind, by);
        let private = wanted.kind == RoomKind::Group;
        let default = private && self.settings().is_on("E2E_Enabled_Default_PrivateRooms");
        room.encrypted = wanted.encrypted.unwrap_or(default && self.settings().is_on("E2E_Enable"));
        room.name = Some(names.name);
        room.title = Some(names.title);
        room.read_only = wanted.read_only || wanted.broadcast;
        room.broadcast = wanted.broadcast;
        room.topic = wanted.topic.clone();
        room.custom_fields = wanted.custom_fields.clone();
        room.team = wanted.team.clone();
        let mut draft = Draft { members: Vec::new(), notices: Vec::new(), room };
        if !wanted.without_me {
            let mut owner = self.new_membership(&draft.room, &by.id, false);
            owner.roles = vec![RoleId::from("owner")];
            draft.members.push(owner);
        }
        for user in members.iter().filter(|u| u.id != by.id && u.active) {
            draft.members.push(self.new_membership(&draft.room, &user.id, true));
        }
        draft
    }

    pub(crate) fn blank_room(&self, kind: RoomKind, by: &User) -> Room {
        Room { access: 1, ..Room::blank(RoomId::new(self.new_id()), kind, by.id.clone()) }
    }

    /// Users of these names, each once, without the unknown ones.
    pub(crate) async fn users_named(&self, names: &[String]) -> Result<Vec<Arc<User>>> {
        if names.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "members", limit: MAX_USERS as u64 });
        }
        let names = names.to_vec();
        self.store()
            .reading(move |rows| {
                let mut found: Vec<Arc<User>> = Vec::new();
                for name in names.iter().filter(|n| !n.contains('\0')) {
                    if let Some(user) = rows.user_by_username(name.trim_start_matches('@'))?
                        && found.iter().all(|u| u.id != user.id)
                    {
                        found.push(Arc::new(user));
                    }
                }
                Ok(found)
            })
            .await
    }

    /// The direct room of the actor and these users, made when there is none yet; `true` when it is new.
    /// Empty or only the actor: a room with oneself. `without_me`: the actor opens a room between others.
    pub async fn direct_room(
        &self,
        actor: &Actor,
        usernames: &[String],
        without_me: bool,
    ) -> Result<(Arc<Room>, bool)> {
        let user = self.active_user(actor).await?;
        if usernames.len() > MAX_DIRECT {
            return Err(Refusal::TooLarge { what: "direct-message-users", limit: MAX_DIRECT as u64 });
        }
        // Whether others have a room, and which, is no business of just anybody.
        if without_me {
            self.require(actor, "view-room-administration", None).await?;
        }
        let found = self.users_named(usernames).await?;
        let wanted: std::collections::BTreeSet<_> =
            usernames.iter().map(|n| n.trim_start_matches('@').to_lowercase()).collect();
        if found.len() != wanted.len() {
            return Err(Refusal::NotFound(What::Username));
        }
        let mut users = found;
        if !without_me && users.iter().all(|u| u.id != user.id) {
            users.push(user.clone());
        }
        self.direct_room_of(actor, &user, users).await
    }

    /// The direct room of the actor and this user, if there is one.
    pub async fn existing_direct_room(&self, actor: &Actor, username: &str) -> Result<Option<Arc<Room>>> {
        let me = self.active_user(actor).await?.id.clone();
        let other = match self.users_named(&[username.to_owned()]).await?.pop() {
            Some(user) => user.id.clone(),
            None => return Ok(None),
        };
        let found = self.store().reading(move |rows| rows.direct_room(&[me, other])).await?;
        Ok(found.map(Arc::new))
    }

    async fn direct_room_of(
        &self,
        actor: &Actor,
        user: &Arc<User>,
        mut users: Vec<Arc<User>>,
    ) -> Result<(Arc<Room>, bool)> {
        users.sort_by(|a, b| a.id.cmp(&b.id));
        let most = match self.settings().number("DirectMesssage_maxUsers") as usize {
            0 => 8,
            most => most.min(MAX_DIRECT),
        };
        if users.len() > most {
            return Err(Refusal::TooLarge { what: "direct-message-users", limit: most as u64 });
        }
        let ids: Vec<UserId> = users.iter().map(|u| u.id.clone()).collect();
        let wanted = ids.clone();
        let there = self.store().reading(move |rows| rows.direct_room(&wanted)).await?;
        if there.is_none() {
            if !self.may(actor, "create-d", None).await? {
                return Err(Refusal::NotAllowed("create-d"));
            }
            if let Some(gone) = users.iter().find(|u| !u.active) {
                return Err(Refusal::invalid("user", format!("{} is not active", gone.username)));
            }
        }
        let mut room = self.blank_room(RoomKind::Direct, user);
        room.direct = ids;
        let members: Vec<Membership> =
            users.iter().map(|u| self.new_direct_membership(&room, u, user)).collect();
        let draft = Draft { room, members, notices: Vec::new() };
        match self.find_or_store(&draft, &user.id).await {
            // Another node made it between the look and the insertion.
            Err(Refusal::Taken { .. }) => self.find_or_store(&draft, &user.id).await,
            done => done,
        }
    }

    async fn find_or_store(&self, draft: &Draft, me: &UserId) -> Result<(Arc<Room>, bool)> {
        let (draft, me) = (draft.clone(), me.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| match tx.direct_room(&draft.room.direct)? {
                Some(there) => reopen(tx, &there, &me).map(|()| (Arc::new(there), false)),
                None => Ok((store_draft(tx, &draft)?, true)),
            })
            .await
    }

    /// For the others the room shows up when somebody writes.
    fn new_direct_membership(&self, room: &Room, user: &User, by: &User) -> Membership {
        let mut membership = self.new_membership(room, &user.id, false);
        membership.open = user.id == by.id;
        membership
    }

    /// Sees to it that `GENERAL` exists: made at the first start, in the name of `by`.
    pub async fn ensure_general(&self, by: &UserId) -> Result<Arc<Room>> {
        let user = self.user(by).await?.ok_or(Refusal::NotFound(What::User))?;
        let mut room = self.blank_room(RoomKind::Channel, &user);
        room.id = RoomId::from(GENERAL);
        room.name = Some(clean_title("general")?);
        room.title = room.name.clone();
        room.default = true;
        let draft = Draft { room, members: Vec::new(), notices: Vec::new() };
        self.store()
            .writing(Lane::Verbs, move |tx| match tx.room(&draft.room.id)? {
                Some(there) => Ok(Arc::new(there)),
                None => store_draft(tx, &draft),
            })
            .await
    }
}

/// Opens a direct room again for whoever asked for it.
fn reopen(tx: &mut dyn Tx, room: &Room, user: &UserId) -> Result<()> {
    if tx.membership(&room.id, user)?.is_some() {
        crate::rooms_notices::change_membership(tx, &room.id, user, |m| m.open = true)?;
    }
    Ok(())
}

/// The field rule, for a room that is about to be made.
fn check_members(tx: &mut dyn Tx, draft: &Draft) -> Result<()> {
    let mut users = Vec::new();
    for membership in &draft.members {
        users.extend(tx.user(&membership.user)?);
        // One who is not field staff is enough, and large rooms nearly always begin with one.
        if users.last().is_some_and(|user| user.class() != crate::classes::Class::Field) {
            return Ok(());
        }
    }
    crate::field_rule::check_all(draft.room.kind, users.iter())
}

/// Stores a new room with its members and notices, and tells of them.
pub(crate) fn store_draft(tx: &mut dyn Tx, draft: &Draft) -> Result<Arc<Room>> {
    let mut room = draft.room.clone();
    room.created_at = tx.now();
    room.updated_at = tx.now();
    check_members(tx, draft)?;
    tx.insert_room(&room)?;
    room.members = draft.members.len() as i64;
    let room = Arc::new(room);
    tx.record(None, Event::Room { room: room.clone(), change: Change::Made })?;
    for membership in &draft.members {
        enter(tx, membership.clone(), Some(&room.creator))?;
    }
    for notice in &draft.notices {
        tx.append_message(notice.clone())?;
    }
    Ok(room)
}

//! Groups and direct rooms as host applications make and change them: the admins of a room decide about it, whatever
//! the workspace's permissions say elsewhere.

use std::sync::Arc;

use crate::{
    cards::Seat,
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{MessageId, RoleId, RoomId, UserId},
    json::Json,
    membership::Membership,
    message::Message,
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    rooms::MAX_USERS,
    rooms_create::{NewRoom, store_draft},
    rooms_names::{Names, host_name},
    rooms_notices::{change_roles, change_room, end, enter_once},
    session::Actor,
    store::{Lane, MemberFilter, Page, Receipt, Tx},
    tickets::free_name,
    user::User,
};

/// Longest name of a room, in characters.
pub const MAX_TITLE: usize = 120;
/// Longest description of a room, in characters.
pub const MAX_DESCRIPTION: usize = 1_000;
/// Longest address of a room's picture, in characters.
const MAX_URL: usize = 2_000;

/// A group as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct HostGroup {
    /// Its name.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// The address of its picture.
    pub avatar_url: Option<String>,
    /// Who is in it besides the maker.
    pub members: Vec<UserId>,
}

/// What to change of a group; `None` stays.
#[derive(Clone, Debug, Default)]
pub struct HostRoomChange {
    /// Its name.
    pub title: Option<String>,
    /// What it is for; an inner `None` empties it.
    pub description: Option<Option<String>>,
    /// The address of its picture; an inner `None` takes it away.
    pub avatar_url: Option<Option<String>>,
}

/// The key of a room's custom fields that holds its picture's address.
pub const AVATAR_FIELD: &str = "avatarUrl";

impl Chat {
    /// Which of these nobody has, or are switched off; in their order.
    pub async fn unknown_users(&self, ids: &[String]) -> Result<Vec<String>> {
        let mut unknown = Vec::new();
        for text in ids {
            let user = match UserId::parse(text) {
                Some(id) => self.user(&id).await?.filter(|user| user.active),
                None => None,
            };
            if user.is_none() {
                unknown.push(text.clone());
            }
        }
        Ok(unknown)
    }

    /// The direct room with another user, made when there is none; `true` when it is new.
    pub async fn host_direct(&self, actor: &Actor, other: &UserId) -> Result<(Arc<Room>, bool)> {
        let other = self.user(other).await?.ok_or(Refusal::NotFound(What::User))?;
        self.direct_room(actor, std::slice::from_ref(&other.username), false).await
    }

    /// Makes a private group; its maker is its admin.
    ///
    /// # Errors
    /// `Invalid`, `NotFound(User)`, `State(FieldToField)`.
    pub async fn host_group(&self, actor: &Actor, wanted: HostGroup) -> Result<Arc<Room>> {
        if wanted.members.len() > MAX_USERS {
            return Err(Refusal::TooLarge { what: "member_ids", limit: MAX_USERS as u64 });
        }
        let me = self.active_user(actor).await?;
        self.require(actor, "create-p", None).await?;
        check(&HostRoomChange {
            title: Some(wanted.title.clone()),
            description: Some(Some(wanted.description.clone())),
            avatar_url: wanted.avatar_url.clone().map(Some),
        })?;
        let members = self.users_by_id(&wanted.members).await?;
        let plain = NewRoom::new(RoomKind::Group, &wanted.title);
        let names = Names { name: String::new(), title: wanted.title.clone() };
        let mut draft = self.draft_room(&me, &plain, names, &members);
        let slug = host_name(&wanted.title, &draft.room.id);
        draft.room.description = wanted.description;
        draft.room.custom_fields = with_avatar(&draft.room.custom_fields, wanted.avatar_url.as_deref());
        let judgement = Judgement { user: Some((me.id.clone(), me.access)), ..Judgement::default() };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let mut draft = draft.clone();
                draft.room.name = Some(free_name(tx, &slug)?);
                store_draft(tx, &draft)
            })
            .await
    }

    /// A group that the actor is an admin of.
    async fn own_group(&self, actor: &Actor, id: &RoomId) -> Result<(Arc<Room>, Judgement)> {
        let room = self.readable_room(actor, id).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        if room.kind != RoomKind::Group || !self.is_room_admin(actor, &room).await? {
            return Err(Refusal::NotAllowed("room-admin"));
        }
        let judgement = self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        Ok((room, judgement))
    }

    /// Changes a group; for its admins.
    ///
    /// # Errors
    /// `NotFound(Room)`, `NotAllowed`, `State(DirectRoom)`, `Invalid`.
    pub async fn change_host_room(
        &self,
        actor: &Actor,
        id: &RoomId,
        change: HostRoomChange,
    ) -> Result<Arc<Room>> {
        check(&change)?;
        self.judged(|| async {
            let (room, judgement) = self.own_group(actor, id).await?;
            let change = change.clone();
            let id = room.id.clone();
            let store = move |tx: &mut dyn Tx| {
                tx.check(&judgement)?;
                change_room(tx, &id, false, |room| apply(room, &change))
            };
            self.store().writing(Lane::Verbs, store).await
        })
        .await
    }

    /// Adds a member to a group, as an admin of it or not; for its admins. `false` when he was in it.
    pub async fn add_host_member(
        &self,
        actor: &Actor,
        id: &RoomId,
        user: &UserId,
        admin: bool,
    ) -> Result<(Seat, bool)> {
        let new = self.judged(|| self.try_add_host_member(actor, id, user, admin)).await?;
        Ok((self.seat(actor, id, user).await?, new))
    }

    async fn try_add_host_member(
        &self,
        actor: &Actor,
        id: &RoomId,
        user: &UserId,
        admin: bool,
    ) -> Result<bool> {
        let (room, judgement) = self.own_group(actor, id).await?;
        let found = self.user(user).await?.filter(|user| user.active);
        let user = found.ok_or(Refusal::NotFound(What::User))?;
        let me = self.active_user(actor).await?;
        let mut entries = self.entries(&room, std::slice::from_ref(&user), Some(&me)).await?;
        if admin {
            entries.iter_mut().for_each(|(membership, _)| membership.roles.push(RoleId::new("owner")));
        }
        let (id, whom) = (room.id.clone(), user.id.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                let room = tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                crate::members::check_added(tx, &room, &entries)?;
                let mut new = false;
                for (membership, notice) in &entries {
                    let by = Some(&notice.author);
                    let (there, entered) = enter_once(tx, membership.clone(), by)?;
                    new |= entered;
                    if entered {
                        tx.append_message(notice.clone())?;
                    } else if admin && !there.is_room_admin() {
                        change_roles(tx, &id, &whom, |m| m.roles.push(RoleId::new("owner")))?;
                    }
                }
                Ok(new)
            })
            .await
    }

    /// Removes a member from a group: its admins anybody, others themselves. When its last admin goes, the member who
    /// has been in it longest becomes one.
    ///
    /// # Errors
    /// `NotFound(Room)`, `NotFound(Membership)`, `NotAllowed`, `State(DirectRoom)`.
    pub async fn remove_host_member(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<()> {
        self.judged(|| self.try_remove_host_member(actor, id, user)).await
    }

    async fn try_remove_host_member(&self, actor: &Actor, id: &RoomId, user: &UserId) -> Result<()> {
        let room = self.readable_room(actor, id).await?;
        let me = self.active_user(actor).await?;
        if room.is_direct() {
            return Err(State::DirectRoom.into());
        }
        let user = self.user(user).await?.ok_or(Refusal::NotFound(What::Membership))?;
        let own = user.id == me.id;
        if room.kind != RoomKind::Group || !(own || self.is_room_admin(actor, &room).await?) {
            return Err(Refusal::NotAllowed("room-admin"));
        }
        let judgement = self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let kind = if own { "ul" } else { "ru" };
        let notice = self.notice(&room.id, &me, kind, &user.username);
        let (id, whom) = (room.id.clone(), user.id.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                tx.lock_room(&id)?.ok_or(Refusal::NotFound(What::Room))?;
                let membership = tx.membership(&id, &whom)?.ok_or(Refusal::NotFound(What::Membership))?;
                pass_on(tx, &membership)?;
                end(tx, &membership, Some(&notice.author))?;
                tx.append_message(notice.clone()).map(drop)
            })
            .await
    }

    /// Mutes a member of a group, or lets him write again; for its admins.
    pub async fn mute_host_member(
        &self,
        actor: &Actor,
        id: &RoomId,
        user: &UserId,
        on: bool,
    ) -> Result<Seat> {
        self.own_group(actor, id).await?;
        self.seat(actor, id, user).await?;
        // The judgement was made: the workspace's own permission is no second one.
        let system = Actor::system(actor.user.clone());
        self.mute(&system, id, user, on).await?;
        self.seat(actor, id, user).await
    }

    /// Who has read a message, its author left out; at most 1,000.
    pub async fn host_receipts(
        &self,
        actor: &Actor,
        id: &MessageId,
    ) -> Result<(Message, Vec<(Arc<User>, Receipt)>)> {
        let (room, message) = self.host_message(actor, id).await?;
        self.flush_marks().await?;
        let seq = message.seq;
        let receipts = self.store().reading(move |rows| rows.receipts(&room.id, seq)).await?;
        let mut found = Vec::with_capacity(receipts.len());
        for receipt in receipts.into_iter().filter(|receipt| receipt.user != message.author) {
            if let Some(user) = self.user(&receipt.user).await? {
                found.push((user, receipt));
            }
        }
        Ok((message, found))
    }

    /// Whether the actor may take a room's messages away with him: its admins, and ADMIN as a member of it.
    ///
    /// # Errors
    /// `NotFound(Room)`, `NotAllowed`.
    pub async fn may_export(&self, actor: &Actor, id: &RoomId) -> Result<Arc<Room>> {
        let room = self.readable_room(actor, id).await?;
        let user = self.active_user(actor).await?;
        let member = self.membership(&room.id, &user.id).await?.is_some();
        if self.is_room_admin(actor, &room).await? || (member && user.is("ADMIN")) {
            Ok(room)
        } else {
            Err(Refusal::NotAllowed("room-admin"))
        }
    }
}

/// When the last admin is about to go, the longest-standing of the others becomes one. Whoever is deactivated runs nothing.
fn pass_on(tx: &mut dyn Tx, leaving: &Membership) -> Result<()> {
    if !leaving.is_room_admin() {
        return Ok(());
    }
    for admin in tx.members_with_roles(&leaving.room)? {
        let other = admin.user != leaving.user && admin.is_room_admin();
        if other && tx.user(&admin.user)?.is_some_and(|user| user.active) {
            return Ok(());
        }
    }
    let page = Page { offset: 0, count: MAX_USERS as u64 };
    let active = MemberFilter { active: Some(true), ..MemberFilter::default() };
    let mut others = tx.members(&leaving.room, &active, page)?.items;
    others.retain(|m| m.user != leaving.user);
    // They come by name, and those who came together stay so.
    others.sort_by_key(|m| m.joined_at);
    let Some(heir) = others.first() else { return Ok(()) };
    change_roles(tx, &leaving.room, &heir.user, |m| m.roles.push(RoleId::new("owner")))?;
    change_room(tx, &leaving.room, true, |_| {}).map(drop)
}

fn apply(room: &mut Room, change: &HostRoomChange) {
    if let Some(title) = &change.title {
        room.title = Some(title.clone());
    }
    if let Some(description) = &change.description {
        room.description = description.clone().unwrap_or_default();
    }
    if let Some(avatar) = &change.avatar_url {
        room.custom_fields = with_avatar(&room.custom_fields, avatar.as_deref());
    }
}

fn with_avatar(fields: &Json, url: Option<&str>) -> Json {
    let mut fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(fields.as_str()).unwrap_or_default();
    match url {
        Some(url) => fields.insert(AVATAR_FIELD.to_owned(), url.into()),
        None => fields.remove(AVATAR_FIELD),
    };
    Json::new(serde_json::Value::Object(fields).to_string())
}

fn check(change: &HostRoomChange) -> Result<()> {
    if let Some(title) = &change.title
        && (title.trim().is_empty()
            || title.chars().count() > MAX_TITLE
            || title.chars().any(char::is_control))
    {
        return Err(Refusal::invalid("name", "must be 1 to 120 characters without control characters"));
    }
    if let Some(Some(description)) = &change.description
        && (description.chars().count() > MAX_DESCRIPTION || description.contains('\0'))
    {
        return Err(Refusal::invalid("description", "must have at most 1000 characters"));
    }
    if let Some(Some(url)) = &change.avatar_url {
        let odd = |c: char| c.is_control() || c.is_whitespace() || "<>\"".contains(c);
        let http = url.starts_with("https://") || url.starts_with("http://");
        if !http || url.chars().count() > MAX_URL || url.contains(odd) {
            return Err(Refusal::invalid("avatar_url", "must be an http or https address"));
        }
    }
    Ok(())
}

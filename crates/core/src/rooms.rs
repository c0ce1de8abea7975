//! Rooms: finding and listing them. What changes them lies in `rooms_*.rs` and `members*.rs`.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoomId, UserId},
    membership::Membership,
    permissions::{Action, Object},
    reading::News,
    room::{Room, RoomView},
    rooms_names::composed,
    session::Actor,
    store::{Page, Paged, Read, RemovedMembership, RoomFilter, Unread},
    user::User,
};

/// The room that every workspace has.
pub const GENERAL: &str = "GENERAL";
/// Members of one direct room at most, whatever the setting `DirectMesssage_maxUsers` says.
pub const MAX_DIRECT: usize = 30;
/// Users that one call may add or invite.
pub const MAX_USERS: usize = 1_000;

/// How somebody names a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomRef<'a> {
    /// By its id.
    Id(&'a str),
    /// By its slug, letter case aside.
    Name(&'a str),
    /// By either, the id first.
    Any(&'a str),
}

/// Which rooms a list may draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The actor's own.
    Mine,
    /// The actor's own and public ones.
    Visible,
    /// All, for holders of `view-room-administration`.
    All,
}

/// One of a user's rooms, as that user sees it.
#[derive(Clone, Debug)]
pub struct Mine {
    /// The user's place in it.
    pub membership: Arc<Membership>,
    /// The room.
    pub view: RoomView,
    /// What is new there; only a guess without [`Bring::Unread`].
    pub news: News,
}

/// A user's rooms, or what changed among them.
#[derive(Clone, Debug, Default)]
pub struct MyRooms {
    /// What is there.
    pub items: Vec<Mine>,
    /// What the user is not in any more.
    pub removed: Vec<RemovedMembership>,
}

/// What a list of a user's rooms shall bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bring {
    /// The last message of each room.
    LastMessages,
    /// The unread numbers.
    Unread,
}

impl Chat {
    /// A room by id or name without any judgement: for verbs, which judge afterwards.
    pub(crate) async fn look_up(&self, wanted: RoomRef<'_>) -> Result<Arc<Room>> {
        match wanted {
            RoomRef::Id(id) => self.room(&RoomId::parse(id).ok_or(Refusal::NotFound(What::Room))?).await,
            RoomRef::Name(name) => self.room_by_name(name).await,
            RoomRef::Any(text) => match RoomId::parse(text) {
                Some(id) => match self.room(&id).await {
                    Err(Refusal::NotFound(_)) => self.room_by_name(text).await,
                    found => found,
                },
                None => self.room_by_name(text).await,
            },
        }
    }

    async fn room_by_name(&self, name: &str) -> Result<Arc<Room>> {
        if name.is_empty() || name.len() > 1_000 || name.contains('\0') {
            return Err(Refusal::NotFound(What::Room));
        }
        let wanted = name.to_owned();
        let found = self.store().reading(move |rows| named(rows, &wanted)).await?;
        found.map(Arc::new).ok_or(Refusal::NotFound(What::Room))
    }

    /// A room that the actor may read.
    pub async fn find_room(&self, actor: &Actor, wanted: RoomRef<'_>) -> Result<Arc<Room>> {
        let room = self.look_up(wanted).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        Ok(room)
    }

    /// A room that the actor may know of: one he may read, any public one that he is not banned from, any at all for holders of
    /// `view-room-administration`. Knowing of it gives no right to its content.
    pub async fn find_known_room(&self, actor: &Actor, wanted: RoomRef<'_>) -> Result<Arc<Room>> {
        let room = self.look_up(wanted).await?;
        let unreadable = match self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await {
            Ok(_) => return Ok(room),
            Err(refusal) => refusal,
        };
        let user = self.active_user(actor).await?;
        if !self.is_open_to(&user, &room).await?
            && self.authorize(actor, Action::SeeRoom, Object::Room(&room)).await.is_err()
        {
            return Err(unreadable);
        }
        Ok(room)
    }

    /// Whether the room is public, and to this user as well: no private team's, and he is not banned from it.
    pub(crate) async fn is_open_to(&self, user: &User, room: &Room) -> Result<bool> {
        Ok(room.is_public()
            && !self.is_hidden_by_team(user, room).await?
            && !self.is_banned(room, &user.id).await?)
    }

    /// Whether the actor may read the room.
    pub async fn can_read(&self, actor: &Actor, room: &Arc<Room>) -> Result<bool> {
        match self.authorize(actor, Action::ReadRoom, Object::Room(room)).await {
            Ok(_) => Ok(true),
            Err(Refusal::NotFound(_) | Refusal::NotAllowed(_) | Refusal::NotMember) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// A room with its head, and its last message for whoever may read it. The room must have been found before.
    pub async fn room_view(&self, viewer: &Actor, room: &Arc<Room>) -> Result<RoomView> {
        let mut view = self.whole_view(room).await?;
        if view.last.is_some() && !self.can_read(viewer, &view.room).await? {
            view.last = None;
        }
        Ok(view)
    }

    /// A room with its head and last message, whoever asks.
    pub(crate) async fn whole_view(&self, room: &Arc<Room>) -> Result<RoomView> {
        let id = room.id.clone();
        let (head, last) = self
            .store()
            .reading(move |rows| {
                let head = rows.head(&id)?.unwrap_or_default();
                let last = match &head.last_message {
                    Some(message) => rows.message(message)?.filter(|m| !m.deleted).map(Arc::new),
                    None => None,
                };
                Ok((Arc::new(head), last))
            })
            .await?;
        // The caller's object may be older than its own change.
        let room = self.room(&room.id).await.unwrap_or_else(|_| room.clone());
        Ok(RoomView { room, head, last: last.filter(|_| self.settings().is_on("Store_Last_Message")) })
    }

    /// A page of rooms. Whoever administers rooms sees the last messages of those alone that he may read.
    pub async fn list_rooms(
        &self,
        actor: &Actor,
        scope: Scope,
        mut filter: RoomFilter,
        page: Page,
    ) -> Result<Paged<RoomView>> {
        let user = self.active_user(actor).await?;
        match scope {
            Scope::Mine => filter.member = Some(user.id.clone()),
            Scope::Visible if self.may(actor, "view-c-room", None).await? => {
                filter.visible_to = Some(user.id.clone());
            }
            Scope::Visible => {
                self.require(actor, "view-joined-room", None).await?;
                filter.member = Some(user.id.clone());
            }
            Scope::All => self.require(actor, "view-room-administration", None).await?,
        }
        let with_last = self.settings().is_on("Store_Last_Message");
        let mut found = self
            .store()
            .reading(move |rows| {
                let mut found = rows.rooms(&filter, page)?;
                if with_last {
                    bring_last_messages(rows, found.items.iter_mut().collect())?;
                }
                Ok(found)
            })
            .await?;
        if scope == Scope::All {
            for view in found.items.iter_mut().filter(|view| view.last.is_some()) {
                if !self.can_read(actor, &view.room).await? {
                    view.last = None;
                }
            }
        }
        Ok(found)
    }

    /// The user's rooms; with `since` only what changed after it, and what he is not in any more.
    pub async fn my_rooms(&self, actor: &Actor, since: Option<Time>, bring: Bring) -> Result<MyRooms> {
        let user = self.active_user(actor).await?.id.clone();
        let with_last = bring == Bring::LastMessages && self.settings().is_on("Store_Last_Message");
        let (found, removed) = self
            .store()
            .reading(move |rows| {
                let mut found = rows.rooms_of(&user, since)?;
                let removed = match since {
                    Some(since) => rows.removed_memberships(&user, since)?,
                    None => Vec::new(),
                };
                if with_last {
                    bring_last_messages(rows, found.iter_mut().map(|(_, view)| view).collect())?;
                }
                Ok((found, removed))
            })
            .await?;
        let seen =
            |(m, view): (Membership, RoomView)| (self.replies.overlay(self.marks.overlay(Arc::new(m))), view);
        let found: Vec<_> = found.into_iter().map(seen).collect();
        let memberships: Vec<Membership> = found.iter().map(|(m, _)| Membership::clone(m)).collect();
        let unread = match bring {
            Bring::Unread => self.store().reading(move |rows| rows.unread_all(&memberships)).await?,
            Bring::LastMessages => vec![Unread::default(); found.len()],
        };
        let item = |((membership, view), unread): ((Arc<Membership>, RoomView), Unread)| {
            let news = News::of(&membership, &view.head, unread);
            Mine { membership, view, news }
        };
        Ok(MyRooms { items: found.into_iter().zip(unread).map(item).collect(), removed })
    }

    /// The actor's place in one room with what is unread there; `None` when he has none.
    pub async fn my_room(&self, actor: &Actor, room: &RoomId) -> Result<Option<Mine>> {
        let user = self.active_user(actor).await?.id.clone();
        self.room_of(room, &user).await
    }

    /// A user's place in one room with what is unread there, for doors that tell that user of a change.
    pub async fn room_of(&self, room: &RoomId, user: &UserId) -> Result<Option<Mine>> {
        let Some(membership) = self.membership(room, user).await? else { return Ok(None) };
        let membership = self.replies.overlay(membership);
        let room = match self.room(room).await {
            Err(Refusal::NotFound(_)) => return Ok(None),
            found => found?,
        };
        let (id, mine) = (room.id.clone(), membership.clone());
        let with_last = self.settings().is_on("Store_Last_Message");
        let (head, unread, last) = self
            .store()
            .reading(move |rows| {
                let head = rows.head(&id)?.unwrap_or_default();
                let last = match &head.last_message {
                    Some(last) if with_last => rows.message(last)?.filter(|m| !m.deleted),
                    _ => None,
                };
                Ok((head, rows.unread(&mine)?, last))
            })
            .await?;
        let news = News::of(&membership, &head, unread);
        let view = RoomView { room, head: Arc::new(head), last: last.map(Arc::new) };
        Ok(Some(Mine { membership, view, news }))
    }

    /// These users, without the unknown ones; in the order asked.
    pub async fn users_by_id(&self, ids: &[UserId]) -> Result<Vec<Arc<User>>> {
        let mut found = Vec::new();
        for id in ids {
            found.extend(self.user(id).await?);
        }
        Ok(found)
    }

    /// What `channels.counters` and its like tell about a room. `user`: somebody else, for holders of
    /// `view-room-administration`.
    pub async fn room_counters(&self, actor: &Actor, room: &Arc<Room>, user: &UserId) -> Result<Counters> {
        if *user != actor.user {
            self.require(actor, "view-room-administration", None).await?;
        }
        let head = self.head(&room.id).await?;
        let mine = self.room_of(&room.id, user).await?;
        let mut counters = Counters {
            members: room.members,
            messages: head.messages,
            latest: head.last_at.or(Some(room.updated_at.max(head.changed_at))),
            ..Counters::default()
        };
        if let Some(mine) = mine {
            counters.joined = true;
            counters.unread = mine.news.unread.messages;
            counters.unread_from = mine.membership.mark.at.or(Some(mine.membership.joined_at));
            counters.mentions = mine.news.unread.mentions;
        }
        Ok(counters)
    }

    /// Whether a room of this name exists, whoever may see it: the name is taken.
    pub async fn room_name_exists(&self, actor: &Actor, name: &str) -> Result<bool> {
        self.active_user(actor).await?;
        match self.room_by_name(name).await {
            Ok(_) => Ok(true),
            Err(Refusal::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// Whether a user is a member; the asking user must see the room.
    pub async fn is_member(&self, actor: &Actor, room: &Arc<Room>, user: &UserId) -> Result<bool> {
        self.authorize(actor, Action::ReadRoom, Object::Room(room)).await?;
        Ok(self.membership(&room.id, user).await?.is_some())
    }
}

/// The room of this name, however its characters were put together.
pub(crate) fn named(rows: &mut dyn Read, name: &str) -> Result<Option<Room>> {
    let composed = composed(name);
    match rows.room_by_name(&composed)? {
        // It may be one from before names were put together.
        None if composed != name => rows.room_by_name(name),
        found => Ok(found),
    }
}

/// Numbers about a room and one user in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// The user is a member.
    pub joined: bool,
    /// Members.
    pub members: i64,
    /// Messages that the user has not read.
    pub unread: i64,
    /// Since when.
    pub unread_from: Option<Time>,
    /// All messages, notices included.
    pub messages: i64,
    /// The last message's time.
    pub latest: Option<Time>,
    /// Unread mentions.
    pub mentions: i64,
}

fn bring_last_messages(rows: &mut dyn Read, mut views: Vec<&mut RoomView>) -> Result<()> {
    let ids: Vec<_> = views.iter().filter_map(|v| v.head.last_message.clone()).collect();
    let mut found = rows.messages(&ids)?.into_iter().filter(|m| !m.deleted).peekable();
    for view in &mut views {
        if let Some(wanted) = &view.head.last_message
            && found.peek().is_some_and(|m| m.id == *wanted)
        {
            view.last = found.next().map(Arc::new);
        }
    }
    Ok(())
}

//! A user's inbox: the rooms with the most recent activity first, what is unread in them, and reading them.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::RoomId,
    membership::Membership,
    permissions::{Action, Object},
    room::{Head, Room, RoomKind, RoomView},
    session::Actor,
    store::{Active, ActiveFilter, Activity},
};

/// Rooms on one page of an inbox.
pub const MAX_ROOMS: u64 = 100;
/// Which part of an inbox.
#[derive(Clone, Debug, Default)]
pub struct InboxPage {
    /// Only groups.
    pub groups: bool,
    /// Behind this place.
    pub older_than: Option<Activity>,
    /// Before this place.
    pub newer_than: Option<Activity>,
    /// At most so many; [`MAX_ROOMS`] is the most.
    pub limit: u64,
}

/// A room of an inbox.
#[derive(Clone, Debug)]
pub struct InboxRoom {
    /// The room.
    pub room: Arc<Room>,
    /// How far it got.
    pub head: Arc<Head>,
    /// The user's place in it; none in cases and channels that he only may see.
    pub membership: Option<Arc<Membership>>,
    /// Its place in the inbox.
    pub activity: Activity,
    /// Messages by others that the user has not read.
    pub unread: i64,
}

/// Part of an inbox.
#[derive(Clone, Debug, Default)]
pub struct Inbox {
    /// Most recent activity first.
    pub rooms: Vec<InboxRoom>,
    /// There are more in the same direction.
    pub more: bool,
}

impl Chat {
    /// A page of the actor's rooms; the control centre sees all open cases besides.
    pub async fn inbox(&self, actor: &Actor, page: InboxPage) -> Result<Inbox> {
        let me = self.active_user(actor).await?;
        let limit = page.limit.clamp(1, MAX_ROOMS);
        let backwards = page.older_than.is_none() && page.newer_than.is_some();
        let filter = ActiveFilter {
            user: me.id.clone(),
            cases: crate::cases::is_control(&me),
            groups: page.groups,
            older_than: page.older_than,
            newer_than: page.newer_than,
            limit: limit + 1,
        };
        let mut found = self.store().reading(move |rows| rows.active_rooms(&filter)).await?;
        let more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if backwards {
            found.reverse();
        }
        Ok(Inbox { rooms: self.with_unread(found).await?, more })
    }

    /// A room as it would stand in the actor's inbox; any that the actor may read.
    pub async fn inbox_room(&self, actor: &Actor, id: &RoomId) -> Result<InboxRoom> {
        let room = self.room(id).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let membership = self.membership(&room.id, &actor.user).await?.map(|m| Membership::clone(&m));
        let (id, wanted) = (room.id.clone(), room.clone());
        let head = self.store().reading(move |rows| rows.head(&id)).await?.unwrap_or_default();
        let activity = Activity { at: head.last_at.unwrap_or(room.created_at), room: room.id.clone() };
        let view = RoomView { room: wanted, head: Arc::new(head), last: None };
        let mut rooms = self.with_unread(vec![Active { membership, view, activity }]).await?;
        rooms.pop().ok_or(Refusal::NotFound(What::Room))
    }

    /// A room that the actor may read, and how far he has read it: what rendering a message takes.
    pub async fn inbox_place(&self, actor: &Actor, id: &RoomId) -> Result<(Arc<Room>, i64)> {
        let room = self.room(id).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let membership = self.membership(id, &actor.user).await?;
        Ok((room, membership.map_or(0, |membership| membership.mark.seq)))
    }

    async fn with_unread(&self, found: Vec<Active>) -> Result<Vec<InboxRoom>> {
        let overlaid = |m: Membership| self.marks.overlay(Arc::new(m));
        let found: Vec<_> = found
            .into_iter()
            .map(|active| (active.membership.map(overlaid), active.view, active.activity))
            .collect();
        let places: Vec<Membership> =
            found.iter().filter_map(|(membership, ..)| membership.as_deref().cloned()).collect();
        let mut unread = self.unread_of(places).await?.into_iter();
        let room = |(membership, view, activity): (Option<Arc<Membership>>, RoomView, Activity)| {
            let unread = membership.as_ref().and_then(|_| unread.next()).unwrap_or_default();
            InboxRoom { room: view.room, head: view.head, membership, activity, unread }
        };
        Ok(found.into_iter().map(room).collect())
    }

    /// How many messages by others are unread in each of a user's places, by a few statements however many there are.
    async fn unread_of(&self, places: Vec<Membership>) -> Result<Vec<i64>> {
        if places.is_empty() {
            return Ok(Vec::new());
        }
        let unread = self.store().reading(move |rows| rows.unread_all(&places)).await?;
        Ok(unread.into_iter().map(|unread| unread.messages).collect())
    }

    /// The actor's rooms in which messages by others are unread, with how many; at most 10,000 rooms.
    pub async fn unread_rooms(&self, actor: &Actor) -> Result<Vec<(RoomId, i64)>> {
        let me = self.active_user(actor).await?.id.clone();
        let found = self.store().reading(move |rows| rows.memberships_with_news(&me)).await?;
        let overlaid = |m: Membership| Membership::clone(&self.marks.overlay(Arc::new(m)));
        let found: Vec<Membership> = found.into_iter().map(overlaid).collect();
        let rooms: Vec<RoomId> = found.iter().map(|membership| membership.room.clone()).collect();
        let unread = self.unread_of(found).await?;
        Ok(rooms.into_iter().zip(unread).filter(|(_, unread)| *unread > 0).collect())
    }

    /// Marks all of the actor's rooms as read.
    pub async fn read_everything(&self, actor: &Actor) -> Result<()> {
        let me = self.active_user(actor).await?.id.clone();
        let all = self.store().reading(move |rows| rows.memberships_with_news(&me)).await?;
        for membership in all {
            self.read_room(actor, &membership.room, false).await?;
        }
        Ok(())
    }

    /// Whether a room of this kind is shown to host applications as a direct room of two.
    pub fn is_dm(room: &Room) -> bool {
        room.kind == RoomKind::Direct && room.direct.len() <= 2
    }
}

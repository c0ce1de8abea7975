//! A user's inbox: the rooms with the most recent activity first, what is unread in them, and reading them.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId},
    membership::{Membership, ReadMark},
    permissions::{Action, Object},
    room::{Head, Room, RoomKind},
    session::Actor,
    store::{Active, ActiveFilter, Activity, MarkChange, Read},
};

/// Rooms on one page of an inbox.
pub const MAX_ROOMS: u64 = 100;
/// Messages that one call marks.
pub const MAX_MARKED: usize = 100;

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
        let view = crate::room::RoomView { room: wanted, head: Arc::new(head), last: None };
        let mut rooms = self.with_unread(vec![Active { membership, view, activity }]).await?;
        rooms.pop().ok_or(Refusal::NotFound(What::Room))
    }

    async fn with_unread(&self, found: Vec<Active>) -> Result<Vec<InboxRoom>> {
        let overlaid = |m: Membership| self.marks.overlay(Arc::new(m));
        let found: Vec<_> = found
            .into_iter()
            .map(|active| (active.membership.map(overlaid), active.view, active.activity))
            .collect();
        self.store()
            .reading(move |rows| {
                let room = |(membership, view, activity): (Option<Arc<Membership>>, _, _)| {
                    let view: crate::room::RoomView = view;
                    let unread = match &membership {
                        Some(membership) => rows.unread(membership)?.messages,
                        None => 0,
                    };
                    Ok(InboxRoom { room: view.room, head: view.head, membership, activity, unread })
                };
                found.into_iter().map(room).collect()
            })
            .await
    }

    /// The actor's rooms in which messages by others are unread, with how many; at most 10,000 rooms.
    pub async fn unread_rooms(&self, actor: &Actor) -> Result<Vec<(RoomId, i64)>> {
        let me = self.active_user(actor).await?.id.clone();
        let found = self.store().reading(move |rows| rows.memberships_with_news(&me)).await?;
        let found: Vec<_> = found.into_iter().map(|m| self.marks.overlay(Arc::new(m))).collect();
        self.store()
            .reading(move |rows| {
                let mut unread = Vec::new();
                for membership in &found {
                    let messages = rows.unread(membership)?.messages;
                    if messages > 0 {
                        unread.push((membership.room.clone(), messages));
                    }
                }
                Ok(unread)
            })
            .await
    }

    /// Marks a room as read: up to the newest of these messages, or as a whole. Never back; somebody who may see the
    /// room without being a member has no mark.
    ///
    /// # Errors
    /// `NotFound(Room)`, `NotFound(Message)` for messages that are not of this room.
    pub async fn read_to(
        &self,
        actor: &Actor,
        room: &RoomId,
        messages: Option<&[MessageId]>,
    ) -> Result<InboxRoom> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        let is_member = self.membership(room, &actor.user).await?.is_some();
        match messages {
            Some(messages) => self.read_to_newest_of(actor, room, messages, is_member).await?,
            None if is_member => self.read_room(actor, room, false).await?,
            None => {}
        }
        self.inbox_room(actor, room).await
    }

    async fn read_to_newest_of(
        &self,
        actor: &Actor,
        room: &RoomId,
        messages: &[MessageId],
        is_member: bool,
    ) -> Result<()> {
        if messages.len() > MAX_MARKED {
            return Err(Refusal::TooLarge { what: "message_ids", limit: MAX_MARKED as u64 });
        }
        let (wanted, id) = (messages.to_vec(), room.clone());
        let read = move |rows: &mut dyn Read| {
            let found = rows.messages(&wanted)?;
            let all = found.len() == wanted.len() && found.iter().all(|m| m.room == id);
            let newest = found.into_iter().max_by_key(|m| m.seq);
            match newest.filter(|_| all) {
                Some(mut newest) => {
                    if newest.deleted {
                        newest.counted = counted_at(rows, &id, newest.seq)?;
                    }
                    Ok(newest)
                }
                None => Err(Refusal::NotFound(What::Message)),
            }
        };
        let newest = self.store().reading(read).await?;
        let Some(membership) = self.membership(room, &actor.user).await?.filter(|_| is_member) else {
            return Ok(());
        };
        if membership.mark.seq >= newest.seq && !membership.marked_unread {
            return Ok(());
        }
        let now = self.now();
        let (seq, counted) =
            (newest.seq.max(membership.mark.seq), newest.counted.max(membership.mark.counted));
        let mark = ReadMark { seq, counted, at: Some(now) };
        let change = MarkChange { mark, marked_unread: false, back: false, at: now };
        self.put_mark(actor, room, change).await
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

/// The room's running number at a place whose message is gone: that of the message before it.
fn counted_at(rows: &mut dyn Read, room: &RoomId, seq: i64) -> Result<i64> {
    let slice = crate::store::Slice { before: Some(seq), ..crate::store::Slice::newest(1) };
    Ok(rows.timeline(room, &slice)?.pop().map_or(0, |message| message.counted))
}

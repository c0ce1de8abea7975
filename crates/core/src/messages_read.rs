//! Reading a room's timeline: pages, single messages, lists, and what changed since.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    message::Message,
    permissions::{Action, Object},
    room::{Room, RoomView},
    rooms::RoomRef,
    session::Actor,
    store::{MessageFilter, Page, Paged, Slice, Tombstone, Version},
};

/// Messages on one page, whatever is asked for.
pub const MAX_PAGE: u64 = 10_000;
/// Messages asked for by their ids at once.
pub const MAX_IDS: usize = 1_000;
/// Changes in one answer of a catch-up.
pub const MAX_CHANGES: u64 = 5_000;

/// The neighbourhood of a message.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Oldest first, the message itself among them.
    pub messages: Vec<Message>,
    /// There are older ones.
    pub more_before: bool,
    /// There are newer ones.
    pub more_after: bool,
}

/// What changed in a room since a moment.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// New and changed messages, by the time of their last change.
    pub updated: Vec<Message>,
    /// Removed ones.
    pub deleted: Vec<Tombstone>,
}

impl Slice {
    /// The newest `count` messages of a room.
    pub fn newest(count: u64) -> Self {
        Self {
            before: None,
            after: None,
            latest: None,
            oldest: None,
            inclusive: false,
            room_only: false,
            newest_first: true,
            page: Page { offset: 0, count },
        }
    }
}

impl Chat {
    /// What a message was before it was edited, oldest first: for its author, and for those who may edit anybody's.
    /// Empty where the workspace keeps no history (`Message_KeepHistory`).
    ///
    /// # Errors
    /// `NotFound(Message)` for what one can't read, `NotAllowed("edit-message")`.
    pub async fn versions(&self, actor: &Actor, id: &MessageId) -> Result<Vec<Version>> {
        let (room, message) = self.readable_message(actor, id).await?;
        if message.author != actor.user {
            self.authorize(actor, Action::EditAnyMessage, Object::Message(&room, &message)).await?;
        }
        let id = id.clone();
        self.store().reading(move |rows| rows.versions(&id)).await
    }

    /// A room that the actor may read. Unknown and unreadable ones are the same.
    pub(crate) async fn readable_room(&self, actor: &Actor, room: &RoomId) -> Result<Arc<Room>> {
        let room = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        Ok(room)
    }

    /// A message that the actor may read, with its room. Unknown, removed and unreadable ones are the same; only that
    /// a room open to him has the message is no secret from those who may not read public rooms.
    pub(crate) async fn readable_message(
        &self,
        actor: &Actor,
        id: &MessageId,
    ) -> Result<(Arc<Room>, Message)> {
        let user = self.active_user(actor).await?;
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.message(&wanted)).await?;
        let message = found.filter(|m| !m.deleted).ok_or(Refusal::NotFound(What::Message))?;
        match self.readable_room(actor, &message.room).await {
            Ok(room) => Ok((room, message)),
            Err(Refusal::NotFound(What::Room)) => match self.room(&message.room).await {
                Ok(room) if self.is_open_to(&user, &room).await? => Err(Refusal::NotAllowed("view-c-room")),
                _ => Err(Refusal::NotFound(What::Message)),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// A message.
    pub async fn message(&self, actor: &Actor, id: &MessageId) -> Result<Message> {
        Ok(self.readable_message(actor, id).await?.1)
    }

    /// Several messages. One that is unknown, removed or unreadable refuses them all, so that nothing is learnt about
    /// which.
    pub async fn messages(&self, actor: &Actor, ids: &[MessageId]) -> Result<Vec<Message>> {
        if ids.len() > MAX_IDS {
            return Err(Refusal::TooLarge { what: "ids", limit: MAX_IDS as u64 });
        }
        let wanted = ids.to_vec();
        let found = self.store().reading(move |rows| rows.messages(&wanted)).await?;
        let known = found.iter().filter(|m| !m.deleted).count();
        let mut rooms: Vec<&RoomId> = found.iter().map(|m| &m.room).collect();
        rooms.sort();
        rooms.dedup();
        for room in rooms {
            self.readable_room(actor, room).await.map_err(|refusal| match refusal {
                Refusal::NotFound(_) => Refusal::NotFound(What::Message),
                other => other,
            })?;
        }
        if known < ids.len() { Err(Refusal::NotFound(What::Message)) } else { Ok(found) }
    }

    /// A slice of a room's timeline.
    pub async fn history(&self, actor: &Actor, room: &RoomId, slice: Slice) -> Result<Vec<Message>> {
        let room = self.readable_room(actor, room).await?;
        self.timeline(room, slice).await
    }

    /// A slice of a public room's timeline for whoever comes along, if the workspace allows that; with the room. Of the
    /// channels of private teams the team reads its own.
    pub async fn anonymous_history(
        &self,
        actor: Option<&Actor>,
        room: RoomRef<'_>,
        slice: Slice,
    ) -> Result<(RoomView, Vec<Message>)> {
        if !self.settings().is_on("Accounts_AllowAnonymousRead") {
            return Err(Refusal::Disabled("Accounts_AllowAnonymousRead"));
        }
        let room = self.look_up(room).await?;
        if !room.is_public() {
            return Err(Refusal::NotFound(What::Room));
        }
        if self.in_private_team(&room).await? {
            let actor = actor.ok_or(Refusal::NotFound(What::Room))?;
            self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        }
        let view = self.whole_view(&room).await?;
        Ok((view, self.timeline(room, slice).await?))
    }

    async fn timeline(&self, room: Arc<Room>, mut slice: Slice) -> Result<Vec<Message>> {
        slice.page.count = slice.page.count.min(MAX_PAGE);
        self.store().reading(move |rows| rows.timeline(&room.id, &slice)).await
    }

    /// A message with about `count` others around it.
    pub async fn surroundings(&self, actor: &Actor, id: &MessageId, count: u64) -> Result<Surroundings> {
        let (room, message) = self.readable_message(actor, id).await?;
        let half = (count.clamp(1, 100) / 2).max(1);
        let place = message.seq;
        let (before, after) = self
            .store()
            .reading(move |rows| {
                let newest = Slice::newest(half + 1);
                let before = Slice { before: Some(place), room_only: true, ..newest.clone() };
                let after = Slice { after: Some(place), room_only: true, newest_first: false, ..newest };
                Ok((rows.timeline(&room.id, &before)?, rows.timeline(&room.id, &after)?))
            })
            .await?;
        let (more_before, more_after) = (before.len() as u64 > half, after.len() as u64 > half);
        let mut messages: Vec<Message> = before.into_iter().take(half as usize).collect();
        messages.reverse();
        messages.push(message);
        messages.extend(after.into_iter().take(half as usize));
        Ok(Surroundings { messages, more_before, more_after })
    }

    /// A filtered list of a room's messages.
    pub async fn list_messages(
        &self,
        actor: &Actor,
        room: &RoomId,
        filter: MessageFilter,
        mut page: Page,
    ) -> Result<Paged<Message>> {
        let room = self.readable_room(actor, room).await?;
        page.count = page.count.min(MAX_PAGE);
        self.store().reading(move |rows| rows.list_messages(&room.id, &filter, page)).await
    }

    /// A filtered list for those who administer rooms, member or not.
    pub async fn list_others_messages(
        &self,
        actor: &Actor,
        room: &RoomId,
        page: Page,
    ) -> Result<Paged<Message>> {
        if !self.settings().is_on("API_Enable_Direct_Message_History_EndPoint") {
            return Err(Refusal::Disabled("API_Enable_Direct_Message_History_EndPoint"));
        }
        self.require(actor, "view-room-administration", None).await?;
        let room = self.room(room).await?;
        if !room.is_direct() {
            return Err(Refusal::NotFound(What::Room));
        }
        self.store().reading(move |rows| rows.list_messages(&room.id, &MessageFilter::default(), page)).await
    }

    /// Messages and removals after a moment, at most [`MAX_CHANGES`] of each.
    pub async fn changes_since(&self, actor: &Actor, room: &RoomId, since: Time) -> Result<Changes> {
        let room = self.readable_room(actor, room).await?;
        self.store()
            .reading(move |rows| {
                Ok(Changes {
                    updated: rows.changed_since(&room.id, since, MAX_CHANGES)?,
                    deleted: rows.deleted_since(&room.id, since, MAX_CHANGES)?,
                })
            })
            .await
    }

    /// Messages and removals after a position of the room, in one snapshot with the position it stands at.
    pub async fn changes_after(&self, actor: &Actor, room: &RoomId, rev: i64) -> Result<(i64, Changes)> {
        let room = self.readable_room(actor, room).await?;
        self.store()
            .reading(move |rows| {
                let position = rows.head(&room.id)?.unwrap_or_default().position;
                let updated = rows.changed_after(&room.id, rev, MAX_CHANGES)?;
                let deleted = rows.deleted_after(&room.id, rev, MAX_CHANGES)?;
                Ok((position, Changes { updated, deleted }))
            })
            .await
    }

    /// Which of these messages the user has starred.
    pub async fn starred_among(&self, user: &UserId, messages: &[Message]) -> Result<Vec<MessageId>> {
        self.starred_of(user, messages.iter().map(|m| m.id.clone()).collect()).await
    }

    /// As [`starred_among`](Self::starred_among), by id.
    pub async fn starred_of(&self, user: &UserId, ids: Vec<MessageId>) -> Result<Vec<MessageId>> {
        if ids.is_empty() {
            return Ok(ids);
        }
        let user = user.clone();
        self.store().reading(move |rows| rows.starred(&user, &ids)).await
    }
}

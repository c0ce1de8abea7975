//! Listening, as doors see it: register first, then be judged, so that no loss of access slips in between; and
//! catching up by position after a connection was away.

use std::sync::Arc;

use crate::{
    catch_up::{RESUME_LIMIT, Resumed, resume},
    chat::Chat,
    error::{Refusal, Result, What},
    hub::{Interest, Listener, Subscription},
    id::{RoomId, UserId},
    permissions::{Action, Object},
    session::Actor,
};

/// Ends its subscription unless it is kept: a request that is cancelled half-way leaves nothing behind.
pub(crate) struct Registered<'a> {
    chat: &'a Chat,
    subscription: Subscription,
    kept: bool,
}

impl Registered<'_> {
    pub(crate) fn subscription(&self) -> Subscription {
        self.subscription
    }

    pub(crate) fn keep(mut self) -> Subscription {
        self.kept = true;
        self.subscription
    }
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        if !self.kept {
            self.chat.listening.hub.end(self.subscription);
        }
    }
}

/// A subscription on its way to whoever will end it. A request that is cancelled, or whose connection goes before it is
/// answered, leaves nothing behind.
pub struct Held {
    chat: Arc<Chat>,
    subscription: Subscription,
    kept: bool,
}

impl Held {
    /// Holds a subscription that just began.
    pub fn new(chat: &Arc<Chat>, subscription: Subscription) -> Self {
        Self { chat: chat.clone(), subscription, kept: false }
    }

    /// From now on somebody else ends it.
    pub fn keep(mut self) -> Subscription {
        self.kept = true;
        self.subscription
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.kept {
            self.chat.end(self.subscription);
        }
    }
}

impl Chat {
    pub(crate) fn register(
        &self,
        interest: Interest,
        actor: &Actor,
        listener: Arc<dyn Listener>,
    ) -> Registered<'_> {
        let subscription = self.listening.hub.listen(interest, actor, listener);
        Registered { chat: self, subscription, kept: false }
    }

    /// Listens to a room that the actor may read. What is stored when this answers can be paged, everything after
    /// it is heard, in the order of positions. Drop what is not newer than what was paged.
    pub async fn listen_room(
        &self,
        actor: &Actor,
        room: &RoomId,
        listener: Arc<dyn Listener>,
    ) -> Result<Subscription> {
        let registered = self.register(Interest::Room(room.clone()), actor, listener);
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        let hub = &self.listening.hub;
        let mut position = None;
        if hub.wants_position(registered.subscription) {
            let wanted = room.clone();
            let head = self.store().reading(move |rows| rows.head(&wanted)).await?;
            position = Some(head.map_or(0, |head| head.position));
        }
        // Gone: an access change that came in between took it away.
        if !hub.activate(registered.subscription, position) {
            return Err(Refusal::NotFound(What::Room));
        }
        Ok(registered.keep())
    }

    /// Listens to what happens to the actor: memberships, own read marks, ended sessions, whispers, notifications.
    /// Also checks that the session has not ended, so a door calls it first after a login; when the session ends
    /// later, its listeners hear so and are revoked.
    pub async fn listen_user(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::User, actor, listener);
        self.active_user(actor).await?;
        if let Some(session) = actor.session.clone() {
            let (user, now) = (actor.user.clone(), self.now());
            let sessions = self.store().reading(move |rows| rows.sessions(&user)).await?;
            let is_it =
                |s: &crate::session::Session| s.id == session && s.expires_at.is_none_or(|end| end > now);
            if !sessions.iter().any(is_it) {
                return Err(Refusal::NotLoggedIn);
            }
        }
        Ok(registered.keep())
    }

    /// Listens to the news of all of the actor's rooms, also of those that will be joined; until they are left.
    pub async fn listen_inbox(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::Inbox, actor, listener);
        self.active_user(actor).await?;
        if !self.listening.hub.knows_rooms(registered.subscription) {
            let user = actor.user.clone();
            let rooms = self.store().reading(move |rows| rows.room_positions_of(&user)).await?;
            let now = self.ports.clock.monotonic();
            let questions = self.listening.hub.follow_rooms(registered.subscription, &rooms, true, now);
            self.execute(questions).await;
        }
        Ok(registered.keep())
    }

    /// Listens to the presence of these users (at most [`crate::hub::WATCHED`]; more are left out).
    pub async fn listen_presence(
        &self,
        actor: &Actor,
        users: &[UserId],
        listener: Arc<dyn Listener>,
    ) -> Result<Subscription> {
        let registered = self.register(Interest::Presence, actor, listener);
        self.active_user(actor).await?;
        self.listening.hub.watch(registered.subscription, users, &[]);
        Ok(registered.keep())
    }

    /// Listens to everybody's presence, for clients that know no watch list.
    pub async fn listen_statuses(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::Statuses, actor, listener);
        self.active_user(actor).await?;
        Ok(registered.keep())
    }

    /// Changes a watch list; the answer is how many users were left out because it is full.
    pub fn watch_presence(&self, subscription: Subscription, more: &[UserId], fewer: &[UserId]) -> usize {
        self.listening.hub.watch(subscription, more, fewer)
    }

    /// Listens to what concerns everybody who is logged in.
    pub async fn listen_workspace(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::LoggedIn, actor, listener);
        self.active_user(actor).await?;
        Ok(registered.keep())
    }

    /// Listens to what concerns every connection, logged in or not.
    pub fn listen_everyone(&self, listener: Arc<dyn Listener>) -> Subscription {
        self.listening.hub.listen_anonymously(listener)
    }

    /// Ends a subscription; ending it again does nothing. An event or two that were on their way may still come.
    pub fn end(&self, subscription: Subscription) {
        self.listening.hub.end(subscription);
    }

    /// What changed in a room after position `after`, from one snapshot. Listen first, then resume, then drop what
    /// is heard with a position up to `position`: [`crate::catch_up::CatchUp`] does that.
    pub async fn resume(&self, actor: &Actor, room: &RoomId, after: i64) -> Result<Resumed> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        let room = room.clone();
        let load = move |mut rows: &mut dyn crate::store::Read| resume(&mut rows, &room, after, RESUME_LIMIT);
        self.store().reading(load).await
    }
}

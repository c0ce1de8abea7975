//! Conversations in lists: one's own, and the queues of the control centre.

use std::sync::Arc;

use crate::{
    case::{Case, Conversation, Queue},
    cases::{conversation_of, is_control},
    chat::Chat,
    error::{Refusal, Result},
    hub::{Interest, Listener, Subscription},
    id::{RoomId, UserId},
    message::Message,
    permissions::{Action, Object},
    room::Head,
    rooms::RoomRef,
    session::Actor,
    store::{CaseFilter, Place},
};

/// Conversations of one page at most.
pub const MAX_CONVERSATIONS: u64 = 100;
/// Refused to whoever may not watch the queues.
pub const DESK_DENIED: &str = "support_room_denied";

/// A page of conversations.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    /// In the order of the list.
    pub items: Vec<Conversation>,
    /// Farther in the direction that was asked for there are more, from here on.
    pub next: Option<Place>,
    /// How many there are in all, where it was asked.
    pub total: Option<u64>,
}

/// Which part of a list.
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Behind this place.
    pub beyond: Option<Place>,
    /// Before it rather than behind it: the nearest ones, in the order of the list.
    pub back: bool,
    /// Without so many.
    pub skip: u64,
    /// At most so many.
    pub limit: u64,
    /// How many there are in all is wanted.
    pub count: bool,
}

impl Chat {
    /// A conversation that the actor may read, as he sees it.
    pub async fn conversation(&self, actor: &Actor, room: &RoomId) -> Result<Conversation> {
        let room = self.look_up(RoomRef::Id(room)).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&room)).await?;
        let membership = self.membership(&room.id, &actor.user).await?;
        self.store().reading(move |rows| conversation_of(rows, &room.id, membership.as_deref())).await
    }

    /// The cases that the actor takes part in, the most recent activity first.
    pub async fn my_cases(&self, actor: &Actor, open: Option<bool>, part: Part) -> Result<Conversations> {
        let me = self.active_user(actor).await?.id.clone();
        let filter = CaseFilter { participant: Some(me.clone()), open, ..CaseFilter::default() };
        self.list_cases(me, filter, part).await
    }

    /// The open cases of a view, the longest waiting first.
    ///
    /// # Errors
    /// `NotAllowed(DESK_DENIED)` for all but the control centre.
    pub async fn waiting_cases(&self, actor: &Actor, view: Queue, part: Part) -> Result<Conversations> {
        let me = self.active_user(actor).await?;
        if !is_control(&me) {
            return Err(Refusal::NotAllowed(DESK_DENIED));
        }
        let filter = CaseFilter { open: Some(true), view: Some(view), ..CaseFilter::default() };
        self.list_cases(me.id.clone(), filter, part).await
    }

    pub(crate) async fn list_cases(
        &self,
        viewer: UserId,
        mut filter: CaseFilter,
        part: Part,
    ) -> Result<Conversations> {
        let limit = part.limit.clamp(1, MAX_CONVERSATIONS);
        filter.back = part.back && part.beyond.is_some();
        filter.beyond = part.beyond;
        let list = self.store().reading(move |rows| {
            let mut found = rows.cases(&filter, part.skip, limit + 1)?;
            let more = found.len() as u64 > limit;
            found.truncate(limit as usize);
            let next = found.last().filter(|_| more).map(|(_, place)| place.clone());
            let total = if part.count { Some(rows.count_cases(&filter)?) } else { None };
            let mut items = Vec::with_capacity(found.len());
            for (case, _) in found {
                let membership = rows.membership(&case.room, &viewer)?;
                items.push(conversation_of(rows, &case.room, membership.as_ref())?);
            }
            if filter.back {
                items.reverse();
            }
            Ok(Conversations { items, next, total })
        });
        list.await
    }

    /// A case as it is after a message, from what is in memory: for doors that tell the control centre of it. What
    /// is unread is not known here: participants have it by [`Chat::unread_of_case`].
    pub fn case_seen(&self, message: &Arc<Message>, head: &Arc<Head>) -> Option<(Conversation, Arc<Case>)> {
        let case = self.case_at_hand(&message.room)?;
        let room = self.room_at_hand(&message.room)?;
        let conversation = Conversation {
            head: head.clone(),
            participants: case.participants.clone(),
            requester: case.requester.as_ref().and_then(|id| self.user_at_hand(id)),
            last: Some(message.clone()),
            unread: Vec::new(),
            case: Some(case.clone()),
            room,
        };
        Some((conversation, case))
    }

    /// What a participant has not read of a case; his own messages never count.
    pub async fn unread_of_case(&self, room: &RoomId, user: &UserId) -> Result<i64> {
        let Some(membership) = self.membership(room, user).await? else { return Ok(0) };
        self.store().reading(move |rows| Ok(rows.unread(&membership)?.messages)).await
    }

    /// The newest open case of a requester, if there is one. Tells nothing but the room, which is judged when used.
    pub async fn open_case_of(&self, requester: &UserId) -> Result<Option<RoomId>> {
        let wanted = requester.clone();
        let found = self.store().reading(move |rows| rows.open_case_of(&wanted)).await?;
        Ok(found.map(|case| case.room))
    }

    /// Listens to all cases, as the control centre does: what happens to them, and what is written in them.
    ///
    /// # Errors
    /// `NotAllowed(DESK_DENIED)` for all but the control centre.
    pub async fn listen_desk(&self, actor: &Actor, listener: Arc<dyn Listener>) -> Result<Subscription> {
        let registered = self.register(Interest::Desk, actor, listener);
        let user = self.active_user(actor).await?;
        if !is_control(&user) {
            return Err(Refusal::NotAllowed(DESK_DENIED));
        }
        self.listening.hub.seat(registered.subscription(), &user);
        Ok(registered.keep())
    }

    /// As [`Chat::listen_desk`], for anybody: the listener hears from the moment in which the actor is of the control
    /// centre, now or later, and is silent while not.
    ///
    /// # Errors
    /// `NotLoggedIn`, `Deactivated`.
    pub async fn listen_desk_when_entitled(
        &self,
        actor: &Actor,
        listener: Arc<dyn Listener>,
    ) -> Result<Subscription> {
        let registered = self.register(Interest::Desk, actor, listener);
        let user = self.active_user(actor).await?;
        self.listening.hub.seat(registered.subscription(), &user);
        Ok(registered.keep())
    }
}

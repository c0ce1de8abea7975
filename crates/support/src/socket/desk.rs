//! What a connection of the control centre hears of all cases.

use std::sync::Arc;

use parlor_core::{
    case::{CaseAction, Conversation},
    error::Result,
    event::{Change, Event},
    hub::Listener,
    id::RoomId,
    listening::Held,
    message::Message,
    published::Published,
    session::Actor,
};
use parlor_live::Lost;
use serde_json::json;

use super::ears::{DESK, News, Wire};
use crate::shape;

/// Hears of all cases while its user is of the control centre.
pub(super) struct DeskEar {
    wire: Arc<Wire>,
}

impl DeskEar {
    /// Listens for this connection, from the moment in which its user is entitled to.
    pub(super) async fn listen(wire: &Arc<Wire>, actor: &Actor) -> Result<Held> {
        let ear = Arc::new(Self { wire: wire.clone() });
        let chat = wire.door.host.chat();
        let subscription = chat.listen_desk_when_entitled(actor, ear).await?;
        Ok(Held::new(chat, subscription))
    }

    /// Whether the connection watches a view that shows this case, and has not joined the case itself.
    fn watches(&self, room: &RoomId) -> bool {
        let views = self.wire.views.lock();
        if views.is_empty() || self.wire.joined.lock().contains(room) {
            return false;
        }
        let case = self.wire.door.host.chat().case_at_hand(room);
        case.is_some_and(|case| views.iter().any(|view| case.is_in(*view)))
    }

    /// Tells of a case. For those who take part in it what is unread has to be counted, so it is told a little later.
    fn updated(&self, action: &str, conversation: Conversation, message: Option<&Arc<Message>>) {
        let takes_part = conversation.participants.contains(&self.wire.user);
        let news = match message {
            Some(message) if takes_part => News::Message(message.clone(), Box::new(conversation)),
            message => News::Frame(self.wire.updated(action, &conversation, message.map(Arc::as_ref))),
        };
        match news {
            News::Frame(frame) if !takes_part => self.wire.push(frame, DESK),
            news => self.wire.later(|later| later.news.push(news)),
        }
    }

    fn created(&self, conversation: &Conversation, first: Option<&Message>) {
        let shown = shape::conversation(self.wire.eyes(), conversation);
        let told = json!({
            "conversation_id": shown["id"], "room_types": shown["room_types"], "user_id": shown["requester_id"],
            "user_name": shown["requester_name"], "title": shown["title"],
            "message": first.map(|message| shape::message(self.wire.eyes(), message)), "conversation": shown,
        });
        self.wire.push(self.wire.event("new_support_conversation", told), DESK);
    }
}

impl Listener for DeskEar {
    fn hear(&self, published: &Arc<Published>) {
        match &published.fact.event {
            Event::Case { conversation, action: CaseAction::Created, by, first } => {
                let asked = conversation.case.as_ref().and_then(|case| case.requester.as_ref()) == Some(by);
                if asked {
                    self.created(conversation, first.as_deref());
                } else if self.watches(&conversation.room.id) {
                    // The control centre opened it itself: it is claimed already.
                    self.updated(CaseAction::Claimed.as_str(), (**conversation).clone(), None);
                }
            }
            Event::Case { conversation, action, .. } => {
                let shown = matches!(action, CaseAction::Claimed | CaseAction::Closed | CaseAction::Reopened);
                if shown && self.watches(&conversation.room.id) {
                    self.updated(action.as_str(), (**conversation).clone(), None);
                }
            }
            Event::Message { message, change: Change::Made, head: Some(head) }
                if message.is_for_hosts() && self.watches(&message.room) =>
            {
                let chat = self.wire.door.host.chat();
                // The message that opens a case is told with it.
                let seen = chat.case_seen(message, head).filter(|(_, case)| case.first_seq != message.seq);
                if let Some((conversation, _)) = seen {
                    self.updated("message", conversation, Some(message));
                }
            }
            _ => {}
        }
    }

    fn revoked(&self) {
        self.wire.views.lock().clear();
        self.wire.later.lock().news.clear();
        self.wire.outbox.purge(Lost::Topic(DESK));
    }
}

//! Pins, which everybody sees, and stars, which one sees alone.

use std::sync::Arc;

use crate::{
    chat::Chat,
    error::{Refusal, Result, State},
    event::Event,
    id::MessageId,
    message::{Attachment, Mark, Message, MessageKind},
    messages::store_changed,
    messages_change::{mark_of, unchanged_place},
    permissions::{Action, Object},
    quotes::quote,
    session::Actor,
    store::{Lane, Tx},
};

impl Chat {
    /// Pins a message; a notice in the room says so and shows it. Doing it again changes nothing.
    pub async fn pin(&self, actor: &Actor, id: &MessageId) -> Result<Arc<Message>> {
        Ok(self.judged(|| self.pin_once(actor, id, true)).await?.0)
    }

    /// As [`Chat::pin`], for whoever wants to see the notice; a message that was pinned already has none anew.
    pub async fn pin_told(&self, actor: &Actor, id: &MessageId) -> Result<Arc<Message>> {
        let (pinned, notice) = self.judged(|| self.pin_once(actor, id, true)).await?;
        Ok(notice.map_or(pinned, Arc::new))
    }

    /// Takes a pin off.
    pub async fn unpin(&self, actor: &Actor, id: &MessageId) -> Result<Arc<Message>> {
        Ok(self.judged(|| self.pin_once(actor, id, false)).await?.0)
    }

    async fn pin_once(
        &self,
        actor: &Actor,
        id: &MessageId,
        on: bool,
    ) -> Result<(Arc<Message>, Option<Message>)> {
        if !self.settings().is_on("Message_AllowPinning") {
            return Err(Refusal::Disabled("Message_AllowPinning"));
        }
        let (room, message) = self.readable_message(actor, id).await?;
        let judgement = self.authorize(actor, Action::Pin, Object::Message(&room, &message)).await?;
        if room.archived {
            return Err(State::Archived.into());
        }
        if message.kind != MessageKind::Text {
            return Err(Refusal::NotAllowed("pin-message"));
        }
        let user = self.active_user(actor).await?;
        let notice = MessageId::new(self.new_id());
        let link = self.link_to(&message);
        let settings = self.settings();
        let depth = settings.number("Message_QuoteChainLimit") as usize;
        let real_names = settings.is_on("UI_Use_Real_Name");
        let store = move |tx: &mut dyn Tx| {
            tx.check(&judgement)?;
            let mut message = unchanged_place(tx, &message)?;
            if message.pinned.is_some() == on {
                return Ok((Arc::new(message), None));
            }
            message.pinned = on.then(|| Mark { at: tx.now(), ..mark_of(&user) });
            let pinned = store_changed(tx, message)?;
            let mut told = None;
            if on {
                let shown = quote(&link, Message::clone(&pinned), depth, real_names);
                let mut said =
                    Message::notice(&user, notice.clone(), room.id.clone(), "message_pinned", String::new());
                said.attachments = vec![Attachment::Quote(Box::new(shown))];
                told = Some(tx.append_message(said)?);
            }
            Ok((pinned, told))
        };
        self.store().writing(Lane::Verbs, store).await
    }

    /// Where clients find a message. Empty without `Site_Url`.
    pub(crate) fn link_to(&self, message: &Message) -> String {
        let settings = self.settings();
        let site = settings.text("Site_Url").trim_end_matches('/');
        if site.is_empty() {
            return String::new();
        }
        format!("{site}/channel/{}?msg={}", message.room, message.id)
    }

    /// Stars a message for oneself, or no longer.
    pub async fn star(&self, actor: &Actor, id: &MessageId, on: bool) -> Result<Arc<Message>> {
        if !self.settings().is_on("Message_AllowStarring") {
            return Err(Refusal::Disabled("Message_AllowStarring"));
        }
        let (room, message) = self.readable_message(actor, id).await?;
        self.authorize(actor, Action::Star, Object::Message(&room, &message)).await?;
        let (user, message) = (actor.user.clone(), Arc::new(message));
        let store = move |tx: &mut dyn Tx| {
            tx.put_star(&user, &message.id, on)?;
            tx.record(None, Event::Starred { user: user.clone(), message: message.clone(), on })?;
            Ok(message.clone())
        };
        self.store().writing(Lane::Verbs, store).await
    }
}

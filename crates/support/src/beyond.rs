//! What the document asks for later: reactions, pins, threads, search, presence. Requests of their own, which older clients
//! never make.

use parlor_core::{
    id::{MessageId, RoomId},
    message::Message,
    user::Status,
};
use parlor_host::{Fields, PageAsked, Problem, Text, page::Habit, rooms_draft, search};
use serde_json::{Map, Value};

use crate::{
    acts::{Acts, Keys, problem},
    fields, shape,
};

/// The kind of cursors of these lists.
const CURSOR: char = 'b';

/// Does one of these requests.
pub(crate) async fn done(acts: Acts<'_>, kind: &str, mut fields: Fields<'_>) -> Keys {
    match kind {
        "react_to_message" => {
            let (id, emoji) =
                (fields.need_text("message_id", Text::ID), fields.need_text("emoji", Text::new(1, 100)));
            let remove = fields.flag("remove").unwrap_or_default();
            fields.done()?;
            acts.react(&id, &emoji, !remove).await
        }
        "pin_message" => {
            let (id, pinned) =
                (fields.need_text("message_id", Text::ID), fields.flag("pinned").unwrap_or(true));
            fields.done()?;
            acts.pin(&id, pinned).await
        }
        "get_thread_messages" => {
            let id = fields.need_text("message_id", Text::ID);
            let page = PageAsked::of_fields(&fields, Habit::Cursors);
            fields.done()?;
            acts.thread(&id, &page?).await
        }
        "search_messages" => {
            let text = fields.need_text("query", Text::new(1, 200));
            let room = fields.text("conversation_id", Text::ID);
            let page = PageAsked::of_fields(&fields, Habit::Cursors);
            fields.done()?;
            acts.search(&text, room.as_deref().map(fields::room).transpose()?, &page?).await
        }
        _ => {
            let room = fields.need_text("conversation_id", Text::ID);
            fields.done()?;
            acts.presence(&fields::room(&room)?).await
        }
    }
}

impl Acts<'_> {
    /// A message that the caller may read, of this conversation's kind of words.
    async fn known(self, id: &str) -> Result<MessageId, Problem> {
        let id = rooms_draft::message_id(id)?;
        self.host.chat().host_message(self.actor, &id).await.map_err(problem)?;
        Ok(id)
    }

    fn changed(self, message: &Message) -> Keys {
        let mut keys = Map::new();
        keys.insert("conversation_id".into(), message.room.as_str().into());
        keys.insert("message".into(), shape::message(self.eyes(), message));
        Ok(keys)
    }

    async fn react(self, id: &str, emoji: &str, on: bool) -> Keys {
        let id = self.known(id).await?;
        let message = self.host.chat().react(self.actor, &id, emoji, Some(on)).await.map_err(problem)?;
        self.changed(&message)
    }

    async fn pin(self, id: &str, on: bool) -> Keys {
        let id = self.known(id).await?;
        let chat = self.host.chat();
        let done = if on { chat.pin(self.actor, &id).await } else { chat.unpin(self.actor, &id).await };
        let message = done.map_err(problem)?;
        self.changed(&message)
    }

    async fn thread(self, id: &str, asked: &PageAsked) -> Keys {
        let id = self.known(id).await?;
        let counted = asked.counted(CURSOR)?;
        let found = self.host.chat().thread_messages(self.actor, &id, false, counted.page()).await;
        let (_, replies) = found.map_err(problem)?;
        Ok(self.told_of(&replies.items, counted.told(replies.items.len(), replies.total)))
    }

    async fn search(self, text: &str, room: Option<RoomId>, asked: &PageAsked) -> Keys {
        let counted = asked.counted(CURSOR)?;
        let found = search::found(self.host.chat(), self.actor, room.as_ref(), text, &counted).await;
        let (messages, pagination) = found.map_err(problem)?;
        Ok(self.told_of(&messages, pagination))
    }

    fn told_of(self, messages: &[Message], pagination: Value) -> Map<String, Value> {
        let mut keys = Map::new();
        keys.insert("messages".into(), shape::messages(self.eyes(), messages));
        keys.insert("pagination".into(), pagination);
        keys
    }

    /// Who of the participants is online, and who has the conversation open.
    async fn presence(self, room: &RoomId) -> Keys {
        let found = self.one(room).await?;
        let chat = self.host.chat();
        let online = found.participants.iter().filter(|id| chat.status_of(id) != Status::Offline);
        let online: Vec<&str> = online.map(|id| id.as_str()).collect();
        let here = chat.users_live_in(room);
        let here: Vec<&str> = here.iter().map(|id| id.as_str()).collect();
        let mut keys = Map::new();
        keys.insert("conversation_id".into(), room.as_str().into());
        keys.insert("online_user_ids".into(), online.into());
        keys.insert("present_user_ids".into(), here.into());
        Ok(keys)
    }
}

//! Messages as host applications' doors send, read, change and remove them: a retry is known for ever, removed
//! messages keep their place, and whose message it is decides.

use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::{
    chat::Chat,
    error::{Refusal, Result, State, What},
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::Message,
    messages::Draft,
    messages_change::{Edit, Rules},
    newest::{KEPT, is_light, newest},
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    session::Actor,
    store::{Appended, HostSlice},
    user::User,
};

/// Largest `metadata`, in bytes of JSON.
pub const MAX_METADATA: usize = 4 * 1024;
/// Deepest `metadata`.
pub const MAX_METADATA_DEPTH: usize = 10;

/// Which part of a room's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The newest.
    Newest,
    /// The newest before this position.
    Before(i64),
    /// The oldest after this position.
    After(i64),
    /// The newest but so many.
    Skip(u64),
}

/// Part of a room's messages.
#[derive(Clone, Debug)]
pub struct Messages {
    /// Oldest first; removed ones stay, emptied.
    pub messages: Vec<Arc<Message>>,
    /// There are more in the same direction.
    pub more: bool,
    /// How many the room has.
    pub total: u64,
    /// How far the room had got when they were read.
    pub position: i64,
}

impl Chat {
    /// The id that a sender's own id leads to, on every node and for ever.
    pub fn client_message_id(&self, author: &User, client_id: &str) -> MessageId {
        let first = author.host.first_id.as_ref().unwrap_or(&author.id);
        let hash = Sha256::digest(format!("client id\n{first}\n{client_id}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        MessageId::new(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }

    /// What was stored for a retry that can't be judged any more (what it answers is gone, the room is closed).
    pub(crate) async fn known_retry(&self, actor: &Actor, draft: &Draft) -> Result<Option<Appended>> {
        let (Some(client_id), Some(room)) = (&draft.client_id, &draft.room) else { return Ok(None) };
        let Some(message) = self.sent_before(actor, room, client_id).await? else { return Ok(None) };
        let found = self.readable_room(actor, room).await?;
        let head = self.head(&found.id).await?;
        Ok(Some(Appended { message: Arc::new(message), duplicate: true, head }))
    }

    /// Whether the actor's own id led to a message of this room already. Such a retry is answered with what is stored,
    /// whatever it carries: what it names need not be there any more.
    pub async fn is_retry(&self, actor: &Actor, room: &RoomId, client_id: &str) -> Result<bool> {
        Ok(self.sent_before(actor, room, client_id).await?.is_some())
    }

    /// The message of this room that the actor's own id led to.
    async fn sent_before(&self, actor: &Actor, room: &RoomId, client_id: &str) -> Result<Option<Message>> {
        let author = self.active_user(actor).await?;
        let id = self.client_message_id(&author, client_id);
        let found = self.store().reading(move |rows| rows.message(&id)).await?;
        Ok(found.filter(|message| message.room == *room && message.author == author.id))
    }

    /// Checks what only these doors send.
    pub(crate) fn check_host_draft(&self, draft: &Draft) -> Result<()> {
        if let Some(id) = &draft.client_id {
            let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
            if !(1..=64).contains(&id.len()) || !id.bytes().all(fits) {
                return Err(Refusal::invalid("client_id", "must be 1 to 64 of A-Z a-z 0-9 _ . : -"));
            }
        }
        if let Some(metadata) = &draft.metadata {
            check_metadata(metadata)?;
        }
        if draft.from_host && draft.files.is_empty() && without_controls(&draft.text).trim().is_empty() {
            return Err(Refusal::invalid("text", "must not be empty"));
        }
        Ok(())
    }

    /// The message that a draft answers, in the same room.
    ///
    /// # Errors
    /// `NotFound(Message)`, `State(Deleted)`.
    pub(crate) async fn answered(&self, room: &Room, id: &MessageId) -> Result<Message> {
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.message(&wanted)).await?;
        let found = found.filter(|m| m.room == room.id).ok_or(Refusal::NotFound(What::Message))?;
        if found.is_gone() { Err(State::Deleted.into()) } else { Ok(found) }
    }

    /// A message that the actor may read, also a removed one, with its room. Unknown and unreadable ones are the same.
    pub async fn host_message(&self, actor: &Actor, id: &MessageId) -> Result<(Arc<Room>, Message)> {
        self.active_user(actor).await?;
        let none = Refusal::NotFound(What::Message);
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.message(&wanted)).await?;
        let message = found.filter(Message::is_for_hosts).ok_or(none.clone())?;
        match self.readable_room(actor, &message.room).await {
            Ok(room) => Ok((room, message)),
            Err(Refusal::NotFound(_)) => Err(none),
            Err(refusal) => Err(refusal),
        }
    }

    /// Part of a room's messages, removed ones among them, without the notices of joining and leaving.
    pub async fn host_messages(
        &self,
        actor: &Actor,
        room: &RoomId,
        part: Part,
        limit: u64,
    ) -> Result<Messages> {
        let room = self.readable_room(actor, room).await?;
        self.host_messages_of(&room, part, limit).await
    }

    pub(crate) async fn host_messages_of(&self, room: &Room, part: Part, limit: u64) -> Result<Messages> {
        if part != Part::Newest || limit > KEPT {
            return self.read_host_messages(room, part, limit).await;
        }
        let read = OnceLock::new();
        let load = || async {
            let page = self.read_host_messages(room, part, KEPT).await?;
            let kept = is_light(&page).then(|| Arc::new(page.clone()));
            let _ = read.set(page);
            Ok(kept)
        };
        match (self.newest.0.get_or_load(&room.id, load).await?, read.get()) {
            (_, Some(page)) => Ok(newest(page, limit)),
            (Some(kept), None) => Ok(newest(&kept, limit)),
            (None, None) => self.read_host_messages(room, part, limit).await,
        }
    }

    async fn read_host_messages(&self, room: &Room, part: Part, limit: u64) -> Result<Messages> {
        let (before, after, skip) = match part {
            Part::Newest => (None, None, 0),
            Part::Before(seq) => (Some(seq), None, 0),
            Part::After(seq) => (None, Some(seq), 0),
            Part::Skip(items) => (None, None, items),
        };
        let slice = HostSlice { before, after, skip, limit: limit + 1 };
        let id = room.id.clone();
        let read = move |rows: &mut dyn crate::store::Read| {
            let position = rows.head(&id)?.unwrap_or_default().position;
            Ok((rows.host_timeline(&id, &slice)?, rows.count_host_messages(&id)?, position))
        };
        let (mut messages, total, position) = self.store().reading(read).await?;
        let more = messages.len() as u64 > limit;
        messages.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if after.is_none() {
            messages.reverse();
        }
        Ok(Messages { messages: messages.into_iter().map(Arc::new).collect(), more, total, position })
    }

    /// Edits one's own message; `false` when it says so already. Nobody else may, whatever he may elsewhere.
    ///
    /// # Errors
    /// `NotFound(Message)`, `State(Deleted)`, `NotAllowed("edit-message")`.
    pub async fn edit_own(&self, actor: &Actor, id: &MessageId, text: &str) -> Result<(Arc<Message>, bool)> {
        let (_, message) = self.host_message(actor, id).await?;
        if message.is_gone() {
            return Err(State::Deleted.into());
        }
        let text = without_controls(text);
        if text.trim().is_empty() && message.files().next().is_none() {
            return Err(Refusal::invalid("text", "must not be empty"));
        }
        if message.author == self.active_user(actor).await?.id && message.text == text {
            return Ok((Arc::new(message), false));
        }
        let edit = Edit { text: Some(text), ..Edit::default() };
        let edited = self.judged(|| self.edit_once(actor, id, &edit, Rules::Author)).await?;
        Ok((edited, true))
    }

    /// Removes one's own message, or as an admin of the room anybody's; `false` when it is gone already. What stays of
    /// it.
    ///
    /// # Errors
    /// `NotFound(Message)`, `NotAllowed("delete-message")`.
    pub async fn remove_own(&self, actor: &Actor, id: &MessageId) -> Result<(Arc<Message>, bool)> {
        let (_, message) = self.host_message(actor, id).await?;
        if message.is_gone() {
            return Ok((Arc::new(message), false));
        }
        self.judged(|| self.delete_once(actor, id, Rules::Author)).await?;
        let wanted = id.clone();
        let left = self.store().reading(move |rows| rows.message(&wanted)).await?;
        Ok((Arc::new(left.ok_or(Refusal::NotFound(What::Message))?), true))
    }

    /// Whether somebody has the last word in a room: its owners and moderators, and ADMIN in tickets.
    pub(crate) async fn is_room_admin(&self, actor: &Actor, room: &Room) -> Result<bool> {
        let user = self.active_user(actor).await?;
        if actor.is_system() || (room.kind == RoomKind::Ticket && user.is("ADMIN")) {
            return Ok(true);
        }
        let membership = self.membership(&room.id, &user.id).await?;
        Ok(!room.is_direct() && membership.is_some_and(|m| m.is_room_admin()))
    }

    pub(crate) async fn judge_as_author(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        message: &Message,
        action: Action,
    ) -> Result<Judgement> {
        let object = Object::Message(room, message);
        let author = message.author == self.active_user(actor).await?.id && !message.is_system();
        match action {
            Action::EditOwnMessage if author => self.authorize(actor, action, object).await,
            Action::EditOwnMessage => Err(Refusal::NotAllowed("edit-message")),
            _ if author || self.is_room_admin(actor, room).await? => {
                self.authorize(actor, Action::ReadRoom, object).await
            }
            _ => Err(Refusal::NotAllowed("delete-message")),
        }
    }

    /// Whether a user ever wrote anything, removed or not.
    pub(crate) async fn ever_wrote(&self, user: &UserId) -> Result<bool> {
        let user = user.clone();
        self.store().reading(move |rows| rows.ever_wrote(&user)).await
    }
}

fn check_metadata(metadata: &Json) -> Result<()> {
    let text = metadata.as_str();
    if text.len() > MAX_METADATA {
        return Err(Refusal::invalid("metadata", format!("must not exceed {MAX_METADATA} bytes")));
    }
    if depth(text) > MAX_METADATA_DEPTH {
        return Err(Refusal::invalid("metadata", format!("must not nest deeper than {MAX_METADATA_DEPTH}")));
    }
    Ok(())
}

/// The deepest nesting of a JSON text.
fn depth(json: &str) -> usize {
    let (mut now, mut most, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                now += 1;
                most = most.max(now);
            }
            b'}' | b']' if !in_string => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}

/// A text without C0 control characters but tab and line ends.
pub(crate) fn without_controls(text: &str) -> String {
    text.chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_go_and_the_rest_of_a_text_stays() {
        assert_eq!(without_controls("a\0b\u{1b}[0m\tc\r\n <b> \u{7f}é"), "ab[0m\tc\r\n <b> \u{7f}é");
    }

    #[test]
    fn metadata_has_bounds() {
        let nested = |levels: usize| Json::new(format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
        assert!(check_metadata(&nested(10)).is_ok());
        assert!(check_metadata(&nested(11)).is_err());
        assert!(check_metadata(&Json::new(r#"{"a":"[[[[[[[[[[[[[\"[["}"#)).is_ok());
        assert!(check_metadata(&Json::new(format!("{{\"a\":\"{}\"}}", "x".repeat(MAX_METADATA)))).is_err());
    }
}

//! What requests carry, read the same way from frames and from REST bodies.

use parlor_core::{
    case::Priority,
    id::{RoomId, UserId},
    messages::Draft,
    session::Actor,
};
use parlor_host::{Fields, Host, Problem, Text, attached, rooms_draft};

/// Messages that one request may name.
const MAX_NAMED: usize = 100;

/// A text of a conversation.
pub(crate) struct Wanted {
    content: Option<String>,
    client_id: Option<String>,
    reply_to: Option<String>,
    thread: Option<String>,
    attachments: Vec<String>,
}

/// Reads what makes a message. `needed`: there must be a text or a file.
pub(crate) fn message(fields: &mut Fields<'_>, needed: bool) -> Wanted {
    let attachments = attached::asked(fields, "attachments");
    let content = fields.text("content", Text::MESSAGE);
    // A wrong type was told already.
    if needed && fields.value("content").is_none() && attachments.is_empty() {
        fields.missing("content");
    }
    Wanted {
        content,
        client_id: fields.client_id(&["client_id", "clientId"]),
        reply_to: fields.text("reply_to_id", Text::ID),
        thread: fields.text("thread_id", Text::ID),
        attachments,
    }
}

impl Wanted {
    /// Whether there is anything to say.
    pub(crate) fn is_nothing(&self) -> bool {
        self.content.is_none() && self.attachments.is_empty()
    }

    /// The draft of it, for this room (none for one that is about to be made).
    pub(crate) async fn draft(
        self,
        host: &Host,
        actor: &Actor,
        room: Option<RoomId>,
    ) -> Result<Draft, Problem> {
        let id = |text: Option<String>| text.map(|text| rooms_draft::message_id(&text)).transpose();
        let (reply_to, thread) = (id(self.reply_to)?, id(self.thread)?);
        let client_id = self.client_id.as_deref();
        let files = attached::cards(host, actor, room.as_ref(), client_id, &self.attachments).await?;
        Ok(Draft {
            room,
            text: self.content.unwrap_or_default(),
            client_id: self.client_id,
            reply_to,
            thread,
            files,
            from_host: true,
            ..Draft::default()
        })
    }
}

/// A room's id; one that breaks the pattern is answered like an unknown one.
pub(crate) fn room(text: &str) -> Result<RoomId, Problem> {
    RoomId::parse(text).ok_or_else(|| Problem::not_found("Conversation"))
}

/// Users by their ids; those that break the pattern are unknown.
pub(crate) fn users(ids: Vec<String>) -> Result<Vec<UserId>, Problem> {
    let (good, bad): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| UserId::parse(id).is_some());
    if !bad.is_empty() {
        return Err(Problem::unknown_users(&bad));
    }
    Ok(good.iter().filter_map(|id| UserId::parse(id)).collect())
}

/// `priority`, letter case aside.
pub(crate) fn priority(fields: &mut Fields<'_>) -> Priority {
    let Some(word) = fields.text("priority", Text::ID) else { return Priority::default() };
    Priority::parse(&word).unwrap_or_else(|| {
        fields.fault("priority", "must be NORMAL, HIGH or EMERGENCY");
        Priority::default()
    })
}

/// `message_id` or `message_ids`; `None` where neither is given.
pub(crate) fn named(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let one = fields.text("message_id", Text::ID);
    let many = fields.texts("message_ids", MAX_NAMED);
    match (one, many) {
        (None, None) => None,
        (one, many) => Some(one.into_iter().chain(many.unwrap_or_default()).collect()),
    }
}

/// `status` of a list; `None` of the answer is all.
pub(crate) fn status(word: Option<&str>, usual: Option<bool>) -> Result<Option<bool>, Problem> {
    match word.map(str::to_ascii_uppercase).as_deref() {
        None => Ok(usual),
        Some("ACTIVE") => Ok(Some(true)),
        Some("CLOSED") => Ok(Some(false)),
        Some("ALL") => Ok(None),
        Some(_) => Err(Problem::invalid("status", "must be ACTIVE, CLOSED or ALL")),
    }
}

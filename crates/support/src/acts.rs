//! What a request does, the same over the socket and over REST: the keys of its answer, or why not.

use std::sync::Arc;

use parlor_core::{
    case::{Conversation, Queue},
    cases::{NewCase, Opened, ROLE_REQUIRED},
    cases_list::{Conversations, DESK_DENIED, Part},
    clock::Time,
    error::{Refusal, What},
    id::{MessageId, RoomId, UserId},
    messages::Sending,
    session::Actor,
    store::Place,
};
use parlor_host::{Cursor, Fields, Host, PageAsked, Problem, Seek, Text, iso};
use serde_json::{Map, Value};

use crate::{
    fields,
    shape::{self, Eyes},
};

/// The kind of cursors of lists of conversations.
const CURSOR: char = 'v';
/// What everybody is told who may not watch the queues.
const DENIED: &str = "Only control staff can join support rooms";

/// The keys of an answer.
pub(crate) type Keys = Result<Map<String, Value>, Problem>;

/// Somebody's requests.
#[derive(Clone, Copy)]
pub(crate) struct Acts<'a> {
    pub(crate) host: &'a Host,
    pub(crate) actor: &'a Actor,
}

/// A refusal of the core in this contract's words.
pub(crate) fn problem(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotFound(What::Room) => Problem::not_found("Conversation"),
        Refusal::NotAllowed(ROLE_REQUIRED) => {
            Problem::new(403, "role_required", "Your role does not allow this")
        }
        Refusal::NotAllowed(DESK_DENIED) => Problem::new(403, "support_room_denied", DENIED),
        Refusal::TooLarge { what: "message", limit } => {
            Problem::invalid("content", format!("must have at most {limit} characters"))
        }
        Refusal::Invalid { field: "text" | "message", problem } => Problem::invalid("content", problem),
        other => other.into(),
    }
}

fn key(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

impl<'a> Acts<'a> {
    pub(crate) fn eyes(self) -> Eyes<'a> {
        Eyes { host: self.host, viewer: &self.actor.user }
    }

    /// `conversation` and `message` of a case that was opened.
    pub(crate) fn opened(self, opened: &Opened) -> Map<String, Value> {
        let mut keys = self.told(&opened.conversation);
        let message = opened.message.as_deref().map(|message| shape::message(self.eyes(), message));
        keys.insert("message".into(), message.into());
        keys
    }

    /// `conversation`.
    pub(crate) fn told(self, conversation: &Conversation) -> Map<String, Value> {
        key("conversation", shape::conversation(self.eyes(), conversation))
    }

    /// Opens a case as the fields say; `only_field` over the socket, where nobody else opens one.
    pub(crate) async fn open(self, mut fields: Fields<'_>, only_field: bool) -> Result<Opened, Problem> {
        let chat = self.host.chat();
        let user = chat.user(&self.actor.user).await?;
        let is_field = user.as_deref().is_some_and(parlor_core::cases::is_field);
        let is_control = user.as_deref().is_some_and(parlor_core::cases::is_control);
        if !is_field && (only_field || !is_control) {
            return Err(problem(Refusal::NotAllowed(ROLE_REQUIRED)));
        }
        let title = fields.need_text("title", Text::new(1, parlor_core::cases::MAX_TITLE));
        let wanted = fields::message(&mut fields, is_field);
        let priority = fields::priority(&mut fields);
        let participants = if only_field { None } else { fields.texts("participants", 200) };
        fields.done()?;
        let participants = fields::users(participants.unwrap_or_default())?;
        self.check_known(&participants).await?;
        let message = match wanted.is_nothing() {
            true => None,
            false => Some(wanted.draft(self.host, self.actor, None).await?),
        };
        let wanted = NewCase { title, message, participants, priority };
        chat.open_case(self.actor, wanted).await.map_err(problem)
    }

    async fn check_known(self, ids: &[UserId]) -> Result<(), Problem> {
        let mut unknown = Vec::new();
        for id in ids {
            if !self.host.chat().user(id).await?.is_some_and(|user| user.active) {
                unknown.push(id.to_string());
            }
        }
        if unknown.is_empty() { Ok(()) } else { Err(Problem::unknown_users(&unknown)) }
    }

    /// Judges a message and enqueues it.
    pub(crate) async fn send(self, room: &str, wanted: fields::Wanted) -> Result<Sending, Problem> {
        let room = fields::room(room)?;
        let draft = wanted.draft(self.host, self.actor, Some(room)).await?;
        self.host.chat().send(self.actor, draft).await.map_err(problem)
    }

    /// The message once it is on disk; `true` when it was there already.
    pub(crate) async fn stored(self, sending: Sending) -> Result<(Map<String, Value>, bool), Problem> {
        let sent = sending.stored(self.host.chat()).await.map_err(problem)?;
        tracing::debug!(user = %self.actor.user, room = %sent.message.room, id = %sent.message.id, "a message is stored");
        Ok((key("message", shape::message(self.eyes(), &sent.message)), sent.duplicate))
    }

    /// The caller's own conversations.
    pub(crate) async fn mine(self, open: Option<bool>, asked: &PageAsked) -> Keys {
        let part = part(asked)?;
        let found = self.host.chat().my_cases(self.actor, open, part).await.map_err(problem)?;
        Ok(self.listed(&found, asked))
    }

    /// What waits in a view.
    pub(crate) async fn waiting(self, view: Queue, asked: &PageAsked) -> Keys {
        let part = part(asked)?;
        let found = self.host.chat().waiting_cases(self.actor, view, part).await.map_err(problem)?;
        let mut keys = self.listed(&found, asked);
        keys.insert("room_type".into(), view.as_str().into());
        Ok(keys)
    }

    fn listed(self, found: &Conversations, asked: &PageAsked) -> Map<String, Value> {
        let items: Vec<Value> = found.items.iter().map(|one| shape::conversation(self.eyes(), one)).collect();
        let next = found
            .next
            .as_ref()
            .map(|place| Cursor::make(CURSOR, &format!("{}.{}", place.at.millis(), place.room)));
        let mut keys = key("conversations", items);
        keys.insert("pagination".into(), asked.told(next.is_some(), next, found.total));
        keys
    }

    /// One conversation.
    pub(crate) async fn one(self, room: &RoomId) -> Result<Conversation, Problem> {
        self.host.chat().conversation(self.actor, room).await.map_err(problem)
    }

    /// A page of a conversation's messages.
    pub(crate) async fn messages(self, room: &RoomId, asked: &PageAsked) -> Keys {
        let (messages, pagination) =
            parlor_host::history::messages(self.host, self.actor, room, asked).await.map_err(unknown_room)?;
        let mut keys = key("conversation_id", room.as_str());
        keys.insert("messages".into(), shape::messages(self.eyes(), messages.iter().map(Arc::as_ref)));
        keys.insert("pagination".into(), pagination);
        Ok(keys)
    }

    /// Marks messages as read.
    pub(crate) async fn read(self, room: Option<RoomId>, named: Option<Vec<String>>) -> Keys {
        let chat = self.host.chat();
        let named = match named {
            None => None,
            Some(ids) => {
                let parsed: Option<Vec<MessageId>> = ids.iter().map(|id| MessageId::parse(id)).collect();
                Some(parsed.ok_or_else(|| Problem::not_found("Message"))?)
            }
        };
        let room = match (room, named.as_ref().and_then(|ids| ids.first())) {
            (Some(room), _) => room,
            (None, Some(first)) => chat.host_message(self.actor, first).await.map_err(problem)?.1.room,
            (None, None) => return Err(Problem::invalid("conversation_id", "is required")),
        };
        let done = chat.read_named(self.actor, &room, named).await.map_err(problem)?;
        let ids: Vec<&str> = done.named.iter().map(|id| id.as_str()).collect();
        let mut keys = key("conversation_id", room.as_str());
        keys.insert("message_ids".into(), ids.into());
        keys.insert("read_at".into(), iso(done.at).into());
        keys.insert("unread_count".into(), done.unread.into());
        Ok(keys)
    }

    /// Claims, closes or opens again.
    pub(crate) async fn turn(
        self,
        turn: Turn,
        room: &RoomId,
        reason: &str,
    ) -> Result<Arc<Conversation>, Problem> {
        let chat = self.host.chat();
        let done = match turn {
            Turn::Claim => chat.claim_case(self.actor, room).await,
            Turn::Close => chat.close_case(self.actor, room, reason).await,
            Turn::Reopen => chat.reopen_case(self.actor, room, reason).await,
        };
        done.map_err(problem)
    }

    /// Brings somebody in.
    pub(crate) async fn add(self, room: &RoomId, user: &str) -> Keys {
        let unknown = || Problem::unknown_users(&[user.to_owned()]);
        let id = UserId::parse(user).ok_or_else(unknown)?;
        match self.host.chat().add_participant(self.actor, room, &id).await {
            Ok(conversation) => Ok(self.told(&conversation)),
            Err(Refusal::NotFound(What::User)) => Err(unknown()),
            Err(refusal) => Err(problem(refusal)),
        }
    }
}

/// What can be done to a case as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    Claim,
    Close,
    Reopen,
}

/// A room that can't be read is a conversation that is not known.
fn unknown_room(problem: Problem) -> Problem {
    if problem.code == "not_found" { Problem::not_found("Conversation") } else { problem }
}

/// Which part of a list of conversations.
fn part(asked: &PageAsked) -> Result<Part, Problem> {
    let beyond = match &asked.seek {
        Seek::Before(cursor) | Seek::After(cursor) => Some(place(cursor).ok_or_else(Problem::bad_cursor)?),
        Seek::Start | Seek::Page(_) | Seek::Skip(_) => None,
    };
    let skip = asked.offset().unwrap_or_default();
    let back = matches!(asked.seek, Seek::After(_));
    Ok(Part { beyond, back, skip, limit: asked.limit, count: asked.offset().is_some() })
}

fn place(cursor: &str) -> Option<Place> {
    let text = Cursor::read(CURSOR, cursor)?;
    let (at, room) = text.split_once('.')?;
    Some(Place { at: Time(at.parse().ok()?), room: RoomId::parse(room)? })
}

//! What a connection listens with. Each ear turns the events of one interest into frames of its connection and never
//! waits.

use std::{
    hash::{BuildHasher, Hash},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::{
    case::{CaseAction, Conversation, Queue},
    catch_up::CatchUp,
    event::{Change, Event},
    hub::Listener,
    id::{RoomId, UserId},
    message::Message,
    published::{Published, Slot},
};
use parlor_host::{Problem, iso};
use parlor_live::{Class, Close, Closed, Dirty, Lost, Outbox};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use serde_json::{Map, Value, json};

use super::{marking::Marking, opening::Opening};
use crate::{
    Door,
    envelope::{error, frame, keys},
    shape::{self, Eyes},
};

/// The rendering of a room's event for those who joined it.
const JOINED: Slot = Slot::number(13);
/// A message of which something else than its text changed, beside its reactions.
const UPDATED: Slot = Slot::number(15);
/// What the queues' frames are about, for purging.
pub(super) const DESK: u64 = 1;
/// What may wait to be told later; beyond that a connection is too slow.
const MOST_LATER: usize = 1_000;

/// What all ears of one connection share.
pub(super) struct Wire {
    pub(super) door: Arc<Door>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) user: UserId,
    /// The connection's number: its own typing is not echoed to it.
    pub(super) origin: u64,
    /// The views that it watches.
    pub(super) views: Mutex<Vec<Queue>>,
    /// The conversations that it joined.
    pub(super) joined: Mutex<FxHashSet<RoomId>>,
    /// What the session has to look at.
    pub(super) later: Mutex<Later>,
    /// The case that it opens.
    pub(super) opening: Opening,
    /// What it marks as read.
    pub(super) marking: Marking,
}

/// What can't be told at once.
#[derive(Default)]
pub(super) struct Later {
    /// Conversations whose access was lost.
    pub(super) lost: Vec<RoomId>,
    /// News of the user's own cases, in their order.
    pub(super) news: Vec<News>,
}

/// News of a case that the user takes part in.
pub(super) enum News {
    /// Ready.
    Frame(Bytes),
    /// A message; what is unread of the case has to be counted.
    Message(Arc<Message>, Box<Conversation>),
}

fn hash(of: &impl Hash) -> u64 {
    // 0 and 1 mean something else.
    FxBuildHasher.hash_one(of).clamp(2, u64::MAX - 1)
}

impl Wire {
    pub(super) fn eyes(&self) -> Eyes<'_> {
        Eyes { host: &self.door.host, viewer: &self.user }
    }

    pub(super) fn event(&self, kind: &str, told: Value) -> Bytes {
        frame(kind, keys(told), self.door.host.now())
    }

    /// Queues an event's frame; an empty one stands for nothing to tell.
    pub(super) fn push(&self, frame: Bytes, topic: u64) {
        if !frame.is_empty() {
            self.outbox.push(frame, Class::Event { topic });
        }
    }

    /// A request to open a case has opened this one, or none.
    pub(super) fn opened(&self, opened: Option<&RoomId>) {
        for (room, frame) in self.opening.end(opened) {
            self.push(frame, hash(&room));
        }
    }

    /// Leaves something to the session.
    pub(super) fn later(&self, change: impl FnOnce(&mut Later)) {
        let mut later = self.later.lock();
        change(&mut later);
        if later.news.len() > MOST_LATER {
            return self.outbox.close(Closed::TooSlow);
        }
        drop(later);
        self.outbox.mark(Dirty { kind: 0, room: "".into() });
    }

    /// A case changed, for those who watch it.
    pub(super) fn updated(
        &self,
        action: &str,
        conversation: &Conversation,
        message: Option<&Message>,
    ) -> Bytes {
        let mut told = Map::new();
        told.insert("action".into(), action.into());
        told.insert("conversation".into(), shape::conversation(self.eyes(), conversation));
        if let Some(message) = message {
            told.insert("message".into(), shape::message(self.eyes(), message));
        }
        frame("support_conversation_updated", told, self.door.host.now())
    }

    /// Ends the connection for this reason.
    pub(super) fn end(&self, problem: &Problem) {
        let code = if problem.code == "user_inactive" { 4403 } else { 4401 };
        self.outbox.push(error(None, problem, self.door.host.now()), Class::Reply);
        self.outbox.finish(Close::new(code, problem.code));
    }
}

/// Hears one conversation that the connection joined.
pub(super) struct JoinedEar {
    wire: Arc<Wire>,
    room: RoomId,
    topic: u64,
    /// What it hears waits until what went before was answered.
    catch_up: Mutex<CatchUp>,
    /// The access was lost.
    over: AtomicBool,
}

impl JoinedEar {
    pub(super) fn new(wire: &Arc<Wire>, room: &RoomId) -> Arc<Self> {
        let catch_up = Mutex::new(CatchUp::new());
        let over = AtomicBool::new(false);
        Arc::new(Self { wire: wire.clone(), room: room.clone(), topic: hash(room), catch_up, over })
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    /// Answers with what was read up to this position, and goes on with what is newer. `false` when too much came
    /// meanwhile.
    pub(super) fn begin(&self, position: i64, answer: impl FnOnce()) -> bool {
        let mut catch_up = self.catch_up.lock();
        let Some(waiting) = catch_up.read(position) else { return false };
        answer();
        waiting.iter().for_each(|published| self.tell(published));
        true
    }

    fn tell(&self, published: &Published) {
        match &published.fact.event {
            Event::Message { message, .. } if message.files().next().is_some() => {
                // Links to files are signed for one viewer.
                if let Some(frame) = message_event(&self.wire, &published.fact.event) {
                    self.wire.push(frame, self.topic);
                }
                let changed = matches!(published.fact.event, Event::Message { change: Change::Changed, .. });
                if changed && is_touched(message) {
                    self.wire.push(self.wire.event("message_updated", told(&self.wire, message)), self.topic);
                }
            }
            Event::Message { message, change: Change::Changed, .. } if is_touched(message) => {
                self.wire.push(self.rendered(published), self.topic);
                let updated = |_: &_| self.wire.event("message_updated", told(&self.wire, message));
                self.wire.push(published.rendered(UPDATED, updated).clone(), self.topic);
            }
            Event::Activity { user, origin, .. } => {
                // In its order: the end of it is told before the message that ended it.
                if *origin != self.wire.origin && *user != self.wire.user {
                    self.wire.push(self.rendered(published), self.topic);
                }
            }
            Event::Read { user, .. } | Event::Gathered { user, .. } if *user == self.wire.user => {}
            _ => self.wire.push(self.rendered(published), self.topic),
        }
    }

    fn rendered(&self, published: &Published) -> Bytes {
        let render = |fact: &parlor_core::event::Fact| match &fact.event {
            event @ (Event::Message { .. } | Event::MessageDeleted { .. }) => {
                message_event(&self.wire, event).unwrap_or_default()
            }
            Event::Activity { room, user, name, activities, .. } => self.wire.event(
                "typing_status",
                json!({
                    "conversation_id": room.as_str(), "user_id": user.as_str(), "user_name": &**name,
                    "is_typing": activities.iter().any(|what| what == "user-typing"),
                }),
            ),
            Event::Gathered { room, user, name, here } => self.wire.event(
                "presence_status",
                json!({
                    "conversation_id": room.as_str(), "user_id": user.as_str(), "user_name": &**name,
                    "is_present": here,
                }),
            ),
            event @ Event::Read { thread: None, .. } => read_event(&self.wire, event).unwrap_or_default(),
            _ => Bytes::new(),
        };
        published.rendered(JOINED, render).clone()
    }
}

impl Listener for JoinedEar {
    fn hear(&self, published: &Arc<Published>) {
        let mut catch_up = self.catch_up.lock();
        if let Some(published) = catch_up.hear(published) {
            self.tell(&published);
        }
    }

    fn revoked(&self) {
        self.wire.outbox.purge(Lost::Topic(self.topic));
        self.wire.joined.lock().remove(&self.room);
        self.over.store(true, Ordering::Release);
        self.wire.later(|later| later.lost.push(self.room.clone()));
        let problem = Problem::not_found("Conversation");
        let mut told = keys(problem.body());
        told.insert("conversation_id".into(), self.room.as_str().into());
        self.wire.outbox.push(frame("error", told, self.wire.door.host.now()), Class::Reply);
    }
}

/// Whether its last change was about something else than its text; only for messages that changed.
fn is_touched(message: &Message) -> bool {
    message.is_for_hosts() && !message.is_gone() && !message.is_just_edited()
}

fn told(wire: &Wire, message: &Message) -> Value {
    json!({ "conversation_id": message.room.as_str(), "message": shape::message(wire.eyes(), message) })
}

/// What became of a message, for those who joined its conversation.
fn message_event(wire: &Wire, event: &Event) -> Option<Bytes> {
    let told = |message: &Message| told(wire, message);
    match event {
        Event::Message { message, .. } if !message.is_for_hosts() => None,
        Event::Message { message, change: Change::Made, .. } => {
            Some(wire.event("new_message", told(message)))
        }
        Event::Message { message, .. } if message.is_gone() => {
            Some(wire.event("message_deleted", told(message)))
        }
        Event::Message { message, .. } if message.is_just_edited() => {
            Some(wire.event("message_edited", told(message)))
        }
        Event::Message { message, .. } => Some(wire.event(
            "message_reaction",
            json!({
                "conversation_id": message.room.as_str(), "message_id": message.id.as_str(),
                "reactions": parlor_host::shape::rooms::Reactions(&message.reactions),
            }),
        )),
        Event::MessageDeleted { emptied: Some(message), .. } => {
            Some(wire.event("message_deleted", told(message)))
        }
        _ => None,
    }
}

/// Who read what.
fn read_event(wire: &Wire, event: &Event) -> Option<Bytes> {
    let Event::Read { room, user, named, at, thread: None, .. } = event else { return None };
    let ids: Vec<&str> = named.iter().map(|id| id.as_str()).collect();
    Some(wire.event(
        "message_read",
        json!({
            "conversation_id": room.as_str(), "user_id": user.as_str(), "message_ids": ids, "read_at": iso(*at),
        }),
    ))
}

/// Hears what happens to the connection's own user.
pub(super) struct UserEar(pub(super) Arc<Wire>);

impl Listener for UserEar {
    fn hear(&self, published: &Arc<Published>) {
        let Event::Read { room, named, thread: None, .. } = &published.fact.event else { return };
        if self.0.marking.is_own(named) && !self.0.joined.lock().contains(room) {
            return;
        }
        self.0.push(read_event(&self.0, &published.fact.event).unwrap_or_default(), 0);
    }

    /// The account is deactivated or its session is over.
    fn revoked(&self) {
        self.0.outbox.purge(Lost::All);
        let active = self.0.door.host.chat().user_at_hand(&self.0.user).is_none_or(|user| user.active);
        let problem = if active { Problem::invalid_token() } else { Problem::user_inactive() };
        self.0.end(&problem);
    }
}

/// Hears of the cases that the user takes part in.
pub(super) struct InboxEar(pub(super) Arc<Wire>);

impl Listener for InboxEar {
    fn hear(&self, published: &Arc<Published>) {
        if let Event::Case { conversation, action, .. } = &published.fact.event
            && !action.is_internal()
        {
            let told = json!({
                "action": action.as_str(), "conversation": shape::conversation(self.0.eyes(), conversation),
            });
            let room = &conversation.room.id;
            let frame = self.0.event("conversation_updated", told);
            let told = match action {
                CaseAction::Created => self.0.opening.came_up(room, frame).unwrap_or_default(),
                _ => frame,
            };
            self.0.push(told, hash(room));
        }
    }

    /// They come to the conversations that were joined.
    fn wants_messages(&self) -> bool {
        false
    }

    fn revoked(&self) {}
}

/// The conversations that a connection joined.
pub(super) type Joined = FxHashMap<RoomId, (Arc<JoinedEar>, parlor_core::hub::Subscription)>;

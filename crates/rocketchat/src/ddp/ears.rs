//! What a connection listens with. Each ear turns the events of one interest into frames of its connection, rendered
//! once for all connections, and never waits.

use std::{
    collections::HashSet,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use parking_lot::Mutex;
use parlor_core::{
    event::{Change, Event},
    hub::Listener,
    id::{RoomId, SessionId, UserId},
    message::Message,
    published::Published,
};
use parlor_live::{Class, Close, Dirty, Lost, Outbox};

use super::{
    frame, render,
    streams::{RoomEvent, UserEvent},
};
use crate::Door;

/// Kinds of personal state that is rendered when the connection drains, at most twice a second for each room.
pub(super) const SUBSCRIPTION: u8 = 0;
pub(super) const SUBSCRIPTION_MADE: u8 = 1;
pub(super) const ROOM: u8 = 2;
pub(super) const ROOM_MADE: u8 = 3;

/// What all ears of one connection share.
pub(super) struct Wire {
    pub(super) door: Arc<Door>,
    pub(super) outbox: Arc<Outbox>,
    /// The connection's number: its own typing is not echoed to it.
    pub(super) origin: u64,
    /// Rooms whose messages it hears, for what only this user sees of them (stars).
    pub(super) rooms: Mutex<HashSet<RoomId>>,
}

impl Wire {
    fn mark(&self, kind: u8, room: &RoomId) {
        self.outbox.mark(Dirty { kind, room: room.as_str().into() });
    }
}

fn hash(of: &impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(of).max(1)
}

/// Which of several events are wanted.
#[derive(Default)]
pub(super) struct Wanted(AtomicU8);

impl Wanted {
    pub(super) fn add(&self, bit: u8) {
        self.0.fetch_or(bit, Ordering::Relaxed);
    }
    pub(super) fn set(&self, bits: u8) {
        self.0.store(bits, Ordering::Relaxed);
    }
    fn has(&self, bit: u8) -> bool {
        self.0.load(Ordering::Relaxed) & bit != 0
    }
}

/// Hears one room.
pub(super) struct RoomEar {
    wire: Arc<Wire>,
    room: RoomId,
    user: UserId,
    topic: u64,
    pub(super) wanted: Wanted,
    /// Set when the room was lost: it hears nothing any more, even if its user comes back.
    over: AtomicBool,
}

impl RoomEar {
    pub(super) fn new(wire: &Arc<Wire>, room: &RoomId, user: &UserId) -> Arc<Self> {
        let (room, topic) = (room.clone(), hash(room));
        Arc::new(Self {
            wire: wire.clone(),
            room,
            user: user.clone(),
            topic,
            wanted: Wanted::default(),
            over: AtomicBool::default(),
        })
    }

    /// Whether the room was lost since.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn push(&self, published: &Published, class: Class) {
        let frame = published.rendered(render::ROOM, |fact| render::room(&self.wire.door, fact));
        if !frame.is_empty() {
            self.wire.outbox.push(frame.clone(), class);
        }
    }
}

impl Listener for RoomEar {
    fn hear(&self, published: &Arc<Published>) {
        let event = Class::Event { topic: self.topic };
        match &published.fact.event {
            Event::Message { .. } if self.wanted.has(RoomEvent::Messages as u8) => {
                self.push(published, event)
            }
            Event::MessageDeleted { .. } if self.wanted.has(RoomEvent::Deleted as u8) => {
                self.push(published, event)
            }
            Event::MessagesPurged { .. } if self.wanted.has(RoomEvent::Purged as u8) => {
                self.push(published, event)
            }
            // What this user read is no news here: clients take it for a receipt of others.
            Event::Read { user, .. } if *user != self.user && self.wanted.has(RoomEvent::Read as u8) => {
                self.push(published, event)
            }
            Event::Activity { user, origin, thread, .. } if *origin != self.wire.origin => {
                let class = Class::Volatile { topic: self.topic, key: hash(&(self.topic, user, thread)) };
                if self.wanted.has(RoomEvent::Activity as u8) {
                    self.push(published, class);
                }
                if self.wanted.has(RoomEvent::Typing as u8) {
                    let legacy = published.rendered(render::TYPING, render::typing);
                    let class =
                        Class::Volatile { topic: self.topic, key: hash(&(self.topic, user, "typing")) };
                    self.wire.outbox.push(legacy.clone(), class);
                }
            }
            _ => {}
        }
    }

    fn revoked(&self) {
        self.over.store(true, Ordering::Release);
        self.wire.rooms.lock().remove(&self.room);
        self.wire.outbox.purge(Lost::Topic(self.topic));
    }
}

/// Hears what happens to the connection's own user. Ends the connection when its session is over.
pub(super) struct UserEar {
    wire: Arc<Wire>,
    user: UserId,
    session: Option<SessionId>,
    pub(super) wanted: Wanted,
}

impl UserEar {
    pub(super) fn new(wire: &Arc<Wire>, user: UserId, session: Option<SessionId>) -> Arc<Self> {
        Arc::new(Self { wire: wire.clone(), user, session, wanted: Wanted::default() })
    }

    fn push(&self, frame: bytes::Bytes) {
        self.wire.outbox.push(frame, Class::Event { topic: 0 });
    }

    fn send(&self, event: &str, args: &serde_json::Value) {
        self.push(frame::event("notify-user", &format!("{}/{event}", self.user), args));
    }

    fn wants(&self, event: UserEvent) -> bool {
        self.wanted.has(event as u8)
    }

    fn membership(&self, room: &RoomId, change: Change) {
        let made = change == Change::Made;
        if self.wants(UserEvent::Subscriptions) {
            self.wire.mark(if made { SUBSCRIPTION_MADE } else { SUBSCRIPTION }, room);
        }
        if made && self.wants(UserEvent::Rooms) {
            self.wire.mark(ROOM_MADE, room);
        }
    }

    fn starred(&self, message: &Message, on: bool) {
        if self.wire.rooms.lock().contains(&message.room) {
            self.push(render::message_for(&self.wire.door, message, &self.user, on));
        }
        // It may be the last message of its room.
        if self.wants(UserEvent::Rooms) {
            self.wire.mark(ROOM, &message.room);
        }
    }

    fn ended(&self, session: Option<&SessionId>, kept: Option<&SessionId>) {
        let mine = self.session.as_ref();
        if session.is_some_and(|s| Some(s) != mine) || kept.is_some_and(|s| Some(s) == mine) {
            return;
        }
        if self.wants(UserEvent::ForceLogout) {
            self.send("force_logout", &serde_json::json!([mine.map(SessionId::as_str)]));
        }
    }
}

impl Listener for UserEar {
    fn hear(&self, published: &Arc<Published>) {
        match &published.fact.event {
            Event::Membership { membership, change, .. } => self.membership(&membership.room, *change),
            Event::MembershipRemoved { id, room, kind, .. } => {
                // What the inbox queued of it goes too: nobody else knows that it was lost.
                if self.wants(UserEvent::MyMessages) {
                    self.wire.outbox.purge(Lost::Topic(hash(room)));
                }
                if self.wants(UserEvent::Subscriptions) {
                    let gone = render::subscription_removed(id, room, *kind, &self.user);
                    self.send("subscriptions-changed", &gone);
                }
                if self.wants(UserEvent::Rooms) {
                    self.send("rooms-changed", &serde_json::json!(["removed", { "_id": room.as_str() }]));
                }
            }
            Event::Read { room, .. } => self.membership(room, Change::Changed),
            Event::SessionsEnded { session, kept, .. } => self.ended(session.as_ref(), kept.as_ref()),
            Event::Starred { message, on, .. } => self.starred(message, *on),
            Event::Whisper { .. } if self.wants(UserEvent::Message) => {
                self.send("message", &render::whisper(&published.fact));
            }
            Event::Notify { message, room, .. } if self.wants(UserEvent::Notification) => {
                self.send("notification", &render::notification(message, room));
            }
            Event::Signal { name, args, .. } if self.wants(UserEvent::Signal) => {
                self.send(name, &serde_json::from_str(args.as_str()).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// The session is over: what is queued of its events goes with it.
    fn revoked(&self) {
        self.wire.outbox.purge(Lost::All);
        self.wire.outbox.finish(Close::policy("logged out"));
    }
}

/// Hears that something changed in one of the user's rooms.
pub(super) struct InboxEar {
    pub(super) wire: Arc<Wire>,
    pub(super) own: Arc<UserEar>,
}

impl Listener for InboxEar {
    fn hear(&self, published: &Arc<Published>) {
        let event = &published.fact.event;
        let room = match event {
            Event::Message { message, .. } => &message.room,
            Event::MessageDeleted { room, .. } | Event::MessagesPurged { room, .. } => room,
            Event::Room { room, .. } => &room.id,
            Event::RoomRemoved { room } => &room.id,
            _ => return,
        };
        if self.own.wants(UserEvent::MyMessages) && matches!(event, Event::Message { .. }) {
            let frame =
                published.rendered(render::MY_MESSAGES, |fact| render::my_message(&self.wire.door, fact));
            self.wire.outbox.push(frame.clone(), Class::Event { topic: hash(room) });
        }
        // A change of an old message moves neither the room's last message nor what is unread.
        let moved = !matches!(event, Event::Message { change: Change::Changed, .. });
        if moved && self.own.wants(UserEvent::Subscriptions) {
            self.wire.mark(SUBSCRIPTION, room);
        }
        if self.own.wants(UserEvent::Rooms) {
            self.wire.mark(ROOM, room);
        }
    }

    fn revoked(&self) {}
}

/// Hears what concerns everybody who is logged in, or (for settings) everybody.
pub(super) struct WorkspaceEar {
    pub(super) wire: Arc<Wire>,
    pub(super) own: Option<Arc<UserEar>>,
    /// Stream and key of each subscription.
    pub(super) wanted: Mutex<Vec<(String, String)>>,
}

impl Listener for WorkspaceEar {
    fn hear(&self, published: &Arc<Published>) {
        if let (Some(own), Event::User { user, before, .. }) = (&self.own, &published.fact.event)
            && user.id == own.user
            && own.wants(UserEvent::UserData)
        {
            own.send("userData", &render::user_data(&self.wire.door, user, before.as_deref()));
        }
        // Who has a role in a room is for those who listen to that room.
        if let Event::RoleGiven { room: Some(room), .. } = &published.fact.event
            && !self.wire.rooms.lock().contains(room)
        {
            return;
        }
        let Some((stream, key)) = render::workspace_stream(&published.fact) else { return };
        if self.wanted.lock().iter().any(|(s, k)| s == stream && k == key) {
            let frame = published.rendered(render::WORKSPACE, render::workspace);
            if !frame.is_empty() {
                self.wire.outbox.push(frame.clone(), Class::Event { topic: 0 });
            }
        }
    }

    fn revoked(&self) {}
}

/// Hears that something happened to a case, for the control centre.
pub(super) struct DeskEar(pub(super) Arc<Wire>);

impl Listener for DeskEar {
    fn hear(&self, published: &Arc<Published>) {
        let (room, action) = match &published.fact.event {
            Event::Case { conversation, action, .. } => (&conversation.room.id, action.as_str()),
            Event::Message { message, change: Change::Made, .. } => (&message.room, "message"),
            _ => return,
        };
        let told = serde_json::json!([action, { "rid": room.as_str() }]);
        let frame = frame::event("support-desk", "desk", &told);
        let class = Class::Volatile { topic: 0, key: hash(&("desk", room, action)) };
        self.0.outbox.push(frame, class);
    }

    fn revoked(&self) {}
}

/// Hears the presence of the users on the connection's watch list.
pub(super) struct PresenceEar(pub(super) Arc<Wire>);

impl Listener for PresenceEar {
    fn hear(&self, published: &Arc<Published>) {
        if let Event::Presence { user, .. } = &published.fact.event {
            let frame = published.rendered(render::PRESENCE, render::presence);
            self.0
                .outbox
                .push(frame.clone(), Class::Volatile { topic: 0, key: hash(&("presence", &user.id)) });
        }
    }

    fn revoked(&self) {}
}

/// Hears everybody's presence, for clients that know no watch list.
pub(super) struct StatusEar(pub(super) Arc<Wire>);

impl Listener for StatusEar {
    fn hear(&self, published: &Arc<Published>) {
        if let Event::Presence { user, .. } = &published.fact.event {
            let frame = published.rendered(render::STATUS, render::status);
            let class = Class::Volatile { topic: 0, key: hash(&("status", &user.id)) };
            self.0.outbox.push(frame.clone(), class);
        }
    }

    fn revoked(&self) {}
}

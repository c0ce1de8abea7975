//! One DDP connection: handshake, login, methods, subscriptions. Frames are handled in their order; sends are
//! pipelined, each enqueued before the next frame is looked at.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::{
    accounts::{Device, Proof},
    clock::Time,
    hub::Subscription,
    id::RoomId,
    listening::Held,
    messages::Sending,
    session::{Actor, Login},
};
use parlor_live::{Answer, Class, Close, Dirty, Idle, Outbox, Session, Step};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{
    ears::{RoomEar, UserEar, Wire, WorkspaceEar},
    frame::{self, ClientFrame},
    personal,
    streams::Topic,
};
use crate::{
    Door,
    date::Dates,
    login,
    method::{Invocation, Reply, mismatch},
    refusal::Refused,
    shape,
};

/// Subscriptions of one connection at most; further ones are refused.
pub const MOST_SUBSCRIPTIONS: usize = 1_000;

/// Tokens that end within a day, in milliseconds, end their connection; longer ones are looked at when it comes back.
const SOON: i64 = 86_400_000;

/// What a request comes back with. Made once for each request and moved a few times, so a box would cost more than the
/// difference between its variants.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Done {
    /// A method is done.
    Result { id: Box<str>, answer: Result<Reply, Refused> },
    /// A message has its place in the queue; it is not stored yet.
    Enqueued { id: Box<str>, sending: Result<Sending, Refused> },
    /// A message is stored, or not.
    Stored { id: Box<str>, message: Result<Bytes, Refused> },
    /// A login is done: who, and the ear that hears the user.
    LoggedIn { id: Box<str>, login: Result<(Login, bool, Hearing), Refused> },
    /// A logout is done.
    LoggedOut { id: Box<str>, answer: Result<(), Refused> },
    /// A subscription stands or was refused.
    Subscribed { id: Box<str>, wanted: Wanted, heard: Result<Option<(Place, Held)>, Refused> },
    /// Personal state was rendered.
    Rendered(Vec<Bytes>),
}

/// As [`Heard`], on its way there.
type Hearing = (Arc<UserEar>, Held);

/// The user's ear and its subscription.
pub(crate) struct Heard {
    pub(super) ear: Arc<UserEar>,
    pub(super) subscription: Subscription,
}

/// A subscription as the client asked for it.
#[derive(Clone)]
pub(crate) struct Wanted {
    pub(super) stream: Box<str>,
    pub(super) key: Box<str>,
    pub(super) topic: Topic,
    /// Old clients want the collection's document first.
    pub(super) collection: bool,
}

/// Where a hub subscription of this connection belongs.
pub(crate) enum Place {
    Room(RoomId, Arc<RoomEar>),
    Inbox,
    Workspace(Arc<WorkspaceEar>),
    Everyone(Arc<WorkspaceEar>),
    Presence,
    Statuses,
    Desk,
}

pub(super) struct RoomHeard {
    pub(super) ear: Arc<RoomEar>,
    pub(super) subscription: Subscription,
}

/// A connection's state.
pub(crate) struct Ddp {
    pub(super) door: Arc<Door>,
    pub(super) wire: Arc<Wire>,
    address: Option<IpAddr>,
    greeted: bool,
    pub(super) actor: Option<Actor>,
    pub(super) user: Option<Heard>,
    pub(super) inbox: Option<Subscription>,
    pub(super) workspace: Option<(Arc<WorkspaceEar>, Subscription)>,
    pub(super) everyone: Option<(Arc<WorkspaceEar>, Subscription)>,
    pub(super) presence: Option<Subscription>,
    pub(super) statuses: Option<Subscription>,
    pub(super) desk: Option<Subscription>,
    pub(super) rooms: HashMap<RoomId, RoomHeard>,
    /// By the client's id (JSON text).
    pub(super) subs: HashMap<Box<str>, Wanted>,
    /// Ends the connection with its token.
    end: Option<AbortHandle>,
    /// When the use of the login's session was noted.
    used: Time,
}

impl Ddp {
    pub(crate) fn new(door: Arc<Door>, outbox: Arc<Outbox>, address: Option<IpAddr>) -> Self {
        let origin = door.chat.new_connection();
        let wire = Arc::new(Wire { door: door.clone(), outbox, origin, rooms: Mutex::default() });
        Self {
            door,
            wire,
            address,
            greeted: false,
            actor: None,
            user: None,
            inbox: None,
            workspace: None,
            everyone: None,
            presence: None,
            statuses: None,
            desk: None,
            rooms: HashMap::new(),
            subs: HashMap::new(),
            end: None,
            used: Time(0),
        }
    }

    pub(super) fn reply(&self, frame: Bytes) {
        self.wire.outbox.push(frame, Class::Reply);
    }

    fn connect(&mut self, frame: &ClientFrame<'_>) -> Step<Done> {
        // The drafts before version 1 differ in nothing that is said here, and the SDK of old bots speaks one.
        let spoken = |version| matches!(version, "1" | "pre2" | "pre1");
        if !frame.version.as_deref().is_none_or(spoken) {
            self.reply(frame::failed());
            return Step::End(Close::new(1002, "unsupported DDP version"));
        }
        self.greeted = true;
        self.reply(frame::connected(&format!("{:x}", self.wire.origin)));
        Step::Done
    }

    fn method(&mut self, frame: &ClientFrame<'_>, text: &str) -> Step<Done> {
        let (Some(id), Some(name)) = (frame.id(), frame.method.as_deref()) else {
            self.reply(frame::error("Malformed method invocation", text));
            return Step::Done;
        };
        let Some(params) = frame.params() else {
            self.reply(frame::error("Malformed method invocation", text));
            return Step::Done;
        };
        let id: Box<str> = id.into();
        match name {
            "login" => self.login(id, params),
            "logout" => self.logout(id),
            "sendMessage" if self.actor.is_some() => self.send(id, params),
            _ => self.call(id, name, params),
        }
    }

    fn invocation(&self, params: Vec<Value>) -> Invocation {
        let (door, actor) = (self.door.clone(), self.actor.clone());
        Invocation { door, actor, params, origin: self.wire.origin, code: None }
    }

    fn call(&self, id: Box<str>, name: &str, params: Vec<Value>) -> Step<Done> {
        let Some(method) = self.door.method(name).cloned() else {
            let name: String = name.chars().take(100).collect();
            self.refuse(&id, &Refused::meteor_number(404, &format!("Method '{name}' not found")));
            return Step::Done;
        };
        let invocation = self.invocation(params);
        let door = self.door.clone();
        let counted = self.actor.clone().filter(|_| !door.config.test_mode);
        Step::Wait(Box::pin(async move {
            if let Some(actor) = counted
                && let Err(refusal) = door.rates.method(&door.chat, &actor).await
            {
                return Done::Result { id, answer: Err(refusal.into()) };
            }
            Done::Result { id, answer: method.call(invocation).await }
        }))
    }

    fn send(&self, id: Box<str>, params: Vec<Value>) -> Step<Done> {
        let invocation = self.invocation(params);
        let enqueuing = Box::pin(async move {
            let sending = async {
                let draft = crate::rest::chat_draft::draft(invocation.object(0)?)?;
                Ok(invocation.chat().send(invocation.actor()?, draft).await?)
            };
            Done::Enqueued { id, sending: sending.await }
        });
        Step::queued(enqueuing, |done| match done {
            Done::Enqueued { id, sending: Ok(sending) } => self.store(id, sending),
            refused => Step::ready(refused),
        })
    }

    /// Waits until a message is on disk.
    fn store(&self, id: Box<str>, sending: Sending) -> Step<Done> {
        let door = self.door.clone();
        Step::Answer(Box::pin(async move {
            let stored = sending.stored(&door.chat).await;
            let message = stored.map(|sent| personal::sent(&door, &id, &sent.message)).map_err(Refused::from);
            Done::Stored { id, message }
        }))
    }

    fn refuse(&self, id: &str, refused: &Refused) {
        self.reply(frame::refused(id, &refused.ddp()));
        self.reply(frame::updated(id));
    }

    fn login(&mut self, id: Box<str>, params: Vec<Value>) -> Step<Done> {
        let (door, wire, address) = (self.door.clone(), self.wire.clone(), self.address);
        Step::Wait(Box::pin(async move {
            let login = async {
                let wanted = params.first().ok_or_else(|| mismatch("object", None))?;
                let (proof, code) = login::read(wanted)?;
                let by_token = matches!(proof, Proof::Token(_));
                let device = Device { address, ..Device::default() };
                let login = door.chat.login(proof, code, device).await;
                let login = login.map_err(|refusal| login::refused(refusal, by_token))?;
                let actor = Actor::user(login.user.id.clone(), login.session.clone());
                let ear = UserEar::new(&wire, actor.user.clone(), actor.session.clone());
                let subscription = door.chat.listen_user(&actor, ear.clone()).await?;
                Ok((login, by_token, (ear, Held::new(&door.chat, subscription))))
            };
            Done::LoggedIn { id, login: login.await }
        }))
    }

    fn logged_in(&mut self, id: &str, login: Login, by_token: bool, heard: Heard) {
        self.forget_user();
        self.used = Time(0);
        self.door.chat.connected(&login.user, self.wire.origin);
        self.actor = Some(Actor::user(login.user.id.clone(), login.session.clone()));
        self.user = Some(heard);
        let fields = shape::user::own(&self.door, &login.user, Dates::Ejson);
        let added =
            json!({ "msg": "added", "collection": "users", "id": login.user.id.as_str(), "fields": fields });
        self.reply(frame::value(&added));
        self.end_with(login.expires_at);
        let expires = login.expires_at.unwrap_or(Time(4_102_444_800_000));
        let result = json!({
            "id": login.user.id.as_str(), "token": login.token, "tokenExpires": Dates::Ejson.value(expires),
            "type": if by_token { "resume" } else { "password" },
        });
        self.reply(frame::result(id, &result.to_string()));
        self.reply(frame::updated(id));
    }

    /// Ends the connection with its token, when that is soon; a client that comes back is told that it is over.
    fn end_with(&mut self, expires_at: Option<Time>) {
        let now = self.door.chat.now();
        let left = expires_at.map(|end| end.millis().saturating_sub(now.millis()));
        let Some(left) = left.filter(|left| *left < SOON).and_then(|left| u64::try_from(left).ok()) else {
            return;
        };
        let kick = self.wire.outbox.kick_handle();
        let end = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(left)).await;
            kick.kick(Close::policy("token_expired"));
        });
        self.end = Some(end.abort_handle());
    }

    /// Ends everything that hung on the login; the connection itself stays.
    fn forget_user(&mut self) {
        let chat = &self.door.chat;
        if let Some(actor) = self.actor.take() {
            chat.disconnected(&actor.user, self.wire.origin);
        }
        let mut over: Vec<Subscription> = self.rooms.drain().map(|(_, heard)| heard.subscription).collect();
        over.extend(self.user.take().map(|h| h.subscription));
        over.extend(self.inbox.take());
        over.extend(self.presence.take());
        over.extend(self.statuses.take());
        over.extend(self.desk.take());
        over.extend(self.workspace.take().map(|(_, subscription)| subscription));
        over.into_iter().for_each(|subscription| chat.end(subscription));
        // Whoever logs in again and again must not leave a timer for each time.
        self.end.take().iter().for_each(AbortHandle::abort);
        self.wire.rooms.lock().clear();
        self.subs.retain(|_, wanted| matches!(wanted.topic, Topic::Everyone | Topic::Idle { login: false }));
    }

    fn logout(&mut self, id: Box<str>) -> Step<Done> {
        let Some(actor) = self.actor.clone() else {
            self.reply(frame::result(&id, ""));
            self.reply(frame::updated(&id));
            return Step::Done;
        };
        // First the ears, so that the end of the session does not end the connection before its answer.
        self.forget_user();
        let door = self.door.clone();
        Step::Wait(Box::pin(async move {
            let answer = door.chat.logout(&actor).await.map_err(Refused::from);
            Done::LoggedOut { id, answer }
        }))
    }
}

impl Session for Ddp {
    type Answer = Done;

    fn opened(&mut self) -> Step<Done> {
        self.reply(frame::greeting());
        Step::Done
    }

    fn text(&mut self, text: &str) -> Step<Done> {
        let Some(frame) = ClientFrame::read(text) else {
            if self.greeted {
                self.reply(frame::error("Parse error", text));
                return Step::Done;
            }
            return Step::End(Close::new(1007, "not a DDP frame"));
        };
        if let Some(session) = self.actor.as_ref().and_then(|actor| actor.session.as_ref()) {
            self.door.chat.note_use(session, &mut self.used);
        }
        match frame.msg.as_deref() {
            Some("connect") => self.connect(&frame),
            Some("ping") => {
                self.reply(frame::pong(frame.id()));
                Step::Done
            }
            Some("pong") => Step::Done,
            // rocketchat-async logs in without waiting for the handshake's answer, but it does greet first.
            _ if !self.greeted => Step::End(Close::new(1002, "connect first")),
            Some("method") => self.method(&frame, text),
            Some("sub") => self.subscribe(&frame, text),
            Some("unsub") => {
                self.unsubscribe(&frame);
                Step::Done
            }
            _ => {
                self.reply(frame::error("Bad request", text));
                Step::Done
            }
        }
    }

    fn answered(&mut self, done: Done) -> Step<Done> {
        match done {
            Done::Result { id, answer: Ok(reply) } => {
                self.reply(frame::result(&id, &reply.into_text()));
                self.reply(frame::updated(&id));
            }
            Done::Enqueued { id, sending: Ok(sending) } => return self.store(id, sending),
            Done::Stored { id, message: Ok(frame) } => {
                self.reply(frame);
                self.reply(frame::updated(&id));
            }
            Done::LoggedIn { id, login: Ok((login, by_token, (ear, held))) } => {
                self.logged_in(&id, login, by_token, Heard { ear, subscription: held.keep() })
            }
            Done::LoggedOut { id, answer: Ok(()) } => {
                self.reply(frame::result(&id, ""));
                self.reply(frame::updated(&id));
            }
            Done::Subscribed { id, wanted, heard } => match heard {
                Ok(heard) => self.subscribed(id, wanted, heard),
                Err(_) => {
                    let refused = Refused::meteor("not-allowed", "Not allowed");
                    self.reply(frame::nosub(&id, Some(&refused.ddp())));
                }
            },
            Done::Rendered(frames) => frames.into_iter().for_each(|frame| {
                self.wire.outbox.push(frame, Class::Event { topic: 0 });
            }),
            Done::Result { id, answer: Err(refused) }
            | Done::Enqueued { id, sending: Err(refused) }
            | Done::Stored { id, message: Err(refused) }
            | Done::LoggedIn { id, login: Err(refused) }
            | Done::LoggedOut { id, answer: Err(refused) } => self.refuse(&id, &refused),
        }
        Step::Done
    }

    fn changed(&mut self, changed: Vec<Dirty>) -> Option<Answer<Done>> {
        let (door, actor) = (self.door.clone(), self.actor.clone()?);
        Some(Box::pin(async move { Done::Rendered(personal::render(&door, &actor, changed).await) }))
    }

    fn idle(&mut self) -> Idle {
        self.reply(frame::ping());
        Idle::Pinged
    }
}

impl Drop for Ddp {
    fn drop(&mut self) {
        self.forget_user();
        if let Some((_, subscription)) = self.everyone.take() {
            self.door.chat.end(subscription);
        }
    }
}

//! One connection: its greeting, its requests in their order, its end.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use parlor_core::{
    admission::Admitted, case::Queue, hub::Subscription, id::RoomId, listening::Held, messages::Sending,
    session::Actor,
};
use parlor_host::Problem;
use parlor_live::{Answer, Class, Close, Closed, Dirty, Outbox, Session, Step};
use serde_json::{Map, Value};
use tokio::task::JoinHandle;

use super::{
    desk::DeskEar,
    ears::{DESK, InboxEar, Joined, JoinedEar, Later, News, UserEar, Wire},
    joining::Join,
    marking::Marking,
    opening::Opening,
};
use crate::{
    Door,
    acts::Keys,
    envelope::{Frame, error, frame, keys, refused, success},
    shape,
};

/// Bad frames within [`FLOOD_TIME`] that end a connection.
const FLOOD: usize = 100;
const FLOOD_TIME: Duration = Duration::from_secs(10);

/// What a request comes back with. Made once for each request and moved a few times, so a box would cost more than the
/// difference between its variants.
#[allow(clippy::large_enum_variant)]
pub(super) enum Done {
    /// The connection may begin, or not.
    Greeted(Result<Greeted, Problem>),
    /// A request is done.
    Answered { to: Asked, answer: Keys },
    /// A message has its place in the queue; it is not stored yet.
    Enqueued { to: Asked, sending: Result<Sending, Problem> },
    /// A conversation is joined along with what the answer says.
    Joined { to: Asked, joined: Result<Join, Problem> },
    /// A view is watched along with what the answer says.
    Watched { to: Asked, view: Queue, answer: Keys },
    /// There was nothing to do: this says so in its turn.
    Said(Bytes),
    /// News of the user's own cases are written.
    Told(Vec<Bytes>),
}

/// Which request is answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) kind: String,
    pub(super) id: Option<Value>,
    /// `join_room`: given back with the answer.
    pub(super) room_id: Option<String>,
}

/// What a connection listens with from the beginning.
pub(super) struct Greeted {
    user: Held,
    inbox: Held,
    desk: Held,
    hello: Map<String, Value>,
}

/// A connection's state.
pub(super) struct Support {
    pub(super) door: Arc<Door>,
    pub(super) wire: Arc<Wire>,
    pub(super) joined: Joined,
    admitted: Result<Admitted, Problem>,
    listening: Vec<Subscription>,
    greeted: bool,
    expiry: Option<JoinHandle<()>>,
    /// When the last bad frames came, on the server's clock that never goes back.
    bad: VecDeque<std::time::Instant>,
}

impl Support {
    pub(super) fn new(door: Arc<Door>, outbox: Arc<Outbox>, admitted: Result<Admitted, Problem>) -> Self {
        let nobody = || parlor_core::id::UserId::from("nobody");
        let wire = Arc::new(Wire {
            user: admitted.as_ref().map_or_else(|_| nobody(), |admitted| admitted.actor.user.clone()),
            origin: door.host.chat().new_connection(),
            door: door.clone(),
            outbox,
            views: Mutex::default(),
            joined: Mutex::default(),
            later: Mutex::default(),
            opening: Opening::default(),
            marking: Marking::default(),
        });
        Self {
            door,
            wire,
            joined: Joined::default(),
            admitted,
            listening: Vec::new(),
            greeted: false,
            expiry: None,
            bad: VecDeque::new(),
        }
    }

    /// Who acts. Requests are looked at only after the greeting, so there is somebody.
    pub(super) fn actor(&self) -> Result<Actor, Problem> {
        self.admitted.as_ref().map(|admitted| admitted.actor.clone()).map_err(Clone::clone)
    }

    pub(super) fn reply(&self, frame: Bytes) {
        self.wire.outbox.push(frame, Class::Reply);
    }

    fn refuse(&mut self, problem: &Problem) -> Step<Done> {
        tracing::warn!(code = problem.code, "a connection was refused");
        self.reply(error(None, problem, self.door.host.now()));
        let code = if problem.code == "user_inactive" { 4403 } else { 4401 };
        Step::End(Close::new(code, problem.code))
    }

    pub(super) fn answer(&self, to: Asked, answer: Keys) {
        let now = self.door.host.now();
        let Asked { kind, id, room_id } = to;
        match answer {
            Ok(mut keys) => {
                keys.extend(room_id.map(|room| ("room_id".to_owned(), room.into())));
                self.reply(success(&kind, id, keys, now));
            }
            Err(problem) => {
                // Never what it carried. Slips of a client would fill the log.
                let (user, code) = (&self.wire.user, problem.code);
                match problem.status.as_u16() {
                    403 => tracing::warn!(%user, request = kind, code, "a request was denied"),
                    _ => tracing::debug!(%user, request = kind, code, "a request was refused"),
                }
                self.reply(refused(&kind, id, &problem, now));
            }
        }
    }

    /// A frame that is no request; too many of them end the connection.
    pub(super) fn bad(&mut self, id: Option<Value>, problem: &Problem) -> Step<Done> {
        let told = error(id, problem, self.door.host.now());
        let now = std::time::Instant::now();
        self.bad.push_back(now);
        while self.bad.front().is_some_and(|at| now.duration_since(*at) > FLOOD_TIME) {
            self.bad.pop_front();
        }
        if self.bad.len() < FLOOD {
            return Step::ready(Done::Said(told));
        }
        self.reply(told);
        Step::End(Close::policy("flood"))
    }

    fn greeted(&mut self, greeted: Greeted) {
        let Greeted { user, inbox, desk, hello } = greeted;
        self.listening = vec![user.keep(), inbox.keep(), desk.keep()];
        self.greeted = true;
        tracing::info!(user = %self.wire.user, connection = self.wire.origin, "connected");
        self.reply(frame("connected", hello, self.door.host.now()));
        if let Ok(admitted) = &self.admitted {
            self.door.host.chat().connected(&admitted.user, self.wire.origin);
            let (wire, end) = (self.wire.clone(), admitted.expires_at);
            self.expiry = end.map(|end| {
                tokio::spawn(async move {
                    let problem = wire.door.host.expiry(Some(end)).await;
                    wire.end(&problem);
                })
            });
        }
    }

    /// A conversation was joined: the answer first, then what came since.
    fn begin(&mut self, to: Asked, join: Join) -> Step<Done> {
        let Join { room, ear, subscription, position, keys } = join;
        let before = self.joined.insert(room.clone(), (ear.clone(), subscription.keep()));
        match (before, &self.admitted) {
            (Some((_, before)), _) => self.door.host.chat().end(before),
            (None, Ok(admitted)) => self.door.host.chat().open_live(&admitted.user, &room),
            (None, Err(_)) => {}
        }
        tracing::info!(user = %self.wire.user, room = %room, "joined");
        self.wire.joined.lock().insert(room.clone());
        let mut told = Some((to.clone(), keys));
        let begun = ear.begin(position, || {
            if let Some((to, keys)) = told.take() {
                self.answer(to, Ok(keys));
            }
        });
        if begun {
            return Step::Done;
        }
        // More came during the reading than can wait: listen and read anew.
        self.leave(&room);
        self.answer(to, Err(Problem::new(503, "unavailable", "Too much is going on, try again")));
        Step::Done
    }

    pub(super) fn leave(&mut self, room: &RoomId) {
        if let Some((_, subscription)) = self.joined.remove(room) {
            tracing::info!(user = %self.wire.user, room = %room, "left");
            self.door.host.chat().end(subscription);
            self.close(room);
        }
        self.wire.joined.lock().remove(room);
    }

    /// The user has this conversation open here no more.
    fn close(&self, room: &RoomId) {
        if let Ok(admitted) = &self.admitted {
            self.door.host.chat().close_live(&admitted.user, room, self.wire.origin);
        }
    }
}

/// News of the user's own cases as frames, each with what is unread by now.
async fn told(wire: &Wire, news: Vec<News>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(news.len());
    for one in news {
        frames.push(match one {
            News::Frame(frame) => frame,
            News::Message(message, mut conversation) => {
                let chat = wire.door.host.chat();
                let unread = chat.unread_of_case(&message.room, &wire.user).await.unwrap_or_default();
                conversation.unread = vec![(wire.user.clone(), unread)];
                wire.updated("message", &conversation, Some(&message))
            }
        });
    }
    frames
}

impl Session for Support {
    type Answer = Done;

    fn opened(&mut self) -> Step<Done> {
        let admitted = match &self.admitted {
            Ok(admitted) => admitted.clone(),
            Err(problem) => {
                let problem = problem.clone();
                return self.refuse(&problem);
            }
        };
        let wire = self.wire.clone();
        Step::Wait(Box::pin(async move {
            let chat = wire.door.host.chat();
            let listen = async {
                let actor = &admitted.actor;
                let user = chat.listen_user(actor, Arc::new(UserEar(wire.clone()))).await?;
                let user = Held::new(chat, user);
                let inbox = chat.listen_inbox(actor, Arc::new(InboxEar(wire.clone()))).await?;
                let inbox = Held::new(chat, inbox);
                let desk = DeskEar::listen(&wire, actor).await?;
                let hello = keys(shape::connected(&admitted.user));
                Ok::<_, parlor_core::error::Refusal>(Greeted { user, inbox, desk, hello })
            };
            Done::Greeted(listen.await.map_err(Problem::of_token))
        }))
    }

    fn text(&mut self, text: &str) -> Step<Done> {
        if !self.greeted {
            return Step::Done;
        }
        match Frame::read(text) {
            Ok(frame) => self.request(frame),
            Err(no) => self.bad(no.id, &no.problem),
        }
    }

    fn binary(&mut self, _bytes: &[u8]) -> Step<Done> {
        if !self.greeted {
            return Step::Done;
        }
        self.bad(None, &Problem::invalid("frame", "must be text"))
    }

    fn answered(&mut self, done: Done) -> Step<Done> {
        match done {
            Done::Greeted(Ok(greeted)) => self.greeted(greeted),
            Done::Greeted(Err(problem)) => return self.refuse(&problem),
            Done::Said(frame) => self.reply(frame),
            Done::Answered { to, answer } => self.answer(to, answer),
            Done::Enqueued { to, sending: Ok(sending) } => return self.stored(to, sending),
            Done::Enqueued { to, sending: Err(problem) } => self.answer(to, Err(problem)),
            Done::Joined { to, joined: Ok(join) } => return self.begin(to, join),
            Done::Joined { to, joined: Err(problem) } => self.answer(to, Err(problem)),
            Done::Watched { to, view, answer } => {
                if answer.is_ok() {
                    let mut views = self.wire.views.lock();
                    if !views.contains(&view) {
                        tracing::info!(user = %self.wire.user, view = view.as_str(), "joined");
                        views.push(view);
                    }
                }
                self.answer(to, answer);
            }
            // Whoever lost the right to watch meanwhile is told nothing more.
            Done::Told(frames) if !self.wire.views.lock().is_empty() => {
                frames.into_iter().for_each(|frame| self.wire.push(frame, DESK));
            }
            Done::Told(_) => {}
        }
        Step::Done
    }

    fn changed(&mut self, _changed: Vec<Dirty>) -> Option<Answer<Done>> {
        let Later { lost, news } = std::mem::take(&mut *self.wire.later.lock());
        for room in lost {
            // It may have been joined anew since then.
            if self.joined.get(&room).is_some_and(|(ear, _)| ear.is_over()) {
                self.leave(&room);
            }
        }
        if news.is_empty() {
            return None;
        }
        let wire = self.wire.clone();
        Some(Box::pin(async move { Done::Told(told(&wire, news).await) }))
    }

    fn farewell(&self, why: &Closed) -> Option<Close> {
        match why {
            Closed::TooSlow => Some(Close::new(4408, "too slow; come back and catch up")),
            Closed::Finished(close) | Closed::Kicked(close) if close.code == 1012 => {
                Some(Close::new(1001, close.reason.clone()))
            }
            other => other.close(),
        }
    }
}

impl Drop for Support {
    fn drop(&mut self) {
        if let Some(expiry) = self.expiry.take() {
            expiry.abort();
        }
        let chat = self.door.host.chat();
        // Whatever was being typed ends before the typist leaves.
        if self.greeted
            && let Ok(admitted) = &self.admitted
        {
            chat.disconnected(&admitted.actor.user, self.wire.origin);
            tracing::info!(user = %self.wire.user, connection = self.wire.origin, "disconnected");
        }
        for (room, (_, subscription)) in std::mem::take(&mut self.joined) {
            chat.end(subscription);
            self.close(&room);
        }
        self.listening.drain(..).for_each(|subscription| chat.end(subscription));
    }
}

/// An ear for a conversation that is about to be joined.
pub(super) fn ear(wire: &Arc<Wire>, room: &RoomId) -> Arc<JoinedEar> {
    JoinedEar::new(wire, room)
}

//! One client's conversation: entering with a token, events and their acks in the order sent, and the end.

mod calls;
mod ears;
mod enter;
mod personal;

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use parlor_core::{id::RoomId, messages::Sending, session::Actor, user::User};
use parlor_host::Problem;
use parlor_live::{Answer, Class, Close, Closed, Dirty, Idle, Outbox, Session, Step, frame_text};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

pub(crate) use self::{
    calls::{Call, Context, Form},
    ears::{Listening, Personal, RoomEar, Wire},
    enter::Knock,
};
use crate::{
    Door,
    engine::open_frame,
    packet::{self, Called, Kind},
};

/// How long a client may take to enter.
const ENTER_TIMEOUT: Duration = Duration::from_secs(45);
/// Subscriptions of one socket at most.
pub(crate) const MOST_ROOMS: usize = 1_000;
/// Bad events within [`FLOOD_TIME`] that end a connection.
const FLOOD: u32 = 100;
const FLOOD_TIME: Duration = Duration::from_secs(10);
/// What a client hears whose outbox went over its bound.
const TOO_SLOW: &str = "too slow; come back and catch up";

/// What a request comes back with. Made once for each and moved a few times.
#[allow(clippy::large_enum_variant)]
pub(crate) enum Done {
    /// A token was looked at.
    Entered(Result<Entry, Problem>),
    /// An event was carried out or refused.
    Called(Call, Result<Effect, Problem>),
    /// A message has its place in the queue; it is not stored yet.
    Enqueued(Call, Result<Sending, Problem>),
    /// Personal events were written.
    Told(Vec<Bytes>),
}

/// Somebody who was let in, with what he listens with.
pub(crate) struct Entry {
    pub(crate) actor: Actor,
    pub(crate) user: Arc<User>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) listening: [Listening; 2],
    pub(crate) expires_at: Option<parlor_core::clock::Time>,
}

/// What an event leads to, beside its ack: state events of this socket, in their order before the ack.
pub(crate) enum Effect {
    /// Nothing but the ack, with these further keys.
    Ack(Map<String, Value>),
    /// Nothing but the ack, written already; `None` where none was asked for.
    Written(Option<Bytes>),
    /// A room is joined in the call's form: where, how it is listened to, what to tell, up to where it was read.
    Joined(Joining),
}

/// A room that is being joined.
pub(crate) struct Joining {
    pub(crate) room: RoomId,
    pub(crate) ear: Arc<RoomEar>,
    /// `None` when it is listened to already.
    pub(crate) listening: Option<Listening>,
    /// The frames that tell of it.
    pub(crate) frames: Vec<Bytes>,
    /// The position up to which it was read; 0 when nothing was.
    pub(crate) position: i64,
    pub(crate) ack: Map<String, Value>,
}

/// A joined room.
pub(crate) struct Joined {
    pub(crate) ear: Arc<RoomEar>,
    _listening: Listening,
}

/// Somebody who has entered.
pub(crate) struct Who {
    pub(crate) actor: Actor,
    pub(crate) user: Arc<User>,
    pub(crate) wire: Arc<Wire>,
    _listening: [Listening; 2],
    pub(crate) rooms: HashMap<RoomId, Joined>,
}

/// An event whose binary attachments are still to come.
struct Partial {
    called: Called,
    id: Option<u64>,
    missing: usize,
}

/// A connection's state.
pub(crate) struct Socket {
    pub(crate) door: Arc<Door>,
    outbox: Arc<Outbox>,
    /// What the handshake brought, until the client has entered.
    knock: Option<Box<Knock>>,
    upgrades: &'static [&'static str],
    pub(crate) who: Option<Box<Who>>,
    partial: Option<Box<Partial>>,
    /// Bad events, since when.
    bad: (u32, Instant),
    /// The end of the time for entering, then the end of the token.
    timer: Option<Timer>,
}

/// Something that happens later, unless this is dropped before.
struct Timer(tokio::task::JoinHandle<()>);

impl Timer {
    fn new(then: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(then))
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Socket {
    pub(crate) fn new(
        door: Arc<Door>,
        outbox: Arc<Outbox>,
        knock: Knock,
        upgrades: &'static [&'static str],
    ) -> Self {
        let knock = Some(Box::new(knock));
        Self {
            door,
            outbox,
            knock,
            upgrades,
            who: None,
            partial: None,
            bad: (0, Instant::now()),
            timer: None,
        }
    }

    pub(crate) fn reply(&self, frame: Bytes) {
        self.outbox.push(frame, Class::Reply);
    }

    /// The end, for good: clients don't come back by themselves.
    fn dismiss(&self, reason: &'static str) -> Step<Done> {
        self.reply(packet::disconnect());
        Step::End(Close::policy(reason))
    }

    fn malformed(&self) -> Step<Done> {
        Step::End(Close::new(1002, "malformed packet"))
    }

    fn message(&mut self, text: &str) -> Step<Done> {
        // Nothing may come between an event and its attachments.
        let Some(packet) = packet::read(text).filter(|_| self.partial.is_none()) else {
            return self.malformed();
        };
        match packet.kind {
            Kind::Connect => self.enter(&packet),
            _ if packet.namespace != "/" || self.who.is_none() => self.malformed(),
            Kind::Disconnect => Step::End(Close::normal()),
            Kind::Event => {
                let Some(called) = packet::called(&packet) else { return self.malformed() };
                if packet.attachments > 0 {
                    let missing = packet.attachments;
                    self.partial = Some(Box::new(Partial { called, id: packet.id, missing }));
                    return Step::Done;
                }
                self.call(called, packet.id)
            }
            // Nothing is asked of clients.
            Kind::Ack if packet.attachments == 0 => Step::Done,
            Kind::Ack | Kind::ConnectError => self.malformed(),
        }
    }

    /// Tells of a refusal: the `error` event, and the ack if one was asked for.
    pub(crate) fn refuse(&mut self, call: &Call, problem: &Problem) -> Step<Done> {
        self.reply(packet::event("error", &call.error(problem)));
        if let Some(id) = call.ack {
            self.reply(packet::ack(id, &call.refusal(problem)));
        }
        if !calls::is_bad(problem) {
            return Step::Done;
        }
        let now = Instant::now();
        if now.saturating_duration_since(self.bad.1) > FLOOD_TIME {
            self.bad = (0, now);
        }
        self.bad.0 += 1;
        if self.bad.0 >= FLOOD { self.dismiss("too many bad events") } else { Step::Done }
    }

    fn called(&mut self, call: Call, result: Result<Effect, Problem>) -> Step<Done> {
        let ack = match result {
            Err(problem) => return self.refuse(&call, &problem),
            Ok(Effect::Ack(ack)) => ack,
            Ok(Effect::Written(ack)) => {
                ack.into_iter().for_each(|frame| self.reply(frame));
                return Step::Done;
            }
            Ok(Effect::Joined(joining)) => {
                if self.who.is_none() {
                    return Step::Done;
                }
                self.joined(&call, joining)
            }
        };
        if let Some(id) = call.ack {
            self.reply(packet::ack(id, &call.success(ack)));
        }
        Step::Done
    }

    /// Tells what was read, then whatever came after it.
    fn joined(&mut self, call: &Call, joining: Joining) -> Map<String, Value> {
        let Joining { room, ear, listening, frames, position, ack } = joining;
        frames.into_iter().for_each(|frame| self.reply(frame));
        let Some(who) = &mut self.who else { return ack };
        ear.go_on(call.form, position);
        if let Some(listening) = listening {
            self.door.host.chat().open_live(&who.user, &room);
            who.rooms.insert(room, Joined { ear, _listening: listening });
        }
        ack
    }

    /// Ends the subscription of a room in one form, or (`None`) in all; whether it was joined so.
    pub(crate) fn leave(&mut self, room: &RoomId, form: Option<Form>) -> bool {
        let Some(who) = &mut self.who else { return false };
        let Some(joined) = who.rooms.get(room) else { return false };
        let was = form.is_none_or(|form| joined.ear.forms.has(form));
        if form.is_some_and(|form| joined.ear.forms.remove(form) != 0) {
            return was;
        }
        if who.rooms.remove(room).is_some() {
            self.door.host.chat().close_live(&who.user, room, who.wire.connection);
        }
        was
    }
}

impl Session for Socket {
    type Answer = Done;

    fn opened(&mut self) -> Step<Done> {
        if let Some(knock) = &self.knock {
            self.reply(open_frame(&knock.sid, self.upgrades));
        }
        let outbox = self.outbox.clone();
        self.timer = Some(Timer::new(async move {
            tokio::time::sleep(ENTER_TIMEOUT).await;
            outbox.finish(Close::policy("nobody entered"));
        }));
        Step::Done
    }

    fn text(&mut self, text: &str) -> Step<Done> {
        match text.as_bytes().first() {
            Some(b'4') => self.message(&text[1..]),
            Some(b'1') => Step::End(Close::normal()),
            Some(b'2') => {
                self.reply(frame_text(format!("3{}", &text[1..]).as_bytes()));
                Step::Done
            }
            Some(b'3' | b'5' | b'6') => Step::Done,
            _ => self.malformed(),
        }
    }

    fn binary(&mut self, _bytes: &[u8]) -> Step<Done> {
        let Some(mut partial) = self.partial.take() else { return self.malformed() };
        partial.missing -= 1;
        if partial.missing > 0 {
            self.partial = Some(partial);
            return Step::Done;
        }
        // No field of these contracts is binary: placeholders are refused where they stand for one, or ignored.
        self.call(partial.called, partial.id)
    }

    fn answered(&mut self, done: Done) -> Step<Done> {
        match done {
            Done::Entered(Ok(entry)) => self.entered(entry),
            Done::Entered(Err(problem)) => self.turned_away(&problem),
            Done::Called(call, result) => self.called(call, result),
            Done::Enqueued(call, Err(problem)) => self.refuse(&call, &problem),
            Done::Enqueued(call, Ok(sending)) => self.stored(call, sending),
            Done::Told(frames) => {
                frames.into_iter().for_each(|frame| {
                    self.outbox.push(frame, Class::Event { topic: 0 });
                });
                Step::Done
            }
        }
    }

    fn changed(&mut self, _changed: Vec<Dirty>) -> Option<Answer<Done>> {
        let wire = self.who.as_ref()?.wire.clone();
        let (lost, news) = wire.take();
        // Access was lost: the hub has dropped the subscription already.
        lost.iter().for_each(|room| {
            self.leave(room, None);
        });
        if news.is_empty() {
            return None;
        }
        let (door, actor) = (self.door.clone(), self.who.as_ref()?.actor.clone());
        Some(Box::pin(async move { Done::Told(personal::tell(&door, &actor, news).await) }))
    }

    fn idle(&mut self) -> Idle {
        self.reply(frame_text(b"2"));
        Idle::Pinged
    }

    fn closing(&mut self, why: &Closed) -> Option<Bytes> {
        match why {
            Closed::Kicked(_) => Some(packet::disconnect()),
            // Long polls have no close code: the reason is an event of its own.
            Closed::TooSlow if self.who.is_some() => {
                Some(packet::event("error", &Call::none().error(&Problem::new(429, "too_slow", TOO_SLOW))))
            }
            _ => None,
        }
    }

    /// No Socket.IO disconnect: clients come back by themselves, and catch up.
    fn farewell(&self, why: &Closed) -> Option<Close> {
        match why {
            Closed::TooSlow => Some(Close::new(4408, TOO_SLOW)),
            other => other.close(),
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let Some(who) = self.who.take() else { return };
        let chat = self.door.host.chat();
        // Whatever was being typed ends before the typist leaves.
        chat.disconnected(&who.user.id, who.wire.connection);
        for (room, joined) in who.rooms {
            drop(joined);
            chat.close_live(&who.user, &room, who.wire.connection);
        }
    }
}

/// The body of a refused entrance.
fn refusal(problem: &Problem) -> Value {
    json!({ "message": problem.message, "data": { "code": problem.code, "type": problem.code } })
}

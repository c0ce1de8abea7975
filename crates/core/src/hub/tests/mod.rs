//! The hub as its listeners see it.

mod access;
mod order;
mod personal;
mod seats;

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use super::*;
use crate::{
    catch_up::Piece,
    clock::Time,
    event::{Change, Event, Fact},
    id::{MembershipId, MessageId, SessionId},
    samples,
    session::Actor,
};

pub(super) const MS: Duration = Duration::from_millis(1);

/// A listener that writes down what it hears.
#[derive(Default)]
pub(super) struct Ear(Mutex<Vec<String>>);

impl Ear {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// What was heard since the last time, in order.
    pub(super) fn heard(&self) -> String {
        std::mem::take(&mut *self.0.lock()).join(" ")
    }
}

impl Listener for Ear {
    fn hear(&self, published: &Arc<Published>) {
        let what = match &published.fact.event {
            Event::MessageDeleted { message, .. } => message.to_string(),
            Event::Room { .. } => "room".into(),
            Event::RoomRemoved { .. } => "room-removed".into(),
            Event::Membership { .. } => "member".into(),
            Event::MembershipRemoved { .. } => "out".into(),
            Event::Read { .. } => "read".into(),
            Event::Activity { .. } => "typing".into(),
            Event::SessionsEnded { .. } => "ended".into(),
            other => format!("{other:?}").chars().take_while(|c| c.is_alphanumeric()).collect(),
        };
        self.0.lock().push(what);
    }
    fn revoked(&self) {
        self.0.lock().push("revoked".into());
    }
}

pub(super) fn actor(name: &str) -> Actor {
    Actor::user(name.into(), Some(SessionId::new(format!("{name}-phone"))))
}

/// A change of the room's timeline at this position.
pub(super) fn at(room: &str, position: i64) -> Fact {
    let message = MessageId::new(position.to_string());
    placed(
        room,
        position,
        Event::MessageDeleted { room: room.into(), message, seq: 0, thread: None, emptied: None, by: None },
    )
}

pub(super) fn placed(room: &str, position: i64, event: Event) -> Fact {
    Fact { g: position, place: Some((room.into(), position)), event }
}

pub(super) fn loose(event: Event) -> Fact {
    Fact { g: 0, place: None, event }
}

pub(super) fn joined(room: &str, position: i64, user: &str) -> Fact {
    let membership = samples::membership(room, user);
    placed(
        room,
        position,
        Event::Membership { membership: Arc::new(membership), change: Change::Made, by: None },
    )
}

pub(super) fn left(room: &str, position: i64, user: &str) -> Fact {
    let id = MembershipId::new(format!("{room}-{user}"));
    placed(
        room,
        position,
        Event::MembershipRemoved { id, room: room.into(), kind: None, user: user.into(), by: None },
    )
}

pub(super) fn room(id: &str, access: i64) -> Arc<crate::room::Room> {
    Arc::new(crate::room::Room { access, ..samples::room(id) })
}

pub(super) fn changed(id: &str, position: i64, access: i64) -> Fact {
    placed(id, position, Event::Room { room: room(id, access), change: Change::Changed })
}

/// Listens to a room as somebody who is entitled to, from this position on.
pub(super) fn listen(hub: &Hub, user: &str, room: &str, position: i64) -> (Arc<Ear>, Subscription) {
    let ear = Ear::new();
    let subscription = hub.listen(Interest::Room(room.into()), &actor(user), ear.clone());
    assert!(hub.activate(subscription, Some(position)));
    (ear, subscription)
}

/// The round of the only question, which must be about these users.
pub(super) fn round(outputs: &[Output], about: &[&str]) -> u64 {
    let [Output::Judge { round, users, .. }] = outputs else { panic!("one question, not {outputs:?}") };
    let mut users: Vec<&str> = users.iter().map(|u| u.as_str()).collect();
    users.sort_unstable();
    assert_eq!(users, about);
    *round
}

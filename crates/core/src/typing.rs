//! What somebody is doing in a room just now: typing, recording, uploading. Passed on to those who listen to the
//! room, never to the connection that said so, and forgotten after a while: a client that vanishes does not type
//! for ever.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

use crate::{
    chat::Chat,
    error::{Refusal, Result},
    event::Event,
    id::{MessageId, RoomId, UserId},
    permissions::{Action, Object},
    session::Actor,
};

/// How long an activity stands unless it is said again, and how often the same thing is passed on.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// It ends by itself after this time.
    pub stands: Duration,
    /// Said again, it is passed on once in this time.
    pub repeat: Duration,
}

/// As Rocket.Chat's clients expect it.
pub const USUAL: Pace = Pace { stands: Duration::from_secs(15), repeat: Duration::from_secs(1) };
/// As host applications' clients expect it.
pub const SHORT: Pace = Pace { stands: Duration::from_secs(6), repeat: Duration::from_secs(3) };
/// Activities of one user in one room at most, over all connections and threads; more replace the oldest.
const AT_ONCE: usize = 8;
/// Activities remembered in all; beyond that they are passed on, but end only when their client says so.
const REMEMBERED: usize = 100_000;
/// Activities named in one call at most, and the longest name.
const MAX_NAMES: usize = 4;
const MAX_NAME: usize = 32;

/// Typing, among the activities.
pub const TYPING: &str = "user-typing";

/// One thing that is shown.
#[derive(Clone)]
struct Shown {
    origin: u64,
    thread: Option<MessageId>,
    name: Arc<str>,
    activities: Arc<[String]>,
    /// When it ends unless it is said again.
    until: Duration,
    told: Duration,
}

type Place = (RoomId, UserId);

#[derive(Default)]
struct State {
    shown: FxHashMap<Place, SmallVec<[Shown; 1]>>,
    by_origin: FxHashMap<u64, FxHashSet<Place>>,
}

/// What is shown where: a state machine over what clients say and a given clock.
#[derive(Default)]
pub struct Typing(Mutex<State>);

/// Something that a client says.
#[derive(Clone, Debug)]
pub struct Said {
    /// Where.
    pub room: RoomId,
    /// Who.
    pub user: UserId,
    /// The name to show.
    pub name: Arc<str>,
    /// In which thread.
    pub thread: Option<MessageId>,
    /// What; empty when it stopped.
    pub activities: Arc<[String]>,
    /// Which connection says so.
    pub origin: u64,
    /// How long it stands.
    pub pace: Pace,
}

impl Said {
    fn event(self) -> Event {
        let Said { room, user, name, thread, activities, origin, .. } = self;
        Event::Activity { room, user, name, activities, thread, origin }
    }
}

fn ended(place: &Place, shown: Shown) -> Event {
    Event::Activity {
        room: place.0.clone(),
        user: place.1.clone(),
        name: shown.name,
        activities: Arc::new([]),
        thread: shown.thread,
        origin: shown.origin,
    }
}

impl Typing {
    /// What the others are to be told, if anything.
    pub fn say(&self, said: Said, now: Duration) -> Option<Event> {
        let mut state = self.0.lock();
        let place = (said.room.clone(), said.user.clone());
        let full = state.shown.len() >= REMEMBERED;
        let same = |s: &&mut Shown| s.origin == said.origin && s.thread == said.thread;
        let known = state.shown.get_mut(&place).and_then(|all| all.iter_mut().find(same));
        match known {
            None if said.activities.is_empty() => return None,
            None if full => {}
            None => state.remember(place, &said, now),
            Some(_) if said.activities.is_empty() => {
                state.forget(&place, |s| s.origin == said.origin && s.thread == said.thread);
            }
            Some(shown) => {
                shown.until = now + said.pace.stands;
                if shown.activities == said.activities && now.saturating_sub(shown.told) < said.pace.repeat {
                    return None;
                }
                shown.activities = said.activities.clone();
                shown.told = now;
            }
        }
        Some(said.event())
    }

    /// A message was sent: what its author was doing there is done.
    pub fn sent(&self, room: &RoomId, author: &UserId, thread: Option<&MessageId>) -> Vec<Event> {
        let mut state = self.0.lock();
        if state.shown.is_empty() {
            return Vec::new();
        }
        let place = (room.clone(), author.clone());
        state.forget(&place, |shown| shown.thread.as_ref() == thread)
    }

    /// A connection left a room: what it showed there is over.
    pub fn left(&self, room: &RoomId, user: &UserId, origin: u64) -> Vec<Event> {
        let mut state = self.0.lock();
        if state.shown.is_empty() {
            return Vec::new();
        }
        let place = (room.clone(), user.clone());
        state.forget(&place, |shown| shown.origin == origin)
    }

    /// A connection is gone, with everything that it showed.
    pub fn gone(&self, origin: u64) -> Vec<Event> {
        let mut state = self.0.lock();
        let Some(places) = state.by_origin.remove(&origin) else { return Vec::new() };
        places.iter().flat_map(|place| state.forget(place, |shown| shown.origin == origin)).collect()
    }

    /// What was not said again in time has ended. Once a second.
    pub fn tick(&self, now: Duration) -> Vec<Event> {
        let mut state = self.0.lock();
        let is_old = |shown: &Shown| shown.until <= now;
        let old =
            state.shown.iter().filter(|(_, all)| all.iter().any(is_old)).map(|(place, _)| place.clone());
        let places: Vec<Place> = old.collect();
        places.iter().flat_map(|place| state.forget(place, is_old)).collect()
    }
}

impl State {
    fn remember(&mut self, place: Place, said: &Said, now: Duration) {
        self.by_origin.entry(said.origin).or_default().insert(place.clone());
        let all = self.shown.entry(place.clone()).or_default();
        if all.len() >= AT_ONCE {
            let replaced = all.remove(0).origin;
            let still = all.iter().any(|shown| shown.origin == replaced);
            if !still && replaced != said.origin {
                self.leave(replaced, &place);
            }
        }
        let shown = Shown {
            origin: said.origin,
            thread: said.thread.clone(),
            name: said.name.clone(),
            activities: said.activities.clone(),
            until: now + said.pace.stands,
            told: now,
        };
        self.shown.entry(place).or_default().push(shown);
    }

    fn leave(&mut self, origin: u64, place: &Place) {
        if let Some(places) = self.by_origin.get_mut(&origin) {
            places.remove(place);
            if places.is_empty() {
                self.by_origin.remove(&origin);
            }
        }
    }

    fn forget(&mut self, place: &Place, which: impl Fn(&Shown) -> bool) -> Vec<Event> {
        let Some(all) = self.shown.get_mut(place) else { return Vec::new() };
        let mut over = Vec::new();
        all.retain(|shown| {
            let stays = !which(shown);
            if !stays {
                over.push(shown.clone());
            }
            stays
        });
        let left: SmallVec<[u64; 8]> = all.iter().map(|shown| shown.origin).collect();
        if left.is_empty() {
            self.shown.remove(place);
        }
        for shown in over.iter().filter(|shown| !left.contains(&shown.origin)) {
            self.leave(shown.origin, place);
        }
        over.into_iter().map(|shown| ended(place, shown)).collect()
    }
}

impl Chat {
    /// Shows in a room (or thread) what the actor is doing, or (with no activities) that it is over. `origin` is the
    /// connection that says so and does not hear it; 0 when there is none.
    pub async fn show_activity(
        &self,
        actor: &Actor,
        room: &RoomId,
        thread: Option<MessageId>,
        activities: &[String],
        origin: u64,
    ) -> Result<()> {
        let well_formed = |name: &String| !name.is_empty() && name.len() <= MAX_NAME && name.is_ascii();
        if activities.len() > MAX_NAMES || !activities.iter().all(well_formed) {
            return Err(Refusal::invalid("activities", "at most 4 short names"));
        }
        let found = self.room(room).await?;
        self.authorize(actor, Action::ShowTyping, Object::Room(&found)).await?;
        let user = self.active_user(actor).await?;
        let real = self.settings().is_on("UI_Use_Real_Name") && !user.name.is_empty();
        let name = if real { user.name.as_str() } else { user.username.as_str() };
        let said = Said {
            room: room.clone(),
            user: user.id.clone(),
            name: name.into(),
            thread,
            activities: activities.into(),
            origin,
            pace: USUAL,
        };
        if let Some(event) = self.listening.typing.say(said, self.ports.clock.monotonic()) {
            self.pass(event);
        }
        Ok(())
    }
}

impl Chat {
    /// Shows in a room that the actor types there, or has stopped, at the pace of host applications' clients and under
    /// the display name. `origin` is the connection that says so.
    pub async fn show_typing(&self, actor: &Actor, room: &RoomId, on: bool, origin: u64) -> Result<()> {
        let found = self.room(room).await?;
        // Whoever may not write there any more (a case was closed meanwhile) can still say that it is over.
        let wanted = if on { Action::ShowTyping } else { Action::ReadRoom };
        self.authorize(actor, wanted, Object::Room(&found)).await?;
        let user = self.active_user(actor).await?;
        let name = user.shown_name();
        let activities: Arc<[String]> = if on { [TYPING.to_owned()].into() } else { [].into() };
        let (room, user, name) = (room.clone(), user.id.clone(), name.into());
        let said = Said { room, user, name, thread: None, activities, origin, pace: SHORT };
        if let Some(event) = self.listening.typing.say(said, self.ports.clock.monotonic()) {
            self.pass(event);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn said(origin: u64, what: &[&str]) -> Said {
        let activities = what.iter().map(|s| s.to_string()).collect();
        let (user, name) = ("ann".into(), "ann".into());
        Said { room: "r".into(), user, name, thread: None, activities, origin, pace: USUAL }
    }

    fn shown(events: &[Event]) -> Vec<(u64, usize)> {
        let one = |event: &Event| match event {
            Event::Activity { origin, activities, .. } => (*origin, activities.len()),
            other => panic!("{other:?}"),
        };
        events.iter().map(one).collect()
    }

    #[test]
    fn the_same_is_passed_on_once_a_second_and_a_change_at_once() {
        let typing = Typing::default();
        assert!(typing.say(said(1, &["user-typing"]), S).is_some());
        assert!(typing.say(said(1, &["user-typing"]), S + USUAL.repeat / 2).is_none());
        assert!(typing.say(said(1, &["user-recording"]), S + USUAL.repeat / 2).is_some());
        assert!(typing.say(said(1, &["user-recording"]), 3 * S).is_some());
        assert!(typing.say(said(1, &[]), 3 * S).is_some());
        assert!(typing.say(said(1, &[]), 4 * S).is_none(), "it is over already");
    }

    #[test]
    fn an_activity_ends_when_it_is_not_said_again() {
        let typing = Typing::default();
        typing.say(said(1, &["user-typing"]), S);
        typing.say(said(1, &["user-typing"]), 10 * S);
        assert_eq!(shown(&typing.tick(24 * S)), []);
        assert_eq!(shown(&typing.tick(25 * S)), [(1, 0)]);
        assert_eq!(shown(&typing.tick(60 * S)), []);
        let state = typing.0.lock();
        assert!(state.shown.is_empty() && state.by_origin.is_empty());
    }

    #[test]
    fn each_activity_stands_for_as_long_as_its_client_is_told() {
        let typing = Typing::default();
        typing.say(Said { pace: SHORT, ..said(1, &[TYPING]) }, S);
        assert!(typing.say(Said { pace: SHORT, ..said(1, &[TYPING]) }, 3 * S).is_none());
        assert!(typing.say(Said { pace: SHORT, ..said(1, &[TYPING]) }, 4 * S).is_some());
        typing.say(said(2, &[TYPING]), S);
        assert_eq!(shown(&typing.tick(9 * S)), []);
        assert_eq!(shown(&typing.tick(10 * S)), [(1, 0)]);
        assert_eq!(shown(&typing.tick(16 * S)), [(2, 0)]);
    }

    #[test]
    fn a_sent_message_ends_what_its_author_was_doing_in_that_place() {
        let typing = Typing::default();
        let in_thread = Said { thread: Some("m".into()), ..said(1, &["user-typing"]) };
        typing.say(in_thread, S);
        typing.say(said(1, &["user-typing"]), S);
        typing.say(said(2, &["user-typing"]), S);
        assert_eq!(shown(&typing.sent(&"r".into(), &"bob".into(), None)), []);
        assert_eq!(shown(&typing.sent(&"r".into(), &"ann".into(), None)), [(1, 0), (2, 0)]);
        assert_eq!(shown(&typing.gone(1)), [(1, 0)]);
        assert_eq!(shown(&typing.gone(2)), []);
    }

    #[test]
    fn a_connection_that_leaves_a_room_types_there_no_more_and_others_go_on() {
        let typing = Typing::default();
        typing.say(said(1, &["user-typing"]), S);
        typing.say(said(2, &["user-typing"]), S);
        typing.say(Said { room: "other".into(), ..said(1, &["user-typing"]) }, S);
        assert_eq!(shown(&typing.left(&"r".into(), &"bob".into(), 1)), []);
        assert_eq!(shown(&typing.left(&"r".into(), &"ann".into(), 1)), [(1, 0)]);
        assert_eq!(shown(&typing.left(&"r".into(), &"ann".into(), 1)), []);
        assert_eq!(shown(&typing.gone(1)), [(1, 0)], "in the other room");
        assert_eq!(shown(&typing.gone(2)), [(2, 0)]);
    }

    #[test]
    fn one_user_shows_a_bounded_number_of_things_in_a_room() {
        let typing = Typing::default();
        for origin in 1..=20 {
            typing.say(said(origin, &["user-typing"]), S);
        }
        let state = typing.0.lock();
        let place: Place = ("r".into(), "ann".into());
        assert_eq!((state.shown[&place].len(), state.by_origin.len()), (AT_ONCE, AT_ONCE));
    }
}

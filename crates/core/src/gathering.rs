//! Who has which room open just now: the live connections that joined it, counted by user over all doors. Told to
//! whoever listens to the room when a user's first connection comes and the last one goes; never stored.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    chat::Chat,
    event::Event,
    id::{RoomId, UserId},
    presence::NodeId,
    user::User,
};

type Counts = FxHashMap<RoomId, FxHashMap<UserId, u32>>;

/// Which users have which rooms open.
#[derive(Default)]
pub struct Gathering(Mutex<State>);

#[derive(Default)]
struct State {
    /// With how many connections here, and as one more for every other node.
    all: Counts,
    /// At each other node.
    elsewhere: FxHashMap<NodeId, FxHashSet<(RoomId, UserId)>>,
}

impl State {
    fn come(&mut self, room: &RoomId, user: &UserId) -> bool {
        let count = self.all.entry(room.clone()).or_default().entry(user.clone()).or_default();
        *count += 1;
        *count == 1
    }

    fn go(&mut self, room: &RoomId, user: &UserId) -> bool {
        let Some(users) = self.all.get_mut(room) else { return false };
        let Some(count) = users.get_mut(user) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            users.remove(user);
        }
        if users.is_empty() {
            self.all.remove(room);
        }
        last
    }

    /// How many of the user's connections are here.
    fn own(&self, room: &RoomId, user: &UserId) -> u32 {
        let all = self.all.get(room).and_then(|users| users.get(user)).copied().unwrap_or_default();
        let key = (room.clone(), user.clone());
        let others = self.elsewhere.values().filter(|open| open.contains(&key)).count();
        all.saturating_sub(others as u32)
    }
}

/// What a connection that came or went changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// It was the first here, or the last.
    pub here: bool,
    /// It was so on all nodes.
    pub anywhere: bool,
}

impl Gathering {
    /// A connection of the user joined.
    pub fn come(&self, room: &RoomId, user: &UserId) -> Moved {
        let mut state = self.0.lock();
        let anywhere = state.come(room, user);
        Moved { here: anywhere || state.own(room, user) == 1, anywhere }
    }

    /// One of them left.
    pub fn go(&self, room: &RoomId, user: &UserId) -> Moved {
        let mut state = self.0.lock();
        if state.own(room, user) == 0 {
            return Moved { here: false, anywhere: false };
        }
        let anywhere = state.go(room, user);
        Moved { here: anywhere || state.own(room, user) == 0, anywhere }
    }

    /// At another node the first connection came, or the last one went; whether it is so on all nodes.
    pub fn elsewhere(&self, node: NodeId, room: &RoomId, user: &UserId, here: bool) -> bool {
        let mut state = self.0.lock();
        let key = (room.clone(), user.clone());
        let there = state.elsewhere.entry(node).or_default();
        let changed = if here { there.insert(key) } else { there.remove(&key) };
        if there.is_empty() {
            state.elsewhere.remove(&node);
        }
        match (changed, here) {
            (false, _) => false,
            (true, true) => state.come(room, user),
            (true, false) => state.go(room, user),
        }
    }

    /// All that is open at another node; what changed by it on all nodes.
    pub fn all_elsewhere(&self, node: NodeId, open: Vec<(RoomId, UserId)>) -> Vec<(RoomId, UserId, bool)> {
        let known = self.0.lock().elsewhere.get(&node).cloned().unwrap_or_default();
        let open: FxHashSet<(RoomId, UserId)> = open.into_iter().collect();
        let gone = known.difference(&open).map(|(room, user)| (room.clone(), user.clone(), false));
        let came = open.difference(&known).map(|(room, user)| (room.clone(), user.clone(), true));
        gone.chain(came).filter(|(room, user, here)| self.elsewhere(node, room, user, *here)).collect()
    }

    /// What is open here.
    pub fn own(&self) -> Vec<(RoomId, UserId)> {
        let state = self.0.lock();
        let all = state.all.iter().flat_map(|(room, users)| users.keys().map(move |user| (room, user)));
        all.filter(|(room, user)| state.own(room, user) > 0)
            .map(|(room, user)| (room.clone(), user.clone()))
            .collect()
    }

    /// Whether this user is there.
    pub fn is_here(&self, room: &RoomId, user: &UserId) -> bool {
        self.0.lock().all.get(room).is_some_and(|users| users.contains_key(user))
    }

    /// Who is there.
    pub fn here(&self, room: &RoomId) -> Vec<UserId> {
        self.0.lock().all.get(room).map(|users| users.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Chat {
    /// A number for a new live connection, unique over all doors.
    pub fn new_connection(&self) -> u64 {
        self.listening.connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
    }

    /// A connection of this user opened a room, having listened to it before. To be ended by [`Chat::close_live`].
    pub fn open_live(&self, user: &User, room: &RoomId) {
        let moved = self.listening.gathering.come(room, &user.id);
        self.gathered(moved, gathered(room, user, true));
    }

    /// This connection of the user closed a room, or ended. What it showed there as typing ends first.
    pub fn close_live(&self, user: &User, room: &RoomId, connection: u64) {
        for event in self.listening.typing.left(room, &user.id, connection) {
            self.pass(event);
        }
        let moved = self.listening.gathering.go(room, &user.id);
        self.gathered(moved, gathered(room, user, false));
    }

    fn gathered(&self, moved: Moved, event: Event) {
        if let Some(relay) = self.listening.relay.get().filter(|_| moved.here) {
            relay.passed(&event);
        }
        if moved.anywhere {
            self.pass_here(event);
        }
    }

    /// Whether this user has the room open.
    pub fn is_live_in(&self, room: &RoomId, user: &UserId) -> bool {
        self.listening.gathering.is_here(room, user)
    }

    /// The users who have this room open, in no order. The caller has judged who may know.
    pub fn users_live_in(&self, room: &RoomId) -> Vec<UserId> {
        self.listening.gathering.here(room)
    }
}

fn gathered(room: &RoomId, user: &User, here: bool) -> Event {
    let name = user.shown_name();
    Event::Gathered { room: room.clone(), user: user.id.clone(), name: Arc::from(name), here }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Moved = Moved { here: true, anywhere: true };
    const NOTHING: Moved = Moved { here: false, anywhere: false };

    #[test]
    fn a_user_comes_with_the_first_connection_and_goes_with_the_last() {
        let gathering = Gathering::default();
        let (room, ann, bob): (RoomId, UserId, UserId) = ("r".into(), "ann".into(), "bob".into());
        assert_eq!(gathering.come(&room, &ann), FIRST);
        assert_eq!(gathering.come(&room, &ann), NOTHING);
        assert_eq!(gathering.come(&room, &bob), FIRST);
        let mut here = gathering.here(&room);
        here.sort();
        assert_eq!(here, [ann.clone(), bob.clone()]);
        assert!(gathering.is_here(&room, &ann) && !gathering.is_here(&room, &"cy".into()));
        assert_eq!(gathering.go(&room, &ann), NOTHING);
        assert_eq!(gathering.go(&room, &ann), FIRST);
        assert_eq!(gathering.go(&room, &ann), NOTHING, "nobody is left to go");
        assert_eq!(gathering.go(&room, &bob), FIRST);
        assert!(gathering.here(&room).is_empty() && gathering.0.lock().all.is_empty());
    }

    #[test]
    fn whoever_has_a_room_open_on_two_nodes_leaves_it_with_the_last_of_them() {
        let (gathering, other) = (Gathering::default(), NodeId(1));
        let (room, ann): (RoomId, UserId) = ("r".into(), "ann".into());
        assert!(gathering.elsewhere(other, &room, &ann, true));
        assert!(!gathering.elsewhere(other, &room, &ann, true), "told twice");
        assert_eq!(gathering.go(&room, &ann), NOTHING, "nothing is open here");
        let here_alone = Moved { here: true, anywhere: false };
        assert_eq!(gathering.come(&room, &ann), here_alone);
        assert_eq!(gathering.own(), [(room.clone(), ann.clone())]);
        assert_eq!(gathering.go(&room, &ann), here_alone);
        assert_eq!(gathering.all_elsewhere(other, Vec::new()), [(room.clone(), ann.clone(), false)]);
        assert!(!gathering.is_here(&room, &ann) && gathering.0.lock().elsewhere.is_empty());
    }
}

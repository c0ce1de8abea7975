//! Who has which room open just now: the live connections that joined it, counted by user over all doors. Told to
//! whoever listens to the room when a user's first connection comes and the last one goes; never stored.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    chat::Chat,
    event::Event,
    id::{RoomId, UserId},
    user::User,
};

/// Which users have which rooms open, with how many connections each.
#[derive(Default)]
pub struct Gathering(Mutex<FxHashMap<RoomId, FxHashMap<UserId, u32>>>);

impl Gathering {
    /// A connection of the user joined; whether it is the first.
    pub fn come(&self, room: &RoomId, user: &UserId) -> bool {
        let mut rooms = self.0.lock();
        let count = rooms.entry(room.clone()).or_default().entry(user.clone()).or_default();
        *count += 1;
        *count == 1
    }

    /// One of them left; whether it was the last.
    pub fn go(&self, room: &RoomId, user: &UserId) -> bool {
        let mut rooms = self.0.lock();
        let Some(users) = rooms.get_mut(room) else { return false };
        let Some(count) = users.get_mut(user) else { return false };
        *count -= 1;
        let last = *count == 0;
        if last {
            users.remove(user);
        }
        if users.is_empty() {
            rooms.remove(room);
        }
        last
    }

    /// Whether this user is there.
    pub fn is_here(&self, room: &RoomId, user: &UserId) -> bool {
        self.0.lock().get(room).is_some_and(|users| users.contains_key(user))
    }

    /// Who is there.
    pub fn here(&self, room: &RoomId) -> Vec<UserId> {
        self.0.lock().get(room).map(|users| users.keys().cloned().collect()).unwrap_or_default()
    }
}

impl Chat {
    /// A number for a new live connection, unique over all doors.
    pub fn new_connection(&self) -> u64 {
        self.listening.connections.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1
    }

    /// A connection of this user opened a room, having listened to it before. To be ended by [`Chat::close_live`].
    pub fn open_live(&self, user: &User, room: &RoomId) {
        if self.listening.gathering.come(room, &user.id) {
            self.pass(gathered(room, user, true));
        }
    }

    /// This connection of the user closed a room, or ended. What it showed there as typing ends first.
    pub fn close_live(&self, user: &User, room: &RoomId, connection: u64) {
        for event in self.listening.typing.left(room, &user.id, connection) {
            self.pass(event);
        }
        if self.listening.gathering.go(room, &user.id) {
            self.pass(gathered(room, user, false));
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
    let name = if user.name.is_empty() { &user.username } else { &user.name };
    Event::Gathered { room: room.clone(), user: user.id.clone(), name: Arc::from(name.as_str()), here }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_comes_with_the_first_connection_and_goes_with_the_last() {
        let gathering = Gathering::default();
        let (room, ann, bob): (RoomId, UserId, UserId) = ("r".into(), "ann".into(), "bob".into());
        assert!(gathering.come(&room, &ann));
        assert!(!gathering.come(&room, &ann));
        assert!(gathering.come(&room, &bob));
        let mut here = gathering.here(&room);
        here.sort();
        assert_eq!(here, [ann.clone(), bob.clone()]);
        assert!(gathering.is_here(&room, &ann) && !gathering.is_here(&room, &"cy".into()));
        assert!(!gathering.go(&room, &ann));
        assert!(gathering.go(&room, &ann));
        assert!(!gathering.go(&room, &ann), "nobody is left to go");
        assert!(gathering.go(&room, &bob));
        assert!(gathering.here(&room).is_empty() && gathering.0.lock().is_empty());
    }
}

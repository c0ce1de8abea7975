//! Who is connected where: each node tells the others of its own connections, and counts every other node as one
//! connection of the people there. A node that is gone takes its people with it.

use crate::{
    chat::Chat,
    id::{RoomId, UserId},
    presence::NodeId,
    user::Status,
};

/// Where somebody is, seen from one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Not connected there.
    Gone,
    /// Connected there; `away` when nobody sits at any of the devices.
    There {
        /// Nobody sits there.
        away: bool,
    },
    /// Connected nowhere, and shown like this since the user said so.
    Declared(Status),
}

/// One user, as one node tells the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Who.
    pub user: UserId,
    /// The status that the user chose.
    pub chosen: Status,
    /// Where.
    pub whereabouts: Whereabouts,
}

/// Who has which room open.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Open {
    /// The room.
    pub room: RoomId,
    /// The user.
    pub user: UserId,
}

impl Chat {
    /// Everybody who is connected here, and who has which room open here.
    pub fn people_here(&self) -> (Vec<Shared>, Vec<Open>) {
        let open = self.listening.gathering.own().into_iter().map(|(room, user)| Open { room, user });
        (self.listening.presence.shared(), open.collect())
    }

    /// Those whose connections here changed since this was last asked.
    pub fn people_moved(&self) -> Vec<Shared> {
        self.listening.presence.moved()
    }

    /// Another node tells of some of its people.
    pub fn people_elsewhere(&self, node: NodeId, people: &[Shared]) {
        let now = self.ports.clock.monotonic();
        people.iter().for_each(|one| self.listening.presence.elsewhere(node, one, now));
    }

    /// Another node tells of all of its people: whoever else was there is not any more.
    pub fn all_people_elsewhere(&self, node: NodeId, people: &[Shared], open: Vec<Open>) {
        let now = self.ports.clock.monotonic();
        self.listening.presence.all_elsewhere(node, people, now);
        let open = open.into_iter().map(|Open { room, user }| (room, user)).collect();
        let moved = self.listening.gathering.all_elsewhere(node, open);
        moved.into_iter().for_each(|(room, user, here)| self.tell_gathered(&room, &user, here));
    }

    /// Another node is gone, with everybody who was connected there.
    pub fn node_gone(&self, node: NodeId) {
        self.all_people_elsewhere(node, &[], Vec::new());
    }

    fn tell_gathered(&self, room: &RoomId, user: &UserId, here: bool) {
        // Whoever was not looked at here lately has nobody here who would show the name.
        let known = self.user_at_hand(user);
        let name = known.map_or_else(String::new, |user| user.shown_name().to_owned());
        self.pass_here(crate::event::Event::Gathered {
            room: room.clone(),
            user: user.clone(),
            name: name.into(),
            here,
        });
    }
}

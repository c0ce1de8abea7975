//! The plainest nouns there are, for tests: change what matters with `..samples::room("r")`.

use crate::{
    clock::Time,
    id::MembershipId,
    membership::{Membership, Notify, ReadMark},
    message::Message,
    room::{Room, RoomKind},
    user::{Status, User},
};

/// An active person without roles.
pub fn user(id: &str) -> User {
    User {
        name: String::new(),
        active: true,
        status_default: Status::Online,
        has_password: true,
        ..User::blank(id.into(), id)
    }
}

/// A private room without members.
pub fn room(id: &str) -> Room {
    Room { name: Some(id.into()), ..Room::blank(id.into(), RoomKind::Group, "ann".into()) }
}

/// A member who has read nothing.
pub fn membership(room: &str, user: &str) -> Membership {
    Membership {
        id: MembershipId::new(format!("{room}-{user}")),
        room: room.into(),
        user: user.into(),
        roles: Vec::new(),
        open: true,
        favourite: false,
        joined_at: Time(0),
        mark: ReadMark::default(),
        marked_unread: false,
        last_reply: None,
        notify: Notify::default(),
        ignored: Vec::new(),
        blocker: false,
        blocked: false,
        e2e_key: None,
        translation: None,
        updated_at: Time(0),
    }
}

/// A short text at this position.
pub fn message(id: &str, room: &str, author: &str, seq: i64) -> Message {
    let written = Message::written_by(&user(author), id.into(), room.into(), "hello".into());
    Message { seq, rev: seq, counted: seq, at: Time(seq), updated_at: Time(seq), ..written }
}

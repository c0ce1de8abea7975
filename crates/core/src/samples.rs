//! The plainest nouns there are, for tests: change what matters with `..samples::room("r")`.

use crate::{
    clock::Time,
    id::MembershipId,
    json::Json,
    membership::{Membership, Notify, ReadMark},
    message::Message,
    room::{Room, RoomKind},
    user::{Status, User, UserKind},
};

/// An active person without roles.
pub fn user(id: &str) -> User {
    User {
        id: id.into(),
        username: id.into(),
        name: String::new(),
        kind: UserKind::Person,
        emails: Vec::new(),
        active: true,
        roles: Vec::new(),
        status_default: Status::Online,
        status_text: String::new(),
        bio: String::new(),
        nickname: String::new(),
        avatar: None,
        language: String::new(),
        utc_offset: 0.0,
        custom_fields: Json::object(),
        preferences: Json::object(),
        require_password_change: false,
        has_password: true,
        created_at: Time(0),
        updated_at: Time(0),
        last_login: None,
        access: 0,
        host: Default::default(),
    }
}

/// A private room without members.
pub fn room(id: &str) -> Room {
    Room {
        id: id.into(),
        kind: RoomKind::Group,
        name: Some(id.into()),
        title: None,
        creator: "ann".into(),
        topic: String::new(),
        description: String::new(),
        announcement: String::new(),
        default: false,
        featured: false,
        favourite: false,
        sidepanel: Vec::new(),
        e2e_key: None,
        read_only: false,
        react_when_read_only: false,
        broadcast: false,
        encrypted: false,
        archived: false,
        join_code: None,
        hidden_system: Vec::new(),
        custom_fields: Json::object(),
        avatar: None,
        muted: Vec::new(),
        unmuted: Vec::new(),
        parent: None,
        team: None,
        team_main: false,
        team_default: false,
        direct: Vec::new(),
        members: 0,
        created_at: Time(0),
        updated_at: Time(0),
        access: 0,
    }
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
        updated_at: Time(0),
    }
}

/// A short text at this position.
pub fn message(id: &str, room: &str, author: &str, seq: i64) -> Message {
    let written = Message::written_by(&user(author), id.into(), room.into(), "hello".into());
    Message { seq, rev: seq, counted: seq, at: Time(seq), updated_at: Time(seq), ..written }
}

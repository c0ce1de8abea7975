//! Rooms, users and messages to work with.

use super::wait;
use parlor_core::id::{RoomId, UserId};
use parlor_core::json::Json;
use parlor_core::message::{Guise, Message, MessageKind};
use parlor_core::permissions::{Judgement, Why};
use parlor_core::store::Append;
use parlor_store::{Engine, Lane, params};

/// Makes users `u0 …` and rooms `r0 …`, all of access version 1.
pub fn people(engine: &Engine, users: usize, rooms: usize) {
    wait(engine.write(Lane::Verb, 0, move |tx| {
        for n in 0..users {
            tx.exec(
                "INSERT INTO users (id, username, username_key, name, name_key, kind, emails, active, roles,
                    status_default, status_text, bio, nickname, language, utc_offset, custom_fields, preferences,
                    require_password_change, has_password, created_at, updated_at, access)
                 VALUES ($1, $1, $1, $1, $1, 0, '[]', 1, 'user', 0, '', '', '', '', 0, '{}', '{}', 0, 0, 0, 0, 1)",
                params![format!("u{n}")],
            )?;
        }
        Ok(())
    }))
    .unwrap();
    self::rooms(engine, 0..rooms);
}

/// Makes the rooms of these numbers.
pub fn rooms(engine: &Engine, numbers: std::ops::Range<usize>) {
    wait(engine.write(Lane::Verb, 0, move |tx| {
        for n in numbers.clone() {
            tx.exec(
                "INSERT INTO rooms (id, kind, name, name_key, creator, topic, description, announcement, flags,
                    hidden_system, custom_fields, muted, unmuted, sidepanel, created_at, updated_at, access)
                 VALUES ($1, 0, $1, $1, 'u0', '', '', '', 0, '', '{}', '', '', '', 0, 0, 1)",
                params![format!("r{n}")],
            )?;
            tx.exec(
                "INSERT INTO room_heads (room) SELECT key FROM rooms WHERE id = $1",
                params![format!("r{n}")],
            )?;
        }
        Ok(())
    }))
    .unwrap();
}

/// A person of this id and user name.
pub fn named(id: &str, username: &str) -> parlor_core::user::User {
    parlor_core::user::User {
        id: UserId::from(id),
        username: username.into(),
        name: username.into(),
        kind: parlor_core::user::UserKind::Person,
        emails: Vec::new(),
        active: true,
        roles: Vec::new(),
        status_default: Default::default(),
        status_text: String::new(),
        bio: String::new(),
        nickname: String::new(),
        avatar: None,
        language: String::new(),
        utc_offset: 0.0,
        custom_fields: Json::object(),
        preferences: Json::object(),
        require_password_change: false,
        has_password: false,
        created_at: parlor_core::clock::Time(0),
        updated_at: parlor_core::clock::Time(0),
        last_login: None,
        access: 1,
        host: Default::default(),
    }
}

/// A plain message.
pub fn message(id: &str, room: &str, author: &str, text: &str) -> Message {
    let user = named(author, author);
    let message = Message::written_by(&user, id.into(), room.into(), text.into());
    assert!(message.kind == MessageKind::Text && message.guise == Guise::default());
    message
}

/// A send as the core makes it, judged at access version 1.
pub fn send(id: &str, room: &str, author: &str, text: &str) -> Append {
    Append {
        message: message(id, room, author, text),
        judgement: Judgement {
            user: Some((UserId::from(author), 1)),
            room: Some((RoomId::from(room), 1)),
            why: Why::Standing,
        },
        client_id: true,
        mentioned: Vec::new(),
    }
}

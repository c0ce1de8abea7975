//! What the journal keeps beside a row for other nodes: the little of an event that can't be read back from what it is
//! about. Small texts and ids, never what somebody wrote, and no secret.

use serde_json::{Value, json};

use crate::{
    clock::Time,
    event::{AvatarOf, Change, CustomKind, Event},
    id::{RoleId, UserId},
    tickets::TicketFate,
};

/// What is kept of an event; most need nothing.
pub fn detail(event: &Event) -> Option<String> {
    use Event as E;
    let by = |user: &Option<UserId>| user.as_ref().map(|user| user.to_string());
    let told = match event {
        E::Room { change: Change::Made, .. } => json!({ "made": true }),
        E::RoomRemoved { room } => {
            json!({ "kind": room.kind as u8, "name": room.name, "title": room.title })
        }
        E::Membership { change, by: who, .. } => json!({ "made": *change == Change::Made, "by": by(who) }),
        E::MembershipRemoved { by: who, .. } => json!({ "by": by(who) }),
        E::Read { seq, at, named, .. } => {
            let named: Vec<&str> = named.iter().map(|id| id.as_str()).collect();
            json!({ "seq": seq, "at": at.millis(), "named": named })
        }
        E::User { change, before, .. } => {
            let was = before.as_ref().map(|user| {
                json!({ "id": user.id.as_str(), "username": user.username, "name": user.name, "access": user.access })
            });
            json!({ "made": *change == Change::Made, "was": was })
        }
        E::UserRemoved { user } => json!({ "username": user.username, "name": user.name }),
        E::SessionsEnded { kept, .. } => json!({ "kept": kept.as_ref().map(|id| id.as_str()) }),
        E::Starred { on, .. } => json!({ "on": on }),
        E::Setting { at, .. } | E::Role { at, .. } => json!({ "at": at.millis() }),
        E::Permission { roles, at, .. } => {
            let roles: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
            json!({ "roles": roles, "at": at.millis() })
        }
        E::RoleGiven { room, given, username, .. } => {
            json!({ "room": room.as_ref().map(|room| room.as_str()), "given": given, "username": username })
        }
        E::Custom { kind, name, removed, .. } => {
            json!({ "kind": *kind as u8, "name": &**name, "removed": removed })
        }
        E::Avatar { of: AvatarOf::User(_, username), tag } => json!({ "username": username, "tag": tag }),
        E::Avatar { tag, .. } => json!({ "tag": tag }),
        E::Case { by, first, .. } => {
            json!({ "by": by.as_str(), "first": first.as_ref().map(|message| message.id.as_str()) })
        }
        E::Ticket { ticket, change } => json!({ "fate": fate(*change), "room": ticket.room.as_str() }),
        _ => return None,
    };
    Some(told.to_string())
}

fn fate(change: TicketFate) -> &'static str {
    match change {
        TicketFate::Made => "made",
        TicketFate::Changed => "changed",
        TicketFate::Removed => "removed",
    }
}

/// What was kept, read again; whatever is missing or of another version has a harmless value.
pub(super) struct Detail(Value);

impl Detail {
    pub(super) fn read(text: Option<&str>) -> Self {
        Self(text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default())
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    pub(super) fn number(&self, key: &str) -> i64 {
        self.0.get(key).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(super) fn is(&self, key: &str) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn list(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    pub(super) fn inner(&self, key: &str) -> Option<Self> {
        self.0.get(key).filter(|value| value.is_object()).cloned().map(Self)
    }

    pub(super) fn change(&self) -> Change {
        if self.is("made") { Change::Made } else { Change::Changed }
    }

    pub(super) fn user(&self, key: &str) -> Option<UserId> {
        self.text(key).map(UserId::new)
    }

    pub(super) fn time(&self, key: &str) -> Time {
        Time(self.number(key))
    }

    pub(super) fn roles(&self) -> Vec<RoleId> {
        self.list("roles").map(RoleId::new).collect()
    }

    pub(super) fn custom(&self) -> CustomKind {
        let known = [CustomKind::Emoji, CustomKind::Sound, CustomKind::Status];
        known.into_iter().find(|kind| *kind as i64 == self.number("kind")).unwrap_or(CustomKind::Emoji)
    }

    pub(super) fn fate(&self) -> TicketFate {
        match self.text("fate") {
            Some("made") => TicketFate::Made,
            Some("removed") => TicketFate::Removed,
            _ => TicketFate::Changed,
        }
    }
}

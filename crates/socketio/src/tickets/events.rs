//! Events that only the tickets form has.

use bytes::Bytes;
use parlor_core::{clock::Time, event::Event, id::UserId};
use parlor_host::iso;
use serde_json::json;

use crate::{Door, packet};

/// Why a ticket is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    Left,
    Revoked,
    Deleted,
}

impl Farewell {
    fn as_str(self) -> &'static str {
        match self {
            Self::Left => "Left ticket chat",
            Self::Revoked => "Access revoked",
            Self::Deleted => "Ticket deleted",
        }
    }
}

/// The ticket is left.
pub(crate) fn left(ticket: &str, now: Time, why: Farewell) -> Bytes {
    let told = json!({ "ticketId": ticket, "message": why.as_str(), "timestamp": iso(now) });
    packet::event("left_ticket", &told)
}

/// Somebody types no more.
pub(crate) fn stopped_typing(door: &Door, event: &Event, ticket: &str) -> Bytes {
    crate::events::render(door, event, false, Some(ticket), &UserId::new(""))
}

//! Who listens. Facts come in as they were committed (perhaps out of order), and go out in the order of each
//! room's positions to whoever listens and still may. A state machine over inputs and a given clock: no task, no
//! thread, no lock held while somebody else's code waits.

use std::sync::Arc;

use crate::{
    id::{RoomId, UserId},
    published::Published,
};

/// Hears events. Called in order for one room; must only queue (never wait, never call back into the hub).
pub trait Listener: Send + Sync {
    /// An event that it listens to.
    fn hear(&self, published: &Arc<Published>);
    /// It may not listen any more: the hub has dropped it already. Frames still queued for it must go as well.
    fn revoked(&self);
}

/// What somebody listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// One room's events.
    Room(RoomId),
    /// Events meant for one user.
    User(UserId),
    /// The events of all rooms of one user (as news: "something changed there").
    Inbox(UserId),
    /// One user's presence.
    Presence(UserId),
    /// What concerns everybody who is logged in.
    LoggedIn,
    /// What concerns every connection.
    Everyone,
}

/// A subscription in the hub; dropping it does not end it, `Hub::end` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subscription(pub(crate) u64);

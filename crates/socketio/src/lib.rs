//! The Socket.IO door: one endpoint for the `rooms` and `tickets` contracts.
//!
//! `engine` is Engine.IO 4 on the shared live connections, `packet` the codec of Socket.IO 5, `session` one client's
//! conversation. The contracts are dialects of a subscription, not of a socket: `rooms` and `tickets` say how their
//! events are read and written.

pub mod engine;
pub mod events;
pub mod packet;
mod rooms;
mod session;
mod tickets;

use std::sync::Arc;

use axum::{Router, routing::any};
use parlor_host::Host;
use parlor_live::{Options, WsLimits};

/// The door: what all its connections share.
pub struct Door {
    pub(crate) host: Host,
    pub(crate) live: Arc<parlor_live::Door>,
    pub(crate) sessions: engine::Sessions,
}

impl Door {
    /// Opens the door.
    pub fn new(host: Host) -> Arc<Self> {
        let options = Options {
            ws: WsLimits { message: engine::MAX_PAYLOAD, ..WsLimits::default() },
            ping_every: engine::PING_INTERVAL,
            ping_timeout: engine::PING_TIMEOUT,
            steady: true,
            // Personal events are told one by one, at once.
            pace: std::time::Duration::ZERO,
            // A client on long polls learns by its next poll why the conversation has ended.
            close_timeout: std::time::Duration::from_secs(10),
            ..Options::default()
        };
        let live = host.live().door("socketio", options);
        Arc::new(Self { host, live, sessions: engine::Sessions::default() })
    }

    /// The door's one URL.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/socket.io", any(engine::serve))
            .route("/socket.io/", any(engine::serve))
            .with_state(self.clone())
    }
}

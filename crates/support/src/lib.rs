//! The support door: field staff and the control centre, over a WebSocket of plain JSON frames at
//! `/api/websocket/connect` and over REST at `/api/conversations`. Translates; the core decides. See the README beside
//! this crate.

mod acts;
mod beyond;
mod catalogue;
mod envelope;
mod fields;
mod openapi;
mod rest;
mod shape;
mod socket;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get, post},
};
use parlor_host::{Host, problem};

pub use self::{
    catalogue::{EVENTS, Event, REQUESTS, Request, reference},
    openapi::openapi,
};

/// The door.
pub struct Door {
    pub(crate) host: Host,
    pub(crate) live: Arc<parlor_live::Door>,
}

impl Door {
    /// A door to this chat.
    pub fn new(host: Host) -> Arc<Self> {
        let live = host.live().door("support", host.options().connections.clone());
        Arc::new(Self { host, live })
    }

    /// The door as HTTP routes.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/conversations", get(rest::list))
            .route("/api/conversations/create", post(rest::create))
            .route("/api/conversations/{id}", get(rest::one))
            .route("/api/conversations/{id}/messages", get(rest::messages).post(rest::send))
            .route("/api/conversations/{id}/claim", post(rest::claim))
            .route("/api/conversations/{id}/close", post(rest::close))
            .route("/api/conversations/{id}/reopen", post(rest::reopen))
            .route("/api/conversations/{id}/read", post(rest::read))
            .route("/api/conversations/{id}/participants", post(rest::add_participant))
            .method_not_allowed_fallback(problem::method_not_allowed)
            .with_state(self.host.clone())
            .merge(
                Router::new().route("/api/websocket/connect", any(socket::connect)).with_state(self.clone()),
            )
    }
}

//! The door `inbox`: REST under `/api/chat` and a stream of server-sent events, for a host application whose backend
//! knows people by user name. Translates; the core decides. See the README beside this crate.

mod acting;
mod beyond;
mod groups;
mod guard;
mod inbox;
mod openapi;
mod presence;
mod reading;
mod send;
mod shape;
mod stream;
mod users;
mod webhook;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::{get, post},
};
use parlor_host::{Host, problem};

pub use self::openapi::openapi;

/// The door.
#[derive(Clone)]
pub struct Door {
    host: Host,
    live: Arc<parlor_live::Door>,
}

impl Door {
    /// The door of this chat.
    pub fn new(host: &Host) -> Self {
        let live = host.live().door("inbox", host.options().connections.clone());
        Self { host: host.clone(), live }
    }

    /// Its paths.
    pub fn router(&self) -> Router {
        let streams = Router::new().route("/api/chat/stream", get(stream)).with_state(self.clone());
        Router::new()
            .route("/api/chat/send", post(send::send))
            .route("/api/chat/inbox/{username}", get(inbox::inbox))
            .route("/api/chat/mark-read", post(reading::mark_read))
            .route("/api/chat/mark-all-read", post(reading::mark_all_read))
            .route("/api/chat/unread-count/{username}", get(reading::unread_count))
            .route("/api/chat/groups", post(groups::create))
            .route("/api/chat/groups/{username}", get(groups::list))
            .route("/api/chat/groups/{username}/members", post(groups::add_members))
            .route("/api/chat/teams", post(groups::team))
            .route("/api/chat/webhook", post(webhook::webhook))
            .route("/api/chat/react", post(beyond::react))
            .route("/api/chat/pin", post(beyond::pin))
            .route("/api/chat/pinned/{username}", get(beyond::pinned))
            .route("/api/chat/thread/{username}", get(beyond::thread))
            .route("/api/chat/search/{username}", get(beyond::search))
            .route("/api/users", get(users::list))
            .with_state(self.host.clone())
            .merge(streams)
            .method_not_allowed_fallback(problem::method_not_allowed)
    }
}

async fn stream(State(door): State<Door>, request: Request) -> Result<Response, problem::Problem> {
    stream::stream(door, request).await
}

/// How long a stream's client waits before it comes back, in milliseconds.
const RETRY: Duration = Duration::from_millis(3_000);

//! The rooms door over REST: direct and group rooms, members, messages of all types. The same contract over Socket.IO
//! lies with that endpoint. Translates; the core decides. See the README beside this crate.

mod members;
mod messages;
mod more;
mod openapi;
mod push;
mod rooms;

use axum::{
    Router,
    middleware::map_response,
    routing::{delete, get, post},
};
use parlor_core::id::{MessageId, RoomId};
use parlor_host::{Call, Host, Problem, problem, rooms_draft};

pub use self::openapi::openapi;

/// The door as HTTP routes.
pub fn router(host: &Host) -> Router {
    let one_message = get(messages::one).patch(messages::edit).delete(messages::remove);
    Router::new()
        .route("/api/chat/rooms", get(rooms::list).post(rooms::create))
        .route("/api/chat/rooms/{room_id}", get(rooms::one).patch(rooms::change))
        .route("/api/chat/rooms/{room_id}/members/{user_id}", post(members::add).delete(members::remove))
        .route("/api/chat/rooms/{room_id}/members/{user_id}/mute", post(members::mute))
        .route("/api/chat/rooms/{room_id}/messages", get(messages::list))
        .route("/api/chat/rooms/{room_id}/read", post(messages::read))
        .route("/api/chat/rooms/{room_id}/presence", get(more::presence))
        .route("/api/chat/rooms/{room_id}/pinned", get(more::pinned))
        .route("/api/chat/rooms/{room_id}/export", get(more::export))
        .route("/api/chat/messages", post(messages::send))
        .route("/api/chat/messages/{message_id}", one_message)
        .route("/api/chat/messages/{message_id}/receipts", get(messages::receipts))
        .route("/api/chat/messages/{message_id}/thread", get(more::thread))
        .route("/api/chat/messages/{message_id}/pin", post(more::pin).delete(more::unpin))
        .route("/api/chat/messages/{message_id}/reactions", post(more::react))
        .route("/api/chat/messages/{message_id}/reactions/{emoji}", delete(more::unreact))
        .route("/api/chat/search", get(more::search))
        .route("/api/chat/push", get(push::key).post(push::subscribe).delete(push::unsubscribe))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(map_response(problem::dress_for_rooms))
        .with_state(host.clone())
}

/// The room of the path.
fn room_of(call: &Call) -> Result<RoomId, Problem> {
    rooms_draft::room_id(call.path("room_id"))
}

/// The message of the path.
fn message_of(call: &Call) -> Result<MessageId, Problem> {
    rooms_draft::message_id(call.path("message_id"))
}

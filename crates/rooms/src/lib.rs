//! The rooms door over REST: direct and group rooms, members, messages of all types. The same contract over Socket.IO
//! lies with that endpoint. Translates; the core decides. See the README beside this crate.

mod members;
mod messages;
mod more;
mod rooms;

use axum::{
    Router,
    middleware::map_response,
    routing::{delete, get, post},
};
use parlor_core::id::{MessageId, RoomId};
use parlor_host::{Call, Host, Problem, problem, rooms_draft};

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
        .route("/api/chat/rooms/{room_id}/export", get(more::export))
        .route("/api/chat/messages", post(messages::send))
        .route("/api/chat/messages/{message_id}", one_message)
        .route("/api/chat/messages/{message_id}/receipts", get(messages::receipts))
        .route("/api/chat/messages/{message_id}/reactions", post(more::react))
        .route("/api/chat/messages/{message_id}/reactions/{emoji}", delete(more::unreact))
        .route("/api/chat/search", get(more::search))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(map_response(problem::dress_for_rooms))
        .with_state(host.clone())
}

/// What the routes are, for the OpenAPI document: method, path, what it does.
pub const ROUTES: &[(&str, &str, &str)] = &[
    ("get", "/api/chat/rooms", "The caller's rooms, latest activity first"),
    ("post", "/api/chat/rooms", "Makes a direct room or a group"),
    ("get", "/api/chat/rooms/{room_id}", "A room with its members"),
    ("patch", "/api/chat/rooms/{room_id}", "Changes a group (its admins)"),
    ("post", "/api/chat/rooms/{room_id}/members/{user_id}", "Adds a member to a group (its admins)"),
    (
        "delete",
        "/api/chat/rooms/{room_id}/members/{user_id}",
        "Removes a member (its admins; others themselves)",
    ),
    ("post", "/api/chat/rooms/{room_id}/members/{user_id}/mute", "Mutes a member of a group (its admins)"),
    ("get", "/api/chat/rooms/{room_id}/messages", "A page of messages"),
    ("post", "/api/chat/rooms/{room_id}/read", "Marks messages as read"),
    ("get", "/api/chat/rooms/{room_id}/presence", "Who of the members is there"),
    ("get", "/api/chat/rooms/{room_id}/export", "All messages as JSON lines (room admins)"),
    ("post", "/api/chat/messages", "Sends a message"),
    ("get", "/api/chat/messages/{message_id}", "A message"),
    ("patch", "/api/chat/messages/{message_id}", "Edits one's own message"),
    ("delete", "/api/chat/messages/{message_id}", "Removes one's own message (room admins: anybody's)"),
    ("get", "/api/chat/messages/{message_id}/receipts", "Who has read a message"),
    ("post", "/api/chat/messages/{message_id}/reactions", "Reacts to a message"),
    ("delete", "/api/chat/messages/{message_id}/reactions/{emoji}", "Takes a reaction back"),
    ("get", "/api/chat/search", "Searches messages"),
    ("post", "/api/chat/upload", "Uploads a file for a later message"),
    ("get", "/api/chat/upload/signed-url", "An address to which a file can be sent"),
    ("get", "/api/chat/media/{id}/url", "A fresh address of a file"),
];

/// The room of the path.
fn room_of(call: &Call) -> Result<RoomId, Problem> {
    rooms_draft::room_id(call.path("room_id"))
}

/// The message of the path.
fn message_of(call: &Call) -> Result<MessageId, Problem> {
    rooms_draft::message_id(call.path("message_id"))
}

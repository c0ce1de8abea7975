//! The paths that all contracts share: logging in, users, files.

mod auth;
mod files;
mod openapi;
mod users;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::map_response,
    routing::{get, post},
};

pub use self::openapi::openapi;
use crate::{host::Host, problem};

/// The paths that belong to no single contract.
pub fn router(host: &Host) -> Router {
    let one_user = get(users::one).put(users::put).delete(users::delete);
    // Bytes go to disk as they come, and the core knows how many there may be.
    let file = get(files::get).put(files::put).layer(DefaultBodyLimit::disable());
    Router::new()
        .route("/api/auth/login", post(auth::log_in))
        .route("/api/auth/me", get(auth::me))
        .route("/api/users/{id}", one_user)
        .route("/api/files/{id}/{name}", file)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(host.clone())
        .merge(uploads(host))
}

/// The uploads of the rooms contract, in that contract's dress.
fn uploads(host: &Host) -> Router {
    Router::new()
        .route("/api/chat/upload", post(files::upload).layer(DefaultBodyLimit::disable()))
        .route("/api/chat/upload/signed-url", get(files::announce))
        .route("/api/chat/media/{id}/url", get(files::address))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(map_response(problem::dress_for_rooms))
        .with_state(host.clone())
}

//! The paths that all contracts share: logging in, users, files.

mod auth;
mod users;

use axum::{
    Router,
    routing::{get, post},
};

use crate::{host::Host, problem};

/// The paths that belong to no single contract.
pub fn router(host: &Host) -> Router {
    let one_user = get(users::one).put(users::put).delete(users::delete);
    Router::new()
        .route("/api/auth/login", post(auth::log_in))
        .route("/api/auth/me", get(auth::me))
        .route("/api/users/{id}", one_user)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(host.clone())
}

//! The paths that all contracts share: logging in, users, files.

mod auth;

use axum::{Router, routing::get};

use crate::{host::Host, problem};

/// The paths that belong to no single contract.
pub fn router(host: &Host) -> Router {
    Router::new()
        .route("/api/auth/me", get(auth::me))
        .method_not_allowed_fallback(problem::method_not_allowed)
        .with_state(host.clone())
}

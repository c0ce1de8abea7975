//! Stored files as these doors give them.

use axum::{http::HeaderMap, response::Response};
use parlor_core::{chat::Chat, store::Upload};
use parlor_live::serving::{self, Manner};

use crate::problem::Problem;

/// A file, or the part of it that a `Range` asks for.
///
/// # Errors
/// `not_found` when the bytes are gone, `unavailable` when their store is away.
pub async fn serve(chat: &Chat, upload: Upload, asked: &HeaderMap) -> Result<Response, Problem> {
    let manner = Manner { download: false, cache: "private" };
    Ok(serving::serve(chat, &upload, asked, manner).await?)
}

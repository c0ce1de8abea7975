//! Stored files as they go out: in the type that their bytes have, never as anything that could run.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use parlor_core::{chat::Chat, media::is_inline, store::Upload};

use crate::{files::escaped, problem::Problem};

/// Bytes read at once while a file is sent.
const PIECE: u64 = 256 * 1024;

/// A file, or the part of it that a `Range` asks for.
///
/// # Errors
/// `not_found` when the bytes are gone.
pub async fn serve(chat: &Arc<Chat>, upload: Upload, asked: &HeaderMap) -> Result<Response, Problem> {
    let size = u64::try_from(upload.size).unwrap_or_default();
    let wanted = asked.get(header::RANGE).and_then(|value| value.to_str().ok());
    let (from, to, status) = match wanted.and_then(|text| range(text, size)) {
        Some((from, to)) => (from, to, StatusCode::PARTIAL_CONTENT),
        None => (0, size, StatusCode::OK),
    };
    // The first piece is read before the answer begins, so that bytes that are gone are told.
    let first = chat.read_file(&upload, from, PIECE.min(to - from)).await?;
    let headers = headers_of(&upload, from, to, size, status);
    let mut response = Response::new(stream(chat.clone(), upload, first, from, to));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// `bytes=A-B`, `bytes=A-`, `bytes=-N`; anything else is answered whole.
fn range(text: &str, size: u64) -> Option<(u64, u64)> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<u64>().ok(), to.parse::<u64>().ok()) {
        (Some(from), Some(to)) => (from, to.checked_add(1)?.min(size)),
        (Some(from), None) if to.is_empty() => (from, size),
        (None, Some(last)) if from.is_empty() => (size.saturating_sub(last), size),
        _ => return None,
    };
    (from < to).then_some((from, to))
}

fn stream(chat: Arc<Chat>, upload: Upload, first: Vec<u8>, from: u64, to: u64) -> Body {
    let pieces = futures_util::stream::unfold((Some(first), from), move |(first, at)| {
        let (chat, upload) = (chat.clone(), upload.clone());
        async move {
            if at >= to {
                return None;
            }
            let read = match first {
                Some(first) => Ok(first),
                None => chat.read_file(&upload, at, PIECE.min(to - at)).await,
            };
            let next = read.as_ref().map_or(to, |bytes| at + bytes.len() as u64);
            Some((read.map_err(|refusal| std::io::Error::other(refusal.to_string())), (None, next)))
        }
    });
    Body::from_stream(pieces)
}

fn headers_of(upload: &Upload, from: u64, to: u64, size: u64, status: StatusCode) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::try_from(&upload.media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let way = if is_inline(&upload.media_type) { "inline" } else { "attachment" };
    let name = format!("{way}; filename*=UTF-8''{}", escaped(&upload.name));
    if let Ok(value) = HeaderValue::try_from(name) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::try_from(format!("bytes {from}-{}/{size}", to.saturating_sub(1)))
    {
        headers.insert(header::CONTENT_RANGE, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_answered_whole() {
        assert_eq!(range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(range("bytes=5-", 10), Some((5, 10)));
        assert_eq!(range("bytes=-3", 10), Some((7, 10)));
        for bad in ["bytes=9-2", "bytes=a-b", "bytes=10-", "items=0-1", "bytes=-", "bytes=0-1,3-4"] {
            assert_eq!(range(bad, 10), None, "{bad}");
        }
    }
}

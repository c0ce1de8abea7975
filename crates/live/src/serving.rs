//! Stored files as they go out, at every door: in the type that their bytes have, never as anything that could run,
//! whole or in the part that a `Range` asks for.

use std::ops::Range;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use parlor_core::{chat::Chat, error::Refusal, media::is_inline, store::Upload, uploads::Opened};

/// How a door shows a file.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// To be kept, never shown in a page.
    pub download: bool,
    /// What caches may do.
    pub cache: &'static str,
}

/// A file, or the part of it that a `Range` asks for. Bytes that are gone, or a store that is away, are told before the
/// answer begins; what goes wrong later cuts the answer off.
///
/// # Errors
/// `NotFound(Upload)`, `Storage`.
pub async fn serve(
    chat: &Chat,
    upload: &Upload,
    asked: &HeaderMap,
    manner: Manner,
) -> Result<Response, Refusal> {
    let size = u64::try_from(upload.size).unwrap_or_default();
    let tag = format!("\"{}\"", upload.id);
    let text = |name| asked.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    // A part of something else than the caller has is of no use to him.
    let same = text(header::IF_RANGE).is_none_or(|wanted| wanted == tag);
    let part = text(header::RANGE).filter(|_| same).and_then(|text| range(text, size));
    let (part, status) = match part {
        Some(part) => (part, StatusCode::PARTIAL_CONTENT),
        None => (0..size, StatusCode::OK),
    };
    let opened = chat.open_file(upload, part.clone()).await?;
    let mut response = Response::new(body(opened));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    describe(headers, upload, manner);
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    let mut say = |name, text: String| HeaderValue::try_from(text).map(|value| headers.insert(name, value));
    // Ids and numbers are always fit for a header.
    let _ = say(header::ETAG, tag);
    if status == StatusCode::PARTIAL_CONTENT {
        let _ = say(header::CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1));
    }
    Ok(response)
}

/// `bytes=A-B`, `bytes=A-`, `bytes=-N`; anything else is answered whole.
fn range(text: &str, size: u64) -> Option<Range<u64>> {
    let (from, to) = text.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<u64>().ok(), to.parse::<u64>().ok()) {
        (Some(from), Some(to)) => (from, to.checked_add(1)?.min(size)),
        (Some(from), None) if to.is_empty() => (from, size),
        (None, Some(last)) if from.is_empty() => (size.saturating_sub(last), size),
        _ => return None,
    };
    (from < to).then_some(from..to)
}

/// Read as the connection takes it; at most one piece waits in memory.
fn body(opened: Opened) -> Body {
    Body::from_stream(futures_util::stream::unfold(Some(opened), |opened| async move {
        let mut opened = opened?;
        match opened.next().await {
            Ok(Some(piece)) => Some((Ok(piece), Some(opened))),
            Ok(None) => None,
            Err(refusal) => Some((Err(std::io::Error::other(refusal.to_string())), None)),
        }
    }))
}

fn describe(headers: &mut HeaderMap, upload: &Upload, manner: Manner) {
    let kind = HeaderValue::try_from(&upload.media_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(manner.cache));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let way = if !manner.download && is_inline(&upload.media_type) { "inline" } else { "attachment" };
    if let Ok(value) = HeaderValue::try_from(format!("{way}; filename*=UTF-8''{}", escaped(&upload.name))) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

/// A name as the extended value of a header (RFC 8187).
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_answered_whole() {
        assert_eq!(range("bytes=0-3", 10), Some(0..4));
        assert_eq!(range("bytes=5-", 10), Some(5..10));
        assert_eq!(range("bytes=-3", 10), Some(7..10));
        assert_eq!(range("bytes=-30", 10), Some(0..10));
        assert_eq!(range("bytes=0-999999999999", 10), Some(0..10));
        for bad in [
            "bytes=9-2",
            "bytes=a-b",
            "bytes=10-",
            "items=0-1",
            "bytes=-",
            "bytes=0-1,3-4",
            "bytes=18446744073709551615-18446744073709551615",
        ] {
            assert_eq!(range(bad, 10), None, "{bad}");
        }
        assert_eq!(range("bytes=0-", 0), None);
    }

    #[test]
    fn a_name_can_not_end_its_header() {
        assert_eq!(escaped("é\"; x=\r\n.png"), "%C3%A9%22%3B%20x%3D%0D%0A.png");
    }

    #[test]
    fn what_could_run_is_never_inline() {
        assert!(is_inline("image/png"));
        for active in ["image/svg+xml", "text/html", "application/xml", "application/pdf", "text/plain"] {
            assert!(!is_inline(active), "{active}");
        }
    }
}

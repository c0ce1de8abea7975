//! Serving stored files: in the type that their bytes have, never as anything that could run.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use parlor_core::{id::UploadId, media::is_inline, store::Upload};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::{
    call::Call,
    refusal::Refused,
    route::{Outcome, Route, get},
    who::Who,
};

/// Bytes read at once while a file is sent.
const PIECE: u64 = 256 * 1024;
/// What must be escaped in a header's extended value (RFC 8187).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b'\'')
    .add(b'(')
    .add(b')')
    .add(b'*')
    .add(b',')
    .add(b'/')
    .add(b':')
    .add(b';')
    .add(b'<')
    .add(b'=')
    .add(b'>')
    .add(b'?')
    .add(b'@')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'{')
    .add(b'}');

pub(crate) fn routes() -> Vec<Route> {
    vec![
        get("/file-upload/{id}/{name}", Who::Anyone, "/none/none.png", file).answering("Forbidden"),
        get("/ufs/{store}/{id}/{name}", Who::Anyone, "/none/none/none.png", file).answering("Forbidden"),
    ]
}

/// One answer for files that are unknown and files that may not be seen.
fn forbidden() -> Refused {
    Refused::status(StatusCode::FORBIDDEN, "Forbidden")
}

async fn file(call: Call) -> Outcome {
    let id = UploadId::parse(call.path("id")).ok_or_else(forbidden)?;
    let actor = call.file_actor().await?;
    let upload = call.chat().file(actor.as_ref(), &id).await.map_err(|_| forbidden())?;
    let size = u64::try_from(upload.size).unwrap_or_default();
    let asked = call.headers.get(header::RANGE).and_then(|v| v.to_str().ok());
    let (from, to, status) = match asked.and_then(|text| range(text, size)) {
        Some((from, to)) => (from, to, StatusCode::PARTIAL_CONTENT),
        None => (0, size, StatusCode::OK),
    };
    let mut response = Response::new(stream(&call, upload.clone(), from, to));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    set_headers(headers, &upload, call.param("download").is_some());
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to - from));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::try_from(format!("bytes {from}-{}/{size}", to.saturating_sub(1)))
    {
        headers.insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

/// A whole file, to be kept: never shown inline.
pub(crate) fn whole(call: &Call, upload: Upload) -> Response {
    let size = u64::try_from(upload.size).unwrap_or_default();
    let mut response = Response::new(stream(call, upload.clone(), 0, size));
    set_headers(response.headers_mut(), &upload, true);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(size));
    response
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

fn stream(call: &Call, upload: Upload, from: u64, to: u64) -> Body {
    let chat = call.chat().clone();
    let pieces = futures_util::stream::unfold(from, move |at| {
        let (chat, upload) = (chat.clone(), upload.clone());
        async move {
            if at >= to {
                return None;
            }
            let read = chat.read_file(&upload, at, PIECE.min(to - at)).await;
            let next = read.as_ref().map_or(to, |bytes| at + bytes.len() as u64);
            Some((read.map_err(|refusal| std::io::Error::other(refusal.to_string())), next))
        }
    });
    Body::from_stream(pieces)
}

fn set_headers(headers: &mut axum::http::HeaderMap, upload: &Upload, download: bool) {
    let plain = |text: &str| {
        HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
    };
    headers.insert(header::CONTENT_TYPE, plain(&upload.media_type));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000"));
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    let way = if !download && is_inline(&upload.media_type) { "inline" } else { "attachment" };
    let name = utf8_percent_encode(&upload.name, ESCAPED);
    if let Ok(value) = HeaderValue::try_from(format!("{way}; filename*=UTF-8''{name}")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_nonsense_is_answered_whole() {
        assert_eq!(range("bytes=0-3", 10), Some((0, 4)));
        assert_eq!(range("bytes=5-", 10), Some((5, 10)));
        assert_eq!(range("bytes=-3", 10), Some((7, 10)));
        assert_eq!(range("bytes=0-999999999999", 10), Some((0, 10)));
        for bad in [
            "bytes=9-2",
            "bytes=a-b",
            "bytes=10-",
            "items=0-1",
            "bytes=-",
            "bytes=18446744073709551615-18446744073709551615",
        ] {
            assert_eq!(range(bad, 10), None, "{bad}");
        }
    }

    #[test]
    fn what_could_run_is_never_inline() {
        assert!(is_inline("image/png"));
        for active in ["image/svg+xml", "text/html", "application/xml", "application/pdf", "text/plain"] {
            assert!(!is_inline(active), "{active}");
        }
    }
}

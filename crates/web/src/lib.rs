//! Serves the web app that is built from `web/`: embedded in the program, or from a folder.
//!
//! Hashed files are kept by browsers for ever, the page itself is asked for anew by its tag. An address that is no file
//! gets the page when a person opens it (`Accept: text/html`), so that rooms and messages have addresses; a missing file
//! stays missing.

mod encoding;
mod source;

use std::path::PathBuf;

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
};

use self::{
    encoding::Encoding,
    source::{File, Source},
};

/// The page of the app.
const PAGE: &str = "index.html";
/// Names which build this is; made by `npm run build`.
const BUILD: &str = "build.txt";
/// Where files lie whose names change with their contents.
const HASHED: &str = "web/";
/// Addresses below this are the API's, also when nothing answers there.
const API: &str = "api/";
/// Nothing but the app's own files may run, nothing may frame it, and no text may become a script.
const POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob: https: http:; media-src 'self' blob:; connect-src 'self'; font-src 'self'; \
    worker-src 'self'; manifest-src 'self'; frame-src 'none'; object-src 'none'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'self'; require-trusted-types-for 'script'; trusted-types parlor";

/// The web app as files.
#[derive(Clone, Debug)]
pub struct Web {
    source: Source,
}

/// What was asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// GET or HEAD; anything else is not answered.
    pub method: &'a Method,
    /// The path as it was sent, beginning with a slash.
    pub path: &'a str,
    /// `Accept`, `Accept-Encoding` and `If-None-Match` are looked at.
    pub headers: &'a HeaderMap,
}

impl Web {
    /// The embedded app, or the one in `folder`.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { source: folder.map_or(Source::Embedded, Source::Folder) }
    }

    /// The build's name; `None` when there is only the page that says how to build.
    #[must_use]
    pub fn build() -> Option<String> {
        let file = source::embedded(BUILD)?;
        let name = String::from_utf8_lossy(&file.bytes).trim().to_owned();
        (!name.is_empty()).then_some(name)
    }

    /// The answer to a request that no other route takes, or `None` when it is not for the app.
    pub async fn answer(&self, asked: Asked<'_>) -> Option<Response> {
        if asked.method != Method::GET && asked.method != Method::HEAD {
            return None;
        }
        let path = asked.path.strip_prefix('/')?;
        if path.starts_with(API) || path.ends_with(".br") || path.ends_with(".gz") {
            return None;
        }
        let name = if path.is_empty() { PAGE } else { path };
        if let Some(response) = self.file(name, asked).await {
            return Some(response);
        }
        if !opens_a_page(asked.headers) {
            return None;
        }
        self.file(PAGE, asked).await
    }

    /// The file in the best encoding that the browser takes.
    async fn file(&self, name: &str, asked: Asked<'_>) -> Option<Response> {
        for encoding in Encoding::accepted(asked.headers) {
            let stored = format!("{name}{}", encoding.ending());
            if let Some(file) = self.source.read(&stored).await {
                return Some(respond(name, encoding, file, asked));
            }
        }
        None
    }
}

/// Whether a person opens an address, rather than a page asking for a part of itself.
fn opens_a_page(headers: &HeaderMap) -> bool {
    headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).is_some_and(|v| v.contains("text/html"))
}

fn respond(name: &str, encoding: Encoding, file: File, asked: Asked<'_>) -> Response {
    let quoted = format!("\"{}\"", file.tag);
    let theirs = asked.headers.get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let has_it = theirs.is_some_and(|all| {
        all.split(',').any(|tag| tag.trim().trim_start_matches("W/") == quoted || tag.trim() == "*")
    });
    let length = file.bytes.len();
    let empty = has_it || asked.method == Method::HEAD;
    let mut response = Response::new(if empty { Body::empty() } else { Body::from(file.bytes) });
    let headers = response.headers_mut();
    put(headers, header::ETAG, &quoted);
    put(headers, header::VARY, "accept-encoding");
    let keep = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    put(headers, header::CACHE_CONTROL, keep);
    if has_it {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    put(headers, header::CONTENT_TYPE, &media_type(name));
    put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    put(headers, header::REFERRER_POLICY, "same-origin");
    if let Some(word) = encoding.word() {
        put(headers, header::CONTENT_ENCODING, word);
    }
    if name == PAGE {
        put(headers, header::CONTENT_SECURITY_POLICY, POLICY);
        put(headers, HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    }
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

fn media_type(name: &str) -> String {
    if name.ends_with(".webmanifest") {
        return "application/manifest+json".to_owned();
    }
    let guessed = mime_guess::from_path(name).first_or_octet_stream();
    let text = matches!(guessed.type_().as_str(), "text") || guessed.subtype() == "javascript";
    if text { format!("{guessed}; charset=utf-8") } else { guessed.to_string() }
}

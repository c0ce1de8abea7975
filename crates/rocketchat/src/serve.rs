//! Small files outside the API: pictures and sounds with the headers by which browsers keep them.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use parlor_core::clock::Time;

/// Something to serve.
pub(crate) struct Served {
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
    /// Its last change, in whole seconds on the wire.
    pub(crate) changed: Time,
    /// `Cache-Control`.
    pub(crate) cache: String,
    /// Says `Expires: -1`.
    pub(crate) expires: bool,
    /// A tag that changes with the bytes.
    pub(crate) tag: Option<String>,
}

/// 2015-01-01: when what never changes was last changed.
const LONG_AGO: Time = Time(1_420_070_400_000);

impl Served {
    /// What stands for a picture that does not exist.
    pub(crate) fn unknown_picture(svg: String) -> Self {
        Self {
            media_type: "image/svg+xml".into(),
            bytes: svg.into_bytes(),
            changed: LONG_AGO,
            cache: "public, max-age=0".into(),
            expires: true,
            tag: None,
        }
    }

    /// The answer: 304 without a body when the client has it already.
    pub(crate) fn answer(self, asked: &HeaderMap) -> Response {
        let changed = http_date(self.changed);
        let quoted = self.tag.map(|tag| format!("\"{tag}\""));
        let header = |name| asked.get(name).and_then(|v| v.to_str().ok());
        let has_it = match (header(header::IF_NONE_MATCH), &quoted) {
            (Some(theirs), Some(ours)) => theirs.split(',').any(|t| t.trim() == ours || t.trim() == "*"),
            _ => header(header::IF_MODIFIED_SINCE) == Some(changed.as_str()),
        };
        let body = if has_it { Body::empty() } else { Body::from(self.bytes) };
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        put(headers, header::LAST_MODIFIED, &changed);
        if let Some(tag) = &quoted {
            put(headers, header::ETAG, tag);
        }
        put(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        put(headers, HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
        if has_it {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return response;
        }
        put(headers, header::CONTENT_TYPE, &self.media_type);
        put(headers, header::CACHE_CONTROL, &self.cache);
        put(headers, header::CONTENT_DISPOSITION, "inline");
        put(
            headers,
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'",
        );
        if self.expires {
            put(headers, header::EXPIRES, "-1");
        }
        response
    }
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// `Thu, 01 Jan 2015 00:00:00 GMT`.
fn http_date(time: Time) -> String {
    let seconds = time.millis().clamp(0, 253_402_300_799_999) / 1000;
    let stamp = jiff::Timestamp::from_second(seconds).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    stamp.to_zoned(jiff::tz::TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// 403 in plain text.
pub(crate) fn forbidden() -> Response {
    plain(StatusCode::FORBIDDEN, "Forbidden")
}

/// 404 in plain text.
pub(crate) fn not_found() -> Response {
    plain(StatusCode::NOT_FOUND, "Not found")
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    put(response.headers_mut(), header::CONTENT_TYPE, "text/plain");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_has_the_file_gets_no_bytes() {
        let served = || Served {
            media_type: "image/png".into(),
            bytes: vec![1, 2, 3],
            changed: LONG_AGO,
            cache: "public".into(),
            expires: true,
            tag: Some("t".into()),
        };
        let first = served().answer(&HeaderMap::new());
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[header::LAST_MODIFIED], "Thu, 01 Jan 2015 00:00:00 GMT");
        for (name, value) in
            [(header::IF_NONE_MATCH, "\"t\""), (header::IF_MODIFIED_SINCE, "Thu, 01 Jan 2015 00:00:00 GMT")]
        {
            let again = served().answer(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]));
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
            assert!(!again.headers().contains_key(header::CONTENT_TYPE));
            assert!(!again.headers().contains_key(header::EXPIRES));
        }
        let other = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static("\"u\""))]);
        assert_eq!(served().answer(&other).status(), StatusCode::OK);
    }
}

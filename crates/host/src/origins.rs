//! Which pages may call from a browser.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use crate::problem::Problem;

/// The origins that may call. A page of the server's own address always may; clients that are no browsers send no
/// `Origin` and always may.
#[derive(Clone, Debug, Default)]
pub struct Origins {
    own: String,
    listed: Vec<String>,
    any: bool,
}

/// What pages may send and see.
const ALLOW_HEADERS: &str = "authorization, content-type, x-app-key, x-auth-token, x-user-id, x-2fa-code, x-2fa-method, \
                             x-requested-with, last-event-id, range";
const ALLOW_METHODS: &str = "GET, POST, PUT, PATCH, DELETE, OPTIONS";
const EXPOSED: &str = "retry-after, content-disposition, content-range, accept-ranges";

impl Origins {
    /// `own` is the server's base URL; `*` among the listed ones means any.
    pub fn new(own: &str, listed: &[String]) -> Self {
        let clean = |origin: &str| origin.trim().trim_end_matches('/').to_ascii_lowercase();
        Self {
            own: origin_of(own).unwrap_or_default(),
            any: listed.iter().any(|origin| origin.trim() == "*"),
            listed: listed.iter().map(|origin| clean(origin)).filter(|origin| origin != "null").collect(),
        }
    }

    fn is_listed(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        self.listed.contains(&origin)
    }

    fn is_own(&self, origin: &str, host: Option<&str>) -> bool {
        let page = origin.split_once("://").map(|(_, page)| page);
        let by_host = page.zip(host).is_some_and(|(page, host)| page.eq_ignore_ascii_case(host));
        by_host || origin.eq_ignore_ascii_case(&self.own)
    }

    /// Whether a page of this origin may open sockets and streams; `host` is the request's `Host`.
    pub fn allow(&self, origin: &str, host: Option<&str>) -> bool {
        origin != "null" && (self.any || self.is_listed(origin) || self.is_own(origin, host))
    }

    /// Refuses sockets and streams of foreign pages; ask before any token is looked at.
    ///
    /// # Errors
    /// 403 `origin_not_allowed`.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        match origin.to_str() {
            Ok(origin) if self.allow(origin, host) => Ok(()),
            _ => Err(Problem::origin_not_allowed()),
        }
    }

    /// Sets what lets a listed page read an answer.
    pub fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        let Some(origin) = origin else { return };
        let listed = origin.to_str().is_ok_and(|origin| self.is_listed(origin));
        if listed {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            answer.append(header::VARY, HeaderValue::from_static("Origin"));
        } else if self.any {
            answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        } else {
            return;
        }
        answer.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }

    /// The answer to a page that asks before it calls; `None` when this is no such question.
    pub fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response> {
        let asks = headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if method != Method::OPTIONS || !asks {
            return None;
        }
        let mut response = Response::default();
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        self.mark(headers.get(header::ORIGIN), answer);
        if answer.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN) {
            let set = [
                (header::ACCESS_CONTROL_ALLOW_METHODS, ALLOW_METHODS),
                (header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOW_HEADERS),
                (header::ACCESS_CONTROL_MAX_AGE, "600"),
            ];
            answer.extend(set.map(|(name, value): (HeaderName, _)| (name, HeaderValue::from_static(value))));
        }
        Some(response)
    }
}

/// `https://chat.example` of `https://chat.example/path`.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split('/').next()?;
    Some(format!("{scheme}://{host}").to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins(listed: &[&str]) -> Origins {
        let listed: Vec<String> = listed.iter().map(|o| (*o).to_owned()).collect();
        Origins::new("https://chat.example/base", &listed)
    }

    #[test]
    fn own_and_listed_pages_may_and_others_may_not() {
        let some = origins(&["https://app.example/"]);
        assert!(some.allow("https://app.example", None));
        assert!(some.allow("https://chat.example", None));
        assert!(some.allow("http://127.0.0.1:3000", Some("127.0.0.1:3000")));
        for foreign in ["https://evil.example", "null", "https://app.example.evil", "http://app.example"] {
            assert!(!some.allow(foreign, Some("127.0.0.1:3000")), "{foreign}");
        }
        assert!(origins(&["*"]).allow("https://evil.example", None));
        assert!(!origins(&["*", "null"]).allow("null", None));
    }

    #[test]
    fn a_star_never_goes_with_credentials() {
        let page = HeaderValue::from_static("https://any.example");
        let mut answer = HeaderMap::new();
        origins(&["*"]).mark(Some(&page), &mut answer);
        assert_eq!(answer[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!answer.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let mut answer = HeaderMap::new();
        origins(&["https://app.example"]).mark(Some(&page), &mut answer);
        assert!(answer.is_empty());
    }
}

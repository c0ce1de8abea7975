//! Which of the encodings made at build time a browser takes.

use axum::http::{HeaderMap, header};

/// How a file's bytes are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Brotli, the smallest.
    Brotli,
    /// Gzip, for those who don't know it.
    Gzip,
    /// As it is.
    Identity,
}

impl Encoding {
    /// What the browser takes, best first. A refusal by `q=0` is heeded.
    pub(crate) fn accepted(headers: &HeaderMap) -> Vec<Self> {
        let value = headers.get(header::ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let takes = |word: &str| {
            value.split(',').any(|item| {
                let mut parts = item.split(';').map(str::trim);
                let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(word));
                named && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        let mut all = Vec::with_capacity(3);
        all.extend(takes("br").then_some(Self::Brotli));
        all.extend(takes("gzip").then_some(Self::Gzip));
        all.push(Self::Identity);
        all
    }

    /// What the stored file's name ends in.
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Brotli => ".br",
            Self::Gzip => ".gz",
            Self::Identity => "",
        }
    }

    /// `Content-Encoding`.
    pub(crate) fn word(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

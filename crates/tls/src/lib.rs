//! The server's side of TLS: certificates from files, read again when they change, or from an authority that issues them
//! by itself (ACME), renewed before they run out.
//!
//! Handshakes read a [`Shelf`]; whoever has a new certificate puts it there. Without one a handshake is refused, and
//! nothing else of the server waits for it.

mod acme;
mod binding;
mod files;
mod kept;
mod shelf;
mod transport;

pub use self::acme::{Acme, Challenge, Order};
pub use self::binding::Binding;
pub use self::files::{Pair, watch};
pub use self::shelf::{Shelf, server_config};

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read or written.
    #[error("{0}: {1}")]
    File(String, String),
    /// Key and certificate don't go together, or one of them is of no use.
    #[error("{0}")]
    Unusable(String),
    /// The authority refused, or was not reached.
    #[error("{0}")]
    Authority(String),
}

impl From<instant_acme::Error> for Error {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(chain(&error))
    }
}

impl From<rcgen::Error> for Error {
    fn from(error: rcgen::Error) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}

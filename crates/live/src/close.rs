//! Why a connection ends, and how the client is told.

use std::borrow::Cow;

use crate::ws::Violation;

/// A WebSocket close: a status code of RFC 6455 and a short reason for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close {
    /// 1000 to 1015 or 3000 to 4999.
    pub code: u16,
    /// At most 123 bytes are sent; a longer reason is cut at a character.
    pub reason: Cow<'static, str>,
}

impl Close {
    /// A close with this code and reason.
    pub fn new(code: u16, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { code, reason: reason.into() }
    }

    /// 1000: both sides are done.
    pub fn normal() -> Self {
        Self::new(1000, "")
    }

    /// 1012: the server restarts; the client should come back after a random delay.
    pub fn restart() -> Self {
        Self::new(1012, "the server restarts")
    }

    /// 1008: what the client does is against the rules.
    pub fn policy(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(1008, reason)
    }
}

/// Why a connection ended (or is about to).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closed {
    /// Its outbox went over the bound, or the client read nothing for the stall timeout. It should come
    /// back and resume by position.
    TooSlow,
    /// Somebody ended it at once (a revoked session, a deactivated user): what was queued is dropped.
    Kicked(Close),
    /// Somebody ended it gently (shutdown, the door itself): answers in flight and frames queued go first.
    Finished(Close),
    /// It broke the WebSocket protocol.
    Broken(Violation),
    /// Nothing was heard for the ping interval and the ping timeout.
    Silent,
    /// The client closed it, with its close code if it gave one.
    ByPeer(Option<u16>),
    /// The socket failed or ended without a close.
    Gone,
}

impl Closed {
    /// What the client is told; `None` when there is nobody left to tell.
    pub fn close(&self) -> Option<Close> {
        Some(match self {
            Self::TooSlow => Close::new(1013, "too slow; come back and resume"),
            Self::Kicked(close) | Self::Finished(close) => close.clone(),
            Self::Broken(violation) => Close::new(violation.code(), violation.reason()),
            Self::Silent => Close::new(1001, "no answer to ping"),
            // A close frame without a code is answered by one without a code (0 stands for that).
            Self::ByPeer(code) => Close::new(code.unwrap_or(0), ""),
            Self::Gone => return None,
        })
    }

    /// Whether frames queued before are worth nothing now and must not be sent.
    pub(crate) fn drops_queued(&self) -> bool {
        matches!(self, Self::TooSlow | Self::Kicked(_) | Self::ByPeer(_) | Self::Gone)
    }

    /// A short name for logs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TooSlow => "too_slow",
            Self::Kicked(_) => "kicked",
            Self::Finished(_) => "finished",
            Self::Broken(_) => "broken",
            Self::Silent => "silent",
            Self::ByPeer(_) => "by_peer",
            Self::Gone => "gone",
        }
    }
}

//! The handle that the doors hold.

use std::{sync::Arc, time::Duration};

use parlor_core::{chat::Chat, clock::Time};
use parlor_live::Live;
use subtle::ConstantTimeEq;

use crate::{origins::Origins, problem::Problem, time::until};

/// What the doors must know beside the chat.
#[derive(Clone)]
pub struct Options {
    /// Public base URL without a trailing slash.
    pub root_url: String,
    /// The host application's own key; `None` when there is none.
    pub app_key: Option<String>,
    /// Pages that may call.
    pub origins: Origins,
    /// How long tokens of `POST /api/auth/login` live.
    pub token_ttl: Duration,
    /// How long signed file URLs live.
    pub file_url_ttl: Duration,
    /// Signs file URLs; derived from the server's own key.
    pub file_key: [u8; 32],
    /// Media types that the doors take, besides what the workspace's settings say.
    pub upload_types: Vec<String>,
    /// Media is served without a signature.
    pub public_media: bool,
    /// Ticket categories that ACCOUNTS may see, in upper case.
    pub accounts_categories: Vec<String>,
    /// How live connections of the doors behave that have no rule of their own.
    pub connections: parlor_live::Options,
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("root_url", &self.root_url).finish_non_exhaustive()
    }
}

/// What the doors for host applications share. Cheap to clone.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    chat: Arc<Chat>,
    live: Arc<Live>,
    options: Options,
}

impl Host {
    /// The shared part of the doors of this chat.
    pub fn new(chat: Arc<Chat>, live: Arc<Live>, options: Options) -> Self {
        Self(Arc::new(Inner { chat, live, options }))
    }

    /// The chat.
    pub fn chat(&self) -> &Arc<Chat> {
        &self.0.chat
    }

    /// All live connections.
    pub fn live(&self) -> &Arc<Live> {
        &self.0.live
    }

    /// What else there is to know.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// The time.
    pub fn now(&self) -> Time {
        self.0.chat.now()
    }

    /// Whether this is the application's key; takes the same time wherever they differ.
    pub fn is_app_key(&self, given: &str) -> bool {
        let key = self.0.options.app_key.as_deref();
        key.is_some_and(|key| bool::from(key.as_bytes().ct_eq(given.as_bytes())))
    }

    /// Waits for the end of a token, then says so: select on it beside a connection's work. Never ends for tokens
    /// that have no end.
    pub async fn expiry(&self, expires_at: Option<Time>) -> Problem {
        let Some(end) = expires_at else { return std::future::pending().await };
        // Looked at again every minute, so that a clock that is set right is followed.
        loop {
            let left = until(self.now(), end);
            if left.is_zero() {
                return Problem::token_expired();
            }
            tokio::time::sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

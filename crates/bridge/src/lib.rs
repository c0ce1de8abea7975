//! A bridge to a Rocket.Chat that is kept: what is said here is said there, and the other way round, within a second or
//! so, each message once, because both sides know it by the same id. While the other side is offline local chat goes
//! on; what was missed is caught up when it returns, from durable places on both sides.
//!
//! Channels and private rooms are the same when their names are, people when their user names are; what is missing on
//! either side is made. Direct rooms are mirrored to the other side only. Edits, removals and reactions are not
//! mirrored.

mod pull;
mod push;
mod remote;

use std::{sync::Arc, time::Duration};

use parlor_core::{bootstrap::ROCKET_CAT, chat::Chat, fetch::Fetch, id::UserId, session::Actor};

pub use self::remote::Login;
use self::remote::{Remote, Trouble};

/// How often both sides are looked at.
const ROUND: Duration = Duration::from_millis(500);
/// Longest wait while the other side is offline.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A bridge.
pub struct Bridge {
    chat: Arc<Chat>,
    actor: Actor,
    remote: Remote,
    heard: pull::Heard,
}

impl Bridge {
    /// A bridge to the server at `url`, as one of its administrators.
    pub fn new(chat: Arc<Chat>, fetch: Arc<dyn Fetch>, url: &str, login: Login) -> Self {
        let actor = Actor::system(UserId::new(ROCKET_CAT));
        Self { chat, actor, remote: Remote::new(fetch, url, login), heard: pull::Heard::default() }
    }

    /// Mirrors for ever.
    pub async fn run(mut self) {
        let (mut offline, mut wait) = (false, ROUND);
        loop {
            match self.round().await {
                Ok(()) => {
                    if std::mem::take(&mut offline) {
                        tracing::info!("Rocket.Chat is back: what was missed is caught up");
                    }
                    wait = ROUND;
                }
                Err(trouble) => {
                    if !std::mem::replace(&mut offline, true) {
                        tracing::warn!(%trouble, "Rocket.Chat offline: local chat goes on, the bridge waits");
                    }
                    wait = (wait * 2).min(LONGEST_WAIT);
                }
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn round(&mut self) -> Result<(), Trouble> {
        self.push().await?;
        self.pull().await
    }
}

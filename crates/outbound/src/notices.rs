//! Works out from the journal who is told of what while not there.

use std::{sync::Arc, time::Duration};

use parlor_core::chat::Chat;

use crate::queue::{AFTER_TROUBLE, LONGEST_SLEEP};

/// What is gathered before the journal is read again.
const SETTLE: Duration = Duration::from_millis(100);

/// The worker. One a server.
pub struct Notices {
    chat: Arc<Chat>,
}

impl Notices {
    /// A worker that is not running yet.
    pub fn new(chat: Arc<Chat>) -> Self {
        Self { chat }
    }

    /// Works until it is dropped.
    pub async fn run(self) {
        loop {
            let sleep = loop {
                match self.chat.work_out_notices().await {
                    Ok(false) => {}
                    Ok(true) => break LONGEST_SLEEP,
                    Err(refusal) => {
                        tracing::warn!(%refusal, "notifications wait for the store");
                        break AFTER_TROUBLE;
                    }
                }
            };
            if tokio::time::timeout(sleep, self.chat.something_happened()).await.is_ok() {
                tokio::time::sleep(SETTLE).await;
            }
        }
    }
}

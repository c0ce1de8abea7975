//! Following the database: what other nodes committed, at a hint or a moment later without one.

use std::time::{Duration, Instant};

use parlor_core::store::Horizon;

use crate::{Deliver, Shared};

/// How often whoever carries something out looks.
const CHORES: Duration = Duration::from_secs(1);
/// After a hint, so that what is committed together is read together.
const GATHER: Duration = Duration::from_millis(1);
/// After a failure of the store's.
const AFTER_TROUBLE: Duration = Duration::from_millis(500);

pub(crate) async fn follow(shared: &Shared, since: Horizon, deliver: Deliver) {
    let mut horizon = since;
    let mut trouble = false;
    let mut looked = Instant::now();
    loop {
        // What another node put in a line to go out leaves no row in the journal.
        if looked.elapsed() >= CHORES {
            shared.chat.look_again();
            looked = Instant::now();
        }
        match shared.chat.elsewhere(&horizon).await {
            Ok(news) => {
                if std::mem::take(&mut trouble) {
                    tracing::info!("what other nodes commit is heard again");
                }
                horizon = news.horizon;
                if !news.facts.is_empty() {
                    deliver(news.facts).await;
                }
                if news.more {
                    continue;
                }
                wait(shared).await;
            }
            Err(refusal) => {
                if !std::mem::replace(&mut trouble, true) {
                    tracing::warn!(%refusal, "what other nodes commit is heard later");
                }
                tokio::time::sleep(AFTER_TROUBLE).await;
            }
        }
    }
}

async fn wait(shared: &Shared) {
    // A hint may be lost although Redis is there.
    if tokio::time::timeout(shared.look, shared.news.notified()).await.is_ok() {
        tokio::time::sleep(GATHER).await;
    }
}

//! Following the database: what other nodes committed, at a hint or once a second.

use std::time::{Duration, Instant};

use parlor_core::store::Horizon;

use crate::{Deliver, Shared};

/// How often it is looked without a hint.
const LOOK: Duration = Duration::from_secs(1);
/// The same while Redis is away.
const LOOK_ALONE: Duration = Duration::from_millis(250);
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
        if looked.elapsed() >= LOOK {
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
    let look = if *shared.heard.borrow() { LOOK } else { LOOK_ALONE };
    if tokio::time::timeout(look, shared.news.notified()).await.is_ok() {
        tokio::time::sleep(GATHER).await;
    }
}

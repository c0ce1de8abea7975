//! Several processes on one database: what each follows, and what only one of them does.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use parlor_core::{chat::Chat, clock::Random, error::Refusal, event::Fact, store::Horizon};
use parlor_relay::{Deliver, Delivered, Meeting, Nodes};
use parlor_store::{Lead, Turn};
use tokio::{sync::watch, task::JoinHandle};

use crate::{chores, config::Config, telling::Telling};

/// How long a node that stops may take to say so.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a node brings along when it joins the others.
pub(crate) struct Joining {
    /// Up to where its caches know what was committed.
    pub(crate) since: Horizon,
    /// Derived from its secret key: all must have the same.
    pub(crate) mark: String,
    /// The way to its publisher.
    pub(crate) telling: Telling,
}

/// A node among others.
pub(crate) struct Joined {
    meeting: Meeting,
    node: u64,
    following: JoinHandle<()>,
    lead: Lead,
}

/// Waits until no other process is making what every workspace has; the turn lasts until it is dropped.
pub(crate) async fn turn(config: &Config) -> Result<Option<Turn>> {
    let (Some(url), true) = (config.database.clone(), config.redis.is_some()) else { return Ok(None) };
    let taken = tokio::task::spawn_blocking(move || Turn::take(&url)).await?;
    Ok(Some(taken.context("waiting for the other nodes")?))
}

/// Takes in what other nodes committed since the caches were filled, before anything is decided by them.
pub(crate) async fn catch_up(joining: &mut Joining, chat: &Chat) -> Result<()> {
    loop {
        let news = chat.elsewhere(&joining.since).await.context("can't read the journal")?;
        chat.committed_elsewhere(&news.facts);
        joining.since = news.horizon;
        if !news.more {
            return Ok(());
        }
    }
}

/// Joins the others: follows them, tells them, and strives to lead.
pub(crate) async fn join(config: &Config, joining: Joining, chat: &Arc<Chat>) -> Result<Option<Joined>> {
    let (Some(redis), Some(database)) = (&config.redis, &config.database) else { return Ok(None) };
    let same = chat.shares_key(&joining.mark).await.map_err(|refusal: Refusal| {
        anyhow::anyhow!("can't compare this node's secret key with that of the others: {refusal}")
    })?;
    ensure!(
        same,
        "this node's secret key is not that of the others: give all of them the same PARLOR_SECRET_KEY, or one data directory"
    );
    let workspace = chat.settings().text("uniqueID").to_owned();
    let meeting = Meeting { url: redis.url.clone(), workspace, silence: redis.silence, look: redis.look };
    let mut number = [0; 8];
    parlor_core::clock::System::new().fill(&mut number);
    let node = u64::from_le_bytes(number);
    let nodes = Nodes::new(&meeting, node)?;
    let following = tokio::spawn(nodes.run(chat.clone(), joining.since, deliver(chat, joining.telling)));
    let lead = Lead::strive(database)?;
    Ok(Some(Joined { meeting, node, following, lead }))
}

/// The way of what others committed: caches first, then the publisher, as for what is committed here.
fn deliver(chat: &Arc<Chat>, telling: Telling) -> Deliver {
    let chat = chat.clone();
    Arc::new(move |facts: Vec<Fact>| -> Delivered {
        let (chat, telling) = (chat.clone(), telling.clone());
        Box::pin(async move {
            chat.committed_elsewhere(&facts);
            chat.bring_to_hand(&facts).await;
            // The publisher's queue may be full for a moment.
            let handing = tokio::task::spawn_blocking(move || telling.send(facts));
            // It fails only when the process ends.
            let _ = handing.await;
        })
    })
}

impl Joined {
    /// Whether this node leads, and every change of that.
    pub(crate) fn lead(&self) -> watch::Receiver<bool> {
        self.lead.held()
    }

    /// Leaves the others.
    pub(crate) async fn leave(self) {
        self.following.abort();
        let _ = tokio::time::timeout(FAREWELL, Nodes::farewell(&self.meeting, self.node)).await;
        // Frees the lead for another.
        let _ = tokio::task::spawn_blocking(move || drop(self.lead)).await;
    }
}

/// A chore that one process does for all: always, where there are no others; else while this node leads. A mistake in
/// it begins it anew, here or wherever the lead is by then.
pub(crate) fn once<F>(
    name: &'static str,
    lead: Option<watch::Receiver<bool>>,
    begin: impl Fn() -> F + Send + Sync + 'static,
) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(lead) = lead else { return chores::keep(name, begin) };
    let begin = Arc::new(begin);
    chores::keep(name, move || {
        let (mut lead, begin) = (lead.clone(), begin.clone());
        async move {
            while lead.wait_for(|leads| *leads).await.is_ok() {
                let running = begin();
                tokio::select! {
                    () = running => return,
                    _ = lead.wait_for(|leads| !*leads) => {}
                }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_chore_of_one_node_runs_while_that_leads_and_begins_anew_after_a_mistake() {
        let (says, lead) = watch::channel(false);
        let (begun, mut begins) = tokio::sync::mpsc::unbounded_channel();
        let (alive, counted) = (Arc::new(()), Arc::new(AtomicU32::new(0)));
        let held = alive.clone();
        let chore = once("test", Some(lead), move || {
            let (begun, held, time) = (begun.clone(), held.clone(), counted.fetch_add(1, SeqCst));
            async move {
                begun.send(time).expect("it is waited for");
                assert!(time != 1, "the second time fails");
                std::future::pending::<()>().await;
                drop(held);
            }
        });
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert!(begins.try_recv().is_err(), "another node leads");
        says.send(true).expect("it listens");
        assert_eq!(begins.recv().await, Some(0));
        says.send(false).expect("it listens");
        while Arc::strong_count(&alive) > 2 {
            tokio::task::yield_now().await;
        }
        says.send(true).expect("it listens");
        assert_eq!((begins.recv().await, begins.recv().await), (Some(1), Some(2)));
        drop(chore);
    }
}

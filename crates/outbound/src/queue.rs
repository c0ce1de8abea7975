//! What all that goes out has in common: a line in the store that survives a kill, taken in order of what is due, a few
//! at a time, until somebody took it or the attempts are used up.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use parlor_core::{
    chat::Chat,
    error::Result,
    store::{Delivery, DeliveryState, Way},
};

/// Taken from the store at a time.
const BATCH: u64 = 64;
/// What is gathered before the line is looked at again.
const SETTLE: Duration = Duration::from_millis(100);
/// How long nothing is looked for when nothing is due.
pub(crate) const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long after a failure of the store's.
pub(crate) const AFTER_TROUBLE: Duration = Duration::from_secs(5);

/// Steps for ever: a step says how long there is nothing more to do; something new wakes it early.
pub(crate) async fn run<R: Future<Output = Result<Duration>>>(
    chat: &Chat,
    way: Way,
    mut step: impl FnMut() -> R,
) {
    loop {
        let sleep = match step().await {
            Ok(sleep) => sleep,
            Err(refusal) => {
                tracing::warn!(%refusal, ?way, "what goes out waits for the store");
                AFTER_TROUBLE
            }
        };
        // What comes at the same time is gathered.
        if tokio::time::timeout(sleep, chat.something_to_deliver(way)).await.is_ok() {
            tokio::time::sleep(SETTLE).await;
        }
    }
}

/// Tries all that is due; how long there is nothing more to do.
pub(crate) async fn drain<R: Future<Output = Result<()>>>(
    chat: &Chat,
    way: Way,
    at_once: usize,
    attempt: impl Fn(Delivery) -> R,
) -> Result<Duration> {
    loop {
        let (due, next) = chat.due_deliveries(way, BATCH).await?;
        if due.is_empty() {
            let now = chat.now();
            let wait = next.map_or(LONGEST_SLEEP, |next| {
                Duration::from_millis(u64::try_from(next.millis() - now.millis()).unwrap_or_default())
            });
            return Ok(wait.clamp(SETTLE, LONGEST_SLEEP));
        }
        let tried = stream::iter(due).map(&attempt).buffer_unordered(at_once);
        for ended in tried.collect::<Vec<_>>().await {
            ended?;
        }
    }
}

/// Writes down an attempt that failed: another one after a while that grows four times each, or the end.
pub(crate) fn failed(
    chat: &Chat,
    delivery: &mut Delivery,
    problem: String,
    for_good: bool,
    first_wait: Duration,
    most: u32,
) {
    delivery.problem = problem;
    if for_good || delivery.attempts >= most {
        delivery.state = DeliveryState::Failed;
    } else {
        let times = 4_u32.saturating_pow(delivery.attempts.saturating_sub(1));
        delivery.due_at = chat.now().after(first_wait.saturating_mul(times));
    }
}

//! Bounded waits.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long anything in a test may take before it counts as never.
///
/// Far above what a healthy server needs, so that a busy machine fails no test.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Between two looks at something that can only be asked, not awaited.
const PAUSE: Duration = Duration::from_millis(10);

/// Awaits a future for at most [`PATIENCE`].
///
/// # Panics
/// When it takes longer; `what` says what was awaited.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}

/// Asks again and again until the answer is there, for at most [`PATIENCE`].
///
/// # Panics
/// When no answer comes; `what` says what was awaited.
pub async fn until<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(value) = ask().await {
            return value;
        }
        assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

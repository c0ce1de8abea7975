//! What the server does by itself, over and over: begun anew when a mistake in it ended it.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::{JoinError, JoinHandle, JoinSet},
    time::Instant,
};

/// The wait before a chore that failed begins anew; twice as long with each failure …
const FIRST: Duration = Duration::from_secs(1);
/// … up to this. A chore that went well for as long begins with [`FIRST`] again.
const LONGEST: Duration = Duration::from_secs(60);

/// Does a chore until it is done or the handle is aborted. When it panics that is logged, and it begins anew: what it
/// had in memory is gone, what it keeps in the store goes on where it was.
pub fn keep<F>(name: &'static str, begin: impl Fn() -> F + Send + Sync + 'static) -> JoinHandle<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let begin = Arc::new(begin);
    tokio::spawn(async move {
        let mut pause = FIRST;
        loop {
            let (since, begin) = (Instant::now(), begin.clone());
            // Dropped with this task, it takes the chore along.
            let mut running = JoinSet::new();
            running.spawn(async move { begin().await });
            let Some(Err(error)) = running.join_next().await else { return };
            if since.elapsed() >= LONGEST {
                pause = FIRST;
            }
            tracing::error!(chore = name, why = said(error), wait = ?pause, "a chore failed; it begins anew");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    })
}

/// What a panic said.
fn said(error: JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
            (Some(text), _) => (*text).to_owned(),
            (_, Some(text)) => text.clone(),
            _ => "it panicked".to_owned(),
        },
        Err(error) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_chore_that_panics_begins_anew_a_little_later_each_time() {
        let begun = Arc::new(AtomicU32::new(0));
        let counted = begun.clone();
        let since = Instant::now();
        let chore = keep("test", move || {
            let begun = counted.clone();
            async move {
                let times = begun.fetch_add(1, Ordering::SeqCst) + 1;
                assert!(times > 3, "not yet");
            }
        });
        chore.await.expect("the third failure was the last");
        assert_eq!(begun.load(Ordering::SeqCst), 4);
        assert_eq!(since.elapsed().as_secs(), 1 + 2 + 4);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_has_a_bound_and_is_short_again_after_a_good_while() {
        let begun = Arc::new(AtomicU32::new(0));
        let count = begun.clone();
        let since = Instant::now();
        let chore = keep("test", move || {
            let begun = count.clone();
            async move {
                match begun.fetch_add(1, Ordering::SeqCst) {
                    8 => tokio::time::sleep(LONGEST).await,
                    9 => return,
                    _ => {}
                }
                panic!("again");
            }
        });
        chore.await.expect("it ends well");
        // Seven waits that double, an eighth at the bound, the good while, and a short wait.
        assert_eq!(since.elapsed().as_secs(), 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 + 60 + 1);
        assert_eq!(begun.load(Ordering::SeqCst), 10);
    }

    #[tokio::test]
    async fn an_aborted_chore_is_over() {
        let alive = Arc::new(());
        let held = alive.clone();
        let (tell, told) = tokio::sync::oneshot::channel();
        let tell = Arc::new(std::sync::Mutex::new(Some(tell)));
        let chore = keep("test", move || {
            let (held, tell) = (held.clone(), tell.clone());
            async move {
                let tell = tell.lock().expect("nobody panics here").take();
                if let Some(tell) = tell {
                    tell.send(()).expect("it is waited for");
                }
                std::future::pending::<()>().await;
                drop(held);
            }
        });
        told.await.expect("it runs");
        chore.abort();
        assert!(chore.await.is_err());
        while Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
    }
}

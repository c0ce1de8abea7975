//! Password hashing off the async threads, and only so much of it.
//!
//! A hash takes 19 MiB and tens of milliseconds of a core. Two run at once, [`WAITING`] may wait; whoever comes
//! after that is told to come back. So a flood of logins can take neither the memory nor the cores.

use crate::password::{self, Reduced};
use parlor_core::credentials::Verdict;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Hashes that run at the same time.
pub const RUNNING: usize = 2;
/// Hashes that may wait for their turn; about one second of work.
pub const WAITING: usize = 64;

/// Too many logins are being checked; try again in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many logins at the moment, try again shortly")]
pub struct Busy;

/// The bounded pool for password work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PasswordPool {
    /// One permit for each hash that runs or waits.
    places: Arc<Semaphore>,
    /// One permit for each hash that runs.
    running: Arc<Semaphore>,
}

impl Default for PasswordPool {
    fn default() -> Self {
        Self::with_limits(RUNNING, WAITING)
    }
}

impl PasswordPool {
    /// A pool of another size.
    pub fn with_limits(running: usize, waiting: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(running.saturating_add(waiting).min(Semaphore::MAX_PERMITS))),
            running: Arc::new(Semaphore::new(running)),
        }
    }

    /// [`password::hash`] on the pool.
    ///
    /// # Errors
    /// [`Busy`] when as many wait as may.
    pub async fn hash(&self, password: Reduced, salt: [u8; 16]) -> Result<String, Busy> {
        self.run(move || password::hash(&password, salt)).await
    }

    /// [`password::verify`] on the pool. `stored` is `None` for an unknown user or one without a password, and
    /// then costs the same.
    ///
    /// # Errors
    /// [`Busy`] when as many wait as may; nothing was checked then.
    pub async fn verify(&self, password: Reduced, stored: Option<String>) -> Result<Verdict, Busy> {
        self.run(move || password::verify(&password, stored.as_deref())).await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Busy> {
        let permits = self.enter().await?;
        // The permits go along: work that was started keeps its place even if the asker has gone.
        let task = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permits);
            done
        });
        task.await.map_err(|_| Busy)
    }

    async fn enter(&self) -> Result<(OwnedSemaphorePermit, OwnedSemaphorePermit), Busy> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Busy)?;
        let turn = Arc::clone(&self.running).acquire_owned().await.map_err(|_| Busy)?;
        Ok((place, turn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_hash_made_on_the_pool_verifies_on_the_pool() {
        let pool = PasswordPool::default();
        let stored = pool.hash(Reduced::plain("correct horse").unwrap(), [1; 16]).await.unwrap();
        let verdict =
            pool.verify(Reduced::plain("correct horse").unwrap(), Some(stored.clone())).await.unwrap();
        assert_eq!(verdict, Verdict::Right { rehash: false });
        let verdict = pool.verify(Reduced::plain("wrong").unwrap(), Some(stored)).await.unwrap();
        assert_eq!(verdict, Verdict::Wrong);
        assert_eq!(pool.verify(Reduced::plain("x").unwrap(), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn over_the_queue_the_answer_is_busy_and_the_place_comes_back() {
        let pool = PasswordPool::with_limits(1, 1);
        let (release, held) = mpsc::channel::<()>();
        let running = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(move || held.recv().is_ok()).await }
        });
        while pool.running.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|| 2).await }
        });
        while pool.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(pool.run(|| 3).await, Err(Busy));
        release.send(()).unwrap();
        assert_eq!(running.await.unwrap(), Ok(true));
        assert_eq!(waiting.await.unwrap(), Ok(2));
        assert_eq!(pool.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn a_waiter_that_gives_up_frees_its_place() {
        let pool = PasswordPool::with_limits(1, 1);
        let held = pool.enter().await.unwrap();
        let waiter = tokio::spawn({
            let pool = pool.clone();
            async move { pool.run(|| ()).await }
        });
        while pool.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        waiter.abort();
        assert!(waiter.await.unwrap_err().is_cancelled());
        assert_eq!(pool.places.available_permits(), 1);
        drop(held);
        assert_eq!(pool.run(|| 5).await, Ok(5));
    }
}

//! What the committing thread leaves for a driver of its own: a queue with a bound, which never makes a commit wait.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// A queue for one driver. When `most` wait the oldest is let go, and counted.
pub(crate) struct Backlog<T> {
    queue: Mutex<VecDeque<T>>,
    most: usize,
    more: Notify,
    dropped: AtomicU64,
}

impl<T> Backlog<T> {
    /// An empty one, for at most so many.
    pub(crate) fn new(most: usize) -> Self {
        Self { queue: Mutex::default(), most, more: Notify::new(), dropped: AtomicU64::new(0) }
    }

    /// Adds at the end; quick.
    pub(crate) fn push(&self, one: T) {
        let mut queue = self.queue.lock();
        if queue.len() >= self.most {
            queue.pop_front();
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        queue.push_back(one);
        drop(queue);
        self.more.notify_one();
    }

    /// Takes the first; waits for one.
    pub(crate) async fn next(&self) -> T {
        loop {
            let more = self.more.notified();
            if let Some(one) = self.queue.lock().pop_front() {
                return one;
            }
            more.await;
        }
    }

    /// How many were let go since the start.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::Backlog;

    #[tokio::test]
    async fn the_oldest_is_let_go_and_counted() {
        let backlog = Backlog::new(2);
        (1..=3).for_each(|n| backlog.push(n));
        assert_eq!(backlog.dropped(), 1);
        assert_eq!((backlog.next().await, backlog.next().await), (2, 3));
    }
}

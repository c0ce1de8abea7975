//! Waking connections together: several frames for the same connections then leave in one system call each.

use std::cell::RefCell;
use std::task::Waker;
use std::time::{Duration, Instant};

/// How long a connection may have to wait for what is already in its outbox.
const LONGEST: Duration = Duration::from_millis(2);

struct Held {
    /// At most one of each connection: it asks again only after it was woken.
    wakers: Vec<Waker>,
    since: Instant,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs work that pushes to many outboxes, several times to each perhaps, and wakes their connections at its end; in
/// long work every 2 ms.
pub fn gather<R>(work: impl FnOnce() -> R) -> R {
    /// Wakes also when the work panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            let held = HELD.take();
            held.into_iter().flat_map(|held| held.wakers).for_each(Waker::wake);
        }
    }
    HELD.set(Some(Held { wakers: Vec::new(), since: Instant::now() }));
    let _end = End;
    work()
}

/// Wakes a connection, now or together with others.
pub(super) fn wake(waker: Waker) {
    let due = HELD.with_borrow_mut(|held| {
        let Some(held) = held else { return vec![waker] };
        held.wakers.push(waker);
        // A look at the clock for each would cost more than it brings.
        if !held.wakers.len().is_multiple_of(64) || held.since.elapsed() < LONGEST {
            return Vec::new();
        }
        held.since = Instant::now();
        std::mem::take(&mut held.wakers)
    });
    due.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counter(AtomicUsize);

    impl Wake for Counter {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    #[test]
    fn connections_are_woken_at_the_end_of_the_work_and_otherwise_at_once() {
        let counter = Arc::new(Counter::default());
        wake(counter.clone().into());
        assert_eq!(counter.0.load(Relaxed), 1);
        gather(|| {
            (0..10).for_each(|_| wake(counter.clone().into()));
            assert_eq!(counter.0.load(Relaxed), 1);
        });
        assert_eq!(counter.0.load(Relaxed), 11);
    }

    #[test]
    fn work_that_panics_leaves_nobody_asleep() {
        let counter = Arc::new(Counter::default());
        let woken = counter.clone();
        let work = move || gather(|| wake(woken.into()));
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gather(|| {
                work();
                panic!("on purpose");
            })
        }));
        assert!(panics.is_err());
        assert_eq!(counter.0.load(Relaxed), 1);
        wake(counter.clone().into());
        assert_eq!(counter.0.load(Relaxed), 2);
    }
}

//! Seeing to connections together: several frames for the same connections then leave in one system call each.

use std::cell::RefCell;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::Outbox;
use super::queue::Entry;

/// How long a connection may have to wait for what is already in its outbox.
const LONGEST: Duration = Duration::from_millis(2);

/// So many outboxes are written by one task; fewer are written at once.
const PORTION: usize = 32;

/// What an outbox with news wants.
pub(super) enum Due {
    /// Its drainer is to be woken. At most one of each connection: it asks again only after it was woken.
    Wake(Waker),
    /// It is to be written.
    Write(Arc<Outbox>),
}

#[derive(Default)]
struct List {
    wakers: Vec<Waker>,
    outboxes: Vec<Arc<Outbox>>,
}

impl List {
    fn len(&self) -> usize {
        self.wakers.len() + self.outboxes.len()
    }

    fn add(&mut self, due: Due) {
        match due {
            Due::Wake(waker) => self.wakers.push(waker),
            Due::Write(outbox) => self.outboxes.push(outbox),
        }
    }

    /// Wakes, and writes: by all threads of the runtime when there are many outboxes and more than one thread.
    fn see_to(self) {
        self.wakers.into_iter().for_each(Waker::wake);
        let shared = || Handle::try_current().ok().filter(|runtime| runtime.metrics().num_workers() > 1);
        let runtime = if self.outboxes.len() > PORTION { shared() } else { None };
        let Some(runtime) = runtime else { return write_all(self.outboxes) };
        let mut outboxes = self.outboxes.into_iter();
        loop {
            let portion: Vec<_> = outboxes.by_ref().take(PORTION).collect();
            if portion.is_empty() {
                return;
            }
            runtime.spawn(async { write_all(portion) });
        }
    }
}

fn write_all(outboxes: Vec<Arc<Outbox>>) {
    let mut batch: Vec<Entry> = Vec::new();
    outboxes.into_iter().for_each(|outbox| outbox.write_straight(&mut batch));
}

#[derive(Default)]
struct Held {
    /// Outboxes are written rather than their drainers woken.
    straight: bool,
    list: List,
    /// When the first on the list came to it.
    since: Option<Instant>,
    now: Option<Instant>,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs work that pushes to many outboxes, several times to each perhaps, and wakes their connections at its end; in
/// long work every 2 ms. Until a connection comes to its turn more may have come for it, which leaves with the rest.
pub fn gather<R>(work: impl FnOnce() -> R) -> R {
    hold(false, work)
}

/// Runs work that has one thing to tell to many: the sockets of connections at rest are written at its end, without
/// waking them. Within a runtime many are shared among its threads.
pub fn tell<R>(work: impl FnOnce() -> R) -> R {
    hold(true, work)
}

fn hold<R>(straight: bool, work: impl FnOnce() -> R) -> R {
    /// Also when the work panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            if let Some(held) = HELD.take() {
                held.list.see_to();
            }
        }
    }
    if HELD.with_borrow(Option::is_some) {
        return work();
    }
    HELD.set(Some(Held { straight, ..Held::default() }));
    let _end = End;
    work()
}

/// Whether what this thread pushes is to be written straight.
pub(super) fn is_straight() -> bool {
    HELD.with_borrow(|held| held.as_ref().is_some_and(|held| held.straight))
}

/// The time, to the fraction of a millisecond that 64 pushes take.
pub(super) fn now() -> Instant {
    HELD.with_borrow_mut(|held| held.as_mut().map(|held| *held.now.get_or_insert_with(Instant::now)))
        .unwrap_or_else(Instant::now)
}

/// Sees to an outbox, now or together with others.
pub(super) fn add(due: Due) {
    let list = HELD.with_borrow_mut(|held| {
        let Some(held) = held else {
            let mut list = List::default();
            list.add(due);
            return list;
        };
        let since = *held.since.get_or_insert_with(Instant::now);
        held.list.add(due);
        // A look at the clock for each would cost more than it brings.
        if !held.list.len().is_multiple_of(64) {
            return List::default();
        }
        let now = Instant::now();
        held.now = Some(now);
        if now - since < LONGEST {
            return List::default();
        }
        held.since = None;
        std::mem::take(&mut held.list)
    });
    list.see_to();
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
        add(Due::Wake(counter.clone().into()));
        assert_eq!(counter.0.load(Relaxed), 1);
        gather(|| {
            (0..10).for_each(|_| add(Due::Wake(counter.clone().into())));
            assert_eq!(counter.0.load(Relaxed), 1);
        });
        assert_eq!(counter.0.load(Relaxed), 11);
    }

    #[test]
    fn work_that_panics_leaves_nobody_asleep() {
        let counter = Arc::new(Counter::default());
        let woken = counter.clone();
        let work = move || gather(|| add(Due::Wake(woken.into())));
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gather(|| {
                work();
                panic!("on purpose");
            })
        }));
        assert!(panics.is_err());
        assert_eq!(counter.0.load(Relaxed), 1);
        add(Due::Wake(counter.clone().into()));
        assert_eq!(counter.0.load(Relaxed), 2);
    }
}

//! Seeing to connections together: several frames for the same connections then leave in one system call each. Or at
//! once, where there is only one.

use std::cell::RefCell;
use std::num::NonZero;
use std::sync::{Arc, LazyLock};
use std::task::Waker;
use std::thread::{available_parallelism, yield_now};
use std::time::{Duration, Instant};

/// How long a connection may have to wait for what is already in its outbox.
const LONGEST: Duration = Duration::from_millis(2);

/// How long sockets are written by whoever pushes: the more processors there are to run them, the sooner the tasks of the
/// rest are woken instead. 10 ms with one processor, about 1,500 sockets.
static AT_ONCE: LazyLock<Duration> = LazyLock::new(|| {
    let processors = available_parallelism().map_or(1, NonZero::get);
    Duration::from_millis(10) / u32::try_from(processors).unwrap_or(u32::MAX)
});

/// Sockets written before others get the processor: with one alone, they would wait until the kernel takes it away.
const BREATH: usize = 32;

#[derive(Default)]
struct Held {
    /// At most one of each connection: it asks again only after it was woken.
    wakers: Vec<Waker>,
    /// When the first on the list came to it.
    since: Option<Instant>,
    now: Option<Instant>,
    at_once: Option<AtOnce>,
}

/// Whether nothing else is about to be told. Asked before each socket; must be quick and push nothing.
pub type Alone = Arc<dyn Fn() -> bool + Send + Sync>;

/// Sockets of connections at rest are written by whoever pushes.
struct AtOnce {
    alone: Alone,
    until: Instant,
    written: usize,
}

thread_local! {
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

/// Runs work that pushes to many outboxes, several times to each perhaps, and wakes their connections at its end; in
/// long work every 2 ms. Until a connection comes to its turn more may have come for it, which leaves with the rest.
pub fn gather<R>(work: impl FnOnce() -> R) -> R {
    /// Also when the work panics.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            if let Some(held) = HELD.take() {
                held.wakers.into_iter().for_each(Waker::wake);
            }
        }
    }
    if HELD.with_borrow(Option::is_some) {
        return work();
    }
    HELD.set(Some(Held::default()));
    let _end = End;
    work()
}

/// Like [`gather`], but the sockets of connections at rest are written at once, which spares waking their tasks: as long as
/// this is all there is to tell, and for at most 10 ms, less with more processors.
pub fn tell<R>(alone: &Alone, work: impl FnOnce() -> R) -> R {
    gather(|| {
        HELD.with_borrow_mut(|held| {
            if let Some(held) = held {
                let until = Instant::now() + *AT_ONCE;
                held.at_once = Some(AtOnce { alone: alone.clone(), until, written: 0 });
            }
        });
        work()
    })
}

/// Whether a socket may be written at once.
pub(super) fn is_at_once() -> bool {
    HELD.with_borrow(|held| {
        held.as_ref().and_then(|held| held.at_once.as_ref()).is_some_and(|at_once| (at_once.alone)())
    })
}

/// A socket was written at once.
pub(super) fn breathe() {
    let pause = HELD.with_borrow_mut(|held| {
        let Some(held) = held else { return false };
        let Some(at_once) = &mut held.at_once else { return false };
        at_once.written += 1;
        if !at_once.written.is_multiple_of(BREATH) {
            return false;
        }
        let now = Instant::now();
        held.now = Some(now);
        if now > at_once.until {
            held.at_once = None;
        }
        true
    });
    if pause {
        yield_now();
    }
}

/// The time, to the fraction of a millisecond that some pushes take.
pub(super) fn now() -> Instant {
    HELD.with_borrow_mut(|held| held.as_mut().map(|held| *held.now.get_or_insert_with(Instant::now)))
        .unwrap_or_else(Instant::now)
}

/// Wakes a drainer, now or together with others.
pub(super) fn add(waker: Waker) {
    let due = HELD.with_borrow_mut(|held| {
        let Some(held) = held else { return vec![waker] };
        let since = *held.since.get_or_insert_with(Instant::now);
        held.wakers.push(waker);
        // A look at the clock for each would cost more than it brings.
        if !held.wakers.len().is_multiple_of(64) {
            return Vec::new();
        }
        let now = Instant::now();
        held.now = Some(now);
        if now - since < LONGEST {
            return Vec::new();
        }
        held.since = None;
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
        add(counter.clone().into());
        assert_eq!(counter.0.load(Relaxed), 1);
        gather(|| {
            (0..10).for_each(|_| add(counter.clone().into()));
            assert_eq!(counter.0.load(Relaxed), 1);
        });
        assert_eq!(counter.0.load(Relaxed), 11);
    }

    #[test]
    fn work_that_panics_leaves_nobody_asleep() {
        let counter = Arc::new(Counter::default());
        let woken = counter.clone();
        let work = move || gather(|| add(woken.into()));
        let panics = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            gather(|| {
                work();
                panic!("on purpose");
            })
        }));
        assert!(panics.is_err());
        assert_eq!(counter.0.load(Relaxed), 1);
        add(counter.clone().into());
        assert_eq!(counter.0.load(Relaxed), 2);
    }
}

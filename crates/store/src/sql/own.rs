//! What this process commits itself, where others have the same database open: they are told of it by the journal, and
//! it must not tell itself again. A transaction is entered before its commit, so that it is never seen first.

use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The numbers of this process's own transactions, as long as they may still be met in the journal.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// Others have the database open.
    several: AtomicBool,
    numbers: Mutex<BTreeSet<i64>>,
}

impl Own {
    /// Says that others have the database open.
    pub(crate) fn begin(&self) {
        self.several.store(true, Relaxed);
    }

    /// Whether others have the database open.
    pub(crate) fn is_one_of_several(&self) -> bool {
        self.several.load(Relaxed)
    }

    /// A transaction is about to write.
    pub(crate) fn enter(&self, number: i64) {
        if self.is_one_of_several() {
            self.numbers.lock().insert(number);
        }
    }

    /// It was not committed, or nobody knows: then it is told like another's, if it turns up.
    pub(crate) fn leave(&self, number: i64) {
        if self.is_one_of_several() {
            self.numbers.lock().remove(&number);
        }
    }

    /// Whether it is one's own.
    pub(crate) fn has(&self, number: i64) -> bool {
        self.numbers.lock().contains(&number)
    }

    /// Nothing below this number will be met any more.
    pub(crate) fn forget_below(&self, number: i64) {
        let mut numbers = self.numbers.lock();
        if numbers.first().is_some_and(|first| *first < number) {
            *numbers = numbers.split_off(&number);
        }
    }
}

//! Ways to break the hub on purpose: a checker that never saw a broken hub proves nothing. Only for tests.

use std::sync::atomic::{AtomicU8, Ordering};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Nothing.
    None,
    /// Positions are handed out as they come, holes or not.
    IgnoreHoles,
    /// Nobody is judged again when access changes.
    SkipJudgement,
    /// What was read from the store to fill a hole is thrown away.
    EmptyRepairs,
}

static BROKEN: AtomicU8 = AtomicU8::new(0);

/// Breaks every hub of the process in this way.
pub fn set(fault: Fault) {
    BROKEN.store(fault as u8, Ordering::SeqCst);
}

pub(super) fn on(fault: Fault) -> bool {
    BROKEN.load(Ordering::Relaxed) == fault as u8
}

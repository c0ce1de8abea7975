//! Ways to break the hub on purpose: a checker that never saw a broken hub proves nothing. Only for tests.

use std::cell::Cell;

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

thread_local! {
    static BROKEN: Cell<Fault> = const { Cell::new(Fault::None) };
}

/// Breaks every hub in this way, wherever this thread drives it.
pub fn set(fault: Fault) {
    BROKEN.set(fault);
}

pub(super) fn on(fault: Fault) -> bool {
    BROKEN.get() == fault
}

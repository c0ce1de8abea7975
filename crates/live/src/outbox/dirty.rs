//! Personal state that changed: which keys have to be rendered again, and when at the earliest.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A piece of a user's own state that must be rendered again: "the `kind` of room X changed".
///
/// The kinds are the door's own (a room object, a membership …).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dirty {
    /// The door's number for what changed.
    pub kind: u8,
    /// The room it is about.
    pub room: Arc<str>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Its place among the waiting ones; `None` when nothing waits and only the pace is remembered.
    waiting: Option<u64>,
    not_before: Option<Instant>,
}

/// A set of [`Dirty`] keys: marking twice is marking once, and a key that was just taken waits for the pace.
#[derive(Debug, Default)]
pub struct DirtySet {
    slots: HashMap<Dirty, Slot>,
    waiting: usize,
    next: u64,
}

impl DirtySet {
    /// Marks a key. `None` when `max` other keys wait already, else whether it is newly waiting.
    pub fn mark(&mut self, dirty: Dirty, max: usize) -> Option<bool> {
        let full = self.waiting >= max;
        let slot = match self.slots.get_mut(&dirty) {
            Some(slot) if slot.waiting.is_some() => return Some(false),
            _ if full => return None,
            Some(slot) => slot,
            None => self.slots.entry(dirty).or_default(),
        };
        slot.waiting = Some(self.next);
        self.next += 1;
        self.waiting += 1;
        Some(true)
    }

    /// Takes the keys that may be rendered at `now`, oldest mark first; each of them then waits for `gap`.
    pub fn take(&mut self, now: Instant, gap: Duration) -> Vec<Dirty> {
        let mut due = Vec::new();
        self.slots.retain(|dirty, slot| {
            if slot.not_before.is_some_and(|at| at > now) {
                return true;
            }
            let Some(order) = slot.waiting.take() else { return false };
            due.push((order, dirty.clone()));
            slot.not_before = Some(now + gap);
            true
        });
        self.waiting -= due.len();
        due.sort_unstable_by_key(|(order, _)| *order);
        due.into_iter().map(|(_, dirty)| dirty).collect()
    }

    /// When [`DirtySet::take`] is worth calling again: now (`Some(now)` or earlier), later, or not before
    /// the next mark (`None`).
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.slots.values().filter(|slot| slot.waiting.is_some()).map(|s| s.not_before.unwrap_or(now)).min()
    }

    /// Nothing waits and no pace is remembered.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

//! An event on its way out, rendered once for each dialect and shared by everybody who listens in it.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::event::Fact;

/// How many renderings an event may have, those of all doors together.
pub const SLOTS: usize = 16;

/// A place for one rendering, such as "DDP frame of stream-room-messages".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(usize);

impl Slot {
    /// The slot with this number. Two doors with the same number would tell in each other's words: a test of the program
    /// sees that each number is used once.
    ///
    /// # Panics
    /// When the number is not below [`SLOTS`]: a mistake in the wiring, found at start.
    pub const fn number(number: usize) -> Self {
        assert!(number < SLOTS);
        Self(number)
    }
}

/// A fact and its renderings.
#[derive(Debug)]
pub struct Published {
    /// What happened.
    pub fact: Fact,
    renderings: [OnceLock<Bytes>; SLOTS],
}

impl Published {
    /// Nothing is rendered yet.
    pub fn new(fact: Fact) -> Self {
        Self { fact, renderings: Default::default() }
    }
    /// The rendering in this slot, made by the first who asks. Empty bytes mean "nothing to send".
    pub fn rendered(&self, slot: Slot, render: impl FnOnce(&Fact) -> Bytes) -> &Bytes {
        self.renderings[slot.0].get_or_init(|| render(&self.fact))
    }
}

//! Frames in a row.

use std::collections::VecDeque;

use super::queue::Entry;

/// Frames in their order. One alone, which is what there mostly is, needs no memory of its own.
#[derive(Debug, Default)]
pub(super) struct Lane {
    first: Option<Entry>,
    /// Empty without a first.
    rest: VecDeque<Entry>,
}

impl Lane {
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn push_back(&mut self, entry: Entry) {
        match &self.first {
            None => self.first = Some(entry),
            Some(_) => self.rest.push_back(entry),
        }
    }

    pub(super) fn push_front(&mut self, entry: Entry) {
        if let Some(second) = self.first.replace(entry) {
            self.rest.push_front(second);
        }
    }

    pub(super) fn pop_front(&mut self) -> Option<Entry> {
        let next = self.rest.pop_front();
        std::mem::replace(&mut self.first, next)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.first.iter().chain(&self.rest)
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        self.rest.retain(&mut keep);
        if self.first.as_ref().is_some_and(|first| !keep(first)) {
            self.first = self.rest.pop_front();
        }
    }

    /// Gives back memory after a burst.
    pub(super) fn trim(&mut self) {
        self.rest.shrink_to_fit();
    }

    /// Frames there is memory for beside the first.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.rest.capacity()
    }
}

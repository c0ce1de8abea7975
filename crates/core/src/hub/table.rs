//! Values by key, each with a small number that stays the same while the value lives.

use std::{borrow::Borrow, hash::Hash};

use rustc_hash::FxHashMap;

/// A map whose values also have a slot, so that a handle to one costs four bytes instead of a key.
pub(super) struct Table<K, V> {
    by_key: FxHashMap<K, u32>,
    slots: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<K: Hash + Eq, V> Table<K, V> {
    pub(super) fn new() -> Self {
        Self { by_key: FxHashMap::default(), slots: Vec::new(), free: Vec::new() }
    }

    pub(super) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.slots[*self.by_key.get(key)? as usize].as_ref()
    }

    pub(super) fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.slots[*self.by_key.get(key)? as usize].as_mut()
    }

    pub(super) fn at(&self, slot: u32) -> Option<&V> {
        self.slots.get(slot as usize)?.as_ref()
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> Option<&mut V> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// The value and its slot; made when there is none.
    pub(super) fn get_or_insert(&mut self, key: &K, make: impl FnOnce() -> V) -> (u32, &mut V)
    where
        K: Clone,
    {
        let slot = match self.by_key.get(key) {
            Some(slot) => *slot,
            None => {
                let slot = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(None);
                    u32::try_from(self.slots.len() - 1).expect("memory ends before four billion slots")
                });
                self.by_key.insert(key.clone(), slot);
                slot
            }
        };
        (slot, self.slots[slot as usize].get_or_insert_with(make))
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let slot = self.by_key.remove(key)?;
        self.free.push(slot);
        self.slots[slot as usize].take()
    }

    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.slots.iter_mut().flatten()
    }
}

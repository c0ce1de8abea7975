//! A bounded cache that never keeps what was overtaken while it was being loaded.

use std::{
    future::Future,
    hash::{BuildHasher, Hash},
    sync::atomic::{AtomicU64, Ordering},
};

use quick_cache::sync::Cache as Quick;
use rustc_hash::FxBuildHasher;

use crate::error::Result;

const SHARDS: usize = 256;

/// Loads on demand, forgets on change.
pub(crate) struct Cache<K, V> {
    values: Quick<K, V>,
    /// How often something with that hash was forgotten or replaced: a load that began before does not count.
    generations: Vec<AtomicU64>,
    /// Changes are told in the order of their commits, so the last one told is true.
    in_order: bool,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// `in_order`: whether changes will be told in the order of their commits.
    pub(crate) fn new(capacity: usize, in_order: bool) -> Self {
        let generations = (0..SHARDS).map(|_| AtomicU64::new(0)).collect();
        Self { values: Quick::new(capacity), generations, in_order }
    }

    fn generation(&self, key: &K) -> &AtomicU64 {
        &self.generations[FxBuildHasher.hash_one(key) as usize % SHARDS]
    }

    /// The value, if it is in memory.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.values.get(key)
    }

    /// The value, loaded if need be.
    pub(crate) async fn get_or_load<F>(&self, key: &K, load: impl FnOnce() -> F) -> Result<V>
    where
        F: Future<Output = Result<V>>,
    {
        if let Some(value) = self.values.get(key) {
            return Ok(value);
        }
        let generation = self.generation(key);
        let before = generation.load(Ordering::Acquire);
        let value = load().await?;
        if generation.load(Ordering::Acquire) == before {
            self.values.insert(key.clone(), value.clone());
            // A change that came between the comparison and the insertion must win.
            if generation.load(Ordering::Acquire) != before {
                self.values.remove(key);
            }
        }
        Ok(value)
    }

    /// What is now true. Where two changes may be told in the wrong order it is read anew.
    pub(crate) fn put(&self, key: K, value: V) {
        if !self.in_order {
            return self.forget(&key);
        }
        self.generation(&key).fetch_add(1, Ordering::AcqRel);
        self.values.insert(key, value);
    }

    /// Nothing is known any more.
    pub(crate) fn clear(&self) {
        for generation in &self.generations {
            generation.fetch_add(1, Ordering::AcqRel);
        }
        self.values.clear();
    }

    /// No longer known.
    pub(crate) fn forget(&self, key: &K) {
        self.generation(key).fetch_add(1, Ordering::AcqRel);
        self.values.remove(key);
    }
}

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
    /// Values as they last were, for [`Cache::at_hand`].
    last: Option<Quick<K, V>>,
    /// How often something with that hash was forgotten or replaced: a load that began before does not count.
    generations: Vec<AtomicU64>,
    /// Changes are told in the order of their commits, so the last one told is true.
    in_order: bool,
}

impl<K: Hash + Eq + Clone, V: Clone> Cache<K, V> {
    /// `in_order`: whether changes will be told in the order of their commits.
    pub(crate) fn new(capacity: usize, in_order: bool) -> Self {
        let generations = (0..SHARDS).map(|_| AtomicU64::new(0)).collect();
        Self { values: Quick::new(capacity), last: None, generations, in_order }
    }

    /// Remembers this many values beyond the moment in which they were forgotten.
    pub(crate) fn remembering(self, most: usize) -> Self {
        Self { last: Some(Quick::new(most)), ..self }
    }

    fn generation(&self, key: &K) -> &AtomicU64 {
        &self.generations[FxBuildHasher.hash_one(key) as usize % SHARDS]
    }

    /// The value, if it is in memory.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.values.get(key)
    }

    /// The value if it is in memory, else as it last was: for those who hear of a change and can't wait until it is read
    /// again. Whatever may be decided by it must not change.
    pub(crate) fn at_hand(&self, key: &K) -> Option<V> {
        self.values.get(key).or_else(|| self.last.as_ref()?.get(key))
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
            self.forget(&key);
            if let Some(last) = &self.last {
                last.insert(key, value);
            }
            return;
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
        if let Some(last) = &self.last {
            last.clear();
        }
    }

    /// No longer known to be true.
    pub(crate) fn forget(&self, key: &K) {
        self.generation(key).fetch_add(1, Ordering::AcqRel);
        let value = self.values.remove(key);
        if let (Some(last), Some((key, value))) = (&self.last, value) {
            last.insert(key, value);
        }
    }

    /// It is gone.
    pub(crate) fn remove(&self, key: &K) {
        self.forget(key);
        if let Some(last) = &self.last {
            last.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_forgotten_or_overtaken_is_at_hand_as_it_last_was_and_never_taken_for_true() {
        for in_order in [true, false] {
            let cache = Cache::new(10, in_order).remembering(10);
            cache.put("a", 1);
            assert_eq!((cache.get(&"a").is_some(), cache.at_hand(&"a")), (in_order, Some(1)));
            cache.forget(&"a");
            assert_eq!((cache.get(&"a"), cache.at_hand(&"a")), (None, Some(1)));
            cache.put("a", 2);
            assert_eq!(cache.at_hand(&"a"), Some(2));
            cache.remove(&"a");
            assert_eq!((cache.get(&"a"), cache.at_hand(&"a")), (None, None));
        }
        let plain = Cache::new(10, false);
        plain.put("a", 1);
        assert_eq!(plain.at_hand(&"a"), None);
    }
}

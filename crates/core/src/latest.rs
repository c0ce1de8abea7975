//! The last word on settings, permissions and roles, where their changes may be told in another order than they were
//! made in: several connections commit side by side, here or on other nodes.

use std::sync::Arc;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{clock::Time, event::Event};

/// What each of them last said. As many entries as there are settings, permissions, rooms' own rules and roles that
/// were changed since the start.
pub(crate) struct Latest {
    told: Mutex<FxHashMap<(Family, Arc<str>), Time>>,
    /// Changes are told as they were made: the last one told is true.
    in_order: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Family {
    Setting,
    Permission,
    Role,
}

fn place(event: &Event) -> Option<((Family, Arc<str>), Time)> {
    match event {
        Event::Setting { id, at, .. } => Some(((Family::Setting, id.clone()), *at)),
        Event::Permission { id, at, .. } => Some(((Family::Permission, id.clone()), *at)),
        Event::Role { id, at, .. } => Some(((Family::Role, id.as_str().into()), *at)),
        _ => None,
    }
}

impl Latest {
    pub(crate) fn new(in_order: bool) -> Self {
        Self { told: Mutex::default(), in_order }
    }

    /// Takes note of a change; `false` when a later one was told before.
    pub(crate) fn note(&self, event: &Event) -> bool {
        if self.in_order {
            return true;
        }
        let Some((key, at)) = place(event) else { return true };
        let mut told = self.told.lock();
        let known = told.entry(key).or_insert(at);
        let newest = at >= *known;
        *known = at.max(*known);
        newest
    }

    /// Whether a later change was told meanwhile, so that this one is not worth a word.
    pub(crate) fn is_overtaken(&self, event: &Event) -> bool {
        if self.in_order {
            return false;
        }
        let Some((key, at)) = place(event) else { return false };
        self.told.lock().get(&key).is_some_and(|known| at < *known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setting::Value;

    fn change(id: &str, at: i64) -> Event {
        Event::Setting { id: id.into(), value: Value::Bool(true), at: Time(at) }
    }

    #[test]
    fn an_earlier_change_that_is_told_later_is_left_out() {
        let latest = Latest::new(false);
        assert!(latest.note(&change("A", 5)));
        assert!(latest.note(&change("A", 7)));
        assert!(!latest.note(&change("A", 6)));
        assert!(latest.note(&change("B", 1)), "each has changes of its own");
        let permission = Event::Permission { id: "A".into(), roles: [].into(), at: Time(1) };
        assert!(latest.note(&permission), "as has each family");
        assert!(latest.is_overtaken(&change("A", 6)));
        assert!(!latest.is_overtaken(&change("A", 7)));
        assert!(!latest.is_overtaken(&change("C", 0)));
    }

    #[test]
    fn where_changes_are_told_in_order_the_last_word_counts_whatever_the_clock_said() {
        let latest = Latest::new(true);
        assert!(latest.note(&change("A", 7)));
        assert!(latest.note(&change("A", 6)));
        assert!(!latest.is_overtaken(&change("A", 6)));
    }
}

//! Who does not answer, and is left alone for a while: calls that wait for nothing would hold up those of others.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use parlor_core::clock::Time;

use crate::webhooks::PATIENCE;

/// How long one that was silent is left alone.
const REST: Duration = Duration::from_secs(30);

/// Until when integrations are left alone. There are no more of them than integrations.
#[derive(Default)]
pub(crate) struct Silent(Mutex<HashMap<String, Time>>);

impl Silent {
    /// Until when this one is left alone. Nothing for the first call afterwards, which tries whether it answers again;
    /// the others wait for what that one finds.
    pub(crate) fn rests(&self, integration: &str, now: Time) -> Option<Time> {
        let mut all = self.0.lock();
        let until = all.get_mut(integration)?;
        if *until > now {
            return Some(*until);
        }
        *until = now.after(PATIENCE);
        None
    }

    /// How a call ended.
    pub(crate) fn note(&self, integration: &str, silent: bool, now: Time) {
        let mut all = self.0.lock();
        if silent {
            all.insert(integration.to_owned(), now.after(REST));
        } else {
            all.remove(integration);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_silent_rests_and_is_then_tried_by_one_call_alone() {
        let (silent, at) = (Silent::default(), |seconds: i64| Time(seconds * 1_000));
        assert_eq!(silent.rests("a", at(0)), None);
        silent.note("a", true, at(10));
        assert_eq!((silent.rests("a", at(11)), silent.rests("b", at(11))), (Some(at(40)), None));
        assert_eq!(silent.rests("a", at(40)), None, "one tries");
        assert_eq!(silent.rests("a", at(41)), Some(at(50)), "the others wait for it");
        silent.note("a", true, at(50));
        assert_eq!(silent.rests("a", at(51)), Some(at(80)));
        assert_eq!(silent.rests("a", at(81)), None);
        silent.note("a", false, at(82));
        assert_eq!((silent.rests("a", at(82)), silent.rests("a", at(82))), (None, None));
    }
}

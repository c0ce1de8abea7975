//! What a host application's word gave to a user: one JSON column, NULL for accounts of our own. Keys are only ever
//! added, each with a default.

use parlor_core::user::HostFacts;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Stored {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    words: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    given: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vendor: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    known: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    placeholder: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    first: Option<String>,
}

/// The column.
pub(super) fn encode(facts: &HostFacts) -> Option<String> {
    if *facts == HostFacts::default() {
        return None;
    }
    let stored = Stored {
        words: facts.words.clone(),
        given: facts.given.iter().map(|role| role.as_str().to_owned()).collect(),
        vendor: facts.vendor.clone(),
        known: facts.known,
        placeholder: facts.placeholder,
        first: facts.first_id.as_ref().map(|id| id.as_str().to_owned()),
    };
    // Only texts and lists: writing them as JSON has nothing to fail on.
    serde_json::to_string(&stored).ok()
}

/// What the column says; an unreadable one says nothing.
pub(super) fn decode(text: Option<&str>) -> HostFacts {
    let Some(stored) = text.and_then(|text| serde_json::from_str::<Stored>(text).ok()) else {
        return HostFacts::default();
    };
    HostFacts {
        words: stored.words,
        given: stored.given.into_iter().map(Into::into).collect(),
        vendor: stored.vendor,
        known: stored.known,
        placeholder: stored.placeholder,
        first_id: stored.first.map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_read_back_and_none_are_no_column() {
        assert_eq!(encode(&HostFacts::default()), None);
        let facts = HostFacts {
            words: vec!["OPS".into()],
            given: vec!["ops".into()],
            vendor: Some("v-9".into()),
            known: true,
            placeholder: true,
            first_id: Some("old".into()),
        };
        assert_eq!(decode(encode(&facts).as_deref()), facts);
        assert_eq!(decode(Some("no json")), HostFacts::default());
    }
}

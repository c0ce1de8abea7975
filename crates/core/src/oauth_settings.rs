//! Settings of custom services: a family of definitions for each name that an administrator gives.

use std::{collections::BTreeMap, sync::LazyLock};

use parking_lot::Mutex;

use crate::setting::{
    Default::{self as Fallback, Bool, Choice, Text},
    Definition, Settings,
};

/// What the ids of custom services begin with.
pub const PREFIX: &str = "Accounts_OAuth_Custom-";
/// Custom services that a workspace may have.
pub const MAX_SERVICES: usize = 50;
/// Names that one run of the server can tell apart; those of removed services are used again.
const MAX_NAMES: usize = 1_000;
/// Longest name, in characters.
const MAX_NAME: usize = 40;

/// The settings of each, besides the switch itself.
const PARTS: &[(&str, Fallback)] = &[
    // An OpenID issuer: with one, its addresses and keys are discovered, and the paths below are not needed.
    ("issuer", Text("")),
    ("url", Text("")),
    ("token_path", Text("/oauth/token")),
    ("token_sent_via", Choice(&["payload", "header"])),
    ("identity_token_sent_via", Choice(&["default", "payload", "header"])),
    ("identity_path", Text("/me")),
    ("authorize_path", Text("/oauth/authorize")),
    ("scope", Text("openid profile email")),
    ("access_token_param", Text("access_token")),
    ("id", Text("")),
    ("secret", Text("")),
    ("login_style", Choice(&["popup", "redirect", ""])),
    ("button_label_text", Text("")),
    ("button_label_color", Text("#FFFFFF")),
    ("button_color", Text("#1d74f5")),
    ("username_field", Text("")),
    ("email_field", Text("")),
    ("name_field", Text("")),
    ("roles_claim", Text("roles")),
    ("merge_roles", Bool(false)),
    ("roles_to_sync", Text("")),
    ("merge_users", Bool(false)),
    ("trust_email", Bool(false)),
    ("show_button", Bool(true)),
];

type Families = BTreeMap<String, &'static [Definition]>;
static FAMILIES: LazyLock<Mutex<Families>> = LazyLock::new(Mutex::default);

/// Which custom service a setting belongs to.
pub(crate) fn service_of(id: &str) -> Option<&str> {
    let rest = id.strip_prefix(PREFIX)?;
    let name = rest.split('-').next().unwrap_or_default();
    let fits = (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.as_bytes()[0].is_ascii_alphabetic();
    fits.then_some(name)
}

/// The definitions of a service's settings, the switch first. They live as long as the program, which is why names are
/// bounded; `None` beyond the bound.
pub(crate) fn family(name: &str) -> Option<&'static [Definition]> {
    let mut all = FAMILIES.lock();
    if let Some(known) = all.get(name) {
        return Some(known);
    }
    if all.len() >= MAX_NAMES {
        return None;
    }
    let define = |suffix: &str, secret, default| Definition {
        id: Box::leak(format!("{PREFIX}{name}{suffix}").into_boxed_str()),
        group: "Accounts",
        section: Box::leak(format!("OAuth: {name}").into_boxed_str()),
        public: false,
        secret,
        default,
    };
    let parts = PARTS.iter().map(|(part, default)| define(&format!("-{part}"), *part == "secret", *default));
    let made: Vec<Definition> = std::iter::once(define("", false, Bool(false))).chain(parts).collect();
    let made: &'static [Definition] = Vec::leak(made);
    all.insert(name.to_owned(), made);
    Some(made)
}

/// The definition of one setting of a custom service.
pub(crate) fn definition(id: &str) -> Option<&'static Definition> {
    family(service_of(id)?)?.iter().find(|def| def.id == id)
}

/// The custom services that there are, in the order of their names.
pub(crate) fn names(settings: &Settings) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = settings
        .by_id
        .keys()
        .filter_map(|id| id.strip_prefix(PREFIX))
        .filter(|name| !name.contains('-'))
        .collect();
    found.sort_unstable();
    found
}

/// As Rocket.Chat writes a name that was asked for: only what fits, with a capital.
pub(crate) fn proper(asked: &str) -> Option<String> {
    let asked = asked.trim();
    let mut letters = asked.chars();
    let name: String = letters.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(letters).collect();
    (service_of(&format!("{PREFIX}{name}"))? == name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_a_switch_and_its_parts_under_one_prefix() {
        let family = family("Acme").expect("there is room");
        assert_eq!(family[0].id, "Accounts_OAuth_Custom-Acme");
        assert!(family.iter().any(|def| def.id == "Accounts_OAuth_Custom-Acme-url"));
        let secret = definition("Accounts_OAuth_Custom-Acme-secret").expect("it is one");
        assert!(secret.secret && !secret.public);
        assert_eq!(definition("Accounts_OAuth_Custom-Acme-nonsense"), None);
    }

    #[test]
    fn names_are_letters_digits_and_underscores() {
        assert_eq!(proper("acme_2").as_deref(), Some("Acme_2"));
        for bad in ["", "a b", "a-b", "ä", "2x", "a/b", &"x".repeat(41)] {
            assert_eq!(proper(bad), None, "{bad}");
        }
    }
}

//! Identifiers: opaque strings, cheap to clone, with the bounds that every door relies on.

use std::{borrow::Borrow, fmt, ops::Deref, sync::Arc};

/// Longest identifier of a user, in bytes.
pub const MAX_USER_ID: usize = 64;
/// Longest identifier of anything else, in bytes.
pub const MAX_ID: usize = 128;

fn well_formed(text: &str, longest: usize) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.:@-".contains(&b);
    !text.is_empty() && text.len() <= longest && text.bytes().all(allowed)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($longest:expr);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes an identifier that is already known to be good: from the store or freshly made.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }
            /// Reads an identifier that somebody sent; `None` when it breaks the pattern
            /// `[A-Za-z0-9_.:@-]` or its length. Callers answer that like an unknown object.
            pub fn parse(text: &str) -> Option<Self> {
                well_formed(text, $longest).then(|| Self(text.into()))
            }
            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }
    )*};
}

ids! {
    /// A user.
    UserId(MAX_USER_ID);
    /// A room of any kind.
    RoomId(MAX_ID);
    /// A message; unique over all rooms.
    MessageId(MAX_ID);
    /// A membership (Rocket.Chat's `subscription._id`).
    MembershipId(MAX_ID);
    /// A signed-in device.
    SessionId(MAX_ID);
    /// A stored file.
    UploadId(MAX_ID);
    /// A team; its main room is another object.
    TeamId(MAX_ID);
    /// A role; Rocket.Chat's built-in ones are named as there (`admin`, `owner`, …).
    RoleId(MAX_ID);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_outside_the_pattern_is_not_one() {
        for bad in ["", "a b", "a/b", "é", "a\0", "{\"$ne\":1}", &"x".repeat(MAX_USER_ID + 1)] {
            assert_eq!(UserId::parse(bad), None, "{bad:?}");
        }
        assert_eq!(UserId::parse("rocket.cat").as_deref(), Some("rocket.cat"));
        assert!(RoomId::parse(&"x".repeat(MAX_ID)).is_some());
    }
}

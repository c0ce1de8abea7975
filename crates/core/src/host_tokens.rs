//! The port to the host application's tokens: who somebody is by the word of another product.

use crate::{blobs::Boxed, clock::Time, id::UserId};

/// A person as a host's token describes him. What the token does not say is `None` and stays as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPerson {
    /// The host's id of the person, which is the user's id here.
    pub id: UserId,
    /// User name as claimed.
    pub username: Option<String>,
    /// The user name if the user is new: as claimed, or made from address or id.
    pub wanted_username: String,
    /// Display name.
    pub name: Option<String>,
    /// Address, as given.
    pub email: Option<String>,
    /// Role words in upper case.
    pub roles: Option<Vec<String>>,
    /// The vendor that a VENDOR belongs to.
    pub vendor: Option<String>,
    /// When the token ends.
    pub expires_at: Time,
    /// A user made by name only may be taken over by this token.
    pub may_claim_placeholders: bool,
}

/// Verifies the host application's tokens.
pub trait HostTokens: Send + Sync {
    /// Whether a text could be a host's token rather than one of our own.
    fn is_one(&self, token: &str) -> bool;
    /// Whom the token speaks of. `TokenExpired` when it was good once, `BadCredentials` for any other fault.
    fn verify<'a>(&'a self, token: &'a str) -> Boxed<'a, HostPerson>;
}

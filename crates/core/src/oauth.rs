//! Signing in by somebody else's word (OAuth 2, OpenID Connect): the nouns, and the port to those who give it.

use crate::{blobs::Boxed, users_change::Secret};

/// Longest text that is taken from a provider's word, in characters.
pub const MAX_CLAIM: usize = 255;
/// Most roles that are taken from it.
pub const MAX_ROLES: usize = 100;

/// A service that people sign in by, as the settings describe it.
#[derive(Clone, Debug)]
pub struct Service {
    /// Its name in addresses and links: `google`, or a custom one in lower case.
    pub name: String,
    /// The name as the settings write it, which custom services are shown by.
    pub title: String,
    /// Made by an administrator, not one of those that everybody knows.
    pub custom: bool,
    /// Who we are to it.
    pub client_id: String,
    /// Proves it.
    pub secret: Secret,
    /// Where it is.
    pub place: Place,
    /// What is asked for.
    pub scope: String,
    /// Where in the provider's word things are.
    pub fields: Fields,
    /// When an account that is there already is taken for the same person.
    pub linking: Linking,
    /// How it looks among the ways to sign in.
    pub button: Button,
    /// The whole page goes there and comes back, instead of a window of its own.
    pub redirects: bool,
}

/// Where a service's addresses come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// An OpenID issuer, which publishes its addresses and keys; its tokens are verified.
    Issuer(String),
    /// Addresses by hand: plain OAuth 2, who it is comes from the identity's address alone.
    Paths {
        /// The base of paths that are no whole address.
        base: String,
        /// Where people are sent.
        authorize: String,
        /// Where codes become tokens.
        token: String,
        /// Where tokens become people.
        identity: String,
        /// A list of `{email, primary, verified}`, where addresses are told apart (GitHub).
        emails: Option<String>,
        /// The token goes to the identity's address as this parameter instead of a header.
        parameter: Option<String>,
    },
}

/// Names of claims; dots lead into objects. Empty for the usual ones.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Fields {
    pub username: String,
    pub email: String,
    pub name: String,
    pub roles: String,
}

/// Rules about accounts that are there already.
#[derive(Clone, Debug, Default)]
pub struct Linking {
    /// An account with the same proved address is the same person's.
    pub merge: bool,
    /// Addresses count as proved by the provider even if it does not say so.
    pub trust_email: bool,
    /// Roles follow the provider's word.
    pub roles: bool,
    /// Only these follow it; empty for all but `admin`.
    pub these_roles: Vec<String>,
}

/// A button of the login page.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Button {
    pub label: String,
    pub label_colour: String,
    pub colour: String,
    pub shown: bool,
}

/// What a person is sent to the provider with.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Comes back with the answer.
    pub state: String,
    /// Stands in the identity token.
    pub nonce: String,
    /// Proves later that the code was asked for by us (PKCE).
    pub verifier: String,
    /// Where the answer goes.
    pub redirect_uri: String,
}

/// What came back, to be turned into a person.
#[derive(Clone, Debug)]
pub struct Returned {
    /// The provider's code.
    pub code: String,
    /// As it was asked with; none when a client made the address by itself.
    pub nonce: Option<String>,
    /// As it was asked with.
    pub verifier: Option<String>,
    /// The very address that was asked with.
    pub redirect_uri: String,
}

/// Somebody, by a provider's word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outsider {
    /// The provider's permanent id for the person.
    pub subject: String,
    /// A name to call the account by.
    pub username: Option<String>,
    /// An address.
    pub email: Option<String>,
    /// The provider says that the address was proved.
    pub email_verified: bool,
    /// The name to show.
    pub name: Option<String>,
    /// Roles by the provider's word; `None` when it says nothing of them.
    pub roles: Option<Vec<String>>,
}

/// Those who vouch. Bounded in time and size; reasons of refusals stand in the log only.
pub trait Providers: Send + Sync {
    /// The address to send a person to. May ask the issuer for its addresses.
    ///
    /// # Errors
    /// `Unavailable` when the issuer can't be asked, or does not say what is needed.
    fn address<'a>(&'a self, service: &'a Service, asking: &'a Asking) -> Boxed<'a, String>;

    /// Turns what came back into a person.
    ///
    /// # Errors
    /// `BadCredentials` for a code or token that proves nothing, `Unavailable` when the provider can't be asked.
    fn redeem<'a>(&'a self, service: &'a Service, returned: &'a Returned) -> Boxed<'a, Outsider>;

    /// A person by an identity token that a client brings, which must be made for us.
    ///
    /// # Errors
    /// As [`Providers::redeem`]; a service without an issuer has no such tokens.
    fn vouched<'a>(&'a self, service: &'a Service, id_token: &'a str) -> Boxed<'a, Outsider>;
}

/// Nobody vouches: for tests and commands that need no outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl Providers for Nobody {
    fn address<'a>(&'a self, _: &'a Service, _: &'a Asking) -> Boxed<'a, String> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn redeem<'a>(&'a self, _: &'a Service, _: &'a Returned) -> Boxed<'a, Outsider> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
    fn vouched<'a>(&'a self, _: &'a Service, _: &'a str) -> Boxed<'a, Outsider> {
        Box::pin(async { Err(crate::error::Refusal::Unavailable) })
    }
}

//! The port to proof: passwords, tokens, codes. `identity` implements it; the core decides what a proof is worth.

use crate::{blobs::Boxed, error::Result};

/// A password as a client gives it: the text, or its SHA-256 as lower-case hex (Rocket.Chat's `digest`).
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// In clear.
    Plain(String),
    /// SHA-256 of the text, 64 lower-case hex digits.
    Digest(String),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// What became of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the right one; `rehash` asks for storing it anew in today's form.
    Right {
        /// The stored form is outdated.
        rehash: bool,
    },
    /// It is not.
    Wrong,
}

/// Proof of who somebody is. Slow work runs on a bounded pool; when it is full the answer is `Unavailable`.
pub trait Credentials: Send + Sync {
    /// The form in which a password is stored.
    fn hash<'a>(&'a self, password: &'a Password) -> Boxed<'a, String>;
    /// Checks a password against its stored form; `None` (no such user, no password) costs as much time.
    fn verify<'a>(&'a self, password: &'a Password, stored: Option<&'a str>) -> Boxed<'a, Verdict>;
    /// A new 256-bit token: in clear, and as it is stored (SHA-256).
    fn new_token(&self) -> (String, [u8; 32]);
    /// The stored form of a token that somebody sent.
    fn token_hash(&self, token: &str) -> [u8; 32];
    /// A new TOTP secret: base32 for the user, and the encrypted form that is stored.
    fn new_totp(&self) -> Result<(String, String)>;
    /// Checks a TOTP code: the time step it belongs to, which must be larger than the last one used.
    fn check_totp(&self, stored: &str, code: &str, last_step: Option<u64>) -> Result<Option<u64>>;
    /// Encrypts a secret that must be had again in clear (e.g. a client secret), for storing.
    fn seal(&self, secret: &str) -> Result<String>;
    /// Opens what `seal` made.
    fn open(&self, sealed: &str) -> Result<String>;
}

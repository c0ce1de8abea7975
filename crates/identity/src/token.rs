//! Login tokens: 256 random bits, 43 base64url characters, of which only the SHA-256 is kept.
//!
//! A hash without salt is enough for 256 random bits, and lets a token be found by its hash. It is also what
//! Rocket.Chat stores (there in base64), so its sessions can be taken over.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlor_core::clock::Random;
use sha2::{Digest, Sha256};
use std::fmt;
use std::hash::{Hash, Hasher};
use subtle::ConstantTimeEq;

/// Longest text that is looked at as a token, in bytes; anything longer is nobody's.
pub const MAX_TOKEN_BYTES: usize = 512;

/// A token in the clear: shown to its owner once, never stored, never printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// What is stored of a token.
#[derive(Clone, Copy, Eq)]
pub struct TokenHash([u8; 32]);

impl Token {
    /// A new token: 43 characters of `[A-Za-z0-9_-]`.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = [0; 32];
        random.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The text to hand to the owner.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text to hand to the owner.
    pub fn into_string(self) -> String {
        self.0
    }

    /// What to store.
    pub fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

impl TokenHash {
    /// The hash of a presented token, or `None` for text that can't be one (empty, too long, not visible ASCII).
    pub fn of(presented: &str) -> Option<Self> {
        let plausible = (1..=MAX_TOKEN_BYTES).contains(&presented.len())
            && presented.bytes().all(|b| b.is_ascii_graphic());
        plausible.then(|| Self(Sha256::digest(presented.as_bytes()).into()))
    }

    /// From storage.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// For storage.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `presented` is the token of this hash; the time depends on neither.
    pub fn matches(&self, presented: &str) -> bool {
        Self::of(presented).is_some_and(|hash| hash == *self)
    }
}

/// In constant time.
impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Hash for TokenHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// Whether two secrets are equal, in a time that depends on their lengths only. For keys given by configuration,
/// such as the app key.
pub fn same_secret(one: &str, other: &str) -> bool {
    // Hashed first, so that not even the length of the expected one shows.
    let (one, other) = (Sha256::digest(one.as_bytes()), Sha256::digest(other.as_bytes()));
    one.as_slice().ct_eq(other.as_slice()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn tokens_are_43_url_safe_characters_and_never_the_same() {
        let random = Seeded::new(1);
        let tokens: HashSet<String> = (0..1000).map(|_| Token::generate(&random).into_string()).collect();
        assert_eq!(tokens.len(), 1000);
        for token in tokens {
            assert_eq!(token.len(), 43);
            assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{token}");
        }
    }

    #[test]
    fn the_hash_is_plain_sha_256() {
        // As `printf abc | sha256sum` says.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let hash = TokenHash::of("abc").unwrap();
        assert_eq!(hex::encode(hash.as_bytes()), expected);
    }

    #[test]
    fn text_that_cannot_be_a_token_is_refused() {
        for text in ["", " ", "a b", "a\n", "tök", &"x".repeat(513)] {
            assert!(TokenHash::of(text).is_none(), "{text:?}");
        }
        assert!(TokenHash::of(&"x".repeat(512)).is_some());
    }

    #[test]
    fn secrets_are_the_same_or_not() {
        assert!(same_secret("key", "key"));
        assert!(!same_secret("key", "kez"));
        assert!(!same_secret("key", "ke"));
        assert!(!same_secret("key", ""));
    }

    #[test]
    fn neither_token_nor_hash_prints_itself() {
        let token = Token::generate(&Seeded::new(2));
        assert_eq!(format!("{token:?} {:?}", token.hash()), "Token(..) TokenHash(..)");
    }

    proptest! {
        #[test]
        fn a_token_matches_its_own_hash_and_no_other(seed in any::<u64>(), other in ".{0,60}") {
            let token = Token::generate(&Seeded::new(seed));
            let stored = TokenHash::from_bytes(*token.hash().as_bytes());
            prop_assert!(stored.matches(token.as_str()));
            prop_assert_eq!(stored.matches(&other), other == token.as_str());
        }

        #[test]
        fn one_changed_character_is_another_token(seed in any::<u64>(), at in 0_usize..43) {
            let token = Token::generate(&Seeded::new(seed));
            let mut text = token.as_str().as_bytes().to_vec();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            prop_assert!(!token.hash().matches(std::str::from_utf8(&text).unwrap()));
        }
    }
}

//! The core's [`Credentials`] port, on everything in this crate.

use crate::key::SecretKey;
use crate::password::Reduced;
use crate::pool::{Busy, PasswordPool};
use crate::token::{Token, TokenHash};
use crate::totp::{TotpRefused, TotpSecret};
use parlor_core::blobs::Boxed;
use parlor_core::clock::{Clock, Random};
use parlor_core::credentials::{Credentials, Password, Verdict};
use parlor_core::error::{Refusal, Result};
use std::sync::Arc;

/// What sealed texts are bound to when the port names no owner.
const ANY_OWNER: &str = "";
const SEALED_TEXT: &str = "text";

/// Proof of who somebody is, with the server's key, clock and randomness.
pub struct Identity {
    key: SecretKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: PasswordPool,
}

impl Identity {
    /// With the pool's default size.
    pub fn new(key: SecretKey, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { key, clock, random, passwords: PasswordPool::default() }
    }

    /// The server key, to derive keys of other purposes from (signed file addresses, say).
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    fn seconds(&self) -> u64 {
        u64::try_from(self.clock.now().millis() / 1000).unwrap_or_default()
    }
}

impl Credentials for Identity {
    fn hash<'a>(&'a self, password: &'a Password) -> Boxed<'a, String> {
        Box::pin(async move {
            let password =
                Reduced::try_from(password).map_err(|bad| Refusal::invalid("password", bad.to_string()))?;
            let mut salt = [0; 16];
            self.random.fill(&mut salt);
            self.passwords.hash(password, salt).await.map_err(unavailable)
        })
    }

    fn verify<'a>(&'a self, password: &'a Password, stored: Option<&'a str>) -> Boxed<'a, Verdict> {
        Box::pin(async move {
            // What can't be a password is checked against nothing, so that this costs the same as a wrong one.
            let (password, stored) = match Reduced::try_from(password) {
                Ok(password) => (password, stored.map(str::to_owned)),
                Err(_) => (Reduced::nobodys(), None),
            };
            self.passwords.verify(password, stored).await.map_err(unavailable)
        })
    }

    fn new_token(&self) -> (String, [u8; 32]) {
        let token = Token::generate(&*self.random);
        let hash = *token.hash().as_bytes();
        (token.into_string(), hash)
    }

    fn token_hash(&self, token: &str) -> [u8; 32] {
        // No stored token has the hash of a text that can't be one.
        TokenHash::of(token).map_or([0; 32], |hash| *hash.as_bytes())
    }

    fn new_totp(&self) -> Result<(String, String)> {
        let secret = TotpSecret::generate(&*self.random);
        Ok((secret.to_base32(), secret.seal(&self.key, ANY_OWNER, &*self.random)))
    }

    fn check_totp(&self, stored: &str, code: &str, last_step: Option<u64>) -> Result<Option<u64>> {
        let secret = TotpSecret::open(&self.key, ANY_OWNER, stored).map_err(lost_key)?;
        match secret.check(code, self.seconds(), last_step) {
            Ok(step) => Ok(Some(step)),
            Err(TotpRefused::Wrong | TotpRefused::Replayed) => Ok(None),
        }
    }

    fn seal(&self, secret: &str) -> Result<String> {
        Ok(self.key.seal(SEALED_TEXT, ANY_OWNER, secret.as_bytes(), &*self.random))
    }

    fn open(&self, sealed: &str) -> Result<String> {
        let bytes = self.key.open(SEALED_TEXT, ANY_OWNER, sealed).map_err(lost_key)?;
        String::from_utf8(bytes).map_err(lost_key)
    }
}

fn unavailable(_: Busy) -> Refusal {
    Refusal::Unavailable
}

/// A stored secret can't be opened: an operator's affair, so the log says what to do.
fn lost_key<E>(_: E) -> Refusal {
    tracing::error!("a sealed secret cannot be opened: was the server key replaced?");
    Refusal::Internal("sealed-secret".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;
    use parlor_core::clock::Time;
    use std::time::Duration;

    struct At(i64);

    impl Clock for At {
        fn now(&self) -> Time {
            Time(self.0)
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    fn identity_at(millis: i64) -> Identity {
        Identity::new(SecretKey::from_bytes([1; 32]), Arc::new(At(millis)), Arc::new(Seeded::new(1)))
    }

    fn plain(text: &str) -> Password {
        Password::Plain(text.into())
    }

    #[tokio::test]
    async fn a_stored_password_is_right_in_clear_and_as_digest() {
        let identity = identity_at(0);
        let stored = identity.hash(&plain("correct horse")).await.unwrap();
        // SHA-256 of "correct horse".
        let digest = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
        let right = Verdict::Right { rehash: false };
        for password in [plain("correct horse"), Password::Digest(digest.into())] {
            assert_eq!(identity.verify(&password, Some(&stored)).await.unwrap(), right);
        }
        let wrong = [plain("x"), plain(""), plain(digest), Password::Digest("no".into())];
        for password in wrong {
            assert_eq!(identity.verify(&password, Some(&stored)).await.unwrap(), Verdict::Wrong);
            assert_eq!(identity.verify(&password, None).await.unwrap(), Verdict::Wrong);
        }
    }

    #[tokio::test]
    async fn an_impossible_password_is_not_stored() {
        for password in [plain(""), Password::Digest("x".into()), plain(&"x".repeat(5000))] {
            let refusal = identity_at(0).hash(&password).await.unwrap_err();
            assert!(matches!(refusal, Refusal::Invalid { field: "password", .. }), "{refusal}");
        }
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let identity = identity_at(0);
        let (one, two) =
            (identity.hash(&plain("x")).await.unwrap(), identity.hash(&plain("x")).await.unwrap());
        assert_ne!(one, two);
    }

    #[test]
    fn a_token_is_found_by_its_hash() {
        let identity = identity_at(0);
        let (token, hash) = identity.new_token();
        assert_eq!(identity.token_hash(&token), hash);
        assert_ne!(identity.token_hash("other"), hash);
        assert_eq!(identity.token_hash(""), [0; 32]);
    }

    #[test]
    fn a_totp_code_of_the_clock_s_time_works_once() {
        let key = SecretKey::from_bytes([1; 32]);
        let secret = TotpSecret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let stored = secret.seal(&key, ANY_OWNER, &Seeded::new(2));
        let identity = identity_at(59_000);
        assert_eq!(identity.check_totp(&stored, "287082", None), Ok(Some(1)));
        assert_eq!(identity.check_totp(&stored, "287082", Some(1)), Ok(None));
        assert_eq!(identity.check_totp(&stored, "287083", None), Ok(None));
        assert!(matches!(identity.check_totp("junk", "287082", None), Err(Refusal::Internal(_))));
    }

    #[test]
    fn a_new_totp_secret_is_shown_in_base32_and_stored_sealed() {
        let identity = identity_at(0);
        let (shown, stored) = identity.new_totp().unwrap();
        let opened = TotpSecret::open(identity.key(), ANY_OWNER, &stored).unwrap();
        assert_eq!(opened.to_base32(), shown);
        assert_eq!(shown.len(), 32);
    }

    #[test]
    fn a_sealed_text_opens_and_a_foreign_one_does_not() {
        let identity = identity_at(0);
        let sealed = identity.seal("client secret ü").unwrap();
        assert_eq!(identity.open(&sealed).unwrap(), "client secret ü");
        assert!(matches!(identity.open("client secret"), Err(Refusal::Internal(_))));
        let (_, totp) = identity.new_totp().unwrap();
        assert!(identity.open(&totp).is_err(), "sealed for another purpose");
    }
}

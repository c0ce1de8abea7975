//! The core's [`Credentials`] port, on everything in this crate.

use crate::key::SecretKey;
use crate::lockout::{self, Locked, Lockout, LockoutPolicy};
use crate::onetime;
use crate::password::Reduced;
use crate::policy::PasswordPolicy;
use crate::pool::{Busy, PasswordPool};
use crate::token::{Token, TokenHash};
use crate::totp::{TotpRefused, TotpSecret};
use parlor_core::blobs::Boxed;
use parlor_core::clock::{Clock, Random, Time};
use parlor_core::credentials::{
    Attempt, Counted, Credentials, Factor, Failures, MailCode, Password, PasswordFault, PasswordRule, Verdict,
};
use parlor_core::error::{Refusal, Result};
use parlor_core::setting::Settings;
use std::sync::Arc;
use std::time::Duration;

/// What sealed texts are bound to when the port names no owner.
const ANY_OWNER: &str = "";
const SEALED_TEXT: &str = "text";

/// Proof of who somebody is, with the server's key, clock and randomness.
pub struct Identity {
    key: SecretKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    passwords: PasswordPool,
    password_failures: Lockout,
    code_failures: Lockout,
}

impl Identity {
    /// With the pool's default size.
    pub fn new(key: SecretKey, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            key,
            clock,
            random,
            passwords: PasswordPool::default(),
            password_failures: Lockout::default(),
            code_failures: Lockout::default(),
        }
    }

    /// The server key, to derive keys of other purposes from (signed file addresses, say).
    pub fn key(&self) -> &SecretKey {
        &self.key
    }

    fn lockout(&self, factor: Factor, settings: &Settings) -> (&Lockout, LockoutPolicy) {
        match factor {
            Factor::Password => (&self.password_failures, LockoutPolicy::from_settings(settings)),
            Factor::Code => (&self.code_failures, LockoutPolicy::for_codes()),
        }
    }

    fn locked_out(&self, locked: Locked) -> Refusal {
        Refusal::LockedOut { by: locked.by, until: self.clock.now().after(locked.retry_after) }
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

    fn keep_totp(&self, base32: &str) -> Option<String> {
        let secret = TotpSecret::from_base32(base32)?;
        Some(secret.seal(&self.key, ANY_OWNER, &*self.random))
    }

    fn check_totp(&self, stored: &str, code: &str, last_step: Option<u64>) -> Result<Option<u64>> {
        let secret = TotpSecret::open(&self.key, ANY_OWNER, stored).map_err(lost_key)?;
        match secret.check(code, self.seconds(), last_step) {
            Ok(step) => Ok(Some(step)),
            Err(TotpRefused::Wrong | TotpRefused::Replayed) => Ok(None),
        }
    }

    fn admit(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Result<()> {
        let (lockout, policy) = self.lockout(factor, settings);
        lockout.check(&policy, attempt, self.clock.monotonic()).map_err(|locked| self.locked_out(locked))
    }

    fn failed(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) {
        let (lockout, policy) = self.lockout(factor, settings);
        if let Some(locked) = lockout.failed(&policy, attempt, self.clock.monotonic()) {
            // `?` escapes: a name as typed may hold line breaks.
            tracing::warn!(?factor, by = ?locked.by, user = ?short(attempt.user), address = ?attempt.address, "locked out");
        }
    }

    fn succeeded(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Result<()> {
        let (lockout, policy) = self.lockout(factor, settings);
        lockout.succeeded(&policy, attempt, self.clock.monotonic()).map_err(|locked| self.locked_out(locked))
    }

    fn counted(&self, factor: Factor, attempt: Attempt<'_>, settings: &Settings) -> Counted {
        let (_, policy) = self.lockout(factor, settings);
        let name =
            |kind: &str, of: &str| hex::encode(self.key.derive(&format!("failures {factor:?} {kind} {of}")));
        Counted {
            user: policy.per_user.map(|_| name("user", attempt.user)),
            address: policy.counts(attempt).map(|network| name("address", &network.to_string())),
            span: policy.span(),
        }
    }

    fn judge(&self, factor: Factor, failures: &Failures, settings: &Settings) -> Result<()> {
        let (_, policy) = self.lockout(factor, settings);
        let since = |at: &Time| Duration::from_millis(u64::try_from(at.millis()).unwrap_or_default());
        let of_user: Vec<Duration> = failures.of_user.iter().map(since).collect();
        let of_address: Vec<Duration> = failures.of_address.iter().map(since).collect();
        let now = since(&self.clock.now());
        lockout::judge(&policy, &of_user, &of_address, now).map_err(|locked| self.locked_out(locked))
    }

    fn password_faults(&self, password: &str, settings: &Settings) -> Vec<PasswordFault> {
        PasswordPolicy::from_settings(settings).faults(password)
    }

    fn password_rules(&self, settings: &Settings) -> Vec<PasswordRule> {
        PasswordPolicy::from_settings(settings).describe()
    }

    fn new_recovery_codes(&self, user: &str) -> (Vec<String>, Vec<[u8; 32]>) {
        let made = onetime::new_recovery_codes(&self.key, user, &*self.random);
        (made.codes, made.hashes)
    }

    fn find_recovery_code(&self, user: &str, code: &str, stored: &[[u8; 32]]) -> Option<usize> {
        onetime::find_recovery_code(&self.key, user, code, stored)
    }

    fn new_mail_code(&self, user: &str) -> MailCode {
        onetime::new_mail_code(&self.key, user, self.clock.now(), &*self.random)
    }

    fn check_mail_code(&self, user: &str, code: &str, hash: &[u8; 32], expires_at: Time) -> bool {
        onetime::check_mail_code(&self.key, user, code, (hash, expires_at), self.clock.now()).is_ok()
    }

    fn seal(&self, secret: &str) -> Result<String> {
        Ok(self.key.seal(SEALED_TEXT, ANY_OWNER, secret.as_bytes(), &*self.random))
    }

    fn open(&self, sealed: &str) -> Result<String> {
        let bytes = self.key.open(SEALED_TEXT, ANY_OWNER, sealed).map_err(lost_key)?;
        String::from_utf8(bytes).map_err(lost_key)
    }

    fn open_brought(&self, sealed: &str) -> Option<String> {
        String::from_utf8(self.key.open(SEALED_TEXT, ANY_OWNER, sealed).ok()?).ok()
    }

    fn sign(&self, secret: &str, claims: &parlor_core::json::Json) -> Result<String> {
        let unreadable = |_| Refusal::invalid("claims", "must be an object");
        let claims: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(claims.as_str()).map_err(unreadable)?;
        let key = jsonwebtoken::EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key)
            .map_err(|_| Refusal::Unavailable)
    }
}

/// The beginning of a name as typed, for the log.
fn short(user: &str) -> &str {
    &user[..user.floor_char_boundary(64)]
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
    use crate::testing::{Seeded, Still};
    use parlor_core::error::Lock;
    use parlor_core::setting::Value;

    fn identity_at(millis: i64) -> Identity {
        Identity::new(SecretKey::from_bytes([1; 32]), Arc::new(Still::at(millis)), Arc::new(Seeded::new(1)))
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
    fn failures_lock_out_until_a_time_and_passwords_and_codes_count_apart() {
        let (identity, settings) = (identity_at(1000), Settings::default());
        let alice = Attempt { user: "alice", address: None };
        for _ in 0..5 {
            assert_eq!(identity.admit(Factor::Code, alice, &settings), Ok(()));
            identity.failed(Factor::Code, alice, &settings);
        }
        let refusal = Refusal::LockedOut { by: Lock::User, until: Time(301_000) };
        assert_eq!(identity.admit(Factor::Code, alice, &settings), Err(refusal.clone()));
        assert_eq!(identity.succeeded(Factor::Code, alice, &settings), Err(refusal));
        assert_eq!(identity.admit(Factor::Password, alice, &settings), Ok(()));
        assert_eq!(identity.succeeded(Factor::Password, alice, &settings), Ok(()));
    }

    #[test]
    fn recovery_and_mail_codes_work_for_their_user() {
        let identity = identity_at(1000);
        let (codes, hashes) = identity.new_recovery_codes("alice");
        assert_eq!(identity.find_recovery_code("alice", &codes[11], &hashes), Some(11));
        assert_eq!(identity.find_recovery_code("bob", &codes[11], &hashes), None);
        let mail = identity.new_mail_code("alice");
        assert!(identity.check_mail_code("alice", &mail.code, &mail.hash, mail.expires_at));
        assert!(!identity.check_mail_code("bob", &mail.code, &mail.hash, mail.expires_at));
        assert!(!identity.check_mail_code("alice", &mail.code, &mail.hash, Time(1000)));
    }

    #[test]
    fn the_policy_in_the_settings_judges_new_passwords() {
        let identity = identity_at(0);
        assert_eq!(identity.password_faults("x", &Settings::default()), []);
        assert_eq!(identity.password_rules(&Settings::default()), []);
        let on = crate::testing::settings(&[("Accounts_Password_Policy_Enabled", Value::Bool(true))]);
        assert_eq!(identity.password_faults("Passw0rd", &on), [PasswordFault::NoSpecial]);
        assert_eq!(
            identity.password_rules(&on)[0],
            ("get-password-policy-minLength", Some(("minLength", 7)))
        );
    }

    #[test]
    fn a_long_name_is_cut_for_the_log_between_characters() {
        assert_eq!(short("alice"), "alice");
        assert_eq!(short(&"ä".repeat(40)).len(), 64);
        assert_eq!(short(&format!("a{}", "ä".repeat(40))).len(), 63);
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

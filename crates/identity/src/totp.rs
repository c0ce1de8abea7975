//! The authenticator app: RFC 6238 codes of six digits, SHA-1, 30 seconds, the only form that every app knows.

use crate::key::{CannotOpen, SecretKey};
use parlor_core::clock::Random;
use std::fmt;
use totp_rs::{Algorithm, Builder, Secret};

/// Length of a new secret, as RFC 4226 recommends.
const SECRET_BYTES: usize = 20;
/// Shortest secret that is accepted from an import.
const MIN_SECRET_BYTES: usize = 16;
const DIGITS: u8 = 6;
/// Seconds of one step.
pub const STEP_SECONDS: u64 = 30;
/// Steps before and after the present one whose code is accepted.
const SKEW: u16 = 1;
const PURPOSE: &str = "totp";

/// The secret shared with somebody's authenticator. Never printed.
#[derive(Clone)]
pub struct TotpSecret(Vec<u8>);

/// Why a code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TotpRefused {
    /// Not a code of the present step or its neighbours.
    #[error("wrong code")]
    Wrong,
    /// This code, or a later one, was used before.
    #[error("the code was used before")]
    Replayed,
}

impl TotpSecret {
    /// A new secret.
    pub fn generate(random: &dyn Random) -> Self {
        let mut bytes = vec![0; SECRET_BYTES];
        random.fill(&mut bytes);
        Self(bytes)
    }

    /// A secret in base32, as another server stored it; `None` when it is none or has under 128 bits.
    pub fn from_base32(text: &str) -> Option<Self> {
        let secret = Secret::try_from_base32(text).ok()?;
        (secret.as_bytes().len() >= MIN_SECRET_BYTES).then(|| Self(secret.as_bytes().to_vec()))
    }

    /// For typing into an app by hand.
    pub fn to_base32(&self) -> String {
        Secret::from(self.0.as_slice()).to_base32()
    }

    /// For storage: sealed with the server key, bound to the user's id.
    pub fn seal(&self, key: &SecretKey, user: &str, random: &dyn Random) -> String {
        key.seal(PURPOSE, user, &self.0, random)
    }

    /// From storage.
    ///
    /// # Errors
    /// [`CannotOpen`] when the server key has changed or the text is another user's.
    pub fn open(key: &SecretKey, user: &str, sealed: &str) -> Result<Self, CannotOpen> {
        let bytes = key.open(PURPOSE, user, sealed)?;
        if bytes.len() < MIN_SECRET_BYTES { Err(CannotOpen) } else { Ok(Self(bytes)) }
    }

    /// The `otpauth://` address for a QR code. Colons, which the format can't carry, become blanks.
    pub fn address(&self, issuer: &str, account: &str) -> String {
        let issuer = issuer.replace(':', " ");
        let account = match account.replace(':', " ") {
            empty if empty.is_empty() => "user".to_owned(),
            account => account,
        };
        let issuer = Some(issuer).filter(|text| !text.is_empty());
        let built = self.builder().with_issuer(issuer).with_account_name(account).build();
        built.and_then(|totp| totp.to_url()).expect("digits, length and colons are checked above")
    }

    /// Checks a code at `now` (seconds since 1970). `last_step` is what the last success returned, `None` if there
    /// was none. Returns the step to store as the new `last_step`; store it only if it is still greater than the
    /// stored one, **before** letting the user in, and refuse otherwise: of two equal codes at once one gets in.
    ///
    /// # Errors
    /// [`TotpRefused`].
    pub fn check(&self, code: &str, now: u64, last_step: Option<u64>) -> Result<u64, TotpRefused> {
        // Apps show "123 456", and people type it so.
        let digits: String = code.chars().filter(|c| !c.is_whitespace()).take(16).collect();
        let step = self.totp().check(&digits, now).ok_or(TotpRefused::Wrong)?;
        if last_step.is_some_and(|last| step <= last) { Err(TotpRefused::Replayed) } else { Ok(step) }
    }

    fn builder(&self) -> Builder {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(DIGITS)
            .with_skew(SKEW)
            .with_step_duration(STEP_SECONDS)
            .with_secret(self.0.as_slice())
    }

    fn totp(&self) -> totp_rs::Totp {
        self.builder().build().expect("six digits and at least 16 bytes, by construction")
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;

    /// The secret of RFC 6238, appendix B.
    fn rfc() -> TotpSecret {
        TotpSecret(b"12345678901234567890".to_vec())
    }

    fn code_at(secret: &TotpSecret, now: u64) -> String {
        secret.totp().generate(now).to_string()
    }

    #[test]
    fn the_rfcs_own_codes_are_accepted() {
        // Appendix B, SHA-1, last six of its eight digits.
        for (now, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924")] {
            assert_eq!(rfc().check(code, now, None), Ok(now / 30), "{now}");
        }
    }

    #[test]
    fn one_step_early_or_late_is_accepted_and_two_are_not() {
        let (secret, now) = (rfc(), 1_000_000_020);
        for (offset, fits) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
            let at = now + offset;
            let code = code_at(&secret, u64::try_from(at).unwrap());
            let expected = if fits { Ok(u64::try_from(at).unwrap() / 30) } else { Err(TotpRefused::Wrong) };
            assert_eq!(secret.check(&code, u64::try_from(now).unwrap(), None), expected, "{offset}");
        }
    }

    #[test]
    fn a_code_works_once() {
        let (secret, now) = (rfc(), 1_000_000_020);
        let code = code_at(&secret, now);
        let step = secret.check(&code, now, None).unwrap();
        assert_eq!(secret.check(&code, now, Some(step)), Err(TotpRefused::Replayed));
        assert_eq!(secret.check(&code, now + 30, Some(step)), Err(TotpRefused::Replayed));
        assert_eq!(secret.check(&code_at(&secret, now - 30), now, Some(step)), Err(TotpRefused::Replayed));
        assert_eq!(secret.check(&code_at(&secret, now + 30), now, Some(step)), Ok(step + 1));
    }

    #[test]
    fn anything_but_six_digits_is_wrong() {
        let (secret, now) = (rfc(), 59);
        assert_eq!(secret.check(" 287 082\n", now, None), Ok(1));
        for code in ["", "28708", "2870820", "+87082", "28708x", "２８７０８２", "287082287082287082287082"]
        {
            assert_eq!(secret.check(code, now, None), Err(TotpRefused::Wrong), "{code}");
        }
        assert_eq!(secret.check(&"1".repeat(1_000_000), now, None), Err(TotpRefused::Wrong));
    }

    #[test]
    fn the_first_step_of_all_has_no_step_before_it() {
        assert_eq!(rfc().check(&code_at(&rfc(), 0), 0, None), Ok(0));
    }

    #[test]
    fn a_secret_survives_storage_for_its_user_only() {
        let random = Seeded::new(1);
        let key = SecretKey::from_bytes([9; 32]);
        let secret = TotpSecret::generate(&random);
        let sealed = secret.seal(&key, "alice", &random);
        assert!(!sealed.contains(&secret.to_base32()));
        let opened = TotpSecret::open(&key, "alice", &sealed).unwrap();
        assert_eq!(opened.0, secret.0);
        assert_eq!(opened.0.len(), SECRET_BYTES);
        assert_eq!(TotpSecret::open(&key, "bob", &sealed).unwrap_err(), CannotOpen);
        assert_eq!(format!("{opened:?}"), "TotpSecret(..)");
    }

    #[test]
    fn a_secret_of_another_server_is_taken_over_unless_it_is_weak() {
        assert_eq!(TotpSecret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap().0, rfc().0);
        assert_eq!(rfc().to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for text in ["", "GEZDGNBV", "not base32 at all 0189"] {
            assert!(TotpSecret::from_base32(text).is_none(), "{text}");
        }
    }

    #[test]
    fn the_address_names_issuer_and_account() {
        let address = rfc().address("Parlor: chat", "a:b");
        assert!(address.starts_with("otpauth://totp/"), "{address}");
        assert!(address.contains("secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "{address}");
        assert!(!address.contains("a:b") && !address.contains("%3Ab"), "{address}");
        for (issuer, account) in [("", ""), (":", ":"), ("ü/?&#", "x y@z")] {
            assert!(rfc().address(issuer, account).starts_with("otpauth://totp/"));
        }
    }
}

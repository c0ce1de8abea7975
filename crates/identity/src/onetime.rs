//! Codes that work once: recovery codes for a lost authenticator, and six digits sent by e-mail.
//!
//! Both are too short to withstand guessing from a plain hash (a million, or 10^14 possibilities), so what is
//! stored is keyed with the server key and bound to the user. Guessing at the door is [`crate::Lockout`]'s matter.

use crate::key::SecretKey;
use rand::{CryptoRng, RngExt as _};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use subtle::ConstantTimeEq;

/// Recovery codes in one set.
pub const RECOVERY_CODES: usize = 12;
/// Characters of a recovery code; Rocket.Chat's clients tell it from a TOTP code by this.
pub const RECOVERY_CODE_CHARS: usize = 8;
/// How long an e-mail code works, in milliseconds.
pub const EMAIL_CODE_MS: i64 = 10 * 60 * 1000;
/// No character that is easily taken for another.
const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";

/// A new set of recovery codes.
pub struct RecoveryCodes {
    /// To be shown once.
    pub codes: Vec<String>,
    /// To be stored, in the same order.
    pub hashes: Vec<String>,
}

/// A new e-mail code.
pub struct EmailCode {
    /// Six digits, for the mail only.
    pub code: String,
    /// To be stored.
    pub hash: String,
    /// When it ends, in milliseconds since 1970; to be stored.
    pub expires_at: i64,
}

/// Why a code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefused {
    /// Not the code.
    #[error("wrong code")]
    Wrong,
    /// It was the code once.
    #[error("the code has expired")]
    Expired,
}

/// Makes [`RECOVERY_CODES`] codes for a user; a new set replaces the old one.
pub fn new_recovery_codes<R: CryptoRng + ?Sized>(
    key: &SecretKey,
    user: &str,
    random: &mut R,
) -> RecoveryCodes {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(random)).collect();
    let hashes = codes.iter().map(|code| keyed(key, "recovery code", user, code)).collect();
    RecoveryCodes { codes, hashes }
}

/// Which of the stored hashes `code` belongs to. Remove that one from storage **before** letting the user in; a
/// removal that finds it gone means that somebody else used it.
///
/// Hashes imported from Rocket.Chat (plain hex SHA-256) are accepted too.
pub fn find_recovery_code(key: &SecretKey, user: &str, code: &str, stored: &[String]) -> Option<usize> {
    if code.len() != RECOVERY_CODE_CHARS {
        return None;
    }
    let ours = keyed(key, "recovery code", user, code);
    let imported = hex(&Sha256::digest(code.as_bytes()).into());
    // All are compared, so the time doesn't tell which.
    stored.iter().enumerate().fold(None, |found, (index, hash)| {
        let same = hash.as_bytes().ct_eq(ours.as_bytes()) | hash.as_bytes().ct_eq(imported.as_bytes());
        if bool::from(same) { Some(index) } else { found }
    })
}

/// Makes a six-digit code for `user`, good until [`EMAIL_CODE_MS`] after `now` (milliseconds since 1970). It
/// replaces the user's earlier code.
pub fn new_email_code<R: CryptoRng + ?Sized>(
    key: &SecretKey,
    user: &str,
    now: i64,
    random: &mut R,
) -> EmailCode {
    let code = format!("{:06}", random.random_range(0..1_000_000_u32));
    let hash = keyed(key, "e-mail code", user, &code);
    EmailCode { code, hash, expires_at: now.saturating_add(EMAIL_CODE_MS) }
}

/// Checks an e-mail code against what is stored. After success the caller removes it, and only then lets the user
/// in.
///
/// # Errors
/// [`CodeRefused`]; a wrong code is `Wrong` whether or not the right one has expired.
pub fn check_email_code(
    key: &SecretKey,
    user: &str,
    code: &str,
    stored_hash: &str,
    expires_at: i64,
    now: i64,
) -> Result<(), CodeRefused> {
    let same = keyed(key, "e-mail code", user, code.trim()).as_bytes().ct_eq(stored_hash.as_bytes());
    if !bool::from(same) {
        return Err(CodeRefused::Wrong);
    }
    if now >= expires_at { Err(CodeRefused::Expired) } else { Ok(()) }
}

fn recovery_code<R: CryptoRng + ?Sized>(random: &mut R) -> String {
    (0..RECOVERY_CODE_CHARS).map(|_| char::from(ALPHABET[random.random_range(0..ALPHABET.len())])).collect()
}

/// A keyed hash: the sub-key leads, every part is preceded by its length, and the output is 32 bytes of SHA-256
/// over fixed-purpose input, so neither extension nor mixing of parts is possible.
fn keyed(key: &SecretKey, purpose: &str, user: &str, code: &str) -> String {
    let bound = key.derive(&format!("{purpose} {}:{user} {}:{code}", user.len(), code.len()));
    format!("k1.{}", hex(&bound))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;
    use std::collections::HashSet;

    fn key() -> SecretKey {
        SecretKey::from_bytes([3; 32])
    }

    fn random() -> StdRng {
        StdRng::seed_from_u64(5)
    }

    #[test]
    fn twelve_different_codes_each_find_their_own_hash() {
        let set = new_recovery_codes(&key(), "alice", &mut random());
        assert_eq!(set.codes.iter().collect::<HashSet<_>>().len(), RECOVERY_CODES);
        for (index, code) in set.codes.iter().enumerate() {
            assert_eq!(code.len(), RECOVERY_CODE_CHARS);
            assert_eq!(find_recovery_code(&key(), "alice", code, &set.hashes), Some(index));
        }
    }

    #[test]
    fn a_used_another_users_or_made_up_recovery_code_is_refused() {
        let set = new_recovery_codes(&key(), "alice", &mut random());
        let mut left = set.hashes.clone();
        left.remove(3);
        assert_eq!(find_recovery_code(&key(), "alice", &set.codes[3], &left), None);
        assert_eq!(find_recovery_code(&key(), "bob", &set.codes[3], &set.hashes), None);
        assert_eq!(
            find_recovery_code(&SecretKey::from_bytes([4; 32]), "alice", &set.codes[3], &set.hashes),
            None
        );
        for code in ["", "12345678", "123456", &set.hashes[0], &"x".repeat(100_000)] {
            assert_eq!(find_recovery_code(&key(), "alice", code, &set.hashes), None);
        }
    }

    #[test]
    fn recovery_codes_of_an_imported_user_work() {
        // SHA-256 of "abcd2345" in hex, as Rocket.Chat stores it.
        let stored = vec!["x".to_owned(), hex(&Sha256::digest(b"abcd2345").into())];
        assert_eq!(find_recovery_code(&key(), "alice", "abcd2345", &stored), Some(1));
        assert_eq!(find_recovery_code(&key(), "alice", "abcd2346", &stored), None);
    }

    #[test]
    fn an_email_code_works_for_ten_minutes_and_its_user() {
        let mail = new_email_code(&key(), "alice", 1000, &mut random());
        assert!(mail.code.len() == 6 && mail.code.bytes().all(|b| b.is_ascii_digit()), "{}", mail.code);
        assert!(!mail.hash.contains(&mail.code));
        let check =
            |user, code: &str, now| check_email_code(&key(), user, code, &mail.hash, mail.expires_at, now);
        assert_eq!(check("alice", &mail.code, 1000), Ok(()));
        assert_eq!(check("alice", &format!(" {} ", mail.code), 1000 + EMAIL_CODE_MS - 1), Ok(()));
        assert_eq!(check("alice", &mail.code, 1000 + EMAIL_CODE_MS), Err(CodeRefused::Expired));
        assert_eq!(check("bob", &mail.code, 1000), Err(CodeRefused::Wrong));
        for code in ["", "000000", "abcdef", &mail.hash] {
            assert_eq!(check("alice", code, 1000 + EMAIL_CODE_MS), Err(CodeRefused::Wrong));
        }
    }

    #[test]
    fn small_email_codes_keep_their_leading_zeros() {
        let mut random = random();
        let codes: Vec<String> =
            (0..200).map(|_| new_email_code(&key(), "alice", 0, &mut random).code).collect();
        assert!(codes.iter().all(|code| code.len() == 6));
        assert!(codes.iter().any(|code| code.starts_with('0')));
    }

    #[test]
    fn user_and_code_cannot_be_shifted_into_each_other() {
        assert_ne!(keyed(&key(), "p", "a", "b c"), keyed(&key(), "p", "a b", "c"));
        assert_ne!(keyed(&key(), "p", "a", ""), keyed(&key(), "p", "", "a"));
    }
}

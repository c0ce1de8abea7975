//! Codes that work once: recovery codes for a lost authenticator, and six digits sent by e-mail.
//!
//! Both are too short to withstand guessing from a plain hash (a million, or 10^14 possibilities), so what is
//! stored is keyed with the server key and bound to the user. Guessing at the door is [`crate::Lockout`]'s matter.

use crate::key::SecretKey;
use parlor_core::clock::{Random, Time};
use parlor_core::credentials::MailCode;
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// Recovery codes in one set.
pub const RECOVERY_CODES: usize = 12;
/// Characters of a recovery code; Rocket.Chat's clients tell it from a TOTP code by this.
pub const RECOVERY_CODE_CHARS: usize = 8;
/// How long an e-mail code works.
pub const MAIL_CODE_LIFE: Duration = Duration::from_secs(10 * 60);
/// No character that is easily taken for another.
const ALPHABET: &[u8; 55] = b"23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz";

/// A new set of recovery codes.
pub struct RecoveryCodes {
    /// To be shown once.
    pub codes: Vec<String>,
    /// To be stored, in the same order.
    pub hashes: Vec<[u8; 32]>,
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
pub fn new_recovery_codes(key: &SecretKey, user: &str, random: &dyn Random) -> RecoveryCodes {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| recovery_code(random)).collect();
    let hashes = codes.iter().map(|code| keyed(key, "recovery code", user, code)).collect();
    RecoveryCodes { codes, hashes }
}

/// Which of the stored hashes `code` belongs to. Remove that one from storage **before** letting the user in; a
/// removal that finds it gone means that somebody else used it.
///
/// Hashes imported from Rocket.Chat (plain SHA-256) are accepted too.
pub fn find_recovery_code(key: &SecretKey, user: &str, code: &str, stored: &[[u8; 32]]) -> Option<usize> {
    if code.len() != RECOVERY_CODE_CHARS {
        return None;
    }
    let ours = keyed(key, "recovery code", user, code);
    let imported: [u8; 32] = Sha256::digest(code.as_bytes()).into();
    // All are compared, so the time doesn't tell which.
    stored.iter().enumerate().fold(None, |found, (index, hash)| {
        if bool::from(hash.ct_eq(&ours) | hash.ct_eq(&imported)) { Some(index) } else { found }
    })
}

/// Makes a six-digit code for `user`, good until [`MAIL_CODE_LIFE`] after `now`. It replaces the user's earlier
/// code.
pub fn new_mail_code(key: &SecretKey, user: &str, now: Time, random: &dyn Random) -> MailCode {
    let code = format!("{:06}", below(random, 1_000_000));
    let hash = keyed(key, "e-mail code", user, &code);
    MailCode { code, hash, expires_at: now.after(MAIL_CODE_LIFE) }
}

/// Checks an e-mail code against what is stored. After success the caller removes it, and only then lets the user
/// in.
///
/// # Errors
/// [`CodeRefused`]; a wrong code is `Wrong` whether or not the right one has expired.
pub fn check_mail_code(
    key: &SecretKey,
    user: &str,
    code: &str,
    stored: (&[u8; 32], Time),
    now: Time,
) -> Result<(), CodeRefused> {
    let (hash, expires_at) = stored;
    if !bool::from(keyed(key, "e-mail code", user, code.trim()).ct_eq(hash)) {
        return Err(CodeRefused::Wrong);
    }
    if now >= expires_at { Err(CodeRefused::Expired) } else { Ok(()) }
}

fn recovery_code(random: &dyn Random) -> String {
    (0..RECOVERY_CODE_CHARS).map(|_| char::from(ALPHABET[below(random, 55) as usize])).collect()
}

/// An even choice from 0 to `end - 1`: draws that would favour the small numbers are thrown away.
fn below(random: &dyn Random, end: u32) -> u32 {
    let fair = u32::MAX - u32::MAX % end;
    loop {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let drawn = u32::from_be_bytes(bytes);
        if drawn < fair {
            return drawn % end;
        }
    }
}

/// A hash keyed with the server key. Every part is preceded by its length, so none can be shifted into the next.
fn keyed(key: &SecretKey, purpose: &str, user: &str, code: &str) -> [u8; 32] {
    key.derive(&format!("{purpose} {}:{user} {}:{code}", user.len(), code.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;
    use std::collections::HashSet;

    fn key() -> SecretKey {
        SecretKey::from_bytes([3; 32])
    }

    fn random() -> Seeded {
        Seeded::new(5)
    }

    #[test]
    fn twelve_different_codes_each_find_their_own_hash() {
        let set = new_recovery_codes(&key(), "alice", &random());
        assert_eq!(set.codes.iter().collect::<HashSet<_>>().len(), RECOVERY_CODES);
        for (index, code) in set.codes.iter().enumerate() {
            assert_eq!(code.len(), RECOVERY_CODE_CHARS);
            assert_eq!(find_recovery_code(&key(), "alice", code, &set.hashes), Some(index));
        }
    }

    #[test]
    fn a_used_another_users_or_made_up_recovery_code_is_refused() {
        let set = new_recovery_codes(&key(), "alice", &random());
        let mut left = set.hashes.clone();
        left.remove(3);
        assert_eq!(find_recovery_code(&key(), "alice", &set.codes[3], &left), None);
        assert_eq!(find_recovery_code(&key(), "bob", &set.codes[3], &set.hashes), None);
        assert_eq!(
            find_recovery_code(&SecretKey::from_bytes([4; 32]), "alice", &set.codes[3], &set.hashes),
            None
        );
        for code in ["", "12345678", "123456", &"x".repeat(100_000)] {
            assert_eq!(find_recovery_code(&key(), "alice", code, &set.hashes), None);
        }
    }

    #[test]
    fn recovery_codes_of_an_imported_user_work() {
        // SHA-256 of "abcd2345" as Rocket.Chat stores it.
        let stored = [[0; 32], Sha256::digest(b"abcd2345").into()];
        assert_eq!(find_recovery_code(&key(), "alice", "abcd2345", &stored), Some(1));
        assert_eq!(find_recovery_code(&key(), "alice", "abcd2346", &stored), None);
    }

    #[test]
    fn a_mail_code_works_for_ten_minutes_and_its_user() {
        const LIFE: i64 = 600_000;
        let mail = new_mail_code(&key(), "alice", Time(1000), &random());
        assert!(mail.code.len() == 6 && mail.code.bytes().all(|b| b.is_ascii_digit()), "{}", mail.code);
        let stored = (&mail.hash, mail.expires_at);
        let check = |user, code: &str, now| check_mail_code(&key(), user, code, stored, Time(now));
        assert_eq!(check("alice", &mail.code, 1000), Ok(()));
        assert_eq!(check("alice", &format!(" {} ", mail.code), 1000 + LIFE - 1), Ok(()));
        assert_eq!(check("alice", &mail.code, 1000 + LIFE), Err(CodeRefused::Expired));
        assert_eq!(check("bob", &mail.code, 1000), Err(CodeRefused::Wrong));
        for code in ["", "000000", "abcdef", "1234567"] {
            assert_eq!(check("alice", code, 1000 + LIFE), Err(CodeRefused::Wrong));
        }
    }

    #[test]
    fn small_mail_codes_keep_their_leading_zeros() {
        let random = random();
        let codes: Vec<String> =
            (0..200).map(|_| new_mail_code(&key(), "alice", Time(0), &random).code).collect();
        assert!(codes.iter().all(|code| code.len() == 6));
        assert!(codes.iter().any(|code| code.starts_with('0')));
    }

    #[test]
    fn every_character_and_digit_is_drawn() {
        let random = random();
        let drawn: HashSet<u32> = (0..2000).map(|_| below(&random, 55)).collect();
        assert_eq!(drawn, (0..55).collect());
    }

    #[test]
    fn user_and_code_cannot_be_shifted_into_each_other() {
        assert_ne!(keyed(&key(), "p", "a", "b c"), keyed(&key(), "p", "a b", "c"));
        assert_ne!(keyed(&key(), "p", "a", ""), keyed(&key(), "p", "", "a"));
    }
}

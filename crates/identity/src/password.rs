//! Passwords: one stored form for the two ways a client presents one.
//!
//! Rocket.Chat clients send either the plain password or `{digest, algorithm: "sha-256"}` with the hex SHA-256 of
//! it. The server can turn the first into the second but not back, so what is hashed is always **the lower-case
//! hex SHA-256 of the password** (64 ASCII bytes): argon2id over it for our own hashes, bcrypt over it in hashes
//! that came from Rocket.Chat. The digest is therefore as good as the password; it must travel over TLS only.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use parlor_core::credentials::{Password, Verdict};
use sha2::{Digest, Sha256};
use std::fmt;

/// Memory of one hash, in KiB (19 MiB).
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// The most that a stored hash may ask for: a foreign hash must not be able to stall the server.
const MAX_MEMORY_KIB: u32 = 64 * 1024;
const MAX_PASSES: u32 = 8;
const MAX_LANES: u32 = 4;
const MAX_BCRYPT_COST: u32 = 14;
/// Longest plain password, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 4096;

/// Costs what a real hash costs and matches nothing (its output is all zeros).
const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$cGFybG9yLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A presented password, reduced to the lower-case hex SHA-256 that is hashed. Never printed.
#[derive(Clone)]
pub struct Reduced([u8; 64]);

/// Why something can't be a password at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPassword {
    /// Nothing was given, or the digest of nothing.
    #[error("a password is required")]
    Empty,
    /// Longer than [`MAX_PASSWORD_BYTES`].
    #[error("the password is too long")]
    TooLong,
    /// Not 64 hexadecimal digits.
    #[error("the password digest must be a hex SHA-256")]
    BadDigest,
}

impl TryFrom<&Password> for Reduced {
    type Error = BadPassword;

    fn try_from(password: &Password) -> Result<Self, BadPassword> {
        match password {
            Password::Plain(text) => Self::plain(text),
            Password::Digest(digest) => Self::digest(digest),
        }
    }
}

impl Reduced {
    /// From the password itself.
    ///
    /// # Errors
    /// [`BadPassword::Empty`], [`BadPassword::TooLong`].
    pub fn plain(text: &str) -> Result<Self, BadPassword> {
        if text.is_empty() {
            return Err(BadPassword::Empty);
        }
        if text.len() > MAX_PASSWORD_BYTES {
            return Err(BadPassword::TooLong);
        }
        Ok(Self(hex(&Sha256::digest(text.as_bytes()).into())))
    }

    /// The digest that stands in for text which is no password; compare it with nothing.
    pub fn nobodys() -> Self {
        Self([b'0'; 64])
    }

    /// From the hex SHA-256 of the password, in either case.
    ///
    /// # Errors
    /// [`BadPassword::BadDigest`], and [`BadPassword::Empty`] for the digest of the empty string.
    pub fn digest(digest: &str) -> Result<Self, BadPassword> {
        let bytes: [u8; 64] = digest.as_bytes().try_into().map_err(|_| BadPassword::BadDigest)?;
        if !bytes.iter().all(u8::is_ascii_hexdigit) {
            return Err(BadPassword::BadDigest);
        }
        let bytes = bytes.map(|b| b.to_ascii_lowercase());
        if bytes == hex(&Sha256::digest(b"").into()) {
            return Err(BadPassword::Empty);
        }
        Ok(Self(bytes))
    }
}

impl fmt::Debug for Reduced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reduced(..)")
    }
}

/// Hashes a password for storage: argon2id, 19 MiB, 2 passes, 1 lane, as a PHC string of about 97 characters.
///
/// Takes tens of milliseconds of one core: call it through [`crate::PasswordPool`].
pub fn hash(password: &Reduced, salt: [u8; 16]) -> String {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the costs are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(&password.0, &salt)
        .expect("a 16 byte salt and a 64 byte password are within argon2's limits")
        .to_string()
}

/// Checks a password against what is stored. Without a stored hash (no such user, no password set) or with one that
/// can't be read, it does the same work and says [`Verdict::Wrong`], so that the time tells nothing.
///
/// An imported bcrypt hash takes bcrypt's time until the first login replaces it; that difference remains.
///
/// Takes tens of milliseconds of one core: call it through [`crate::PasswordPool`].
pub fn verify(password: &Reduced, stored: Option<&str>) -> Verdict {
    let verdict = stored.and_then(|stored| {
        if stored.starts_with("$2") {
            verify_bcrypt(password, stored)
        } else {
            verify_argon2(password, stored)
        }
    });
    verdict.unwrap_or_else(|| {
        verify_argon2(password, DUMMY);
        Verdict::Wrong
    })
}

/// `None` when no work was done because the stored text is no usable hash.
fn verify_argon2(password: &Reduced, stored: &str) -> Option<Verdict> {
    let parsed = PasswordHash::new(stored).ok()?;
    let params = Params::try_from(&parsed).ok()?;
    let within =
        params.m_cost() <= MAX_MEMORY_KIB && params.t_cost() <= MAX_PASSES && params.p_cost() <= MAX_LANES;
    if !within || parsed.hash.is_none() || parsed.salt.is_none() {
        return None;
    }
    if Argon2::default().verify_password(&password.0, &parsed).is_err() {
        return Some(Verdict::Wrong);
    }
    let current = parsed.algorithm.as_str() == Algorithm::Argon2id.as_str()
        && parsed.version == Some(Version::V0x13.into())
        && (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY_KIB, PASSES, LANES)
        && parsed.salt.as_ref().map(|s| s.as_ref().len()) >= Some(16)
        && parsed.hash.as_ref().map(|h| h.len()) >= Some(32);
    Some(Verdict::Right { rehash: !current })
}

/// `None` when no work was done because the stored text is no usable hash.
fn verify_bcrypt(password: &Reduced, stored: &str) -> Option<Verdict> {
    let cost = stored.parse::<bcrypt::HashParts>().ok()?.get_cost();
    if cost > MAX_BCRYPT_COST {
        return None;
    }
    match bcrypt::verify(password.0, stored).ok()? {
        true => Some(Verdict::Right { rehash: true }),
        false => Some(Verdict::Wrong),
    }
}

fn hex(bytes: &[u8; 32]) -> [u8; 64] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    std::array::from_fn(|i| {
        let byte = bytes[i / 2];
        DIGITS[usize::from(if i % 2 == 0 { byte >> 4 } else { byte & 15 })]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [7; 16];
    /// SHA-256 of "correct horse".
    fn horse_digest() -> String {
        String::from_utf8(hex(&Sha256::digest(b"correct horse").into()).to_vec()).unwrap()
    }

    #[test]
    fn the_plain_password_and_its_digest_open_the_same_account() {
        let stored = hash(&Reduced::plain("correct horse").unwrap(), SALT);
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let right = Verdict::Right { rehash: false };
        assert_eq!(verify(&Reduced::plain("correct horse").unwrap(), Some(&stored)), right);
        assert_eq!(verify(&Reduced::digest(&horse_digest()).unwrap(), Some(&stored)), right);
        assert_eq!(verify(&Reduced::digest(&horse_digest().to_uppercase()).unwrap(), Some(&stored)), right);
        assert_eq!(verify(&Reduced::plain("correct horses").unwrap(), Some(&stored)), Verdict::Wrong);
    }

    #[test]
    fn the_digest_typed_as_a_plain_password_is_wrong() {
        let stored = hash(&Reduced::plain("correct horse").unwrap(), SALT);
        assert_eq!(verify(&Reduced::plain(&horse_digest()).unwrap(), Some(&stored)), Verdict::Wrong);
    }

    #[test]
    fn a_rocket_chat_bcrypt_hash_is_accepted_and_asks_for_a_new_one() {
        for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
            let stored = bcrypt::hash_with_salt(horse_digest(), 4, SALT).unwrap().format_for_version(version);
            let right = Verdict::Right { rehash: true };
            assert_eq!(verify(&Reduced::plain("correct horse").unwrap(), Some(&stored)), right);
            assert_eq!(verify(&Reduced::digest(&horse_digest()).unwrap(), Some(&stored)), right);
            assert_eq!(verify(&Reduced::plain("wrong").unwrap(), Some(&stored)), Verdict::Wrong);
        }
    }

    #[test]
    fn a_bcrypt_hash_made_by_another_program_is_accepted() {
        // Made by an independent bcrypt over the hex SHA-256 of "correct horse", cost 10 as Rocket.Chat uses.
        const FOREIGN: &str = include_str!("../tests/data/bcrypt.txt");
        let verdict = verify(&Reduced::plain("correct horse").unwrap(), Some(FOREIGN.trim()));
        assert_eq!(verdict, Verdict::Right { rehash: true });
    }

    #[test]
    fn weaker_argon2_costs_ask_for_a_new_hash() {
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let password = Reduced::plain("correct horse").unwrap();
        let stored = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_with_salt(&password.0, &SALT)
            .unwrap()
            .to_string();
        assert_eq!(verify(&password, Some(&stored)), Verdict::Right { rehash: true });
    }

    #[test]
    fn nobody_and_damaged_hashes_are_wrong() {
        let password = Reduced::plain("correct horse").unwrap();
        let damaged = [
            "",
            "x",
            "correct horse",
            "$2b$10$short",
            "$2b$31$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcdefghi",
            "$argon2id$v=19$m=4194304,t=2,p=1$cGFybG9yLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=4000000,p=1$cGFybG9yLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=19456,t=2,p=1$cGFybG9yLW5vYm9keQ",
            "$scrypt$ln=15,r=8,p=1$cGFybG9yLW5vYm9keQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            DUMMY,
        ];
        assert_eq!(verify(&password, None), Verdict::Wrong);
        for stored in damaged {
            assert_eq!(verify(&password, Some(stored)), Verdict::Wrong, "{stored}");
        }
    }

    #[test]
    fn an_unknown_user_costs_a_full_hash() {
        assert_eq!(verify_argon2(&Reduced::plain("x").unwrap(), DUMMY), Some(Verdict::Wrong));
        let params = Params::try_from(&PasswordHash::new(DUMMY).unwrap()).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (MEMORY_KIB, PASSES, LANES));
    }

    #[test]
    fn what_cannot_be_a_password_is_refused() {
        let empty = String::from_utf8(hex(&Sha256::digest(b"").into()).to_vec()).unwrap();
        assert_eq!(Reduced::plain("").unwrap_err(), BadPassword::Empty);
        assert_eq!(Reduced::digest(&empty).unwrap_err(), BadPassword::Empty);
        assert_eq!(Reduced::plain(&"x".repeat(4097)).unwrap_err(), BadPassword::TooLong);
        assert!(Reduced::plain(&"x".repeat(4096)).is_ok());
        for digest in ["", "abc", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert_eq!(Reduced::digest(digest).unwrap_err(), BadPassword::BadDigest, "{digest}");
        }
    }

    #[test]
    fn a_password_never_prints_itself() {
        assert_eq!(format!("{:?}", Reduced::plain("correct horse").unwrap()), "Reduced(..)");
    }
}

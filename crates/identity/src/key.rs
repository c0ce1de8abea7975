//! The server key: one secret of 32 bytes from which every other key is derived, and sealing with it.
//!
//! It lives in `secret.key` in the data directory (mode 0600, made on the first start) or is given as
//! `PARLOR_SECRET_KEY`. It is not in the database, so a stolen database or backup alone opens no second factor.
//! Without the key, sealed secrets are lost: users set up their second factor anew.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use parlor_core::clock::Random;
use sha2::Sha256;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The key's file name in the data directory.
pub const FILE_NAME: &str = "secret.key";
/// Fewest characters of a key given by configuration.
pub const MIN_GIVEN_CHARS: usize = 32;
/// A key file is one short line; no more than this is read.
const MAX_FILE_BYTES: u64 = 1024;
const NONCE_BYTES: usize = 24;
/// Leads every sealed text, so that the form can change later.
const SEAL_VERSION: &str = "s1.";

/// The server key. Never printed.
#[derive(Clone)]
pub struct SecretKey([u8; 32]);

/// Why there is no usable server key; the server must not start.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// `PARLOR_SECRET_KEY` is too short.
    #[error("PARLOR_SECRET_KEY needs at least {MIN_GIVEN_CHARS} characters")]
    TooShort,
    /// The file is there but doesn't hold a key.
    #[error(
        "{0} holds no key: put the right one back, or remove it to have a new one made (second factors are then lost)"
    )]
    Damaged(PathBuf),
    /// Reading or writing failed.
    #[error("cannot read or make {0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// A sealed text that this key can't open: another key, another owner, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the sealed secret cannot be opened with this server key")]
pub struct CannotOpen;

impl SecretKey {
    /// The key for a server: `given` (from `PARLOR_SECRET_KEY`) when there is one, else the file in `data_dir`,
    /// which is made when it is missing. Two servers that start together end up with the same file.
    ///
    /// # Errors
    /// [`KeyError`]; blank `given` counts as none.
    pub fn load(data_dir: &Path, given: Option<&str>, random: &dyn Random) -> Result<Self, KeyError> {
        if let Some(given) = given.map(str::trim).filter(|text| !text.is_empty()) {
            return Self::from_text(given);
        }
        let path = data_dir.join(FILE_NAME);
        let failed = |error| KeyError::Io(path.clone(), error);
        if !path.try_exists().map_err(failed)? {
            make_file(data_dir, &path, random).map_err(failed)?;
        }
        Self::from_file(&path)
    }

    /// A key from the words of an operator; any text of at least [`MIN_GIVEN_CHARS`] characters.
    ///
    /// # Errors
    /// [`KeyError::TooShort`].
    pub fn from_text(text: &str) -> Result<Self, KeyError> {
        if text.chars().count() < MIN_GIVEN_CHARS {
            return Err(KeyError::TooShort);
        }
        Ok(Self(expand(text.as_bytes(), b"parlor given key", b"")))
    }

    /// A key from 32 random bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    fn from_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |error| KeyError::Io(path.to_owned(), error);
        let file = File::open(path).map_err(failed)?;
        let mode = file.metadata().map_err(failed)?.permissions().mode();
        if mode & 0o077 != 0 {
            tracing::warn!(path = %path.display(), mode = format!("{:o}", mode & 0o777), "the server key can be read by others: chmod 600");
        }
        let mut text = String::new();
        let damaged = || KeyError::Damaged(path.to_owned());
        match file.take(MAX_FILE_BYTES).read_to_string(&mut text) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(damaged()),
            Err(error) => return Err(failed(error)),
        }
        let bytes = URL_SAFE_NO_PAD.decode(text.trim()).map_err(|_| damaged())?;
        Ok(Self(bytes.try_into().map_err(|_| damaged())?))
    }

    /// The sub-key for one purpose, such as `"file urls"`; different purposes give unrelated keys.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        expand(&self.0, b"parlor", purpose.as_bytes())
    }

    /// Encrypts `secret` for storage. It opens only with the same key, `purpose` and `owner` (say, the user's id),
    /// so a sealed text can't be moved to another user's row.
    pub fn seal(&self, purpose: &str, owner: &str, secret: &[u8], random: &dyn Random) -> String {
        let mut nonce = [0; NONCE_BYTES];
        random.fill(&mut nonce);
        let sealed = self
            .cipher(purpose)
            .encrypt(&XNonce::from(nonce), Payload { msg: secret, aad: owner.as_bytes() })
            .expect("a secret in memory is far below the cipher's limit of 256 GiB");
        format!("{SEAL_VERSION}{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// Opens what [`SecretKey::seal`] made.
    ///
    /// # Errors
    /// [`CannotOpen`].
    pub fn open(&self, purpose: &str, owner: &str, sealed: &str) -> Result<Vec<u8>, CannotOpen> {
        let text = sealed.strip_prefix(SEAL_VERSION).ok_or(CannotOpen)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| CannotOpen)?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>().ok_or(CannotOpen)?;
        self.cipher(purpose)
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: owner.as_bytes() })
            .map_err(|_| CannotOpen)
    }

    fn cipher(&self, purpose: &str) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(self.derive(&format!("seal {purpose}"))))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

fn expand(secret: &[u8], salt: &[u8], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand(info, &mut key)
        .expect("32 bytes are below HKDF's limit of 8160");
    key
}

/// Makes the key file whole or not at all: written and synced under another name, then linked, which fails when
/// another process was first; its key counts then.
fn make_file(dir: &Path, path: &Path, random: &dyn Random) -> io::Result<()> {
    let mut bytes = [0; 32];
    random.fill(&mut bytes);
    let temporary = dir.join(format!("{FILE_NAME}.{}.new", std::process::id()));
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(format!("{}\n", URL_SAFE_NO_PAD.encode(bytes)).as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Seeded;

    fn random() -> Seeded {
        Seeded::new(7)
    }

    #[test]
    fn the_first_start_makes_a_private_key_file_and_the_next_reads_it() {
        let dir = tempfile::tempdir().unwrap();
        let first = SecretKey::load(dir.path(), None, &random()).unwrap();
        let path = dir.path().join(FILE_NAME);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let again = SecretKey::load(dir.path(), Some("  "), &Seeded::new(8)).unwrap();
        assert_eq!(first.0, again.0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn whoever_makes_the_file_second_uses_the_first_ones_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        make_file(dir.path(), &path, &Seeded::new(1)).unwrap();
        let first = fs::read(&path).unwrap();
        make_file(dir.path(), &path, &Seeded::new(2)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
    }

    #[test]
    fn a_damaged_key_file_stops_the_start_instead_of_being_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        for content in [&b""[..], b"short", b"\xff\xfe", &[b'A'; 5000]] {
            fs::write(&path, content).unwrap();
            let error = SecretKey::load(dir.path(), None, &random()).unwrap_err();
            assert!(matches!(error, KeyError::Damaged(_)), "{error}");
            assert_eq!(fs::read(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_missing_data_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = SecretKey::load(&dir.path().join("none"), None, &random()).unwrap_err();
        assert!(matches!(error, KeyError::Io(..)), "{error}");
    }

    #[test]
    fn a_given_key_is_used_instead_of_the_file_and_must_be_long() {
        let dir = tempfile::tempdir().unwrap();
        let given = "0123456789abcdef0123456789abcdef";
        let one = SecretKey::load(dir.path(), Some(given), &random()).unwrap();
        let two = SecretKey::load(dir.path(), Some(&format!("{given}\n")), &random()).unwrap();
        assert_eq!(one.0, two.0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(matches!(SecretKey::from_text(&given[1..]), Err(KeyError::TooShort)));
    }

    #[test]
    fn what_is_sealed_opens_for_its_owner_only() {
        let key = SecretKey::from_bytes([1; 32]);
        let sealed = key.seal("totp", "alice", b"secret", &random());
        assert!(!sealed.contains("secret"));
        assert_eq!(key.open("totp", "alice", &sealed).unwrap(), b"secret");
        assert_eq!(key.open("totp", "bob", &sealed), Err(CannotOpen));
        assert_eq!(key.open("mail", "alice", &sealed), Err(CannotOpen));
        assert_eq!(SecretKey::from_bytes([2; 32]).open("totp", "alice", &sealed), Err(CannotOpen));
    }

    #[test]
    fn a_changed_or_foreign_text_does_not_open() {
        let key = SecretKey::from_bytes([1; 32]);
        let sealed = key.seal("totp", "alice", b"secret", &random());
        for at in SEAL_VERSION.len()..sealed.len() {
            let mut text = sealed.clone().into_bytes();
            text[at] = if text[at] == b'A' { b'B' } else { b'A' };
            let text = String::from_utf8(text).unwrap();
            assert_eq!(key.open("totp", "alice", &text), Err(CannotOpen), "{at}");
        }
        for text in ["", "s1.", "s1.AAAA", "s2.AAAA", "secret", "s1.ä"] {
            assert_eq!(key.open("totp", "alice", text), Err(CannotOpen), "{text}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_the_same_way_twice() {
        let (key, random) = (SecretKey::from_bytes([1; 32]), random());
        let seal = || key.seal("totp", "alice", b"secret", &random);
        assert_ne!(seal(), seal());
    }

    #[test]
    fn purposes_have_unrelated_keys() {
        let key = SecretKey::from_bytes([1; 32]);
        assert_eq!(key.derive("a"), key.derive("a"));
        assert_ne!(key.derive("a"), key.derive("b"));
        assert_ne!(key.derive("a"), [1; 32]);
    }
}

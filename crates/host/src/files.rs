//! Addresses of files, signed for one viewer.

use hmac::{Hmac, KeyInit, Mac};
use parlor_core::{
    clock::Time,
    id::{UploadId, UserId},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::{host::Host, problem::Problem};

/// What a path segment may hold as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What else a signature is for, so that one never serves as the other.
const READ: &str = "read";

/// A file's address for one viewer.
#[derive(Clone, Debug)]
pub struct SignedUrl {
    /// The whole address.
    pub url: String,
    /// When it ends.
    pub expires_at: Time,
}

impl Host {
    /// The address of a file, for this viewer, good from now for as long as the options say. With public media the
    /// bare address.
    pub fn file_url(&self, viewer: &UserId, id: &UploadId, name: &str) -> SignedUrl {
        let expires_at = self.now().after(self.options().file_url_ttl);
        let bare = format!("{}/api/files/{id}/{}", self.options().root_url, escaped(name));
        if self.options().public_media {
            return SignedUrl { url: bare, expires_at };
        }
        let seconds = expires_at.millis().div_euclid(1000);
        let signature = self.signature(READ, &[id, viewer, &seconds.to_string()]);
        let url = format!("{bare}?u={}&exp={seconds}&sig={signature}", escaped(viewer));
        SignedUrl { url, expires_at: Time(seconds * 1000) }
    }

    /// Whether an address was signed here, and for whom.
    ///
    /// # Errors
    /// `bad_signature`, `url_expired`.
    pub fn check_file_url(
        &self,
        id: &str,
        user: &str,
        exp: &str,
        signature: &str,
    ) -> Result<UserId, Problem> {
        let bad = || Problem::new(403, "bad_signature", "The signature is not valid");
        if !self.is_signature(READ, &[id, user, exp], signature) {
            return Err(bad());
        }
        let seconds: i64 = exp.parse().map_err(|_| bad())?;
        if self.now().millis() >= seconds.saturating_mul(1000) {
            return Err(Problem::new(403, "url_expired", "The address has expired"));
        }
        UserId::parse(user).ok_or_else(bad)
    }

    /// A signature over these parts for one purpose: lower-case hex.
    pub(crate) fn signature(&self, purpose: &str, parts: &[&str]) -> String {
        hex::encode(self.mac(purpose, parts).finalize().into_bytes())
    }

    /// Whether a signature is the one of these parts; takes the same time wherever they differ.
    pub(crate) fn is_signature(&self, purpose: &str, parts: &[&str], signature: &str) -> bool {
        let digit = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Option<Vec<u8>> = signature.as_bytes().chunks(2).map(digit).collect();
        bytes.is_some_and(|bytes| self.mac(purpose, parts).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, purpose: &str, parts: &[&str]) -> Hmac<Sha256> {
        // HMAC takes a key of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.options().file_key).expect("any length will do");
        mac.update(purpose.as_bytes());
        for part in parts {
            mac.update(b"\n");
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// For a path segment or a query value.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

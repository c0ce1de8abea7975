//! What binds an account with an authority to one that its customers have with it already (RFC 8555, 7.3.4).

use std::fmt;

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::Error;

/// Shortest key, in bytes: anything below could be guessed.
const SHORTEST: usize = 16;
/// Longest id, in bytes.
const LONGEST_ID: usize = 1_024;

/// The id and key that an authority gave its customer. Shown without the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Binding {
    pub(crate) id: String,
    pub(crate) key: Vec<u8>,
}

impl Binding {
    /// Reads them as authorities hand them out: the key in base64, with either alphabet, padded or not.
    ///
    /// # Errors
    /// When the id says nothing or the key is none.
    pub fn read(id: &str, key: &str) -> Result<Self, Error> {
        let unusable = |why: &str| Err(Error::Unusable(why.to_owned()));
        if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return unusable("the id of the external account is none");
        }
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let plain = key.trim().replace('+', "-").replace('/', "_");
        match GeneralPurpose::new(&alphabet::URL_SAFE, config).decode(plain) {
            Ok(key) if key.len() >= SHORTEST => Ok(Self { id: id.to_owned(), key }),
            Ok(_) => unusable("the key of the external account is too short"),
            Err(_) => unusable("the key of the external account is not in base64"),
        }
    }
}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_in_both_alphabets_with_or_without_padding_and_never_shown() {
        let wanted = [0xfb; 16];
        for text in ["-_v7-_v7-_v7-_v7-_v7-w", "-_v7-_v7-_v7-_v7-_v7-w==", " +/v7+/v7+/v7+/v7+/v7+w==\n"] {
            let read = Binding::read("kid-1", text).map(|binding| binding.key);
            assert_eq!(read.ok().as_deref(), Some(&wanted[..]), "{text}");
        }
        let shown = format!("{:?}", Binding::read("kid-1", "c2VjcmV0c2VjcmV0c2VjcmV0").ok());
        assert!(shown.contains("kid-1") && !shown.contains("115") && !shown.contains("secret"), "{shown}");
        for (id, key) in [
            ("", "c2VjcmV0c2VjcmV0c2VjcmV0"),
            ("a b", "c2VjcmV0c2VjcmV0c2VjcmV0"),
            ("a", "c2Vj"),
            ("a", "no*key"),
        ] {
            assert!(Binding::read(id, key).is_err(), "{id} {key}");
        }
    }
}

//! A certificate and its key in two files, as an administrator or another program keeps them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use rustls::{
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::CertifiedKey,
};

use crate::{Error, Shelf};

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A chain and a key are a few kilobytes; more is some other file.
const MAX_FILE: u64 = 1024 * 1024;

/// The two files, in PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The server's certificate first, then those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: PathBuf,
}

impl Pair {
    /// Puts what the files hold on the shelf.
    ///
    /// # Errors
    /// When a file can't be read or the two don't go together; the shelf keeps what it had.
    pub fn load(&self, shelf: &Shelf) -> Result<(), Error> {
        let (chain, key) = (self.read(&self.certificate)?, self.read(&self.key)?);
        let certified = certified(&chain, &key).map_err(|why| {
            Error::Unusable(format!("{} and {}: {why}", self.certificate.display(), self.key.display()))
        })?;
        shelf.put(Arc::new(certified));
        Ok(())
    }

    fn read(&self, path: &PathBuf) -> Result<Vec<u8>, Error> {
        let fault = |why: String| Error::File(path.display().to_string(), why);
        let size = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?.len();
        if size > MAX_FILE {
            return Err(fault("too large for a certificate or a key".to_owned()));
        }
        std::fs::read(path).map_err(|error| fault(error.to_string()))
    }

    /// What tells one state of the files from another; links are followed.
    fn stamp(&self) -> Vec<Option<(u64, std::time::SystemTime, u64)>> {
        use std::os::unix::fs::MetadataExt;
        let look = |path: &PathBuf| {
            let found = std::fs::metadata(path).ok()?;
            Some((found.len(), found.modified().ok()?, found.ino()))
        };
        [&self.certificate, &self.key].into_iter().map(look).collect()
    }
}

/// A chain and its key as handshakes want them.
pub(crate) fn certified(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, Error> {
    let unusable = |why: String| Error::Unusable(why);
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
        .collect::<Result<_, _>>()
        .map_err(|error| unusable(format!("no certificate in PEM: {error}")))?;
    if chain.is_empty() {
        return Err(unusable("no certificate in PEM".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(key)
        .map_err(|error| unusable(format!("no private key in PEM: {error}")))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|error| unusable(error.to_string()))
}

/// Looks at the files for ever and puts what changed on the shelf. What can't be used is said once and changes nothing.
pub async fn watch(shelf: Arc<Shelf>, pair: Pair) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut known = pair.stamp();
    loop {
        tick.tick().await;
        let now = pair.stamp();
        if now == known {
            continue;
        }
        known = now;
        match pair.load(&shelf) {
            Ok(()) => {
                tracing::info!(certificate = %pair.certificate.display(), "the certificate was read again")
            }
            // One file may be there before the other: the next change tries again.
            Err(error) => {
                tracing::warn!(%error, "the certificate changed and can't be used; the earlier one stays")
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;

    fn write(pair: &Pair, certificate: &str, key: &str) {
        std::fs::write(&pair.certificate, certificate).unwrap();
        std::fs::write(&pair.key, key).unwrap();
    }

    #[test]
    fn a_key_of_another_certificate_is_refused_and_the_earlier_pair_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pair = Pair { certificate: folder.path().join("c.pem"), key: folder.path().join("k.pem") };
        let shelf = Shelf::default();
        assert!(pair.load(&shelf).unwrap_err().to_string().contains("c.pem"), "a missing file is named");
        let made = |name: &str| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        let (one, other) = (made("one.example"), made("other.example"));
        write(&pair, &one.cert.pem(), &one.signing_key.serialize_pem());
        pair.load(&shelf).unwrap();
        let before = shelf.current_for_tests();
        write(&pair, &other.cert.pem(), &one.signing_key.serialize_pem());
        pair.load(&shelf).unwrap_err();
        write(&pair, "nothing", "nothing");
        pair.load(&shelf).unwrap_err();
        assert_eq!(shelf.current_for_tests(), before);
        write(&pair, &other.cert.pem(), &other.signing_key.serialize_pem());
        pair.load(&shelf).unwrap();
        assert_ne!(shelf.current_for_tests(), before);
    }
}

//! What outlives a restart: the account with the authority, and the last certificate.

use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use instant_acme::AccountCredentials;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use x509_parser::{extensions::GeneralName, prelude::FromDer};

use crate::{Error, files::certified};

const ACCOUNT: &str = "account.json";
const CERTIFICATE: &str = "certificate.pem";

/// The folder, which only the server may read.
#[derive(Clone, Debug)]
pub(crate) struct Kept(PathBuf);

#[derive(Deserialize, Serialize)]
struct KeptAccount {
    directory: String,
    credentials: AccountCredentials,
}

/// A certificate and how long it counts.
pub(crate) struct Issued {
    pub key: Arc<CertifiedKey>,
    pub from: SystemTime,
    pub until: SystemTime,
    names: Vec<String>,
}

impl Issued {
    /// Reads key and chain from PEM.
    pub(crate) fn read(pem: &[u8]) -> Result<Self, Error> {
        let key = certified(pem, pem)?;
        let first = key.cert.first().ok_or_else(|| Error::Unusable("no certificate".to_owned()))?;
        let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(first)
            .map_err(|error| Error::Unusable(format!("the certificate can't be read: {error}")))?;
        let at = |seconds: i64| {
            SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
        };
        let validity = parsed.validity();
        let (from, until) = (at(validity.not_before.timestamp()), at(validity.not_after.timestamp()));
        let listed = parsed.subject_alternative_name().ok().flatten();
        let names = listed.into_iter().flat_map(|list| list.value.general_names.iter());
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        let names = names.collect();
        Ok(Self { key: Arc::new(key), from, until, names })
    }

    /// Whether it has all these names.
    pub(crate) fn covers(&self, names: &[String]) -> bool {
        names.iter().all(|name| self.names.contains(&name.to_ascii_lowercase()))
    }

    /// When the next one is to be asked for: after two thirds of its time.
    pub(crate) fn renew_at(&self) -> SystemTime {
        let life = self.until.duration_since(self.from).unwrap_or_default();
        self.from + life * 2 / 3
    }
}

impl Kept {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    /// The account with this directory, if there is one.
    pub(crate) fn account(&self, directory: &str) -> Option<AccountCredentials> {
        let bytes = std::fs::read(self.0.join(ACCOUNT)).ok()?;
        match serde_json::from_slice::<KeptAccount>(&bytes) {
            Ok(kept) => (kept.directory == directory).then_some(kept.credentials),
            Err(error) => {
                tracing::warn!(%error, "the kept account can't be read; a new one is made");
                None
            }
        }
    }

    pub(crate) fn keep_account(&self, directory: &str, credentials: AccountCredentials) -> Result<(), Error> {
        let kept = KeptAccount { directory: directory.to_owned(), credentials };
        let bytes = serde_json::to_vec_pretty(&kept).map_err(|error| Error::Unusable(error.to_string()))?;
        self.write(ACCOUNT, &bytes)
    }

    /// The next account is a new one.
    pub(crate) fn forget_account(&self) -> Result<(), Error> {
        let path = self.0.join(ACCOUNT);
        std::fs::remove_file(&path)
            .map_err(|error| Error::File(path.display().to_string(), error.to_string()))
    }

    /// The last certificate, if it can be used.
    pub(crate) fn certificate(&self) -> Option<Issued> {
        let bytes = std::fs::read(self.0.join(CERTIFICATE)).ok()?;
        match Issued::read(&bytes) {
            Ok(issued) => Some(issued),
            Err(error) => {
                tracing::warn!(%error, "the kept certificate can't be used; a new one is asked for");
                None
            }
        }
    }

    /// Keeps key and chain, in one file so that they always go together.
    pub(crate) fn keep_certificate(&self, pem: &[u8]) -> Result<(), Error> {
        self.write(CERTIFICATE, pem)
    }

    /// All or nothing, and for the server's eyes alone.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let fault =
            |path: &Path, error: std::io::Error| Error::File(path.display().to_string(), error.to_string());
        std::fs::create_dir_all(&self.0).map_err(|error| fault(&self.0, error))?;
        let (path, draft) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let write = || {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            std::fs::File::open(&self.0)?.sync_all()
        };
        write().map_err(|error| fault(&path, error))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_kept_with_its_key_for_the_server_alone_and_says_when_it_is_to_be_renewed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::new(folder.path().join("acme"));
        assert!(kept.certificate().is_none());
        let made = rcgen::generate_simple_self_signed(["Chat.example.org".to_owned()]).unwrap();
        let pem = format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem());
        kept.keep_certificate(pem.as_bytes()).unwrap();
        let issued = kept.certificate().unwrap();
        assert!(issued.covers(&["chat.example.org".to_owned()]));
        assert!(!issued.covers(&["chat.example.org".to_owned(), "other.example.org".to_owned()]));
        assert!(issued.from < issued.renew_at() && issued.renew_at() < issued.until);
        let mode =
            std::fs::metadata(folder.path().join("acme/certificate.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join("acme/certificate.pem"), "broken").unwrap();
        assert!(kept.certificate().is_none());
        std::fs::write(folder.path().join("acme/account.json"), "broken").unwrap();
        assert!(kept.account("https://ca.example").is_none());
    }
}

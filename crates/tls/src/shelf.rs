//! What handshakes read: the certificate in force, and proofs for an authority that checks names.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use rustls::{
    ServerConfig,
    crypto::ring,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

use crate::Error;

/// What a client says that only checks a name (RFC 8737).
const CHECK: &[u8] = b"acme-tls/1";

/// The certificate in force, and what proves names while one is asked for.
#[derive(Debug, Default)]
pub struct Shelf {
    current: RwLock<Option<Arc<CertifiedKey>>>,
    /// By name, for checks over TLS. As many as names are being asked for.
    proofs: RwLock<HashMap<String, Arc<CertifiedKey>>>,
    /// By token, for checks over plain HTTP. As many as names are being asked for.
    answers: RwLock<HashMap<String, String>>,
}

impl Shelf {
    /// Puts a certificate in force: handshakes from now on show it.
    pub(crate) fn put(&self, certificate: Arc<CertifiedKey>) {
        *self.current.write() = Some(certificate);
    }

    /// Whether there is a certificate.
    pub fn is_filled(&self) -> bool {
        self.current.read().is_some()
    }

    /// What answers `GET /.well-known/acme-challenge/TOKEN`, while such a check is going on.
    pub fn answer(&self, token: &str) -> Option<String> {
        self.answers.read().get(token).cloned()
    }

    /// The certificate in force, as its bytes.
    #[cfg(test)]
    pub(crate) fn current_for_tests(&self) -> Option<Vec<u8>> {
        self.current.read().as_ref().and_then(|key| key.cert.first()).map(|first| first.to_vec())
    }

    pub(crate) fn prove(&self, name: &str, proof: CertifiedKey) {
        self.proofs.write().insert(name.to_ascii_lowercase(), Arc::new(proof));
    }

    pub(crate) fn say(&self, token: &str, answer: &str) {
        self.answers.write().insert(token.to_owned(), answer.to_owned());
    }

    pub(crate) fn forget_proofs(&self) {
        self.proofs.write().clear();
        self.answers.write().clear();
    }
}

impl ResolvesServerCert for Shelf {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let checks = hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == CHECK));
        if checks {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.proofs.read().get(&name).cloned();
        }
        self.current.read().clone()
    }
}

/// How the server shakes hands: TLS 1.2 and 1.3, HTTP/1.1 within (which WebSockets need).
///
/// # Errors
/// When the TLS library can't be set up.
pub fn server_config(shelf: Arc<Shelf>) -> Result<Arc<ServerConfig>, Error> {
    let unusable = |error: rustls::Error| Error::Unusable(error.to_string());
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_no_client_auth()
        .with_cert_resolver(shelf);
    config.alpn_protocols = vec![b"http/1.1".to_vec(), CHECK.to_vec()];
    // Whoever comes back soon saves a round trip, and the server keeps nothing for it.
    config.ticketer = ring::Ticketer::new().map_err(unusable)?;
    Ok(Arc::new(config))
}

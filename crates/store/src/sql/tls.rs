//! Where a PostgreSQL server is and how the way there is protected: `sslmode` and `sslrootcert` as libpq reads them.

use super::SqlError;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// A server, and how to speak to it.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) config: tokio_postgres::Config,
    pub(crate) tls: MakeRustlsConnect,
}

/// How far a certificate is looked at.
#[derive(Debug, PartialEq, Eq)]
enum Trust {
    /// Not at all: `prefer` and `require` protect against listeners, not against impostors.
    Anybody,
    /// It must be for this host, by these authorities or by those that the system trusts.
    Checked(Option<String>),
}

impl Target {
    /// Reads `postgres://…`. `sslmode` may be `disable`, `prefer` (the default), `require` or `verify-full`
    /// (`verify-ca` means the same here); `sslrootcert` names a file of authorities.
    pub(crate) fn parse(url: &str) -> Result<Self, SqlError> {
        let (url, trust) = split(url)?;
        let config: tokio_postgres::Config = url.parse()?;
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        let client = match trust {
            Trust::Anybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
                .with_no_client_auth(),
            Trust::Checked(file) => {
                builder.with_root_certificates(roots(file.as_deref())?).with_no_client_auth()
            }
        };
        Ok(Target { config, tls: MakeRustlsConnect::new(client) })
    }
}

fn unusable(error: impl std::fmt::Display) -> SqlError {
    SqlError::Other(format!("TLS to the database: {error}"))
}

/// Takes out what the client library does not know, and puts in what comes to the same.
fn split(url: &str) -> Result<(String, Trust), SqlError> {
    let Some((base, query)) = url.split_once('?') else { return Ok((url.to_owned(), Trust::Anybody)) };
    let (mut kept, mut checked, mut file) = (Vec::new(), false, None);
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("sslmode", "verify-full" | "verify-ca")) => {
                checked = true;
                kept.push("sslmode=require".to_owned());
            }
            Some(("sslrootcert", path)) => file = Some(decoded(path)?),
            _ => kept.push(pair.to_owned()),
        }
    }
    let trust = if checked { Trust::Checked(file) } else { Trust::Anybody };
    Ok((format!("{base}?{}", kept.join("&")), trust))
}

/// A value of a URL: `%2F` stands for a slash.
fn decoded(value: &str) -> Result<String, SqlError> {
    let bad = || SqlError::Other("sslrootcert is not a path".into());
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(bad)?;
            bytes.push(u8::from_str_radix(digits, 16).map_err(|_| bad())?);
            rest = &rest[2..];
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

fn roots(file: Option<&str>) -> Result<RootCertStore, SqlError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(path) => {
            for certificate in CertificateDer::pem_file_iter(path).map_err(unusable)? {
                roots.add(certificate.map_err(unusable)?).map_err(unusable)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(unusable("no authority to check the server's certificate by"));
    }
    Ok(roots)
}

/// Takes every certificate, but not a handshake that its key did not sign.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modes_that_check_the_server_become_one_that_the_library_knows() {
        let read = |url: &str| split(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(read("postgres://h/d"), ("postgres://h/d".into(), Trust::Anybody));
        assert_eq!(
            read("postgres://h/d?sslmode=require&sslrootcert=x"),
            ("postgres://h/d?sslmode=require".into(), Trust::Anybody)
        );
        let (url, trust) = read("postgres://h/d?a=b&sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem");
        assert_eq!(url, "postgres://h/d?a=b&sslmode=require");
        assert_eq!(trust, Trust::Checked(Some("/etc/ca.pem".into())));
        assert!(split("postgres://h/d?sslrootcert=%zz").is_err());
    }

    #[test]
    fn authorities_that_are_not_there_are_an_error_at_the_start() {
        assert!(Target::parse("postgres://h/d?sslmode=verify-full&sslrootcert=/no/such/file").is_err());
        assert!(Target::parse("postgres://h/d?sslmode=sometimes").is_err());
        assert!(Target::parse("postgres://h/d?sslmode=verify-full").is_ok_and(|target| {
            target.config.get_ssl_mode() == tokio_postgres::config::SslMode::Require
        }));
    }
}

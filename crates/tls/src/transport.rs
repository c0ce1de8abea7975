//! Calls to an authority: HTTPS with bounds.

use std::{path::Path, pin::Pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::{Error, chain};

/// How long one call may take, and its connection within.
const CALL: Duration = Duration::from_secs(30);
const CONNECT: Duration = Duration::from_secs(10);
/// What an authority may answer at most.
const MAX_ANSWER: usize = 1024 * 1024;

/// The HTTP client that the protocol's library uses. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport(reqwest::Client);

impl Transport {
    /// Trusts what the machine trusts (Mozilla's list where it has none), and the authorities in `also`.
    pub(crate) fn new(also: Option<&Path>) -> Result<Self, Error> {
        let unusable = |why: String| Error::Unusable(why);
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(path) = also {
            let fault = |why: String| Error::File(path.display().to_string(), why);
            let found = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
            for certificate in found {
                let certificate = certificate.map_err(|error| fault(error.to_string()))?;
                roots.add(certificate).map_err(|error| fault(error.to_string()))?;
            }
        }
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .https_only(true)
            .connect_timeout(CONNECT)
            .timeout(CALL)
            .build()
            .map_err(|error| unusable(error.to_string()))?;
        Ok(Self(client))
    }

    async fn call(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, instant_acme::Error> {
        let other = |error: reqwest::Error| instant_acme::Error::Other(chain(&error).into());
        let request = reqwest::Request::try_from(request.map(reqwest::Body::wrap)).map_err(other)?;
        let mut answered = self.0.execute(request).await.map_err(other)?;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = answered.chunk().await.map_err(other)? {
            if bytes.len() + chunk.len() > MAX_ANSWER {
                return Err(instant_acme::Error::Str("the authority's answer is too long"));
            }
            bytes.extend_from_slice(&chunk);
        }
        let mut response = Response::new(());
        *response.status_mut() = answered.status();
        *response.headers_mut() = std::mem::take(answered.headers_mut());
        let (parts, ()) = response.into_parts();
        Ok(BytesResponse { parts, body: Box::new(bytes.freeze()) })
    }
}

impl HttpClient for Transport {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        Box::pin(self.clone().call(request))
    }
}

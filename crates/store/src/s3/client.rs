//! The client under the store: encrypted by the one provider of the whole program, bounded in time.

use std::{sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{HttpClient, HttpConnector},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::S3Place;

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest silence of the store.
const SILENCE: Duration = Duration::from_secs(20);
/// How often a call is repeated, and until when.
const REPEATS: usize = 2;
const REPEAT_WITHIN: Duration = Duration::from_secs(15);

pub(super) fn store(place: &S3Place) -> Result<AmazonS3, String> {
    let mut builder = AmazonS3Builder::new()
        .with_region(&place.region)
        .with_bucket_name(&place.bucket)
        .with_access_key_id(&place.access_key)
        .with_secret_access_key(&place.secret_key)
        .with_virtual_hosted_style_request(!place.path_style)
        .with_allow_http(place.endpoint.starts_with("http://"))
        .with_retry(repeats(place.patience))
        .with_http_connector(Connector(client(place.patience)?))
        .with_endpoint(endpoint(place));
    if let Some(token) = &place.session_token {
        builder = builder.with_token(token);
    }
    builder.build().map_err(|error| error.to_string())
}

/// Where the bucket stands in the host name, the library wants it there already.
fn endpoint(place: &S3Place) -> String {
    let plain = place.endpoint.trim_end_matches('/');
    match plain.split_once("://") {
        Some((scheme, host)) if !place.path_style => format!("{scheme}://{}.{host}", place.bucket),
        _ => plain.to_owned(),
    }
}

fn repeats(patience: Duration) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        ..BackoffConfig::default()
    };
    RetryConfig { backoff, max_retries: REPEATS, retry_timeout: REPEAT_WITHIN.min(patience) }
}

/// The same client for every call.
#[derive(Debug)]
struct Connector(reqwest::Client);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.0.clone()))
    }
}

fn client(patience: Duration) -> Result<reqwest::Client, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT.min(patience))
        .read_timeout(SILENCE.min(patience))
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| error.to_string())
}

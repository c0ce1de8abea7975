//! The public keys of an identity provider: a JWKS document from wherever it comes, and when it is read again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use parking_lot::RwLock;
use serde_json::Value;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// Largest document, in bytes.
pub const MAX_DOCUMENT: usize = 256 * 1024;
/// Most keys that are taken from one document; the rest is ignored.
pub const MAX_KEYS: usize = 100;
/// An unknown key id has the document read again, but not more often than this.
pub const READ_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long reading may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// RSA keys from 2048 to 4096 bits; smaller ones are weak, larger ones cost time.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
const EC_BYTES: usize = 32;

/// Reads the document: a file here, later a guarded fetch of an address. It must bound what it reads to a little
/// over [`MAX_DOCUMENT`].
pub type ReadJwks = Arc<dyn Fn() -> JwksFuture + Send + Sync>;
/// What [`ReadJwks`] returns: the document, or why there is none (for the log).
pub type JwksFuture = Pin<Box<dyn Future<Output = Result<Vec<u8>, String>> + Send>>;

/// Why a document can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// Reading failed or took too long.
    #[error("the key set cannot be read: {0}")]
    Unreadable(String),
    /// Larger than [`MAX_DOCUMENT`].
    #[error("the key set is larger than {MAX_DOCUMENT} bytes")]
    TooLarge,
    /// Not `{"keys": [...]}`.
    #[error("the key set is no JWKS document")]
    Malformed,
    /// No RS256 or ES256 signature key in it.
    #[error("the key set holds no RSA (2048 to 4096 bits) or P-256 signature key")]
    NoKey,
}

/// A usable public key and the one algorithm it is for.
#[derive(Clone)]
pub struct PublicKey {
    /// `kid`, if the document gives one.
    pub id: Option<String>,
    /// RS256 or ES256; decided by the kind of key.
    pub algorithm: Algorithm,
    /// The key.
    pub key: DecodingKey,
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey").field("id", &self.id).field("algorithm", &self.algorithm).finish()
    }
}

/// A reader for a file.
pub fn file(path: PathBuf) -> ReadJwks {
    Arc::new(move || {
        let path = path.clone();
        Box::pin(async move {
            use tokio::io::AsyncReadExt as _;
            let failed = |error: std::io::Error| format!("{}: {error}", path.display());
            let file = tokio::fs::File::open(&path).await.map_err(failed)?;
            let mut document = Vec::new();
            file.take(MAX_DOCUMENT as u64 + 1).read_to_end(&mut document).await.map_err(failed)?;
            Ok(document)
        })
    })
}

/// The usable keys of a document. Keys of other kinds, for encryption, or damaged are passed over, and so are
/// symmetric ones: a public document holds no secret.
///
/// # Errors
/// [`JwksError`].
pub fn parse(document: &[u8]) -> Result<Vec<PublicKey>, JwksError> {
    if document.len() > MAX_DOCUMENT {
        return Err(JwksError::TooLarge);
    }
    let document: Value = serde_json::from_slice(document).map_err(|_| JwksError::Malformed)?;
    let keys = document.get("keys").and_then(Value::as_array).ok_or(JwksError::Malformed)?;
    let jwks = keys.iter().filter_map(|key| serde_json::from_value::<Jwk>(key.clone()).ok());
    let usable: Vec<PublicKey> = jwks.filter_map(|jwk| usable(&jwk)).take(MAX_KEYS).collect();
    if usable.is_empty() { Err(JwksError::NoKey) } else { Ok(usable) }
}

fn usable(jwk: &Jwk) -> Option<PublicKey> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(rsa) if is_modulus(&rsa.n) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(point)
            if point.curve == EllipticCurve::P256 && is_coordinate(&point.x) && is_coordinate(&point.y) =>
        {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let common = &jwk.common;
    let other_algorithm = common.key_algorithm.is_some_and(|alg| alg != named);
    let other_use = common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature);
    if other_algorithm || other_use {
        return None;
    }
    Some(PublicKey { id: common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

/// Whether a modulus is of a size that [`RSA_BYTES`] allows; zeros before it don't count.
fn is_modulus(base64url: &str) -> bool {
    let bytes = URL_SAFE_NO_PAD.decode(base64url).unwrap_or_default();
    RSA_BYTES.contains(&bytes.iter().skip_while(|b| **b == 0).count())
}

/// Whether this is a coordinate of P-256, which keeps its zeros.
fn is_coordinate(base64url: &str) -> bool {
    URL_SAFE_NO_PAD.decode(base64url).is_ok_and(|bytes| bytes.len() == EC_BYTES)
}

/// The keys in force, read again when a token names one that isn't there.
pub struct KeySet {
    read: ReadJwks,
    again_after: Duration,
    keys: RwLock<Arc<Vec<PublicKey>>>,
    /// When the document was last asked for; one asks at a time, the others wait for the outcome.
    last_read: Mutex<Option<Duration>>,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").field("keys", &*self.keys.read()).finish_non_exhaustive()
    }
}

impl KeySet {
    /// Without keys yet; they are read at the first need, or by [`KeySet::read_now`].
    pub fn new(read: ReadJwks) -> Self {
        Self { read, again_after: READ_AGAIN_AFTER, keys: RwLock::default(), last_read: Mutex::new(None) }
    }

    /// With another time than [`READ_AGAIN_AFTER`] between two readings.
    #[must_use]
    pub fn again_after(mut self, time: Duration) -> Self {
        self.again_after = time;
        self
    }

    /// Reads the document now, so that a wrong path or address shows at the start.
    ///
    /// # Errors
    /// [`JwksError`]; the keys so far stay in force.
    pub async fn read_now(&self, now: Duration) -> Result<(), JwksError> {
        let mut last_read = self.last_read.lock().await;
        *last_read = Some(now);
        self.replace().await
    }

    /// The key with this id, or the only key there is when the token names none. May read the document, at most
    /// once in [`READ_AGAIN_AFTER`] or what was chosen instead; `now` is the reading of a clock that never goes back.
    pub async fn find(&self, id: Option<&str>, now: Duration) -> Option<PublicKey> {
        if let Some(key) = self.known(id) {
            return Some(key);
        }
        let mut last_read = self.last_read.lock().await;
        // Somebody else may have read it while this one waited.
        if let Some(key) = self.known(id) {
            return Some(key);
        }
        if last_read.is_some_and(|at| now.saturating_sub(at) < self.again_after) {
            return None;
        }
        *last_read = Some(now);
        if let Err(error) = self.replace().await {
            tracing::warn!(%error, "the keys so far stay in force");
        }
        self.known(id)
    }

    fn known(&self, id: Option<&str>) -> Option<PublicKey> {
        let keys = self.keys.read();
        match id {
            Some(id) => keys.iter().find(|key| key.id.as_deref() == Some(id)).cloned(),
            None => match keys.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            },
        }
    }

    async fn replace(&self) -> Result<(), JwksError> {
        let document = match tokio::time::timeout(READ_TIMEOUT, (self.read)()).await {
            Ok(read) => read.map_err(JwksError::Unreadable)?,
            Err(_) => return Err(JwksError::Unreadable("no answer in time".to_owned())),
        };
        *self.keys.write() = Arc::new(parse(&document)?);
        Ok(())
    }
}

#[cfg(test)]
#[path = "jwks_tests.rs"]
mod tests;

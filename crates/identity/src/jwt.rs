//! The host application's JWTs.
//!
//! The key decides the algorithm, never the token's header: the shared secret verifies HS256 and nothing else, an
//! RSA key RS256, a P-256 key ES256. The header only helps to choose among the keys that the operator configured.

use crate::claims::{self, BadClaim, ClaimRules, HostClaims, Voucher};
use crate::jwks::{KeySet, PublicKey};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation};
use parlor_core::clock::{Clock, Time};
use serde_json::{Map, Value};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Shortest shared secret, in bytes.
pub const MIN_SECRET_BYTES: usize = 32;
/// Longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How far the host's clock may be ahead in `nbf` and `iat`, in milliseconds. `exp` has no leeway.
const LEEWAY_MS: i64 = 10_000;

/// What the operator configured.
#[derive(Default)]
pub struct HostTokenConfig {
    /// `PARLOR_JWT_SECRET`.
    pub secret: Option<String>,
    /// `PARLOR_JWT_JWKS`.
    pub keys: Option<KeySet>,
    /// `PARLOR_JWT_ISSUER`; checked when set.
    pub issuer: Option<String>,
    /// `PARLOR_JWT_AUDIENCE`; checked when set.
    pub audience: Option<String>,
    /// What tokens may do.
    pub rules: ClaimRules,
}

/// A configuration with which the server must not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHostTokenConfig {
    /// The secret is too short.
    #[error("PARLOR_JWT_SECRET needs at least {MIN_SECRET_BYTES} bytes")]
    SecretTooShort,
}

/// Why a token proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// `token_expired`: it was good once.
    #[error("the token has expired")]
    Expired,
    /// `invalid_token`; the reason is for the log.
    #[error("invalid token: {0}")]
    Invalid(&'static str),
}

/// Verifies the host's tokens.
pub struct HostTokens {
    secret: Option<DecodingKey>,
    keys: Option<KeySet>,
    issuer: Option<String>,
    audience: Option<String>,
    rules: ClaimRules,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for HostTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostTokens").field("keys", &self.keys).finish_non_exhaustive()
    }
}

impl HostTokens {
    /// With neither secret nor keys every token is refused.
    ///
    /// # Errors
    /// [`BadHostTokenConfig`].
    pub fn new(config: HostTokenConfig, clock: Arc<dyn Clock>) -> Result<Self, BadHostTokenConfig> {
        let HostTokenConfig { secret, keys, issuer, audience, rules } = config;
        if secret.as_ref().is_some_and(|secret| secret.len() < MIN_SECRET_BYTES) {
            return Err(BadHostTokenConfig::SecretTooShort);
        }
        let secret = secret.map(|secret| DecodingKey::from_secret(secret.as_bytes()));
        Ok(Self { secret, keys, issuer, audience, rules, clock })
    }

    /// The key set, to read it at the start.
    pub fn keys(&self) -> Option<&KeySet> {
        self.keys.as_ref()
    }

    /// Whether this could be a host token rather than one of our own, which has no dot.
    pub fn looks_like_one(token: &str) -> bool {
        token.bytes().filter(|b| *b == b'.').count() == 2
    }

    /// Whom the token speaks of.
    ///
    /// # Errors
    /// [`TokenRefused`].
    pub async fn verify(&self, token: &str) -> Result<HostClaims, TokenRefused> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenRefused::Invalid("too long"));
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefused::Invalid("malformed"))?;
        if header.crit.is_some() {
            return Err(TokenRefused::Invalid("a critical extension that is not known"));
        }
        let (key, algorithm, voucher) = self.key_for(&header).await?;
        let claims = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &self.validation(algorithm))
            .map_err(|error| TokenRefused::Invalid(reason(error.kind())))?
            .claims;
        let expires = check_times(&claims, self.clock.now())?;
        claims::read(&claims, expires, voucher, &self.rules)
            .map_err(|BadClaim(name)| TokenRefused::Invalid(name))
    }

    /// The key that a token names; else the secret, if the token is of the only kind the secret is for; else the
    /// key set once more, which may be read anew.
    async fn key_for(&self, header: &Header) -> Result<(DecodingKey, Algorithm, Voucher), TokenRefused> {
        let public = |PublicKey { key, algorithm, .. }| (key, algorithm, Voucher::KeySet);
        let secret = self.secret.as_ref().filter(|_| header.alg == Algorithm::HS256 || self.keys.is_none());
        if let Some(secret) = secret {
            return Ok((secret.clone(), Algorithm::HS256, Voucher::Secret));
        }
        let keys = self.keys.as_ref().ok_or(TokenRefused::Invalid("no key is configured"))?;
        let found = keys.find(header.kid.as_deref(), self.clock.monotonic()).await;
        found.map(public).ok_or(TokenRefused::Invalid("unknown key"))
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        let mut required = HashSet::new();
        // Times are checked against our own clock.
        validation.validate_exp = false;
        validation.validate_aud = self.audience.is_some();
        if let Some(audience) = &self.audience {
            validation.set_audience(&[audience]);
            required.insert("aud".to_owned());
        }
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            required.insert("iss".to_owned());
        }
        validation.required_spec_claims = required;
        validation
    }
}

/// `exp` is required and has no leeway; `nbf` and `iat` may be [`LEEWAY_MS`] ahead. Returns when the token ends.
pub(crate) fn check_times(claims: &Map<String, Value>, now: Time) -> Result<Time, TokenRefused> {
    let time = |name: &'static str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            // Saturates: a time beyond all calendars is just very late.
            Some(seconds) if seconds.is_finite() => Ok(Some((seconds * 1000.0).floor() as i64)),
            _ => Err(TokenRefused::Invalid(name)),
        },
    };
    let expires = time("exp")?.ok_or(TokenRefused::Invalid("exp"))?;
    for name in ["nbf", "iat"] {
        if time(name)?.is_some_and(|begins| begins.saturating_sub(LEEWAY_MS) > now.millis()) {
            return Err(TokenRefused::Invalid("not valid yet"));
        }
    }
    if now.millis() >= expires { Err(TokenRefused::Expired) } else { Ok(Time(expires)) }
}

fn reason(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidSignature => "wrong signature",
        ErrorKind::InvalidAlgorithm => "not the key's algorithm",
        ErrorKind::InvalidIssuer => "issuer",
        ErrorKind::InvalidAudience => "audience",
        ErrorKind::MissingRequiredClaim(_) => "no issuer or no audience",
        _ => "malformed",
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;

//! Keys on P-256 and the tokens (JWT, ES256) that are signed with them: RFC 8292 for web pushes, Apple's for its own.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use p256::{
    SecretKey,
    ecdsa::{Signature, SigningKey, signature::Signer},
    elliptic_curve::sec1::ToEncodedPoint,
    pkcs8::DecodePrivateKey,
};
use serde_json::{Value, json};

/// A key that signs.
#[derive(Clone)]
pub struct Key(SecretKey);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.public())
    }
}

/// A new key. A random scalar is out of range once in 2^32 times: then another is drawn.
pub(crate) fn fresh() -> SecretKey {
    loop {
        if let Ok(key) = SecretKey::from_slice(&rand::random::<[u8; 32]>()) {
            return key;
        }
    }
}

impl Key {
    /// A new one.
    pub fn generate() -> Self {
        Self(fresh())
    }

    /// One that was kept with [`Key::private`].
    pub fn read(private: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(private).ok()?;
        SecretKey::from_slice(&bytes).ok().map(Self)
    }

    /// One of a PEM file (PKCS #8), as Apple gives them out.
    pub fn read_pem(pem: &str) -> Option<Self> {
        SecretKey::from_pkcs8_pem(pem.trim()).ok().map(Self)
    }

    /// The scalar, base64url.
    pub fn private(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.to_bytes())
    }

    /// The point, uncompressed, base64url: what a browser subscribes to.
    pub fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key().to_encoded_point(false).as_bytes())
    }

    /// A JWT with these claims; `id` becomes its `kid`.
    pub fn token(&self, id: Option<&str>, claims: &Value) -> String {
        let mut header = json!({ "typ": "JWT", "alg": "ES256" });
        if let Some(id) = id {
            header["kid"] = id.into();
        }
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let signature: Signature = SigningKey::from(&self.0).sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }

    /// The `authorization` of a web push to this origin (RFC 8292), good until `expires` (seconds since 1970, at most a
    /// day ahead). `subject` is whom its operators write to: `mailto:` or `https:`.
    pub fn authorization(&self, origin: &str, subject: &str, expires: i64) -> String {
        let claims = json!({ "aud": origin, "exp": expires, "sub": subject });
        format!("vapid t={}, k={}", self.token(None, &claims), self.public())
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::{VerifyingKey, signature::Verifier};

    use super::*;

    #[test]
    fn a_token_is_signed_with_the_key_that_stands_beside_it() {
        let key = Key::generate();
        let kept = Key::read(&key.private()).expect("it was kept");
        let header = kept.authorization("https://push.example.org", "mailto:ops@example.org", 1_900_000_000);
        let (token, public) =
            header.strip_prefix("vapid t=").and_then(|h| h.split_once(", k=")).expect("two parts");
        assert_eq!(public, key.public());
        let (signed, signature) = token.rsplit_once('.').expect("a signature");
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let verifier = VerifyingKey::from_sec1_bytes(&decode(public)).expect("a point");
        let signature = Signature::from_slice(&decode(signature)).expect("a signature");
        verifier.verify(signed.as_bytes(), &signature).expect("it fits");
        let claims: Value =
            serde_json::from_slice(&decode(signed.split_once('.').expect("claims").1)).expect("json");
        assert_eq!(claims["aud"], "https://push.example.org");
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert!(Key::read("").is_none() && Key::read("AAAA").is_none() && Key::read_pem("-----").is_none());
    }
}

//! A Google service account: what proves this server to Firebase Cloud Messaging.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

/// What an access token is asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// How long a proof is good, in seconds: as long as Google allows.
const PROOF: i64 = 3_600;
/// Where access tokens come from when the account does not say.
const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// A service account, read from the JSON file that the Firebase console gives out.
pub struct ServiceAccount {
    key: RsaKeyPair,
    key_id: String,
    email: String,
    project: String,
    token_uri: String,
}

impl std::fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServiceAccount({})", self.email)
    }
}

/// This is no service account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no service account: {0}")]
pub struct BadAccount(&'static str);

impl ServiceAccount {
    /// Reads the file's text.
    ///
    /// # Errors
    /// What is missing in it; never a part of it.
    pub fn read(text: &str) -> Result<Self, BadAccount> {
        let file: Value = serde_json::from_str(text).map_err(|_| BadAccount("it is not JSON"))?;
        let field = |name: &str| file[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let pem = field("private_key").ok_or(BadAccount("private_key is missing"))?;
        let body: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        let der = STANDARD.decode(body.trim()).map_err(|_| BadAccount("private_key is not PEM"))?;
        let key = RsaKeyPair::from_pkcs8(&der).map_err(|_| BadAccount("private_key is no RSA key"))?;
        Ok(Self {
            key,
            key_id: field("private_key_id").unwrap_or_default(),
            email: field("client_email").ok_or(BadAccount("client_email is missing"))?,
            project: field("project_id").ok_or(BadAccount("project_id is missing"))?,
            token_uri: field("token_uri").unwrap_or_else(|| TOKENS.to_owned()),
        })
    }

    /// Where access tokens are asked for.
    pub fn token_uri(&self) -> &str {
        &self.token_uri
    }

    /// The project that the app belongs to.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The form that asks for an access token (RFC 7523), good for an hour from `now` (seconds since 1970).
    pub fn grant(&self, now: i64) -> String {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.email, "scope": SCOPE, "aud": self.token_uri, "iat": now, "exp": now + PROOF,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        // The buffer has the key's length, which is all that can be wrong here.
        let made = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        let signature = made.map(|()| URL_SAFE_NO_PAD.encode(&signature)).unwrap_or_default();
        format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={signed}.{signature}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_account_is_refused_without_showing_any_of_it() {
        for (text, why) in [
            ("", "it is not JSON"),
            ("{}", "private_key is missing"),
            (r#"{"private_key": "secret"}"#, "private_key is not PEM"),
            (
                r#"{"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}"#,
                "private_key is no RSA key",
            ),
        ] {
            assert_eq!(ServiceAccount::read(text).err(), Some(BadAccount(why)));
        }
    }
}

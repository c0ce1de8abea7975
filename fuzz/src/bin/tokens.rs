//! Tokens and keys of host applications and of issuers: any text proves nothing, any document is keys or none, and what
//! a signed token says comes out within its bounds.
#![no_main]

use std::sync::{Arc, LazyLock};

use futures_util::FutureExt;
use jsonwebtoken::{EncodingKey, Header, encode};
use libfuzzer_sys::fuzz_target;
use parlor_core::clock::System;
use parlor_identity::{HostTokenConfig, HostTokens, jwks};
use serde_json::{Map, Value};

const SECRET: &str = "a secret of thirty-two characters";
/// The longest that a claim may be, in bytes.
const MOST: usize = 4_096;

static TOKENS: LazyLock<HostTokens> = LazyLock::new(|| {
    let config = HostTokenConfig { secret: Some(SECRET.to_owned()), ..HostTokenConfig::default() };
    HostTokens::new(config, Arc::new(System::new())).expect("the secret is long enough")
});

/// Without a key set nothing is waited for.
fn verify(token: &str) -> Option<parlor_identity::HostClaims> {
    TOKENS.verify(token).now_or_never().expect("nothing is waited for").ok()
}

fuzz_target!(|data: &[u8]| {
    let _ = jwks::parse(data);
    let Ok(text) = std::str::from_utf8(data) else { return };
    assert!(verify(text).is_none(), "{text:?} was signed by nobody");
    let Ok(mut claims) = serde_json::from_str::<Map<String, Value>>(text) else { return };
    for good in [false, true] {
        if good {
            // The rest of what is read comes behind these.
            claims.insert("exp".to_owned(), Value::from(4_000_000_000_u64));
            claims.remove("nbf");
            claims.remove("iat");
        }
        let key = EncodingKey::from_secret(SECRET.as_bytes());
        let token = encode(&Header::default(), &claims, &key).expect("claims can be signed");
        let Some(told) = verify(&token) else { continue };
        assert!(!told.id.is_empty() && told.id.bytes().all(|byte| byte.is_ascii_graphic()));
        let texts = [told.username, told.name, told.email, told.vendor];
        assert!(texts.iter().flatten().all(|text| !text.is_empty() && text.len() <= MOST));
    }
});

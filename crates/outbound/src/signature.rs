//! Signatures by the Standard Webhooks specification: `webhook-id`, `webhook-timestamp` and
//! `webhook-signature: v1,` + base64 of HMAC-SHA-256 over `id.timestamp.body` with the integration's token.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The headers that sign a call; only the id and the time when the integration has no token.
pub(crate) fn headers(token: &str, id: &str, seconds: i64, body: &[u8]) -> Vec<(String, String)> {
    let mut headers =
        vec![("webhook-id".to_owned(), id.to_owned()), ("webhook-timestamp".to_owned(), seconds.to_string())];
    if token.is_empty() {
        return headers;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(token.as_bytes()) else { return headers };
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    headers.push(("webhook-signature".to_owned(), format!("v1,{signature}")));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_id_time_and_body() {
        let of = |id, at, body: &[u8]| headers("secret", id, at, body).pop().expect("a signature").1;
        let one = of("a", 1, b"{}");
        // openssl dgst -sha256 -hmac secret over `a.1.{}`.
        assert_eq!(one, "v1,DH9+vItb05LF5AmGVxmIk2XJE76uu57Vhud93LDFWM4=");
        for other in [of("b", 1, b"{}"), of("a", 2, b"{}"), of("a", 1, b"[]")] {
            assert_ne!(one, other);
        }
        assert_eq!(headers("", "a", 1, b"{}").len(), 2);
    }
}

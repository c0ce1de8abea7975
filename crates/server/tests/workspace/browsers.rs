//! Browsers that are pushed to, and read what is theirs.

use aes_gcm::{Aes128Gcm, KeyInit, aead::Aead};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, elliptic_curve::sec1::ToEncodedPoint};
use parlor_testkit::Rest;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::sink::{Heard, Sink};

/// A browser that subscribed, and the push service in front of it.
pub struct Browser {
    key: SecretKey,
    pub auth: [u8; 16],
    pub service: Sink,
}

impl Browser {
    /// One of whoever speaks by this client; each has a number of its own.
    pub async fn subscribed(rest: &Rest, number: u8) -> Self {
        let key = SecretKey::from_slice(&[number; 32]).expect("a key");
        let browser = Self { key, auth: [number; 16], service: Sink::open().await };
        let _ = rest.post("push.subscribe", browser.subscription()).await.ok();
        browser
    }

    fn point(&self) -> Vec<u8> {
        self.key.public_key().to_encoded_point(false).as_bytes().to_vec()
    }

    fn subscription(&self) -> Value {
        let keys = json!({
            "p256dh": URL_SAFE_NO_PAD.encode(self.point()), "auth": URL_SAFE_NO_PAD.encode(self.auth),
        });
        json!({ "endpoint": self.service.url, "expirationTime": null, "keys": keys })
    }

    /// The next push, and what it says.
    pub async fn next(&mut self) -> (Heard, Value) {
        let heard = self.service.next().await;
        let said = self.unsealed(&heard.bytes);
        (heard, said)
    }

    /// As RFC 8291 says that a browser reads it.
    fn unsealed(&self, body: &[u8]) -> Value {
        let (salt, rest) = body.split_at(16);
        assert_eq!(rest[4], 65);
        let (theirs, sealed) = rest[5..].split_at(65);
        let public = PublicKey::from_sec1_bytes(theirs).expect("a point");
        let shared = p256::ecdh::diffie_hellman(self.key.to_nonzero_scalar(), public.as_affine());
        let derive = |salt: &[u8], from: &[u8], info: &[u8], out: &mut [u8]| {
            Hkdf::<Sha256>::new(Some(salt), from).expand(info, out).expect("short enough");
        };
        let info = [&b"WebPush: info\0"[..], &self.point(), theirs].concat();
        let mut secret = [0; 32];
        derive(&self.auth, shared.raw_secret_bytes(), &info, &mut secret);
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        derive(salt, &secret, b"Content-Encoding: aes128gcm\0", &mut key);
        derive(salt, &secret, b"Content-Encoding: nonce\0", &mut nonce);
        let plain =
            Aes128Gcm::new(&key.into()).decrypt(&nonce.into(), sealed).expect("it is for this browser");
        let (mark, said) = plain.split_last().expect("a mark");
        assert_eq!(*mark, 2);
        serde_json::from_slice(said).expect("JSON")
    }
}

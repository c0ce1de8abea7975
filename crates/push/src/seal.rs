//! RFC 8291: a message that only the browser can read, as `aes128gcm` (RFC 8188) in one record.

use aes_gcm::{
    Aes128Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey, elliptic_curve::sec1::ToEncodedPoint};
use sha2::Sha256;

/// Record size that is announced; the message is one record.
const RECORD: u32 = 4096;
/// Longest message, in bytes: with header, padding mark and tag it stays below the 4096 bytes that every push service
/// takes.
pub const LONGEST: usize = 3800;

/// Whom a message is for.
#[derive(Clone, Debug)]
pub struct Browser {
    point: Vec<u8>,
    public: PublicKey,
    auth: Vec<u8>,
}

/// The keys of a subscription are no keys, or the message is too long for a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the subscription's keys can't be used")]
pub struct BadSubscription;

impl Browser {
    /// From the subscription's keys, in base64url.
    ///
    /// # Errors
    /// When they are none.
    pub fn read(p256dh: &str, auth: &str) -> Result<Self, BadSubscription> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| BadSubscription);
        let (point, auth) = (decode(p256dh)?, decode(auth)?);
        let public = PublicKey::from_sec1_bytes(&point).map_err(|_| BadSubscription)?;
        if point.len() != 65 || auth.len() != 16 {
            return Err(BadSubscription);
        }
        Ok(Self { point, public, auth })
    }
}

/// The body of a push, for `content-encoding: aes128gcm`.
///
/// # Errors
/// When the message is longer than [`LONGEST`].
pub fn seal(to: &Browser, message: &[u8]) -> Result<Vec<u8>, BadSubscription> {
    seal_with(to, message, &crate::vapid::fresh(), rand::random())
}

fn seal_with(
    to: &Browser,
    message: &[u8],
    own: &SecretKey,
    salt: [u8; 16],
) -> Result<Vec<u8>, BadSubscription> {
    if message.len() > LONGEST {
        return Err(BadSubscription);
    }
    let own_point = own.public_key().to_encoded_point(false);
    let shared = p256::ecdh::diffie_hellman(own.to_nonzero_scalar(), to.public.as_affine());
    let derive = |salt: &[u8], from: &[u8], info: &[u8], out: &mut [u8]| {
        Hkdf::<Sha256>::new(Some(salt), from).expand(info, out).map_err(|_| BadSubscription)
    };
    let mut info = b"WebPush: info\0".to_vec();
    info.extend_from_slice(&to.point);
    info.extend_from_slice(own_point.as_bytes());
    let mut secret = [0; 32];
    derive(&to.auth, shared.raw_secret_bytes(), &info, &mut secret)?;
    let (mut key, mut nonce) = ([0; 16], [0; 12]);
    derive(&salt, &secret, b"Content-Encoding: aes128gcm\0", &mut key)?;
    derive(&salt, &secret, b"Content-Encoding: nonce\0", &mut nonce)?;
    // The mark of the last record stands behind the message.
    let plain = [message, &[2]].concat();
    let cipher = Aes128Gcm::new(&key.into());
    let sealed =
        cipher.encrypt(&nonce.into(), Payload { msg: &plain, aad: b"" }).map_err(|_| BadSubscription)?;
    let mut body = salt.to_vec();
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(65);
    body.extend_from_slice(own_point.as_bytes());
    body.extend_from_slice(&sealed);
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_sealed_as_the_standard_seals_it() {
        // RFC 8291, section 5.
        let to = Browser::read(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        )
        .expect("keys");
        let decode = |text| URL_SAFE_NO_PAD.decode(text).expect("base64url");
        let own =
            SecretKey::from_slice(&decode("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).expect("a key");
        let salt = decode("DGv6ra1nlYgDCS1FRnbzlw").try_into().expect("16 bytes");
        let body = seal_with(&to, b"When I grow up, I want to be a watermelon", &own, salt).expect("sealed");
        assert_eq!(
            URL_SAFE_NO_PAD.encode(body),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8w\
             EqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
        );
    }

    #[test]
    fn what_is_no_key_and_what_is_too_long_is_refused() {
        let good = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        for (p256dh, auth) in
            [("", ""), (good, "AAAA"), (&good[1..], "BTBZMqHH6r4Tts7J_aSIgg"), ("not base64!", "")]
        {
            assert!(Browser::read(p256dh, auth).is_err());
        }
        let to = Browser::read(good, "BTBZMqHH6r4Tts7J_aSIgg").expect("keys");
        assert!(seal(&to, &[b'x'; LONGEST]).expect("sealed").len() <= 4096);
        assert!(seal(&to, &[b'x'; LONGEST + 1]).is_err());
    }
}

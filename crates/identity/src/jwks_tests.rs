use super::*;
use jsonwebtoken::EncodingKey;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Private keys made for these tests alone.
const RSA: &[u8] = include_bytes!("../tests/data/rsa.der");
const WEAK_RSA: &[u8] = include_bytes!("../tests/data/weak_rsa.der");
const EC: &[u8] = include_bytes!("../tests/data/ec.der");

/// The public half as a JWK.
fn jwk(key: EncodingKey, algorithm: Algorithm, id: &str) -> Value {
    let mut jwk = Jwk::from_encoding_key(&key, algorithm).unwrap();
    jwk.common.key_id = Some(id.into());
    serde_json::to_value(jwk).unwrap()
}

fn rsa(id: &str) -> Value {
    jwk(EncodingKey::from_rsa_der(RSA), Algorithm::RS256, id)
}

fn ec(id: &str) -> Value {
    jwk(EncodingKey::from_ec_der(EC), Algorithm::ES256, id)
}

fn with(mut jwk: Value, name: &str, value: Value) -> Value {
    jwk[name] = value;
    jwk
}

fn document(keys: &[Value]) -> Vec<u8> {
    json!({ "keys": keys, "other": 1 }).to_string().into_bytes()
}

fn ids(keys: &[Value]) -> Vec<String> {
    parse(&document(keys)).unwrap_or_default().into_iter().map(|key| key.id.unwrap_or_default()).collect()
}

#[test]
fn each_kind_of_key_has_its_one_algorithm() {
    let keys = parse(&document(&[rsa("r"), ec("e")])).unwrap();
    let found: Vec<_> = keys.iter().map(|key| (key.id.as_deref().unwrap(), key.algorithm)).collect();
    assert_eq!(found, [("r", Algorithm::RS256), ("e", Algorithm::ES256)]);
}

#[test]
fn the_algorithm_and_use_may_be_missing_but_not_others() {
    let mut bare = rsa("bare");
    bare.as_object_mut().unwrap().remove("alg");
    let keys = [
        bare,
        with(rsa("sig"), "use", json!("sig")),
        with(rsa("enc"), "use", json!("enc")),
        with(rsa("ps256"), "alg", json!("PS256")),
        with(rsa("hs256"), "alg", json!("HS256")),
        with(ec("es384"), "alg", json!("ES384")),
    ];
    assert_eq!(ids(&keys), ["bare", "sig"]);
}

#[test]
fn weak_symmetric_damaged_and_unknown_keys_are_passed_over() {
    let keys = [
        jwk(EncodingKey::from_rsa_der(WEAK_RSA), Algorithm::RS256, "weak"),
        json!({"kty": "oct", "kid": "oct", "alg": "HS256", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}),
        json!({"kty": "OKP", "kid": "okp", "crv": "Ed25519", "x": "AAAA"}),
        json!({"kty": "EC", "kid": "k1", "crv": "secp256k1", "x": "AA", "y": "AA"}),
        with(ec("short"), "x", json!("AAAA")),
        with(ec("text"), "y", json!("?")),
        with(rsa("huge"), "n", json!("_".repeat(684 * 2))),
        with(rsa("padded weak"), "n", json!(format!("{}{}", "A".repeat(400), "_".repeat(100)))),
        json!({"kid": "nothing"}),
        json!("text"),
        json!(null),
        rsa("good"),
    ];
    assert_eq!(ids(&keys), ["good"]);
}

#[test]
fn a_document_without_usable_keys_is_an_error() {
    assert_eq!(parse(&document(&[])).unwrap_err(), JwksError::NoKey);
    for text in ["", "{", "[]", "{}", r#"{"keys":{}}"#, "null"] {
        assert_eq!(parse(text.as_bytes()).unwrap_err(), JwksError::Malformed, "{text}");
    }
    assert_eq!(parse(&vec![b' '; MAX_DOCUMENT + 1]).unwrap_err(), JwksError::TooLarge);
    assert_eq!(parse("[".repeat(100_000).as_bytes()).unwrap_err(), JwksError::Malformed);
}

#[test]
fn only_so_many_keys_are_taken() {
    let key = ec("");
    let keys: Vec<Value> = (0..150).map(|n| with(key.clone(), "kid", json!(n.to_string()))).collect();
    assert_eq!(ids(&keys).len(), MAX_KEYS);
}

/// A source that gives one document after the other, the last for ever, and counts.
fn source(documents: Vec<Result<Vec<u8>, String>>) -> (ReadJwks, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let read: ReadJwks = Arc::new(move || {
        let turn = counted.fetch_add(1, Ordering::SeqCst).min(documents.len() - 1);
        let document = documents[turn].clone();
        Box::pin(async move { document })
    });
    (read, count)
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn an_unknown_id_reads_the_document_again_but_only_once_a_minute() {
    let (read, count) = source(vec![Ok(document(&[rsa("old")])), Ok(document(&[rsa("old"), ec("new")]))]);
    let set = KeySet::new(read);
    assert!(set.find(Some("old"), Duration::ZERO).await.is_some());
    for seconds in [0, 30, 59] {
        assert!(set.find(Some("new"), Duration::from_secs(seconds)).await.is_none());
        assert!(set.find(Some("old"), Duration::from_secs(seconds)).await.is_some());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    assert!(set.find(Some("new"), MINUTE).await.is_some());
    assert_eq!(count.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_failed_read_keeps_the_keys_and_is_not_repeated_within_the_minute() {
    let (read, count) = source(vec![Ok(document(&[rsa("old")])), Err("away".into()), Ok(b"{}".to_vec())]);
    let set = KeySet::new(read);
    set.read_now(Duration::ZERO).await.unwrap();
    assert!(set.find(Some("new"), MINUTE).await.is_none());
    assert!(set.find(Some("new"), MINUTE + MINUTE / 2).await.is_none());
    assert!(set.find(Some("new"), 2 * MINUTE).await.is_none());
    assert_eq!(count.load(Ordering::SeqCst), 3);
    assert!(set.find(Some("old"), 2 * MINUTE).await.is_some());
}

#[tokio::test]
async fn a_removed_key_is_gone_after_the_next_read() {
    let (read, _) = source(vec![Ok(document(&[rsa("old")])), Ok(document(&[rsa("new")]))]);
    let set = KeySet::new(read);
    assert!(set.find(Some("old"), Duration::ZERO).await.is_some());
    assert!(set.find(Some("new"), MINUTE).await.is_some());
    assert!(set.find(Some("old"), MINUTE).await.is_none());
}

#[tokio::test]
async fn many_who_ask_at_once_cause_one_read() {
    let (read, count) = source(vec![Ok(document(&[rsa("r")]))]);
    let set = Arc::new(KeySet::new(read));
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let set = Arc::clone(&set);
            tokio::spawn(async move { set.find(Some("r"), Duration::ZERO).await.is_some() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_answers_is_given_up() {
    let set = KeySet::new(Arc::new(|| Box::pin(std::future::pending())));
    let error = set.read_now(Duration::ZERO).await.unwrap_err();
    assert!(matches!(error, JwksError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn without_an_id_only_a_single_key_is_meant() {
    let (read, _) = source(vec![Ok(document(&[rsa("r")]))]);
    assert!(KeySet::new(read).find(None, Duration::ZERO).await.is_some());
    let (read, _) = source(vec![Ok(document(&[rsa("r"), ec("e")]))]);
    assert!(KeySet::new(read).find(None, Duration::ZERO).await.is_none());
}

#[tokio::test]
async fn a_file_is_read_anew_each_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("jwks.json");
    let set = KeySet::new(file(path.clone()));
    assert!(matches!(set.read_now(Duration::ZERO).await, Err(JwksError::Unreadable(_))));
    std::fs::write(&path, document(&[rsa("one")])).unwrap();
    assert!(set.find(Some("one"), MINUTE).await.is_some());
    std::fs::write(&path, document(&[ec("two")])).unwrap();
    assert!(set.find(Some("two"), 2 * MINUTE).await.is_some());
    std::fs::write(&path, vec![b' '; MAX_DOCUMENT + 100]).unwrap();
    assert_eq!(set.read_now(3 * MINUTE).await, Err(JwksError::TooLarge));
    assert!(set.find(Some("two"), 3 * MINUTE).await.is_some());
}

use super::*;
use crate::claims::RoleMap;
use crate::testing::Still;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, encode};
use proptest::prelude::*;
use serde_json::json;
use std::sync::LazyLock;
use std::time::Duration;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// Private keys made for these tests alone.
const RSA: &[u8] = include_bytes!("../tests/data/rsa.der");
const OTHER_RSA: &[u8] = include_bytes!("../tests/data/other_rsa.der");
const EC: &[u8] = include_bytes!("../tests/data/ec.der");
/// The tests' present, in seconds.
const NOW: i64 = 1_700_000_000;

fn public(key: &EncodingKey, algorithm: Algorithm, id: &str) -> serde_json::Value {
    let mut jwk = Jwk::from_encoding_key(key, algorithm).unwrap();
    jwk.common.key_id = Some(id.into());
    serde_json::to_value(jwk).unwrap()
}

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let keys = [
        public(&EncodingKey::from_rsa_der(RSA), Algorithm::RS256, "r"),
        public(&EncodingKey::from_ec_der(EC), Algorithm::ES256, "e"),
    ];
    json!({ "keys": keys }).to_string().into_bytes()
});

fn key_set() -> KeySet {
    KeySet::new(Arc::new(|| Box::pin(async { Ok(DOCUMENT.clone()) })))
}

fn hosts(config: HostTokenConfig) -> HostTokens {
    HostTokens::new(config, Arc::new(Still::at(NOW * 1000))).unwrap()
}

fn by_secret() -> HostTokens {
    hosts(HostTokenConfig { secret: Some(SECRET.into()), ..HostTokenConfig::default() })
}

fn by_keys() -> HostTokens {
    hosts(HostTokenConfig { keys: Some(key_set()), ..HostTokenConfig::default() })
}

fn claims() -> serde_json::Value {
    json!({"sub": "u1", "exp": NOW + 60})
}

fn with(name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn signed(algorithm: Algorithm, id: Option<&str>, claims: &serde_json::Value, key: &EncodingKey) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, key).unwrap()
}

fn hs256(claims: &serde_json::Value) -> String {
    signed(Algorithm::HS256, None, claims, &EncodingKey::from_secret(SECRET.as_bytes()))
}

fn part(value: serde_json::Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn invalid(reason: &'static str) -> Result<HostClaims, TokenRefused> {
    Err(TokenRefused::Invalid(reason))
}

#[tokio::test]
async fn a_token_of_the_shared_secret_names_its_person() {
    let claims = by_secret().verify(&hs256(&claims())).await.unwrap();
    assert_eq!((claims.id.as_str(), claims.expires), ("u1", Time((NOW + 60) * 1000)));
    assert_eq!((claims.voucher, claims.may_claim_placeholders), (Voucher::Secret, true));
}

#[tokio::test]
async fn tokens_of_the_key_set_are_verified_by_the_key_they_name() {
    let rsa = signed(Algorithm::RS256, Some("r"), &claims(), &EncodingKey::from_rsa_der(RSA));
    let ec = signed(Algorithm::ES256, Some("e"), &claims(), &EncodingKey::from_ec_der(EC));
    for token in [&rsa, &ec] {
        let claims = by_keys().verify(token).await.unwrap();
        assert_eq!((claims.voucher, claims.may_claim_placeholders), (Voucher::KeySet, false));
    }
    let forged = signed(Algorithm::RS256, Some("r"), &claims(), &EncodingKey::from_rsa_der(OTHER_RSA));
    assert_eq!(by_keys().verify(&forged).await, invalid("wrong signature"));
    for id in [None, Some("x"), Some("")] {
        let unknown = signed(Algorithm::RS256, id, &claims(), &EncodingKey::from_rsa_der(RSA));
        assert_eq!(by_keys().verify(&unknown).await, invalid("unknown key"));
    }
}

#[tokio::test]
async fn the_header_cannot_choose_the_algorithm() {
    // Unsigned.
    for alg in ["none", "None", "NONE", ""] {
        let token = format!("{}.{}.", part(json!({"alg": alg, "typ": "JWT"})), part(claims()));
        assert_eq!(by_secret().verify(&token).await, invalid("malformed"), "{alg}");
        assert_eq!(by_keys().verify(&token).await, invalid("malformed"), "{alg}");
    }
    // HS256, with what everybody knows of the RSA key as the secret.
    let jwk = public(&EncodingKey::from_rsa_der(RSA), Algorithm::RS256, "r");
    let modulus = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    for secret in [&modulus[..], jwk["n"].as_str().unwrap().as_bytes(), jwk.to_string().as_bytes()] {
        let key = EncodingKey::from_secret(secret);
        let token = signed(Algorithm::HS256, Some("r"), &claims(), &key);
        assert_eq!(by_keys().verify(&token).await, invalid("not the key's algorithm"));
        let both = HostTokenConfig {
            secret: Some(SECRET.into()),
            keys: Some(key_set()),
            ..HostTokenConfig::default()
        };
        assert_eq!(hosts(both).verify(&token).await, invalid("wrong signature"));
    }
    // Relatives of the key's algorithm.
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    for alg in [Algorithm::HS384, Algorithm::HS512] {
        let token = signed(alg, None, &claims(), &key);
        assert_eq!(by_secret().verify(&token).await, invalid("not the key's algorithm"));
    }
    for alg in [Algorithm::RS384, Algorithm::RS512, Algorithm::PS256] {
        let token = signed(alg, Some("r"), &claims(), &EncodingKey::from_rsa_der(RSA));
        assert_eq!(by_keys().verify(&token).await, invalid("not the key's algorithm"));
    }
    // A key that the token brings along.
    let mut header = Header { kid: Some("mine".into()), ..Header::new(Algorithm::RS256) };
    let mine = EncodingKey::from_rsa_der(OTHER_RSA);
    header.jwk = Some(Jwk::from_encoding_key(&mine, Algorithm::RS256).unwrap());
    header.jku = Some("https://attacker.example/jwks.json".into());
    assert_eq!(by_keys().verify(&encode(&header, &claims(), &mine).unwrap()).await, invalid("unknown key"));
}

#[tokio::test]
async fn secret_and_key_set_work_side_by_side() {
    let config =
        HostTokenConfig { secret: Some(SECRET.into()), keys: Some(key_set()), ..HostTokenConfig::default() };
    let both = hosts(config);
    assert_eq!(both.verify(&hs256(&claims())).await.unwrap().voucher, Voucher::Secret);
    let rsa = signed(Algorithm::RS256, Some("r"), &claims(), &EncodingKey::from_rsa_der(RSA));
    assert_eq!(both.verify(&rsa).await.unwrap().voucher, Voucher::KeySet);
}

#[tokio::test]
async fn another_secret_or_a_changed_token_is_refused() {
    let other = EncodingKey::from_secret(b"0123456789abcdef0123456789abcdeX");
    let token = signed(Algorithm::HS256, None, &claims(), &other);
    assert_eq!(by_secret().verify(&token).await, invalid("wrong signature"));
    let token = hs256(&claims());
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let forged = format!("{header}.{}.{signature}", part(with("sub", json!("admin"))));
    assert_eq!(by_secret().verify(&forged).await, invalid("wrong signature"));
}

#[tokio::test]
async fn a_token_ends_to_the_second_and_must_say_when() {
    let at = |exp| by_secret_verifies(with("exp", exp));
    assert!(at(json!(NOW + 1)).await.is_ok());
    assert_eq!(at(json!(NOW)).await, Err(TokenRefused::Expired));
    assert_eq!(at(json!(NOW - 1)).await, Err(TokenRefused::Expired));
    assert_eq!(at(json!(NOW as f64 + 0.5)).await.unwrap().expires, Time(NOW * 1000 + 500));
    assert_eq!(at(json!(-5)).await, Err(TokenRefused::Expired));
    assert_eq!(at(json!(1e300)).await.unwrap().expires, Time(i64::MAX));
    for exp in [json!(null), json!("1800000000"), json!(true)] {
        assert_eq!(at(exp).await, invalid("exp"));
    }
    assert_eq!(at(json!([NOW + 60])).await, invalid("malformed"));
    assert_eq!(by_secret_verifies(json!({"sub": "u1"})).await, invalid("exp"));
}

async fn by_secret_verifies(claims: serde_json::Value) -> Result<HostClaims, TokenRefused> {
    by_secret().verify(&hs256(&claims)).await
}

#[tokio::test]
async fn a_token_that_was_good_expires_while_time_passes() {
    let clock = Arc::new(Still::at(NOW * 1000));
    let config = HostTokenConfig { secret: Some(SECRET.into()), ..HostTokenConfig::default() };
    let hosts = HostTokens::new(config, clock.clone()).unwrap();
    let token = hs256(&claims());
    assert!(hosts.verify(&token).await.is_ok());
    clock.advance(Duration::from_millis(59_999));
    assert!(hosts.verify(&token).await.is_ok());
    clock.advance(Duration::from_millis(1));
    assert_eq!(hosts.verify(&token).await, Err(TokenRefused::Expired));
}

#[tokio::test]
async fn the_hosts_clock_may_be_ten_seconds_ahead() {
    for name in ["nbf", "iat"] {
        assert!(by_secret_verifies(with(name, json!(NOW + 10))).await.is_ok());
        assert_eq!(by_secret_verifies(with(name, json!(NOW + 11))).await, invalid("not valid yet"));
        assert_eq!(by_secret_verifies(with(name, json!("soon"))).await, invalid(name));
        assert!(by_secret_verifies(with(name, json!(0))).await.is_ok());
    }
}

#[tokio::test]
async fn issuer_and_audience_are_checked_when_set() {
    let config = || HostTokenConfig {
        secret: Some(SECRET.into()),
        issuer: Some("host".into()),
        audience: Some("parlor".into()),
        ..HostTokenConfig::default()
    };
    let verify = async |iss, aud| {
        let claims = json!({"sub": "u1", "exp": NOW + 60, "iss": iss, "aud": aud});
        hosts(config()).verify(&hs256(&claims)).await
    };
    assert!(verify(json!("host"), json!("parlor")).await.is_ok());
    assert!(verify(json!("host"), json!(["other", "parlor"])).await.is_ok());
    assert_eq!(verify(json!("hosts"), json!("parlor")).await, invalid("issuer"));
    assert_eq!(verify(json!("host"), json!("other")).await, invalid("audience"));
    assert_eq!(verify(json!("host"), json!([])).await, invalid("audience"));
    for (iss, aud) in
        [(json!(null), json!("parlor")), (json!("host"), json!(null)), (json!(1), json!("parlor"))]
    {
        assert_eq!(verify(iss, aud).await, invalid("no issuer or no audience"));
    }
    assert!(by_secret_verifies(with("aud", json!("anything"))).await.is_ok());
}

#[tokio::test]
async fn bad_claims_are_named_and_the_rules_apply() {
    assert_eq!(by_secret_verifies(json!({"exp": NOW + 60})).await, invalid("sub"));
    assert_eq!(by_secret_verifies(with("roles", json!({"a": 1}))).await, invalid("roles"));
    let rules = ClaimRules { role_map: RoleMap::parse("boss=ADMIN").unwrap(), claim_placeholders: true };
    let config = HostTokenConfig { keys: Some(key_set()), rules, ..HostTokenConfig::default() };
    let claims = with("roles", json!(["boss", "admin"]));
    let token = signed(Algorithm::ES256, Some("e"), &claims, &EncodingKey::from_ec_der(EC));
    let claims = hosts(config).verify(&token).await.unwrap();
    assert_eq!((claims.roles.unwrap(), claims.may_claim_placeholders), (vec!["ADMIN".to_owned()], true));
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let good = hs256(&claims());
    let critical = format!("{}.{}.AA", part(json!({"alg": "HS256", "crit": ["exp"]})), part(claims()));
    assert_eq!(by_secret().verify(&critical).await, invalid("a critical extension that is not known"));
    assert_eq!(by_secret().verify(&"a".repeat(MAX_TOKEN_BYTES + 1)).await, invalid("too long"));
    let deep = format!("{}.{}.AA", part(json!({"alg": "HS256"})), URL_SAFE_NO_PAD.encode("[".repeat(9000)));
    for token in
        ["", ".", "..", "a.b.c", "ä.ö.ü", &good[1..], &format!("{good}."), &format!("{good} "), &deep]
    {
        assert!(matches!(by_secret().verify(token).await, Err(TokenRefused::Invalid(_))), "{token}");
    }
    let array = format!("{}.{}", part(json!({"alg": "HS256"})), part(json!([1])));
    let signature = jsonwebtoken::crypto::sign(
        array.as_bytes(),
        &EncodingKey::from_secret(SECRET.as_bytes()),
        Algorithm::HS256,
    );
    let token = format!("{array}.{}", signature.unwrap());
    assert_eq!(by_secret().verify(&token).await, invalid("malformed"));
}

#[tokio::test]
async fn without_a_key_every_token_is_refused() {
    let none = hosts(HostTokenConfig::default());
    assert_eq!(none.verify(&hs256(&claims())).await, invalid("no key is configured"));
}

#[test]
fn a_short_secret_stops_the_start() {
    let with = |secret: &str| {
        let config = HostTokenConfig { secret: Some(secret.into()), ..HostTokenConfig::default() };
        HostTokens::new(config, Arc::new(Still::at(0))).map(|_| ())
    };
    assert_eq!(with(&SECRET[1..]), Err(BadHostTokenConfig::SecretTooShort));
    assert_eq!(with(""), Err(BadHostTokenConfig::SecretTooShort));
    assert_eq!(with(SECRET), Ok(()));
}

#[test]
fn a_host_token_is_told_from_our_own() {
    assert!(HostTokens::looks_like_one(&hs256(&claims())));
    assert!(!HostTokens::looks_like_one("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

#[test]
fn nothing_secret_is_printed() {
    let printed = format!("{:?}", by_secret());
    assert!(!printed.contains(SECRET), "{printed}");
}

fn now(future: impl Future<Output = Result<HostClaims, TokenRefused>>) -> Result<HostClaims, TokenRefused> {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn no_text_is_taken_for_a_token(text in "[A-Za-z0-9_.-]{0,200}", any in ".{0,100}") {
        prop_assert!(now(by_secret().verify(&text)).is_err());
        prop_assert!(now(by_keys().verify(&any)).is_err());
    }

    #[test]
    fn no_changed_character_goes_unnoticed(at in 0_usize..1000, to in "[A-Za-z0-9_.-]") {
        let token = hs256(&claims());
        let at = at % token.len();
        // The last character of a part may hold bits that don't count; they must be zero.
        let changed = format!("{}{to}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(now(by_secret().verify(&changed)).is_ok(), changed == token);
    }
}

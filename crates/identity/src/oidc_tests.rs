use super::*;
use crate::testing::Still;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use parlor_core::fetch::{Fetched, Fetching, Unfetched};
use parlor_core::oauth::{Button, Fields, Linking};
use parlor_core::users_change::Secret;
use serde_json::json;

/// Private keys made for these tests alone.
const RSA: &[u8] = include_bytes!("../tests/data/rsa.der");
const OTHER_RSA: &[u8] = include_bytes!("../tests/data/other_rsa.der");
/// The tests' present, in seconds.
const NOW: i64 = 1_700_000_000;
const ISSUER: &str = "https://issuer.example";
const CLIENT: &str = "parlor";

/// Answers by address; what is not there can't be reached.
#[derive(Default)]
struct Pages(Mutex<HashMap<String, (u16, String)>>);

impl Pages {
    fn put(&self, address: &str, body: Value) {
        self.0.lock().insert(address.into(), (200, body.to_string()));
    }
}

impl Fetch for Pages {
    fn fetch(&self, request: Request) -> Fetching {
        let page = self.0.lock().get(&request.url).cloned();
        Box::pin(async move {
            let (status, body) = page.ok_or(Unfetched::TimedOut)?;
            Ok(Fetched { status, url: request.url, headers: Vec::new(), body: body.into_bytes() })
        })
    }
}

fn issuer() -> Arc<Pages> {
    let pages = Pages::default();
    let mut key = Jwk::from_encoding_key(&EncodingKey::from_rsa_der(RSA), Algorithm::RS256).unwrap();
    key.common.key_id = Some("k".into());
    pages.put(&format!("{ISSUER}{WELL_KNOWN}"), document());
    pages.put("https://issuer.example/jwks", json!({ "keys": [key] }));
    Arc::new(pages)
}

fn document() -> Value {
    json!({
        "issuer": ISSUER, "authorization_endpoint": "https://issuer.example/auth?x=1",
        "token_endpoint": "https://issuer.example/token", "jwks_uri": "https://issuer.example/jwks",
    })
}

fn service() -> Service {
    Service {
        name: "acme".into(),
        title: "Acme".into(),
        custom: true,
        client_id: CLIENT.into(),
        secret: Secret("s".into()),
        place: Place::Issuer(ISSUER.into()),
        scope: "openid email".into(),
        fields: Fields { roles: "realm.roles".into(), ..Fields::default() },
        linking: Linking::default(),
        button: Button::default(),
        redirects: false,
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "42", "exp": NOW + 60, "iat": NOW, "nonce": "n",
        "email": "ann@example.org", "email_verified": true, "realm": { "roles": ["user", "auditor"] },
    })
}

fn signed(claims: &Value, key: &[u8]) -> String {
    let header = Header { kid: Some("k".into()), ..Header::new(Algorithm::RS256) };
    encode(&header, claims, &EncodingKey::from_rsa_der(key)).unwrap()
}

async fn redeem(token: &str, nonce: Option<&str>) -> Result<Outsider> {
    let pages = issuer();
    pages.put("https://issuer.example/token", json!({ "access_token": "a", "id_token": token }));
    let oidc = Oidc::new(pages, Arc::new(Still::at(NOW * 1000)));
    let back = Returned {
        code: "c".into(),
        nonce: nonce.map(str::to_owned),
        verifier: Some("v".into()),
        redirect_uri: "https://chat.example/_oauth/acme".into(),
    };
    oidc.redeem(&service(), &back).await
}

#[tokio::test]
async fn a_token_of_the_issuer_for_us_names_a_person_with_proved_address_and_roles() {
    let person = redeem(&signed(&claims(), RSA), Some("n")).await.unwrap();
    assert_eq!((person.subject.as_str(), person.email.as_deref()), ("42", Some("ann@example.org")));
    assert!(person.email_verified);
    assert_eq!(person.roles, Some(vec!["user".to_owned(), "auditor".to_owned()]));
}

#[tokio::test]
async fn a_proof_of_one_address_proves_no_other() {
    let person = async |token: Value, userinfo: Value, field: &str| {
        let pages = issuer();
        let mut document = document();
        document["userinfo_endpoint"] = json!("https://issuer.example/me");
        pages.put(&format!("{ISSUER}{WELL_KNOWN}"), document);
        pages.put("https://issuer.example/me", userinfo);
        let mut all = claims();
        for key in ["email", "email_verified"] {
            all[key] = token[key].clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        pages.put(
            "https://issuer.example/token",
            json!({ "access_token": "a", "id_token": signed(&all, RSA) }),
        );
        let oidc = Oidc::new(pages, Arc::new(Still::at(NOW * 1000)));
        let mut service = service();
        service.fields.email = field.into();
        let back = Returned {
            code: "c".into(),
            nonce: Some("n".into()),
            verifier: Some("v".into()),
            redirect_uri: "r".into(),
        };
        let person = oidc.redeem(&service, &back).await.unwrap();
        (person.email.unwrap_or_default(), person.email_verified)
    };
    let own =
        |address: &str, verified: Value| json!({ "sub": "42", "email": address, "email_verified": verified });
    let (none, unsaid) = (json!({ "sub": "42" }), json!({ "email": "a@example.org" }));
    // Said by both in one breath, or by one alone.
    assert!(person(unsaid.clone(), own("a@example.org", json!(true)), "").await.1);
    assert_eq!(
        person(json!({}), own("b@example.org", json!(true)), "").await,
        ("b@example.org".to_owned(), true)
    );
    // Two addresses, of which one is proved.
    assert_eq!(
        person(unsaid, own("b@example.org", json!(true)), "").await,
        ("a@example.org".to_owned(), false)
    );
    let proof = json!({ "email_verified": true });
    let bare = json!({ "sub": "42", "email": "b@example.org" });
    assert_eq!(person(proof, bare, "").await, ("b@example.org".to_owned(), false));
    // The address stands in another claim than the one that the issuer vouches for.
    let mut mail = own("a@example.org", json!(true));
    mail["mail"] = json!("boss@example.org");
    assert_eq!(person(json!({}), mail, "mail").await, ("boss@example.org".to_owned(), false));
    assert!(person(own("a@example.org", json!(true)), none, "email").await.1);
}

#[tokio::test]
async fn forged_foreign_old_and_borrowed_tokens_prove_nothing() {
    let with = |name: &str, value: Value| {
        let mut changed = claims();
        changed[name] = value;
        signed(&changed, RSA)
    };
    let none = |claims: &Value| {
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.", part(json!({ "alg": "none", "typ": "JWT" })), part(claims.clone()))
    };
    // The public key's own text as a shared secret: the oldest trick.
    let shared = encode(
        &Header { kid: Some("k".into()), ..Header::new(Algorithm::HS256) },
        &claims(),
        &EncodingKey::from_secret(b"parlor"),
    );
    for (what, token) in [
        ("another key", signed(&claims(), OTHER_RSA)),
        ("no algorithm", none(&claims())),
        ("a shared secret", shared.unwrap()),
        ("issuer", with("iss", json!("https://evil.example"))),
        ("no issuer", with("iss", Value::Null)),
        ("audience", with("aud", json!("another"))),
        ("several audiences and no party", with("aud", json!([CLIENT, "another"]))),
        ("another party", with("azp", json!("another"))),
        ("expired", with("exp", json!(NOW - 1))),
        ("not yet", with("iat", json!(NOW + 600))),
        ("nonce", with("nonce", json!("m"))),
        ("no nonce", with("nonce", Value::Null)),
        ("nobody", with("sub", json!(""))),
        ("junk", "a.b.c".into()),
        ("nothing", String::new()),
    ] {
        assert_eq!(redeem(&token, Some("n")).await, Err(Refusal::BadCredentials), "{what}");
    }
    let for_several = with("aud", json!([CLIENT, "another"]));
    assert!(redeem(&for_several, None).await.is_err());
}

#[tokio::test]
async fn a_token_that_a_client_brings_must_be_made_for_us() {
    let oidc = Oidc::new(issuer(), Arc::new(Still::at(NOW * 1000)));
    let good = signed(&claims(), RSA);
    assert_eq!(oidc.vouched(&service(), &good).await.unwrap().subject, "42");
    let mut other = claims();
    other["aud"] = json!("another client");
    let other = signed(&other, RSA);
    assert_eq!(oidc.vouched(&service(), &other).await, Err(Refusal::BadCredentials));
}

#[tokio::test]
async fn the_way_out_carries_state_nonce_and_a_challenge_but_no_secret() {
    let oidc = Oidc::new(issuer(), Arc::new(Still::at(NOW * 1000)));
    let asking = Asking {
        state: "st".into(),
        nonce: "no".into(),
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into(),
        redirect_uri: "https://chat.example/_oauth/acme".into(),
    };
    let url = oidc.address(&service(), &asking).await.unwrap();
    assert!(url.starts_with("https://issuer.example/auth?x=1&response_type=code&client_id=parlor"), "{url}");
    // The pair of RFC 7636's appendix B.
    assert!(url.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), "{url}");
    assert!(url.contains("&state=st&") && url.ends_with("&nonce=no") && !url.contains("dBjft"), "{url}");
}

#[tokio::test]
async fn an_issuer_that_calls_itself_otherwise_or_is_away_signs_nobody_in() {
    let pages = issuer();
    let mut other = document();
    other["issuer"] = json!("https://evil.example");
    pages.put(&format!("{ISSUER}{WELL_KNOWN}"), other);
    let asking =
        Asking { state: "s".into(), nonce: "n".into(), verifier: "v".into(), redirect_uri: "r".into() };
    let oidc = Oidc::new(pages, Arc::new(Still::at(0)));
    assert_eq!(oidc.address(&service(), &asking).await, Err(Refusal::Unavailable));
    let away = Oidc::new(Arc::new(Pages::default()), Arc::new(Still::at(0)));
    assert_eq!(away.address(&service(), &asking).await, Err(Refusal::Unavailable));
}

#[tokio::test]
async fn github_vouches_for_the_address_that_it_calls_primary_and_verified() {
    let pages = Pages::default();
    pages.put("https://git.example/token", json!({ "access_token": "a" }));
    pages.put("https://api.git.example/user", json!({ "id": 7, "login": "ann", "email": "old@example.org" }));
    let all = json!([
        { "email": "x@example.org", "primary": false, "verified": true },
        { "email": "ann@example.org", "primary": true, "verified": true },
    ]);
    pages.put("https://api.git.example/user/emails", all);
    let place = Place::Paths {
        base: "https://git.example".into(),
        authorize: "/auth".into(),
        token: "/token".into(),
        identity: "https://api.git.example/user".into(),
        emails: Some("https://api.git.example/user/emails".into()),
        parameter: None,
    };
    let pages = Arc::new(pages);
    let oidc = Oidc::new(pages.clone(), Arc::new(Still::at(0)));
    let service = Service { place, ..service() };
    let back = || Returned { code: "c".into(), nonce: None, verifier: None, redirect_uri: "r".into() };
    let person = oidc.redeem(&service, &back()).await.unwrap();
    assert_eq!((person.subject.as_str(), person.username.as_deref()), ("7", Some("ann")));
    assert_eq!((person.email.as_deref(), person.email_verified), (Some("ann@example.org"), true));
    // GitHub says 200 to what it refuses.
    pages.put("https://git.example/token", json!({ "error": "bad_verification_code" }));
    assert_eq!(oidc.redeem(&service, &back()).await, Err(Refusal::BadCredentials));
}

//! Phones by one's own credentials, against services that speak HTTP/2 over TLS as Google's and Apple's do.

use std::{
    collections::VecDeque,
    convert::Infallible,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use parking_lot::Mutex;
use parlor_testkit::{Cast, Server, needs};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(30);

/// A call as it was heard.
struct Call {
    path: String,
    version: axum::http::Version,
    headers: axum::http::HeaderMap,
    body: Vec<u8>,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// Answers of one path, in order; afterwards 200 and `{}`.
type Answers = Arc<Mutex<VecDeque<(u16, String)>>>;

/// A push service of one's own: HTTP/2 over TLS, nothing else.
struct Service {
    url: String,
    calls: mpsc::UnboundedReceiver<Call>,
    answers: Answers,
}

impl Service {
    async fn open(folder: &Path, name: &str) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        std::fs::write(folder.join(name), made.cert.pem()).expect("a file");
        let key = PrivateKeyDer::from_pem_slice(made.signing_key.serialize_pem().as_bytes()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("they go together");
        tls.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://localhost:{}", listener.local_addr().expect("an address").port());
        let (sender, calls) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let answering = answers.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, sender, answers) = (acceptor.clone(), sender.clone(), answering.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let service = hyper::service::service_fn(move |request| {
                        hear(request, sender.clone(), answers.clone())
                    });
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { url, calls, answers }
    }

    fn answer(&self, status: u16, body: &str) {
        self.answers.lock().push_back((status, body.to_owned()));
    }

    async fn next(&mut self) -> Call {
        let call = tokio::time::timeout(PATIENCE, self.calls.recv()).await;
        call.expect("a call in time").expect("the service is open")
    }
}

async fn hear(
    request: hyper::Request<hyper::body::Incoming>,
    heard: mpsc::UnboundedSender<Call>,
    answers: Answers,
) -> Result<hyper::Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(Body::new(body), 1 << 20).await.unwrap_or_default().to_vec();
    let path = parts.uri.path().to_owned();
    let _ = heard.send(Call { path, version: parts.version, headers: parts.headers, body });
    let (status, text) = answers.lock().pop_front().unwrap_or((200, "{}".to_owned()));
    let mut response = hyper::Response::new(Body::from(text));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    Ok(response)
}

/// The claims, if the signature is of that key; the header's key id.
fn proved(token: &str, key: &DecodingKey, algorithm: Algorithm) -> (Value, Option<String>) {
    let mut rules = Validation::new(algorithm);
    rules.required_spec_claims.clear();
    rules.validate_exp = false;
    rules.validate_aud = false;
    let claims = decode::<Value>(token, key, &rules).expect("the signature fits").claims;
    (claims, decode_header(token).expect("a header").kid)
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("not that far")
}

/// A server that trusts both services, with a phone of each kind for the member.
async fn stage(folder: &Path, settings: &[(&str, &str)]) -> (Server, Cast) {
    let mut setup = Server::setup()
        .setting("Push_enable", "true")
        .setting("Push_request_content_from_server", "false")
        .setting("SSRF_Allowlist", "localhost,127.0.0.1")
        .env("SSL_CERT_FILE", folder.join("trusted.pem").to_str().expect("text"));
    for (name, value) in settings {
        setup = setup.env(name, value);
    }
    let server = setup.start().await;
    let cast = Cast::assemble(&server).await;
    (server, cast)
}

async fn phone(cast: &Cast, kind: &str, value: &str) {
    let token = json!({ "type": kind, "value": value, "appName": "chat.example.app" });
    let _ = cast.member.rest.post("push.token", token).await.ok();
}

/// Says something until two messages in a row went to the other phone alone: each is the mark behind the one before.
async fn only_the_other(service: &mut Service, cast: &Cast, room: &str, is_other: impl Fn(&Call) -> bool) {
    let mut alone = 0;
    for _ in 0..20 {
        cast.owner.say(room, "more").await;
        let call = service.next().await;
        if is_other(&call) {
            alone += 1;
        } else {
            alone = 0;
            let _ = service.next().await;
        }
        if alone == 3 {
            return;
        }
    }
    panic!("the phone that is gone is still told");
}

#[tokio::test]
async fn apple_gets_a_signed_push_over_http2_and_a_phone_that_it_no_longer_knows_is_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut apple = Service::open(folder.path(), "trusted.pem").await;
    let key = rcgen::KeyPair::generate().expect("a key");
    let file = folder.path().join("key.p8");
    std::fs::write(&file, key.serialize_pem()).expect("a file");
    let (server, cast) = stage(
        folder.path(),
        &[
            ("PARLOR_APNS_KEY", file.to_str().expect("text")),
            ("PARLOR_APNS_KEY_ID", "KEY1234567"),
            ("PARLOR_APNS_TEAM_ID", "TEAM123456"),
            ("PARLOR_APNS_TOPIC", "chat.example.app"),
            ("PARLOR_APNS_URL", &apple.url),
        ],
    )
    .await;
    phone(&cast, "apn", "00aa11bb22cc33dd").await;
    // Theirs to mend: it is tried again, five seconds later; meanwhile the rest goes on.
    apple.answer(503, "{}");
    let room = cast.owner.direct(&cast.member).await;
    let first = cast.owner.say(&room, "one").await;
    let put_off = apple.next().await;
    assert_eq!(put_off.path, "/3/device/00aa11bb22cc33dd");
    assert_eq!(put_off.version, axum::http::Version::HTTP_2);
    assert_eq!(put_off.header("apns-topic"), "chat.example.app");
    assert_eq!((put_off.header("apns-push-type"), put_off.header("apns-priority")), ("alert", "10"));
    let body = put_off.json();
    assert_eq!(body["aps"]["alert"], json!({ "title": "Olga Owner", "body": "one" }));
    assert_eq!((&body["aps"]["badge"], &body["aps"]["sound"]), (&json!(1), &json!("default")));
    let told: Value = serde_json::from_str(body["ejson"].as_str().expect("text")).expect("JSON");
    assert_eq!((&told["messageId"], &told["rid"]), (&first["_id"], &json!(room)));
    let proof = put_off.header("authorization").strip_prefix("bearer ").expect("a proof").to_owned();
    let (x, y) = key.public_key_raw()[1..].split_at(32);
    let public = DecodingKey::from_ec_components(&URL_SAFE_NO_PAD.encode(x), &URL_SAFE_NO_PAD.encode(y));
    let public = public.expect("a key");
    let (claims, id) = proved(&proof, &public, Algorithm::ES256);
    assert_eq!((claims["iss"].as_str(), id.as_deref()), (Some("TEAM123456"), Some("KEY1234567")));
    assert!((claims["iat"].as_i64().expect("a time") - now()).abs() < 120);
    let again = apple.next().await;
    assert_eq!(again.json()["ejson"], body["ejson"], "the same push comes again");
    assert_eq!(again.header("authorization"), format!("bearer {proof}"), "a proof is used for long");
    // Apple says that the app is gone from the phone.
    apple.answer(410, r#"{"reason":"Unregistered","timestamp":1}"#);
    cast.owner.say(&room, "two").await;
    assert_eq!(apple.next().await.json()["aps"]["alert"]["body"], "two");
    phone(&cast, "apn", "ffee").await;
    only_the_other(&mut apple, &cast, &room, |call| call.path == "/3/device/ffee").await;
    assert!(!server.logs().contains("PRIVATE KEY"));
}

/// An RSA key by OpenSSL: in PEM, and its modulus in base64url.
fn rsa(folder: &Path) -> Option<(String, String)> {
    let file = folder.join("rsa.pem");
    let path = file.to_str()?;
    let run = |arguments: &[&str]| {
        Command::new("openssl").args(arguments).output().ok().filter(|o| o.status.success())
    };
    let made = run(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", path]);
    let found = made.map(|_| ()).ok_or_else(|| "openssl is not installed".to_owned());
    // It comes with what installs the directory.
    needs::met("slapd", found).then_some(())?;
    let shown = String::from_utf8(run(&["rsa", "-in", path, "-noout", "-modulus"])?.stdout).ok()?;
    let hex = shown.trim().strip_prefix("Modulus=")?;
    let modulus: Option<Vec<u8>> =
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok()).collect();
    Some((std::fs::read_to_string(file).ok()?, URL_SAFE_NO_PAD.encode(modulus?)))
}

#[tokio::test]
async fn google_gets_pushes_with_one_access_token_that_is_renewed_when_it_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((private, public)) = rsa(folder.path()) else { return };
    let mut google = Service::open(folder.path(), "trusted.pem").await;
    let account = json!({
        "type": "service_account", "project_id": "a-project", "private_key_id": "key-1", "private_key": private,
        "client_email": "push@a-project.example", "token_uri": format!("{}/token", google.url),
    });
    let file = folder.path().join("account.json");
    std::fs::write(&file, account.to_string()).expect("a file");
    let own = [("PARLOR_FCM_ACCOUNT", file.to_str().expect("text")), ("PARLOR_FCM_URL", &google.url)];
    let (server, cast) = stage(folder.path(), &own).await;
    phone(&cast, "gcm", "a-phone:of/theirs").await;
    let room = cast.owner.direct(&cast.member).await;
    google.answer(200, r#"{"access_token":"first","expires_in":3599,"token_type":"Bearer"}"#);
    cast.owner.say(&room, "one").await;
    let asked = google.next().await;
    assert_eq!(asked.path, "/token");
    let form = String::from_utf8(asked.body).expect("a form");
    let assertion = form.split_once("&assertion=").expect("an assertion").1;
    let key = DecodingKey::from_rsa_components(&public, "AQAB").expect("a key");
    let (claims, id) = proved(assertion, &key, Algorithm::RS256);
    assert_eq!((claims["iss"].as_str(), id.as_deref()), (Some("push@a-project.example"), Some("key-1")));
    assert_eq!(claims["scope"], "https://www.googleapis.com/auth/firebase.messaging");
    assert_eq!(claims["aud"], format!("{}/token", google.url));
    assert_eq!(
        claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(until, from)| until - from),
        Some(3600)
    );
    let sent = google.next().await;
    assert_eq!(
        (sent.path.as_str(), sent.header("authorization")),
        ("/v1/projects/a-project/messages:send", "Bearer first")
    );
    assert_eq!(sent.version, axum::http::Version::HTTP_2);
    let message = &sent.json()["message"];
    assert_eq!(message["token"], "a-phone:of/theirs");
    assert_eq!(message["notification"], json!({ "title": "Olga Owner", "body": "one" }));
    assert_eq!((&message["android"]["priority"], &message["data"]["msgcnt"]), (&json!("HIGH"), &json!("1")));
    // The token serves on until Google refuses it; then the push comes again with a new one.
    google.answer(401, "{}");
    cast.owner.say(&room, "two").await;
    assert_eq!(google.next().await.header("authorization"), "Bearer first");
    google.answer(200, r#"{"access_token":"second","expires_in":3599}"#);
    assert_eq!(google.next().await.path, "/token");
    assert_eq!(google.next().await.header("authorization"), "Bearer second");
    // The app is gone from the phone.
    google.answer(404, r#"{"error":{"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}}"#);
    cast.owner.say(&room, "three").await;
    assert_eq!(google.next().await.json()["message"]["notification"]["body"], "three");
    phone(&cast, "gcm", "another").await;
    only_the_other(&mut google, &cast, &room, |call| call.json()["message"]["token"] == "another").await;
    let logs = server.logs();
    assert!(!logs.contains("Bearer") && !logs.contains("PRIVATE KEY"));
}

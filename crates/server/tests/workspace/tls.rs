//! TLS spoken by the server itself: files that change, plain addresses that send people on, and certificates from a real
//! authority for tests.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use parlor_testkit::{Cast, Server, needs, wait};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_tungstenite::tungstenite::Message;

const NAME: &str = "chat.example.org";

/// A client's side of TLS that trusts these certificates alone.
fn trusting(pem: &str) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.expect("a certificate")).expect("a certificate that can be trusted");
    }
    ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has them")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// A handshake as this name; refused when the certificate is not one that `pem` vouches for.
async fn shake(address: SocketAddr, pem: &str) -> std::io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(NAME).expect("a name");
    let stream = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(trusting(pem))).connect(name, stream).await
}

fn browser(address: SocketAddr, pem: &str) -> reqwest::Client {
    reqwest::Client::builder()
        .tls_backend_preconfigured(trusting(pem))
        .resolve(NAME, address)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(wait::PATIENCE)
        .build()
        .expect("a client")
}

/// Where the server says that it listens, after these words of its log.
fn heard(server: &Server, words: &str) -> SocketAddr {
    let logs = server.logs();
    let line = logs.lines().find(|line| line.contains(words)).expect("the log says it");
    let begin = line.find("127.").expect("an address of the loopback");
    let address: String =
        line[begin..].chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ':').collect();
    address.parse().expect("an address")
}

/// A certificate for the name, by itself, in the two files.
fn certify(folder: &Path) -> String {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("a file");
    std::fs::write(folder.join("chain.pem"), made.cert.pem()).expect("a file");
    made.cert.pem()
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).to_str().expect("a path is text").to_owned()
}

/// DDP within the encrypted stream: what is answered to a method.
async fn method<S>(socket: &mut S, id: &str, name: &str, params: Value) -> Value
where
    S: SinkExt<Message> + StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
    <S as futures_util::Sink<Message>>::Error: std::fmt::Debug,
{
    let frame = json!({ "msg": "method", "id": id, "method": name, "params": params });
    socket.send(Message::text(frame.to_string())).await.expect("a frame goes out");
    let answered = async {
        loop {
            let frame = socket.next().await.expect("the socket stays open").expect("a frame");
            let Ok(text) = frame.to_text() else { continue };
            let frame: Value = serde_json::from_str(text).unwrap_or_default();
            if frame["msg"] == "result" && frame["id"] == id {
                assert!(frame["error"].is_null(), "{frame}");
                return frame["result"].clone();
            }
        }
    };
    wait::within("a method is answered", answered).await
}

#[tokio::test]
async fn files_give_tls_to_requests_and_sockets_and_are_read_again_when_they_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = certify(folder.path());
    let server = Server::setup()
        .env("PARLOR_TLS_LISTEN", "127.0.0.1:0")
        .env("PARLOR_TLS_REDIRECT", "127.0.0.1:0")
        .env("PARLOR_TLS_CERTIFICATE", &path(folder.path(), "chain.pem"))
        .env("PARLOR_TLS_KEY", &path(folder.path(), "key.pem"))
        .env("PARLOR_TLS_HSTS", "3600")
        .env("ROOT_URL", "https://chat.example.org")
        .start()
        .await;
    let cast = Cast::assemble(&server).await;
    let (secure, plain) = (heard(&server, "listening with TLS"), heard(&server, "redirecting"));
    let client = browser(secure, &first);
    let url = |path: &str| format!("https://{NAME}:{}{path}", secure.port());

    let answer = client.get(url("/api/info")).send().await.expect("an answer over TLS");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["strict-transport-security"], "max-age=3600");
    let plain_answer = server.rest().get("info", &[]).await;
    assert!(!plain_answer.headers.contains_key("strict-transport-security"), "said over TLS alone");

    // Everybody is sent to the public address, and not where his own Host header says.
    let other = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
    let other = other.expect("a client");
    let moved = other.post(format!("http://{plain}/api/v1/login?a=b")).header("host", "evil.example").send();
    let moved = moved.await.expect("an answer");
    assert_eq!(moved.status(), 308);
    assert_eq!(moved.headers()["location"], "https://chat.example.org/api/v1/login?a=b");
    assert_eq!(other.get(format!("http://{plain}/health")).send().await.expect("an answer").status(), 200);

    // Whoever speaks plain HTTP here, or stops in the middle, is let go and disturbs nobody.
    assert!(other.get(format!("http://{secure}/health")).send().await.is_err());
    let silent = TcpStream::connect(secure).await.expect("a connection");

    let stream = shake(secure, &first).await.expect("a handshake");
    let (mut socket, _) = tokio_tungstenite::client_async(format!("wss://{NAME}/websocket"), stream)
        .await
        .expect("a WebSocket over TLS");
    let hello = json!({ "msg": "connect", "version": "1", "support": ["1"] });
    socket.send(Message::text(hello.to_string())).await.expect("a frame goes out");
    let token = cast.owner.rest.token().expect("signed in");
    let _ = method(&mut socket, "1", "login", json!([{ "resume": token }])).await;
    let room = cast.owner.group("sealed", &[&cast.member]).await;
    // More than TLS holds back of an answer, in one frame.
    for n in 0..40 {
        let _ = cast.owner.say(&room, &format!("{n} {}", "long ".repeat(900))).await;
    }
    let history = method(&mut socket, "2", "loadHistory", json!([room, null, 50, null])).await;
    let texts = history["messages"].as_array().expect("messages").iter().filter_map(|m| m["msg"].as_str());
    assert_eq!(texts.filter(|text| text.len() > 4000).count(), 40);

    // A new pair takes over without a restart, and what is open stays.
    let second = certify(folder.path());
    wait::until("the new certificate is shown", || async { shake(secure, &second).await.ok() }).await;
    assert!(shake(secure, &first).await.is_err(), "the old one is shown no more");
    std::fs::write(folder.path().join("key.pem"), "not a key").expect("a file");
    wait::until("the bad key is said", || async {
        server.logs().contains("can't be used; the earlier one stays").then_some(())
    })
    .await;
    shake(secure, &second).await.expect("the last good pair stays");
    let _ = method(&mut socket, "3", "getRoomIdByNameOrId", json!(["sealed"])).await;
    drop(silent);
}

/// Pebble, the small authority for tests, and its DNS, which finds every name on one address of the loopback.
struct Authority {
    folder: tempfile::TempDir,
    children: Vec<Child>,
    directory: String,
    management: String,
}

/// An address of the loopback that no other test uses, so that ports stay free until they are bound.
const HERE: &str = "127.77.0.1";

fn free() -> u16 {
    let listener = TcpListener::bind((HERE, 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

impl Authority {
    /// `None` where it is not installed.
    fn start(http: u16, tls: u16) -> Option<Self> {
        Self::start_with(http, tls, json!({}))
    }

    /// The same with more in its configuration.
    fn start_with(http: u16, tls: u16, more: Value) -> Option<Self> {
        let there = |name: &str| Command::new(name).arg("-h").stderr(Stdio::null()).status().is_ok();
        let found = there("pebble") && there("pebble-challtestsrv");
        let found = found.then_some(()).ok_or_else(|| "pebble is not installed".to_owned());
        if !needs::met("pebble", found) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a root");
        let key = KeyPair::generate().expect("a key");
        let own = CertificateParams::new([HERE.to_owned()]).expect("a name").signed_by(&key, &root);
        std::fs::write(folder.path().join("root.pem"), root.pem()).expect("a file");
        std::fs::write(folder.path().join("own.pem"), own.expect("a certificate").pem()).expect("a file");
        std::fs::write(folder.path().join("own.key"), key.serialize_pem()).expect("a file");
        let (listen, management, dns) = (free(), free(), free());
        let mut config = json!({ "pebble": {
            "listenAddress": format!("{HERE}:{listen}"),
            "managementListenAddress": format!("{HERE}:{management}"),
            "certificate": folder.path().join("own.pem"),
            "privateKey": folder.path().join("own.key"),
            "httpPort": http,
            "tlsPort": tls,
        }});
        let plain = config["pebble"].as_object_mut().expect("an object");
        plain.extend(more.as_object().expect("an object").clone());
        std::fs::write(folder.path().join("config.json"), config.to_string()).expect("a file");
        let start = |command: &mut Command| {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts")
        };
        let dns = format!("{HERE}:{dns}");
        let names = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-management", &format!("{HERE}:0")]
            .map(str::to_owned);
        let names = start(Command::new("pebble-challtestsrv").args(names).args([
            "-dns01",
            &dns,
            "-defaultIPv4",
            HERE,
            "-defaultIPv6",
            "",
        ]));
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(folder.path().join("config.json")).args(["-dnsserver", &dns]);
        let pebble = start(pebble.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_WFE_NONCEREJECT", "0"));
        Some(Self {
            folder,
            children: vec![names, pebble],
            directory: format!("https://{HERE}:{listen}/dir"),
            management: format!("https://{HERE}:{management}/roots/0"),
        })
    }

    /// The certificate by which what it issues is known; waits until it is up.
    async fn root(&self) -> String {
        let own = std::fs::read_to_string(self.folder.path().join("root.pem")).expect("a file");
        let client = reqwest::Client::builder().tls_backend_preconfigured(trusting(&own)).no_proxy().build();
        let client = client.expect("a client");
        wait::until("the authority is up", || async {
            client.get(&self.management).send().await.ok()?.text().await.ok()
        })
        .await
    }
}

impl Authority {
    /// Ends it; its files stay.
    fn stop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts a server that asks the authority.
async fn asking(
    authority: &Authority,
    challenge: &str,
    tls: u16,
    http: u16,
    more: &[(&str, &str)],
) -> Server {
    let mut setup = Server::setup()
        .env("PARLOR_TLS_LISTEN", &format!("{HERE}:{tls}"))
        .env("PARLOR_TLS_REDIRECT", &format!("{HERE}:{http}"))
        .env("PARLOR_ACME_DOMAINS", NAME)
        .env("PARLOR_ACME_CONTACT", "admin@example.org")
        .env("PARLOR_ACME_DIRECTORY", &authority.directory)
        .env("PARLOR_ACME_TRUST", &path(authority.folder.path(), "root.pem"))
        .env("PARLOR_ACME_CHALLENGE", challenge)
        .env("ROOT_URL", "https://chat.example.org");
    for (name, value) in more {
        setup = setup.env(name, value);
    }
    setup.start().await
}

/// The same; waits for its certificate, and hands both back.
async fn certified(authority: &Authority, challenge: &str, tls: u16, http: u16) -> (Server, String) {
    let root = authority.root().await;
    let address: SocketAddr = format!("{HERE}:{tls}").parse().expect("an address");
    let server = asking(authority, challenge, tls, http, &[]).await;
    let shown = || async { shake(address, &root).await.ok() };
    wait::until("a certificate is issued and shown", shown).await;
    (server, root)
}

#[tokio::test]
async fn an_authority_issues_a_certificate_over_tls_which_outlives_a_restart_without_the_authority() {
    let (tls, http) = (free(), free());
    let Some(mut authority) = Authority::start(http, tls) else { return };
    let (mut server, root) = certified(&authority, "tls-alpn-01", tls, http).await;
    let address: SocketAddr = format!("{HERE}:{tls}").parse().expect("an address");
    let answer = browser(address, &root).get(format!("https://{NAME}:{tls}/health")).send().await;
    assert_eq!(answer.expect("an answer").status(), 200);
    let account = std::fs::read(server.data().join("acme/account.json")).expect("the account is kept");
    assert!(!server.logs().contains("PRIVATE KEY"));
    authority.stop();
    server.restart().await;
    shake(address, &root).await.expect("the kept certificate is shown at once");
    let after = std::fs::read(server.data().join("acme/account.json")).expect("the account is kept");
    assert!(account == after, "the account stays the same");
}

#[tokio::test]
async fn an_authority_issues_a_certificate_over_plain_http_where_that_is_chosen() {
    let (tls, http) = (free(), free());
    let Some(authority) = Authority::start(http, tls) else { return };
    let (_server, _) = certified(&authority, "http-01", tls, http).await;
    let strange = reqwest::get(format!("http://{HERE}:{http}/.well-known/acme-challenge/strange")).await;
    assert_eq!(strange.expect("an answer").status(), 404);
}

#[tokio::test]
async fn an_authority_that_takes_only_its_customers_is_shown_who_asks_and_refuses_others() {
    const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let (tls, http) = (free(), free());
    let customers =
        json!({ "externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid-1": KEY } });
    let Some(authority) = Authority::start_with(http, tls, customers) else { return };
    let root = authority.root().await;
    let address: SocketAddr = format!("{HERE}:{tls}").parse().expect("an address");
    let stranger = KEY.replace('z', "y");
    for wrong in [&[][..], &[("PARLOR_ACME_EAB_KEY_ID", "kid-1"), ("PARLOR_ACME_EAB_KEY", &stranger)]] {
        let mut server = asking(&authority, "tls-alpn-01", tls, http, wrong).await;
        wait::until("the refusal is said", || async {
            server.logs().contains("no certificate was issued").then_some(())
        })
        .await;
        let said = server.logs();
        assert!(said.contains("externalAccountBinding") || said.contains("external account"), "{said}");
        assert!(!said.contains(&stranger), "keys are not for the log");
        server.stop().await;
    }
    let right = [("PARLOR_ACME_EAB_KEY_ID", "kid-1"), ("PARLOR_ACME_EAB_KEY", KEY)];
    let server = asking(&authority, "tls-alpn-01", tls, http, &right).await;
    wait::until("a certificate is issued and shown", || async { shake(address, &root).await.ok() }).await;
    assert!(!server.logs().contains(KEY), "keys are not for the log");
}

#[tokio::test]
async fn an_authority_that_is_away_stops_nothing_but_the_handshake() {
    let gone = TcpListener::bind((HERE, 0)).expect("a port");
    let directory = format!("https://{}/dir", gone.local_addr().expect("an address"));
    drop(gone);
    let server = Server::setup()
        .env("PARLOR_TLS_LISTEN", "127.0.0.1:0")
        .env("PARLOR_ACME_DOMAINS", NAME)
        .env("PARLOR_ACME_DIRECTORY", &directory)
        .start()
        .await;
    assert_eq!(server.rest().get("/health", &[]).await.status, 200);
    let secure = heard(&server, "listening with TLS");
    let own = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    assert!(shake(secure, &own.cert.pem()).await.is_err(), "there is no certificate to show");
    wait::until("the failure is said", || async {
        server.logs().contains("no certificate was issued").then_some(())
    })
    .await;
    assert_eq!(server.rest().get("/health", &[]).await.status, 200);
}

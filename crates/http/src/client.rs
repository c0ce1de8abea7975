//! Calls, their redirects and their bounds.

use std::sync::Arc;

use parlor_core::fetch::{Fetch, Fetched, Fetching, Request, Unfetched};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use url::{Host, Url};

use crate::{
    Allowed,
    names::{self, Guarded, LookUp},
};

/// Redirects of one call.
const MAX_REDIRECTS: usize = 5;
/// Headers that go to the first host alone.
const PRIVATE_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-auth-token"];

/// Tells what the operator opened, as it is now.
pub type Opened = Arc<dyn Fn() -> Allowed + Send + Sync>;

/// The outgoing client. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    opened: Opened,
}

impl Client {
    /// A client that speaks TLS with the machine's own certificates (with Mozilla's where it has none) and uses no
    /// proxy.
    ///
    /// # Errors
    /// When the TLS library can't be set up.
    pub fn new(opened: Opened) -> Result<Self, String> {
        Self::asking(opened, names::of_the_machine())
    }

    /// As [`Client::new`], with another way to look names up.
    pub(crate) fn asking(opened: Opened, look_up: LookUp) -> Result<Self, String> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls()?)
            .dns_resolver(Guarded { opened: opened.clone(), look_up })
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("Parlor/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| error.to_string())?;
        Ok(Self { http, opened })
    }

    /// A client for a server that the operator himself named: its host is open wherever it is, others as ever.
    ///
    /// # Errors
    /// When that is no address, or the TLS library can't be set up.
    pub fn only_to(url: &str) -> Result<Self, String> {
        let url = read_url(url).map_err(|why| why.to_string())?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let opened = Allowed::read([host.as_str()]).map_err(|bad| format!("{} is no host", bad.0))?;
        Self::new(Arc::new(move || opened.clone()))
    }

    async fn follow(&self, request: Request) -> Result<Fetched, Unfetched> {
        let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| Unfetched::BadUrl)?;
        let mut url = read_url(&request.url)?;
        let mut headers = read_headers(&request.headers)?;
        for _ in 0..=MAX_REDIRECTS {
            self.judge(&url)?;
            let call = self.http.request(method.clone(), url.clone()).headers(headers.clone());
            let answer = call.body(request.body.clone()).send().await.map_err(|error| fault(&error))?;
            let Some(next) = redirect(&method, &answer)? else {
                return read_answer(answer, &request).await;
            };
            if next.origin() != url.origin() {
                PRIVATE_HEADERS.iter().for_each(|name| drop(headers.remove(*name)));
            }
            url = next;
        }
        Err(Unfetched::Redirects)
    }

    /// Addresses written as such never reach the resolver.
    fn judge(&self, url: &Url) -> Result<(), Unfetched> {
        let address = match url.host().ok_or(Unfetched::BadUrl)? {
            Host::Domain(_) => return Ok(()),
            Host::Ipv4(v4) => v4.into(),
            Host::Ipv6(v6) => v6.into(),
        };
        if (self.opened)().address(address) { Ok(()) } else { Err(Unfetched::Forbidden) }
    }
}

impl Fetch for Client {
    fn fetch(&self, request: Request) -> Fetching {
        let client = self.clone();
        Box::pin(async move {
            let within = request.within;
            tokio::time::timeout(within, client.follow(request)).await.unwrap_or(Err(Unfetched::TimedOut))
        })
    }
}

fn tls() -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    // Apple's push service speaks nothing but HTTP/2; whoever speaks both may choose.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn read_url(text: &str) -> Result<Url, Unfetched> {
    let url = Url::parse(text).map_err(|_| Unfetched::BadUrl)?;
    let good = matches!(url.scheme(), "http" | "https") && url.has_host();
    if good { Ok(url) } else { Err(Unfetched::BadUrl) }
}

fn read_headers(wanted: &[(String, String)]) -> Result<HeaderMap, Unfetched> {
    let mut headers = HeaderMap::new();
    for (name, value) in wanted {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Unfetched::BadUrl)?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| Unfetched::BadUrl)?);
    }
    Ok(headers)
}

/// Where an answer leads. Only reading calls are repeated elsewhere: a body is for whom it was written.
fn redirect(method: &Method, answer: &reqwest::Response) -> Result<Option<Url>, Unfetched> {
    let leads = matches!(answer.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(to) =
        answer.headers().get("location").filter(|_| leads && matches!(*method, Method::GET | Method::HEAD))
    else {
        return Ok(None);
    };
    let to = to.to_str().map_err(|_| Unfetched::Redirects)?;
    let next = answer.url().join(to).map_err(|_| Unfetched::Redirects)?;
    read_url(next.as_str()).map(Some)
}

async fn read_answer(mut answer: reqwest::Response, request: &Request) -> Result<Fetched, Unfetched> {
    let headers = answer.headers().iter();
    let headers = headers.filter_map(|(k, v)| Some((k.as_str().to_owned(), v.to_str().ok()?.to_owned())));
    let mut fetched = Fetched {
        status: answer.status().as_u16(),
        url: answer.url().to_string(),
        headers: headers.collect(),
        body: Vec::new(),
    };
    while let Some(chunk) = answer.chunk().await.map_err(|error| fault(&error))? {
        let room = request.at_most - fetched.body.len();
        if chunk.len() > room {
            if !request.cut_long {
                return Err(Unfetched::TooLarge);
            }
            fetched.body.extend_from_slice(&chunk[..room]);
            break;
        }
        fetched.body.extend_from_slice(&chunk);
    }
    Ok(fetched)
}

/// The cause, without the URL: it may hold a secret.
fn fault(error: &reqwest::Error) -> Unfetched {
    if error.is_timeout() {
        return Unfetched::TimedOut;
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    match cause.to_string() {
        text if text == Unfetched::Forbidden.to_string() => Unfetched::Forbidden,
        text => Unfetched::Unreachable(text),
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;

    fn client(open: &'static [&'static str]) -> Client {
        Client::new(Arc::new(move || Allowed::read(open.iter().copied()).expect("entries")))
            .expect("a client")
    }

    /// Answers each connection with the next of these, and tells what was asked.
    async fn server(answers: Vec<String>) -> (u16, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heard = tokio::spawn(async move {
            let mut heard = Vec::new();
            for answer in answers {
                let (mut socket, _) = listener.accept().await.expect("a caller");
                let mut bytes = vec![0; 4096];
                let read = socket.read(&mut bytes).await.expect("a request");
                heard.push(String::from_utf8_lossy(&bytes[..read]).into_owned());
                socket.write_all(answer.as_bytes()).await.expect("an answer");
            }
            heard
        });
        (port, heard)
    }

    fn answer(head: &str, body: &str) -> String {
        format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    }

    #[tokio::test]
    async fn what_the_operator_opened_is_reached_and_nothing_else_on_this_machine() {
        let (port, heard) = server(vec![answer("200 OK", "hello")]).await;
        for url in [
            format!("http://127.0.0.1:{port}/"),
            format!("http://localhost:{port}/"),
            format!("http://[::ffff:127.0.0.1]:{port}/"),
        ] {
            assert_eq!(client(&[]).fetch(Request::get(url)).await, Err(Unfetched::Forbidden));
        }
        for odd in ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/"] {
            assert_eq!(client(&[]).fetch(Request::get(odd)).await, Err(Unfetched::Forbidden), "{odd}");
        }
        let got = client(&["127.0.0.0/8"])
            .fetch(Request::get(format!("http://127.0.0.1:{port}/x")))
            .await
            .expect("hello");
        assert_eq!((got.status, got.body.as_slice()), (200, b"hello".as_slice()));
        assert!(heard.await.expect("one call")[0].starts_with("GET /x HTTP/1.1"));
    }

    #[tokio::test]
    async fn a_redirect_is_judged_like_the_first_call_and_keeps_secrets_at_home() {
        let elsewhere = answer("302 Found\r\nlocation: http://10.0.0.1/secret", "");
        let (port, _heard) = server(vec![elsewhere]).await;
        let open = client(&["127.0.0.1"]);
        assert_eq!(
            open.fetch(Request::get(format!("http://127.0.0.1:{port}/"))).await,
            Err(Unfetched::Forbidden)
        );

        let (second, heard) = server(vec![answer("200 OK", "there")]).await;
        let (first, _) =
            server(vec![answer(&format!("302 Found\r\nlocation: http://127.0.0.1:{second}/"), "")]).await;
        let mut request = Request::get(format!("http://127.0.0.1:{first}/"));
        request.headers.push(("authorization".to_owned(), "Bearer x".to_owned()));
        assert_eq!(open.fetch(request).await.expect("there").body, b"there");
        assert!(!heard.await.expect("one call")[0].to_lowercase().contains("authorization"));
    }

    #[tokio::test]
    async fn a_ring_of_redirects_a_large_answer_and_silence_all_end() {
        let ring = server(vec![answer("302 Found\r\nlocation: /", ""); 6]).await.0;
        let open = client(&["127.0.0.1"]);
        assert_eq!(
            open.fetch(Request::get(format!("http://127.0.0.1:{ring}/"))).await,
            Err(Unfetched::Redirects)
        );

        let large = server(vec![answer("200 OK", &"x".repeat(2000)); 2]).await.0;
        let mut request = Request { at_most: 1000, ..Request::get(format!("http://127.0.0.1:{large}/")) };
        assert_eq!(open.fetch(request.clone()).await, Err(Unfetched::TooLarge));
        request.cut_long = true;
        assert_eq!(open.fetch(request).await.expect("a part").body.len(), 1000);

        let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/", silent.local_addr().expect("an address"));
        let request = Request { within: std::time::Duration::from_millis(50), ..Request::get(url) };
        assert_eq!(open.fetch(request).await, Err(Unfetched::TimedOut));
    }
}

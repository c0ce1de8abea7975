//! Stands before a server and fails as servers and the ways to them do: asks for patience, answers for a server that is
//! away, cuts answers off, falls silent.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use parking_lot::Mutex;

#[derive(Clone)]
struct Way {
    to: String,
    http: reqwest::Client,
    calls: Arc<AtomicUsize>,
    held: Arc<AtomicUsize>,
    silent: Arc<Mutex<Option<&'static str>>>,
}

/// A rough way to a server.
pub struct Rough {
    /// Where it begins.
    pub url: String,
    way: Way,
}

impl Rough {
    pub async fn to(url: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let begins = format!("http://{}", listener.local_addr().expect("an address"));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        let way = Way {
            to: url.to_owned(),
            http,
            calls: Arc::default(),
            held: Arc::default(),
            silent: Arc::default(),
        };
        let router = Router::new().fallback(pass).with_state(way.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url: begins, way }
    }

    /// From now on calls with this in their path get no answer at all; `None` for the end of it.
    pub fn silent_at(&self, part: Option<&'static str>) {
        *self.way.silent.lock() = part;
    }

    /// Calls that got no answer.
    pub fn held(&self) -> usize {
        self.way.held.load(SeqCst)
    }

    /// Calls so far.
    pub fn calls(&self) -> usize {
        self.way.calls.load(SeqCst)
    }
}

async fn pass(State(way): State<Way>, request: Request) -> Response {
    let path = request.uri().path_and_query().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let silent = *way.silent.lock();
    if silent.is_some_and(|part| path.contains(part)) {
        way.held.fetch_add(1, SeqCst);
        return std::future::pending().await;
    }
    let number = way.calls.fetch_add(1, SeqCst);
    match number % 8 {
        1 => return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "0")]).into_response(),
        3 => return (StatusCode::BAD_GATEWAY, "<html>away</html>").into_response(),
        _ => {}
    }
    let names = ["x-user-id", "x-auth-token"];
    let headers: HeaderMap =
        request.headers().iter().filter(|(name, _)| names.contains(&name.as_str())).map(own).collect();
    let there = way.http.get(format!("{}{path}", way.to)).headers(headers).send().await.expect("an answer");
    let (status, kind) = (there.status(), there.headers().get(header::CONTENT_TYPE).cloned());
    let bytes = there.bytes().await.expect("the whole of it");
    let half = bytes.slice(..bytes.len() / 2);
    let mut answer = match number % 8 {
        // The connection ends within the answer.
        5 => Response::new(cut(half)),
        // It is not seen that it ends too early: servers of old don't say how long an answer is.
        7 if path.starts_with("/api/") => Response::new(Body::from(half)),
        _ => Response::new(Body::from(bytes)),
    };
    *answer.status_mut() = status;
    answer.headers_mut().extend(kind.map(|kind| (header::CONTENT_TYPE, kind)));
    answer
}

fn own(
    (name, value): (&header::HeaderName, &header::HeaderValue),
) -> (header::HeaderName, header::HeaderValue) {
    (name.clone(), value.clone())
}

fn cut(half: Bytes) -> Body {
    let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(stream::iter([Ok(half)]).chain(stream::iter([Err(gone)])))
}

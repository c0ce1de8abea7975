//! The accept loop: HTTP/1.1 with upgrades, bounded in everything, and its end.

mod patience;
mod socket;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_util::sync::CancellationToken;
use tower::Service;

pub(crate) use self::patience::Patient;
use self::patience::{PatientBody, Waits};
pub(crate) use self::socket::Socket;
use crate::address::{ClientAddress, client_address};
use crate::caps::{CapLimits, Caps, Seat};
use crate::close::Close;
use crate::live::Live;

/// Bounds of the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct ServeOptions {
    /// Bytes of a request's head; above: 431. Default 32 KiB.
    pub max_head: usize,
    /// Headers of a request; above: 431. Default 100.
    pub max_headers: usize,
    /// How long the head of a request may take, and how long a connection may wait for its next request.
    /// Default 30 s.
    pub head_timeout: Duration,
    /// How long a body may bring nothing, or a client take nothing of an answer. Default 30 s.
    pub stall_timeout: Duration,
    /// How long a body may keep its reader waiting in all, beside a second for each KiB that it brought: a slow phone
    /// gets through, whoever drips does not. Default 60 s.
    pub slow_body: Duration,
    /// Sockets open at once, live connections among them; keep it below the process's file descriptors. At
    /// the bound each answer closes its connection; at [`CROWD`] more the loop stops accepting. Default
    /// 100,000.
    pub max_sockets: usize,
    /// Sockets from one address, when there is no proxy before the server. Default 2,000.
    pub max_sockets_per_address: u32,
    /// Proxies before the server, each appending to `X-Forwarded-For`. Default 0: the header is ignored.
    pub trusted_proxies: usize,
    /// How long the end may take. Default 10 s.
    pub shutdown_timeout: Duration,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            max_head: 32 * 1024,
            max_headers: 100,
            head_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            slow_body: Duration::from_secs(60),
            max_sockets: 100_000,
            max_sockets_per_address: 2_000,
            trusted_proxies: 0,
            shutdown_timeout: Duration::from_secs(10),
        }
    }
}

/// Sockets accepted beyond [`ServeOptions::max_sockets`], each for one short request: a health check still
/// gets through to a full server.
pub const CROWD: usize = 32;

/// How long the head of a request may take on a full server.
const CROWDED_HEAD_TIMEOUT: Duration = Duration::from_secs(3);

/// The most that hyper buffers of one connection, in each direction.
const MAX_BUFFER: usize = 64 * 1024;

/// How the accept loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Everybody was done within the shutdown timeout.
    pub clean: bool,
}

/// Where clients come in: a bound address, plain or with TLS.
pub struct Entrance {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
}

impl Entrance {
    /// Each connection begins with a TLS handshake, which may take as long as a request's head.
    pub fn secure(listener: TcpListener, tls: Arc<ServerConfig>) -> Self {
        Self { listener, tls: Some(tls.into()) }
    }
}

impl From<TcpListener> for Entrance {
    /// Plain HTTP.
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

/// Serves until `shutdown`; then refuses new connections, lets requests finish, tells live connections to
/// come back later (1012), and waits for all of them up to the shutdown timeout.
pub async fn serve(
    entrance: impl Into<Entrance>,
    app: Router,
    live: Arc<Live>,
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
) -> Ended {
    let Entrance { listener, tls } = entrance.into();
    let server = Arc::new(Server {
        app,
        tls,
        live: live.clone(),
        options,
        ending: CancellationToken::new(),
        addresses: Caps::new(CapLimits { total: usize::MAX, per_address: options.max_sockets_per_address }),
        sockets: Arc::new(Semaphore::new(
            options.max_sockets.saturating_add(CROWD).min(Semaphore::MAX_PERMITS),
        )),
    });
    tokio::select! {
        () = shutdown => {}
        () = server.accept_all(&listener) => {}
    }
    drop(listener);
    server.ending.cancel();
    live.finish_all(Close::restart());
    let clean = tokio::time::timeout(options.shutdown_timeout, live.ended()).await.is_ok();
    Ended { clean }
}

struct Server {
    app: Router,
    tls: Option<TlsAcceptor>,
    live: Arc<Live>,
    options: ServeOptions,
    ending: CancellationToken,
    addresses: Arc<Caps>,
    sockets: Arc<Semaphore>,
}

impl Server {
    async fn accept_all(self: &Arc<Self>, listener: &TcpListener) {
        let mut pause = Backoff::default();
        loop {
            let Ok(permit) = self.sockets.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, peer)) => {
                    pause.reset();
                    self.welcome(stream, peer, permit);
                }
                // The client was gone before we came to it.
                Err(error) if is_about_the_client(&error) => {}
                // Most likely there are no file descriptors left: wait until some are given back.
                Err(error) => pause.after(&error).await,
            }
        }
    }

    fn welcome(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr, permit: OwnedSemaphorePermit) {
        // Behind a proxy all sockets have one address.
        let seat = if self.options.trusted_proxies == 0 {
            let Ok(seat) = self.addresses.enter(peer.ip()) else { return };
            Some(seat)
        } else {
            None
        };
        // Frames are small and must not wait for each other; only a dying socket refuses this.
        let _ = stream.set_nodelay(true);
        let held = Arc::new(Held { _permit: permit, _seat: seat });
        self.live.tasks.spawn(self.clone().connection(stream, peer, held));
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, held: Arc<Held>) {
        let crowded = self.sockets.available_permits() < CROWD;
        let http = self.http(crowded);
        let Some(stream) = self.greet(stream, crowded).await else { return };
        let io = TokioIo::new(Patient::new(stream, self.options.stall_timeout));
        let service = service_fn(|request| self.answer(request, peer, &held));
        let mut connection = pin!(http.serve_connection(io, service).with_upgrades());
        let result = tokio::select! {
            result = &mut connection => result,
            () = self.ending.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        // Errors are the client's: it vanished, sent nonsense or took too long.
        if let Err(error) = result {
            tracing::trace!(%error, "connection failed");
        }
    }

    /// The TLS handshake, where there is one. `None`: the client did not finish it, or nothing was served any more.
    async fn greet(&self, stream: TcpStream, crowded: bool) -> Option<Socket> {
        let Some(tls) = &self.tls else { return Some(Socket::Plain(stream)) };
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(self.head_timeout(crowded), tls.accept(stream)) => shaken,
            () = self.ending.cancelled() => return None,
        };
        match shaken {
            Ok(Ok(stream)) => Some(Socket::Secure(Box::new(stream))),
            Ok(Err(error)) => {
                tracing::trace!(%error, "a TLS handshake failed");
                None
            }
            Err(_late) => None,
        }
    }

    fn head_timeout(&self, crowded: bool) -> Duration {
        if crowded { CROWDED_HEAD_TIMEOUT } else { self.options.head_timeout }
    }

    fn http(&self, crowded: bool) -> http1::Builder {
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(self.head_timeout(crowded))
            .keep_alive(!crowded)
            .max_header_size(self.options.max_head)
            .max_headers(self.options.max_headers)
            .max_buf_size(MAX_BUFFER.max(self.options.max_head));
        http
    }

    fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        held: &Arc<Held>,
    ) -> <Router as Service<Request<Body>>>::Future {
        let waits = Waits { stall: self.options.stall_timeout, whole: self.options.slow_body };
        let to_be_asked = request.headers().contains_key(header::EXPECT);
        let mut request = request.map(|body| Body::new(PatientBody::new(body, waits, to_be_asked)));
        let client = client_address(peer.ip(), request.headers(), self.options.trusted_proxies);
        let extensions = request.extensions_mut();
        extensions.insert(ClientAddress(client));
        extensions.insert(ConnectInfo(peer));
        extensions.insert(SocketHeld(held.clone()));
        self.app.clone().call(request)
    }
}

/// What a socket holds of the caps as long as it is open.
#[derive(Debug)]
struct Held {
    _permit: OwnedSemaphorePermit,
    _seat: Option<Seat>,
}

/// Put into each request, so that an upgraded socket goes on counting.
#[derive(Clone, Debug)]
pub(crate) struct SocketHeld(#[expect(dead_code, reason = "held for its drop")] Arc<Held>);

fn is_about_the_client(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Growing pauses while the system refuses to accept; said once per episode.
#[derive(Default)]
struct Backoff {
    pause: Option<Duration>,
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(20);
    const LAST: Duration = Duration::from_secs(1);

    fn reset(&mut self) {
        if self.pause.take().is_some() {
            tracing::info!("accepting again");
        }
    }

    async fn after(&mut self, error: &std::io::Error) {
        if self.pause.is_none() {
            tracing::warn!(%error, "cannot accept connections; trying again");
        }
        let pause = self.pause.map_or(Self::FIRST, |last| (last * 2).min(Self::LAST));
        self.pause = Some(pause);
        tokio::time::sleep(pause).await;
    }
}

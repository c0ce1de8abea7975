//! From an HTTP request to a raw WebSocket connection.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::Body;
use axum::http::header::{
    CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN, RETRY_AFTER, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tungstenite::handshake::derive_accept_key;

use crate::address::ClientAddress;
use crate::caps::{Full, Seat};
use crate::close::Closed;
use crate::connection::{Connection, Session};
use crate::live::{Door, Entered};
use crate::outbox::{Outbox, OutboxStream};
use crate::serve::{Patient, Socket, SocketHeld};

/// Which web pages may connect. Clients that are not browsers send no `Origin` and always may.
#[derive(Clone, Copy)]
pub enum Origins<'a> {
    /// Any: for doors whose clients prove themselves by a token and never by a cookie.
    Any,
    /// Pages of the host that the request names.
    SameHost,
    /// Pages for which this says yes; it gets the origin and the request's host.
    Custom(&'a (dyn Fn(&str, Option<&str>) -> bool + Sync)),
}

impl Origins<'_> {
    fn allow(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let Ok(origin) = origin.to_str() else { return matches!(self, Self::Any) };
        match self {
            Self::Any => true,
            Self::SameHost => {
                let page = origin.split_once("://").map(|(_, host)| host);
                page.zip(host).is_some_and(|(page, host)| page.eq_ignore_ascii_case(host))
            }
            Self::Custom(allow) => allow(origin, host),
        }
    }
}

/// Why a request is not upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not a WebSocket handshake of RFC 6455, or not over HTTP/1.1.
    NotAHandshake,
    /// Another version of the protocol.
    Version,
    /// A web page from elsewhere.
    Origin,
    /// A cap on connections.
    Full(Full),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::NotAHandshake => {
                (StatusCode::BAD_REQUEST, "a WebSocket handshake was expected").into_response()
            }
            Self::Version => {
                let version = [(SEC_WEBSOCKET_VERSION, "13")];
                (StatusCode::UPGRADE_REQUIRED, version, "WebSocket version 13 was expected").into_response()
            }
            Self::Origin => (StatusCode::FORBIDDEN, "this origin may not connect").into_response(),
            Self::Full(full) => {
                let status = match full {
                    Full::Total => StatusCode::SERVICE_UNAVAILABLE,
                    Full::Address => StatusCode::TOO_MANY_REQUESTS,
                };
                (status, [(RETRY_AFTER, "30")], "too many connections").into_response()
            }
        }
    }
}

/// A handshake that was found good: choose a subprotocol, then start it.
#[derive(Debug)]
pub struct Upgrade {
    door: Arc<Door>,
    seat: Seat,
    socket: Option<SocketHeld>,
    client: IpAddr,
    on_upgrade: OnUpgrade,
    accept: HeaderValue,
    protocols: Option<HeaderValue>,
    protocol: Option<HeaderValue>,
}

/// Checks a request for a WebSocket handshake, and takes its seat under the caps.
pub fn accept<B>(
    door: &Arc<Door>,
    request: &mut Request<B>,
    origins: Origins<'_>,
) -> Result<Upgrade, Refused> {
    let result = check(door, request, origins);
    if result.is_err() {
        door.metrics.refused.add(1);
    }
    result
}

fn check<B>(door: &Arc<Door>, request: &mut Request<B>, origins: Origins<'_>) -> Result<Upgrade, Refused> {
    let headers = request.headers();
    let upgrades = request.method() == Method::GET
        && has_token(headers, CONNECTION, "upgrade")
        && has_token(headers, UPGRADE, "websocket");
    let key = headers.get(SEC_WEBSOCKET_KEY).filter(|key| is_key(key)).filter(|_| upgrades);
    let key = key.ok_or(Refused::NotAHandshake)?;
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refused::Version);
    }
    if !origins.allow(headers) {
        return Err(Refused::Origin);
    }
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .expect("base64 is always a good header value");
    let protocols = headers.get(SEC_WEBSOCKET_PROTOCOL).cloned();
    let extensions = request.extensions_mut();
    let on_upgrade = extensions.remove::<OnUpgrade>().ok_or(Refused::NotAHandshake)?;
    let client = extensions.get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddress(ip)| *ip);
    let seat = door.live.caps.enter(client).map_err(Refused::Full)?;
    let socket = extensions.remove::<SocketHeld>();
    let door = door.clone();
    Ok(Upgrade { door, seat, socket, client, on_upgrade, accept, protocols, protocol: None })
}

impl Upgrade {
    /// The client's address.
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// Chooses a subprotocol, if the client offers it; says whether it does.
    pub fn choose_protocol(&mut self, wanted: &'static str) -> bool {
        let offered = self.protocols.as_ref().and_then(|list| list.to_str().ok()).unwrap_or("");
        let found = offered.split(',').any(|name| name.trim() == wanted);
        if found {
            self.protocol = Some(HeaderValue::from_static(wanted));
        }
        found
    }

    /// Starts the connection's task, which makes the session when the stream is there; returns the answer
    /// to the request.
    pub fn start<S, F>(self, make: F) -> Response
    where
        S: Session,
        F: FnOnce(Arc<Outbox>) -> S + Send + 'static,
    {
        let door = self.door;
        let start = Start { make, seat: self.seat, socket: self.socket, door: door.clone() };
        door.live.tasks.spawn(Task::Waiting { on_upgrade: self.on_upgrade, start: Some(start) });
        switching(self.accept, self.protocol)
    }

    /// Gives the stream to `then` instead of starting a connection on it: for a protocol that moves a connection
    /// which it has already. The seat is given back. Returns the answer to the request.
    pub fn hand_over<F>(self, then: impl FnOnce(RawStream) -> F + Send + 'static) -> Response
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (on_upgrade, socket) = (self.on_upgrade, self.socket);
        self.door.live.tasks.spawn(async move {
            // An error: the client went away before it saw our answer.
            if let Ok(upgraded) = on_upgrade.await {
                then(RawStream::new(upgraded, socket)).await;
            }
        });
        switching(self.accept, self.protocol)
    }
}

fn switching(accept: HeaderValue, protocol: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    *response.body_mut() = Body::empty();
    let headers = response.headers_mut();
    headers.clear();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(protocol) = protocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

/// The bare stream of an upgraded request, without hyper's buffers.
pub struct RawStream {
    io: Box<dyn Stream>,
    /// What was read of it before.
    ahead: Vec<u8>,
    _socket: Option<SocketHeld>,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl std::fmt::Debug for RawStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawStream").field("ahead", &self.ahead.len()).finish_non_exhaustive()
    }
}

impl RawStream {
    fn new(upgraded: Upgraded, socket: Option<SocketHeld>) -> Self {
        let other = match upgraded.downcast::<TokioIo<Patient>>() {
            Ok(parts) => {
                let io = Box::new(parts.io.into_inner().into_inner());
                return Self { io, ahead: parts.read_buf.to_vec(), _socket: socket };
            }
            Err(other) => other,
        };
        Self { io: Box::new(TokioIo::new(other)), ahead: Vec::new(), _socket: socket }
    }

    /// A stream over anything, for tests and simulations.
    pub fn over(io: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) -> Self {
        Self { io: Box::new(io), ahead: Vec::new(), _socket: None }
    }

    /// Puts bytes before what is still to be read.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.ahead.splice(0..0, bytes.iter().copied());
    }
}

impl AsyncRead for RawStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.io).poll_read(cx, buffer);
        }
        let size = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead[..size]);
        self.ahead.drain(..size);
        if self.ahead.is_empty() {
            self.ahead = Vec::new();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RawStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

struct Start<F> {
    make: F,
    seat: Seat,
    socket: Option<SocketHeld>,
    door: Arc<Door>,
}

/// The task of a connection: first it waits for the stream, then it is the connection. Written out by hand
/// because an async block would keep room for both at once.
enum Task<F> {
    Waiting { on_upgrade: OnUpgrade, start: Option<Start<F>> },
    Running(Pin<Box<dyn Future<Output = Closed> + Send>>),
}

impl<F> Unpin for Task<F> {}

impl<S: Session, F: FnOnce(Arc<Outbox>) -> S> Future for Task<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        if let Self::Waiting { on_upgrade, start } = this {
            let upgraded = ready!(Pin::new(on_upgrade).poll(cx));
            // An error: the client went away before it saw our answer.
            let (Ok(upgraded), Some(start)) = (upgraded, start.take()) else {
                return Poll::Ready(());
            };
            let entered = Entered::with_socket(start.door, Some(start.seat), start.socket);
            let session = (start.make)(entered.outbox().clone());
            *this = Self::Running(connect(upgraded, session, entered));
        }
        match this {
            Self::Waiting { .. } => Poll::Ready(()),
            Self::Running(connection) => connection.as_mut().poll(cx).map(drop),
        }
    }
}

/// Takes the socket itself out of hyper where there is one, and drops hyper's buffers with the rest.
fn connect<S: Session>(
    upgraded: Upgraded,
    session: S,
    entered: Entered,
) -> Pin<Box<dyn Future<Output = Closed> + Send>> {
    let other = match upgraded.downcast::<TokioIo<Patient>>() {
        Ok(parts) => {
            return match parts.io.into_inner().into_inner() {
                Socket::Plain(stream) => connect_plain(stream, &parts.read_buf, session, entered),
                Socket::Secure(stream) => {
                    Box::pin(Connection::new(stream, &parts.read_buf, session, entered))
                }
            };
        }
        Err(other) => other,
    };
    match other.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => connect_plain(parts.io.into_inner(), &parts.read_buf, session, entered),
        Err(other) => Box::pin(Connection::new(TokioIo::new(other), &[], session, entered)),
    }
}

/// A plain socket may be written without its connection's task.
fn connect_plain<S: Session>(
    stream: TcpStream,
    ahead: &[u8],
    session: S,
    entered: Entered,
) -> Pin<Box<dyn Future<Output = Closed> + Send>> {
    let io = OutboxStream::by(entered.outbox(), stream, entered.door());
    Box::pin(Connection::new(io, ahead, session, entered))
}

/// Whether a header's comma-separated list names this token, in any case.
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let mut lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.any(|line| line.split(',').any(|part| part.trim().eq_ignore_ascii_case(token)))
}

/// 16 bytes in base64: 22 characters and two of padding.
fn is_key(key: &HeaderValue) -> bool {
    let Some(digits) = key.as_bytes().strip_suffix(b"==") else { return false };
    digits.len() == 22 && digits.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

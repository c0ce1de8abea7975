//! Engine.IO 4: one URL, two transports. A session begins with a long poll or a WebSocket; one that began with long
//! polls may move to a WebSocket and stays the same connection.

pub mod payload;
mod poll;

use std::{collections::HashMap, net::IpAddr, net::Ipv4Addr, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use parlor_host::call::Query;
use parlor_live::{
    ClientAddress, Origins, RawStream,
    body::Unread,
    upgrade::{self},
    ws::{Decoder, Incoming, WsLimits, frame_text},
};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use self::poll::{PollStream, Polls, Refused, Turn};
use crate::{
    Door,
    session::{Knock, Socket},
};

/// Largest payload of a poll and largest message, in bytes.
pub const MAX_PAYLOAD: usize = 1_000_000;
/// The server pings so often …
pub const PING_INTERVAL: Duration = Duration::from_secs(25);
/// … and waits so long for an answer.
pub const PING_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a move to a WebSocket may take.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest frame that is good during a move: a control frame with its mask.
const PROBE_FRAME: usize = 256;
/// Pings and pongs during a move.
const PROBE_PINGS: usize = 16;

/// Engine.IO's errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Transport,
    Session,
    Method,
    Request,
    Version,
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let (code, message) = match self {
            Self::Transport => (0, "Transport unknown"),
            Self::Session => (1, "Session ID unknown"),
            Self::Method => (2, "Bad handshake method"),
            Self::Request => (3, "Bad request"),
            Self::Version => (5, "Unsupported protocol version"),
        };
        json_response(StatusCode::BAD_REQUEST, &json!({ "code": code, "message": message }))
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Over => Self::Session,
            Refused::Overlap => Self::Request,
        }
    }
}

fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (status, headers, body.to_string()).into_response()
}

/// Sessions on long polls, by their ids.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<Box<str>, Arc<Polls>>>);

/// A session's place among them, given back by drop.
struct Place {
    door: Arc<Door>,
    sid: Box<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.sessions.0.lock().remove(&self.sid);
    }
}

/// An id that nobody can guess: 120 random bits, 20 characters.
pub(crate) fn new_sid() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>())
}

/// The first packet of a session, as a frame.
pub(crate) fn open_frame(sid: &str, upgrades: &[&str]) -> bytes::Bytes {
    let open = json!({
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": PING_INTERVAL.as_millis() as u64,
        "pingTimeout": PING_TIMEOUT.as_millis() as u64,
        "maxPayload": MAX_PAYLOAD,
    });
    frame_text(format!("0{open}").as_bytes())
}

/// The one handler of `/socket.io`.
pub(crate) async fn serve(State(door): State<Arc<Door>>, request: Request) -> Response {
    let origins = &door.host.options().origins;
    if origins.check(request.headers()).is_err() {
        door.live.metrics.refused.add(1);
        let body = json!({
            "code": 4, "error": "origin_not_allowed", "message": "This origin is not allowed",
        });
        return json_response(StatusCode::FORBIDDEN, &body);
    }
    let query = Query::read(request.uri().query().unwrap_or_default());
    let answer = match query.get("transport") {
        Some("polling") => polling(&door, &query, request).await,
        Some("websocket") => websocket(&door, &query, request),
        _ => Err(Fault::Transport),
    };
    answer.unwrap_or_else(|fault| {
        door.live.metrics.refused.add(1);
        fault.into_response()
    })
}

fn check_version(query: &Query) -> Result<(), Fault> {
    if query.get("EIO") == Some("4") { Ok(()) } else { Err(Fault::Version) }
}

fn websocket(door: &Arc<Door>, query: &Query, mut request: Request) -> Result<Response, Fault> {
    let known = query.get("sid").map(|sid| door.sessions.find(sid).ok_or(Fault::Session)).transpose()?;
    if request.method() != Method::GET {
        return Err(Fault::Method);
    }
    check_version(query)?;
    let knock = known.is_none().then(|| Knock::read(query, request.headers()));
    // The page was looked at before.
    let upgrade = match upgrade::accept(&door.live, &mut request, Origins::Any) {
        Ok(upgrade) => upgrade,
        Err(upgrade::Refused::NotAHandshake) => return Err(Fault::Request),
        Err(refused) => return Ok(refused.into_response()),
    };
    let door = door.clone();
    Ok(match (known, knock) {
        (Some(polls), _) => upgrade.hand_over(move |stream| probe(polls, stream)),
        (None, knock) => {
            upgrade.start(move |outbox| Socket::new(door, outbox, knock.unwrap_or_default(), &[]))
        }
    })
}

async fn polling(door: &Arc<Door>, query: &Query, request: Request) -> Result<Response, Fault> {
    let polls = match query.get("sid") {
        Some(sid) => door.sessions.find(sid).ok_or(Fault::Session)?,
        None if request.method() != Method::GET => return Err(Fault::Method),
        None => {
            check_version(query)?;
            match open(door, query, &request) {
                Ok(polls) => polls,
                Err(full) => return Ok(full.into_response()),
            }
        }
    };
    match *request.method() {
        Method::GET => get(polls).await,
        Method::POST => post(polls, request.into_body()).await,
        _ => Err(Fault::Request),
    }
}

/// Opens a session on long polls; the first poll gets its open packet.
fn open(door: &Arc<Door>, query: &Query, request: &Request) -> Result<Arc<Polls>, upgrade::Refused> {
    let client =
        request.extensions().get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ClientAddress(ip)| *ip);
    let seat = door.live.live().caps().enter(client).map_err(|full| {
        door.live.metrics.refused.add(1);
        upgrade::Refused::Full(full)
    })?;
    let knock = Knock::read(query, request.headers());
    let polls = Arc::new(Polls::default());
    let sid: Box<str> = knock.sid.as_str().into();
    door.sessions.0.lock().insert(sid.clone(), polls.clone());
    let place = Place { door: door.clone(), sid };
    let stream = PollStream::new(polls.clone(), place);
    let for_session = door.clone();
    door.live.connect(stream, seat, move |outbox| Socket::new(for_session, outbox, knock, &["websocket"]));
    Ok(polls)
}

impl Sessions {
    fn find(&self, sid: &str) -> Option<Arc<Polls>> {
        self.0.lock().get(sid).cloned()
    }
}

/// Ends a session whose client went away in the middle of a request: what was on its way is lost, so the conversation
/// can't go on without a gap. Clients come back and catch up.
struct Cut(Option<Arc<Polls>>);

impl Drop for Cut {
    fn drop(&mut self) {
        if let Some(polls) = &self.0 {
            polls.end();
        }
    }
}

async fn get(polls: Arc<Polls>) -> Result<Response, Fault> {
    let payload: Bytes = match polls.poll()? {
        Turn::Now(payload) => payload.into(),
        Turn::Later(payload) => {
            let mut cut = Cut(Some(polls));
            let payload = payload.await;
            cut.0 = None;
            payload.map_err(|_| Fault::Session)?
        }
    };
    Ok(text_response(Body::from(payload)))
}

async fn post(polls: Arc<Polls>, body: Body) -> Result<Response, Fault> {
    let mut cut = Cut(Some(polls.clone()));
    let bytes = match parlor_live::body::read(body, MAX_PAYLOAD).await {
        Ok(bytes) => bytes,
        Err(Unread::TooLarge) => {
            let body = json!({ "code": 3, "message": "Payload too large" });
            return Ok(json_response(StatusCode::PAYLOAD_TOO_LARGE, &body));
        }
        Err(Unread::Late | Unread::Broken) => return Err(Fault::Request),
    };
    let mut frames = std::str::from_utf8(&bytes).ok().and_then(payload::frames_of).ok_or(Fault::Request)?;
    // An end of the session ends the waiting too, and the next offer is refused.
    while let Some(room) = polls.post(&mut frames)? {
        let _ = room.await;
    }
    cut.0 = None;
    Ok(text_response(Body::from("ok")))
}

fn text_response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=UTF-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A client that polls tries a WebSocket: `2probe`, `3probe`, and `5` when it moves.
async fn probe(polls: Arc<Polls>, stream: RawStream) {
    let moved = tokio::time::timeout(UPGRADE_TIMEOUT, handshake(&polls, stream)).await;
    match moved {
        Ok(Some(stream)) => polls.move_to(stream),
        Ok(None) | Err(_) => polls.unprobe(),
    }
}

async fn handshake(polls: &Polls, mut stream: RawStream) -> Option<RawStream> {
    let mut decoder = Decoder::new(WsLimits { message: 64, fragments: 4 });
    let (mut input, mut used, mut probed, mut pings) = (Vec::new(), 0, false, 0);
    loop {
        // The decoder unmasks in place, so it gets a copy and whole frames are cut off afterwards. What lies behind a
        // frame is not copied: it may be a megabyte.
        let end = input.len().min(used + PROBE_FRAME);
        let mut copy: Vec<u8> = input[used..end].to_vec();
        match decoder.step(&mut copy).ok()? {
            Some((size, Incoming::Text("2probe"))) if !probed => {
                if !polls.probe() {
                    return None;
                }
                stream.write_all(&frame_text(b"3probe")).await.ok()?;
                stream.flush().await.ok()?;
                probed = true;
                used += size;
            }
            Some((size, Incoming::Text("5"))) if probed => {
                stream.unread(&input[used + size..]);
                return Some(stream);
            }
            Some((size, Incoming::Ping(_) | Incoming::Pong(_))) if pings < PROBE_PINGS => {
                used += size;
                pings += 1;
            }
            Some(_) => return None,
            None => {
                if stream.read_buf(&mut input).await.ok()? == 0 || input.len() > MAX_PAYLOAD {
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a client sends over a socket that is to be moved to.
    async fn moving(frames: &[u8]) -> Option<RawStream> {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(frames).await.unwrap();
        handshake(&Polls::default(), RawStream::over(server)).await
    }

    fn text(text: &str) -> Vec<u8> {
        payload::frames_of(text).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_moves_may_ping_meanwhile_but_not_for_ever() {
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        for (pings, good) in [(0, true), (PROBE_PINGS, true), (PROBE_PINGS + 1, false), (100_000, false)] {
            let frames = [text("2probe"), ping.repeat(pings), text("5"), text("4after")].concat();
            assert_eq!(moving(&frames).await.is_some(), good, "{pings}");
        }
    }

    #[tokio::test]
    async fn what_follows_the_move_is_kept_however_much_it_is() {
        let long = text(&format!("4{}", "x".repeat(100_000)));
        let mut stream = moving(&[text("2probe"), text("5"), long.clone()].concat()).await.unwrap();
        let mut rest = vec![0; long.len()];
        stream.read_exact(&mut rest).await.unwrap();
        assert_eq!(rest, long);
    }
}

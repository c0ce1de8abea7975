//! Server-sent events: an outbox drained into the body of an HTTP answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::time::{Instant, Sleep};

use crate::caps::Seat;
use crate::close::Closed;
use crate::live::{Door, Entered};
use crate::outbox::{Entry, Outbox, WakeOn};

/// Frames that make one piece of the body.
const FRAMES: usize = 64;

/// Each ends a line of a stream, also alone.
const BREAKS: [char; 2] = ['\r', '\n'];

/// One event as a complete frame for the outbox of a stream. Line breaks in `data` become further `data:`
/// lines; `id` and `name` are cut at a line break.
pub fn frame_sse(id: Option<&str>, name: Option<&str>, data: &str) -> Bytes {
    let mut out = String::with_capacity(data.len() + 64);
    for (field, value) in [("id: ", id), ("event: ", name)] {
        if let Some(value) = value {
            out.push_str(field);
            out.push_str(value.split(BREAKS).next().unwrap_or_default());
            out.push('\n');
        }
    }
    for line in data.split('\n') {
        for line in line.strip_suffix('\r').unwrap_or(line).split('\r') {
            out.push_str("data: ");
            out.push_str(line);
            out.push('\n');
        }
    }
    out.push('\n');
    out.into()
}

/// Answers a request with a stream: whatever is pushed to the outbox (as [`frame_sse`]) goes out, until the
/// outbox is closed or the client goes. `make` gets the outbox and returns what holds its subscriptions,
/// which is dropped with the stream. `farewell` is the last frame, for a reason that it has a word for.
pub fn stream<G: Send + 'static>(
    door: Arc<Door>,
    seat: Option<Seat>,
    farewell: fn(&Closed) -> Option<Bytes>,
    make: impl FnOnce(&Arc<Outbox>) -> G,
) -> Response {
    let entered = Entered::new(door, seat);
    let guard = make(entered.outbox());
    let timer = Box::pin(tokio::time::sleep(entered.door().options.keep_alive));
    let body = SseBody { entered, timer, spoke: Instant::now(), farewell: Some(farewell), _guard: guard };
    let body = Body::new(body);
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // nginx would keep the events until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, body).into_response()
}

struct SseBody<G> {
    entered: Entered,
    timer: Pin<Box<Sleep>>,
    /// When something was sent last.
    spoke: Instant,
    /// Gone once it was asked.
    farewell: Option<fn(&Closed) -> Option<Bytes>>,
    _guard: G,
}

impl<G> Unpin for SseBody<G> {}

impl<G: Send + 'static> SseBody<G> {
    /// What goes out next; `None` at the end.
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let outbox = self.entered.outbox();
        loop {
            let mut batch = Vec::new();
            let taken = outbox.take(&mut batch, FRAMES);
            if !batch.is_empty() {
                self.spoke = Instant::now();
                return Poll::Ready(Some(self.sent(&batch)));
            }
            if taken.closed {
                let why = outbox.closed().unwrap_or(Closed::Gone);
                let Some(farewell) = self.farewell.take() else { return Poll::Ready(None) };
                self.entered.count(&why);
                return Poll::Ready(farewell(&why));
            }
            let keep_alive = self.entered.door().options.keep_alive;
            while self.timer.as_mut().poll(cx).is_ready() {
                let now = Instant::now();
                if self.spoke + keep_alive <= now {
                    self.spoke = now;
                    self.entered.door().metrics.pings.add(1);
                    self.timer.as_mut().reset(now + keep_alive);
                    return Poll::Ready(Some(Bytes::from_static(b": ping\n\n")));
                }
                self.timer.as_mut().reset(self.spoke + keep_alive);
            }
            if outbox.arm(cx.waker(), WakeOn { frames: true, dirty: false }, None) {
                return Poll::Pending;
            }
        }
    }

    /// A single frame is passed on as it is; several become one piece, to be one chunk.
    fn sent(&self, batch: &[Entry]) -> Bytes {
        let bytes = match batch {
            [only] => only.frame.clone(),
            many => many.iter().flat_map(|entry| entry.frame.iter().copied()).collect(),
        };
        let metrics = &self.entered.door().metrics;
        metrics.frames_out.add(batch.len() as u64);
        metrics.bytes_out.add(bytes.len() as u64);
        bytes
    }
}

impl<G: Send + 'static> HttpBody for SseBody<G> {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        self.next(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_line_by_line() {
        assert_eq!(
            frame_sse(Some("7"), Some("note"), "a\r\nb").as_ref(),
            b"id: 7\nevent: note\ndata: a\ndata: b\n\n"
        );
        assert_eq!(frame_sse(None, None, "").as_ref(), b"data: \n\n");
        for forged in ["1\ndata: forged", "1\rdata: forged"] {
            assert_eq!(frame_sse(Some(forged), None, "x").as_ref(), b"id: 1\ndata: x\n\n");
        }
        assert_eq!(frame_sse(None, None, "a\revent: b").as_ref(), b"data: a\ndata: event: b\n\n");
    }
}

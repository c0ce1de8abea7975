//! Streams and bodies that give up when the other side stops moving.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::Socket;

/// A timer that exists only while somebody is waited for.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    running: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self { limit, running: None }
    }

    /// Passes on what was polled; an error when it was pending for longer than the limit.
    fn poll<T>(&mut self, cx: &mut Context<'_>, polled: Poll<T>) -> Poll<io::Result<T>> {
        if let Poll::Ready(value) = polled {
            self.running = None;
            return Poll::Ready(Ok(value));
        }
        let limit = self.limit;
        let timer = self.running.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(timer.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// A socket whose writes fail when the client takes nothing for too long.
#[derive(Debug)]
pub(crate) struct Patient {
    stream: Socket,
    writing: Patience,
}

impl Patient {
    pub fn new(stream: Socket, limit: Duration) -> Self {
        Self { stream, writing: Patience::new(limit) }
    }

    pub fn into_inner(self) -> Socket {
        self.stream
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.writing.poll(cx, polled).map(|result| result.flatten())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.writing.poll(cx, polled).map(|result| result.flatten())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.writing.poll(cx, polled).map(|result| result.flatten())
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.writing.poll(cx, polled).map(|result| result.flatten())
    }
}

/// What a refused request's body may still bring after its answer, so that a client which writes all before it
/// reads gets that answer and not a broken connection. Above either bound the connection ends.
const LEFTOVER: usize = 8 * 1024 * 1024;
const LEFTOVER_TIME: Duration = Duration::from_secs(5);

/// Bytes a second by which a body earns further patience. Below it a body is no slow phone's, but somebody's who
/// holds a place with a byte now and then.
const SLOWEST: u64 = 1024;

/// How long a body may be waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For its next piece.
    pub stall: Duration,
    /// For all of it, beside a second for each [`SLOWEST`] bytes that came.
    pub whole: Duration,
}

/// How long a body was waited for, and for how much.
#[derive(Debug, Default)]
struct Pace {
    brought: u64,
    waited: Duration,
    since: Option<Instant>,
}

impl Pace {
    /// What is left of the patience with the whole body.
    fn left(&self, whole: Duration) -> Duration {
        (whole + Duration::from_secs(self.brought / SLOWEST)).saturating_sub(self.waited)
    }

    fn waiting(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn over(&mut self) {
        self.waited += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
    }
}

/// A request's body that fails when it brings nothing for too long, or too little all the while. Only the time counts
/// in which its reader waits. What its reader leaves is read and thrown away within [`LEFTOVER`] and
/// [`LEFTOVER_TIME`], beside the answer.
#[derive(Debug)]
pub(super) struct PatientBody {
    /// Taken at its end.
    body: Option<Incoming>,
    reading: Patience,
    waits: Waits,
    pace: Pace,
    /// The client sends nothing until the body is asked for.
    waits_to_be_asked: bool,
}

impl PatientBody {
    pub fn new(body: Incoming, waits: Waits, waits_to_be_asked: bool) -> Self {
        let reading = Patience::new(waits.stall);
        Self { body: Some(body), reading, waits, pace: Pace::default(), waits_to_be_asked }
    }
}

impl Drop for PatientBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take() else { return };
        if body.is_end_stream() || self.waits_to_be_asked {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(LEFTOVER_TIME, throw_away(body)));
        }
    }
}

async fn throw_away(mut body: Incoming) {
    let mut left = LEFTOVER;
    while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let size = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

impl HttpBody for PatientBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.waits_to_be_asked = false;
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if polled.is_pending() {
            self.pace.waiting();
            self.reading.limit = self.waits.stall.min(self.pace.left(self.waits.whole));
        } else {
            self.pace.over();
        }
        Poll::Ready(match ready!(self.reading.poll(cx, polled)) {
            Ok(Some(Ok(frame))) => {
                self.pace.brought += frame.data_ref().map_or(0, |data| data.len() as u64);
                Some(Ok(frame))
            }
            Ok(end) => {
                self.body = None;
                end.map(|result| result.map_err(BoxError::from))
            }
            // Whoever stalls is waited for no longer.
            Err(error) => {
                self.body = None;
                Some(Err(error.into()))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

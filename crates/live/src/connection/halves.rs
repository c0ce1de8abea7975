//! A plain socket in two halves: the connection's task reads, and whoever has something to say writes.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::live::Door;
use crate::outbox::Sink;

/// The stream of a connection whose outbox may be written past it.
pub(crate) struct Halves {
    reading: OwnedReadHalf,
    /// Gone when it was shut down.
    writing: Option<Arc<Writing>>,
}

/// The half that is written, from the connection's task or past it, by one at a time.
#[derive(Debug)]
pub(crate) struct Writing {
    stream: OwnedWriteHalf,
    door: Arc<Door>,
}

impl Halves {
    /// The stream, and the half to attach to its outbox.
    pub(crate) fn of(stream: TcpStream, door: &Arc<Door>) -> (Self, Arc<Writing>) {
        let (reading, stream) = stream.into_split();
        let writing = Arc::new(Writing { stream, door: door.clone() });
        (Self { reading, writing: Some(writing.clone()) }, writing)
    }

    fn poll_some(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let Some(writing) = &self.writing else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        loop {
            ready!(writing.stream.as_ref().poll_write_ready(cx))?;
            match writing.try_write(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }
}

impl Sink for Writing {
    fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match slices {
            [only] => self.stream.try_write(only),
            several => self.stream.try_write_vectored(several),
        }
    }

    fn wrote(&self, frames: usize, bytes: usize, since: Option<Instant>) {
        self.door.metrics.wrote(frames, bytes, since);
    }
}

impl AsyncRead for Halves {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.reading).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Halves {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_some(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_some(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing more is written: with the last holder of the half the other side learns it.
    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writing = None;
        Poll::Ready(Ok(()))
    }
}

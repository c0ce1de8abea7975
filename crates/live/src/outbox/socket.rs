//! The socket of an outbox, where it can be written past its connection's task.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::{SendFlags, Shutdown};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::Outbox;
use crate::live::Door;

/// A plain socket. Its connection's task reads it and writes what is queued; while that is at rest whoever pushes may
/// write, with the outbox's lock held: never both.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    door: Arc<Door>,
}

impl Socket {
    /// Offers a frame; the bytes that were taken. That it would have to wait, or has failed, is the task's to find.
    pub(super) fn offer(&self, frame: &[u8]) -> usize {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let written = rustix::net::send(&self.stream, frame, flags).unwrap_or(0);
        if written > 0 {
            let whole = written == frame.len();
            self.door.metrics.wrote(usize::from(whole), written, whole.then_some(Duration::ZERO));
        }
        written
    }

    pub(super) fn shut(&self, how: Shutdown) {
        // An error: the other side has gone.
        let _ = rustix::net::shutdown(&self.stream, how);
    }
}

/// The stream of a connection whose socket its outbox holds.
pub(crate) struct OutboxStream(Arc<Outbox>);

impl OutboxStream {
    /// Gives an outbox its socket.
    ///
    /// # Panics
    /// When it has one.
    pub(crate) fn by(outbox: &Arc<Outbox>, stream: TcpStream, door: &Arc<Door>) -> Self {
        let given = outbox.socket.set(Socket { stream, door: door.clone() });
        assert!(given.is_ok(), "an outbox has one socket");
        Self(outbox.clone())
    }

    fn stream(&self) -> io::Result<&TcpStream> {
        let socket = self.0.socket.get().ok_or(io::ErrorKind::NotConnected)?;
        Ok(&socket.stream)
    }
}

impl AsyncRead for OutboxStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = self.stream()?;
        loop {
            ready!(stream.poll_read_ready(cx))?;
            match stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return Poll::Ready(read.map(|read| buffer.advance(read))),
            }
        }
    }
}

impl AsyncWrite for OutboxStream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = self.stream()?;
        loop {
            ready!(stream.poll_write_ready(cx))?;
            let written = match slices {
                [only] => stream.try_write(only),
                several => stream.try_write_vectored(several),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                done => return Poll::Ready(done),
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(socket) = self.0.socket.get() {
            socket.shut(Shutdown::Write);
        }
        Poll::Ready(Ok(()))
    }
}

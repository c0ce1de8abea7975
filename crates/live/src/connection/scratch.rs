//! Buffers that a thread lends to whichever connection it works on, so that idle ones hold none.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::outbox::{Entry, Outbox};

/// Frames written at once.
const FRAMES: usize = 64;

/// Bytes read at once.
const READ: usize = 32 * 1024;

thread_local! {
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
    static BATCH: Cell<Vec<Entry>> = const { Cell::new(Vec::new()) };
}

/// Lends the thread's read buffer.
pub fn lend<R>(then: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut buffer = READ_BUFFER.take();
    buffer.resize(READ, 0);
    let result = then(&mut buffer);
    READ_BUFFER.set(buffer);
    result
}

/// Reads once into the buffer; 0 is the end of the stream.
pub fn read<IO: AsyncRead + Unpin>(
    io: &mut IO,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut filled = ReadBuf::new(buffer);
    ready!(Pin::new(io).poll_read(cx, &mut filled))?;
    Poll::Ready(Ok(filled.filled().len()))
}

/// What a [`drain`] came to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Drained {
    /// The socket takes no more at the moment, and frames or a part of one are left.
    pub blocked: bool,
    /// The outbox was closed.
    pub closed: bool,
    /// Dirty keys were marked.
    pub marked: bool,
    /// Frames and bytes written.
    pub frames: usize,
    pub bytes: usize,
    /// Since when the first of them had waited, if nothing is left.
    pub since: Option<Instant>,
    /// The time after it, if something was written.
    pub at: Option<tokio::time::Instant>,
}

/// Writes what is queued, up to 64 frames a system call, until all that was there is out or the socket full. What came
/// meanwhile is found when the outbox is armed.
pub fn drain<IO: AsyncWrite + Unpin>(
    io: &mut IO,
    cx: &mut Context<'_>,
    outbox: &Outbox,
) -> io::Result<Drained> {
    let mut batch = BATCH.take();
    let mut drained = Drained::default();
    let result = loop {
        let taken = outbox.take(&mut batch, FRAMES);
        (drained.closed, drained.marked, drained.since) = (taken.closed, taken.marked, taken.waited_since);
        if batch.is_empty() {
            break Ok(());
        }
        match write_once(io, cx, &batch) {
            Poll::Ready(Ok(written)) => {
                let offered = batch.len();
                let whole = outbox.settle(&mut batch, written);
                drained.bytes += written;
                drained.frames += whole;
                if whole == offered && !taken.more {
                    break Ok(());
                }
            }
            Poll::Pending => {
                outbox.put_back(batch.drain(..), 0);
                drained.blocked = true;
                break Ok(());
            }
            Poll::Ready(Err(error)) => break Err(error),
        }
    };
    batch.clear();
    BATCH.set(batch);
    result?;
    // Only a stream that buffers (TLS) can be pending here; it wakes us when it can go on. Asked each time, because
    // what it holds back may be of an earlier turn.
    drained.blocked |= Pin::new(io).poll_flush(cx)?.is_pending();
    Ok(drained)
}

fn write_once<IO: AsyncWrite + Unpin>(
    io: &mut IO,
    cx: &mut Context<'_>,
    batch: &[Entry],
) -> Poll<io::Result<usize>> {
    let io = Pin::new(io);
    let written = if let [only] = batch {
        ready!(io.poll_write(cx, &only.frame))
    } else {
        let mut slices = [IoSlice::new(&[]); FRAMES];
        for (slice, entry) in slices.iter_mut().zip(batch) {
            *slice = IoSlice::new(&entry.frame);
        }
        ready!(io.poll_write_vectored(cx, &slices[..batch.len()]))
    };
    Poll::Ready(match written {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        other => other,
    })
}

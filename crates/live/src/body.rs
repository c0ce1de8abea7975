//! Bodies of requests, read with little memory however they are sent.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, multipart};
use axum::http::{HeaderMap, Request, header::CONTENT_TYPE};
use futures_util::{Stream, StreamExt};

/// Bytes of a form that are read ahead of what its reader has looked at.
const AHEAD: usize = 256 * 1024;

/// Bytes of a form without a field or a piece of one: a head that never ends, or no boundary.
const BARREN: usize = 1024 * 1024;

/// Why a body could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is larger than allowed: 413.
    TooLarge,
    /// It brought nothing for too long: 408.
    Late,
    /// It ended too early, or is not what it says: 400.
    Broken,
}

/// A whole body of at most `most` bytes.
pub async fn read(body: Body, most: usize) -> Result<Bytes, Unread> {
    let mut pieces = body.into_data_stream();
    let Some(first) = pieces.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|error| why(&error))?;
    if first.len() > most {
        return Err(Unread::TooLarge);
    }
    let mut next = pieces.next().await;
    if next.is_none() {
        return Ok(first);
    }
    let mut whole = first.to_vec();
    while let Some(piece) = next {
        let piece = piece.map_err(|error| why(&error))?;
        if whole.len() + piece.len() > most {
            return Err(Unread::TooLarge);
        }
        whole.extend_from_slice(&piece);
        next = pieces.next().await;
    }
    Ok(whole.into())
}

fn why(error: &(dyn Error + 'static)) -> Unread {
    let mut error = Some(error);
    while let Some(one) = error {
        if one.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::TimedOut) {
            return Unread::Late;
        }
        error = one.source();
    }
    Unread::Broken
}

/// A multipart form of any size. Its reader bounds the fields; what is held meanwhile is bounded here.
pub struct Form {
    parts: Multipart,
    /// Bytes handed on since the last field or piece of one.
    barren: Arc<AtomicUsize>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Form").finish_non_exhaustive()
    }
}

impl Form {
    /// The form that the headers speak of; an error when they speak of none.
    pub async fn of(headers: &HeaderMap, body: Body) -> Result<Self, Unread> {
        let barren = Arc::<AtomicUsize>::default();
        let heads = Heads::of(headers);
        let fed = Fed { body: body.into_data_stream(), barren: barren.clone(), ahead: 0, heads };
        let mut request = Request::new(Body::from_stream(fed));
        *request.headers_mut() = headers.clone();
        // Files have bounds of their own, far above the framework's for all bodies.
        DefaultBodyLimit::disable().apply(&mut request);
        let parts = Multipart::from_request(request, &()).await.map_err(|_| Unread::Broken)?;
        Ok(Self { parts, barren })
    }

    /// The next field; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Field<'_>>, Unread> {
        let field = self.parts.next_field().await.map_err(|error| why(&error))?;
        self.barren.store(0, Ordering::Relaxed);
        Ok(field.map(|field| Field { field, barren: &self.barren }))
    }
}

/// A field of a form.
#[derive(Debug)]
pub struct Field<'a> {
    field: multipart::Field<'a>,
    barren: &'a AtomicUsize,
}

impl Field<'_> {
    /// The form's name for it; empty when it has none.
    pub fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The client's name for the file, when it is one.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next piece; `None` at the end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, Unread> {
        let piece = self.field.chunk().await.map_err(|error| why(&error))?;
        self.barren.store(0, Ordering::Relaxed);
        Ok(piece)
    }

    /// All of it, at most `most` bytes.
    pub async fn whole(&mut self, most: usize) -> Result<Vec<u8>, Unread> {
        let mut whole = Vec::new();
        while let Some(piece) = self.piece().await? {
            if whole.len() + piece.len() > most {
                return Err(Unread::TooLarge);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

/// Hands a body on, and stops when its reader takes without finding anything. The reader of forms takes whatever is
/// there before it looks, so it is made to look from time to time.
struct Fed {
    body: BodyDataStream,
    barren: Arc<AtomicUsize>,
    /// Bytes since the reader was last made to look.
    ahead: usize,
    heads: Option<Heads>,
}

impl Stream for Fed {
    type Item = Result<Bytes, axum::BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.barren.load(Ordering::Relaxed) > BARREN {
            return Poll::Ready(Some(Err("a form without fields".into())));
        }
        if self.ahead > AHEAD {
            self.ahead = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece = ready!(self.body.poll_next_unpin(cx));
        Poll::Ready(piece.map(|piece| {
            let piece = piece?;
            self.ahead += piece.len();
            self.barren.fetch_add(piece.len(), Ordering::Relaxed);
            Ok(match &mut self.heads {
                Some(heads) => heads.clean(piece),
                None => piece,
            })
        }))
    }
}

/// Leaves control characters out of the heads of a form's fields. Clients send names of files as they are, and a header
/// with such a character can't be read.
struct Heads {
    /// What parts the fields, with the line break before it.
    delimiter: Vec<u8>,
    place: Place,
}

/// Where in a form, and how much of what ends this place has come.
#[derive(Clone, Copy)]
enum Place {
    Data(usize),
    Head(usize),
}

/// The end of a head.
const HEAD_END: [u8; 4] = *b"\r\n\r\n";

impl Heads {
    /// For the form that the headers speak of.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let is_it = |(name, _): &(&str, &str)| name.trim().eq_ignore_ascii_case("boundary");
        let (_, boundary) = kind.split(';').filter_map(|part| part.split_once('=')).find(is_it)?;
        let boundary = boundary.trim().trim_matches('"');
        // The first delimiter stands at the very beginning.
        Some(Self { delimiter: format!("\r\n--{boundary}").into_bytes(), place: Place::Data(2) })
    }

    fn clean(&mut self, piece: Bytes) -> Bytes {
        let (mut at, mut cleaned) = (0, None::<Vec<u8>>);
        while let Some(byte) = piece.get(at) {
            if matches!(self.place, Place::Data(0)) {
                // Long stretches of a file have nothing to look at.
                let plain = piece[at..].iter().take_while(|byte| **byte != b'\r').count();
                cleaned.iter_mut().for_each(|cleaned| cleaned.extend_from_slice(&piece[at..at + plain]));
                at += plain;
                if plain > 0 {
                    continue;
                }
            }
            match (self.keeps(*byte), &mut cleaned) {
                (true, Some(cleaned)) => cleaned.push(*byte),
                (false, None) => cleaned = Some(piece[..at].to_vec()),
                _ => {}
            }
            at += 1;
        }
        cleaned.map_or(piece, Bytes::from)
    }

    /// Whether this byte stays; looks at each in its turn.
    fn keeps(&mut self, byte: u8) -> bool {
        let (end, come): (&[u8], usize) = match self.place {
            Place::Data(come) => (&self.delimiter, come),
            Place::Head(come) => (&HEAD_END, come),
        };
        let odd = (byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n')) || byte == 0x7f;
        if odd && matches!(self.place, Place::Head(_)) {
            return false;
        }
        // Both ends begin with the one carriage return that an attempt can begin anew with.
        let come = match end.get(come) {
            Some(wanted) if *wanted == byte => come + 1,
            _ => usize::from(byte == b'\r'),
        };
        self.place = match self.place {
            Place::Data(_) if come == end.len() => Place::Head(0),
            Place::Head(_) if come == end.len() => Place::Data(0),
            Place::Data(_) => Place::Data(come),
            Place::Head(_) => Place::Head(come),
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pieces: Vec<Result<Bytes, axum::BoxError>>) -> Body {
        Body::from_stream(futures_util::stream::iter(pieces))
    }

    fn form_headers() -> HeaderMap {
        HeaderMap::from_iter([(
            axum::http::header::CONTENT_TYPE,
            axum::http::HeaderValue::from_static("multipart/form-data; boundary=b"),
        )])
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_bound() {
        let text = |text: &'static str| Ok(Bytes::from_static(text.as_bytes()));
        assert_eq!(read(Body::empty(), 0).await.as_deref(), Ok(&b""[..]));
        assert_eq!(read(body(vec![text("ab"), text("c")]), 3).await.as_deref(), Ok(&b"abc"[..]));
        assert_eq!(read(body(vec![text("ab"), text("cd")]), 3).await, Err(Unread::TooLarge));
        assert_eq!(read(body(vec![text("abcd")]), 3).await, Err(Unread::TooLarge));
        let late = || Err(io::Error::from(io::ErrorKind::TimedOut).into());
        assert_eq!(read(body(vec![text("ab"), late()]), 3).await, Err(Unread::Late));
        assert_eq!(read(body(vec![Err("cut".into())]), 3).await, Err(Unread::Broken));
    }

    #[tokio::test]
    async fn a_file_of_many_megabytes_comes_whole() {
        let head = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
        let mut pieces = vec![Ok(Bytes::from(head))];
        pieces.extend((0..200).map(|_| Ok(Bytes::from(vec![b'x'; 64 * 1024]))));
        pieces.push(Ok(Bytes::from("\r\n--b--\r\n")));
        let mut form = Form::of(&form_headers(), body(pieces)).await.unwrap();
        let mut field = form.next().await.unwrap().unwrap();
        assert_eq!((field.name(), field.file_name()), ("file", Some("a")));
        let mut size = 0;
        while let Some(piece) = field.piece().await.unwrap() {
            assert!(piece.len() <= 4 * AHEAD, "{}", piece.len());
            size += piece.len();
        }
        assert_eq!(size, 200 * 64 * 1024);
        // The reader of forms gives out one field at a time.
        drop(field);
        assert!(form.next().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn control_characters_are_left_out_of_names_and_stay_in_files() {
        let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\u{1}\u{7f}\0b\"\r\n\r\n\u{1}\0\r\n--c\
                    \r\n\r\n\u{2}\r\n--b\r\ncontent-disposition: form-data; name=\"ro\u{8}om\"\r\n\r\n\u{7f}x\r\n--b--\r\n";
        // In one piece, and cut between any two bytes.
        for cut in 0..form.len() {
            let (begin, rest) = form.as_bytes().split_at(cut);
            let pieces = [begin, rest].map(|piece| Ok(Bytes::copy_from_slice(piece)));
            let mut read = Form::of(&form_headers(), body(pieces.into())).await.unwrap();
            let mut file = read.next().await.unwrap().unwrap();
            assert_eq!(file.file_name(), Some("ab"), "{cut}");
            assert_eq!(file.whole(100).await.unwrap(), b"\x01\0\r\n--c\r\n\r\n\x02", "{cut}");
            drop(file);
            let mut field = read.next().await.unwrap().unwrap();
            assert_eq!(field.name(), "room", "{cut}");
            assert_eq!(field.whole(9).await.unwrap(), b"\x7fx", "{cut}");
            drop(field);
            assert!(read.next().await.unwrap().is_none(), "{cut}");
        }
    }

    #[tokio::test]
    async fn a_head_that_never_ends_is_not_kept() {
        let taken = Arc::<AtomicUsize>::default();
        let counted = taken.clone();
        let endless = futures_util::stream::repeat_with(move || {
            counted.fetch_add(64 * 1024, Ordering::Relaxed);
            Ok::<_, axum::BoxError>(Bytes::from(vec![b'x'; 64 * 1024]))
        });
        for begin in ["", "--b\r\ncontent-disposition: form-data; name=\""] {
            let start = futures_util::stream::iter([Ok(Bytes::from(begin))]);
            let body = Body::from_stream(start.chain(endless.clone()));
            let mut form = Form::of(&form_headers(), body).await.unwrap();
            assert_eq!(form.next().await.unwrap_err(), Unread::Broken, "{begin}");
        }
        assert!(taken.load(Ordering::Relaxed) <= 4 * BARREN, "{taken:?}");
        assert!(Form::of(&HeaderMap::new(), Body::empty()).await.is_err());
    }
}

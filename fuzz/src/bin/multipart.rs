//! Forms with files: any body is a form or none, the same one however it is cut, and no field is larger than allowed.
#![no_main]

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, header::CONTENT_TYPE},
};
use futures_util::{FutureExt, stream};
use libfuzzer_sys::fuzz_target;
use parlor_live::body::Form;

/// Bytes that a field may have.
const MOST: usize = 200;

/// The fields that came whole, and whether the form did.
async fn read(data: &[u8], piece: usize) -> (Vec<(String, Option<String>, Vec<u8>)>, bool) {
    let headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("multipart/form-data; boundary=b"))]);
    let pieces: Vec<_> = data.chunks(piece).map(|piece| Ok::<_, axum::Error>(Bytes::copy_from_slice(piece))).collect();
    let mut form = Form::of(&headers, Body::from_stream(stream::iter(pieces))).await.expect("it is announced");
    let mut fields = Vec::new();
    loop {
        let mut field = match form.next().await {
            Ok(Some(field)) => field,
            Ok(None) => return (fields, true),
            Err(_) => return (fields, false),
        };
        let (name, file) = (field.name().to_owned(), field.file_name().map(str::to_owned));
        let Ok(whole) = field.whole(MOST).await else { return (fields, false) };
        assert!(whole.len() <= MOST);
        fields.push((name, file, whole));
    }
}

/// All of a body is there at once, so nothing is ever waited for.
fn now<T>(mut reading: impl Future<Output = T> + Unpin) -> T {
    loop {
        if let Some(read) = (&mut reading).now_or_never() {
            return read;
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&piece, data)) = data.split_first() else { return };
    let cut = now(Box::pin(read(data, usize::from(piece).max(1))));
    let whole = now(Box::pin(read(data, data.len().max(1))));
    assert_eq!(cut, whole);
});

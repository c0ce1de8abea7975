//! Looks into uploaded bytes: what they are (never what their name says), how large a picture is, a thumbnail and a
//! tiny preview of it, pictures without what they tell about their maker, and what a virus scanner finds.

mod clamd;
mod private;

use std::{
    fs::File,
    io::{Cursor, Read},
    path::Path,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits, imageops::FilterType};
use parlor_core::{
    blobs::Boxed,
    error::{Refusal, Result},
    media::{Examined, Media, Thumbnail},
};
use tokio::sync::Semaphore;

/// Pictures looked at the same time; more wait.
const AT_ONCE: usize = 2;
/// Files scanned at the same time; more wait.
const SCANS_AT_ONCE: usize = 4;
/// Most pixels of a picture that is decoded: above it there is no thumbnail.
const MOST_PIXELS: u64 = 40_000_000;
/// Most bytes that decoding may take.
const MOST_MEMORY: u64 = 256 << 20;
/// Bytes of a file from which its type is told.
const HEAD: usize = 8 * 1024;
/// Side of the tiny preview, in pixels.
const PREVIEW: u32 = 32;

/// The port on the `image` crate.
pub struct Pictures {
    room: Arc<Semaphore>,
    scans: Semaphore,
}

impl Default for Pictures {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(AT_ONCE)), scans: Semaphore::new(SCANS_AT_ONCE) }
    }
}

impl Media for Pictures {
    fn examine<'a>(&'a self, file: &'a Path, name: &'a str, side: (u32, u32)) -> Boxed<'a, Examined> {
        let (file, name) = (file.to_owned(), name.to_owned());
        Box::pin(self.blocking(move || examine(&file, &name, side)))
    }

    fn square<'a>(&'a self, bytes: Vec<u8>, side: u32) -> Boxed<'a, Vec<u8>> {
        Box::pin(self.blocking(move || square(&bytes, side)))
    }

    fn strip<'a>(&'a self, file: &'a Path) -> Boxed<'a, bool> {
        let file = file.to_owned();
        Box::pin(self.blocking(move || strip(&file)))
    }

    fn scan<'a>(&'a self, file: &'a Path, scanner: &'a str) -> Boxed<'a, Option<String>> {
        Box::pin(async move {
            let _permit = self.scans.acquire().await.map_err(|_| Refusal::Unavailable)?;
            clamd::scan(file, scanner).await
        })
    }
}

impl Pictures {
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let permit = self.room.clone().acquire_owned().await.map_err(|_| Refusal::Unavailable)?;
        // The permit goes along: work that was begun goes on, and takes its memory, even if the asker has gone.
        let work = move || {
            let _permit = permit;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::invalid("file", "can't be read"))?
    }
}

fn unreadable(error: impl std::fmt::Display) -> Refusal {
    tracing::warn!(%error, "an uploaded file could not be read");
    Refusal::Unavailable
}

/// The type by the bytes; for UTF-8 text by the name among a few harmless ones.
fn sniff(head: &[u8], name: &str) -> String {
    if let Some(kind) = infer::get(head) {
        return kind.mime_type().to_owned();
    }
    let valid = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // A character cut in two at the end of the head.
        Err(error) if head.len() == HEAD && error.valid_up_to() + 4 > head.len() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    let Some(text) = valid.filter(|t| !t.contains('\0')) else { return "application/octet-stream".into() };
    let start: String = text.trim_start().chars().take(256).flat_map(char::to_lowercase).collect();
    if start.contains("<svg") {
        return "image/svg+xml".into();
    }
    if ["<!doctype html", "<html", "<head", "<script", "<body", "<iframe"]
        .iter()
        .any(|tag| start.contains(tag))
    {
        return "text/html".into();
    }
    if start.starts_with("<?xml") {
        return "application/xml".into();
    }
    match name.rsplit('.').next().unwrap_or_default().to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "md" | "markdown" => "text/markdown",
        "json" => "application/json",
        // Drawings are XML without saying so: to be kept, not to be read.
        "drawio" => "application/octet-stream",
        _ => "text/plain",
    }
    .into()
}

fn examine(file: &Path, name: &str, side: (u32, u32)) -> Result<Examined> {
    let mut head = Vec::with_capacity(HEAD);
    File::open(file).and_then(|f| f.take(HEAD as u64).read_to_end(&mut head)).map_err(unreadable)?;
    let media_type = sniff(&head, name);
    let mut examined = Examined { media_type, ..Examined::default() };
    let Some(format) = shown_inline(&examined.media_type) else { return Ok(examined) };
    let Some((picture, dimensions)) = decode(file, format) else { return Ok(examined) };
    examined.dimensions = Some(dimensions);
    examined.preview =
        jpeg(&picture.resize(PREVIEW, PREVIEW, FilterType::Triangle)).map(|b| STANDARD.encode(b));
    let small = if dimensions.0 > side.0 || dimensions.1 > side.1 {
        picture.resize(side.0, side.1, FilterType::Triangle)
    } else {
        picture
    };
    examined.thumbnail = encode(&small, format).map(|(bytes, media_type)| Thumbnail {
        bytes,
        media_type: media_type.into(),
        dimensions: (small.width(), small.height()),
    });
    Ok(examined)
}

fn shown_inline(media_type: &str) -> Option<ImageFormat> {
    match media_type {
        "image/png" => Some(ImageFormat::Png),
        "image/jpeg" => Some(ImageFormat::Jpeg),
        "image/gif" => Some(ImageFormat::Gif),
        "image/webp" => Some(ImageFormat::WebP),
        _ => None,
    }
}

/// A picture within the limits; `None` for damaged and monstrous ones, which are kept as plain files.
fn decode(file: &Path, format: ImageFormat) -> Option<(DynamicImage, (u32, u32))> {
    let open = || Some(ImageReader::with_format(std::io::BufReader::new(File::open(file).ok()?), format));
    let (width, height) = open()?.into_dimensions().ok()?;
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return None;
    }
    let mut reader = open()?;
    reader.limits(limits());
    let mut decoder = reader.into_decoder().ok()?;
    // A picture is as large as it is shown: upright.
    let up = decoder.orientation().ok()?;
    let mut picture = DynamicImage::from_decoder(decoder).ok()?;
    picture.apply_orientation(up);
    let shown = (picture.width(), picture.height());
    Some((picture, shown))
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    limits
}

fn jpeg(picture: &DynamicImage) -> Option<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut bytes, ImageFormat::Jpeg).ok()?;
    Some(bytes.into_inner())
}

/// Pictures that may be transparent stay PNG.
fn encode(picture: &DynamicImage, format: ImageFormat) -> Option<(Vec<u8>, &'static str)> {
    if format == ImageFormat::Jpeg {
        return Some((jpeg(picture)?, "image/jpeg"));
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).ok()?;
    Some((bytes.into_inner(), "image/png"))
}

fn square(bytes: &[u8], side: u32) -> Result<Vec<u8>> {
    let bad = |_| Refusal::invalid("image", "is not a picture that can be shown");
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(unreadable)?;
    reader.limits(limits());
    let picture = reader.decode().map_err(bad)?.resize_to_fill(side, side, FilterType::Triangle);
    let mut out = Cursor::new(Vec::new());
    picture.write_to(&mut out, ImageFormat::Png).map_err(bad)?;
    Ok(out.into_inner())
}

/// Takes out of a picture what it tells beside what it shows: what a fuzzer calls. What is clean stays as it is.
pub fn fuzz_strip(picture: &[u8]) {
    if let Some(clean) = private::clean(picture.to_vec().into()) {
        assert!(private::clean(clean).is_none(), "a clean picture is cleaned again");
    }
}

/// Takes out of a picture what it tells beside what it shows; whether the file was changed.
fn strip(file: &Path) -> Result<bool> {
    let mut head = Vec::with_capacity(HEAD);
    File::open(file).and_then(|f| f.take(HEAD as u64).read_to_end(&mut head)).map_err(unreadable)?;
    if !matches!(sniff(&head, "").as_str(), "image/jpeg" | "image/png" | "image/webp") {
        return Ok(false);
    }
    // What can't be cleaned is not kept: nobody knows what it tells.
    let limit = private::MOST_BYTES;
    private::strip(file).map_err(unreadable)?.ok_or(Refusal::TooLarge { what: "picture", limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(width, height).write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn the_name_does_not_decide_what_a_file_is() {
        assert_eq!(sniff(b"<html><script>", "cat.png"), "text/html");
        assert_eq!(sniff(b"  <SVG onload=x>", "cat.jpg"), "image/svg+xml");
        assert_eq!(sniff(&png(1, 1), "cat.txt"), "image/png");
        assert_eq!(sniff(b"a,b\n", "t.csv"), "text/csv");
        assert_eq!(sniff(b"<mxfile host=\"x\">", "diagram.drawio"), "application/octet-stream");
        assert_eq!(sniff(b"a list\n", "of.lst"), "text/plain");
        assert_eq!(sniff(&[0, 1, 2, 255], "x.txt"), "application/octet-stream");
    }

    #[tokio::test]
    async fn a_picture_gets_its_size_a_thumbnail_and_a_preview() {
        let file = std::env::temp_dir().join(format!("parlor-media-{}", std::process::id()));
        std::fs::write(&file, png(800, 400)).unwrap();
        let seen = Pictures::default().examine(&file, "x.png", (480, 360)).await.unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!(seen.dimensions, Some((800, 400)));
        assert_eq!(seen.thumbnail.unwrap().dimensions, (480, 240));
        assert!(seen.preview.unwrap().len() < 2_000);
    }

    #[tokio::test]
    async fn whoever_goes_away_does_not_make_room_for_more_work_than_runs_at_once() {
        let pictures = Pictures::default();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let mut ends = Vec::new();
        for _ in 0..AT_ONCE {
            let (end, is_over) = std::sync::mpsc::channel::<()>();
            let told = begun.clone();
            let work = pictures.blocking(move || {
                let _ = told.send(());
                let _ = is_over.recv();
                Ok(())
            });
            ends.push(end);
            // Asked once, then the asker is gone.
            let mut work = Box::pin(work);
            assert!(futures_poll(&mut work).await.is_none());
        }
        (0..AT_ONCE).for_each(|_| has_begun.recv().unwrap());
        assert_eq!(pictures.room.available_permits(), 0);
        drop(ends);
        let _ = pictures.room.acquire_many(AT_ONCE as u32).await.unwrap();
    }

    /// Polls once.
    async fn futures_poll<T>(work: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
        std::future::poll_fn(|cx| match std::pin::Pin::new(&mut *work).poll(cx) {
            std::task::Poll::Ready(done) => std::task::Poll::Ready(Some(done)),
            std::task::Poll::Pending => std::task::Poll::Ready(None),
        })
        .await
    }

    #[tokio::test]
    async fn a_damaged_picture_is_a_plain_file() {
        let file = std::env::temp_dir().join(format!("parlor-media-bad-{}", std::process::id()));
        std::fs::write(&file, &png(80, 40)[..60]).unwrap();
        let seen = Pictures::default().examine(&file, "x.png", (480, 360)).await.unwrap();
        std::fs::remove_file(&file).unwrap();
        assert_eq!((seen.media_type.as_str(), seen.thumbnail.is_none()), ("image/png", true));
    }
}

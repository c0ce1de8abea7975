//! The port to whatever looks into uploaded bytes.

use std::path::Path;

use crate::blobs::Boxed;

/// What a file turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// The type by its bytes, such as `image/png`.
    pub media_type: String,
    /// Pixels of a picture.
    pub dimensions: Option<(u32, u32)>,
    /// A tiny preview of a picture: base64 JPEG.
    pub preview: Option<String>,
    /// A smaller picture to show in a conversation.
    pub thumbnail: Option<Thumbnail>,
}

/// A smaller picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thumbnail {
    /// Encoded.
    pub bytes: Vec<u8>,
    /// As what.
    pub media_type: String,
    /// Pixels.
    pub dimensions: (u32, u32),
}

/// Looks into bytes, within bounds of memory and pixels; damaged pictures are plain files, never an error.
pub trait Media: Send + Sync {
    /// What the file is; pictures with a thumbnail that fits `side`.
    fn examine<'a>(&'a self, file: &'a Path, name: &'a str, side: (u32, u32)) -> Boxed<'a, Examined>;
    /// A picture as a square PNG, for avatars; anything else is `Invalid`.
    fn square<'a>(&'a self, bytes: Vec<u8>, side: u32) -> Boxed<'a, Vec<u8>>;
    /// Takes out of a picture what it tells about its maker (EXIF, XMP, comments), but which way is up; whether the
    /// file was changed.
    fn strip<'a>(&'a self, file: &'a Path) -> Boxed<'a, bool>;
    /// Asks a virus scanner that speaks ClamAV's protocol: what it found, if anything. `scanner` is `host:port` or the
    /// path of a socket.
    ///
    /// # Errors
    /// `Unavailable` when it gave no verdict in time.
    fn scan<'a>(&'a self, file: &'a Path, scanner: &'a str) -> Boxed<'a, Option<String>>;
}

/// Whether a file of this type may be shown in a page: only what can't run, so raster pictures, sound and film.
pub fn is_inline(media_type: &str) -> bool {
    match media_type.split_once('/') {
        Some(("image", kind)) => matches!(kind, "png" | "jpeg" | "gif" | "webp" | "avif" | "bmp"),
        Some(("audio" | "video", _)) => true,
        _ => false,
    }
}

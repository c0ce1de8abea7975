//! What a picture tells beside what it shows: where and by whom it was taken, with what, and what programs wrote into
//! it. All of it goes, without encoding the picture anew; only which way is up stays.

use std::path::Path;

use img_parts::{
    Bytes, DynImage, ImageEXIF,
    jpeg::{Jpeg, markers},
    png::Png,
    webp::{CHUNK_XMP, WebP},
};

/// Entries of a directory in EXIF that are looked at.
const MOST_ENTRIES: usize = 512;
/// Chunks of PNG that hold texts, EXIF and times.
const PNG_CHUNKS: [[u8; 4]; 5] = [*b"tEXt", *b"zTXt", *b"iTXt", *b"eXIf", *b"tIME"];
/// How the parts of a JPEG begin that hold further pictures, with data of their own.
const MORE_PICTURES: &[u8] = b"MPF\0";

/// Largest picture that is cleaned, in bytes. Twice as much is held for a moment.
pub(crate) const MOST_BYTES: u64 = 64 << 20;
/// Parts of a picture at most; the largest photographs have some thousands.
const MOST_PARTS: usize = 1 << 16;

/// Cleans a file in place; whether it was changed. Damaged pictures and other files stay as they are. `None` for one
/// that is too large for it or in too many parts: what it tells is not known then.
pub(crate) fn strip(file: &Path) -> std::io::Result<Option<bool>> {
    if std::fs::metadata(file)?.len() > MOST_BYTES {
        return Ok(None);
    }
    let bytes = std::fs::read(file)?;
    if parts(&bytes) > MOST_PARTS {
        return Ok(None);
    }
    let Some(clean) = clean(bytes.into()) else { return Ok(Some(false)) };
    std::fs::write(file, &clean)?;
    Ok(Some(true))
}

/// How many parts a picture claims to have before what is shown, as far as one more than there may be: each costs
/// memory when it is taken apart.
fn parts(bytes: &[u8]) -> usize {
    let number = |at: usize, little: bool| -> Option<usize> {
        let four: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) } as usize)
    };
    let (mut at, mut count) = (if bytes.starts_with(b"\x89PNG") { 8 } else { 0 }, 0);
    while count <= MOST_PARTS {
        let next = if bytes.starts_with(b"\x89PNG") {
            number(at, false).map(|length| at.saturating_add(12).saturating_add(length))
        } else if bytes.starts_with(b"RIFF") {
            // What holds others counts, and so do the others.
            match bytes.get(at..at.saturating_add(4)) {
                Some(b"RIFF" | b"LIST") => Some(at + 12),
                _ => number(at.saturating_add(4), true)
                    .map(|length| at.saturating_add(8).saturating_add(length).saturating_add(length % 2)),
            }
        } else {
            segment_after(bytes, at)
        };
        match next.filter(|next| *next <= bytes.len()) {
            Some(next) => at = next,
            None => break,
        }
        count += 1;
    }
    count
}

/// Where a JPEG's next segment ends; nothing at the end of the head.
fn segment_after(bytes: &[u8], at: usize) -> Option<usize> {
    let sign = at + bytes.get(at..)?.iter().position(|byte| *byte == markers::P)?;
    let marker = sign + bytes.get(sign..)?.iter().position(|byte| *byte != markers::P)?;
    match bytes[marker] {
        markers::EOI | markers::SOS => None,
        // These carry nothing.
        0..=0xbf | markers::RST0..=markers::SOI => Some(marker + 1),
        _ => {
            let length: [u8; 2] = bytes.get(marker + 1..marker + 3)?.try_into().ok()?;
            Some(marker + 1 + usize::from(u16::from_be_bytes(length)).max(2))
        }
    }
}

/// The picture without what it tells; nothing when it tells nothing, is damaged, or is none.
pub(crate) fn clean(bytes: Bytes) -> Option<Bytes> {
    let picture = DynImage::from_bytes(bytes.clone()).ok().flatten()?;
    let up = picture.exif().and_then(|exif| orientation(&exif)).map(|up| minimal(up).into());
    let clean = match picture {
        DynImage::Jpeg(jpeg) => clean_jpeg(jpeg, up).encoder().bytes(),
        DynImage::Png(png) => clean_png(png, up).encoder().bytes(),
        DynImage::WebP(webp) => clean_webp(webp, up).encoder().bytes(),
    };
    (clean != bytes).then_some(clean)
}

fn clean_jpeg(mut picture: Jpeg, up: Option<Bytes>) -> Jpeg {
    picture.segments_mut().retain(|part| match part.marker() {
        // EXIF, XMP; Photoshop's and the press's notes; comments.
        markers::APP1 | markers::APP13 | markers::COM => false,
        markers::APP2 => !part.contents().starts_with(MORE_PICTURES),
        _ => true,
    });
    picture.set_exif(up);
    picture
}

fn clean_png(mut picture: Png, up: Option<Bytes>) -> Png {
    picture.chunks_mut().retain(|chunk| !PNG_CHUNKS.contains(&chunk.kind()));
    picture.set_exif(up);
    picture
}

fn clean_webp(mut picture: WebP, up: Option<Bytes>) -> WebP {
    picture.remove_chunks_by_id(CHUNK_XMP);
    picture.set_exif(up);
    picture
}

/// Which way is up, by EXIF: 2 to 8; nothing when it is as it is stored.
fn orientation(exif: &[u8]) -> Option<u8> {
    let little = match exif.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| {
        let pair: [u8; 2] = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
    };
    let start: [u8; 4] = exif.get(4..8)?.try_into().ok()?;
    let start = if little { u32::from_le_bytes(start) } else { u32::from_be_bytes(start) } as usize;
    let entries = usize::from(short(start)?).min(MOST_ENTRIES);
    let places = (0..entries).map(|n| start.saturating_add(2 + 12 * n));
    let place = places.into_iter().find(|at| short(*at) == Some(0x0112))?;
    let up = short(place.checked_add(8)?)?;
    u8::try_from(up).ok().filter(|up| (2..=8).contains(up))
}

/// EXIF that says which way is up, and nothing else.
fn minimal(up: u8) -> Vec<u8> {
    let mut exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([up, 0, 0, 0, 0, 0, 0, 0]);
    exif
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{DynamicImage, ImageFormat};

    use super::*;

    const SECRET: &[u8] = b"taken at 48.8584 N 2.2945 E";

    fn encoded(format: ImageFormat) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        DynamicImage::new_rgb8(8, 4).write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    /// EXIF with an orientation, and more that nobody should know.
    fn talkative(up: u8) -> Bytes {
        let mut exif = minimal(up);
        exif.extend(SECRET);
        exif.into()
    }

    fn cleaned(bytes: &[u8]) -> (bool, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        let changed = strip(file.path()).unwrap().expect("it is small");
        (changed, std::fs::read(file.path()).unwrap())
    }

    fn tells(bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|part| part == SECRET)
    }

    #[test]
    fn what_claims_too_many_parts_is_not_taken_apart() {
        let jpeg = [&b"\xff\xd8"[..], &b"\xff\xe1\0\x02".repeat(MOST_PARTS + 1)].concat();
        let png = [&b"\x89PNG\r\n\x1a\n"[..], &b"\0\0\0\0tEXt\0\0\0\0".repeat(MOST_PARTS + 1)].concat();
        let webp = [&b"RIFF\0\0\0\0WEBP"[..], &b"XMP \0\0\0\0".repeat(MOST_PARTS + 1)].concat();
        let nested = [&b"RIFF\0\0\0\0WEBP"[..], &b"LIST\xff\xff\xff\xffabcd".repeat(MOST_PARTS + 1)].concat();
        for bytes in [jpeg, png, webp, nested] {
            assert!(parts(&bytes) > MOST_PARTS, "{:?}", &bytes[..4]);
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            assert_eq!(strip(file.path()).unwrap(), None);
        }
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            assert!((1..20).contains(&parts(&encoded(format))), "{format:?}");
        }
        assert!(parts(b"") == 0 && parts(b"\xff") == 0);
    }

    #[test]
    fn a_photograph_tells_which_way_is_up_and_nothing_else() {
        let mut jpeg = Jpeg::from_bytes(encoded(ImageFormat::Jpeg)).unwrap();
        jpeg.set_exif(Some(talkative(6)));
        for marker in [markers::APP1, markers::APP13, markers::COM] {
            let part = img_parts::jpeg::JpegSegment::new_with_contents(marker, Bytes::from_static(SECRET));
            jpeg.segments_mut().insert(1, part);
        }
        let before = jpeg.encoder().bytes();
        assert!(tells(&before));
        let (changed, after) = cleaned(&before);
        assert!(changed && !tells(&after));
        let exif = Jpeg::from_bytes(after.clone().into()).unwrap().exif().unwrap();
        assert_eq!(orientation(&exif), Some(6));
        assert!(image::load_from_memory(&after).is_ok(), "it is still a picture");
        assert_eq!(cleaned(&after), (false, after), "what is clean stays as it is");
    }

    #[test]
    fn png_and_webp_lose_their_texts() {
        let mut png = Png::from_bytes(encoded(ImageFormat::Png)).unwrap();
        let text = img_parts::png::PngChunk::new(*b"tEXt", Bytes::from_static(SECRET));
        png.chunks_mut().insert(1, text);
        png.set_exif(Some(talkative(1)));
        let mut webp = WebP::from_bytes(encoded(ImageFormat::WebP)).unwrap();
        webp.set_exif(Some(talkative(3)));
        for before in [png.encoder().bytes(), webp.encoder().bytes()] {
            assert!(tells(&before));
            let (changed, after) = cleaned(&before);
            assert!(changed && !tells(&after));
            assert!(image::load_from_memory(&after).is_ok(), "it is still a picture");
        }
    }

    #[test]
    fn damaged_exif_and_other_files_do_no_harm() {
        for bad in [&b""[..], b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"text"] {
            assert_eq!(orientation(bad), None);
            assert_eq!(cleaned(bad), (false, bad.to_vec()));
        }
    }
}

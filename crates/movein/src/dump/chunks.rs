//! GridFS: files in chunks, as documents. Where each chunk lies is kept in memory (some 40 bytes for 255 KB), the bytes
//! stay where they are.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::PathBuf,
};

use anyhow::{Context, Result, bail, ensure};
use bson::raw::{RawBsonRef, RawDocument};

use super::{Dump, GZIP};
use crate::doc::Doc;

/// Where a chunk lies.
#[derive(Clone, Copy, Debug)]
struct Place {
    number: i64,
    offset: u64,
    length: u32,
}

/// The files of one bucket.
pub(crate) struct Chunks {
    file: Option<File>,
    places: HashMap<String, Vec<Place>>,
    /// The ids and sizes of files by their names.
    named: HashMap<String, String>,
    sizes: HashMap<String, u64>,
}

impl Chunks {
    pub(super) fn open(dump: &Dump, files: &str, chunks: &str) -> Result<Self> {
        let (mut named, mut sizes) = (HashMap::new(), HashMap::new());
        let mut raw = dump.raw(files)?;
        while let Some(bytes) = raw.next()? {
            // Bytes whose description is damaged are missed where the file is asked for.
            let Ok(doc) = super::docs::json(bytes).map(Doc) else { continue };
            if let Some(name) = doc.text("filename") {
                named.insert(name, doc.id());
            }
            if let Some(size) = doc.number("length") {
                sizes.insert(doc.id(), size as u64);
            }
        }
        let mut places: HashMap<String, Vec<Place>> = HashMap::new();
        let mut raw = dump.raw(chunks)?;
        let mut offset = 0;
        while let Some(bytes) = raw.next()? {
            let length = bytes.len() as u32;
            if let Some((id, number)) = piece(bytes) {
                places.entry(id).or_default().push(Place { number, offset, length });
            }
            offset += u64::from(length);
        }
        places.values_mut().for_each(|list| list.sort_by_key(|place| place.number));
        let file = if places.is_empty() { None } else { Some(seekable(dump, chunks)?) };
        Ok(Self { file, places, named, sizes })
    }

    /// Whether there are bytes of this file, by its id or name.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.places.contains_key(id) || self.named.get(id).is_some_and(|id| self.places.contains_key(id))
    }

    /// Writes a file's bytes, by its id or name.
    pub(crate) fn copy(&mut self, id: &str, to: &mut impl Write) -> Result<u64> {
        let id =
            if self.places.contains_key(id) { id } else { self.named.get(id).map_or(id, String::as_str) };
        let (Some(places), Some(file)) = (self.places.get(id), self.file.as_mut()) else {
            bail!("its bytes are not in the dump");
        };
        let mut written = 0;
        let mut buffer = Vec::new();
        for (index, place) in places.iter().enumerate() {
            ensure!(place.number == index as i64, "a piece of it is missing");
            buffer.resize(place.length as usize, 0);
            file.seek(SeekFrom::Start(place.offset)).context("the chunks can't be read")?;
            file.read_exact(&mut buffer).context("the chunks can't be read")?;
            let document = RawDocument::from_bytes(&buffer).context("a damaged document")?;
            let data = document.get_binary("data").context("a chunk without bytes")?.bytes;
            to.write_all(data).context("its bytes can't be written")?;
            written += data.len() as u64;
        }
        ensure!(self.sizes.get(id).is_none_or(|size| *size == written), "a piece of it is missing");
        Ok(written)
    }
}

/// Of which file a chunk is, and which of it; nothing when it is damaged.
fn piece(bytes: &[u8]) -> Option<(String, i64)> {
    let document = RawDocument::from_bytes(bytes).ok()?;
    Some((name(document.get("files_id").ok()?)?, number(document.get("n").ok()?)))
}

/// The collection as a file in which places can be looked up.
fn seekable(dump: &Dump, chunks: &str) -> Result<File> {
    let path: PathBuf = dump.files.get(chunks).context("a collection that was just read")?.clone();
    let mut first = [0; 2];
    let mut file = File::open(&path).context("the chunks can't be read")?;
    file.read_exact(&mut first).context("the chunks can't be read")?;
    if first != GZIP {
        return Ok(file);
    }
    let plain = dump.scratch.path().join(format!("{chunks}.plain"));
    let mut out = BufWriter::new(File::create(&plain).context("the scratch files can't be written")?);
    std::io::copy(&mut super::unpacked(&path)?, &mut out).context("the scratch files can't be written")?;
    out.flush().context("the scratch files can't be written")?;
    File::open(plain).context("a scratch file is gone")
}

fn name(value: Option<RawBsonRef<'_>>) -> Option<String> {
    match value? {
        RawBsonRef::String(text) => Some(text.to_owned()),
        RawBsonRef::ObjectId(id) => Some(id.to_hex()),
        _ => None,
    }
}

fn number(value: Option<RawBsonRef<'_>>) -> i64 {
    match value {
        Some(RawBsonRef::Int32(number)) => number.into(),
        Some(RawBsonRef::Int64(number)) => number,
        Some(RawBsonRef::Double(number)) => number as i64,
        _ => -1,
    }
}

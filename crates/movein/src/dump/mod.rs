//! A database dump: a folder of `mongodump`, or an archive of it; either may be packed with gzip. Read as a stream,
//! with scratch files where something has to be sorted or looked up.

mod archive;
mod chunks;
mod docs;
mod sort;

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use bson::raw::RawDocument;
use flate2::read::MultiGzDecoder;

use self::{
    archive::Found,
    docs::{Next, read_next},
};
pub(crate) use self::{
    chunks::Chunks,
    sort::{Key, Sorter},
};
use crate::{doc::Doc, tally::Tally};

/// What a packed file begins with.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A folder for scratch files, removed in the end; what a killed run left is removed in the beginning.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("can't empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
        Ok(Self(folder.to_owned()))
    }
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// An opened dump.
pub(crate) struct Dump {
    files: HashMap<&'static str, PathBuf>,
    /// Collections with something in them that are not read.
    pub(crate) unread: Vec<String>,
    pub(crate) scratch: Scratch,
}

impl Dump {
    /// Opens a dump. `must`: the collections by which the right database is known.
    pub(crate) fn open(path: &Path, wanted: &[&'static str], must: &str, scratch: Scratch) -> Result<Self> {
        let meta = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
        let found = if meta.is_dir() {
            in_folder(path, wanted)?
        } else {
            let reader = unpacked(path)?;
            let split = archive::split(reader, wanted, scratch.path())
                .with_context(|| format!("{} can't be read", path.display()))?;
            split.into_iter().collect()
        };
        let found =
            only_one(path, found.into_iter().filter(|(_, it)| it.files.contains_key(must)).collect())?;
        Ok(Self { files: found.files, unread: found.others.into_iter().collect(), scratch })
    }

    /// The documents of a collection, as they lie there; nothing when it is not there.
    pub(crate) fn raw(&self, collection: &str) -> Result<Raw> {
        let Some(path) = self.files.get(collection) else { return Ok(Raw::empty()) };
        Ok(Raw { path: path.clone(), reader: unpacked(path)?, buffer: Vec::new() })
    }

    /// The documents of a collection, counted as things of a kind where they can't be read.
    pub(crate) fn docs(&self, collection: &str, kind: &'static str) -> Result<Docs> {
        Ok(Docs { raw: self.raw(collection)?, kind })
    }

    /// The bytes of the files that GridFS keeps in a bucket.
    pub(crate) fn chunks(&self, files: &str, chunks: &str) -> Result<Chunks> {
        Chunks::open(self, files, chunks)
    }
}

/// A document as JSON; a damaged one is counted as left out.
pub(crate) fn doc(bytes: &[u8], kind: &'static str, tally: &mut Tally) -> Option<Doc> {
    match docs::json(bytes) {
        Ok(map) => Some(Doc(map)),
        Err(_) => {
            let id = RawDocument::from_bytes(bytes).ok().and_then(|raw| raw.get_str("_id").ok());
            tally.read(kind);
            tally.left(kind, id.unwrap_or("?"), "a damaged document");
            None
        }
    }
}

/// The documents of a collection that can be read.
pub(crate) struct Docs {
    raw: Raw,
    kind: &'static str,
}

impl Docs {
    /// The next one; damaged ones are counted as left out.
    pub(crate) fn next(&mut self, tally: &mut Tally) -> Result<Option<Doc>> {
        while let Some(bytes) = self.raw.next()? {
            if let Some(doc) = doc(bytes, self.kind, tally) {
                return Ok(Some(doc));
            }
        }
        Ok(None)
    }
}

/// The documents of a collection, as they lie there.
pub(crate) struct Raw {
    path: PathBuf,
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
}

impl Raw {
    fn empty() -> Self {
        Self { path: PathBuf::new(), reader: Box::new(std::io::empty()), buffer: Vec::new() }
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Result<Option<&[u8]>> {
        let next = read_next(&mut self.reader, &mut self.buffer)
            .with_context(|| format!("{} can't be read", self.path.display()))?;
        match next {
            Next::Document => Ok(Some(&self.buffer)),
            Next::End => Ok(None),
            Next::Terminator => bail!("{} is damaged", self.path.display()),
        }
    }
}

/// A file's content, unpacked where it is packed.
fn unpacked(path: &Path) -> Result<Box<dyn Read + Send>> {
    let open = || File::open(path).with_context(|| format!("can't read {}", path.display()));
    let mut first = Vec::new();
    open()?.take(2).read_to_end(&mut first).with_context(|| format!("can't read {}", path.display()))?;
    let file = BufReader::with_capacity(256 * 1024, open()?);
    Ok(if first == GZIP {
        Box::new(BufReader::with_capacity(256 * 1024, MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    })
}

/// The collections in a folder: the dump of one database, or the folder that holds it.
fn in_folder(path: &Path, wanted: &[&'static str]) -> Result<Vec<(String, Found)>> {
    let mut folders = vec![path.to_owned()];
    for entry in fs::read_dir(path).with_context(|| format!("can't read {}", path.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    let held = |folder: PathBuf| Ok((folder.display().to_string(), held(&folder, wanted)?));
    folders.into_iter().map(held).collect()
}

/// The collections of one database.
fn held(folder: &Path, wanted: &[&'static str]) -> Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let packed = name.strip_suffix(".gz");
        let Some(collection) = packed.unwrap_or(name).strip_suffix(".bson").filter(|_| path.is_file()) else {
            continue;
        };
        match wanted.iter().find(|wanted| **wanted == collection) {
            // The plain one, where both lie there.
            Some(wanted) if packed.is_some() => drop(found.files.entry(wanted).or_insert(path)),
            Some(wanted) => drop(found.files.insert(wanted, path)),
            None => {
                let collection = collection.to_owned();
                if unpacked(&path)?.read(&mut [0]).is_ok_and(|read| read > 0) {
                    found.others.insert(collection);
                }
            }
        }
    }
    Ok(found)
}

fn only_one(path: &Path, mut found: Vec<(String, Found)>) -> Result<Found> {
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    ensure!(found.len() < 2, "there is more than one database: {}; dump one of them", names.join(", "));
    match found.pop() {
        Some((_, found)) => Ok(found),
        None => bail!("{} holds no dump of a Rocket.Chat database", path.display()),
    }
}

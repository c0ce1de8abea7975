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
use flate2::read::MultiGzDecoder;

use self::docs::{Next, read_next};
pub(crate) use self::{
    chunks::Chunks,
    sort::{Key, Sorter},
};
use crate::doc::Doc;

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
    pub(crate) scratch: Scratch,
}

impl Dump {
    /// Opens a dump. `must`: the collections by which the right database is known.
    pub(crate) fn open(path: &Path, wanted: &[&'static str], must: &str, scratch: Scratch) -> Result<Self> {
        let meta = fs::metadata(path).with_context(|| format!("can't read {}", path.display()))?;
        let files = if meta.is_dir() {
            in_folder(path, wanted, must)?
        } else {
            let reader = unpacked(path)?;
            let split = archive::split(reader, wanted, scratch.path())
                .with_context(|| format!("{} can't be read", path.display()))?;
            let found = split.into_iter().filter(|(_, files)| files.contains_key(must)).collect();
            only_one(path, found)?
        };
        Ok(Self { files, scratch })
    }

    /// The documents of a collection, as they lie there; nothing when it is not there.
    pub(crate) fn raw(&self, collection: &str) -> Result<Raw> {
        let Some(path) = self.files.get(collection) else { return Ok(Raw::empty()) };
        Ok(Raw { path: path.clone(), reader: unpacked(path)?, buffer: Vec::new() })
    }

    /// The documents of a collection.
    pub(crate) fn docs(&self, collection: &str) -> Result<impl Iterator<Item = Result<Doc>> + use<>> {
        let mut raw = self.raw(collection)?;
        Ok(std::iter::from_fn(move || match raw.next() {
            Ok(None) => None,
            Ok(Some(bytes)) => Some(docs::json(bytes).map(Doc)),
            Err(error) => Some(Err(error)),
        }))
    }

    /// The bytes of the files that GridFS keeps in a bucket.
    pub(crate) fn chunks(&self, files: &str, chunks: &str) -> Result<Chunks> {
        Chunks::open(self, files, chunks)
    }
}

/// A document as JSON.
pub(crate) fn doc(bytes: &[u8]) -> Result<Doc> {
    docs::json(bytes).map(Doc)
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
fn in_folder(path: &Path, wanted: &[&'static str], must: &str) -> Result<HashMap<&'static str, PathBuf>> {
    let mut folders = vec![path.to_owned()];
    for entry in fs::read_dir(path).with_context(|| format!("can't read {}", path.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    let mut found = Vec::new();
    for folder in folders {
        let files: HashMap<&'static str, PathBuf> = wanted
            .iter()
            .filter_map(|name| {
                let names = [format!("{name}.bson"), format!("{name}.bson.gz")];
                let path = names.iter().map(|name| folder.join(name)).find(|path| path.is_file())?;
                Some((*name, path))
            })
            .collect();
        if files.contains_key(must) {
            found.push((folder.display().to_string(), files));
        }
    }
    only_one(path, found)
}

fn only_one(
    path: &Path,
    mut found: Vec<(String, HashMap<&'static str, PathBuf>)>,
) -> Result<HashMap<&'static str, PathBuf>> {
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    ensure!(found.len() < 2, "there is more than one database: {}; dump one of them", names.join(", "));
    match found.pop() {
        Some((_, files)) => Ok(files),
        None => bail!("{} holds no dump of a Rocket.Chat database", path.display()),
    }
}

//! The file that `mongodump --archive` writes: a magic number, a header, what is in it, then the collections' documents
//! in slices, mixed with each other. Each wanted collection is written to a file of its own, in one pass.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};

use super::docs::{Next, json, read_next};

/// How an archive begins.
pub(crate) const MAGIC: u32 = 0x8199_e26d;
/// Databases of one archive.
const MOST_DATABASES: usize = 100;

/// The files of the wanted collections, by database and name.
pub(crate) type Split = HashMap<String, HashMap<&'static str, PathBuf>>;

/// Reads an archive and writes its wanted collections to files below `into`.
pub(crate) fn split(mut reader: impl Read, wanted: &[&'static str], into: &Path) -> Result<Split> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).context("the archive is empty")?;
    ensure!(u32::from_le_bytes(magic) == MAGIC, "this is no archive of mongodump");
    let mut buffer = Vec::new();
    // What is in it says each slice again.
    loop {
        match read_next(&mut reader, &mut buffer)? {
            Next::Document => {}
            Next::Terminator => break,
            Next::End => bail!("the archive is cut off"),
        }
    }
    let mut out = Out { into, wanted, files: HashMap::new(), paths: Split::new() };
    loop {
        match read_next(&mut reader, &mut buffer)? {
            Next::End => break,
            Next::Terminator => bail!("the archive is damaged: a slice without a name"),
            Next::Document => slice(&mut reader, &mut buffer, &mut out)?,
        }
    }
    for file in out.files.into_values().flatten() {
        file.into_inner().context("the scratch files can't be written")?;
    }
    Ok(out.paths)
}

struct Out<'a> {
    into: &'a Path,
    wanted: &'a [&'static str],
    files: HashMap<(String, String), Option<BufWriter<File>>>,
    paths: Split,
}

/// One slice: its name, then documents up to the terminator.
fn slice(reader: &mut impl Read, buffer: &mut Vec<u8>, out: &mut Out<'_>) -> Result<()> {
    let header = json(buffer)?;
    let text = |key: &str| header.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let (Some(db), Some(collection)) = (text("db"), text("collection")) else {
        bail!("the archive is damaged: a slice without a name");
    };
    let file = out.file(db, collection)?;
    loop {
        match read_next(reader, buffer)? {
            Next::Document => {
                if let Some(file) = file.as_mut() {
                    file.write_all(buffer).context("the scratch files can't be written")?;
                }
            }
            Next::Terminator => return Ok(()),
            Next::End => bail!("the archive is cut off"),
        }
    }
}

impl Out<'_> {
    fn file(&mut self, db: String, collection: String) -> Result<&mut Option<BufWriter<File>>> {
        let name = self.wanted.iter().copied().find(|name| *name == collection);
        // What nobody wants shares one entry.
        let key =
            (if name.is_some() { db.clone() } else { String::new() }, name.unwrap_or_default().to_owned());
        if !self.files.contains_key(&key) {
            let made = match name {
                None => None,
                Some(name) => {
                    let path = self.into.join(format!("{}-{name}.bson", self.files.len()));
                    self.paths.entry(db).or_default().insert(name, path.clone());
                    ensure!(self.paths.len() <= MOST_DATABASES, "the archive holds too many databases");
                    Some(BufWriter::new(File::create(&path).context("the scratch files can't be written")?))
                }
            };
            self.files.insert(key.clone(), made);
        }
        self.files.get_mut(&key).context("a file that was just made")
    }
}

//! The file that `mongodump --archive` writes: a magic number, a header, what is in it, then the collections' documents
//! in slices, mixed with each other. Each wanted collection is written to a file of its own, in one pass.

use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use crc_fast::{CrcAlgorithm, Digest};

use super::docs::{Next, json, read_next};

/// How an archive begins.
pub(crate) const MAGIC: u32 = 0x8199_e26d;
/// Databases of one archive.
const MOST_DATABASES: usize = 100;

/// Collections of one archive that are named when nobody wants them.
const MOST_OTHERS: usize = 1_000;

/// What an archive holds of a database.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The files of the wanted collections.
    pub(crate) files: HashMap<&'static str, PathBuf>,
    /// Collections that nobody wants, with something in them.
    pub(crate) others: BTreeSet<String>,
}

/// What it holds, by database.
pub(crate) type Split = HashMap<String, Found>;

/// Reads an archive and writes its wanted collections to files below `into`.
pub(crate) fn split(mut reader: impl Read, wanted: &[&'static str], into: &Path) -> Result<Split> {
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).context("the archive is empty")?;
    ensure!(u32::from_le_bytes(magic) == MAGIC, "this is no archive of mongodump");
    let mut buffer = Vec::new();
    let mut out = Out {
        into,
        wanted,
        files: HashMap::new(),
        found: Split::new(),
        others: 0,
        unfinished: HashMap::new(),
    };
    // Its header, then what is in it.
    loop {
        match read_next(&mut reader, &mut buffer)? {
            Next::Document => {
                if let Some(name) = named(&buffer)? {
                    out.expect(&name);
                }
            }
            Next::Terminator => break,
            Next::End => bail!("the archive is cut off"),
        }
    }
    loop {
        match read_next(&mut reader, &mut buffer)? {
            Next::End => break,
            Next::Terminator => bail!("the archive is damaged: a slice without a name"),
            Next::Document => slice(&mut reader, &mut buffer, &mut out)?,
        }
    }
    // Cut between two slices it would look whole.
    ensure!(out.unfinished.is_empty(), "the archive is cut off: {}", out.names());
    for file in out.files.into_values() {
        file.into_inner().context("the scratch files can't be written")?;
    }
    Ok(out.found)
}

struct Out<'a> {
    into: &'a Path,
    wanted: &'a [&'static str],
    files: HashMap<(String, String), BufWriter<File>>,
    found: Split,
    others: usize,
    /// Wanted collections whose end has not come, by database and name: the checksums so far.
    unfinished: HashMap<(String, String), Digest>,
}

/// What a slice is of.
struct Name {
    db: String,
    collection: String,
    /// The collection's end, and the checksum of all that was to come.
    over: bool,
    checksum: Option<i64>,
}

impl Name {
    fn key(&self) -> (String, String) {
        (self.db.clone(), self.collection.clone())
    }
}

fn named(document: &[u8]) -> Result<Option<Name>> {
    let header = json(document)?;
    let text = |key: &str| header.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let over = header.get("EOF").and_then(serde_json::Value::as_bool).unwrap_or_default();
    let checksum = header.get("CRC").and_then(serde_json::Value::as_i64);
    Ok(text("db").zip(text("collection")).map(|(db, collection)| Name { db, collection, over, checksum }))
}

/// One slice: its name, then documents up to the terminator.
fn slice(reader: &mut impl Read, buffer: &mut Vec<u8>, out: &mut Out<'_>) -> Result<()> {
    let Some(name) = named(buffer)? else {
        bail!("the archive is damaged: a slice without a name");
    };
    if name.over {
        out.end(&name)?
    } else {
        out.expect(&name)
    }
    let wanted = out.wanted.contains(&name.collection.as_str());
    let mut documents = 0_u64;
    loop {
        match read_next(reader, buffer)? {
            Next::Document => {
                documents += 1;
                if wanted {
                    out.take(&name, buffer)?;
                }
            }
            Next::Terminator => break,
            Next::End => bail!("the archive is cut off"),
        }
    }
    if wanted {
        // An empty collection is there too.
        out.file(&name)?;
    } else if documents > 0 {
        out.name_other(name);
    }
    Ok(())
}

impl Out<'_> {
    /// Notes that a collection is to come to its end.
    fn expect(&mut self, name: &Name) {
        if self.wanted.contains(&name.collection.as_str())
            && self.unfinished.len() < MOST_DATABASES * self.wanted.len()
        {
            self.unfinished.entry(name.key()).or_insert_with(|| Digest::new(CrcAlgorithm::Crc64Xz));
        }
    }

    /// A collection's end: everything came as it was written.
    fn end(&mut self, name: &Name) -> Result<()> {
        let (Some(sum), Some(wanted)) = (self.unfinished.remove(&name.key()), name.checksum) else {
            return Ok(());
        };
        let whole = sum.finalize() == wanted.cast_unsigned();
        ensure!(whole, "the archive is damaged: {}.{} has another checksum", name.db, name.collection);
        Ok(())
    }

    fn names(&self) -> String {
        let mut names: Vec<_> =
            self.unfinished.keys().map(|(db, collection)| format!("{db}.{collection}")).collect();
        names.sort_unstable();
        names.join(", ")
    }

    fn name_other(&mut self, name: Name) {
        if self.others < MOST_OTHERS && self.found.entry(name.db).or_default().others.insert(name.collection)
        {
            self.others += 1;
        }
    }

    fn take(&mut self, name: &Name, document: &[u8]) -> Result<()> {
        if let Some(sum) = self.unfinished.get_mut(&name.key()) {
            sum.update(document);
        }
        self.file(name)?.write_all(document).context("the scratch files can't be written")
    }

    /// The file of a wanted collection.
    fn file(&mut self, name: &Name) -> Result<&mut BufWriter<File>> {
        let key = name.key();
        if !self.files.contains_key(&key) {
            let wanted = self.wanted.iter().copied().find(|wanted| *wanted == name.collection);
            let wanted = wanted.context("a collection that nobody wants")?;
            let path = self.into.join(format!("{}-{wanted}.bson", self.files.len()));
            let file = BufWriter::new(File::create(&path).context("the scratch files can't be written")?);
            self.found.entry(name.db.clone()).or_default().files.insert(wanted, path);
            ensure!(self.found.len() <= MOST_DATABASES, "the archive holds too many databases");
            self.files.insert(key.clone(), file);
        }
        self.files.get_mut(&key).context("a file that was just made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    #[test]
    fn an_archive_that_was_cut_between_two_slices_is_not_taken_for_a_whole_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let end = vec![0xff; 4];
        let document = |document: bson::Document| document.to_vec().expect("a document is written");
        let slice = |name: &str, over: bool| document(doc! {"db": "chat", "collection": name, "EOF": over});
        let pieces = [
            MAGIC.to_le_bytes().to_vec(),
            document(doc! {"version": "0.1"}),
            document(doc! {"db": "chat", "collection": "users", "metadata": "{}"}),
            document(doc! {"db": "chat", "collection": "other", "metadata": "{}"}),
            end.clone(),
            [slice("users", false), document(doc! {"_id": "a"}), end.clone()].concat(),
            [slice("other", false), end.clone()].concat(),
            [slice("users", true), end].concat(),
        ];
        let split = |pieces: &[Vec<u8>]| split(&pieces.concat()[..], &["users"], folder.path());
        let whole = split(&pieces).expect("it is read");
        assert!(whole["chat"].files.contains_key("users"), "what nobody wants need not end: {whole:?}");
        assert!(whole["chat"].others.is_empty(), "there is nothing in it");
        for cut in 1..pieces.len() {
            assert!(split(&pieces[..cut]).is_err(), "cut after {cut} pieces");
        }
    }

    #[test]
    fn a_checksum_that_does_not_fit_is_damage() {
        let folder = tempfile::tempdir().expect("a folder");
        let archive = |name: &str, checksum: i64| {
            let document = |document: bson::Document| document.to_vec().expect("a document is written");
            let slice = |over: bool, checksum: i64| {
                document(doc! {"db": "chat", "collection": "users", "EOF": over, "CRC": checksum})
            };
            let end = vec![0xff; 4];
            let users = document(doc! {"_id": name});
            let head =
                [MAGIC.to_le_bytes().to_vec(), document(doc! {"version": "0.1"}), end.clone()].concat();
            let bytes = [head, slice(false, 0), users, end.clone(), slice(true, checksum), end].concat();
            split(&bytes[..], &["users"], folder.path())
        };
        // What Go's hash/crc64 with its ECMA table makes of that document.
        let good = 0xe3b8_c1ae_4ba0_9357_u64.cast_signed();
        assert!(archive("ann", good).is_ok());
        assert!(archive("bob", good).is_err());
        assert!(archive("ann", good + 1).is_err());
    }
}

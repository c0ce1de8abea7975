//! The file that `mongodump --archive` writes: a magic number, a header, what is in it, then the collections' documents
//! in slices, mixed with each other. Each wanted collection is written to a file of its own, in one pass.

use std::{
    collections::{HashMap, HashSet},
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
    let mut out =
        Out { into, wanted, files: HashMap::new(), paths: Split::new(), unfinished: HashSet::new() };
    // Its header, then what is in it.
    loop {
        match read_next(&mut reader, &mut buffer)? {
            Next::Document => {
                if let Some(name) = named(&buffer)? {
                    out.expect(name);
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
    /// Wanted collections whose end has not come, by database and name.
    unfinished: HashSet<(String, String)>,
}

/// The database and collection that a document names, and whether it is the collection's end.
fn named(document: &[u8]) -> Result<Option<(String, String, bool)>> {
    let header = json(document)?;
    let text = |key: &str| header.get(key).and_then(|v| v.as_str()).map(str::to_owned);
    let over = header.get("EOF").and_then(serde_json::Value::as_bool).unwrap_or_default();
    Ok(text("db").zip(text("collection")).map(|(db, collection)| (db, collection, over)))
}

/// One slice: its name, then documents up to the terminator.
fn slice(reader: &mut impl Read, buffer: &mut Vec<u8>, out: &mut Out<'_>) -> Result<()> {
    let Some((db, collection, over)) = named(buffer)? else {
        bail!("the archive is damaged: a slice without a name");
    };
    if over {
        out.unfinished.remove(&(db.clone(), collection.clone()));
    } else {
        out.expect((db.clone(), collection.clone(), over));
    }
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
    /// Notes that a collection is to come to its end.
    fn expect(&mut self, (db, collection, _): (String, String, bool)) {
        if self.wanted.contains(&collection.as_str())
            && self.unfinished.len() < MOST_DATABASES * self.wanted.len()
        {
            self.unfinished.insert((db, collection));
        }
    }

    fn names(&self) -> String {
        let mut names: Vec<_> =
            self.unfinished.iter().map(|(db, collection)| format!("{db}.{collection}")).collect();
        names.sort_unstable();
        names.join(", ")
    }

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
        assert!(whole["chat"].contains_key("users"), "what nobody wants need not end: {whole:?}");
        for cut in 1..pieces.len() {
            assert!(split(&pieces[..cut]).is_err(), "cut after {cut} pieces");
        }
    }
}

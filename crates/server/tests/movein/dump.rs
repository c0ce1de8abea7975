//! Writes what `mongodump` writes: a folder or an archive, packed or not.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::Path,
};

use bson::{Document, doc};
use flate2::{Compression, write::GzEncoder};

const TERMINATOR: [u8; 4] = [0xff; 4];

/// The collections of a database.
#[derive(Clone, Default)]
pub struct Dump(pub BTreeMap<String, Vec<Document>>);

impl Dump {
    /// Adds documents to a collection.
    pub fn put(&mut self, collection: &str, documents: impl IntoIterator<Item = Document>) {
        self.0.entry(collection.to_owned()).or_default().extend(documents);
    }

    /// As a folder, with one folder for the database in it.
    pub fn folder(&self, path: &Path, packed: bool) {
        let database = path.join("chatdb");
        fs::create_dir_all(&database).expect("a folder");
        for (name, documents) in &self.0 {
            let bytes: Vec<u8> = documents.iter().flat_map(bytes).collect();
            let meta = format!("{{\"indexes\":[],\"collectionName\":\"{name}\"}}");
            let (ending, bytes) = if packed { (".gz", pack(&bytes)) } else { ("", bytes) };
            fs::write(database.join(format!("{name}.bson{ending}")), bytes).expect("written");
            fs::write(database.join(format!("{name}.metadata.json{ending}")), meta).expect("written");
        }
    }

    /// As an archive whose collections are mixed with each other, as several threads of `mongodump` mix them.
    pub fn archive(&self, path: &Path, packed: bool) {
        let mut out = 0x8199_e26d_u32.to_le_bytes().to_vec();
        out.extend(bytes(&doc! {"concurrent_collections": 4, "version": "0.1", "tool_version": "100.9"}));
        for name in self.0.keys() {
            out.extend(bytes(&doc! {"db": "chatdb", "collection": name, "metadata": "{}", "size": 0}));
        }
        out.extend(TERMINATOR);
        let longest = self.0.values().map(Vec::len).max().unwrap_or_default();
        for round in 0..longest.div_ceil(3) {
            for (name, documents) in &self.0 {
                let slice: Vec<&Document> = documents.iter().skip(round * 3).take(3).collect();
                if !slice.is_empty() {
                    out.extend(bytes(&header(name, None)));
                    out.extend(slice.into_iter().flat_map(bytes));
                    out.extend(TERMINATOR);
                }
            }
        }
        for (name, documents) in &self.0 {
            let all: Vec<u8> = documents.iter().flat_map(bytes).collect();
            out.extend(bytes(&header(name, Some(&all))));
            out.extend(TERMINATOR);
        }
        let out = if packed { pack(&out) } else { out };
        File::create(path).and_then(|mut file| file.write_all(&out)).expect("written");
    }
}

/// The head of a slice; of the last one with the checksum of all documents.
fn header(collection: &str, all: Option<&[u8]>) -> Document {
    let checksum = |all| crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Xz, all).cast_signed();
    doc! {"db": "chatdb", "collection": collection, "EOF": all.is_some(), "CRC": all.map_or(0, checksum)}
}

fn bytes(document: &Document) -> Vec<u8> {
    document.to_vec().expect("a document is written")
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

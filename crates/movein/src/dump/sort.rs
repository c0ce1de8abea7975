//! Sorting more documents than memory holds: pieces are sorted in memory, written to files and merged.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::File,
    io::{BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};

/// Bytes that are sorted in memory at once.
const PIECE: usize = 32 * 1024 * 1024;
/// Files that are merged at once.
const WIDTH: usize = 64;
/// Largest document and longest name.
const LARGEST: usize = 17 * 1024 * 1024;

/// Where a document belongs: by group, then by number, then by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) number: i64,
    pub(crate) name: String,
}

type Item = (Key, Vec<u8>);

/// Takes documents in any order.
pub(crate) struct Sorter {
    folder: PathBuf,
    items: Vec<Item>,
    bytes: usize,
    runs: Vec<PathBuf>,
    made: usize,
    piece: usize,
}

impl Sorter {
    /// Works in files below `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.into(), items: Vec::new(), bytes: 0, runs: Vec::new(), made: 0, piece: PIECE }
    }

    pub(crate) fn push(&mut self, key: Key, document: &[u8]) -> Result<()> {
        self.bytes += document.len() + key.group.len() + key.name.len() + 128;
        self.items.push((key, document.to_vec()));
        if self.bytes >= self.piece { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.items.sort_by(|a, b| a.0.cmp(&b.0));
        let mut file = self.run()?;
        for (key, document) in self.items.drain(..) {
            write(&mut file, &key, &document)?;
        }
        file.flush().context("the scratch files can't be written")?;
        self.bytes = 0;
        if self.runs.len() >= WIDTH { self.merge() } else { Ok(()) }
    }

    fn run(&mut self) -> Result<BufWriter<File>> {
        let path = self.folder.join(format!("sorted-{}", self.made));
        self.made += 1;
        let file = File::create(&path).context("the scratch files can't be written")?;
        self.runs.push(path);
        Ok(BufWriter::new(file))
    }

    /// Makes one file of all there are.
    fn merge(&mut self) -> Result<()> {
        let mut all = Sorted::of(std::mem::take(&mut self.runs))?;
        let mut file = self.run()?;
        while let Some((key, document)) = all.next()? {
            write(&mut file, &key, &document)?;
        }
        file.flush().context("the scratch files can't be written")
    }

    /// Gives everything back in order.
    pub(crate) fn finish(mut self) -> Result<Sorted> {
        self.flush()?;
        Sorted::of(std::mem::take(&mut self.runs))
    }
}

/// Documents in order.
pub(crate) struct Sorted {
    readers: Vec<BufReader<File>>,
    heads: BinaryHeap<Reverse<(Key, usize, Vec<u8>)>>,
    paths: Vec<PathBuf>,
}

impl Sorted {
    fn of(paths: Vec<PathBuf>) -> Result<Self> {
        let open = |path: &PathBuf| File::open(path).map(BufReader::new).context("a scratch file is gone");
        let readers = paths.iter().map(open).collect::<Result<Vec<_>>>()?;
        let mut all = Self { readers, heads: BinaryHeap::new(), paths };
        for index in 0..all.readers.len() {
            all.pull(index)?;
        }
        Ok(all)
    }

    fn pull(&mut self, index: usize) -> Result<()> {
        if let Some((key, document)) = read(&mut self.readers[index])? {
            self.heads.push(Reverse((key, index, document)));
        }
        Ok(())
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Result<Option<Item>> {
        let Some(Reverse((key, index, document))) = self.heads.pop() else { return Ok(None) };
        self.pull(index)?;
        Ok(Some((key, document)))
    }
}

impl Drop for Sorted {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn write(file: &mut impl Write, key: &Key, document: &[u8]) -> Result<()> {
    let mut put = |bytes: &[u8]| file.write_all(bytes).context("the scratch files can't be written");
    for part in [key.group.as_bytes(), key.name.as_bytes(), document] {
        put(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes())?;
        put(part)?;
    }
    put(&key.number.to_le_bytes())
}

fn read(file: &mut impl Read) -> Result<Option<Item>> {
    let Some(group) = part(file)? else { return Ok(None) };
    let (name, document) = (part(file)?.unwrap_or_default(), part(file)?.unwrap_or_default());
    let mut number = [0; 8];
    file.read_exact(&mut number).context("a scratch file is damaged")?;
    let text = |bytes| String::from_utf8(bytes).context("a scratch file is damaged");
    let key = Key { group: text(group)?, number: i64::from_le_bytes(number), name: text(name)? };
    Ok(Some((key, document)))
}

fn part(file: &mut impl Read) -> Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match file.read(&mut length[..1]).context("a scratch file can't be read")? {
        0 => return Ok(None),
        _ => file.read_exact(&mut length[1..]).context("a scratch file is damaged")?,
    }
    let size = u32::from_le_bytes(length) as usize;
    ensure!(size <= LARGEST, "a scratch file is damaged");
    let mut bytes = vec![0; size];
    file.read_exact(&mut bytes).context("a scratch file is damaged")?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_comes_back_once_and_in_order_whatever_the_number_of_pieces() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut sorter = Sorter::new(folder.path());
        sorter.piece = 1_000;
        let mut wanted = Vec::new();
        for n in 0..2_000_i64 {
            let number = (n * 7_919) % 2_000;
            let key = Key { group: format!("room{}", number % 3), number, name: format!("m{n}") };
            sorter.push(key.clone(), &number.to_le_bytes()).expect("taken");
            wanted.push((key, number.to_le_bytes().to_vec()));
        }
        wanted.sort();
        let mut sorted = sorter.finish().expect("sorted");
        let mut found = Vec::new();
        while let Some(item) = sorted.next().expect("read") {
            found.push(item);
        }
        assert_eq!(found, wanted);
        drop(sorted);
        let left = std::fs::read_dir(folder.path()).expect("listed").count();
        assert_eq!(left, 0, "no scratch file stays");
    }
}

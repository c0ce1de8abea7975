//! Slack's export: a zip of JSON files. Nothing of it is written to disk, names in it are never used as paths, and what
//! unpacks to far more than any text would is refused.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs::File,
    io::Read,
    path::Path,
};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use zip::ZipArchive;

use crate::doc::Doc;

/// Files in the archive.
const MOST_FILES: usize = 2_000_000;
/// Largest single file, unpacked.
const LARGEST: u64 = 256 * 1024 * 1024;
/// How much more than the archive's own size may come out of it; text is packed to a tenth or so.
const RATIO: u64 = 200;
/// What any archive may unpack to.
const ALWAYS: u64 = 64 * 1024 * 1024;

/// Files at the top that are read.
const LISTS: [&str; 5] = ["users.json", "channels.json", "groups.json", "mpims.json", "dms.json"];
/// Other files and folders that are named.
const MOST_NAMED: usize = 50;

/// An opened export.
pub(super) struct Export {
    zip: ZipArchive<File>,
    /// The days of each folder in their order: their places in the archive.
    folders: BTreeMap<String, BTreeMap<String, usize>>,
    /// Other files, as far as they are named.
    others: BTreeSet<String>,
    left: u64,
}

impl Export {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let file = File::open(path).with_context(|| format!("can't read {}", path.display()))?;
        let size = file.metadata().with_context(|| format!("can't read {}", path.display()))?.len();
        let zip = ZipArchive::new(file).with_context(|| format!("{} is no zip file", path.display()))?;
        ensure!(zip.len() <= MOST_FILES, "{} holds too many files", path.display());
        let mut folders: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let mut others = BTreeSet::new();
        for index in 0..zip.len() {
            let name = zip.name_for_index(index).unwrap_or_default();
            if let Some((folder, day)) = name.split_once('/')
                && is_day(day)
            {
                folders.entry(folder.to_owned()).or_default().insert(day.to_owned(), index);
            } else if !name.ends_with('/') && !LISTS.contains(&name) && others.len() < MOST_NAMED {
                others.insert(name.chars().take(100).collect());
            }
        }
        Ok(Self { zip, folders, others, left: size.saturating_mul(RATIO) + ALWAYS })
    }

    /// The objects of a list at the top, such as `users.json`; none when it is not there.
    pub(super) fn list(&mut self, name: &str) -> Result<Vec<Doc>> {
        match self.zip.index_for_name(name) {
            Some(index) => self.read(index),
            None => Ok(Vec::new()),
        }
    }

    /// What nobody reads: files that are neither lists nor days, and folders that are no room's.
    pub(super) fn unread(&self, rooms: &HashSet<&str>) -> Vec<String> {
        let folders = self.folders.keys().filter(|folder| !rooms.contains(folder.as_str()));
        let folders = folders.map(|folder| format!("{}/", folder.chars().take(100).collect::<String>()));
        self.others.iter().cloned().chain(folders).take(MOST_NAMED).collect()
    }

    /// How many days a folder has.
    pub(super) fn days(&self, folder: &str) -> usize {
        self.folders.get(folder).map_or(0, BTreeMap::len)
    }

    /// The messages of a folder's day, by its place in order.
    pub(super) fn day(&mut self, folder: &str, day: usize) -> Result<Vec<Doc>> {
        let found = self.folders.get(folder).and_then(|days| days.values().nth(day));
        match found {
            Some(index) => self.read(*index),
            None => Ok(Vec::new()),
        }
    }

    fn read(&mut self, index: usize) -> Result<Vec<Doc>> {
        let file = self.zip.by_index(index).context("the archive is damaged")?;
        let name = file.name().to_owned();
        let most = LARGEST.min(self.left);
        let mut bytes = Vec::new();
        let read = file.take(most + 1).read_to_end(&mut bytes);
        let read = read.with_context(|| format!("{name} in the archive is damaged"))? as u64;
        ensure!(read <= most, "{name} in the archive unpacks to more than any export would");
        self.left -= read;
        match serde_json::from_slice(&bytes) {
            Ok(Value::Array(items)) => Ok(items.into_iter().map(Doc::of).collect()),
            Ok(_) => bail!("{name} in the archive is no list"),
            Err(error) => Err(error).with_context(|| format!("{name} in the archive is no JSON")),
        }
    }
}

/// `2021-03-01.json`
fn is_day(name: &str) -> bool {
    let Some(day) = name.strip_suffix(".json") else { return false };
    day.len() == 10
        && day
            .bytes()
            .enumerate()
            .all(|(at, b)| if at == 4 || at == 7 { b == b'-' } else { b.is_ascii_digit() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_are_messages() {
        assert!(is_day("2021-03-01.json"));
        for other in ["canvas_in_the_conversation.json", "2021-03-1.json", "../2021-03-01.json", "2021-03-01"]
        {
            assert!(!is_day(other), "{other}");
        }
    }
}

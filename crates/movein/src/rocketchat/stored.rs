//! Where a Rocket.Chat keeps the bytes of files: in the database (GridFS), in a folder, or in a store of objects, a copy
//! of which can be given as a folder too.

use std::{
    fs::File,
    io::{Write, copy},
    path::{Component, Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::{doc::Doc, dump::Chunks, workspace::Bytes};

pub(super) struct Stored<F> {
    chunks: Chunks,
    folder: Option<PathBuf>,
    /// The name under which the bytes of a document's file lie.
    name: F,
}

impl<F: Fn(&Doc) -> String + Send> Stored<F> {
    pub(super) fn new(chunks: Chunks, folder: Option<&Path>, name: F) -> Self {
        Self { chunks, folder: folder.map(Path::to_owned), name }
    }

    fn path(&self, doc: &Doc) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let name = (self.name)(doc);
        let mut names = vec![name.clone(), format!("{name}.{}", doc.words("extension"))];
        names.extend(["AmazonS3.path", "GoogleStorage.path"].iter().filter_map(|path| doc.text(path)));
        names.iter().filter_map(|name| below(folder, name)).find(|path| path.is_file())
    }
}

/// A path below the folder; none that leads out of it.
fn below(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let inside = !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(path))
}

impl<F: Fn(&Doc) -> String + Send> Bytes for Stored<F> {
    async fn copy(&mut self, doc: &Doc, mut to: &mut (dyn Write + Send)) -> Result<Result<(), String>> {
        let name = (self.name)(doc);
        if self.chunks.has(&name) {
            return Ok(self.chunks.copy(&name, &mut to).map(drop).map_err(|why| why.to_string()));
        }
        match self.path(doc) {
            Some(path) => {
                let mut file = File::open(&path).with_context(|| format!("can't read {}", path.display()))?;
                Ok(copy(&mut file, &mut to).map(drop).map_err(|why| why.to_string()))
            }
            None => Ok(Err(nowhere(doc))),
        }
    }

    async fn missing(&mut self, doc: &Doc) -> Option<String> {
        let there = self.chunks.has(&(self.name)(doc)) || self.path(doc).is_some();
        (!there).then(|| nowhere(doc))
    }
}

fn nowhere(doc: &Doc) -> String {
    match doc.words("store").split(':').next() {
        None | Some("" | "GridFS") => "its bytes are not in the dump".to_owned(),
        Some(store) => {
            format!("its bytes are not in the dump but in {store}: --files names a folder with them")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_leads_out_of_the_folder() {
        let folder = Path::new("/files");
        assert_eq!(below(folder, "a/b"), Some(PathBuf::from("/files/a/b")));
        for bad in ["", "../x", "a/../../x", "/etc/passwd", "."] {
            assert_eq!(below(folder, bad), None, "{bad}");
        }
    }
}

//! Where the app's files come from.

use std::{
    borrow::Cow,
    path::{Component, Path, PathBuf},
};

use sha2::{Digest, Sha256};

#[derive(rust_embed::RustEmbed)]
#[folder = "$PARLOR_WEB_FOLDER"]
struct Embedded;

/// One file.
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    /// Changes with the bytes.
    pub(crate) tag: String,
}

/// The program itself, or a folder.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Embedded,
    Folder(PathBuf),
}

impl Source {
    /// A file by its path within the app.
    pub(crate) async fn read(&self, name: &str) -> Option<File> {
        match self {
            Self::Embedded => embedded(name),
            Self::Folder(folder) => from_folder(folder, name).await,
        }
    }
}

/// An embedded file. Only plain names are looked up, as debug builds read them from a folder.
pub(crate) fn embedded(name: &str) -> Option<File> {
    if !is_plain(name) {
        return None;
    }
    let file = Embedded::get(name)?;
    let tag = tag(&file.metadata.sha256_hash());
    let bytes = match file.data {
        Cow::Borrowed(bytes) => bytes.to_vec(),
        Cow::Owned(bytes) => bytes,
    };
    Some(File { bytes, tag })
}

async fn from_folder(folder: &Path, name: &str) -> Option<File> {
    if !is_plain(name) {
        return None;
    }
    let bytes = tokio::fs::read(folder.join(name)).await.ok()?;
    let tag = tag(&Sha256::digest(&bytes));
    Some(File { bytes, tag })
}

/// Names that stay within the folder: no `..`, no root, nothing hidden.
fn is_plain(name: &str) -> bool {
    let ordinary = |part| matches!(part, Component::Normal(text) if !text.to_string_lossy().starts_with('.'));
    !name.contains(['\\', '\0']) && Path::new(name).components().all(ordinary)
}

fn tag(hash: &[u8]) -> String {
    hex::encode(&hash[..12])
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn a_name_that_leaves_the_folder_is_no_name() {
        assert!(is_plain("index.html") && is_plain("web/app-1.js"));
        for bad in ["../key", "/etc/passwd", "a/../../b", ".secret", "a/.b", "a\\b", "a\0"] {
            assert!(!is_plain(bad), "{bad:?}");
        }
    }
}

//! Servers whose clocks go wrong: a library between a server and the system's clock moves what it reads.

use std::path::PathBuf;

use crate::{needs, server::Setup};

/// The library of the package `faketime`, for programs with threads.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";

/// Where libraries are, with Debian's folders for each architecture.
fn library() -> Result<PathBuf, String> {
    let folders = ["/usr/lib", "/usr/local/lib"].into_iter().flat_map(|lib| {
        let inner = std::fs::read_dir(lib).into_iter().flatten().flatten().map(|entry| entry.path());
        inner.chain([PathBuf::from(lib)])
    });
    let found = folders.map(|folder| folder.join(LIBRARY)).find(|path| path.exists());
    found.ok_or_else(|| "faketime is not installed".to_owned())
}

/// Whether clocks can be moved here; where it is required, that they can't is a failure.
#[must_use]
pub fn there() -> bool {
    needs::met("faketime", library().map(drop))
}

/// Has the server's clock go so many seconds before or behind the machine's. What measures spans stays as it is.
///
/// # Panics
/// Where [`there`] said no.
#[must_use]
pub fn moved(setup: Setup, seconds: i64) -> Setup {
    let library = library().expect("faketime is there");
    setup
        .env("LD_PRELOAD", &library.display().to_string())
        .env("FAKETIME", &format!("{seconds:+}s"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
}

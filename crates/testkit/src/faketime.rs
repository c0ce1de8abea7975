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

fn with(setup: Setup) -> Setup {
    let library = library().expect("faketime is there");
    setup
        .env("LD_PRELOAD", &library.display().to_string())
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1")
}

/// Has the server's clock go so many seconds before or behind the machine's. What measures spans stays as it is.
///
/// # Panics
/// Where [`there`] said no.
#[must_use]
pub fn moved(setup: Setup, seconds: i64) -> Setup {
    with(setup).env("FAKETIME", &format!("{seconds:+}s"))
}

/// A clock that is moved while servers run.
pub struct Clock {
    folder: tempfile::TempDir,
}

impl Clock {
    /// One that agrees with the machine's; `None` where clocks can't be moved.
    ///
    /// # Panics
    /// When there is no temporary folder.
    #[must_use]
    pub fn start() -> Option<Self> {
        let clock = there().then(|| Self { folder: tempfile::tempdir().expect("a temporary folder") })?;
        clock.set(0);
        Some(clock)
    }

    /// The server goes by this clock. What measures spans stays as it is.
    ///
    /// # Panics
    /// Never, since [`Clock::start`] found what it needs.
    #[must_use]
    pub fn given_to(&self, setup: Setup) -> Setup {
        let file = self.file().display().to_string();
        with(setup).env("FAKETIME_TIMESTAMP_FILE", &file).env("FAKETIME_NO_CACHE", "1")
    }

    /// From now on it goes so many seconds before or behind the machine's.
    ///
    /// # Panics
    /// When the temporary folder is full.
    pub fn set(&self, seconds: i64) {
        // In one step: whoever looks meanwhile sees the old time or the new one.
        let new = self.folder.path().join("new");
        std::fs::write(&new, format!("{seconds:+}s\n")).expect("the temporary folder is writable");
        std::fs::rename(new, self.file()).expect("the temporary folder is writable");
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("clock")
    }
}

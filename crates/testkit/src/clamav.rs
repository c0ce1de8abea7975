//! A real virus scanner: ClamAV's daemon, with a database of one signature, that of the test file which all scanners
//! know and which harms nobody.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{needs, wait};

/// The name that it finds, with the mark of databases that are not ClamAV's own.
pub const FOUND: &str = "Parlor-Test.UNOFFICIAL";
/// The signature: a name, for any kind of file, anywhere in it, these bytes.
const SIGNATURE: &str = "Parlor-Test:0:*:58354f2150254041505b345c505a58353428505e2937434329377d2445494341522d\
                         5354414e444152442d414e544956495255532d544553542d46494c452124482b482a\n";

/// The test file, put together here so that no scanner takes the program for it.
#[must_use]
pub fn infected() -> Vec<u8> {
    let parts = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTI", "VIRUS-TEST-FILE!$H+H*"];
    parts.concat().into_bytes()
}

/// A running scanner on a socket of its own.
pub struct Scanner {
    folder: TempDir,
    child: Option<Child>,
}

impl Scanner {
    /// Starts it; `None` where it is not installed, which is a failure where it is required.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let there =
            Command::new("clamd").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        let found = there.map(drop).map_err(|_| "clamd is not installed".to_owned());
        if !needs::met("clamav", found) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let data = folder.path().join("data");
        fs::create_dir(&data).expect("a folder in it too");
        fs::write(data.join("own.ndb"), SIGNATURE).expect("it can be written");
        let mut scanner = Self { folder, child: None };
        scanner.bring_back().await;
        Some(scanner)
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    /// Ends it.
    pub fn take_away(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            let _ = fs::remove_file(self.socket());
        }
    }

    /// Starts it again.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn bring_back(&mut self) {
        let settings = self.folder.path().join("clamd.conf");
        let text = format!(
            "Foreground yes\nDatabaseDirectory {}\nLocalSocket {}\nStreamMaxLength 1M\nSelfCheck 0\nMaxThreads 2\n",
            self.folder.path().join("data").display(),
            self.socket().display()
        );
        fs::write(&settings, text).expect("it can be written");
        let mut command = Command::new("clamd");
        command.arg("--config-file").arg(&settings);
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(quiet.spawn().expect("the scanner starts"));
        let socket = self.socket();
        wait::until("the scanner listens", || {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).ok() }
        })
        .await;
    }
}

impl Drop for Scanner {
    fn drop(&mut self) {
        self.take_away();
    }
}

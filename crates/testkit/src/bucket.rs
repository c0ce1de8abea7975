//! A real S3-compatible store: `s3rver`, on local files, which knows its callers. It can be taken away and brought back.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

use crate::server::{Setup, free_port};
use crate::{needs, wait};

/// The bucket's name.
pub const BUCKET: &str = "parlor-files";
/// The key and its secret, which the store has by itself.
pub const KEY: &str = "S3RVER";
/// How the store names an object's bytes.
const OBJECT: &str = "._S3rver_object";

/// A running store with one bucket.
pub struct Bucket {
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Bucket {
    /// Starts a store; `None` where it is not installed, which is a failure where it is required.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let found = if program().exists() { Ok(()) } else { Err("s3rver is not installed".to_owned()) };
        if !needs::met("s3", found) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut bucket = Self { folder, port: free_port(), child: None };
        bucket.bring_back().await;
        Some(bucket)
    }

    /// A server that keeps its files here.
    #[must_use]
    pub fn used_by(&self, setup: Setup) -> Setup {
        self.variables().into_iter().fold(setup, |setup, (name, value)| setup.env(name, &value))
    }

    /// What a server has to be told.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("PARLOR_S3_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("PARLOR_S3_BUCKET", BUCKET.to_owned()),
            ("PARLOR_S3_ACCESS_KEY_ID", KEY.to_owned()),
            ("PARLOR_S3_SECRET_ACCESS_KEY", KEY.to_owned()),
        ]
    }

    /// Ends the store; its objects stay.
    pub fn take_away(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Starts it again, where it was.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn bring_back(&mut self) {
        let mut command = Command::new("node");
        command.arg(program()).arg("--directory").arg(self.folder.path());
        command.args(["--address", "127.0.0.1", "--port", &self.port.to_string(), "--silent"]);
        command.args(["--no-vhost-buckets", "--configure-bucket", BUCKET]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the store starts");
        let output = child.stdout.take().expect("its output is piped");
        // Read to its end, so that the store never waits for a reader.
        std::thread::spawn(move || BufReader::new(output).lines().for_each(drop));
        self.child = Some(child);
        let address = ("127.0.0.1", self.port);
        wait::until("the store listens", || async move { TcpStream::connect(address).ok() }).await;
    }

    /// The keys of all objects, in order.
    ///
    /// # Panics
    /// When they can't be listed.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let dir = self.dir();
        let mut keys = Vec::new();
        gather(&dir, &dir, &mut keys);
        keys.sort_unstable();
        keys
    }

    /// Makes an object look as if it had been stored at this time.
    ///
    /// # Panics
    /// When there is no such object.
    pub fn date(&self, key: &str, at: SystemTime) {
        let path = self.dir().join(format!("{key}{OBJECT}"));
        let file = fs::File::options().write(true).open(path).expect("the object is there");
        file.set_modified(at).expect("its time can be set");
    }

    fn dir(&self) -> PathBuf {
        self.folder.path().join(BUCKET)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        self.take_away();
    }
}

fn gather(root: &Path, dir: &Path, keys: &mut Vec<String>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            gather(root, &path, keys);
            continue;
        }
        let name = path.strip_prefix(root).expect("it lies below").to_string_lossy();
        keys.extend(name.strip_suffix(OBJECT).map(str::to_owned));
    }
}

fn program() -> PathBuf {
    let services = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/services/node");
    services.join("node_modules/s3rver/bin/s3rver.js")
}

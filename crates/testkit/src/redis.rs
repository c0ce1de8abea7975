//! A real Redis on a socket of its own, that keeps nothing.

use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::{needs, wait};

/// A running Redis.
pub struct Redis {
    folder: TempDir,
    child: Option<Child>,
}

impl Redis {
    /// Starts it; `None` where it is not installed, which is a failure where it is required.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start() -> Option<Self> {
        let there = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
        let found = there.map(drop).map_err(|_| "redis-server is not installed".to_owned());
        if !needs::met("redis", found) {
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut redis = Self { folder, child: None };
        redis.bring_back().await;
        Some(redis)
    }

    /// What a server is told of it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }

    /// Kills it on the spot.
    pub fn take_away(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
            let _ = std::fs::remove_file(self.folder.path().join("socket"));
        }
    }

    /// Starts it again, empty.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn bring_back(&mut self) {
        let socket = self.folder.path().join("socket");
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket);
        command.current_dir(self.folder.path());
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(quiet.spawn().expect("Redis starts"));
        wait::until("Redis listens", || {
            let socket = socket.clone();
            async move { UnixStream::connect(socket).ok() }
        })
        .await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.take_away();
    }
}

//! A real Redis on a socket of its own, that keeps nothing; servers come to it by a way on which hints can be lost.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::{needs, wait};

/// A running Redis.
pub struct Redis {
    folder: TempDir,
    child: Option<Child>,
    way: Arc<Way>,
}

/// The way of the servers to it.
struct Way {
    socket: PathBuf,
    /// Hints are lost on it.
    lossy: AtomicBool,
    lost: AtomicUsize,
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
        let socket = folder.path().join("socket");
        let way = Arc::new(Way { socket, lossy: AtomicBool::new(false), lost: AtomicUsize::new(0) });
        let door = UnixListener::bind(folder.path().join("way")).expect("a socket can be made");
        tokio::spawn(way.clone().open(door));
        let mut redis = Self { folder, child: None, way };
        redis.bring_back().await;
        Some(redis)
    }

    /// What a server is told of it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("way").display())
    }

    /// Stops it in mid-air, with its connections open, or lets it go on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn freeze(&self, on: bool) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let done = Command::new("kill").args([if on { "-STOP" } else { "-CONT" }, &id]).status();
        assert!(done.is_ok_and(|done| done.success()), "it hears signals");
    }

    /// From now on what servers say of new commits is lost on the way, and nothing else; or nothing is lost any more.
    pub fn lose_hints(&self, on: bool) {
        self.way.lossy.store(on, SeqCst);
    }

    /// How many were lost.
    #[must_use]
    pub fn lost_hints(&self) -> usize {
        self.way.lost.load(SeqCst)
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
            async move { UnixStream::connect(socket).await.ok() }
        })
        .await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.take_away();
    }
}

impl Way {
    async fn open(self: Arc<Self>, door: UnixListener) {
        while let Ok((near, _)) = door.accept().await {
            tokio::spawn(self.clone().walk(near));
        }
    }

    /// One connection, until either side ends it.
    async fn walk(self: Arc<Self>, near: UnixStream) {
        let Ok(far) = UnixStream::connect(&self.socket).await else { return };
        let (near_in, mut near_out) = near.into_split();
        let (mut far_in, mut far_out) = far.into_split();
        let there = async {
            let (mut said, mut line) = (BufReader::new(near_in), Vec::new());
            while said.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
                self.lose(&mut line);
                if far_out.write_all(&line).await.is_err() {
                    return;
                }
                line.clear();
            }
        };
        tokio::select! {
            () = there => {}
            _ = tokio::io::copy(&mut far_in, &mut near_out) => {}
        }
    }

    /// Makes a letter with a hint one that nobody understands, of the same length.
    fn lose(&self, line: &mut [u8]) {
        let hint = b"\"News\"";
        while self.lossy.load(SeqCst)
            && let Some(at) = line.windows(hint.len()).position(|part| part == hint)
        {
            line[at..at + hint.len()].copy_from_slice(b"\"Lost\"");
            self.lost.fetch_add(1, SeqCst);
        }
    }
}

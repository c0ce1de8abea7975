//! A real Redis on a socket of its own, that keeps nothing; servers come to it by two ways, on which hints can be lost and
//! of which one can be cut.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;

use crate::{needs, wait};

/// The sockets of the two ways.
const NAMES: [&str; 2] = ["way", "other-way"];

/// A running Redis.
pub struct Redis {
    folder: TempDir,
    child: Option<Child>,
    ways: [Arc<Way>; 2],
}

/// A way of servers to it.
struct Way {
    socket: PathBuf,
    /// Nothing gets through, in either direction; nobody is told.
    cut: watch::Sender<bool>,
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
        let ways = NAMES.map(|name| {
            let door = UnixListener::bind(folder.path().join(name)).expect("a socket can be made");
            let way = Arc::new(Way::to(socket.clone()));
            tokio::spawn(way.clone().open(door));
            way
        });
        let mut redis = Self { folder, child: None, ways };
        redis.bring_back().await;
        Some(redis)
    }

    /// What a server is told of it.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(NAMES[0])
    }

    /// What a server is told of it that comes by the way that can be cut.
    #[must_use]
    pub fn other_url(&self) -> String {
        self.url_of(NAMES[1])
    }

    fn url_of(&self, way: &str) -> String {
        format!("redis+unix://{}", self.folder.path().join(way).display())
    }

    /// Cuts the other way: what is said on it stays where it is until it is mended.
    pub fn cut(&self, on: bool) {
        self.ways[1].cut.send_replace(on);
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
        self.ways.iter().for_each(|way| way.lossy.store(on, SeqCst));
    }

    /// How many were lost.
    #[must_use]
    pub fn lost_hints(&self) -> usize {
        self.ways.iter().map(|way| way.lost.load(SeqCst)).sum()
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
    fn to(socket: PathBuf) -> Self {
        let (cut, lossy, lost) = (watch::Sender::new(false), AtomicBool::new(false), AtomicUsize::new(0));
        Self { socket, cut, lossy, lost }
    }

    /// Waits as long as it is cut.
    async fn whole(&self) {
        let _ = self.cut.subscribe().wait_for(|cut| !cut).await;
    }

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
                self.whole().await;
                if far_out.write_all(&line).await.is_err() {
                    return;
                }
                line.clear();
            }
        };
        tokio::select! {
            () = there => {}
            () = self.answer(&mut far_in, &mut near_out) => {}
        }
    }

    async fn answer(&self, from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin)) {
        let mut bytes = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut bytes).await {
            self.whole().await;
            if to.write_all(&bytes[..read]).await.is_err() {
                return;
            }
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

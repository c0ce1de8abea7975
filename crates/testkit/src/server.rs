//! A real server: the `parlor` program, with a data folder of its own, on a free port of the loopback.

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

use crate::rest::Rest;
use crate::{binary, wait};

/// The administrator every test server starts with.
pub const ADMINISTRATOR: (&str, &str) = ("administrator", "administrator's secret");

/// Lines of the server's log that a failed test prints.
const LOG_TAIL: usize = 200;

/// How a server is to be started.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    database: Option<String>,
    data: Option<PathBuf>,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    open_files: Option<u32>,
}

impl Setup {
    /// Keeps its data in this PostgreSQL database instead of SQLite.
    #[must_use]
    pub fn database(mut self, url: &str) -> Self {
        self.database = Some(url.to_owned());
        self
    }

    /// Uses a folder that outlives the server.
    #[must_use]
    pub fn data(mut self, folder: &Path) -> Self {
        self.data = Some(folder.to_path_buf());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets one of the server's settings, by the id that Rocket.Chat gives it.
    #[must_use]
    pub fn setting(self, id: &str, value: &str) -> Self {
        self.env(&format!("OVERWRITE_SETTING_{id}"), value)
    }

    /// Bounds the files and sockets that it may have open at once.
    #[must_use]
    pub fn open_files(mut self, most: u32) -> Self {
        self.open_files = Some(most);
        self
    }

    /// Adds a command line argument to `parlor serve`.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the server and waits until it is ready. With `PARLOR_TEST_STORE=postgres` in the environment it gets a
    /// database of its own there, where the test names none and brings no folder that holds one.
    ///
    /// # Panics
    /// When it does not get ready; its log is printed.
    pub async fn start(self) -> Server {
        // A port that was free a moment ago may be taken by another test's server: try the next.
        for _ in 0..5 {
            let mut server = self.clone().begin().await;
            if server.ready().await {
                return server;
            }
            assert!(server.logs().contains("in use"), "the server does not start:\n{}", server.logs());
        }
        panic!("no free port for a server");
    }

    /// As [`Setup::start`], but does not wait: [`Server::ready`] does.
    ///
    /// # Panics
    /// When the program can't be started.
    pub async fn begin(mut self) -> Server {
        let brought = self.database.is_some() || self.data.is_some();
        if !brought && std::env::var("PARLOR_TEST_STORE").as_deref() == Ok("postgres") {
            // Its client waits for a thread of its own.
            let made = tokio::task::spawn_blocking(|| {
                crate::postgres::shared().expect("PostgreSQL is installed").database()
            });
            self.database = Some(made.await.expect("a database can be made"));
        }
        let folder = match &self.data {
            Some(_) => None,
            None => Some(tempfile::tempdir().expect("a temporary folder can be made")),
        };
        let mut server = Server::new(self, folder.as_ref().map(TempDir::path), free_port());
        server.folder = folder;
        server.launch();
        server
    }
}

/// A running server. Dropping it kills it and removes its data folder.
pub struct Server {
    setup: Setup,
    data: PathBuf,
    address: SocketAddr,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
    folder: Option<TempDir>,
}

impl Server {
    /// Starts a server on SQLite with nothing special.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// A server to be set up before it is started.
    #[must_use]
    pub fn setup() -> Setup {
        Setup::default()
    }

    fn new(setup: Setup, folder: Option<&Path>, port: u16) -> Self {
        let data = setup.data.clone().or_else(|| folder.map(Path::to_path_buf)).unwrap_or_default();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self { setup, data, address, child: None, log: Arc::default(), folder: None }
    }

    /// Starts the program and does not wait: [`Server::restart`] waits. For tests that kill it while it starts.
    ///
    /// # Panics
    /// When the program can't be started.
    pub fn launch(&mut self) {
        let mut command = match self.setup.open_files {
            // The shell sets its own bound, then becomes the server.
            Some(most) => {
                let mut shell = Command::new("sh");
                shell.args(["-c", &format!("ulimit -n {most} && exec \"$0\" \"$@\"")]).arg(binary::parlor());
                shell
            }
            None => Command::new(binary::parlor()),
        };
        command.arg("serve").arg("--listen").arg(self.address.to_string()).arg("--data").arg(&self.data);
        if let Some(url) = &self.setup.database {
            command.arg("--database").arg(url);
        }
        let (username, password) = ADMINISTRATOR;
        command.args(&self.setup.arguments).env("TEST_MODE", "bare").env("ADMIN_USERNAME", username);
        command.env("ADMIN_PASS", password).env("ADMIN_EMAIL", "administrator@example.org");
        command.envs(self.setup.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the server program starts");
        collect(child.stdout.take(), &self.log);
        collect(child.stderr.take(), &self.log);
        self.child = Some(child);
    }

    /// Waits until the server says that it is healthy; false when it ended instead.
    ///
    /// # Panics
    /// When it was not launched, or neither happens.
    pub async fn ready(&mut self) -> bool {
        let rest = self.rest();
        let child = self.child.as_mut().expect("it was launched");
        let log = Arc::clone(&self.log);
        wait::until("the server gets ready", || {
            let ended = child.try_wait().expect("a child can be asked").is_some();
            let health = rest.health();
            let log = Arc::clone(&log);
            async move {
                match (ended, health.await) {
                    (_, Some(200)) => Some(true),
                    (true, _) => Some(false),
                    (false, other) => {
                        // Kept in the log, so that a server that never gets ready shows what it answered.
                        other.inspect(|status| append(&log, &format!("health: {status}\n")));
                        None
                    }
                }
            }
        })
        .await
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address as a URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where its DDP socket is.
    #[must_use]
    pub fn socket_url(&self) -> String {
        format!("ws://{}/websocket", self.address)
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// A REST client that is not signed in.
    #[must_use]
    pub fn rest(&self) -> Rest {
        Rest::new(&self.url())
    }

    /// Everything the server has written so far, over all its runs.
    #[must_use]
    pub fn logs(&self) -> String {
        locked(&self.log).clone()
    }

    /// Kills it on the spot, as a power cut would, and waits until it is gone.
    pub fn kill9(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Asks it to stop and waits for its orderly end.
    ///
    /// # Panics
    /// When it was not running, or does not end.
    pub async fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server runs");
        signal(child.id(), "TERM");
        wait::until("the server stops", || {
            let ended = child.try_wait().expect("a child can be asked");
            async move { ended }
        })
        .await
    }

    /// Starts it again at the same address on the same data, after [`Server::kill9`] or [`Server::stop`].
    ///
    /// # Panics
    /// When it does not get ready.
    pub async fn restart(&mut self) {
        self.kill9();
        self.launch();
        assert!(self.ready().await, "the server does not start again:\n{}", self.logs());
    }

    /// Sends it a signal by name, such as `STOP` or `CONT`.
    ///
    /// # Panics
    /// When it is not running.
    pub fn signal(&self, name: &str) {
        signal(self.pid().expect("the server runs"), name);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill9();
        if std::thread::panicking() {
            let log = self.logs();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("--- the server's log");
            lines[lines.len().saturating_sub(LOG_TAIL)..].iter().for_each(|line| eprintln!("{line}"));
        }
    }
}

/// The shell's own kill: calling the system directly would be unsafe code, and the program is not everywhere.
fn signal(pid: u32, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status();
    assert!(status.is_ok_and(|status| status.success()), "can't send {name} to {pid}");
}

/// Reads one of the server's outputs to its end, on a thread of its own, so that the server never waits for it.
fn collect(output: Option<impl Read + Send + 'static>, log: &Arc<Mutex<String>>) {
    let Some(output) = output else { return };
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(output);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            append(&log, &String::from_utf8_lossy(&line));
            line.clear();
        }
    });
}

fn append(log: &Mutex<String>, line: &str) {
    locked(log).push_str(line);
}

fn locked(log: &Mutex<String>) -> MutexGuard<'_, String> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A port that nobody listens on, below those the system hands out by itself: a server that restarts finds its own
/// port again, not taken by somebody's outgoing connection.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test programs that run side by side begin at different places.
    let start = (std::process::id().wrapping_mul(2_654_435_761) >> 16) as u16 % COUNT;
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

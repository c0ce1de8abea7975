//! A PostgreSQL server of a test's own, in a temporary directory.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Set to anything to leave out the tests that need PostgreSQL, on machines that lack it.
pub const SKIP: &str = "PARLOR_SKIP_POSTGRES";

/// A running server. It is stopped and its data removed when this is dropped, or when the process ends in
/// whatever way: a shell waits for the end of a pipe that only this process holds open.
pub struct Postgres {
    data: PathBuf,
    bin: PathBuf,
    /// The account it runs as when the tests run as root, which `initdb` refuses.
    account: Option<&'static str>,
    databases: AtomicU64,
    watcher: Option<Child>,
}

/// The server that the tests of one process share, started at the first call; `None` if [`SKIP`] is set. Panics
/// with a clear message if PostgreSQL is missing.
pub fn shared() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    if std::env::var_os(SKIP).is_some() {
        return None;
    }
    Some(SHARED.get_or_init(Postgres::start))
}

impl Postgres {
    /// Whether its programs are on this machine.
    pub fn is_installed() -> bool {
        binaries().is_some()
    }

    /// Makes a data directory and starts a server that listens on a Unix socket in it and nowhere else. Commits
    /// are synced to the disk as in earnest.
    pub fn start() -> Self {
        let bin = binaries().unwrap_or_else(|| {
            panic!("PostgreSQL's initdb was not found: install the server, put it on PATH, or set {SKIP}=1")
        });
        let directory =
            tempfile::Builder::new().prefix("parlor-pg-").tempdir().expect("a temporary directory");
        let root = Command::new("id").arg("-u").output().is_ok_and(|out| out.stdout.starts_with(b"0\n"));
        let account = root.then_some("postgres");
        if account.is_some() {
            run(Command::new("chown").arg("postgres").arg(directory.path()));
        }
        let data = directory.path().join("data");
        let mut server = Postgres { data, bin, account, databases: AtomicU64::new(1), watcher: None };
        server.watcher = Some(server.watch(&directory.keep()));
        let mut initdb = server.command("initdb");
        run(initdb
            .args(["-U", "parlor", "-A", "trust", "-E", "UTF8", "--no-locale", "-D"])
            .arg(&server.data));
        server.up();
        server
    }

    /// Starts the shell that clears up.
    fn watch(&self, directory: &Path) -> Child {
        let mut stop = self.command("pg_ctl");
        stop.args(["-w", "-m", "immediate", "-D"]).arg(&self.data).arg("stop");
        let words = std::iter::once(stop.get_program()).chain(stop.get_args());
        let mut shell = Command::new("sh");
        shell.args(["-c", "cat >/dev/null; dir=$1; shift; \"$@\"; rm -rf \"$dir\"", "sh"]);
        shell.arg(directory).args(words).current_dir("/");
        // Deaf to the terminal's interrupt, which would end it before its work.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        shell.spawn().expect("a shell that clears up after PostgreSQL")
    }

    /// Starts the server again after [`stop`](Self::stop).
    pub fn up(&self) {
        self.up_with("-c listen_addresses=''");
    }

    fn up_with(&self, more: &str) {
        let socket = format!(
            "-c unix_socket_directories='{}' -c max_connections=200 -c log_min_messages=fatal {more}",
            self.data.display()
        );
        let log = self.data.join("log");
        run(self
            .command("pg_ctl")
            .args(["-w", "-t", "30", "-o", &socket, "-l"])
            .arg(log)
            .arg("-D")
            .arg(&self.data)
            .arg("start"));
    }

    /// Stops the server; `immediate` is as if it had crashed.
    pub fn stop(&self, immediate: bool) {
        let mode = if immediate { "immediate" } else { "fast" };
        run(self.command("pg_ctl").args(["-w", "-m", mode, "-D"]).arg(&self.data).arg("stop"));
    }

    /// Starts it again so that it also listens on `localhost`, with TLS and a certificate that only its own file
    /// vouches for. Gives the URL of a new database there, without `sslmode`, and that file.
    pub fn encrypted(&self) -> (String, PathBuf) {
        let database = self.database();
        let name = database.split(['/', '?']).nth(3).unwrap_or_default().to_owned();
        let file = |name: &str| self.data.join(name);
        let (config, key, certificate) = (file("tls.cnf"), file("server.key"), file("server.crt"));
        let text = "[req]\ndistinguished_name=dn\nx509_extensions=ext\nprompt=no\n[dn]\nCN=localhost\n\
            [ext]\nbasicConstraints=critical,CA:FALSE\nsubjectAltName=DNS:localhost\n";
        std::fs::write(&config, text).expect("the data directory is writable");
        let mut make = Command::new("openssl");
        make.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-config"]).arg(&config);
        run(make.arg("-keyout").arg(&key).arg("-out").arg(&certificate).stderr(Stdio::null()));
        if let Some(account) = self.account {
            run(Command::new("chown").arg(account).arg(&key).arg(&certificate));
        }
        run(Command::new("chmod").arg("600").arg(&key));
        self.stop(false);
        let port = crate::server::free_port();
        self.up_with(&format!("-c listen_addresses=localhost -c port={port} -c ssl=on"));
        (format!("postgresql://parlor@localhost:{port}/{name}"), certificate)
    }

    /// Stops all its processes in mid-air, as a machine does that runs out of everything; or lets them go on.
    pub fn freeze(&self, on: bool) {
        let pid = std::fs::read_to_string(self.data.join("postmaster.pid")).expect("it runs");
        let pid = pid.lines().next().unwrap_or_default().to_owned();
        let mut all = vec![pid.clone()];
        for entry in std::fs::read_dir("/proc").expect("processes are listed").flatten() {
            let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            // Behind the name come the state and the parent.
            let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1));
            if parent == Some(&pid) {
                all.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        let signal = if on { "-STOP" } else { "-CONT" };
        run(Command::new("sh").args(["-c", "kill \"$@\"", "sh", signal]).args(all));
    }

    /// Makes an empty database and gives the string to connect to it.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Relaxed));
        let began = Instant::now();
        // Copying the template fails while another session copies it too.
        while let Err(error) = self.connect("postgres").batch_execute(&format!("CREATE DATABASE {name}")) {
            assert!(began.elapsed() < Duration::from_secs(20), "CREATE DATABASE: {error}");
        }
        self.url(&name)
    }

    /// A transaction of somebody else's that runs until this is dropped: what is stored meanwhile can still be overtaken.
    /// Made and dropped outside of asynchronous code.
    ///
    /// # Panics
    /// When it can't begin.
    pub fn running(&self) -> postgres::Client {
        let mut client = self.connect("postgres");
        client.batch_execute("BEGIN; SELECT pg_current_xact_id()").expect("a transaction begins");
        client
    }

    fn connect(&self, database: &str) -> postgres::Client {
        postgres::Client::connect(&self.url(database), postgres::NoTls)
            .expect("the test's PostgreSQL answers")
    }

    fn url(&self, database: &str) -> String {
        format!("postgresql://parlor@/{database}?host={}", self.data.display())
    }

    fn command(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        match self.account {
            Some(account) => {
                let mut command = Command::new("runuser");
                command.args(["-u", account, "--"]).arg(path).current_dir("/");
                command
            }
            None => Command::new(path),
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut watcher) = self.watcher.take() {
            drop(watcher.stdin.take());
            // What it could not clear up is in a temporary directory.
            let _ = watcher.wait();
        }
    }
}

fn run(command: &mut Command) {
    // No pipe: the server that pg_ctl leaves behind would keep it open.
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Where the server's programs are: on PATH, or the newest version in the distribution's place.
fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(found) = std::env::split_paths(&path).find(|dir| dir.join("initdb").exists()) {
        return Some(found);
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> =
        versions.flatten().map(|v| v.path().join("bin")).filter(|b| b.join("initdb").exists()).collect();
    found.sort_by_key(|bin| version(bin));
    found.pop()
}

fn version(bin: &Path) -> u32 {
    bin.parent().and_then(|v| v.file_name()?.to_str()?.parse().ok()).unwrap_or(0)
}

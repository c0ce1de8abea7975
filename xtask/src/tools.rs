//! What the tests need besides Rust, installed on demand: PostgreSQL, and the Rocket.Chat clients for Node and
//! Python. Works as root or with sudo, on a machine with apt.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::shell;

/// The oldest Node that the web app is built with and the client journeys run on.
pub const NODE: u32 = 20;

/// Installs the PostgreSQL server programs unless they are there. No cluster is made and nothing is started.
pub fn postgres() -> Result<()> {
    if find_initdb().is_some() {
        return Ok(());
    }
    println!("Installing PostgreSQL.");
    let conf = Path::new("/etc/postgresql-common/createcluster.conf");
    if !conf.exists() {
        // The package would otherwise make a cluster and start it; the tests bring their own.
        let script = "mkdir -p /etc/postgresql-common && echo 'create_main_cluster = false' > \"$0\"";
        shell::must(as_root("sh").args(["-c", script]).arg(conf))?;
    }
    apt(&["postgresql"])?;
    find_initdb().map(drop).context("PostgreSQL was installed but initdb is not where it belongs")
}

/// Installs a directory server unless it is there. Nothing is started.
pub fn slapd() -> Result<()> {
    if Path::new("/usr/sbin/slapd").exists() && Path::new("/usr/bin/ldapdelete").exists() {
        return Ok(());
    }
    println!("Installing slapd.");
    apt(&["slapd", "ldap-utils", "openssl"])
}

/// Installs Redis unless it is there. Nothing is started that was not running before.
pub fn redis() -> Result<()> {
    if shell::works(Command::new("redis-server").arg("--version")) {
        return Ok(());
    }
    println!("Installing Redis.");
    apt(&["redis-server"])
}

/// Installs what moves the clocks of servers in tests, unless it is there.
pub fn faketime() -> Result<()> {
    if shell::works(Command::new("faketime").arg("--version")) {
        return Ok(());
    }
    println!("Installing faketime.");
    apt(&["faketime"])
}

/// Installs Pebble, the authority for tests of certificates, unless it is there. Nothing is started.
pub fn pebble() -> Result<()> {
    if shell::works(Command::new("which").args(["pebble", "pebble-challtestsrv"])) {
        return Ok(());
    }
    println!("Installing Pebble.");
    apt(&["pebble"])
}

/// The newest initdb in Debian's place for it, or one on the path.
fn find_initdb() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin/initdb")))
        })
        .filter(|(_, path)| path.exists())
        .collect();
    found.sort();
    let on_path = || shell::works(Command::new("initdb").arg("--version")).then(|| PathBuf::from("initdb"));
    found.pop().map(|(_, path)| path).or_else(on_path)
}

/// Whether Node is there and new enough.
pub fn node() -> Result<()> {
    let version = shell::output(Command::new("node").arg("--version"))
        .with_context(|| format!("this needs Node {NODE} or newer"))?;
    let major: u32 = version.trim().trim_start_matches('v').split('.').next().unwrap_or("").parse()?;
    if major < NODE {
        bail!("this needs Node {NODE} or newer, this is {}", version.trim());
    }
    Ok(())
}

/// Installs the Node clients at the locked versions unless they are there already.
pub fn node_clients() -> Result<()> {
    npm_ci(&shell::root().join("tests/clients/node"), "the Node clients")
}

/// Installs ClamAV's daemon unless it is there. Tests start it themselves, with a database of their own.
pub fn clamav() -> Result<()> {
    if shell::works(Command::new("clamd").arg("--version")) {
        return Ok(());
    }
    println!("Installing ClamAV.");
    apt(&["clamav-daemon"])
}

/// Installs the S3-compatible store that tests of files talk to, at its locked version, unless it is there already.
pub fn s3_store() -> Result<()> {
    npm_ci(&shell::root().join("tests/services/node"), "the S3-compatible store")
}

/// Installs what the web app is built and tested with, at the locked versions, unless it is there already.
pub fn web_packages() -> Result<()> {
    npm_ci(&shell::root().join("web"), "what the web app is built with")
}

fn npm_ci(folder: &Path, what: &str) -> Result<()> {
    node()?;
    install_once(&folder.join("package-lock.json"), &folder.join("node_modules/.installed"), || {
        println!("Installing {what}.");
        shell::must(Command::new("npm").arg("ci").current_dir(folder))
    })
}

/// Installs Chromium unless it is there: the web app's journeys drive it.
pub fn chromium() -> Result<()> {
    let found = ["chromium", "chromium-browser", "google-chrome"]
        .iter()
        .any(|program| shell::works(Command::new(program).arg("--version")));
    if found {
        return Ok(());
    }
    println!("Installing Chromium.");
    apt(&["chromium"])
}

/// Installs the Python clients at the pinned versions, in an environment of their own under the target folder.
pub fn python_clients() -> Result<()> {
    let home = shell::target().join("clients-python");
    let wanted = shell::root().join("tests/clients/python/requirements.txt");
    install_once(&wanted, &home.join(".installed"), || {
        println!("Installing the Python clients.");
        make_venv(&home)?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        shell::must(Command::new(home.join("bin/python")).args(pip).arg(&wanted))
    })
}

fn make_venv(home: &Path) -> Result<()> {
    let venv = || shell::works(Command::new("python3").args(["-m", "venv", "--clear"]).arg(home));
    if venv() {
        return Ok(());
    }
    apt(&["python3", "python3-venv"])?;
    if !venv() {
        bail!("python3 -m venv fails even with python3-venv installed");
    }
    Ok(())
}

/// Runs `install` unless the stamp equals the list of what is wanted; leaves the stamp when it succeeded.
fn install_once(wanted: &Path, stamp: &Path, install: impl FnOnce() -> Result<()>) -> Result<()> {
    let list = fs::read(wanted).with_context(|| format!("can't read {}", wanted.display()))?;
    if fs::read(stamp).is_ok_and(|installed| installed == list) {
        return Ok(());
    }
    install()?;
    fs::write(stamp, list).with_context(|| format!("can't write {}", stamp.display()))
}

fn apt(packages: &[&str]) -> Result<()> {
    if !shell::works(Command::new("apt-get").arg("--version")) {
        bail!("please install {} (there is no apt on this machine to do it)", packages.join(" and "));
    }
    let quiet = ["-y", "-q", "-o", "Dpkg::Options::=--force-confold"];
    shell::must(as_root("apt-get").args(["update", "-q"]))?;
    shell::must(as_root("apt-get").arg("install").args(quiet).arg("--no-install-recommends").args(packages))
}

/// A command that runs as root: as it is, or through sudo.
fn as_root(program: &str) -> Command {
    let root = shell::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let mut command = Command::new(if root { "env" } else { "sudo" });
    command.args(["DEBIAN_FRONTEND=noninteractive", program]);
    command
}

//! Finding the `parlor` program that belongs to the running test, and building it when it is missing or stale.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::SystemTime;

/// The server program of the same build profile as the running test.
///
/// The variable `PARLOR_BIN` names another one.
///
/// # Panics
/// When it can't be built; the compiler has said why.
pub fn parlor() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| match env::var_os("PARLOR_BIN") {
        Some(named) => PathBuf::from(named),
        None => built(&profile_folder()),
    })
}

/// `target/debug` or `target/release`: where Cargo puts the programs of the profile this test was built with.
fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a running program has a path");
    let folder = test.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder).to_path_buf()
    } else {
        folder.to_path_buf()
    }
}

/// Builds the program if need be, once however many tests of however many processes ask for it.
fn built(folder: &Path) -> PathBuf {
    let program = folder.join("parlor");
    let lock = File::create(folder.join(".parlor-build.lock")).expect("the build folder is writable");
    lock.lock().expect("the build can be locked");
    if !fresh(&program) {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.current_dir(root()).args(["build", "--quiet", "--package", "parlor-server", "--bin", "parlor"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let status = build.status().expect("cargo starts");
        assert!(status.success(), "the server does not build");
    }
    program
}

/// Whether the program is newer than everything it is made from. Asking Cargo instead would be slower, and would
/// build dependencies anew where a test run had chosen other features for them.
fn fresh(program: &Path) -> bool {
    let Some(built) = changed(program) else { return false };
    let sources = [root().join("crates"), root().join("Cargo.toml"), root().join("Cargo.lock")];
    sources.iter().all(|source| newest(source) <= built)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// The latest change of a file, or of anything in a folder except what never goes into the server.
fn newest(path: &Path) -> SystemTime {
    let skipped = |name: &str| matches!(name, "testkit" | "tests" | "benches" | "examples");
    if !path.is_dir() {
        return changed(path).unwrap_or(SystemTime::UNIX_EPOCH);
    }
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    let inside = entries.filter(|entry| !entry.file_name().to_str().is_some_and(skipped));
    inside.map(|entry| newest(&entry.path())).max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// The workspace's root folder.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

//! The web app: built when Node is there and its sources changed, checked, and driven in a browser.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{shell, tools};

/// What the app is made from, within `web/`.
const SOURCES: &[&str] = &[
    "src",
    "worker",
    "public",
    "scripts",
    "index.html",
    "package-lock.json",
    "vite.config.ts",
    "tsconfig.json",
];

#[derive(Args)]
pub struct Options {
    /// Build even if nothing changed
    #[arg(long)]
    pub force: bool,
    /// Also check types, lints, formats, unit tests and sizes
    #[arg(long)]
    pub check: bool,
}

#[derive(Args)]
pub struct Journeys {
    /// Only journeys whose name contains this
    filter: Option<String>,
    /// Use the server's release build
    #[arg(long)]
    release: bool,
    /// Take the server that is built already, as it is
    #[arg(long)]
    built: bool,
}

impl Journeys {
    /// All of them, on the debug build.
    pub fn all() -> Self {
        Self { filter: None, release: false, built: false }
    }

    /// All of them, on the server that the other tests were built with. Built by itself it would have other features
    /// of its dependencies, and most of them would be compiled anew.
    pub fn after_tests() -> Self {
        Self { built: true, ..Self::all() }
    }
}

fn folder() -> PathBuf {
    shell::root().join("web")
}

fn npm(arguments: &[&str]) -> Result<()> {
    shell::must(Command::new("npm").args(arguments).current_dir(folder()))
}

/// Builds the app, and checks it if asked.
pub fn web(options: &Options) -> Result<()> {
    tools::web_packages()?;
    build(options.force)?;
    if options.check { check() } else { Ok(()) }
}

/// What the build service asks of the app's sources.
pub fn check() -> Result<()> {
    for task in ["check", "lint", "format:check", "test", "size"] {
        npm(&["run", "--silent", task]).with_context(|| format!("npm run {task}"))?;
    }
    Ok(())
}

/// Builds the app where Node is there; says what is missing where it isn't. The server works either way.
pub fn if_node_is_there() -> Result<()> {
    if tools::node().is_err() {
        println!("Node {} or newer is not installed: the server is built without its web app.", tools::NODE);
        return Ok(());
    }
    web(&Options { force: false, check: false })
}

fn build(force: bool) -> Result<()> {
    let stamp = folder().join("dist/.built");
    let wanted = fingerprint()?;
    if !force && fs::read_to_string(&stamp).is_ok_and(|built| built == wanted) {
        return Ok(());
    }
    println!("Building the web app.");
    npm(&["run", "--silent", "build"])?;
    fs::write(&stamp, wanted).context("can't leave the mark of what was built")
}

/// Changes with any source.
fn fingerprint() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES {
        feed(&folder().join(source), &mut hasher)?;
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn feed(path: &Path, hasher: &mut DefaultHasher) -> Result<()> {
    if path.is_dir() {
        let mut inside: Vec<PathBuf> = fs::read_dir(path)?.flatten().map(|entry| entry.path()).collect();
        inside.sort();
        return inside.iter().try_for_each(|entry| feed(entry, hasher));
    }
    path.hash(hasher);
    if path.exists() {
        fs::read(path).with_context(|| format!("can't read {}", path.display()))?.hash(hasher);
    }
    Ok(())
}

/// Vite's server, which passes what is not its own on to the API.
pub fn dev() -> Result<()> {
    tools::web_packages()?;
    npm(&["run", "dev"])
}

/// The journeys, against a server built from this tree.
pub fn e2e(options: &Journeys) -> Result<()> {
    tools::chromium()?;
    // The identity provider of one of them.
    tools::node_clients()?;
    web(&Options { force: false, check: false })?;
    if !options.built {
        let mut cargo = shell::cargo();
        cargo.args(["build", "--quiet", "--package", "parlor-server", "--bin", "parlor"]);
        if options.release {
            cargo.arg("--release");
        }
        shell::must(&mut cargo)?;
    }
    let profile = if options.release { "release" } else { "debug" };
    let program = shell::target().join(profile).join("parlor");
    if !program.exists() {
        bail!("{} was not built", program.display());
    }
    let mut node = Command::new("node");
    node.current_dir(folder()).env("PARLOR_BIN", program).arg("e2e/run.mjs").args(options.filter.as_slice());
    shell::must(&mut node)
}

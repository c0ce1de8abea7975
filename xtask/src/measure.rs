//! Load, faults and fuzzing: long runs that are not part of the tests.

use anyhow::{Result, bail};
use clap::Args;

use crate::edges;
use crate::leftovers::Run;
use crate::shell;

/// Arguments handed on unread.
#[derive(Args)]
pub struct Passed {
    /// Arguments for the program itself (try `-- --help`)
    #[arg(last = true)]
    rest: Vec<String>,
}

#[derive(Args)]
pub struct Fuzz {
    /// Only this target, by the name of its file in fuzz/src/bin
    target: Option<String>,
    /// Inputs for each target
    #[arg(long, default_value_t = 1_000_000)]
    runs: u64,
    /// Longest input, in bytes
    #[arg(long, default_value_t = 4096)]
    max_len: u32,
    /// The property tests of the parsers instead, which need no nightly compiler, with so many cases each
    #[arg(long, value_name = "CASES", conflicts_with = "target")]
    properties: Option<u32>,
}

/// Crates that read bytes from strangers.
const PARSERS: &[&str] = &["parlor-markup", "parlor-live", "parlor-rocketchat"];

/// Runs the load scenario.
pub fn load(passed: &Passed) -> Result<()> {
    program("parlor-load", "parlor-load", passed)
}

/// Runs the fault scenarios.
pub fn faults(passed: &Passed) -> Result<()> {
    program("parlor-testkit", "parlor-faults", passed)
}

fn program(package: &str, program: &str, passed: &Passed) -> Result<()> {
    if !edges::members()?.iter().any(|member| member == package) {
        bail!("this workspace has no {package}");
    }
    // Built beforehand, so that what is measured is the release server and not the build.
    shell::must(shell::cargo().args([
        "build",
        "--release",
        "--package",
        "parlor-server",
        "--package",
        package,
    ]))?;
    let run = Run::begin();
    let mut cargo = shell::cargo();
    cargo
        .args(["run", "--release", "--quiet", "--package", package, "--bin", program, "--"])
        .args(&passed.rest);
    let outcome = shell::must(run.mark(&mut cargo));
    outcome.and(run.end())
}

/// Runs each fuzz target for so many inputs, or the property tests of the parsers with many more cases than they have
/// in the ordinary run.
pub fn fuzz(options: &Fuzz) -> Result<()> {
    if let Some(cases) = options.properties {
        let mut cargo = shell::cargo();
        cargo.env("PROPTEST_CASES", cases.to_string()).args(["test", "--release"]);
        for package in PARSERS {
            cargo.args(["--package", *package]);
        }
        return shell::must(&mut cargo);
    }
    let targets = targets()?;
    let wanted = |target: &&String| options.target.as_ref().is_none_or(|one| one == *target);
    let chosen: Vec<&String> = targets.iter().filter(wanted).collect();
    if chosen.is_empty() {
        bail!("there is no such target; there are: {}", targets.join(", "));
    }
    for target in chosen {
        // Nothing of ours is unsafe, so no sanitizer looks for what such code does; without one it is many times faster.
        let mut fuzz = shell::command("rustup");
        fuzz.current_dir(shell::root().join("fuzz")).env_remove("CARGO");
        fuzz.args(["run", "nightly", "cargo", "fuzz", "run", "--sanitizer", "none", target, "--"]);
        fuzz.arg(format!("-runs={}", options.runs)).arg(format!("-max_len={}", options.max_len));
        let dictionary = format!("dictionaries/{target}.txt");
        if shell::root().join("fuzz").join(&dictionary).exists() {
            fuzz.arg(format!("-dict={dictionary}"));
        }
        shell::must(&mut fuzz)?;
    }
    Ok(())
}

/// The fuzz targets' names.
fn targets() -> Result<Vec<String>> {
    let mut all = Vec::new();
    for file in std::fs::read_dir(shell::root().join("fuzz/src/bin"))? {
        let path = file?.path();
        all.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
    }
    all.sort();
    Ok(all)
}

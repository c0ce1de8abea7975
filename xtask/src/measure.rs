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
    /// Generated inputs for each property
    #[arg(long, default_value_t = 100_000)]
    cases: u32,
    /// Only properties whose name contains this
    filter: Option<String>,
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

/// Runs the property tests of the parsers with many more cases than the ordinary run.
pub fn fuzz(options: &Fuzz) -> Result<()> {
    let mut cargo = shell::cargo();
    cargo.env("PROPTEST_CASES", options.cases.to_string()).args(["test", "--release"]);
    for package in PARSERS {
        cargo.args(["--package", package]);
    }
    shell::must(cargo.args(options.filter.as_slice()))
}

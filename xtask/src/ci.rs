//! `cargo xtask ci`: what must pass before a change is taken.

use std::env;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, bail};

use crate::shell::{self, Steps};
use crate::{test, tidy};

/// Every check, and one summary.
pub fn ci() -> Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || shell::must(shell::cargo().args(["fmt", "--all", "--check"])));
    steps.step("tidy", tidy::run);
    let required = test::install_all(&mut steps);
    steps.step("lints", lints);
    if shell::works(shell::cargo().args(["deny", "--version"])) {
        steps.step("dependencies", || shell::must(shell::cargo().args(["deny", "check"])));
    } else {
        println!("\ncargo-deny is not installed: licences and advisories are not checked here.");
    }
    test::play_all(&mut steps, &required);
    steps.finish()
}

/// Looks at everything with clippy, and takes no warning. Where the compiler of this workspace is clippy already
/// (`RUSTC_WORKSPACE_WRAPPER`), it does so while it builds what the tests run, and nothing is compiled twice.
fn lints() -> Result<()> {
    let linting = env::var_os("RUSTC_WORKSPACE_WRAPPER")
        .is_some_and(|wrapper| Path::new(&wrapper).file_stem().is_some_and(|name| name == "clippy-driver"));
    let mut cargo = shell::cargo();
    // Hundreds of lines of progress that nobody watches would hide what has to be mended.
    if !io::stdout().is_terminal() {
        cargo.env("CARGO_TERM_QUIET", "true");
    }
    let everything = ["--workspace", "--all-targets", "--locked"];
    if !linting {
        return shell::must(cargo.arg("clippy").args(everything).args(["--", "--deny", "warnings"]));
    }
    cargo.args(["test", "--no-run"]).args(everything).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut building = cargo.spawn().context("can't start cargo")?;
    let told = building.stderr.take().context("cargo's words are piped")?;
    let mut warnings = 0;
    for line in BufReader::new(told).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        warnings += usize::from(line.starts_with("warning: "));
        eprintln!("{line}");
    }
    let status = building.wait().context("can't wait for cargo")?;
    if !status.success() {
        bail!("the build ended with {status}");
    }
    if warnings > 0 {
        bail!("{warnings} warnings");
    }
    Ok(())
}

//! `cargo xtask ci`: what must pass before a change is taken.

use std::io::{self, IsTerminal};

use anyhow::Result;

use crate::shell::{self, Steps};
use crate::{test, tidy};

/// Every check, and one summary.
pub fn ci() -> Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || shell::must(shell::cargo().args(["fmt", "--all", "--check"])));
    steps.step("tidy", tidy::run);
    steps.step("lints", || {
        let mut cargo = shell::cargo();
        // Hundreds of lines of progress that nobody watches would hide what has to be mended.
        if !io::stdout().is_terminal() {
            cargo.env("CARGO_TERM_QUIET", "true");
        }
        shell::must(cargo.args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ]))
    });
    if shell::works(shell::cargo().args(["deny", "--version"])) {
        steps.step("dependencies", || shell::must(shell::cargo().args(["deny", "check"])));
    } else {
        println!("\ncargo-deny is not installed: licences and advisories are not checked here.");
    }
    test::all(&mut steps);
    steps.finish()
}

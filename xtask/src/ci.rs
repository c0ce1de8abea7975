//! `cargo xtask ci`: what must pass before a change is taken.

use anyhow::Result;

use crate::shell::{self, Steps};
use crate::{test, tidy};

/// Every check, and one summary.
pub fn ci() -> Result<()> {
    let mut steps = Steps::default();
    steps.step("format", || shell::must(shell::cargo().args(["fmt", "--all", "--check"])));
    steps.step("tidy", tidy::run);
    steps.step("lints", || {
        let lints = ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"];
        shell::must(shell::cargo().args(lints))
    });
    if shell::works(shell::cargo().args(["deny", "--version"])) {
        steps.step("dependencies", || shell::must(shell::cargo().args(["deny", "check"])));
    } else {
        println!("\ncargo-deny is not installed: licences and advisories are not checked here.");
    }
    test::all(&mut steps);
    steps.finish()
}

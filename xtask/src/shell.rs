//! Running other programs, and one summary of what they did.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The workspace's root folder: where the root `Cargo.toml` lies.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where Cargo builds. Tools that belong to the tests are installed beside its output.
pub fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// A command in the workspace's root, ready for arguments.
pub fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new(program.as_ref());
    command.current_dir(root());
    command
}

/// The Cargo that runs this program, so that a chosen toolchain stays chosen.
pub fn cargo() -> Command {
    command(env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from))
}

/// Runs a command to its end, its output passed through; an error if it fails.
pub fn must(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let status = command.status().with_context(|| format!("can't start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` ended with {status}");
    }
    Ok(())
}

/// Runs a command to its end and returns what it printed; an error if it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("can't start `{shown}`"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{shown}` ended with {}: {}", output.status, said.trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a command can be started and succeeds. Its output is thrown away.
pub fn works(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn free() -> String {
    let asked = command("df").args(["-h", "--output=avail", "."]).output();
    let told = asked.map(|asked| String::from_utf8_lossy(&asked.stdout).into_owned()).unwrap_or_default();
    told.lines().nth(1).unwrap_or("unknown").trim().to_owned()
}

fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        shown.push(' ');
        shown.push_str(&argument.to_string_lossy());
    }
    shown
}

/// Steps run one after another, each to its end, and one summary of them all.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration, Option<String>)>,
}

impl Steps {
    /// Runs one step. A failed step is remembered and the next one still runs, so that one run shows all there
    /// is to mend.
    pub fn step(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n=== {name}");
        let began = Instant::now();
        let failure = work().err().map(|error| format!("{error:#}"));
        if let Some(failure) = &failure {
            eprintln!("=== {name} failed: {failure}");
        }
        let succeeded = failure.is_none();
        self.done.push((name.to_owned(), began.elapsed(), failure));
        succeeded
    }

    /// Prints the summary; an error if any step failed.
    pub fn finish(self) -> Result<()> {
        println!("\n=== summary");
        let mut failed = 0;
        for (name, took, failure) in &self.done {
            let verdict = if failure.is_none() { "ok" } else { "FAILED" };
            println!("{verdict:>7}  {:>7.1} s  {name}", took.as_secs_f64());
            if let Some(failure) = failure {
                println!("                     {failure}");
                failed += 1;
            }
        }
        if failed > 0 {
            // A full disk has many faces, and most of them don't name it.
            println!("Left on this disk: {}", free());
            bail!("{failed} of {} steps failed", self.done.len());
        }
        println!("All {} steps passed.", self.done.len());
        Ok(())
    }
}

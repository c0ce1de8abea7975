//! The Rust tests as one run: what passes is counted, what fails is shown whole and played once more alone.
//!
//! `cargo test` passes through whatever the programs under test write beside their results. Thousands of such lines
//! hide the one that matters, so the whole output goes to a file and only what a reader needs is printed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::shell;

/// How long the output may go on after Cargo ended: a database server that clears up after its test holds the pipe.
const TRAILING: Duration = Duration::from_secs(20);

/// More failures than this are no accident of a busy machine, and are not played again.
const REPLAYED: usize = 12;

/// So many lines of a build that failed are told again at the end, where they are looked for.
const TOLD: usize = 24;

/// Runs `cargo test` with these arguments, and what failed once more by itself.
///
/// A test that passes alone is named as one that needed a second try, and the run goes on: it is a defect to be
/// looked into, not a reason to lose everybody's work.
pub fn run(arguments: &[&str], prepare: impl Fn(&mut Command)) -> Result<()> {
    let log = log_file("tests.log")?;
    println!("(all output: {})", log.display());
    let mut first = play(arguments, &log, &prepare)?;
    if first.killed() {
        println!("\nA compiler was killed, for want of memory most likely; one at a time now.");
        first = play(&[&["--jobs", "1"], arguments].concat(), &log, &prepare)?;
    }
    println!("{} tests passed.", first.passed);
    if first.succeeded {
        return Ok(());
    }
    let failed: usize = first.failed.values().map(Vec::len).sum();
    if failed == 0 && !first.broken.is_empty() {
        bail!("the tests can't be built:\n{}", first.broken.join("\n"));
    }
    if failed == 0 || failed > REPLAYED {
        bail!("{failed} tests failed: {}", first.names());
    }
    println!("\n{failed} failed; they are played once more, alone.");
    let again = log_file("tests-again.log")?;
    for (target, names) in &first.failed {
        let mut arguments = vec!["--workspace"];
        arguments.extend(target.arguments());
        arguments.extend(["--", "--exact", "--test-threads=1"]);
        arguments.extend(names.iter().map(String::as_str));
        let second = play(&arguments, &again, &prepare)?;
        if !second.succeeded || second.passed < names.len() {
            bail!("failed twice, among {}: {}", first.names(), second.names());
        }
    }
    println!("NEEDED A SECOND TRY: {}", first.names());
    Ok(())
}

/// Which of Cargo's test programs: what names it on the command line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Integration(String),
    Units,
    Documentation,
}

impl Target {
    /// From the line with which Cargo announces a program.
    fn announced(line: &str) -> Option<Self> {
        let line = line.trim_start();
        if line.starts_with("Doc-tests ") {
            return Some(Self::Documentation);
        }
        let program = line.strip_prefix("Running ")?;
        if program.starts_with("unittests ") {
            return Some(Self::Units);
        }
        let file = program.rsplit_once('(')?.1.rsplit('/').next()?;
        let name = file.rsplit_once('-')?.0;
        Some(Self::Integration(name.to_owned()))
    }

    fn arguments(&self) -> Vec<&str> {
        match self {
            Self::Integration(name) => vec!["--test", name],
            Self::Units => vec!["--lib", "--bins"],
            Self::Documentation => vec!["--doc"],
        }
    }
}

#[derive(Default)]
struct Played {
    succeeded: bool,
    passed: usize,
    failed: BTreeMap<Target, Vec<String>>,
    /// What was said, from the first error on, of a build that came to no program: the head of it.
    broken: Vec<String>,
}

impl Played {
    /// Whether the build ended because the system killed a compiler or a linker.
    fn killed(&self) -> bool {
        self.failed.is_empty() && self.broken.iter().any(|line| line.contains("signal: 9"))
    }

    fn compiler_said(&mut self, line: &str) {
        if self.broken.len() < TOLD && (!self.broken.is_empty() || line.starts_with("error")) {
            self.broken.push(line.to_owned());
        }
    }

    fn names(&self) -> String {
        let names: Vec<&str> = self.failed.values().flatten().map(String::as_str).collect();
        names.join(", ")
    }
}

fn log_file(name: &str) -> Result<PathBuf> {
    let folder = shell::target().join("logs");
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let file = folder.join(name);
    File::create(&file).with_context(|| format!("can't write {}", file.display()))?;
    Ok(file)
}

fn play(arguments: &[&str], log: &Path, prepare: &impl Fn(&mut Command)) -> Result<Played> {
    let (reader, writer) = io::pipe().context("can't make a pipe")?;
    let mut cargo = shell::cargo();
    cargo.arg("test").arg("--no-fail-fast").args(arguments);
    cargo.stdout(writer.try_clone()?).stderr(writer);
    prepare(&mut cargo);
    let mut child = cargo.spawn().context("can't start cargo")?;
    // The command holds the pipe's other end until it is gone.
    drop(cargo);
    let (done, told) = mpsc::channel();
    let log = File::options().append(true).open(log).context("can't open the log")?;
    let progress = io::stdout().is_terminal();
    thread::spawn(move || done.send(Reader::new(log, progress).read(reader, &mut io::stdout())));
    let status = child.wait().context("can't wait for cargo")?;
    let told = told.recv_timeout(TRAILING);
    let mut played =
        told.context("something that the tests started is still running and holds their output")??;
    played.succeeded = status.success();
    Ok(played)
}

/// Follows the output of one `cargo test`, line by line.
struct Reader<L> {
    log: L,
    /// Somebody watches, and wants to see what is being compiled.
    progress: bool,
    played: Played,
    target: Option<Target>,
    began: Instant,
    title: String,
    /// Within what libtest prints of the tests that failed.
    telling: bool,
    /// Within the names at its end.
    naming: bool,
}

impl<L: Write> Reader<L> {
    fn new(log: L, progress: bool) -> Self {
        let title = String::new();
        let played = Played::default();
        Self {
            log,
            progress,
            played,
            target: None,
            began: Instant::now(),
            title,
            telling: false,
            naming: false,
        }
    }

    fn read(mut self, reader: impl Read, shown: &mut impl Write) -> io::Result<Played> {
        for line in BufReader::new(reader).split(b'\n') {
            let line = line?;
            self.log.write_all(&line)?;
            self.log.write_all(b"\n")?;
            self.line(&String::from_utf8_lossy(&line), shown)?;
        }
        Ok(self.played)
    }

    fn line(&mut self, line: &str, shown: &mut impl Write) -> io::Result<()> {
        if let Some(target) = Target::announced(line) {
            self.title = line.trim().to_owned();
            self.target = Some(target);
            self.began = Instant::now();
            return Ok(());
        }
        let Some(target) = &self.target else {
            self.played.compiler_said(line);
            return if self.progress || !is_progress(line) { writeln!(shown, "{line}") } else { Ok(()) };
        };
        if line == "failures:" {
            self.naming = self.telling;
            self.telling = true;
            return Ok(());
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            (self.telling, self.naming) = (false, false);
            let counts = result.split("; 0 measured").next().unwrap_or(result);
            self.played.passed += passed(counts);
            // Most programs have no examples in their documentation.
            if counts.starts_with("ok. 0 passed; 0 failed; 0 ignored") {
                return Ok(());
            }
            return writeln!(shown, "{:6.1} s  {}: {counts}", self.began.elapsed().as_secs_f64(), self.title);
        }
        if self.naming {
            if let Some(name) = line.strip_prefix("    ") {
                self.played.failed.entry(target.clone()).or_default().push(name.to_owned());
            }
            return Ok(());
        }
        // What a compiler says of a program that can't be built stands outside of any test.
        if self.telling || line.starts_with("error") || line.starts_with("---- ") {
            writeln!(shown, "{line}")?;
        }
        Ok(())
    }
}

/// What Cargo says while it builds, a line for each of some hundred packages.
fn is_progress(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    matches!(word, "Compiling" | "Checking" | "Downloading" | "Downloaded" | "Fresh")
}

/// From "ok. 12 passed; 0 failed; 0 ignored".
fn passed(counts: &str) -> usize {
    let before = counts.split(" passed").next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
   Compiling parlor-core v0.1.0
warning: a name nobody uses
     Running unittests src/lib.rs (target/debug/deps/parlor_core-0a1b)

running 2 tests
test one ... ok
test two ... ok

test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s

     Running tests/inbox/main.rs (target/debug/deps/inbox-77ff)

running 3 tests
a line of some program
test send::a_member_sends ... ok
test send::an_outsider_does_not ... FAILED
test read::nothing_is_lost ... ok

failures:

---- send::an_outsider_does_not stdout ----
thread panicked: the answer was 200

failures:
    send::an_outsider_does_not

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s

error: test failed, to rerun pass `-p parlor-server --test inbox`
   Doc-tests parlor_core
test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn read() -> (Played, String) {
        let mut shown = Vec::new();
        let played = Reader::new(io::sink(), false)
            .read(OUTPUT.as_bytes(), &mut shown)
            .expect("memory can be written");
        (played, String::from_utf8(shown).expect("the output is text"))
    }

    #[test]
    fn a_failed_test_is_known_by_its_program_and_its_name() {
        let (played, _) = read();
        assert_eq!(played.passed, 4);
        assert_eq!(played.names(), "send::an_outsider_does_not");
        let target = played.failed.keys().next().expect("one program failed");
        assert_eq!(target.arguments(), ["--test", "inbox"]);
    }

    #[test]
    fn a_build_that_fails_is_told_by_its_errors() {
        let output =
            "   Compiling parlor-core v0.1.0\nerror: linking with `cc` failed\n  = note: No space left\n";
        let mut reader = Reader::new(io::sink(), false);
        let mut shown = Vec::new();
        for line in output.lines() {
            reader.line(line, &mut shown).expect("memory can be written");
        }
        assert_eq!(reader.played.broken, ["error: linking with `cc` failed", "  = note: No space left"]);
        assert!(!reader.played.killed());
        reader.played.compiler_said("  process didn't exit successfully: `rustc` (signal: 9, SIGKILL: kill)");
        assert!(reader.played.killed());
    }

    #[test]
    fn what_failed_is_shown_and_what_passed_is_counted() {
        let (_, shown) = read();
        assert!(shown.contains("a name nobody uses"));
        assert!(shown.contains("the answer was 200"));
        assert!(shown.contains("FAILED. 2 passed; 1 failed"));
        assert!(!shown.contains("a_member_sends"));
        assert!(!shown.contains("a line of some program"));
        assert!(!shown.contains("Compiling"));
    }
}

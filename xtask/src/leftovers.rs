//! No run may leave a process behind.
//!
//! Every program a run starts inherits a mark in its environment. At the end whatever still carries the mark is
//! ended and named, so that a leak is seen where it was made and not as a mystery on the next run.

use std::env;
use std::fs;
use std::process::{self, Command};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, bail};

/// The variable that carries the mark.
const MARK: &str = "PARLOR_RUN";

/// How long a database server may take to clear up after its tests are gone.
const GRACE: Duration = Duration::from_secs(20);

/// The mark of one run.
pub struct Run {
    mark: String,
}

impl Run {
    /// Takes the mark that a caller set, or makes a fresh one.
    pub fn begin() -> Self {
        let mark = env::var(MARK).unwrap_or_else(|_| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            format!("{}-{}", process::id(), now.as_nanos())
        });
        Self { mark }
    }

    /// Marks a command, and so whatever it starts.
    pub fn mark<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env(MARK, &self.mark)
    }

    /// Gives what is left of this run a while to end by itself, then ends it; an error that names it if there was
    /// anything to end.
    pub fn end(&self) -> Result<()> {
        self.end_after(GRACE)
    }

    fn end_after(&self, grace: Duration) -> Result<()> {
        let began = Instant::now();
        while !self.left().is_empty() && began.elapsed() < grace {
            thread::sleep(Duration::from_millis(50));
        }
        let left = self.left();
        if left.is_empty() {
            return Ok(());
        }
        let mut names = Vec::new();
        for (pid, name) in left {
            // The shell's own kill: the program is missing on small machines.
            let _ = Command::new("sh").args(["-c", &format!("kill -KILL {pid}")]).status();
            names.push(format!("{name} ({pid})"));
        }
        bail!("processes were left behind and have been ended: {}", names.join(", "));
    }

    /// Processes that carry the mark, this one and its ancestors excepted. Empty where there is no /proc.
    fn left(&self) -> Vec<(u32, String)> {
        let wanted = format!("{MARK}={}", self.mark);
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let family = ancestors();
        let pids =
            entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
        pids.filter(|pid| !family.contains(pid))
            .filter(|pid| {
                let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
                environment.split(|byte| *byte == 0).any(|entry| entry == wanted.as_bytes())
            })
            .map(|pid| {
                let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
                (pid, name.trim().to_owned())
            })
            .collect()
    }
}

/// This process and those it descends from.
fn ancestors() -> Vec<u32> {
    let mut family = vec![process::id()];
    while let Some(parent) = family.last().and_then(|pid| parent_of(*pid)) {
        if parent == 0 || family.contains(&parent) {
            break;
        }
        family.push(parent);
    }
    family
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; what follows it is plain: state, then parent.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_process_that_outlives_its_run_is_ended_and_named() {
        let run = Run { mark: format!("test-{}", process::id()) };
        let mut child = run.mark(Command::new("sleep").arg("60")).spawn().expect("sleep starts");
        let refusal = loop {
            // Between fork and exec the child still shows our own environment.
            match run.end_after(Duration::ZERO) {
                Ok(()) => std::thread::yield_now(),
                Err(error) => break error.to_string(),
            }
        };
        assert!(refusal.contains(&child.id().to_string()), "{refusal}");
        assert!(!child.wait().expect("it ended").success());
        assert!(run.end_after(Duration::ZERO).is_ok(), "nothing is left the second time");
    }
}

//! Runs `parlor import`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use parlor_testkit::binary;

/// What an import said.
pub struct Told {
    pub good: bool,
    pub out: String,
    pub errors: String,
}

impl Told {
    /// Read, imported, present and left out of a kind.
    pub fn counts(&self, kind: &str) -> [u64; 4] {
        let line = self.out.lines().find_map(|line| line.strip_prefix(kind)?.strip_prefix(' '));
        let line = line.unwrap_or_else(|| panic!("nothing of {kind} in:\n{}\n{}", self.out, self.errors));
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().expect("four numbers")
    }

    /// Whether everything that was read is accounted for.
    pub fn adds_up(&self) -> bool {
        let lines = self.out.lines().skip_while(|line| !line.contains("left out")).skip(1);
        let counted: Vec<Vec<u64>> = lines
            .take_while(|line| !line.starts_with("  "))
            .map(|line| line[20..].split_whitespace().filter_map(|word| word.parse().ok()).collect())
            .collect();
        !counted.is_empty() && counted.iter().all(|n| n.len() == 4 && n[0] == n[1] + n[2] + n[3])
    }
}

/// The command, not started yet.
pub fn command(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(binary::parlor());
    command.arg("import").args(args).arg("--data").arg(data).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn import(data: &Path, args: &[&str]) -> Told {
    let done = command(data, args).output().expect("the command runs");
    Told {
        good: done.status.success(),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        errors: String::from_utf8_lossy(&done.stderr).into_owned(),
    }
}

//! What became of everything that was read.

use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

use parlor_core::moving::Moved;

/// How often progress is told.
const OFTEN: Duration = Duration::from_secs(2);
/// Examples that a reason shows.
const EXAMPLES: usize = 3;
/// Notes that are kept; the rest is counted.
const NOTES: usize = 100;

/// What became of the things of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Read from the source.
    pub read: u64,
    /// Stored now.
    pub new: u64,
    /// Here already.
    pub known: u64,
    /// Left out, by reason: how many, and the first of them.
    pub left: BTreeMap<String, (u64, Vec<String>)>,
}

impl Count {
    /// How many were left out.
    pub fn left_out(&self) -> u64 {
        self.left.values().map(|(number, _)| number).sum()
    }
}

/// The counts of a run.
#[derive(Debug, Default)]
pub struct Tally {
    kinds: Vec<(&'static str, Count)>,
    parts: BTreeMap<&'static str, (u64, Vec<String>)>,
    notes: Vec<String>,
    more_notes: u64,
    told: Option<Instant>,
}

impl Tally {
    fn of(&mut self, kind: &'static str) -> &mut Count {
        let place = self.kinds.iter().position(|(name, _)| *name == kind).unwrap_or_else(|| {
            self.kinds.push((kind, Count::default()));
            self.kinds.len() - 1
        });
        &mut self.kinds[place].1
    }

    /// Counts one thing that was read.
    pub(crate) fn read(&mut self, kind: &'static str) {
        self.of(kind).read += 1;
        if self.told.get_or_insert_with(Instant::now).elapsed() >= OFTEN {
            self.told = Some(Instant::now());
            let count = self.of(kind);
            eprintln!("{kind}: {} read, {} imported, {} present", count.read, count.new, count.known);
        }
    }

    /// Counts what became of it.
    pub(crate) fn done<T>(&mut self, kind: &'static str, id: &str, moved: &Moved<T>) {
        match moved {
            Moved::New(_) => self.of(kind).new += 1,
            Moved::Known(_) => self.of(kind).known += 1,
            Moved::Left(reason) => self.left(kind, id, reason),
        }
    }

    /// Counts something that was left out.
    pub(crate) fn left(&mut self, kind: &'static str, id: &str, reason: &str) {
        let (number, examples) = self.of(kind).left.entry(reason.to_owned()).or_default();
        *number += 1;
        if examples.len() < EXAMPLES {
            examples.push(id.chars().take(80).collect());
        }
    }

    /// Counts what was left out of something that was stored.
    pub(crate) fn part(&mut self, reason: &'static str, id: &str, number: u64) {
        let (all, examples) = self.parts.entry(reason).or_default();
        *all += number;
        if examples.len() < EXAMPLES {
            examples.push(id.chars().take(80).collect());
        }
    }

    /// Keeps a word for whoever moves in.
    pub(crate) fn note(&mut self, note: String) {
        if self.notes.len() < NOTES { self.notes.push(note) } else { self.more_notes += 1 }
    }

    /// What became of the things of a kind.
    pub fn count(&self, kind: &str) -> Count {
        let found = self.kinds.iter().find(|(name, _)| *name == kind);
        found.map(|(_, count)| count.clone()).unwrap_or_default()
    }

    /// Whether everything that was read is accounted for.
    pub fn add_up(&self) -> bool {
        self.kinds.iter().all(|(_, c)| c.read == c.new + c.known + c.left_out())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<20}{:>12}{:>12}{:>12}{:>12}", "", "read", "imported", "present", "left out")?;
        for (kind, c) in &self.kinds {
            writeln!(f, "{kind:<20}{:>12}{:>12}{:>12}{:>12}", c.read, c.new, c.known, c.left_out())?;
        }
        for (kind, count) in &self.kinds {
            for (reason, (number, examples)) in &count.left {
                writeln!(f, "  {kind} left out: {number} x {reason} ({})", examples.join(", "))?;
            }
        }
        for (reason, (number, examples)) in &self.parts {
            writeln!(f, "  parts left out: {number} x {reason} ({})", examples.join(", "))?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        if self.more_notes > 0 {
            writeln!(f, "  … and {} more", self.more_notes)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_only_when_nothing_is_forgotten() {
        let mut tally = Tally::default();
        for _ in 0..3 {
            tally.read("things");
        }
        tally.done("things", "a", &Moved::New(()));
        tally.done("things", "b", &Moved::Known(()));
        assert!(!tally.add_up());
        tally.left("things", "c", "no reason");
        tally.part("a leg", "a", 2);
        assert!(tally.add_up());
        assert_eq!(tally.count("things").left_out(), 1);
        assert!(tally.to_string().contains("things left out: 1 x no reason (c)"));
        assert!(tally.to_string().contains("parts left out: 2 x a leg (a)"));
    }
}

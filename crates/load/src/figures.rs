//! Times and a table.

use std::fmt;
use std::time::Duration;

/// Many times; percentiles of them.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<u32>);

impl Times {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = |percent: usize| sorted.get(sorted.len() * percent / 100).copied().unwrap_or(0);
        let last = sorted.last().copied().unwrap_or(0);
        let ms = |micros: u32| f64::from(micros) / 1_000.0;
        let (p50, p95, p99) = (ms(at(50)), ms(at(95)), ms(at(99)));
        write!(f, "p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms, longest {:.1} ms", ms(last))
    }
}

/// What was measured, line by line; told as it comes and once more at the end.
#[derive(Debug, Default)]
pub struct Table(Vec<(String, String)>);

impl Table {
    /// Adds a line.
    pub fn line(&mut self, what: impl Into<String>, figure: impl Into<String>) {
        let (what, figure) = (what.into(), figure.into());
        eprintln!("  {what}: {figure}");
        self.0.push((what, figure));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(what, _)| what.chars().count()).max().unwrap_or(0);
        for (what, figure) in &self.0 {
            writeln!(f, "| {what:width$} | {figure} |")?;
        }
        Ok(())
    }
}

/// `12,345`.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// So many in such a time, a second.
pub fn rate(count: usize, took: Duration) -> String {
    grouped(count as f64 / took.as_secs_f64())
}

/// Microseconds of processor time for each.
pub fn each(cpu: Duration, count: usize) -> String {
    format!("{:.1} us", cpu.as_secs_f64() * 1e6 / count.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let mut times = Times::default();
        (1..=100).rev().for_each(|ms| times.add(Duration::from_millis(ms)));
        assert_eq!(times.to_string(), "p50 51.0 ms, p95 96.0 ms, p99 100.0 ms, longest 100.0 ms");
    }

    #[test]
    fn long_numbers_are_grouped() {
        assert_eq!(grouped(7.0), "7");
        assert_eq!(grouped(123_456.4), "123,456");
    }
}

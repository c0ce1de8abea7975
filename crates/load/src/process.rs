//! What a process costs, as Linux counts it.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Ticks of the kernel's clock in a second; every Linux in use has this.
const TICKS: u64 = 100;

/// The processor time that a process has used so far, the kernel's work for it included.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    // The name in brackets may hold anything; what is counted comes behind it.
    let (_, fields) = stat.rsplit_once(')').context("a line of another form")?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next().and_then(|field| field.parse::<u64>().ok()).context("a missing field");
    Ok(Duration::from_millis((ticks()? + ticks()?) * 1_000 / TICKS))
}

/// The bytes of memory that a process has in use.
pub fn resident(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1_024)
}

//! `parlor reference`: pages about the sockets, printed from the tables in the code.

use anyhow::{Result, bail};

/// Prints the page of a door.
pub fn run(door: &str) -> Result<()> {
    match door {
        "support" => print!("{}", parlor_support::reference()),
        other => bail!("there is no reference page for {other}; known: support"),
    }
    Ok(())
}

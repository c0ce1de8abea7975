//! What each command does.

use anyhow::{Result, bail};

use crate::{
    cli::{Cli, Command},
    serve,
};

/// Runs the command that was asked for.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(flags) => serve::run(&flags),
        _ => bail!("this command is being built"),
    }
}

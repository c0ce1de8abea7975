//! The `parlor` binary: reads the command line and says in one clear line what went wrong.

use std::process::ExitCode;

use clap::Parser;
use parlor_server::{cli::Cli, commands};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = format!("{error:#}").replace('\n', " ");
            eprintln!("parlor: {line}");
            ExitCode::FAILURE
        }
    }
}

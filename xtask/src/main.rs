//! The project's own commands: `cargo xtask --help` lists them.
//!
//! Everything a contributor or the build service runs is here, so that both run the same thing.

mod ci;
mod edges;
mod leftovers;
mod measure;
mod package;
mod run;
mod shell;
mod suite;
mod test;
mod tidy;
mod tools;
mod web;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Build, run, test and measure Parlor.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build what is missing and start Parlor with SQLite and files in ./data
    Run(run::Options),
    /// Install what the tests need, run them, and print one summary
    Test(test::Options),
    /// What the build service runs: format, lints, tidiness, tests and client journeys
    Ci,
    /// Build the web app into web/dist, if its sources changed since the last time
    Web(web::Options),
    /// Start Vite's server for work on the web app; the API is a Parlor that `cargo xtask run` started
    Dev,
    /// Run the web app's journeys in Chromium against the real server
    E2e(web::Journeys),
    /// Run the load scenario against a server of its own (release build)
    Load(measure::Passed),
    /// Kill the server again and again under load and judge what its clients saw (release build)
    Faults(measure::Passed),
    /// Feed everything that reads a stranger's bytes a million inputs each (needs nightly Rust and cargo-fuzz)
    Fuzz(measure::Fuzz),
    /// Put together a Debian package of the server
    Package(package::Options),
    /// Check sizes, who knows whom, locked dependencies, and that no file names a machine
    Tidy,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Test(options) => test::test(&options),
        Command::Ci => ci::ci(),
        Command::Web(options) => web::web(&options),
        Command::Dev => web::dev(),
        Command::E2e(options) => web::e2e(&options),
        Command::Load(passed) => measure::load(&passed),
        Command::Faults(passed) => measure::faults(&passed),
        Command::Fuzz(options) => measure::fuzz(&options),
        Command::Package(options) => package::package(&options),
        Command::Tidy => tidy::run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

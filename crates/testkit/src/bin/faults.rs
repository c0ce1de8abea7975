//! `cargo xtask faults`: kills the server again and again under load and judges what its clients saw.

use std::process::ExitCode;

use clap::Parser;
use parlor_testkit::Server;
use parlor_testkit::faults::{Plan, run};
use parlor_testkit::postgres::Postgres;

/// Kill the server again and again under load and judge what its clients saw.
#[derive(Parser)]
#[command(name = "cargo xtask faults --")]
struct Options {
    /// Kills
    #[arg(long, default_value_t = 50)]
    cycles: usize,
    /// People who send
    #[arg(long, default_value_t = 8)]
    senders: usize,
    /// Messages each sender has in flight
    #[arg(long, default_value_t = 4)]
    in_flight: usize,
    /// Sockets that listen to every room
    #[arg(long, default_value_t = 3)]
    listeners: usize,
    /// Rooms
    #[arg(long, default_value_t = 4)]
    rooms: usize,
    /// At most this many further kills while the server starts again
    #[arg(long, default_value_t = 2)]
    kills_while_starting: usize,
    /// The same seed makes the same choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the data in this PostgreSQL database instead of SQLite
    #[arg(long)]
    database: Option<String>,
    /// Keep the data in a PostgreSQL server that is started for this run
    #[arg(long, conflicts_with = "database")]
    postgres: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let plan = Plan {
        cycles: options.cycles,
        senders: options.senders,
        in_flight: options.in_flight,
        listeners: options.listeners,
        rooms: options.rooms,
        kills_while_starting: options.kills_while_starting,
        seed: options.seed,
    };
    // Lives as long as the run.
    let postgres = options.postgres.then(Postgres::start);
    let mut setup = Server::setup();
    if let Some(url) = options.database.or_else(|| postgres.as_ref().map(Postgres::database)) {
        setup = setup.database(&url);
    }
    let runtime = tokio::runtime::Runtime::new().expect("the system has room for a few threads");
    let report = runtime.block_on(run(setup, &plan));
    println!("{report}");
    if report.sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

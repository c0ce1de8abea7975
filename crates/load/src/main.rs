//! `cargo xtask load`: what the server does in a second and what that costs, over real sockets, on this machine
//! alone. Ends by itself; fails when anything that was measured is not what it should be.

mod deliveries;
mod entering;
mod figures;
mod pool;
mod process;
mod sends;
mod stage;
mod wire;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use parlor_testkit::postgres::Postgres;

use deliveries::{Delivered, Hall, Pace};
use entering::{Entry, OWN, enter};
use figures::{Table, each, grouped, rate};
use pool::Pool;
use stage::{MEMBERS, ROOMS, Stage};

/// Measure the server over real sockets: sends, deliveries, connections, memory and starts.
#[derive(Parser)]
#[command(name = "cargo xtask load --")]
struct Options {
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// How often sends and deliveries are measured; the table shows each
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=20))]
    rounds: u64,
    /// Accounts, each with a password of its own
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(50..=10_000))]
    people: u64,
    /// Sockets in the room of listeners
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=5_000))]
    listeners: u64,
    /// Idle sockets whose memory is measured
    #[arg(long, default_value_t = 4_000, value_parser = clap::value_parser!(u64).range(100..=8_000))]
    idle: u64,
    /// Messages that each sender has in flight
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..=64))]
    in_flight: u64,
    /// Store so many messages before the server is started once more (a million takes a minute or two)
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=2_000_000))]
    fill: u64,
    /// Which database: by default SQLite, then PostgreSQL where it is installed
    #[arg(long, value_enum)]
    database: Option<Database>,
    /// Only these measurements
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    Idle,
    Sends,
    Deliveries,
    Entering,
    Start,
}

impl Options {
    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    fn lasting(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(tables) => {
            for (database, table) in tables {
                println!("\n{database:?} on {} cores, client included\n\n{table}", cores());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}

fn run(options: &Options) -> Result<Vec<(Database, Table)>> {
    // One thread: the set-up's requests must not take part in what is measured.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut tables = Vec::new();
    if options.database != Some(Database::Postgres) {
        tables.push((Database::Sqlite, runtime.block_on(measure(options, None))?));
    }
    if options.database != Some(Database::Sqlite) && (Postgres::is_installed() || options.database.is_some())
    {
        let postgres = Postgres::start();
        let database = postgres.database();
        tables.push((Database::Postgres, runtime.block_on(measure(options, Some(&database)))?));
    }
    Ok(tables)
}

async fn measure(options: &Options, database: Option<&str>) -> Result<Table> {
    let mut table = Table::default();
    eprintln!("{}", if database.is_some() { "PostgreSQL" } else { "SQLite" });
    let (server, ready) = stage::start(database).await;
    table.line("ready, empty directory", format!("{} ms", ready.as_millis()));
    let pid = server.pid().unwrap_or_default();
    table.line("resident, just started", megabytes(process::resident(pid)?));
    let mut stage = Stage::set(server, usize::try_from(options.people)?).await?;
    table.line(format!("resident, {} accounts made", options.people), megabytes(process::resident(pid)?));
    if options.wants(Part::Idle) {
        idle(&mut stage, options, &mut table).await?;
    }
    if options.wants(Part::Entering) {
        connections(&stage, &mut table)?;
    }
    if options.wants(Part::Sends) {
        sending(&stage, options, &mut table).await?;
    }
    if options.wants(Part::Deliveries) {
        delivering(&stage, options, &mut table)?;
    }
    if options.wants(Part::Start) {
        starting(&mut stage, options, &mut table).await?;
    }
    Ok(table)
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

/// People of the rooms come in: each listens to a room of fifty and reads its last messages.
fn connections(stage: &Stage, table: &mut Table) -> Result<()> {
    let count = ROOMS * MEMBERS.min(stage.people.len());
    fill_rooms(stage)?;
    let entry = |number: usize| Entry {
        player: stage.member(number % ROOMS, number / ROOMS).clone(),
        room: Some(stage.rooms[number % ROOMS].clone()),
        history: 50,
        own: OWN,
    };
    let entries: Vec<Entry> = (0..count).map(entry).collect();
    let before = process::cpu(stage.pid())?;
    let mut pool = Pool::new(stage.server.address())?;
    let took = enter(&mut pool, 0, &entries)?;
    let cpu = process::cpu(stage.pid())? - before;
    let figure = format!("{}/s, {} of CPU each", rate(count, took), each(cpu, count));
    table.line("connected, signed in, four streams, history of 50", figure);
    Ok(())
}

/// Something to read in each room.
fn fill_rooms(stage: &Stage) -> Result<()> {
    sends::sends(stage, 2, Duration::from_millis(500), 1).map(drop)
}

async fn idle(stage: &mut Stage, options: &Options, table: &mut Table) -> Result<()> {
    for (what, own) in
        [("signed in, one room", &[][..]), ("signed in, one room, three streams of one's own", OWN)]
    {
        // A fresh process: memory that somebody used before and gave back would hide what a connection takes.
        stage.server.restart().await;
        let count = usize::try_from(options.idle)?;
        let entry = |number: usize| Entry {
            player: stage.member(number % ROOMS, number / ROOMS).clone(),
            room: Some(stage.rooms[number % ROOMS].clone()),
            history: 0,
            own,
        };
        let entries: Vec<Entry> = (0..count).map(entry).collect();
        let mut pool = Pool::new(stage.server.address())?;
        // What is made once (buffers of threads, tables) is there before the counting begins.
        let first = count / 10;
        enter(&mut pool, 0, &entries[..first])?;
        let before = settled(stage.pid())?;
        enter(&mut pool, first, &entries[first..])?;
        let after = settled(stage.pid())?;
        let each = after.saturating_sub(before) as f64 / (count - first) as f64;
        table.line(format!("memory of an idle connection, {what}"), format!("{} bytes", grouped(each)));
    }
    Ok(())
}

/// The memory in use once it does not shrink any more; the allocator gives back slowly.
fn settled(pid: u32) -> Result<u64> {
    let mut last = process::resident(pid)?;
    for _ in 0..15 {
        std::thread::sleep(Duration::from_secs(1));
        let now = process::resident(pid)?;
        if now + 64 * 1_024 >= last {
            return Ok(now);
        }
        last = now;
    }
    Ok(last)
}

async fn sending(stage: &Stage, options: &Options, table: &mut Table) -> Result<()> {
    let mut before = Vec::new();
    for room in &stage.rooms {
        before.push(stage.count(room).await?);
    }
    let read_before = stage.stored(&stage.rooms[0]).await.len();
    let mut runs = Vec::new();
    for round in 0..options.rounds {
        let in_flight = usize::try_from(options.in_flight)?;
        let sent = sends::sends(stage, in_flight, options.lasting(), 2 + round)?;
        let figure = format!("{}/s, {} of CPU each", rate(sent.count, sent.took), each(sent.cpu, sent.count));
        table.line(format!("durable sends, {ROOMS} rooms, {in_flight} in flight each"), figure);
        table.line("  acknowledged after", sent.acks.to_string());
        runs.push(sent);
    }
    sends::check(stage, &before, read_before, &runs).await
}

fn delivering(stage: &Stage, options: &Options, table: &mut Table) -> Result<()> {
    let listeners = usize::try_from(options.listeners)?;
    let mut hall = Hall::open(stage, listeners)?;
    let paces = [
        ("one message at a time", Pace::Bursts(1)),
        ("bursts of 16", Pace::Bursts(16)),
        ("50 messages a second", Pace::Steady(50)),
    ];
    for (what, pace) in paces {
        for _ in 0..options.rounds {
            let Delivered { count, took, cpu, acks, deliveries } =
                hall.deliver(stage.pid(), pace, options.lasting())?;
            let figure = format!("{}/s, {} of CPU each", rate(count, took), each(cpu, count));
            table.line(format!("deliveries to {listeners} listeners, {what}"), figure);
            table.line("  acknowledged after", acks.to_string());
            table.line("  delivered after", deliveries.to_string());
        }
    }
    Ok(())
}

async fn starting(stage: &mut Stage, options: &Options, table: &mut Table) -> Result<()> {
    let mut round = 1_000;
    let mut stored = total(stage).await?;
    while stored < options.fill {
        sends::sends(stage, 16, Duration::from_secs(10), round)?;
        round += 1;
        stored = total(stage).await?;
    }
    ensure!(stage.server.stop().await.success(), "the server ends in order");
    let began = std::time::Instant::now();
    stage.server.restart().await;
    let what = format!("ready, {} messages, after an orderly end", grouped(stored as f64));
    table.line(what, format!("{} ms", began.elapsed().as_millis()));
    let began = std::time::Instant::now();
    stage.server.restart().await;
    let what = format!("ready, {} messages, after being killed", grouped(stored as f64));
    table.line(what, format!("{} ms", began.elapsed().as_millis()));
    table.line("resident, just started again", megabytes(process::resident(stage.pid())?));
    Ok(())
}

async fn total(stage: &Stage) -> Result<u64> {
    let mut sum = stage.count(&stage.hall).await?;
    for room in &stage.rooms {
        sum += stage.count(room).await?;
    }
    Ok(sum)
}

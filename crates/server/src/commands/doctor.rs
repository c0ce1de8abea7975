//! `parlor doctor`: looks for what would go wrong, and says what to do about it.

use std::{net::TcpListener, path::Path};

use anyhow::{Result, bail};
use parlor_store::{Engine, Location, Options};

use crate::{
    cli::ServeFlags,
    config::{Config, environment},
};

/// File descriptors below which a busy server runs dry.
const FEW_FILES: u64 = 4096;

pub(super) fn run(flags: &ServeFlags) -> Result<()> {
    let mut troubles = 0;
    let mut say = |good: bool, what: &str, advice: &str| {
        troubles += usize::from(!good);
        println!(
            "{} {what}{}",
            if good { "ok  " } else { "BAD " },
            if good { String::new() } else { format!(": {advice}") }
        );
    };
    let config = match Config::load(flags, &environment()) {
        Ok(config) => config,
        Err(error) => bail!("the configuration is wrong: {error:#}"),
    };
    say(true, "the configuration can be read", "");
    say(
        !config.root_url.contains("localhost"),
        "ROOT_URL is an address that others can reach",
        "links in messages lead nowhere; set ROOT_URL",
    );
    for address in &config.listen {
        let free = TcpListener::bind(address).is_ok();
        say(free, &format!("{address} is free"), "another program, or Parlor itself, listens there");
    }
    let writable = check_writable(&config.data);
    say(
        writable.is_ok(),
        &format!("{} can be written", config.data.display()),
        &format!("{:?}", writable.err()),
    );
    match open_files() {
        Some(limit) => say(
            limit >= FEW_FILES,
            &format!("{limit} open files are allowed"),
            "raise it with `ulimit -n 65536`",
        ),
        None => say(true, "the limit of open files is not known here", ""),
    }
    let database = check_database(&config);
    say(
        database.is_ok(),
        "the database can be opened and has this version's schema",
        &format!("{:#}", database.err().unwrap_or_else(|| anyhow::anyhow!(""))),
    );
    if troubles > 0 {
        bail!("{troubles} of the checks failed");
    }
    Ok(())
}

fn check_writable(data: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(data)?;
    let probe = data.join(".doctor");
    std::fs::write(&probe, b"ok")?;
    std::fs::remove_file(probe)
}

fn open_files() -> Option<u64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find(|l| l.starts_with("Max open files"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

fn check_database(config: &Config) -> Result<()> {
    let location = match &config.database {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Sqlite(config.data.join("parlor.sqlite")),
    };
    let system = std::sync::Arc::new(parlor_core::clock::System::new());
    let engine = Engine::open(&location, Options::new(system, std::sync::Arc::new(|_| {})))?;
    engine.close();
    Ok(())
}

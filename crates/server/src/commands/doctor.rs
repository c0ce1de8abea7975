//! `parlor doctor`: looks for what would go wrong, and says what to do about it.

use std::{net::TcpListener, path::Path};

use anyhow::{Result, bail};
use parlor_core::{clock::Time, setting::Value, store::Store};
use parlor_store::{
    Engine, Location, Options,
    s3::{S3Blobs, S3Place},
};
use parlor_tls::Shelf;

use crate::{
    cli::ServeFlags,
    config::{Config, environment},
    config_tls::Source,
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
    if let Some(tls) = &config.tls {
        for address in tls.listen.iter().chain(&tls.redirect) {
            let free = TcpListener::bind(address).is_ok();
            say(free, &format!("{address} is free"), "another program, or Parlor itself, listens there");
        }
        if let Source::Files(pair) = &tls.source {
            let good = pair.load(&Shelf::default());
            say(
                good.is_ok(),
                "certificate and key go together",
                &good.err().map(|fault| fault.to_string()).unwrap_or_default(),
            );
        }
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
    if let Some(redis) = &config.redis {
        let answers = check_redis(&redis.url);
        say(
            answers.is_ok(),
            "Redis answers, by which several processes meet",
            &format!("{:#}", answers.err().unwrap_or_else(|| anyhow::anyhow!(""))),
        );
    }
    match check_mail(&config) {
        None => {
            say(true, "no mail server is set up (SMTP_Host): no letters, no reset of passwords by mail", "")
        }
        Some((name, answer)) => say(
            answer.is_ok(),
            &format!("the mail server {name} answers"),
            &answer.err().map(|fault| fault.text).unwrap_or_default(),
        ),
    }
    if let Some(place) = &config.s3 {
        let usable = check_bucket(place, &config.data);
        say(
            usable.is_ok(),
            &format!("files can be written, read, listed and removed in the bucket {}", place.bucket),
            &format!("{:#}", usable.err().unwrap_or_else(|| anyhow::anyhow!(""))),
        );
    }
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

/// The mail server of the settings, and whether it answers; without logging in.
fn check_mail(config: &Config) -> Option<(String, Result<(), parlor_mail::Fault>)> {
    let stored = stored_settings(config).unwrap_or_default();
    let get = |id: &str| {
        let chosen = stored.iter().find(|(known, ..)| known == id).and_then(|(_, value, _)| match value {
            Value::Text(text) => Some(text.clone()),
            Value::Bool(on) => Some(on.to_string()),
            _ => None,
        });
        config.overwrite.get(id).cloned().or(chosen).unwrap_or_default()
    };
    let ignore_tls = get("SMTP_IgnoreTLS") == "true";
    let server = parlor_mail::Server::read(
        &get("SMTP_Protocol"),
        &get("SMTP_Host"),
        &get("SMTP_Port"),
        None,
        ignore_tls,
    )?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    let name = format!("{}:{}", server.host, server.port);
    Some((name, runtime.block_on(parlor_mail::check(&server))))
}

fn stored_settings(config: &Config) -> Result<Vec<(String, Value, Time)>> {
    let location = location(config);
    let system = std::sync::Arc::new(parlor_core::clock::System::new());
    let engine = Engine::open(&location, Options::new(system, std::sync::Arc::new(|_| {})))?;
    let store: &(dyn Store + 'static) = &engine;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let values = runtime.block_on(store.reading(|rows| rows.setting_values()));
    engine.close();
    Ok(values?)
}

fn location(config: &Config) -> Location {
    match &config.database {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::Sqlite(config.data.join("parlor.sqlite")),
    }
}

fn check_bucket(place: &S3Place, data: &Path) -> Result<()> {
    let bucket = S3Blobs::new(place, data.join("files"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(bucket.probe()).map_err(anyhow::Error::msg)
}

fn check_redis(url: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(parlor_relay::check(url))?)
}

fn check_database(config: &Config) -> Result<()> {
    let location = location(config);
    let system = std::sync::Arc::new(parlor_core::clock::System::new());
    let engine = Engine::open(&location, Options::new(system, std::sync::Arc::new(|_| {})))?;
    engine.close();
    Ok(())
}

//! `parlor doctor`: looks for what would go wrong, and says what to do about it. It changes nothing, and looks at a server
//! that runs as well as at one that is to start.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use parlor_core::setting::Settings;
use parlor_store::{
    MigrationError, OpenError, look,
    s3::{S3Blobs, S3Place},
};
use parlor_tls::Shelf;
use tokio::runtime::Runtime;

use crate::{
    cli::ServeFlags,
    config::{Config, environment},
    config_tls::{Source, TlsConfig},
    wiring::{self, Core},
};

/// File descriptors below which a busy server runs dry.
const FEW_FILES: u64 = 4096;
/// How long a server may take to say that it is well.
const SOON: Duration = Duration::from_secs(3);

/// What was found.
#[derive(Default)]
struct Report {
    troubles: usize,
}

impl Report {
    fn good(&self, what: &str) {
        println!("ok   {what}");
    }

    /// Says what is so, or what is wrong with it.
    fn check<T>(&mut self, what: &str, found: Result<T>) -> Option<T> {
        match found {
            Ok(found) => {
                self.good(what);
                Some(found)
            }
            Err(error) => {
                self.troubles += 1;
                println!("BAD  {what}: {error:#}");
                None
            }
        }
    }
}

pub(super) fn run(flags: &ServeFlags) -> Result<()> {
    let config = match Config::load(flags, &environment()) {
        Ok(config) => config,
        Err(error) => bail!("the configuration is wrong: {error:#}"),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::default();
    report.good("the configuration can be read");
    let outside = !config.root_url.contains("localhost");
    let advice = || anyhow!("links in messages lead nowhere; set ROOT_URL");
    report.check("ROOT_URL is an address that others can reach", outside.then_some(()).ok_or_else(advice));
    addresses(&mut report, &config);
    machine(&mut report, &config);
    let core = workspace(&mut report, &config, &runtime);
    if let Some(redis) = &config.redis {
        let answers = runtime.block_on(parlor_relay::check(&redis.url));
        report.check("Redis answers, by which several processes meet", answers.map_err(Into::into));
    }
    mail(&mut report, &config, core.as_ref().map(|core| core.chat.settings()).as_deref(), &runtime);
    match &config.s3 {
        Some(place) => {
            let usable = bucket(place, &config.data, &runtime);
            let name = &place.bucket;
            report.check(
                &format!("files can be written, read, listed and removed in the bucket {name}"),
                usable,
            );
        }
        None => files(&mut report, &config, core.as_ref(), &runtime),
    }
    if let Some(core) = core {
        core.engine.close();
    }
    match report.troubles {
        0 => Ok(()),
        troubles => bail!("{troubles} of the checks failed"),
    }
}

/// Each address is free for the server, or the server has it.
fn addresses(report: &mut Report, config: &Config) {
    let runs = look::in_use(&wiring::location(config));
    for address in &config.listen {
        address_of(report, *address, runs, true);
    }
    let Some(tls) = &config.tls else { return };
    tls_addresses(report, tls, runs);
}

fn tls_addresses(report: &mut Report, tls: &TlsConfig, runs: bool) {
    for address in &tls.listen {
        address_of(report, *address, runs, false);
    }
    for address in &tls.redirect {
        address_of(report, *address, runs, true);
    }
    if let Source::Files(pair) = &tls.source {
        let good = pair.load(&Shelf::default()).map(drop).map_err(|fault| anyhow!(fault.to_string()));
        report.check("certificate and key go together", good);
    }
}

fn address_of(report: &mut Report, address: SocketAddr, runs: bool, plain: bool) {
    let Err(error) = TcpListener::bind(address) else {
        return report.good(&format!("{address} is free"));
    };
    if plain && is_well(address) {
        return report.good(&format!("a server answers at {address} that it is well"));
    }
    if runs {
        let what = format!("{address} is taken, and a server runs on this data");
        let answers = (!plain).then_some(()).context("it does not answer");
        let _ = report.check(&what, answers);
        return;
    }
    let _ = report
        .check::<()>(&format!("{address} is free"), Err(error).context("another program listens there"));
}

/// Whether `GET /health` is answered with 200.
fn is_well(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&address, SOON)?;
        stream.set_read_timeout(Some(SOON))?;
        stream.write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 12];
        stream.read_exact(&mut head)?;
        Ok(head == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

fn machine(report: &mut Report, config: &Config) {
    let data = config.data.display();
    let writable = check_writable(&config.data).map_err(Into::into);
    report.check(&format!("{data} can be written"), writable);
    match open_files() {
        Some(limit) => {
            let advice = || anyhow!("raise it with `ulimit -n 65536`");
            let enough = (limit >= FEW_FILES).then_some(()).ok_or_else(advice);
            report.check(&format!("{limit} open files are allowed"), enough);
        }
        None => report.good("the limit of open files is not known here"),
    }
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

/// The database and the key that opens what is sealed in it; the chat on both, to read in.
fn workspace(report: &mut Report, config: &Config, runtime: &Runtime) -> Option<Core> {
    let what = "the database can be opened and has this version's schema";
    let location = wiring::location(config);
    if let parlor_store::Location::Sqlite(path) = &location
        && !path.exists()
    {
        report.good("there is no database yet: the first start makes it");
        return None;
    }
    let given = std::env::var("PARLOR_SECRET_KEY").is_ok_and(|key| !key.trim().is_empty());
    let key = config.data.join("secret.key");
    if !given && !key.exists() {
        let lost = anyhow!("{} is not there; restore it from a backup", key.display());
        report.check::<()>("the key of this workspace is there", Err(lost));
        return None;
    }
    let core = match runtime.block_on(wiring::look(config)) {
        Err(error) if is_older(&error) => {
            report.good("the database is of an earlier version: the next start brings it up to date");
            return None;
        }
        opened => report.check(what, opened)?.alone(),
    };
    let opens = runtime.block_on(core.chat.vapid()).map(drop);
    report.check("the key opens what is sealed in the database", opens.map_err(Into::into));
    Some(core)
}

fn is_older(error: &anyhow::Error) -> bool {
    let open = error.downcast_ref::<OpenError>();
    matches!(open, Some(OpenError::Migration(MigrationError::Older { .. })))
}

/// Every file that the database names lies in its folder.
fn files(report: &mut Report, config: &Config, core: Option<&Core>, runtime: &Runtime) {
    let Some(core) = core else { return };
    let found = runtime.block_on(look::files(&core.engine, &config.data.join("files")));
    let all_there = found.map_err(anyhow::Error::from).and_then(|files| {
        ensure!(files.missing == 0, "{} of {} are not there", files.missing, files.named);
        Ok(())
    });
    report.check("the files that the database names are there", all_there);
}

/// The mail server of the settings, and whether it answers; without logging in.
fn mail(report: &mut Report, config: &Config, settings: Option<&Settings>, runtime: &Runtime) {
    let get = |id: &str| match config.overwrite.get(id) {
        Some(text) => text.clone(),
        None => settings.map(|known| known.text(id).to_owned()).unwrap_or_default(),
    };
    let (protocol, host, port) = (get("SMTP_Protocol"), get("SMTP_Host"), get("SMTP_Port"));
    let ignores = settings.is_some_and(|known| known.is_on("SMTP_IgnoreTLS"));
    let ignore_tls = config.overwrite.get("SMTP_IgnoreTLS").map_or(ignores, |text| text == "true");
    let Some(server) = parlor_mail::Server::read(&protocol, &host, &port, None, ignore_tls) else {
        return report
            .good("no mail server is set up (SMTP_Host): no letters, no reset of passwords by mail");
    };
    let answer = runtime.block_on(parlor_mail::check(&server)).map_err(|fault| anyhow!(fault.text));
    report.check(&format!("the mail server {}:{} answers", server.host, server.port), answer);
}

fn bucket(place: &S3Place, data: &Path, runtime: &Runtime) -> Result<()> {
    let bucket = S3Blobs::new(place, data.join("files"))?;
    runtime.block_on(bucket.probe()).map_err(anyhow::Error::msg)
}

//! What each command does, beside `serve`.

mod backup;
mod doctor;
mod explain;
mod movein;
mod openapi;
mod reference;
mod users;

use anyhow::{Context, Result};
use parlor_movein::{live, rocketchat, slack};
use parlor_store::{Alone, OpenError};

use crate::{
    cli::{Cli, Command, ImportCommand, Place, ServeFlags, TokenCommand, UserCommand},
    config::{Config, environment},
    logs, serve,
    wiring::{self, Core},
};

/// Runs the command that was asked for.
pub fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(flags) => serve::run(&flags),
        Command::Backup { place, target } => backup::backup(&place, &target),
        Command::Restore { place, source } => backup::restore(&place, &source),
        Command::User(command @ UserCommand::List { .. }) => {
            looking(command.place(), async |core| users::run(core, &command).await)
        }
        Command::User(command) => with_core(command.place(), async |core| users::run(core, &command).await),
        Command::Token(command @ TokenCommand::List { .. }) => {
            looking(command.place(), async |core| users::tokens(core, &command).await)
        }
        Command::Token(command) => {
            with_core(command.place(), async |core| users::tokens(core, &command).await)
        }
        Command::Import(ImportCommand::Showwise { place, source, dry_run }) => {
            with_core(&place, async |core| movein::showwise(core, &source, dry_run).await)
        }
        Command::Import(ImportCommand::Rocketchat {
            place, source: Some(source), files, dry_run, ..
        }) => {
            let scratch = place.data.join(movein::SCRATCH);
            let options = rocketchat::Options { source, files, scratch, dry_run };
            with_core(&place, async |core| movein::rocketchat(core, &options).await)
        }
        Command::Import(ImportCommand::Rocketchat { place, url, token, user_id, dry_run, .. }) => {
            let options = live::Options {
                url: url.unwrap_or_default(),
                token: token.unwrap_or_default(),
                user_id: user_id.unwrap_or_default(),
                scratch: place.data.join(movein::SCRATCH),
                dry_run,
            };
            with_core(&place, async |core| movein::live(core, &options).await)
        }
        Command::Import(ImportCommand::Slack { place, source, token, dry_run }) => {
            let options = slack::Options { source, token, dry_run };
            with_core(&place, async |core| movein::slack(core, &options).await)
        }
        Command::Explain(args) => looking(&args.place, async |core| explain::run(core, &args).await),
        Command::Doctor(flags) => doctor::run(&flags),
        Command::Openapi => openapi::print(),
        Command::Reference { door } => reference::run(&door),
    }
}

/// Said where a server keeps in memory what a command would change behind its back.
const TAKEN: &str = "a command that changes something needs the database to itself: stop the server first, or do it in \
                     the administration";

/// Runs work on the store that `place` names. No server may be running on it that would not hear of it.
fn with_core(place: &Place, work: impl AsyncFnOnce(&Core) -> Result<()>) -> Result<()> {
    let config = config_of(place)?;
    // Those who share what happens by Redis hear of what others change.
    let _alone = match (&config.database, &config.redis) {
        (Some(url), None) => {
            let alone = Alone::take(url)?.context("the database is in use by another Parlor");
            Some(alone.context(TAKEN)?)
        }
        _ => None,
    };
    let open = async |config: &Config| {
        wiring::open(config).await.map_err(|error| match error.downcast_ref() {
            Some(OpenError::InUse(_)) => error.context(TAKEN),
            _ => error,
        })
    };
    on_core(&config, open, work)
}

/// Runs work that only reads, also while the server runs.
fn looking(place: &Place, work: impl AsyncFnOnce(&Core) -> Result<()>) -> Result<()> {
    on_core(&config_of(place)?, async |config| wiring::look(config).await, work)
}

fn config_of(place: &Place) -> Result<Config> {
    logs::start(crate::config::LogFormat::Text);
    let flags = ServeFlags {
        data: Some(place.data.clone()),
        database: place.database.clone(),
        ..ServeFlags::default()
    };
    // The environment's own addresses and modes are the server's affair.
    let env = environment().into_iter().filter(|(key, _)| key != "TEST_MODE").collect();
    Config::load(&flags, &env)
}

fn on_core(
    config: &Config,
    open: impl AsyncFnOnce(&Config) -> Result<Core>,
    work: impl AsyncFnOnce(&Core) -> Result<()>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let core = open(config).await?.alone();
        let done = work(&core).await;
        let engine = core.engine.clone();
        drop(core);
        tokio::task::spawn_blocking(move || engine.close()).await.context("the store could not be closed")?;
        done
    })
}

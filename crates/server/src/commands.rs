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

/// Runs work on the store that `place` names. With SQLite the server must not be running.
fn with_core(place: &Place, work: impl AsyncFnOnce(&Core) -> Result<()>) -> Result<()> {
    let taken = "a command that changes something needs the database to itself: stop the server first, or do it in the \
                 administration";
    on_core(place, async |config| wiring::open(config).await.context(taken), work)
}

/// Runs work that only reads, also while the server runs.
fn looking(place: &Place, work: impl AsyncFnOnce(&Core) -> Result<()>) -> Result<()> {
    on_core(place, async |config| wiring::look(config).await, work)
}

fn on_core(
    place: &Place,
    open: impl AsyncFnOnce(&Config) -> Result<Core>,
    work: impl AsyncFnOnce(&Core) -> Result<()>,
) -> Result<()> {
    logs::start(crate::config::LogFormat::Text);
    let flags = ServeFlags {
        data: Some(place.data.clone()),
        database: place.database.clone(),
        ..ServeFlags::default()
    };
    // The environment's own addresses and modes are the server's affair.
    let env = environment().into_iter().filter(|(key, _)| key != "TEST_MODE").collect();
    let config = Config::load(&flags, &env)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let core = open(&config).await?.alone();
        let done = work(&core).await;
        let engine = core.engine.clone();
        drop(core);
        tokio::task::spawn_blocking(move || engine.close()).await.context("the store could not be closed")?;
        done
    })
}

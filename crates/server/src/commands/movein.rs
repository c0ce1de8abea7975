//! `parlor import …`

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use parlor_core::{bootstrap::ROCKET_CAT, id::UserId, session::Actor};
use parlor_movein::{Tally, live, rocketchat, showwise, slack};

use crate::wiring::Core;

/// Scratch files of an import, within the data directory.
pub(super) const SCRATCH: &str = "moving-in";

/// `parlor import rocketchat PATH`
pub(super) async fn rocketchat(core: &Core, options: &rocketchat::Options) -> Result<()> {
    core.chat.ensure_bot().await?;
    let tally = rocketchat::run(&core.chat, options).await?;
    end(core, "rocketchat", &tally, options.dry_run).await
}

/// `parlor import rocketchat --url URL`
pub(super) async fn live(core: &Core, options: &live::Options) -> Result<()> {
    core.chat.ensure_bot().await?;
    // The operator names that server himself, so it may be anywhere.
    let client = parlor_http::Client::only_to(&options.url).map_err(|why| anyhow::anyhow!("{why}"))?;
    let tally = live::run(&core.chat, Arc::new(client), options).await?;
    end(core, "rocketchat", &tally, options.dry_run).await
}

/// `parlor import slack FILE`
pub(super) async fn slack(core: &Core, options: &slack::Options) -> Result<()> {
    core.chat.ensure_bot().await?;
    let tally = slack::run(&core.chat, options).await?;
    end(core, "slack", &tally, options.dry_run).await
}

async fn end(core: &Core, source: &str, tally: &Tally, dry_run: bool) -> Result<()> {
    if dry_run {
        println!("nothing was stored; this is what would be done:");
    } else {
        core.chat.moved_in(&Actor::system(UserId::new(ROCKET_CAT))).await?;
        core.chat.note_import(source, &tally.to_string()).await?;
    }
    print!("{tally}");
    ensure!(tally.add_up(), "the counts do not add up: please report this");
    Ok(())
}

/// `parlor import showwise FOLDER`
pub(super) async fn showwise(core: &Core, source: &Path, dry_run: bool) -> Result<()> {
    let old = showwise::read(source)?;
    core.chat.ensure_bot().await?;
    core.chat.ensure_system_user().await?;
    core.chat.ensure_general(&UserId::new(ROCKET_CAT)).await?;
    let actor = Actor::system(UserId::new(ROCKET_CAT));
    let counts = showwise::run(&core.chat, &actor, old, dry_run).await?;
    if dry_run {
        println!("nothing was stored; this is what would be done:");
    } else {
        core.chat.moved_in(&actor).await?;
        core.chat.note_import("showwise", &counts.to_string()).await?;
    }
    print!("{counts}");
    ensure!(counts.add_up(), "the counts do not add up: please report this");
    Ok(())
}

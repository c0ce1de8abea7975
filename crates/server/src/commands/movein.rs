//! `parlor import …`

use std::path::Path;

use anyhow::{Result, ensure};
use parlor_core::{bootstrap::ROCKET_CAT, id::UserId, session::Actor};
use parlor_movein::showwise;

use crate::wiring::Core;

/// `parlor import showwise FOLDER`
pub(super) async fn showwise(core: &Core, source: &Path, dry_run: bool) -> Result<()> {
    let old = showwise::read(source)?;
    core.chat.ensure_bot().await?;
    core.chat.ensure_system_user().await?;
    core.chat.ensure_general(&UserId::new(ROCKET_CAT)).await?;
    let actor = Actor::system(UserId::new(ROCKET_CAT));
    let counts = showwise::run(&core.chat, &actor, &old, dry_run).await?;
    if dry_run {
        println!("nothing was stored; this is what would be done:");
    }
    print!("{counts}");
    ensure!(counts.add_up(), "the counts do not add up: please report this");
    Ok(())
}

//! A Rocket.Chat database, as `mongodump` wrote it.

mod stored;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use parlor_core::chat::Chat;

use self::stored::Stored;
use crate::{
    doc::Doc,
    dump::{Dump, Key, Scratch, Sorter, doc},
    tally::Tally,
    workspace::{Batch, Importer, kind, order},
};

/// The collections that are read.
const WANTED: [&str; 18] = [
    "users",
    "rocketchat_roles",
    "rocketchat_permissions",
    "rocketchat_room",
    "rocketchat_team",
    "rocketchat_uploads",
    "rocketchat_uploads.files",
    "rocketchat_uploads.chunks",
    "rocketchat_message",
    "rocketchat_subscription",
    "rocketchat_avatars",
    "rocketchat_avatars.files",
    "rocketchat_avatars.chunks",
    "rocketchat_custom_emoji",
    "custom_emoji.files",
    "custom_emoji.chunks",
    "rocketchat_settings",
    "rocketchat_integrations",
];

/// What to bring in, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The dump: a folder or an archive, packed or not.
    pub source: PathBuf,
    /// Where the files lie that the other server kept outside its database.
    pub files: Option<PathBuf>,
    /// A folder for scratch files; made, emptied and removed.
    pub scratch: PathBuf,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Brings in a dump. What was brought in before stays as it is, so a run that was cut short is done again.
///
/// # Errors
/// When the dump can't be read or the store fails; what was stored until then stays.
pub async fn run(chat: &Chat, options: &Options) -> Result<Tally> {
    let scratch = Scratch::new(&options.scratch)?;
    eprintln!("reading {}", options.source.display());
    let dump = Dump::open(&options.source, &WANTED, "rocketchat_room", scratch)?;
    let mut importer = Importer::new(chat, options.dry_run);
    if !dump.unread.is_empty() {
        importer.tally.note(format!("not read: {}", dump.unread.join(", ")));
    }
    people_and_places(&mut importer, &dump).await?;
    files(&mut importer, &dump, options.files.as_deref()).await?;
    messages(&mut importer, &dump).await?;
    let mut batch = Batch::new();
    let mut docs = dump.docs("rocketchat_subscription", kind::MEMBERS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        if let Some(full) = batch.push(doc) {
            importer.members(full).await?;
        }
    }
    importer.members(batch.rest()).await?;
    pictures(&mut importer, &dump, options.files.as_deref()).await?;
    let mut docs = dump.docs("rocketchat_settings", kind::SETTINGS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.setting(doc).await?;
    }
    let mut docs = dump.docs("rocketchat_integrations", kind::INTEGRATIONS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.integration(doc).await?;
    }
    Ok(importer.tally)
}

async fn people_and_places(importer: &mut Importer<'_>, dump: &Dump) -> Result<()> {
    let mut docs = dump.docs("rocketchat_roles", kind::ROLES)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.role(doc).await?;
    }
    let mut batch = Batch::new();
    let mut docs = dump.docs("users", kind::USERS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        if let Some(full) = batch.push(doc) {
            importer.users(full).await?;
        }
    }
    importer.users(batch.rest()).await?;
    let mut docs = dump.docs("rocketchat_permissions", kind::PERMISSIONS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.permission(doc).await?;
    }
    let mut batch = Batch::new();
    let mut docs = dump.docs("rocketchat_room", kind::ROOMS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        if let Some(full) = batch.push(doc) {
            importer.rooms(full).await?;
        }
    }
    importer.rooms(batch.rest()).await?;
    let mut docs = dump.docs("rocketchat_team", kind::TEAMS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.team(doc).await?;
    }
    Ok(())
}

async fn files(importer: &mut Importer<'_>, dump: &Dump, folder: Option<&Path>) -> Result<()> {
    let chunks = dump.chunks("rocketchat_uploads.files", "rocketchat_uploads.chunks")?;
    let mut stored = Stored::new(chunks, folder, Doc::id);
    let mut docs = dump.docs("rocketchat_uploads", kind::FILES)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.file(doc, &mut stored).await?;
    }
    Ok(())
}

async fn pictures(importer: &mut Importer<'_>, dump: &Dump, folder: Option<&Path>) -> Result<()> {
    let chunks = dump.chunks("rocketchat_avatars.files", "rocketchat_avatars.chunks")?;
    let mut stored = Stored::new(chunks, folder, Doc::id);
    let mut docs = dump.docs("rocketchat_avatars", kind::AVATARS)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.avatar(doc, &mut stored).await?;
    }
    let chunks = dump.chunks("custom_emoji.files", "custom_emoji.chunks")?;
    let name = |doc: &Doc| format!("{}.{}", doc.words("name"), doc.words("extension"));
    let mut stored = Stored::new(chunks, folder, name);
    let mut docs = dump.docs("rocketchat_custom_emoji", kind::EMOJI)?;
    while let Some(doc) = docs.next(&mut importer.tally)? {
        importer.emoji(doc, &mut stored).await?;
    }
    Ok(())
}

/// Messages lie in a dump in no certain order: they are sorted by room and time first.
async fn messages(importer: &mut Importer<'_>, dump: &Dump) -> Result<()> {
    let mut sorter = Sorter::new(dump.scratch.path());
    let mut raw = dump.raw("rocketchat_message")?;
    while let Some(bytes) = raw.next()? {
        let Some(message) = doc(bytes, kind::MESSAGES, &mut importer.tally) else { continue };
        let (group, number, name) = order(&message);
        sorter.push(Key { group, number, name }, bytes)?;
    }
    let mut sorted = sorter.finish()?;
    let mut batch = Batch::of_messages();
    while let Some((_, bytes)) = sorted.next()? {
        let message = doc(&bytes, kind::MESSAGES, &mut importer.tally);
        let message = message.context("a message that was read before")?;
        if let Some(full) = batch.push_of(message, bytes.len()) {
            importer.messages(full).await?;
        }
    }
    importer.messages(batch.rest()).await
}

//! A Slack workspace, from the archive that its administrators can export.

mod archive;
mod files;
mod messages;
mod text;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use parlor_core::chat::Chat;
use serde_json::{Value, json};

use self::{archive::Export, files::Outside, messages::Room, text::Names};
use crate::{
    doc::Doc,
    tally::Tally,
    workspace::{Batch, Importer},
};

/// What to bring in, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The exported zip file.
    pub source: PathBuf,
    /// A token by which files can be fetched from Slack; without one messages keep links to them.
    pub token: Option<String>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Brings in an export. What was brought in before stays as it is, so a run that was cut short is done again.
///
/// # Errors
/// When the archive can't be read or the store fails; what was stored until then stays.
pub async fn run(chat: &Chat, options: &Options) -> Result<Tally> {
    let mut export = Export::open(&options.source)?;
    let users = export.list("users.json")?;
    ensure!(!users.is_empty(), "{} is no export of Slack: it has no users.json", options.source.display());
    let mut importer = Importer::new(chat, options.dry_run);
    let mut names = Names::default();
    let mut batch = Batch::new();
    for user in &users {
        names.users.insert(user.words("id"), user.words("name"));
        if let Some(full) = batch.push(account(user)) {
            importer.users(full).await?;
        }
    }
    importer.users(batch.rest()).await?;
    let rooms = rooms(&mut export)?;
    for room in &rooms {
        names.rooms.insert(room.source.clone(), room.name.clone());
    }
    let unread = export.unread(&rooms.iter().map(|room| room.folder.as_str()).collect());
    if !unread.is_empty() {
        importer.tally.note(format!("not read: {}", unread.join(", ")));
    }
    for some in rooms.chunks(parlor_core::moving::AT_ONCE) {
        importer.rooms(some.iter().map(|room| room.doc.clone()).collect()).await?;
    }
    let mut outside = options.token.as_ref().map(|token| Outside::new(chat, token));
    for room in &rooms {
        for day in 0..export.days(&room.folder) {
            let mut found = export.day(&room.folder, day)?;
            found.sort_by_key(messages::moment);
            bring_day(&mut importer, room, &found, &names, outside.as_mut()).await?;
        }
        members(&mut importer, room).await?;
    }
    Ok(importer.tally)
}

async fn bring_day(
    importer: &mut Importer<'_>,
    room: &Room,
    found: &[Doc],
    names: &Names,
    mut outside: Option<&mut Outside<'_>>,
) -> Result<()> {
    let mut batch = Batch::new();
    for message in found {
        if let Some(outside) = outside.as_deref_mut() {
            for file in messages::uploads(message, room) {
                importer.file(file, outside).await?;
            }
        }
        let doc = messages::message(message, room, names, outside.is_some());
        if let Some(full) = batch.push(doc) {
            importer.messages(full).await?;
        }
    }
    importer.messages(batch.rest()).await
}

async fn members(importer: &mut Importer<'_>, room: &Room) -> Result<()> {
    let mut batch = Batch::new();
    for user in &room.members {
        let roles: &[&str] = if *user == room.creator && !room.direct { &["owner"] } else { &[] };
        let doc = Doc::of(json!({
            "_id": format!("{}-{user}", room.id), "rid": room.id, "u": {"_id": user}, "roles": roles, "open": true,
            "ts": room.doc.at("ts"), "alert": false, "unread": 0,
        }));
        if let Some(full) = batch.push(doc) {
            importer.members(full).await?;
        }
    }
    importer.members(batch.rest()).await
}

/// An account in Rocket.Chat's shape. Slack exports no passwords: people ask for a new one by mail.
fn account(user: &Doc) -> Doc {
    let first = |paths: &[&str]| paths.iter().find_map(|path| user.text(path));
    let admin = ["is_admin", "is_owner", "is_primary_owner"].iter().any(|flag| user.is(flag));
    let bot = user.is("is_bot") || user.words("id") == "USLACKBOT";
    let roles: &[&str] = match (admin, bot) {
        (true, _) => &["user", "admin"],
        (_, true) => &["bot"],
        _ => &["user"],
    };
    let emails: Vec<Value> = user
        .text("profile.email")
        .map(|address| json!({"address": address, "verified": true}))
        .into_iter()
        .collect();
    Doc::of(json!({
        "_id": user.words("id"), "username": user.words("name"),
        "name": first(&["profile.real_name", "real_name", "profile.display_name", "name"]),
        "nickname": user.text("profile.display_name"), "bio": user.text("profile.title"),
        "statusText": user.text("profile.status_text"), "type": if bot { "bot" } else { "user" },
        "active": !user.is("deleted"), "roles": roles, "emails": emails,
        "utcOffset": user.number("tz_offset").map(|seconds| seconds / 3600.0),
        "createdAt": seconds(user, "updated"),
    }))
}

/// A time in whole seconds.
fn seconds(doc: &Doc, path: &str) -> Value {
    doc.number(path).map_or(Value::Null, |seconds| json!({ "$date": (seconds * 1000.0) as i64 }))
}

fn rooms(export: &mut Export) -> Result<Vec<Room>> {
    let mut all = Vec::new();
    for (list, kind) in [("channels.json", "c"), ("groups.json", "p"), ("mpims.json", "d"), ("dms.json", "d")]
    {
        all.extend(export.list(list)?.iter().map(|room| place(room, kind)));
    }
    Ok(all)
}

fn place(room: &Doc, kind: &str) -> Room {
    let source = room.words("id");
    let direct = kind == "d";
    let name = room.text("name").unwrap_or_else(|| source.clone());
    let members = room.texts("members");
    // The room that everybody is in is the same here and there.
    let id = if room.is("is_general") { "GENERAL".to_owned() } else { source.clone() };
    let doc = Doc::of(json!({
        "_id": id, "t": kind, "name": name, "topic": room.text("topic.value"),
        "description": room.text("purpose.value"), "u": {"_id": room.words("creator")}, "ts": seconds(room, "created"),
        "archived": room.is("is_archived"), "default": room.is("is_general"),
        "uids": if direct { json!(members) } else { Value::Null },
    }));
    Room {
        folder: if room.text("name").is_some() { name.clone() } else { source.clone() },
        source,
        id,
        name,
        direct,
        creator: room.words("creator"),
        members,
        doc,
    }
}

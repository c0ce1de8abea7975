//! A running Rocket.Chat, asked over its REST API while people go on using it. Run again, it brings in what is new.

mod api;

use std::{io::Write, path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use parlor_core::{chat::Chat, fetch::Fetch};
use serde_json::{Value, json};

use self::api::{Answer, Api, PAGE};
use crate::{
    doc::Doc,
    dump::{Key, Scratch, Sorter},
    tally::Tally,
    workspace::{Batch, Bytes, Importer, order},
};

/// Largest file.
const LARGEST_FILE: usize = 256 * 1024 * 1024;
const HISTORIES: &str = "histories";

/// What to bring in, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The server's address.
    pub url: String,
    /// A personal access token of an administrator.
    pub token: String,
    /// That administrator's id.
    pub user_id: String,
    /// A folder for scratch files; made, emptied and removed.
    pub scratch: PathBuf,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// Brings in what an administrator may see. What was brought in before stays as it is.
///
/// # Errors
/// When the server does not let the administrator in, or does not answer for long, or the store fails; what was stored
/// until then stays.
pub async fn run(chat: &Chat, fetch: Arc<dyn Fetch>, options: &Options) -> Result<Tally> {
    let api = Api::new(fetch, &options.url, &options.user_id, &options.token);
    let me = api.get("me", &[]).await.context("the token does not open that server")?;
    ensure!(me.texts("roles").contains(&"admin".to_owned()), "the token is not an administrator's");
    let scratch = Scratch::new(&options.scratch)?;
    let mut importer = Importer::new(chat, options.dry_run);
    let people = people(&mut importer, &api).await?;
    let rooms = rooms(&mut importer, &api).await?;
    for room in &rooms {
        history(&mut importer, &api, &scratch, room).await?;
        members(&mut importer, &api, room).await?;
    }
    pictures(&mut importer, &api, people).await?;
    Ok(importer.tally)
}

/// Takes in roles and accounts; who has a picture.
async fn people(importer: &mut Importer<'_>, api: &Api) -> Result<Vec<Doc>> {
    for role in api.get("roles.list", &[]).await?.docs("roles") {
        importer.role(role).await?;
    }
    let mut pictures = Vec::new();
    for offset in (0..).step_by(PAGE) {
        let users = api.page("users.list", &[("sort", r#"{"username":1}"#)], "users", offset).await?;
        if users.is_empty() {
            break;
        }
        let with_picture = users.iter().filter(|user| user.text("avatarETag").is_some());
        pictures.extend(with_picture.map(|user| {
            let name = user.words("username");
            Doc::of(json!({"_id": name, "userId": user.id(), "path": format!("/avatar/{name}")}))
        }));
        importer.users(users).await?;
    }
    Ok(pictures)
}

async fn rooms(importer: &mut Importer<'_>, api: &Api) -> Result<Vec<Doc>> {
    let mut all = Vec::new();
    for offset in (0..).step_by(PAGE) {
        let rooms = api.page("rooms.adminRooms", &[("sort", r#"{"name":1}"#)], "rooms", offset).await?;
        if rooms.is_empty() {
            break;
        }
        importer.rooms(rooms.clone()).await?;
        // Of a room only its kind and id are needed from here on.
        all.extend(rooms.iter().map(|room| Doc::of(json!({"_id": room.id(), "t": room.words("t")}))));
    }
    all.retain(|room| importer.has_room(&room.id()));
    Ok(all)
}

/// The family of endpoints for a room.
fn family(room: &Doc) -> &'static str {
    match room.words("t").as_str() {
        "c" => "channels",
        "p" => "groups",
        _ => "im",
    }
}

/// A room's messages, read from the newest to the first page that is all here, then brought in from the oldest.
async fn history(importer: &mut Importer<'_>, api: &Api, scratch: &Scratch, room: &Doc) -> Result<()> {
    importer.tally.read(HISTORIES);
    let endpoint = format!("{}.history", family(room));
    let (id, count) = (room.id(), PAGE.to_string());
    let mut sorter = Sorter::new(scratch.path());
    let (mut latest, mut skipped): (Option<String>, usize) = (None, 0);
    loop {
        let offset = skipped.to_string();
        let mut query = vec![("roomId", id.as_str()), ("count", count.as_str()), ("offset", offset.as_str())];
        if let Some(latest) = &latest {
            query.extend([("latest", latest.as_str()), ("inclusive", "true")]);
        }
        let messages = match api.ask(&endpoint, &query).await? {
            Answer::Good(doc) => doc.docs("messages"),
            Answer::Refused(why) => {
                importer.tally.left(HISTORIES, &id, &format!("the administrator may not read it ({why})"));
                return Ok(());
            }
        };
        for message in &messages {
            let (group, number, name) = order(message);
            let bytes = Value::Object(message.0.clone()).to_string();
            sorter.push(Key { group, number, name }, bytes.as_bytes())?;
        }
        let oldest = messages.iter().filter_map(|message| message.text("ts")).min();
        if messages.len() < PAGE || importer.has_messages(&messages).await? {
            break;
        }
        // More than a page was written in one moment: the next page begins behind this one.
        skipped = if oldest == latest { skipped + PAGE } else { 0 };
        latest = oldest;
    }
    importer.tally.done(HISTORIES, &id, &parlor_core::moving::Moved::New(()));
    bring(importer, api, sorter).await
}

async fn bring(importer: &mut Importer<'_>, api: &Api, sorter: Sorter) -> Result<()> {
    let mut sorted = sorter.finish()?;
    let mut batch = Batch::new();
    let mut last = None;
    while let Some((key, bytes)) = sorted.next()? {
        // Pages share the message at which one ends and the next begins.
        if last.as_ref() == Some(&key) {
            continue;
        }
        last = Some(key);
        let message = Doc::of(serde_json::from_slice(&bytes).context("a message that was read before")?);
        for file in uploads(&message) {
            importer.file(file, &mut Remote { api }).await?;
        }
        if let Some(full) = batch.push(message) {
            importer.messages(full).await?;
        }
    }
    importer.messages(batch.rest()).await
}

/// The files of a message, in the shape of uploads.
fn uploads(message: &Doc) -> Vec<Doc> {
    let mut files = message.docs("files");
    if files.is_empty() {
        files.extend(message.at("file").cloned().map(Doc::of));
    }
    let upload = |file: &Doc| {
        let (id, name) = (file.text("_id")?, file.words("name"));
        let path = format!("/file-upload/{id}/file");
        let small = file.words("typeGroup") == "thumb"
            || (name.starts_with("thumb-") && message.docs("files").len() > 1);
        (!small).then(|| {
            Doc::of(json!({
                "_id": id, "name": name, "rid": message.words("rid"), "userId": message.words("u._id"),
                "uploadedAt": message.at("ts"), "path": path,
            }))
        })
    };
    files.iter().filter_map(upload).collect()
}

async fn members(importer: &mut Importer<'_>, api: &Api, room: &Doc) -> Result<()> {
    let id = room.id();
    let query = [("roomId", id.as_str())];
    let mut roles = std::collections::HashMap::new();
    if room.words("t") != "d"
        && let Answer::Good(doc) = api.ask(&format!("{}.roles", family(room)), &query).await?
    {
        roles.extend(doc.docs("roles").iter().map(|held| (held.words("u._id"), held.texts("roles"))));
    }
    let endpoint = format!("{}.members", family(room));
    for offset in (0..).step_by(PAGE) {
        let (from, count) = (offset.to_string(), PAGE.to_string());
        let query = [("roomId", id.as_str()), ("offset", from.as_str()), ("count", count.as_str())];
        let found = match api.ask(&endpoint, &query).await? {
            Answer::Good(doc) => doc.docs("members"),
            Answer::Refused(_) => break,
        };
        if found.is_empty() {
            break;
        }
        let member = |user: &Doc| {
            Doc::of(json!({
                "_id": format!("{id}:{}", user.id()), "rid": id, "u": {"_id": user.id()}, "open": true, "alert": false,
                "roles": roles.get(&user.id()), "unread": 0,
            }))
        };
        importer.members(found.iter().map(member).collect()).await?;
    }
    Ok(())
}

async fn pictures(importer: &mut Importer<'_>, api: &Api, people: Vec<Doc>) -> Result<()> {
    for picture in people {
        importer.avatar(picture, &mut Remote { api }).await?;
    }
    let Answer::Good(list) = api.ask("emoji-custom.list", &[]).await? else { return Ok(()) };
    for mut emoji in list.docs("emojis.update") {
        let path = format!("/emoji-custom/{}.{}", emoji.words("name"), emoji.words("extension"));
        emoji.0.insert("path".into(), path.into());
        importer.emoji(emoji, &mut Remote { api }).await?;
    }
    Ok(())
}

/// Files behind a `path` of the other server.
struct Remote<'a> {
    api: &'a Api,
}

impl Bytes for Remote<'_> {
    async fn copy(&mut self, doc: &Doc, to: &mut (dyn Write + Send)) -> Result<Result<(), String>> {
        let got = self.api.bytes(&doc.words("path"), LARGEST_FILE).await?;
        Ok(match got.is_success() {
            true => to.write_all(&got.body).map_err(|why| why.to_string()),
            false => Err(format!("the server answers {}", got.status)),
        })
    }

    async fn missing(&mut self, _doc: &Doc) -> Option<String> {
        None
    }
}

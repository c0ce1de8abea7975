//! Uploading to rooms: in two steps (`rooms.media`, `rooms.mediaConfirm`) or in one (`rooms.upload`).

use std::{collections::HashMap, path::PathBuf};

use axum::http::StatusCode;
use parlor_core::{
    id::{RoomId, UploadId},
    messages::Draft,
    store::{FileFilter, Upload},
    uploads::Arrived,
};
use parlor_live::body::{self, Field, Unread};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    rest::{chat_draft, im, rooms_call::Family},
    route::{Outcome, Route, get, post},
    shape::{attachment::file_path, message},
    who::Who,
};

/// Form fields beside the file, and their size, at most.
const FIELDS: usize = 20;
const FIELD_BYTES: usize = 64 * 1024;
/// Bytes of a form around its file.
const AROUND: u64 = 1024 * 1024;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = vec![
        post("rooms.media/{rid}", Who::Member, "/$private form file {}", media),
        post("rooms.mediaConfirm/{rid}/{fid}", Who::Member, "/$private/none {}", confirm)
            .answering("invalid-file"),
        post("rooms.upload/{rid}", Who::Member, "/$private form file {}", upload),
    ];
    routes.push(get("rooms.images", Who::Member, "roomId=$private", images));
    routes.push(post("uploads.delete", Who::User, r#"{"fileId":"none"}"#, delete).answering("invalid-file"));
    for (family, sample) in [(Family::Channels, "roomId=$public"), (Family::Groups, "roomId=$private")] {
        let who = if family == Family::Groups { Who::Member } else { Who::Reader };
        routes.push(get(&family.path("files"), who, sample, move |call| async move {
            let room = family.asked(&call).await?;
            files(call, room.id.clone()).await
        }));
    }
    for name in ["im.files", "dm.files"] {
        routes.push(get(name, Who::Member, "roomId=$direct", |call: Call| async move {
            let room = im::find(&call, call.param("roomId"), call.param("username")).await?;
            files(call, room.id.clone()).await
        }));
    }
    routes
}

/// A form with one file, which waits in a temporary place and is removed unless it is stored.
struct Form {
    file: Option<Arrived>,
    fields: HashMap<String, String>,
}

impl Drop for Form {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            remove(file.path);
        }
    }
}

fn remove(path: PathBuf) {
    // It may be gone already; whatever stays is swept later.
    let _ = std::fs::remove_file(path);
}

/// Removes a half-written file when its request ends early.
struct Half(Option<PathBuf>);

impl Drop for Half {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            remove(path);
        }
    }
}

fn bad_form() -> Refused {
    Refused::new("Error parsing the form [invalid-form]").kind("invalid-form")
}

/// Why a form could not be read.
pub(super) fn unread(why: Unread) -> Refused {
    match why {
        Unread::Late => Refused::status(StatusCode::REQUEST_TIMEOUT, "The form did not come in time"),
        Unread::TooLarge | Unread::Broken => bad_form(),
    }
}

fn room_id(call: &Call) -> Result<RoomId, Refused> {
    RoomId::parse(call.path("rid")).ok_or_else(Refused::unauthorized)
}

/// Reads the form; the file goes to disk as it comes and is cut off above the limit.
async fn read(call: &mut Call, room: &RoomId) -> Result<Form, Refused> {
    let (_, limit) = call.chat().may_upload(call.actor()?, room).await.map_err(upload_refused)?;
    let told =
        call.headers.get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if told.is_some_and(|length| length > limit.saturating_add(AROUND)) {
        return Err(too_large(limit));
    }
    let body = call.take_body();
    let mut form = body::Form::of(&call.headers, body).await.map_err(unread)?;
    let mut all = Form { file: None, fields: HashMap::new() };
    let mut seen = 0;
    while let Some(mut field) = form.next().await.map_err(unread)? {
        let name = field.name().to_owned();
        let Some(file_name) = field.file_name().map(str::to_owned) else {
            // Those that come twice count twice.
            seen += 1;
            if seen > FIELDS {
                return Err(bad_form());
            }
            let text = field.whole(FIELD_BYTES).await.map_err(unread)?;
            all.fields.insert(name, String::from_utf8(text).map_err(|_| bad_form())?);
            continue;
        };
        if all.file.is_some() {
            return Err(Refused::new("Just 1 file is allowed").kind("error-too-many-files"));
        }
        if name != "file" {
            return Err(Refused::meteor("invalid-field", ""));
        }
        let path = call.chat().temporary_file()?;
        all.file = Some(write(&mut field, path, file_name, limit).await?);
    }
    Ok(all)
}

async fn write(field: &mut Field<'_>, path: PathBuf, name: String, limit: u64) -> Result<Arrived, Refused> {
    let full = |_| Refused::from(parlor_core::error::Refusal::Unavailable);
    let mut half = Half(Some(path.clone()));
    let mut file = tokio::fs::File::create(&path).await.map_err(full)?;
    let (mut size, mut hash) = (0, Sha256::new());
    while let Some(chunk) = field.piece().await.map_err(unread)? {
        size += chunk.len() as u64;
        if size > limit {
            return Err(too_large(limit));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(full)?;
    }
    file.flush().await.map_err(full)?;
    half.0 = None;
    Ok(Arrived { path, name, size, sha256: hash.finalize().into() })
}

fn too_large(limit: u64) -> Refused {
    parlor_core::error::Refusal::TooLarge { what: "file", limit }.into()
}

/// Rooms that may not be known are forbidden, as Rocket.Chat says it here.
fn upload_refused(refusal: parlor_core::error::Refusal) -> Refused {
    use parlor_core::error::{Refusal, What};
    match refusal {
        Refusal::NotFound(What::Room) | Refusal::NotMember => Refused::unauthorized(),
        other => other.into(),
    }
}

async fn store(call: &mut Call, room: &RoomId) -> Result<(Upload, Form), Refused> {
    let mut form = read(call, room).await?;
    let Some(file) = form.file.take() else {
        return Err(Refused::new("[invalid-field]").kind("invalid-field"));
    };
    let mut half = Half(Some(file.path.clone()));
    let (chat, actor) = (call.chat(), call.actor()?);
    let stored = match is_encrypted(&form.fields)? {
        true => chat.store_encrypted(actor, room, file).await,
        false => chat.store_upload(actor, room, file).await,
    };
    let stored = stored.map_err(upload_refused)?;
    half.0 = None;
    Ok((stored, form))
}

/// Whether the form's `content` says how to decrypt the file.
fn is_encrypted(fields: &HashMap<String, String>) -> Result<bool, Refused> {
    let Some(content) = fields.get("content").filter(|text| !text.is_empty()) else { return Ok(false) };
    let bad = || Refused::meteor("invalid-field", "Invalid content");
    let content: Map<String, Value> = serde_json::from_str(content).map_err(|_| bad())?;
    let text = |key: &str| content.get(key).is_some_and(Value::is_string);
    if text("algorithm") && text("ciphertext") { Ok(true) } else { Err(bad()) }
}

async fn media(mut call: Call) -> Outcome {
    let room = room_id(&call)?;
    let (upload, _) = store(&mut call, &room).await?;
    let url = file_path(&upload.id, &upload.name);
    success(json!({ "file": { "_id": upload.id.as_str(), "url": url } }))
}

async fn confirm(mut call: Call) -> Outcome {
    let room = room_id(&call)?;
    let unknown = || Refused::new("[invalid-file]").kind("invalid-file");
    let id = UploadId::parse(call.path("fid")).ok_or_else(unknown)?;
    let object = call.object().await?;
    post_file(&call, &room, &id, object).await
}

async fn upload(mut call: Call) -> Outcome {
    let room = room_id(&call)?;
    let (upload, mut form) = store(&mut call, &room).await?;
    let mut object: Map<String, Value> = Map::new();
    for (key, value) in form.fields.drain() {
        // Forms know only texts: objects come as JSON, switches as words.
        let value = match key.as_str() {
            "customFields" | "content" | "attachments" => {
                serde_json::from_str(&value).unwrap_or(Value::String(value))
            }
            "groupable" | "tshow" => Value::Bool(value == "true"),
            _ => Value::String(value),
        };
        object.insert(key, value);
    }
    post_file(&call, &room, &upload.id, object).await
}

/// Posts the message that shows an upload.
async fn post_file(call: &Call, room: &RoomId, id: &UploadId, mut object: Map<String, Value>) -> Outcome {
    let text = |object: &Map<String, Value>, key: &str| {
        chat_draft::text(object, key).map(|found| found.unwrap_or_default().to_owned())
    };
    let description = text(&object, "description")?;
    let unknown = |_| Refused::new("[invalid-file]").kind("invalid-file");
    let mut card = call.chat().file_card(call.actor()?, room, id, &description).await.map_err(unknown)?;
    let name = text(&object, "fileName")?;
    if !name.is_empty() && name.len() <= 255 && !name.contains(['/', '\\']) {
        card.name = name;
    }
    object.insert("rid".into(), room.as_str().into());
    let draft = Draft { files: vec![card], ..chat_draft::draft(&object)? };
    let sent = call.chat().post(call.actor()?, draft).await.map_err(chat_draft::refused)?;
    let look = chat_draft::look(call.chat(), Dates::Iso);
    success(json!({ "message": message::value(&sent.message, &look) }))
}

async fn files(call: Call, room: RoomId) -> Outcome {
    let page = call.page()?;
    let text = |name| call.param(name).unwrap_or_default().to_owned();
    let filter = FileFilter { text: text("name"), group: text("typeGroup") };
    let found = call.chat().files(call.actor()?, &room, filter, page).await?;
    let mut files = Vec::with_capacity(found.items.len());
    for upload in &found.items {
        files.push(shape(&call, upload).await?);
    }
    success(json!({ "files": files, "count": files.len(), "offset": page.offset, "total": found.total }))
}

/// Pictures of a room, the newest first, or from one of them on.
async fn images(call: Call) -> Outcome {
    let page = call.page()?;
    let forbidden = || Refused::status(axum::http::StatusCode::FORBIDDEN, "Forbidden");
    let room = RoomId::parse(call.need("roomId")?).ok_or_else(forbidden)?;
    let from = call.param("startingFromId").and_then(UploadId::parse);
    let found = call.chat().images(call.actor()?, &room, from, page).await.map_err(|_| forbidden())?;
    let mut files = Vec::with_capacity(found.items.len());
    for upload in &found.items {
        files.push(shape(&call, upload).await?);
    }
    success(json!({ "files": files, "count": files.len(), "offset": page.offset, "total": found.total }))
}

/// Removes a file; its message stays and says so.
async fn delete(mut call: Call) -> Outcome {
    let object = call.object().await?;
    let id = chat_draft::text(&object, "fileId")?.ok_or_else(|| Refused::missing("fileId"))?;
    let id = UploadId::parse(id).ok_or_else(|| Refused::new("[invalid-file]").kind("invalid-file"))?;
    let gone = call.chat().delete_file(call.actor()?, &id).await?;
    let gone: Vec<&str> = gone.iter().map(|id| id.as_str()).collect();
    success(json!({ "deletedFiles": gone }))
}

async fn shape(call: &Call, upload: &Upload) -> Result<Value, Refused> {
    let path = file_path(&upload.id, &upload.name);
    let user = call.chat().user(&upload.user).await?;
    let at = Dates::Iso.value(upload.at);
    let mut file = json!({
        "_id": upload.id.as_str(), "name": upload.name, "size": upload.size, "type": upload.media_type,
        "rid": upload.room.as_deref(), "userId": upload.user.as_str(), "store": "FileSystem:Uploads",
        "complete": true, "uploading": false, "progress": 1, "extension": upload.name.rsplit('.').next(),
        "uploadedAt": at, "_updatedAt": at, "path": path, "url": path,
        "typeGroup": upload.media_type.split('/').next(),
        "user": user.map(|u| json!({ "_id": u.id.as_str(), "username": u.username, "name": u.name })),
    });
    if let Some((width, height)) = upload.dimensions {
        file["identify"] = json!({ "format": upload.media_type.rsplit('/').next(), "size": { "width": width, "height": height } });
    }
    Ok(file)
}

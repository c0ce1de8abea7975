//! `rooms.export`, `users.requestDataDownload` and `/data-export/…`: copies of what was said, as a ZIP file. Written in
//! the background, a few at a time; no mail is needed to have them.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::Arc,
};

use html_escape::encode_quoted_attribute;
use parlor_core::{
    chat::Chat,
    clock::Time,
    error::{Refusal, What},
    exports::{Export, ExportStatus},
    id::RoomId,
    letters_said::MailOut,
    message::Message,
    room::Room,
    rooms::{Bring, RoomRef},
    session::Actor,
    store::{Page, Slice},
};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::rooms_call::Body;
use crate::{
    Door,
    call::{Call, success},
    date::{self, Dates},
    refusal::Refused,
    rest::{chat_draft, files},
    route::{Outcome, Route, get, post},
    shape::{self, message::Look},
    who::Who,
};

/// Exports written at the same time; others wait.
static RUNNING: Semaphore = Semaphore::const_new(2);
/// Messages read at once, and bytes of a file.
const PAGE: u64 = 100;
const PIECE: u64 = 1 << 20;

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post(
            "rooms.export",
            Who::MayInRoom(&["mail-messages"]),
            r#"{"rid":"$public","type":"file","format":"json"}"#,
            export_room,
        ),
        get("users.requestDataDownload", Who::User, "fullExport=false", own_data),
        // A browser that follows the link has its cookies only.
        get("/data-export/{id}", Who::Anyone, "/none", download).answering("No such file"),
    ]
}

fn link(door: &Door, export: &Export) -> String {
    format!("{}/data-export/{}", shape::user::root(door), export.id)
}

/// What to write.
struct Job {
    door: Arc<Door>,
    actor: Actor,
    export: Export,
    rooms: Vec<Arc<Room>>,
    span: (Option<Time>, Option<Time>),
    /// As data, not as pages.
    data: bool,
}

async fn export_room(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let (rid, kind) = (body.need("rid")?, body.need("type")?);
    match kind {
        "email" => return by_mail(&call, rid, &body).await,
        "file" => {}
        _ => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    }
    let data = match body.need("format")? {
        "json" => true,
        "html" => false,
        _ => return Err(Refused::invalid_params("must be equal to one of the allowed values")),
    };
    let day = |key: &str| -> Result<Option<Time>, Refused> {
        let Some(text) = body.text(key)?.filter(|text| !text.is_empty()) else { return Ok(None) };
        let whole = if text.len() == 10 { format!("{text}T00:00:00.000Z") } else { text.to_owned() };
        let at = date::read_text(&whole);
        at.map(Some).ok_or_else(|| Refused::invalid_params("must match format \"date\""))
    };
    let span = (day("dateFrom")?, day("dateTo")?);
    let unknown = || Refused::meteor("error-invalid-room", "Invalid room");
    let (chat, actor) = (call.chat(), call.actor()?);
    let id = RoomId::parse(rid).ok_or_else(unknown)?;
    let room = chat.find_room(actor, RoomRef::Id(&id)).await.map_err(|_| unknown())?;
    if let (Some(from), Some(to)) = span
        && from > to
    {
        return Err(Refused::meteor("error-invalid-dates", "From date cannot be after To date"));
    }
    let export = chat.begin_room_export(actor, &id, true).await.map_err(|refusal| match refusal {
        Refusal::NotFound(What::Room) => unknown(),
        Refusal::NotAllowed(_) => Refused::meteor("error-action-not-allowed", "Mailing is not allowed"),
        other => other.into(),
    })?;
    let job = Job {
        door: call.door.clone(),
        actor: actor.clone(),
        export: export.clone(),
        rooms: vec![room],
        span,
        data,
    };
    tokio::spawn(run(job));
    let url = link(&call.door, &export);
    success(json!({ "missing": [], "exportId": export.id, "url": url }))
}

async fn by_mail(call: &Call, room: &str, body: &Body) -> Outcome {
    let listed = |key: &str| body.list(key).map(Option::unwrap_or_default);
    let messages = listed("messages")?;
    if messages.is_empty() {
        return Err(Refused::invalid_params("must NOT have fewer than 1 items"));
    }
    let (users, addresses) = (listed("toUsers")?, listed("toEmails")?);
    if users.iter().chain(&addresses).all(String::is_empty) {
        return Err(Refused::meteor("error-invalid-recipient", "Invalid recipient"));
    }
    let messages = messages.iter().map(|id| chat_draft::message_id(id)).collect::<Result<_, _>>()?;
    let subject = body.text("subject")?.unwrap_or_default().to_owned();
    let out = MailOut { messages, subject, users, addresses };
    let unknown = || Refused::meteor("error-invalid-room", "Invalid room");
    let id = RoomId::parse(room).ok_or_else(unknown)?;
    let missing =
        call.chat().mail_messages(call.actor()?, &id, &out).await.map_err(|refusal| match refusal {
            Refusal::NotFound(What::Room) => unknown(),
            Refusal::NotAllowed(_) => Refused::meteor("error-action-not-allowed", "Mailing is not allowed"),
            Refusal::Invalid { field: "emails", problem } => Refused::meteor("error-invalid-email", &problem),
            other => other.into(),
        })?;
    success(json!({ "missing": missing }))
}

/// Everything of one's own account. Asked again, it says how far it is.
async fn own_data(call: Call) -> Outcome {
    let full = call.flag("fullExport").unwrap_or_default();
    let (chat, actor) = (call.chat(), call.actor()?);
    let (export, new) = chat.begin_own_export(actor, full).await?;
    if new {
        let mine = chat.my_rooms(actor, None, Bring::Unread).await?;
        let rooms = mine.items.iter().map(|mine| mine.view.room.clone()).collect();
        let (door, actor, export) = (call.door.clone(), actor.clone(), export.clone());
        tokio::spawn(run(Job { door, actor, export, rooms, span: (None, None), data: full }));
    }
    let status = match export.status {
        ExportStatus::Pending => "pending",
        ExportStatus::Completed => "completed",
        ExportStatus::Failed => "failed",
    };
    let url = (export.status == ExportStatus::Completed).then(|| link(&call.door, &export));
    success(json!({
        "requested": new, "url": url,
        "exportOperation": {
            "_id": export.id, "userId": export.user.as_str(), "fullExport": full, "status": status,
            "createdAt": Dates::Iso.value(export.created_at), "_updatedAt": Dates::Iso.value(export.created_at),
            "roomList": [], "fileList": [],
            "generatedFile": export.upload.as_deref(),
        },
    }))
}

async fn download(call: Call) -> Outcome {
    let unknown =
        || Refused::status(axum::http::StatusCode::NOT_FOUND, "No such file, or it is not ready yet");
    let actor = call.file_actor().await?.ok_or_else(unknown)?;
    let upload = call.chat().export_file(&actor, call.path("id")).await.map_err(|_| unknown())?;
    files::whole(&call, upload).await
}

async fn run(job: Job) {
    let Ok(_turn) = RUNNING.acquire().await else { return };
    let chat = job.door.chat.clone();
    let written = match chat.temporary_file() {
        Ok(path) => match write(&job, &path).await {
            Ok(size) => Ok((path, size)),
            Err(problem) => {
                // Where the disk is full, half an archive must not keep it full.
                let _ = std::fs::remove_file(path);
                Err(problem)
            }
        },
        Err(refusal) => Err(refusal.to_string()),
    };
    let done = written.is_ok();
    let kept = chat.end_export(&job.export, written).await.is_ok();
    if let (true, Some(room)) = (done && kept, &job.export.room) {
        let text = format!("The export of this room is ready: {}", link(&job.door, &job.export));
        chat.whisper(&job.actor.user, room, &text, None);
    }
}

/// A part of the archive on its way to the thread that writes it.
enum Piece {
    Begin(String),
    Bytes(Vec<u8>),
}

type Pieces = mpsc::Sender<Piece>;

/// Writes the archive; its size.
async fn write(job: &Job, path: &Path) -> Result<u64, String> {
    let (pieces, waiting) = mpsc::channel(8);
    let file = File::create(path).map_err(|e| e.to_string())?;
    let writer = tokio::task::spawn_blocking(move || archive(file, waiting));
    let filled = fill(job, &pieces).await;
    drop(pieces);
    let size = writer.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?;
    filled.map(|()| size)
}

fn archive(file: File, mut pieces: mpsc::Receiver<Piece>) -> zip::result::ZipResult<u64> {
    let mut zip = ZipWriter::new(BufWriter::new(file));
    let options =
        SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).large_file(true);
    while let Some(piece) = pieces.blocking_recv() {
        match piece {
            Piece::Begin(name) => zip.start_file(name, options)?,
            Piece::Bytes(bytes) => zip.write_all(&bytes)?,
        }
    }
    let file = zip.finish()?.into_inner().map_err(|e| e.into_error())?;
    file.sync_all()?;
    Ok(file.metadata()?.len())
}

async fn put(pieces: &Pieces, piece: Piece) -> Result<(), String> {
    pieces.send(piece).await.map_err(|_| "the archive can't be written".to_owned())
}

async fn fill(job: &Job, pieces: &Pieces) -> Result<(), String> {
    let chat = &job.door.chat;
    if job.export.room.is_none() {
        let me = chat.active_user(&job.actor).await.map_err(|e| e.to_string())?;
        put(pieces, Piece::Begin("user.json".into())).await?;
        let own = shape::user::own(&job.door, &me, Dates::Iso);
        put(pieces, Piece::Bytes(own.to_string().into_bytes())).await?;
    }
    for room in &job.rooms {
        match room_messages(job, room, pieces).await {
            // A room that was left or removed meanwhile is passed over.
            Err(Refusal::NotFound(_) | Refusal::NotAllowed(_) | Refusal::NotMember) => {}
            done => done.map_err(|e| e.to_string())?,
        }
    }
    Ok(())
}

/// The room's messages, oldest first, then the files that they show.
async fn room_messages(job: &Job, room: &Arc<Room>, pieces: &Pieces) -> Result<(), Refusal> {
    let chat = &job.door.chat;
    let closed = |_| Refusal::Unavailable;
    let end = if job.data { "json" } else { "html" };
    put(pieces, Piece::Begin(format!("{}.{end}", file_name(room)))).await.map_err(closed)?;
    let head = if job.data { "[".to_owned() } else { page_head(room.shown_name()) };
    put(pieces, Piece::Bytes(head.into_bytes())).await.map_err(closed)?;
    // By their ids: an archive takes no name twice.
    let (mut after, mut first, mut shown) = (None, true, BTreeMap::new());
    loop {
        let messages = chat.history(&job.actor, &room.id, slice(job, after)).await?;
        let Some(last) = messages.last() else { break };
        after = Some(last.seq);
        let mut text = String::new();
        for message in &messages {
            if job.data {
                text.push_str(if first { "\n" } else { ",\n" });
                let look = Look::new(&chat.settings(), Dates::Iso);
                text.push_str(&shape::message::value(message, &look).to_string());
            } else {
                line(&mut text, message);
            }
            first = false;
            shown.extend(message.files().map(|file| (file.upload.clone(), file.name.clone())));
        }
        put(pieces, Piece::Bytes(text.into_bytes())).await.map_err(closed)?;
    }
    let tail = if job.data { "\n]\n" } else { "</body></html>\n" };
    put(pieces, Piece::Bytes(tail.into())).await.map_err(closed)?;
    if job.export.full {
        for (id, name) in shown {
            attachment(job, chat, &id, &name, pieces).await?;
        }
    }
    Ok(())
}

fn slice(job: &Job, after: Option<i64>) -> Slice {
    Slice {
        before: None,
        after,
        latest: job.span.1,
        oldest: job.span.0,
        inclusive: true,
        room_only: false,
        newest_first: false,
        page: Page { offset: 0, count: PAGE },
    }
}

async fn attachment(
    job: &Job,
    chat: &Chat,
    id: &parlor_core::id::UploadId,
    name: &str,
    pieces: &Pieces,
) -> Result<(), Refusal> {
    let Ok(upload) = chat.file(Some(&job.actor), id).await else { return Ok(()) };
    let closed = |_| Refusal::Unavailable;
    put(pieces, Piece::Begin(format!("files/{id}-{}", plain(name)))).await.map_err(closed)?;
    let mut at = 0;
    loop {
        let bytes = chat.read_file(&upload, at, PIECE).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        at += bytes.len() as u64;
        put(pieces, Piece::Bytes(bytes)).await.map_err(closed)?;
    }
}

/// A name that every file system takes.
fn plain(name: &str) -> String {
    let good = |c: char| if c.is_alphanumeric() || "-_. ".contains(c) { c } else { '_' };
    name.chars().take(100).map(good).collect()
}

fn file_name(room: &Room) -> String {
    let name = plain(room.shown_name());
    if name.is_empty() { format!("rooms/{}", room.id) } else { format!("rooms/{name}-{}", room.id) }
}

fn page_head(name: &str) -> String {
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>{0}</title></head><body><h1>{0}</h1>\n",
        encode_quoted_attribute(name)
    )
}

fn line(out: &mut String, message: &Message) {
    let name = message.shown_author();
    let at = match Dates::Iso.value(message.at) {
        Value::String(at) => at,
        _ => String::new(),
    };
    let text = match message.notice_kind() {
        Some(kind) => format!("({kind}) {}", message.text),
        None => message.text.clone(),
    };
    out.push_str(&format!("<p><strong>{}</strong> <time>{at}</time><br>", encode_quoted_attribute(name)));
    out.push_str(&encode_quoted_attribute(&text).replace('\n', "<br>"));
    for file in message.files() {
        let place = format!("../files/{}-{}", file.upload, plain(&file.name));
        out.push_str(&format!(
            "<br><a href=\"{}\">{}</a>",
            encode_quoted_attribute(&place),
            encode_quoted_attribute(&file.name)
        ));
    }
    out.push_str("</p>\n");
}

//! Copies of what was said, for whoever may have them: of one's own account, or of a room. The door writes the file;
//! this decides who may, keeps it for a week and hands it out to whoever asked for it.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};

use crate::{
    audit,
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoomId, UploadId, UserId},
    json::Json,
    permissions::{Action, Object},
    session::Actor,
    store::{Document, Lane, Page, Quota, Upload},
};

const EXPORTS: &str = "exports";
/// How long a finished export can be had.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// An export that takes longer was cut off, in milliseconds.
const LONGEST: i64 = 60 * 60 * 1000;

/// How far an export got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportStatus {
    /// It is being written.
    Pending,
    /// It can be had.
    Completed,
    /// It was cut off.
    Failed,
}

/// An export.
#[derive(Clone, Debug, PartialEq)]
pub struct Export {
    /// Opaque, and never guessed.
    pub id: String,
    /// Who asked for it.
    pub user: UserId,
    /// Of this room; `None` for the account's own data.
    pub room: Option<RoomId>,
    /// With files, and as data instead of pages.
    pub full: bool,
    /// How far it got.
    pub status: ExportStatus,
    /// Its file.
    pub upload: Option<UploadId>,
    /// Messages in it.
    pub messages: u64,
    /// When it was asked for.
    pub created_at: Time,
}

impl Chat {
    /// Begins an export of a room. Needs `mail-messages` there and the right to read it.
    pub async fn begin_room_export(&self, actor: &Actor, room: &RoomId, full: bool) -> Result<Export> {
        let found = self.room(room).await?;
        self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await?;
        self.require(actor, "mail-messages", Some(&found)).await?;
        let entry = self.audit_entry(actor, "room.exported", room).await?;
        self.begin_export(actor, Some(room.clone()), full, Some(entry)).await
    }

    /// Begins an export of one's own data; `false` when one is being made already, or was within the last day: then
    /// that one is given.
    pub async fn begin_own_export(&self, actor: &Actor, full: bool) -> Result<(Export, bool)> {
        self.active_user(actor).await?;
        let key = actor.user.to_string();
        let all = self
            .store()
            .reading(move |rows| {
                let total = rows.documents(EXPORTS, Some(&key), Page { offset: 0, count: 1 })?.total;
                let page = Page { offset: total.saturating_sub(20), count: 20 };
                Ok(rows.documents(EXPORTS, Some(&key), page)?.items)
            })
            .await?;
        let now = self.now();
        let recent = |e: &Export| now.millis() - e.created_at.millis() < 24 * LONGEST;
        let last = all.iter().rev().filter_map(read).find(|e| e.room.is_none() && e.full == full);
        match last.map(|e| aged(e, now)).filter(|e| e.status != ExportStatus::Failed && recent(e)) {
            Some(there) => Ok((there, false)),
            None => Ok((self.begin_export(actor, None, full, None).await?, true)),
        }
    }

    async fn begin_export(
        &self,
        actor: &Actor,
        room: Option<RoomId>,
        full: bool,
        entry: Option<audit::AuditEntry>,
    ) -> Result<Export> {
        let export = Export {
            // The first part orders them, the second is what nobody guesses.
            id: format!("{}-{}", self.new_id(), self.upload_id()),
            user: actor.user.clone(),
            room,
            full,
            status: ExportStatus::Pending,
            upload: None,
            messages: 0,
            created_at: self.now(),
        };
        let stored = export.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                entry.as_ref().map_or(Ok(()), |entry| audit::keep(tx, entry))?;
                tx.put_document(EXPORTS, &document(&stored))
            })
            .await?;
        Ok(export)
    }

    /// Takes in the finished file (the temporary one is used up), or notes why it was cut off.
    pub async fn end_export(
        &self,
        export: &Export,
        file: std::result::Result<(PathBuf, u64), String>,
    ) -> Result<()> {
        let mut export = export.clone();
        export.status = ExportStatus::Failed;
        let mut row = None;
        if let Err(problem) = &file {
            tracing::warn!(problem, "an export was cut off");
        }
        if let Ok((path, size)) = file {
            let now = self.now();
            let id = self.upload_id();
            let upload = Upload {
                bytes: id.clone(),
                id,
                room: None,
                user: export.user.clone(),
                message: None,
                role: "export".to_owned(),
                name: "export.zip".to_owned(),
                media_type: "application/zip".to_owned(),
                size: i64::try_from(size).unwrap_or(i64::MAX),
                sha256: [0; 32],
                original: None,
                dimensions: None,
                preview: None,
                at: now,
                expires_at: Some(now.after(KEPT)),
            };
            match self.ports.blobs.put(&upload.bytes, path).await {
                Ok(()) => {
                    export.status = ExportStatus::Completed;
                    export.upload = Some(upload.id.clone());
                    row = Some(upload);
                }
                Err(refusal) => tracing::warn!(%refusal, "an export can't be kept"),
            }
        }
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if let Some(row) = &row {
                    tx.insert_upload(row, Quota::default())?;
                }
                tx.put_document(EXPORTS, &document(&export))
            })
            .await
    }

    /// The file of an export that the caller asked for; all others are unknown.
    pub async fn export_file(&self, actor: &Actor, id: &str) -> Result<Upload> {
        self.active_user(actor).await?;
        let unknown = || Refusal::NotFound(What::Upload);
        let (id, user) = (id.to_owned(), actor.user.clone());
        let found = self
            .store()
            .reading(move |rows| {
                let export = rows.document(EXPORTS, &id)?.and_then(|d| read(&d));
                let upload = export.filter(|e| e.user == user).and_then(|e| e.upload);
                upload.map_or(Ok(None), |upload| rows.upload(&upload))
            })
            .await?;
        found.filter(|upload| upload.role == "export").ok_or_else(unknown)
    }
}

fn aged(mut export: Export, now: Time) -> Export {
    if export.status == ExportStatus::Pending && now.millis() - export.created_at.millis() > LONGEST {
        export.status = ExportStatus::Failed;
    }
    export
}

fn document(export: &Export) -> Document {
    let status = match export.status {
        ExportStatus::Pending => "pending",
        ExportStatus::Completed => "completed",
        ExportStatus::Failed => "failed",
    };
    let body = json!({
        "room": export.room.as_deref(), "full": export.full, "status": status,
        "upload": export.upload.as_deref(), "messages": export.messages,
    });
    let body = Json::new(body.to_string());
    Document { id: export.id.clone(), key: export.user.to_string(), body, updated_at: export.created_at }
}

fn read(stored: &Document) -> Option<Export> {
    let body: Value = serde_json::from_str(stored.body.as_str()).ok()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    Some(Export {
        id: stored.id.clone(),
        user: UserId::new(stored.key.clone()),
        room: text("room").map(RoomId::new),
        full: body.get("full").and_then(Value::as_bool).unwrap_or_default(),
        status: match text("status")? {
            "pending" => ExportStatus::Pending,
            "completed" => ExportStatus::Completed,
            _ => ExportStatus::Failed,
        },
        upload: text("upload").map(UploadId::new),
        messages: body.get("messages").and_then(Value::as_u64).unwrap_or_default(),
        created_at: stored.updated_at,
    })
}

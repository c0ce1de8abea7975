//! What an administrator may ask of the program around the chat: its backups, what it logged lately, and what was
//! moved in.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    json::Json,
    session::Actor,
    store::{Document, Lane, Page},
};

/// Who sees backups and makes them, and who reads the log and about imports.
const BACKUPS: &str = "run-migration";
const LOGS: &str = "view-logs";
const IMPORTS: &str = "run-import";

/// Where the records of imports lie, and how many are kept.
const IMPORTED: &str = "imports";
const MOST_IMPORTS: u64 = 50;
/// Characters kept of what an import said.
const LONGEST: usize = 4_000;

/// A finished backup on the server's own disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Its directory's name.
    pub name: String,
    /// When it was finished.
    pub made_at: Time,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Stored files in it.
    pub uploads: u64,
    /// Stored files that the database named and that were not there.
    pub missing: u64,
}

/// How it stands with the backups that the server made by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Backups {
    /// Those that are there, the newest first.
    pub all: Vec<Backup>,
    /// The directory that they lie in.
    pub folder: String,
    /// How many are kept: the oldest goes when another one is finished.
    pub most: usize,
    /// Since when one is being made.
    pub running_since: Option<Time>,
    /// When the last attempt of this process failed, and why.
    pub failed: Option<(Time, String)>,
    /// Files lie in a store of their own, and are no part of it.
    pub without_files: bool,
}

/// How grave a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// Its name, as logs write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level of that name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Debug, Self::Info, Self::Warn, Self::Error].into_iter().find(|level| level.name() == name)
    }
}

/// A line of the server's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Grows by one with each line of this process.
    pub id: u64,
    /// When.
    pub at: Time,
    /// How grave.
    pub level: Level,
    /// Who said it: a part of the program.
    pub target: String,
    /// What, with its fields; at most 2,000 characters.
    pub text: String,
}

/// Which lines are wanted.
#[derive(Clone, Copy, Debug)]
pub struct LogFilter {
    /// Only lines after this one.
    pub after: u64,
    /// Only lines that are at least so grave.
    pub least: Level,
    /// At most so many: the newest.
    pub most: usize,
}

/// The program around the chat.
pub trait Machine: Send + Sync {
    /// How it stands with backups. Reads the disk.
    fn backups(&self) -> Backups;
    /// Begins to make a backup; `false` while one is being made.
    fn start_backup(&self) -> bool;
    /// What was logged lately, the oldest first. Memory only, and bounded.
    fn log(&self, wanted: LogFilter) -> Vec<LogLine>;
}

/// Something that was moved in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// Its id.
    pub id: String,
    /// From what: `rocketchat`, `slack`, `showwise`.
    pub source: String,
    /// What became of what was read, as the command said it.
    pub said: String,
    /// When it was finished.
    pub at: Time,
}

impl Chat {
    /// Names the program that this chat runs in; the first one counts.
    pub fn runs_in(&self, machine: Arc<dyn Machine>) {
        let _ = self.machine.set(machine);
    }

    fn machine(&self) -> Result<Arc<dyn Machine>> {
        self.machine.get().cloned().ok_or(Refusal::Unavailable)
    }

    /// How it stands with backups. Needs `run-migration`.
    pub async fn backups(&self, actor: &Actor) -> Result<Backups> {
        self.require(actor, BACKUPS, None).await?;
        let machine = self.machine()?;
        let looked = tokio::task::spawn_blocking(move || machine.backups()).await;
        looked.map_err(|_| Refusal::Unavailable)
    }

    /// Begins to make a backup, unless one is being made; tells how it stands. Needs `run-migration`, and is audited.
    pub async fn start_backup(&self, actor: &Actor) -> Result<Backups> {
        self.require(actor, BACKUPS, None).await?;
        let machine = self.machine()?;
        let now = self.backups(actor).await?;
        if now.running_since.is_some() {
            return Ok(now);
        }
        let entry = self.audit_entry(actor, "backup.started", "").await?;
        self.store().writing(Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
        machine.start_backup();
        self.backups(actor).await
    }

    /// What the server logged lately, the oldest first. Needs `view-logs`.
    pub async fn server_log(&self, actor: &Actor, wanted: LogFilter) -> Result<Vec<LogLine>> {
        self.require(actor, LOGS, None).await?;
        Ok(self.machine()?.log(wanted))
    }

    /// Notes that something was moved in; the last 50 are kept.
    pub async fn note_import(&self, source: &str, said: &str) -> Result<()> {
        let said: String = said.chars().take(LONGEST).collect();
        let body = Json::new(serde_json::json!({ "source": source, "said": said }).to_string());
        let document = Document { id: self.new_id(), key: String::new(), body, updated_at: self.now() };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.put_document(IMPORTED, &document)?;
                let all = tx.documents(IMPORTED, None, Page { offset: 0, count: MOST_IMPORTS * 2 })?;
                let old = usize::try_from(all.total.saturating_sub(MOST_IMPORTS)).unwrap_or_default();
                for gone in all.items.iter().take(old) {
                    tx.remove_document(IMPORTED, &gone.id)?;
                }
                Ok(())
            })
            .await
    }

    /// What was moved in, the newest first. Needs `run-import`.
    pub async fn imports(&self, actor: &Actor) -> Result<Vec<Import>> {
        self.require(actor, IMPORTS, None).await?;
        let page = Page { offset: 0, count: MOST_IMPORTS };
        let found = self.store().reading(move |rows| rows.documents(IMPORTED, None, page)).await?;
        let import = |stored: Document| {
            let body: serde_json::Value = serde_json::from_str(stored.body.as_str()).ok()?;
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            Some(Import { id: stored.id, source: text("source"), said: text("said"), at: stored.updated_at })
        };
        Ok(found.items.into_iter().rev().filter_map(import).collect())
    }
}

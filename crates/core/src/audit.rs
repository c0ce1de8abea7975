//! The audit log: who of those with power did what, and when. Kept in the same transaction as the act.

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    id::UserId,
    json::Json,
    session::Actor,
    store::{Document, Lane, Page, Paged, Tx},
};

const AUDIT: &str = "audit";
/// Characters kept of what an act was about.
const LONGEST: usize = 500;
/// How long entries are kept, in milliseconds: a year.
const KEPT: i64 = 365 * 24 * 60 * 60 * 1000;
/// Entries swept in one step.
const STEP: u64 = 500;

/// One act.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Opaque; grows with time.
    pub id: String,
    /// Who.
    pub actor: UserId,
    /// User name then.
    pub username: String,
    /// What: `user.removed`, `setting.changed`, …
    pub act: String,
    /// Whom or what it was about.
    pub about: String,
    /// When.
    pub at: Time,
}

/// Stores an entry; part of the act's own transaction.
pub(crate) fn keep(tx: &mut dyn Tx, entry: &AuditEntry) -> Result<()> {
    let body = serde_json::json!({
        "username": entry.username, "act": entry.act, "about": entry.about,
    });
    let body = Json::new(body.to_string());
    let (id, key) = (entry.id.clone(), entry.actor.to_string());
    tx.put_document(AUDIT, &Document { id, key, body, updated_at: entry.at })
}

fn read(stored: Document) -> Option<AuditEntry> {
    let body: serde_json::Value = serde_json::from_str(stored.body.as_str()).ok()?;
    let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(AuditEntry {
        actor: UserId::new(stored.key),
        username: text("username")?,
        act: text("act")?,
        about: text("about")?,
        at: stored.updated_at,
        id: stored.id,
    })
}

impl Chat {
    /// An entry for what the actor is about to do.
    pub(crate) async fn audit_entry(&self, actor: &Actor, act: &str, about: &str) -> Result<AuditEntry> {
        let user = self.user(&actor.user).await?;
        Ok(AuditEntry {
            id: self.new_id(),
            actor: actor.user.clone(),
            username: user.map(|u| u.username.clone()).unwrap_or_default(),
            act: act.to_owned(),
            about: about.chars().take(LONGEST).collect(),
            at: self.now(),
        })
    }

    /// The log, the newest first; of one user when `of` is given. Needs `can-audit-log`.
    pub async fn audit(&self, actor: &Actor, of: Option<&UserId>, page: Page) -> Result<Paged<AuditEntry>> {
        if page.count > 1_000 {
            return Err(Refusal::invalid("count", "at most 1000"));
        }
        self.require(actor, "can-audit-log", None).await?;
        let key = of.map(ToString::to_string);
        let found = self
            .store()
            .reading(move |rows| {
                let key = key.as_deref();
                let total = rows.documents(AUDIT, key, Page { offset: 0, count: 1 })?.total;
                let end = total.saturating_sub(page.offset);
                let start = end.saturating_sub(page.count);
                let items = rows.documents(AUDIT, key, Page { offset: start, count: end - start })?.items;
                Ok(Paged { items, total })
            })
            .await?;
        Ok(Paged { items: found.items.into_iter().rev().filter_map(read).collect(), total: found.total })
    }

    /// Forgets what is older than a year, a piece at a time.
    pub(crate) async fn sweep_audit(&self) -> Result<()> {
        let border = Time(self.now().millis() - KEPT);
        self.store()
            .writing(Lane::Bulk, move |tx| {
                let oldest = tx.documents(AUDIT, None, Page { offset: 0, count: STEP })?.items;
                for entry in oldest.into_iter().take_while(|e| e.updated_at < border) {
                    tx.remove_document(AUDIT, &entry.id)?;
                }
                Ok(())
            })
            .await
    }
}

//! The audit log: who of those with power did what, and when. Kept in the same transaction as the act.

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    id::UserId,
    json::Json,
    session::Actor,
    store::{Document, Lane, Page, Paged, Read, Tx},
};

const AUDIT: &str = "audit";
/// Characters kept of what an act was about.
const LONGEST: usize = 500;
/// How long entries are kept, in milliseconds: a year.
const KEPT: i64 = 365 * 24 * 60 * 60 * 1000;
/// Entries swept in one step.
const STEP: u64 = 500;
/// Entries that a filter looks into, the newest first.
const LOOKED_INTO: u64 = 20_000;
/// Entries that a filter reads at a time: each time all of them are counted and those before are passed over.
const PIECE: u64 = 10_000;

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

/// Which entries are wanted; what is left empty narrows nothing.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Acts of this user.
    pub of: Option<UserId>,
    /// How the act begins, such as `user.`.
    pub act: String,
    /// Part of the user name or of what it was about, in any case.
    pub text: String,
    /// Not before.
    pub from: Option<Time>,
    /// Before.
    pub to: Option<Time>,
}

impl AuditFilter {
    /// Whether entries have to be looked into one by one.
    fn looks_in(&self) -> bool {
        !self.act.is_empty() || !self.text.is_empty() || self.from.is_some() || self.to.is_some()
    }

    fn fits(&self, entry: &AuditEntry) -> bool {
        let text = self.text.to_lowercase();
        entry.act.starts_with(&self.act)
            && (entry.about.to_lowercase().contains(&text) || entry.username.to_lowercase().contains(&text))
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
    }
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

    /// The log, the newest first. Needs `can-audit-log`. Of a filter that looks into entries only the newest 20,000
    /// are looked into, so that an answer never takes long.
    pub async fn audit(&self, actor: &Actor, filter: AuditFilter, page: Page) -> Result<Paged<AuditEntry>> {
        if page.count > 1_000 {
            return Err(Refusal::invalid("count", "at most 1000"));
        }
        self.require(actor, "can-audit-log", None).await?;
        if filter.looks_in() {
            return self.store().reading(move |rows| look_through(rows, &filter, page)).await;
        }
        let key = filter.of.map(|of| of.to_string());
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

/// The entries that fit, from the newest on.
fn look_through(rows: &mut dyn Read, filter: &AuditFilter, page: Page) -> Result<Paged<AuditEntry>> {
    let key = filter.of.as_ref().map(ToString::to_string);
    let mut end = rows.documents(AUDIT, key.as_deref(), Page { offset: 0, count: 1 })?.total;
    let (mut fitting, mut looked) = (Vec::new(), 0);
    while end > 0 && looked < LOOKED_INTO {
        let start = end.saturating_sub(PIECE);
        let piece = rows.documents(AUDIT, key.as_deref(), Page { offset: start, count: end - start })?.items;
        let older =
            piece.first().is_some_and(|first| filter.from.is_some_and(|from| first.updated_at < from));
        fitting.extend(piece.into_iter().rev().filter_map(read).filter(|entry| filter.fits(entry)));
        looked += end - start;
        end = if older { 0 } else { start };
    }
    let total = fitting.len() as u64;
    let items = fitting.into_iter().skip(page.offset as usize).take(page.count as usize).collect();
    Ok(Paged { items, total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_narrows_by_act_text_and_time() {
        let entry = AuditEntry {
            id: "1".into(),
            actor: UserId::new("a"),
            username: "ada".into(),
            act: "user.removed".into(),
            about: "Bob".into(),
            at: Time(1_000),
        };
        let with = |change: fn(&mut AuditFilter)| {
            let mut filter = AuditFilter::default();
            change(&mut filter);
            filter.fits(&entry)
        };
        assert!(with(|f| f.act = "user.".into()) && !with(|f| f.act = "room.".into()));
        assert!(with(|f| f.text = "bOb".into()) && with(|f| f.text = "ADA".into()));
        assert!(!with(|f| f.text = "eve".into()));
        assert!(with(|f| f.from = Some(Time(1_000))) && !with(|f| f.from = Some(Time(1_001))));
        assert!(with(|f| f.to = Some(Time(1_001))) && !with(|f| f.to = Some(Time(1_000))));
    }
}

//! Banners: lines that an administrator shows to everybody, until each has seen them.

use serde_json::{Value, json};

use crate::{
    audit,
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    json::Json,
    session::Actor,
    store::{Document, Lane, Page},
};

const BANNERS: &str = "banners";
const DISMISSED: &str = "banners-dismissed";
/// Characters of a title and of a text.
const LONGEST: (usize, usize) = (120, 2_000);
/// Banners at the same time.
const MOST: u64 = 100;

/// A banner.
#[derive(Clone, Debug, PartialEq)]
pub struct Banner {
    /// Opaque.
    pub id: String,
    /// Short.
    pub title: String,
    /// What it says.
    pub text: String,
    /// When it was made.
    pub created_at: Time,
    /// When it ends by itself.
    pub ends_at: Option<Time>,
}

fn read(stored: &Document) -> Option<Banner> {
    let body: Value = serde_json::from_str(stored.body.as_str()).ok()?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Banner {
        id: stored.id.clone(),
        title: text("title")?,
        text: text("text")?,
        created_at: stored.updated_at,
        ends_at: body.get("endsAt").and_then(Value::as_i64).map(Time),
    })
}

impl Chat {
    /// Shows a banner to everybody. Needs `edit-privileged-setting`.
    pub async fn put_banner(
        &self,
        actor: &Actor,
        title: &str,
        text: &str,
        ends_at: Option<Time>,
    ) -> Result<Banner> {
        self.require(actor, "edit-privileged-setting", None).await?;
        let (title, text) = (title.trim(), text.trim());
        let too_long = title.chars().count() > LONGEST.0 || text.chars().count() > LONGEST.1;
        if text.is_empty() || too_long {
            return Err(Refusal::invalid("banner", "A text of at most 2000 characters is needed"));
        }
        let banner = Banner {
            id: self.new_id(),
            title: title.to_owned(),
            text: text.to_owned(),
            created_at: self.now(),
            ends_at,
        };
        let entry = self.audit_entry(actor, "banner.made", &banner.id).await?;
        let body = json!({
            "title": banner.title, "text": banner.text, "endsAt": banner.ends_at.map(Time::millis),
        });
        let document = Document {
            id: banner.id.clone(),
            key: String::new(),
            body: Json::new(body.to_string()),
            updated_at: banner.created_at,
        };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let all = tx.documents(BANNERS, None, Page { offset: 0, count: 1 })?;
                if all.total >= MOST {
                    return Err(Refusal::TooLarge { what: "banners", limit: MOST });
                }
                audit::keep(tx, &entry)?;
                tx.put_document(BANNERS, &document)
            })
            .await?;
        Ok(banner)
    }

    /// Takes a banner away. Needs `edit-privileged-setting`.
    pub async fn remove_banner(&self, actor: &Actor, id: &str) -> Result<()> {
        self.require(actor, "edit-privileged-setting", None).await?;
        let entry = self.audit_entry(actor, "banner.removed", id).await?;
        let id = id.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                audit::keep(tx, &entry)?;
                if tx.remove_document(BANNERS, &id)? { Ok(()) } else { Err(Refusal::NotFound(What::Setting)) }
            })
            .await
    }

    /// Banners that the actor has not put away; with `only`, that one whatever its state.
    pub async fn banners(&self, actor: &Actor, only: Option<&str>) -> Result<Vec<Banner>> {
        let user = self.active_user(actor).await?.id.to_string();
        let (now, only) = (self.now(), only.map(str::to_owned));
        self.store()
            .reading(move |rows| {
                let all = rows.documents(BANNERS, None, Page { offset: 0, count: MOST })?.items;
                let mut shown = Vec::new();
                for banner in all.iter().filter_map(read) {
                    let wanted = only.as_ref().is_none_or(|id| *id == banner.id);
                    let over = banner.ends_at.is_some_and(|at| at < now);
                    let seen = format!("{} {user}", banner.id);
                    if wanted && !over && rows.document(DISMISSED, &seen)?.is_none() {
                        shown.push(banner);
                    }
                }
                Ok(shown)
            })
            .await
    }

    /// Puts a banner away for oneself.
    ///
    /// # Errors
    /// `NotFound(Setting)` for one that there is not.
    pub async fn dismiss_banner(&self, actor: &Actor, id: &str) -> Result<()> {
        let user = self.active_user(actor).await?.id.to_string();
        let (id, now) = (id.to_owned(), self.now());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.document(BANNERS, &id)?.is_none() {
                    return Err(Refusal::NotFound(What::Setting));
                }
                let (seen, key) = (format!("{id} {user}"), user.clone());
                let body = Json::object();
                tx.put_document(DISMISSED, &Document { id: seen, key, body, updated_at: now })
            })
            .await
    }
}

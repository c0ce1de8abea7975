//! How long messages stay: by the workspace's settings, by a room's own rule, and the sweep that removes what is
//! older, files included.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::{
    chat::Chat,
    clock::{DAY, Time},
    error::{Refusal, Result},
    event::Purge,
    id::RoomId,
    json::Json,
    moving::only_system,
    permissions::{Action, Object},
    room::{Room, RoomKind},
    rooms::RoomRef,
    session::Actor,
    setting::Settings,
    store::{Document, Lane, Page, RoomFilter, RoomSort, Tx},
};

const RETENTION: &str = "retention";
const UPKEEP: &str = "upkeep";
/// Between two sweeps, in milliseconds.
const EVERY: i64 = 60 * 60 * 1000;
/// Longest age that a rule may say, in days: a hundred years.
const LONGEST: i64 = 36_500;

/// A room's own rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Messages go at all.
    pub enabled: bool,
    /// This rule holds instead of the workspace's.
    pub own: bool,
    /// After so many days.
    pub days: i64,
    /// Pinned messages stay.
    pub keep_pinned: bool,
    /// Threads stay.
    pub keep_threads: bool,
    /// Only files go.
    pub files_only: bool,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            enabled: false,
            own: false,
            days: 30,
            keep_pinned: false,
            keep_threads: false,
            files_only: false,
        }
    }
}

/// What to remove from a room now.
struct Rule {
    border: Time,
    purge: Purge,
    keep_threads: bool,
}

impl Chat {
    /// A room's own rule, if it has one. For whoever may read or edit the room.
    pub async fn room_retention(&self, actor: &Actor, room: &RoomId) -> Result<Option<Retention>> {
        let found = self.room(room).await?;
        if self.authorize(actor, Action::ReadRoom, Object::Room(&found)).await.is_err() {
            self.authorize(actor, Action::EditRoom, Object::Room(&found)).await?;
        }
        let id = room.to_string();
        let stored = self.store().reading(move |rows| rows.document(RETENTION, &id)).await?;
        Ok(stored.and_then(|d| read(&d)))
    }

    /// Gives a room a rule of its own. Needs `edit-room-retention-policy`, and the room must be one that the actor
    /// may edit.
    pub async fn set_room_retention(&self, actor: &Actor, room: &RoomId, rule: Retention) -> Result<()> {
        self.judged(|| self.try_set_room_retention(actor, room, rule)).await
    }

    async fn try_set_room_retention(&self, actor: &Actor, room: &RoomId, rule: Retention) -> Result<()> {
        let room = self.look_up(RoomRef::Id(room)).await?;
        let judgement = self.authorize(actor, Action::EditRoom, Object::Room(&room)).await?;
        self.require(actor, "edit-room-retention-policy", Some(&room)).await?;
        if !(1..=LONGEST).contains(&rule.days) {
            return Err(Refusal::invalid("retention", "The age must be between 1 and 36500 days"));
        }
        let entry = self.audit_entry(actor, "room.retention-changed", &room.id).await?;
        self.store()
            .writing(Lane::Verbs, move |tx| {
                tx.check(&judgement)?;
                crate::audit::keep(tx, &entry)?;
                let at = tx.now();
                tx.put_document(RETENTION, &document(&room.id, &rule, at))
            })
            .await
    }

    /// Brings in the rule that a room had in another chat, unless it has one here.
    pub async fn move_retention(&self, actor: &Actor, room: &RoomId, rule: Retention) -> Result<()> {
        only_system(actor)?;
        let (room, days) = (room.clone(), rule.days.clamp(1, LONGEST));
        let rule = Retention { days, ..rule };
        let keep = move |tx: &mut dyn Tx| match tx.document(RETENTION, &room)? {
            Some(_) => Ok(()),
            None => tx.put_document(RETENTION, &document(&room, &rule, tx.now())),
        };
        self.store().writing(Lane::Bulk, keep).await
    }

    /// Removes what is too old, an hour after it was last done; how many messages.
    pub async fn sweep_retention(&self) -> Result<u64> {
        let settings = self.settings();
        if !settings.is_on("RetentionPolicy_Enabled") || !self.is_due().await? {
            return Ok(0);
        }
        self.apply_retention().await
    }

    /// Whether the sweep's time has come; whoever asks first takes it.
    async fn is_due(&self) -> Result<bool> {
        let now = self.now();
        self.store()
            .writing(Lane::Bulk, move |tx| {
                let last = tx.document(UPKEEP, RETENTION)?.map_or(0, |d| d.updated_at.millis());
                // A clock that was ahead must not put it off until then.
                if (0..EVERY).contains(&(now.millis() - last)) {
                    return Ok(false);
                }
                let (id, body) = (RETENTION.to_owned(), Json::object());
                tx.put_document(UPKEEP, &Document { id, key: String::new(), body, updated_at: now })?;
                Ok(true)
            })
            .await
    }

    /// Removes what is too old now, without waiting for the hour; how many messages. Needs
    /// `edit-privileged-setting`.
    pub async fn prune_now(&self, actor: &Actor) -> Result<u64> {
        self.require(actor, "edit-privileged-setting", None).await?;
        let entry = self.audit_entry(actor, "messages.pruned", "").await?;
        self.store().writing(Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
        let removed = self.apply_retention().await?;
        self.sweep_files().await?;
        Ok(removed)
    }

    /// Removes what is too old now, in all rooms, in small steps; how many messages.
    async fn apply_retention(&self) -> Result<u64> {
        let (mut after, mut removed) = (None, 0);
        loop {
            let page = Page { offset: 0, count: 100 };
            // By id: rooms that come, go or get another name meanwhile let none be passed over.
            let filter = RoomFilter { after: after.clone(), sort: RoomSort::Id, ..RoomFilter::default() };
            let rooms = self
                .store()
                .reading(move |rows| {
                    let found = rows.rooms(&filter, page)?.items;
                    let mut with = Vec::with_capacity(found.len());
                    for view in found {
                        let own = rows.document(RETENTION, &view.room.id)?.and_then(|d| read(&d));
                        with.push((view.room, own));
                    }
                    Ok(with)
                })
                .await?;
            let Some((last, _)) = rooms.last() else { return Ok(removed) };
            after = Some(last.id.clone());
            for (room, own) in rooms {
                let Some(rule) = self.rule(&room, own) else { continue };
                match self.prune(&room, rule).await {
                    Ok(count) => removed += count,
                    // It was removed meanwhile.
                    Err(Refusal::NotFound(_)) => {}
                    Err(other) => return Err(other),
                }
            }
        }
    }

    fn rule(&self, room: &Room, own: Option<Retention>) -> Option<Rule> {
        let settings = self.settings();
        let (age, keep_pinned, keep_threads, files_only) = match own.filter(|own| own.own) {
            Some(own) if !own.enabled => return None,
            Some(own) => (own.days * DAY, own.keep_pinned, own.keep_threads, own.files_only),
            None if own.is_some_and(|own| !own.enabled) => return None,
            None => (
                workspace_age(&settings, room.kind)?,
                settings.is_on("RetentionPolicy_DoNotPrunePinned"),
                settings.is_on("RetentionPolicy_DoNotPruneThreads"),
                settings.is_on("RetentionPolicy_FilesOnly"),
            ),
        };
        let border = Time(self.now().millis() - age);
        let purge = Purge {
            from: Time(0),
            to: border,
            inclusive: true,
            keep_pinned,
            keep_discussions: settings.is_on("RetentionPolicy_DoNotPruneDiscussion"),
            files_only,
            users: Vec::new(),
            ids: Vec::new(),
        };
        Some(Rule { border, purge, keep_threads })
    }

    async fn prune(&self, room: &Room, rule: Rule) -> Result<u64> {
        if room.created_at > rule.border {
            return Ok(0);
        }
        let purge = Arc::new(rule.purge);
        self.purge_all(&room.id, &purge, rule.keep_threads, 0, None).await
    }
}

/// How old messages get in rooms of this kind, in milliseconds; `None` where they stay.
fn workspace_age(settings: &Settings, kind: RoomKind) -> Option<i64> {
    let name = match kind {
        RoomKind::Channel => "Channels",
        RoomKind::Group => "Groups",
        RoomKind::Direct => "DMs",
        RoomKind::Case | RoomKind::Ticket => return None,
    };
    let age = settings.number(&format!("RetentionPolicy_TTL_{name}"));
    (settings.is_on(&format!("RetentionPolicy_AppliesTo{name}")) && age >= 1.0)
        .then_some(age.min((LONGEST * DAY) as f64) as i64)
}

fn document(room: &RoomId, rule: &Retention, at: Time) -> Document {
    let body = json!({
        "enabled": rule.enabled, "own": rule.own, "days": rule.days, "keepPinned": rule.keep_pinned,
        "keepThreads": rule.keep_threads, "filesOnly": rule.files_only,
    });
    Document { id: room.to_string(), key: String::new(), body: Json::new(body.to_string()), updated_at: at }
}

fn read(stored: &Document) -> Option<Retention> {
    let body: Value = serde_json::from_str(stored.body.as_str()).ok()?;
    let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
    Some(Retention {
        enabled: flag("enabled"),
        own: flag("own"),
        days: body.get("days")?.as_i64()?,
        keep_pinned: flag("keepPinned"),
        keep_threads: flag("keepThreads"),
        files_only: flag("filesOnly"),
    })
}

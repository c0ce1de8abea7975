//! Several processes on one database. Each follows what the others commit by the journal, which is in the database and
//! misses nothing; what is never stored (typing, presence, answers of commands) is passed on directly, and may be lost
//! like everything that passes. Whoever carries it is behind [`Relay`]; without one nothing here costs anything.
//!
//! What another node committed is read back from its rows ([`facts`](self)) and goes the way of everything that is
//! committed here: caches first, then the hub, which puts it in its place by its position. What a row does not tell by
//! itself is kept beside it by the node that wrote it (`detail.rs`).

mod attempts;
mod detail;
mod facts;
mod people;

use std::sync::Arc;

pub use self::{
    detail::detail,
    people::{Open, Shared, Whereabouts},
};
use crate::{
    chat::Chat,
    error::Result,
    event::{Audience, Event, Fact},
    presence::NodeId,
    room::RoomKind,
    store::{Horizon, Lane, Way},
    typing::{Said, USUAL},
};

/// Rows of the journal that one reading takes, about: transactions are never torn apart.
const STRETCH: u64 = 500;

/// Tells other nodes. Called by threads that must not wait: it only notes what is to be told.
pub trait Relay: Send + Sync {
    /// Something was committed here.
    fn committed(&self);
    /// A passing event that may concern somebody who is connected elsewhere.
    fn passed(&self, event: &Event);
}

/// What others committed.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// In their order, for [`Chat::committed_elsewhere`], [`Chat::bring_to_hand`] and then the publisher.
    pub facts: Vec<Fact>,
    /// Up to where; the next reading begins there.
    pub horizon: Horizon,
    /// There is more already.
    pub more: bool,
}

impl Chat {
    /// From now on this relay tells other nodes. Only the first one counts.
    pub fn relay_by(&self, relay: Arc<dyn Relay>) {
        self.listening.presence.share();
        let _ = self.listening.relay.set(relay);
    }

    /// What other nodes committed since; nothing is lost, however long ago that was, and nothing comes twice.
    ///
    /// # Errors
    /// The store's; the next reading begins where this one would have.
    pub async fn elsewhere(&self, since: &Horizon) -> Result<Elsewhere> {
        let since = since.clone();
        self.store()
            .reading(move |rows| {
                let news = rows.elsewhere(&since, STRETCH)?;
                let facts = facts::facts(rows, news.traces)?;
                Ok(Elsewhere { facts, horizon: news.horizon, more: news.more })
            })
            .await
    }

    /// Takes in what another node committed, before the publisher gets it: as [`Chat::committed`], without what the
    /// committing node does for all.
    pub fn committed_elsewhere(&self, facts: &[Fact]) {
        for fact in facts {
            if !self.latest.note(&fact.event) {
                continue;
            }
            if let Some((room, _)) = &fact.place {
                self.heads_moved(room);
            }
            self.take_in(&fact.event);
            self.keen.take_in(&fact.event);
            self.newest.take_in(fact);
            if let Event::User { user, .. } = &fact.event {
                // The text beside the status may be another.
                self.listening.presence.retell(&user.id);
            }
            self.waiting.committed(&fact.event);
        }
        if !facts.is_empty() {
            self.journal_grew();
        }
    }

    /// Reads what those who hear of these changes look at: nobody here has done anything by which it would be in memory.
    /// What can't be read is left out.
    pub async fn bring_to_hand(&self, facts: &[Fact]) {
        for fact in facts {
            let Audience::Room(id) = fact.event.audience() else { continue };
            if !self.listening.hub.is_heard(&id) {
                continue;
            }
            if self.room(&id).await.is_ok_and(|room| room.kind == RoomKind::Case) {
                let _ = self.case(&id).await;
            }
            if let Event::Message { message, .. } = &fact.event {
                let _ = self.user(&message.author).await;
            }
        }
    }

    /// Whoever carries something out looks again: another node may have put something there.
    pub fn look_again(&self) {
        self.journal_grew();
        [Way::Mail, Way::Push].into_iter().for_each(|way| self.wake(way));
    }

    /// A passing event of another node: typing, a whisper, a signal.
    pub fn passed_elsewhere(&self, node: NodeId, event: Event) {
        match event {
            // Ends by itself if that node is never heard of again.
            Event::Activity { room, user, name, activities, thread, origin } => {
                let origin = node.origin(origin);
                let said = Said { room, user, name, thread, activities, origin, pace: USUAL };
                let now = self.ports.clock.monotonic();
                if let Some(event) = self.listening.typing.say(said, now) {
                    self.pass_here(event);
                }
            }
            Event::Gathered { ref room, ref user, here, .. }
                if self.listening.gathering.elsewhere(node, room, user, here) =>
            {
                self.pass_here(event);
            }
            Event::Whisper { .. } | Event::Signal { .. } => self.pass_here(event),
            _ => {}
        }
    }

    /// Makes sure that this node seals and signs with the same key as the others: `mark` is derived from it. The
    /// first one to come says which.
    ///
    /// # Errors
    /// The store's.
    pub async fn shares_key(&self, mark: &str) -> Result<bool> {
        const ID: &str = "key";
        let (mark, now) = (mark.to_owned(), self.now());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let body = crate::json::Json::new(serde_json::json!({ "mark": mark }).to_string());
                if let Some(known) = tx.document("nodes", ID)? {
                    return Ok(known.body == body);
                }
                let document =
                    crate::store::Document { id: ID.into(), key: String::new(), body, updated_at: now };
                tx.put_document("nodes", &document)?;
                Ok(true)
            })
            .await
    }
}

/// Whether a passing event is for other nodes too. Presence is shared as such, and each node notifies its own.
pub(crate) fn travels(event: &Event) -> bool {
    matches!(event, Event::Activity { .. } | Event::Whisper { .. } | Event::Signal { .. })
}

//! Who wants to hear of all that is written in a room, or of a word of it: kept in memory, so that an ordinary message asks
//! nobody.

use std::sync::Arc;

use crate::{
    cache::Cache,
    chat::Chat,
    error::Result,
    event::Event,
    id::{RoomId, UserId},
    notify::{holds_keyword, words},
    room::Room,
};

/// People whom one message can want besides those who are online.
pub(crate) const MOST: u64 = 1_000;

/// What is known of keen people.
pub(crate) struct Keen {
    /// Of a room: who wants to hear of everything there.
    rooms: Cache<RoomId, Arc<[UserId]>>,
    /// Whether anybody has a keyword.
    keywords: Cache<(), bool>,
}

impl Keen {
    pub(crate) fn new(rooms: usize, in_order: bool) -> Self {
        Self { rooms: Cache::new(rooms, in_order), keywords: Cache::new(1, in_order) }
    }

    /// Somebody has another id now.
    pub(crate) fn renamed(&self) {
        self.rooms.clear();
    }

    /// Forgets what an event may have changed.
    pub(crate) fn take_in(&self, event: &Event) {
        match event {
            Event::Membership { membership, .. } => self.rooms.forget(&membership.room),
            Event::MembershipRemoved { room, .. } => self.rooms.forget(room),
            Event::RoomRemoved { room } => self.rooms.forget(&room.id),
            Event::User { .. } | Event::UserRemoved { .. } => self.keywords.forget(&()),
            _ => {}
        }
    }
}

impl Chat {
    /// Members who want to hear of all that is written in the room, or of a word in the text.
    pub(crate) async fn keen_members(&self, room: &Room, text: &str) -> Result<Vec<UserId>> {
        if !self.has_keywords().await? {
            return Ok(self.keen_in(&room.id).await?.to_vec());
        }
        let (id, words) = (room.id.clone(), words(text));
        self.store().reading(move |rows| rows.keen_members(&id, &words, MOST)).await
    }

    /// Those of them who are online.
    pub(crate) async fn keen_followers(&self, room: &Room, text: &str) -> Result<Vec<UserId>> {
        if !self.has_keywords().await? {
            let keen = self.keen_in(&room.id).await?;
            if keen.is_empty() {
                return Ok(Vec::new());
            }
            let here = self.listening.hub.followers(&room.id);
            return Ok(here.into_iter().filter(|user| keen.contains(user)).collect());
        }
        let here = self.listening.hub.followers(&room.id);
        // With very many the store is asked by words instead.
        if here.len() as u64 > MOST {
            return self.keen_members(room, text).await;
        }
        let mut keen = Vec::new();
        for id in here {
            let Some(membership) = self.membership(&room.id, &id).await? else { continue };
            let Some(user) = self.user(&id).await? else { continue };
            let notify = &membership.notify;
            let levels = [&notify.desktop, &notify.mobile, &notify.email];
            if levels.iter().any(|level| level.as_deref() == Some("all")) || holds_keyword(&user, text) {
                keen.push(id);
            }
        }
        Ok(keen)
    }

    async fn keen_in(&self, room: &RoomId) -> Result<Arc<[UserId]>> {
        let id = room.clone();
        let load =
            || self.store().reading(move |rows| Ok(rows.keen_members(&id, &[], MOST)?.into_iter().collect()));
        self.keen.rooms.get_or_load(room, load).await
    }

    async fn has_keywords(&self) -> Result<bool> {
        self.keen.keywords.get_or_load(&(), || self.store().reading(|rows| rows.any_keyword())).await
    }
}

//! Personal events: what happens to the rooms of a user, written as that user sees them when they are told.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use parlor_core::{
    cards::Card,
    id::{RoomId, UserId},
    membership::Membership,
    room::{Room, RoomKind},
    session::Actor,
};
use parlor_host::shape::rooms as shape;
use serde_json::json;

use super::Personal;
use crate::{Door, packet};

/// The frames of these events, in their order. What is gone meanwhile is left out: its end was told by itself.
pub(super) async fn tell(door: &Door, actor: &Actor, news: Vec<Personal>) -> Vec<Bytes> {
    let mut frames = Vec::with_capacity(news.len());
    let mut changed = HashSet::new();
    let mut cards = Cards { door, user: &actor.user, read: HashMap::new() };
    for one in &news {
        // A room is shown as it is now: once is enough.
        if let Personal::Changed(room) = one
            && !changed.insert(room.clone())
        {
            continue;
        }
        frames.extend(frame(&mut cards, actor, one).await);
    }
    frames
}

/// The rooms that these events are about, each read once.
struct Cards<'a> {
    door: &'a Door,
    user: &'a UserId,
    read: HashMap<RoomId, Option<Card>>,
}

impl Cards<'_> {
    async fn get(&mut self, room: &RoomId) -> Option<&Card> {
        if !self.read.contains_key(room) {
            let card = self.door.host.chat().card_for(room, self.user).await.ok().flatten();
            let shown = card.filter(|card| card.room.kind != RoomKind::Ticket);
            self.read.insert(room.clone(), shown);
        }
        self.read.get(room)?.as_ref()
    }
}

async fn frame(cards: &mut Cards<'_>, actor: &Actor, news: &Personal) -> Option<Bytes> {
    let door = cards.door;
    let host = &door.host;
    match news {
        Personal::Changed(room) => {
            let card = cards.get(room).await?;
            let told = json!({ "room_id": room.as_str(), "room": shape::room(host, card) });
            Some(packet::event("room_updated", &told))
        }
        Personal::Entered(room, by) => {
            let card = cards.get(room).await?;
            let own = card.membership.as_ref()?;
            if is_made_with(&card.room, own) {
                let told = json!({ "room_id": room.as_str(), "room": shape::room(host, card) });
                return Some(packet::event("room_created", &told));
            }
            added(door, actor, card, &actor.user, by.as_ref()).await
        }
        Personal::Added(room, user, by) => {
            let card = cards.get(room).await?;
            added(door, actor, card, user, by.as_ref()).await
        }
        Personal::Removed(room, user, by, kind) => {
            if *kind == Some(RoomKind::Ticket) {
                return None;
            }
            let by = by.as_ref().map(UserId::as_str);
            let told = json!({ "room_id": room.as_str(), "user_id": user.as_str(), "removed_by": by });
            Some(packet::event("member_removed", &told))
        }
    }
}

/// Whether somebody is in the room since it was made: both have the time of one commit. A later one may be dated before
/// it, by another node's clock.
fn is_made_with(room: &Room, membership: &Membership) -> bool {
    membership.joined_at == room.created_at
}

/// Somebody was added, unless the room was made with him.
async fn added(door: &Door, actor: &Actor, card: &Card, user: &UserId, by: Option<&UserId>) -> Option<Bytes> {
    let room = &card.room;
    let seat = door.host.chat().seat(actor, &room.id, user).await.ok()?;
    if is_made_with(room, &seat.membership) {
        return None;
    }
    let told = json!({
        "room_id": room.id.as_str(), "user_id": user.as_str(), "member": shape::member(room, &seat),
        "added_by": by.map(UserId::as_str),
        "room": shape::room(&door.host, card),
    });
    Some(packet::event("member_added", &told))
}

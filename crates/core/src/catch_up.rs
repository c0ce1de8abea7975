//! Catching up by position: what a room's listener missed, read from one snapshot, and how live events are joined
//! to it. Without a store of its own, so that a simulation can drive it.

use std::sync::Arc;

use crate::{
    error::Result,
    event::{Change, Event, Fact},
    id::RoomId,
    message::Message,
    published::Published,
    room::{Head, Room},
    store::{Page, Read, Slice, Tombstone},
};

/// Changes that one [`resume`] gives at most; whoever missed more reads the room anew.
pub const RESUME_LIMIT: u64 = 1_000;
/// Live events that wait at most while a listener reads what it missed.
pub const WAITING: usize = 1_000;
/// After everything that a room can ever have: the place of a room that is no more.
const END: i64 = i64::MAX - 1;

/// What catching up reads, from one snapshot.
pub trait Timeline {
    /// The room as it is.
    fn room(&mut self, room: &RoomId) -> Result<Option<Room>>;
    /// How far it got.
    fn head(&mut self, room: &RoomId) -> Result<Option<Head>>;
    /// Messages made after a position, by `seq`, as they are now.
    fn made_after(&mut self, room: &RoomId, seq: i64, limit: u64) -> Result<Vec<Message>>;
    /// Messages made or changed after a position, by `rev`.
    fn changed_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Message>>;
    /// Tombstones after a position, by `rev`.
    fn deleted_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Tombstone>>;
}

impl Timeline for &mut dyn Read {
    fn room(&mut self, room: &RoomId) -> Result<Option<Room>> {
        (**self).room(room)
    }
    fn head(&mut self, room: &RoomId) -> Result<Option<Head>> {
        (**self).head(room)
    }
    fn made_after(&mut self, room: &RoomId, seq: i64, limit: u64) -> Result<Vec<Message>> {
        let page = Page { offset: 0, count: limit };
        let slice = Slice {
            before: None,
            after: Some(seq),
            latest: None,
            oldest: None,
            inclusive: false,
            room_only: false,
            newest_first: false,
            page,
        };
        (**self).timeline(room, &slice)
    }
    fn changed_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Message>> {
        (**self).changed_after(room, rev, limit)
    }
    fn deleted_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Tombstone>> {
        (**self).deleted_after(room, rev, limit)
    }
}

/// What changed in a room while somebody was away.
#[derive(Clone, Debug, Default)]
pub struct Resumed {
    /// The room's last position: go on from here.
    pub position: i64,
    /// Too much changed (or the position asked for is not one of this room): nothing is listed, read it anew.
    pub refetch: bool,
    /// Messages made or changed, as they are now, in the order of their last change (`rev`).
    pub changed: Vec<Message>,
    /// Messages removed.
    pub deleted: Vec<Tombstone>,
}

/// What changed in a room after position `after`; at most `limit` changes.
pub fn resume(rows: &mut impl Timeline, room: &RoomId, after: i64, limit: u64) -> Result<Resumed> {
    let position = rows.head(room)?.map_or(0, |head| head.position);
    let refetch = Resumed { position, refetch: true, ..Resumed::default() };
    if !(0..=position).contains(&after) {
        return Ok(refetch);
    }
    let changed = rows.changed_after(room, after, limit + 1)?;
    let deleted = rows.deleted_after(room, after, limit + 1)?;
    let few = (changed.len() + deleted.len()) as u64 <= limit;
    Ok(if few { Resumed { position, refetch: false, changed, deleted } } else { refetch })
}

/// A piece of a room's changes, as facts.
#[derive(Debug)]
pub struct Piece {
    /// It begins after this position.
    pub after: i64,
    /// What changed, each with its place.
    pub facts: Vec<Fact>,
    /// It is complete up to this position.
    pub upto: i64,
}

/// What the hub asks for when positions are missing: what happened after a position, in a piece of at most `limit`
/// changes of each sort. Messages come in the order of their birth although they are shown as they are now, and their
/// later changes come once more in their place: so whoever listens hears of each message before the next one, and
/// whoever read a part of it already does not miss the change. A room that is no more gives an empty piece that is
/// complete for ever.
pub fn read_piece(rows: &mut impl Timeline, id: &RoomId, after: i64, limit: u64) -> Result<Piece> {
    let (Some(room), Some(head)) = (rows.room(id)?, rows.head(id)?) else {
        return Ok(Piece { after, facts: Vec::new(), upto: END });
    };
    let made = rows.made_after(id, after, limit)?;
    let changed = rows.changed_after(id, after, limit)?;
    let deleted = rows.deleted_after(id, after, limit)?;
    let full = |count: usize, last: Option<i64>| last.filter(|_| count as u64 >= limit);
    let ends = [
        full(made.len(), made.last().map(|m| m.seq)),
        full(changed.len(), changed.last().map(|m| m.rev)),
        full(deleted.len(), deleted.last().map(|t| t.rev)),
    ];
    let upto = ends.into_iter().flatten().fold(head.position, i64::min);
    let head = Arc::new(head);
    let mut facts: Vec<Fact> = made.into_iter().map(|m| made_fact(m, &head)).collect();
    facts.extend(changed.into_iter().filter(|m| m.seq <= after || m.rev > m.seq).map(changed_fact));
    facts.extend(deleted.into_iter().map(|tombstone| deleted_fact(id, tombstone)));
    let event = Event::Room { room: Arc::new(room), change: Change::Changed };
    facts.push(Fact { g: 0, place: Some((id.clone(), upto)), event });
    facts.retain(|fact| fact.place.as_ref().is_some_and(|(_, position)| *position <= upto));
    Ok(Piece { after, facts, upto })
}

fn made_fact(message: Message, head: &Arc<Head>) -> Fact {
    let place = Some((message.room.clone(), message.seq));
    let (message, head) = (Arc::new(message), Some(head.clone()));
    Fact { g: 0, place, event: Event::Message { message, change: Change::Made, head } }
}

fn changed_fact(message: Message) -> Fact {
    let place = Some((message.room.clone(), message.rev));
    let message = Arc::new(message);
    Fact { g: 0, place, event: Event::Message { message, change: Change::Changed, head: None } }
}

fn deleted_fact(room: &RoomId, tombstone: Tombstone) -> Fact {
    let Tombstone { id: message, rev, thread, emptied, .. } = tombstone;
    let seq = emptied.as_ref().map_or(0, |message| message.seq);
    let event = Event::MessageDeleted { room: room.clone(), message, seq, thread, emptied, by: None };
    Fact { g: 0, place: Some((room.clone(), rev)), event }
}

/// Joins what is heard live to what was read: listen, then read, then tell the position of the reading. Until then
/// live events wait; afterwards what is not newer than the reading is dropped, and nothing is missing in between.
#[derive(Debug, Default)]
pub struct CatchUp {
    position: Option<i64>,
    waiting: Vec<Arc<Published>>,
    overflown: bool,
}

impl CatchUp {
    /// Nothing has been read yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A live event of the room: to be told now, or not (yet).
    pub fn hear(&mut self, published: &Arc<Published>) -> Option<Arc<Published>> {
        if self.position.is_some() {
            return self.is_new(published).then(|| published.clone());
        }
        if self.waiting.len() >= WAITING {
            self.waiting = Vec::new();
            self.overflown = true;
        }
        if !self.overflown {
            self.waiting.push(published.clone());
        }
        None
    }

    /// The room was read up to this position: what waited and is newer. `None` when too much came meanwhile: read
    /// again.
    pub fn read(&mut self, position: i64) -> Option<Vec<Arc<Published>>> {
        if std::mem::take(&mut self.overflown) {
            return None;
        }
        self.position = Some(position);
        let waiting = std::mem::take(&mut self.waiting);
        Some(waiting.into_iter().filter(|published| self.is_new(published)).collect())
    }

    /// Events without a position (typing, read marks) are always new.
    fn is_new(&self, published: &Published) -> bool {
        let place = published.fact.place.as_ref().map(|(_, position)| *position);
        place.is_none_or(|position| Some(position) > self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(position: i64) -> Arc<Published> {
        let event = Event::Skipped { room: "r".into() };
        Arc::new(Published::new(Fact { g: 0, place: Some(("r".into(), position)), event }))
    }

    fn positions(heard: impl IntoIterator<Item = Arc<Published>>) -> Vec<i64> {
        heard.into_iter().filter_map(|p| p.fact.place.as_ref().map(|(_, position)| *position)).collect()
    }

    #[test]
    fn live_events_wait_for_the_reading_and_only_newer_ones_are_told() {
        let mut catch_up = CatchUp::new();
        assert!(catch_up.hear(&at(4)).is_none());
        assert!(catch_up.hear(&at(5)).is_none());
        assert_eq!(positions(catch_up.read(4).unwrap()), [5]);
        assert_eq!(positions(catch_up.hear(&at(6))), [6]);
        assert!(catch_up.hear(&at(3)).is_none());
    }

    #[test]
    fn too_many_live_events_during_the_reading_ask_for_another() {
        let mut catch_up = CatchUp::new();
        for position in 0..=WAITING as i64 {
            catch_up.hear(&at(position));
        }
        assert!(catch_up.read(5).is_none());
        catch_up.hear(&at(2_000));
        assert_eq!(positions(catch_up.read(1_999).unwrap()), [2_000]);
    }
}

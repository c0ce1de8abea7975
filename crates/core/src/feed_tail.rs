//! The newest stretch of the journal, read once for all feeds.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use crate::{
    chat::Chat,
    clock::Time,
    error::Result,
    feed::Fate,
    id::{MembershipId, MessageId, RoomId, UserId},
    message::Message,
    store::{Entry, EntryKind, Read, Slice},
};

/// Happenings that are kept for all feeds together; whoever is further behind reads for itself.
const KEPT: usize = 4_096;
/// Rows that one reading takes.
const STRETCH: u64 = 500;
/// Happenings that one feed gets at once.
const AT_ONCE: usize = 256;

/// What a row of the journal tells.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A message was made, changed or removed; as it is now.
    Message(Arc<Message>, Fate),
    /// Many messages were removed.
    Purged,
    /// The room was made or changed.
    Changed,
    /// The room is gone.
    RoomRemoved,
    /// Somebody came.
    Joined,
    /// Somebody went.
    Left,
    /// Somebody's mark moved.
    Read,
    /// Nothing that a feed tells (any more).
    Nothing,
}

/// A row of the journal with what it is about.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    pub(crate) g: i64,
    pub(crate) at: Time,
    pub(crate) room: Option<RoomId>,
    pub(crate) whom: Option<UserId>,
    pub(crate) what: What,
}

/// What feeds share.
#[derive(Default)]
pub(crate) struct Tail {
    kept: Mutex<Kept>,
    /// Whoever comes first reads for all.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Kept {
    /// All rows after this number …
    start: i64,
    /// … up to this one.
    end: i64,
    items: VecDeque<Arc<Happening>>,
}

impl Kept {
    /// What comes after a number, and up to where; `None` when that is not kept.
    fn after(&self, g: i64) -> Option<(Vec<Arc<Happening>>, i64)> {
        if g < self.start || g >= self.end {
            return None;
        }
        let first = self.items.partition_point(|item| item.g <= g);
        let found: Vec<_> = self.items.iter().skip(first).take(AT_ONCE).cloned().collect();
        let all = first + found.len() == self.items.len();
        let upto = if all { self.end } else { found.last().map_or(self.end, |item| item.g) };
        Some((found, upto))
    }

    fn extend(&mut self, from: i64, items: Vec<Arc<Happening>>, upto: i64) {
        if from != self.end {
            *self = Self { start: from, end: from, items: VecDeque::new() };
        }
        self.items.extend(items.into_iter().filter(|item| !matches!(item.what, What::Nothing)));
        self.end = upto;
        while self.items.len() > KEPT {
            if let Some(gone) = self.items.pop_front() {
                self.start = gone.g;
            }
        }
    }
}

impl Chat {
    /// What comes in the journal after a number, and up to where that is complete.
    pub(crate) async fn tail_after(&self, g: i64) -> Result<(Vec<Arc<Happening>>, i64)> {
        if let Some(found) = self.feed_tail.kept.lock().after(g) {
            return Ok(found);
        }
        let _turn = self.feed_tail.reading.lock().await;
        let (found, end) = {
            let kept = self.feed_tail.kept.lock();
            (kept.after(g), kept.end)
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let read = move |rows: &mut dyn Read| {
            let stretch = rows.journal_after(g, None, STRETCH)?;
            Ok((happenings(rows, stretch.entries)?, stretch.upto))
        };
        let (items, upto) = self.store().reading(read).await?;
        // Somebody far behind reads for itself and leaves what is kept alone.
        if g >= end {
            self.feed_tail.kept.lock().extend(g, items.clone(), upto);
        }
        Ok((items, upto))
    }
}

/// What rows of the journal tell, read in one snapshot: messages as they are now.
pub(crate) fn happenings(rows: &mut dyn Read, entries: Vec<Entry>) -> Result<Vec<Arc<Happening>>> {
    entries.into_iter().map(|entry| happening(rows, entry).map(Arc::new)).collect()
}

fn happening(rows: &mut dyn Read, entry: Entry) -> Result<Happening> {
    let what = match entry.kind {
        EntryKind::Message => made(rows, &entry)?,
        EntryKind::MessageChanged => changed(rows, &entry)?,
        EntryKind::MessageDeleted => removed(rows, &entry)?,
        EntryKind::Purged => What::Purged,
        EntryKind::Room => What::Changed,
        EntryKind::RoomRemoved => What::RoomRemoved,
        EntryKind::Membership => came(rows, &entry)?,
        EntryKind::MembershipRemoved => What::Left,
        EntryKind::Read if entry.object.is_none() => What::Read,
        EntryKind::Read | EntryKind::User | EntryKind::Other => What::Nothing,
    };
    let gone = || entry.object.as_deref().map(RoomId::from);
    let room = match entry.kind {
        EntryKind::RoomRemoved => gone(),
        _ => entry.room,
    };
    Ok(Happening { g: entry.g, at: entry.at, room, whom: entry.whom, what })
}

fn told(message: Message, fate: Fate) -> What {
    if message.is_for_hosts() {
        let fate = if message.is_gone() { Fate::Removed } else { fate };
        What::Message(Arc::new(message), fate)
    } else {
        What::Nothing
    }
}

fn made(rows: &mut dyn Read, entry: &Entry) -> Result<What> {
    let (Some(room), Some(seq)) = (&entry.room, entry.position) else { return Ok(What::Nothing) };
    let slice = Slice { after: Some(seq - 1), before: Some(seq + 1), ..Slice::newest(1) };
    Ok(match rows.timeline(room, &slice)?.pop() {
        // Emptied since: its removal comes in its own place.
        Some(message) if message.is_gone() => What::Nothing,
        Some(message) => told(message, Fate::Made),
        None => What::Nothing,
    })
}

fn changed(rows: &mut dyn Read, entry: &Entry) -> Result<What> {
    let (Some(room), Some(rev)) = (&entry.room, entry.position) else { return Ok(What::Nothing) };
    let found = rows.changed_after(room, rev - 1, 1)?.into_iter().find(|message| message.rev == rev);
    Ok(found.map_or(What::Nothing, |message| {
        let edited = message.is_just_edited();
        told(message, if edited { Fate::Edited } else { Fate::Touched })
    }))
}

fn removed(rows: &mut dyn Read, entry: &Entry) -> Result<What> {
    let Some(id) = entry.object.as_deref() else { return Ok(What::Nothing) };
    let found = rows.message(&MessageId::from(id))?.filter(Message::is_gone);
    Ok(found.map_or(What::Nothing, |message| told(message, Fate::Removed)))
}

fn came(rows: &mut dyn Read, entry: &Entry) -> Result<What> {
    let Some(id) = entry.object.as_deref() else { return Ok(What::Nothing) };
    let found = rows.membership_by_id(&MembershipId::from(id))?;
    // Other changes of a membership are its holder's own affair.
    Ok(if found.is_some_and(|m| m.joined_at == entry.at) { What::Joined } else { What::Nothing })
}

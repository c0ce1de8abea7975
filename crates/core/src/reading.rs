//! How far members read, and what is unread for them. Marks are seen at once in memory and written at most once a
//! second for a user and room; a crash may lose the last second of reading, never a message.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    event::Event,
    id::{MessageId, RoomId, UserId},
    membership::{Membership, ReadMark},
    message::Message,
    room::{Head, Room},
    session::Actor,
    store::{Lane, MarkChange, Receipt, Slice, Tx, Unread},
};

/// One mark of one member is written this often at most.
const EVERY: Duration = Duration::from_secs(1);
/// Marks written in one transaction.
const BATCH: usize = 500;

/// Marks that are seen but not written yet, and when each was last written.
#[derive(Default)]
pub(crate) struct Marks {
    waiting: Mutex<FxHashMap<(RoomId, UserId), Waiting>>,
    /// How many have something to write: spares the look-up on the way to every membership.
    unwritten: AtomicUsize,
}

struct Waiting {
    change: Option<MarkChange>,
    written: Duration,
}

impl Marks {
    /// Whether the mark may be written now; otherwise it is kept for [`Chat::flush_marks`].
    fn admit(&self, key: &(RoomId, UserId), change: &MarkChange, now: Duration) -> bool {
        let mut waiting = self.waiting.lock();
        match waiting.get_mut(key) {
            Some(known) if now.saturating_sub(known.written) < EVERY => {
                if known.change.replace(change.clone()).is_none() {
                    self.unwritten.fetch_add(1, Ordering::Release);
                }
                false
            }
            _ => {
                let before = waiting.insert(key.clone(), Waiting { change: None, written: now });
                if before.is_some_and(|w| w.change.is_some()) {
                    self.unwritten.fetch_sub(1, Ordering::Release);
                }
                true
            }
        }
    }

    /// What is due, and forgets what was written long ago.
    fn take(&self, now: Duration) -> Vec<((RoomId, UserId), MarkChange)> {
        let mut waiting = self.waiting.lock();
        let mut due = Vec::new();
        waiting.retain(|key, known| match known.change.take() {
            Some(change) => {
                self.unwritten.fetch_sub(1, Ordering::Release);
                due.push((key.clone(), change));
                known.written = now;
                true
            }
            None => now.saturating_sub(known.written) < EVERY,
        });
        due
    }

    /// The membership with the mark that is still to be written.
    pub(crate) fn overlay(&self, membership: Arc<Membership>) -> Arc<Membership> {
        if self.unwritten.load(Ordering::Acquire) == 0 {
            return membership;
        }
        let waiting = self.waiting.lock();
        let known = waiting.get(&(membership.room.clone(), membership.user.clone()));
        match known.and_then(|w| w.change.as_ref()) {
            Some(change) if change.mark.seq >= membership.mark.seq => {
                let mut seen = Membership::clone(&membership);
                (seen.mark, seen.marked_unread) = (change.mark, change.marked_unread);
                Arc::new(seen)
            }
            _ => membership,
        }
    }
}

/// What a member has before him in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// What is unread.
    pub unread: Unread,
    /// The room should be shown as having news: unread messages by others, or "marked unread".
    pub alert: bool,
    /// The room belongs into the member's list: opened by him, or news came since he closed it.
    pub open: bool,
}

impl News {
    /// From what the membership, the room's head and the store say.
    pub fn of(membership: &Membership, head: &Head, unread: Unread) -> Self {
        let alert =
            membership.marked_unread || newest_by_others(head, &membership.user) > membership.mark.seq;
        Self { unread, alert, open: membership.open || alert }
    }
}

/// The place of the newest countable message that this user did not write.
pub fn newest_by_others(head: &Head, user: &UserId) -> i64 {
    if head.last_author.as_ref() == Some(user) { head.last_seq_by_another } else { head.last_seq }
}

impl Chat {
    /// Marks a room as read up to now (`threads`: its followed threads as well).
    pub async fn read_room(&self, actor: &Actor, room: &RoomId, threads: bool) -> Result<()> {
        let room = self.readable_room(actor, room).await?;
        let membership = self.membership(&room.id, &actor.user).await?.ok_or(Refusal::NotMember)?;
        let head = self.head(&room.id).await?;
        if threads {
            self.read_threads(actor, &room, head.position).await?;
        }
        let nothing_new = membership.mark.seq >= head.position && !membership.marked_unread;
        if nothing_new {
            return Ok(());
        }
        let now = self.now();
        let mark = ReadMark { seq: head.position, counted: head.counted, at: head.last_at.max(Some(now)) };
        let change = MarkChange { mark, marked_unread: false, back: false, at: now };
        let key = (room.id.clone(), actor.user.clone());
        if self.marks.admit(&key, &change, self.ports.clock.monotonic()) {
            self.write_marks(vec![(key, change)]).await?;
        }
        Ok(())
    }

    async fn read_threads(&self, actor: &Actor, room: &Arc<Room>, seq: i64) -> Result<()> {
        let (user, room, now) = (actor.user.clone(), room.id.clone(), self.now());
        let store = move |tx: &mut dyn Tx| {
            if tx.read_all_threads(&room, &user, seq, now)? > 0 {
                let event = Event::Read {
                    room: room.clone(),
                    user: user.clone(),
                    seq,
                    thread: None,
                    at: now,
                    named: Arc::new([]),
                };
                tx.record(None, event)?;
            }
            Ok(())
        };
        self.store().writing(Lane::Verbs, store).await
    }

    async fn write_marks(&self, changes: Vec<((RoomId, UserId), MarkChange)>) -> Result<()> {
        let store = move |tx: &mut dyn Tx| {
            for ((room, user), change) in &changes {
                if tx.put_mark(room, user, change)? {
                    let (seq, at) = (change.mark.seq, change.at);
                    let (room, user) = (room.clone(), user.clone());
                    tx.record(None, Event::Read { room, user, seq, thread: None, at, named: Arc::new([]) })?;
                }
            }
            Ok(())
        };
        self.store().writing(Lane::Verbs, store).await
    }

    /// Writes the marks that wait. To be called once a second and before the end.
    pub async fn flush_marks(&self) -> Result<()> {
        let mut due = self.marks.take(self.ports.clock.monotonic());
        while !due.is_empty() {
            let rest = due.split_off(due.len().min(BATCH));
            self.write_marks(due).await?;
            due = rest;
        }
        Ok(())
    }

    /// Marks a room as unread from a message on; the message must be somebody else's.
    pub async fn mark_unread_from(&self, actor: &Actor, first: &MessageId) -> Result<()> {
        let (room, message) = self.readable_message(actor, first).await?;
        if message.author == actor.user {
            return Err(Refusal::invalid("message", "one's own message can't be marked as unread"));
        }
        self.mark_unread(actor, room, message).await
    }

    /// Marks a room as unread from its newest message on.
    pub async fn mark_unread_newest(&self, actor: &Actor, room: &RoomId) -> Result<()> {
        let newest = Slice { room_only: true, ..Slice::newest(1) };
        let room = self.readable_room(actor, room).await?;
        let newest = self.history(actor, &room.id, newest).await?.pop();
        self.mark_unread(actor, room, newest.ok_or(Refusal::NotFound(What::Message))?).await
    }

    async fn mark_unread(&self, actor: &Actor, room: Arc<Room>, first: Message) -> Result<()> {
        self.membership(&room.id, &actor.user).await?.ok_or(Refusal::NotMember)?;
        self.flush_marks().await?;
        let now = self.now();
        let counted = first.counted - i64::from(first.counts());
        let at = Some(Time(first.at.millis() - 1));
        let change = MarkChange {
            mark: ReadMark { seq: first.seq - 1, counted, at },
            marked_unread: true,
            back: true,
            at: now,
        };
        self.write_marks(vec![((room.id.clone(), actor.user.clone()), change)]).await
    }

    /// What these memberships (of one user) have before them, in their order.
    pub async fn news(&self, memberships: &[Arc<Membership>]) -> Result<Vec<News>> {
        let wanted: Vec<_> = memberships.iter().map(|m| self.marks.overlay(m.clone())).collect();
        self.store()
            .reading(move |rows| {
                let news = wanted.iter().map(|membership| {
                    let head = rows.head(&membership.room)?.unwrap_or_default();
                    Ok(News::of(membership, &head, rows.unread(membership)?))
                });
                news.collect()
            })
            .await
    }

    /// Who has read a message; takes `Message_Read_Receipt_Store_Users`.
    pub async fn receipts(&self, actor: &Actor, id: &MessageId) -> Result<(Message, Vec<Receipt>)> {
        let settings = self.settings();
        for setting in ["Message_Read_Receipt_Enabled", "Message_Read_Receipt_Store_Users"] {
            if !settings.is_on(setting) {
                return Err(Refusal::Disabled(setting));
            }
        }
        let (room, message) = self.readable_message(actor, id).await?;
        self.flush_marks().await?;
        let seq = message.seq;
        let receipts = self.store().reading(move |rows| rows.receipts(&room.id, seq)).await?;
        Ok((message, receipts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(seq: i64) -> MarkChange {
        let mark = ReadMark { seq, counted: seq, at: Some(Time(seq)) };
        MarkChange { mark, marked_unread: false, back: false, at: Time(seq) }
    }

    #[test]
    fn a_mark_is_written_at_once_and_then_at_most_once_a_second() {
        let marks = Marks::default();
        let key: (RoomId, UserId) = ("r".into(), "u".into());
        let ms = Duration::from_millis;
        assert!(marks.admit(&key, &change(1), ms(0)));
        assert!(!marks.admit(&key, &change(2), ms(10)));
        assert!(!marks.admit(&key, &change(3), ms(900)));
        assert_eq!(marks.take(ms(1000)), [(key.clone(), change(3))]);
        assert_eq!(marks.take(ms(1500)), []);
        assert!(!marks.admit(&key, &change(4), ms(1600)));
        assert!(marks.admit(&key, &change(5), ms(2700)));
        assert_eq!(marks.take(ms(9000)), []);
    }

    #[test]
    fn ones_own_messages_are_no_news() {
        let head =
            Head { last_seq: 9, last_author: Some("me".into()), last_seq_by_another: 4, ..Head::default() };
        assert_eq!(newest_by_others(&head, &"me".into()), 4);
        assert_eq!(newest_by_others(&head, &"you".into()), 9);
    }
}

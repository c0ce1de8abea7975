//! Messages: the core's traits, single messages and slices of a timeline. Lists stand in `messages_list.rs`, changes in
//! `messages_write.rs`, marks and threads in `marks.rs`, files in `uploads_rows.rs`.

use parlor_core::{
    clock::Time,
    error::Result,
    id::{MessageId, RoomId, UploadId, UserId},
    membership::{Membership, ReadMark},
    message::{Guise, Message, MessageKind, ThreadInfo},
    room::Room,
    store::{
        FileFilter, Found, HostSlice, MarkChange, MessageFilter, Page, Paged, Quota, ReadMessages, Receipt,
        Report, Restored, Search, Slice, Standing, Tombstone, Unread, Upload, Version, WriteMessages,
    },
};

use super::{
    heads::{SEQ_BITS, message_key},
    marks,
    messages_codec::{decode, flag},
    messages_host, messages_list, messages_write, restoring, tombstones, uploads_rows,
};
use crate::{
    params,
    sql::{Kind, Param, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Followers that a root shows.
const MOST_FOLLOWERS: i64 = 1_000;

const COLUMNS: &str = "m.key, m.id, m.rev, m.counted, m.at, m.updated, m.flags, m.text, m.extra, r.id, u.id, u.username, \
     u.name, t.id, th.replies, th.last_at";
/// Names are joined: a rename rewrites nothing. The outer joins keep the messages' own order of access.
const FROM: &str = "messages m LEFT JOIN rooms r ON r.key = (m.key >> 36) LEFT JOIN users u ON u.key = m.author \
     LEFT JOIN messages t ON t.key = m.thread LEFT JOIN threads th ON th.root = m.key AND (m.flags & 32) <> 0";
/// Who stands for an author whose account is gone.
const NOBODY: &str = "rocket.cat";

/// A range of keys: a room, or a part of it. The ends are excluded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) room: i64,
    pub(super) above: i64,
    pub(super) below: i64,
}

impl Span {
    /// All messages of a room.
    pub(super) fn of(room: i64) -> Self {
        Self { room, above: message_key(room, 0), below: message_key(room + 1, 0) }
    }
}

/// The key of a room.
pub(super) fn room_key(tx: &mut SqlTx<'_>, id: &RoomId) -> Sql<Option<i64>> {
    tx.opt("SELECT key FROM rooms WHERE id = $1", params![id], |row| row.get(0))
}

/// The key of a message.
pub(super) fn key_of(tx: &mut SqlTx<'_>, id: &MessageId) -> Sql<Option<i64>> {
    tx.opt("SELECT key FROM messages WHERE id = $1", params![id], |row| row.get(0))
}

/// A position, as far as it fits into a key.
pub(super) fn bounded(position: i64) -> i64 {
    position.clamp(0, (1 << SEQ_BITS) - 1)
}

/// The place in its room that a key holds.
pub(super) fn place_of(key: i64) -> i64 {
    key & ((1 << SEQ_BITS) - 1)
}

pub(super) fn read(row: &Row<'_>) -> Sql<(i64, Message)> {
    let key: i64 = row.get(0)?;
    let seq = place_of(key);
    let at: Time = row.get(4)?;
    let flags: i64 = row.get(6)?;
    let author: Option<UserId> = row.get(10)?;
    let name = |index| -> Sql<String> { Ok(row.get::<Option<String>>(index)?.unwrap_or_default()) };
    let (username, shown) = (name(11)?, name(12)?);
    let mut message = Message {
        id: row.get(1)?,
        room: row.get::<Option<RoomId>>(9)?.unwrap_or_else(|| "".into()),
        seq,
        rev: row.get::<Option<i64>>(2)?.unwrap_or(seq),
        counted: row.get(3)?,
        author_username: if author.is_some() { username } else { NOBODY.to_owned() },
        author_name: shown,
        author: author.unwrap_or_else(|| NOBODY.into()),
        at,
        updated_at: row.get::<Option<Time>>(5)?.unwrap_or(at),
        kind: MessageKind::Text,
        text: row.get(7)?,
        thread: row.get(13)?,
        shown_in_room: false,
        thread_info: None,
        discussion: None,
        edited: None,
        pinned: None,
        mentions: Vec::new(),
        channels: Vec::new(),
        links: Vec::new(),
        attachments: Vec::new(),
        reactions: Vec::new(),
        guise: Guise::default(),
        custom_fields: Default::default(),
        encrypted: None,
        extras: Default::default(),
        reply_to: None,
        forwarded_from: None,
        client_id: None,
        metadata: None,
        deleted: false,
        ungrouped: false,
    };
    let extra = if row.is_null(8)? { None } else { Some(row.text(8)?) };
    decode(&mut message, flags, extra);
    if flags & flag::ROOT != 0 {
        let (replies, last_at) = (row.get::<Option<i64>>(14)?, row.get::<Option<Time>>(15)?);
        message.thread_info = Some(ThreadInfo {
            replies: replies.unwrap_or_default(),
            last_at: last_at.unwrap_or_default(),
            followers: Vec::new(),
        });
    }
    Ok((key, message))
}

/// The messages that a condition finds, with everything that belongs to them.
pub(super) fn select(tx: &mut SqlTx<'_>, rest: &str, values: &[Param<'_>]) -> Sql<Vec<Message>> {
    let found = tx.query(&format!("SELECT {COLUMNS} FROM {FROM} {rest}"), values, read)?;
    found
        .into_iter()
        .map(|(key, mut message)| {
            if let Some(info) = &mut message.thread_info {
                info.followers = followers(tx, key)?;
            }
            if let Some(discussion) = &mut message.discussion {
                let head = "SELECT h.messages, h.last_at FROM rooms r JOIN room_heads h ON h.room = r.key WHERE r.id = $1";
                let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
                // A removed discussion keeps what its anchor knew.
                if let Some(now) = tx.opt(head, params![discussion.room], read)? {
                    (discussion.messages, discussion.last_at) = now;
                }
            }
            Ok(message)
        })
        .collect()
}

/// Who follows a thread, in the order in which they came.
pub(super) fn followers(tx: &mut SqlTx<'_>, root: i64) -> Sql<Vec<UserId>> {
    let sql = "SELECT u.id FROM thread_follows f JOIN users u ON u.key = f.whom WHERE f.root = $1
        ORDER BY f.since, f.whom LIMIT $2";
    tx.query(sql, params![root, MOST_FOLLOWERS], |row| row.get(0))
}

fn by_id(tx: &mut SqlTx<'_>, id: &MessageId) -> Sql<Option<Message>> {
    let found = select(tx, "WHERE m.id = $1", params![id])?.pop();
    if found.is_some() {
        return Ok(found);
    }
    tombstones::by_id(tx, id)
}

/// [`first_key`] in one statement, for where each step would be a round trip.
macro_rules! halving {
    ($late:literal) => {
        concat!(
            "SELECT found FROM (WITH RECURSIVE s (low, high, found) AS (
                SELECT $1::bigint, n.key, n.key FROM (SELECT key, at FROM messages
                    WHERE key > $1 AND key < $2 ORDER BY key DESC LIMIT 1) n WHERE n.at ",
            $late,
            " $3
                UNION ALL
                SELECT CASE WHEN m.late THEN s.low ELSE m.key END,
                    CASE WHEN m.late THEN s.low + (s.high - s.low) / 2 ELSE s.high END,
                    CASE WHEN m.late THEN m.key ELSE s.found END
                FROM s CROSS JOIN LATERAL (SELECT key, at ",
            $late,
            " $3 AS late FROM messages WHERE key >= s.low + (s.high - s.low) / 2 ORDER BY key LIMIT 1) m
                WHERE s.low + 1 < s.high
            ) SELECT found, high - low AS width FROM s) f ORDER BY width LIMIT 1"
        )
    };
}

/// The first key in the span whose time is after `at` (`or_equal`: or at it): times grow with keys, so halving finds
/// it in as many steps as a place has bits, and needs no index of its own. `None` when there is none.
pub(super) fn first_key(tx: &mut SqlTx<'_>, span: Span, at: Time, or_equal: bool) -> Sql<Option<i64>> {
    if tx.kind() == Kind::Postgres {
        let sql = if or_equal { halving!(">=") } else { halving!(">") };
        return tx.opt(sql, params![span.above, span.below, at], |row| row.get(0));
    }
    let late = |time: i64| if or_equal { time >= at.millis() } else { time > at.millis() };
    let newest = "SELECT key, at FROM messages WHERE key > $1 AND key < $2 ORDER BY key DESC LIMIT 1";
    let pair = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
    let Some((newest, time)) = tx.opt(newest, params![span.above, span.below], pair)? else {
        return Ok(None);
    };
    if !late(time) {
        return Ok(None);
    }
    let next = "SELECT key, at FROM messages WHERE key >= $1 AND key <= $2 ORDER BY key LIMIT 1";
    // What stands at or behind `high` is late enough, `found` the first of it; at or before `low` all is too early.
    let (mut low, mut high, mut found) = (span.above, newest, newest);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        match tx.opt(next, params![middle, newest], pair)? {
            Some((key, time)) if !late(time) => low = key,
            Some((key, _)) => (high, found) = (middle, key),
            None => break,
        }
    }
    Ok(Some(found))
}

/// The span of keys between two moments.
pub(super) fn between(
    tx: &mut SqlTx<'_>,
    mut span: Span,
    oldest: Option<Time>,
    latest: Option<Time>,
    inclusive: bool,
) -> Sql<Span> {
    let whole = span;
    if let Some(latest) = latest
        && let Some(key) = first_key(tx, whole, latest, !inclusive)?
    {
        span.below = span.below.min(key);
    }
    if let Some(oldest) = oldest {
        match first_key(tx, whole, oldest, inclusive)? {
            Some(key) => span.above = span.above.max(key - 1),
            None => span.above = span.below,
        }
    }
    Ok(span)
}

/// The parts of rooms, by their keys, that were written until some time.
pub(super) fn spans_until(tx: &mut SqlTx<'_>, all: &[(i64, Time)]) -> Sql<Vec<Span>> {
    if tx.kind() == Kind::Sqlite {
        return all.iter().map(|(room, at)| between(tx, Span::of(*room), None, Some(*at), true)).collect();
    }
    let spans: Vec<(Span, Time)> = all.iter().map(|(room, at)| (Span::of(*room), *at)).collect();
    let rows: Vec<_> = spans.iter().map(|(span, at)| *params![span.above, span.below, *at]).collect();
    let behind = tx.opt_all(halving!(">"), &rows, |row| row.get::<i64>(0))?;
    let cut = |((span, _), key): (&(Span, Time), Option<i64>)| Span {
        below: key.unwrap_or(span.below).min(span.below),
        ..*span
    };
    Ok(spans.iter().zip(behind).map(cut).collect())
}

fn timeline(tx: &mut SqlTx<'_>, room: &RoomId, slice: &Slice) -> Sql<Vec<Message>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let mut span = between(tx, Span::of(room), slice.oldest, slice.latest, slice.inclusive)?;
    if let Some(before) = slice.before {
        span.below = span.below.min(message_key(room, bounded(before)));
    }
    if let Some(after) = slice.after {
        span.above = span.above.max(message_key(room, bounded(after)));
    }
    let shown = if slice.room_only { "AND (m.thread IS NULL OR (m.flags & 2) <> 0)" } else { "" };
    let order = if slice.newest_first { "DESC" } else { "ASC" };
    let rest = format!("WHERE m.key > $1 AND m.key < $2 {shown} ORDER BY m.key {order} LIMIT $3 OFFSET $4");
    select(tx, &rest, params![span.above, span.below, slice.page.count, slice.page.offset])
}

impl ReadMessages for SqlTx<'_> {
    fn message(&mut self, id: &MessageId) -> Result<Option<Message>> {
        Ok(by_id(self, id)?)
    }
    fn messages(&mut self, ids: &[MessageId]) -> Result<Vec<Message>> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            found.extend(by_id(self, id)?);
        }
        Ok(found)
    }
    fn standing(&mut self, ids: &[MessageId]) -> Result<Vec<Standing>> {
        Ok(restoring::standing(self, ids)?)
    }
    fn timeline(&mut self, room: &RoomId, slice: &Slice) -> Result<Vec<Message>> {
        Ok(timeline(self, room, slice)?)
    }
    fn host_timeline(&mut self, room: &RoomId, slice: &HostSlice) -> Result<Vec<Message>> {
        Ok(messages_host::timeline(self, room, slice)?)
    }
    fn count_host_messages(&mut self, room: &RoomId) -> Result<u64> {
        Ok(messages_host::count(self, room)?)
    }
    fn ever_wrote(&mut self, user: &UserId) -> Result<bool> {
        Ok(messages_host::ever_wrote(self, user)?)
    }
    fn list_messages(&mut self, room: &RoomId, filter: &MessageFilter, page: Page) -> Result<Paged<Message>> {
        Ok(messages_list::list(self, room, filter, page)?)
    }
    fn changed_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Message>> {
        Ok(messages_list::changed_after(self, room, rev, limit)?)
    }
    fn changed_since(&mut self, room: &RoomId, since: Time, limit: u64) -> Result<Vec<Message>> {
        Ok(messages_list::changed_since(self, room, since, limit)?)
    }
    fn deleted_since(&mut self, room: &RoomId, since: Time, limit: u64) -> Result<Vec<Tombstone>> {
        Ok(messages_list::deleted_since(self, room, since, limit)?)
    }
    fn deleted_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Tombstone>> {
        Ok(tombstones::after(self, room, rev, limit)?)
    }
    fn messages_of(&mut self, author: &UserId, from: i64) -> Result<(Vec<Message>, Option<i64>)> {
        Ok(messages_list::of_author(self, author, from)?)
    }
    fn search(&mut self, search: &Search, page: Page) -> Result<Found> {
        Ok(super::search::search(self, search, page)?)
    }
    fn unread(&mut self, membership: &Membership) -> Result<Unread> {
        Ok(marks::unread(self, membership)?)
    }
    fn unread_all(&mut self, memberships: &[Membership]) -> Result<Vec<Unread>> {
        Ok(super::unread::unread_all(self, memberships)?)
    }
    fn thread_mark(&mut self, root: &MessageId, user: &UserId) -> Result<Option<ReadMark>> {
        Ok(marks::thread_mark(self, root, user)?)
    }
    fn anchor(&mut self, parent: &RoomId, discussion: &Room) -> Result<Option<MessageId>> {
        Ok(super::anchors::anchor(self, parent, discussion)?)
    }
    fn starred(&mut self, user: &UserId, ids: &[MessageId]) -> Result<Vec<MessageId>> {
        Ok(marks::starred(self, user, ids)?)
    }
    fn receipts(&mut self, room: &RoomId, seq: i64) -> Result<Vec<Receipt>> {
        Ok(marks::receipts(self, room, seq)?)
    }
    fn versions(&mut self, id: &MessageId) -> Result<Vec<Version>> {
        Ok(messages_write::versions(self, id)?)
    }
    fn upload(&mut self, id: &UploadId) -> Result<Option<Upload>> {
        Ok(uploads_rows::by_id(self, id)?)
    }
    fn thumbnail_of(&mut self, id: &UploadId) -> Result<Option<Upload>> {
        Ok(uploads_rows::thumbnail_of(self, id)?)
    }
    fn files(&mut self, room: &RoomId, filter: &FileFilter, page: Page) -> Result<Paged<Upload>> {
        Ok(uploads_rows::of_room(self, room, filter, page)?)
    }
    fn images(&mut self, room: &RoomId, from: Option<&UploadId>, page: Page) -> Result<Paged<Upload>> {
        Ok(uploads_rows::images(self, room, from, page)?)
    }
    fn unknown_bytes(&mut self, ids: &[UploadId]) -> Result<Vec<UploadId>> {
        Ok(uploads_rows::unknown_bytes(self, ids)?)
    }
    fn bytes_of(&mut self, user: Option<&UserId>) -> Result<u64> {
        Ok(uploads_rows::bytes_of(self, user)?)
    }
}

impl WriteMessages for SqlTx<'_> {
    fn restore_messages(&mut self, all: Vec<Restored>) -> Result<Vec<Option<Message>>> {
        restoring::restore(self, all)
    }
    fn append_message(&mut self, message: Message) -> Result<Message> {
        super::append::append_message(self, message)
    }
    fn update_message(&mut self, message: &Message) -> Result<()> {
        messages_write::update(self, message)
    }
    fn delete_message(&mut self, message: &Message, rev: i64, at: Time) -> Result<()> {
        Ok(messages_write::delete(self, message, rev, at)?)
    }
    fn keep_version(&mut self, message: &Message, rev: i64) -> Result<()> {
        Ok(messages_write::keep_version(self, message, rev)?)
    }
    fn put_mentions(&mut self, message: &Message, users: &[UserId], everybody: bool) -> Result<()> {
        Ok(messages_write::put_mentions(self, message, users, everybody)?)
    }
    fn add_reply(&mut self, root: &MessageId, reply: &Message, followers: &[UserId]) -> Result<ThreadInfo> {
        marks::add_reply(self, root, reply, followers)
    }
    fn add_replies(&mut self, replies: &[Message]) -> Result<()> {
        restoring::add_replies(self, replies)
    }
    fn remove_reply(&mut self, root: &MessageId, reply: &Message) -> Result<Option<ThreadInfo>> {
        Ok(marks::remove_reply(self, root, reply)?)
    }
    fn end_thread(&mut self, root: &MessageId) -> Result<()> {
        Ok(marks::end_thread(self, root)?)
    }
    fn follow_thread(&mut self, root: &MessageId, user: &UserId, seq: i64, on: bool) -> Result<()> {
        Ok(marks::follow(self, root, user, seq, on)?)
    }
    fn follow_threads(&mut self, all: &[(MessageId, UserId, i64)]) -> Result<()> {
        Ok(restoring::follow_threads(self, all)?)
    }
    fn put_stars(&mut self, all: &[(UserId, MessageId)]) -> Result<()> {
        Ok(restoring::put_stars(self, all)?)
    }
    fn put_star(&mut self, user: &UserId, message: &MessageId, on: bool) -> Result<()> {
        Ok(marks::put_star(self, user, message, on)?)
    }
    fn put_thread_mark(&mut self, root: &MessageId, user: &UserId, mark: ReadMark) -> Result<bool> {
        Ok(marks::put_thread_mark(self, root, user, mark)?)
    }
    fn read_all_threads(&mut self, room: &RoomId, user: &UserId, seq: i64, at: Time) -> Result<u64> {
        Ok(marks::read_all_threads(self, room, user, seq, at)?)
    }
    fn put_mark(&mut self, room: &RoomId, user: &UserId, mark: &MarkChange) -> Result<bool> {
        Ok(marks::put_mark(self, room, user, mark)?)
    }
    fn put_last_reply(&mut self, room: &RoomId, user: &UserId, at: Time) -> Result<()> {
        Ok(marks::put_last_reply(self, room, user, at)?)
    }
    fn insert_report(&mut self, report: &Report) -> Result<()> {
        Ok(messages_write::insert_report(self, report)?)
    }
    fn insert_upload(&mut self, upload: &Upload, quota: Quota) -> Result<UploadId> {
        uploads_rows::insert(self, upload, quota)
    }
    fn insert_copy(&mut self, upload: &Upload, quota: Quota) -> Result<()> {
        uploads_rows::insert_copy(self, upload, quota)
    }
    fn date_upload(&mut self, id: &UploadId, at: Time) -> Result<()> {
        Ok(uploads_rows::date(self, id, at)?)
    }
    fn confirm_upload(&mut self, id: &UploadId, message: Option<&MessageId>) -> Result<()> {
        uploads_rows::confirm(self, id, message)
    }
    fn remove_upload(&mut self, id: &UploadId) -> Result<Option<UploadId>> {
        Ok(uploads_rows::remove(self, id)?)
    }
    fn expired_uploads(&mut self, now: Time) -> Result<Vec<Upload>> {
        Ok(uploads_rows::expired(self, now)?)
    }
}

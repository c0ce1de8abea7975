//! Lists of messages: filtered ones, and what changed since.

use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId, UserId},
    message::Message,
    store::{MessageFilter, Page, Paged, Tombstone},
};

use super::{
    heads::message_key,
    messages::{Span, bounded, first_key, key_of, room_key, select},
    users::containing,
};
use crate::{
    params,
    sql::{Param, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// The WHERE of a list and its values.
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

pub(super) enum Value {
    Int(i64),
    Text(String),
}

impl Condition {
    pub(super) fn and(&mut self, sql: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
    }
    /// Adds a condition in which `?` stands for the value.
    pub(super) fn with(&mut self, sql: &str, value: Value) {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.and(&sql.replace('?', &place));
    }
    pub(super) fn params(&self) -> Vec<Param<'_>> {
        let param = |value| match value {
            &Value::Int(number) => Param::Int(number),
            Value::Text(text) => Param::Text(text),
        };
        self.values.iter().map(param).collect()
    }
}

pub(super) fn user_key(tx: &mut SqlTx<'_>, id: &UserId) -> Sql<i64> {
    // No user has the key -1: a list of an unknown one is empty.
    Ok(tx.opt("SELECT key FROM users WHERE id = $1", params![id], |row| row.get(0))?.unwrap_or(-1))
}

pub(super) fn user_keys(tx: &mut SqlTx<'_>, ids: &[UserId]) -> Sql<Vec<i64>> {
    ids.iter().map(|id| user_key(tx, id)).collect()
}

/// Keys as a list in a statement's text: numbers of our own, never anything that came from outside. Such a statement
/// is hardly ever asked again, and is not kept.
pub(super) fn listed(keys: &[i64]) -> String {
    let keys: Vec<String> = keys.iter().map(i64::to_string).collect();
    format!("{{once}}{}", keys.join(", "))
}

pub(super) fn list(
    tx: &mut SqlTx<'_>,
    room: &RoomId,
    filter: &MessageFilter,
    page: Page,
) -> Sql<Paged<Message>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Paged { items: Vec::new(), total: 0 }) };
    if filter.threads == Some(None)
        && *filter == (MessageFilter { threads: Some(None), ..MessageFilter::default() })
    {
        return threads(tx, Span::of(room), page);
    }
    let span = Span::of(room);
    let condition = condition(tx, span, filter)?;
    let mut values = condition.params();
    let total = match total_of_room(tx, room, filter)? {
        Some(total) => total,
        None => {
            let sql = format!("SELECT COUNT(*) FROM messages m WHERE {}", condition.sql);
            tx.one(&sql, &values, |row| row.get(0))?
        }
    };
    let direction = if filter.ascending { "ASC" } else { "DESC" };
    // Threads are listed by their last reply, everything else by its own place.
    let order = if filter.threads.is_some() { "th.last_key" } else { "m.key" };
    let n = values.len();
    let rest =
        format!("WHERE {} ORDER BY {order} {direction} LIMIT ${} OFFSET ${}", condition.sql, n + 1, n + 2);
    values.push(Param::Int(i64::try_from(page.count).unwrap_or(i64::MAX)));
    values.push(Param::Int(i64::try_from(page.offset).unwrap_or(i64::MAX)));
    Ok(Paged { items: select(tx, &rest, &values)?, total })
}

/// All threads of a room: a page of the small table first, then only its roots.
fn threads(tx: &mut SqlTx<'_>, span: Span, page: Page) -> Sql<Paged<Message>> {
    let count = "SELECT COUNT(*) FROM threads WHERE last_key > $1 AND last_key < $2";
    let total = tx.one(count, params![span.above, span.below], |row| row.get(0))?;
    let rest = "WHERE m.key IN (SELECT root FROM threads WHERE last_key > $1 AND last_key < $2
            ORDER BY last_key DESC LIMIT $3 OFFSET $4)
        ORDER BY th.last_key DESC";
    let items = select(tx, rest, params![span.above, span.below, page.count, page.offset])?;
    Ok(Paged { items, total })
}

/// The total of a list of all messages, or of all that are shown in the room, without counting each.
fn total_of_room(tx: &mut SqlTx<'_>, room: i64, filter: &MessageFilter) -> Sql<Option<u64>> {
    let plain = MessageFilter {
        ascending: filter.ascending,
        room_only: filter.room_only,
        ..MessageFilter::default()
    };
    if *filter != plain {
        return Ok(None);
    }
    let all: i64 =
        tx.one("SELECT messages FROM room_heads WHERE room = $1", params![room], |row| row.get(0))?;
    let span = Span::of(room);
    let hidden: i64 = if filter.room_only {
        let sql = "SELECT COUNT(*) FROM messages WHERE thread > $1 AND thread < $2 AND (flags & 2) = 0";
        tx.one(sql, params![span.above, span.below], |row| row.get(0))?
    } else {
        0
    };
    Ok(Some(u64::try_from(all - hidden).unwrap_or_default()))
}

fn condition(tx: &mut SqlTx<'_>, span: Span, filter: &MessageFilter) -> Sql<Condition> {
    let mut all = Condition {
        sql: "m.key > $1 AND m.key < $2".to_owned(),
        values: vec![Value::Int(span.above), Value::Int(span.below)],
    };
    if filter.pinned {
        all.and("(m.flags & 16) <> 0");
    }
    if filter.discussions {
        all.and("(m.flags & 1024) <> 0");
    }
    if filter.room_only {
        all.and("(m.thread IS NULL OR (m.flags & 2) <> 0)");
    }
    // `$1` and `$2` bound the look-ups in the other tables as well: their keys are messages' keys.
    if let Some(user) = &filter.starred_by {
        let whom = user_key(tx, user)?;
        all.with(
            "m.key IN (SELECT s.key FROM stars s WHERE s.whom = ? AND s.key > $1 AND s.key < $2)",
            Value::Int(whom),
        );
    }
    if let [user] = &filter.mentioning[..] {
        let whom = user_key(tx, user)?;
        all.with(
            "m.key IN (SELECT x.key FROM mentions x WHERE x.whom = ? AND x.key > $1 AND x.key < $2)",
            Value::Int(whom),
        );
    } else if !filter.mentioning.is_empty() {
        let whom = listed(&user_keys(tx, &filter.mentioning)?);
        all.and(&format!(
            "m.key IN (SELECT x.key FROM mentions x WHERE x.whom IN ({whom}) AND x.key > $1 AND x.key < $2)"
        ));
    }
    match &filter.threads {
        None => {}
        Some(None) => {
            all.and("m.key IN (SELECT h.root FROM threads h WHERE h.last_key > $1 AND h.last_key < $2)");
        }
        Some(Some(user)) => {
            let whom = user_key(tx, user)?;
            all.with(
                "m.key IN (SELECT f.root FROM thread_follows f JOIN threads h ON h.root = f.root
                    WHERE f.whom = ? AND f.root > $1 AND f.root < $2)",
                Value::Int(whom),
            );
        }
    }
    if let Some(root) = &filter.in_thread {
        let root = key_of(tx, root)?.unwrap_or(-1);
        all.with("m.thread = ?", Value::Int(root));
    }
    if let Some(user) = &filter.author {
        let author = user_key(tx, user)?;
        all.with("m.author = ?", Value::Int(author));
    }
    if !filter.text.is_empty() {
        all.with("LOWER(m.text) LIKE ? ESCAPE '!'", Value::Text(containing(&filter.text)));
    }
    if let Some(since) = filter.changed_after {
        all.with("COALESCE(m.updated, m.at) > ?", Value::Int(since.millis()));
    }
    if let Some(ids) = &filter.ids {
        let ids: Vec<&MessageId> = ids.iter().take(100).collect();
        let mut places = Vec::new();
        for id in ids {
            all.values.push(Value::Text(id.as_str().to_owned()));
            places.push(format!("${}", all.values.len()));
        }
        let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
        all.and(&format!("m.id IN ({places})"));
    }
    Ok(all)
}

/// Messages that one look for an author's goes through, and those that it gives at most.
const LOOKED_AT: i64 = 5_000;
const GIVEN: usize = 100;

pub(super) fn of_author(tx: &mut SqlTx<'_>, author: &UserId, from: i64) -> Sql<(Vec<Message>, Option<i64>)> {
    let author = user_key(tx, author)?;
    let look =
        "SELECT MAX(key), COUNT(*) FROM (SELECT key FROM messages WHERE key > $1 ORDER BY key LIMIT $2) m";
    let ends = |row: &Row<'_>| Ok((row.get::<Option<i64>>(0)?, row.get::<i64>(1)?));
    let (end, looked_at) = tx.one(look, params![from, LOOKED_AT], ends)?;
    let Some(end) = end else { return Ok((Vec::new(), None)) };
    let keys = "SELECT key FROM messages WHERE key > $1 AND key <= $2 AND author = $3 ORDER BY key LIMIT $4";
    let keys: Vec<i64> = tx.query(keys, params![from, end, author, GIVEN], |row| row.get(0))?;
    let next = match keys.last() {
        Some(last) if keys.len() == GIVEN => Some(*last),
        _ => (looked_at == LOOKED_AT).then_some(end),
    };
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.extend(select(tx, "WHERE m.key = $1", params![key])?);
    }
    Ok((found, next))
}

pub(super) fn changed_after(tx: &mut SqlTx<'_>, room: &RoomId, rev: i64, limit: u64) -> Sql<Vec<Message>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let above = message_key(room, bounded(rev));
    changed(tx, room, above, rev, limit)
}

/// New messages above a key, and others whose `rev` is larger, merged by `rev`.
fn changed(tx: &mut SqlTx<'_>, room: i64, above: i64, rev: i64, limit: u64) -> Sql<Vec<Message>> {
    let below = Span::of(room).below;
    let new = "WHERE m.key > $1 AND m.key < $2 AND m.rev IS NULL ORDER BY m.key LIMIT $3";
    let mut all = select(tx, new, params![above, below, limit])?;
    let old = "WHERE (m.key >> 36) = $1 AND m.rev IS NOT NULL AND m.rev > $2 ORDER BY m.rev LIMIT $3";
    let changed = select(tx, old, params![room, rev, limit])?;
    // Changes that share a position (a purge of files) come together, or a reader would miss the others of it.
    let full = changed.len() as u64 >= limit;
    let last = changed.last().map(|m| m.rev);
    all.extend(changed);
    all.sort_by_key(|m| m.rev);
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    if let (true, Some(last), Some(end)) = (full, last, all.last().map(|m| m.rev))
        && last == end
    {
        all.retain(|m| m.rev < last);
        let rest = "WHERE (m.key >> 36) = $1 AND m.rev IS NOT NULL AND m.rev = $2 ORDER BY m.key";
        all.extend(select(tx, rest, params![room, last])?);
    }
    Ok(all)
}

pub(super) fn changed_since(tx: &mut SqlTx<'_>, room: &RoomId, since: Time, limit: u64) -> Sql<Vec<Message>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let span = Span::of(room);
    let above = first_key(tx, span, since, false)?.map_or(span.below, |key| key - 1);
    let probe = "SELECT rev, updated FROM messages WHERE (key >> 36) = $1 AND rev IS NOT NULL AND rev > $2 \
                 ORDER BY rev LIMIT 1";
    let rev = last_rev_before(tx, room, since, probe)?;
    changed(tx, room, above, rev, limit)
}

pub(super) fn deleted_since(
    tx: &mut SqlTx<'_>,
    room: &RoomId,
    since: Time,
    limit: u64,
) -> Sql<Vec<Tombstone>> {
    let Some(key) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let probe = "SELECT rev, at FROM tombstones WHERE (key >> 36) = $1 AND rev > $2 ORDER BY rev LIMIT 1";
    let rev = last_rev_before(tx, key, since, probe)?;
    super::tombstones::after(tx, room, rev, limit)
}

/// A position such that what `probe` finds above it is exactly what happened after `since`; found by halving, as times
/// grow with positions.
fn last_rev_before(tx: &mut SqlTx<'_>, room: i64, since: Time, probe: &str) -> Sql<i64> {
    let pair = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?));
    let position: i64 =
        tx.one("SELECT position FROM room_heads WHERE room = $1", params![room], |row| row.get(0))?;
    // Nothing above `high` is early; all at or below `low` is.
    let (mut low, mut high) = (0, position);
    while low < high {
        let middle = low + (high - low) / 2;
        match tx.opt(probe, params![room, middle], pair)? {
            Some((rev, at)) if at <= since.millis() => low = rev,
            _ => high = middle,
        }
    }
    Ok(low)
}

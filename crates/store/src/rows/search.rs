//! Searching messages: by the full-text index, by what is not indexed yet, and by filters; newest first.

use super::heads::SEQ_BITS;
use super::journal::kind;
use super::messages::{Span, room_key, select};
use super::messages_list::{Condition, Value, listed, user_key, user_keys};
use crate::search::{Query, TAIL, cursor, searchable, tokens};
use crate::sql::{Kind, Param, SqlError, SqlTx};
use parlor_core::{
    id::{MessageId, RoomId},
    message::Message,
    store::{Page, Search},
};
use rustc_hash::{FxHashMap, FxHashSet};

type Sql<T> = Result<T, SqlError>;

/// Rooms searched at once.
const MOST_ROOMS: usize = 1_000;
/// Rooms that the full-text index is asked for by name; more are sorted out afterwards.
const ROOMS_IN_QUERY: usize = 16;
/// How far a search can be paged.
const DEEPEST: u64 = 10_000;
/// Messages read by one statement.
const TOGETHER: usize = 500;

/// A hit: when it was written, and its key.
type Hit = (i64, i64);

/// Messages that hold all the words and pass the filters.
pub(super) fn search(tx: &mut SqlTx<'_>, search: &Search, page: Page) -> Sql<Vec<Message>> {
    let mut rooms = Vec::new();
    for room in search.rooms.iter().take(MOST_ROOMS) {
        rooms.extend(room_key(tx, room)?);
    }
    let query = Query::new(&search.words, search.prefix);
    if rooms.is_empty() || (query.is_none() && !search.words.is_empty()) {
        return Ok(Vec::new());
    }
    let filter = filter(tx, search, &rooms)?;
    let (offset, count) = (page.offset.min(DEEPEST), page.count.min(DEEPEST));
    let mut hits = match (&query, rooms.as_slice()) {
        (None, [_]) => in_room(tx, &filter, offset + count)?,
        _ => {
            let tail = tail(tx, query.as_ref(), &filter)?;
            let known: FxHashSet<i64> = tail.iter().map(|(_, key, _)| *key).collect();
            let wanted = offset + count + known.len() as u64;
            let indexed = indexed(tx, query.as_ref(), &rooms, &filter, wanted)?;
            let new = tail.into_iter().filter(|(_, _, matches)| *matches).map(|(at, key, _)| (at, key));
            new.chain(indexed.into_iter().filter(|(_, key)| !known.contains(key))).collect()
        }
    };
    hits.sort_unstable_by(|a, b| b.cmp(a));
    let (skip, take) = (offset as usize, count as usize);
    let keys: Vec<i64> = hits.into_iter().skip(skip).take(take).map(|(_, key)| key).collect();
    let mut found: FxHashMap<i64, Message> = messages_by_keys(tx, &keys)?.into_iter().collect();
    Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
}

/// Messages by their keys, in any order; those that are gone are left out.
pub(crate) fn messages_by_keys(tx: &mut SqlTx<'_>, keys: &[i64]) -> Sql<Vec<(i64, Message)>> {
    let mut all = Vec::with_capacity(keys.len());
    let mut rooms: FxHashMap<RoomId, i64> = FxHashMap::default();
    for keys in keys.chunks(TOGETHER) {
        for message in select(tx, &format!("WHERE m.key IN ({})", listed(keys)), &[])? {
            let room = match rooms.get(&message.room) {
                Some(room) => *room,
                // A room that is being removed has no row, nor anybody who may search it.
                None => match room_key(tx, &message.room)? {
                    Some(room) => *rooms.entry(message.room.clone()).or_insert(room),
                    None => continue,
                },
            };
            all.push(((room << SEQ_BITS) | message.seq, message));
        }
    }
    Ok(all)
}

/// The newest of one room: its own order.
fn in_room(tx: &mut SqlTx<'_>, filter: &Condition, wanted: u64) -> Sql<Vec<Hit>> {
    let mut values = filter.params();
    values.push(Param::Int(wanted as i64));
    let sql = format!(
        "SELECT m.at, m.key FROM messages m WHERE {} ORDER BY m.key DESC LIMIT ${}",
        filter.sql,
        values.len()
    );
    tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The newest of the index, with these words if there are any.
fn indexed(
    tx: &mut SqlTx<'_>,
    query: Option<&Query>,
    rooms: &[i64],
    filter: &Condition,
    wanted: u64,
) -> Sql<Vec<Hit>> {
    if let (Kind::Postgres, Some(query)) = (tx.kind(), query)
        && let Some(hits) = newest(tx, query, filter, wanted)?
    {
        return Ok(hits);
    }
    let few = if rooms.len() <= ROOMS_IN_QUERY { rooms } else { &[] };
    let text = match tx.kind() {
        Kind::Sqlite => query.map(|query| query.fts5(few)),
        Kind::Postgres => query.map(Query::tsquery),
    };
    let mut values = filter.params();
    values.push(Param::Int(wanted as i64));
    let limit = values.len();
    values.extend(text.as_deref().map(Param::Text));
    let place = limit + 1;
    // The outer table gives the order, newest first, and the search ends at the last hit that is wanted.
    let from = match (tx.kind(), query.is_some()) {
        (Kind::Sqlite, true) => format!(
            "search_index CROSS JOIN search_docs d ON d.doc = search_index.rowid
             CROSS JOIN messages m ON m.key = d.key WHERE search_index MATCH ${place}"
        ),
        (Kind::Sqlite, false) => {
            "search_docs d CROSS JOIN messages m ON m.key = d.key WHERE 1 = 1".to_owned()
        }
        (Kind::Postgres, true) => {
            format!("search_docs d JOIN messages m ON m.key = d.key WHERE d.body @@ ${place}::text::tsquery")
        }
        (Kind::Postgres, false) => "search_docs d JOIN messages m ON m.key = d.key WHERE 1 = 1".to_owned(),
    };
    let order = if tx.kind() == Kind::Sqlite && query.is_some() { "search_index.rowid" } else { "d.doc" };
    let sql =
        format!("SELECT m.at, m.key FROM {from} AND {} ORDER BY {order} DESC LIMIT ${limit}", filter.sql);
    tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Messages of the index, the newest, that PostgreSQL looks through one by one before it asks its index of words.
const LOOKED_THROUGH: u64 = 20_000;

/// The newest hits on PostgreSQL, which reads all hits of a word to find the newest: those of a word that everybody
/// uses are found among the last messages, and only the others are asked of the index of words.
fn newest(tx: &mut SqlTx<'_>, query: &Query, filter: &Condition, wanted: u64) -> Sql<Option<Vec<Hit>>> {
    let (text, mut values) = (query.tsquery(), filter.params());
    values.push(Param::Int(wanted as i64));
    values.push(Param::Text(&text));
    let (limit, place) = (values.len() - 1, values.len());
    let sql = format!(
        "SELECT m.at, m.key FROM (SELECT doc, key, body FROM search_docs ORDER BY doc DESC LIMIT {LOOKED_THROUGH}) d
             JOIN messages m ON m.key = d.key
         WHERE d.body @@ ${place}::text::tsquery AND {} ORDER BY d.doc DESC LIMIT ${limit}",
        filter.sql
    );
    let hits = tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok((hits.len() as u64 == wanted).then_some(hits))
}

/// What the index does not hold yet, or not as it is now; with whether it matches.
fn tail(tx: &mut SqlTx<'_>, query: Option<&Query>, filter: &Condition) -> Sql<Vec<(i64, i64, bool)>> {
    let from = cursor(tx)?;
    let mut values = filter.params();
    values.push(Param::Int(from));
    values.push(Param::Int(TAIL as i64));
    let (after, limit) = (values.len() - 1, values.len());
    let mut keys: FxHashMap<MessageId, (i64, i64)> = FxHashMap::default();
    let sources = [
        (kind::MESSAGE, "m.key = ((j.room << 36) | j.position)"),
        (kind::MESSAGE_CHANGED, "(m.key >> 36) = j.room AND m.rev IS NOT NULL AND m.rev = j.position"),
    ];
    for (kind, on) in sources {
        let sql = format!(
            "SELECT m.at, m.key, m.id FROM journal j JOIN messages m ON {on}
             WHERE j.g > ${after} AND j.kind = {kind} AND {} ORDER BY j.g DESC LIMIT ${limit}",
            filter.sql
        );
        for (at, key, id) in tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))? {
            keys.insert(id, (at, key));
        }
    }
    let Some(query) = query else { return Ok(keys.into_values().map(|(at, key)| (at, key, true)).collect()) };
    let wanted: Vec<i64> = keys.values().map(|(_, key)| *key).collect();
    let mut all = Vec::with_capacity(wanted.len());
    for (key, message) in messages_by_keys(tx, &wanted)? {
        all.push((message.at.millis(), key, query.matches(&tokens(&searchable(&message)))));
    }
    Ok(all)
}

/// Everything but the words.
fn filter(tx: &mut SqlTx<'_>, search: &Search, rooms: &[i64]) -> Sql<Condition> {
    let mut all = Condition { sql: "(m.flags & 4) = 0".to_owned(), values: Vec::new() };
    match rooms {
        [only] => {
            all.with("m.key > ?", Value::Int(Span::of(*only).above));
            all.with("m.key < ?", Value::Int(Span::of(*only).below));
        }
        several => all.and(&format!("(m.key >> 36) IN ({})", listed(several))),
    }
    if !search.from.is_empty() {
        let authors = user_keys(tx, &search.from)?;
        all.and(&format!("m.author IN ({})", listed(&authors)));
    }
    if !search.mentioning.is_empty() {
        let whom = user_keys(tx, &search.mentioning)?;
        let mentioned = "EXISTS (SELECT 1 FROM mentions x WHERE x.key = m.key AND x.whom IN";
        all.and(&format!("{mentioned} ({}))", listed(&whom)));
    }
    if let Some(after) = search.after {
        all.with("m.at >= ?", Value::Int(after.millis()));
    }
    if let Some(before) = search.before {
        all.with("m.at < ?", Value::Int(before.millis()));
    }
    for has in &search.has {
        match has.as_str() {
            "file" => all.and("(m.flags & 256) <> 0"),
            "image" => all.and("(m.flags & 512) <> 0"),
            "link" => all.and("(m.flags & 128) <> 0"),
            "pin" => all.and("(m.flags & 16) <> 0"),
            _ => {
                let whom = search.viewer.as_ref().map(|user| user_key(tx, user)).transpose()?.unwrap_or(-1);
                all.with("m.key IN (SELECT s.key FROM stars s WHERE s.whom = ?)", Value::Int(whom));
            }
        }
    }
    Ok(all)
}

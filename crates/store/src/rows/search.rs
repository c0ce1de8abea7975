//! Searching messages: by the full-text index, by what is not indexed yet, and by filters; newest first.

use super::heads::SEQ_BITS;
use super::journal::kind;
use super::messages::{Span, room_key, select};
use super::messages_codec::flag;
use super::messages_list::{Condition, Value, listed, user_key, user_keys};
use crate::search::{Query, TAIL, cursor, searchable, tokens};
use crate::sql::{Kind, Param, Row, SqlError, SqlTx};
use parlor_core::{
    id::{MessageId, RoomId},
    message::Message,
    store::{Found, Page, Search},
};
use rustc_hash::{FxHashMap, FxHashSet};
use std::time::Duration;

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
pub(super) fn search(tx: &mut SqlTx<'_>, search: &Search, page: Page) -> Sql<Found> {
    let mut rooms = Vec::new();
    for room in search.rooms.iter().take(MOST_ROOMS) {
        rooms.extend(room_key(tx, room)?);
    }
    let query = Query::new(&search.words, search.prefix);
    if rooms.is_empty() || (query.is_none() && !search.words.is_empty()) {
        return Ok(Found::default());
    }
    let mut partial = false;
    let filter = filter(tx, search, &rooms)?;
    let (offset, count) = (page.offset.min(DEEPEST), page.count.min(DEEPEST));
    let mut hits = match (&query, rooms.as_slice()) {
        (None, [_]) => in_room(tx, &filter, offset + count)?,
        _ => {
            let tail = tail(tx, query.as_ref(), &filter)?;
            let known: FxHashSet<i64> = tail.iter().map(|(_, key, _)| *key).collect();
            let wanted = offset + count + known.len() as u64;
            let look = Look { filter: &filter, wanted, patience: search.patience.unwrap_or(PATIENCE) };
            let (indexed, cut) = indexed(tx, query.as_ref(), &rooms, &look)?;
            partial = cut;
            let new = tail.into_iter().filter(|(_, _, matches)| *matches).map(|(at, key, _)| (at, key));
            new.chain(indexed.into_iter().filter(|(_, key)| !known.contains(key))).collect()
        }
    };
    hits.sort_unstable_by(|a, b| b.cmp(a));
    let (skip, take) = (offset as usize, count as usize);
    let keys: Vec<i64> = hits.into_iter().skip(skip).take(take).map(|(_, key)| key).collect();
    let mut found: FxHashMap<i64, Message> = messages_by_keys(tx, &keys)?.into_iter().collect();
    Ok(Found { messages: keys.iter().filter_map(|key| found.remove(key)).collect(), partial })
}

/// Messages by their keys, in any order; those that are gone are left out.
fn messages_by_keys(tx: &mut SqlTx<'_>, keys: &[i64]) -> Sql<Vec<(i64, Message)>> {
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

/// What is found of messages by their keys, in any order: without notices, and without those that are gone.
pub(crate) fn texts_by_keys(tx: &mut SqlTx<'_>, keys: &[i64]) -> Sql<Vec<(i64, String)>> {
    let mut texts = Vec::with_capacity(keys.len());
    // Names and descriptions of files are found too: those are read whole.
    let mut with_files = Vec::new();
    for keys in keys.chunks(TOGETHER) {
        let sql = format!("SELECT key, flags, text FROM messages WHERE key IN ({})", listed(keys));
        let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?, row.get::<String>(2)?));
        for (key, flags, text) in tx.query(&sql, &[], read)? {
            if flags & flag::NOTICE != 0 {
                continue;
            }
            if flags & flag::FILE != 0 {
                with_files.push(key);
            } else {
                texts.push((key, text));
            }
        }
    }
    let whole = messages_by_keys(tx, &with_files)?;
    texts.extend(whole.into_iter().map(|(key, message)| (key, searchable(&message))));
    Ok(texts)
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
///
/// Nobody's words may keep a reader for long: what takes more than [`PATIENCE`] is answered with the newest that was
/// found by then, and `true`.
fn indexed(
    tx: &mut SqlTx<'_>,
    query: Option<&Query>,
    rooms: &[i64],
    look: &Look<'_>,
) -> Sql<(Vec<Hit>, bool)> {
    match (tx.kind(), query) {
        (Kind::Postgres, Some(query)) => {
            let newest = newest(tx, query, look)?;
            if newest.len() as u64 == look.wanted {
                return Ok((newest, false));
            }
            let all = tx.unless_cut(look.patience, |tx| by_words(tx, query, rooms, look))?;
            Ok(all.unwrap_or((newest, true)))
        }
        _ => by_windows(tx, query, rooms, look),
    }
}

/// What is looked for in the index beside words.
struct Look<'a> {
    filter: &'a Condition,
    wanted: u64,
    patience: Duration,
}

/// Messages of the index that one statement looks through.
const WINDOW: i64 = 50_000;
/// How long one search looks for what its first statement has not found.
const PATIENCE: Duration = Duration::from_millis(500);

/// From the newest back, so many at a time.
fn by_windows(
    tx: &mut SqlTx<'_>,
    query: Option<&Query>,
    rooms: &[i64],
    look: &Look<'_>,
) -> Sql<(Vec<Hit>, bool)> {
    let &Look { filter, wanted, patience } = look;
    let few = if rooms.len() <= ROOMS_IN_QUERY { rooms } else { &[] };
    let text = query.map(|query| query.fts5(few));
    let first = filter.values.len() + 1;
    let (limit, low, high, place) = (first, first + 1, first + 2, first + 3);
    // The outer table gives the order, newest first, and the search ends at the last hit that is wanted.
    let (from, doc) = match (tx.kind(), query.is_some()) {
        (Kind::Sqlite, true) => {
            let from = "search_index CROSS JOIN search_docs d ON d.doc = search_index.rowid
                CROSS JOIN messages m ON m.key = d.key";
            (from, "search_index.rowid")
        }
        (Kind::Sqlite, false) => ("search_docs d CROSS JOIN messages m ON m.key = d.key", "d.doc"),
        (Kind::Postgres, _) => ("search_docs d JOIN messages m ON m.key = d.key", "d.doc"),
    };
    let words = if text.is_some() { format!("search_index MATCH ${place} AND") } else { String::new() };
    let sql = format!(
        "SELECT m.at, m.key FROM {from} WHERE {words} {doc} > ${low} AND {doc} <= ${high} AND {}
         ORDER BY {doc} DESC LIMIT ${limit}",
        filter.sql
    );
    let mut hits = Vec::new();
    let mut newest = tx.one("SELECT COALESCE(MAX(doc), 0) FROM search_docs", &[], |row| row.get::<i64>(0))?;
    while newest > 0 && (hits.len() as u64) < wanted {
        let mut values = filter.params();
        let missing = wanted - hits.len() as u64;
        values.extend([Param::Int(missing as i64), Param::Int(newest - WINDOW), Param::Int(newest)]);
        values.extend(text.as_deref().map(Param::Text));
        hits.extend(tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))?);
        newest -= WINDOW;
        if tx.elapsed() > patience {
            let partial = newest > 0 && (hits.len() as u64) < wanted;
            return Ok((hits, partial));
        }
    }
    Ok((hits, false))
}

/// Messages of the index, the newest, that PostgreSQL looks through one by one before it asks its index of words.
const LOOKED_THROUGH: u64 = 20_000;

/// The newest hits on PostgreSQL, which reads all hits of a word to find the newest: those of a word that everybody
/// uses are found among the last messages, and only the others are asked of the index of words.
fn newest(tx: &mut SqlTx<'_>, query: &Query, look: &Look<'_>) -> Sql<Vec<Hit>> {
    let &Look { filter, wanted, .. } = look;
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
    tx.query(&sql, &values, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The newest hits of PostgreSQL's index of words. All hits are put into their order, but only so many of the newest
/// are looked up as messages, and more when the filters let too few of them through.
fn by_words(tx: &mut SqlTx<'_>, query: &Query, rooms: &[i64], look: &Look<'_>) -> Sql<(Vec<Hit>, bool)> {
    let &Look { filter, wanted, patience } = look;
    let text = query.tsquery();
    let inside = match rooms {
        [only] => format!("key > {} AND key < {}", Span::of(*only).above, Span::of(*only).below),
        several => format!("(key >> {SEQ_BITS}) IN ({})", listed(several)),
    };
    let first = filter.values.len() + 1;
    let (place, before, limit) = (first, first + 1, first + 2);
    // OFFSET 0: without it the planner walks back through all messages when it takes the words for usual ones.
    let sql = format!(
        "SELECT d.doc, m.at, m.key FROM (
             SELECT doc, key FROM (
                 SELECT doc, key FROM search_docs
                 WHERE body @@ ${place}::text::tsquery AND doc < ${before} AND {inside} OFFSET 0
             ) AS hits ORDER BY doc DESC LIMIT ${limit}
         ) AS d LEFT JOIN messages m ON m.key = d.key AND {} ORDER BY d.doc DESC",
        filter.sql
    );
    let (mut hits, mut oldest, mut take) = (Vec::new(), i64::MAX, wanted.max(500));
    loop {
        let mut values = filter.params();
        values.extend([Param::Text(&text), Param::Int(oldest), Param::Int(take as i64)]);
        let mut seen = 0;
        tx.each(&sql, &values, |row| {
            (seen, oldest) = (seen + 1, row.get(0)?);
            hits.extend(row.get::<Option<i64>>(1)?.zip(row.get::<Option<i64>>(2)?));
            Ok(true)
        })?;
        let all = seen < take || hits.len() as u64 >= wanted;
        if all || tx.elapsed() > patience {
            hits.truncate(wanted as usize);
            return Ok((hits, !all));
        }
        take *= 8;
    }
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

//! Feeding the index: what changed is read and cut in one step, and stored in another, which is all that the
//! writer has to do.

use super::query::tsvector;
use super::tokens;
use crate::params;
use crate::rows::heads::SEQ_BITS;
use crate::rows::journal::{self, Kept, kind};
use crate::rows::texts_by_keys;
use crate::sql::{ArrayParam, Kind, SqlError, SqlTx};
use rustc_hash::{FxHashMap, FxHashSet};

type Sql<T> = Result<T, SqlError>;

/// Rows of the journal in one chunk: a few milliseconds of the writer's time.
pub(super) const CHUNK: u64 = 512;
/// Messages of a removed room that one chunk takes out of the index.
const SWEPT: u64 = 500;

/// What the journal says has changed.
pub(super) struct Changes {
    from: i64,
    upto: i64,
    put: Vec<(i64, String)>,
    drop: Vec<i64>,
    /// A removed room: its key and the number of its row.
    room: Option<(i64, i64)>,
    /// There was no more than this.
    pub(super) last: bool,
}

/// The same, cut into tokens.
pub(super) struct Chunk {
    from: i64,
    upto: i64,
    put: Vec<(i64, Vec<String>)>,
    drop: Vec<i64>,
    room: Option<(i64, i64)>,
}

/// How far indexing got.
pub(crate) fn cursor(tx: &mut SqlTx<'_>) -> Sql<i64> {
    let sql = "SELECT g FROM journal_cursors WHERE name = 'search' {lock}";
    Ok(tx.opt(sql, &[], |row| row.get(0))?.unwrap_or(0))
}

/// How many rows of the journal wait, as far as [`TAIL`](super::TAIL) and one more.
pub(super) fn waiting(tx: &mut SqlTx<'_>) -> Sql<u64> {
    let from = cursor(tx)?;
    let sql = "SELECT COUNT(*) FROM (SELECT g FROM journal WHERE g > $1 LIMIT $2) AS tail";
    tx.one(sql, params![from, super::TAIL + 1], |row| row.get(0))
}

/// Passes over the next row of the journal, which can't be indexed: its number, if there is one.
pub(super) fn pass_over(tx: &mut SqlTx<'_>) -> Sql<Option<i64>> {
    let from = cursor(tx)?;
    let Some(row) = journal::after(tx, from, 1)?.into_iter().next() else { return Ok(None) };
    tx.exec("UPDATE journal_cursors SET g = $1 WHERE name = 'search'", params![row.g])?;
    Ok(Some(row.g))
}

/// What comes after the cursor: at most so many rows of the journal.
pub(super) fn changes(tx: &mut SqlTx<'_>, most: u64) -> Sql<Changes> {
    let from = cursor(tx)?;
    let rows = journal::after(tx, from, most)?;
    let mut changes = Changes {
        from,
        upto: from,
        put: Vec::new(),
        drop: Vec::new(),
        room: None,
        last: (rows.len() as u64) < most,
    };
    let mut keys = FxHashSet::default();
    for row in &rows {
        changes.upto = row.g;
        match row.kind {
            kind::MESSAGE => {
                keys.extend(row.room.zip(row.position).map(|(room, at)| (room << SEQ_BITS) | at))
            }
            kind::MESSAGE_CHANGED => keys.extend(at_position(tx, "messages", row)?),
            kind::MESSAGE_DELETED | kind::PURGED => changes.drop.extend(at_position(tx, "tombstones", row)?),
            kind::ROOM_REMOVED => {
                changes.room = removed_room(tx, row)?.map(|room| (room, row.g));
                // Such a room takes several chunks of its own.
                if changes.room.is_some() {
                    changes.last = false;
                    break;
                }
            }
            _ => {}
        }
    }
    let keys: Vec<i64> = keys.into_iter().collect();
    changes.put = texts_by_keys(tx, &keys)?;
    Ok(changes)
}

fn at_position(tx: &mut SqlTx<'_>, table: &str, row: &Kept) -> Sql<Vec<i64>> {
    let not_null = if table == "messages" { "AND rev IS NOT NULL" } else { "" };
    let sql = format!("SELECT key FROM {table} WHERE (key >> 36) = $1 {not_null} AND rev = $2");
    tx.query(&sql, params![row.room, row.position], |row| row.get(0))
}

fn removed_room(tx: &mut SqlTx<'_>, row: &Kept) -> Sql<Option<i64>> {
    tx.opt("SELECT key FROM removed_rooms WHERE id = $1", params![row.object.as_deref()], |row| row.get(0))
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.upto == self.from
    }

    /// Cuts the texts: work for a thread of its own, not for the writer's or a reader's.
    pub(super) fn cut(self) -> Chunk {
        let Changes { from, upto, put, drop, room, .. } = self;
        let put = put.into_iter().map(|(key, text)| (key, tokens(&text))).collect();
        Chunk { from, upto, put, drop, room }
    }
}

/// Stores a chunk and moves the cursor; does nothing if another node was quicker.
pub(super) fn store(tx: &mut SqlTx<'_>, chunk: &Chunk) -> Sql<()> {
    if cursor(tx)? != chunk.from {
        return Ok(());
    }
    let mut upto = chunk.upto;
    for key in &chunk.drop {
        drop_docs(tx, "key = $1", &[*key])?;
    }
    if let Some((room, g)) = chunk.room {
        let range = [room << SEQ_BITS, (room + 1) << SEQ_BITS];
        let swept = drop_docs(tx, "key > $1 AND key < $2", &range)?;
        if swept == SWEPT {
            upto = g - 1;
        }
    }
    match tx.kind() {
        Kind::Sqlite => put_sqlite(tx, &chunk.put)?,
        Kind::Postgres => put_postgres(tx, &chunk.put)?,
    }
    tx.exec("UPDATE journal_cursors SET g = $1 WHERE name = 'search'", params![upto])?;
    Ok(())
}

/// Takes messages between two keys, both included, out of the index.
pub(crate) fn drop_between(tx: &mut SqlTx<'_>, from: i64, to: i64) -> Sql<()> {
    while drop_docs(tx, "key >= $1 AND key <= $2", &[from, to])? == SWEPT {}
    Ok(())
}

/// Takes at most [`SWEPT`] messages out of the index.
fn drop_docs(tx: &mut SqlTx<'_>, which: &str, keys: &[i64]) -> Sql<u64> {
    let keys: Vec<_> = keys.iter().map(|key| crate::sql::Param::Int(*key)).collect();
    let docs: Vec<i64> =
        tx.query(&format!("SELECT doc FROM search_docs WHERE {which} LIMIT {SWEPT}"), &keys, |row| {
            row.get(0)
        })?;
    for doc in &docs {
        if tx.kind() == Kind::Sqlite {
            tx.exec("DELETE FROM search_index WHERE rowid = $1", params![doc])?;
        }
        tx.exec("DELETE FROM search_docs WHERE doc = $1", params![doc])?;
    }
    Ok(docs.len() as u64)
}

fn put_sqlite(tx: &mut SqlTx<'_>, put: &[(i64, Vec<String>)]) -> Sql<()> {
    // First all numbers, then all texts: each statement that gives rows back would make the index write out what it
    // has gathered, and pieces of one message each cost a multiple in merging. All numbers by one statement: each
    // would make a table for what it gives back, and a savepoint within the job's.
    let keys: Vec<String> = put.iter().map(|(key, _)| key.to_string()).collect();
    let new = "INSERT INTO search_docs (key)
        SELECT m.key FROM json_each($1) j JOIN messages m ON m.key = j.value WHERE true ORDER BY j.key
        ON CONFLICT (key) DO NOTHING RETURNING key, doc";
    let docs = tx.query(new, params![format!("[{}]", keys.join(","))], |row| {
        Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
    })?;
    let docs: FxHashMap<i64, i64> = docs.into_iter().collect();
    for (key, tokens) in put {
        let (room, body) = ((key >> SEQ_BITS).to_string(), tokens.join(" "));
        match docs.get(key) {
            Some(doc) => {
                let sql = "INSERT INTO search_index (rowid, room, body) VALUES ($1, $2, $3)";
                tx.exec(sql, params![doc, room, body])?;
            }
            None => {
                let sql = "INSERT OR REPLACE INTO search_index (rowid, room, body)
                    SELECT doc, $2, $3 FROM search_docs WHERE key = $1";
                tx.exec(sql, params![key, room, body])?;
            }
        }
    }
    Ok(())
}

fn put_postgres(tx: &mut SqlTx<'_>, put: &[(i64, Vec<String>)]) -> Sql<()> {
    // In the order of keys: two nodes never wait for each other in a ring.
    let put: FxHashMap<i64, String> = put.iter().map(|(key, tokens)| (*key, tsvector(tokens))).collect();
    let mut put: Vec<(i64, String)> = put.into_iter().collect();
    put.sort_unstable();
    let keys = ArrayParam::Int(put.iter().map(|(key, _)| Some(*key)).collect());
    let bodies = ArrayParam::Text(put.iter().map(|(_, body)| Some(body.as_str())).collect());
    let sql = "INSERT INTO search_docs (key, body)
        SELECT n.key, n.body::tsvector FROM unnest($1::bigint[], $2::text[]) AS n (key, body)
            JOIN messages m ON m.key = n.key
        ON CONFLICT (key) DO UPDATE SET body = EXCLUDED.body";
    let rows = tx.exec_many(sql, &[&keys, &bodies])?;
    tx.wrote(rows);
    Ok(())
}

//! Storing messages on PostgreSQL: many with one statement, in one transaction.
//!
//! Rooms are locked in the order of their keys, so that two nodes can't wait for each other in a ring; what the
//! judgements stand on is read after the locks, so that a change which was committed meanwhile is seen.

use super::append::{Item, NO_ROOT, gone, known, place, publish};
use super::heads::{Place, SEQ_BITS};
use super::journal::{kind, stands};
use super::messages_codec::encode;
use crate::hot::Author;
use crate::sql::{ArrayParam, SqlError, SqlTx};
use parlor_core::{
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    message::Message,
    store::Appended,
};
use postgres::types::ToSql;
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::Arc;

type Sql<T> = std::result::Result<T, SqlError>;

const LOCK: &str =
    "SELECT h.room FROM room_heads h WHERE h.room IN (SELECT key FROM rooms WHERE id = ANY($1))
    ORDER BY h.room FOR NO KEY UPDATE";
const ROOMS: &str = "SELECT r.key, r.access, h.changed_at, h.last_key, h.last_author, h.position, h.counted,
        h.messages, h.last_at, m.id, h.last_seq, u.id, h.last_seq_by_another, r.id
    FROM rooms r JOIN room_heads h ON h.room = r.key
        LEFT JOIN messages m ON m.key = h.last_key LEFT JOIN users u ON u.key = h.last_author
    WHERE r.id = ANY($1)";
const USERS: &str = "SELECT id, key, access FROM users WHERE id = ANY($1)";
const KNOWN: &str = "SELECT id FROM messages WHERE id = ANY($1)
    UNION ALL SELECT id FROM tombstones WHERE id = ANY($1)";
const ROOTS: &str = "SELECT id, key FROM messages WHERE id = ANY($1)";
const STORE: &str = "WITH m AS (
        INSERT INTO messages (key, id, counted, author, at, thread, flags, text, extra)
        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::text[], $9::text[])
    ), j AS (
        INSERT INTO journal (g, at, kind, room, position)
        SELECT g, at, $11::bigint, key >> 36, key & 68719476735
        FROM unnest($10::bigint[], $5::bigint[], $1::bigint[]) AS n (g, at, key)
    ), h AS (
        UPDATE room_heads SET position = n.position, counted = n.counted, messages = n.messages,
            changed_at = n.changed_at, last_at = n.last_at, last_key = n.last_key, last_seq = n.last_seq,
            last_author = n.last_author, last_seq_by_another = n.last_seq_by_another
        FROM unnest($12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[],
            $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[])
            AS n (room, position, counted, messages, changed_at, last_at, last_key, last_seq, last_author,
                last_seq_by_another)
        WHERE room_heads.room = n.room
    )
    INSERT INTO mentions (whom, key, thread)
    SELECT * FROM unnest($22::bigint[], $23::bigint[], $24::bigint[]) ON CONFLICT DO NOTHING";

/// What a batch stands on, read under the rooms' locks.
#[derive(Default)]
struct Ground {
    rooms: FxHashMap<RoomId, Place>,
    users: FxHashMap<UserId, Author>,
    /// Ids that are stored already.
    known: FxHashSet<MessageId>,
    roots: FxHashMap<MessageId, i64>,
    /// There are replies.
    threads: bool,
}

/// A message that will be stored.
struct New {
    place: usize,
    message: Arc<Message>,
    key: i64,
    author: i64,
    thread: Option<i64>,
    g: i64,
    mentions: Vec<i64>,
    head: Arc<parlor_core::room::Head>,
}

/// One message in the transaction of a verb.
pub(crate) fn store_one(tx: &mut SqlTx<'_>, item: Item) -> Result<Appended> {
    let mut outcomes = store_many(tx, &[&item])?;
    outcomes.pop().unwrap_or(Err(Refusal::Unavailable))
}

/// Stores what can be stored; tells for each item what became of it. An error means that nothing was stored.
pub(crate) fn store_many(tx: &mut SqlTx<'_>, items: &[&Item]) -> Sql<Vec<Result<Appended>>> {
    let mut ground = ground(tx, items)?;
    let mut outcomes: Vec<Option<Result<Appended>>> = Vec::with_capacity(items.len());
    let mut new: Vec<New> = Vec::with_capacity(items.len());
    let mut repeated: Vec<(usize, usize)> = Vec::new();
    let mut here: FxHashMap<&MessageId, usize> = FxHashMap::default();
    for (place, item) in items.iter().enumerate() {
        outcomes.push(None);
        if let Some(first) = here.get(&item.message.id) {
            repeated.push((place, *first));
            continue;
        }
        match prepare(tx, &mut ground, item, place)? {
            Ok(Some(ready)) => {
                here.insert(&item.message.id, new.len());
                new.push(ready);
            }
            Ok(None) => outcomes[place] = Some(stored_before(tx, &ground, item)?),
            Err(refusal) => outcomes[place] = Some(Err(refusal)),
        }
    }
    if !new.is_empty() {
        store(tx, &ground, items, &new)?;
    }
    for (place, first) in repeated {
        outcomes[place] = Some(repeat(&items[place].message, &new[first]));
    }
    for New { place, message, g, head, .. } in new {
        outcomes[place] = Some(Ok(publish(tx, g, message, head)));
    }
    Ok(outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(Refusal::Unavailable))).collect())
}

/// The same id twice in one batch: the second is the first again, if it is the same author's in the same room.
fn repeat(message: &Message, first: &New) -> Result<Appended> {
    if first.message.room != message.room || first.message.author != message.author {
        return Err(Refusal::IdConflict);
    }
    Ok(Appended { message: first.message.clone(), duplicate: true, head: first.head.clone() })
}

fn ground(tx: &mut SqlTx<'_>, items: &[&Item]) -> Sql<Ground> {
    let rooms: FxHashSet<&str> = items.iter().map(|i| i.message.room.as_str()).collect();
    let rooms = ArrayParam::Text(rooms.into_iter().map(Some).collect());
    let mut users: FxHashSet<&str> = FxHashSet::default();
    for item in items {
        users.insert(item.message.author.as_str());
        users.extend(item.judgement.user.iter().map(|(user, _)| user.as_str()));
        users.extend(item.mentioned.iter().map(UserId::as_str));
    }
    let users = ArrayParam::Text(users.into_iter().map(Some).collect());
    let ids = items.iter().filter(|i| i.client_id).map(|i| Some(i.message.id.as_str())).collect();
    let roots: Vec<_> =
        items.iter().filter_map(|i| i.message.thread.as_ref().map(|t| Some(t.as_str()))).collect();
    let (ids, threads) = (ArrayParam::Text(ids), !roots.is_empty());
    let roots = ArrayParam::Text(roots);
    let mut ground = Ground { threads, ..Ground::default() };
    // One round trip for all: each looks only when its turn has come, behind the locks.
    let all: [(&str, &[&(dyn ToSql + Sync)]); 5] =
        [(LOCK, &[&rooms]), (ROOMS, &[&rooms]), (USERS, &[&users]), (KNOWN, &[&ids]), (ROOTS, &[&roots])];
    tx.together(if threads { &all } else { &all[..4] }, |which, row| {
        match which {
            1 => {
                ground.rooms.insert(row.get(13)?, place(row)?);
            }
            2 => {
                let author = Author { key: row.get(1)?, access: row.get(2)? };
                ground.users.insert(row.get(0)?, author);
            }
            3 => {
                ground.known.insert(row.get(0)?);
            }
            4 => {
                ground.roots.insert(row.get(0)?, row.get(1)?);
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(ground)
}

/// Judges an item on the ground and takes its position; `None` if its id is known.
fn prepare(tx: &mut SqlTx<'_>, ground: &mut Ground, item: &Item, at: usize) -> Sql<Result<Option<New>>> {
    let (author, thread) = match check(ground, item) {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if ground.known.contains(&item.message.id) {
        return Ok(Ok(None));
    }
    if item.message.text.as_bytes().contains(&0) {
        return Ok(Err(SqlError::Nul.into()));
    }
    let Some(place) = ground.rooms.get_mut(&item.message.room) else {
        return Ok(Err(gone(&item.judgement)));
    };
    let mut message = item.message.clone();
    let key = place.take(&mut message, author, item.at.unwrap_or(tx.time()));
    if ground.threads {
        // A reply may follow in the same batch.
        ground.roots.insert(message.id.clone(), key);
    }
    let mut mentions: Vec<i64> =
        item.mentioned.iter().filter_map(|user| Some(ground.users.get(user)?.key)).collect();
    if item.addresses_everybody() {
        mentions.push(0);
    }
    let (message, head) = (Arc::new(message), place.shared());
    Ok(Ok(Some(New { place: at, message, key, author, thread, g: tx.next_g()?, mentions, head })))
}

/// Whether the item may be stored: its author's key and its thread's.
fn check(ground: &Ground, item: &Item) -> Result<(i64, Option<i64>)> {
    let message = &item.message;
    let author = ground.users.get(&message.author).ok_or(Refusal::NotFound(What::User))?;
    let room = ground.rooms.get(&message.room).ok_or_else(|| gone(&item.judgement))?;
    if let Some((user, access)) = &item.judgement.user {
        stands(ground.users.get(user).map(|user| user.access), *access)?;
    }
    if let Some((judged, access)) = &item.judgement.room {
        stands((*judged == message.room).then_some(room.access), *access)?;
    }
    let thread = match &message.thread {
        Some(root) => {
            let key = ground.roots.get(root).filter(|key| **key >> SEQ_BITS == room.key);
            Some(*key.ok_or(NO_ROOT)?)
        }
        None => None,
    };
    Ok((author.key, thread))
}

fn stored_before(tx: &mut SqlTx<'_>, ground: &Ground, item: &Item) -> Sql<Result<Appended>> {
    let keys = ground.users.get(&item.message.author).zip(ground.rooms.get(&item.message.room));
    let Some((author, room)) = keys else { return Ok(Err(Refusal::IdConflict)) };
    let outcome = known(tx, &item.message, author.key, room.key);
    // A statement that failed spoils the transaction for all.
    tx.failure().cloned().map_or(Ok(outcome), Err)
}

fn store(tx: &mut SqlTx<'_>, ground: &Ground, items: &[&Item], new: &[New]) -> Sql<()> {
    let ints = |of: &dyn Fn(&New) -> Option<i64>| ArrayParam::Int(new.iter().map(of).collect());
    let encoded: Vec<(i64, Option<String>)> = new.iter().map(|n| encode(&n.message)).collect();
    let touched: FxHashSet<&RoomId> = new.iter().map(|n| &n.message.room).collect();
    let places: Vec<&Place> = touched.iter().filter_map(|room| ground.rooms.get(*room)).collect();
    let heads = |of: &dyn Fn(&Place) -> Option<i64>| ArrayParam::Int(places.iter().map(|p| of(p)).collect());
    let mut mentions = [Vec::new(), Vec::new(), Vec::new()];
    for n in new {
        for whom in &n.mentions {
            mentions[0].push(Some(*whom));
            mentions[1].push(Some(n.key));
            mentions[2].push(if items[n.place].message.shown_in_room { None } else { n.thread });
        }
    }
    let [whom, mentioned, hidden] = mentions.map(ArrayParam::Int);
    let rows = tx.exec_many(
        STORE,
        &[
            &ints(&|n| Some(n.key)),
            &ArrayParam::Text(new.iter().map(|n| Some(n.message.id.as_str())).collect()),
            &ints(&|n| Some(n.message.counted)),
            &ints(&|n| Some(n.author)),
            &ints(&|n| Some(n.message.at.millis())),
            &ints(&|n| n.thread),
            &ArrayParam::Int(encoded.iter().map(|(flags, _)| Some(*flags)).collect()),
            &ArrayParam::Text(new.iter().map(|n| Some(n.message.text.as_str())).collect()),
            &ArrayParam::Text(encoded.iter().map(|(_, extra)| extra.as_deref()).collect()),
            &ints(&|n| Some(n.g)),
            &kind::MESSAGE,
            &heads(&|p| Some(p.key)),
            &heads(&|p| Some(p.head.position)),
            &heads(&|p| Some(p.head.counted)),
            &heads(&|p| Some(p.head.messages)),
            &heads(&|p| Some(p.changed_at)),
            &heads(&|p| p.head.last_at.map(|at| at.millis())),
            &heads(&|p| p.last_key),
            &heads(&|p| Some(p.head.last_seq)),
            &heads(&|p| p.last_author),
            &heads(&|p| Some(p.head.last_seq_by_another)),
            &whom,
            &mentioned,
            &hidden,
        ],
    )?;
    // The statement's own count is that of the mentions.
    tx.wrote(rows + 2 * new.len() as u64 + places.len() as u64);
    Ok(())
}

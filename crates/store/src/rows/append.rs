//! Storing messages: the hot path. One by one in the writer's batch on SQLite, many with one statement on
//! PostgreSQL; `append_postgres.rs` holds the latter.

use super::heads::Place;
use super::journal::{kind, stands};
use super::messages_codec::encode;
use crate::hot::{Author, JournalRow, Kept};
use crate::params;
use crate::sql::{Param, Row, SqlError, SqlTx, SqliteConn};
use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event, Fact},
    id::{MessageId, RoomId, UserId},
    message::{Mention, Message},
    permissions::Judgement,
    room::Head,
    store::{Append, Appended, ReadMessages},
};
use std::sync::Arc;

/// A message on its way into the store.
pub(crate) struct Item {
    pub(crate) message: Message,
    pub(crate) judgement: Judgement,
    pub(crate) client_id: bool,
    pub(crate) mentioned: Vec<UserId>,
    /// Its time, for what another chat did then; otherwise the clock's.
    pub(crate) at: Option<Time>,
}

impl From<Append> for Item {
    fn from(append: Append) -> Self {
        let Append { message, judgement, client_id, mentioned } = append;
        Item { message, judgement, client_id, mentioned, at: None }
    }
}

impl Item {
    /// About what it holds in memory while it waits.
    pub(crate) fn bytes(append: &Append) -> usize {
        append.message.text.len() + 1_024
    }

    pub(crate) fn addresses_everybody(&self) -> bool {
        self.message.mentions.iter().any(|m| matches!(m, Mention::All | Mention::Here))
    }
}

/// Stores a message inside a verb's transaction, with no judgement of its own.
pub(crate) fn append_message(tx: &mut SqlTx<'_>, message: Message) -> Result<Message> {
    let item =
        Item { message, judgement: Judgement::default(), client_id: true, mentioned: Vec::new(), at: None };
    let appended = match tx.sqlite() {
        Some(conn) => {
            // The verb may still be refused: it can be taken back, and nothing of it may wait.
            tx.note(conn.open_savepoint())?;
            let appended = store_one(tx, conn, item)?;
            conn.flush()?;
            appended
        }
        None => super::append_postgres::store_one(tx, item)?,
    };
    Ok(Arc::unwrap_or_clone(appended.message))
}

const ROOM: &str = "SELECT r.key, r.access, h.changed_at, h.last_key, h.last_author, h.position, h.counted,
        h.messages, h.last_at, m.id, h.last_seq, u.id, h.last_seq_by_another
    FROM rooms r JOIN room_heads h ON h.room = r.key
        LEFT JOIN messages m ON m.key = h.last_key LEFT JOIN users u ON u.key = h.last_author
    WHERE r.id = $1";
const AUTHOR: &str = "SELECT key, access FROM users WHERE id = $1";
const TOMBSTONE: &str = "SELECT key, author FROM tombstones WHERE id = $1";
const BY_ID: &str = "SELECT key, author FROM messages WHERE id = $1";
const INSERT: &str = "INSERT INTO messages (key, id, counted, author, at, thread, flags, text, extra)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
const MENTION: &str = "INSERT INTO mentions (whom, key, thread)
    SELECT key, $2, $3 FROM users WHERE id = $1 ON CONFLICT DO NOTHING";
const MENTION_ALL: &str = "INSERT INTO mentions (whom, key, thread) VALUES (0, $1, $2)";
const HEAD: &str = "UPDATE room_heads SET position = $2, counted = $3, messages = $4, changed_at = $5,
        last_at = $6, last_key = $7, last_seq = $8, last_author = $9, last_seq_by_another = $10
    WHERE room = $1";

/// Reads the columns of [`ROOM`].
pub(super) fn place(row: &Row<'_>) -> std::result::Result<Place, SqlError> {
    Ok(Place {
        key: row.get(0)?,
        access: row.get(1)?,
        changed_at: row.get(2)?,
        last_key: row.get(3)?,
        last_author: row.get(4)?,
        head: Head {
            position: row.get(5)?,
            counted: row.get(6)?,
            messages: row.get(7)?,
            last_at: row.get(8)?,
            changed_at: parlor_core::clock::Time(row.get(2)?),
            last_message: row.get(9)?,
            last_seq: row.get(10)?,
            last_author: row.get(11)?,
            last_seq_by_another: row.get(12)?,
        },
    })
}

/// Stores one message in the writer's transaction. All that can refuse it comes before anything is changed; its
/// head and its row in the journal wait in memory for the end of the batch.
pub(crate) fn store_one(tx: &mut SqlTx<'_>, conn: &SqliteConn, item: Item) -> Result<Appended> {
    let author = tx.note(author(conn, &item.message.author))?.ok_or(Refusal::NotFound(What::User))?;
    let before = tx.note(room(conn, &item.message.room))?;
    let before = before.ok_or_else(|| gone(&item.judgement))?;
    check(tx, conn, &item.judgement, &item.message, author, &before)?;
    let thread = match &item.message.thread {
        Some(root) => Some(tx.note(root_key(conn, root, before.key))?.ok_or(NO_ROOT)?),
        None => None,
    };
    if item.client_id && tx.note(conn.hot_opt(TOMBSTONE, params![item.message.id], |_| Ok(())))?.is_some() {
        return known(tx, &item.message, author.key, before.key);
    }
    let mentions = !item.mentioned.is_empty() || item.addresses_everybody();
    if mentions {
        tx.note(conn.open_savepoint())?;
    }
    let mut after = before.clone();
    let mut message = item.message;
    let key = after.take(&mut message, author.key, item.at.unwrap_or(tx.time()));
    let stored = insert(conn, key, author.key, thread, &message);
    if tx.note(stored)? == 0 {
        return known(tx, &message, author.key, before.key);
    }
    if mentions {
        let everybody = message.mentions.iter().any(|m| matches!(m, Mention::All | Mention::Here));
        let hidden = if message.shown_in_room { None } else { thread };
        tx.note(mention(conn, key, hidden, &item.mentioned, everybody))?;
    }
    Ok(settle(tx, conn, message, after))
}

/// The answer where the room is not there: a judged room was there a moment ago, so the verb judges anew.
pub(super) fn gone(judgement: &Judgement) -> Refusal {
    if judgement.room.is_some() { Refusal::Stale } else { Refusal::NotFound(What::Room) }
}

pub(super) const NO_ROOT: Refusal = Refusal::NotFound(What::Message);

fn author(conn: &SqliteConn, id: &UserId) -> std::result::Result<Option<Author>, SqlError> {
    if let Some(author) = conn.hot.borrow().users.get(id) {
        return Ok(Some(*author));
    }
    let read = |row: &Row<'_>| Ok(Author { key: row.get(0)?, access: row.get(1)? });
    let found = conn.hot_opt(AUTHOR, params![id], read)?;
    if let Some(author) = found {
        conn.hot.borrow_mut().users.insert(id.clone(), author);
    }
    Ok(found)
}

fn room(conn: &SqliteConn, id: &RoomId) -> std::result::Result<Option<Place>, SqlError> {
    if let Some(kept) = conn.hot.borrow().rooms.get(id) {
        return Ok(Some(kept.place.clone()));
    }
    let found = conn.hot_opt(ROOM, params![id], place)?;
    if let Some(place) = &found {
        conn.hot.borrow_mut().rooms.insert(id.clone(), Kept { place: place.clone(), dirty: false });
    }
    Ok(found)
}

fn root_key(conn: &SqliteConn, root: &MessageId, room: i64) -> std::result::Result<Option<i64>, SqlError> {
    let key: Option<i64> = conn.hot_opt(BY_ID, params![root], |row| row.get(0))?;
    Ok(key.filter(|key| key >> super::heads::SEQ_BITS == room))
}

/// Whether the judgement still stands.
fn check(
    tx: &mut SqlTx<'_>,
    conn: &SqliteConn,
    judgement: &Judgement,
    message: &Message,
    by: Author,
    place: &Place,
) -> Result<()> {
    if let Some((user, access)) = &judgement.user {
        let found = if *user == message.author { Some(by) } else { tx.note(author(conn, user))? };
        stands(found.map(|found| found.access), *access)?;
    }
    if let Some((judged, access)) = &judgement.room {
        let found = if *judged == message.room { Some(place.access) } else { None };
        stands(found, *access)?;
    }
    Ok(())
}

fn insert(
    conn: &SqliteConn,
    key: i64,
    author: i64,
    thread: Option<i64>,
    message: &Message,
) -> std::result::Result<u64, SqlError> {
    if message.text.as_bytes().contains(&0) {
        return Err(SqlError::Nul);
    }
    let (flags, extra) = encode(message);
    conn.hot_exec(
        INSERT,
        params![key, message.id, message.counted, author, message.at, thread, flags, message.text, extra],
    )
}

fn mention(
    conn: &SqliteConn,
    key: i64,
    hidden: Option<i64>,
    mentioned: &[UserId],
    everybody: bool,
) -> std::result::Result<(), SqlError> {
    for user in mentioned {
        conn.hot_exec(MENTION, params![user, key, hidden])?;
    }
    if everybody {
        conn.hot_exec(MENTION_ALL, params![key, hidden])?;
    }
    Ok(())
}

/// Keeps the new head, lets the journal's row wait, publishes.
fn settle(tx: &mut SqlTx<'_>, conn: &SqliteConn, message: Message, after: Place) -> Appended {
    let head = after.shared();
    let mut hot = conn.hot.borrow_mut();
    hot.g += 1;
    let g = hot.g;
    hot.journal.push(JournalRow {
        g,
        at: message.at.millis(),
        kind: kind::MESSAGE,
        room: after.key,
        position: message.seq,
    });
    let kept = hot.rooms.insert(message.room.clone(), Kept { place: after, dirty: true });
    if kept.is_none_or(|kept| !kept.dirty) {
        hot.dirty.push(message.room.clone());
    }
    drop(hot);
    // The message and its row in the journal; heads are counted when they are written.
    tx.wrote(2);
    publish(tx, g, Arc::new(message), head)
}

/// Publishes a stored message and makes its answer.
pub(super) fn publish(tx: &mut SqlTx<'_>, g: i64, message: Arc<Message>, head: Arc<Head>) -> Appended {
    let place = Some((message.room.clone(), message.seq));
    let event = Event::Message { message: message.clone(), change: Change::Made, head: Some(head.clone()) };
    tx.publish(Fact { g, place, event });
    Appended { message, duplicate: false, head }
}

/// The answer to an id that is there already: the stored message for its author in its room, a refusal without
/// an echo for anybody else.
pub(super) fn known(tx: &mut SqlTx<'_>, message: &Message, author: i64, room: i64) -> Result<Appended> {
    let mut found = None;
    for sql in [BY_ID, TOMBSTONE] {
        if found.is_none() {
            found = tx.opt(sql, params![message.id], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
        }
    }
    let (key, by) = found.ok_or(Refusal::Unavailable)?;
    if key >> super::heads::SEQ_BITS != room || by != author {
        return Err(Refusal::IdConflict);
    }
    let stored = tx.message(&message.id)?.ok_or(Refusal::Unavailable)?;
    let head = tx.one(ROOM, params![message.room], place)?.head;
    Ok(Appended { message: Arc::new(stored), duplicate: true, head: Arc::new(head) })
}

/// Rows of the journal that one statement takes.
const JOURNAL_ROWS: usize = 32;

/// Writes the heads and the journal's rows that wait.
pub(crate) fn flush(conn: &SqliteConn) -> std::result::Result<(), SqlError> {
    let mut hot = conn.hot.borrow_mut();
    let hot = &mut *hot;
    for room in hot.dirty.drain(..) {
        if let Some(kept) = hot.rooms.get_mut(&room) {
            kept.dirty = false;
            save_head(conn, &kept.place)?;
        }
    }
    let mut chunks = hot.journal.chunks_exact(JOURNAL_ROWS);
    for rows in &mut chunks {
        let params: Vec<Param<'_>> = rows.iter().flat_map(journal_params).collect();
        conn.hot_exec(many_rows(), &params)?;
    }
    for row in chunks.remainder() {
        conn.hot_exec(ONE_ROW, &journal_params(row))?;
    }
    hot.journal.clear();
    Ok(())
}

fn save_head(conn: &SqliteConn, place: &Place) -> std::result::Result<(), SqlError> {
    let h = &place.head;
    let params = params![
        place.key,
        h.position,
        h.counted,
        h.messages,
        place.changed_at,
        h.last_at,
        place.last_key,
        h.last_seq,
        place.last_author,
        h.last_seq_by_another
    ];
    conn.hot_exec(HEAD, params).map(|_| ())
}

const ONE_ROW: &str = "INSERT INTO journal (g, at, kind, room, position) VALUES ($1, $2, $3, $4, $5)";

/// [`ONE_ROW`] for [`JOURNAL_ROWS`] rows.
fn many_rows() -> &'static str {
    static SQL: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    SQL.get_or_init(|| {
        let row = |n: usize| {
            let first = n * 5 + 1;
            format!("(${}, ${}, ${}, ${}, ${})", first, first + 1, first + 2, first + 3, first + 4)
        };
        let rows: Vec<String> = (0..JOURNAL_ROWS).map(row).collect();
        format!("INSERT INTO journal (g, at, kind, room, position) VALUES {}", rows.join(", "))
    })
}

fn journal_params(row: &JournalRow) -> [Param<'static>; 5] {
    [row.g, row.at, row.kind, row.room, row.position].map(Param::Int)
}

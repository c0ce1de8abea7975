//! Removed messages, as far as they are remembered: place, author, room and times, and what they answered.

use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId},
    json::Json,
    message::{Guise, Message},
    store::Tombstone,
};

use super::{
    messages::{read, room_key},
    messages_codec::{encode, flag},
};
use crate::{
    params,
    sql::{Param, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

const SELECT: &str = "SELECT x.key, x.id, x.rev, 0, COALESCE(x.made, x.at), x.at, COALESCE(x.flags, 0), '', x.extra, \
     r.id, u.id, u.username, u.name, t.id, NULL, NULL FROM tombstones x LEFT JOIN rooms r ON r.key = (x.key >> 36) \
     LEFT JOIN users u ON u.key = x.author LEFT JOIN messages t ON t.key = x.thread";

/// Flags that a removed message keeps.
const KEPT: i64 = flag::COUNTS | flag::SHOWN | flag::NOTICE | flag::SYSTEM;

/// What stays of a message that goes.
fn emptied(message: &Message) -> Message {
    Message {
        text: String::new(),
        mentions: Vec::new(),
        channels: Vec::new(),
        links: Vec::new(),
        attachments: Vec::new(),
        reactions: Vec::new(),
        pinned: None,
        discussion: None,
        thread_info: None,
        guise: Guise::default(),
        encrypted: None,
        metadata: None,
        custom_fields: Json::object(),
        extras: Json::object(),
        ..message.clone()
    }
}

/// Keeps the place of a message that is about to go.
pub(super) fn insert(tx: &mut SqlTx<'_>, key: i64, message: &Message, rev: i64, at: Time) -> Sql<()> {
    let (flags, extra) = encode(&emptied(message));
    tx.exec(
        "INSERT INTO tombstones (key, id, rev, at, author, thread, counts, made, flags, extra)
            SELECT key, id, $2, $3, author, thread, (flags & 1), at, $4, $5 FROM messages WHERE key = $1",
        params![key, rev, at, flags & KEPT, extra],
    )?;
    Ok(())
}

pub(super) fn select(tx: &mut SqlTx<'_>, rest: &str, values: &[Param<'_>]) -> Sql<Vec<Message>> {
    let found = tx.query(&format!("{SELECT} {rest}"), values, |row: &Row<'_>| read(row))?;
    Ok(found.into_iter().map(|(_, message)| Message { deleted: true, ..message }).collect())
}

pub(super) fn by_id(tx: &mut SqlTx<'_>, id: &MessageId) -> Sql<Option<Message>> {
    Ok(select(tx, "WHERE x.id = $1", params![id])?.pop())
}

/// Tombstones of a room after a position, by position; those of one position come together.
pub(super) fn after(tx: &mut SqlTx<'_>, room: &RoomId, rev: i64, limit: u64) -> Sql<Vec<Tombstone>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let page = "WHERE (x.key >> 36) = $1 AND x.rev > $2 ORDER BY x.rev, x.key LIMIT $3";
    let mut all = select(tx, page, params![room, rev, limit])?;
    // A purge removes many at one position: they come together.
    if let (true, Some(last)) = (all.len() as u64 >= limit, all.last().map(|m| m.rev)) {
        all.retain(|m| m.rev < last);
        let rest = "WHERE (x.key >> 36) = $1 AND x.rev = $2 ORDER BY x.key";
        all.extend(select(tx, rest, params![room, last])?);
    }
    Ok(all.into_iter().map(tombstone).collect())
}

fn tombstone(message: Message) -> Tombstone {
    Tombstone {
        id: message.id.clone(),
        at: message.updated_at,
        rev: message.rev,
        thread: message.thread.clone(),
        emptied: Some(message.into()),
    }
}

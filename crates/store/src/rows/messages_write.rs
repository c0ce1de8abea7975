//! Changing and removing messages.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, UserId},
    message::Message,
    store::{Report, Version},
};

use super::{
    messages::{Span, key_of},
    messages_codec::{encode, flag},
    tombstones,
};
use crate::{
    params,
    sql::{SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

pub(super) fn update(tx: &mut SqlTx<'_>, message: &Message) -> Result<()> {
    let (flags, extra) = encode(message);
    // The author changes only when an account goes and its messages stay. Whether it counts was decided at its birth,
    // with the room's running number.
    let sql = "UPDATE messages SET rev = $2, updated = $3, text = $5, extra = $6,
            flags = (CAST($4 AS BIGINT) - (CAST($4 AS BIGINT) & 1)) + (flags & 1),
            author = COALESCE((SELECT key FROM users WHERE id = $7), author) WHERE id = $1";
    let values =
        params![message.id, message.rev, message.updated_at, flags, message.text, extra, message.author];
    if tx.exec(sql, values)? == 0 { Err(Refusal::NotFound(What::Message)) } else { Ok(()) }
}

pub(super) fn delete(tx: &mut SqlTx<'_>, message: &Message, rev: i64, at: Time) -> Sql<()> {
    let Some(key) = key_of(tx, &message.id)? else { return Ok(()) };
    tombstones::insert(tx, key, message, rev, at)?;
    tx.exec("DELETE FROM messages WHERE key = $1", params![key])?;
    tx.exec("DELETE FROM mentions WHERE key = $1", params![key])?;
    tx.exec("DELETE FROM stars WHERE key = $1", params![key])?;
    tx.exec("UPDATE uploads SET message = NULL, expires = $2 WHERE message = $1", params![key, at])?;
    tx.exec("UPDATE room_heads SET messages = messages - 1 WHERE room = $1", params![key >> 36])?;
    new_last(tx, key)
}

/// When the room's newest message went, the one before it takes its place in the head.
fn new_last(tx: &mut SqlTx<'_>, gone: i64) -> Sql<()> {
    let span = Span::of(gone >> 36);
    let sql = "UPDATE room_heads SET (last_key, last_at) = (SELECT x.key, x.at FROM (
            SELECT MAX(key) AS top FROM messages WHERE key > $2 AND key < $3 AND (flags & $4) <> 0) y
            LEFT JOIN messages x ON x.key = y.top)
        WHERE room = $1 AND last_key = $5";
    tx.exec(sql, params![span.room, span.above, span.below, flag::COUNTS, gone])?;
    Ok(())
}

/// SQLite would read `ON` as the join's without a condition before it.
pub(super) fn keep_version(tx: &mut SqlTx<'_>, message: &Message, rev: i64) -> Sql<()> {
    let (_, extra) = encode(message);
    let sql = "INSERT INTO message_versions (key, rev, at, text, extra)
        SELECT key, $2, $3, $4, $5 FROM (
            SELECT key FROM messages WHERE id = $1 UNION ALL SELECT key FROM tombstones WHERE id = $1) m
        WHERE true ON CONFLICT DO NOTHING";
    tx.exec(sql, params![message.id, rev, message.updated_at, message.text, extra])?;
    Ok(())
}

pub(super) fn versions(tx: &mut SqlTx<'_>, id: &MessageId) -> Sql<Vec<Version>> {
    let sql = "SELECT v.text, v.at FROM message_versions v JOIN messages m ON m.key = v.key
        WHERE m.id = $1 ORDER BY v.rev LIMIT 100";
    tx.query(sql, params![id], |row| Ok(Version { text: row.get(0)?, at: row.get(1)? }))
}

pub(super) fn put_mentions(
    tx: &mut SqlTx<'_>,
    message: &Message,
    users: &[UserId],
    everybody: bool,
) -> Sql<()> {
    let Some(key) = key_of(tx, &message.id)? else { return Ok(()) };
    tx.exec("DELETE FROM mentions WHERE key = $1", params![key])?;
    let thread = match &message.thread {
        Some(root) if !message.shown_in_room => key_of(tx, root)?,
        _ => None,
    };
    for user in users {
        tx.exec(
            "INSERT INTO mentions (whom, key, thread) SELECT key, $2, $3 FROM users WHERE id = $1 ON CONFLICT DO NOTHING",
            params![user, key, thread],
        )?;
    }
    if everybody {
        tx.exec("INSERT INTO mentions (whom, key, thread) VALUES (0, $1, $2)", params![key, thread])?;
    }
    Ok(())
}

pub(super) fn insert_report(tx: &mut SqlTx<'_>, report: &Report) -> Sql<()> {
    let message = match &report.message {
        Some(id) => key_of(tx, id)?,
        None => None,
    };
    let sql = "INSERT INTO reports (id, message, message_id, room, reported, reporter, text, reason, at, hidden)
        VALUES ($1, $2, $3, (SELECT key FROM rooms WHERE id = $4), COALESCE((SELECT key FROM users WHERE id = $5), 0),
            COALESCE((SELECT key FROM users WHERE id = $6), 0), $7, $8, $9, $10)";
    tx.exec(
        sql,
        params![
            report.id,
            message,
            report.message,
            report.room,
            report.reported,
            report.reporter,
            report.text,
            report.reason,
            report.at,
            report.hidden
        ],
    )?;
    Ok(())
}

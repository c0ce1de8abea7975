//! How far people read, threads and who follows them, stars.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UserId},
    membership::{Membership, ReadMark},
    message::{Message, ThreadInfo},
    store::{MarkChange, Receipt, Unread},
};

use super::{
    heads::message_key,
    memberships::flag,
    messages::{Span, bounded, followers, key_of, place_of, room_key},
};
use crate::{
    params,
    sql::{Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Messages after a mark that are looked at one by one to find a member's own; unread numbers beyond are estimates.
pub(super) const MOST_LOOKED_AT: i64 = 20_000;
/// Threads with unread replies that are told.
pub(super) const MOST_THREADS: i64 = 100;

/// A room's head and a user's key, as unread numbers need them.
struct Ends {
    room: i64,
    whom: i64,
    counted: i64,
    newest_by_others: i64,
}

fn ends(tx: &mut SqlTx<'_>, room: &RoomId, user: &UserId) -> Sql<Option<Ends>> {
    let sql = "SELECT h.room, u.key, h.counted, CASE WHEN h.last_author = u.key THEN h.last_seq_by_another ELSE h.last_seq
            END
        FROM rooms r JOIN room_heads h ON h.room = r.key JOIN users u ON u.id = $2 WHERE r.id = $1";
    tx.opt(sql, params![room, user], |row| {
        Ok(Ends { room: row.get(0)?, whom: row.get(1)?, counted: row.get(2)?, newest_by_others: row.get(3)? })
    })
}

pub(super) fn unread(tx: &mut SqlTx<'_>, membership: &Membership) -> Sql<Unread> {
    let Some(ends) = ends(tx, &membership.room, &membership.user)? else { return Ok(Unread::default()) };
    let mark = message_key(ends.room, bounded(membership.mark.seq));
    let below = Span::of(ends.room).below;
    let mut unread = unread_threads(tx, &ends)?;
    if ends.newest_by_others <= membership.mark.seq {
        return Ok(unread);
    }
    unread.messages = messages_by_others(tx, &ends, membership.mark.counted, mark, below)?;
    unread.mentions = tx.one(
        "SELECT COUNT(*) FROM mentions WHERE whom = $1 AND key > $2 AND key < $3 AND thread IS NULL",
        params![ends.whom, mark, below],
        |row| row.get(0),
    )?;
    if !membership.notify.mute_group_mentions {
        unread.group_mentions = tx.one(
            "SELECT COUNT(*) FROM mentions x JOIN messages m ON m.key = x.key
                WHERE x.whom = 0 AND x.key > $1 AND x.key < $2 AND x.thread IS NULL AND m.author <> $3",
            params![mark, below, ends.whom],
            |row| row.get(0),
        )?;
    }
    Ok(unread)
}

/// The room's running number less the mark's, less one's own, less those that are gone.
fn messages_by_others(tx: &mut SqlTx<'_>, ends: &Ends, counted: i64, mark: i64, below: i64) -> Sql<i64> {
    let own: i64 = tx.one(
        "SELECT COUNT(*) FROM (SELECT author, flags FROM messages WHERE key > $1 AND key < $2 ORDER BY key LIMIT $3) m
            WHERE author = $4 AND (flags & 1) <> 0",
        params![mark, below, MOST_LOOKED_AT, ends.whom],
        |row| row.get(0),
    )?;
    let gone: i64 = tx.one(
        "SELECT COUNT(*) FROM tombstones WHERE key > $1 AND key < $2 AND counts = 1",
        params![mark, below],
        |row| row.get(0),
    )?;
    Ok((ends.counted - counted - own - gone).max(0))
}

fn unread_threads(tx: &mut SqlTx<'_>, ends: &Ends) -> Sql<Unread> {
    let span = Span::of(ends.room);
    // A place plus the room's first key is a message's key.
    let sql = "SELECT m.id, EXISTS (SELECT 1 FROM mentions x WHERE x.whom = f.whom AND x.thread = f.root
            AND x.key > f.seq + $2 AND x.key < $3)
        FROM thread_follows f JOIN threads t ON t.root = f.root JOIN messages m ON m.key = f.root
        WHERE f.whom = $1 AND f.root > $2 AND f.root < $3 AND t.last_key > f.seq + $2
        ORDER BY t.last_key DESC LIMIT $4";
    let values = params![ends.whom, span.above, span.below, MOST_THREADS];
    let found = tx.query(sql, values, |row| Ok((row.get::<MessageId>(0)?, row.get::<bool>(1)?)))?;
    let mut unread = Unread::default();
    for (root, mentioned) in found {
        if mentioned {
            unread.threads_mentioning.push(root.clone());
        }
        unread.threads.push(root);
    }
    Ok(unread)
}

pub(super) fn put_mark(tx: &mut SqlTx<'_>, room: &RoomId, user: &UserId, change: &MarkChange) -> Sql<bool> {
    let sql = "UPDATE memberships SET mark_seq = $3, mark_counted = $4,
            mark_at = CASE WHEN $9 = 0 AND mark_at > $5 THEN mark_at ELSE $5 END,
            flags = (flags - (flags & $6)) + $7,
            updated_at = CASE WHEN updated_at >= $8 THEN updated_at + 1 ELSE $8 END
        WHERE room = (SELECT key FROM rooms WHERE id = $1) AND whom = (SELECT key FROM users WHERE id = $2)
            AND ($9 = 1 OR mark_seq < $3 OR (mark_seq = $3 AND (flags & $6) <> $7))";
    let marked = if change.marked_unread { flag::MARKED_UNREAD } else { 0 };
    let mark = &change.mark;
    let values = params![
        room,
        user,
        mark.seq,
        mark.counted,
        mark.at,
        flag::MARKED_UNREAD,
        marked,
        change.at,
        change.back
    ];
    Ok(tx.exec(sql, values)? > 0)
}

pub(super) fn put_last_reply(tx: &mut SqlTx<'_>, room: &RoomId, user: &UserId, at: Time) -> Sql<()> {
    let sql = "UPDATE memberships SET last_reply = $3
        WHERE room = (SELECT key FROM rooms WHERE id = $1) AND whom = (SELECT key FROM users WHERE id = $2)
            AND (last_reply IS NULL OR last_reply < $3)";
    tx.exec(sql, params![room, user, at])?;
    Ok(())
}

pub(super) fn receipts(tx: &mut SqlTx<'_>, room: &RoomId, seq: i64) -> Sql<Vec<Receipt>> {
    let sql = "SELECT u.id, m.mark_at FROM memberships m JOIN rooms r ON r.key = m.room JOIN users u ON u.key = m.whom
        WHERE r.id = $1 AND m.mark_seq >= $2 AND m.mark_at IS NOT NULL ORDER BY m.mark_at LIMIT 1000";
    tx.query(sql, params![room, seq], |row| Ok(Receipt { user: row.get(0)?, at: row.get(1)? }))
}

pub(super) fn starred(tx: &mut SqlTx<'_>, user: &UserId, ids: &[MessageId]) -> Sql<Vec<MessageId>> {
    let sql = "SELECT 1 FROM stars s JOIN users u ON u.key = s.whom JOIN messages m ON m.key = s.key
        WHERE u.id = $1 AND m.id = $2";
    let any = "SELECT 1 FROM stars s JOIN users u ON u.key = s.whom WHERE u.id = $1 LIMIT 1";
    if ids.is_empty() || tx.opt(any, params![user], |_| Ok(()))?.is_none() {
        return Ok(Vec::new());
    }
    let mut starred = Vec::new();
    for id in ids {
        if tx.opt(sql, params![user, id], |_| Ok(()))?.is_some() {
            starred.push(id.clone());
        }
    }
    Ok(starred)
}

pub(super) fn put_star(tx: &mut SqlTx<'_>, user: &UserId, message: &MessageId, on: bool) -> Sql<()> {
    let sql = if on {
        "INSERT INTO stars (whom, key) SELECT u.key, m.key FROM users u, messages m WHERE u.id = $1 AND m.id = $2
            ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM stars WHERE whom = (SELECT key FROM users WHERE id = $1)
            AND key = (SELECT key FROM messages WHERE id = $2)"
    };
    tx.exec(sql, params![user, message])?;
    Ok(())
}

pub(super) fn thread_mark(tx: &mut SqlTx<'_>, root: &MessageId, user: &UserId) -> Sql<Option<ReadMark>> {
    let sql = "SELECT f.seq, f.at FROM thread_follows f JOIN users u ON u.key = f.whom JOIN messages m ON m.key = f.root
        WHERE u.id = $1 AND m.id = $2";
    tx.opt(sql, params![user, root], |row| Ok(ReadMark { seq: row.get(0)?, counted: 0, at: row.get(1)? }))
}

/// Only threads with unread replies move.
const UNREAD_THREAD: &str = "seq < $2 AND EXISTS (SELECT 1 FROM threads t WHERE t.root = thread_follows.root
        AND t.last_key > thread_follows.seq + (((thread_follows.root >> 36)) << 36))";

pub(super) fn put_thread_mark(
    tx: &mut SqlTx<'_>,
    root: &MessageId,
    user: &UserId,
    mark: ReadMark,
) -> Sql<bool> {
    let Some(root) = key_of(tx, root)? else { return Ok(false) };
    let sql = format!(
        "UPDATE thread_follows SET seq = $2, at = $3
            WHERE whom = (SELECT key FROM users WHERE id = $1) AND root = $4 AND {UNREAD_THREAD}"
    );
    Ok(tx.exec(&sql, params![user, mark.seq, mark.at, root])? > 0)
}

pub(super) fn read_all_threads(
    tx: &mut SqlTx<'_>,
    room: &RoomId,
    user: &UserId,
    seq: i64,
    at: Time,
) -> Sql<u64> {
    let Some(room) = room_key(tx, room)? else { return Ok(0) };
    read_threads(tx, &[(room, user, seq)], at)
}

/// Takes all threads of rooms, by their keys, as read by somebody up to a position.
pub(super) fn read_threads(tx: &mut SqlTx<'_>, all: &[(i64, &UserId, i64)], at: Time) -> Sql<u64> {
    let sql = format!(
        "UPDATE thread_follows SET seq = $2, at = $3 WHERE whom = (SELECT key FROM users WHERE id = $1)
            AND root > $4 AND root < $5 AND {UNREAD_THREAD}"
    );
    let span = |room: i64| Span::of(room);
    let all: Vec<_> = all.iter().map(|(room, user, seq)| (span(*room), *user, *seq)).collect();
    let rows: Vec<_> =
        all.iter().map(|(span, user, seq)| *params![**user, *seq, at, span.above, span.below]).collect();
    Ok(tx.exec_all(&sql, &rows)?.iter().sum())
}

fn info(tx: &mut SqlTx<'_>, root: i64) -> Sql<Option<ThreadInfo>> {
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Time>(1)?));
    let found = tx.opt("SELECT replies, last_at FROM threads WHERE root = $1", params![root], read)?;
    let Some((replies, last_at)) = found else { return Ok(None) };
    Ok(Some(ThreadInfo { replies, last_at, followers: followers(tx, root)? }))
}

pub(super) fn add_reply(
    tx: &mut SqlTx<'_>,
    root: &MessageId,
    reply: &Message,
    following: &[UserId],
) -> Result<ThreadInfo> {
    let root = key_of(tx, root)?.ok_or(Refusal::NotFound(What::Message))?;
    let key = message_key(root >> 36, reply.seq);
    tx.exec(
        "INSERT INTO threads (root, replies, last_at, last_key) VALUES ($1, 1, $2, $3)
            ON CONFLICT (root) DO UPDATE SET replies = threads.replies + 1, last_at = excluded.last_at,
                last_key = excluded.last_key",
        params![root, reply.at, key],
    )?;
    for user in following {
        // One's own reply is read; whoever is drawn in has it before him.
        if *user == reply.author {
            let sql = "INSERT INTO thread_follows (whom, root, seq, at, since)
                SELECT key, $2, $3, $4, $3 FROM users WHERE id = $1
                ON CONFLICT (whom, root) DO UPDATE SET seq = excluded.seq, at = excluded.at";
            tx.exec(sql, params![user, root, reply.seq, reply.at])?;
        } else {
            let sql = "INSERT INTO thread_follows (whom, root, seq, since)
                SELECT key, $2, $3, $4 FROM users WHERE id = $1 ON CONFLICT DO NOTHING";
            tx.exec(sql, params![user, root, reply.seq - 1, place_of(root)])?;
        }
    }
    info(tx, root)?.ok_or(Refusal::NotFound(What::Message))
}

pub(super) fn remove_reply(
    tx: &mut SqlTx<'_>,
    root: &MessageId,
    _reply: &Message,
) -> Sql<Option<ThreadInfo>> {
    let Some(root) = key_of(tx, root)? else { return Ok(None) };
    let sql = "SELECT COUNT(*), MAX(key) FROM messages WHERE thread = $1";
    let read = |row: &Row<'_>| Ok((row.get::<i64>(0)?, row.get::<Option<i64>>(1)?));
    match tx.one(sql, params![root], read)? {
        (0, _) | (_, None) => {
            tx.exec("DELETE FROM threads WHERE root = $1", params![root])?;
            tx.exec("DELETE FROM thread_follows WHERE root = $1", params![root])?;
            Ok(None)
        }
        (replies, Some(last)) => {
            let sql = "UPDATE threads SET replies = $2, last_key = $3,
                last_at = (SELECT at FROM messages WHERE key = $3) WHERE root = $1";
            tx.exec(sql, params![root, replies, last])?;
            info(tx, root)
        }
    }
}

pub(super) fn end_thread(tx: &mut SqlTx<'_>, root: &MessageId) -> Sql<()> {
    let Some(root) = key_of(tx, root)? else { return Ok(()) };
    tx.exec("UPDATE messages SET thread = NULL WHERE thread = $1", params![root])?;
    tx.exec("DELETE FROM threads WHERE root = $1", params![root])?;
    tx.exec("DELETE FROM thread_follows WHERE root = $1", params![root])?;
    Ok(())
}

pub(super) fn follow(tx: &mut SqlTx<'_>, root: &MessageId, user: &UserId, seq: i64, on: bool) -> Sql<()> {
    let Some(root) = key_of(tx, root)? else { return Ok(()) };
    if on {
        let sql = "INSERT INTO thread_follows (whom, root, seq, since) SELECT key, $2, $3, $3 FROM users WHERE id = $1
            ON CONFLICT DO NOTHING";
        tx.exec(sql, params![user, root, seq])?;
    } else {
        let sql =
            "DELETE FROM thread_follows WHERE whom = (SELECT key FROM users WHERE id = $1) AND root = $2";
        tx.exec(sql, params![user, root])?;
    }
    Ok(())
}

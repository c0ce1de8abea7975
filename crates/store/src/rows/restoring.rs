//! Messages of another chat, with what hangs on them: on PostgreSQL a batch takes a few statements however many they
//! are, on SQLite, which is no round trip away, one after the other.

use parlor_core::{
    error::{Refusal, Result},
    id::{MessageId, UserId},
    message::{Mention, Message},
    permissions::Judgement,
    store::{Appended, Restored, Standing},
};
use rustc_hash::FxHashSet;

use super::{
    append::{Item, store_one},
    append_postgres::store_many,
    marks,
    messages_codec::flag,
};
use crate::{
    params,
    sql::{ArrayParam, Kind, Row, SqlError, SqlTx, SqliteConn},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Where the messages of some ids stand; `which` compares an id with the first parameter.
macro_rules! here {
    ($which:literal) => {
        concat!(
            "SELECT m.id, r.id, t.id, 0 FROM messages m LEFT JOIN rooms r ON r.key = (m.key >> 36)
                LEFT JOIN messages t ON t.key = m.thread WHERE m.id ",
            $which,
            " UNION ALL SELECT x.id, r.id, NULL, 1 FROM tombstones x LEFT JOIN rooms r ON r.key = (x.key >> 36)
                WHERE x.id ",
            $which
        )
    };
}
const REPLIES: &str = "WITH n AS MATERIALIZED (
        SELECT m.key AS root, u.key AS whom, ((m.key >> 36) << 36) | r.seq AS key, r.seq, r.at
        FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS r (root, author, seq, at)
            JOIN messages m ON m.id = r.root LEFT JOIN users u ON u.id = r.author
    ), t AS (
        INSERT INTO threads (root, replies, last_at, last_key)
        SELECT root, COUNT(*), MAX(at), MAX(key) FROM n GROUP BY root
        ON CONFLICT (root) DO UPDATE SET replies = threads.replies + excluded.replies,
            last_at = excluded.last_at, last_key = excluded.last_key
    ), m AS (
        UPDATE messages SET flags = flags | $5::bigint
        WHERE key IN (SELECT root FROM n) AND (flags & $5::bigint) = 0
    )
    INSERT INTO thread_follows (whom, root, seq, at, since)
    SELECT whom, root, MAX(seq), MAX(at), MIN(seq) FROM n WHERE whom IS NOT NULL GROUP BY whom, root
    ON CONFLICT (whom, root) DO UPDATE SET seq = excluded.seq, at = excluded.at";
const FOLLOWS: &str = "INSERT INTO thread_follows (whom, root, seq, since)
    SELECT u.key, m.key, n.seq, n.seq FROM unnest($1::text[], $2::text[], $3::bigint[]) AS n (root, whom, seq)
        JOIN messages m ON m.id = n.root JOIN users u ON u.id = n.whom
    ON CONFLICT DO NOTHING";
const STARS: &str = "INSERT INTO stars (whom, key)
    SELECT u.key, m.key FROM unnest($1::text[], $2::text[]) AS n (whom, message)
        JOIN users u ON u.id = n.whom JOIN messages m ON m.id = n.message
    ON CONFLICT DO NOTHING";

/// A column of texts.
fn texts<'a>(all: impl Iterator<Item = &'a str>) -> ArrayParam<'a> {
    ArrayParam::Text(all.map(Some).collect())
}

/// A column of numbers.
fn numbers(all: impl Iterator<Item = i64>) -> ArrayParam<'static> {
    ArrayParam::Int(all.map(Some).collect())
}

pub(super) fn standing(tx: &mut SqlTx<'_>, ids: &[MessageId]) -> Sql<Vec<Standing>> {
    let read = |row: &Row<'_>| {
        Ok(Standing { id: row.get(0)?, room: row.get(1)?, thread: row.get(2)?, deleted: row.get(3)? })
    };
    if tx.kind() == Kind::Postgres {
        return tx.many(here!("= ANY($1)"), &[&texts(ids.iter().map(|id| id.as_str()))], read);
    }
    let mut all = Vec::new();
    for id in ids {
        all.extend(tx.opt(here!("= $1"), params![id], read)?);
    }
    Ok(all)
}

fn item(restored: Restored) -> Item {
    let Restored { message, at } = restored;
    let named = |mention: &Mention| match mention {
        Mention::User { id, .. } => Some(id.clone()),
        _ => None,
    };
    let mentioned = message.mentions.iter().filter_map(named).collect();
    Item { message, judgement: Judgement::default(), client_id: true, mentioned, at: Some(at) }
}

pub(super) fn restore(tx: &mut SqlTx<'_>, all: Vec<Restored>) -> Result<Vec<Option<Message>>> {
    let items = all.into_iter().map(item);
    let outcomes = match tx.sqlite() {
        Some(conn) => on_sqlite(tx, conn, items)?,
        None => {
            let items: Vec<Item> = items.collect();
            store_many(tx, &items.iter().collect::<Vec<_>>())?
        }
    };
    outcomes.into_iter().map(new).collect()
}

/// The message that was stored now, if it was.
fn new(outcome: Result<Appended>) -> Result<Option<Message>> {
    match outcome {
        Ok(Appended { duplicate: true, .. }) | Err(Refusal::IdConflict) => Ok(None),
        Ok(appended) => Ok(Some(std::sync::Arc::unwrap_or_clone(appended.message))),
        Err(refusal) => Err(refusal),
    }
}

fn on_sqlite(
    tx: &mut SqlTx<'_>,
    conn: &SqliteConn,
    items: impl Iterator<Item = Item>,
) -> Result<Vec<Result<Appended>>> {
    // The job may still be refused: all of it can be taken back, and nothing of it may wait.
    tx.note(conn.open_savepoint())?;
    let outcomes: Vec<_> = items.map(|item| store_one(tx, conn, item)).collect();
    tx.note(conn.flush())?;
    Ok(outcomes)
}

pub(super) fn add_replies(tx: &mut SqlTx<'_>, replies: &[Message]) -> Result<()> {
    let replies: Vec<(&MessageId, &Message)> =
        replies.iter().filter_map(|reply| Some((reply.thread.as_ref()?, reply))).collect();
    if replies.is_empty() {
        return Ok(());
    }
    if tx.kind() == Kind::Sqlite {
        return one_by_one(tx, &replies);
    }
    let rows = tx.exec_many(
        REPLIES,
        &[
            &texts(replies.iter().map(|(root, _)| root.as_str())),
            &texts(replies.iter().map(|(_, reply)| reply.author.as_str())),
            &numbers(replies.iter().map(|(_, reply)| reply.seq)),
            &numbers(replies.iter().map(|(_, reply)| reply.at.millis())),
            &flag::ROOT,
        ],
    )?;
    tx.wrote(rows);
    Ok(())
}

fn one_by_one(tx: &mut SqlTx<'_>, replies: &[(&MessageId, &Message)]) -> Result<()> {
    let mut roots: FxHashSet<&MessageId> = FxHashSet::default();
    for (root, reply) in replies {
        marks::add_reply(tx, root, reply, std::slice::from_ref(&reply.author))?;
        roots.insert(root);
    }
    for root in roots {
        let sql = "UPDATE messages SET flags = flags | $2 WHERE id = $1 AND (flags & $2) = 0";
        tx.exec(sql, params![root, flag::ROOT])?;
    }
    Ok(())
}

pub(super) fn follow_threads(tx: &mut SqlTx<'_>, all: &[(MessageId, UserId, i64)]) -> Sql<()> {
    if all.is_empty() {
        return Ok(());
    }
    if tx.kind() == Kind::Sqlite {
        return all.iter().try_for_each(|(root, user, seq)| marks::follow(tx, root, user, *seq, true));
    }
    let roots = texts(all.iter().map(|(root, _, _)| root.as_str()));
    let whom = texts(all.iter().map(|(_, user, _)| user.as_str()));
    let rows = tx.exec_many(FOLLOWS, &[&roots, &whom, &numbers(all.iter().map(|(_, _, seq)| *seq))])?;
    tx.wrote(rows);
    Ok(())
}

pub(super) fn put_stars(tx: &mut SqlTx<'_>, all: &[(UserId, MessageId)]) -> Sql<()> {
    if all.is_empty() {
        return Ok(());
    }
    if tx.kind() == Kind::Sqlite {
        return all.iter().try_for_each(|(user, message)| marks::put_star(tx, user, message, true));
    }
    let whom = texts(all.iter().map(|(user, _)| user.as_str()));
    let messages = texts(all.iter().map(|(_, message)| message.as_str()));
    let rows = tx.exec_many(STARS, &[&whom, &messages])?;
    tx.wrote(rows);
    Ok(())
}

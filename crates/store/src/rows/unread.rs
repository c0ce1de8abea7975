//! What is unread in many rooms of one user.

use parlor_core::{
    id::{MessageId, RoomId, UserId},
    membership::Membership,
    store::Unread,
};
use rustc_hash::FxHashMap;

use super::marks::{MOST_LOOKED_AT, MOST_THREADS, unread};
use crate::{
    params,
    sql::{Kind, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Threads with unread replies that are looked at over all rooms of a user.
const MOST_THREADS_ALL: i64 = 5_000;

/// What is unread of one room, by the mark that is stored.
struct Counted {
    mark: i64,
    unread: Unread,
}

/// As [`unread`] for many rooms of one user: a few statements however many rooms there are. A room whose mark is not
/// the stored one (it is written within a second) is looked at by itself.
pub(super) fn unread_all(tx: &mut SqlTx<'_>, memberships: &[Membership]) -> Sql<Vec<Unread>> {
    let Some(user) = memberships.first().map(|membership| membership.user.clone()) else {
        return Ok(Vec::new());
    };
    let one = memberships.len() == 1 || memberships.iter().any(|membership| membership.user != user);
    if one {
        return memberships.iter().map(|membership| unread(tx, membership)).collect();
    }
    let mut rooms = counted_all(tx, &user, memberships)?;
    for (room, root, mentioned) in threads_all(tx, &user)? {
        let Some(Counted { unread, .. }) = rooms.get_mut(&room) else { continue };
        if unread.threads.len() == MOST_THREADS as usize {
            continue;
        }
        if mentioned {
            unread.threads_mentioning.push(root.clone());
        }
        unread.threads.push(root);
    }
    let each = |membership: &Membership| match rooms.remove(&membership.room) {
        Some(mut counted) if counted.mark == membership.mark.seq => {
            if membership.notify.mute_group_mentions {
                counted.unread.group_mentions = 0;
            }
            Ok(counted.unread)
        }
        _ => unread(tx, membership),
    };
    memberships.iter().map(each).collect()
}

/// What is unread in the rooms of a list (`$2`, as JSON) of one user (`$1`).
fn counting(kind: Kind) -> String {
    // From the rooms asked for to the places in them: whoever is in 100,000 rooms asks for a page of them.
    let list = match kind {
        Kind::Sqlite => "json_each($2) j",
        Kind::Postgres => "jsonb_array_elements_text(CAST(CAST($2 AS TEXT) AS JSONB)) j(value)",
    };
    // Rooms without news are not counted; the others' messages lie between the mark and the next room's first.
    format!(
        "SELECT n.id, n.mark_seq, CASE WHEN n.newest <= n.mark_seq THEN 0 ELSE n.counted - n.mark_counted
                - (SELECT COUNT(*) FROM (SELECT author, flags FROM messages WHERE key > n.mark AND key < n.below
                    ORDER BY key LIMIT {MOST_LOOKED_AT}) g WHERE g.author = n.whom AND (g.flags & 1) <> 0)
                - (SELECT COUNT(*) FROM tombstones WHERE key > n.mark AND key < n.below AND counts = 1) END,
            CASE WHEN n.newest <= n.mark_seq THEN 0 ELSE
                (SELECT COUNT(*) FROM mentions WHERE whom = n.whom AND key > n.mark AND key < n.below
                    AND thread IS NULL) END,
            CASE WHEN n.newest <= n.mark_seq THEN 0 ELSE
                (SELECT COUNT(*) FROM mentions x JOIN messages g ON g.key = x.key
                    WHERE x.whom = 0 AND x.key > n.mark AND x.key < n.below AND x.thread IS NULL
                        AND g.author <> n.whom) END
        FROM (SELECT r.id, m.whom, m.mark_seq, m.mark_counted, h.counted,
                (m.room << 36) + m.mark_seq AS mark, (m.room + 1) << 36 AS below,
                CASE WHEN h.last_author = m.whom THEN h.last_seq_by_another ELSE h.last_seq END AS newest
            FROM {list} CROSS JOIN rooms r CROSS JOIN memberships m CROSS JOIN room_heads h
            WHERE r.id = j.value AND m.room = r.key AND h.room = r.key
                AND m.whom = (SELECT key FROM users WHERE id = $1)) n"
    )
}

fn counted_all(
    tx: &mut SqlTx<'_>,
    user: &UserId,
    memberships: &[Membership],
) -> Sql<FxHashMap<RoomId, Counted>> {
    let rooms: Vec<&str> = memberships.iter().map(|membership| membership.room.as_str()).collect();
    let rooms = serde_json::json!(rooms).to_string();
    let sql = counting(tx.kind());
    let read = |row: &Row<'_>| {
        let unread = Unread {
            messages: row.get::<i64>(2)?.max(0),
            mentions: row.get(3)?,
            group_mentions: row.get(4)?,
            ..Unread::default()
        };
        Ok((row.get(0)?, Counted { mark: row.get(1)?, unread }))
    };
    Ok(tx.query(&sql, params![user, rooms], read)?.into_iter().collect())
}

/// Unread threads of all rooms, those with the latest replies first.
fn threads_all(tx: &mut SqlTx<'_>, user: &UserId) -> Sql<Vec<(RoomId, MessageId, bool)>> {
    let sql =
        "SELECT r.id, m.id, EXISTS (SELECT 1 FROM mentions x WHERE x.whom = f.whom AND x.thread = f.root
            AND x.key > f.seq + ((f.root >> 36) << 36) AND x.key < (((f.root >> 36) + 1) << 36))
        FROM thread_follows f JOIN threads t ON t.root = f.root JOIN messages m ON m.key = f.root
            JOIN rooms r ON r.key = (f.root >> 36)
        WHERE f.whom = (SELECT key FROM users WHERE id = $1) AND t.last_key > f.seq + ((f.root >> 36) << 36)
        ORDER BY t.last_key DESC LIMIT $2";
    tx.query(sql, params![user, MOST_THREADS_ALL], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that can't go on ends there")]

    use super::*;
    use crate::{Location, rows::cases::tests::asked};

    #[test]
    fn whoever_is_in_many_rooms_has_only_those_counted_that_are_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let plan = asked(&Location::Sqlite(directory.path().join("parlor.db")), |tx| {
            let sql = format!("EXPLAIN QUERY PLAN {}", counting(Kind::Sqlite));
            Ok(tx.query(&sql, params!["ann", "[]"], |row| row.get::<String>(3))?)
        });
        let plan = plan.join("\n");
        assert!(plan.contains("SEARCH m USING PRIMARY KEY (room=? AND whom=?)"), "{plan}");
        assert!(!plan.contains("memberships_whom"), "{plan}");
    }
}

//! The journal as a feed, and rooms by last activity.

use parlor_core::{
    clock::Time,
    error::Result,
    id::{RoomId, UserId},
    membership::Membership,
    room::RoomView,
    store::{
        Active, ActiveFilter, Activity, Entry, EntryKind, FeedPart, Horizon, PeopleFilter, ReadFeed,
        ReadRooms, Stretch, Traces,
    },
    user::User,
};
use std::sync::Arc;

use super::{
    journal::kind,
    memberships::{FROM, MEMBERSHIP, read_membership},
};
use crate::{
    params,
    sql::{Kind, Param, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Memberships that one answer holds at most.
const MOST: i64 = 10_000;

fn kind_of(number: i64) -> EntryKind {
    match number {
        kind::MESSAGE => EntryKind::Message,
        kind::MESSAGE_CHANGED => EntryKind::MessageChanged,
        kind::MESSAGE_DELETED => EntryKind::MessageDeleted,
        kind::PURGED => EntryKind::Purged,
        kind::ROOM | kind::CASE | kind::TICKET => EntryKind::Room,
        kind::ROOM_REMOVED => EntryKind::RoomRemoved,
        kind::MEMBERSHIP => EntryKind::Membership,
        kind::MEMBERSHIP_REMOVED => EntryKind::MembershipRemoved,
        kind::READ => EntryKind::Read,
        kind::USER => EntryKind::User,
        _ => EntryKind::Other,
    }
}

fn read_entry(row: &Row<'_>) -> Sql<Entry> {
    Ok(Entry {
        g: row.get(0)?,
        at: Time(row.get(1)?),
        kind: kind_of(row.get(2)?),
        room: row.get::<Option<RoomId>>(3)?,
        position: row.get(4)?,
        object: row.get(5)?,
        whom: row.get::<Option<UserId>>(6)?,
    })
}

/// What is final: on PostgreSQL what lies below the oldest transaction still running.
fn is_final(tx: &SqlTx<'_>) -> &'static str {
    match tx.kind() {
        Kind::Sqlite => "1 = 1",
        Kind::Postgres => {
            "j.g < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 19) + (SELECT base FROM journal_base)"
        }
    }
}

/// The last of at most `limit` final rows after a number, and how many they are.
fn upto(tx: &mut SqlTx<'_>, g: i64, limit: u64) -> Sql<(i64, i64)> {
    let sql = format!(
        "SELECT COALESCE(MAX(g), $1), CAST(COUNT(*) AS BIGINT)
         FROM (SELECT j.g FROM journal j WHERE j.g > $1 AND {} ORDER BY j.g LIMIT $2) AS s",
        is_final(tx)
    );
    tx.one(&sql, params![g, limit], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The rows after a number, up to another; those of a part, or all.
fn between(tx: &mut SqlTx<'_>, g: i64, upto: i64, part: Option<&FeedPart>) -> Sql<Vec<Entry>> {
    let select = "SELECT j.g, j.at, j.kind, r.id, j.position, j.object, j.whom
        FROM journal j LEFT JOIN rooms r ON r.key = j.room WHERE j.g > $1 AND j.g <= $2";
    let Some(part) = part else {
        return tx.query(&format!("{select} ORDER BY j.g"), params![g, upto], read_entry);
    };
    let cases = if part.cases { "OR r.kind = 3" } else { "" };
    let sql = format!(
        "{select} AND (j.whom = $3 OR j.kind = {} {cases} OR j.room IN (SELECT m.room FROM memberships m
            JOIN users u ON u.key = m.whom WHERE u.id = $3)) ORDER BY j.g",
        kind::ROOM_REMOVED
    );
    tx.query(&sql, params![g, upto, part.user], read_entry)
}

fn stretch(tx: &mut SqlTx<'_>, g: i64, part: Option<&FeedPart>, limit: u64) -> Sql<Stretch> {
    let (upto, looked_at) = upto(tx, g, limit)?;
    let entries = between(tx, g, upto, part)?;
    Ok(Stretch { entries, upto, at_end: (looked_at as u64) < limit })
}

/// The places of a page, before its rooms are read.
fn places(tx: &mut SqlTx<'_>, filter: &ActiveFilter) -> Sql<Vec<Activity>> {
    let groups = if filter.groups { "AND r.kind = 1" } else { "" };
    let at = "COALESCE(h.last_at, r.created_at)";
    let mut from = format!(
        "SELECT {at} AS at, r.id AS id FROM memberships m JOIN users u ON u.key = m.whom
            JOIN rooms r ON r.key = m.room JOIN room_heads h ON h.room = r.key WHERE u.id = $1 {groups}"
    );
    if filter.cases && !filter.groups {
        from.push_str(&format!(
            " UNION ALL SELECT {at} AS at, r.id AS id FROM rooms r JOIN room_heads h ON h.room = r.key
            WHERE r.key IN (SELECT c.room FROM cases c WHERE c.closed_at IS NULL) AND NOT EXISTS (SELECT 1 FROM memberships m
                JOIN users u ON u.key = m.whom WHERE m.room = r.key AND u.id = $1)"
        ));
    }
    let (edge, condition, way) = match (&filter.older_than, &filter.newer_than) {
        (Some(place), _) => (Some(place), "p.at < $3 OR (p.at = $3 AND p.id < $4)", "DESC"),
        (None, Some(place)) => (Some(place), "p.at > $3 OR (p.at = $3 AND p.id > $4)", "ASC"),
        (None, None) => (None, "1 = 1", "DESC"),
    };
    let sql = format!(
        "SELECT p.at, p.id FROM ({from}) AS p WHERE {condition} ORDER BY p.at {way}, p.id {way} LIMIT $2"
    );
    let mut given = vec![Param::Text(&filter.user), Param::Int(filter.limit as i64)];
    if let Some(edge) = edge {
        given.extend([Param::Int(edge.at.millis()), Param::Text(&edge.room)]);
    }
    tx.query(&sql, &given, |row| Ok(Activity { at: Time(row.get(0)?), room: row.get(1)? }))
}

impl ReadFeed for SqlTx<'_> {
    fn horizon(&mut self) -> Result<Horizon> {
        Ok(super::elsewhere::horizon(self)?)
    }

    fn elsewhere(&mut self, since: &Horizon, limit: u64) -> Result<Traces> {
        Ok(super::elsewhere::traces(self, since, limit)?)
    }

    fn journal_end(&mut self) -> Result<i64> {
        let sql = format!("SELECT COALESCE(MAX(j.g), 0) FROM journal j WHERE {}", is_final(self));
        Ok(self.one(&sql, &[], |row| row.get(0))?)
    }

    fn journal_unsettled(&mut self, end: i64, most: u64) -> Result<Vec<i64>> {
        if self.kind() == Kind::Sqlite {
            return Ok(Vec::new());
        }
        let sql = "SELECT g FROM journal WHERE g > $1 ORDER BY g LIMIT $2";
        Ok(self.query(sql, params![end, most], |row| row.get(0))?)
    }

    fn journal_between(&mut self, g: i64, upto: i64, part: &FeedPart) -> Result<Vec<Entry>> {
        Ok(between(self, g, upto, Some(part))?)
    }

    fn journal_time(&mut self, g: i64) -> Result<Option<Time>> {
        let at: Option<i64> =
            self.opt("SELECT at FROM journal WHERE g = $1", params![g], |row| row.get(0))?;
        Ok(at.map(Time))
    }

    fn journal_after(&mut self, g: i64, part: Option<&FeedPart>, limit: u64) -> Result<Stretch> {
        Ok(stretch(self, g, part, limit)?)
    }

    fn active_rooms(&mut self, filter: &ActiveFilter) -> Result<Vec<Active>> {
        let places = places(self, filter)?;
        let mut found = Vec::with_capacity(places.len());
        for activity in places {
            let (Some(room), Some(head)) = (self.room(&activity.room)?, self.head(&activity.room)?) else {
                continue;
            };
            let membership = self.membership(&activity.room, &filter.user)?;
            let view = RoomView { room: Arc::new(room), head: Arc::new(head), last: None };
            found.push(Active { membership, view, activity });
        }
        Ok(found)
    }

    fn memberships_with_news(&mut self, user: &UserId) -> Result<Vec<Membership>> {
        let sql = format!(
            "SELECT {MEMBERSHIP} {FROM} JOIN room_heads h ON h.room = m.room WHERE u.id = $1
                AND CASE WHEN h.last_author = m.whom THEN h.last_seq_by_another ELSE h.last_seq END > m.mark_seq
             ORDER BY m.room LIMIT $2"
        );
        Ok(self.query(&sql, params![user, MOST], |row| read_membership(row, 0))?)
    }

    fn people(&mut self, filter: &PeopleFilter) -> Result<Vec<User>> {
        super::users::people(self, filter)
    }

    fn member_names(&mut self, room: &RoomId, limit: u64) -> Result<Vec<String>> {
        let sql = "SELECT u.username FROM memberships m JOIN rooms r ON r.key = m.room
            JOIN users u ON u.key = m.whom WHERE r.id = $1 ORDER BY m.joined_at, u.username_key LIMIT $2";
        Ok(self.query(sql, params![room, limit], |row| row.get(0))?)
    }
}

//! A room's messages as host applications see them: what people wrote, removed or not, and messages of the system;
//! without the notices of joining, leaving and the like.

use parlor_core::{
    id::{RoomId, UserId},
    message::Message,
    store::HostSlice,
};

use super::{
    heads::message_key,
    messages::{Span, bounded, room_key, select},
    messages_codec::flag,
    tombstones,
};
use crate::{
    params,
    sql::{SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// What is shown: no notice, or one of the host's own.
fn shown(flags: &str) -> String {
    format!("(({flags} & {}) = 0 OR ({flags} & {}) <> 0)", flag::NOTICE, flag::SYSTEM)
}

pub(super) fn timeline(tx: &mut SqlTx<'_>, room: &RoomId, slice: &HostSlice) -> Sql<Vec<Message>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Vec::new()) };
    let mut span = Span::of(room);
    if let Some(before) = slice.before {
        span.below = message_key(room, bounded(before));
    }
    if let Some(after) = slice.after {
        span.above = message_key(room, bounded(after));
    }
    // Both sorts are read as far as the page can reach, then merged by place.
    let most = slice.skip.saturating_add(slice.limit);
    let order = if slice.after.is_some() { "ASC" } else { "DESC" };
    let part = |table: &str, flags: &str| {
        format!(
            "WHERE {table}.key > $1 AND {table}.key < $2 AND {} ORDER BY {table}.key {order} LIMIT $3",
            shown(flags)
        )
    };
    let values = params![span.above, span.below, most];
    let mut all = select(tx, &part("m", "m.flags"), values)?;
    all.extend(tombstones::select(tx, &part("x", "COALESCE(x.flags, 0)"), values)?);
    all.sort_by_key(|message| message.seq);
    if slice.after.is_none() {
        all.reverse();
    }
    let skip = usize::try_from(slice.skip).unwrap_or(usize::MAX);
    let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
    Ok(all.into_iter().skip(skip).take(limit).collect())
}

/// All messages, less the notices (few, by their index), and the removed ones.
pub(super) fn count(tx: &mut SqlTx<'_>, room: &RoomId) -> Sql<u64> {
    let Some(room) = room_key(tx, room)? else { return Ok(0) };
    let span = Span::of(room);
    let all: i64 =
        tx.one("SELECT messages FROM room_heads WHERE room = $1", params![room], |row| row.get(0))?;
    let notices = "SELECT COUNT(*) FROM messages WHERE key > $1 AND key < $2 AND (flags & 4) <> 0 AND (flags & 2048) = 0";
    let notices: i64 = tx.one(notices, params![span.above, span.below], |row| row.get(0))?;
    let removed = format!(
        "SELECT COUNT(*) FROM tombstones WHERE key > $1 AND key < $2 AND {}",
        shown("COALESCE(flags, 0)")
    );
    let removed: i64 = tx.one(&removed, params![span.above, span.below], |row| row.get(0))?;
    Ok(u64::try_from(all - notices + removed).unwrap_or_default())
}

pub(super) fn ever_wrote(tx: &mut SqlTx<'_>, user: &UserId) -> Sql<bool> {
    let sql = "SELECT 1 FROM users u WHERE u.id = $1 AND (
            EXISTS (SELECT 1 FROM messages m WHERE m.author = u.key AND (m.flags & 4) = 0)
            OR EXISTS (SELECT 1 FROM tombstones x WHERE x.author = u.key AND (COALESCE(x.flags, 0) & 4) = 0))";
    Ok(tx.opt(sql, params![user], |row| row.get::<i64>(0))?.is_some())
}

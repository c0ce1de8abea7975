//! Where discussions hang in their parent rooms.

use parlor_core::{
    id::{MessageId, RoomId},
    room::Room,
};

use super::messages::{Span, first_key, room_key, select};
use crate::{
    params,
    sql::{SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

/// Discussions that may have begun in the parent room within the same moment.
const NEIGHBOURS: i64 = 100;

/// The anchor of a discussion: it is stored together with the discussion's room, so it is among the first that stand in
/// the parent room from that moment on.
pub(super) fn anchor(tx: &mut SqlTx<'_>, parent: &RoomId, discussion: &Room) -> Sql<Option<MessageId>> {
    let Some(room) = room_key(tx, parent)? else { return Ok(None) };
    let span = Span::of(room);
    let Some(first) = first_key(tx, span, discussion.created_at, true)? else { return Ok(None) };
    let rest = "WHERE m.key >= $1 AND m.key < $2 AND (m.flags & 1024) <> 0 ORDER BY m.key LIMIT $3";
    let found = select(tx, rest, params![first, span.below, NEIGHBOURS])?;
    let hangs_there = |info: &parlor_core::message::DiscussionInfo| info.room == discussion.id;
    Ok(found.into_iter().find(|it| it.discussion.as_ref().is_some_and(hangs_there)).map(|it| it.id))
}

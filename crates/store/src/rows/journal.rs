//! The journal: what happened, kept for whoever catches up, and published after the commit.

use super::heads::AHEAD;
use crate::params;
use crate::sql::{Kind, Param, SqlError, SqlTx};
use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    event::{Change, Event, Fact},
    id::{RoomId, UserId},
    nodes::detail,
    permissions::Judgement,
    store::{Advance, Journal},
};

/// What a row of the journal is about; stored for ever.
pub(crate) mod kind {
    /// A message, found by its position.
    pub(crate) const MESSAGE: i64 = 1;
    /// A changed message, found by its `rev`.
    pub(crate) const MESSAGE_CHANGED: i64 = 2;
    /// A removed message: a tombstone, found by its `rev`.
    pub(crate) const MESSAGE_DELETED: i64 = 3;
    /// Many removed messages.
    pub(crate) const PURGED: i64 = 4;
    /// A room, by id.
    pub(crate) const ROOM: i64 = 5;
    /// A removed room, by id.
    pub(crate) const ROOM_REMOVED: i64 = 6;
    /// A membership, by id.
    pub(crate) const MEMBERSHIP: i64 = 7;
    /// A removed membership, by id.
    pub(crate) const MEMBERSHIP_REMOVED: i64 = 8;
    /// A mark moved; the object is the thread's root, if it was a thread's.
    pub(crate) const READ: i64 = 9;
    /// A user, by id.
    pub(crate) const USER: i64 = 10;
    /// A removed user, by id.
    pub(crate) const USER_REMOVED: i64 = 11;
    /// Ended sessions: one by id, or all.
    pub(crate) const SESSIONS_ENDED: i64 = 12;
    /// A star set or taken, by the message's id.
    pub(crate) const STARRED: i64 = 13;
    /// A team, by id.
    pub(crate) const TEAM: i64 = 14;
    /// A setting, by id.
    pub(crate) const SETTING: i64 = 15;
    /// A permission's roles, by id.
    pub(crate) const PERMISSION: i64 = 16;
    /// A role, by id.
    pub(crate) const ROLE: i64 = 17;
    /// A role given or taken, by the role's id.
    pub(crate) const ROLE_GIVEN: i64 = 18;
    /// A custom emoji, sound or status, by id.
    pub(crate) const CUSTOM: i64 = 19;
    /// A picture, by the user's or room's id.
    pub(crate) const AVATAR: i64 = 20;
    /// A position without an event.
    pub(crate) const SKIPPED: i64 = 21;
    /// Something that happened to a support case, by its room; the object is the action.
    pub(crate) const CASE: i64 = 22;
    /// A ticket's facts, by its id.
    pub(crate) const TICKET: i64 = 23;
}

/// A row's kind, object and the user it concerns alone.
struct Entry<'a> {
    kind: i64,
    object: Option<&'a str>,
    whom: Option<&'a UserId>,
}

/// How an event is kept; `None` for passing ones.
fn entry(event: &Event) -> Option<Entry<'_>> {
    use Event as E;
    let of = |kind, object| Some(Entry { kind, object, whom: None });
    let to = |kind, object, whom| Some(Entry { kind, object, whom: Some(whom) });
    match event {
        E::Message { change: Change::Made, .. } => of(kind::MESSAGE, None),
        E::Message { .. } => of(kind::MESSAGE_CHANGED, None),
        E::MessageDeleted { message, .. } => of(kind::MESSAGE_DELETED, Some(message.as_str())),
        E::MessagesPurged { .. } => of(kind::PURGED, None),
        E::Room { room, .. } => of(kind::ROOM, Some(room.id.as_str())),
        E::RoomRemoved { room } => of(kind::ROOM_REMOVED, Some(room.id.as_str())),
        E::Membership { membership: m, .. } => to(kind::MEMBERSHIP, Some(m.id.as_str()), &m.user),
        E::MembershipRemoved { id, user, .. } => to(kind::MEMBERSHIP_REMOVED, Some(id.as_str()), user),
        E::Read { thread, user, .. } => to(kind::READ, thread.as_ref().map(|t| t.as_str()), user),
        E::User { user, .. } => of(kind::USER, Some(user.id.as_str())),
        E::UserRemoved { user } => of(kind::USER_REMOVED, Some(user.id.as_str())),
        E::SessionsEnded { user, session, .. } => {
            to(kind::SESSIONS_ENDED, session.as_ref().map(|s| s.as_str()), user)
        }
        E::Starred { user, message, .. } => to(kind::STARRED, Some(message.id.as_str()), user),
        E::Team { team } => of(kind::TEAM, Some(team.as_str())),
        E::Setting { id, .. } => of(kind::SETTING, Some(id)),
        E::Permission { id, .. } => of(kind::PERMISSION, Some(id)),
        E::Role { id, .. } => of(kind::ROLE, Some(id.as_str())),
        E::RoleGiven { user, role, .. } => to(kind::ROLE_GIVEN, Some(role.as_str()), user),
        E::Custom { id, .. } => of(kind::CUSTOM, Some(id)),
        E::Avatar { of: picture, .. } => of(
            kind::AVATAR,
            Some(match picture {
                parlor_core::event::AvatarOf::User(id, _) => id.as_str(),
                parlor_core::event::AvatarOf::Room(id) => id.as_str(),
            }),
        ),
        E::Case { action, .. } => of(kind::CASE, Some(action.as_str())),
        E::Ticket { ticket, .. } => of(kind::TICKET, Some(ticket.id.as_str())),
        E::Skipped { .. } => of(kind::SKIPPED, None),
        E::Activity { .. }
        | E::Gathered { .. }
        | E::Presence { .. }
        | E::Whisper { .. }
        | E::Notify { .. }
        | E::Signal { .. } => None,
    }
}

/// The room that an event without a place in a timeline concerns all the same.
fn room_of(event: &Event) -> Option<&RoomId> {
    match event {
        Event::Room { room, .. } => Some(&room.id),
        Event::Membership { membership, .. } => Some(&membership.room),
        Event::Case { conversation, .. } => Some(&conversation.room.id),
        Event::Ticket { ticket, .. } => Some(&ticket.room),
        Event::MembershipRemoved { room, .. } | Event::Read { room, .. } => Some(room),
        _ => None,
    }
}

const LINE: &str = "INSERT INTO journal (g, at, kind, room, position, object, whom, detail)
     VALUES ($1, $2, $3, (SELECT key FROM rooms WHERE id = $4), $5, $6, $7, $8)";

/// A line of the journal.
struct Line<'a> {
    g: i64,
    at: Time,
    entry: Entry<'a>,
    room: Option<&'a RoomId>,
    position: Option<i64>,
    detail: Option<String>,
}

impl Line<'_> {
    fn params(&self) -> [Param<'_>; 8] {
        *params![
            self.g,
            self.at,
            self.entry.kind,
            self.room,
            self.position,
            self.entry.object,
            self.entry.whom,
            self.detail
        ]
    }
}

impl SqlTx<'_> {
    /// The next line; `None` for a passing event.
    fn line<'a>(
        &mut self,
        place: Option<&'a (RoomId, i64)>,
        event: &'a Event,
    ) -> std::result::Result<Option<Line<'a>>, SqlError> {
        let Some(entry) = entry(event) else { return Ok(None) };
        let room = place.map(|(room, _)| room).or_else(|| room_of(event));
        let position = place.map(|(_, position)| *position);
        let detail = if self.own().is_one_of_several() { detail(event) } else { None };
        Ok(Some(Line { g: self.next_g()?, at: self.time(), entry, room, position, detail }))
    }

    /// Records what happened outside timelines, together.
    pub(super) fn write_down(&mut self, events: Vec<Event>) -> Result<()> {
        let lines = events.iter().map(|event| self.line(None, event));
        let lines = lines.collect::<std::result::Result<Vec<_>, _>>()?;
        let rows: Vec<_> = lines.iter().flatten().map(Line::params).collect();
        self.exec_all(LINE, &rows)?;
        let numbers: Vec<i64> = lines.iter().map(|line| line.as_ref().map_or(0, |line| line.g)).collect();
        for (g, event) in numbers.into_iter().zip(events) {
            self.publish(Fact { g, place: None, event });
        }
        Ok(())
    }
}

impl Journal for SqlTx<'_> {
    fn now(&self) -> Time {
        self.time()
    }

    fn advance(&mut self, room: &RoomId) -> Result<Advance> {
        let sql = "UPDATE room_heads SET position = position + 1, changed_at = CASE
                WHEN $2 > changed_at THEN $2 WHEN changed_at - $2 < $3 THEN changed_at + 1 ELSE changed_at END
            WHERE room = (SELECT key FROM rooms WHERE id = $1) RETURNING position, changed_at";
        let taken = self.opt(sql, params![room, self.time(), AHEAD], |row| {
            Ok(Advance { position: row.get(0)?, at: row.get(1)? })
        })?;
        taken.ok_or(Refusal::NotFound(What::Room))
    }

    fn record(&mut self, place: Option<(RoomId, i64)>, event: Event) -> Result<()> {
        let mut g = 0;
        if let Some(line) = self.line(place.as_ref(), &event)? {
            g = line.g;
            self.exec(LINE, &line.params())?;
        }
        self.publish(Fact { g, place, event });
        Ok(())
    }

    fn skip(&mut self, room: &RoomId, position: i64) -> Result<()> {
        self.record(Some((room.clone(), position)), Event::Skipped { room: room.clone() })
    }

    fn check(&mut self, judgement: &Judgement) -> Result<()> {
        if let Some((user, access)) = &judgement.user {
            let sql = "SELECT access FROM users WHERE id = $1 {lock}";
            let found: Option<i64> = self.opt(sql, params![user], |row| row.get(0))?;
            stands(found, *access)?;
        }
        if let Some((room, access)) = &judgement.room {
            let sql = "SELECT access FROM rooms WHERE id = $1 {lock}";
            let found: Option<i64> = self.opt(sql, params![room], |row| row.get(0))?;
            stands(found, *access)?;
        }
        Ok(())
    }
}

/// Whether an access version is still the one that was judged.
pub(crate) fn stands(found: Option<i64>, judged: i64) -> Result<()> {
    if found == Some(judged) { Ok(()) } else { Err(Refusal::Stale) }
}

/// The number of the journal's last row; 0 if there is none.
pub(crate) fn last_g(tx: &mut SqlTx<'_>) -> std::result::Result<i64, SqlError> {
    tx.one("SELECT COALESCE(MAX(g), 0) FROM journal", &[], |row| row.get(0))
}

/// Rows that one piece of pruning takes out.
const PRUNED: i64 = 2_000;

/// Takes old rows out, from the oldest on. The newest row stays whatever its age: numbers go on from it.
pub(super) fn prune(tx: &mut SqlTx<'_>, before: Time) -> std::result::Result<bool, SqlError> {
    let sql = "SELECT COALESCE(MIN(g), 0) FROM journal_cursors";
    let read: i64 = tx.one(sql, &[], |row| row.get(0))?;
    let upto = read.min(last_g(tx)? - 1);
    let sql = "SELECT MAX(g) FROM (SELECT g, at FROM journal WHERE g <= $1 ORDER BY g LIMIT $2) AS oldest WHERE at < $3";
    let last: Option<i64> = tx.one(sql, params![upto, PRUNED, before], |row| row.get(0))?;
    let Some(last) = last else { return Ok(false) };
    Ok(tx.exec("DELETE FROM journal WHERE g <= $1", params![last])? >= PRUNED as u64)
}

/// A row of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) g: i64,
    pub(crate) kind: i64,
    pub(crate) room: Option<i64>,
    pub(crate) position: Option<i64>,
    pub(crate) object: Option<String>,
}

/// The journal's rows after a number, as far as they are final: nothing will come before them any more. On
/// PostgreSQL that is what lies below the oldest transaction still running.
pub(crate) fn after(tx: &mut SqlTx<'_>, g: i64, limit: u64) -> std::result::Result<Vec<Kept>, SqlError> {
    let sql = match tx.kind() {
        Kind::Sqlite => {
            "SELECT g, kind, room, position, object FROM journal WHERE g > $1 ORDER BY g LIMIT $2"
        }
        Kind::Postgres => {
            "SELECT g, kind, room, position, object FROM journal
             WHERE g > $1 AND g < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 19)
                 + (SELECT base FROM journal_base)
             ORDER BY g LIMIT $2"
        }
    };
    tx.query(sql, params![g, limit], |row| {
        Ok(Kept {
            g: row.get(0)?,
            kind: row.get(1)?,
            room: row.get(2)?,
            position: row.get(3)?,
            object: row.get(4)?,
        })
    })
}

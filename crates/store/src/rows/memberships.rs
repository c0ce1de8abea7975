//! Memberships, and what is left of those that ended.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, State, What},
    id::{MembershipId, RoomId, UserId},
    membership::{Membership, Notify, ReadMark, Translation},
    room::RoomView,
    store::{MemberFilter, Page, Paged, RemovedMembership},
};
use std::{collections::BTreeMap, sync::Arc};

use super::rooms::{
    HEAD, HEAD_JOIN, MAX_LIST, ROOM, ROOM_COLUMNS, Sql, anywhere, comparable, ids, read_head, read_room,
    split,
};
use crate::params;
use crate::sql::{Param, Row, SqlError, SqlTx};

/// Rows that one list of a user's memberships holds at most.
const MOST: i64 = 10_000;
/// Rows that one piece of sweeping touches.
const PIECE: i64 = 200;

/// The columns of a membership, read by [`read_membership`]; from rooms `r`, users `u`, memberships `m`.
pub(super) const MEMBERSHIP: &str = "m.id, r.id, u.id, m.roles, m.flags, m.joined_at, m.mark_seq, m.mark_counted, m.mark_at, \
    m.last_reply, m.desktop, m.mobile, m.email, m.sound, m.unread_alert, m.ignored, m.e2e_key, m.updated_at, m.translation";
/// How many they are.
pub(super) const MEMBERSHIP_COLUMNS: usize = 19;
pub(super) const FROM: &str =
    "FROM memberships m JOIN rooms r ON r.key = m.room JOIN users u ON u.key = m.whom";

pub(super) mod flag {
    pub(super) const OPEN: i64 = 1;
    pub(super) const FAVOURITE: i64 = 2;
    pub(crate) const MARKED_UNREAD: i64 = 4;
    pub(super) const BLOCKER: i64 = 8;
    pub(super) const BLOCKED: i64 = 16;
    pub(super) const DISABLED: i64 = 32;
    pub(super) const MUTE_GROUP: i64 = 64;
    pub(super) const HIDE_UNREAD: i64 = 128;
    pub(super) const HIDE_MENTIONS: i64 = 256;
}

fn flags(m: &Membership) -> i64 {
    [
        (m.open, flag::OPEN),
        (m.favourite, flag::FAVOURITE),
        (m.marked_unread, flag::MARKED_UNREAD),
        (m.blocker, flag::BLOCKER),
        (m.blocked, flag::BLOCKED),
        (m.notify.disabled, flag::DISABLED),
        (m.notify.mute_group_mentions, flag::MUTE_GROUP),
        (m.notify.hide_unread, flag::HIDE_UNREAD),
        (m.notify.hide_mentions, flag::HIDE_MENTIONS),
    ]
    .into_iter()
    .filter_map(|(on, bit)| on.then_some(bit))
    .sum()
}

pub(super) fn read_membership(row: &Row<'_>, at: usize) -> Sql<Membership> {
    let flags: i64 = row.get(at + 4)?;
    let on = |bit: i64| flags & bit != 0;
    let time = |index: usize| Ok::<_, SqlError>(row.get::<Option<i64>>(index)?.map(Time));
    Ok(Membership {
        id: MembershipId::new(row.get::<Arc<str>>(at)?),
        room: RoomId::new(row.get::<Arc<str>>(at + 1)?),
        user: UserId::new(row.get::<Arc<str>>(at + 2)?),
        roles: split(row.text(at + 3)?),
        open: on(flag::OPEN),
        favourite: on(flag::FAVOURITE),
        joined_at: Time(row.get(at + 5)?),
        mark: ReadMark { seq: row.get(at + 6)?, counted: row.get(at + 7)?, at: time(at + 8)? },
        marked_unread: on(flag::MARKED_UNREAD),
        last_reply: time(at + 9)?,
        notify: Notify {
            disabled: on(flag::DISABLED),
            desktop: row.get(at + 10)?,
            mobile: row.get(at + 11)?,
            email: row.get(at + 12)?,
            sound: row.get(at + 13)?,
            mute_group_mentions: on(flag::MUTE_GROUP),
            hide_unread: on(flag::HIDE_UNREAD),
            hide_mentions: on(flag::HIDE_MENTIONS),
            unread_alert: row.get(at + 14)?,
        },
        ignored: split(row.text(at + 15)?),
        blocker: on(flag::BLOCKER),
        blocked: on(flag::BLOCKED),
        e2e_key: row.get(at + 16)?,
        updated_at: Time(row.get(at + 17)?),
        translation: row.get::<Option<String>>(at + 18)?.as_deref().map(read_translation),
    })
}

/// An order by the highest of these roles that a member has, in this direction; then others decide.
fn ranked(roles: &[&str], way: &str) -> String {
    let when =
        |(rank, role): (usize, &&str)| format!("WHEN ' ' || m.roles || ' ' LIKE '% {role} %' THEN {rank} ");
    let whens: String = roles.iter().enumerate().map(when).collect();
    format!("CASE {whens}ELSE {} END {way}, ", roles.len())
}

/// A membership's row, with what is derived for it.
struct Stored<'a> {
    it: &'a Membership,
    roles: String,
    flags: i64,
    ignored: String,
    translation: Option<String>,
}

impl<'a> Stored<'a> {
    fn of(it: &'a Membership) -> Self {
        let (roles, ignored) = (ids(&it.roles), ids(&it.ignored));
        Self { it, roles, flags: flags(it), ignored, translation: translation(it) }
    }

    fn params(&self) -> [Param<'_>; 19] {
        *params![
            self.it.room,
            self.it.user,
            self.it.id,
            self.roles,
            self.flags,
            self.it.joined_at,
            self.it.mark.seq,
            self.it.mark.counted,
            self.it.mark.at,
            self.it.last_reply,
            self.it.notify.desktop,
            self.it.notify.mobile,
            self.it.notify.email,
            self.it.notify.sound,
            self.it.notify.unread_alert,
            self.ignored,
            self.it.e2e_key,
            self.it.updated_at,
            self.translation
        ]
    }
}

fn read_translation(text: &str) -> Translation {
    let on = match text.as_bytes().first() {
        Some(b'+') => Some(true),
        Some(b'-') => Some(false),
        _ => None,
    };
    Translation { on, language: text.trim_start_matches(['+', '-']).to_owned() }
}

fn translation(m: &Membership) -> Option<String> {
    let sign = |on| match on {
        Some(true) => "+",
        Some(false) => "-",
        None => "",
    };
    m.translation.as_ref().map(|it| format!("{}{}", sign(it.on), it.language))
}

impl SqlTx<'_> {
    pub(crate) fn read_one_membership(&mut self, room: &RoomId, user: &UserId) -> Result<Option<Membership>> {
        let sql = format!("SELECT {MEMBERSHIP} {FROM} WHERE r.id = $1 AND u.id = $2");
        Ok(self.opt(&sql, params![room, user], |row| read_membership(row, 0))?)
    }

    pub(crate) fn read_membership_by_id(&mut self, id: &MembershipId) -> Result<Option<Membership>> {
        let sql = format!("SELECT {MEMBERSHIP} {FROM} WHERE m.id = $1");
        Ok(self.opt(&sql, params![id], |row| read_membership(row, 0))?)
    }

    pub(crate) fn read_memberships_of(
        &mut self,
        user: &UserId,
        since: Option<Time>,
    ) -> Result<Vec<Membership>> {
        let sql = format!(
            "SELECT {MEMBERSHIP} {FROM} WHERE u.id = $1 AND m.updated_at > $2 ORDER BY m.room LIMIT $3"
        );
        let since = since.unwrap_or(Time(-1));
        Ok(self.query(&sql, params![user, since, MOST], |row| read_membership(row, 0))?)
    }

    pub(crate) fn read_rooms_of(
        &mut self,
        user: &UserId,
        since: Option<Time>,
    ) -> Result<Vec<(Membership, RoomView)>> {
        let sql = format!(
            "SELECT {MEMBERSHIP}, {ROOM}, {HEAD} {FROM} {HEAD_JOIN} WHERE u.id = $1 AND \
             (m.updated_at > $2 OR r.updated_at > $2 OR h.changed_at > $2) ORDER BY m.room LIMIT $3"
        );
        let since = since.unwrap_or(Time(-1));
        Ok(self.query(&sql, params![user, since, MOST], |row| {
            let room = read_room(row, MEMBERSHIP_COLUMNS)?;
            let head = read_head(row, MEMBERSHIP_COLUMNS + ROOM_COLUMNS)?;
            let view = RoomView { room: Arc::new(room), head: Arc::new(head), last: None };
            Ok((read_membership(row, 0)?, view))
        })?)
    }

    pub(crate) fn read_room_positions_of(&mut self, user: &UserId) -> Result<Vec<(RoomId, i64)>> {
        let sql = format!(
            "SELECT r.id, h.position {FROM} JOIN room_heads h ON h.room = m.room WHERE u.id = $1 ORDER BY m.room LIMIT $2"
        );
        let read = |row: &Row<'_>| Ok((RoomId::new(row.get::<Arc<str>>(0)?), row.get(1)?));
        Ok(self.query(&sql, params![user, MOST], read)?)
    }

    pub(crate) fn read_removed(&mut self, user: &UserId, since: Time) -> Result<Vec<RemovedMembership>> {
        // Those of a removed room count from its removal on, swept or not.
        let sql = "SELECT d.id, d.room, d.at FROM removed_memberships d JOIN users u ON u.key = d.whom \
             WHERE u.id = $1 AND d.at > $2 \
             UNION ALL SELECT m.id, x.id, x.at FROM memberships m JOIN removed_rooms x ON x.key = m.room \
             JOIN users u ON u.key = m.whom WHERE u.id = $1 AND x.at > $2 ORDER BY 3 LIMIT $3";
        Ok(self.query(sql, params![user, since, MOST], |row| {
            Ok(RemovedMembership {
                id: MembershipId::new(row.get::<Arc<str>>(0)?),
                room: RoomId::new(row.get::<Arc<str>>(1)?),
                at: Time(row.get(2)?),
            })
        })?)
    }

    pub(crate) fn page_of_members(
        &mut self,
        room: &RoomId,
        filter: &MemberFilter,
        page: Page,
    ) -> Result<Paged<Membership>> {
        let (condition, values) = condition(room, filter);
        let mut given: Vec<Param<'_>> = values.iter().map(|v| Param::Text(v)).collect();
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) {FROM} WHERE {condition}");
        let total: i64 = self.one(&sql, &given, |row| row.get(0))?;
        let first = match filter.by_rank {
            Some(true) => ranked(&["owner", "leader", "moderator"], "DESC"),
            Some(false) => ranked(&["owner", "leader", "moderator"], "ASC"),
            None if filter.by_role => ranked(&["owner", "moderator"], "ASC"),
            None => String::new(),
        };
        let way = if filter.descending { "DESC" } else { "ASC" };
        let n = given.len();
        let sql = format!(
            "SELECT {MEMBERSHIP} {FROM} WHERE {condition} ORDER BY {first}u.username_key {way} LIMIT ${} OFFSET ${}",
            n + 1,
            n + 2
        );
        given.extend([Param::Int(page.count as i64), Param::Int(page.offset as i64)]);
        let items = self.query(&sql, &given, |row| read_membership(row, 0))?;
        Ok(Paged { items, total: total as u64 })
    }

    pub(crate) fn read_members_with_roles(&mut self, room: &RoomId) -> Result<Vec<Membership>> {
        let sql = format!(
            "SELECT {MEMBERSHIP} {FROM} WHERE r.id = $1 AND m.roles <> '' ORDER BY u.username_key LIMIT 1000"
        );
        Ok(self.query(&sql, params![room], |row| read_membership(row, 0))?)
    }

    pub(crate) fn count_members_with_role(&mut self, room: &RoomId, role: &str) -> Result<u64> {
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) FROM memberships m JOIN rooms r ON r.key = m.room \
             WHERE r.id = $1 AND m.roles <> '' AND ' ' || m.roles || ' ' LIKE $2 ESCAPE '\\'";
        let pattern = holds(role);
        Ok(self.one(sql, params![room, pattern], |row| row.get::<u64>(0))?)
    }

    /// Stores new memberships and counts them, together.
    pub(crate) fn store_memberships(&mut self, all: &[&Membership]) -> Result<()> {
        let sql = "INSERT INTO memberships (room, whom, id, roles, flags, joined_at, mark_seq, mark_counted, mark_at, \
            last_reply, desktop, mobile, email, sound, unread_alert, ignored, e2e_key, updated_at, translation) \
            VALUES ((SELECT key FROM rooms WHERE id = $1), (SELECT key FROM users WHERE id = $2), $3, $4, $5, $6, $7, \
            $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (room, whom) DO NOTHING";
        let stored: Vec<Stored<'_>> = all.iter().map(|one| Stored::of(one)).collect();
        match self.exec_all(sql, &stored.iter().map(Stored::params).collect::<Vec<_>>()) {
            Ok(rows) if rows.contains(&0) => return Err(State::AlreadyMember.into()),
            Err(SqlError::Constraint { kind: crate::sql::Constraint::NotNull, .. }) => {
                return Err(Refusal::NotFound(What::User));
            }
            done => done?,
        };
        let mut members: BTreeMap<&RoomId, i64> = BTreeMap::new();
        for one in all {
            *members.entry(&one.room).or_default() += 1;
        }
        let more: Vec<_> = members.iter().map(|(room, more)| *params![**room, *more]).collect();
        self.exec_all("UPDATE rooms SET members = members + $2 WHERE id = $1", &more)?;
        Ok(())
    }

    pub(crate) fn store_changed_membership(&mut self, m: &Membership) -> Result<()> {
        let sql = "UPDATE memberships SET roles = $2, flags = $3, mark_seq = $4, mark_counted = $5, mark_at = $6, \
            last_reply = $7, desktop = $8, mobile = $9, email = $10, sound = $11, unread_alert = $12, ignored = $13, \
            e2e_key = $14, updated_at = $15, translation = $16 WHERE id = $1";
        let (roles, ignored) = (ids(&m.roles), ids(&m.ignored));
        let done = self.exec(
            sql,
            params![
                m.id,
                roles,
                flags(m),
                m.mark.seq,
                m.mark.counted,
                m.mark.at,
                m.last_reply,
                m.notify.desktop,
                m.notify.mobile,
                m.notify.email,
                m.notify.sound,
                m.notify.unread_alert,
                ignored,
                m.e2e_key,
                m.updated_at,
                translation(m)
            ],
        )?;
        if done == 0 { Err(Refusal::NotFound(What::Membership)) } else { Ok(()) }
    }

    pub(crate) fn end_membership(&mut self, room: &RoomId, user: &UserId) -> Result<bool> {
        let now = self.time();
        let kept = self.exec(
            "INSERT INTO removed_memberships (id, room, whom, at) SELECT m.id, r.id, m.whom, CAST($3 AS BIGINT) \
             FROM memberships m JOIN rooms r ON r.key = m.room JOIN users u ON u.key = m.whom \
             WHERE r.id = $1 AND u.id = $2",
            params![room, user, now],
        )?;
        if kept == 0 {
            return Ok(false);
        }
        self.exec(
            "DELETE FROM memberships WHERE room = (SELECT key FROM rooms WHERE id = $1) \
             AND whom = (SELECT key FROM users WHERE id = $2)",
            params![room, user],
        )?;
        self.exec("UPDATE rooms SET members = members - 1 WHERE id = $1", params![room])?;
        Ok(true)
    }

    /// Turns a piece of a removed room's memberships into what is left of ended ones; `false` when there are none.
    pub(crate) fn sweep_memberships(&mut self, room: i64, id: &str, at: i64) -> Result<bool> {
        let piece = "SELECT whom FROM memberships WHERE room = $1 ORDER BY whom LIMIT $2";
        let whom: Vec<i64> = self.query(piece, params![room, PIECE], |row| row.get(0))?;
        let Some(last) = whom.last() else { return Ok(false) };
        self.exec(
            "INSERT INTO removed_memberships (id, room, whom, at) SELECT id, CAST($2 AS TEXT), whom, \
             CAST($3 AS BIGINT) FROM memberships WHERE room = $1 AND whom <= $4",
            params![room, id, at, last],
        )?;
        self.exec("DELETE FROM memberships WHERE room = $1 AND whom <= $2", params![room, last])?;
        Ok(true)
    }
}

/// A pattern that finds a role in a joined list.
fn holds(role: &str) -> String {
    let name = anywhere(role);
    format!("% {} %", name.trim_matches('%'))
}

fn condition(room: &RoomId, filter: &MemberFilter) -> (String, Vec<String>) {
    let mut values = vec![room.to_string()];
    let mut text = String::from("r.id = $1");
    let mut take = |value: String| {
        values.push(comparable(&value));
        format!("${}", values.len())
    };
    if !filter.text.is_empty() {
        let n = take(anywhere(&filter.text));
        text += &format!(" AND (u.username_key LIKE {n} ESCAPE '\\' OR u.name_key LIKE {n} ESCAPE '\\')");
    }
    if let Some(active) = filter.active {
        text += if active { " AND u.active <> 0" } else { " AND u.active = 0" };
    }
    if !filter.roles.is_empty() {
        let any: Vec<_> = filter
            .roles
            .iter()
            .take(20)
            .map(|role| format!("' ' || m.roles || ' ' LIKE {} ESCAPE '\\'", take(holds(role))))
            .collect();
        text += &format!(" AND ({})", any.join(" OR "));
    }
    if let Some(only) = &filter.only {
        let list: Vec<_> = only.iter().take(MAX_LIST).map(|id| take(id.to_string())).collect();
        text += &if list.is_empty() {
            " AND 1 = 0".to_owned()
        } else {
            format!(" AND u.id IN ({})", list.join(", "))
        };
    }
    (text, values)
}

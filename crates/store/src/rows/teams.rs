//! Teams, and the traits of all three nouns on a transaction.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MembershipId, RoomId, TeamId, UserId},
    membership::Membership,
    room::{Head, Room, RoomView},
    store::{
        Invite, MemberFilter, Page, Paged, ReadRooms, RemovedMembership, RoomFilter, Team, TeamFilter,
        WriteRooms,
    },
};
use std::sync::Arc;

use super::rooms::{Sql, anywhere, fold};
use crate::params;
use crate::sql::{Constraint, Param, Row, SqlError, SqlTx};

const TEAM: &str = "t.id, t.name, t.private, t.room, t.creator, t.created_at, t.updated_at";
/// The rows of users' places in a team's main room; the user's id is compared with the place holder that follows.
const IN_MAIN_ROOM: &str = "EXISTS (SELECT 1 FROM rooms r JOIN memberships m ON m.room = r.key \
    JOIN users u ON u.key = m.whom WHERE r.id = t.room AND u.id = ";

fn read_team(row: &Row<'_>) -> Sql<Team> {
    Ok(Team {
        id: TeamId::new(row.get::<Arc<str>>(0)?),
        name: row.get(1)?,
        private: row.get(2)?,
        room: RoomId::new(row.get::<Arc<str>>(3)?),
        creator: UserId::new(row.get::<Arc<str>>(4)?),
        created_at: Time(row.get(5)?),
        updated_at: Time(row.get(6)?),
    })
}

fn taken(error: SqlError, team: &Team) -> Refusal {
    match error {
        SqlError::Constraint { kind: Constraint::Unique, .. } => {
            Refusal::Taken { what: What::TeamName, value: team.name.clone() }
        }
        other => other.into(),
    }
}

impl SqlTx<'_> {
    fn page_of_teams(&mut self, filter: &TeamFilter, page: Page) -> Result<Paged<Team>> {
        let mut values = Vec::new();
        let mut clause = String::from("1 = 1");
        if let Some(user) = &filter.member {
            values.push(user.to_string());
            clause += &format!(" AND {IN_MAIN_ROOM}${})", values.len());
        }
        if let Some(user) = &filter.visible_to {
            values.push(user.to_string());
            clause += &format!(" AND (t.private = 0 OR {IN_MAIN_ROOM}${}))", values.len());
        }
        if !filter.prefix.is_empty() {
            values.push(anywhere(&filter.prefix)[1..].to_owned());
            clause += &format!(" AND t.name_key LIKE ${} ESCAPE '\\'", values.len());
        }
        let mut given: Vec<Param<'_>> = values.iter().map(|v| Param::Text(v)).collect();
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM teams t WHERE {clause}");
        let total: u64 = self.one(&sql, &given, |row| row.get(0))?;
        let n = given.len();
        let sql = format!(
            "SELECT {TEAM} FROM teams t WHERE {clause} ORDER BY t.name_key LIMIT ${} OFFSET ${}",
            n + 1,
            n + 2
        );
        given.extend([Param::Int(page.count as i64), Param::Int(page.offset as i64)]);
        Ok(Paged { items: self.query(&sql, &given, read_team)?, total })
    }

    /// The next piece of what a removed room left behind.
    fn sweep_next_room(&mut self) -> Result<bool> {
        let next = self.opt("SELECT key, id, at FROM removed_rooms ORDER BY at LIMIT 1", &[], |row| {
            Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?))
        })?;
        let Some((key, id, at)) = next else { return Ok(false) };
        // A piece at least, however late it is: whoever asks again must come to an end.
        loop {
            if !self.sweep_memberships(key, &id, at)? && !self.sweep_messages(key)? {
                self.exec("DELETE FROM removed_rooms WHERE key = $1", params![key])?;
                return Ok(true);
            }
            if !self.may_go_on() {
                return Ok(true);
            }
        }
    }

    /// A piece of a removed room's messages with what hangs on them; `false` when none are left.
    fn sweep_messages(&mut self, room: i64) -> Result<bool> {
        let (from, to) = (room << 36, (room + 1) << 36);
        let piece = "SELECT key FROM messages WHERE key >= $1 AND key < $2 ORDER BY key LIMIT 200";
        let keys: Vec<i64> = self.query(piece, params![from, to], |row| row.get(0))?;
        let now = self.time();
        let Some(last) = keys.last() else {
            self.sweep_uploads(room, now)?;
            return Ok(false);
        };
        // The ids stay spent: a message sent again must not come up in another room.
        self.exec(
            "INSERT INTO tombstones (key, id, rev, at, author, thread, counts)
                SELECT key, id, CAST($3 AS BIGINT), CAST($4 AS BIGINT), author, CAST(NULL AS BIGINT), 0
                FROM messages WHERE key >= $1 AND key <= $2 ON CONFLICT DO NOTHING",
            params![from, last, i64::MAX, now],
        )?;
        for table in ["mentions", "stars", "message_versions", "messages"] {
            self.exec(&format!("DELETE FROM {table} WHERE key >= $1 AND key <= $2"), params![from, last])?;
        }
        for table in ["threads", "thread_follows"] {
            self.exec(&format!("DELETE FROM {table} WHERE root >= $1 AND root <= $2"), params![from, last])?;
        }
        // The indexer may come to the room's end only when nobody knows any more which keys were its own.
        crate::search::drop_between(self, from, *last)?;
        Ok(true)
    }

    /// The files of a removed room: those of its messages, by their keys, and those that no message shows, by their
    /// end. There is no index on rooms.
    fn sweep_uploads(&mut self, room: i64, now: Time) -> Result<()> {
        let gone = "UPDATE uploads SET room = NULL, message = NULL, expires = $2 WHERE room = $1 AND";
        let (from, to) = (room << 36, (room + 1) << 36);
        self.exec(&format!("{gone} message >= $3 AND message < $4"), params![room, now, from, to])?;
        self.exec(&format!("{gone} expires IS NOT NULL"), params![room, now])?;
        Ok(())
    }
}

impl ReadRooms for SqlTx<'_> {
    fn room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        self.room_where("r.id = $1", id)
    }
    fn room_by_name(&mut self, name: &str) -> Result<Option<Room>> {
        self.room_where("r.name_key = $1", &fold(name))
    }
    fn direct_room(&mut self, users: &[UserId]) -> Result<Option<Room>> {
        self.direct_room_of(users)
    }
    fn head(&mut self, id: &RoomId) -> Result<Option<Head>> {
        self.read_head_of(id)
    }
    fn rooms(&mut self, filter: &RoomFilter, page: Page) -> Result<Paged<RoomView>> {
        self.page_of_rooms(filter, page)
    }
    fn has_others_than_field(&mut self, room: &RoomId) -> Result<bool> {
        self.others_than_field(room)
    }
    fn membership(&mut self, room: &RoomId, user: &UserId) -> Result<Option<Membership>> {
        self.read_one_membership(room, user)
    }
    fn membership_by_id(&mut self, id: &MembershipId) -> Result<Option<Membership>> {
        self.read_membership_by_id(id)
    }
    fn memberships_of(&mut self, user: &UserId, since: Option<Time>) -> Result<Vec<Membership>> {
        self.read_memberships_of(user, since)
    }
    fn rooms_of(&mut self, user: &UserId, since: Option<Time>) -> Result<Vec<(Membership, RoomView)>> {
        self.read_rooms_of(user, since)
    }
    fn room_positions_of(&mut self, user: &UserId) -> Result<Vec<(RoomId, i64)>> {
        self.read_room_positions_of(user)
    }
    fn removed_memberships(&mut self, user: &UserId, since: Time) -> Result<Vec<RemovedMembership>> {
        self.read_removed(user, since)
    }
    fn members(&mut self, room: &RoomId, filter: &MemberFilter, page: Page) -> Result<Paged<Membership>> {
        self.page_of_members(room, filter, page)
    }
    fn members_with_roles(&mut self, room: &RoomId) -> Result<Vec<Membership>> {
        self.read_members_with_roles(room)
    }
    fn count_role(&mut self, room: &RoomId, role: &str) -> Result<u64> {
        self.count_members_with_role(room, role)
    }
    fn invite(&mut self, id: &str) -> Result<Option<Invite>> {
        self.read_one_invite(id)
    }
    fn invites(&mut self, room: Option<&RoomId>) -> Result<Vec<Invite>> {
        self.read_invites(room)
    }
    fn team(&mut self, id: &TeamId) -> Result<Option<Team>> {
        let sql = format!("SELECT {TEAM} FROM teams t WHERE t.id = $1");
        Ok(self.opt(&sql, params![id], read_team)?)
    }
    fn team_by_name(&mut self, name: &str) -> Result<Option<Team>> {
        let sql = format!("SELECT {TEAM} FROM teams t WHERE t.name_key = $1");
        let key = fold(name);
        Ok(self.opt(&sql, params![key], read_team)?)
    }
    fn teams(&mut self, filter: &TeamFilter, page: Page) -> Result<Paged<Team>> {
        self.page_of_teams(filter, page)
    }
}

impl WriteRooms for SqlTx<'_> {
    fn lock_room(&mut self, id: &RoomId) -> Result<Option<Room>> {
        self.room_where("r.id = $1 {lock}", id)
    }
    fn insert_room(&mut self, room: &Room) -> Result<()> {
        self.store_room(room)
    }
    fn update_room(&mut self, room: &Room) -> Result<()> {
        self.store_changed_room(room)
    }
    fn remove_room(&mut self, id: &RoomId) -> Result<()> {
        self.drop_room(id)
    }
    fn sweep_rooms(&mut self) -> Result<bool> {
        self.sweep_next_room()
    }
    fn bump_access(&mut self, id: &RoomId) -> Result<()> {
        match self.exec("UPDATE rooms SET access = access + 1 WHERE id = $1", params![id])? {
            0 => Err(Refusal::NotFound(What::Room)),
            _ => Ok(()),
        }
    }
    fn insert_membership(&mut self, membership: &Membership) -> Result<()> {
        self.store_memberships(&[membership])
    }
    fn update_membership(&mut self, membership: &Membership) -> Result<()> {
        self.store_changed_membership(membership)
    }
    fn remove_membership(&mut self, room: &RoomId, user: &UserId) -> Result<bool> {
        self.end_membership(room, user)
    }
    fn insert_invite(&mut self, invite: &Invite) -> Result<()> {
        self.store_invite(invite)
    }
    fn use_invite(&mut self, id: &str, now: Time) -> Result<bool> {
        self.count_use(id, now)
    }
    fn remove_invite(&mut self, id: &str) -> Result<bool> {
        self.drop_invite(id)
    }
    fn insert_team(&mut self, team: &Team) -> Result<()> {
        let key = fold(&team.name);
        let done = self.exec(
            "INSERT INTO teams (id, name, name_key, private, room, creator, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                team.id,
                team.name,
                key,
                team.private,
                team.room,
                team.creator,
                team.created_at,
                team.updated_at
            ],
        );
        done.map_err(|error| taken(error, team))?;
        Ok(())
    }
    fn update_team(&mut self, team: &Team) -> Result<()> {
        let key = fold(&team.name);
        let done = self.exec(
            "UPDATE teams SET name = $2, name_key = $3, private = $4, room = $5, updated_at = $6 WHERE id = $1",
            params![team.id, team.name, key, team.private, team.room, team.updated_at],
        );
        match done.map_err(|error| taken(error, team))? {
            0 => Err(Refusal::NotFound(What::Team)),
            _ => Ok(()),
        }
    }
    fn remove_team(&mut self, id: &TeamId) -> Result<()> {
        self.exec("DELETE FROM teams WHERE id = $1", params![id])?;
        Ok(())
    }
}

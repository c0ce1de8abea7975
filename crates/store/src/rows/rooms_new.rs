//! New rooms, one or many.

use parlor_core::room::Room;

use super::rooms::{Sql, direct_key, flags, fold, ids, join, kind_number};
use crate::{
    params,
    sql::{AsParam, Param, SqlTx},
};

/// A room's row, with what is derived for it.
struct Stored<'a> {
    room: &'a Room,
    kind: i64,
    name_key: Option<String>,
    title_key: Option<String>,
    flags: i64,
    hidden: String,
    muted: String,
    unmuted: String,
    sidepanel: String,
    direct: Option<String>,
}

impl<'a> Stored<'a> {
    fn of(room: &'a Room) -> Self {
        Self {
            room,
            kind: kind_number(room.kind),
            name_key: room.name.as_deref().map(fold),
            title_key: room.title.as_deref().map(fold),
            flags: flags(room),
            hidden: join(&room.hidden_system),
            muted: ids(&room.muted),
            unmuted: ids(&room.unmuted),
            sidepanel: join(&room.sidepanel),
            direct: direct_key(&room.direct),
        }
    }

    fn params(&self) -> [Param<'_>; 24] {
        *params![
            self.room.id,
            self.kind,
            self.room.name,
            self.name_key,
            self.room.title,
            self.title_key,
            self.room.creator,
            self.room.topic,
            self.room.description,
            self.room.announcement,
            self.flags,
            self.room.join_code,
            self.hidden,
            self.room.custom_fields,
            self.room.avatar,
            self.muted,
            self.unmuted,
            self.sidepanel,
            self.room.e2e_key,
            self.room.parent,
            self.room.team,
            self.direct,
            self.room.created_at,
            self.room.updated_at
        ]
    }
}

impl SqlTx<'_> {
    /// Stores new rooms with empty heads, together.
    pub(crate) fn store_rooms(&mut self, rooms: &[&Room]) -> Sql<()> {
        let sql = "INSERT INTO rooms (id, kind, name, name_key, title, title_key, creator, topic, description, \
            announcement, flags, join_code, hidden_system, custom_fields, avatar, muted, unmuted, sidepanel, \
            e2e_key, parent, team, direct_key, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, \
            $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)";
        let stored: Vec<Stored<'_>> = rooms.iter().map(|room| Stored::of(room)).collect();
        self.exec_all(sql, &stored.iter().map(Stored::params).collect::<Vec<_>>())?;
        let ids: Vec<[Param<'_>; 1]> = rooms.iter().map(|room| [room.id.as_param()]).collect();
        self.exec_all("INSERT INTO room_heads (room) SELECT key FROM rooms WHERE id = $1", &ids)?;
        Ok(())
    }
}

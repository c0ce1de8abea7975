//! Links by which people come into rooms.

use parlor_core::{
    clock::Time,
    error::Result,
    id::{RoomId, UserId},
    store::Invite,
};
use std::sync::Arc;

use super::rooms::Sql;
use crate::params;
use crate::sql::{Row, SqlTx};

const INVITE: &str = "id, room, creator, days, max_uses, uses, created_at, expires_at";

fn read_invite(row: &Row<'_>) -> Sql<Invite> {
    Ok(Invite {
        id: row.get(0)?,
        room: RoomId::new(row.get::<Arc<str>>(1)?),
        creator: UserId::new(row.get::<Arc<str>>(2)?),
        days: row.get(3)?,
        max_uses: row.get(4)?,
        uses: row.get(5)?,
        created_at: Time(row.get(6)?),
        expires_at: row.get::<Option<i64>>(7)?.map(Time),
    })
}

impl SqlTx<'_> {
    pub(crate) fn read_one_invite(&mut self, id: &str) -> Result<Option<Invite>> {
        let sql = format!("SELECT {INVITE} FROM invites WHERE id = $1");
        Ok(self.opt(&sql, params![id], read_invite)?)
    }

    pub(crate) fn read_invites(&mut self, room: Option<&RoomId>) -> Result<Vec<Invite>> {
        let clause = if room.is_some() { "room = $1" } else { "$1 = ''" };
        let sql =
            format!("SELECT {INVITE} FROM invites WHERE {clause} ORDER BY created_at DESC, id LIMIT 1000");
        let room = room.map_or("", |room| room.as_str());
        Ok(self.query(&sql, params![room], read_invite)?)
    }

    pub(crate) fn store_invite(&mut self, invite: &Invite) -> Result<()> {
        self.exec(
            "INSERT INTO invites (id, room, creator, days, max_uses, uses, created_at, expires_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                invite.id,
                invite.room,
                invite.creator,
                invite.days,
                invite.max_uses,
                invite.uses,
                invite.created_at,
                invite.expires_at
            ],
        )?;
        Ok(())
    }

    pub(crate) fn count_use(&mut self, id: &str, now: Time) -> Result<bool> {
        let done = self.exec(
            "UPDATE invites SET uses = uses + 1 WHERE id = $1 AND (max_uses = 0 OR uses < max_uses) \
             AND (expires_at IS NULL OR expires_at > $2)",
            params![id, now],
        )?;
        Ok(done > 0)
    }

    pub(crate) fn drop_invite(&mut self, id: &str) -> Result<bool> {
        Ok(self.exec("DELETE FROM invites WHERE id = $1", params![id])? > 0)
    }
}

//! Another id for a user: rows know users by key, but a few columns hold the id itself.

use parlor_core::{error::Result, id::UserId};

use super::rooms::{ids, split};
use crate::{
    params,
    sql::{Row, SqlError, SqlTx},
};

/// A room's key and the columns that hold ids.
type Named = (i64, Option<String>, String, String);

pub(super) fn rename(tx: &mut SqlTx<'_>, old: &UserId, new: &UserId) -> Result<()> {
    tx.exec("UPDATE users SET id = $2 WHERE id = $1", params![old, new])?;
    tx.exec(
        "INSERT INTO user_aliases (id, whom) SELECT $1, key FROM users WHERE id = $2 ON CONFLICT DO NOTHING",
        params![old, new],
    )?;
    for table in ["rooms", "teams", "invites"] {
        tx.exec(&format!("UPDATE {table} SET creator = $2 WHERE creator = $1"), params![old, new])?;
    }
    tx.exec(
        "UPDATE documents SET id = look_up || ' ' || $2 WHERE collection = 'bans' AND id = look_up || ' ' || $1",
        params![old, new],
    )?;
    let read = |row: &Row<'_>| -> std::result::Result<Named, SqlError> {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    };
    let theirs =
        "SELECT r.key, r.direct_key, r.muted, r.unmuted FROM rooms r JOIN memberships m ON m.room = r.key
        JOIN users u ON u.key = m.whom WHERE u.id = $1";
    for (key, direct, muted, unmuted) in tx.query(theirs, params![new], read)? {
        let renamed = |text: &str, sorted: bool| {
            let mut all: Vec<UserId> = split(text);
            all.iter_mut().filter(|id| *id == old).for_each(|id| *id = new.clone());
            if sorted {
                all.sort();
            }
            ids(&all)
        };
        let direct_key = direct.as_deref().map(|text| renamed(text, true));
        if direct_key != direct || renamed(&muted, false) != muted || renamed(&unmuted, false) != unmuted {
            let sql = "UPDATE rooms SET direct_key = $2, muted = $3, unmuted = $4 WHERE key = $1";
            tx.exec(sql, params![key, direct_key, renamed(&muted, false), renamed(&unmuted, false)])?;
        }
    }
    Ok(())
}

impl SqlTx<'_> {
    /// Whether a room has a member that is not field staff alone; the roles are those of the core's `classes.rs`.
    pub(super) fn others_than_field(&mut self, room: &parlor_core::id::RoomId) -> Result<bool> {
        let any = |roles: &[&str]| {
            let one = |role: &&str| format!("(' ' || u.roles || ' ') LIKE '% {role} %'");
            roles.iter().map(one).collect::<Vec<_>>().join(" OR ")
        };
        let sql = format!(
            "SELECT 1 FROM memberships m JOIN users u ON u.key = m.whom
                WHERE m.room = (SELECT key FROM rooms WHERE id = $1) AND ({} OR NOT ({})) LIMIT 1",
            any(&["control-staff", "control-admin", "admin"]),
            any(&["bus-driver", "queue-regulator"])
        );
        Ok(self.opt(&sql, params![room], |row| row.get::<i64>(0))?.is_some())
    }
}

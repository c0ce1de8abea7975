//! Another id for a user: rows know users by key, but a few columns hold the id itself.

use parlor_core::{error::Result, id::UserId};

use super::rooms::{ids, split};
use crate::{
    params,
    sql::{Kind, Row, SqlError, SqlTx},
};

/// A room's key and the columns that hold ids.
type Named = (i64, Option<String>, String, String);

/// Where rows hold the id itself.
const NAMED_BY_ID: [(&str, &str); 7] = [
    ("rooms", "creator"),
    ("teams", "creator"),
    ("invites", "creator"),
    ("tickets", "created_by"),
    ("cases", "requester"),
    ("cases", "closed_by"),
    ("mail_links", "whom"),
];
/// Collections whose documents are looked up by the user whose they are.
const OWNED: [&str; 5] = ["banners-dismissed", "exports", "oauth-codes", "oauth-refresh", "outside-links"];

pub(super) fn rename(tx: &mut SqlTx<'_>, old: &UserId, new: &UserId) -> Result<()> {
    tx.exec("UPDATE users SET id = $2 WHERE id = $1", params![old, new])?;
    tx.exec(
        "INSERT INTO user_aliases (id, whom) SELECT $1, key FROM users WHERE id = $2 ON CONFLICT DO NOTHING",
        params![old, new],
    )?;
    for (table, column) in NAMED_BY_ID {
        tx.exec(&format!("UPDATE {table} SET {column} = $2 WHERE {column} = $1"), params![old, new])?;
    }
    // Whoever is on a ticket under both ids is on it once.
    tx.exec(
        "DELETE FROM ticket_people WHERE person = $1 AND EXISTS (SELECT 1 FROM ticket_people o
            WHERE o.room = ticket_people.room AND o.part = ticket_people.part AND o.person = $2)",
        params![old, new],
    )?;
    tx.exec("UPDATE ticket_people SET person = $2 WHERE person = $1", params![old, new])?;
    for collection in OWNED {
        tx.exec(
            "UPDATE documents SET look_up = $3 WHERE collection = $1 AND look_up = $2",
            params![*collection, old, new],
        )?;
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
        rename_within(tx, key, old, new)?;
    }
    Ok(())
}

/// What others keep of him in one room: that they ignore him, his reactions, pins and the like.
fn rename_within(tx: &mut SqlTx<'_>, room: i64, old: &UserId, new: &UserId) -> Result<()> {
    let ignoring = "SELECT whom, ignored FROM memberships WHERE room = $1 AND ignored <> ''";
    let read =
        |row: &Row<'_>| -> std::result::Result<(i64, String), SqlError> { Ok((row.get(0)?, row.get(1)?)) };
    for (whom, ignored) in tx.query(ignoring, params![room], read)? {
        let mut all: Vec<UserId> = split(&ignored);
        if all.contains(old) {
            all.iter_mut().filter(|id| *id == old).for_each(|id| *id = new.clone());
            let sql = "UPDATE memberships SET ignored = $3 WHERE room = $1 AND whom = $2";
            tx.exec(sql, params![room, whom, ids(&all)])?;
        }
    }
    // Whatever got a reaction or a mark was changed since it was sent: few messages of a room.
    let json = |id: &UserId| serde_json::Value::from(id.as_str()).to_string();
    let holds = match tx.kind() {
        Kind::Sqlite => "instr(extra, $2) > 0",
        Kind::Postgres => "strpos(extra, $2) > 0",
    };
    let changed =
        format!("SELECT key, extra FROM messages WHERE (key >> 36) = $1 AND rev IS NOT NULL AND {holds}");
    for (key, extra) in tx.query(&changed, params![room, json(old)], read)? {
        let extra = extra.replace(&json(old), &json(new));
        tx.exec("UPDATE messages SET extra = $2 WHERE key = $1", params![key, extra])?;
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

//! Devices that want pushes.

use parlor_core::{
    error::Result,
    id::{RoomId, UserId},
    store::PushToken,
};

use super::rooms::Sql;
use crate::{
    params,
    sql::{AsParam, Param, Row, SqlTx},
};

/// A device is gone with its session, whether or not anybody has swept it yet.
const DEVICE: &str = "SELECT p.id, u.id, p.kind, p.value, p.app, p.session, p.updated_at, p.keys FROM push_tokens p \
    JOIN users u ON u.key = p.whom \
    WHERE (p.session IS NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.id = p.session))";

fn read(row: &Row<'_>) -> Sql<PushToken> {
    Ok(PushToken {
        id: row.get(0)?,
        user: row.get(1)?,
        kind: row.get(2)?,
        value: row.get(3)?,
        app: row.get(4)?,
        session: row.get(5)?,
        updated_at: row.get(6)?,
        keys: row.get(7)?,
    })
}

pub(super) fn of_user(tx: &mut SqlTx<'_>, user: &UserId) -> Result<Vec<PushToken>> {
    let sql = format!("{DEVICE} AND u.id = $1 ORDER BY p.updated_at DESC, p.id LIMIT 100");
    Ok(tx.query(&sql, params![user], read)?)
}

pub(super) fn by_id(tx: &mut SqlTx<'_>, id: &str) -> Result<Option<PushToken>> {
    Ok(tx.opt(&format!("{DEVICE} AND p.id = $1"), params![*id], read)?)
}

pub(super) fn put(tx: &mut SqlTx<'_>, token: &PushToken) -> Result<()> {
    tx.exec("DELETE FROM push_tokens WHERE value = $1 OR id = $2", params![token.value, token.id])?;
    tx.exec(
        "INSERT INTO push_tokens (id, whom, kind, value, app, session, updated_at, keys) \
         SELECT $1, key, $3, $4, $5, $6, CAST($7 AS BIGINT), $8 FROM users WHERE id = $2",
        params![
            token.id,
            token.user,
            token.kind,
            token.value,
            token.app,
            token.session,
            token.updated_at,
            token.keys
        ],
    )?;
    Ok(())
}

pub(super) fn remove(tx: &mut SqlTx<'_>, user: &UserId, value: &str) -> Result<bool> {
    let shown = "DELETE FROM pushes_shown WHERE device IN (SELECT id FROM push_tokens WHERE value = $2 AND \
                 whom = (SELECT key FROM users WHERE id = $1))";
    tx.exec(shown, params![user, *value])?;
    let sql = "DELETE FROM push_tokens WHERE value = $2 AND whom = (SELECT key FROM users WHERE id = $1)";
    Ok(tx.exec(sql, params![user, *value])? > 0)
}

/// Words of a text that one statement looks for: texts with fewer repeat their last, so that few statements are made.
const WORDS: [usize; 3] = [8, 32, 100];

pub(super) fn keen(tx: &mut SqlTx<'_>, room: &RoomId, words: &[String], limit: u64) -> Result<Vec<UserId>> {
    let all = "SELECT u.id FROM memberships m JOIN users u ON u.key = m.whom
        WHERE m.room = (SELECT key FROM rooms WHERE id = $1)
          AND (m.desktop = 'all' OR m.mobile = 'all' OR m.email = 'all') LIMIT $2";
    let mut found: Vec<UserId> = tx.query(all, params![room, limit], |row| row.get(0))?;
    let Some(last) = words.last() else { return Ok(found) };
    let size = WORDS.into_iter().find(|size| *size >= words.len()).unwrap_or(WORDS[2]);
    let places: Vec<String> = (3..size + 3).map(|place| format!("${place}")).collect();
    let sql = format!(
        "SELECT DISTINCT u.id FROM highlights h JOIN memberships m ON m.whom = h.whom JOIN users u ON u.key = h.whom
         WHERE m.room = (SELECT key FROM rooms WHERE id = $1) AND h.word IN ({}) LIMIT $2",
        places.join(",")
    );
    let mut given: Vec<Param<'_>> = vec![room.as_param(), limit.as_param()];
    given.extend((0..size).map(|index| words.get(index).unwrap_or(last).as_param()));
    found.extend(tx.query(&sql, &given, |row| row.get::<UserId>(0))?);
    Ok(found)
}

pub(super) fn put_highlights(tx: &mut SqlTx<'_>, user: &UserId, phrases: &[(String, String)]) -> Result<()> {
    tx.exec("DELETE FROM highlights WHERE whom = (SELECT key FROM users WHERE id = $1)", params![user])?;
    for (word, phrase) in phrases {
        tx.exec(
            "INSERT INTO highlights (word, whom, phrase) SELECT $2, key, $3 FROM users WHERE id = $1
             ON CONFLICT DO NOTHING",
            params![user, word, phrase],
        )?;
    }
    Ok(())
}

pub(super) fn take_shown(tx: &mut SqlTx<'_>, room: &RoomId, user: &UserId) -> Result<Vec<String>> {
    let theirs = "room = $1 AND device IN (SELECT p.id FROM push_tokens p JOIN users u ON u.key = p.whom WHERE u.id = $2)";
    let sql = format!("SELECT device FROM pushes_shown WHERE {theirs} LIMIT 100");
    let shown: Vec<String> = tx.query(&sql, params![room, user], |row| row.get(0))?;
    if !shown.is_empty() {
        tx.exec(&format!("DELETE FROM pushes_shown WHERE {theirs}"), params![room, user])?;
    }
    Ok(shown)
}

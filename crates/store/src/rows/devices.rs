//! Devices that want pushes.

use parlor_core::{error::Result, id::UserId, store::PushToken};

use super::rooms::Sql;
use crate::{
    params,
    sql::{Row, SqlTx},
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
    let shown = "DELETE FROM pushes_shown WHERE device IN (SELECT id FROM push_tokens WHERE value = $1)";
    tx.exec(shown, params![*value])?;
    let sql = "DELETE FROM push_tokens WHERE value = $2 AND whom = (SELECT key FROM users WHERE id = $1)";
    Ok(tx.exec(sql, params![user, *value])? > 0)
}

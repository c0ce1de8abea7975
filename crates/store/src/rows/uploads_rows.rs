//! Rows of stored files.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UploadId},
    store::{Page, Paged, Upload},
};

use super::{
    messages::{Span, key_of, room_key},
    users::containing,
};
use crate::{
    params,
    sql::{Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

const SELECT: &str = "SELECT x.id, r.id, u.id, m.id, x.role, x.name, x.media_type, x.size, x.sha256, x.original, x.width, \
     x.height, x.preview, x.at, x.expires FROM uploads x LEFT JOIN rooms r ON r.key = x.room \
     LEFT JOIN users u ON u.key = x.author LEFT JOIN messages m ON m.key = x.message";

fn read(row: &Row<'_>) -> Sql<Upload> {
    let (width, height) = (row.get::<Option<u32>>(10)?, row.get::<Option<u32>>(11)?);
    Ok(Upload {
        id: row.get(0)?,
        room: row.get(1)?,
        user: row.get::<Option<_>>(2)?.unwrap_or_else(|| "rocket.cat".into()),
        message: row.get(3)?,
        role: row.get(4)?,
        name: row.get(5)?,
        media_type: row.get(6)?,
        size: row.get(7)?,
        sha256: row.get(8)?,
        original: row.get(9)?,
        dimensions: width.zip(height),
        preview: row.get(12)?,
        at: row.get(13)?,
        expires_at: row.get(14)?,
    })
}

pub(super) fn by_id(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<Option<Upload>> {
    tx.opt(&format!("{SELECT} WHERE x.id = $1"), params![id], read)
}

pub(super) fn thumbnail_of(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<Option<Upload>> {
    tx.opt(&format!("{SELECT} WHERE x.original = $1"), params![id], read)
}

pub(super) fn of_room(tx: &mut SqlTx<'_>, room: &RoomId, text: &str, page: Page) -> Sql<Paged<Upload>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Paged { items: Vec::new(), total: 0 }) };
    let span = Span::of(room);
    let pattern = containing(text);
    // The message's key says the room, so the index on it is a list of the room's files in order.
    let rest = "x.message IS NOT NULL AND x.message > $1 AND x.message < $2 AND x.role = 'file' \
                AND LOWER(x.name) LIKE $3 ESCAPE '!'";
    let total = tx.one(
        &format!("SELECT COUNT(*) FROM uploads x WHERE {rest}"),
        params![span.above, span.below, pattern],
        |row| row.get(0),
    )?;
    let items = tx.query(
        &format!("{SELECT} WHERE {rest} ORDER BY x.message DESC, x.id LIMIT $4 OFFSET $5"),
        params![span.above, span.below, pattern, page.count, page.offset],
        read,
    )?;
    Ok(Paged { items, total })
}

pub(super) fn insert(tx: &mut SqlTx<'_>, upload: &Upload) -> Sql<()> {
    let (width, height) = upload.dimensions.unzip();
    let message = match &upload.message {
        Some(id) => key_of(tx, id)?,
        None => None,
    };
    let sql = "INSERT INTO uploads (id, room, author, message, role, name, media_type, size, sha256, original, width,
            height, preview, at, expires)
        VALUES ($1, (SELECT key FROM rooms WHERE id = $2), COALESCE((SELECT key FROM users WHERE id = $3), 0), $4, $5,
            $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    tx.exec(
        sql,
        params![
            upload.id,
            upload.room,
            upload.user,
            message,
            upload.role,
            upload.name,
            upload.media_type,
            upload.size,
            upload.sha256,
            upload.original,
            width,
            height,
            upload.preview,
            upload.at,
            upload.expires_at
        ],
    )?;
    Ok(())
}

pub(super) fn confirm(tx: &mut SqlTx<'_>, id: &UploadId, message: Option<&MessageId>) -> Result<()> {
    let Some(message) = message else {
        let now = tx.time();
        let sql = "UPDATE uploads SET message = NULL, expires = $2 WHERE id = $1 OR original = $1";
        tx.exec(sql, params![id, now])?;
        return Ok(());
    };
    let key = key_of(tx, message)?.ok_or(Refusal::NotFound(What::Message))?;
    let sql = "UPDATE uploads SET message = $2, expires = NULL, room = $3
            WHERE id = $1 AND (message IS NULL OR message = $2) AND (room IS NULL OR room = $3)";
    if tx.exec(sql, params![id, key, key >> 36])? == 0 {
        Err(Refusal::NotFound(What::Upload))
    } else {
        Ok(())
    }
}

pub(super) fn remove(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<()> {
    tx.exec("DELETE FROM uploads WHERE id = $1", params![id])?;
    Ok(())
}

pub(super) fn expired(tx: &mut SqlTx<'_>, now: Time) -> Sql<Vec<Upload>> {
    let rest = "WHERE x.expires IS NOT NULL AND x.expires <= $1 ORDER BY x.expires LIMIT 100";
    tx.query(&format!("{SELECT} {rest}"), params![now], read)
}

//! Rows of stored files.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId, UploadId, UserId},
    store::{FileFilter, Page, Paged, Quota, Upload},
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
     x.height, x.preview, x.at, x.expires, x.blob FROM uploads x LEFT JOIN rooms r ON r.key = x.room \
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
        bytes: row.get(15)?,
    })
}

pub(super) fn by_id(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<Option<Upload>> {
    tx.opt(&format!("{SELECT} WHERE x.id = $1"), params![id], read)
}

pub(super) fn thumbnail_of(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<Option<Upload>> {
    tx.opt(&format!("{SELECT} WHERE x.original = $1"), params![id], read)
}

pub(super) fn date(tx: &mut SqlTx<'_>, id: &UploadId, at: Time) -> Sql<()> {
    tx.exec("UPDATE uploads SET at = $2 WHERE id = $1", params![id, at])?;
    Ok(())
}

pub(super) fn of_room(
    tx: &mut SqlTx<'_>,
    room: &RoomId,
    filter: &FileFilter,
    page: Page,
) -> Sql<Paged<Upload>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Paged { items: Vec::new(), total: 0 }) };
    let span = Span::of(room);
    let pattern = containing(&filter.text);
    let group = if filter.group.is_empty() { String::new() } else { format!("{}/", filter.group) };
    // The message's key says the room, so the index on it is a list of the room's files in order.
    let rest = "x.message IS NOT NULL AND x.message > $1 AND x.message < $2 AND x.role = 'file' \
                AND LOWER(x.name) LIKE $3 ESCAPE '!' \
                AND SUBSTR(x.media_type, 1, LENGTH(CAST($4 AS TEXT))) = CAST($4 AS TEXT)";
    let total = tx.one(
        &format!("SELECT COUNT(*) FROM uploads x WHERE {rest}"),
        params![span.above, span.below, pattern, group],
        |row| row.get(0),
    )?;
    let items = tx.query(
        &format!("{SELECT} WHERE {rest} ORDER BY x.message DESC, x.id LIMIT $5 OFFSET $6"),
        params![span.above, span.below, pattern, group, page.count, page.offset],
        read,
    )?;
    Ok(Paged { items, total })
}

/// Pictures that messages of a room show, from one of them on.
pub(super) fn images(
    tx: &mut SqlTx<'_>,
    room: &RoomId,
    from: Option<&UploadId>,
    page: Page,
) -> Sql<Paged<Upload>> {
    let Some(room) = room_key(tx, room)? else { return Ok(Paged { items: Vec::new(), total: 0 }) };
    let span = Span::of(room);
    let rest = "x.message IS NOT NULL AND x.message > $1 AND x.message < $2 AND x.role = 'file'
                AND x.media_type LIKE 'image/%'
                AND x.message <= COALESCE((SELECT f.message FROM uploads f WHERE f.id = $3), $2)";
    let from = from.map(|id| id.to_string()).unwrap_or_default();
    let total = tx.one(
        &format!("SELECT COUNT(*) FROM uploads x WHERE {rest}"),
        params![span.above, span.below, from],
        |row| row.get(0),
    )?;
    let items = tx.query(
        &format!("{SELECT} WHERE {rest} ORDER BY x.message DESC, x.id LIMIT $4 OFFSET $5"),
        params![span.above, span.below, from, page.count, page.offset],
        read,
    )?;
    Ok(Paged { items, total })
}

/// Whose totals are those of the workspace.
const WORKSPACE: i64 = -1;

pub(super) fn insert(tx: &mut SqlTx<'_>, upload: &Upload, quota: Quota) -> Result<UploadId> {
    charge(tx, upload, quota)?;
    // Bytes without a checksum are like no others.
    let sum = (upload.sha256 != [0; 32]).then_some(&upload.sha256[..]);
    let sql = "INSERT INTO blobs (id, sha256, size, refs) VALUES ($1, $2, $3, 1)
        ON CONFLICT (sha256) DO UPDATE SET refs = blobs.refs + 1 RETURNING id";
    let bytes: UploadId = tx.one(sql, params![upload.bytes, sum, upload.size], |row| row.get(0))?;
    insert_row(tx, upload, &bytes)?;
    Ok(bytes)
}

pub(super) fn insert_copy(tx: &mut SqlTx<'_>, upload: &Upload, quota: Quota) -> Result<()> {
    charge(tx, upload, quota)?;
    if tx.exec("UPDATE blobs SET refs = refs + 1 WHERE id = $1", params![upload.bytes])? == 0 {
        return Err(Refusal::NotFound(What::Upload));
    }
    Ok(insert_row(tx, upload, &upload.bytes)?)
}

/// Counts a file in, for the workspace first: one order for all, so that nobody waits in a circle.
fn charge(tx: &mut SqlTx<'_>, upload: &Upload, quota: Quota) -> Result<()> {
    if upload.role != "file" {
        return Ok(());
    }
    let author = tx.opt("SELECT key FROM users WHERE id = $1", params![upload.user], |row| row.get(0))?;
    let owners = [
        (WORKSPACE, quota.workspace, "files of the workspace"),
        (author.unwrap_or(0), quota.user, "files of a user"),
    ];
    let sql = "INSERT INTO upload_totals (owner, bytes, files) VALUES ($1, $2, 1)
        ON CONFLICT (owner) DO UPDATE SET bytes = upload_totals.bytes + $2, files = upload_totals.files + 1
        WHERE upload_totals.bytes + $2 <= $3";
    for (owner, limit, what) in owners {
        let most = limit.map_or(i64::MAX, |limit| i64::try_from(limit).unwrap_or(i64::MAX));
        if upload.size > most || tx.exec(sql, params![owner, upload.size, most])? == 0 {
            return Err(Refusal::TooLarge { what, limit: limit.unwrap_or(u64::MAX) });
        }
    }
    Ok(())
}

fn insert_row(tx: &mut SqlTx<'_>, upload: &Upload, bytes: &UploadId) -> Sql<()> {
    let (width, height) = upload.dimensions.unzip();
    let message = match &upload.message {
        Some(id) => key_of(tx, id)?,
        None => None,
    };
    let sql = "INSERT INTO uploads (id, room, author, message, role, name, media_type, size, sha256, original, width,
            height, preview, at, expires, blob)
        VALUES ($1, (SELECT key FROM rooms WHERE id = $2), COALESCE((SELECT key FROM users WHERE id = $3), 0), $4, $5,
            $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
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
            upload.expires_at,
            bytes
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

/// Counts a file out; tells which bytes nobody has any more.
pub(super) fn remove(tx: &mut SqlTx<'_>, id: &UploadId) -> Sql<Option<UploadId>> {
    let sql = "DELETE FROM uploads WHERE id = $1 RETURNING author, role, size, blob";
    let gone = tx.opt(sql, params![id], |row| {
        Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<i64>(2)?, row.get::<UploadId>(3)?))
    })?;
    let Some((author, role, size, bytes)) = gone else { return Ok(None) };
    if role == "file" {
        let sql = "UPDATE upload_totals SET bytes = bytes - $2, files = files - 1 WHERE owner = $1";
        tx.exec(sql, params![WORKSPACE, size])?;
        tx.exec(sql, params![author, size])?;
    }
    tx.exec("UPDATE blobs SET refs = refs - 1 WHERE id = $1", params![bytes])?;
    let freed = tx.exec("DELETE FROM blobs WHERE id = $1 AND refs <= 0", params![bytes])? > 0;
    Ok(freed.then_some(bytes))
}

pub(super) fn unknown_bytes(tx: &mut SqlTx<'_>, ids: &[UploadId]) -> Sql<Vec<UploadId>> {
    let mut unknown = Vec::new();
    for id in ids {
        if tx.opt("SELECT 1 FROM blobs WHERE id = $1", params![id], |row| row.get::<i64>(0))?.is_none() {
            unknown.push(id.clone());
        }
    }
    Ok(unknown)
}

pub(super) fn bytes_of(tx: &mut SqlTx<'_>, user: Option<&UserId>) -> Sql<u64> {
    let read = |row: &Row<'_>| row.get::<u64>(0);
    let found = match user {
        None => tx.opt("SELECT bytes FROM upload_totals WHERE owner = $1", params![WORKSPACE], read)?,
        Some(user) => {
            let sql = "SELECT t.bytes FROM upload_totals t JOIN users u ON u.key = t.owner WHERE u.id = $1";
            tx.opt(sql, params![user], read)?
        }
    };
    Ok(found.unwrap_or(0))
}

pub(super) fn expired(tx: &mut SqlTx<'_>, now: Time) -> Sql<Vec<Upload>> {
    let rest = "WHERE x.expires IS NOT NULL AND x.expires <= $1 ORDER BY x.expires LIMIT 100";
    tx.query(&format!("{SELECT} {rest}"), params![now], read)
}

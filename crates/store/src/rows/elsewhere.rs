//! What other processes on the same database committed.
//!
//! A number of the journal holds its transaction's, and PostgreSQL can say of a number whether it was visible in a
//! snapshot. So what is new is what the snapshot of the last reading did not show: rows of transactions that ran long
//! come late and are not missed, rows of quick ones need not wait for them, and none comes twice.

use parlor_core::store::{Horizon, Trace, TraceOf, Traces};

use super::journal::kind;
use crate::{
    params,
    sql::{Kind, PLACE_BITS, Row, SqlError, SqlTx},
};

type Sql<T> = std::result::Result<T, SqlError>;

fn of(number: i64) -> TraceOf {
    match number {
        kind::MESSAGE => TraceOf::Message,
        kind::MESSAGE_CHANGED => TraceOf::MessageChanged,
        kind::MESSAGE_DELETED => TraceOf::MessageDeleted,
        kind::PURGED => TraceOf::Purged,
        kind::ROOM => TraceOf::Room,
        kind::ROOM_REMOVED => TraceOf::RoomRemoved,
        kind::MEMBERSHIP => TraceOf::Membership,
        kind::MEMBERSHIP_REMOVED => TraceOf::MembershipRemoved,
        kind::READ => TraceOf::Read,
        kind::USER => TraceOf::User,
        kind::USER_REMOVED => TraceOf::UserRemoved,
        kind::SESSIONS_ENDED => TraceOf::SessionsEnded,
        kind::STARRED => TraceOf::Starred,
        kind::TEAM => TraceOf::Team,
        kind::SETTING => TraceOf::Setting,
        kind::PERMISSION => TraceOf::Permission,
        kind::ROLE => TraceOf::Role,
        kind::ROLE_GIVEN => TraceOf::RoleGiven,
        kind::CUSTOM => TraceOf::Custom,
        kind::AVATAR => TraceOf::Avatar,
        kind::SKIPPED => TraceOf::Skipped,
        kind::CASE => TraceOf::Case,
        kind::TICKET => TraceOf::Ticket,
        _ => TraceOf::Other,
    }
}

fn read(row: &Row<'_>) -> Sql<Trace> {
    Ok(Trace {
        g: row.get(0)?,
        of: of(row.get(1)?),
        room: row.get(2)?,
        position: row.get(3)?,
        object: row.get(4)?,
        whom: row.get(5)?,
        detail: row.get(6)?,
    })
}

/// What is visible now, in PostgreSQL's words.
fn snapshot(tx: &mut SqlTx<'_>) -> Sql<String> {
    tx.one("SELECT pg_current_snapshot()::text", &[], |row| row.get(0))
}

/// The first transaction that was still running in a snapshot (`xmin:xmax:running,…`).
fn oldest(snapshot: &str) -> i64 {
    snapshot.split(':').next().and_then(|xmin| xmin.parse().ok()).unwrap_or_default()
}

pub(super) fn horizon(tx: &mut SqlTx<'_>) -> Sql<Horizon> {
    match tx.kind() {
        Kind::Sqlite => Ok(Horizon::default()),
        Kind::Postgres => Ok(Horizon { seen: snapshot(tx)?, reading: None }),
    }
}

const SELECT: &str = "SELECT j.g, j.kind, r.id, j.position, j.object, j.whom, j.detail
    FROM journal j LEFT JOIN rooms r ON r.key = j.room";
/// The transaction of a row.
const NUMBER: &str = "((j.g - $2) >> 19)::text::xid8";

pub(super) fn traces(tx: &mut SqlTx<'_>, since: &Horizon, limit: u64) -> Sql<Traces> {
    if tx.kind() == Kind::Sqlite || since.seen.is_empty() {
        return Ok(Traces { horizon: horizon(tx)?, ..Traces::default() });
    }
    let base: i64 = tx.one("SELECT base FROM journal_base", &[], |row| row.get(0))?;
    let (until, after) = match &since.reading {
        Some((until, after)) => (until.clone(), *after),
        None => (snapshot(tx)?, (oldest(&since.seen) << PLACE_BITS) + base),
    };
    let sql = format!(
        "{SELECT} WHERE j.g > $1 AND NOT pg_visible_in_snapshot({NUMBER}, $3::text::pg_snapshot)
            AND pg_visible_in_snapshot({NUMBER}, $4::text::pg_snapshot) ORDER BY j.g LIMIT $5"
    );
    let mut traces = tx.query(&sql, params![after, base, since.seen, until, limit], read)?;
    let more = traces.len() as u64 >= limit;
    let number = |g: i64| (g - base) >> PLACE_BITS;
    if let Some(last) = traces.last().filter(|_| more).map(|trace| trace.g) {
        // The rest of its transaction: what took one position belongs together.
        let end = ((number(last) + 1) << PLACE_BITS) + base;
        let rest = format!("{SELECT} WHERE j.g > $1 AND j.g < $2 ORDER BY j.g");
        traces.extend(tx.query(&rest, params![last, end], read)?);
    }
    let reached = traces.last().map_or(after, |trace| trace.g);
    traces.retain(|trace| !tx.own().has(number(trace.g)));
    let horizon = if more {
        Horizon { seen: since.seen.clone(), reading: Some((until, reached)) }
    } else {
        tx.own().forget_below(oldest(&until));
        Horizon { seen: until, reading: None }
    };
    Ok(Traces { traces, horizon, more })
}

//! Reports to the moderators.

use parlor_core::{
    clock::Time,
    error::Result,
    store::{Figures, Page, Paged, ReadReports, Report, ReportFilter, ReportGroup, WriteReports},
};

use crate::{
    params,
    sql::{Row, SqlError, SqlTx},
};

/// A report with its people and its room by id; those that are gone are empty.
const COLUMNS: &str = "p.id, p.message_id, (SELECT r.id FROM rooms r WHERE r.key = p.room), \
    COALESCE((SELECT u.id FROM users u WHERE u.key = p.reported), ''), \
    COALESCE((SELECT u.id FROM users u WHERE u.key = p.reporter), ''), p.text, p.reason, p.at, p.hidden";

/// What a filter finds: $1 of messages, $2 a message or empty, $3 a user or empty, $4 and $5 a span of time.
const MATCHING: &str = "p.hidden = 0 AND (CASE WHEN p.message_id IS NULL THEN 0 ELSE 1 END) = CAST($1 AS BIGINT) \
    AND (CAST($2 AS TEXT) = '' OR p.message_id = $2) \
    AND (CAST($3 AS TEXT) = '' OR p.reported = (SELECT key FROM users WHERE id = $3)) \
    AND p.at >= CAST($4 AS BIGINT) AND p.at <= CAST($5 AS BIGINT)";

fn read(row: &Row<'_>) -> std::result::Result<Report, SqlError> {
    Ok(Report {
        id: row.get(0)?,
        message: row.get(1)?,
        room: row.get(2)?,
        reported: row.get(3)?,
        reporter: row.get(4)?,
        text: row.get(5)?,
        reason: row.get(6)?,
        at: row.get(7)?,
        hidden: row.get(8)?,
    })
}

/// A filter as the five values that `MATCHING` takes.
struct Values {
    of_messages: bool,
    message: String,
    reported: String,
    from: Time,
    to: Time,
}

impl Values {
    fn of(filter: &ReportFilter) -> Self {
        Self {
            of_messages: filter.of_messages,
            message: filter.message.as_ref().map(ToString::to_string).unwrap_or_default(),
            reported: filter.reported.as_ref().map(ToString::to_string).unwrap_or_default(),
            from: filter.from.unwrap_or(Time(0)),
            to: filter.to.unwrap_or(Time(i64::MAX)),
        }
    }
}

impl ReadReports for SqlTx<'_> {
    fn figures(&mut self) -> Result<Figures> {
        let mut figures = Figures::default();
        let sql = "SELECT r.kind, CAST(COALESCE(SUM(h.messages), 0) AS BIGINT) FROM rooms r \
                   JOIN room_heads h ON h.room = r.key GROUP BY r.kind";
        for (kind, messages) in self.query(sql, &[], |r| Ok((r.get::<i64>(0)?, r.get::<u64>(1)?)))? {
            figures.messages.push((super::rooms::kind_of(kind)?, messages));
        }
        let sql = "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM uploads \
                   WHERE message IS NOT NULL AND role = 'file'";
        (figures.uploads, figures.upload_bytes) = self.one(sql, &[], |r| Ok((r.get(0)?, r.get(1)?)))?;
        let sql = "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs";
        figures.stored_bytes = self.one(sql, &[], |r| r.get(0))?;
        let sql = "SELECT (SELECT COUNT(*) FROM rooms WHERE parent IS NOT NULL), (SELECT COUNT(*) FROM teams), \
                   (SELECT COUNT(*) FROM threads)";
        (figures.discussions, figures.teams, figures.threads) =
            self.one(sql, &[], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?;
        Ok(figures)
    }

    fn report(&mut self, id: &str) -> Result<Option<Report>> {
        let sql = format!("SELECT {COLUMNS} FROM reports p WHERE p.id = $1");
        Ok(self.opt(&sql, params![*id], read)?)
    }

    fn reports(&mut self, filter: &ReportFilter, page: Page) -> Result<Paged<Report>> {
        let v = Values::of(filter);
        let count = format!("SELECT COUNT(*) FROM reports p WHERE {MATCHING}");
        let total =
            self.one(&count, params![v.of_messages, v.message, v.reported, v.from, v.to], |r| r.get(0))?;
        let sql = format!(
            "SELECT {COLUMNS} FROM reports p WHERE {MATCHING} ORDER BY p.at DESC, p.id DESC LIMIT $6 OFFSET $7"
        );
        let values = params![v.of_messages, v.message, v.reported, v.from, v.to, page.count, page.offset];
        Ok(Paged { items: self.query(&sql, values, read)?, total })
    }

    fn report_groups(&mut self, filter: &ReportFilter, page: Page) -> Result<Paged<ReportGroup>> {
        let v = Values::of(filter);
        let count = format!("SELECT COUNT(DISTINCT p.reported) FROM reports p WHERE {MATCHING}");
        let total =
            self.one(&count, params![v.of_messages, v.message, v.reported, v.from, v.to], |r| r.get(0))?;
        // Ids grow with time, so the largest is the newest.
        let sql = format!(
            "SELECT {COLUMNS}, g.number FROM (SELECT MAX(p.id) AS newest, COUNT(*) AS number FROM reports p \
             WHERE {MATCHING} GROUP BY p.reported) g JOIN reports p ON p.id = g.newest \
             ORDER BY p.at DESC, p.id DESC LIMIT $6 OFFSET $7"
        );
        let values = params![v.of_messages, v.message, v.reported, v.from, v.to, page.count, page.offset];
        let items =
            self.query(&sql, values, |row| Ok(ReportGroup { last: read(row)?, count: row.get(9)? }))?;
        Ok(Paged { items, total })
    }
}

impl WriteReports for SqlTx<'_> {
    fn dismiss_reports(&mut self, filter: &ReportFilter) -> Result<u64> {
        let v = Values::of(filter);
        let sql = format!(
            "UPDATE reports SET hidden = 1 WHERE id IN (SELECT p.id FROM reports p WHERE {MATCHING})"
        );
        let changed = self.exec(&sql, params![v.of_messages, v.message, v.reported, v.from, v.to])?;
        Ok(changed as u64)
    }
}

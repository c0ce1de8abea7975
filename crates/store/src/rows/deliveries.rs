//! Calls of outgoing integrations, and the cursors of those who read the journal.

use parlor_core::{
    clock::Time,
    error::Result,
    id::UserId,
    store::{
        Delivery, DeliveryState, LinkPurpose, MailLink, Page, Paged, ReadDeliveries, Way, WriteDeliveries,
    },
};

use super::rooms::Sql;
use crate::params;
use crate::sql::{Row, SqlTx};

const DELIVERY: &str = "id, integration, event, room, url, body, state, attempts, due_at, created_at, updated_at, \
    status, problem, answer, way";
const LINK: &str = "hash, purpose, whom, address, expires_at";

fn way_number(way: Way) -> i64 {
    match way {
        Way::Call => 0,
        Way::Mail => 1,
        Way::Push => 2,
    }
}

fn purpose_number(purpose: LinkPurpose) -> i64 {
    match purpose {
        LinkPurpose::Reset => 0,
        LinkPurpose::Verify => 1,
        LinkPurpose::Code => 2,
    }
}

fn read_link(row: &Row<'_>) -> Sql<MailLink> {
    let purpose = match row.get::<i64>(1)? {
        0 => LinkPurpose::Reset,
        1 => LinkPurpose::Verify,
        _ => LinkPurpose::Code,
    };
    Ok(MailLink {
        hash: row.get(0)?,
        purpose,
        user: row.get(2)?,
        address: row.get(3)?,
        expires_at: Time(row.get(4)?),
    })
}

fn number(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::Waiting => 0,
        DeliveryState::Done => 1,
        DeliveryState::Failed => 2,
    }
}

fn read_delivery(row: &Row<'_>) -> Sql<Delivery> {
    let state = match row.get::<i64>(6)? {
        0 => DeliveryState::Waiting,
        1 => DeliveryState::Done,
        _ => DeliveryState::Failed,
    };
    Ok(Delivery {
        id: row.get(0)?,
        integration: row.get(1)?,
        event: row.get(2)?,
        room: row.get(3)?,
        url: row.get(4)?,
        body: row.get(5)?,
        state,
        attempts: u32::try_from(row.get::<i64>(7)?).unwrap_or(u32::MAX),
        due_at: Time(row.get(8)?),
        created_at: Time(row.get(9)?),
        updated_at: Time(row.get(10)?),
        status: row.get::<Option<i64>>(11)?.and_then(|status| u16::try_from(status).ok()),
        problem: row.get(12)?,
        answer: row.get(13)?,
        way: match row.get::<i64>(14)? {
            0 => Way::Call,
            1 => Way::Mail,
            _ => Way::Push,
        },
    })
}

impl ReadDeliveries for SqlTx<'_> {
    fn due_deliveries(&mut self, way: Way, now: Time, limit: u64) -> Result<Vec<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} FROM deliveries WHERE state = 0 AND way = $1 AND due_at <= $2 ORDER BY due_at, id \
             LIMIT $3"
        );
        Ok(self.query(&sql, params![way_number(way), now, limit], read_delivery)?)
    }

    fn next_delivery(&mut self, way: Way) -> Result<Option<Time>> {
        let sql = "SELECT MIN(due_at) FROM deliveries WHERE state = 0 AND way = $1";
        Ok(self.one(sql, params![way_number(way)], |row| row.get::<Option<i64>>(0))?.map(Time))
    }

    fn waiting_delivery_of(&mut self, source: &str) -> Result<Option<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} FROM deliveries WHERE integration = $1 AND state = 0 ORDER BY created_at, id LIMIT 1"
        );
        Ok(self.opt(&sql, params![*source], read_delivery)?)
    }

    fn mail_link(&mut self, hash: &str, purpose: LinkPurpose) -> Result<Option<MailLink>> {
        let sql = format!("SELECT {LINK} FROM mail_links WHERE hash = $1 AND purpose = $2");
        Ok(self.opt(&sql, params![*hash, purpose_number(purpose)], read_link)?)
    }

    fn mail_links(&mut self, user: &UserId, purpose: LinkPurpose) -> Result<Vec<MailLink>> {
        let sql = format!(
            "SELECT {LINK} FROM mail_links WHERE whom = $1 AND purpose = $2 ORDER BY expires_at DESC LIMIT 100"
        );
        Ok(self.query(&sql, params![user, purpose_number(purpose)], read_link)?)
    }

    fn delivery(&mut self, id: &str) -> Result<Option<Delivery>> {
        let sql = format!("SELECT {DELIVERY} FROM deliveries WHERE id = $1");
        Ok(self.opt(&sql, params![*id], read_delivery)?)
    }

    fn deliveries(&mut self, integration: &str, page: Page) -> Result<Paged<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} FROM deliveries WHERE integration = $1 ORDER BY created_at DESC, id DESC \
             LIMIT $2 OFFSET $3"
        );
        let items = self.query(&sql, params![*integration, page.count, page.offset], read_delivery)?;
        let count = "SELECT COUNT(*) FROM deliveries WHERE integration = $1";
        let total = self.one(count, params![*integration], |row| row.get::<i64>(0))?;
        Ok(Paged { items, total: total.unsigned_abs() })
    }

    fn waiting_deliveries(&mut self, integration: &str) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM deliveries WHERE integration = $1 AND state = 0";
        Ok(self.one(sql, params![*integration], |row| row.get::<i64>(0))?.unsigned_abs())
    }

    fn cursor(&mut self, name: &'static str) -> Result<i64> {
        let sql = "SELECT g FROM journal_cursors WHERE name = $1";
        Ok(self.opt(sql, params![*name], |row| row.get(0))?.unwrap_or(0))
    }
}

impl WriteDeliveries for SqlTx<'_> {
    fn put_delivery(&mut self, d: &Delivery) -> Result<()> {
        let sql = format!(
            "INSERT INTO deliveries ({DELIVERY}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)
             ON CONFLICT (id) DO UPDATE SET body = $6, state = $7, attempts = $8, due_at = $9, updated_at = $11, status = $12,
                 problem = $13, answer = $14"
        );
        let status = d.status.map(i64::from);
        self.exec(
            &sql,
            params![
                d.id,
                d.integration,
                d.event,
                d.room,
                d.url,
                d.body,
                number(d.state),
                i64::from(d.attempts),
                d.due_at,
                d.created_at,
                d.updated_at,
                status,
                d.problem,
                d.answer,
                way_number(d.way)
            ],
        )?;
        Ok(())
    }

    fn prune_deliveries(&mut self, integration: &str, keep: u64) -> Result<()> {
        self.exec(
            "DELETE FROM deliveries WHERE integration = $1 AND state <> 0 AND id IN
                (SELECT id FROM deliveries WHERE integration = $1 ORDER BY created_at DESC, id DESC LIMIT 1000 OFFSET $2)",
            params![*integration, keep],
        )?;
        Ok(())
    }

    fn put_off_deliveries(&mut self, integration: &str, until: Time) -> Result<()> {
        let sql = "UPDATE deliveries SET due_at = $2 WHERE integration = $1 AND state = 0 AND due_at < $2";
        self.exec(sql, params![*integration, until])?;
        Ok(())
    }

    fn remove_deliveries(&mut self, integration: &str, waiting_too: bool) -> Result<()> {
        let sql = "DELETE FROM deliveries WHERE integration = $1 AND (state <> 0 OR CAST($2 AS BIGINT) = 1)";
        self.exec(sql, params![*integration, i64::from(waiting_too)])?;
        Ok(())
    }

    fn move_cursor(&mut self, name: &'static str, g: i64) -> Result<()> {
        self.exec(
            "INSERT INTO journal_cursors (name, g) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET g = $2",
            params![*name, g],
        )?;
        Ok(())
    }

    fn put_mail_link(&mut self, link: &MailLink) -> Result<()> {
        self.exec(
            "INSERT INTO mail_links (hash, purpose, whom, address, expires_at) VALUES ($1,$2,$3,$4,$5) \
             ON CONFLICT (hash) DO UPDATE SET purpose = $2, whom = $3, address = $4, expires_at = $5",
            params![link.hash, purpose_number(link.purpose), link.user, link.address, link.expires_at],
        )?;
        Ok(())
    }

    fn take_mail_link(&mut self, hash: &str, purpose: LinkPurpose) -> Result<Option<MailLink>> {
        let found = self.mail_link(hash, purpose)?;
        // Of two takers at once one finds it gone.
        let taken = self.exec("DELETE FROM mail_links WHERE hash = $1", params![*hash])? == 1;
        Ok(found.filter(|_| taken))
    }

    fn remove_mail_links(&mut self, user: &UserId, purpose: LinkPurpose) -> Result<()> {
        let sql = "DELETE FROM mail_links WHERE whom = $1 AND purpose = $2";
        self.exec(sql, params![user, purpose_number(purpose)])?;
        Ok(())
    }

    fn remove_expired_links(&mut self, before: Time) -> Result<u64> {
        Ok(self.exec(
            "DELETE FROM mail_links WHERE hash IN (SELECT hash FROM mail_links WHERE expires_at < $1 LIMIT 1000)",
            params![before],
        )?)
    }
}

//! Calls of outgoing integrations, and the cursors of those who read the journal.

use parlor_core::{
    clock::Time,
    error::Result,
    store::{Delivery, DeliveryState, Page, Paged, ReadDeliveries, WriteDeliveries},
};

use super::rooms::Sql;
use crate::params;
use crate::sql::{Row, SqlTx};

const DELIVERY: &str = "id, integration, event, room, url, body, state, attempts, due_at, created_at, updated_at, \
    status, problem, answer";

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
    })
}

impl ReadDeliveries for SqlTx<'_> {
    fn due_deliveries(&mut self, now: Time, limit: u64) -> Result<Vec<Delivery>> {
        let sql = format!(
            "SELECT {DELIVERY} FROM deliveries WHERE state = 0 AND due_at <= $1 ORDER BY due_at, id LIMIT $2"
        );
        Ok(self.query(&sql, params![now, limit], read_delivery)?)
    }

    fn next_delivery(&mut self) -> Result<Option<Time>> {
        let sql = "SELECT MIN(due_at) FROM deliveries WHERE state = 0";
        Ok(self.one(sql, &[], |row| row.get::<Option<i64>>(0))?.map(Time))
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
            "INSERT INTO deliveries ({DELIVERY}) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)
             ON CONFLICT (id) DO UPDATE SET state = $7, attempts = $8, due_at = $9, updated_at = $11, status = $12,
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
                d.answer
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
}

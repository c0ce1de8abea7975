//! Tickets and the people that their facts name.

use parlor_core::{
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoomId, UserId},
    store::{Place, TicketFilter},
    ticket::Ticket,
    user::User,
};
use std::sync::Arc;

use super::rooms::{Sql, comparable, fold};
use crate::params;
use crate::sql::{Constraint, Param, Row, SqlError, SqlTx};

const TICKET: &str =
    "r.id, t.id, t.title, t.created_by, t.vendor, t.category, t.status, t.created_at, t.updated_at, t.room";
const FROM: &str = "FROM tickets t JOIN rooms r ON r.key = t.room";
/// The last change of the facts or of the conversation.
const ACTIVITY: &str = "CASE WHEN h.changed_at > t.updated_at THEN h.changed_at ELSE t.updated_at END";

/// What somebody has to do with a ticket.
mod part {
    pub(super) const CREATOR: i64 = 0;
    pub(super) const ASSIGNEE: i64 = 1;
    pub(super) const VERIFIER: i64 = 2;
}

/// Tickets and people that one look-up brings at most.
const MANY: i64 = 10_000;

/// A ticket without its people, and its room's key.
fn read_ticket(row: &Row<'_>) -> Sql<(Ticket, i64)> {
    let ticket = Ticket {
        room: RoomId::new(row.get::<Arc<str>>(0)?),
        id: row.get(1)?,
        title: row.get(2)?,
        created_by: UserId::new(row.get::<Arc<str>>(3)?),
        assignees: Vec::new(),
        vendor: row.get(4)?,
        verified_by: Vec::new(),
        category: row.get(5)?,
        status: row.get(6)?,
        created_at: Time(row.get(7)?),
        updated_at: Time(row.get(8)?),
    };
    Ok((ticket, row.get(9)?))
}

/// The condition of a list with the values that it compares with; `None` where nothing opens any ticket.
fn opened_by(filter: &TicketFilter) -> Option<(String, Vec<String>)> {
    let mut values: Vec<String> = Vec::new();
    let mut take = |value: &str| {
        values.push(comparable(value));
        format!("${}", values.len())
    };
    let mut ways = Vec::new();
    if filter.all {
        ways.push("1 = 1".to_owned());
    }
    if let Some(person) = &filter.person {
        let n = take(person);
        let last = if filter.ops { part::VERIFIER } else { part::ASSIGNEE };
        // From the tickets that name the person, rather than from all.
        ways.push(format!(
            "t.room IN (SELECT p.room FROM ticket_people p WHERE p.person = {n} AND p.part <= {last})"
        ));
    }
    if let Some(vendor) = &filter.vendor {
        ways.push(format!("t.vendor = {}", take(vendor)));
    }
    for category in &filter.categories {
        ways.push(format!("t.category_key = {}", take(&fold(category))));
    }
    (!ways.is_empty()).then(|| (format!("({})", ways.join(" OR ")), values))
}

impl SqlTx<'_> {
    fn with_people(&mut self, (mut ticket, key): (Ticket, i64)) -> Sql<Ticket> {
        let sql = "SELECT part, person FROM ticket_people WHERE room = $1 ORDER BY part, place";
        self.each(sql, params![key], |row| {
            let person = UserId::new(row.get::<Arc<str>>(1)?);
            match row.get::<i64>(0)? {
                part::ASSIGNEE => ticket.assignees.push(person),
                part::VERIFIER => ticket.verified_by.push(person),
                _ => {}
            }
            Ok(true)
        })?;
        Ok(ticket)
    }

    pub(super) fn ticket_where(&mut self, condition: &str, value: &str) -> Result<Option<Ticket>> {
        let sql = format!("SELECT {TICKET} {FROM} WHERE {condition}");
        let value = comparable(value);
        match self.opt(&sql, params![value], read_ticket)? {
            Some(found) => Ok(Some(self.with_people(found)?)),
            None => Ok(None),
        }
    }

    pub(super) fn tickets_in_all(&mut self, filter: &TicketFilter) -> Result<u64> {
        let Some((clause, values)) = opened_by(filter) else { return Ok(0) };
        let params: Vec<Param<'_>> = values.iter().map(|value| Param::Text(value)).collect();
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM tickets t WHERE {clause}");
        Ok(self.one(&sql, &params, |row| row.get(0))?)
    }

    pub(super) fn page_of_tickets(
        &mut self,
        filter: &TicketFilter,
        limit: u64,
    ) -> Result<Vec<(Ticket, Place)>> {
        let Some((mut clause, mut values)) = opened_by(filter) else { return Ok(Vec::new()) };
        if let Some(place) = &filter.beyond {
            values.push(comparable(&place.room));
            let (at, room) = (place.at.millis(), format!("${}", values.len()));
            let sign = if filter.back { ">" } else { "<" };
            clause += &format!(" AND ({ACTIVITY} {sign} {at} OR ({ACTIVITY} = {at} AND r.id {sign} {room}))");
        }
        let direction = if filter.back { "" } else { "DESC" };
        let sql = format!(
            "SELECT {TICKET}, {ACTIVITY} {FROM} JOIN room_heads h ON h.room = t.room WHERE {clause} \
             ORDER BY {ACTIVITY} {direction}, r.id {direction} LIMIT ${} OFFSET ${}",
            values.len() + 1,
            values.len() + 2
        );
        let mut params: Vec<Param<'_>> = values.iter().map(|value| Param::Text(value)).collect();
        params.extend(params![limit, filter.skip]);
        let found = self.query(&sql, &params, |row| Ok((read_ticket(row)?, Time(row.get(10)?))))?;
        let mut all = Vec::with_capacity(found.len());
        for (found, at) in found {
            let ticket = self.with_people(found)?;
            let place = Place { at, room: ticket.room.clone() };
            all.push((ticket, place));
        }
        Ok(all)
    }

    pub(super) fn tickets_naming(&mut self, user: &UserId, vendor: Option<&str>) -> Result<Vec<Ticket>> {
        let sql = format!(
            "SELECT {TICKET} {FROM} WHERE t.room IN (
                SELECT p.room FROM ticket_people p WHERE p.person = $1
                UNION SELECT m.room FROM memberships m JOIN users u ON u.key = m.whom WHERE u.id = $1
                UNION SELECT v.room FROM tickets v WHERE v.vendor = $2) LIMIT {MANY}"
        );
        let vendor = comparable(vendor.unwrap_or_default());
        let found = self.query(&sql, params![user, vendor], read_ticket)?;
        let mut all = Vec::with_capacity(found.len());
        for found in found {
            all.push(self.with_people(found)?);
        }
        Ok(all)
    }

    pub(super) fn people_of_vendor(&mut self, vendor: &str) -> Result<Vec<UserId>> {
        let sql = format!("SELECT id FROM users WHERE vendor = $1 ORDER BY key LIMIT {MANY}");
        let vendor = comparable(vendor);
        Ok(self.query(&sql, params![vendor], |row| Ok(UserId::new(row.get::<Arc<str>>(0)?)))?)
    }

    /// Keeps the column by which [`Self::people_of_vendor`] finds users.
    pub(super) fn put_vendor(&mut self, user: &User) -> Result<()> {
        let sql = "UPDATE users SET vendor = $2 WHERE id = $1 AND COALESCE(vendor, '') <> $3";
        let vendor = user.host.vendor.as_deref().filter(|vendor| !vendor.is_empty());
        self.exec(sql, params![user.id, vendor, vendor.unwrap_or_default()])?;
        Ok(())
    }

    pub(super) fn store_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        let category_key = ticket.category.as_deref().map(fold);
        let stored = self.exec(
            "INSERT INTO tickets (room, id, title, created_by, vendor, category, category_key, status, created_at,
                updated_at)
             SELECT key, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM rooms WHERE id = $1
             ON CONFLICT (room) DO UPDATE SET title = excluded.title, vendor = excluded.vendor,
                category = excluded.category, category_key = excluded.category_key, status = excluded.status,
                updated_at = excluded.updated_at",
            params![
                ticket.room,
                ticket.id,
                ticket.title,
                ticket.created_by,
                ticket.vendor,
                ticket.category,
                category_key,
                ticket.status,
                ticket.created_at,
                ticket.updated_at
            ],
        );
        let stored = stored.map_err(|error| match error {
            SqlError::Constraint { kind: Constraint::Unique, .. } => {
                Refusal::Taken { what: What::Other, value: ticket.id.clone() }
            }
            other => other.into(),
        })?;
        if stored == 0 {
            return Err(Refusal::NotFound(What::Room));
        }
        self.put_people(ticket)
    }

    fn put_people(&mut self, ticket: &Ticket) -> Result<()> {
        let key: i64 =
            self.one("SELECT key FROM rooms WHERE id = $1", params![ticket.room], |row| row.get(0))?;
        self.exec("DELETE FROM ticket_people WHERE room = $1", params![key])?;
        let parts = [
            (part::CREATOR, std::slice::from_ref(&ticket.created_by)),
            (part::ASSIGNEE, ticket.assignees.as_slice()),
            (part::VERIFIER, ticket.verified_by.as_slice()),
        ];
        for (part, people) in parts {
            for (place, person) in people.iter().enumerate() {
                self.exec(
                    "INSERT INTO ticket_people (room, part, person, place) VALUES ($1, $2, $3, $4) \
                     ON CONFLICT DO NOTHING",
                    params![key, part, person, place],
                )?;
            }
        }
        Ok(())
    }
}

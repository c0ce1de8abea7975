//! Support cases, and the rows of the desk's trait.

use parlor_core::{
    case::{Case, MAX_PARTICIPANTS, Priority, Queue},
    clock::Time,
    error::{Refusal, Result, What},
    id::{RoomId, UserId},
    store::{CaseFilter, Place, ReadDesk, TicketFilter, WriteDesk},
    ticket::Ticket,
};
use std::sync::Arc;

use super::rooms::Sql;
use crate::params;
use crate::sql::{Param, Row, SqlError, SqlTx};

const CASE: &str = "r.id, c.requester, c.requester_role, c.queue, c.priority, c.first_seq, c.waiting_since, \
    c.closed_at, c.closed_by";
/// The columns of a place: activity or waiting, whichever the list is sorted by.
const ACTIVITY: &str = "COALESCE(h.last_at, r.created_at)";
const FROM: &str = "FROM cases c JOIN rooms r ON r.key = c.room JOIN room_heads h ON h.room = c.room";

fn queue_number(queue: Queue) -> i64 {
    match queue {
        Queue::General => 0,
        Queue::Driver => 1,
        Queue::Regulator => 2,
        Queue::Emergency => 3,
    }
}

fn queue_of(number: i64) -> Sql<Queue> {
    let queue = Queue::ALL.into_iter().find(|queue| queue_number(*queue) == number);
    queue.ok_or_else(|| SqlError::Value(format!("no queue has the number {number}")))
}

fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::Normal => 0,
        Priority::High => 1,
        Priority::Emergency => 2,
    }
}

fn priority_of(number: i64) -> Priority {
    match number {
        1 => Priority::High,
        2 => Priority::Emergency,
        _ => Priority::Normal,
    }
}

/// A case without its participants.
fn read_case(row: &Row<'_>) -> Sql<Case> {
    let user = |at: usize| Ok::<_, SqlError>(row.get::<Option<Arc<str>>>(at)?.map(UserId::new));
    let closed_at = row.get::<Option<i64>>(7)?.map(Time);
    Ok(Case {
        room: RoomId::new(row.get::<Arc<str>>(0)?),
        requester: user(1)?,
        requester_role: row.get(2)?,
        queue: queue_of(row.get(3)?)?,
        priority: priority_of(row.get(4)?),
        first_seq: row.get(5)?,
        waiting_since: Time(row.get(6)?),
        closed: user(8)?.zip(closed_at),
        participants: Vec::new(),
    })
}

/// A condition with the values that it compares with.
struct Clause {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Clause {
    fn of(filter: &CaseFilter, with_place: bool) -> Self {
        let mut all = Self { text: "1 = 1".into(), values: Vec::new() };
        if let Some(user) = &filter.participant {
            let n = all.take(Value::Text(user.to_string()));
            // From the person's own memberships, of which there are few, rather than from all cases.
            all.and(&format!(
                "c.room IN (SELECT m.room FROM memberships m JOIN users u ON u.key = m.whom WHERE u.id = {n})"
            ));
        }
        match filter.open {
            Some(true) => all.and("c.closed_at IS NULL"),
            Some(false) => all.and("c.closed_at IS NOT NULL"),
            None => {}
        }
        if let Some(view) = filter.view.filter(|view| *view != Queue::General) {
            let n = all.take(Value::Number(queue_number(view)));
            all.and(&format!("c.queue = {n}"));
        }
        if let Some(place) = filter.beyond.as_ref().filter(|_| with_place) {
            let at = all.take(Value::Number(place.at.millis()));
            let room = all.take(Value::Text(place.room.to_string()));
            let (key, sign) = order(filter);
            all.and(&format!("({key} {sign} {at} OR ({key} = {at} AND r.id {sign} {room}))"));
        }
        all
    }

    fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    fn take(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn params(&self) -> Vec<Param<'_>> {
        let one = |value| match value {
            &Value::Number(number) => Param::Int(number),
            Value::Text(text) => Param::Text(text),
        };
        self.values.iter().map(one).collect()
    }
}

/// The statement of a list; its last two values are how many to take and to pass over.
fn listing(filter: &CaseFilter) -> (String, Clause) {
    let clause = Clause::of(filter, true);
    let (key, sign) = order(filter);
    let direction = if sign == ">" { "" } else { "DESC" };
    let n = clause.values.len();
    let sql = format!(
        "SELECT {CASE}, {key} {FROM} WHERE {} ORDER BY {key} {direction}, r.id {direction} LIMIT ${} OFFSET ${}",
        clause.text,
        n + 1,
        n + 2
    );
    (sql, clause)
}

/// By what a list is sorted, and what stands behind a place.
fn order(filter: &CaseFilter) -> (&'static str, &'static str) {
    let key = if filter.view.is_some() { "c.waiting_since" } else { ACTIVITY };
    (key, if filter.view.is_some() == filter.back { "<" } else { ">" })
}

impl SqlTx<'_> {
    fn with_participants(&mut self, mut case: Case) -> Result<Case> {
        case.participants = self.participants(&case.room.clone(), MAX_PARTICIPANTS as u64)?;
        Ok(case)
    }
}

impl ReadDesk for SqlTx<'_> {
    fn case(&mut self, room: &RoomId) -> Result<Option<Case>> {
        let sql = format!("SELECT {CASE} FROM cases c JOIN rooms r ON r.key = c.room WHERE r.id = $1");
        match self.opt(&sql, params![room], read_case)? {
            Some(case) => Ok(Some(self.with_participants(case)?)),
            None => Ok(None),
        }
    }

    fn cases(&mut self, filter: &CaseFilter, skip: u64, limit: u64) -> Result<Vec<(Case, Place)>> {
        let (sql, clause) = listing(filter);
        let mut params = clause.params();
        params.extend(params![limit, skip]);
        let found = self.query(&sql, &params, |row| Ok((read_case(row)?, Time(row.get(9)?))))?;
        let mut all = Vec::with_capacity(found.len());
        for (case, at) in found {
            let place = Place { at, room: case.room.clone() };
            all.push((self.with_participants(case)?, place));
        }
        Ok(all)
    }

    fn count_cases(&mut self, filter: &CaseFilter) -> Result<u64> {
        let clause = Clause::of(filter, false);
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) FROM cases c WHERE {}", clause.text);
        Ok(self.one(&sql, &clause.params(), |row| row.get(0))?)
    }

    fn open_case_of(&mut self, requester: &UserId) -> Result<Option<Case>> {
        let sql = format!(
            "SELECT {CASE} FROM cases c JOIN rooms r ON r.key = c.room \
             WHERE c.requester = $1 AND c.closed_at IS NULL ORDER BY c.room DESC LIMIT 1"
        );
        match self.opt(&sql, params![requester], read_case)? {
            Some(case) => Ok(Some(self.with_participants(case)?)),
            None => Ok(None),
        }
    }

    fn participants(&mut self, room: &RoomId, limit: u64) -> Result<Vec<UserId>> {
        let sql =
            "SELECT u.id FROM memberships m JOIN rooms r ON r.key = m.room JOIN users u ON u.key = m.whom
            WHERE r.id = $1 ORDER BY m.joined_at, m.id LIMIT $2";
        Ok(self.query(sql, params![room, limit], |row| Ok(UserId::new(row.get::<Arc<str>>(0)?)))?)
    }

    fn ticket(&mut self, room: &RoomId) -> Result<Option<Ticket>> {
        self.ticket_where("r.id = $1", room)
    }
    fn ticket_by_id(&mut self, id: &str) -> Result<Option<Ticket>> {
        self.ticket_where("t.id = $1", id)
    }
    fn tickets(&mut self, filter: &TicketFilter, limit: u64) -> Result<Vec<(Ticket, Place)>> {
        self.page_of_tickets(filter, limit)
    }
    fn count_tickets(&mut self, filter: &TicketFilter) -> Result<u64> {
        self.tickets_in_all(filter)
    }
    fn tickets_about(&mut self, user: &UserId, vendor: Option<&str>) -> Result<Vec<Ticket>> {
        self.tickets_naming(user, vendor)
    }
    fn users_of_vendor(&mut self, vendor: &str) -> Result<Vec<UserId>> {
        self.people_of_vendor(vendor)
    }
    fn wrote_in(&mut self, room: &RoomId, user: &UserId) -> Result<bool> {
        let sql = "SELECT r.key, u.key FROM rooms r, users u WHERE r.id = $1 AND u.id = $2";
        let keys = self.opt(sql, params![room, user], |row| Ok((row.get::<i64>(0)?, row.get::<i64>(1)?)))?;
        let Some((room, user)) = keys else { return Ok(false) };
        let sql = "SELECT key FROM messages WHERE key > $1 AND key < $2 AND author = $3 LIMIT 1";
        let found = self.opt(sql, params![room << 36, (room + 1) << 36, user], |row| row.get::<i64>(0))?;
        Ok(found.is_some())
    }
}

impl WriteDesk for SqlTx<'_> {
    fn put_case(&mut self, case: &Case) -> Result<()> {
        let (closed_by, closed_at) = case.closed.as_ref().map(|(by, at)| (by, *at)).unzip();
        let stored = self.exec(
            "INSERT INTO cases (room, requester, requester_role, queue, priority, first_seq, waiting_since, closed_at,
                closed_by)
             SELECT key, $2, $3, $4, $5, $6, $7, $8, $9 FROM rooms WHERE id = $1
             ON CONFLICT (room) DO UPDATE SET requester = excluded.requester,
                requester_role = excluded.requester_role, queue = excluded.queue, priority = excluded.priority,
                first_seq = excluded.first_seq, waiting_since = excluded.waiting_since,
                closed_at = excluded.closed_at, closed_by = excluded.closed_by",
            params![
                case.room,
                case.requester,
                case.requester_role,
                queue_number(case.queue),
                priority_number(case.priority),
                case.first_seq,
                case.waiting_since,
                closed_at,
                closed_by
            ],
        )?;
        if stored == 0 { Err(Refusal::NotFound(What::Room)) } else { Ok(()) }
    }

    fn put_ticket(&mut self, ticket: &Ticket) -> Result<()> {
        self.store_ticket(ticket)
    }
}

#[cfg(test)]
#[path = "cases_tests.rs"]
pub(super) mod tests;

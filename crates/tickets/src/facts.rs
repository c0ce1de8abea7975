//! Tickets as the host application tells of them.

use parlor_core::{
    cases_list::Part,
    clock::Time,
    id::{RoomId, UserId},
    store::Place,
    ticket::MAX_PEOPLE,
    tickets::{MAX_TITLE, MAX_WORD, TicketChange},
};
use parlor_host::{Answer, Call, Cursor, Fields, PageAsked, Problem, Seek, Text, answer, page::Habit, shape};
use serde_json::{Value, json};

use crate::{refused, teller, viewer};

/// The kind of cursors of lists of tickets.
const CURSOR: char = 't';

/// Takes in what the application says.
pub(crate) async fn put(mut call: Call) -> Answer {
    let actor = teller(&call)?;
    let body = call.object().await?;
    let change = change(Fields::new(&body))?;
    let (ticket, new) =
        call.host.chat().put_ticket(&actor, call.path("ticketId"), change).await.map_err(refused)?;
    answer(if new { 201 } else { 200 }, &json!({ "ticket": shape::tickets::ticket(&ticket) }))
}

fn change(mut fields: Fields<'_>) -> Result<TicketChange, Problem> {
    let title = cleared_or(&mut fields, "title", MAX_TITLE);
    let created_by = match fields.text("created_by", Text::ID).map(|id| UserId::parse(&id)) {
        Some(None) => {
            fields.fault("created_by", "must be a user id");
            None
        }
        found => found.flatten(),
    };
    let change = TicketChange {
        title,
        created_by,
        assignees: people(&mut fields, "assignees"),
        vendor: cleared_or(&mut fields, "vendor_id", MAX_WORD),
        verified_by: people(&mut fields, "verified_by"),
        category: cleared_or(&mut fields, "category", MAX_WORD),
        status: cleared_or(&mut fields, "status", MAX_WORD),
    };
    fields.done()?;
    Ok(change)
}

/// `Some(None)` where the key is there with `null`.
fn cleared_or(fields: &mut Fields<'_>, name: &str, most: usize) -> Option<Option<String>> {
    if !fields.has(name) {
        return None;
    }
    Some(fields.text(name, Text::new(0, most)))
}

fn people(fields: &mut Fields<'_>, name: &str) -> Option<Vec<UserId>> {
    if !fields.has(name) {
        return None;
    }
    let ids = fields.texts(name, MAX_PEOPLE).unwrap_or_default();
    let parsed: Option<Vec<UserId>> = ids.iter().map(|id| UserId::parse(id)).collect();
    if parsed.is_none() {
        fields.fault(name, "must be a list of user ids");
    }
    parsed
}

/// A ticket, for those who may enter it and for the application.
pub(crate) async fn one(call: Call) -> Answer {
    let actor = viewer(&call)?;
    let (ticket, _) = call.host.chat().ticket(&actor, call.path("ticketId")).await.map_err(refused)?;
    answer(200, &json!({ "ticket": shape::tickets::ticket(&ticket) }))
}

/// The tickets that the caller may enter.
pub(crate) async fn list(call: Call) -> Answer {
    let actor = viewer(&call)?;
    let asked = PageAsked::of_query(&call.query, Habit::Pages)?;
    let beyond = match &asked.seek {
        Seek::Before(cursor) | Seek::After(cursor) => Some(place(cursor).ok_or_else(Problem::bad_cursor)?),
        _ => None,
    };
    let (back, skip) = (matches!(asked.seek, Seek::After(_)), asked.offset());
    let part =
        Part { beyond, back, skip: skip.unwrap_or_default(), limit: asked.limit, count: skip.is_some() };
    let found = call.host.chat().my_tickets(&actor, part).await.map_err(refused)?;
    let tickets: Vec<Value> = found.items.iter().map(shape::tickets::ticket).collect();
    let next = found.next.map(|place| Cursor::make(CURSOR, &format!("{}.{}", place.at.millis(), place.room)));
    let pagination = asked.told(next.is_some(), next, found.total);
    answer(200, &json!({ "tickets": tickets, "pagination": pagination }))
}

fn place(cursor: &str) -> Option<Place> {
    let text = Cursor::read(CURSOR, cursor)?;
    let (at, room) = text.split_once('.')?;
    Some(Place { at: Time(at.parse().ok()?), room: RoomId::parse(room)? })
}

/// Removes a ticket with everything in it.
pub(crate) async fn remove(call: Call) -> Answer {
    let actor = teller(&call)?;
    let id = call.path("ticketId");
    let messages = call.host.chat().remove_ticket(&actor, id).await.map_err(refused)?;
    answer(200, &json!({ "success": true, "ticketId": id, "deletedMessages": messages }))
}

//! The tickets contract over sockets.

pub(crate) mod events;

use std::sync::Arc;

use bytes::Bytes;
use parlor_core::{
    clock::Time,
    error::Refusal,
    id::UserId,
    message::Message,
    messages::Sending,
    ticket::{Relation, Ticket},
};
use parlor_host::{
    Fields, PageAsked, Problem, history, iso, page::Habit, shape::tickets as shape, tickets_draft,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

pub(crate) use self::events::Farewell;
use crate::{
    Door, packet,
    rooms::{self, listen},
    session::{Context, Effect, Form, Joining},
};

fn no_ticket() -> Problem {
    Problem::not_found("Ticket")
}

/// In this contract a room that is not there is a ticket that is not there.
fn refused(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NotFound(parlor_core::error::What::Room) => no_ticket(),
        other => other.into(),
    }
}

fn keys(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

/// The ticket that a payload names, if the actor may enter it.
pub(crate) async fn ticket(context: &Context) -> Result<(Arc<Ticket>, Option<Relation>), Problem> {
    let id = context.payload.get("ticketId").and_then(Value::as_str).unwrap_or_default();
    context.door.host.chat().ticket(&context.actor, id).await.map_err(refused)
}

/// A message in the tickets form.
pub(crate) fn message<'a>(
    door: &Door,
    message: &'a Message,
    ticket: &'a str,
    viewer: &UserId,
) -> shape::Shown<'a> {
    shape::message(&door.host, viewer, ticket, message)
}

/// The payload of `messages_history`.
#[derive(Serialize)]
struct History<'a> {
    #[serde(rename = "ticketId")]
    ticket_id: &'a str,
    messages: Vec<shape::Shown<'a>>,
    pagination: Value,
}

/// `join_ticket`.
pub(crate) async fn join(context: Context) -> Result<Effect, Problem> {
    let fields = Fields::new(&context.payload);
    let asked = PageAsked::of_fields(&fields, Habit::Cursors)?;
    let (ticket, _) = ticket(&context).await?;
    let room = ticket.room.clone();
    let part = history::part(&context.door.host, &context.actor, &room, &asked).await.map_err(as_ticket)?;
    let (ear, listening) = listen(&context, &room).await.map_err(as_ticket)?;
    ear.set_ticket(&ticket.id);
    let chat = context.door.host.chat();
    let page = chat.host_messages(&context.actor, &room, part, asked.limit).await.map_err(refused);
    let page = page.inspect_err(|_| ear.calm())?;
    let (id, viewer) = (ticket.id.as_str(), &context.actor.user);
    let joined = json!({
        "ticketId": id, "message": "Joined ticket chat", "room_id": room.as_str(),
        "timestamp": iso(chat.now()),
    });
    let history = History {
        ticket_id: id,
        messages: page.messages.iter().map(|one| message(&context.door, one, id, viewer)).collect(),
        pagination: history::pagination(&asked, part, &page),
    };
    let frames = vec![packet::event("joined_ticket", &joined), packet::event("messages_history", &history)];
    let (position, ack) = (page.position, keys(json!({ "ticketId": id })));
    Ok(Effect::Joined(Joining { room, ear, listening, frames, position, ack }))
}

fn as_ticket(problem: Problem) -> Problem {
    if problem.code == "not_found" { no_ticket() } else { problem }
}

/// The answer to `leave_ticket`.
pub(crate) fn left(ticket: &str, now: Time) -> (Bytes, Map<String, Value>) {
    (events::left(ticket, now, Farewell::Left), keys(json!({ "ticketId": ticket })))
}

/// `typing_start` and `typing_stop`.
pub(crate) async fn typing(context: Context, on: bool) -> Result<Effect, Problem> {
    let (ticket, _) = ticket(&context).await?;
    rooms::show_typing(&context, Ok(ticket.room.clone()), Form::Tickets, on).await.map_err(as_ticket)?;
    Ok(Effect::Ack(keys(json!({ "ticketId": ticket.id }))))
}

/// `send_message`.
pub(crate) async fn send(context: Context) -> Result<Sending, Problem> {
    let (ticket, _) = ticket(&context).await?;
    let Context { door, actor, payload, .. } = context;
    let wanted = tickets_draft::wanted(Fields::new(&payload), false)?;
    let draft = wanted.draft(&door.host, &actor, &ticket.room).await?;
    rooms::enqueue(&door, &actor, draft).await.map_err(as_ticket)
}

/// The ack of a stored message.
pub(crate) fn sent(door: &Door, stored: &Message, ticket: &str, viewer: &UserId) -> Map<String, Value> {
    keys(json!({ "ticketId": ticket, "message": message(door, stored, ticket, viewer) }))
}

//! The chat of a ticket.

use std::sync::Arc;

use parlor_core::{
    id::{MessageId, UserId},
    session::Actor,
    ticket::{Relation, Ticket},
    tickets::SYSTEM_USER,
    user::{Status, User},
};
use parlor_host::{
    Answer, Call, Caller, Fields, PageAsked, Problem, Text, answer, history, page::Habit, shape,
    tickets_draft,
};
use serde_json::{Value, json};

use crate::refused;

/// Messages that one request may name.
const MAX_NAMED: usize = 100;

/// The ticket that a user calls about, and the user.
async fn entered(call: &Call) -> Result<(Arc<Ticket>, Actor), Problem> {
    let actor = call.user()?.clone();
    let (ticket, _) = call.host.chat().ticket(&actor, call.path("ticketId")).await.map_err(refused)?;
    Ok((ticket, actor))
}

pub(crate) async fn messages(call: Call) -> Answer {
    let (ticket, actor) = entered(&call).await?;
    let asked = PageAsked::of_query(&call.query, Habit::Pages)?;
    let (messages, pagination) = history::messages(&call.host, &actor, &ticket.room, &asked).await?;
    let messages: Vec<_> = messages
        .iter()
        .map(|message| shape::tickets::message(&call.host, &actor.user, &ticket.id, message))
        .collect();
    answer(200, &json!({ "ticketId": ticket.id, "messages": messages, "pagination": pagination }))
}

pub(crate) async fn send(mut call: Call) -> Answer {
    let by_app = matches!(call.caller()?, Caller::App);
    if !by_app {
        // Whoever may not enter learns nothing, whatever he sends.
        entered(&call).await?;
    }
    let body = call.object().await?;
    let wanted = tickets_draft::wanted(Fields::new(&body), by_app)?;
    let chat = call.host.chat();
    let (ticket, sent) = if by_app {
        let system = Actor::system(UserId::from(SYSTEM_USER));
        let (ticket, _) = chat.ticket(&system, call.path("ticketId")).await.map_err(refused)?;
        let draft = wanted.draft(&call.host, &system, &ticket.room).await?;
        let sent = chat.speak_in_ticket(&ticket.id, draft).await.map_err(refused)?;
        (ticket, sent)
    } else {
        let (ticket, actor) = entered(&call).await?;
        let draft = wanted.draft(&call.host, &actor, &ticket.room).await?;
        let sent = chat.post(&actor, draft).await.map_err(refused)?;
        (ticket, sent)
    };
    let viewer = call.caller()?.actor().map_or_else(|| UserId::from(SYSTEM_USER), |actor| actor.user.clone());
    let message = shape::tickets::message(&call.host, &viewer, &ticket.id, &sent.message);
    answer(if sent.duplicate { 200 } else { 201 }, &json!({ "success": true, "message": message }))
}

/// The members, and whoever else has the room open just now.
pub(crate) async fn participants(call: Call) -> Answer {
    let (ticket, actor) = entered(&call).await?;
    let chat = call.host.chat();
    let mut found = chat.ticket_members(&actor, &ticket.id).await.map_err(refused)?;
    let here = chat.users_live_in(&ticket.room);
    let strangers: Vec<UserId> =
        here.iter().filter(|id| found.iter().all(|(user, _)| user.id != **id)).cloned().collect();
    let money = chat.money();
    let visitors = chat.users_by_id(&strangers).await.map_err(refused)?;
    found.extend(visitors.into_iter().filter_map(|user| {
        let relation = ticket.relation(&user, &money)?;
        Some((user, relation))
    }));
    let one = |(user, relation): &(Arc<User>, Relation)| {
        let online = chat.status_of(&user.id) != Status::Offline;
        shape::tickets::participant(user, *relation, online, here.contains(&user.id))
    };
    let participants: Vec<Value> = found.iter().map(one).collect();
    answer(200, &json!({ "ticketId": ticket.id, "participants": participants }))
}

/// A message of this ticket; one of another room is not known here.
async fn message_of(call: &Call, ticket: &Ticket, actor: &Actor) -> Result<MessageId, Problem> {
    let unknown = || Problem::not_found("Message");
    let id = MessageId::parse(call.path("messageId")).ok_or_else(unknown)?;
    let (_, message) = call.host.chat().host_message(actor, &id).await.map_err(refused)?;
    if message.room == ticket.room { Ok(id) } else { Err(unknown()) }
}

pub(crate) async fn edit(mut call: Call) -> Answer {
    let (ticket, actor) = entered(&call).await?;
    let id = message_of(&call, &ticket, &actor).await?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let text = fields.need_text("message", Text::MESSAGE);
    fields.done()?;
    let (message, _) = call.host.chat().edit_own(&actor, &id, &text).await.map_err(refused)?;
    let message = shape::tickets::message(&call.host, &actor.user, &ticket.id, &message);
    answer(200, &json!({ "success": true, "message": message }))
}

pub(crate) async fn remove(call: Call) -> Answer {
    let (ticket, actor) = entered(&call).await?;
    let id = message_of(&call, &ticket, &actor).await?;
    let (message, _) = call.host.chat().remove_own(&actor, &id).await.map_err(refused)?;
    let message = shape::tickets::message(&call.host, &actor.user, &ticket.id, &message);
    answer(200, &json!({ "success": true, "message": message }))
}

pub(crate) async fn read(mut call: Call) -> Answer {
    let (ticket, actor) = entered(&call).await?;
    let body = call.object_if_any().await?;
    let mut fields = Fields::new(&body);
    let named = fields.texts("messageIds", MAX_NAMED);
    fields.done()?;
    let named = match named {
        None => None,
        Some(ids) => {
            let ids: Option<Vec<MessageId>> = ids.iter().map(|id| MessageId::parse(id)).collect();
            Some(ids.ok_or_else(|| Problem::not_found("Message"))?)
        }
    };
    let done = call.host.chat().read_named(&actor, &ticket.room, named).await.map_err(refused)?;
    answer(200, &json!({ "success": true, "unreadCount": done.unread }))
}

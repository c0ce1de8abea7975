//! Events of clients: which contract they speak, what they are answered.

use std::sync::Arc;

use parlor_core::{
    id::RoomId,
    messages::{Sending, Sent},
    session::Actor,
};
use parlor_host::{Problem, shape};
use parlor_live::{Answer, Step};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{Done, Effect, RoomEar, Socket, Wire};
use crate::{
    Door,
    packet::{self, Called},
    rooms, tickets,
};

/// The contract that an event or a subscription speaks; bits of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Form {
    Rooms = 1,
    Tickets = 2,
}

/// Where an event says that it belongs: the key and its value.
pub(crate) type Place = (&'static str, String);

/// An event as it is answered.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The id of the ack, if one was asked for.
    pub(crate) ack: Option<u64>,
    pub(crate) form: Form,
    event: Box<str>,
    place: Option<Place>,
}

impl Call {
    /// What is answered without having been called.
    pub(crate) fn none() -> Self {
        Self { ack: None, form: Form::Rooms, event: "".into(), place: None }
    }

    /// The `error` event of a refusal.
    pub(crate) fn error(&self, problem: &Problem) -> Value {
        let mut body = json!({ "type": problem.code, "code": problem.code, "message": problem.message });
        if !self.event.is_empty() {
            body["event"] = self.event.as_ref().into();
        }
        if let Some((key, value)) = &self.place {
            body[*key] = value.as_str().into();
        }
        if let Some(seconds) = problem.retry_after {
            body["retry_after"] = seconds.into();
        }
        body
    }

    /// The ack of a refusal.
    pub(crate) fn refusal(&self, problem: &Problem) -> Value {
        let mut body = json!({ "success": false, "error": problem.code, "message": problem.message });
        if let Some(seconds) = problem.retry_after {
            body["retry_after"] = seconds.into();
        }
        body
    }

    /// The ack of a success, with these further keys.
    pub(crate) fn success(&self, mut more: Map<String, Value>) -> Value {
        more.insert("success".into(), true.into());
        Value::Object(more)
    }
}

/// Whether a refusal speaks of a broken client rather than of somebody's rights or haste.
pub(crate) fn is_bad(problem: &Problem) -> bool {
    matches!(problem.code, "bad_request" | "validation_failed" | "unknown_event" | "bad_cursor")
}

/// What carrying out an event takes.
pub(crate) struct Context {
    pub(crate) door: Arc<Door>,
    pub(crate) actor: Actor,
    pub(crate) wire: Arc<Wire>,
    pub(crate) payload: Map<String, Value>,
    /// How the socket listens to the room already.
    pub(crate) ear: Option<Arc<RoomEar>>,
    /// It may join no further room.
    pub(crate) full: bool,
}

#[derive(Serialize)]
struct SentToRoom<'a> {
    success: bool,
    message: shape::rooms::Shown<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SentToTicket<'a> {
    success: bool,
    ticket_id: &'a str,
    message: shape::tickets::Shown<'a>,
}

fn bad_request(message: &str) -> Problem {
    Problem::new(400, "bad_request", message)
}

impl Socket {
    pub(super) fn call(&mut self, called: Called, ack: Option<u64>) -> Step<Done> {
        let name: String = called.name.chars().take(100).collect();
        let mut call = Call { ack, form: Form::Rooms, event: name.into(), place: None };
        let Some(form) = form_of(&called.name) else {
            return self.refuse(&call, &Problem::new(400, "unknown_event", "There is no such event"));
        };
        let Some(Value::Object(payload)) = called.payload else {
            return self.refuse(&call, &Problem::invalid("payload", "must be an object"));
        };
        let place = |key: &'static str| {
            let value = payload.get(key).filter(|value| !value.is_null())?;
            Some((key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        let (ticket, room) = (place("ticketId"), place("room_id"));
        let by_message = matches!(called.name.as_str(), "message_edited" | "message_deleted");
        call.form = match (form, ticket.is_some(), room.is_some()) {
            (_, true, true) => {
                return self.refuse(&call, &bad_request("Either ticketId or room_id, not both"));
            }
            (None | Some(Form::Tickets), true, false) => Form::Tickets,
            (None | Some(Form::Rooms), false, true) => Form::Rooms,
            (None, false, false) if by_message => Form::Rooms,
            _ => {
                let wanted = if form == Some(Form::Tickets) { "ticketId" } else { "room_id" };
                return self.refuse(&call, &bad_request(&format!("{wanted} is required")));
            }
        };
        call.place = ticket.or(room);
        if call.place.as_ref().is_some_and(|(key, _)| !payload[*key].is_string()) {
            let key = if call.form == Form::Tickets { "ticketId" } else { "room_id" };
            return self.refuse(&call, &Problem::invalid(key, "must be a string"));
        }
        if called.name == "send_message" && !rooms::is_hint(call.form, &payload) {
            return self.send(call, payload);
        }
        let context = self.context(&call, payload);
        self.carry_out(&called.name, call, context)
    }

    fn context(&self, call: &Call, payload: Map<String, Value>) -> Context {
        let who = self.who.as_ref().expect("only those who entered call");
        let place = call.place.as_ref().map(|(_, value)| value.as_str());
        let joined = match (call.form, place) {
            (Form::Rooms, Some(room)) => RoomId::parse(room).and_then(|room| who.rooms.get(&room)),
            (Form::Tickets, Some(ticket)) => who.rooms.values().find(|joined| joined.ear.is_of(ticket)),
            (_, None) => None,
        };
        Context {
            door: self.door.clone(),
            actor: self.actor(),
            wire: who.wire.clone(),
            payload,
            ear: joined.map(|joined| joined.ear.clone()),
            full: who.rooms.len() >= super::MOST_ROOMS,
        }
    }

    fn carry_out(&mut self, name: &str, call: Call, context: Context) -> Step<Done> {
        // Leaving changes nothing but this connection.
        if matches!(name, "leave_room" | "leave_ticket") {
            return self.leave_called(&call, &context);
        }
        let work: Answer<Result<Effect, Problem>> = match (name, call.form) {
            ("join_ticket", _) => Box::pin(tickets::join(context)),
            ("typing_start", _) => Box::pin(tickets::typing(context, true)),
            ("typing_stop", _) => Box::pin(tickets::typing(context, false)),
            ("join_room", _) => Box::pin(rooms::join(context)),
            ("typing", _) => Box::pin(rooms::typing(context)),
            ("mark_as_read", _) => Box::pin(rooms::mark_as_read(context)),
            ("message_edited", form) => Box::pin(rooms::edit(context, form)),
            ("message_deleted", form) => Box::pin(rooms::delete(context, form)),
            _ => Box::pin(rooms::hint(context)),
        };
        Step::Wait(Box::pin(async move { Done::Called(call, work.await) }))
    }

    fn leave_called(&mut self, call: &Call, context: &Context) -> Step<Done> {
        let (_, place) = call.place.clone().unwrap_or_default();
        if let Some(ear) = &context.ear {
            self.leave(&ear.room.clone(), Some(call.form));
        }
        let now = self.door.host.now();
        let (frame, ack) = match call.form {
            Form::Rooms => rooms::left(&place, now),
            Form::Tickets => tickets::left(&place, now),
        };
        self.reply(frame);
        self.called(call.clone(), Ok(Effect::Ack(ack)))
    }

    /// A message: enqueued before the next event is looked at, answered when it is stored.
    fn send(&mut self, call: Call, payload: Map<String, Value>) -> Step<Done> {
        let context = self.context(&call, payload);
        let form = call.form;
        let enqueuing = Box::pin(async move {
            let sending = match form {
                Form::Rooms => rooms::send(context).await,
                Form::Tickets => tickets::send(context).await,
            };
            Done::Enqueued(call, sending)
        });
        Step::queued(enqueuing, |done| match done {
            Done::Enqueued(call, Ok(sending)) => self.stored(call, sending),
            refused => Step::ready(refused),
        })
    }

    pub(super) fn stored(&self, call: Call, sending: Sending) -> Step<Done> {
        let (door, viewer) = (self.door.clone(), self.actor().user);
        Step::Answer(Box::pin(async move {
            let chat = door.host.chat();
            let stored = sending.stored(chat).await.map_err(|refusal| Problem::of(refusal, chat.now()));
            let written = |sent: &Sent, id| match (call.form, &call.place) {
                (Form::Tickets, Some((_, ticket))) => {
                    let message = tickets::message(&door, &sent.message, ticket, &viewer);
                    packet::ack(id, &SentToTicket { success: true, ticket_id: ticket, message })
                }
                _ => {
                    let message = rooms::message(&door, &sent.message, &viewer);
                    packet::ack(id, &SentToRoom { success: true, message })
                }
            };
            let ack = stored.map(|sent| Effect::Written(call.ack.map(|id| written(&sent, id))));
            Done::Called(call, ack)
        }))
    }
}

/// The contract of an event; `Some(None)` where its payload decides; `None` for no event at all.
fn form_of(name: &str) -> Option<Option<Form>> {
    crate::events::CLIENT_EVENTS.iter().find(|event| event.name == name).map(|event| event.form())
}

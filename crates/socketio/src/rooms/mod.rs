//! The rooms contract over sockets.

pub(crate) mod events;

use bytes::Bytes;
use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId, UserId},
    message::Message,
    messages::{Draft, Sending},
    messages_host::Part,
    session::Actor,
    user::Status,
};
use parlor_host::{
    Fields, PageAsked, Problem, Text, history, iso,
    page::Habit,
    rooms_draft::{self, message_id, room_id},
    shape::rooms as shape,
};
use serde_json::{Map, Value, json};

use crate::{
    Door, packet,
    session::{Context, Effect, Form, Joining, Listening, RoomEar},
};

fn keys(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

/// The room of a payload; what is no id is unknown.
fn room_of(fields: &mut Fields<'_>) -> String {
    fields.need_text("room_id", Text::ID)
}

/// A message in the rooms form.
pub(crate) fn message<'a>(door: &Door, message: &'a Message, viewer: &UserId) -> shape::Shown<'a> {
    shape::message(&door.host, viewer, message)
}

/// Whether a `send_message` only says that something was sent by REST.
pub(crate) fn is_hint(form: Form, payload: &Map<String, Value>) -> bool {
    let names = |key: &str| payload.get(key).is_some_and(|value| !value.is_null());
    form == Form::Rooms && (names("message_id") || payload.get("message").is_some_and(Value::is_object))
}

/// Listens to a room, or goes on listening: events wait until what is read now has been told.
pub(crate) async fn listen(
    context: &Context,
    room: &RoomId,
) -> Result<(std::sync::Arc<RoomEar>, Option<Listening>), Problem> {
    if let Some(ear) = &context.ear {
        ear.wait();
        return Ok((ear.clone(), None));
    }
    if context.full {
        return Err(Problem::new(400, "limit_reached", "A socket may join 1000 rooms"));
    }
    let chat = context.door.host.chat();
    let ear = RoomEar::new(&context.wire, room);
    let subscription = chat.listen_room(&context.actor, room, ear.clone()).await?;
    Ok((ear, Some(Listening::new(&context.door, subscription))))
}

/// `join_room`.
pub(crate) async fn join(context: Context) -> Result<Effect, Problem> {
    let mut fields = Fields::new(&context.payload);
    let room = room_of(&mut fields);
    let asked = PageAsked::of_fields(&fields, Habit::Cursors)?;
    fields.done()?;
    let room = room_id(&room)?;
    let chat = context.door.host.chat();
    // Judged before the cursor is looked at: an unknown room is unknown with any cursor.
    let card = chat.card(&context.actor, &room).await?;
    let part = history::part(&context.door.host, &context.actor, &room, &asked).await?;
    let (ear, listening) = listen(&context, &room).await?;
    // A ticket's room may be joined in the other form too, with the same ear.
    if let Some(ticket) = &card.ticket {
        ear.set_ticket(ticket);
    }
    let told = async {
        let mut told = json!({ "room_id": room.as_str(), "room": shape::room(&context.door.host, &card) });
        let mut position = 0;
        if part != Part::Newest {
            let page = chat.host_messages(&context.actor, &room, part, asked.limit).await?;
            position = page.position;
            let viewer = &context.actor.user;
            let messages: Vec<_> = page.messages.iter().map(|m| message(&context.door, m, viewer)).collect();
            told["messages"] = json!(messages);
            told["pagination"] = history::pagination(&asked, part, &page);
        }
        told["online_user_ids"] = online(&context, &room, card.members.as_deref());
        told["timestamp"] = iso(chat.now()).into();
        Ok::<_, Problem>((told, position))
    };
    let (told, position) = told.await.inspect_err(|_| ear.calm())?;
    let frames = vec![packet::event("room_joined", &told)];
    let ack = keys(json!({ "room_id": room.as_str() }));
    Ok(Effect::Joined(Joining { room, ear, listening, frames, position, ack }))
}

/// Members who are not offline, and whoever has the room open.
fn online(context: &Context, room: &RoomId, members: Option<&[parlor_core::cards::Seat]>) -> Value {
    let chat = context.door.host.chat();
    let is_there = |id: &UserId| chat.status_of(id) != Status::Offline;
    let members = members.unwrap_or_default().iter().map(|seat| &seat.user.id).filter(|id| is_there(id));
    let mut ids: Vec<UserId> = members.cloned().chain(chat.users_live_in(room)).collect();
    ids.sort();
    ids.dedup();
    ids.iter().map(|id| Value::from(id.as_str())).collect()
}

/// The answer to `leave_room`.
pub(crate) fn left(room: &str, now: Time) -> (Bytes, Map<String, Value>) {
    let frame = packet::event("room_left", &json!({ "room_id": room, "timestamp": iso(now) }));
    (frame, keys(json!({ "room_id": room })))
}

/// `typing`.
pub(crate) async fn typing(context: Context) -> Result<Effect, Problem> {
    let mut fields = Fields::new(&context.payload);
    let room = room_of(&mut fields);
    let on = fields.need_flag("is_typing");
    fields.done()?;
    show_typing(&context, room_id(&room), Form::Rooms, on).await?;
    Ok(Effect::Ack(Map::new()))
}

/// Typing in a joined room.
pub(crate) async fn show_typing(
    context: &Context,
    room: Result<RoomId, Problem>,
    form: Form,
    on: bool,
) -> Result<(), Problem> {
    let chat = context.door.host.chat();
    let room = room?;
    if context.ear.as_ref().is_some_and(|ear| ear.forms.has(form)) {
        return Ok(chat.show_typing(&context.actor, &room, on, context.wire.connection).await?);
    }
    // Who may not see the room shall not learn of it.
    chat.room_with_ticket(&context.actor, &room).await?;
    Err(Problem::new(403, "not_in_room", "Join first"))
}

/// `mark_as_read`.
pub(crate) async fn mark_as_read(context: Context) -> Result<Effect, Problem> {
    let mut fields = Fields::new(&context.payload);
    let room = room_of(&mut fields);
    let named = fields.texts("message_ids", parlor_core::reading_named::MAX_NAMED);
    fields.done()?;
    let named =
        named.map(|ids| ids.iter().map(|id| message_id(id)).collect::<Result<Vec<_>, _>>()).transpose();
    let room = room_id(&room)?;
    let chat = context.door.host.chat();
    // The room decides first.
    chat.room_with_ticket(&context.actor, &room).await?;
    let named = named?;
    let ear = context.ear.as_ref().filter(|ear| ear.forms.has(Form::Rooms));
    ear.inspect(|ear| ear.begin_reading(named.clone()));
    let read = chat.read_named(&context.actor, &room, named).await;
    ear.inspect(|ear| ear.end_reading(read.as_ref().ok().map(|read| read.named.as_slice())));
    let read = read?;
    let ids: Vec<&str> = read.named.iter().map(MessageId::as_str).collect();
    let ack = json!({ "room_id": room.as_str(), "message_ids": ids, "unread_count": read.unread });
    Ok(Effect::Ack(keys(ack)))
}

/// `send_message` as a command.
pub(crate) async fn send(context: Context) -> Result<Sending, Problem> {
    let Context { door, actor, payload, .. } = context;
    let draft = rooms_draft::read(&door.host, &actor, &payload).await?;
    enqueue(&door, &actor, draft).await
}

/// Enqueues a message; its place is decided then.
pub(crate) async fn enqueue(door: &Door, actor: &Actor, draft: Draft) -> Result<Sending, Problem> {
    let chat = door.host.chat();
    chat.send(actor, draft).await.map_err(|refusal| Problem::of(refusal, chat.now()))
}

/// The ack of a stored message.
pub(crate) fn sent(door: &Door, stored: &Message, viewer: &UserId) -> Map<String, Value> {
    keys(json!({ "message": message(door, stored, viewer) }))
}

/// The message that a payload names: by its id, or by the id within `message`.
fn named(payload: &Map<String, Value>) -> Result<String, Problem> {
    let inner = payload.get("message").and_then(Value::as_object);
    let mut fields = Fields::new(payload);
    if let (None, Some(inner)) = (fields.value("message_id"), inner) {
        let mut inner = Fields::new(inner);
        let id = inner.need_text("id", Text::ID);
        return inner.done().map(|()| id);
    }
    let id = fields.need_text("message_id", Text::ID);
    fields.done().map(|()| id)
}

/// A message that the actor may see, in the room that the payload names, if it names one.
async fn seen(context: &Context, id: &str) -> Result<Message, Problem> {
    let chat = context.door.host.chat();
    let (room, message) = chat.host_message(&context.actor, &message_id(id)?).await?;
    let elsewhere = match context.payload.get("room_id").and_then(Value::as_str) {
        Some(named) => named != room.id.as_str(),
        None => false,
    };
    if elsewhere { Err(Problem::not_found("Message")) } else { Ok(message) }
}

/// A hint: something was done by REST. Nothing is delivered; only that the caller may see it is looked at.
pub(crate) async fn hint(context: Context) -> Result<Effect, Problem> {
    let id = named(&context.payload)?;
    let message = seen(&context, &id).await?;
    Ok(Effect::Ack(keys(json!({ "message_id": message.id.as_str(), "hint": true }))))
}

/// `message_edited`: a command when it brings a text of its own.
pub(crate) async fn edit(context: Context, form: Form) -> Result<Effect, Problem> {
    let key = if form == Form::Tickets { "message" } else { "content" };
    let payload = &context.payload;
    let nested = form == Form::Rooms && payload.get("message").is_some_and(Value::is_object);
    let no_text = payload.get("content").is_none_or(Value::is_null);
    if form == Form::Rooms && (nested || no_text) {
        return hint(context).await;
    }
    let id = target(&context, form)?;
    let mut fields = Fields::new(payload);
    let text = fields.need_text(key, Text::MESSAGE);
    fields.done()?;
    let id = within(&context, form, &id).await?;
    let chat = context.door.host.chat();
    let (edited, _) = chat.edit_own(&context.actor, &id, &text).await?;
    Ok(Effect::Ack(answer(&context, form, &edited)))
}

/// `message_deleted`.
pub(crate) async fn delete(context: Context, form: Form) -> Result<Effect, Problem> {
    let id = target(&context, form)?;
    let id = within(&context, form, &id).await?;
    context.door.host.chat().remove_own(&context.actor, &id).await?;
    let key = if form == Form::Tickets { "messageId" } else { "message_id" };
    let mut ack = Map::new();
    ack.insert(key.into(), id.as_str().into());
    if let (Form::Tickets, Some(ticket)) = (form, context.payload.get("ticketId")) {
        ack.insert("ticketId".into(), ticket.clone());
    }
    Ok(Effect::Ack(ack))
}

fn target(context: &Context, form: Form) -> Result<String, Problem> {
    if form == Form::Rooms {
        return named(&context.payload);
    }
    let mut fields = Fields::new(&context.payload);
    let key = if fields.value("messageId").is_some() { "messageId" } else { "message_id" };
    let id = fields.need_text(key, Text::ID);
    fields.done().map(|()| id)
}

/// The id of a message that is where the payload says.
async fn within(context: &Context, form: Form, id: &str) -> Result<MessageId, Problem> {
    if form == Form::Rooms {
        return Ok(seen(context, id).await?.id);
    }
    let chat = context.door.host.chat();
    let (ticket, _) = crate::tickets::ticket(context).await?;
    let (room, message) = chat.host_message(&context.actor, &message_id(id)?).await?;
    if room.id == ticket.room { Ok(message.id) } else { Err(Problem::not_found("Message")) }
}

fn answer(context: &Context, form: Form, message: &Message) -> Map<String, Value> {
    let viewer = &context.actor.user;
    match context.payload.get("ticketId").and_then(Value::as_str) {
        Some(ticket) if form == Form::Tickets => crate::tickets::sent(&context.door, message, ticket, viewer),
        _ => sent(&context.door, message, viewer),
    }
}

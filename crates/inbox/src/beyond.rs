//! What the guide's readers ask for later: reactions, pins, threads, search; by user name, like everything here.

use parlor_core::{
    id::{MessageId, RoomId},
    message::Message,
    store::MessageFilter,
};
use parlor_host::{
    call::{Answer, Call, answer},
    fields::{Fields, Text},
    page::{Habit, PageAsked},
    problem::Problem,
    rooms_draft, search,
};
use serde_json::{Value, json};

use crate::{
    acting::{Acting, Known, Unknown, acting},
    reading::of_body,
    shape,
};

/// The letter of cursors in these lists.
const CURSOR: char = 'b';

/// `POST /api/chat/react`.
pub(crate) async fn react(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let username = fields.text("username", Text::ID);
    let id = fields.need_text("message_id", Text::ID);
    let emoji = fields.need_text("emoji", Text::new(1, 100));
    let remove = fields.flag("remove").unwrap_or_default();
    fields.done()?;
    let (who, id) = known(&call, username.as_deref(), &id).await?;
    let message = call.host.chat().react(&who.actor, &id, &emoji, Some(!remove)).await?;
    changed(&call, &who, &message).await
}

/// `POST /api/chat/pin`.
pub(crate) async fn pin(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let username = fields.text("username", Text::ID);
    let id = fields.need_text("message_id", Text::ID);
    let pinned = fields.flag("pinned").unwrap_or(true);
    fields.done()?;
    let (who, id) = known(&call, username.as_deref(), &id).await?;
    let chat = call.host.chat();
    let message = match pinned {
        true => chat.pin(&who.actor, &id).await?,
        false => chat.unpin(&who.actor, &id).await?,
    };
    changed(&call, &who, &message).await
}

/// Whoever acts, and a message that he may read.
async fn known(call: &Call, username: Option<&str>, id: &str) -> Result<(Acting, MessageId), Problem> {
    let who = of_body(call, username).await?;
    let id = rooms_draft::message_id(id)?;
    call.host.chat().host_message(&who.actor, &id).await?;
    Ok((who, id))
}

async fn changed(call: &Call, who: &Acting, message: &Message) -> Answer {
    let shown = Shown::new(call, who).one(message).await?;
    answer(200, &json!({ "success": true, "username": who.user.username, "message": shown }))
}

/// Messages of several rooms as somebody sees them; each room is looked up once.
struct Shown<'a> {
    call: &'a Call,
    who: &'a Acting,
    places: Vec<(shape::Place, i64)>,
}

impl<'a> Shown<'a> {
    fn new(call: &'a Call, who: &'a Acting) -> Self {
        Self { call, who, places: Vec::new() }
    }

    async fn one(&mut self, message: &Message) -> Result<Value, Problem> {
        let chat = self.call.host.chat();
        if self.places.iter().all(|(place, _)| place.room.id != message.room) {
            let (room, read) = chat.inbox_place(&self.who.actor, &message.room).await?;
            self.places.push((shape::Place::of(chat, &room).await?, read));
        }
        let found = self.places.iter().find(|(place, _)| place.room.id == message.room);
        let (place, read) = found.ok_or_else(|| Problem::not_found("Room"))?;
        Ok(shape::message(&self.call.host, &self.who.user, place, message, *read))
    }

    async fn all(&mut self, messages: &[Message]) -> Result<Vec<Value>, Problem> {
        let mut shown = Vec::with_capacity(messages.len());
        for message in messages {
            shown.push(self.one(message).await?);
        }
        Ok(shown)
    }
}

/// `GET /api/chat/search/<username>`: what is newest, the oldest of it first.
pub(crate) async fn search(call: Call) -> Answer {
    let Some(who) = of_path(&call).await? else { return nobody(&call) };
    let text = search::wanted(&call.query)?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let room = room(&call)?;
    let (found, pagination) =
        search::found(call.host.chat(), &who.actor, room.as_ref(), text, &counted).await?;
    listed(&call, &who, &found, &pagination).await
}

/// `GET /api/chat/pinned/<username>?room_id=`: the latest first.
pub(crate) async fn pinned(call: Call) -> Answer {
    let Some(who) = of_path(&call).await? else { return nobody(&call) };
    let room = room(&call)?.ok_or_else(|| Problem::invalid_query("room_id", "is required"))?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let filter = MessageFilter { pinned: true, ..MessageFilter::default() };
    let found = call.host.chat().list_messages(&who.actor, &room, filter, counted.page()).await?;
    listed(&call, &who, &found.items, &counted.told(found.items.len(), found.total)).await
}

/// `GET /api/chat/thread/<username>?message_id=`: the replies, oldest first.
pub(crate) async fn thread(call: Call) -> Answer {
    let Some(who) = of_path(&call).await? else { return nobody(&call) };
    let root =
        call.query.get("message_id").ok_or_else(|| Problem::invalid_query("message_id", "is required"))?;
    let root = rooms_draft::message_id(root)?;
    let asked = PageAsked::of_query(&call.query, Habit::Cursors)?;
    let counted = asked.counted(CURSOR)?;
    let (_, found) = call.host.chat().thread_messages(&who.actor, &root, false, counted.page()).await?;
    listed(&call, &who, &found.items, &counted.told(found.items.len(), found.total)).await
}

async fn of_path(call: &Call) -> Result<Option<Acting>, Problem> {
    let name = call.path("username").to_owned();
    acting(call, "path", "username", Some(&name), Unknown::Left, Known::default()).await
}

/// What a name that nobody has finds.
fn nobody(call: &Call) -> Answer {
    let page = PageAsked::start(50).told(false, None, None);
    let body = json!({
        "success": true, "username": call.path("username"), "known": false, "messages": [], "pagination": page,
    });
    answer(200, &body)
}

fn room(call: &Call) -> Result<Option<RoomId>, Problem> {
    let unknown = || Problem::not_found("Room");
    call.query.get("room_id").map(|id| RoomId::parse(id).ok_or_else(unknown)).transpose()
}

async fn listed(call: &Call, who: &Acting, messages: &[Message], pagination: &Value) -> Answer {
    let shown = Shown::new(call, who).all(messages).await?;
    let body = json!({
        "success": true, "username": who.user.username, "known": true, "messages": shown, "pagination": pagination,
    });
    answer(200, &body)
}

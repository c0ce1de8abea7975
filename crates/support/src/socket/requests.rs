//! Requests, by their type.

use std::sync::Arc;

use parlor_core::{
    case::Queue,
    id::{MessageId, RoomId},
    messages::Sending,
    session::Actor,
};
use parlor_host::{Fields, PageAsked, Problem, Text, iso, page::Habit};
use parlor_live::{Answer, Step};
use serde_json::{Map, Value};

use super::{
    ears::Wire,
    joining::{Join, join, join_read},
    session::{Asked, Done, Support},
};
use crate::{
    acts::{Acts, Keys, Turn, problem},
    beyond,
    catalogue::REQUESTS,
    envelope::{Frame, frame},
    fields,
};

/// Conversations that one connection may join.
const MOST_JOINED: usize = 1_000;

impl Support {
    /// Starts a request.
    pub(super) fn request(&mut self, asked: Frame) -> Step<Done> {
        let Ok(actor) = self.actor() else { return Step::Done };
        let wire = self.wire.clone();
        match asked.kind.as_str() {
            "ping" => self.pong(asked),
            known if asked.bad_data && REQUESTS.iter().any(|request| request.name == known) => {
                self.answered_now(asked, Err(Problem::invalid("data", "must be an object")))
            }
            "send_chat_message" => {
                let enqueuing = Box::pin(async move {
                    let sending = enqueue(&wire, &actor, asked.fields()).await;
                    Done::Enqueued { to: to(asked), sending }
                });
                Step::queued(enqueuing, |done| match done {
                    Done::Enqueued { to, sending: Ok(sending) } => self.stored(to, sending),
                    refused => Step::ready(refused),
                })
            }
            "create_support_conversation" => self.joining(asked, open(wire, actor)),
            "join_conversation" => self.join(asked, "conversation_id"),
            "join_room" => self.join_room(asked),
            "claim_conversation" => self.joining(asked, claim(wire, actor)),
            "join_support_room" => {
                let name = asked.fields().text("room_type", Text::ID);
                self.watch(asked, name)
            }
            "leave_support_room" => self.unwatch(asked),
            "leave_conversation" => self.leave_conversation(asked),
            "typing_indicator" => self.typing(asked),
            "mark_message_read" => Step::Answer(Box::pin(async move {
                let answer = mark_read(&wire, &actor, asked.fields()).await;
                Done::Answered { to: to(asked), answer }
            })),
            "get_active_conversations"
            | "get_conversation_messages"
            | "close_conversation"
            | "reopen_conversation"
            | "react_to_message"
            | "pin_message"
            | "get_thread_messages"
            | "search_messages"
            | "get_presence" => Step::Answer(Box::pin(async move {
                let acts = Acts { host: &wire.door.host, actor: &actor };
                let answer = quiet(acts, &asked).await;
                Done::Answered { to: to(asked), answer }
            })),
            _ => {
                let unknown = Problem::new(400, "unknown_type", "There is no such request");
                self.bad(asked.id, &unknown)
            }
        }
    }

    fn pong(&self, asked: Frame) -> Step<Done> {
        let now = self.door.host.now();
        let mut keys = Map::new();
        if let Some(given) = asked.fields().value("timestamp") {
            keys.insert("timestamp".into(), given.clone());
        }
        keys.insert("server_time".into(), iso(now).into());
        keys.extend(asked.id.map(|id| ("request_id".to_owned(), id)));
        Step::ready(Done::Said(frame("pong", keys, now)))
    }

    /// Refuses at once, in the order of the requests.
    fn answered_now(&self, asked: Frame, answer: Keys) -> Step<Done> {
        let to = to(asked);
        Step::Answer(Box::pin(async move { Done::Answered { to, answer } }))
    }

    /// Whether a request would join one conversation too many; what is joined already may be joined again.
    fn is_full(&self, asked: &Frame) -> bool {
        if self.joined.len() < MOST_JOINED {
            return false;
        }
        let mut fields = asked.fields();
        let named = match asked.kind.as_str() {
            "create_support_conversation" => None,
            "join_room" => fields.text("room_id", Text::ID),
            _ => fields.text("conversation_id", Text::ID),
        };
        let room = named.as_deref().and_then(RoomId::parse);
        room.is_none_or(|room| !self.joined.contains_key(&room))
    }

    /// A request that ends with joining a conversation.
    fn joining(
        &self,
        asked: Frame,
        work: impl FnOnce(Frame) -> Answer<(Frame, Result<Join, Problem>)>,
    ) -> Step<Done> {
        if self.is_full(&asked) {
            return self.answered_now(asked, Err(limit_reached()));
        }
        let work = work(asked);
        Step::Wait(Box::pin(async move {
            let (asked, joined) = work.await;
            Done::Joined { to: to(asked), joined }
        }))
    }

    fn join(&self, asked: Frame, name: &'static str) -> Step<Done> {
        if self.is_full(&asked) {
            return self.answered_now(asked, Err(limit_reached()));
        }
        let (wire, actor) = (self.wire.clone(), self.actor());
        Step::Wait(Box::pin(async move {
            let joined = async {
                let mut fields = asked.fields();
                let room = fields.need_text(name, Text::ID);
                let page = PageAsked::of_fields(&fields, Habit::Cursors);
                fields.done()?;
                join(&wire, &actor?, fields::room(&room)?, page?).await
            };
            let joined = joined.await;
            Done::Joined { to: to(asked), joined }
        }))
    }

    /// A support room by its name, else a conversation.
    fn join_room(&self, asked: Frame) -> Step<Done> {
        let name = asked.fields().text("room_id", Text::ID);
        match name.as_deref().and_then(Queue::parse) {
            Some(_) => self.watch(asked, name),
            None => self.join(asked, "room_id"),
        }
    }

    fn watch(&self, asked: Frame, name: Option<String>) -> Step<Done> {
        let (wire, actor) = (self.wire.clone(), self.actor());
        Step::Wait(Box::pin(async move {
            let view = name.as_deref().and_then(Queue::parse);
            let answer = async {
                let actor = actor?;
                let chat = wire.door.host.chat();
                let user = chat.user(&actor.user).await?.ok_or_else(Problem::invalid_token)?;
                if !parlor_core::cases::is_control(&user) {
                    let denied = parlor_core::cases_list::DESK_DENIED;
                    return Err(problem(parlor_core::error::Refusal::NotAllowed(denied)));
                }
                let view = view.ok_or_else(|| not_a_view(&asked.fields()))?;
                let page = PageAsked::of_fields(&asked.fields(), Habit::Cursors)?;
                Acts { host: &wire.door.host, actor: &actor }.waiting(view, &page).await
            };
            let answer = answer.await;
            Done::Watched { to: to(asked), view: view.unwrap_or(Queue::General), answer }
        }))
    }

    fn unwatch(&self, asked: Frame) -> Step<Done> {
        let (wire, actor) = (self.wire.clone(), self.actor());
        Step::Wait(Box::pin(async move {
            let answer = async {
                let actor = actor?;
                let user =
                    wire.door.host.chat().user(&actor.user).await?.ok_or_else(Problem::invalid_token)?;
                if !parlor_core::cases::is_control(&user) {
                    let denied = parlor_core::cases_list::DESK_DENIED;
                    return Err(problem(parlor_core::error::Refusal::NotAllowed(denied)));
                }
                let name = asked.fields().text("room_type", Text::ID);
                let view = name.as_deref().and_then(Queue::parse);
                let view = view.ok_or_else(|| not_a_view(&asked.fields()))?;
                wire.views.lock().retain(|watched| *watched != view);
                tracing::info!(user = %wire.user, view = view.as_str(), "left");
                Ok(Map::from_iter([("room_type".to_owned(), view.as_str().into())]))
            };
            let answer = answer.await;
            Done::Answered { to: to(asked), answer }
        }))
    }

    fn leave_conversation(&mut self, asked: Frame) -> Step<Done> {
        let mut fields = asked.fields();
        let id = fields.need_text("conversation_id", Text::ID);
        let answer = fields.done().map(|()| {
            if let Ok(room) = fields::room(&id) {
                self.leave(&room);
            }
            Map::from_iter([("conversation_id".to_owned(), Value::from(id))])
        });
        self.answered_now(asked, answer)
    }

    /// Waits until a message is on disk.
    pub(super) fn stored(&self, to: Asked, sending: Sending) -> Step<Done> {
        let (door, actor) = (self.door.clone(), self.actor());
        Step::Answer(Box::pin(async move {
            let answer = match &actor {
                Ok(actor) => {
                    let acts = Acts { host: &door.host, actor };
                    acts.stored(sending).await.map(|(keys, _)| keys)
                }
                Err(problem) => Err(problem.clone()),
            };
            Done::Answered { to, answer }
        }))
    }

    fn typing(&self, asked: Frame) -> Step<Done> {
        let mut fields = asked.fields();
        let id = fields.need_text("conversation_id", Text::ID);
        let on = fields.need_flag("is_typing");
        let checked = fields.done().and_then(|()| {
            let room = fields::room(&id).map_err(|_| not_in_room())?;
            if self.joined.contains_key(&room) { Ok(room) } else { Err(not_in_room()) }
        });
        let (wire, actor) = (self.wire.clone(), self.actor());
        Step::Answer(Box::pin(async move {
            let answer = async {
                let room = checked?;
                wire.door.host.chat().show_typing(&actor?, &room, on, wire.origin).await.map_err(problem)?;
                Ok(Map::from_iter([
                    ("conversation_id".to_owned(), Value::from(room.as_str())),
                    ("is_typing".to_owned(), on.into()),
                ]))
            };
            let answer = answer.await;
            Done::Answered { to: to(asked), answer }
        }))
    }
}

/// To which request an answer belongs.
fn to(asked: Frame) -> Asked {
    let room_id = match asked.kind.as_str() {
        "join_room" => asked.fields().text("room_id", Text::ID),
        _ => None,
    };
    Asked { kind: asked.kind, id: asked.id, room_id }
}

fn not_in_room() -> Problem {
    Problem::new(400, "not_in_room", "Join the conversation first")
}

fn limit_reached() -> Problem {
    Problem::new(400, "limit_reached", "A connection may join at most 1000 conversations")
}

fn not_a_view(fields: &Fields<'_>) -> Problem {
    let problem = match fields.value("room_type").or(fields.value("room_id")) {
        None => "is required",
        Some(Value::String(_)) => "must be the name of a support room",
        Some(_) => "must be a string",
    };
    Problem::invalid("room_type", problem)
}

async fn enqueue(
    wire: &Wire,
    actor: &Actor,
    mut fields: Fields<'_>,
) -> Result<parlor_core::messages::Sending, Problem> {
    let room = fields.need_text("conversation_id", Text::ID);
    let wanted = fields::message(&mut fields, true);
    fields.done()?;
    Acts { host: &wire.door.host, actor }.send(&room, wanted).await
}

async fn mark_read(wire: &Wire, actor: &Actor, mut fields: Fields<'_>) -> Keys {
    let room = fields.text("conversation_id", Text::ID);
    let named = fields::named(&mut fields);
    if room.is_none() && named.is_none() && !fields.has("message_ids") {
        fields.missing("message_id");
    }
    fields.done()?;
    let room = room.as_deref().map(fields::room).transpose()?;
    let ids = |ids: &[String]| ids.iter().filter_map(|id| MessageId::parse(id)).collect();
    let number = wire.marking.begin(named.as_deref().map(ids));
    let done = Acts { host: &wire.door.host, actor }.read(room, named).await;
    let marked = done.as_ref().ok().and_then(|keys| keys.get("message_ids")?.as_array());
    let marked = marked.into_iter().flatten().filter_map(|id| MessageId::parse(id.as_str()?));
    wire.marking.end(number, marked.collect());
    done
}

type Work = Answer<(Frame, Result<Join, Problem>)>;

fn open(wire: Arc<Wire>, actor: Actor) -> impl FnOnce(Frame) -> Work {
    move |asked| {
        Box::pin(async move {
            let joined = async {
                let acts = Acts { host: &wire.door.host, actor: &actor };
                wire.opening.begin();
                let opened = acts.open(asked.fields(), true).await;
                wire.opened(opened.as_ref().ok().map(|opened| &opened.conversation.room.id));
                let opened = opened?;
                join_read(&wire, &actor, &opened.conversation, acts.opened(&opened)).await
            };
            let joined = joined.await;
            (asked, joined)
        })
    }
}

fn claim(wire: Arc<Wire>, actor: Actor) -> impl FnOnce(Frame) -> Work {
    move |asked| {
        Box::pin(async move {
            let joined = async {
                let mut fields = asked.fields();
                let room = fields.need_text("conversation_id", Text::ID);
                fields.done()?;
                let acts = Acts { host: &wire.door.host, actor: &actor };
                let claimed = acts.turn(Turn::Claim, &fields::room(&room)?, "").await?;
                join_read(&wire, &actor, &claimed, acts.told(&claimed)).await
            };
            let joined = joined.await;
            (asked, joined)
        })
    }
}

/// Requests that change nothing about the connection.
async fn quiet(acts: Acts<'_>, asked: &Frame) -> Keys {
    let mut fields = asked.fields();
    match asked.kind.as_str() {
        "get_active_conversations" => {
            let status = fields.text("status", Text::ID);
            let page = PageAsked::of_fields(&fields, Habit::Skips);
            fields.done()?;
            acts.mine(fields::status(status.as_deref(), Some(true))?, &page?).await
        }
        "get_conversation_messages" => {
            let room = fields.need_text("conversation_id", Text::ID);
            let page = PageAsked::of_fields(&fields, Habit::Skips);
            fields.done()?;
            acts.messages(&fields::room(&room)?, &page?).await
        }
        turn @ ("close_conversation" | "reopen_conversation") => {
            let room = fields.need_text("conversation_id", Text::ID);
            let reason = fields.text("reason", Text::new(0, parlor_core::cases::MAX_REASON));
            fields.done()?;
            let turn = if turn == "close_conversation" { Turn::Close } else { Turn::Reopen };
            let room = fields::room(&room)?;
            let done = acts.turn(turn, &room, reason.as_deref().unwrap_or_default()).await?;
            Ok(acts.told(&done))
        }
        more => beyond::done(acts, more, fields).await,
    }
}

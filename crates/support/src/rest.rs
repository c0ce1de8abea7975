//! The same over REST.

use parlor_core::cases::MAX_REASON;
use parlor_host::{Answer, Call, Fields, PageAsked, Problem, Text, answer, page::Habit};
use serde_json::{Map, Value};

use crate::{
    acts::{Acts, Turn},
    fields,
};

fn acts(call: &Call) -> Result<Acts<'_>, Problem> {
    Ok(Acts { host: &call.host, actor: call.user()? })
}

fn ok(status: u16, keys: Map<String, Value>) -> Answer {
    answer(status, &Value::Object(keys))
}

/// The caller's conversations, all unless `status` says which.
pub(crate) async fn list(call: Call) -> Answer {
    let acts = acts(&call)?;
    let page = PageAsked::of_query(&call.query, Habit::Skips)?;
    let open = fields::status(call.query.get("status"), None)?;
    ok(200, acts.mine(open, &page).await?)
}

pub(crate) async fn one(call: Call) -> Answer {
    let acts = acts(&call)?;
    let found = acts.one(&fields::room(call.path("id"))?).await?;
    ok(200, acts.told(&found))
}

pub(crate) async fn messages(call: Call) -> Answer {
    let acts = acts(&call)?;
    let page = PageAsked::of_query(&call.query, Habit::Skips)?;
    ok(200, acts.messages(&fields::room(call.path("id"))?, &page).await?)
}

pub(crate) async fn create(mut call: Call) -> Answer {
    call.user()?;
    let body = call.object().await?;
    let acts = acts(&call)?;
    let opened = acts.open(Fields::new(&body), false).await?;
    ok(if opened.duplicate { 200 } else { 201 }, acts.opened(&opened))
}

pub(crate) async fn send(mut call: Call) -> Answer {
    call.user()?;
    let body = call.object().await?;
    let acts = acts(&call)?;
    let mut fields = Fields::new(&body);
    let wanted = fields::message(&mut fields, true);
    fields.done()?;
    let sending = acts.send(call.path("id"), wanted).await?;
    let (keys, duplicate) = acts.stored(sending).await?;
    ok(if duplicate { 200 } else { 201 }, keys)
}

pub(crate) async fn claim(call: Call) -> Answer {
    turn(call, Turn::Claim).await
}

pub(crate) async fn close(call: Call) -> Answer {
    turn(call, Turn::Close).await
}

pub(crate) async fn reopen(call: Call) -> Answer {
    turn(call, Turn::Reopen).await
}

async fn turn(mut call: Call, turn: Turn) -> Answer {
    call.user()?;
    let body = call.object_if_any().await?;
    let mut fields = Fields::new(&body);
    let reason = fields.text("reason", Text::new(0, MAX_REASON)).unwrap_or_default();
    fields.done()?;
    let acts = acts(&call)?;
    let done = acts.turn(turn, &fields::room(call.path("id"))?, &reason).await?;
    ok(200, acts.told(&done))
}

pub(crate) async fn read(mut call: Call) -> Answer {
    call.user()?;
    let body = call.object_if_any().await?;
    let mut fields = Fields::new(&body);
    let named = fields::named(&mut fields);
    fields.done()?;
    let room = fields::room(call.path("id"))?;
    ok(200, acts(&call)?.read(Some(room), named).await?)
}

pub(crate) async fn add_participant(mut call: Call) -> Answer {
    call.user()?;
    let body = call.object().await?;
    let mut fields = Fields::new(&body);
    let user = fields.need_text("user_id", Text::ID);
    fields.done()?;
    let room = fields::room(call.path("id"))?;
    ok(200, acts(&call)?.add(&room, &user).await?)
}

//! Sending.

use std::sync::Arc;

use parlor_core::{
    cases::is_control,
    error::{Refusal, What},
    id::{MessageId, RoomId, UserId},
    message::FileCard,
    messages::{Draft, Sent},
    room::Room,
};
use parlor_host::{
    attached,
    call::{Answer, Call, answer},
    caller::Caller,
    fields::{Fields, Text},
    problem::Problem,
};
use serde_json::json;

use crate::{
    acting::{Acting, Known, Unknown, acting, check_name, people},
    shape,
};

/// The team that is nobody's: each user's own support case.
pub(crate) const SUPPORT: &str = "support";

/// Where a message shall go.
enum Target {
    Team(String),
    Support(Option<String>),
    Person(String),
    Group(String),
    Room(String),
}

/// What a body asks for.
struct Asked {
    from: Option<String>,
    email: Option<String>,
    name: Option<String>,
    target: Target,
    draft: Draft,
    files: Vec<String>,
}

/// `POST /api/chat/send`.
pub(crate) async fn send(mut call: Call) -> Answer {
    call.caller()?;
    let body = call.object().await?;
    let asked = read(Fields::new(&body))?;
    let known = Known { name: asked.name.as_deref(), email: asked.email.as_deref() };
    let from = acting(&call, "body", "from_name", asked.from.as_deref(), Unknown::Made, known).await?;
    let from = from.ok_or_else(|| Problem::not_found("User"))?;
    let sent = deliver(&call, &from, asked.target, asked.draft, &asked.files).await.map_err(renamed)?;
    told(&call, &from, sent).await
}

/// Who sent it reads what the room is now.
async fn told(call: &Call, from: &Acting, (room, sent): (Arc<Room>, Sent)) -> Answer {
    let host = &call.host;
    let found = host.chat().inbox_room(&from.actor, &room.id).await?;
    let place = shape::Place::of(host.chat(), &found.room).await?;
    let body = json!({
        "success": true,
        "message": shape::message(host, &from.user, &place, &sent.message, i64::MAX),
        "room": shape::room(host, &from.user, &found).await?,
    });
    answer(if sent.duplicate { 200 } else { 201 }, &body)
}

fn read(mut fields: Fields<'_>) -> Result<Asked, Problem> {
    let (from, alias) = (fields.text("from_name", Text::ID), fields.text("username", Text::ID));
    if let (Some(from), Some(alias)) = (&from, &alias)
        && !from.eq_ignore_ascii_case(alias)
    {
        fields.fault("username", "differs from from_name");
    }
    let with_files =
        fields.value("attachments").and_then(|list| list.as_array()).is_some_and(|l| !l.is_empty());
    let text = match with_files {
        // Files speak for themselves.
        true => fields.text("message", Text::MESSAGE).unwrap_or_default(),
        false => fields.need_text("message", Text::MESSAGE),
    };
    let places = ["team", "to", "group", "room_id"].map(|name| fields.text(name, Text::ID));
    let (email, name) = (fields.text("email", Text::new(1, 254)), fields.text("name", Text::new(1, 128)));
    let draft = Draft {
        text,
        client_id: fields.client_id(&["client_id"]),
        metadata: fields.object("metadata"),
        reply_to: fields.text("reply_to_id", Text::ID).map(MessageId::from),
        thread: fields.text("thread_id", Text::ID).map(MessageId::from),
        from_host: true,
        ..Draft::default()
    };
    let files = attached::asked(&mut fields, "attachments");
    let target = match target(places) {
        Ok(target) => target,
        Err(problem) => {
            fields.fault(problem.0, problem.1);
            Target::Team(String::new())
        }
    };
    fields.done()?;
    Ok(Asked { from: from.or(alias), email, name, target, draft, files })
}

fn target(places: [Option<String>; 4]) -> Result<Target, (&'static str, &'static str)> {
    match places {
        [None, None, None, None] => Ok(Target::Team("general".to_owned())),
        [Some(team), to, None, None] if team.eq_ignore_ascii_case(SUPPORT) => Ok(Target::Support(to)),
        [Some(team), None, None, None] => Ok(Target::Team(team)),
        [None, Some(to), None, None] => Ok(Target::Person(to)),
        [None, None, Some(group), None] => Ok(Target::Group(group)),
        [None, None, None, Some(room)] => Ok(Target::Room(room)),
        _ => Err(("team", "only one of team, to, group and room_id can be given")),
    }
}

async fn deliver(
    call: &Call,
    from: &Acting,
    target: Target,
    draft: Draft,
    files: &[String],
) -> Result<(Arc<Room>, Sent), Problem> {
    let (chat, actor) = (call.host.chat(), &from.actor);
    let room = match target {
        Target::Support(to) => {
            let requester = match &to {
                Some(name) => Some(the_one(call, name).await?.id.clone()),
                None => None,
            };
            let client_id = draft.client_id.as_deref();
            let files = files_for_case(call, from, requester.as_ref(), client_id, files).await?;
            return Ok(chat.send_to_support(actor, requester.as_ref(), Draft { files, ..draft }).await?);
        }
        Target::Team(team) => chat.join_team_channel(actor, &team).await?,
        Target::Person(name) => {
            check_name("body", "to", &name)?;
            if from.user.username.eq_ignore_ascii_case(&name) {
                return Err(Problem::invalid("to", "must be somebody else"));
            }
            let other = the_one(call, &name).await?;
            chat.direct_room(actor, std::slice::from_ref(&other.username), false).await?.0
        }
        Target::Group(wanted) => chat.group_of(actor, &wanted).await?,
        Target::Room(id) => {
            let id = RoomId::parse(&id).ok_or(Refusal::NotFound(What::Room))?;
            chat.inbox_room(actor, &id).await?.room
        }
    };
    let client_id = draft.client_id.as_deref();
    let files = attached::cards(&call.host, actor, Some(&room.id), client_id, files).await?;
    let sent = chat.post(actor, Draft { room: Some(room.id.clone()), files, ..draft }).await?;
    Ok((room, sent))
}

/// Files for the case that a message to `support` goes to, or opens.
async fn files_for_case(
    call: &Call,
    from: &Acting,
    requester: Option<&UserId>,
    client_id: Option<&str>,
    files: &[String],
) -> Result<Vec<FileCard>, Problem> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let whose = requester.filter(|_| is_control(&from.user)).unwrap_or(&from.user.id);
    let case = call.host.chat().open_case_of(whose).await?;
    attached::cards(&call.host, &from.actor, case.as_ref(), client_id, files).await
}

/// Whom a name means.
async fn the_one(call: &Call, name: &str) -> Result<Arc<parlor_core::user::User>, Problem> {
    check_name("body", "to", name)?;
    let found = people(call, "to", std::slice::from_ref(&name.to_owned())).await;
    found
        .map_err(|problem| Problem { detail: None, ..problem })?
        .pop()
        .ok_or_else(|| Problem::not_found("User"))
}

/// Fields as this contract names them.
pub(crate) fn renamed(mut problem: Problem) -> Problem {
    if problem.faults.is_empty() {
        return problem;
    }
    for fault in &mut problem.faults {
        let name = match fault.field.as_str() {
            "text" | "msg" => "message",
            "room-name" => "name",
            "users" => "members",
            _ => continue,
        };
        fault.field = name.to_owned();
    }
    Problem::validation(problem.faults)
}

/// Whether the caller is the application.
pub(crate) fn is_application(call: &Call) -> bool {
    matches!(call.caller(), Ok(Caller::App))
}

//! `support.*`: cases for clients of this door, which Rocket.Chat itself does not have. The verbs are those of the
//! support door; field staff asks, the control centre answers.

use parlor_core::{
    case::{Conversation, Priority},
    cases::NewCase,
    cases_list::Part,
    desk::{Mark, Note, Standing},
    error::Refusal,
    id::RoomId,
    messages::Draft,
    ticket::Ticket,
    user::User,
};
use serde_json::{Value, json};

use super::rooms_call::{Body, user};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    let closed = "support-role-required";
    vec![
        get("support.desk", Who::User, "", desk).answering(closed),
        get("support.mine", Who::User, "", mine),
        get("support.info", Who::Reader, "roomId=$private", info).answering("error-room-not-found"),
        get("support.notes", Who::Reader, "roomId=$private", notes).answering(closed),
        post("support.open", Who::User, r#"{"title":"t","text":"x"}"#, open).answering(closed),
        post("support.claim", Who::Reader, r#"{"roomId":"$private"}"#, claim).answering(closed),
        post("support.close", Who::Reader, r#"{"roomId":"$private"}"#, close).answering(closed),
        post("support.reopen", Who::Reader, r#"{"roomId":"$private"}"#, reopen).answering(closed),
        post("support.acknowledge", Who::Reader, r#"{"roomId":"$private"}"#, acknowledge).answering(closed),
        post("support.note", Who::Reader, r#"{"roomId":"$private","text":"x"}"#, note).answering(closed),
        post("support.transfer", Who::Reader, r#"{"roomId":"$private","userId":"$user"}"#, transfer)
            .answering(closed),
    ]
}

/// Refusals in words that clients can tell apart. A room that is no case is a room that is not there.
fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("role_required" | "support_room_denied" | "forbidden") => {
            Refused::meteor("support-role-required", "Only those who answer cases may do that")
        }
        Refusal::Invalid { field: "participants", .. } => {
            Refused::meteor("support-role-required", "Only those who ask for help may do that")
        }
        Refusal::NotFound(_) => Refused::meteor("error-room-not-found", "Room not found"),
        Refusal::Invalid { field: "user", .. } => {
            Refused::meteor("error-invalid-user", "Must be somebody else who answers cases")
        }
        other => other.into(),
    }
}

fn room(id: &str) -> Result<RoomId, Refused> {
    RoomId::parse(id).ok_or_else(|| Refused::meteor("error-room-not-found", "Room not found"))
}

fn person(user: &User) -> Value {
    json!({ "_id": user.id.as_str(), "username": user.username, "name": user.shown_name() })
}

fn marked(mark: &Mark) -> Value {
    json!({ "_id": mark.by.as_str(), "name": mark.name, "at": Dates::Iso.value(mark.at) })
}

fn noted(note: &Note) -> Value {
    json!({ "_id": note.id, "text": note.text, "by": marked(&note.mark) })
}

/// The case without who serves it.
fn case(found: &Conversation) -> Value {
    let room = &found.room;
    let mut shown = json!({
        "rid": room.id.as_str(), "name": room.name, "title": room.shown_name(), "open": found.is_open(),
        "createdAt": Dates::Iso.value(room.created_at),
    });
    if let Some(case) = &found.case {
        shown["queue"] = case.queue.as_str().into();
        shown["priority"] = case.priority.as_str().to_lowercase().into();
        shown["waitingSince"] = Dates::Iso.value(case.waiting_since);
        if let Some((_, at)) = &case.closed {
            shown["closedAt"] = Dates::Iso.value(*at);
        }
    }
    if let Some(requester) = &found.requester {
        shown["requester"] = person(requester);
        shown["requester"]["roles"] = json!(requester.words());
    }
    if let Some(last) = &found.last {
        let text: String = last.text.chars().take(200).collect();
        shown["last"] = json!({ "text": text, "at": Dates::Iso.value(last.at), "u": last.author.as_str() });
    }
    shown
}

fn standing(found: &Standing) -> Value {
    let mut shown = case(&found.conversation);
    shown["servedBy"] = found.served_by.iter().map(|user| person(user)).collect();
    if let Some(mark) = &found.acknowledged {
        shown["acknowledgedBy"] = marked(mark);
    }
    if let Some(ahead) = found.ahead {
        shown["ahead"] = ahead.into();
    }
    shown
}

/// Open cases, the longest waiting first; `status=closed` the closed ones, the last active first.
async fn desk(call: Call) -> Outcome {
    let page = call.page()?;
    let open = call.param("status") != Some("closed");
    let part = Part { skip: page.offset, limit: page.count, count: true, ..Part::default() };
    let (all, listed) = call.chat().desk(call.actor()?, open, part).await.map_err(refused)?;
    let cases: Vec<Value> = all.iter().map(standing).collect();
    success(json!({ "count": cases.len(), "cases": cases, "offset": page.offset, "total": listed.total }))
}

/// The cases that the caller takes part in.
async fn mine(call: Call) -> Outcome {
    let page = call.page()?;
    let part = Part { skip: page.offset, limit: page.count, count: true, ..Part::default() };
    let listed = call.chat().my_cases(call.actor()?, None, part).await.map_err(refused)?;
    let cases: Vec<Value> = listed.items.iter().map(case).collect();
    success(json!({ "count": cases.len(), "cases": cases, "offset": page.offset, "total": listed.total }))
}

fn facts(ticket: &Ticket) -> Value {
    json!({
        "id": ticket.id, "title": ticket.title, "status": ticket.status, "category": ticket.category,
        "vendor": ticket.vendor, "createdAt": Dates::Iso.value(ticket.created_at),
        "updatedAt": Dates::Iso.value(ticket.updated_at),
    })
}

/// How a case stands, or a ticket's facts with the names of the people they name.
async fn info(call: Call) -> Outcome {
    let id = room(call.need("roomId")?)?;
    let (chat, actor) = (call.chat(), call.actor()?);
    let (_, ticket) = chat.room_with_ticket(actor, &id).await.map_err(refused)?;
    if let Some(ticket) = ticket {
        let mut shown = facts(&ticket);
        let named = |ids: Vec<_>| async move {
            let known = chat.users_by_id(&ids).await?;
            Ok::<Value, Refusal>(known.iter().map(|user| person(user)).collect())
        };
        shown["createdBy"] = named(vec![ticket.created_by.clone()]).await?;
        shown["assignees"] = named(ticket.assignees.iter().take(50).cloned().collect()).await?;
        shown["verifiedBy"] = named(ticket.verified_by.iter().take(50).cloned().collect()).await?;
        return success(json!({ "ticket": shown }));
    }
    let found = chat.case_standing(actor, &id).await.map_err(refused)?;
    success(json!({ "case": standing(&found) }))
}

async fn answer(call: &Call, id: &RoomId) -> Outcome {
    let found = call.chat().case_standing(call.actor()?, id).await.map_err(refused)?;
    success(json!({ "case": standing(&found) }))
}

/// `title`, `text`, `priority` (`normal`, `high`, `emergency`).
async fn open(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let priority = match body.text("priority")? {
        Some(word) => Priority::parse(word).ok_or_else(|| Refused::invalid_params("unknown priority"))?,
        None => Priority::Normal,
    };
    let text = body.need("text")?;
    let message = Draft { text: text.to_owned(), ..Draft::default() };
    let title = body.need("title")?.to_owned();
    let wanted = NewCase { title, message: Some(message), participants: Vec::new(), priority };
    let opened = call.chat().open_case(call.actor()?, wanted).await.map_err(refused)?;
    answer(&call, &opened.conversation.room.id).await
}

async fn named(call: &mut Call) -> Result<(Body, RoomId), Refused> {
    let body = Body::of(call).await?;
    let id = room(body.need("roomId")?)?;
    Ok((body, id))
}

async fn claim(mut call: Call) -> Outcome {
    let (_, id) = named(&mut call).await?;
    call.chat().claim_case(call.actor()?, &id).await.map_err(refused)?;
    answer(&call, &id).await
}

async fn close(mut call: Call) -> Outcome {
    let (body, id) = named(&mut call).await?;
    let reason = body.text("reason")?.unwrap_or_default();
    call.chat().close_case(call.actor()?, &id, reason).await.map_err(refused)?;
    answer(&call, &id).await
}

async fn reopen(mut call: Call) -> Outcome {
    let (body, id) = named(&mut call).await?;
    let reason = body.text("reason")?.unwrap_or_default();
    call.chat().reopen_case(call.actor()?, &id, reason).await.map_err(refused)?;
    answer(&call, &id).await
}

async fn acknowledge(mut call: Call) -> Outcome {
    let (_, id) = named(&mut call).await?;
    let mark = call.chat().acknowledge_case(call.actor()?, &id).await.map_err(refused)?;
    success(json!({ "acknowledgedBy": marked(&mark) }))
}

async fn note(mut call: Call) -> Outcome {
    let (body, id) = named(&mut call).await?;
    let written = call.chat().note_case(call.actor()?, &id, body.need("text")?).await.map_err(refused)?;
    success(json!({ "note": noted(&written) }))
}

/// What the control centre keeps for itself about a case, and the answers that it gives often.
async fn notes(call: Call) -> Outcome {
    let id = room(call.need("roomId")?)?;
    let all = call.chat().case_notes(call.actor()?, &id).await.map_err(refused)?;
    let notes: Vec<Value> = all.iter().map(noted).collect();
    success(json!({ "notes": notes, "replies": call.chat().settings().list("Livechat_Canned_Replies") }))
}

/// To `userId` or `username`, with a `note` for whoever comes.
async fn transfer(mut call: Call) -> Outcome {
    let (body, id) = named(&mut call).await?;
    let to = user(&call, body.text("userId")?, body.text("username")?).await?;
    let note = body.text("note")?.unwrap_or_default();
    call.chat().transfer_case(call.actor()?, &id, &to.id, note).await.map_err(refused)?;
    answer(&call, &id).await
}

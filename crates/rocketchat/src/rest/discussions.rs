//! Discussions: `rooms.createDiscussion`, `rooms.getDiscussions`.

use parlor_core::{
    discussions::NewDiscussion,
    error::{Refusal, What},
    id::{MessageId, RoomId},
};
use serde_json::{Value, json};

use super::{
    channels::answer_list,
    rooms_call::{Body, refuse, texts},
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    shape,
    who::Who,
};

pub(crate) fn routes() -> Vec<Route> {
    vec![
        post("rooms.createDiscussion", Who::Member, r#"{"prid":"$private","t_name":"$name"}"#, create),
        get("rooms.getDiscussions", Who::Reader, "roomId=$private", list),
    ]
}

fn required(name: &str) -> Refused {
    Refused::new(format!("Body parameter \"{name}\" is required."))
}

async fn create(mut call: Call) -> Outcome {
    let body = Body::of(&mut call).await?;
    let parent = body.text("prid")?.ok_or_else(|| required("prid"))?;
    let title = body.text("t_name")?.ok_or_else(|| required("t_name"))?.to_owned();
    let users = match body.get("users") {
        None => Vec::new(),
        Some(Value::Array(items)) => texts(items)?,
        Some(_) => return Err(Refused::new("Body parameter \"users\" must be an array.")),
    };
    let encrypted = match body.get("encrypted") {
        None => false,
        Some(Value::Bool(on)) => *on,
        Some(_) => return Err(Refused::new("Body parameter \"encrypted\" must be a boolean when included.")),
    };
    let unknown_room = || Refused::meteor("error-invalid-room", "Invalid room");
    let unknown_message = || Refused::meteor("error-invalid-message", "Invalid message");
    let about = match body.text("pmid")? {
        Some(id) => Some(MessageId::parse(id).ok_or_else(unknown_message)?),
        None => None,
    };
    let wanted = NewDiscussion {
        parent: RoomId::parse(parent).ok_or_else(unknown_room)?,
        about,
        title,
        reply: body.text("reply")?.unwrap_or_default().to_owned(),
        users,
        encrypted,
    };
    let made = call.chat().start_discussion(call.actor()?, wanted).await;
    let room = made.map_err(refuse_discussion)?;
    let mut value = shape::room::current(call.chat(), call.actor()?, &room, Dates::Iso).await?;
    value["rid"] = room.id.as_str().into();
    success(json!({ "discussion": value }))
}

pub(crate) fn refuse_discussion(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(What::Room) => Refused::meteor("error-invalid-room", "Invalid room"),
        Refusal::NotFound(What::Message) => Refused::meteor("error-invalid-message", "Invalid message"),
        Refusal::NotAllowed(_) | Refusal::Disabled(_) => {
            Refused::meteor("error-action-not-allowed", "You are not allowed to create a discussion")
        }
        Refusal::Invalid { field: "parent", .. } => {
            Refused::meteor("error-nested-discussion", "Cannot create nested discussions")
        }
        Refusal::Invalid { field: "reply", .. } => Refused::meteor(
            "error-invalid-arguments",
            "Encrypted discussions must not receive an initial reply.",
        ),
        other => refuse(other),
    }
}

async fn list(call: Call) -> Outcome {
    let (id, name) = (call.param("roomId"), call.param("roomName"));
    let wanted = match (id, name) {
        (Some(id), _) => parlor_core::rooms::RoomRef::Id(id),
        (None, Some(name)) => parlor_core::rooms::RoomRef::Name(name),
        (None, None) => {
            let text = "The parameter \"roomId\" or \"roomName\" is required";
            return Err(Refused::meteor("error-roomid-param-not-provided", text));
        }
    };
    let actor = call.actor()?;
    let room = call.chat().find_known_room(actor, wanted).await?;
    if !call.chat().can_read(actor, &room).await? {
        return Err(Refused::new("Not Allowed"));
    }
    let page = call.page()?;
    let found = call.chat().discussions(actor, &room, call.param("text").unwrap_or_default(), page).await?;
    answer_list(&call, "discussions", page.offset, &found).await
}

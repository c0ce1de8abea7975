//! `chat.*`: sending and changing messages.

use parlor_core::{
    error::{Refusal, State},
    id::RoomId,
    messages::{Draft, Sent},
    messages_change::Edit,
    rooms::RoomRef,
};
use serde_json::{Map, Value, json};

use super::chat_draft::{
    cards, custom_fields, draft, encrypted, flag, kept_cards, message_id, previews, refused, seen, text,
};
use crate::{
    call::{Call, success},
    date::Dates,
    refusal::Refused,
    route::{Outcome, Route, get, post},
    who::Who,
};

/// Rooms that one `chat.postMessage` reaches.
const MAX_TARGETS: usize = 20;

pub(crate) fn routes() -> Vec<Route> {
    let own_or = |permissions| Who::Author(permissions);
    vec![
        post("chat.sendMessage", Who::Member, r#"{"message":{"rid":"$private","msg":"hello"}}"#, send),
        post("chat.postMessage", Who::Member, r#"{"roomId":"$private","text":"hello"}"#, post_message),
        post(
            "chat.update",
            own_or(&["edit-message"]),
            r#"{"roomId":"$private","msgId":"$message","text":"new"}"#,
            update,
        ),
        post(
            "chat.delete",
            own_or(&["delete-message"]),
            r#"{"roomId":"$private","msgId":"$message"}"#,
            delete,
        ),
        post("chat.react", Who::Reader, r#"{"messageId":"$message","emoji":":+1:"}"#, react),
        get("chat.getMessage", Who::Reader, "msgId=$message", get_message),
    ]
}

fn sent(sent: &Sent, call: &Call) -> Value {
    crate::shape::message::value(&sent.message, &super::chat_draft::look(call.chat(), Dates::Iso))
}

async fn send(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let message = match body.get("message") {
        Some(Value::Object(message)) => message,
        Some(_) => return Err(Refused::invalid_params("must be object")),
        None => {
            return Err(Refused::meteor(
                "error-invalid-params",
                "The \"message\" parameter must be provided.",
            ));
        }
    };
    let draft = Draft { previews: previews(body.get("previewUrls"))?, ..draft(message)? };
    let done = call.chat().post(call.actor()?, draft).await.map_err(refused)?;
    success(json!({ "message": sent(&done, &call) }))
}

async fn post_message(mut call: Call) -> Outcome {
    let mut body = call.object().await?;
    let targets = targets(&body)?;
    // Webhooks and bots say `text`; the message object says `msg`.
    match text(&body, "text")?.or(text(&body, "msg")?) {
        Some(said) => {
            let said = said.to_owned();
            body.insert("msg".into(), said.into());
        }
        None => {
            body.remove("msg");
        }
    }
    body.remove("text");
    for decided_here in ["_id", "t", "rid", "ts"] {
        body.remove(decided_here);
    }
    let mut first: Option<(String, Value)> = None;
    for target in targets {
        let room = target_room(&call, &target).await?;
        body.insert("rid".into(), room.as_str().into());
        let done = call.chat().post(call.actor()?, draft(&body)?).await.map_err(not_posted)?;
        if first.is_none() {
            first = Some((target.shown().to_owned(), sent(&done, &call)));
        }
    }
    let (channel, message) = first.ok_or_else(no_channel)?;
    success(json!({ "ts": call.chat().now().millis(), "channel": channel, "message": message }))
}

/// Refusals of what integrations and bots post: a bare code where a message is too long.
fn not_posted(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::TooLarge { what: "message", .. } => Refused::new("error-message-size-exceeded"),
        other => refused(other),
    }
}

fn no_channel() -> Refused {
    Refused::meteor("invalid-channel", "")
}

/// Where a message is to go.
enum Target {
    /// `roomId`: an id, nothing else.
    Id(String),
    /// `channel`: a name with or without `#`, an id, or `@user`.
    Named(String),
}

impl Target {
    fn shown(&self) -> &str {
        match self {
            Self::Id(text) | Self::Named(text) => text,
        }
    }
}

fn targets(body: &Map<String, Value>) -> Result<Vec<Target>, Refused> {
    type Kind = fn(String) -> Target;
    let kinds: [(&str, Kind); 2] = [("roomId", Target::Id), ("channel", Target::Named)];
    for (key, kind) in kinds {
        let texts: Option<Vec<String>> = match body.get(key) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => Some(vec![text.clone()]),
            Some(Value::Array(all)) => {
                all.iter().take(MAX_TARGETS + 1).map(|v| v.as_str().map(str::to_owned)).collect()
            }
            Some(_) => None,
        };
        let texts = texts.ok_or_else(|| Refused::invalid_params("must be string"))?;
        if texts.len() > MAX_TARGETS {
            return Err(Refused::invalid_params(&format!(
                "{key} must not have more than {MAX_TARGETS} items"
            )));
        }
        return Ok(texts.into_iter().filter(|text| !text.is_empty()).map(kind).collect());
    }
    Err(no_channel())
}

async fn target_room(call: &Call, target: &Target) -> Result<RoomId, Refused> {
    let (chat, actor) = (call.chat(), call.actor()?);
    let unknown = |refusal| match refusal {
        Refusal::NotFound(_) => no_channel(),
        other => refused(other),
    };
    match target {
        Target::Id(id) => Ok(chat.find_room(actor, RoomRef::Id(id)).await.map_err(unknown)?.id.clone()),
        Target::Named(name) => match name.strip_prefix('@') {
            Some(user) => {
                let (room, _) = chat.direct_room(actor, &[user.to_owned()], false).await.map_err(unknown)?;
                Ok(room.id.clone())
            }
            None => {
                let wanted = match name.strip_prefix('#') {
                    Some(name) => RoomRef::Name(name),
                    None => RoomRef::Any(name),
                };
                Ok(chat.find_room(actor, wanted).await.map_err(unknown)?.id.clone())
            }
        },
    }
}

/// The message that a body names by `roomId` and `msgId`, which must fit together.
async fn named(call: &Call, body: &Map<String, Value>) -> Result<parlor_core::message::Message, Refused> {
    let need = |key: &'static str| text(body, key)?.ok_or_else(|| Refused::missing(key));
    let (room, id) = (need("roomId")?, need("msgId")?);
    let unknown = || Refused::new(format!("No message found with the id of \"{id}\"."));
    let found = call.chat().message(call.actor()?, &message_id(id).map_err(|_| unknown())?).await;
    let message = found.map_err(|refusal| match refusal {
        Refusal::NotFound(_) => unknown(),
        other => other.into(),
    })?;
    if message.room.as_str() != room {
        return Err(Refused::new("The room id provided does not match where the message is from."));
    }
    Ok(message)
}

async fn update(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let message = named(&call, &body).await?;
    let content = encrypted(&body, text(&body, "t")?.unwrap_or_default())?;
    let said = text(&body, "text")?.map(str::to_owned);
    match (&said, &content) {
        (None, None) => return Err(Refused::missing("text")),
        (Some(said), None) if said.is_empty() && message.files().next().is_none() => {
            return Err(Refused::invalid_params("must NOT have fewer than 1 characters"));
        }
        _ => {}
    }
    let edit = Edit {
        text: said,
        encrypted: content,
        custom_fields: custom_fields(&body)?,
        cards: kept_cards(&message, cards(&body)?),
        previews: previews(body.get("previewUrls"))?,
        shown_in_room: flag(&body, "tshow")?,
    };
    let edited = call.chat().edit_message(call.actor()?, &message.id, edit).await.map_err(not_editable)?;
    success(json!({ "message": seen(call.chat(), call.actor()?, &edited, Dates::Iso).await? }))
}

/// Refusals of an edit.
pub(crate) fn not_editable(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("edit-message") | Refusal::NotMember => {
            Refused::meteor("error-action-not-allowed", "Message editing not allowed")
        }
        Refusal::State(State::TooLate) => {
            Refused::meteor("error-message-editing-blocked", "Message editing is blocked")
        }
        other => refused(other),
    }
}

/// Refusals of a removal.
pub(crate) fn not_deletable(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("delete-message" | "delete-own-message") | Refusal::NotMember => {
            Refused::meteor("error-action-not-allowed", "Not allowed")
        }
        Refusal::State(State::TooLate) => {
            Refused::meteor("error-message-deleting-blocked", "Message deleting is blocked")
        }
        Refusal::State(State::ReadOnly) => {
            Refused::new("You can't delete messages because the room is readonly.")
        }
        other => refused(other),
    }
}

async fn delete(mut call: Call) -> Outcome {
    let body = call.object().await?;
    let message = named(&call, &body).await?;
    let as_author = flag(&body, "asUser")?.unwrap_or_default();
    if as_author && message.author != call.actor()?.user {
        let room = call.chat().find_room(call.actor()?, RoomRef::Id(&message.room)).await?;
        if !call.chat().may(call.actor()?, "force-delete-message", Some(&room)).await? {
            let text = "Unauthorized. You must have the permission \"force-delete-message\" to delete other's message as \
                        them.";
            return Err(Refused::new(text));
        }
    }
    call.chat().delete_message(call.actor()?, &message.id).await.map_err(not_deletable)?;
    success(json!({
        "_id": message.id.as_str(), "ts": call.chat().now().millis().to_string(),
        "message": { "_id": message.id.as_str(), "rid": message.room.as_str(),
            "u": { "_id": message.author.as_str(), "username": message.author_username, "name": message.author_name } },
    }))
}

/// The `messageId` of a body.
pub(super) async fn one(
    call: &mut Call,
) -> Result<(Map<String, Value>, parlor_core::id::MessageId), Refused> {
    let body = call.object().await?;
    let missing = || {
        Refused::meteor("error-messageid-param-not-provided", "The required \"messageId\" param is required.")
    };
    let id = text(&body, "messageId")?.filter(|id| !id.trim().is_empty()).ok_or_else(missing)?;
    let id = message_id(id)?;
    Ok((body, id))
}

pub(super) fn unknown_message(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotFound(_) => {
            let reason = "The provided \"messageId\" does not match any existing message.";
            Refused::meteor("error-message-not-found", reason)
        }
        other => refused(other),
    }
}

async fn react(mut call: Call) -> Outcome {
    let (body, id) = one(&mut call).await?;
    let emoji = match text(&body, "emoji")? {
        Some(emoji) => Some(emoji),
        None => text(&body, "reaction")?,
    };
    let emoji = emoji.filter(|emoji| !emoji.is_empty()).ok_or_else(|| {
        Refused::meteor("error-emoji-param-not-provided", "The required \"emoji\" param is missing.")
    })?;
    let on = flag(&body, "shouldReact")?;
    call.chat().react(call.actor()?, &id, emoji, on).await.map_err(not_reactable)?;
    success(Value::Null)
}

/// Refusals of a reaction.
pub(crate) fn not_reactable(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::Invalid { field: "emoji", problem } => Refused::meteor("error-not-allowed", &problem),
        other => unknown_message(other),
    }
}

async fn get_message(call: Call) -> Outcome {
    let id = call.param("msgId").ok_or_else(|| {
        Refused::meteor("error-invalid-params", "The \"msgId\" query parameter must be provided.")
    })?;
    let none = |refusal| match refusal {
        Refusal::NotFound(_) | Refusal::NotAllowed(_) => {
            Refused::new(format!("No message found with the id of \"{id}\"."))
        }
        other => Refused::from(other),
    };
    let message = call.chat().message(call.actor()?, &message_id(id)?).await.map_err(none)?;
    success(json!({ "message": seen(call.chat(), call.actor()?, &message, Dates::Iso).await? }))
}

//! What clients send as a message, read into the core's draft; shared by `chat.sendMessage`, `chat.postMessage` and the
//! method `sendMessage`.

use parlor_core::{
    chat::Chat,
    clock::Time,
    error::{Refusal, State, What},
    id::{MessageId, RoomId, UserId},
    json::Json,
    message::{Attachment, Guise, Message},
    messages::Draft,
    session::Actor,
};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use crate::{
    date::{self, Dates},
    refusal::Refused,
    shape::message::{Look, Shaped, Stars, to_value},
};

/// What is carried along for clients and bots, with the JSON type it must have.
const CARRIED: &[(&str, &str)] = &[
    ("text", "string"),
    ("blocks", "array"),
    ("parseUrls", "boolean"),
    ("location", "object"),
    ("bot", "object"),
];

/// A text of an object; `null` counts as absent, any other type is refused.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, Refused> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(key, "string", other)),
    }
}

/// A switch of an object; `null` counts as absent, text as forms send it is read.
pub(crate) fn flag(object: &Map<String, Value>, key: &str) -> Result<Option<bool>, Refused> {
    match object.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(on)) => Ok(Some(*on)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => Ok(Some(true)),
        Some(Value::String(text)) if text.eq_ignore_ascii_case("false") => Ok(Some(false)),
        Some(other) => Err(wrong(key, "boolean", other)),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn wrong(key: &str, wanted: &str, got: &Value) -> Refused {
    Refused::new(format!("Match error: Expected {wanted}, got {} in field {key}", type_of(got)))
}

/// An id of a message; one that can't be any is answered like an unknown one.
pub(crate) fn message_id(text: &str) -> Result<MessageId, Refused> {
    MessageId::parse(text).ok_or_else(|| Refusal::NotFound(What::Message).into())
}

/// Reads a message object.
pub(crate) fn draft(object: &Map<String, Value>) -> Result<Draft, Refused> {
    let kind = text(object, "t")?.unwrap_or_default();
    if !matches!(kind, "" | "e2e") {
        return Err(Refused::new("Cannot send system messages using 'chat.sendMessage'"));
    }
    let rid = text(object, "rid")?.ok_or_else(|| Refused::new(NO_ROOM))?;
    let id = match text(object, "_id")? {
        None | Some("") => None,
        Some(id) => Some(MessageId::parse(id).ok_or_else(|| wrong_id("_id"))?),
    };
    let thread = match text(object, "tmid")? {
        None | Some("") => None,
        Some(id) => Some(MessageId::parse(id).ok_or_else(|| refused(UNKNOWN_THREAD))?),
    };
    Ok(Draft {
        room: Some(RoomId::parse(rid).ok_or_else(|| refused(Refusal::NotFound(What::Room)))?),
        id,
        text: text(object, "msg")?.unwrap_or_default().to_owned(),
        thread,
        shown_in_room: flag(object, "tshow")?.unwrap_or_default(),
        cards: cards(object)?.unwrap_or_default(),
        guise: guise(object)?,
        custom_fields: custom_fields(object)?,
        encrypted: encrypted(object, kind)?,
        extras: carried(object)?,
        ungrouped: flag(object, "groupable")? == Some(false),
        no_links: flag(object, "parseUrls")? == Some(false),
        claimed_at: object.get("ts").and_then(date::read),
        ..Draft::default()
    })
}

const NO_ROOM: &str = "The 'rid' property on the message object is missing.";
const UNKNOWN_THREAD: Refusal = Refusal::NotFound(What::Message);

fn wrong_id(key: &str) -> Refused {
    Refused::invalid_params(&format!("{key} must match pattern ^[A-Za-z0-9_.:@-]{{1,128}}$"))
}

/// The links that may be looked at: `previewUrls`.
pub(crate) fn previews(value: Option<&Value>) -> Result<Option<Vec<String>>, Refused> {
    match value {
        Some(Value::Array(all)) => {
            let texts = all.iter().take(100).map(|url| url.as_str().map(str::to_owned));
            texts
                .collect::<Option<Vec<_>>>()
                .map(Some)
                .ok_or_else(|| Refused::invalid_params("must be string"))
        }
        _ => Ok(None),
    }
}

pub(crate) fn custom_fields(object: &Map<String, Value>) -> Result<Option<Json>, Refused> {
    match object.get("customFields") {
        None | Some(Value::Null) => Ok(None),
        Some(fields @ Value::Object(_)) => Ok(Some(Json::new(fields.to_string()))),
        // Forms carry it as text.
        Some(Value::String(text)) => match serde_json::from_str::<Value>(text) {
            Ok(fields @ Value::Object(_)) => Ok(Some(Json::new(fields.to_string()))),
            _ => Err(Refused::new("Invalid custom fields")),
        },
        Some(_) => Err(Refused::new("Invalid custom fields")),
    }
}

/// The encrypted part: `content`, and the `e2e` state of those who sent it.
pub(crate) fn encrypted(object: &Map<String, Value>, kind: &str) -> Result<Option<Json>, Refused> {
    let mut kept = Map::new();
    if let Some(state) = text(object, "e2e")? {
        kept.insert("e2e".into(), state.into());
    }
    match object.get("content") {
        None | Some(Value::Null) => {}
        Some(content @ Value::Object(_)) => {
            kept.insert("content".into(), content.clone());
        }
        Some(other) => return Err(wrong("content", "object", other)),
    }
    let is = kind == "e2e" || kept.contains_key("content");
    Ok(is.then(|| Json::new(Value::Object(kept).to_string())))
}

fn carried(object: &Map<String, Value>) -> Result<Json, Refused> {
    let mut kept = Map::new();
    for (key, wanted) in CARRIED {
        match object.get(*key) {
            None | Some(Value::Null) => {}
            Some(value) if type_of(value) == *wanted => {
                kept.insert((*key).to_owned(), value.clone());
            }
            Some(other) => return Err(wrong(key, wanted, other)),
        }
    }
    Ok(if kept.is_empty() { Json::object() } else { Json::new(Value::Object(kept).to_string()) })
}

fn guise(object: &Map<String, Value>) -> Result<Guise, Refused> {
    let some = |key| -> Result<Option<String>, Refused> {
        let text = text(object, key)?.filter(|text| !text.is_empty());
        match text {
            Some(text) if text.len() > 2_000 => Err(Refused::invalid_params(&format!("{key} is too long"))),
            text => Ok(text.map(str::to_owned)),
        }
    };
    let avatar = some("avatar")?;
    if avatar.as_deref().is_some_and(|url| !is_harmless(url)) {
        return Err(Refused::new("Match error: Failed Match.Where validation in field avatar"));
    }
    Ok(Guise { alias: some("alias")?, avatar, emoji: some("emoji")?, bot: None })
}

/// A link that can't run anything: of the web, or within this site.
fn is_harmless(url: &str) -> bool {
    let url = url.trim_start().to_ascii_lowercase();
    let has_scheme = url.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':'));
    url.starts_with("http://") || url.starts_with("https://") || !has_scheme
}

/// Keys of a card and what they must be; `link` is a harmless link.
const CARD: &[(&str, &str)] = &[
    ("color", "string"),
    ("text", "string"),
    ("thumb_url", "link"),
    ("message_link", "link"),
    ("collapsed", "boolean"),
    ("author_name", "string"),
    ("author_link", "link"),
    ("author_icon", "link"),
    ("title", "string"),
    ("title_link", "link"),
    ("title_link_download", "boolean"),
    ("description", "string"),
    ("image_dimensions", "object"),
    ("image_url", "link"),
    ("image_preview", "string"),
    ("image_type", "string"),
    ("image_size", "number"),
    ("audio_url", "link"),
    ("audio_type", "string"),
    ("audio_size", "number"),
    ("video_url", "link"),
    ("video_type", "string"),
    ("video_size", "number"),
    ("fields", "array"),
    ("actions", "array"),
    ("attachments", "array"),
];

/// The cards of a message, checked.
pub(crate) fn cards(object: &Map<String, Value>) -> Result<Option<Vec<Json>>, Refused> {
    let all = match object.get("attachments") {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(all)) => all,
        Some(other) => return Err(wrong("attachments", "array", other)),
    };
    for card in all {
        check_card(card, 0)?;
    }
    Ok(Some(all.iter().map(|card| Json::new(card.to_string())).collect()))
}

/// The cards that an edit leaves: one that leads to a message is a quote, which goes with the text that it was in.
pub(crate) fn kept_cards(message: &Message, sent: Option<Vec<Json>>) -> Option<Vec<Json>> {
    let card = |attachment: &Attachment| match attachment {
        Attachment::Card(json) => Some(json.clone()),
        _ => None,
    };
    let quotes = |json: &Json| {
        let card: Value = serde_json::from_str(json.as_str()).unwrap_or_default();
        card.get("message_link").is_some_and(Value::is_string)
    };
    let all: Vec<Json> =
        sent.clone().unwrap_or_else(|| message.attachments.iter().filter_map(card).collect());
    if all.iter().any(quotes) { Some(all.into_iter().filter(|card| !quotes(card)).collect()) } else { sent }
}

fn check_card(card: &Value, depth: usize) -> Result<(), Refused> {
    let Value::Object(object) = card else { return Err(wrong("attachments", "object", card)) };
    if depth > 8 {
        return Err(Refused::invalid_params("attachments are nested too deeply"));
    }
    for (key, wanted) in CARD {
        let Some(value) = object.get(*key).filter(|value| !value.is_null()) else { continue };
        let fits = match *wanted {
            "link" => value.as_str().is_some_and(is_harmless),
            wanted => type_of(value) == wanted,
        };
        if !fits {
            return Err(wrong(key, wanted, value));
        }
    }
    for field in object.get("fields").and_then(Value::as_array).into_iter().flatten() {
        let titled = field.get("title").is_some_and(|title| title.is_string() || title.is_null());
        if !field.is_object() || (!titled && field.get("title").is_some()) || field.get("value").is_none() {
            return Err(wrong("fields", "object", field));
        }
    }
    for action in object.get("actions").and_then(Value::as_array).into_iter().flatten() {
        for key in ["url", "image_url"] {
            if let Some(link) = action.get(key).filter(|link| !link.as_str().is_some_and(is_harmless)) {
                return Err(wrong(key, "link", link));
            }
        }
    }
    for inner in object.get("attachments").and_then(Value::as_array).into_iter().flatten() {
        check_card(inner, depth + 1)?;
    }
    Ok(())
}

/// A refusal of a send or an edit, in the words that clients compare.
pub(crate) fn refused(refusal: Refusal) -> Refused {
    match refusal {
        Refusal::NotAllowed("message-impersonate") => Refused::new("Not enough permission"),
        Refusal::NotAllowed("mention-all" | "mention-here") => {
            Refused::meteor("error-action-not-allowed", "Notify all in this room not allowed")
        }
        Refusal::Disabled("Message_CustomFields_Enabled") => Refused::new("Custom fields not enabled"),
        Refusal::Disabled("Threads_enabled") => Refused::meteor("error-not-allowed", "not-allowed"),
        Refusal::Invalid { field: "custom-fields", problem } => Refused::new(problem),
        Refusal::Invalid { field: "ts", problem } => {
            Refused::meteor("error-message-ts-out-of-sync", &problem)
        }
        Refusal::NotFound(What::Room) | Refusal::NotMember => {
            Refused::meteor("error-not-allowed", "Not allowed")
        }
        Refusal::NotFound(What::Message) => Refused::meteor("error-invalid-message", "Invalid message"),
        Refusal::State(State::Blocked) => Refused::new("room_is_blocked"),
        other => other.into(),
    }
}

/// How this workspace writes messages.
pub(crate) fn look(chat: &Chat, dates: Dates) -> Look {
    Look::new(&chat.settings(), dates)
}

/// A message as its viewer sees it, with his star.
pub(crate) async fn seen(
    chat: &Chat,
    actor: &Actor,
    message: &Message,
    dates: Dates,
) -> Result<Value, Refused> {
    let all = seen_all(chat, &actor.user, std::slice::from_ref(message), dates).await?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// Messages as their viewer sees them.
pub(crate) async fn seen_all(
    chat: &Chat,
    viewer: &UserId,
    messages: &[Message],
    dates: Dates,
) -> Result<Vec<Value>, Refused> {
    let starred = chat.starred_among(viewer, messages).await?;
    let look = look(chat, dates);
    Ok(shaped(messages, viewer, &starred, &look).map(|shaped| to_value(&shaped)).collect())
}

/// As [`seen_all`], written as a JSON array.
pub(crate) async fn seen_all_written(
    chat: &Chat,
    viewer: &UserId,
    messages: &[Message],
    dates: Dates,
) -> Result<Box<RawValue>, Refused> {
    let starred = chat.starred_among(viewer, messages).await?;
    let look = look(chat, dates);
    let all: Vec<Shaped<'_>> = shaped(messages, viewer, &starred, &look).collect();
    // Writing into memory fails only for maps with keys that are not texts; there are none.
    Ok(to_raw_value(&all).unwrap_or_default())
}

fn shaped<'a>(
    messages: &'a [Message],
    viewer: &'a UserId,
    starred: &'a [MessageId],
    look: &'a Look,
) -> impl Iterator<Item = Shaped<'a>> {
    messages.iter().map(move |message| {
        let stars = Stars::seen(viewer, starred.contains(&message.id));
        Shaped { message, look, stars }
    })
}

/// A moment in a query or a body that must be there.
pub(crate) fn moment(text: &str) -> Option<Time> {
    date::read_text(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<Draft, Refused> {
        draft(value.as_object().expect("an object"))
    }

    #[test]
    fn a_message_is_read_and_what_the_sender_may_not_say_is_left_out() {
        let draft = read(json!({
            "rid": "r", "msg": "hi", "_id": "m", "tmid": "", "u": { "_id": "other" }, "reactions": { ":x:": {} },
            "pinned": true, "groupable": false,
        }))
        .expect("good");
        assert_eq!((draft.text.as_str(), draft.id.as_deref(), draft.thread), ("hi", Some("m"), None));
        assert!(draft.ungrouped && draft.extras.is_empty());
    }

    #[test]
    fn objects_where_texts_are_meant_are_refused() {
        for bad in [
            json!({ "msg": "no room" }),
            json!({ "rid": { "$ne": "" }, "msg": "x" }),
            json!({ "rid": "r", "msg": { "$gt": "" } }),
            json!({ "rid": "r", "msg": "x", "t": "uj" }),
            json!({ "rid": "r", "msg": "x", "_id": "a b" }),
            json!({ "rid": "r", "msg": "x", "avatar": "javascript:alert(1)" }),
            json!({ "rid": "r", "msg": "x", "attachments": "text" }),
            json!({ "rid": "r", "msg": "x", "attachments": [{ "title_link": "javascript:alert(1)" }] }),
            json!({ "rid": "r", "msg": "x", "attachments": [{ "image_size": "9" }] }),
            json!({ "rid": "r", "msg": "x", "content": "text" }),
        ] {
            assert!(read(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn encrypted_content_is_carried_as_it_came() {
        let draft =
            read(json!({ "rid": "r", "t": "e2e", "e2e": "pending", "text": "secret" })).expect("good");
        assert_eq!(draft.encrypted.map(|e| e.as_str().to_owned()), Some(r#"{"e2e":"pending"}"#.to_owned()));
        assert_eq!(draft.extras.as_str(), r#"{"text":"secret"}"#);
    }
}

//! What a call tells: Rocket.Chat's keys, and beside them `user.name` and `attachments[0].text`, which older products
//! read.

use parlor_core::{
    chat::Chat, clock::Time, integration::Trigger, integrations_out::Occasion, json::Json,
    message::Attachment,
};
use serde_json::{Map, Value, json};

/// Files named in one call.
const MOST_FILES: usize = 10;

/// The content of a call, without the integration's token.
pub(crate) fn body(chat: &Chat, occasion: &Occasion, word: Option<&str>) -> Json {
    let mut body = Map::new();
    let mut put = |key: &str, value: Value| drop(body.insert(key.to_owned(), value));
    put("bot", false.into());
    put("event", occasion.trigger.as_str().into());
    put("timestamp", iso(occasion.at).into());
    put("siteUrl", chat.settings().text("Site_Url").into());
    put("user_id", occasion.user.id.as_str().into());
    put("user_name", occasion.user.username.as_str().into());
    put(
        "user",
        json!({ "_id": occasion.user.id.as_str(), "name": occasion.user.username, "username": occasion.user.username }),
    );
    if let Some(room) = &occasion.room {
        put("channel_id", room.id.as_str().into());
        put("channel_name", room.name.clone().into());
    }
    if let Some(message) = occasion.message.as_ref().filter(|_| occasion.trigger.tells_message()) {
        put("message_id", message.id.as_str().into());
        put("text", message.text.as_str().into());
        put("isEdited", occasion.edited.into());
        put("attachments", json!([{ "text": message.text }]));
        if let Some(root) = &message.thread {
            put("tmid", root.as_str().into());
        }
        let files: Vec<Value> = message.attachments.iter().take(MOST_FILES).filter_map(file).collect();
        if let Some(first) = files.first() {
            put("file", first.clone());
            put("files", files.clone().into());
        }
    }
    if let Some(word) = word {
        put("trigger_word", word.into());
    }
    if occasion.trigger == Trigger::RoomCreated {
        put("owner", json!({ "_id": occasion.user.id.as_str(), "username": occasion.user.username }));
    }
    Json::new(Value::Object(body).to_string())
}

fn iso(time: Time) -> String {
    let at = jiff::Timestamp::from_millisecond(time.millis()).unwrap_or_default();
    format!("{at:.3}")
}

fn file(attachment: &Attachment) -> Option<Value> {
    let Attachment::File(file) = attachment else { return None };
    Some(
        json!({ "_id": file.upload.as_str(), "name": file.name, "type": file.media_type, "size": file.size }),
    )
}

/// The body as it is sent: with the token, as Rocket.Chat does.
pub(crate) fn with_token(body: &str, token: &str) -> Vec<u8> {
    match serde_json::from_str(body) {
        Ok(Value::Object(mut object)) => {
            object.insert("token".to_owned(), token.into());
            Value::Object(object).to_string().into_bytes()
        }
        _ => body.as_bytes().to_vec(),
    }
}

/// What an answer wants posted: `text` and `attachments`.
pub(crate) fn answer(body: &[u8]) -> Option<(String, Vec<Json>)> {
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else { return None };
    let text = object.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let cards = object.get("attachments").and_then(Value::as_array);
    let cards: Vec<Json> = cards
        .into_iter()
        .flatten()
        .filter(|card| card.is_object())
        .take(10)
        .map(|card| Json::new(card.to_string()))
        .collect();
    (!text.trim().is_empty() || !cards.is_empty()).then_some((text, cards))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_with_something_to_say_is_an_answer() {
        assert_eq!(answer(br#"{"text":"hi"}"#), Some(("hi".to_owned(), Vec::new())));
        for silent in [&b"{}"[..], b"ok", b"[]", br#"{"text":5}"#, br#"{"text":" ","attachments":[1]}"#] {
            assert_eq!(answer(silent), None);
        }
    }

    #[test]
    fn the_token_is_sent_and_not_kept() {
        let sent = with_token(r#"{"text":"a"}"#, "t");
        let sent: Value = serde_json::from_slice(&sent).expect("json");
        assert_eq!(sent, json!({ "text": "a", "token": "t" }));
    }
}

//! What messages have beyond the documents of the contracts: reactions, threads, pins, previews of pictures. The same on
//! every door, in its own spelling; clients that do not know the keys ignore them.

use parlor_core::{
    id::UserId,
    message::{FileCard, Message},
};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use crate::{host::Host, shape::rooms::Reactions, time::Iso};

/// How a door spells its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// `thread_id`
    Snake,
    /// `threadId`
    Camel,
}

/// What a message has beyond the documents.
#[derive(Clone, Copy, Debug)]
pub struct Beyond<'a> {
    /// How its keys are spelt.
    pub spelling: Spelling,
    /// The message.
    pub message: &'a Message,
}

impl Serialize for Beyond<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self { spelling, message } = *self;
        let key = |snake, camel| if spelling == Spelling::Snake { snake } else { camel };
        let gone = message.is_gone();
        let thread = message.thread_info.as_ref().filter(|info| info.replies > 0 && !gone);
        let pinned = message.pinned.as_ref().filter(|_| !gone);
        let mut keys = to.serialize_map(Some(7))?;
        // The root of the thread that it is a reply in.
        keys.serialize_entry(key("thread_id", "threadId"), &message.thread.as_ref().map(|id| id.as_str()))?;
        // Of a root: how many replies there are, and when the last one came.
        keys.serialize_entry(key("thread_replies", "threadReplies"), &thread.map_or(0, |info| info.replies))?;
        keys.serialize_entry(key("thread_last_at", "threadLastAt"), &thread.map(|info| Iso(info.last_at)))?;
        keys.serialize_entry("reactions", &Reactions(&message.reactions))?;
        keys.serialize_entry("pinned", &pinned.is_some())?;
        keys.serialize_entry(key("pinned_at", "pinnedAt"), &pinned.map(|mark| Iso(mark.at)))?;
        keys.serialize_entry(key("pinned_by", "pinnedBy"), &pinned.map(|mark| mark.by.as_str()))?;
        keys.end()
    }
}

/// Adds what a message has beyond the documents. Keys that the door writes itself stay as they are.
pub fn add(spelling: Spelling, value: &mut Value, message: &Message) {
    // Texts and numbers always are JSON.
    let told = serde_json::to_value(Beyond { spelling, message }).unwrap_or_default();
    let Some(object) = value.as_object_mut() else { return };
    for (key, value) in into_keys(told) {
        object.entry(key).or_insert(value);
    }
}

/// Adds what is known of a file beyond the documents: of pictures their pixels, a blurred preview as a `data:` URL and the
/// address of a thumbnail, signed for the viewer; `null` where there is none.
pub fn add_preview(spelling: Spelling, value: &mut Value, host: &Host, viewer: &UserId, file: &FileCard) {
    let thumbnail = file.thumbnail.as_ref();
    let told = json!({
        "width": file.dimensions.map(|(width, _)| width),
        "height": file.dimensions.map(|(_, height)| height),
        "preview": file.preview.as_ref().map(|jpeg| format!("data:image/jpeg;base64,{jpeg}")),
        "thumbnail_url": thumbnail.map(|id| host.file_url(viewer, id, &format!("thumb-{}", file.name)).url),
    });
    extend(spelling, value, into_keys(told));
}

fn extend(spelling: Spelling, value: &mut Value, keys: Map<String, Value>) {
    let Some(object) = value.as_object_mut() else { return };
    for (key, value) in keys {
        let key = match spelling {
            Spelling::Snake => key,
            Spelling::Camel => camel(&key),
        };
        object.entry(key).or_insert(value);
    }
}

fn into_keys(told: Value) -> Map<String, Value> {
    match told {
        Value::Object(keys) => keys,
        _ => Map::new(),
    }
}

fn camel(key: &str) -> String {
    let mut words = key.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use parlor_core::{clock::Time, message::Mark, samples};

    #[test]
    fn the_keys_are_the_same_in_each_spelling_and_replace_nothing() {
        let mark = Mark { by: "ann".into(), username: "ann".into(), at: Time(0) };
        let message = Message {
            pinned: Some(mark),
            thread: Some("root".into()),
            ..samples::message("m", "r", "ann", 1)
        };
        let (mut snake, mut camel) = (json!({"reactions": "mine"}), json!({}));
        add(Spelling::Snake, &mut snake, &message);
        add(Spelling::Camel, &mut camel, &message);
        assert_eq!((&snake["thread_id"], &camel["threadId"]), (&json!("root"), &json!("root")));
        assert_eq!((&snake["pinned_by"], &camel["pinnedBy"]), (&json!("ann"), &json!("ann")));
        assert_eq!((&snake["reactions"], &camel["reactions"]), (&json!("mine"), &json!([])));
        assert_eq!(snake.as_object().map(Map::len), camel.as_object().map(Map::len));
    }
}

//! What hangs below a message: `file`, `files`, `attachments`.

use parlor_core::{
    clock::Time,
    message::{Attachment, FileCard, Message, Quote},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Map, Value, json};

use super::message::Look;

/// What must not stand in a path as it is.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Writes what the message has of them.
pub(super) fn entries<M: SerializeMap>(message: &Message, look: &Look, map: &mut M) -> Result<(), M::Error> {
    if message.attachments.is_empty() {
        // Clients that merge what changed must see that a quote went.
        return match message.edited {
            Some(_) if message.encrypted.is_none() => map.serialize_entry("attachments", &[(); 0]),
            _ => Ok(()),
        };
    }
    let files: Vec<Value> = message.files().flat_map(records).collect();
    if let Some(first) = files.first() {
        map.serialize_entry("file", first)?;
        map.serialize_entry("files", &files)?;
    }
    map.serialize_entry("attachments", &List(&message.attachments, look, message.at))
}

struct List<'a>(&'a [Attachment], &'a Look, Time);

impl Serialize for List<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|one| attachment(one, self.1, self.2)))
    }
}

fn attachment(attachment: &Attachment, look: &Look, at: Time) -> Value {
    match attachment {
        Attachment::Card(json) => super::room::json_text(json.as_str()),
        Attachment::Quote(quote) => quoted(quote, look),
        Attachment::File(card) => file(card, look, at),
    }
}

fn quoted(quote: &Quote, look: &Look) -> Value {
    let mut object = json!({
        "text": quote.text,
        "author_name": quote.author_name,
        "author_icon": format!("/avatar/{}", escaped(&quote.author)),
        "ts": look.dates.value(quote.at),
        "attachments": quote.attachments.iter().map(|a| attachment(a, look, quote.at)).collect::<Vec<_>>(),
    });
    if quote.display_name != quote.author_name {
        object["parlorAuthorName"] = quote.display_name.as_str().into();
    }
    if !quote.link.is_empty() {
        object["message_link"] = quote.link.as_str().into();
    }
    if let Some(tree) = look.tree(&quote.text, quote.at) {
        object["md"] = serde_json::to_value(tree).unwrap_or_default();
    }
    object
}

/// The path at which a file is fetched.
pub(crate) fn file_path(id: &str, name: &str) -> String {
    format!("/file-upload/{id}/{}", escaped(name))
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, IN_PATH).to_string()
}

/// `PNG`, `PDF`; `file` for names without one.
fn extension(name: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => extension.to_uppercase(),
        _ => "file".to_owned(),
    }
}

/// The stored files behind a card: the original, and its thumbnail.
fn records(card: &FileCard) -> Vec<Value> {
    let original = json!({
        "_id": card.upload.as_str(), "name": card.name, "type": card.media_type, "size": card.size,
        "format": extension(&card.name).to_lowercase(),
    });
    let thumbnail = card.thumbnail.as_ref().map(|id| {
        json!({
            "_id": id.as_str(), "name": format!("thumb-{}", card.name), "type": card.media_type,
            "size": card.size, "format": extension(&card.name).to_lowercase(),
        })
    });
    [original].into_iter().chain(thumbnail).collect()
}

fn file(card: &FileCard, look: &Look, at: Time) -> Value {
    let url = file_path(&card.upload, &card.name);
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("ts", look.dates.value(at));
    put("title", card.name.as_str().into());
    put("type", "file".into());
    put("fileId", card.upload.as_str().into());
    put("title_link", url.as_str().into());
    put("title_link_download", true.into());
    put("description", card.description.as_str().into());
    if let Some(tree) = look.tree(&card.description, at) {
        put("descriptionMd", serde_json::to_value(tree).unwrap_or_default());
    }
    let kind = card.media_type.split('/').next().unwrap_or_default();
    match kind {
        "image" => {
            let shown = card.thumbnail.as_ref().map(|id| file_path(id, &format!("thumb-{}", card.name)));
            put("image_url", shown.unwrap_or(url).into());
            put("image_type", card.media_type.as_str().into());
            put("image_size", card.size.into());
            if let Some((width, height)) = card.dimensions {
                put("image_dimensions", json!({ "width": width, "height": height }));
            }
            if let Some(preview) = &card.preview {
                put("image_preview", preview.as_str().into());
            }
        }
        "audio" | "video" => {
            put(&format!("{kind}_url"), url.into());
            put(&format!("{kind}_type"), card.media_type.as_str().into());
            put(&format!("{kind}_size"), card.size.into());
        }
        _ => {
            put("format", extension(&card.name).into());
            put("size", card.size.into());
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_escaped_in_its_path_and_its_extension_told() {
        assert_eq!(file_path("x", "a b/ü?.pdf"), "/file-upload/x/a%20b%2F%C3%BC%3F.pdf");
        assert_eq!(extension("plan.pdf"), "PDF");
        assert_eq!(extension(".hidden"), "file");
        assert_eq!(extension("plain"), "file");
    }
}

//! What hangs below a message: files, quotes and cards.

use anyhow::Result;
use parlor_core::{
    id::{MessageId, UploadId},
    message::{Attachment, Quote},
};

use serde_json::Value;

use super::Importer;
use crate::doc::{Doc, carried};

/// Attachments of one message.
pub(super) const MOST: usize = 20;
/// Keys of a card that hold addresses.
const LINKS: [&str; 9] = [
    "title_link",
    "image_url",
    "audio_url",
    "video_url",
    "thumb_url",
    "author_link",
    "author_icon",
    "message_link",
    "avatar",
];
/// Quotes within quotes.
const DEEPEST: usize = 4;

impl Importer<'_> {
    /// The attachments of a message. Files that are here are shown as files, others as what the message says of them.
    pub(super) async fn attachments(&mut self, doc: &Doc) -> Result<Vec<Attachment>> {
        let mut all = Vec::new();
        let mut shown: Vec<String> = Vec::new();
        for attachment in doc.docs("attachments").iter().take(MOST) {
            if attachment.text("message_link").is_some() {
                all.extend(quote(attachment, 0));
                continue;
            }
            let file = file_id(attachment);
            if let Some(id) = file.filter(|id| !shown.contains(id))
                && let Some(card) = self.card(&id, &attachment.words("description")).await?
            {
                all.push(card);
                shown.push(id);
                continue;
            }
            all.extend(as_card(attachment));
        }
        let mut files = doc.docs("files");
        files.extend(doc.at("file").cloned().map(Doc::of));
        for file in files.iter().take(MOST) {
            let id = file.id();
            if shown.contains(&id) || file.words("typeGroup") == "thumb" || id.is_empty() {
                continue;
            }
            if let Some(card) = self.card(&id, "").await? {
                all.push(card);
                shown.push(id);
            }
        }
        Ok(all)
    }

    async fn card(&self, id: &str, description: &str) -> Result<Option<Attachment>> {
        let Some(id) = UploadId::parse(id) else { return Ok(None) };
        let card = self.chat.moved_file_card(&self.actor, &id, description).await?;
        Ok(card.map(Attachment::File))
    }
}

/// The file that an attachment shows: the part of its address behind `/file-upload/`.
fn file_id(attachment: &Doc) -> Option<String> {
    let keys = ["title_link", "image_url", "video_url", "audio_url"];
    let link =
        keys.iter().find_map(|key| attachment.text(key).filter(|link| link.contains("/file-upload/")))?;
    let rest = link.split("/file-upload/").nth(1)?;
    let id = rest.split(['/', '?']).next()?;
    (!id.is_empty()).then(|| id.to_owned())
}

/// A card without links that a browser would run.
fn as_card(doc: &Doc) -> Option<Attachment> {
    let mut kept = doc.0.clone();
    kept.retain(|key, value| !LINKS.contains(&key.as_str()) || value.as_str().is_some_and(is_harmless));
    carried(&Value::Object(kept)).map(Attachment::Card)
}

/// Whether an address is none that a browser would run: of the web, or within the server.
pub(super) fn is_harmless(address: &str) -> bool {
    let address = address.trim_start().to_ascii_lowercase();
    let has_scheme = address.split(['/', '?', '#']).next().is_some_and(|start| start.contains(':'));
    address.starts_with("http://") || address.starts_with("https://") || !has_scheme
}

fn quote(doc: &Doc, depth: usize) -> Option<Attachment> {
    let link = doc.text("message_link")?;
    let message = link.split("msg=").nth(1)?.split('&').next().and_then(MessageId::parse)?;
    let name = doc.words("author_name");
    let inner = doc.docs("attachments");
    let attachments = if depth < DEEPEST {
        let each = |inner: &Doc| match inner.text("message_link") {
            Some(_) => quote(inner, depth + 1),
            None => as_card(inner),
        };
        inner.iter().take(MOST).filter_map(each).collect()
    } else {
        Vec::new()
    };
    Some(Attachment::Quote(Box::new(Quote {
        link,
        message,
        author: name.clone(),
        display_name: name.clone(),
        author_name: name,
        text: doc.words("text"),
        at: doc.time("ts").unwrap_or_default(),
        attachments,
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_file_is_known_by_its_address() {
        let at = |link: &str| file_id(&Doc::of(json!({ "title_link": link })));
        assert_eq!(at("/file-upload/abc/name.png").as_deref(), Some("abc"));
        assert_eq!(at("https://chat.example/file-upload/abc/name.png?x=1").as_deref(), Some("abc"));
        assert_eq!(at("https://elsewhere.example/abc"), None);
        assert_eq!(at("/file-upload//x"), None);
    }

    #[test]
    fn a_card_loses_the_links_that_a_browser_would_run() {
        let card = json!({"title": "t", "title_link": " javaScript:alert(1)", "image_url": "https://a.example/b.png"});
        let Some(Attachment::Card(kept)) = as_card(&Doc::of(card)) else { panic!("a card") };
        assert_eq!(kept.as_str(), r#"{"image_url":"https://a.example/b.png","title":"t"}"#);
    }

    #[test]
    fn quotes_end_at_a_depth() {
        let mut inner = json!({"message_link": "https://c/x?msg=m", "text": "t"});
        for _ in 0..20 {
            inner = json!({"message_link": "https://c/x?msg=m", "attachments": [inner]});
        }
        let mut depth = 0;
        let mut found = quote(&Doc::of(inner), 0);
        while let Some(Attachment::Quote(next)) = found {
            found = next.attachments.into_iter().next();
            depth += 1;
        }
        assert_eq!(depth, DEEPEST + 1);
    }
}

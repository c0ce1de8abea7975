//! Files that a message shall show, as clients name them.

use parlor_core::{
    error::Refusal,
    id::{RoomId, UploadId},
    message::FileCard,
    session::Actor,
};
use serde_json::Value;

use crate::{fields::Fields, host::Host, problem::Problem};

/// Files of one message at most.
pub const MOST_FILES: usize = 10;

/// Reads a list of `{"id"}` or `{"url"}` of uploads; other keys are ignored.
pub fn asked(fields: &mut Fields<'_>, name: &str) -> Vec<String> {
    let Some(list) = fields.list(name, MOST_FILES) else { return Vec::new() };
    let ids: Option<Vec<String>> = list.iter().map(id_of).collect();
    ids.unwrap_or_else(|| {
        fields.fault(name, "must be a list of objects with an id or a url");
        Vec::new()
    })
}

fn id_of(item: &Value) -> Option<String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    match (text("id"), text("url")) {
        (Some(id), _) => Some(id.to_owned()),
        // What is no address of ours names nothing that is known.
        (None, Some(url)) => Some(id_in(url).unwrap_or_default().to_owned()),
        (None, None) => None,
    }
}

/// The id within a file's address.
pub fn id_in(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("/api/files/")?;
    rest.split(['/', '?']).next().filter(|id| !id.is_empty())
}

/// The caller's uploads as a message in this room shows them. None for a retry of a message that is stored: its files
/// may be gone by now, and are not looked for.
///
/// # Errors
/// `not_found` when one of them is not known, or neither the caller's own nor in a room that he may read.
pub async fn cards(
    host: &Host,
    actor: &Actor,
    room: Option<&RoomId>,
    client_id: Option<&str>,
    ids: &[String],
) -> Result<Vec<FileCard>, Problem> {
    let (chat, unknown) = (host.chat(), || Problem::not_found("File"));
    let retried = match (room, client_id) {
        (Some(room), Some(client_id)) if !ids.is_empty() => chat.is_retry(actor, room, client_id).await?,
        _ => false,
    };
    let mut cards = Vec::with_capacity(ids.len());
    for id in ids.iter().filter(|_| !retried) {
        let id = UploadId::parse(id).ok_or_else(unknown)?;
        // A room that is about to be made takes files that were uploaded for none.
        let room = room.cloned().unwrap_or_else(|| RoomId::from("-"));
        let card = chat.host_file_card(actor, &room, &id).await;
        cards.push(card.map_err(|refusal| match refusal {
            Refusal::NotFound(_) | Refusal::NotAllowed(_) => unknown(),
            other => other.into(),
        })?);
    }
    Ok(cards)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn files_are_named_by_id_or_by_their_address() {
        let list = json!({"attachments": [{"id": "a", "x": 1}, {"url": "https://h/api/files/b/n.pdf?u=1"}]});
        let body = list.as_object().cloned().unwrap_or_default();
        let mut fields = Fields::new(&body);
        assert_eq!(asked(&mut fields, "attachments"), ["a", "b"]);
        for bad in [json!({"attachments": [1]}), json!({"attachments": [{}]}), json!({"attachments": "a"})] {
            let body = bad.as_object().cloned().unwrap_or_default();
            let mut fields = Fields::new(&body);
            asked(&mut fields, "attachments");
            assert!(fields.done().is_err(), "{bad}");
        }
        assert_eq!(id_in("https://elsewhere/x.pdf"), None);
    }
}

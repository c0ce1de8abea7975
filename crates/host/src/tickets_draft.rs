//! A message of the tickets contract as the core takes it: the same for REST and sockets.

use parlor_core::{id::RoomId, message::Said, messages::Draft, session::Actor};

use crate::{
    attached,
    fields::{Fields, Text},
    host::Host,
    problem::Problem,
    rooms_draft::message_id,
};

/// What a message shall be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Text,
    File,
    Image,
    System,
}

impl Kind {
    fn said(self) -> Option<Said> {
        match self {
            Self::Text => Some(Said::Text),
            Self::File => Some(Said::File),
            Self::Image => Some(Said::Image),
            Self::System => None,
        }
    }
}

/// A message as it was asked for.
pub struct Wanted {
    text: Option<String>,
    kind: Option<Kind>,
    attachments: Vec<String>,
    client_id: Option<String>,
    reply_to: Option<String>,
    thread: Option<String>,
}

/// Reads a body or a payload; the application says `SYSTEM` and nothing else, users never do.
///
/// # Errors
/// `validation_failed`, `user_required` for what the application may not say.
pub fn wanted(mut fields: Fields<'_>, by_app: bool) -> Result<Wanted, Problem> {
    let kind = match fields.text("messageType", Text::ID).map(|word| word.to_ascii_uppercase()) {
        None => None,
        Some(word) => match word.as_str() {
            "TEXT" => Some(Kind::Text),
            "FILE" => Some(Kind::File),
            "IMAGE" => Some(Kind::Image),
            "SYSTEM" if by_app => Some(Kind::System),
            _ => {
                fields.fault("messageType", "must be TEXT, FILE or IMAGE");
                None
            }
        },
    };
    if by_app && kind != Some(Kind::System) {
        return Err(Problem::user_required());
    }
    let text = fields.text("message", Text::MESSAGE);
    let attachments = attached::asked(&mut fields, "attachments");
    match kind {
        Some(Kind::File | Kind::Image) if is_empty(&fields) => fields.missing("attachments"),
        Some(Kind::Text | Kind::System) if fields.value("message").is_none() => fields.missing("message"),
        None if fields.value("message").is_none() && attachments.is_empty() => fields.missing("message"),
        _ => {}
    }
    let wanted = Wanted {
        text,
        kind,
        attachments,
        client_id: fields.client_id(&["clientId", "client_id"]),
        reply_to: fields.text("replyToId", Text::ID).or_else(|| fields.text("reply_to_id", Text::ID)),
        thread: fields.text("threadId", Text::ID),
    };
    fields.done()?;
    Ok(wanted)
}

/// Whether there are no attachments; a wrong type was told already.
fn is_empty(fields: &Fields<'_>) -> bool {
    fields.value("attachments").is_none_or(|given| given.as_array().is_some_and(Vec::is_empty))
}

impl Wanted {
    /// The draft of it, for this room.
    ///
    /// # Errors
    /// `not_found` for files and messages that are not known, `validation_failed` for files of another type.
    pub async fn draft(self, host: &Host, actor: &Actor, room: &RoomId) -> Result<Draft, Problem> {
        let id = |text: Option<String>| text.map(|text| message_id(&text)).transpose();
        let (reply_to, thread) = (id(self.reply_to)?, id(self.thread)?);
        let client_id = self.client_id.as_deref();
        let mut files = attached::cards(host, actor, Some(room), client_id, &self.attachments).await?;
        let images = files.iter().all(|file| file.media_type.starts_with("image/"));
        if self.kind == Some(Kind::Image) && !images {
            return Err(Problem::invalid("messageType", "is IMAGE, but a file is no image"));
        }
        if let Some(first) = files.first_mut() {
            first.said = self.kind.and_then(Kind::said);
        }
        Ok(Draft {
            room: Some(room.clone()),
            text: self.text.unwrap_or_default(),
            client_id: self.client_id,
            reply_to,
            thread,
            files,
            from_host: true,
            ..Draft::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(body: Value, by_app: bool) -> Result<Wanted, Problem> {
        let body = body.as_object().cloned().unwrap_or_default();
        wanted(Fields::new(&body), by_app)
    }

    #[test]
    fn each_type_needs_what_it_is_about_and_users_are_never_the_system() {
        assert!(read(json!({"message": "hi"}), false).is_ok());
        assert!(read(json!({"messageType": "image", "attachments": [{"id": "a"}]}), false).is_ok());
        assert_eq!(read(json!({"attachments": [{"id": "a"}]}), false).ok().and_then(|w| w.kind), None);
        for bad in [
            json!({}),
            json!({"message": 5}),
            json!({"messageType": "FILE", "message": "x"}),
            json!({"messageType": "TEXT", "attachments": [{"id": "a"}]}),
            json!({"messageType": "SYSTEM", "message": "x"}),
            json!({"messageType": "VIDEO", "message": "x"}),
            json!({"message": "x", "attachments": "a"}),
            json!({"message": "x", "clientId": "a b"}),
        ] {
            assert_eq!(read(bad.clone(), false).err().map(|p| p.code), Some("validation_failed"), "{bad}");
        }
    }

    #[test]
    fn the_application_speaks_as_the_system_alone() {
        assert!(read(json!({"messageType": "SYSTEM", "message": "x"}), true).is_ok());
        let refused = read(json!({"message": "x"}), true).err().map(|p| p.code);
        assert_eq!(refused, Some("user_required"));
    }
}

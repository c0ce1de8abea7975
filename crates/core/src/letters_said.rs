//! Messages of a room, sent by mail to whom somebody names.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::{MessageId, RoomId},
    letters::About,
    rooms::RoomRef,
    session::Actor,
};

/// Messages in one letter.
const MOST_MESSAGES: usize = 100;
/// Bytes of text in one letter.
const LONGEST: usize = 64 * 1024;
/// Readers of one letter.
const MOST_READERS: usize = 50;
/// After this time nobody waits for it any more.
const GOOD: Duration = Duration::from_secs(2 * 86_400);

/// What is to be mailed to whom.
#[derive(Clone, Debug, Default)]
pub struct MailOut {
    /// These messages, at most 100, with at most 64 KiB of text.
    pub messages: Vec<MessageId>,
    /// Under this line; empty for the room's name.
    pub subject: String,
    /// To users of these names.
    pub users: Vec<String>,
    /// To these addresses; at most 50 readers in all.
    pub addresses: Vec<String>,
}

/// A message in a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who wrote.
    pub sender: String,
    /// What.
    pub text: String,
    /// When, in milliseconds.
    pub at: i64,
}

impl Chat {
    /// Sends messages of a room by mail, each reader a letter of his own; who of the named users has no address. Needs
    /// `mail-messages` there and the right to read it. Without a mail server nothing goes out.
    ///
    /// # Errors
    /// `Invalid` of field `emails` for what is no address; `NotFound(Message)`; `TooLarge`.
    pub async fn mail_messages(&self, actor: &Actor, room: &RoomId, out: &MailOut) -> Result<Vec<String>> {
        let me = self.active_user(actor).await?;
        let room = self.find_room(actor, RoomRef::Id(room)).await?;
        self.require(actor, "mail-messages", Some(&room)).await?;
        for (what, count, limit) in [
            ("messages", out.messages.len(), MOST_MESSAGES),
            ("readers", out.users.len() + out.addresses.len(), MOST_READERS),
        ] {
            if count > limit {
                return Err(Refusal::TooLarge { what, limit: limit as u64 });
            }
        }
        let settings = self.settings();
        let mut readers: Vec<(String, String, String)> = Vec::new();
        for address in out.addresses.iter().map(|address| address.trim()).filter(|a| !a.is_empty()) {
            crate::users_rules::check_email(address, &settings)
                .map_err(|_| Refusal::invalid("emails", "Invalid email"))?;
            readers.push((address.to_owned(), String::new(), me.language.clone()));
        }
        let mut missing: Vec<String> = out.users.iter().filter(|name| !name.is_empty()).cloned().collect();
        for user in self.users_named(&missing).await? {
            let Some(email) = user.emails.first().filter(|_| user.active) else { continue };
            missing.retain(|name| !name.trim_start_matches('@').eq_ignore_ascii_case(&user.username));
            let name = user.shown_name();
            readers.push((email.address.clone(), name.to_owned(), user.language.clone()));
        }
        let said = self.all_said(actor, &room.id, &out.messages).await?;
        let by = me.shown_name();
        let subject = match out.subject.trim() {
            "" => room.shown_name(),
            subject => subject,
        };
        if self.sends_mail() {
            let about = About::Said(subject.chars().take(200).collect(), written(by, &said));
            let letter = |(to, name, language): &(String, String, String)| {
                self.letter_to(to, name, language, &about, GOOD)
            };
            let letters = readers.iter().map(letter).collect::<Result<Vec<_>>>()?;
            self.keep_letters(letters).await?;
        }
        Ok(missing)
    }

    async fn all_said(&self, actor: &Actor, room: &RoomId, ids: &[MessageId]) -> Result<Vec<Said>> {
        let mut all = Vec::with_capacity(ids.len());
        let mut length = 0;
        for id in ids {
            let message = self.message(actor, id).await?;
            if message.room != *room {
                return Err(Refusal::NotFound(What::Message));
            }
            length += message.text.len();
            if length > LONGEST {
                return Err(Refusal::TooLarge { what: "letter", limit: LONGEST as u64 });
            }
            all.push(Said {
                sender: message.shown_author().to_owned(),
                text: message.text,
                at: message.at.millis(),
            });
        }
        Ok(all)
    }
}

fn written(by: &str, said: &[Said]) -> String {
    let items: Vec<Value> =
        said.iter().map(|said| json!({ "by": said.sender, "text": said.text, "at": said.at })).collect();
    json!({ "by": by, "items": items }).to_string()
}

/// Who sends the messages of such a letter, and the messages.
pub fn read(text: &str) -> (String, Vec<Said>) {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let said = |item: &Value| Said {
        sender: text(item, "by"),
        text: text(item, "text"),
        at: item["at"].as_i64().unwrap_or_default(),
    };
    (text(&body, "by"), body["items"].as_array().into_iter().flatten().map(said).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_as_it_was_written() {
        let said = vec![Said { sender: "Ann".into(), text: "a \"quote\"\n".into(), at: 5 }];
        assert_eq!(read(&written("Bob", &said)), ("Bob".to_owned(), said));
        assert_eq!(read("nothing"), (String::new(), Vec::new()));
    }
}

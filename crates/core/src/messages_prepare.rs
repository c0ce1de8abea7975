//! From a draft to a message: everything that a send is judged by.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, State, What},
    id::MessageId,
    json::Json,
    message::{Attachment, Guise, MAX_TEXT, Message},
    messages::{Draft, Prepared},
    messages_host::without_controls,
    permissions::{Action, Judgement, Object},
    room::{Room, RoomKind},
    session::Actor,
    setting::Settings,
    user::User,
};

/// How far a sender's clock may be off, in milliseconds.
const CLOCK_TOLERANCE: u64 = 60_000;
/// Cards and files below one message.
const MAX_ATTACHMENTS: usize = 100;
/// Bytes of one JSON value that is only carried.
pub(crate) const MAX_JSON: usize = 64 * 1024;

impl Chat {
    /// Judges a draft and makes a message of it.
    pub(crate) async fn prepare(&self, actor: &Actor, draft: &Draft) -> Result<Prepared> {
        let room = draft.room.as_ref().ok_or(Refusal::NotFound(What::Room))?;
        let room = self.room(room).await?;
        let judgement = self.authorize(actor, Action::PostMessage, Object::Room(&room)).await?;
        let author = self.active_user(actor).await?;
        let mut prepared = self.compose(actor, &room, &author, draft).await?;
        prepared.judgement = judgement;
        let enters = match room.kind {
            RoomKind::Case | RoomKind::Ticket => true,
            // Host applications write into channels without asking to join; Rocket.Chat's clients join first.
            RoomKind::Channel => draft.from_host,
            _ => false,
        };
        prepared.enters =
            enters && !actor.is_system() && self.membership(&room.id, &author.id).await?.is_none();
        Ok(prepared)
    }

    /// Makes a message of a draft, without a judgement of the room, which may be about to be made.
    pub(crate) async fn compose(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        author: &Arc<User>,
        draft: &Draft,
    ) -> Result<Prepared> {
        let repeated = self.repeat(actor, draft).await?;
        let draft = repeated.as_ref().unwrap_or(draft);
        let settings = self.settings();
        self.check_draft(actor, room, draft, &settings).await?;

        let id = match (&draft.id, &draft.client_id) {
            (Some(id), _) => id.clone(),
            (None, Some(client_id)) => self.client_message_id(author, client_id),
            (None, None) => MessageId::new(self.new_id()),
        };
        let text = if draft.from_host { without_controls(&draft.text) } else { draft.text.clone() };
        let mut message = Message::written_by(author, id, room.id.clone(), settings.censored(&text));
        if draft.system_line && actor.is_system() {
            message = Message::system(author, message.id, message.room, message.text);
        }
        message.client_id = draft.client_id.clone();
        message.metadata = draft.metadata.clone();
        message.reply_to = draft.reply_to.clone();
        message.forwarded_from = draft.forwarded_from.clone();
        message.thread = self.thread_root(room, draft, &settings).await?;
        message.shown_in_room = message.thread.is_some() && draft.shown_in_room;
        message.guise = draft.guise.clone();
        message.custom_fields = draft.custom_fields.clone().unwrap_or_default();
        message.encrypted = draft.encrypted.clone();
        message.extras = draft.extras.clone();
        message.ungrouped = draft.ungrouped;
        message.attachments = draft.cards.iter().cloned().map(Attachment::Card).collect();
        message.attachments.extend(draft.files.iter().cloned().map(Attachment::File));
        let mentioned = self.read_text(actor, room, author, &mut message, draft).await?;
        let quotes = draft.quotes.iter().cloned().map(|quote| Attachment::Quote(Box::new(quote)));
        message.attachments.splice(0..0, quotes);
        let client_id = draft.id.is_some() || draft.client_id.is_some();
        Ok(Prepared { message, judgement: Judgement::default(), client_id, mentioned, enters: false })
    }

    /// What the text names: people, rooms, links, quotes. Gives back who gets a mention row.
    pub(crate) async fn read_text(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        author: &Arc<User>,
        message: &mut Message,
        draft: &Draft,
    ) -> Result<Vec<crate::id::UserId>> {
        message.attachments.retain(|a| !matches!(a, Attachment::Quote(_)));
        self.quote_answered(room, message).await?;
        (message.mentions, message.channels, message.links) = Default::default();
        if message.encrypted.is_some() {
            return Ok(Vec::new());
        }
        // Most texts name nothing: a look at their bytes spares the parser.
        let links = !draft.no_links && may_link(&message.text);
        let names = message.text.contains(['@', '#']);
        if !links && !names {
            return Ok(Vec::new());
        }
        let read = parlor_markup::parse(&message.text, &parlor_markup::Options::default());
        if links {
            message.links = self.links_of(&read, draft.previews.as_deref());
            self.quote_links(actor, message).await?;
        }
        if names { self.address(actor, room, author, &read, message).await } else { Ok(Vec::new()) }
    }

    async fn check_draft(
        &self,
        actor: &Actor,
        room: &Arc<Room>,
        draft: &Draft,
        settings: &Settings,
    ) -> Result<()> {
        let now = self.now().millis();
        if draft.claimed_at.is_some_and(|at| at.millis().abs_diff(now) > CLOCK_TOLERANCE) {
            return Err(Refusal::invalid("ts", "Message timestamp is out of sync"));
        }
        check_text(&draft.text, draft.from_host, settings)?;
        self.check_host_draft(draft)?;
        check_attachments(draft.cards.len() + draft.files.len())?;
        let carried = draft.cards.iter().chain(&draft.encrypted).chain(&draft.custom_fields);
        for json in carried.chain([&draft.extras]) {
            check_json(json)?;
        }
        check_cards(&draft.cards, settings)?;
        for file in &draft.files {
            check_text(&file.description, draft.from_host, settings)?;
        }
        // An emoji in the picture's place makes nobody somebody else.
        if (Guise { emoji: None, ..draft.guise.clone() }) != Guise::default() {
            self.require(actor, "message-impersonate", Some(room)).await?;
        }
        if let Some(fields) = &draft.custom_fields {
            crate::messages_custom::check(fields, settings)?;
        }
        let plain_allowed = settings.is_on("E2E_Allow_Unencrypted_Messages");
        if room.encrypted && draft.encrypted.is_none() && !plain_allowed && settings.is_on("E2E_Enable") {
            return Err(State::Encrypted.into());
        }
        Ok(())
    }

    /// The root a reply hangs on: a reply's own root when it answers a reply.
    async fn thread_root(
        &self,
        room: &Room,
        draft: &Draft,
        settings: &Settings,
    ) -> Result<Option<MessageId>> {
        let Some(wanted) = draft.thread.clone() else { return Ok(None) };
        if !settings.is_on("Threads_enabled") {
            return Err(Refusal::Disabled("Threads_enabled"));
        }
        let found = self.store().reading(move |rows| rows.message(&wanted)).await?;
        let found =
            found.filter(|m| m.room == room.id && !m.deleted).ok_or(Refusal::NotFound(What::Message))?;
        Ok(Some(found.thread.unwrap_or(found.id)))
    }
}

/// Whether a text may hold a link: every host or scheme has a dot or colon with something right behind it, which the
/// ends of sentences have not.
fn may_link(text: &str) -> bool {
    let begins = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'[') || !byte.is_ascii();
    text.as_bytes().windows(2).any(|pair| matches!(pair[0], b'.' | b':') && begins(&pair[1]))
}

/// The text's size, in characters.
pub(crate) fn check_text(text: &str, cleaned: bool, settings: &Settings) -> Result<()> {
    let limit = match settings.number("Message_MaxAllowedSize") as usize {
        0 => MAX_TEXT,
        limit => limit,
    };
    let counts = |c: &char| !cleaned || *c >= ' ' || matches!(c, '\t' | '\n' | '\r');
    if text.len() > limit && text.chars().filter(counts).count() > limit {
        return Err(Refusal::TooLarge { what: "message", limit: limit as u64 });
    }
    if !cleaned && text.contains('\0') {
        return Err(Refusal::invalid("message", "must not contain NUL characters"));
    }
    Ok(())
}

/// Refuses more cards and files than one message may have.
pub(crate) fn check_attachments(number: usize) -> Result<()> {
    if number > MAX_ATTACHMENTS {
        return Err(Refusal::TooLarge { what: "attachments", limit: MAX_ATTACHMENTS as u64 });
    }
    Ok(())
}

/// What cards say is bounded like the text above them.
pub(crate) fn check_cards<'a>(cards: impl IntoIterator<Item = &'a Json>, settings: &Settings) -> Result<()> {
    for card in cards {
        let card: serde_json::Value = serde_json::from_str(card.as_str()).unwrap_or_default();
        if let Some(text) = card.get("text").and_then(serde_json::Value::as_str) {
            check_text(text, true, settings)?;
        }
    }
    Ok(())
}

pub(crate) fn check_json(json: &Json) -> Result<()> {
    if json.as_str().len() > MAX_JSON {
        return Err(Refusal::TooLarge { what: "attachment", limit: MAX_JSON as u64 });
    }
    Ok(())
}

/// Whether a time window of that many minutes (0: no limit) has passed since `at`. Fractions count.
pub(crate) fn too_late(at: Time, now: Time, minutes: f64) -> bool {
    minutes > 0.0 && (now.millis() - at.millis()) as f64 > minutes * 60_000.0
}

impl Settings {
    /// The text with the words of `Message_BadWordsFilterList` (separated by commas) replaced by asterisks, when
    /// `Message_AllowBadWordsFilter` is on; `Message_BadWordsWhitelist` is spared. Whole words, letter case aside.
    pub(crate) fn censored(&self, text: &str) -> String {
        if !self.is_on("Message_AllowBadWordsFilter") {
            return text.to_owned();
        }
        let words = |id| {
            let list = self.text(id).split(',').map(|w| w.trim().to_lowercase()).filter(|w| !w.is_empty());
            list.collect::<Vec<_>>()
        };
        let (mut bad, spared) = (words("Message_BadWordsFilterList"), words("Message_BadWordsWhitelist"));
        bad.retain(|word| !spared.contains(word));
        censor(text, &bad)
    }
}

fn censor(text: &str, bad: &[String]) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut word = String::new();
    let flush = |word: &mut String, clean: &mut String| {
        if bad.contains(&word.to_lowercase()) {
            clean.extend(word.chars().map(|_| '*'));
        } else {
            clean.push_str(word);
        }
        word.clear();
    };
    for c in text.chars() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
        } else {
            flush(&mut word, &mut clean);
            clean.push(c);
        }
    }
    flush(&mut word, &mut clean);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_for_links_unless_its_dots_and_colons_end_something() {
        for text in ["see https://example.org.", "example.org", "a@b.example", "[x](//a.b)", "localhost:3000"]
        {
            assert!(may_link(text), "{text}");
        }
        for text in ["Yes.", "One thing: no. Or ... well", "", ":", "end of it: ", "a) b: c."] {
            assert!(!may_link(text), "{text}");
            let read = parlor_markup::parse(text, &parlor_markup::Options::default());
            assert!(parlor_markup::links(&read).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_bad_word_is_masked_but_not_inside_another_word() {
        let bad = ["badword".to_owned()];
        assert_eq!(censor("A badWord, notabadword.", &bad), "A *******, notabadword.");
        assert_eq!(censor("nothing", &bad), "nothing");
    }

    #[test]
    fn a_text_is_measured_in_characters() {
        let settings = Settings::default();
        assert!(check_text(&"é".repeat(MAX_TEXT), false, &settings).is_ok());
        assert_eq!(
            check_text(&"e".repeat(MAX_TEXT + 1), false, &settings),
            Err(Refusal::TooLarge { what: "message", limit: MAX_TEXT as u64 })
        );
        assert!(check_text("a\0b", false, &settings).is_err());
        assert!(check_text(&format!("{}\0", "e".repeat(MAX_TEXT)), true, &settings).is_ok());
    }

    #[test]
    fn a_window_of_no_minutes_never_closes() {
        assert!(!too_late(Time(0), Time(i64::MAX), 0.0));
        assert!(too_late(Time(0), Time(3_001), 0.05));
        assert!(!too_late(Time(0), Time(3_000), 0.05));
    }
}

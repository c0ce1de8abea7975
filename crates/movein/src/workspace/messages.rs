//! Messages.

use anyhow::Result;
use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId, TeamId, UserId},
    json::Json,
    message::{
        DiscussionInfo, Guise, Link, Mark, Mention, Message, MessageKind, REMOVED, Reaction, RoomMention,
    },
    moving::Moved,
    moving_messages::MovedMessage,
};
use serde_json::{Map, Value};

use super::{
    Importer,
    attachments::{MOST as MOST_ATTACHMENTS, is_harmless},
    kind::MESSAGES,
};
use crate::doc::{Doc, carried};

/// What a preview of a link may weigh, in bytes; a heavier one is found anew.
const LARGEST_PREVIEW: usize = 16 * 1024;
/// What clients keep in messages and the server only carries.
const CARRIED: [&str; 6] = ["blocks", "role", "actionLinks", "private", "location", "e2eMentions"];

impl Importer<'_> {
    /// Takes in a batch of messages: those of one room in the order of their times.
    pub(crate) async fn messages(&mut self, docs: Vec<Doc>) -> Result<()> {
        let placed = docs.iter().filter(|doc| self.rooms.contains_key(&doc.words("rid")));
        let authors: Vec<_> = placed.map(|doc| (doc.words("u._id"), doc.text("u.username"))).collect();
        self.remember(authors).await?;
        let (mut ids, mut lost, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for doc in docs {
            self.tally.read(MESSAGES);
            match self.moved_message(&doc) {
                Ok(mut moved) => {
                    moved.message.attachments = self.attachments(&doc).await?;
                    lost.push(self.lost(&doc));
                    ids.push(doc.id());
                    wanted.push(moved);
                }
                Err(reason) => self.tally.left(MESSAGES, &doc.id(), reason),
            }
        }
        let done = self.chat.move_messages(&self.actor, wanted, self.dry).await?;
        for ((id, lost), moved) in ids.iter().zip(lost).zip(&done) {
            self.tally.done(MESSAGES, id, moved);
            let lost = lost.into_iter().filter(|(_, number)| *number > 0 && matches!(moved, Moved::New(())));
            lost.for_each(|(reason, number)| self.tally.part(reason, id, number));
        }
        Ok(())
    }

    /// What of a message can't be kept, and how much of it.
    fn lost(&self, doc: &Doc) -> [(&'static str, u64); 2] {
        let reactions = doc.at("reactions").and_then(Value::as_object).into_iter().flatten();
        let names = reactions.flat_map(|(_, who)| Doc::of(who.clone()).texts("usernames"));
        let nobodys = names.filter(|name| self.person_named(name).is_none()).count();
        let attachments = doc.docs("attachments").len().saturating_sub(MOST_ATTACHMENTS);
        [
            ("a reaction of somebody whose account is gone", nobodys as u64),
            ("an attachment beyond the most that a message may have", attachments as u64),
        ]
    }

    fn moved_message(&self, doc: &Doc) -> Result<MovedMessage, &'static str> {
        let id = MessageId::parse(&doc.id()).ok_or("its id can't be one here")?;
        let room = self.rooms.get(&doc.words("rid")).ok_or("its room is not there")?;
        let author = self.people.get(&doc.words("u._id")).ok_or("nobody wrote it")?;
        let at = doc.time("ts").ok_or("it has no time")?;
        if doc.is("_hidden") {
            return Err("an older version of an edited message");
        }
        let by = self.chat.empty_user(author.id.clone(), &author.username);
        let mut message = Message::written_by(&by, id, room.clone(), doc.words("msg"));
        message.author_name = author.name.clone();
        self.kind(doc, &mut message);
        message.thread = doc.text("tmid").and_then(|id| MessageId::parse(&id));
        message.shown_in_room = doc.is("tshow");
        message.discussion = doc.text("drid").and_then(|id| RoomId::parse(&id)).map(|room| DiscussionInfo {
            room,
            messages: doc.number("dcount").unwrap_or_default() as i64,
            last_at: doc.time("dlm"),
        });
        message.edited = self.mark(doc, "editedBy", "editedAt");
        message.pinned = if doc.is("pinned") { self.mark(doc, "pinnedBy", "pinnedAt") } else { None };
        message.mentions = doc.docs("mentions").iter().filter_map(|m| self.mention(m)).collect();
        message.channels = doc.docs("channels").iter().filter_map(channel).collect();
        message.links = doc.docs("urls").iter().filter_map(link).collect();
        message.reactions = self.reactions(doc);
        message.guise = guise(doc);
        message.custom_fields = doc.carried("customFields").unwrap_or_default();
        message.extras = extras(doc);
        message.ungrouped |= doc.flag("groupable") == Some(false);
        let users = |ids: Vec<String>| -> Vec<UserId> {
            ids.iter().filter_map(|id| Some(self.people.get(id)?.id.clone())).collect()
        };
        let stars = users(doc.docs("starred").iter().map(Doc::id).collect());
        Ok(MovedMessage { message, at, stars, followers: users(doc.texts("replies")) })
    }

    /// Whether it is a notice, a removed message or an encrypted one.
    fn kind(&self, doc: &Doc, message: &mut Message) {
        let word = doc.words("t");
        if word == "e2e" || doc.at("content").is_some_and(Value::is_object) {
            let mut kept = Map::new();
            for key in ["e2e", "content"] {
                if let Some(value) = doc.at(key) {
                    kept.insert(key.into(), value.clone());
                }
            }
            message.encrypted = carried(&Value::Object(kept));
        } else if word == REMOVED {
            message.kind = MessageKind::Notice(REMOVED.into());
            message.text = String::new();
        } else if !word.is_empty() && word.len() <= 64 {
            message.kind = MessageKind::Notice(word.as_str().into());
            message.ungrouped = true;
        }
    }

    fn mark(&self, doc: &Doc, by: &str, at: &str) -> Option<Mark> {
        let at = doc.time(at)?;
        let person = self.people.get(&doc.words(&format!("{by}._id")));
        let username = doc.text(&format!("{by}.username"));
        Some(match person {
            Some(person) => Mark { by: person.id.clone(), username: person.username.clone(), at },
            None => Mark {
                by: UserId::parse(&doc.words(&format!("{by}._id")))?,
                username: username.unwrap_or_default(),
                at,
            },
        })
    }

    fn mention(&self, doc: &Doc) -> Option<Mention> {
        match doc.id().as_str() {
            "all" => Some(Mention::All),
            "here" => Some(Mention::Here),
            id if doc.words("type") == "team" => {
                Some(Mention::Team { id: TeamId::parse(id)?, name: doc.text("name")? })
            }
            id => {
                let person = self.people.get(id)?;
                let (username, name) = (person.username.clone(), person.name.clone());
                Some(Mention::User { id: person.id.clone(), username, name })
            }
        }
    }

    fn reactions(&self, doc: &Doc) -> Vec<Reaction> {
        let Some(all) = doc.at("reactions").and_then(Value::as_object) else { return Vec::new() };
        let reaction = |(emoji, who): (&String, &Value)| {
            let names = Doc::of(who.clone()).texts("usernames");
            let person = |name: &String| Some((self.person_named(name)?.id.clone(), name.clone()));
            let users: Vec<_> = names.iter().take(1_000).filter_map(person).collect();
            let good = !users.is_empty() && emoji.len() <= 130;
            good.then(|| Reaction { emoji: format!(":{}:", emoji.trim_matches(':')), users })
        };
        all.iter().take(100).filter_map(reaction).collect()
    }
}

fn channel(doc: &Doc) -> Option<RoomMention> {
    Some(RoomMention { id: RoomId::parse(&doc.id())?, name: doc.text("name")?, title: doc.text("fname") })
}

fn link(doc: &Doc) -> Option<Link> {
    let url = doc.text("url").filter(|url| url.len() <= 4_096)?;
    let mut found = doc.0.clone();
    found.retain(|key, value| matches!(key.as_str(), "meta" | "headers") && is_something(value));
    let preview = if found.contains_key("meta") { carried(&Value::Object(found)) } else { None };
    let preview = preview.filter(|json| json.as_str().len() <= LARGEST_PREVIEW);
    Some(Link { url, no_preview: doc.is("ignoreParse"), preview })
}

fn is_something(value: &Value) -> bool {
    value.as_object().is_some_and(|object| !object.is_empty())
}

fn guise(doc: &Doc) -> Guise {
    let short = |path: &str| doc.text(path).filter(|text| text.len() <= 1_000);
    Guise {
        alias: short("alias"),
        avatar: short("avatar").filter(|url| is_harmless(url)),
        emoji: short("emoji"),
        bot: short("bot.i"),
    }
}

fn extras(doc: &Doc) -> Json {
    let mut kept = Map::new();
    for key in CARRIED {
        if let Some(value) = doc.at(key).filter(|value| !value.is_null()) {
            kept.insert(key.into(), value.clone());
        }
    }
    if kept.is_empty() { Json::object() } else { carried(&Value::Object(kept)).unwrap_or_default() }
}

/// The place of a message among those of its room.
pub(crate) fn order(doc: &Doc) -> (String, i64, String) {
    (doc.words("rid"), doc.time("ts").map_or(i64::MAX, Time::millis), doc.id())
}

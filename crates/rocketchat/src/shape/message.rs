//! Messages as Rocket.Chat writes them: one form for REST lists, method results and live events, written straight into
//! the answer.

use parlor_core::{
    clock::Time,
    id::UserId,
    message::{Link, Mark, Mention, Message, Reaction},
    setting::Settings,
};
use parlor_markup::Options;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, value::RawValue};

use super::attachment;
use crate::{
    date::{Date, Dates},
    md,
};

/// How a message is written, beside what it says.
pub(crate) struct Look {
    /// Dates of REST or of DDP.
    pub(crate) dates: Dates,
    options: Options,
}

impl Look {
    /// As the workspace wants it.
    pub(crate) fn new(settings: &Settings, dates: Dates) -> Self {
        let katex = settings.is_on("Katex_Enabled");
        let options = Options {
            colors: settings.is_on("HexColorPreview_Enabled"),
            katex_dollar: katex,
            katex_parenthesis: katex,
            ..Options::default()
        };
        Self { dates, options }
    }

    /// As a workspace with the usual settings wants it.
    pub(crate) fn usual(dates: Dates) -> Self {
        Self { dates, options: Options { colors: true, ..Options::default() } }
    }

    /// The tree of a text; `None` for no text.
    pub(crate) fn tree(&self, text: &str, written: Time) -> Option<Box<RawValue>> {
        if text.is_empty() {
            return None;
        }
        let now = Some(written.millis().div_euclid(1000));
        // A copy of a few flags and empty lists, unless the workspace names domains of its own.
        let document = parlor_markup::parse(text, &Options { now, ..self.options.clone() });
        let mut json = Vec::with_capacity(text.len() * 2 + 64);
        md::write(&document, &mut json);
        RawValue::from_string(String::from_utf8(json).ok()?).ok()
    }
}

/// A message, to be written.
pub(crate) struct Shaped<'a> {
    pub(crate) message: &'a Message,
    pub(crate) look: &'a Look,
    /// The stars it shows.
    pub(crate) stars: Stars<'a>,
}

/// Stars, which are seen by their owner alone.
#[derive(Clone, Copy)]
pub(crate) enum Stars<'a> {
    /// Nothing is said: for all to see.
    Unsaid,
    /// This user, who looks, has starred it.
    Of(&'a UserId),
    /// Whoever looks took the star off; clients that merge what changed must see that it went.
    Gone,
}

impl<'a> Stars<'a> {
    /// Those of a user who looks at a message that has his star, or has not.
    pub(crate) fn seen(viewer: &'a UserId, on: bool) -> Self {
        if on { Self::Of(viewer) } else { Self::Unsaid }
    }
}

/// A message as JSON, without stars.
pub(crate) fn value(message: &Message, look: &Look) -> Value {
    to_value(&Shaped { message, look, stars: Stars::Unsaid })
}

/// A message as JSON.
pub(crate) fn to_value(shaped: &Shaped<'_>) -> Value {
    serde_json::to_value(shaped).unwrap_or_default()
}

/// `{_id, username}`.
struct By<'a>(&'a Mark);

impl Serialize for By<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        pairs(serializer, &[("_id", self.0.by.as_str()), ("username", &self.0.username)])
    }
}

/// An object of texts.
fn pairs<S: Serializer>(serializer: S, all: &[(&str, &str)]) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(all.len()))?;
    for (key, text) in all {
        map.serialize_entry(key, text)?;
    }
    map.end()
}

struct Author<'a>(&'a Message);

impl Serialize for Author<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let m = self.0;
        let name = m.shown_author();
        pairs(serializer, &[("_id", m.author.as_str()), ("username", &m.author_username), ("name", name)])
    }
}

struct Addressed<'a>(&'a Mention);

impl Serialize for Addressed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Mention::User { id, username, name } => {
                let user = [("_id", id.as_str()), ("username", username), ("name", name), ("type", "user")];
                pairs(serializer, &user)
            }
            Mention::Team { id, name } => {
                pairs(serializer, &[("_id", id.as_str()), ("name", name), ("type", "team")])
            }
            Mention::All => pairs(serializer, &[("_id", "all"), ("username", "all")]),
            Mention::Here => pairs(serializer, &[("_id", "here"), ("username", "here")]),
        }
    }
}

/// A link with what its preview found.
struct Url<'a>(&'a Link);

impl Serialize for Url<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("url", &self.0.url)?;
        let found = self.0.preview.as_ref().and_then(|p| serde_json::from_str::<Value>(p.as_str()).ok());
        match found.as_ref().and_then(Value::as_object) {
            None => map.serialize_entry("meta", &Value::Object(Default::default()))?,
            Some(found) => {
                for (key, value) in found.iter().filter(|(key, _)| *key != "url") {
                    map.serialize_entry(key, value)?;
                }
            }
        }
        if self.0.no_preview {
            map.serialize_entry("ignoreParse", &true)?;
        }
        map.end()
    }
}

struct Reactions<'a>(&'a [Reaction]);

impl Serialize for Reactions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Who<'a> {
            usernames: Vec<&'a str>,
        }
        serializer.collect_map(self.0.iter().map(|reaction| {
            let usernames = reaction.users.iter().map(|(_, name)| name.as_str()).collect();
            (&reaction.emoji, Who { usernames })
        }))
    }
}

/// A list whose items are written by a wrapper.
struct Each<'a, T, W>(&'a [T], fn(&'a T) -> W);

impl<'a, T, W: Serialize> Serialize for Each<'a, T, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(self.1))
    }
}

impl Serialize for Shaped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (m, look) = (self.message, self.look);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_id", m.id.as_str())?;
        map.serialize_entry("rid", m.room.as_str())?;
        map.serialize_entry("msg", &m.text)?;
        map.serialize_entry("ts", &Date(m.at, look.dates))?;
        map.serialize_entry("u", &Author(m))?;
        map.serialize_entry("_updatedAt", &Date(m.updated_at, look.dates))?;
        if let Some(kind) = m.notice_kind() {
            map.serialize_entry("t", kind)?;
        } else if m.encrypted.is_none() {
            map.serialize_entry("urls", &Each(&m.links, Url))?;
            map.serialize_entry("mentions", &Each(&m.mentions, Addressed))?;
            map.serialize_entry("channels", &Each(&m.channels, Channel))?;
            if let Some(tree) = look.tree(&m.text, m.at) {
                map.serialize_entry("md", &tree)?;
            }
        }
        self.thread(&mut map)?;
        self.state(&mut map)?;
        self.rare(&mut map)?;
        attachment::entries(m, look, &mut map)?;
        match self.stars {
            Stars::Unsaid => {}
            Stars::Of(user) => {
                let star = std::collections::BTreeMap::from([("_id", user.as_str())]);
                map.serialize_entry("starred", &[star])?;
            }
            Stars::Gone => map.serialize_entry("starred", &[(); 0])?,
        }
        map.end()
    }
}

struct Channel<'a>(&'a parlor_core::message::RoomMention);

impl Serialize for Channel<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fname = self.0.title.as_deref().unwrap_or(&self.0.name);
        pairs(serializer, &[("_id", self.0.id.as_str()), ("name", &self.0.name), ("fname", fname)])
    }
}

impl Shaped<'_> {
    fn thread<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (m, dates) = (self.message, self.look.dates);
        if let Some(root) = &m.thread {
            map.serialize_entry("tmid", root.as_str())?;
            if m.shown_in_room {
                map.serialize_entry("tshow", &true)?;
            }
        }
        if let Some(info) = &m.thread_info {
            if info.replies > 0 {
                map.serialize_entry("tcount", &info.replies)?;
                map.serialize_entry("tlm", &Date(info.last_at, dates))?;
            }
            let followers: Vec<&str> = info.followers.iter().map(UserId::as_str).collect();
            map.serialize_entry("replies", &followers)?;
        }
        if let Some(discussion) = &m.discussion {
            map.serialize_entry("drid", discussion.room.as_str())?;
            map.serialize_entry("dcount", &discussion.messages)?;
            if let Some(at) = discussion.last_at {
                map.serialize_entry("dlm", &Date(at, dates))?;
            }
        }
        Ok(())
    }

    fn state<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let (m, dates) = (self.message, self.look.dates);
        if let Some(mark) = &m.edited {
            map.serialize_entry("editedAt", &Date(mark.at, dates))?;
            map.serialize_entry("editedBy", &By(mark))?;
        }
        match &m.pinned {
            Some(mark) => {
                map.serialize_entry("pinned", &true)?;
                map.serialize_entry("pinnedAt", &Date(mark.at, dates))?;
                map.serialize_entry("pinnedBy", &By(mark))?;
            }
            // Clients that merge what changed must see that a pin went.
            None if m.rev > m.seq && m.notice_kind().is_none() => map.serialize_entry("pinned", &false)?,
            None => {}
        }
        if !m.reactions.is_empty() {
            map.serialize_entry("reactions", &Reactions(&m.reactions))?;
        }
        if m.ungrouped {
            map.serialize_entry("groupable", &false)?;
        }
        Ok(())
    }

    fn rare<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let m = self.message;
        for (key, text) in [("alias", &m.guise.alias), ("avatar", &m.guise.avatar), ("emoji", &m.guise.emoji)]
        {
            if let Some(text) = text {
                map.serialize_entry(key, text)?;
            }
        }
        if let Some(bot) = &m.guise.bot {
            map.serialize_entry("bot", &std::collections::BTreeMap::from([("i", bot)]))?;
        }
        if !m.custom_fields.is_empty() {
            map.serialize_entry("customFields", &super::room::json_text(m.custom_fields.as_str()))?;
        }
        if let Some(encrypted) = &m.encrypted {
            map.serialize_entry("t", "e2e")?;
            carried(map, encrypted.as_str())?;
        }
        if !m.extras.is_empty() {
            carried(map, m.extras.as_str())?;
        }
        Ok(())
    }
}

/// The members of an object that the core only carries. The door that took it in left none that stand elsewhere.
fn carried<M: SerializeMap>(map: &mut M, json: &str) -> Result<(), M::Error> {
    if let Ok(Value::Object(object)) = serde_json::from_str(json) {
        for (key, value) in &object {
            map.serialize_entry(key, value)?;
        }
    }
    Ok(())
}

//! Integrations: addresses by which other programs post here, and calls that go out when something happens.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::{
    clock::Time,
    error::{Refusal, Result},
    id::UserId,
    json::Json,
    store::Document,
};

/// Collection of their documents.
pub(crate) const COLLECTION: &str = "integrations";
/// Longest name, alias, emoji or picture's address, in characters.
const LONGEST: usize = 1_000;
/// Longest script kept (none is ever run), in bytes.
const LONGEST_SCRIPT: usize = 32 * 1024;
/// Rooms, addresses or trigger words of one integration.
const MOST: usize = 50;

/// Which way an integration works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Others post here.
    Incoming,
    /// The server calls others.
    Outgoing,
}

impl Direction {
    /// Rocket.Chat's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incoming => "webhook-incoming",
            Self::Outgoing => "webhook-outgoing",
        }
    }
    /// Reads Rocket.Chat's word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Incoming, Self::Outgoing].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What makes an outgoing integration call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Trigger {
    SendMessage,
    FileUploaded,
    RoomArchived,
    RoomCreated,
    RoomJoined,
    RoomLeft,
    UserCreated,
}

impl Trigger {
    const ALL: [(Self, &str); 7] = [
        (Self::SendMessage, "sendMessage"),
        (Self::FileUploaded, "fileUploaded"),
        (Self::RoomArchived, "roomArchived"),
        (Self::RoomCreated, "roomCreated"),
        (Self::RoomJoined, "roomJoined"),
        (Self::RoomLeft, "roomLeft"),
        (Self::UserCreated, "userCreated"),
    ];
    /// Rocket.Chat's word for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(trigger, _)| *trigger == self).map_or("", |(_, word)| word)
    }
    /// Reads Rocket.Chat's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(trigger, _)| *trigger)
    }
    /// Whether a message is told with it.
    pub fn tells_message(self) -> bool {
        matches!(self, Self::SendMessage | Self::FileUploaded)
    }
    /// Whether it happens in a room.
    pub fn in_room(self) -> bool {
        !matches!(self, Self::RoomCreated | Self::UserCreated)
    }
}

/// How long a failed call waits for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backoff {
    /// 0.1 s, 1 s, 10 s, 100 s …
    PowersOfTen,
    /// 1 s, 2 s, 4 s, 8 s …
    PowersOfTwo,
    /// 2 s, 4 s, 6 s, 8 s …
    IncrementsOfTwo,
}

impl Backoff {
    const ALL: [(Self, &str); 3] = [
        (Self::PowersOfTen, "powers-of-ten"),
        (Self::PowersOfTwo, "powers-of-two"),
        (Self::IncrementsOfTwo, "increments-of-two"),
    ];
    /// Rocket.Chat's word for it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, word)| word)
    }
    /// Reads Rocket.Chat's word.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind)
    }
    /// The wait after so many failed attempts; at most a day.
    pub fn wait(self, failed: u32) -> Duration {
        let step = failed.saturating_sub(1).min(20);
        let millis = match self {
            Self::PowersOfTen => 100_u64.saturating_mul(10_u64.saturating_pow(step)),
            Self::PowersOfTwo => 1_000_u64.saturating_mul(2_u64.saturating_pow(step)),
            Self::IncrementsOfTwo => u64::from(step + 1) * 2_000,
        };
        Duration::from_millis(millis.min(24 * 3600 * 1000))
    }
}

/// What only outgoing integrations have.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// When.
    pub trigger: Trigger,
    /// Whom: `http` or `https`.
    pub urls: Vec<String>,
    /// Only messages with one of these words; all when empty.
    pub words: Vec<String>,
    /// The words count anywhere in the text, not only at its beginning.
    pub anywhere: bool,
    /// Edits call as well.
    pub on_edits: bool,
    /// A failed call is tried again.
    pub retry: bool,
    /// So often at most.
    pub retries: u32,
    /// After so long.
    pub backoff: Backoff,
    /// What happened up to this number of the journal does not count.
    pub since: i64,
}

/// An integration.
#[derive(Clone, Debug, PartialEq)]
pub struct Integration {
    /// 32 random characters: whoever knows an incoming one may post through it, so it is shown only to those who may
    /// manage it.
    pub id: String,
    /// Which way.
    pub direction: Direction,
    /// For people.
    pub name: String,
    /// It works.
    pub enabled: bool,
    /// As whom it posts.
    pub user: UserId,
    /// That user's name when it was set up.
    pub username: String,
    /// Shown instead of the user's name.
    pub alias: String,
    /// Picture's address.
    pub avatar: String,
    /// Emoji instead of a picture.
    pub emoji: String,
    /// `#room`, `@user`; outgoing ones also `all_public_channels`, `all_private_groups`, `all_direct_messages`.
    pub channels: Vec<String>,
    /// A caller of an incoming one may choose another room.
    pub free_channel: bool,
    /// Kept for those who move in with scripts; never run.
    pub script: String,
    /// Whether its owner wanted it run.
    pub script_enabled: bool,
    /// SHA-256 of an incoming one's token, in hexadecimal; an outgoing one's token, sealed.
    pub token: String,
    /// An outgoing one's calls.
    pub calls: Option<Calls>,
    /// Who made it, and that user's name then.
    pub created_by: (UserId, String),
    /// When it was made.
    pub created_at: Time,
    /// Last change.
    pub updated_at: Time,
}

impl Integration {
    pub(crate) fn check(&self) -> Result<()> {
        let texts = [&self.name, &self.alias, &self.avatar, &self.emoji];
        if texts.iter().any(|text| text.chars().count() > LONGEST) || self.script.len() > LONGEST_SCRIPT {
            return Err(Refusal::TooLarge { what: "integration", limit: LONGEST as u64 });
        }
        let Some(calls) = &self.calls else { return Ok(()) };
        if calls.urls.is_empty() {
            return Err(Refusal::invalid("urls", "Invalid URLs"));
        }
        let web = |url: &String| url.starts_with("https://") || url.starts_with("http://");
        if !calls.urls.iter().all(|url| web(url) && url.len() <= 2_000) {
            return Err(Refusal::invalid("urls", "Invalid URLs"));
        }
        if calls.urls.len() > MOST || calls.words.len() > MOST {
            return Err(Refusal::TooLarge { what: "integration", limit: MOST as u64 });
        }
        Ok(())
    }

    pub(crate) fn document(&self) -> Document {
        let mut body = json!({
            "direction": self.direction.as_str(), "name": self.name, "enabled": self.enabled,
            "user": self.user.as_str(), "username": self.username, "alias": self.alias, "avatar": self.avatar,
            "emoji": self.emoji, "channels": self.channels, "free_channel": self.free_channel,
            "script": self.script, "script_enabled": self.script_enabled, "token": self.token,
            "created_by": [self.created_by.0.as_str(), self.created_by.1], "created_at": self.created_at.millis(),
        });
        if let (Some(calls), Some(object)) = (&self.calls, body.as_object_mut()) {
            object.insert(
                "calls".into(),
                json!({
                    "trigger": calls.trigger.as_str(), "urls": calls.urls, "words": calls.words,
                    "anywhere": calls.anywhere, "on_edits": calls.on_edits, "retry": calls.retry,
                    "retries": calls.retries, "backoff": calls.backoff.as_str(), "since": calls.since,
                }),
            );
        }
        Document {
            id: self.id.clone(),
            key: self.direction.as_str().to_owned(),
            body: Json::new(body.to_string()),
            updated_at: self.updated_at,
        }
    }

    /// `None` for what was not written by this version's rules.
    pub(crate) fn read(document: &Document) -> Option<Self> {
        let body: Map<String, Value> = serde_json::from_str(document.body.as_str()).ok()?;
        let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
        let by = list(body.get("created_by"));
        let [by_id, by_name] = <[String; 2]>::try_from(by).ok()?;
        Some(Self {
            id: document.id.clone(),
            direction: Direction::parse(&text("direction"))?,
            name: text("name"),
            enabled: flag("enabled"),
            user: UserId::new(text("user")),
            username: text("username"),
            alias: text("alias"),
            avatar: text("avatar"),
            emoji: text("emoji"),
            channels: list(body.get("channels")),
            free_channel: flag("free_channel"),
            script: text("script"),
            script_enabled: flag("script_enabled"),
            token: text("token"),
            calls: body.get("calls").and_then(Value::as_object).and_then(read_calls),
            created_by: (UserId::new(by_id), by_name),
            created_at: Time(body.get("created_at").and_then(Value::as_i64).unwrap_or_default()),
            updated_at: document.updated_at,
        })
    }
}

fn list(value: Option<&Value>) -> Vec<String> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn read_calls(body: &Map<String, Value>) -> Option<Calls> {
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| body.get(key).and_then(Value::as_bool).unwrap_or_default();
    let number = |key: &str| body.get(key).and_then(Value::as_i64).unwrap_or_default();
    Some(Calls {
        trigger: Trigger::parse(text("trigger"))?,
        urls: list(body.get("urls")),
        words: list(body.get("words")),
        anywhere: flag("anywhere"),
        on_edits: flag("on_edits"),
        retry: flag("retry"),
        retries: u32::try_from(number("retries")).unwrap_or_default(),
        backoff: Backoff::parse(text("backoff"))?,
        since: number("since"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_a_day() {
        let seconds = |kind: Backoff, failed| kind.wait(failed).as_millis();
        assert_eq!([1, 2, 3].map(|n| seconds(Backoff::PowersOfTen, n)), [100, 1_000, 10_000]);
        assert_eq!([1, 2, 3].map(|n| seconds(Backoff::PowersOfTwo, n)), [1_000, 2_000, 4_000]);
        assert_eq!([1, 2, 3].map(|n| seconds(Backoff::IncrementsOfTwo, n)), [2_000, 4_000, 6_000]);
        assert_eq!(Backoff::PowersOfTen.wait(u32::MAX), Duration::from_secs(24 * 3600));
    }

    #[test]
    fn an_integration_is_read_as_it_was_written() {
        let calls = Calls {
            trigger: Trigger::RoomJoined,
            urls: vec!["https://a.example/".into()],
            words: vec!["deploy".into()],
            anywhere: true,
            on_edits: false,
            retry: true,
            retries: 6,
            backoff: Backoff::PowersOfTwo,
            since: 42,
        };
        let integration = Integration {
            id: "x".into(),
            direction: Direction::Outgoing,
            name: "n".into(),
            enabled: true,
            user: UserId::from("u"),
            username: "bot".into(),
            alias: String::new(),
            avatar: String::new(),
            emoji: ":ghost:".into(),
            channels: vec!["#general".into()],
            free_channel: false,
            script: String::new(),
            script_enabled: false,
            token: "sealed".into(),
            calls: Some(calls),
            created_by: (UserId::from("a"), "admin".into()),
            created_at: Time(5),
            updated_at: Time(7),
        };
        assert_eq!(Integration::read(&integration.document()), Some(integration));
    }
}

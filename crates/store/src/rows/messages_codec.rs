//! How a message becomes a row: a set of bits, and JSON of all that is rare. A plain message has no JSON at all.
//! Stored for ever: keys are only ever added, each with a default.

use parlor_core::{
    clock::Time,
    id::{MessageId, RoomId, TeamId, UploadId, UserId},
    json::Json,
    message::{
        Attachment, DiscussionInfo, FileCard, Guise, Link, Mark, Mention, Message, MessageKind, Quote,
        Reaction, RoomMention, Said,
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Bits of `messages.flags`. Partial indexes name 16 and 1024.
pub(crate) mod flag {
    /// Counts towards unread numbers.
    pub(crate) const COUNTS: i64 = 1;
    /// A reply that is shown in the room as well.
    pub(crate) const SHOWN: i64 = 2;
    /// A notice of the system.
    pub(crate) const NOTICE: i64 = 4;
    /// Clients should not group it.
    pub(crate) const UNGROUPED: i64 = 8;
    /// Pinned.
    pub(crate) const PINNED: i64 = 16;
    /// The root of a thread: a row in `threads`.
    pub(crate) const ROOT: i64 = 32;
    /// Addresses everybody.
    pub(crate) const EVERYBODY: i64 = 64;
    /// Has links.
    pub(crate) const LINKS: i64 = 128;
    /// Shows a file.
    pub(crate) const FILE: i64 = 256;
    /// Shows a picture.
    pub(crate) const IMAGE: i64 = 512;
    /// A discussion starts here.
    pub(crate) const DISCUSSION: i64 = 1024;
    /// A notice that host applications see as a message of the system.
    pub(crate) const SYSTEM: i64 = 2048;
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Extra {
    /// The type of a notice.
    #[serde(skip_serializing_if = "Option::is_none")]
    t: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disc: Option<Discussion>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited: Option<By>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<By>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ment: Vec<Addressed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chan: Vec<(String, String, Option<String>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    links: Vec<(String, bool, Option<String>)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    att: Vec<Attached>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    react: Vec<(String, Vec<(String, String)>)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    avatar: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    emoji: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    custom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    e2e: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fwd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Discussion {
    room: String,
    n: i64,
    at: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct By(String, String, i64);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Addressed {
    User(String, String, String),
    Team(String, String),
    All,
    Here,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Attached {
    File(Box<File>),
    Quote(Box<Quoted>),
    Card(String),
}

#[derive(Serialize, Deserialize)]
struct File {
    id: String,
    name: String,
    #[serde(rename = "type")]
    media_type: String,
    size: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    about: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dim: Option<(u32, u32)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    preview: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    thumb: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    said: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Quoted {
    link: String,
    id: String,
    author: String,
    name: String,
    /// Where it is another than `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    display: Option<String>,
    text: String,
    at: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    att: Vec<Attached>,
}

/// The columns `flags` and `extra`.
pub(crate) fn encode(message: &Message) -> (i64, Option<String>) {
    let flags = flags(message);
    if is_plain(message) {
        return (flags, None);
    }
    let text = |json: &Json| (!json.is_empty()).then(|| json.as_str().to_owned());
    let by = |mark: &Option<Mark>| {
        mark.as_ref().map(|m| By(m.by.as_str().into(), m.username.clone(), m.at.millis()))
    };
    let extra = Extra {
        t: message.notice_kind().map(str::to_owned),
        disc: message.discussion.as_ref().map(|d| Discussion {
            room: d.room.as_str().into(),
            n: d.messages,
            at: d.last_at.map(Time::millis),
        }),
        edited: by(&message.edited),
        pinned: by(&message.pinned),
        ment: message.mentions.iter().map(addressed).collect(),
        chan: message
            .channels
            .iter()
            .map(|c| (c.id.as_str().into(), c.name.clone(), c.title.clone()))
            .collect(),
        links: message
            .links
            .iter()
            .map(|l| (l.url.clone(), l.no_preview, l.preview.as_ref().map(|p| p.as_str().into())))
            .collect(),
        att: message.attachments.iter().map(attached).collect(),
        react: message
            .reactions
            .iter()
            .map(|r| {
                (r.emoji.clone(), r.users.iter().map(|(id, n)| (id.as_str().into(), n.clone())).collect())
            })
            .collect(),
        alias: message.guise.alias.clone(),
        avatar: message.guise.avatar.clone(),
        emoji: message.guise.emoji.clone(),
        bot: message.guise.bot.clone(),
        custom: text(&message.custom_fields),
        e2e: message.encrypted.as_ref().map(|e| e.as_str().to_owned()),
        more: text(&message.extras),
        reply: message.reply_to.as_ref().map(|id| id.as_str().to_owned()),
        fwd: message.forwarded_from.as_ref().map(|id| id.as_str().to_owned()),
        cid: message.client_id.clone(),
        meta: message.metadata.as_ref().map(|m| m.as_str().to_owned()),
    };
    // Only strings, numbers and lists: writing them as JSON has nothing to fail on.
    (flags, Some(serde_json::to_string(&extra).unwrap_or_default()))
}

/// Fills in what the columns say. Unreadable JSON (a damaged row) leaves a plain message.
pub(crate) fn decode(message: &mut Message, flags: i64, extra: Option<&str>) {
    message.shown_in_room = flags & flag::SHOWN != 0;
    message.ungrouped = flags & flag::UNGROUPED != 0;
    let Some(extra) = extra else { return };
    let extra = read::<Extra>(extra).unwrap_or_default();
    let mark = |by: By| Mark { by: by.0.into(), username: by.1, at: Time(by.2) };
    if flags & flag::NOTICE != 0 {
        message.kind = MessageKind::Notice(extra.t.unwrap_or_default().into());
    }
    message.discussion = extra.disc.map(|d| DiscussionInfo {
        room: RoomId::from(d.room),
        messages: d.n,
        last_at: d.at.map(Time),
    });
    message.edited = extra.edited.map(mark);
    message.pinned = extra.pinned.map(mark);
    message.mentions = extra.ment.into_iter().map(mention).collect();
    message.channels =
        extra.chan.into_iter().map(|(id, name, title)| RoomMention { id: id.into(), name, title }).collect();
    message.links = extra
        .links
        .into_iter()
        .map(|(url, no_preview, preview)| Link { url, no_preview, preview: preview.map(Json::new) })
        .collect();
    message.attachments = extra.att.into_iter().map(attachment).collect();
    message.reactions = extra
        .react
        .into_iter()
        .map(|(emoji, users)| Reaction {
            emoji,
            users: users.into_iter().map(|(id, name)| (UserId::from(id), name)).collect(),
        })
        .collect();
    message.guise = Guise { alias: extra.alias, avatar: extra.avatar, emoji: extra.emoji, bot: extra.bot };
    message.custom_fields = extra.custom.map(Json::new).unwrap_or_default();
    message.encrypted = extra.e2e.map(Json::new);
    message.extras = extra.more.map(Json::new).unwrap_or_default();
    message.reply_to = extra.reply.map(Into::into);
    message.forwarded_from = extra.fwd.map(Into::into);
    message.client_id = extra.cid;
    message.metadata = extra.meta.map(Json::new);
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str(text)
        .inspect_err(|error| tracing::error!(%error, "a message's extra column can't be read"))
        .ok()
}

fn is_plain(m: &Message) -> bool {
    m.kind == MessageKind::Text
        && m.discussion.is_none()
        && m.edited.is_none()
        && m.pinned.is_none()
        && m.mentions.is_empty()
        && m.channels.is_empty()
        && m.links.is_empty()
        && m.attachments.is_empty()
        && m.reactions.is_empty()
        && m.guise == Guise::default()
        && m.custom_fields.is_empty()
        && m.encrypted.is_none()
        && m.extras.is_empty()
        && m.reply_to.is_none()
        && m.forwarded_from.is_none()
        && m.client_id.is_none()
        && m.metadata.is_none()
}

fn flags(m: &Message) -> i64 {
    let files =
        || m.attachments.iter().filter_map(|a| if let Attachment::File(f) = a { Some(f) } else { None });
    let everybody = m.mentions.iter().any(|x| matches!(x, Mention::All | Mention::Here));
    [
        (m.counts(), flag::COUNTS),
        (m.shown_in_room, flag::SHOWN),
        (m.kind != MessageKind::Text, flag::NOTICE),
        (m.is_system(), flag::SYSTEM),
        (m.ungrouped, flag::UNGROUPED),
        (m.pinned.is_some(), flag::PINNED),
        (m.thread_info.is_some(), flag::ROOT),
        (everybody, flag::EVERYBODY),
        (!m.links.is_empty(), flag::LINKS),
        (files().next().is_some(), flag::FILE),
        (files().any(|f| f.media_type.starts_with("image/")), flag::IMAGE),
        (m.discussion.is_some(), flag::DISCUSSION),
    ]
    .into_iter()
    .filter_map(|(on, bit)| on.then_some(bit))
    .sum()
}

fn addressed(mention: &Mention) -> Addressed {
    match mention {
        Mention::User { id, username, name } => {
            Addressed::User(id.as_str().into(), username.clone(), name.clone())
        }
        Mention::Team { id, name } => Addressed::Team(id.as_str().into(), name.clone()),
        Mention::All => Addressed::All,
        Mention::Here => Addressed::Here,
    }
}

fn mention(addressed: Addressed) -> Mention {
    match addressed {
        Addressed::User(id, username, name) => Mention::User { id: id.into(), username, name },
        Addressed::Team(id, name) => Mention::Team { id: TeamId::from(id), name },
        Addressed::All => Mention::All,
        Addressed::Here => Mention::Here,
    }
}

fn attached(attachment: &Attachment) -> Attached {
    match attachment {
        Attachment::File(f) => Attached::File(Box::new(File {
            id: f.upload.as_str().into(),
            name: f.name.clone(),
            media_type: f.media_type.clone(),
            size: f.size,
            about: f.description.clone(),
            dim: f.dimensions,
            preview: f.preview.clone(),
            thumb: f.thumbnail.as_ref().map(|t| t.as_str().into()),
            said: f.said.map(|said| said.as_str().to_owned()),
        })),
        Attachment::Quote(q) => Attached::Quote(Box::new(Quoted {
            link: q.link.clone(),
            id: q.message.as_str().into(),
            author: q.author.clone(),
            name: q.author_name.clone(),
            display: (q.display_name != q.author_name).then(|| q.display_name.clone()),
            text: q.text.clone(),
            at: q.at.millis(),
            att: q.attachments.iter().map(attached).collect(),
        })),
        Attachment::Card(json) => Attached::Card(json.as_str().into()),
    }
}

fn attachment(attached: Attached) -> Attachment {
    match attached {
        Attached::File(f) => Attachment::File(FileCard {
            upload: UploadId::from(f.id),
            name: f.name,
            media_type: f.media_type,
            size: f.size,
            description: f.about,
            dimensions: f.dim,
            preview: f.preview,
            thumbnail: f.thumb.map(UploadId::from),
            said: f.said.as_deref().and_then(Said::parse),
        }),
        Attached::Quote(q) => Attachment::Quote(Box::new(Quote {
            link: q.link,
            message: MessageId::from(q.id),
            author: q.author,
            display_name: q.display.unwrap_or_else(|| q.name.clone()),
            author_name: q.name,
            text: q.text,
            at: Time(q.at),
            attachments: q.att.into_iter().map(attachment).collect(),
        })),
        Attached::Card(json) => Attachment::Card(Json::new(json)),
    }
}

#[cfg(test)]
#[path = "messages_codec_tests.rs"]
mod tests;

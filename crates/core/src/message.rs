//! Messages and what hangs on them.

use crate::{
    clock::Time,
    id::{MessageId, RoomId, UploadId, UserId},
    json::Json,
    user::User,
};

/// Longest message unless the setting `Message_MaxAllowedSize` says otherwise, in characters.
pub const MAX_TEXT: usize = 5000;

/// The notice that stands for a message of the system.
pub const SYSTEM: &str = "system";
/// The notice that stands for a removed message, where removals are shown.
pub const REMOVED: &str = "rm";

/// A stored message. Its place is `seq` for ever; `rev` moves with every change.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Unique over all rooms.
    pub id: MessageId,
    /// Where it stands.
    pub room: RoomId,
    /// Room position at birth: its order.
    pub seq: i64,
    /// Room position of its last change.
    pub rev: i64,
    /// The room's running number of countable messages, this one included when it counts.
    pub counted: i64,
    /// Who wrote it.
    pub author: UserId,
    /// The author's user name when it was written or the author last renamed.
    pub author_username: String,
    /// The author's display name, likewise.
    pub author_name: String,
    /// When it was stored; strictly grows within a room as long as the clock keeps up.
    pub at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// A person's message or a notice of the system.
    pub kind: MessageKind,
    /// The text as written; for notices their parameter (the affected user name, the new topic …).
    pub text: String,
    /// The root of the thread this is a reply in. Never a reply itself.
    pub thread: Option<MessageId>,
    /// A reply that is also shown in the room.
    pub shown_in_room: bool,
    /// Set on roots that have replies.
    pub thread_info: Option<ThreadInfo>,
    /// The discussion that starts here.
    pub discussion: Option<DiscussionInfo>,
    /// Last edit.
    pub edited: Option<Mark>,
    /// Pinned by.
    pub pinned: Option<Mark>,
    /// Users and groups addressed.
    pub mentions: Vec<Mention>,
    /// Rooms named by `#name`.
    pub channels: Vec<RoomMention>,
    /// Links in the text.
    pub links: Vec<Link>,
    /// Files and cards below the text.
    pub attachments: Vec<Attachment>,
    /// Who reacted with what, in the order of the first reaction.
    pub reactions: Vec<Reaction>,
    /// How the author wants to appear, by those who may impersonate.
    pub guise: Guise,
    /// Custom fields: a JSON object.
    pub custom_fields: Json,
    /// End-to-end encrypted content, opaque: a JSON object of Rocket.Chat's keys `e2e` and `content`.
    pub encrypted: Option<Json>,
    /// What clients send along and the core only carries (`blocks`, `role`, `parseUrls` …): a JSON object.
    pub extras: Json,
    /// The message that this one answers, in the same room; quoted below the text.
    pub reply_to: Option<MessageId>,
    /// The message that this one repeats.
    pub forwarded_from: Option<MessageId>,
    /// The sender's own id for it, by which a retry is known for ever.
    pub client_id: Option<String>,
    /// What a host application sends along: a JSON object of at most 4 KiB and 10 levels.
    pub metadata: Option<Json>,
    /// Emptied and kept only for its place.
    pub deleted: bool,
    /// Clients should not group it with its neighbours.
    pub ungrouped: bool,
}

/// A person's message or a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Written by somebody.
    Text,
    /// A notice; the value is Rocket.Chat's type (`uj`, `ul`, `au`, `ru`, `r`, `message_pinned`, …).
    Notice(std::sync::Arc<str>),
}

/// Who did something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub by: UserId,
    /// That user's name then.
    pub username: String,
    /// When.
    pub at: Time,
}

/// A thread as its root shows it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ThreadInfo {
    /// Replies.
    pub replies: i64,
    /// The last one.
    pub last_at: Time,
    /// Who follows it (Rocket.Chat's `replies`), at most 1,000.
    pub followers: Vec<UserId>,
}

/// A discussion as its anchor shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscussionInfo {
    /// The discussion's room.
    pub room: RoomId,
    /// Its messages.
    pub messages: i64,
    /// The last one.
    pub last_at: Option<Time>,
}

/// Somebody or a group that a message addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mention {
    /// A user.
    User {
        /// Who.
        id: UserId,
        /// User name then.
        username: String,
        /// Display name then.
        name: String,
    },
    /// A team.
    Team {
        /// The team's id.
        id: crate::id::TeamId,
        /// Its name.
        name: String,
    },
    /// Everybody in the room.
    All,
    /// Everybody in the room who is there now.
    Here,
}

/// A room named in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomMention {
    /// Which.
    pub id: RoomId,
    /// Its slug.
    pub name: String,
    /// Its display name.
    pub title: Option<String>,
}

/// A link in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// As written.
    pub url: String,
    /// No preview wanted.
    pub no_preview: bool,
    /// What a preview found: a JSON object with `meta` and `headers`.
    pub preview: Option<Json>,
}

/// What hangs below a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Attachment {
    /// An uploaded file.
    File(FileCard),
    /// Another message, quoted by its link; kept as it was when quoted.
    Quote(Box<Quote>),
    /// A card as bots and webhooks send it: a JSON object of Rocket.Chat's attachment keys, at most 64 KiB.
    Card(Json),
}

/// What the sender of a file says that its message is: a picture may be sent as a file, and a recording in a container
/// of films is sound all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Said {
    Text,
    Image,
    Video,
    Audio,
    File,
}

impl Said {
    const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Video, Self::Audio, Self::File];

    /// As it is kept and written: a lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::File => "file",
        }
    }

    /// Reads the word, letter case aside.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|said| said.as_str().eq_ignore_ascii_case(word))
    }
}

/// A file as its message shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct FileCard {
    /// The stored bytes.
    pub upload: UploadId,
    /// File name.
    pub name: String,
    /// Sniffed media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// What the author says about it.
    pub description: String,
    /// Pixels of an image.
    pub dimensions: Option<(u32, u32)>,
    /// A tiny preview (base64 JPEG of at most 32 pixels) for images.
    pub preview: Option<String>,
    /// The thumbnail's upload.
    pub thumbnail: Option<UploadId>,
    /// What its message is by the sender's word, if there was one.
    pub said: Option<Said>,
}

/// A quoted message.
#[derive(Clone, Debug, PartialEq)]
pub struct Quote {
    /// The link by which it was quoted.
    pub link: String,
    /// Which.
    pub message: MessageId,
    /// Its author's user name.
    pub author: String,
    /// Its author as shown: alias, user name or (by `UI_Use_Real_Name`) display name.
    pub author_name: String,
    /// Its author for clients that show display names everywhere, as they show the message itself.
    pub display_name: String,
    /// Its text.
    pub text: String,
    /// When it was written.
    pub at: Time,
    /// Its own attachments, at most `Message_QuoteChainLimit` deep.
    pub attachments: Vec<Attachment>,
}

/// One emoji and who reacted with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// With its colons: `:smile:`.
    pub emoji: String,
    /// Who, in order: id and user name.
    pub users: Vec<(UserId, String)>,
}

/// An appearance other than the author's own.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Guise {
    /// Shown instead of the name.
    pub alias: Option<String>,
    /// Picture's URL.
    pub avatar: Option<String>,
    /// Emoji instead of a picture.
    pub emoji: Option<String>,
    /// The integration that wrote it.
    pub bot: Option<String>,
}

impl Message {
    /// The author's name that people see: the display name, else the user name. A guise may stand before it.
    pub fn shown_author(&self) -> &str {
        if self.author_name.is_empty() { &self.author_username } else { &self.author_name }
    }

    /// A person's plain message, as it is before it is stored.
    pub fn written_by(author: &User, id: MessageId, room: RoomId, text: String) -> Self {
        Self {
            id,
            room,
            seq: 0,
            rev: 0,
            counted: 0,
            author: author.id.clone(),
            author_username: author.username.clone(),
            author_name: author.name.clone(),
            at: Time(0),
            updated_at: Time(0),
            kind: MessageKind::Text,
            text,
            thread: None,
            shown_in_room: false,
            thread_info: None,
            discussion: None,
            edited: None,
            pinned: None,
            mentions: Vec::new(),
            channels: Vec::new(),
            links: Vec::new(),
            attachments: Vec::new(),
            reactions: Vec::new(),
            guise: Guise::default(),
            custom_fields: Json::object(),
            encrypted: None,
            extras: Json::object(),
            reply_to: None,
            forwarded_from: None,
            client_id: None,
            metadata: None,
            deleted: false,
            ungrouped: false,
        }
    }

    /// A notice of the system: `kind` is Rocket.Chat's type, `text` its parameter, the author whoever did it.
    pub fn notice(author: &User, id: MessageId, room: RoomId, kind: &str, text: String) -> Self {
        let mut notice = Self::written_by(author, id, room, text);
        notice.kind = MessageKind::Notice(kind.into());
        notice.ungrouped = true;
        notice
    }

    /// The files it shows.
    pub fn files(&self) -> impl Iterator<Item = &FileCard> {
        self.attachments.iter().filter_map(|a| match a {
            Attachment::File(file) => Some(file),
            _ => None,
        })
    }

    /// Whether it addresses everybody in the room.
    pub fn addresses_everybody(&self) -> bool {
        self.mentions.iter().any(|m| matches!(m, Mention::All | Mention::Here))
    }

    /// The type of a notice; `None` for what people wrote.
    pub fn notice_kind(&self) -> Option<&str> {
        match &self.kind {
            MessageKind::Text => None,
            MessageKind::Notice(kind) => Some(kind),
        }
    }

    /// Whether its last change was an edit.
    pub fn is_just_edited(&self) -> bool {
        self.edited.as_ref().is_some_and(|mark| mark.at == self.updated_at)
    }

    /// Whether it counts towards unread numbers.
    pub fn counts(&self) -> bool {
        self.kind == MessageKind::Text && !self.deleted && (self.thread.is_none() || self.shown_in_room)
    }
    /// A message of the system that host applications see as one (a case was closed …).
    pub fn system(author: &User, id: MessageId, room: RoomId, text: String) -> Self {
        Self::notice(author, id, room, SYSTEM, text)
    }
    /// Whether it is such a message.
    pub fn is_system(&self) -> bool {
        self.notice_kind() == Some(SYSTEM)
    }
    /// Whether it was removed, however the workspace shows that.
    pub fn is_gone(&self) -> bool {
        self.deleted || self.notice_kind() == Some(REMOVED)
    }
    /// Whether host applications see it: what people wrote, removed or not, and messages of the system.
    pub fn is_for_hosts(&self) -> bool {
        self.kind == MessageKind::Text || self.is_system() || self.is_gone()
    }
    /// Whether it stands in the room's own timeline.
    pub fn in_room(&self) -> bool {
        self.thread.is_none() || self.shown_in_room
    }
}

//! Rooms: what they are (cold, cached) and how far they got (the head, hot).

use std::sync::Arc;

use crate::{
    clock::Time,
    id::{MessageId, RoomId, TeamId, UserId},
    json::Json,
    message::Message,
};

/// What a room is. A discussion is a channel or group with a `parent`; a team's main room has `team_main`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// Public: everybody may find, read and join it.
    Channel,
    /// Private: members only.
    Group,
    /// Between a fixed set of users, one room for each set.
    Direct,
    /// A support conversation.
    Case,
    /// Bound to a host application's ticket.
    Ticket,
}

/// A room without its moving parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Room {
    /// Opaque and permanent.
    pub id: RoomId,
    /// What it is.
    pub kind: RoomKind,
    /// Unique slug, without regard to case; `None` for direct rooms.
    pub name: Option<String>,
    /// Display name as given; `None` shows `name`.
    pub title: Option<String>,
    /// Who made it.
    pub creator: UserId,
    /// Short line above the conversation.
    pub topic: String,
    /// What it is for.
    pub description: String,
    /// Shown to everybody who opens it.
    pub announcement: String,
    /// New users join it.
    pub default: bool,
    /// Shown first in directories.
    pub featured: bool,
    /// Only those with `post-readonly` write.
    pub read_only: bool,
    /// Reactions are allowed although it is read-only.
    pub react_when_read_only: bool,
    /// Only its announcers write; the others answer in direct rooms.
    pub broadcast: bool,
    /// Messages are end-to-end encrypted by the clients.
    pub encrypted: bool,
    /// Kept for reading only.
    pub archived: bool,
    /// Needed to join; never leaves the core.
    pub join_code: Option<String>,
    /// System messages that clients hide.
    pub hidden_system: Vec<String>,
    /// Custom fields: a JSON object.
    pub custom_fields: Json,
    /// Changes with every new picture.
    pub avatar: Option<String>,
    /// Users that may not write.
    pub muted: Vec<UserId>,
    /// Users that may write although the room is read-only.
    pub unmuted: Vec<UserId>,
    /// New members of a default room have it among their favourites.
    pub favourite: bool,
    /// What a client shows beside it: one or two of `channels` and `discussions`.
    pub sidepanel: Vec<String>,
    /// Names the key that the clients encrypt with; opaque.
    pub e2e_key: Option<String>,
    /// The room this discussion belongs to.
    pub parent: Option<RoomId>,
    /// The team this room belongs to.
    pub team: Option<TeamId>,
    /// It is the team's main room.
    pub team_main: bool,
    /// New team members join it.
    pub team_default: bool,
    /// Direct rooms: everybody in it, sorted by id, for ever.
    pub direct: Vec<UserId>,
    /// How many members.
    pub members: i64,
    /// When it was made.
    pub created_at: Time,
    /// Grows with every change of this object.
    pub updated_at: Time,
    /// Access version: bumped when anything changes that decides who may do what here.
    pub access: i64,
}

/// How far a room got. One row, written by every change of its timeline.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Head {
    /// The last position given out: each stored change of the timeline took one.
    pub position: i64,
    /// Running number of countable messages (no system lines, thread replies only when shown in the room).
    pub counted: i64,
    /// All stored messages, system lines included (Rocket.Chat's `msgs`).
    pub messages: i64,
    /// The time of the last message; times in one room never go back.
    pub last_at: Option<Time>,
    /// The time of the last change of the timeline, notices included.
    pub changed_at: Time,
    /// The newest message shown in the room.
    pub last_message: Option<MessageId>,
    /// Position of the last change by a countable message, for `alert`.
    pub last_seq: i64,
    /// Its author.
    pub last_author: Option<UserId>,
    /// The newest countable message by anybody but `last_author`.
    pub last_seq_by_another: i64,
}

/// Both together, as lists need them.
#[derive(Clone, Debug)]
pub struct RoomView {
    /// What it is.
    pub room: Arc<Room>,
    /// How far it got.
    pub head: Arc<Head>,
    /// The newest message shown in it, where the list was asked to bring it.
    pub last: Option<Arc<Message>>,
}

impl Room {
    /// A room of this kind with everything else left open, and without members.
    pub fn blank(id: RoomId, kind: RoomKind, creator: UserId) -> Self {
        Self {
            id,
            kind,
            name: None,
            title: None,
            creator,
            topic: String::new(),
            description: String::new(),
            announcement: String::new(),
            default: false,
            featured: false,
            favourite: false,
            sidepanel: Vec::new(),
            e2e_key: None,
            read_only: false,
            react_when_read_only: false,
            broadcast: false,
            encrypted: false,
            archived: false,
            join_code: None,
            hidden_system: Vec::new(),
            custom_fields: Json::object(),
            avatar: None,
            muted: Vec::new(),
            unmuted: Vec::new(),
            parent: None,
            team: None,
            team_main: false,
            team_default: false,
            direct: Vec::new(),
            members: 0,
            created_at: Time::default(),
            updated_at: Time::default(),
            access: 0,
        }
    }

    /// Whether everybody may find and read it.
    pub fn is_public(&self) -> bool {
        self.kind == RoomKind::Channel
    }
    /// Whether it is a discussion.
    pub fn is_discussion(&self) -> bool {
        self.parent.is_some()
    }
    /// Whether it is a direct room.
    pub fn is_direct(&self) -> bool {
        self.kind == RoomKind::Direct
    }
    /// The name people see: title, else slug, else nothing (direct rooms are named by who looks).
    pub fn shown_name(&self) -> &str {
        self.title.as_deref().or(self.name.as_deref()).unwrap_or_default()
    }
}

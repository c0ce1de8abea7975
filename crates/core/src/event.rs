//! What happened, and whom it concerns.

use std::sync::Arc;

use crate::{
    clock::Time,
    id::{MembershipId, MessageId, RoomId, SessionId, TeamId, UserId},
    membership::Membership,
    message::Message,
    room::{Head, Room},
    user::{Status, User},
};

/// A committed change or a passing event, on its way to whoever listens.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Place in the store's journal; 0 for passing events, which are never stored.
    pub g: i64,
    /// The room whose timeline it belongs to and the position it took there.
    pub place: Option<(RoomId, i64)>,
    /// What happened.
    pub event: Event,
}

/// Made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is new.
    Made,
    /// It was there before.
    Changed,
}

/// Everything that can happen. Adding a variant makes the compiler list every door that must say what it does with it.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message was made, edited, reacted to, pinned, answered in its thread …: the whole message as it is now,
    /// and the room's head after it.
    Message {
        /// As it is now.
        message: Arc<Message>,
        /// New or changed.
        change: Change,
        /// The room's head after it (only for new messages).
        head: Option<Arc<Head>>,
    },
    /// A message is gone (its place stays as a tombstone).
    MessageDeleted {
        /// Where.
        room: RoomId,
        /// Which.
        message: MessageId,
        /// Its place; 0 when it is not known any more (the fact was read again from a tombstone).
        seq: i64,
        /// The thread it was a reply in.
        thread: Option<MessageId>,
        /// What stays of it, where it is remembered.
        emptied: Option<Arc<Message>>,
        /// Who removed it, where that is known.
        by: Option<UserId>,
    },
    /// Many messages of a room are gone at once.
    MessagesPurged {
        /// Where.
        room: RoomId,
        /// What was asked for.
        purge: Arc<Purge>,
    },
    /// A room was made or changed.
    Room {
        /// As it is now.
        room: Arc<Room>,
        /// New or changed.
        change: Change,
    },
    /// A room is gone, with everything in it.
    RoomRemoved {
        /// As it was.
        room: Arc<Room>,
    },
    /// A membership was made or changed in a way that others may see (roles) or that only its holder sees (marks).
    Membership {
        /// As it is now.
        membership: Arc<Membership>,
        /// New or changed.
        change: Change,
        /// Who made a new one: the member or somebody else; `None` for the workspace itself, and for changes.
        by: Option<UserId>,
    },
    /// A member is out.
    MembershipRemoved {
        /// Which membership.
        id: MembershipId,
        /// Of which room.
        room: RoomId,
        /// What the room is; `None` when it is not known any more (the fact was read again).
        kind: Option<crate::room::RoomKind>,
        /// Whose.
        user: UserId,
        /// Who ended it: the member or somebody else; `None` for the workspace itself.
        by: Option<UserId>,
    },
    /// A member read up to here.
    Read {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// Up to this position.
        seq: i64,
        /// In a thread only.
        thread: Option<MessageId>,
        /// When.
        at: Time,
        /// The messages that were named as read, at most 100; none where only the place was.
        named: Arc<[MessageId]>,
    },
    /// A user was made or changed.
    User {
        /// As it is now.
        user: Arc<User>,
        /// New or changed.
        change: Change,
        /// As it was before a change.
        before: Option<Arc<User>>,
    },
    /// A user is gone.
    UserRemoved {
        /// As it was.
        user: Arc<User>,
    },
    /// Sessions ended: these, or all but `kept`.
    SessionsEnded {
        /// Whose.
        user: UserId,
        /// Which; `None` for all.
        session: Option<SessionId>,
        /// The one that stays when all end.
        kept: Option<SessionId>,
    },
    /// A user starred or unstarred a message; only that user sees it.
    Starred {
        /// Who.
        user: UserId,
        /// The message.
        message: Arc<Message>,
        /// On or off.
        on: bool,
    },
    /// Something happened to a support case.
    Case {
        /// The conversation as it is now, with what each participant has not read.
        conversation: Arc<crate::case::Conversation>,
        /// What happened.
        action: crate::case::CaseAction,
        /// Who did it.
        by: UserId,
        /// A new case's first message.
        first: Option<Arc<Message>>,
    },
    /// A ticket's facts are new or changed, or it is gone (the end of its room is told after that).
    Ticket {
        /// As it is now, or as it was.
        ticket: Arc<crate::ticket::Ticket>,
        /// Which of these.
        change: crate::tickets::TicketFate,
    },
    /// A team was made, changed or removed.
    Team {
        /// Which.
        team: TeamId,
    },
    /// A setting changed.
    Setting {
        /// Its id.
        id: Arc<str>,
        /// The value in force from now on.
        value: crate::setting::Value,
        /// Its place among this setting's changes, which may be told in another order than they were made in.
        at: Time,
    },
    /// A permission's roles changed.
    Permission {
        /// Rocket.Chat's permission id.
        id: Arc<str>,
        /// The roles that hold it from now on.
        roles: Arc<[crate::id::RoleId]>,
        /// Its place among this permission's changes.
        at: Time,
    },
    /// A role was made, changed or removed.
    Role {
        /// Its id.
        id: crate::id::RoleId,
        /// As it is now; `None` when it is gone.
        role: Option<Arc<crate::role::Role>>,
        /// Its place among this role's changes.
        at: Time,
    },
    /// A user got or lost a role.
    RoleGiven {
        /// Who.
        user: UserId,
        /// That user's name.
        username: String,
        /// Which role.
        role: crate::id::RoleId,
        /// In this room only.
        room: Option<RoomId>,
        /// Given or taken.
        given: bool,
    },
    /// A custom emoji, sound or user status was made, changed or removed.
    Custom {
        /// Which of the three.
        kind: CustomKind,
        /// Its id.
        id: Arc<str>,
        /// Its name.
        name: Arc<str>,
        /// It is gone.
        removed: bool,
    },
    /// A user's or room's picture changed.
    Avatar {
        /// Whose.
        of: AvatarOf,
        /// The new tag; `None` when it was reset.
        tag: Option<String>,
    },
    /// A position of the room's timeline was taken by a change that has no event of its own (`Journal::skip`).
    /// Nobody hears it; the hub only learns that there is nothing to wait for.
    Skipped {
        /// Where.
        room: RoomId,
    },
    /// Passing: somebody is doing something in a room (typing, recording, uploading).
    Activity {
        /// Where.
        room: RoomId,
        /// Who: id and the name to show.
        user: UserId,
        /// The name to show.
        name: Arc<str>,
        /// `user-typing`, `user-recording`, `user-uploading`; empty when it stopped.
        activities: Arc<[String]>,
        /// In this thread.
        thread: Option<MessageId>,
        /// The connection that said so, which does not hear its own echo; 0 for none.
        origin: u64,
    },
    /// Passing: a user's first live connection opened a room, or the last one closed it.
    Gathered {
        /// Where.
        room: RoomId,
        /// Who.
        user: UserId,
        /// The name to show.
        name: Arc<str>,
        /// Opened or closed.
        here: bool,
    },
    /// Passing: a user's presence changed.
    Presence {
        /// Who.
        user: Arc<User>,
        /// As others see it now.
        status: Status,
    },
    /// Passing: a message for one user only, never stored (the answer of a command, a send that failed).
    Whisper {
        /// To whom.
        user: UserId,
        /// In which room it is shown.
        room: RoomId,
        /// The text.
        text: Arc<str>,
        /// In which thread.
        thread: Option<MessageId>,
    },
    /// Passing: what a user should be notified of.
    Notify {
        /// To whom.
        user: UserId,
        /// About which message.
        message: Arc<Message>,
        /// The room as it is.
        room: Arc<Room>,
    },
    /// Passing: a named event that clients exchange through the server (calls, key requests), to one user.
    Signal {
        /// To whom.
        user: UserId,
        /// Its name.
        name: Arc<str>,
        /// Its arguments: a JSON array.
        args: crate::json::Json,
    },
}

/// Kinds of things that an administrator adds to a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum CustomKind {
    Emoji,
    Sound,
    Status,
}

/// Whose picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AvatarOf {
    /// A user's, by user name.
    User(UserId, String),
    /// A room's.
    Room(RoomId),
}

/// What a bulk deletion removed.
#[derive(Clone, Debug, PartialEq)]
pub struct Purge {
    /// From this moment …
    pub from: Time,
    /// … to this one.
    pub to: Time,
    /// Both ends included.
    pub inclusive: bool,
    /// Pinned messages stay.
    pub keep_pinned: bool,
    /// Discussions stay.
    pub keep_discussions: bool,
    /// Only files are removed, the messages stay.
    pub files_only: bool,
    /// Only messages of these user names; empty means everybody's.
    pub users: Vec<String>,
    /// Exactly these messages, when known (at most 1,000).
    pub ids: Vec<MessageId>,
}

/// Who hears of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Whoever listens to this room.
    Room(RoomId),
    /// All connections of this user.
    User(UserId),
    /// Watchers of this user's presence.
    Presence(UserId),
    /// All logged-in connections.
    LoggedIn,
    /// Every connection.
    Everyone,
}

impl Event {
    /// Whom it concerns first. Membership and room events concern the members' inboxes as well (see `hub.rs`).
    pub fn audience(&self) -> Audience {
        match self {
            Self::Message { message, .. } => Audience::Room(message.room.clone()),
            Self::MessageDeleted { room, .. }
            | Self::MessagesPurged { room, .. }
            | Self::Read { room, .. }
            | Self::Skipped { room }
            | Self::Gathered { room, .. }
            | Self::Activity { room, .. } => Audience::Room(room.clone()),
            Self::Room { room, .. } | Self::RoomRemoved { room } => Audience::Room(room.id.clone()),
            Self::Case { conversation, .. } => Audience::Room(conversation.room.id.clone()),
            Self::Ticket { ticket, .. } => Audience::Room(ticket.room.clone()),
            Self::Membership { membership, .. } => Audience::User(membership.user.clone()),
            Self::MembershipRemoved { user, .. }
            | Self::SessionsEnded { user, .. }
            | Self::Starred { user, .. }
            | Self::Whisper { user, .. }
            | Self::Notify { user, .. }
            | Self::Signal { user, .. } => Audience::User(user.clone()),
            Self::Presence { user, .. } => Audience::Presence(user.id.clone()),
            Self::Setting { .. } => Audience::Everyone,
            Self::User { .. }
            | Self::UserRemoved { .. }
            | Self::Team { .. }
            | Self::Permission { .. }
            | Self::Role { .. }
            | Self::RoleGiven { .. }
            | Self::Custom { .. }
            | Self::Avatar { .. } => Audience::LoggedIn,
        }
    }
}

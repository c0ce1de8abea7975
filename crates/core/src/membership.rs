//! Memberships: a user's place in a room (Rocket.Chat calls it "subscription").

use crate::{
    clock::Time,
    id::{MembershipId, RoleId, RoomId, UserId},
};

/// A user's place in a room.
#[derive(Clone, Debug, PartialEq)]
pub struct Membership {
    /// Permanent; a new one after leaving and joining again.
    pub id: MembershipId,
    /// The room.
    pub room: RoomId,
    /// The member.
    pub user: UserId,
    /// Roles in this room: `owner`, `moderator`, `leader` or custom ones of room scope.
    pub roles: Vec<RoleId>,
    /// Listed in the member's room list.
    pub open: bool,
    /// Marked by a star.
    pub favourite: bool,
    /// When the member came.
    pub joined_at: Time,
    /// How far the member read.
    pub mark: ReadMark,
    /// Shown as unread although nothing is, by "mark unread".
    pub marked_unread: bool,
    /// The member's own last message here.
    pub last_reply: Option<Time>,
    /// Notifications of this room.
    pub notify: Notify,
    /// Members whose messages are hidden from this one.
    pub ignored: Vec<UserId>,
    /// Direct rooms: this member blocked the other.
    pub blocker: bool,
    /// Direct rooms: the other blocked this member.
    pub blocked: bool,
    /// The room's key as this member's devices have it, encrypted by the clients; opaque.
    pub e2e_key: Option<String>,
    /// Into which language the member wants the room's messages, where that was ever said.
    pub translation: Option<Translation>,
    /// Grows with every change.
    pub updated_at: Time,
}

/// A member's wish to read a room in another language. The server has no translator: it keeps the wish for clients.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Translation {
    /// Wanted or not; `None`: not decided.
    pub on: Option<bool>,
    /// The language; may be empty.
    pub language: String,
}

impl Translation {
    /// Bytes of a language's name at most.
    pub const LONGEST: usize = 35;
}

/// How far a member read; everything at or before `seq` counts as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ReadMark {
    /// Room position up to which all is read.
    pub seq: i64,
    /// The room's `counted` at that position.
    pub counted: i64,
    /// When it was read.
    pub at: Option<Time>,
}

/// What of this room reaches the member's attention. `None` means the member's general preference.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Notify {
    /// Nothing at all.
    pub disabled: bool,
    /// `all`, `mentions` or `nothing`.
    pub desktop: Option<String>,
    /// `all`, `mentions` or `nothing`.
    pub mobile: Option<String>,
    /// `all`, `mentions` or `nothing`.
    pub email: Option<String>,
    /// The sound's id.
    pub sound: Option<String>,
    /// `@all` and `@here` do not count.
    pub mute_group_mentions: bool,
    /// No unread badge.
    pub hide_unread: bool,
    /// No mention badge.
    pub hide_mentions: bool,
    /// `all`, `mentions` or `nothing`: when the room counts as unread.
    pub unread_alert: Option<String>,
}

impl Membership {
    /// Whether the member has the last word in the room.
    pub fn is_room_admin(&self) -> bool {
        self.has_role("owner") || self.has_role("moderator")
    }
    /// Whether the member holds this role in the room.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.as_str() == role)
    }
}

//! Rows of the journal, and of a user's rooms in the order of their last activity.

use crate::{
    clock::Time,
    error::Result,
    id::{RoomId, UserId},
    membership::Membership,
    room::RoomView,
    user::User,
};

/// What a row of the journal is about, as far as a user's feed tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A message was made; its place is the position.
    Message,
    /// A message was changed; its `rev` was the position.
    MessageChanged,
    /// A message was removed; the object is its id.
    MessageDeleted,
    /// Many messages were removed.
    Purged,
    /// A room was made or changed.
    Room,
    /// A room was removed; the object is its id.
    RoomRemoved,
    /// A membership was made or changed; the object is its id.
    Membership,
    /// A membership ended; the object is its id.
    MembershipRemoved,
    /// A member's mark moved, in the room or (the object is its root) in a thread.
    Read,
    /// A user was made or changed; the object is the id.
    User,
    /// Anything else.
    Other,
}

/// A row of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its number: the order of all changes.
    pub g: i64,
    /// When.
    pub at: Time,
    /// What it is about.
    pub kind: EntryKind,
    /// The room that it concerns, while that is there.
    pub room: Option<RoomId>,
    /// The position that it took in the room's timeline.
    pub position: Option<i64>,
    /// See [`EntryKind`].
    pub object: Option<String>,
    /// Whom it concerns alone.
    pub whom: Option<UserId>,
}

/// A stretch of the journal.
#[derive(Clone, Debug, Default)]
pub struct Stretch {
    /// Its rows, in order: all of them, or those that were asked for.
    pub entries: Vec<Entry>,
    /// It is complete up to this number.
    pub upto: i64,
    /// Nothing is behind it yet.
    pub at_end: bool,
}

/// Whose part of the journal is wanted.
#[derive(Clone, Debug)]
pub struct FeedPart {
    /// The user: what concerns the rooms that he is a member of, and himself.
    pub user: UserId,
    /// Cases besides, his or not.
    pub cases: bool,
}

/// A room's place in a list by last activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activity {
    /// The last message's time; the room's own when there is none.
    pub at: Time,
    /// Which room: the order of equal times.
    pub room: RoomId,
}

/// A room of somebody's inbox.
#[derive(Clone, Debug)]
pub struct Active {
    /// The user's place in it; none in cases that he only may see.
    pub membership: Option<Membership>,
    /// The room and how far it got, without its last message.
    pub view: RoomView,
    /// Its place in the list.
    pub activity: Activity,
}

/// Which rooms of an inbox.
#[derive(Clone, Debug)]
pub struct ActiveFilter {
    /// Whose.
    pub user: UserId,
    /// Open cases besides, his or not.
    pub cases: bool,
    /// Only groups.
    pub groups: bool,
    /// Behind this place.
    pub older_than: Option<Activity>,
    /// Before this place, nearest first.
    pub newer_than: Option<Activity>,
    /// At most so many.
    pub limit: u64,
}

/// Which users a host application wants, by user name.
#[derive(Clone, Debug, Default)]
pub struct PeopleFilter {
    /// The user name or the name begins with this, letter case aside.
    pub prefix: String,
    /// Behind this user name.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u64,
}

/// What a row of the journal is about, each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum TraceOf {
    Message,
    MessageChanged,
    MessageDeleted,
    Purged,
    Room,
    RoomRemoved,
    Membership,
    MembershipRemoved,
    Read,
    User,
    UserRemoved,
    SessionsEnded,
    Starred,
    Team,
    Setting,
    Permission,
    Role,
    RoleGiven,
    Custom,
    Avatar,
    Skipped,
    Case,
    Ticket,
    /// Written by a newer version.
    Other,
}

/// A row of the journal as another node left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// Its number.
    pub g: i64,
    /// What it is about.
    pub of: TraceOf,
    /// The room that it concerns, while that is there.
    pub room: Option<RoomId>,
    /// The position that it took in the room's timeline.
    pub position: Option<i64>,
    /// The id of what it is about.
    pub object: Option<String>,
    /// Whom it concerns alone.
    pub whom: Option<UserId>,
    /// What [`crate::nodes::detail`] kept of it.
    pub detail: Option<String>,
}

/// Up to where the commits of other nodes were taken in: in words of the store's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Horizon {
    /// What was visible then.
    pub seen: String,
    /// What is being read, where it takes several readings, and how far that got.
    pub reading: Option<(String, i64)>,
}

/// What other nodes committed.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// In the order of their numbers, whole transactions.
    pub traces: Vec<Trace>,
    /// Where the next reading begins.
    pub horizon: Horizon,
    /// There is more already.
    pub more: bool,
}

/// Reading the journal and inboxes.
pub trait ReadFeed {
    /// What is visible in this snapshot. Empty where one process alone has the store open.
    fn horizon(&mut self) -> Result<Horizon>;
    /// What became visible since, without what this process committed itself; about `limit` rows. Commits that overtook
    /// each other are each seen once, however long their transactions ran.
    fn elsewhere(&mut self, since: &Horizon, limit: u64) -> Result<Traces>;
    /// The number of the newest row that nothing can come before any more.
    fn journal_end(&mut self) -> Result<i64>;
    /// Rows behind that end that are stored all the same: at most so many numbers, the lowest first. Empty where nothing can
    /// be overtaken.
    fn journal_unsettled(&mut self, end: i64, most: u64) -> Result<Vec<i64>>;
    /// The rows of a part after a number, up to another, whether or not they can still be overtaken.
    fn journal_between(&mut self, g: i64, upto: i64, part: &FeedPart) -> Result<Vec<Entry>>;
    /// A row's time; `None` when there is no such row.
    fn journal_time(&mut self, g: i64) -> Result<Option<Time>>;
    /// At most `limit` rows after a number are looked at; those of the part, or all.
    fn journal_after(&mut self, g: i64, part: Option<&FeedPart>, limit: u64) -> Result<Stretch>;
    /// A page of somebody's rooms by last activity, latest first (with `newer_than`: nearest first).
    fn active_rooms(&mut self, filter: &ActiveFilter) -> Result<Vec<Active>>;
    /// The memberships of a user in whose rooms something by others came after the mark; at most 10,000.
    fn memberships_with_news(&mut self, user: &UserId) -> Result<Vec<Membership>>;
    /// Active people by user name.
    fn people(&mut self, filter: &PeopleFilter) -> Result<Vec<User>>;
    /// The user names of a room's members, those who came first at the front.
    fn member_names(&mut self, room: &RoomId, limit: u64) -> Result<Vec<String>>;
}

//! Rows of messages and what hangs on them.

use super::{Page, Paged};
use crate::{
    clock::Time,
    error::Result,
    id::{MessageId, RoomId, UploadId, UserId},
    membership::{Membership, ReadMark},
    message::{Message, ThreadInfo},
    room::Room,
};

/// Which slice of a room's timeline.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Before this position (exclusive).
    pub before: Option<i64>,
    /// After this position (exclusive).
    pub after: Option<i64>,
    /// Not later than this time.
    pub latest: Option<Time>,
    /// Not earlier than this time.
    pub oldest: Option<Time>,
    /// `latest` and `oldest` themselves belong to it.
    pub inclusive: bool,
    /// Replies that are not shown in the room are left out.
    pub room_only: bool,
    /// The newest `page` of the slice, newest first; otherwise the oldest, oldest first.
    pub newest_first: bool,
    /// Which part.
    pub page: Page,
}

/// Which messages of a room a filtered list wants. Newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageFilter {
    /// Pinned ones.
    pub pinned: bool,
    /// Starred by this user.
    pub starred_by: Option<UserId>,
    /// That mention this user by name.
    pub mentioning: Vec<UserId>,
    /// Thread roots; with the given follower only when set.
    pub threads: Option<Option<UserId>>,
    /// Replies in this thread, oldest first.
    pub in_thread: Option<MessageId>,
    /// Anchors of discussions.
    pub discussions: bool,
    /// Replies that are not shown in the room are left out.
    pub room_only: bool,
    /// By this author.
    pub author: Option<UserId>,
    /// Containing this text (letter case aside), for lists that search within themselves.
    pub text: String,
    /// Threads with replies after this moment / messages changed after it.
    pub changed_after: Option<Time>,
    /// Only these (at most 100).
    pub ids: Option<Vec<MessageId>>,
    /// Oldest first instead.
    pub ascending: bool,
}

/// What a full-text search looks for. The core has read its operators (`from:`, `in:`, …) out of the query.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Words that must all occur; the last is a prefix when `prefix`.
    pub words: Vec<String>,
    /// The last word may go on.
    pub prefix: bool,
    /// Only in these rooms (at most 1,000).
    pub rooms: Vec<RoomId>,
    /// Only by these authors.
    pub from: Vec<UserId>,
    /// Not before.
    pub after: Option<Time>,
    /// Not after.
    pub before: Option<Time>,
    /// Mentioning one of these users.
    pub mentioning: Vec<UserId>,
    /// Has a file, link, … (`file`, `link`, `image`, `pin`, `star`).
    pub has: Vec<String>,
    /// Who searches: whose stars count.
    pub viewer: Option<UserId>,
    /// How long the index is looked through; half a second where nothing is said.
    pub patience: Option<std::time::Duration>,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// The newest first.
    pub messages: Vec<Message>,
    /// Time ran out: there may be more, older than what was found.
    pub partial: bool,
}

/// A removed message, for clients that catch up.
#[derive(Clone, Debug, PartialEq)]
pub struct Tombstone {
    /// Which.
    pub id: MessageId,
    /// When.
    pub at: Time,
    /// The room position of its removal.
    pub rev: i64,
    /// The root of the thread it was a reply in, as long as that stands.
    pub thread: Option<MessageId>,
    /// What stays of the message itself, where it is remembered.
    pub emptied: Option<std::sync::Arc<Message>>,
}

/// A file that belongs or will belong to a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// 22 random base62 characters.
    pub id: UploadId,
    /// Under which id its bytes are stored: one of its own, or that of an earlier file with the same content.
    pub bytes: UploadId,
    /// In which room (`None` for avatars, emoji, sounds, assets).
    pub room: Option<RoomId>,
    /// Who uploaded it.
    pub user: UserId,
    /// The message that shows it; `None` until confirmed.
    pub message: Option<MessageId>,
    /// What it serves as: `file`, `thumb`, `avatar`, `emoji`, `sound`, `asset`.
    pub role: String,
    /// File name as shown.
    pub name: String,
    /// Sniffed media type.
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the bytes; zeros where it was not taken.
    pub sha256: [u8; 32],
    /// The original of a thumbnail.
    pub original: Option<UploadId>,
    /// Pixels of an image.
    pub dimensions: Option<(u32, u32)>,
    /// A tiny preview (base64 JPEG) of an image.
    pub preview: Option<String>,
    /// When it was stored.
    pub at: Time,
    /// Unconfirmed uploads end here.
    pub expires_at: Option<Time>,
}

/// How many bytes of files may be stored; `None` for no bound. Each file counts in full for whoever uploaded it, also
/// where its bytes are shared: nobody learns from his quota what others have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// Of the user who uploads.
    pub user: Option<u64>,
    /// Of the whole workspace.
    pub workspace: Option<u64>,
}

/// Which part of a room's messages a host application wants: what people wrote, removed or not, and messages of the
/// system. With `after` oldest first, otherwise newest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostSlice {
    /// Before this position (exclusive).
    pub before: Option<i64>,
    /// After this position (exclusive).
    pub after: Option<i64>,
    /// How many to pass over.
    pub skip: u64,
    /// At most so many.
    pub limit: u64,
}

/// What a member has not read in a room.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Countable messages by others after the mark.
    pub messages: i64,
    /// Mentions of this user.
    pub mentions: i64,
    /// Mentions of everybody.
    pub group_mentions: i64,
    /// Roots of followed threads with unread replies (at most 100).
    pub threads: Vec<MessageId>,
    /// Those that mention the user.
    pub threads_mentioning: Vec<MessageId>,
}

/// A receipt: who read a message, when.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// Who.
    pub user: UserId,
    /// When.
    pub at: Time,
}

/// What a message was before a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its text.
    pub text: String,
    /// Since when it had been so.
    pub at: Time,
}

/// A change of a member's mark.
#[derive(Clone, Debug, PartialEq)]
pub struct MarkChange {
    /// The mark.
    pub mark: ReadMark,
    /// Shown as unread although nothing is.
    pub marked_unread: bool,
    /// The mark may go back ("mark unread").
    pub back: bool,
    /// When.
    pub at: Time,
}

/// What somebody reported to the moderators.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Opaque.
    pub id: String,
    /// The reported message; `None` when a user was reported.
    pub message: Option<MessageId>,
    /// Where it stands.
    pub room: Option<RoomId>,
    /// Who is reported.
    pub reported: UserId,
    /// Who reports.
    pub reporter: UserId,
    /// The message's text as it was.
    pub text: String,
    /// The reporter's words.
    pub reason: String,
    /// When.
    pub at: Time,
    /// Dismissed.
    pub hidden: bool,
}

/// Where a message stands that is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Which.
    pub id: MessageId,
    /// In which room; `None` when that is gone.
    pub room: Option<RoomId>,
    /// The root of the thread that it is a reply in.
    pub thread: Option<MessageId>,
    /// Removed.
    pub deleted: bool,
}

/// A message of another chat, as it is to be stored.
#[derive(Clone, Debug)]
pub struct Restored {
    /// The message; its `mentions` become mention rows.
    pub message: Message,
    /// The time that it gets, or the next of its room where that is later already.
    pub at: Time,
}

/// Reading messages.
pub trait ReadMessages {
    /// By id; deleted ones too (see `Message::deleted`).
    fn message(&mut self, id: &MessageId) -> Result<Option<Message>>;
    /// Several at once, in the order asked; unknown ones are left out.
    fn messages(&mut self, ids: &[MessageId]) -> Result<Vec<Message>>;
    /// Which of these are here, removed ones too, and where; in no certain order.
    fn standing(&mut self, ids: &[MessageId]) -> Result<Vec<Standing>>;
    /// A slice of a room's timeline, without deleted ones. At most 100 unless the caller's page allows more.
    fn timeline(&mut self, room: &RoomId, slice: &Slice) -> Result<Vec<Message>>;
    /// Part of a room's messages as host applications see them.
    fn host_timeline(&mut self, room: &RoomId, slice: &HostSlice) -> Result<Vec<Message>>;
    /// How many messages of a room host applications see, removed ones among them.
    fn count_host_messages(&mut self, room: &RoomId) -> Result<u64>;
    /// Whether a user ever wrote anything, removed or not. Slow: there is no index for it.
    fn ever_wrote(&mut self, user: &UserId) -> Result<bool>;
    /// A filtered list.
    fn list_messages(&mut self, room: &RoomId, filter: &MessageFilter, page: Page) -> Result<Paged<Message>>;
    /// Messages changed after position `rev`, by `rev`, new and changed ones alike, without deleted ones.
    fn changed_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Message>>;
    /// Messages changed after a moment (`updated_at`), by time.
    fn changed_since(&mut self, room: &RoomId, since: Time, limit: u64) -> Result<Vec<Message>>;
    /// Tombstones after a moment, by time.
    fn deleted_since(&mut self, room: &RoomId, since: Time, limit: u64) -> Result<Vec<Tombstone>>;
    /// Tombstones after position `rev`.
    fn deleted_after(&mut self, room: &RoomId, rev: i64, limit: u64) -> Result<Vec<Tombstone>>;
    /// Messages of this author in all rooms, as far as one look goes, which begins at 0 or where the last one ended;
    /// and where it ended, `None` when nothing is left. There is no index for it: at most 5,000 messages are looked
    /// at, whoever wrote them, and at most 100 are given.
    fn messages_of(&mut self, author: &UserId, from: i64) -> Result<(Vec<Message>, Option<i64>)>;
    /// Full-text search, newest first.
    fn search(&mut self, search: &Search, page: Page) -> Result<Found>;
    /// What is unread for this member.
    fn unread(&mut self, membership: &Membership) -> Result<Unread>;
    /// As [`unread`](Self::unread) for many memberships of one user, in their order.
    fn unread_all(&mut self, memberships: &[Membership]) -> Result<Vec<Unread>> {
        memberships.iter().map(|m| self.unread(m)).collect()
    }
    /// The mark of one of a user's threads.
    fn thread_mark(&mut self, root: &MessageId, user: &UserId) -> Result<Option<ReadMark>>;
    /// The message of the parent room that a discussion hangs on; `None` when it is gone.
    fn anchor(&mut self, parent: &RoomId, discussion: &Room) -> Result<Option<MessageId>>;
    /// Which of these the user has starred.
    fn starred(&mut self, user: &UserId, ids: &[MessageId]) -> Result<Vec<MessageId>>;
    /// Who has read a message (those whose mark has reached it), at most 1,000.
    fn receipts(&mut self, room: &RoomId, seq: i64) -> Result<Vec<Receipt>>;
    /// What a message was before its changes, oldest first, at most 100; as far as it was kept.
    fn versions(&mut self, id: &MessageId) -> Result<Vec<Version>>;
    /// An upload.
    fn upload(&mut self, id: &UploadId) -> Result<Option<Upload>>;
    /// The thumbnail of an upload, if it has one.
    fn thumbnail_of(&mut self, id: &UploadId) -> Result<Option<Upload>>;
    /// Files of a room that belong to existing messages, newest first; thumbnails are left out.
    fn files(&mut self, room: &RoomId, filter: &FileFilter, page: Page) -> Result<Paged<Upload>>;
    /// Pictures of a room that belong to existing messages, newest first; from this one on when it is given.
    fn images(&mut self, room: &RoomId, from: Option<&UploadId>, page: Page) -> Result<Paged<Upload>>;
    /// Those of these ids under which no row says that bytes are stored.
    fn unknown_bytes(&mut self, ids: &[UploadId]) -> Result<Vec<UploadId>>;
    /// Bytes of all files of a user, or of the workspace.
    fn bytes_of(&mut self, user: Option<&UserId>) -> Result<u64>;
}

/// Which files of a room.
#[derive(Clone, Debug, Default)]
pub struct FileFilter {
    /// With this in their name; empty for all.
    pub text: String,
    /// Of this kind: what stands before the slash of their media type; empty for all.
    pub group: String,
}

/// Writing messages.
pub trait WriteMessages: ReadMessages {
    /// Appends a message inside this transaction (for notices and imports; sends use `Store::append`). Takes the
    /// position, fills in what the commit decides, updates the head and records the event.
    fn append_message(&mut self, message: Message) -> Result<Message>;
    /// Brings in messages of another chat in this order, each as if it had been appended at its time; a root may stand
    /// before its replies among them. `None` for one whose id is here already. A few statements however many there are.
    fn restore_messages(&mut self, all: Vec<Restored>) -> Result<Vec<Option<Message>>>;
    /// Stores a changed message; `rev` and `updated_at` must come from `advance`. Re-indexes its text.
    fn update_message(&mut self, message: &Message) -> Result<()>;
    /// Removes a message and leaves a tombstone; its rows elsewhere (mentions, stars) go, its files expire, the head
    /// counts it out.
    fn delete_message(&mut self, message: &Message, rev: i64, at: Time) -> Result<()>;
    /// Keeps what a message was before the change of position `rev`, for workspaces that keep history.
    fn keep_version(&mut self, message: &Message, rev: i64) -> Result<()>;
    /// Replaces the mention rows of a message.
    fn put_mentions(&mut self, message: &Message, users: &[UserId], everybody: bool) -> Result<()>;
    /// Counts a stored reply in its thread and makes these users follow it (its author has read it). The root as it
    /// is now; storing it again with a new `rev` is the verb's affair.
    fn add_reply(&mut self, root: &MessageId, reply: &Message, followers: &[UserId]) -> Result<ThreadInfo>;
    /// Counts replies that were restored in their threads and makes their authors follow those; a root that was none is
    /// one from now on. A few statements however many there are.
    fn add_replies(&mut self, replies: &[Message]) -> Result<()>;
    /// Takes a removed reply out of its thread; `None` when it was the last one and the thread is over.
    fn remove_reply(&mut self, root: &MessageId, reply: &Message) -> Result<Option<ThreadInfo>>;
    /// Ends a thread whose root goes: its replies become messages of the room.
    fn end_thread(&mut self, root: &MessageId) -> Result<()>;
    /// Makes a user follow a thread (read up to `seq`), or not.
    fn follow_thread(&mut self, root: &MessageId, user: &UserId, seq: i64, on: bool) -> Result<()>;
    /// As [`follow_thread`](Self::follow_thread) for many: roots, users and up to where they have read.
    fn follow_threads(&mut self, all: &[(MessageId, UserId, i64)]) -> Result<()>;
    /// Stars many messages, each for a user.
    fn put_stars(&mut self, all: &[(UserId, MessageId)]) -> Result<()>;
    /// Stars or unstars.
    fn put_star(&mut self, user: &UserId, message: &MessageId, on: bool) -> Result<()>;
    /// Moves the mark of a followed thread; `false` when the user does not follow it or has read that far.
    fn put_thread_mark(&mut self, root: &MessageId, user: &UserId, mark: ReadMark) -> Result<bool>;
    /// Moves the marks of all threads that a user follows in a room; how many moved.
    fn read_all_threads(&mut self, room: &RoomId, user: &UserId, seq: i64, at: Time) -> Result<u64>;
    /// Moves a member's mark; never back unless `back`. `false` when nothing changed.
    fn put_mark(&mut self, room: &RoomId, user: &UserId, mark: &MarkChange) -> Result<bool>;
    /// Says when a member last wrote in a room; never back.
    fn put_last_reply(&mut self, room: &RoomId, user: &UserId, at: Time) -> Result<()>;
    /// Stores a report to the moderators.
    fn insert_report(&mut self, report: &Report) -> Result<()>;
    /// Stores a new upload whose bytes are there; answers under which id they are kept: its own, or that of the same
    /// content stored before. `TooLarge` when a quota is full.
    fn insert_upload(&mut self, upload: &Upload, quota: Quota) -> Result<UploadId>;
    /// Stores an upload that has the bytes of another. `NotFound` when those are gone.
    fn insert_copy(&mut self, upload: &Upload, quota: Quota) -> Result<()>;
    /// Says when an upload was made, for one that comes from another chat.
    fn date_upload(&mut self, id: &UploadId, at: Time) -> Result<()>;
    /// Ties an upload to its message, or to none again.
    fn confirm_upload(&mut self, id: &UploadId, message: Option<&MessageId>) -> Result<()>;
    /// Removes an upload's row; answers which bytes nobody needs any more, to be removed after the commit.
    fn remove_upload(&mut self, id: &UploadId) -> Result<Option<UploadId>>;
    /// Uploads whose time is over, at most 100.
    fn expired_uploads(&mut self, now: Time) -> Result<Vec<Upload>>;
}

//! Rows of messages and what hangs on them.

use super::{Page, Paged};
use crate::{
    clock::Time,
    error::Result,
    id::{MessageId, RoomId, UploadId, UserId},
    membership::{Membership, ReadMark},
    message::Message,
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
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// Pinned ones.
    pub pinned: bool,
    /// Starred by this user.
    pub starred_by: Option<UserId>,
    /// That mention this user (or all).
    pub mentioning: Option<UserId>,
    /// Thread roots; with the given follower only when set.
    pub threads: Option<Option<UserId>>,
    /// Replies in this thread, oldest first.
    pub in_thread: Option<MessageId>,
    /// Anchors of discussions.
    pub discussions: bool,
    /// By this author.
    pub author: Option<UserId>,
    /// Containing this text (letter case aside), for lists that search within themselves.
    pub text: String,
    /// Threads with replies after this moment / messages changed after it.
    pub changed_after: Option<Time>,
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
    /// Has a file, link, … (`file`, `link`, `image`, `pin`, `star`).
    pub has: Vec<String>,
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
}

/// A file that belongs or will belong to a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    /// 22 random base62 characters.
    pub id: UploadId,
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
    /// SHA-256 of the bytes.
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

/// Reading messages.
pub trait ReadMessages {
    /// By id; deleted ones too (see `Message::deleted`).
    fn message(&mut self, id: &MessageId) -> Result<Option<Message>>;
    /// Several at once, in the order asked; unknown ones are left out.
    fn messages(&mut self, ids: &[MessageId]) -> Result<Vec<Message>>;
    /// A slice of a room's timeline, without deleted ones. At most 100 unless the caller's page allows more.
    fn timeline(&mut self, room: &RoomId, slice: &Slice) -> Result<Vec<Message>>;
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
    /// Full-text search, newest first.
    fn search(&mut self, search: &Search, page: Page) -> Result<Vec<Message>>;
    /// What is unread for this member.
    fn unread(&mut self, membership: &Membership) -> Result<Unread>;
    /// The mark of one of a user's threads.
    fn thread_mark(&mut self, root: &MessageId, user: &UserId) -> Result<Option<ReadMark>>;
    /// Which of these the user has starred.
    fn starred(&mut self, user: &UserId, ids: &[MessageId]) -> Result<Vec<MessageId>>;
    /// Who has read a message (those whose mark has reached it), at most 1,000.
    fn receipts(&mut self, room: &RoomId, seq: i64) -> Result<Vec<Receipt>>;
    /// An upload.
    fn upload(&mut self, id: &UploadId) -> Result<Option<Upload>>;
    /// Files of a room that belong to existing messages, newest first; thumbnails are left out.
    fn files(&mut self, room: &RoomId, text: &str, page: Page) -> Result<Paged<Upload>>;
}

/// Writing messages.
pub trait WriteMessages: ReadMessages {
    /// Appends a message inside this transaction (for notices and imports; sends use `Store::append`). Takes the
    /// position, fills in what the commit decides, updates the head and records the event.
    fn append_message(&mut self, message: Message) -> Result<Message>;
    /// Stores a changed message; `rev` and `updated_at` must come from `advance`. Re-indexes its text.
    fn update_message(&mut self, message: &Message) -> Result<()>;
    /// Empties a message and leaves a tombstone; its rows elsewhere (mentions, stars, files) go.
    fn delete_message(&mut self, message: &Message, rev: i64, at: Time) -> Result<()>;
    /// Replaces the mention rows of a message.
    fn put_mentions(&mut self, message: &Message, users: &[UserId], everybody: bool) -> Result<()>;
    /// Stars or unstars.
    fn put_star(&mut self, user: &UserId, message: &MessageId, on: bool) -> Result<()>;
    /// Moves a thread's mark.
    fn put_thread_mark(&mut self, root: &MessageId, user: &UserId, mark: ReadMark) -> Result<()>;
    /// Renames an author in the messages already stored (bounded; the rest follows in the bulk lane).
    fn rename_author(&mut self, user: &UserId, username: &str, name: &str) -> Result<()>;
    /// Stores a new upload.
    fn insert_upload(&mut self, upload: &Upload) -> Result<()>;
    /// Ties an upload to its message, or to none again.
    fn confirm_upload(&mut self, id: &UploadId, message: Option<&MessageId>) -> Result<()>;
    /// Removes an upload's row; the bytes are swept afterwards.
    fn remove_upload(&mut self, id: &UploadId) -> Result<()>;
    /// Uploads whose time is over, at most 100.
    fn expired_uploads(&mut self, now: Time) -> Result<Vec<Upload>>;
}

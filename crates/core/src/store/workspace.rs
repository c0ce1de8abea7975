//! Rows of what belongs to the workspace as a whole.

use super::{Page, Paged};
use crate::{
    clock::Time,
    error::Result,
    event::CustomKind,
    id::{RoleId, RoomId, UploadId, UserId},
    json::Json,
    role::{Grant, Role},
    setting::Value,
};

/// A custom emoji, sound or user status.
#[derive(Clone, Debug, PartialEq)]
pub struct Custom {
    /// Which of the three.
    pub kind: CustomKind,
    /// Opaque.
    pub id: String,
    /// Unique within its kind.
    pub name: String,
    /// Other names of an emoji.
    pub aliases: Vec<String>,
    /// File extension of an emoji or sound; the status type of a user status.
    pub extension: String,
    /// The stored bytes.
    pub upload: Option<UploadId>,
    /// Changes with the bytes.
    pub tag: String,
    /// Last change.
    pub updated_at: Time,
    /// It is gone (kept as a tombstone for 30 days).
    pub removed: bool,
}

/// A device that wants pushes.
#[derive(Clone, Debug, PartialEq)]
pub struct PushToken {
    /// Opaque, chosen by the client or made.
    pub id: String,
    /// Whose.
    pub user: UserId,
    /// `apn`, `gcm`, or `web` for a browser.
    pub kind: String,
    /// The device's token; a browser's address for pushes.
    pub value: String,
    /// A browser's two keys (`p256dh` and `auth`, base64url), with a blank between them.
    pub keys: String,
    /// The application.
    pub app: String,
    /// The session it belongs to; ends with it.
    pub session: Option<crate::id::SessionId>,
    /// Last change.
    pub updated_at: Time,
}

/// A document under (collection, id): small things that need no columns of their own (invites, OAuth apps,
/// banners, statistics …). Never on a hot path, at most 64 KiB each.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its id.
    pub id: String,
    /// Optional second key for look-ups, such as a room or a user.
    pub key: String,
    /// Its content.
    pub body: Json,
    /// Last change.
    pub updated_at: Time,
}

/// Reading workspace rows.
pub trait ReadWorkspace {
    /// All roles.
    fn roles(&mut self) -> Result<Vec<Role>>;
    /// All grants.
    fn grants(&mut self) -> Result<Vec<Grant>>;
    /// Settings that differ from their default: id, value, last change.
    fn setting_values(&mut self) -> Result<Vec<(String, Value, Time)>>;
    /// Emoji, sounds or statuses, tombstones included when `removed_too`.
    fn customs(&mut self, kind: CustomKind, removed_too: bool) -> Result<Vec<Custom>>;
    /// Push tokens of a user whose sessions have not ended, newest first, at most 100.
    fn push_tokens(&mut self, user: &UserId) -> Result<Vec<PushToken>>;
    /// A push token whose session has not ended.
    fn push_token(&mut self, id: &str) -> Result<Option<PushToken>>;
    /// Whether any device wants pushes.
    fn any_push_token(&mut self) -> Result<bool>;
    /// Whether anybody has a keyword.
    fn any_keyword(&mut self) -> Result<bool>;
    /// Members of a room who want to hear of all that is written there, or who have a keyword that begins with one of
    /// these words (in lower case, at most 100); at most `limit` of each.
    fn keen_members(&mut self, room: &RoomId, words: &[String], limit: u64) -> Result<Vec<UserId>>;
    /// A document.
    fn document(&mut self, collection: &'static str, id: &str) -> Result<Option<Document>>;
    /// Documents of a collection (with that key, when given), by id.
    fn documents(
        &mut self,
        collection: &'static str,
        key: Option<&str>,
        page: Page,
    ) -> Result<Paged<Document>>;
}

/// Writing workspace rows.
pub trait WriteWorkspace: ReadWorkspace {
    /// Takes a piece of what is older than `before` out of the journal, as far as all who follow it have read; `true`
    /// while there may be more.
    fn prune_journal(&mut self, before: Time) -> Result<bool>;
    /// Stores a role; its time of change, which is later than that of the change before, whatever the clocks say.
    fn put_role(&mut self, role: &Role) -> Result<Time>;
    /// Removes a role and its grants; when, as for [`WriteWorkspace::put_role`].
    fn remove_role(&mut self, id: &RoleId) -> Result<Time>;
    /// Stores a grant; when, as for [`WriteWorkspace::put_role`].
    fn put_grant(&mut self, grant: &Grant) -> Result<Time>;
    /// Stores a setting's value; `None` goes back to the default. When, as for [`WriteWorkspace::put_role`].
    fn put_setting(&mut self, id: &str, value: Option<&Value>) -> Result<Time>;
    /// Stores an emoji, sound or status (also its tombstone).
    fn put_custom(&mut self, custom: &Custom) -> Result<()>;
    /// Stores a push token; the same value under another id is replaced.
    fn put_push_token(&mut self, token: &PushToken) -> Result<()>;
    /// Removes a user's push token by value; `false` if there was none.
    fn remove_push_token(&mut self, user: &UserId, value: &str) -> Result<bool>;
    /// A device shows something of a room.
    fn put_push_shown(&mut self, device: &str, room: &str) -> Result<()>;
    /// The user's devices that show something of a room, which none does from now on.
    fn take_pushes_shown(&mut self, room: &RoomId, user: &UserId) -> Result<Vec<String>>;
    /// Replaces a user's keywords: each with its first word, in lower case.
    fn put_highlights(&mut self, user: &UserId, phrases: &[(String, String)]) -> Result<()>;
    /// Stores a document.
    fn put_document(&mut self, collection: &'static str, document: &Document) -> Result<()>;
    /// Removes a document; `false` if there was none.
    fn remove_document(&mut self, collection: &'static str, id: &str) -> Result<bool>;
}

//! Rows of users, their secrets and sessions.

use crate::{
    clock::Time,
    error::Result,
    id::{SessionId, UserId},
    session::Session,
    user::User,
};

/// A user's secrets, apart from the user.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// The stored form of the password.
    pub password: Option<String>,
    /// The sealed TOTP secret, when TOTP is on.
    pub totp: Option<String>,
    /// The sealed TOTP secret that was offered but not confirmed yet.
    pub totp_pending: Option<String>,
    /// The last TOTP step that was used.
    pub totp_step: Option<u64>,
    /// The recovery codes that are left: hashes keyed with the server's key and the user (imported ones: SHA-256).
    pub recovery: Vec<[u8; 32]>,
    /// Codes by mail are on.
    pub email_codes: bool,
}

/// Which users a list wants. Empty fields don't filter. Bounded by `Page`.
#[derive(Clone, Debug, Default)]
pub struct UserFilter {
    /// Part of user name, name, or (only with `search_email`) e-mail; letter case does not matter.
    pub text: String,
    /// `text` is looked for in addresses as well.
    pub search_email: bool,
    /// Active or not.
    pub active: Option<bool>,
    /// Holding one of these roles.
    pub roles: Vec<String>,
    /// Has logged in at least once, or never.
    pub has_logged_in: Option<bool>,
    /// Only these ids.
    pub ids: Option<Vec<UserId>>,
    /// Not these user names.
    pub except: Vec<String>,
    /// Of this sort.
    pub kind: Option<crate::user::UserKind>,
    /// In a room together with this user, or this user.
    pub meets: Option<UserId>,
    /// Changed after this moment.
    pub changed_after: Option<Time>,
    /// Sorted by this.
    pub sort: UserSort,
    /// Last first.
    pub descending: bool,
}

/// Orders of user lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum UserSort {
    #[default]
    Username,
    Name,
    CreatedAt,
    LastLogin,
}

/// A page of a list. `count` is at most 100 unless a setting allows more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: u64,
    /// How many to give.
    pub count: u64,
}

/// A page's content.
#[derive(Clone, Debug)]
pub struct Paged<T> {
    /// The items.
    pub items: Vec<T>,
    /// How many there are on all pages.
    pub total: u64,
}

/// Reading users and sessions.
pub trait ReadAccounts {
    /// By id (or an alias of it).
    fn user(&mut self, id: &UserId) -> Result<Option<User>>;
    /// By user name, letter case aside.
    fn user_by_username(&mut self, username: &str) -> Result<Option<User>>;
    /// By one of the addresses, letter case aside.
    fn user_by_email(&mut self, email: &str) -> Result<Option<User>>;
    /// A page of users.
    fn users(&mut self, filter: &UserFilter, page: Page) -> Result<Paged<User>>;
    /// How many users match.
    fn count_users(&mut self, filter: &UserFilter) -> Result<u64>;
    /// The user's secrets.
    fn secrets(&mut self, id: &UserId) -> Result<Secrets>;
    /// A session by the hash of its token, whether or not it has expired.
    fn session_by_token(&mut self, hash: &[u8; 32]) -> Result<Option<Session>>;
    /// A log-in session by its id.
    fn log_in(&mut self, id: &SessionId) -> Result<Option<Session>>;
    /// Log-in sessions of everybody, the newest first.
    fn log_ins(&mut self, page: Page) -> Result<Paged<Session>>;
    /// A user's sessions, the oldest first; at most 1,000.
    fn sessions(&mut self, user: &UserId) -> Result<Vec<Session>>;
}

/// Writing users and sessions.
pub trait WriteAccounts: ReadAccounts {
    /// Stores a new user; a taken id, user name or address is `Taken`.
    fn insert_user(&mut self, user: &User) -> Result<()>;
    /// Stores a changed user (same id), with the same refusals.
    fn update_user(&mut self, user: &User) -> Result<()>;
    /// Gives a user another id; the old one keeps leading to the same user.
    fn rename_user(&mut self, old: &UserId, new: &UserId) -> Result<()>;
    /// Removes a user, secrets and sessions. Messages and memberships are the verb's affair.
    fn remove_user(&mut self, id: &UserId) -> Result<()>;
    /// Stores the secrets.
    fn put_secrets(&mut self, id: &UserId, secrets: &Secrets) -> Result<()>;
    /// Stores a new session.
    fn insert_session(&mut self, session: &Session) -> Result<()>;
    /// When a session was used, unless a later use is known.
    fn put_session_use(&mut self, id: &SessionId, at: Time) -> Result<()>;
    /// Removes one session; `false` if there was none.
    fn remove_session(&mut self, id: &SessionId) -> Result<bool>;
    /// Removes all log-in sessions of a user (`personal`: personal access tokens as well) but `keep`.
    fn remove_sessions(&mut self, user: &UserId, keep: Option<&SessionId>, personal: bool) -> Result<u64>;
    /// Removes expired sessions, at most 1,000; how many.
    fn remove_expired_sessions(&mut self, before: Time) -> Result<u64>;
}

//! Users.

use crate::{
    clock::Time,
    id::{RoleId, UserId},
    json::Json,
};

/// What sort of account it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    /// A person.
    Person,
    /// A program with an account of its own.
    Bot,
    /// An installed application.
    App,
}

/// A person, bot or application that can act. Secrets live elsewhere (`credentials.rs`).
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    /// Opaque and permanent.
    pub id: UserId,
    /// Unique without regard to case; shown with its case.
    pub username: String,
    /// Display name; may be empty.
    pub name: String,
    /// What sort of account.
    pub kind: UserKind,
    /// Addresses, the first is the main one; unique without regard to case.
    pub emails: Vec<Email>,
    /// A deactivated account can do nothing.
    pub active: bool,
    /// Workspace-wide roles.
    pub roles: Vec<RoleId>,
    /// The status the user chose: `Online`, `Away`, `Busy`, or `Offline` (invisible).
    pub status_default: Status,
    /// Free text beside the status, at most 120 characters.
    pub status_text: String,
    /// At most 260 characters.
    pub bio: String,
    /// At most 120 characters.
    pub nickname: String,
    /// Changes with every new avatar; `None` means initials.
    pub avatar: Option<String>,
    /// BCP 47, empty for the workspace's.
    pub language: String,
    /// Hours east of UTC.
    pub utc_offset: f64,
    /// Values of the workspace's custom fields: a JSON object.
    pub custom_fields: Json,
    /// The clients' preferences: a JSON object; core reads only what it decides by.
    pub preferences: Json,
    /// Must choose a new password at the next login.
    pub require_password_change: bool,
    /// Whether a usable password exists.
    pub has_password: bool,
    /// When the account was made.
    pub created_at: Time,
    /// Grows with every change.
    pub updated_at: Time,
    /// Last login by whatever way.
    pub last_login: Option<Time>,
    /// Access version: bumped when roles or `active` change; writes check it again.
    pub access: i64,
    /// What a host application's word gave.
    pub host: HostFacts,
}

/// What a host application says of a user, by its tokens or by telling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// Role words in upper case.
    pub words: Vec<String>,
    /// The roles among the user's that those words gave; others stay when the words change.
    pub given: Vec<RoleId>,
    /// The vendor that a VENDOR belongs to.
    pub vendor: Option<String>,
    /// A host has spoken of this user by the user's id.
    pub known: bool,
    /// Made by name only: a token of that name may take it over.
    pub placeholder: bool,
    /// The id before such a take-over: what was derived from it stays.
    pub first_id: Option<UserId>,
}

/// An e-mail address of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email {
    /// As entered.
    pub address: String,
    /// The owner proved it.
    pub verified: bool,
}

/// Presence as others see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Status {
    /// No live connection, or invisible by choice.
    #[default]
    Offline,
    /// Connected.
    Online,
    /// Connected, idle.
    Away,
    /// Connected, not to be disturbed.
    Busy,
}

impl Status {
    /// The word that it is kept and told by.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Online => "online",
            Self::Away => "away",
            Self::Busy => "busy",
        }
    }

    /// What [`word`](Self::word) stands for.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Offline, Self::Online, Self::Away, Self::Busy].into_iter().find(|status| status.word() == word)
    }
}

impl User {
    /// Somebody of whom nothing but an id and a user name is known: not active, without roles and without a password.
    pub fn blank(id: UserId, username: &str) -> Self {
        Self {
            id,
            username: username.to_owned(),
            name: username.to_owned(),
            kind: UserKind::Person,
            emails: Vec::new(),
            active: false,
            roles: Vec::new(),
            status_default: Status::default(),
            status_text: String::new(),
            bio: String::new(),
            nickname: String::new(),
            avatar: None,
            language: String::new(),
            utc_offset: 0.0,
            custom_fields: Json::object(),
            preferences: Json::object(),
            require_password_change: false,
            has_password: false,
            created_at: Time::default(),
            updated_at: Time::default(),
            last_login: None,
            access: 0,
            host: Default::default(),
        }
    }

    /// The name that people see: the display name, else the user name.
    pub fn shown_name(&self) -> &str {
        if self.name.is_empty() { &self.username } else { &self.name }
    }

    /// Whether the user holds this workspace-wide role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|r| r.as_str() == role)
    }
}

//! Why the chat says no: a short closed list. Doors translate it into their dialect, nobody else adds to it
//! a text of his own.

use crate::clock::Time;

/// The answer of every verb.
pub type Result<T> = std::result::Result<T, Refusal>;

/// A refusal. Unknown and forbidden objects give the same one (`NotFound`), so that nobody learns what exists.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// No such object, or none that the actor may know of.
    #[error("{0} not found")]
    NotFound(What),
    /// The actor sees the object but lacks this permission (a Rocket.Chat permission id) or standing.
    #[error("not allowed: {0}")]
    NotAllowed(&'static str),
    /// The actor must be logged in.
    #[error("not logged in")]
    NotLoggedIn,
    /// The actor's account is deactivated.
    #[error("the account is deactivated")]
    Deactivated,
    /// The actor is no member of the room, and the verb needs one.
    #[error("not a member of this room")]
    NotMember,
    /// A value breaks a rule; `field` is the domain's word for it.
    #[error("invalid {field}: {problem}")]
    Invalid {
        /// Which value.
        field: &'static str,
        /// What is wrong with it, as an English sentence fragment without the value itself.
        problem: String,
    },
    /// A name, address or id that must be unique is taken; carries the value as asked for.
    #[error("{what} '{value}' is already in use")]
    Taken {
        /// What is taken.
        what: What,
        /// The value as asked for.
        value: String,
    },
    /// A reserved name such as `admin`.
    #[error("'{0}' is reserved")]
    Reserved(String),
    /// Longer, larger or more than allowed; `limit` in the unit of the thing (characters, bytes, items).
    #[error("{what} exceeds {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// A new password breaks the policy, in these ways.
    #[error("the password breaks the policy")]
    WeakPassword(Vec<crate::credentials::PasswordFault>),
    /// The state of the object forbids it.
    #[error("{0}")]
    State(State),
    /// A feature that a setting switches off; carries the setting's id.
    #[error("switched off by {0}")]
    Disabled(&'static str),
    /// Wrong password, token or code. Never says which part was wrong.
    #[error("wrong credentials")]
    BadCredentials,
    /// A token that was good once.
    #[error("the token has expired")]
    TokenExpired,
    /// A second factor is needed; carries how it can be given.
    #[error("a second factor is required")]
    SecondFactor(SecondFactor),
    /// Too many failed log-ins; until then even right credentials are refused.
    #[error("locked out")]
    LockedOut {
        /// Whether the account or the address is locked.
        by: Lock,
        /// When it ends.
        until: Time,
    },
    /// Too many requests; try again after this many milliseconds.
    #[error("too many requests")]
    RateLimited {
        /// Milliseconds until the next one is allowed.
        retry_after: u64,
    },
    /// The same client id was used for something else.
    #[error("this id was used for another message")]
    IdConflict,
    /// The judgement on which a write stood has been overtaken; the verb judges anew. Never leaves the core.
    #[error("overtaken")]
    Stale,
    /// A queue is full, the disk is full or the database is away; nothing was stored.
    #[error("temporarily unavailable")]
    Unavailable,
    /// The store for files can't be reached, or is full; nothing was stored.
    #[error("the store for files can't be reached")]
    Storage,
    /// A fault of ours; the reference stands in the log beside the cause.
    #[error("internal error {0}")]
    Internal(String),
}

/// The kinds of things that refusals speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum What {
    User,
    Username,
    Email,
    Room,
    RoomName,
    Team,
    TeamName,
    Message,
    Membership,
    Upload,
    Session,
    Token,
    Role,
    Permission,
    Setting,
    Emoji,
    Sound,
    Status,
    Invite,
    Command,
    Avatar,
    Integration,
    Other,
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

/// States that stand in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs)]
pub enum State {
    #[error("the room is read-only")]
    ReadOnly,
    #[error("the room is archived")]
    Archived,
    #[error("the room is not archived")]
    NotArchived,
    #[error("you are muted")]
    Muted,
    #[error("blocked by the other side")]
    Blocked,
    #[error("the last owner can't go")]
    LastOwner,
    #[error("the last administrator can't go")]
    LastAdmin,
    #[error("already a member")]
    AlreadyMember,
    #[error("already has this role")]
    HasRole,
    #[error("does not have this role")]
    LacksRole,
    #[error("a join code is required")]
    CodeRequired,
    #[error("the join code is wrong")]
    WrongCode,
    #[error("already closed")]
    AlreadyClosed,
    #[error("already open")]
    AlreadyOpen,
    #[error("the time for this is over")]
    TooLate,
    #[error("the message is deleted")]
    Deleted,
    #[error("not possible in a direct room")]
    DirectRoom,
    #[error("not possible for the default room")]
    DefaultRoom,
    #[error("the invite is used up or expired")]
    InviteOver,
    #[error("the role is protected")]
    Protected,
    #[error("the role is in use")]
    InUse,
    #[error("the second factor is already on")]
    SecondFactorOn,
    #[error("the room is encrypted")]
    Encrypted,
    #[error("field staff can't be among themselves")]
    FieldToField,
    #[error("the conversation is closed")]
    CaseClosed,
    #[error("the user has written messages")]
    HasMessages,
    #[error("no address of the account is confirmed yet")]
    Unverified,
}

/// What a second factor asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondFactor {
    /// `totp`, `email` or `password`.
    pub method: &'static str,
    /// All methods this user can use.
    pub available: Vec<&'static str>,
    /// The code that came with the request was wrong (rather than absent).
    pub wrong: bool,
    /// A code has just been sent by mail, good until then.
    pub sent: Option<Time>,
}

/// What a lock-out is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// The account.
    User,
    /// The network address.
    Address,
}

impl Refusal {
    /// Shorthand for `Invalid`.
    pub fn invalid(field: &'static str, problem: impl Into<String>) -> Self {
        Self::Invalid { field, problem: problem.into() }
    }
}

impl From<State> for Refusal {
    fn from(state: State) -> Self {
        Self::State(state)
    }
}

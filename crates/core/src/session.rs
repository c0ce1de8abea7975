//! Signed-in devices and their tokens, and who is acting.

use std::sync::Arc;

use crate::{
    clock::Time,
    id::{SessionId, UserId},
};

/// A signed-in device or a personal access token. The token itself is stored only as its SHA-256.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Opaque.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// How it came to be.
    pub kind: SessionKind,
    /// When it was made.
    pub created_at: Time,
    /// When it was last used, to a few minutes.
    pub used_at: Time,
    /// When it ends; `None` for personal access tokens.
    pub expires_at: Option<Time>,
    /// The client's user agent at login, at most 300 characters.
    pub user_agent: String,
    /// The client's address at login.
    pub address: String,
}

/// How a session came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// Log-in.
    Login,
    /// A personal access token with its name; `bypass` skips the second factor.
    PersonalToken {
        /// Unique for its user.
        name: String,
        /// Last characters, to recognise it.
        last_six: String,
        /// No second factor asked.
        bypass: bool,
    },
    /// Access that the user granted to an application.
    Application {
        /// The application's id.
        app: String,
    },
    /// Ended when the account was switched off, and kept so that whoever holds its token is told why. It opens nothing.
    Ended,
}

/// Who acts. Made only by the login path (or `Actor::system`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The acting user.
    pub user: UserId,
    /// The session it came by.
    pub session: Option<SessionId>,
    pub(crate) power: Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    User,
    /// A user, by the word of the host application: the user's rights, without limits on sending.
    Host,
    System,
}

impl Actor {
    /// A user who proved who he is. For the login path alone.
    pub fn user(user: UserId, session: Option<SessionId>) -> Self {
        Self { user, session, power: Power::User }
    }
    /// The server itself, speaking as this user (the administrator's commands, first start, imports).
    pub fn system(user: UserId) -> Self {
        Self { user, session: None, power: Power::System }
    }
    /// A user for whom the host application acts, with the user's rights. For the application's key alone.
    pub fn on_behalf(user: UserId) -> Self {
        Self { user, session: None, power: Power::Host }
    }
    /// Whether sends are not counted.
    pub(crate) fn is_exempt(&self) -> bool {
        self.power != Power::User
    }
    /// Whether no permission is asked.
    pub fn is_system(&self) -> bool {
        self.power == Power::System
    }
}

/// A successful login: what the door hands to the client.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who.
    pub user: Arc<crate::user::User>,
    /// The session behind the token; a host application's token has none.
    pub session: Option<SessionId>,
    /// The token in clear; shown once, never stored.
    pub token: String,
    /// When it ends.
    pub expires_at: Option<Time>,
}

//! Logging in and out: one path for every door.

use std::{net::IpAddr, sync::Arc, time::Duration};

use crate::{
    chat::Chat,
    clock::{DAY, Time},
    credentials::{Attempt, Factor, Password, Verdict},
    error::{Refusal, Result, State, What},
    event::{Change, Event},
    id::{SessionId, UserId},
    session::{Actor, Login, Session, SessionKind},
    store::{Lane, LinkPurpose, Tx},
    tokens::begin_session,
    user::User,
    users_change::Secret,
};

/// What a client brings to log in.
#[derive(Clone, Debug)]
pub enum Proof {
    /// A user name or address, and the password.
    Password {
        /// User name, or e-mail address when it has an `@`.
        name: String,
        /// The password.
        password: Password,
    },
    /// A token from an earlier login, or a personal access token.
    Token(String),
    /// A credential from a provider's page of return (see `oauth_sign_in.rs`): its token and its secret.
    Credential {
        /// The half that the client chose.
        token: String,
        /// The half that the page of return told.
        secret: String,
    },
    /// A name and password of the directory.
    Directory {
        /// As the directory knows it.
        name: String,
        /// The password.
        password: Secret,
    },
    /// An identity token that a provider made for this workspace.
    IdToken {
        /// The service's name.
        service: String,
        /// The token, a JWT.
        token: String,
    },
}

/// The device that logs in.
#[derive(Clone, Debug, Default)]
pub struct Device {
    /// Its user agent; cut at 300 characters.
    pub user_agent: String,
    /// Its address.
    pub address: Option<IpAddr>,
    /// How long its session lives; `None` for as long as `Accounts_LoginExpiration` says.
    pub lifetime: Option<Duration>,
}

/// A second factor as a client gives it.
#[derive(Clone, Debug)]
pub struct Code {
    /// The code.
    pub code: String,
    /// `totp` or `email`, when the client says.
    pub method: Option<String>,
}

impl Chat {
    /// Logs in. A token stays the same token (nothing new is made for it); a password makes a new session.
    ///
    /// # Errors
    /// `BadCredentials` (never telling which part), `LockedOut`, `SecondFactor`, `Deactivated`.
    pub async fn login(&self, proof: Proof, code: Option<Code>, device: Device) -> Result<Login> {
        match proof {
            Proof::Token(token) => self.login_by_token(token).await,
            Proof::Password { name, password } => {
                self.login_by_password((name, password), code, device, true).await
            }
            Proof::Directory { name, password } => {
                let done = self.login_by_directory(&name, &password.0, code.clone(), device.clone()).await;
                match done {
                    // Whom the directory does not know may have an account of the workspace's own.
                    Err(Refusal::BadCredentials | Refusal::Unavailable)
                        if self.settings().is_on("LDAP_Login_Fallback") =>
                    {
                        let password = Password::Plain(password.0);
                        self.login_by_password((name, password), code, device, false).await
                    }
                    done => done,
                }
            }
            Proof::Credential { token, secret } => {
                self.login_by_credential((token, secret), code, device).await
            }
            Proof::IdToken { service, token } => self.login_by_id_token((service, token), code, device).await,
        }
    }

    /// Who holds this token, if it is this user's, valid and not expired, and the account is active.
    pub async fn authenticate(&self, user: &UserId, token: &str) -> Result<Option<Actor>> {
        match self.admit_as(user, token).await {
            Ok(admitted) => Ok(Some(admitted.actor)),
            Err(Refusal::BadCredentials | Refusal::TokenExpired | Refusal::Deactivated) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Ends the actor's own session.
    pub async fn logout(&self, actor: &Actor) -> Result<()> {
        match actor.session.clone() {
            Some(session) => self.end_session(&actor.user, session).await,
            None => Ok(()),
        }
    }

    /// The session of a token. `TokenExpired` for one that has ended by its age, as long as it is stored.
    pub(crate) async fn session_of(&self, token: &str) -> Result<Option<Session>> {
        let hash = self.ports.credentials.token_hash(token);
        let now = self.now();
        let is_valid = |session: &Session| session.expires_at.is_none_or(|end| end > now);
        if let Some(known) = self.sessions.get(&hash) {
            self.sessions.used(&hash, &known, now);
            return if is_valid(&known) { Ok(Some(known)) } else { Err(Refusal::TokenExpired) };
        }
        let since = self.sessions.round();
        let found = self.store().reading(move |rows| rows.session_by_token(&hash)).await?;
        if let Some(session) = &found {
            if !is_valid(session) {
                return Err(Refusal::TokenExpired);
            }
            self.sessions.remember(hash, session.clone(), since);
            self.sessions.used(&hash, session, now);
        }
        Ok(found)
    }

    async fn login_by_token(&self, token: String) -> Result<Login> {
        let admitted = self.admit(&token).await.map_err(|refusal| match refusal {
            Refusal::TokenExpired => Refusal::BadCredentials,
            other => other,
        })?;
        Ok(Login {
            user: self.came_back(admitted.user).await?,
            session: admitted.actor.session,
            token,
            expires_at: admitted.expires_at,
        })
    }

    /// Clients come back by their tokens for months, and whoever does is not idle. Written once a day.
    async fn came_back(&self, user: Arc<User>) -> Result<Arc<User>> {
        let border = self.now().millis() - DAY;
        if user.last_login.is_some_and(|at| at.millis() > border) {
            return Ok(user);
        }
        let id = user.id.clone();
        self.store()
            .writing(Lane::Bulk, move |tx| {
                let mut user = tx.user(&id)?.ok_or(Refusal::BadCredentials)?;
                user.last_login = Some(tx.now());
                put_user(tx, user)
            })
            .await
    }

    /// `outside`: a directory may be asked too.
    async fn login_by_password(
        &self,
        (name, password): (String, Password),
        code: Option<Code>,
        device: Device,
        outside: bool,
    ) -> Result<Login> {
        let wanted = name.clone();
        let found = self
            .store()
            .reading(move |rows| {
                let user = if wanted.contains('@') {
                    rows.user_by_email(&wanted)?
                } else {
                    rows.user_by_username(&wanted)?
                };
                user.map(|u| Ok((rows.secrets(&u.id)?, u))).transpose()
            })
            .await?;
        if let Password::Plain(plain) = &password
            && outside
            && self.asks_directory(found.as_ref().map(|(_, user)| user))
        {
            return self.login_by_directory(&name, plain, code, device).await;
        }
        let credentials = &self.ports.credentials;
        let settings = self.settings();
        // Unknown names are counted too, or the refusal would tell who exists.
        let key = found.as_ref().map_or_else(|| name.to_lowercase(), |(_, u)| u.id.to_string());
        let attempt = Attempt { user: &key, address: device.address };
        self.admit_attempt(Factor::Password, attempt, &settings).await?;
        let stored = found.as_ref().and_then(|(secrets, _)| secrets.password.as_deref());
        let verdict = credentials.verify(&password, stored).await?;
        let (Verdict::Right { rehash }, Some((secrets, user))) = (verdict, found) else {
            self.attempt_failed(Factor::Password, attempt, &settings).await?;
            return Err(Refusal::BadCredentials);
        };
        self.attempt_succeeded(Factor::Password, attempt, &settings).await?;
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        let mut spent = self.second_factor(&user, &secrets, code).await?;
        if self.must_verify_first(&user) {
            return Err(State::Unverified.into());
        }
        spent.proved = secrets.password.clone();
        if rehash {
            // A full pool must not fail a right login: the form is renewed another time.
            let renewed = credentials.hash(&password).await.ok();
            spent.password = secrets.password.zip(renewed);
        }
        self.open_session(user.id, SessionKind::Login, device, spent).await
    }

    /// Makes a session for a user who proved who he is, and notes the login.
    pub(crate) async fn open_session(
        &self,
        user: UserId,
        kind: SessionKind,
        device: Device,
        spent: Spent,
    ) -> Result<Login> {
        let (token, token_hash) = self.ports.credentials.new_token();
        let now = self.now();
        let days = match self.settings().number("Accounts_LoginExpiration") {
            days if days >= 1.0 => days,
            _ => 90.0,
        };
        let lifetime = device.lifetime.unwrap_or(Duration::from_secs_f64(days * 86_400.0));
        let session = Session {
            id: SessionId::new(self.new_id()),
            user,
            token_hash,
            expires_at: (kind == SessionKind::Login).then(|| now.after(lifetime)),
            kind,
            created_at: now,
            used_at: now,
            user_agent: device.user_agent.chars().take(300).collect(),
            address: device.address.map(|ip| ip.to_string()).unwrap_or_default(),
        };
        let (id, expires_at, made) = (session.id.clone(), session.expires_at, session.clone());
        let since = self.sessions.round();
        let user = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&session.user)?.ok_or(Refusal::BadCredentials)?;
                if !user.active {
                    return Err(Refusal::Deactivated);
                }
                spend(tx, &user.id, &spent)?;
                begin_session(tx, &session)?;
                user.last_login = Some(tx.now());
                put_user(tx, user)
            })
            .await?;
        self.sessions.remember(token_hash, made, since);
        Ok(Login { user, session: Some(id), token, expires_at })
    }

    /// Ends one session of a user.
    pub(crate) async fn end_session(&self, user: &UserId, session: SessionId) -> Result<()> {
        let user = user.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.remove_session(&session)? {
                    let ended = Event::SessionsEnded {
                        user: user.clone(),
                        session: Some(session.clone()),
                        kept: None,
                    };
                    tx.record(None, ended)?;
                }
                Ok(())
            })
            .await
    }
}

/// What a login uses up or renews; noted in the transaction that opens the session, so that a code sent twice at
/// once opens one session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) step: Option<u64>,
    pub(crate) recovery: Option<[u8; 32]>,
    /// The hash of a code that was mailed.
    pub(crate) mailed: Option<String>,
    /// The stored form that was checked, and the one to take its place.
    pub(crate) password: Option<(String, String)>,
    /// The stored form that the login was proved by: when another has taken its place meanwhile, it proves nothing.
    pub(crate) proved: Option<String>,
    /// The credential that was signed in by.
    pub(crate) waiting: Option<String>,
}

pub(crate) fn spend(tx: &mut dyn Tx, user: &UserId, spent: &Spent) -> Result<()> {
    if let Some(waiting) = &spent.waiting {
        crate::oauth_sign_in::use_up(tx, waiting)?;
    }
    if let Some(hash) = &spent.mailed {
        tx.take_mail_link(hash, LinkPurpose::Code)?.ok_or(Refusal::BadCredentials)?;
    }
    let Spent { step: None, recovery: None, password: None, proved: None, .. } = spent else {
        let mut secrets = tx.secrets(user)?;
        if spent.proved.is_some() && secrets.password != spent.proved {
            return Err(Refusal::BadCredentials);
        }
        if let Spent { step: None, recovery: None, password: None, .. } = spent {
            return Ok(());
        }
        if let Some(step) = spent.step {
            if secrets.totp_step.is_some_and(|last| last >= step) {
                return Err(Refusal::BadCredentials);
            }
            secrets.totp_step = Some(step);
        }
        if let Some(code) = spent.recovery {
            let left = secrets.recovery.iter().position(|c| *c == code).ok_or(Refusal::BadCredentials)?;
            secrets.recovery.remove(left);
        }
        // A password that was changed meanwhile stays changed.
        if let Some((old, new)) = &spent.password
            && secrets.password.as_ref() == Some(old)
        {
            secrets.password = Some(new.clone());
        }
        return tx.put_secrets(user, &secrets);
    };
    Ok(())
}

/// Stores a changed user and tells who listens. `access` grows when what the user may do changed.
pub(crate) fn put_user(tx: &mut dyn Tx, mut user: User) -> Result<std::sync::Arc<User>> {
    let before = tx.user(&user.id)?.ok_or(Refusal::NotFound(What::User))?;
    let facts = before.host.vendor != user.host.vendor;
    if before.roles != user.roles || before.active != user.active || facts {
        user.access = before.access + 1;
    }
    user.updated_at = later(tx.now(), before.updated_at);
    tx.update_user(&user)?;
    if user.access != before.access {
        crate::tickets_members::settle_user(tx, &user)?;
    }
    let user = std::sync::Arc::new(user);
    let event = Event::User {
        user: user.clone(),
        change: Change::Changed,
        before: Some(std::sync::Arc::new(before)),
    };
    tx.record(None, event)?;
    Ok(user)
}

/// A time for a change that must be newer than the one before.
pub(crate) fn later(now: Time, before: Time) -> Time {
    now.max(Time(before.millis() + 1))
}

/// Makes sure that an active administrator would be left without this one. The row written first makes a second
/// asker wait for the first one's commit, so that two can't go at once.
pub(crate) fn another_admin(tx: &mut dyn Tx, without: &UserId) -> Result<()> {
    hold_admins(tx)?;
    let filter =
        crate::store::UserFilter { roles: vec!["admin".into()], active: Some(true), ..Default::default() };
    let page = crate::store::Page { offset: 0, count: 2 };
    let left = tx.users(&filter, page)?.items.into_iter().any(|u| u.id != *without);
    if left { Ok(()) } else { Err(State::LastAdmin.into()) }
}

/// Makes whoever else counts administrators wait for the end of this transaction.
pub(crate) fn hold_admins(tx: &mut dyn Tx) -> Result<()> {
    let row = crate::store::Document {
        id: "admins".into(),
        key: String::new(),
        body: crate::json::Json::object(),
        updated_at: tx.now(),
    };
    tx.put_document("workspace", &row)
}

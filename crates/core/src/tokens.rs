//! Sessions and personal access tokens of a user.

use crate::{
    accounts::{Device, Spent},
    bootstrap::last_six,
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    id::{SessionId, UserId},
    session::{Actor, Login, Session, SessionKind},
    store::{Lane, Tx},
    users_change::end_sessions,
};

/// Devices and applications that one user is signed in with at most. With the personal access tokens they stay below
/// what the store gives at once.
const MAX_SESSIONS: usize = 500;
/// Personal access tokens that one user may have.
const MAX_TOKENS: usize = 100;
/// Longest name of a token, in characters.
const MAX_NAME: usize = 100;

impl Chat {
    /// Ends all other log-in sessions of the actor; personal access tokens stay.
    pub async fn end_other_sessions(&self, actor: &Actor) -> Result<()> {
        self.active_user(actor).await?;
        let (user, kept) = (actor.user.clone(), actor.session.clone());
        self.store().writing(Lane::Verbs, move |tx| end_sessions(tx, &user, kept.as_ref(), false)).await
    }

    /// Ends all log-in sessions of a user; somebody else's need `logout-other-user`.
    pub async fn log_out_user(&self, actor: &Actor, user: &UserId) -> Result<()> {
        self.active_user(actor).await?;
        if *user != actor.user {
            self.require(actor, "logout-other-user", None).await?;
        }
        let known = self.known_user(user).await?;
        let entry = match *user == actor.user {
            true => None,
            false => Some(self.audit_entry(actor, "user.logged-out", &known.username).await?),
        };
        let user = known.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if let Some(entry) = &entry {
                    crate::audit::keep(tx, entry)?;
                }
                end_sessions(tx, &user, None, false)
            })
            .await
    }

    /// The actor's own session, if it came by one.
    pub async fn own_session(&self, actor: &Actor) -> Result<Option<Session>> {
        let Some(wanted) = actor.session.clone() else { return Ok(None) };
        let user = actor.user.clone();
        let all = self.store().reading(move |rows| rows.sessions(&user)).await?;
        Ok(all.into_iter().find(|s| s.id == wanted))
    }

    /// The actor's sessions: devices and personal access tokens.
    pub async fn own_sessions(&self, actor: &Actor) -> Result<Vec<Session>> {
        self.active_user(actor).await?;
        let user = actor.user.clone();
        self.store().reading(move |rows| rows.sessions(&user)).await
    }

    /// Logs one of the actor's own devices out.
    ///
    /// # Errors
    /// `NotFound(Token)` for what is no device of the actor's.
    pub async fn end_own_session(&self, actor: &Actor, id: &crate::id::SessionId) -> Result<()> {
        let all = self.own_sessions(actor).await?;
        let found = all.into_iter().find(|s| s.id == *id && s.kind == SessionKind::Login);
        let session = found.ok_or(Refusal::NotFound(What::Token))?;
        self.end_session(&actor.user, session.id).await
    }

    /// The actor's personal access tokens, oldest first. Needs `create-personal-access-tokens`.
    pub async fn personal_tokens(&self, actor: &Actor) -> Result<Vec<Session>> {
        self.require(actor, "create-personal-access-tokens", None).await?;
        let user = actor.user.clone();
        let all = self.store().reading(move |rows| rows.sessions(&user)).await?;
        Ok(all.into_iter().filter(is_personal).collect())
    }

    /// Makes a personal access token and gives it in clear, this once. `bypass`: no second factor is asked of it.
    /// With `anew` an existing one of that name is replaced.
    ///
    /// # Errors
    /// `Taken(Token)`; `NotFound(Token)` with `anew`; `TooLarge`.
    pub async fn make_personal_token(
        &self,
        actor: &Actor,
        name: &str,
        bypass: Option<bool>,
        anew: bool,
    ) -> Result<String> {
        self.require(actor, "create-personal-access-tokens", None).await?;
        if name.is_empty() || name.chars().count() > MAX_NAME {
            return Err(Refusal::invalid("token-name", "The name must have 1 to 100 characters"));
        }
        // What an application was granted ends; it must not make itself something that does not.
        let own = self.own_session(actor).await?;
        if own.is_some_and(|session| matches!(session.kind, SessionKind::Application { .. })) {
            return Err(Refusal::NotAllowed("create-personal-access-tokens"));
        }
        let (token, token_hash) = self.ports.credentials.new_token();
        let last_six = last_six(&token);
        let (user, name, id) = (actor.user.clone(), name.to_owned(), SessionId::new(self.new_id()));
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut bypass = bypass;
                let before = named_token(tx, &user, &name)?;
                match (&before, anew) {
                    (Some(old), true) => {
                        if let SessionKind::PersonalToken { bypass: kept, .. } = &old.kind {
                            bypass = bypass.or(Some(*kept));
                        }
                        end_one(tx, &user, &old.id)?;
                    }
                    (Some(_), false) => {
                        return Err(Refusal::Taken { what: What::Token, value: name.clone() });
                    }
                    (None, true) => return Err(Refusal::NotFound(What::Token)),
                    (None, false) => {}
                }
                let many = tx.sessions(&user)?.iter().filter(|s| is_personal(s)).count();
                if many >= MAX_TOKENS {
                    return Err(Refusal::TooLarge { what: "tokens", limit: MAX_TOKENS as u64 });
                }
                tx.insert_session(&Session {
                    id: id.clone(),
                    user: user.clone(),
                    token_hash,
                    kind: SessionKind::PersonalToken {
                        name: name.clone(),
                        last_six: last_six.clone(),
                        bypass: bypass.unwrap_or_default(),
                    },
                    created_at: tx.now(),
                    used_at: tx.now(),
                    expires_at: None,
                    user_agent: String::new(),
                    address: String::new(),
                })
            })
            .await?;
        Ok(token)
    }

    /// Ends a personal access token.
    pub async fn remove_personal_token(&self, actor: &Actor, name: &str) -> Result<()> {
        self.require(actor, "create-personal-access-tokens", None).await?;
        let (user, name) = (actor.user.clone(), name.to_owned());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let token = named_token(tx, &user, &name)?.ok_or(Refusal::NotFound(What::Token))?;
                end_one(tx, &user, &token.id)
            })
            .await
    }

    /// Opens a session for somebody without his password. Needs `user-generate-access-token`; the door must have
    /// checked besides that the operator wants it.
    pub async fn open_session_for(&self, actor: &Actor, user: &UserId, device: Device) -> Result<Login> {
        self.require(actor, "user-generate-access-token", None).await?;
        let user = self.known_user(user).await?;
        let entry = self.audit_entry(actor, "user.token-made", &user.username).await?;
        self.store().writing(Lane::Verbs, move |tx| crate::audit::keep(tx, &entry)).await?;
        self.open_session(user.id.clone(), SessionKind::Login, device, Spent::default()).await
    }
}

fn is_personal(session: &Session) -> bool {
    matches!(session.kind, SessionKind::PersonalToken { .. })
}

fn named_token(tx: &mut dyn Tx, user: &UserId, wanted: &str) -> Result<Option<Session>> {
    let is_it = |s: &Session| matches!(&s.kind, SessionKind::PersonalToken { name, .. } if name == wanted);
    Ok(tx.sessions(user)?.into_iter().find(is_it))
}

/// Stores a session that begins now. With more than [`MAX_SESSIONS`] the one that came first is signed out.
pub(crate) fn begin_session(tx: &mut dyn Tx, session: &Session) -> Result<()> {
    tx.insert_session(session)?;
    let mut all = tx.sessions(&session.user)?;
    all.retain(|s| !is_personal(s));
    let surplus = all.len().saturating_sub(MAX_SESSIONS);
    for old in all.iter().filter(|s| s.id != session.id).take(surplus) {
        end_one(tx, &session.user, &old.id)?;
    }
    Ok(())
}

/// Ends one session and tells of it.
pub(crate) fn end_one(tx: &mut dyn Tx, user: &UserId, session: &SessionId) -> Result<()> {
    tx.remove_session(session)?;
    let event = Event::SessionsEnded { user: user.clone(), session: Some(session.clone()), kept: None };
    tx.record(None, event)
}

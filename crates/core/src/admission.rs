//! Being let in by a token, whatever kind it is: our own sessions and the host application's tokens take this one path.

use std::sync::Arc;

use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result},
    id::UserId,
    session::{Actor, SessionKind},
    user::User,
};

/// Somebody who was let in by a token.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Who acts.
    pub actor: Actor,
    /// The account as it is now.
    pub user: Arc<User>,
    /// When the token ends; a connection must not outlive it. `None` for personal access tokens.
    pub expires_at: Option<Time>,
}

impl Chat {
    /// Lets in whoever holds this token: a session's, a personal access token, or a host application's.
    ///
    /// # Errors
    /// `BadCredentials` for an unknown or damaged token, `TokenExpired`, `Deactivated`.
    pub async fn admit(&self, token: &str) -> Result<Admitted> {
        if self.ports.host_tokens.is_one(token) {
            return self.admit_host(token).await;
        }
        let session = self.session_of(token).await?.ok_or(Refusal::BadCredentials)?;
        let user = self.user(&session.user).await?.ok_or(Refusal::BadCredentials)?;
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        if session.kind == SessionKind::Ended {
            return Err(Refusal::BadCredentials);
        }
        let actor = Actor::user(user.id.clone(), Some(session.id));
        Ok(Admitted { actor, user, expires_at: session.expires_at })
    }

    /// As [`Chat::admit`], where the client also says who it is: another one's token is as bad as none.
    ///
    /// # Errors
    /// As [`Chat::admit`].
    pub async fn admit_as(&self, id: &UserId, token: &str) -> Result<Admitted> {
        let admitted = self.admit(token).await?;
        if admitted.user.id == *id {
            return Ok(admitted);
        }
        // The id may be an older one of the same user.
        match self.user(id).await? {
            Some(user) if user.id == admitted.user.id => Ok(admitted),
            _ => Err(Refusal::BadCredentials),
        }
    }

    async fn admit_host(&self, token: &str) -> Result<Admitted> {
        let person = self.ports.host_tokens.verify(token).await?;
        let expires_at = Some(person.expires_at);
        // Whoever is switched off stays so, whatever the token says.
        if self.user(&person.id).await?.is_some_and(|user| !user.active) {
            return Err(Refusal::Deactivated);
        }
        let user = self.follow_host(person).await?;
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        Ok(Admitted { actor: Actor::user(user.id.clone(), None), user, expires_at })
    }
}

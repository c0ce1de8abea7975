//! Accounts: logging in and out, tokens, and what people may change about themselves.

use crate::{chat::Chat, error::Result, id::UserId, session::Actor};

impl Chat {
    /// Who holds this token, if it is this user's, valid and not expired, and the account is active.
    pub async fn authenticate(&self, user: &UserId, token: &str) -> Result<Option<Actor>> {
        let hash = self.ports.credentials.token_hash(token);
        let found = self.store().reading(move |rows| rows.session_by_token(&hash)).await?;
        let Some(session) = found.filter(|s| s.user == *user) else { return Ok(None) };
        if session.expires_at.is_some_and(|end| end <= self.now()) {
            return Ok(None);
        }
        let account = self.user(user).await?.filter(|u| u.active);
        Ok(account.map(|u| Actor::user(u.id.clone(), Some(session.id))))
    }
}

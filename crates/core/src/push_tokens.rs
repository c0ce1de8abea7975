//! Devices that want pushes.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    session::Actor,
    store::{Lane, PushToken},
};

/// Longest token of a device, in bytes.
const LONGEST: usize = 4096;

impl Chat {
    /// Keeps the token of the actor's device; the same token under another account moves here.
    pub async fn put_push_token(
        &self,
        actor: &Actor,
        id: Option<&str>,
        kind: &str,
        value: &str,
        app: &str,
    ) -> Result<PushToken> {
        self.active_user(actor).await?;
        if [value, app, id.unwrap_or_default()].iter().any(|text| text.len() > LONGEST) {
            return Err(Refusal::TooLarge { what: "token", limit: LONGEST as u64 });
        }
        let token = PushToken {
            id: id.filter(|id| !id.is_empty()).map_or_else(|| self.new_id(), str::to_owned),
            user: actor.user.clone(),
            kind: kind.to_owned(),
            value: value.to_owned(),
            app: app.to_owned(),
            session: actor.session.clone(),
            updated_at: self.now(),
        };
        let kept = token.clone();
        self.store().writing(Lane::Verbs, move |tx| tx.put_push_token(&kept)).await?;
        Ok(token)
    }

    /// Forgets a device of the actor.
    pub async fn remove_push_token(&self, actor: &Actor, value: &str) -> Result<()> {
        let (user, value) = (actor.user.clone(), value.to_owned());
        let removed =
            self.store().writing(Lane::Verbs, move |tx| tx.remove_push_token(&user, &value)).await?;
        if removed { Ok(()) } else { Err(Refusal::NotFound(What::Token)) }
    }
}

//! Keys for end-to-end encryption, as a user's clients made and sealed them: opaque here, given back to their owner.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    id::UserId,
    json::Json,
    session::Actor,
    store::{Document, Lane, Tx},
};

/// Longest key, in bytes.
const MAX_KEY: usize = 16 * 1024;
const KEYS: &str = "e2e-keys";

impl Chat {
    /// The actor's keys, public and sealed private one.
    pub async fn e2e_keys(&self, actor: &Actor) -> Result<Option<(String, String)>> {
        self.active_user(actor).await?;
        let id = actor.user.clone();
        let found = self.store().reading(move |rows| rows.document(KEYS, &id)).await?;
        Ok(found.and_then(|document| {
            let keys: serde_json::Value = serde_json::from_str(document.body.as_str()).ok()?;
            let key = |name: &str| keys[name].as_str().map(str::to_owned);
            Some((key("public")?, key("private")?))
        }))
    }

    /// Keeps the actor's keys. Keys that are there already are replaced only with `force`.
    pub async fn put_e2e_keys(&self, actor: &Actor, public: &str, private: &str, force: bool) -> Result<()> {
        self.active_user(actor).await?;
        let (id, public, private) = (actor.user.clone(), public.to_owned(), private.to_owned());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if !force && tx.document(KEYS, &id)?.is_some() {
                    return Err(Refusal::Taken { what: What::Other, value: "keys".into() });
                }
                put_keys(tx, &id, &public, &private)
            })
            .await
    }
}

/// Keeps a user's keys; none that are longer than clients make them.
pub(crate) fn put_keys(tx: &mut dyn Tx, user: &UserId, public: &str, private: &str) -> Result<()> {
    if public.len() > MAX_KEY || private.len() > MAX_KEY {
        return Err(Refusal::TooLarge { what: "key", limit: MAX_KEY as u64 });
    }
    let body = Json::new(serde_json::json!({ "public": public, "private": private }).to_string());
    let updated_at = tx.now();
    tx.put_document(KEYS, &Document { id: user.to_string(), key: String::new(), body, updated_at })
}

//! Devices that want pushes: phones with their tokens, browsers with their subscriptions.

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    json::Json,
    session::Actor,
    store::{Document, Lane, PushToken},
};

/// Longest token of a device, in bytes.
const LONGEST: usize = 4096;
/// Devices of one user; the ones that were silent longest make room for new ones.
const MOST_DEVICES: usize = 50;
/// Where the server's own key for web pushes lies.
const VAPID: (&str, &str) = ("workspace", "vapid");

/// The server's own key for web pushes (RFC 8292).
#[derive(Clone, PartialEq, Eq)]
pub struct Vapid {
    /// The public key, as browsers take it: an uncompressed point, base64url.
    pub public: String,
    /// The private key: a scalar, base64url.
    pub private: String,
}

impl std::fmt::Debug for Vapid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vapid({})", self.public)
    }
}

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
            keys: String::new(),
            app: app.to_owned(),
            session: actor.session.clone(),
            updated_at: self.now(),
        };
        self.keep_device(token).await
    }

    /// Keeps a browser's subscription (`PushSubscription` in the browser): its address, and its keys in base64url.
    /// The same address under another account moves here.
    ///
    /// # Errors
    /// `Invalid` of field `endpoint`, `p256dh` or `auth`.
    pub async fn subscribe_browser(
        &self,
        actor: &Actor,
        endpoint: &str,
        p256dh: &str,
        auth: &str,
    ) -> Result<PushToken> {
        self.active_user(actor).await?;
        let address = endpoint.starts_with("https://") || endpoint.starts_with("http://");
        if !address || endpoint.len() > LONGEST || endpoint.chars().any(char::is_whitespace) {
            return Err(Refusal::invalid("endpoint", "must be an address of at most 4096 bytes"));
        }
        // 65 and 16 bytes; padding is left out by browsers.
        let p256dh = key("p256dh", p256dh, 87)?;
        let auth = key("auth", auth, 22)?;
        let token = PushToken {
            id: self.new_id(),
            user: actor.user.clone(),
            kind: "web".to_owned(),
            value: endpoint.to_owned(),
            keys: format!("{p256dh} {auth}"),
            app: "web".to_owned(),
            session: actor.session.clone(),
            updated_at: self.now(),
        };
        self.keep_device(token).await
    }

    async fn keep_device(&self, token: PushToken) -> Result<PushToken> {
        let spare = self.new_id();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut kept = token.clone();
                // A device may change its account; its id alone makes it nobody else's.
                let others = |there: &PushToken| there.user != kept.user && there.value != kept.value;
                if tx.push_token(&kept.id)?.as_ref().is_some_and(others) {
                    kept.id.clone_from(&spare);
                }
                tx.put_push_token(&kept)?;
                for old in tx.push_tokens(&kept.user)?.iter().skip(MOST_DEVICES) {
                    tx.remove_push_token(&old.user, &old.value)?;
                }
                Ok(kept)
            })
            .await
    }

    /// The server's own key for web pushes; `None` until whoever sends them has made one.
    pub async fn vapid(&self) -> Result<Option<Vapid>> {
        let found = self.store().reading(|rows| rows.document(VAPID.0, VAPID.1)).await?;
        let Some(document) = found else { return Ok(None) };
        let part = |key: &str| {
            let all: serde_json::Value = serde_json::from_str(document.body.as_str()).unwrap_or_default();
            all[key].as_str().unwrap_or_default().to_owned()
        };
        let private = self.ports.credentials.open(&part("private"))?;
        Ok(Some(Vapid { public: part("public"), private }))
    }

    /// Keeps a new key for web pushes, the private part sealed, unless there is one; gives the one in force. Browsers
    /// subscribe to one key for ever, so it is never replaced.
    pub async fn keep_vapid(&self, made: Vapid) -> Result<Vapid> {
        let private = self.ports.credentials.seal(&made.private)?;
        let body = serde_json::json!({ "public": made.public, "private": private }).to_string();
        let document = Document {
            id: VAPID.1.to_owned(),
            key: String::new(),
            body: Json::new(body),
            updated_at: self.now(),
        };
        self.store()
            .writing(Lane::Verbs, move |tx| match tx.document(VAPID.0, VAPID.1)? {
                Some(_) => Ok(()),
                None => tx.put_document(VAPID.0, &document),
            })
            .await?;
        self.vapid().await?.ok_or(Refusal::Unavailable)
    }

    /// Forgets a device of the actor.
    pub async fn remove_push_token(&self, actor: &Actor, value: &str) -> Result<()> {
        let (user, value) = (actor.user.clone(), value.to_owned());
        let removed =
            self.store().writing(Lane::Verbs, move |tx| tx.remove_push_token(&user, &value)).await?;
        if removed { Ok(()) } else { Err(Refusal::NotFound(What::Token)) }
    }
}

/// A key in base64url of this many characters, without its padding.
fn key(field: &'static str, text: &str, length: usize) -> Result<String> {
    let text = text.trim_end_matches('=').replace('+', "-").replace('/', "_");
    let good =
        text.len() == length && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if good { Ok(text) } else { Err(Refusal::invalid(field, "must be a key in base64url")) }
}

//! What people grant to applications: codes, access tokens, refresh tokens. Only their hashes are kept; an access token
//! is a session of its own kind, so that it is let in, and ended, as every session is.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    chat::Chat,
    error::{Refusal, Result, What},
    event::Event,
    hashes::unhex,
    id::{SessionId, UserId},
    json::Json,
    oauth_apps::{OAuthApp, find},
    session::{Session, SessionKind},
    store::{Document, Lane, Page, Tx},
};

/// Codes under their hash; used ones stay until they would have run out, so that a second use shows.
const CODES: &str = "oauth-codes";
/// Refresh tokens under their hash, found by their user.
const REFRESH: &str = "oauth-refresh";
const CODE_LIFE: Duration = Duration::from_secs(2 * 60);
const ACCESS_LIFE: Duration = Duration::from_secs(60 * 60);
const REFRESH_LIFE: Duration = Duration::from_secs(60 * 24 * 60 * 60);
/// Grants of one user at once; the oldest goes for the next one.
const MAX_GRANTS: u64 = 100;
/// Rows looked at in one step.
const STEP: u64 = 500;

/// What a person grants.
#[derive(Clone, Debug)]
pub struct Consent {
    /// The application's client id.
    pub client_id: String,
    /// Where the person is sent back to; one of the application's own addresses.
    pub redirect_uri: String,
    /// SHA-256 of the verifier that the application will show (PKCE).
    pub challenge: Option<[u8; 32]>,
}

/// What an application shows to get tokens.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// A code, the address it was sent to, and the verifier of its challenge.
    Code {
        /// The code.
        code: String,
        /// The address.
        redirect_uri: String,
        /// The verifier.
        verifier: Option<String>,
    },
    /// A refresh token, which works once.
    Refresh(String),
}

/// Tokens, in clear this once.
#[derive(Clone)]
pub struct Granted {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// For the next pair.
    pub refresh_token: String,
    /// Seconds that the access token lives.
    pub expires_in: u64,
}

/// Why an application gets no tokens.
#[derive(Clone, Debug, PartialEq)]
pub enum NotGranted {
    /// Unknown, switched off, or a wrong secret.
    Client,
    /// The code or refresh token is none of its own, used up or too old.
    Grant,
    /// Anything else.
    Refused(Refusal),
}

impl From<Refusal> for NotGranted {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadCredentials | Refusal::TokenExpired | Refusal::Deactivated | Refusal::NotFound(_) => {
                Self::Grant
            }
            other => Self::Refused(other),
        }
    }
}

impl OAuthApp {
    /// The address to send somebody back to: the very one that was asked with, or the only one there is.
    pub fn address<'a>(&'a self, asked: Option<&str>) -> Option<&'a str> {
        match (asked, self.redirect_uris.as_slice()) {
            (Some(asked), all) => all.iter().find(|uri| *uri == asked).map(String::as_str),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }
}

impl Chat {
    /// Grants an application access to the account of whoever holds this token, which must be of a log-in: a code for
    /// it.
    ///
    /// # Errors
    /// `BadCredentials` for a token of another kind, `NotFound` for an unknown application, `Invalid` for an address
    /// that is none of its own.
    pub async fn grant_access(&self, token: &str, consent: Consent) -> Result<String> {
        let session = self.session_of(token).await?.ok_or(Refusal::BadCredentials)?;
        let user = self.user(&session.user).await?.ok_or(Refusal::BadCredentials)?;
        if session.kind != SessionKind::Login {
            return Err(Refusal::BadCredentials);
        }
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        let app = self.oauth_app(&consent.client_id).await?;
        if !app.active {
            return Err(Refusal::NotFound(What::Other));
        }
        if app.address(Some(&consent.redirect_uri)).is_none() {
            return Err(Refusal::invalid("redirect_uri", "is none of the application's"));
        }
        let (code, hash) = self.ports.credentials.new_token();
        let body = json!({
            "app": app.id, "redirect": consent.redirect_uri, "challenge": consent.challenge.map(hex::encode),
        });
        let row = Document {
            id: hex::encode(hash),
            key: user.id.to_string(),
            body: Json::new(body.to_string()),
            updated_at: self.now(),
        };
        self.store().writing(Lane::Verbs, move |tx| tx.put_document(CODES, &row)).await?;
        Ok(code)
    }

    /// Gives an application tokens for a code or a refresh token, which then is used up. The tokens that came of a code
    /// that is shown twice are void.
    ///
    /// # Errors
    /// [`NotGranted`].
    pub async fn exchange(
        &self,
        (client_id, secret): (&str, &str),
        shown: Exchange,
    ) -> std::result::Result<Granted, NotGranted> {
        let given = self.ports.credentials.token_hash(secret);
        let app = self.oauth_app(client_id).await.map_err(|refusal| match refusal {
            Refusal::NotFound(_) => NotGranted::Client,
            other => NotGranted::Refused(other),
        })?;
        if !app.active || app.client_id != client_id || app.secret != given {
            return Err(NotGranted::Client);
        }
        let credentials = &self.ports.credentials;
        let ((access, access_hash), (refresh, refresh_hash)) =
            (credentials.new_token(), credentials.new_token());
        let verified = match &shown {
            Exchange::Code { verifier, .. } => verifier.as_deref().map(|v| credentials.token_hash(v)),
            Exchange::Refresh(_) => None,
        };
        let shown_hash = hex::encode(credentials.token_hash(match &shown {
            Exchange::Code { code, .. } => code,
            Exchange::Refresh(token) => token,
        }));
        let session = SessionId::new(self.new_id());
        let done = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let app = find(tx, &app.id)?.filter(|app| app.active).ok_or(Refusal::BadCredentials)?;
                let user = match &shown {
                    Exchange::Code { redirect_uri, .. } => {
                        let proof = (redirect_uri.as_str(), verified);
                        match spend_code(tx, &shown_hash, &app, proof, (&session, &refresh_hash))? {
                            Some(user) => user,
                            // The removal of what a code brought is kept, so this is no error of the transaction.
                            None => return Ok(false),
                        }
                    }
                    Exchange::Refresh(_) => spend_refresh(tx, &shown_hash, &app)?,
                };
                let user = tx.user(&user)?.filter(|user| user.active).ok_or(Refusal::BadCredentials)?;
                let now = tx.now();
                crate::tokens::begin_session(
                    tx,
                    &Session {
                        id: session.clone(),
                        user: user.id.clone(),
                        token_hash: access_hash,
                        kind: SessionKind::Application { app: app.id.clone() },
                        created_at: now,
                        used_at: now,
                        expires_at: Some(now.after(ACCESS_LIFE)),
                        user_agent: app.name.clone(),
                        address: String::new(),
                    },
                )?;
                make_room(tx, &user.id)?;
                let body = json!({ "app": app.id, "session": session.as_str() });
                let row = Document {
                    id: hex::encode(refresh_hash),
                    key: user.id.to_string(),
                    body: Json::new(body.to_string()),
                    updated_at: now,
                };
                tx.put_document(REFRESH, &row)?;
                Ok(true)
            })
            .await?;
        if !done {
            return Err(NotGranted::Grant);
        }
        Ok(Granted { access_token: access, refresh_token: refresh, expires_in: ACCESS_LIFE.as_secs() })
    }

    /// Voids all that an application got.
    pub(crate) async fn void_grants(&self, app: &str) -> Result<()> {
        let app = app.to_owned();
        self.each_grant(REFRESH, move |row| text(row, "app").as_ref() == Some(&app), void).await
    }

    /// Forgets codes and refresh tokens that have run out.
    pub(crate) async fn sweep_grants(&self) -> Result<()> {
        for (collection, life) in [(CODES, CODE_LIFE), (REFRESH, REFRESH_LIFE)] {
            let now = self.now();
            let old = move |row: &Document| row.updated_at.after(life) <= now;
            self.each_grant(collection, old, move |tx, row| {
                tx.remove_document(collection, &row.id).map(drop)
            })
            .await?;
        }
        Ok(())
    }

    /// Does away with those that are `meant`, [`STEP`] at a time. `end` removes the row that it is given.
    async fn each_grant(
        &self,
        collection: &'static str,
        meant: impl Fn(&Document) -> bool + Send + Sync,
        end: impl Fn(&mut dyn Tx, &Document) -> Result<()> + Copy + Send + 'static,
    ) -> Result<()> {
        let mut offset = 0;
        loop {
            let page = Page { offset, count: STEP };
            let rows = self.store().reading(move |rows| rows.documents(collection, None, page)).await?.items;
            let full = rows.len() as u64 == STEP;
            let its: Vec<Document> = rows.into_iter().filter(&meant).collect();
            // Those that are removed leave their places to the next.
            offset += STEP - its.len() as u64;
            self.store().writing(Lane::Bulk, move |tx| its.iter().try_for_each(|row| end(tx, row))).await?;
            if !full {
                return Ok(());
            }
        }
    }
}

/// Voids the refresh tokens, and the codes that were not exchanged yet, of a user whose sessions end: with a new
/// password, or on being logged out everywhere.
pub(crate) fn forget_grants(tx: &mut dyn Tx, user: &UserId) -> Result<()> {
    for collection in [REFRESH, CODES] {
        for row in tx.documents(collection, Some(user.as_str()), Page { offset: 0, count: STEP })?.items {
            tx.remove_document(collection, &row.id)?;
        }
    }
    Ok(())
}

fn text(row: &Document, key: &str) -> Option<String> {
    let body: Value = serde_json::from_str(row.body.as_str()).ok()?;
    body[key].as_str().map(str::to_owned)
}

/// A refresh token and the access token beside it.
fn void(tx: &mut dyn Tx, row: &Document) -> Result<()> {
    tx.remove_document(REFRESH, &row.id)?;
    let Some(session) = text(row, "session").and_then(|id| SessionId::parse(&id)) else { return Ok(()) };
    if tx.remove_session(&session)? {
        let user = UserId::new(row.key.clone());
        tx.record(None, Event::SessionsEnded { user, session: Some(session), kept: None })?;
    }
    Ok(())
}

/// Uses a code up and tells whose it was; `None` when it was used before.
fn spend_code(
    tx: &mut dyn Tx,
    id: &str,
    app: &OAuthApp,
    (redirect, verified): (&str, Option<[u8; 32]>),
    (session, refresh): (&SessionId, &[u8; 32]),
) -> Result<Option<UserId>> {
    let row = tx.document(CODES, id)?.ok_or(Refusal::BadCredentials)?;
    let its = text(&row, "app").as_deref() == Some(&app.id);
    if !its || row.updated_at.after(CODE_LIFE) <= tx.now() {
        return Err(Refusal::BadCredentials);
    }
    if let Some(brought) = text(&row, "brought") {
        if let Some(refresh) = tx.document(REFRESH, &brought)? {
            void(tx, &refresh)?;
        }
        return Ok(None);
    }
    let challenge = text(&row, "challenge").map(|c| unhex(&c).ok_or(Refusal::BadCredentials)).transpose()?;
    if text(&row, "redirect").as_deref() != Some(redirect) || challenge != verified {
        return Err(Refusal::BadCredentials);
    }
    let user = UserId::new(row.key.clone());
    let body = json!({ "app": app.id, "brought": hex::encode(refresh), "session": session.as_str() });
    tx.put_document(CODES, &Document { body: Json::new(body.to_string()), ..row })?;
    Ok(Some(user))
}

/// Uses a refresh token up, with the access token beside it, and tells whose it was.
fn spend_refresh(tx: &mut dyn Tx, id: &str, app: &OAuthApp) -> Result<UserId> {
    let row = tx.document(REFRESH, id)?.ok_or(Refusal::BadCredentials)?;
    let its = text(&row, "app").as_deref() == Some(&app.id);
    if !its || row.updated_at.after(REFRESH_LIFE) <= tx.now() {
        return Err(Refusal::BadCredentials);
    }
    void(tx, &row)?;
    Ok(UserId::new(row.key))
}

fn make_room(tx: &mut dyn Tx, user: &UserId) -> Result<()> {
    let all = tx.documents(REFRESH, Some(user.as_str()), Page { offset: 0, count: MAX_GRANTS })?;
    if all.total >= MAX_GRANTS
        && let Some(oldest) = all.items.into_iter().min_by_key(|row| row.updated_at)
    {
        void(tx, &oldest)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;

    #[test]
    fn people_are_sent_back_to_the_very_address_or_the_only_one() {
        let app = |uris: &[&str]| OAuthApp {
            id: "a".into(),
            name: "A".into(),
            client_id: "c".into(),
            active: true,
            redirect_uris: uris.iter().map(|uri| (*uri).to_owned()).collect(),
            secret: [0; 32],
            created_at: Time(0),
            updated_at: Time(0),
            created_by: (UserId::new("u"), "u".into()),
        };
        let two = app(&["https://a.example/cb", "https://b.example/cb"]);
        assert_eq!(two.address(Some("https://b.example/cb")), Some("https://b.example/cb"));
        for near in
            ["https://b.example/cb/", "https://b.example/cb?x", "https://B.example/cb", "https://c.example"]
        {
            assert_eq!(two.address(Some(near)), None, "{near}");
        }
        assert_eq!(two.address(None), None);
        assert_eq!(app(&["https://a.example/cb"]).address(None), Some("https://a.example/cb"));
    }
}

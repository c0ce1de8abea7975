//! Applications that may ask people for access: Parlor as an OAuth 2 provider.

use serde_json::{Value, json};

use crate::hashes::unhex;
use crate::{
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, What},
    id::UserId,
    json::Json,
    session::Actor,
    store::{Document, Lane, Page, Read, Tx},
};

/// Applications, found by their client id too.
pub(crate) const APPS: &str = "oauth-apps";
/// Applications that a workspace may have.
const MAX_APPS: u64 = 500;
/// Longest name, in characters.
const MAX_NAME: usize = 100;
/// Addresses of one application, and the longest in bytes.
const MAX_ADDRESSES: usize = 20;
const MAX_ADDRESS: usize = 2_000;

/// An application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuthApp {
    /// Opaque.
    pub id: String,
    /// What people are asked about.
    pub name: String,
    /// What it calls itself by.
    pub client_id: String,
    /// An application that is switched off can ask nobody, and what it got is void.
    pub active: bool,
    /// Where people may be sent back to: these very addresses.
    pub redirect_uris: Vec<String>,
    /// The secret as SHA-256.
    pub(crate) secret: [u8; 32],
    /// When it was made.
    pub created_at: Time,
    /// Last change.
    pub updated_at: Time,
    /// Who made it, and that one's user name then.
    pub created_by: (UserId, String),
}

/// How an application is wanted.
#[derive(Clone, Debug)]
pub struct WantedApp {
    /// What people are asked about.
    pub name: String,
    /// Whether it may ask.
    pub active: bool,
    /// Addresses with commas or line breaks between.
    pub redirect_uri: String,
}

impl Chat {
    /// All applications. Needs `manage-oauth-apps`.
    pub async fn oauth_apps(&self, actor: &Actor) -> Result<Vec<OAuthApp>> {
        self.require(actor, "manage-oauth-apps", None).await?;
        let page = Page { offset: 0, count: MAX_APPS };
        let all = self.store().reading(move |rows| rows.documents(APPS, None, page)).await?;
        Ok(all.items.iter().filter_map(read).collect())
    }

    /// An application by its id or client id, for whoever is asked by it.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn oauth_app(&self, id: &str) -> Result<OAuthApp> {
        let id = id.to_owned();
        self.store().reading(move |rows| find(rows, &id)).await?.ok_or(Refusal::NotFound(What::Other))
    }

    /// Makes an application; its secret is told this once. Needs `manage-oauth-apps`.
    ///
    /// # Errors
    /// `Invalid` of field `name` or `redirectUri`, `TooLarge`.
    pub async fn make_oauth_app(&self, actor: &Actor, wanted: WantedApp) -> Result<(OAuthApp, String)> {
        self.require(actor, "manage-oauth-apps", None).await?;
        let redirect_uris = check(&wanted)?;
        let entry = self.audit_entry(actor, "oauth-app.made", &wanted.name).await?;
        let (secret, hash) = self.ports.credentials.new_token();
        let (client_id, _) = self.ports.credentials.new_token();
        let app = OAuthApp {
            id: self.new_id(),
            name: wanted.name,
            client_id: client_id.chars().filter(char::is_ascii_alphanumeric).take(20).collect(),
            active: wanted.active,
            redirect_uris,
            secret: hash,
            created_at: self.now(),
            updated_at: self.now(),
            created_by: (actor.user.clone(), entry.username.clone()),
        };
        let made = app.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let total = tx.documents(APPS, None, Page { offset: 0, count: 1 })?.total;
                if total >= MAX_APPS {
                    return Err(Refusal::TooLarge { what: "applications", limit: MAX_APPS });
                }
                crate::audit::keep(tx, &entry)?;
                put(tx, &made)
            })
            .await?;
        Ok((app, secret))
    }

    /// Makes the application that client suites take for granted, unless it is there. Only for test mode.
    pub async fn ensure_test_app(&self, by: &UserId, username: &str) -> Result<()> {
        let (_, secret) = self.ports.credentials.new_token();
        let app = OAuthApp {
            id: "zapier".to_owned(),
            name: "Zapier".to_owned(),
            client_id: "zapier".to_owned(),
            active: true,
            redirect_uris: vec![
                "https://zapier.com/dashboard/auth/oauth/return/RocketChatDevAPI/".to_owned(),
            ],
            secret,
            created_at: self.now(),
            updated_at: self.now(),
            created_by: (by.clone(), username.to_owned()),
        };
        self.store()
            .writing(Lane::Verbs, move |tx| match find(tx, &app.id)? {
                Some(_) => Ok(()),
                None => put(tx, &app),
            })
            .await
    }

    /// Changes an application; with `anew` it gets another secret, told this once. One that is switched off loses all
    /// that it got. Needs `manage-oauth-apps`.
    ///
    /// # Errors
    /// As [`Chat::make_oauth_app`]; `NotFound`.
    pub async fn change_oauth_app(
        &self,
        actor: &Actor,
        id: &str,
        wanted: WantedApp,
        anew: bool,
    ) -> Result<(OAuthApp, Option<String>)> {
        self.require(actor, "manage-oauth-apps", None).await?;
        let redirect_uris = check(&wanted)?;
        let entry = self.audit_entry(actor, "oauth-app.changed", &wanted.name).await?;
        let fresh = anew.then(|| self.ports.credentials.new_token());
        let hash = fresh.as_ref().map(|(_, hash)| *hash);
        let id = id.to_owned();
        let app = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let before = find(tx, &id)?.ok_or(Refusal::NotFound(What::Other))?;
                let after = OAuthApp {
                    name: wanted.name.clone(),
                    active: wanted.active,
                    redirect_uris: redirect_uris.clone(),
                    secret: hash.unwrap_or(before.secret),
                    updated_at: tx.now(),
                    ..before
                };
                crate::audit::keep(tx, &entry)?;
                put(tx, &after)?;
                Ok(after)
            })
            .await?;
        if !app.active {
            self.void_grants(&app.id).await?;
        }
        Ok((app, fresh.map(|(secret, _)| secret)))
    }

    /// Removes an application and all that it got. Needs `manage-oauth-apps`.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn remove_oauth_app(&self, actor: &Actor, id: &str) -> Result<()> {
        self.require(actor, "manage-oauth-apps", None).await?;
        let app = self.oauth_app(id).await?;
        let entry = self.audit_entry(actor, "oauth-app.removed", &app.name).await?;
        let id = app.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                tx.remove_document(APPS, &id).map(drop)
            })
            .await?;
        self.void_grants(&app.id).await
    }
}

/// By id or client id.
pub(crate) fn find<R: Read + ?Sized>(rows: &mut R, id: &str) -> Result<Option<OAuthApp>> {
    if let Some(found) = rows.document(APPS, id)? {
        return Ok(read(&found));
    }
    let found = rows.documents(APPS, Some(id), Page { offset: 0, count: 1 })?.items;
    Ok(found.first().filter(|_| !id.is_empty()).and_then(read))
}

fn put(tx: &mut dyn Tx, app: &OAuthApp) -> Result<()> {
    let body = json!({
        "name": app.name, "active": app.active, "redirectUris": app.redirect_uris, "secret": hex::encode(app.secret),
        "createdAt": app.created_at.millis(), "by": app.created_by.0.as_str(), "byName": app.created_by.1,
    });
    let row = Document {
        id: app.id.clone(),
        key: app.client_id.clone(),
        body: Json::new(body.to_string()),
        updated_at: app.updated_at,
    };
    tx.put_document(APPS, &row)
}

fn read(row: &Document) -> Option<OAuthApp> {
    let body: Value = serde_json::from_str(row.body.as_str()).ok()?;
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let uris = body["redirectUris"].as_array()?.iter();
    Some(OAuthApp {
        id: row.id.clone(),
        name: text("name"),
        client_id: row.key.clone(),
        active: body["active"].as_bool()?,
        redirect_uris: uris.filter_map(|uri| uri.as_str().map(str::to_owned)).collect(),
        secret: unhex(&text("secret"))?,
        created_at: Time(body["createdAt"].as_i64()?),
        updated_at: row.updated_at,
        created_by: (UserId::new(text("by")), text("byName")),
    })
}

/// The addresses, when all of it may be.
fn check(wanted: &WantedApp) -> Result<Vec<String>> {
    let name = wanted.name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Refusal::invalid("name", "The name must have 1 to 100 characters"));
    }
    let all = wanted.redirect_uri.split([',', '\n']).map(str::trim).filter(|uri| !uri.is_empty());
    let all: Vec<String> = all.map(str::to_owned).collect();
    if all.is_empty() || all.len() > MAX_ADDRESSES || !all.iter().all(|uri| is_address(uri)) {
        let problem = "must be 1 to 20 whole addresses without a fragment";
        return Err(Refusal::invalid("redirectUri", problem));
    }
    Ok(all)
}

/// A whole address: of the web, or of an application's own scheme; never one that a browser runs.
fn is_address(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let scheme = scheme.to_ascii_lowercase();
    let fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let runs = ["javascript", "data", "vbscript", "file", "blob", "about"].contains(&scheme.as_str());
    let web = ["http", "https"].contains(&scheme.as_str());
    let host = rest.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    fits && !runs
        && (host || !web)
        && rest.len() > 1
        && uri.len() <= MAX_ADDRESS
        && uri.bytes().all(|b| b.is_ascii_graphic() && b != b'#' && b != b'"' && b != b'\'' && b != b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_sent_back_to_whole_addresses_that_a_browser_does_not_run() {
        for good in
            ["https://app.example/cb", "http://127.0.0.1:9/cb?x=1", "com.example.app:/cb", "zap://back"]
        {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "app.example",
            "/cb",
            "https://",
            "https:///cb",
            "javascript:alert(1)",
            "JavaScript:x",
            "data:x",
            "https://a/b#c",
            "https://a/ b",
            "https://a/\"x",
            "https://a;b",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}

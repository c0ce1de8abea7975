//! Accounts that move in from another chat.

use rustc_hash::FxHashMap;
use serde_json::Value;

use crate::{
    bootstrap::made,
    chat::Chat,
    clock::Time,
    e2e_keys::put_keys,
    error::Result,
    id::{SessionId, UserId},
    moving::{AT_ONCE, Moved, Taken, free_name},
    oauth_links::keep_link,
    session::{Actor, Session, SessionKind},
    store::{Secrets, Tx},
    user::User,
    users_change::keep_keywords,
};

/// An account of another chat, with what proves who its owner is.
#[derive(Clone)]
pub struct MovedUser {
    /// The account.
    pub user: User,
    /// The stored form of its password: bcrypt over the hex SHA-256, as Rocket.Chat keeps it.
    pub password: Option<String>,
    /// The secret of its authenticator, in base32.
    pub totp: Option<String>,
    /// SHA-256 of the recovery codes that are left.
    pub recovery: Vec<[u8; 32]>,
    /// Codes by mail are on.
    pub email_codes: bool,
    /// Personal access tokens.
    pub tokens: Vec<MovedToken>,
    /// Who vouches for its owner: services and what they call them.
    pub links: Vec<(String, String)>,
    /// Keys for encrypted rooms: the public one, and the private one as its owner's clients sealed it.
    pub keys: Option<(String, String)>,
}

/// A personal access token of another chat.
#[derive(Clone, Debug)]
pub struct MovedToken {
    /// Its name.
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Its last characters.
    pub last_six: String,
    /// No second factor asked.
    pub bypass: bool,
    /// When it was made.
    pub created_at: Time,
}

impl Chat {
    /// An account with nothing but id and name, to be filled by whoever knows the other chat.
    pub fn empty_user(&self, id: UserId, username: &str) -> User {
        self.blank_user(id, username)
    }

    /// Brings in accounts under their own ids; the users as they are here. A user name that somebody else has gets `-2`,
    /// `-3` …, and addresses that somebody else has are left out. `dry`: only says what would become of them.
    pub async fn move_users(
        &self,
        actor: &Actor,
        moved: Vec<MovedUser>,
        dry: bool,
    ) -> Result<Vec<Moved<User>>> {
        let drafts = moved.into_iter().map(|moved| self.draft_moved(moved)).collect();
        self.move_together(actor, drafts, AT_ONCE, dry, move |tx, drafts: &[Draft]| take(tx, drafts, dry))
            .await
    }

    fn draft_moved(&self, moved: MovedUser) -> Draft {
        let secrets = Secrets {
            password: moved.password,
            totp: moved.totp.as_deref().and_then(|base32| self.ports.credentials.keep_totp(base32)),
            recovery: moved.recovery,
            email_codes: moved.email_codes,
            ..Secrets::default()
        };
        let id = moved.user.id.clone();
        let sessions = moved.tokens.into_iter().map(|token| self.moved_token(&id, token)).collect();
        let user = User { has_password: secrets.password.is_some(), ..moved.user };
        Draft { user, secrets, sessions, links: moved.links, keys: moved.keys }
    }

    fn moved_token(&self, user: &UserId, token: MovedToken) -> Session {
        Session {
            id: SessionId::new(self.new_id()),
            user: user.clone(),
            token_hash: token.hash,
            kind: SessionKind::PersonalToken {
                name: token.name,
                last_six: token.last_six,
                bypass: token.bypass,
            },
            created_at: token.created_at,
            used_at: token.created_at,
            expires_at: None,
            user_agent: String::new(),
            address: String::new(),
        }
    }
}

/// An account as it is to be stored.
#[derive(Clone)]
struct Draft {
    user: User,
    secrets: Secrets,
    sessions: Vec<Session>,
    links: Vec<(String, String)>,
    keys: Option<(String, String)>,
}

/// Takes accounts in, in this order; what became of each. `dry`: only says what would.
fn take(tx: &mut dyn Tx, drafts: &[Draft], dry: bool) -> Result<Vec<Moved<User>>> {
    let ids: Vec<&UserId> = drafts.iter().map(|draft| &draft.user.id).collect();
    let mut here: FxHashMap<&UserId, User> =
        ids.iter().zip(tx.users_at(&ids)?).filter_map(|(id, user)| Some((*id, user?))).collect();
    let fresh = || drafts.iter().map(|draft| &draft.user).filter(|user| !here.contains_key(&user.id));
    let names: Vec<&str> = fresh().map(|user| user.username.as_str()).collect();
    let addresses: Vec<&str> =
        fresh().flat_map(|user| user.emails.iter().map(|email| email.address.as_str())).collect();
    let mut names = Taken::of(&names, tx.taken_usernames(&names)?);
    let mut addresses = Taken::of(&addresses, tx.taken_emails(&addresses)?);
    let (mut done, mut new) = (Vec::with_capacity(drafts.len()), Vec::new());
    for draft in drafts {
        if let Some(user) = here.get(&draft.user.id) {
            done.push(Moved::Known(user.clone()));
            continue;
        }
        let user = fitting(tx, &draft.user, &mut names, &mut addresses)?;
        here.insert(&draft.user.id, user.clone());
        done.push(Moved::New(user.clone()));
        new.push((user, draft));
    }
    if !dry && !new.is_empty() {
        store(tx, &new)?;
    }
    Ok(done)
}

/// The account with a name that is free, and without addresses that somebody has.
fn fitting(tx: &mut dyn Tx, user: &User, names: &mut Taken, addresses: &mut Taken) -> Result<User> {
    let mut fitting = user.clone();
    fitting.username = free_name(&user.username, |name| {
        Ok(!names.has(name, |name| Ok(tx.user_by_username(name)?.is_some()))?)
    })?;
    names.take(&fitting.username);
    fitting.emails.clear();
    for email in &user.emails {
        if !addresses.has(&email.address, |address| Ok(tx.user_by_email(address)?.is_some()))? {
            addresses.take(&email.address);
            fitting.emails.push(email.clone());
        }
    }
    Ok(fitting)
}

fn store(tx: &mut dyn Tx, new: &[(User, &Draft)]) -> Result<()> {
    let users: Vec<_> = new.iter().map(|(user, draft)| (user, &draft.secrets)).collect();
    tx.insert_users(&users)?;
    for session in new.iter().flat_map(|(_, draft)| &draft.sessions) {
        if tx.session_by_token(&session.token_hash)?.is_none() {
            tx.insert_session(session)?;
        }
    }
    for (user, draft) in new {
        hang(tx, user, draft)?;
    }
    tx.record_all(new.iter().map(|(user, _)| made(user.clone())).collect())
}

/// What few accounts have.
fn hang(tx: &mut dyn Tx, user: &User, draft: &Draft) -> Result<()> {
    for (service, subject) in &draft.links {
        keep_link(tx, &user.id, service, subject)?;
    }
    if let Some((public, private)) = &draft.keys {
        put_keys(tx, &user.id, public, private)?;
    }
    let preferences: Value = serde_json::from_str(user.preferences.as_str()).unwrap_or_default();
    match preferences.get("highlights").and_then(Value::as_array) {
        Some(keywords) if !keywords.is_empty() => keep_keywords(tx, &user.id, &preferences["highlights"]),
        _ => Ok(()),
    }
}

//! Changing accounts: by their holders, within what the settings allow, and by administrators.

use std::sync::Arc;

use crate::{
    accounts::{another_admin, put_user},
    audit::AuditEntry,
    chat::Chat,
    credentials::{Attempt, Factor, Password, Verdict},
    error::{Refusal, Result, What},
    event::{AvatarOf, Event},
    id::{RoleId, SessionId, UserId},
    json::Json,
    notify_plan::DIGESTS,
    presence::MAX_STATUS_TEXT,
    session::{Actor, Session, SessionKind},
    store::{Lane, Tx},
    tokens::end_one,
    user::{Email, User},
    users_rules::{
        MAX_BIO, MAX_NICKNAME, check_custom_fields, check_email, check_name, check_reserved, check_username,
        longest,
    },
};

/// Longest JSON of preferences, in bytes.
const MAX_PREFERENCES: usize = 32 * 1024;

/// What to change; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// User name.
    pub username: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Main address; a new one is unproved unless `email_verified` says otherwise.
    pub email: Option<String>,
    /// The main address counts as proved. For administrators.
    pub email_verified: Option<bool>,
    /// Password in clear.
    pub password: Option<Secret>,
    /// Workspace-wide roles. For administrators.
    pub roles: Option<Vec<RoleId>>,
    /// Must choose another password at the next login. For administrators.
    pub require_password_change: Option<bool>,
    /// About the person.
    pub bio: Option<String>,
    /// Another name.
    pub nickname: Option<String>,
    /// Text beside the status.
    pub status_text: Option<String>,
    /// Values of the workspace's custom fields.
    pub custom_fields: Option<Json>,
    /// Language of the interface.
    pub language: Option<String>,
    /// Hours east of UTC.
    pub utc_offset: Option<f64>,
}

/// A text that is never shown in logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What somebody is about to change, and which setting lets people change it for themselves.
const OWN: &[(Part, &str, &str)] = &[
    (Part::Username, "Accounts_AllowUsernameChange", "username"),
    (Part::Name, "Accounts_AllowRealNameChange", "user real name"),
    (Part::Status, "Accounts_AllowUserStatusMessageChange", "user status"),
    (Part::Email, "Accounts_AllowEmailChange", "user email"),
    (Part::Password, "Accounts_AllowPasswordChange", "user password"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Username,
    Name,
    Status,
    Email,
    Password,
}

impl UserChange {
    /// Whether this part would become another.
    fn touches(&self, part: Part, user: &User) -> bool {
        let differs = |new: &Option<String>, old: &str| new.as_ref().is_some_and(|new| new != old);
        match part {
            Part::Username => differs(&self.username, &user.username),
            Part::Name => differs(&self.name, &user.name),
            Part::Status => differs(&self.status_text, &user.status_text),
            Part::Email => {
                let main = user.emails.first().map(|e| e.address.as_str()).unwrap_or_default();
                differs(&self.email, main)
            }
            Part::Password => self.password.is_some(),
        }
    }
}

/// What shows that it is the owner of an account who changes its address or password.
#[derive(Clone, Debug)]
pub enum Proof {
    /// The present password, or none.
    Password(Option<Password>),
    /// Nothing: suites of clients run without.
    Waived,
}

impl Chat {
    /// Changes an account as an administrator does: somebody else's needs `edit-other-user-info`, the password
    /// `edit-other-user-password`, roles `assign-roles`. One's own is changed within the settings.
    ///
    /// # Errors
    /// `Disabled` with the setting in the way, `NotAllowed`, `Taken`, `Reserved`, `Invalid`, `TooLarge`,
    /// `WeakPassword`.
    pub async fn change_user(&self, actor: &Actor, id: &UserId, change: UserChange) -> Result<Arc<User>> {
        let user = self.known_user(id).await?;
        let own = user.id == actor.user;
        let info = self.may(actor, "edit-other-user-info", None).await?;
        let passwords = self.may(actor, "edit-other-user-password", None).await?;
        if !own && !info {
            return Err(Refusal::NotAllowed("edit-other-user-info"));
        }
        if !own && change.password.is_some() && !passwords {
            return Err(Refusal::NotAllowed("edit-other-user-password"));
        }
        let settings = self.settings();
        if !settings.is_on("Accounts_AllowUserProfileChange") && !info && !passwords {
            return Err(Refusal::Disabled("Accounts_AllowUserProfileChange"));
        }
        for &(part, setting, _) in OWN {
            let free = match part {
                Part::Password => passwords,
                Part::Username => info && !own,
                _ => info,
            };
            if !free && !settings.is_on(setting) && change.touches(part, &user) {
                return Err(Refusal::Disabled(setting));
            }
        }
        if let Some(roles) = &change.roles {
            self.check_roles(roles)?;
            self.may_assign(actor, &user.roles, roles).await?;
        }
        if !info && (change.email_verified.is_some() || change.require_password_change.is_some()) {
            return Err(Refusal::NotAllowed("edit-other-user-info"));
        }
        let kept = actor.session.clone().filter(|_| own);
        let entry = if own { None } else { Some(self.entry_of(actor, &user, &change).await?) };
        self.store_change(user, change, kept, entry).await
    }

    /// Changes one's own account, within what the settings allow. A new address or password needs the present
    /// password, when there is one.
    ///
    /// # Errors
    /// As [`Chat::change_user`]; `BadCredentials` when the present password is wrong or missing.
    pub async fn change_self(&self, actor: &Actor, change: UserChange, proof: Proof) -> Result<Arc<User>> {
        let user = self.active_user(actor).await?;
        let settings = self.settings();
        if !settings.is_on("Accounts_AllowUserProfileChange") {
            return Err(Refusal::Disabled("Accounts_AllowUserProfileChange"));
        }
        for &(part, setting, _) in OWN {
            if !settings.is_on(setting) && change.touches(part, &user) {
                return Err(Refusal::Disabled(setting));
            }
        }
        let sensitive = change.touches(Part::Email, &user) || change.touches(Part::Password, &user);
        if let Some(Secret(new)) = &change.password {
            let faults = self.ports.credentials.password_faults(new, &settings);
            if !faults.is_empty() {
                return Err(Refusal::WeakPassword(faults));
            }
        }
        if let Proof::Password(proof) = proof
            && sensitive
            && user.has_password
        {
            self.prove(&user, proof).await?;
        }
        let change =
            UserChange { roles: None, email_verified: None, require_password_change: None, ..change };
        self.store_change(user, change, actor.session.clone(), None).await
    }

    /// What the audit log says of somebody else's account being changed.
    async fn entry_of(&self, actor: &Actor, user: &User, change: &UserChange) -> Result<AuditEntry> {
        let act = if change.password.is_some() { "user.password-set" } else { "user.changed" };
        self.audit_entry(actor, act, &user.username).await
    }

    /// Makes sure that whoever asks knows the account's password; wrong ones are counted as failed logins are.
    ///
    /// # Errors
    /// `BadCredentials`, `LockedOut`.
    pub(crate) async fn prove(&self, user: &User, proof: Option<Password>) -> Result<()> {
        let proof = proof.ok_or(Refusal::BadCredentials)?;
        let (credentials, settings) = (&self.ports.credentials, self.settings());
        let attempt = Attempt { user: &user.id, address: None };
        self.admit_attempt(Factor::Password, attempt, &settings).await?;
        let id = user.id.clone();
        let secrets = self.store().reading(move |rows| rows.secrets(&id)).await?;
        match credentials.verify(&proof, secrets.password.as_deref()).await? {
            Verdict::Right { .. } => self.attempt_succeeded(Factor::Password, attempt, &settings).await,
            Verdict::Wrong => {
                self.attempt_failed(Factor::Password, attempt, &settings).await?;
                Err(Refusal::BadCredentials)
            }
        }
    }

    /// Checks values and stores them. A new password ends all log-in sessions but `kept`.
    async fn store_change(
        &self,
        user: Arc<User>,
        change: UserChange,
        kept: Option<SessionId>,
        entry: Option<AuditEntry>,
    ) -> Result<Arc<User>> {
        let change = self.checked(&user, change)?;
        let password = match &change.password {
            Some(Secret(password)) => Some(self.accept_password(password).await?),
            None => None,
        };
        let id = user.id.clone();
        let moved = change.touches(Part::Email, &user);
        let changed = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let before = tx.user(&id)?.ok_or(Refusal::NotFound(What::User))?;
                let mut after = before.clone();
                if let Some(entry) = &entry {
                    crate::audit::keep(tx, entry)?;
                }
                apply(&change, &mut after);
                if let Some(password) = &password {
                    set_password(tx, &mut after, password, kept.as_ref())?;
                }
                if before.has_role("admin") && before.active && !after.has_role("admin") {
                    another_admin(tx, &id)?;
                }
                tell_roles(tx, &before, &after)?;
                if after.username != before.username && after.avatar.is_none() {
                    // Initials are drawn from the name.
                    let of = AvatarOf::User(after.id.clone(), after.username.clone());
                    tx.record(None, Event::Avatar { of, tag: None })?;
                }
                put_user(tx, after)
            })
            .await?;
        if moved {
            self.verify_new(&changed).await;
        }
        Ok(changed)
    }

    fn checked(&self, user: &User, mut change: UserChange) -> Result<UserChange> {
        let settings = self.settings();
        if let Some(username) = change.username.as_ref().filter(|name| **name != user.username) {
            check_username(username, &settings)?;
            check_reserved(username, &settings)?;
        }
        if let Some(name) = change.name.as_ref().filter(|name| **name != user.name) {
            check_name(name)?;
            if name.trim().is_empty() {
                return Err(Refusal::invalid("name", "The name must not be empty"));
            }
        }
        if change.touches(Part::Email, user)
            && let Some(email) = &change.email
        {
            check_email(email, &settings)?;
        }
        for (what, text, limit) in [
            ("bio", &change.bio, MAX_BIO),
            ("nickname", &change.nickname, MAX_NICKNAME),
            ("status text", &change.status_text, MAX_STATUS_TEXT),
            ("language", &change.language, 35),
        ] {
            longest(what, text.as_deref().unwrap_or_default(), limit)?;
        }
        if change.utc_offset.is_some_and(|hours| !(-14.0..=14.0).contains(&hours)) {
            return Err(Refusal::invalid("utcOffset", "must be between -14 and 14 hours"));
        }
        if let Some(fields) = &change.custom_fields {
            // Those that a change does not name stay as they are.
            let mut all = read_object(&user.custom_fields).unwrap_or_default();
            all.extend(read_object(fields).unwrap_or_default());
            let all = Json::new(serde_json::Value::Object(all).to_string());
            change.custom_fields = Some(check_custom_fields(&all, &settings)?);
        }
        Ok(change)
    }

    /// Overlays the account's preferences with these: a JSON object of plain values. Somebody else's need
    /// `edit-other-user-info`.
    pub async fn set_preferences(&self, actor: &Actor, of: &UserId, wanted: Json) -> Result<Arc<User>> {
        self.active_user(actor).await?;
        if *of != actor.user {
            self.require(actor, "edit-other-user-info", None).await?;
        }
        let wanted =
            read_object(&wanted).ok_or_else(|| Refusal::invalid("preferences", "must be an object"))?;
        let known = |digest: &str| digest.is_empty() || DIGESTS.contains(&digest);
        if wanted.get("emailDigest").is_some_and(|it| !it.is_null() && !it.as_str().is_some_and(known)) {
            return Err(Refusal::invalid("emailDigest", "must be hourly, daily or empty"));
        }
        let of = of.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = tx.user(&of)?.ok_or(Refusal::NotFound(What::User))?;
                let mut all = read_object(&user.preferences).unwrap_or_default();
                for (key, value) in &wanted {
                    if value.is_null() {
                        all.remove(key);
                    } else {
                        all.insert(key.clone(), value.clone());
                    }
                }
                // Whoever chooses when to get letters wants some again.
                if wanted.contains_key("emailNotificationMode") {
                    all.remove("emailUnsubscribed");
                }
                if let Some(keywords) = wanted.get("highlights") {
                    keep_keywords(tx, &of, keywords)?;
                }
                if let Some(language) = wanted.get("language").and_then(serde_json::Value::as_str) {
                    user.language = language.chars().take(35).collect();
                }
                let text = serde_json::Value::Object(all).to_string();
                if text.len() > MAX_PREFERENCES {
                    return Err(Refusal::TooLarge { what: "preferences", limit: MAX_PREFERENCES as u64 });
                }
                user.preferences = Json::new(text);
                put_user(tx, user)
            })
            .await
    }
}

/// Keeps in which words somebody is interested where they are looked for.
pub(crate) fn keep_keywords(tx: &mut dyn Tx, user: &UserId, keywords: &serde_json::Value) -> Result<()> {
    tx.put_highlights(user, &by_first_word(keywords))
}

/// Keywords (at most 50) by their first word.
fn by_first_word(keywords: &serde_json::Value) -> Vec<(String, String)> {
    let all = keywords.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).take(50);
    let first = |phrase: &str| crate::notify::words(phrase).into_iter().next();
    all.filter_map(|phrase| Some((first(phrase)?, phrase.trim().to_lowercase()))).collect()
}

fn read_object(json: &Json) -> Option<serde_json::Map<String, serde_json::Value>> {
    serde_json::from_str(json.as_str()).ok()
}

fn apply(change: &UserChange, user: &mut User) {
    fn set<T: Clone>(new: &Option<T>, old: &mut T) {
        if let Some(new) = new {
            *old = new.clone();
        }
    }
    if let Some(address) = &change.email {
        let known = user.emails.iter().find(|e| e.address == *address).is_some_and(|e| e.verified);
        user.emails.retain(|e| e.address != *address);
        if !user.emails.is_empty() && !known {
            user.emails.remove(0);
        }
        user.emails.insert(0, Email { address: address.clone(), verified: known });
    }
    if let (Some(verified), Some(main)) = (change.email_verified, user.emails.first_mut()) {
        main.verified = verified;
    }
    set(&change.username, &mut user.username);
    set(&change.name, &mut user.name);
    set(&change.roles, &mut user.roles);
    set(&change.require_password_change, &mut user.require_password_change);
    set(&change.bio, &mut user.bio);
    set(&change.nickname, &mut user.nickname);
    set(&change.status_text, &mut user.status_text);
    set(&change.custom_fields, &mut user.custom_fields);
    set(&change.language, &mut user.language);
    set(&change.utc_offset, &mut user.utc_offset);
}

/// Stores a new password; whoever was logged in by the old one is logged out, but `kept`.
pub(crate) fn set_password(
    tx: &mut dyn Tx,
    user: &mut User,
    stored: &str,
    kept: Option<&SessionId>,
) -> Result<()> {
    let mut secrets = tx.secrets(&user.id)?;
    secrets.password = Some(stored.to_owned());
    tx.put_secrets(&user.id, &secrets)?;
    user.has_password = true;
    if kept.is_some() {
        user.require_password_change = false;
    }
    end_sessions(tx, &user.id, kept, false)
}

/// Ends a user's log-in sessions but `kept` (`personal`: personal access tokens as well).
pub(crate) fn end_sessions(
    tx: &mut dyn Tx,
    user: &UserId,
    kept: Option<&SessionId>,
    personal: bool,
) -> Result<()> {
    crate::oauth_grants::forget_grants(tx, user)?;
    let doomed = |s: &Session| {
        Some(&s.id) != kept && (personal || !matches!(s.kind, SessionKind::PersonalToken { .. }))
    };
    // The store gives no more than so many at once, and one that nobody is told of would go on in memory.
    loop {
        let ended: Vec<Session> = tx.sessions(user)?.into_iter().filter(doomed).collect();
        if ended.is_empty() {
            return Ok(());
        }
        for session in &ended {
            end_one(tx, user, &session.id)?;
        }
    }
}

fn tell_roles(tx: &mut dyn Tx, before: &User, after: &User) -> Result<()> {
    let lost = before.roles.iter().filter(|r| !after.roles.contains(r)).map(|r| (r, false));
    let got = after.roles.iter().filter(|r| !before.roles.contains(r)).map(|r| (r, true));
    for (role, given) in lost.chain(got) {
        let event = Event::RoleGiven {
            user: after.id.clone(),
            username: after.username.clone(),
            role: role.clone(),
            room: None,
            given,
        };
        tx.record(None, event)?;
    }
    Ok(())
}

/// In whose words a setting says no: `Edit user email is not allowed`.
pub fn what_is_disabled(setting: &str) -> Option<&'static str> {
    OWN.iter().find(|(_, s, _)| *s == setting).map(|(_, _, what)| *what)
}

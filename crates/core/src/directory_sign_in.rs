//! Signing in by a directory, and keeping accounts in line with it.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use crate::{
    accounts::{Code, Device, another_admin, put_user},
    chat::Chat,
    credentials::{Attempt, Factor},
    directory::{Entry, Place},
    error::{Refusal, Result},
    id::UserId,
    oauth::{Linking, Outsider},
    oauth_links::Claim,
    session::{Actor, Login, SessionKind},
    store::{Lane, Page},
    user::{Email, User},
    users_change::end_sessions,
    users_rules::{check_email, check_name},
};

/// What accounts of the directory are linked as.
pub(crate) const LDAP: &str = "ldap";
/// Longest name or password that a directory is asked about, in bytes.
const LONGEST: usize = 1_024;

/// What a synchronisation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Synced {
    /// People in the directory.
    pub found: usize,
    /// Accounts that were made.
    pub made: usize,
    /// Accounts that were switched off, because their people are gone.
    pub ended: usize,
}

impl Chat {
    /// Signs in by the directory; nobody learns whether the name or the password was wrong.
    pub(crate) async fn login_by_directory(
        &self,
        name: &str,
        password: &str,
        code: Option<Code>,
        device: Device,
    ) -> Result<Login> {
        let place = self.directory_place()?.ok_or(Refusal::Disabled("LDAP_Enable"))?;
        let settings = self.settings();
        let entry = self.proved_entry(&place, (name, password), device.address).await?;
        let user = self.account_of_entry(&place, &entry, true).await?;
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        if settings.is_on("LDAP_Update_Data_On_Login") {
            self.follow_entry(&place, &entry, &user).await?;
            self.follow_groups(&place, &entry, &user.id).await?;
        }
        let spent = self.second_factor_of(&user.id, code).await?;
        self.open_session(user.id.clone(), SessionKind::Login, device, spent).await
    }

    /// The entry of this name when that is its password. A directory reads many spellings as one name, so guesses are
    /// counted against the entry; those at nobody, against the name as typed.
    async fn proved_entry(
        &self,
        place: &Place,
        (name, password): (&str, &str),
        address: Option<IpAddr>,
    ) -> Result<Entry> {
        let settings = self.settings();
        let name = name.trim();
        let key = name.to_lowercase();
        let typed = Attempt { user: &key, address };
        self.admit_attempt(Factor::Password, typed, &settings).await?;
        // Directories take an empty password for nobody's, and say yes.
        let fits = |text: &str| (1..=LONGEST).contains(&text.len());
        let found = match fits(name) && fits(password) {
            true => self.ports.directory.find(place, name).await?,
            false => None,
        };
        let Some(entry) = found else {
            self.attempt_failed(Factor::Password, typed, &settings).await?;
            return Err(Refusal::BadCredentials);
        };
        let dn = entry.dn.to_lowercase();
        let meant = Attempt { user: &dn, address };
        self.admit_attempt(Factor::Password, meant, &settings).await?;
        if !self.ports.directory.prove(place, &entry.dn, password).await? {
            self.attempt_failed(Factor::Password, meant, &settings).await?;
            return Err(Refusal::BadCredentials);
        }
        self.attempt_succeeded(Factor::Password, meant, &settings).await?;
        Ok(entry)
    }

    /// Whether a directory is asked for a name and password that are typed into the plain form: where it is on, and the
    /// account has no password of its own here.
    pub(crate) fn asks_directory(&self, found: Option<&User>) -> bool {
        self.settings().is_on("LDAP_Enable") && found.is_none_or(|user| !user.has_password)
    }

    async fn account_of_entry(&self, place: &Place, entry: &Entry, register: bool) -> Result<Arc<User>> {
        let settings = self.settings();
        let claim = Claim {
            service: LDAP.to_owned(),
            person: person(place, entry).ok_or(Refusal::BadCredentials)?,
            linking: Linking {
                merge: settings.is_on("LDAP_Merge_Existing_Users"),
                trust_email: true,
                ..Linking::default()
            },
            by_username: true,
            with_password: true,
            register,
            inactive: false,
        };
        self.account_of(claim).await
    }

    /// Name, address and roles as the directory has them.
    async fn follow_entry(&self, place: &Place, entry: &Entry, user: &User) -> Result<()> {
        let Some(person) = person(place, entry) else { return Ok(()) };
        let settings = self.settings();
        let name = person.name.filter(|name| check_name(name).is_ok());
        let email = person.email.filter(|email| check_email(email, &settings).is_ok());
        let roles = self.roles_of_entry(place, entry).await?;
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let Some(before) = tx.user(&id)? else { return Ok(()) };
                let mut after = before.clone();
                after.name = name.clone().unwrap_or(after.name);
                if let Some(address) = &email
                    && tx.user_by_email(address)?.is_none_or(|other| other.id == id)
                    && !after.emails.iter().any(|e| e.address == *address && e.verified)
                {
                    after.emails = vec![Email { address: address.clone(), verified: true }];
                }
                for (role, given) in &roles {
                    after.roles.retain(|known| known != role);
                    if *given {
                        after.roles.push(role.clone());
                    }
                }
                let last = before.has_role("admin") && !after.has_role("admin");
                if last && another_admin(tx, &id).is_err() {
                    after.roles.push("admin".into());
                }
                if after != before { put_user(tx, after).map(drop) } else { Ok(()) }
            })
            .await
    }

    /// Whether the directory can be reached. Needs `test-admin-options`.
    ///
    /// # Errors
    /// `Disabled("LDAP_Enable")`, `Unavailable`.
    pub async fn check_directory(&self, actor: &Actor) -> Result<()> {
        self.require(actor, "test-admin-options", None).await?;
        let place = self.directory_place()?.ok_or(Refusal::Disabled("LDAP_Enable"))?;
        self.ports.directory.check(&place).await
    }

    /// Whether somebody of that name is in the directory. Needs `test-admin-options`.
    ///
    /// # Errors
    /// As [`Chat::check_directory`].
    pub async fn is_in_directory(&self, actor: &Actor, name: &str) -> Result<bool> {
        self.require(actor, "test-admin-options", None).await?;
        let place = self.directory_place()?.ok_or(Refusal::Disabled("LDAP_Enable"))?;
        if name.trim().is_empty() || name.len() > LONGEST {
            return Ok(false);
        }
        Ok(self.ports.directory.find(&place, name.trim()).await?.is_some())
    }

    /// Brings accounts in line with the directory. Needs `sync-auth-services-users`.
    ///
    /// # Errors
    /// As [`Chat::check_directory`].
    pub async fn sync_directory(&self, actor: &Actor) -> Result<Synced> {
        self.require(actor, "sync-auth-services-users", None).await?;
        let place = self.directory_place()?.ok_or(Refusal::Disabled("LDAP_Enable"))?;
        let entries = self.ports.directory.all(&place).await?;
        let settings = self.settings();
        let mut done = Synced { found: entries.len(), ..Synced::default() };
        let before = self.linked_people().await?;
        let mut seen = HashSet::new();
        for entry in &entries {
            let Some(person) = person(&place, entry) else { continue };
            let known = before.contains_key(&person.subject);
            seen.insert(person.subject);
            if !known && !settings.is_on("LDAP_Background_Sync_Import_New_Users") {
                continue;
            }
            match self.account_of_entry(&place, entry, !known).await {
                Ok(user) => {
                    done.made += usize::from(!known);
                    let follows =
                        settings.is_on("LDAP_Background_Sync_Keep_Existant_Users_Updated") || !known;
                    if follows {
                        self.follow_entry(&place, entry, &user).await?;
                    }
                    self.follow_activity(&user, true).await?;
                    if follows {
                        self.follow_groups(&place, entry, &user.id).await?;
                    }
                }
                Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => return Err(refusal),
                Err(refusal) => tracing::warn!(dn = ?entry.dn, %refusal, "this entry gets no account"),
            }
        }
        // An empty answer is rather a wrong base than an empty house.
        if !entries.is_empty() {
            for (_, id) in before.iter().filter(|(subject, _)| !seen.contains(*subject)) {
                if let Some(user) = self.user(id).await? {
                    done.ended += usize::from(self.follow_activity(&user, false).await?);
                }
            }
        }
        Ok(done)
    }

    /// Switches an account on or off as the settings let it; whether it was changed.
    async fn follow_activity(&self, user: &User, there: bool) -> Result<bool> {
        let follows = match self.settings().text("LDAP_Sync_User_Active_State") {
            "both" => true,
            "disable" => !there,
            _ => false,
        };
        if !follows || user.active == there {
            return Ok(false);
        }
        // Rooms of which it is the only owner stay as they are: a directory may be wrong for an hour.
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let Some(mut user) = tx.user(&id)?.filter(|user| user.active != there) else {
                    return Ok(false);
                };
                if !there {
                    if user.has_role("admin") && another_admin(tx, &id).is_err() {
                        return Ok(false);
                    }
                    end_sessions(tx, &id, None, true)?;
                }
                user.active = there;
                put_user(tx, user).map(|_| true)
            })
            .await
    }

    /// The accounts that are linked to the directory, by the directory's ids.
    async fn linked_people(&self) -> Result<HashMap<String, UserId>> {
        let (mut all, mut offset) = (HashMap::new(), 0);
        loop {
            let page = Page { offset, count: 1_000 };
            let rows = self.store().reading(move |rows| crate::oauth_links::page(rows, page)).await?;
            let full = rows.len() == 1_000;
            offset += 1_000;
            all.extend(rows.into_iter().filter_map(|(link, user)| {
                let (service, subject) = link.split_once(':')?;
                (service == LDAP).then(|| (subject.to_owned(), user))
            }));
            if !full {
                return Ok(all);
            }
        }
    }

    /// Synchronises by itself, as often as the settings say. Never ends.
    pub async fn sync_forever(&self) {
        const LOOK: std::time::Duration = std::time::Duration::from_secs(60);
        let mut last: Option<std::time::Duration> = None;
        loop {
            tokio::time::sleep(LOOK).await;
            let settings = self.settings();
            if !settings.is_on("LDAP_Enable") || !settings.is_on("LDAP_Background_Sync") {
                continue;
            }
            let digits: String = settings
                .text("LDAP_Background_Sync_Interval")
                .chars()
                .filter(char::is_ascii_digit)
                .take(4)
                .collect();
            let hours = digits.parse::<u64>().unwrap_or(24).clamp(1, 24 * 30);
            let now = self.ports.clock.monotonic();
            if last.is_some_and(|at| now.saturating_sub(at).as_secs() < hours * 3_600) {
                continue;
            }
            last = Some(now);
            let system = Actor::system(UserId::new(crate::bootstrap::ROCKET_CAT));
            match self.sync_directory(&system).await {
                Ok(done) => {
                    tracing::info!(
                        found = done.found,
                        made = done.made,
                        ended = done.ended,
                        "the directory was read"
                    );
                }
                Err(refusal) => tracing::warn!(%refusal, "the directory could not be read"),
            }
        }
    }
}

/// The person of an entry; none without an id that stays.
fn person(place: &Place, entry: &Entry) -> Option<Outsider> {
    let subject = place.unique.iter().find_map(|attribute| entry.first(attribute))?.to_owned();
    let username = entry.first(&place.username).map(str::to_owned);
    let email = entry.first(&place.email).map(str::to_owned).or_else(|| {
        let name = username.as_ref().filter(|_| !place.domain.is_empty())?;
        Some(format!("{name}@{}", place.domain))
    });
    Some(Outsider {
        subject,
        username,
        email,
        email_verified: true,
        name: entry.first(&place.name).map(str::to_owned),
        roles: None,
    })
}

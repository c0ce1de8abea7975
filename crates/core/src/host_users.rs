//! Users as a host application knows them: by its tokens, by telling, or by name only. Made when first seen, and
//! following what the host says.

use std::sync::Arc;

use crate::{
    accounts::put_user,
    bootstrap::made,
    chat::Chat,
    classes::{MAX_WORDS, role_of},
    error::{Refusal, Result, State, What},
    event::{AvatarOf, Event},
    host_tokens::HostPerson,
    id::{RoleId, UserId},
    session::Actor,
    store::{Lane, Secrets, Tx},
    tickets_members::settle_user,
    user::{Email, HostFacts, User, UserKind},
    users_change::end_sessions,
    users_rules::longest,
};

/// The author of what a host application itself says in a room; no host may claim the id.
pub const SYSTEM_USER: &str = "system";
/// Longest user name here, in characters.
pub const MAX_USERNAME: usize = 64;
/// Longest display name here, in characters.
const MAX_DISPLAY_NAME: usize = 128;
/// Shortest password that a host may set, in characters.
const MIN_PASSWORD: usize = 8;
/// Longest id of a vendor, in characters.
const MAX_VENDOR: usize = 64;
/// Numbers tried behind a taken name.
const MOST_SUFFIXES: u32 = 1_000;

/// What a host tells of a user; `None` stays as it is.
#[derive(Clone, Default)]
pub struct HostUser {
    /// User name.
    pub username: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Address; an inner `None` takes it away.
    pub email: Option<Option<String>>,
    /// Role words.
    pub roles: Option<Vec<String>>,
    /// The vendor that a VENDOR belongs to; an inner `None` takes it away.
    pub vendor: Option<Option<String>>,
    /// Password in clear, which makes a login possible.
    pub password: Option<crate::users_change::Secret>,
}

/// What to do about a name or address that somebody else has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    /// Refuse.
    Refuse,
    /// Put a number behind the name, leave out the address.
    Evade,
}

/// A change in one piece, ready to be stored.
#[derive(Clone)]
struct Word {
    id: UserId,
    /// The name if the user is new.
    wanted: String,
    told: HostUser,
    taken: Taken,
    /// A user made by name only may be taken over.
    claim: bool,
    /// An account that no host has spoken of yet may be spoken of.
    adopt: bool,
}

impl Chat {
    /// Follows a token: makes its person on the first sight and takes over what it says.
    pub(crate) async fn follow_host(&self, person: HostPerson) -> Result<Arc<User>> {
        if person.id.as_str() == SYSTEM_USER || person.id.as_str() == crate::bootstrap::ROCKET_CAT {
            return Err(Refusal::BadCredentials);
        }
        let known = self.user(&person.id).await?;
        if let Some(user) = known.filter(|user| says_the_same(user, &person)) {
            return Ok(user);
        }
        let word = Word {
            id: person.id,
            wanted: person.wanted_username,
            told: HostUser {
                username: person.username,
                name: person.name,
                email: person.email.map(Some),
                roles: person.roles,
                vendor: person.vendor.map(Some),
                password: None,
            },
            taken: Taken::Evade,
            claim: person.may_claim_placeholders,
            adopt: person.may_claim_placeholders,
        };
        Ok(self.store_word(word, None).await?.0)
    }

    /// Makes or changes a user by the host's word; `true` when it is new. For the application and ADMIN.
    ///
    /// # Errors
    /// `NotAllowed`, `Invalid`, `Taken`, `WeakPassword`.
    pub async fn push_user(&self, actor: &Actor, id: &str, told: HostUser) -> Result<(Arc<User>, bool)> {
        self.may_push(actor).await?;
        let id =
            UserId::parse(id).ok_or_else(|| Refusal::invalid("id", "must match [A-Za-z0-9_.:@-]{1,64}"))?;
        if id.as_str() == SYSTEM_USER || id.as_str() == crate::bootstrap::ROCKET_CAT {
            return Err(Refusal::invalid("id", "is reserved"));
        }
        check_told(&told, &self.settings())?;
        let password = match &told.password {
            Some(password) if password.0.chars().count() < MIN_PASSWORD => {
                return Err(Refusal::invalid(
                    "password",
                    format!("needs at least {MIN_PASSWORD} characters"),
                ));
            }
            Some(password) => Some(self.accept_password(&password.0).await?),
            None => None,
        };
        let wanted = told.username.clone().unwrap_or_else(|| spelled(&id));
        let word = Word { id, wanted, told, taken: Taken::Refuse, claim: true, adopt: true };
        self.store_word(word, password).await
    }

    /// The user of this name; a name that nobody has makes a user by name only, whom a token of that name may take over
    /// later. For the application alone.
    pub async fn user_by_name_only(
        &self,
        actor: &Actor,
        username: &str,
        name: Option<&str>,
        email: Option<&str>,
    ) -> Result<Arc<User>> {
        if !actor.is_system() {
            return Err(Refusal::NotAllowed("push-users"));
        }
        if let Some(user) = self.user_of_name(username).await? {
            return Ok(user);
        }
        let told = HostUser {
            username: Some(username.to_owned()),
            name: Some(name.unwrap_or(username).to_owned()),
            email: email.map(|email| Some(email.to_owned())),
            ..HostUser::default()
        };
        check_told(&told, &self.settings())?;
        let mut user = self.blank_user(UserId::new(self.new_id()), username);
        user.roles = self.usual_roles();
        user.name = told.name.clone().unwrap_or_default();
        user.host = HostFacts { placeholder: true, ..HostFacts::default() };
        let (user, new) = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                if let Some(there) = tx.user_by_username(&user.username)? {
                    return Ok((Arc::new(there), false));
                }
                let mut user = user.clone();
                take_email(tx, &mut user, told.email.as_ref(), Taken::Evade)?;
                insert(tx, &mut user, None)?;
                Ok((Arc::new(user), true))
            })
            .await?;
        if new {
            self.join_default_rooms(&user.id, true).await?;
        }
        Ok(user)
    }

    /// A user by name, letter case aside; deactivated ones too.
    pub async fn user_of_name(&self, username: &str) -> Result<Option<Arc<User>>> {
        if username.is_empty() || username.contains('\0') {
            return Ok(None);
        }
        let wanted = username.to_owned();
        let found = self.store().reading(move |rows| rows.user_by_username(&wanted)).await?;
        Ok(found.map(Arc::new))
    }

    /// Removes a user by the host's word; whoever ever wrote stays. For the application and ADMIN.
    ///
    /// # Errors
    /// `NotFound(User)`, `State(HasMessages)`.
    pub async fn remove_pushed_user(&self, actor: &Actor, id: &UserId) -> Result<()> {
        let user = self.pushed(actor, id).await?;
        if self.ever_wrote(&user.id).await? {
            return Err(State::HasMessages.into());
        }
        self.erase_user(&user, true, None).await
    }

    /// Switches a user off (or on) by the host's word: tokens are refused, connections end. For the application and
    /// ADMIN.
    pub async fn set_pushed_active(&self, actor: &Actor, id: &UserId, active: bool) -> Result<Arc<User>> {
        let user = self.pushed(actor, id).await?;
        let system = Actor::system(UserId::new(crate::bootstrap::ROCKET_CAT));
        self.set_active(&system, &user.id, active, true).await
    }

    async fn pushed(&self, actor: &Actor, id: &UserId) -> Result<Arc<User>> {
        self.may_push(actor).await?;
        let user = self.user(id).await?.ok_or(Refusal::NotFound(What::User))?;
        if user.kind == UserKind::Bot { Err(Refusal::NotAllowed("push-users")) } else { Ok(user) }
    }

    async fn may_push(&self, actor: &Actor) -> Result<()> {
        if actor.is_system() || self.active_user(actor).await?.is("ADMIN") {
            return Ok(());
        }
        Err(Refusal::NotAllowed("push-users"))
    }

    /// Sees to it that the author of the application's own messages exists.
    pub async fn ensure_system_user(&self) -> Result<()> {
        let user = User {
            roles: vec![RoleId::new("bot")],
            kind: UserKind::Bot,
            name: "System".into(),
            host: HostFacts { words: vec!["SYSTEM".into()], ..HostFacts::default() },
            ..self.blank_user(UserId::new(SYSTEM_USER), SYSTEM_USER)
        };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                if tx.user(&user.id)?.is_some() {
                    return Ok(());
                }
                let mut user = user.clone();
                // Somebody may have had the name before it was reserved.
                user.username = free_name(tx, SYSTEM_USER, &user.id)?;
                insert(tx, &mut user, None)
            })
            .await
    }

    async fn store_word(&self, word: Word, password: Option<String>) -> Result<(Arc<User>, bool)> {
        let fresh = User {
            roles: self.usual_roles(),
            host: HostFacts::default(),
            ..self.blank_user(word.id.clone(), &word.wanted)
        };
        let (user, new) = self
            .store()
            .writing(Lane::Verbs, move |tx| match find(tx, &word)? {
                Some(user) => change(tx, user, &word, password.as_deref()).map(|user| (user, false)),
                None => {
                    let mut user = put_together(tx, fresh.clone(), &word, password.is_some())?;
                    insert(tx, &mut user, password.as_deref())?;
                    Ok((Arc::new(user), true))
                }
            })
            .await?;
        if new {
            self.join_default_rooms(&user.id, true).await?;
        }
        Ok((user, new))
    }
}

/// Whether a token says nothing new; most say nothing new.
fn says_the_same(user: &User, person: &HostPerson) -> bool {
    let email = user.emails.first().map(|email| email.address.as_str());
    user.host.known
        && !user.host.placeholder
        && person.username.as_ref().is_none_or(|name| is_name_of(user, name))
        && person.name.as_ref().is_none_or(|name| *name == user.name)
        && person.email.as_ref().is_none_or(|said| email.is_some_and(|e| e.eq_ignore_ascii_case(said)))
        && person.roles.as_ref().is_none_or(|roles| *roles == user.host.words)
        && person.vendor.as_ref().is_none_or(|vendor| user.host.vendor.as_ref() == Some(vendor))
}

/// Whether the user has this name, or has it with a number because it was taken.
fn is_name_of(user: &User, wanted: &str) -> bool {
    let (has, wanted) = (user.username.to_lowercase(), wanted.to_lowercase());
    let number = has.strip_prefix(&wanted).and_then(|rest| rest.strip_prefix('-'));
    has == wanted || number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
}

/// The user that a word is about: by id, or the one of that name who waits to be taken over.
fn find(tx: &mut dyn Tx, word: &Word) -> Result<Option<User>> {
    if let Some(user) = tx.user(&word.id)? {
        // An identity provider may be anybody's: it does not speak for accounts that are our own.
        let ours = !user.host.known && !user.host.placeholder;
        return if ours && !word.adopt { Err(Refusal::BadCredentials) } else { Ok(Some(user)) };
    }
    let Some(waiting) = tx.user_by_username(&word.wanted)?.filter(|user| user.host.placeholder) else {
        return Ok(None);
    };
    if !word.claim || waiting.has_password {
        return Ok(None);
    }
    tx.rename_user(&waiting.id, &word.id)?;
    let user = User {
        id: word.id.clone(),
        host: HostFacts { first_id: Some(waiting.id.clone()), ..waiting.host.clone() },
        ..waiting.clone()
    };
    tx.update_user(&user)?;
    // Whoever listened as the old id starts anew; the caches forget it.
    let before = Some(Arc::new(waiting));
    tx.record(
        None,
        Event::User { user: Arc::new(user.clone()), change: crate::event::Change::Changed, before },
    )?;
    settle_user(tx, &user)?;
    Ok(Some(user))
}

/// The user as the word wants it.
fn put_together(tx: &mut dyn Tx, mut user: User, word: &Word, with_password: bool) -> Result<User> {
    let told = &word.told;
    let is_new = !user.host.known && !user.host.placeholder;
    let wanted = if is_new { Some(&word.wanted) } else { told.username.as_ref() };
    if let Some(wanted) = wanted
        && (word.taken == Taken::Refuse || is_new || !is_name_of(&user, wanted))
    {
        user.username = match word.taken {
            Taken::Evade => free_name(tx, wanted, &user.id)?,
            Taken::Refuse => match tx.user_by_username(wanted)?.filter(|other| other.id != user.id) {
                Some(_) => return Err(Refusal::Taken { what: What::Username, value: wanted.clone() }),
                None => wanted.clone(),
            },
        };
    }
    match &told.name {
        Some(name) => user.name = name.clone(),
        None if is_new => user.name = user.username.clone(),
        None => {}
    }
    take_email(tx, &mut user, told.email.as_ref(), word.taken)?;
    if let Some(words) = &told.roles {
        take_words(&mut user, words);
    }
    if let Some(vendor) = &told.vendor {
        user.host.vendor = vendor.clone();
    }
    user.host.known = true;
    user.host.placeholder = false;
    user.has_password |= with_password;
    Ok(user)
}

fn change(tx: &mut dyn Tx, before: User, word: &Word, password: Option<&str>) -> Result<Arc<User>> {
    let after = put_together(tx, before.clone(), word, password.is_some())?;
    if let Some(password) = password {
        let mut secrets = tx.secrets(&after.id)?;
        secrets.password = Some(password.to_owned());
        tx.put_secrets(&after.id, &secrets)?;
        end_sessions(tx, &after.id, None, false)?;
    }
    if after == before {
        return Ok(Arc::new(before));
    }
    if after.username != before.username && after.avatar.is_none() {
        // Initials are drawn from the name.
        let of = AvatarOf::User(after.id.clone(), after.username.clone());
        tx.record(None, Event::Avatar { of, tag: None })?;
    }
    put_user(tx, after)
}

fn insert(tx: &mut dyn Tx, user: &mut User, password: Option<&str>) -> Result<()> {
    user.created_at = tx.now();
    tx.insert_user(user)?;
    tx.put_secrets(&user.id, &Secrets { password: password.map(str::to_owned), ..Secrets::default() })?;
    tx.record(None, made(user.clone()))?;
    settle_user(tx, user)
}

/// The name, or the name with the first number that nobody has.
fn free_name(tx: &mut dyn Tx, wanted: &str, own: &UserId) -> Result<String> {
    for number in 1..MOST_SUFFIXES {
        let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") };
        if tx.user_by_username(&name)?.is_none_or(|other| other.id == *own) {
            return Ok(name);
        }
    }
    // Beyond that many namesakes the id itself is unique.
    Ok(format!("{wanted}-{own}"))
}

fn take_email(tx: &mut dyn Tx, user: &mut User, email: Option<&Option<String>>, taken: Taken) -> Result<()> {
    let Some(email) = email else { return Ok(()) };
    let Some(address) = email else {
        user.emails.clear();
        return Ok(());
    };
    if user.emails.first().is_some_and(|e| e.address == *address) {
        return Ok(());
    }
    let other = tx.user_by_email(address)?.is_some_and(|other| other.id != user.id);
    match (other, taken) {
        (true, Taken::Refuse) => Err(Refusal::Taken { what: What::Email, value: address.clone() }),
        (true, Taken::Evade) => Ok(()),
        (false, _) => {
            // The host vouches for its people.
            user.emails = vec![Email { address: address.clone(), verified: true }];
            Ok(())
        }
    }
}

/// The host's words take the place of those that the host gave before; roles given here stay.
fn take_words(user: &mut User, words: &[String]) {
    let given = std::mem::take(&mut user.host.given);
    user.roles.retain(|role| !given.contains(role));
    for role in words.iter().filter_map(|word| role_of(word)) {
        if !user.roles.contains(&role) {
            user.roles.push(role.clone());
            user.host.given.push(role);
        }
    }
    if user.roles.iter().all(|role| user.host.given.contains(role)) {
        user.roles.push(RoleId::new("user"));
    }
    user.host.words = words.to_vec();
}

/// Checks what was told, in the order of the fields.
pub(crate) fn check_told(told: &HostUser, settings: &crate::setting::Settings) -> Result<()> {
    if let Some(username) = &told.username {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"_.-".contains(&b);
        if !(1..=MAX_USERNAME).contains(&username.len()) || !username.bytes().all(fits) {
            return Err(Refusal::invalid("username", "must match [A-Za-z0-9_.-]{1,64}"));
        }
        if ["all", "here"].contains(&username.to_lowercase().as_str()) {
            return Err(Refusal::invalid("username", "is reserved"));
        }
        crate::users_rules::check_reserved(username, settings)
            .map_err(|_| Refusal::invalid("username", "is reserved"))?;
    }
    if let Some(name) = &told.name {
        longest("name", name, MAX_DISPLAY_NAME)?;
        if name.chars().any(char::is_control) || name.trim().is_empty() {
            return Err(Refusal::invalid("name", "must be 1 to 128 characters without control characters"));
        }
    }
    if let Some(Some(email)) = &told.email {
        crate::users_rules::check_email(email, settings)
            .map_err(|_| Refusal::invalid("email", "is no e-mail address that is allowed here"))?;
    }
    let words = told.roles.as_deref().unwrap_or_default();
    let bad = |word: &String| word.is_empty() || word.len() > 64 || word.chars().any(char::is_control);
    if words.len() > MAX_WORDS || words.iter().any(bad) {
        return Err(Refusal::invalid("roles", "must be at most 64 words of 1 to 64 characters"));
    }
    match &told.vendor {
        Some(Some(vendor)) if vendor.is_empty() || vendor.chars().count() > MAX_VENDOR => {
            Err(Refusal::invalid("vendor_id", "must be 1 to 64 characters"))
        }
        _ => Ok(()),
    }
}

/// A user name made of an id.
fn spelled(id: &UserId) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    id.chars().map(|c| if fits(c) { c } else { '.' }).collect()
}

/// A role word as the host writes it: upper case, `-` and blanks as `_`.
pub fn word(text: &str) -> String {
    let mend = |c: char| if c == '-' || c.is_whitespace() { '_' } else { c };
    text.trim().to_uppercase().chars().map(mend).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn the_hosts_words_replace_only_what_the_host_gave() {
        let mut user = User { roles: vec!["user".into(), "admin".into()], ..samples::user("u") };
        take_words(&mut user, &["ADMIN".into(), "OPS".into(), "CREW".into()]);
        assert_eq!(user.roles, ["user".into(), "admin".into(), "ops".into()]);
        assert_eq!(user.words(), ["ADMIN", "OPS", "CREW"]);
        take_words(&mut user, &["VENDOR".into()]);
        assert_eq!(user.roles, ["user".into(), "admin".into(), "vendor".into()]);
        assert_eq!(user.words(), ["VENDOR", "ADMIN"]);
        take_words(&mut user, &[]);
        assert_eq!(user.words(), ["ADMIN"]);
    }

    #[test]
    fn a_name_with_a_number_is_still_the_name_that_was_wanted() {
        let user = User { username: "Ann-2".into(), ..samples::user("u") };
        assert!(is_name_of(&user, "ann") && is_name_of(&user, "ann-2"));
        assert!(!is_name_of(&user, "an") && !is_name_of(&user, "ann-2-1") && !is_name_of(&user, "bob"));
    }
}

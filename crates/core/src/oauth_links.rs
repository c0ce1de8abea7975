//! Which account somebody is whom another vouches for: linked before, found by a proved address, or new.

use std::sync::Arc;

use crate::{
    accounts::{another_admin, put_user},
    bootstrap::made,
    chat::Chat,
    error::{Refusal, Result, What},
    id::{RoleId, UserId},
    json::Json,
    oauth::{Linking, MAX_CLAIM, MAX_ROLES, Outsider},
    role::RoleScope,
    session::Actor,
    store::{Document, Lane, Page, Tx},
    user::{Email, User, UserKind},
    users_rules::{check_email, check_reserved, check_username},
};

/// Links: under `service:subject`, found by the account's id.
const LINKS: &str = "outside-links";
/// Links of one account that are looked at.
const MANY: u64 = 100;

/// Somebody vouched for, and under which rules.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    /// Who vouches.
    pub service: String,
    pub person: Outsider,
    pub linking: Linking,
    /// Accounts are also found by their name: for a directory, whose names are the workspace's.
    pub by_username: bool,
    /// Accounts with a password may be taken for the person's.
    pub with_password: bool,
    /// A person without an account gets one.
    pub register: bool,
    /// New accounts wait for an administrator.
    pub inactive: bool,
}

impl Chat {
    /// The account of whoever is vouched for. Never takes an account over that its holder has a password for, or whose
    /// address nobody proved, unless the rules say so.
    ///
    /// # Errors
    /// `Taken(Email)` when there is an account that the rules don't let be linked, `Disabled` when no account may be
    /// made, `Invalid` for an address or name that the workspace does not allow, `Deactivated`.
    pub(crate) async fn account_of(&self, claim: Claim) -> Result<Arc<User>> {
        if claim.person.subject.is_empty() || claim.person.subject.len() > MAX_CLAIM {
            return Err(Refusal::BadCredentials);
        }
        let settings = self.settings();
        let names = self.names_for(&claim.person);
        let usable = |address: &String| check_email(address, &settings).map(|()| address.clone());
        let email = claim.person.email.as_ref().map(usable).transpose();
        let template = self.blank_user(UserId::new(self.new_id()), "");
        let usual = self.usual_roles();
        let (of_claims, entry) = (self.roles_of(&claim), self.new_id());
        let stored = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                // Two first sign-ins at once make one account: the second waits here.
                hold(tx)?;
                let link = format!("{}:{}", claim.service, claim.person.subject);
                if let Some(user) = linked(tx, &link)? {
                    return follow(tx, user, &claim, &of_claims).map(|user| (user, false));
                }
                if let Some(user) = meant(tx, &claim)? {
                    put_link(tx, &link, &user.id)?;
                    audit(tx, &entry, &user, &claim.service)?;
                    return follow(tx, user, &claim, &of_claims).map(|user| (user, false));
                }
                if !claim.register {
                    return Err(Refusal::Disabled("Accounts_Registration_AuthenticationServices_Enabled"));
                }
                let email = email.clone()?.map(|address| Email {
                    address,
                    verified: claim.person.email_verified || claim.linking.trust_email,
                });
                let username = free_name(tx, &names)?;
                let shown =
                    claim.person.name.clone().filter(|name| crate::users_rules::check_name(name).is_ok());
                let mut user = User {
                    name: shown.unwrap_or_else(|| username.clone()),
                    username,
                    emails: email.into_iter().collect(),
                    active: !claim.inactive,
                    roles: usual.clone(),
                    created_at: tx.now(),
                    ..template.clone()
                };
                follow_roles(&mut user, &claim.linking, &of_claims);
                tx.insert_user(&user)?;
                tx.put_secrets(&user.id, &Default::default())?;
                put_link(tx, &link, &user.id)?;
                tx.record(None, made(user.clone()))?;
                crate::tickets_members::settle_user(tx, &user)?;
                Ok((Arc::new(user), true))
            })
            .await?;
        let (user, fresh) = stored;
        if fresh {
            self.join_default_rooms(&user.id, false).await?;
        }
        Ok(user)
    }

    /// Names to try for a new account, the best first.
    fn names_for(&self, person: &Outsider) -> Vec<String> {
        let settings = self.settings();
        let local = person.email.as_deref().and_then(|email| email.split('@').next());
        let wanted = [person.username.as_deref(), local, person.name.as_deref()];
        let fits = |name: &String| {
            check_username(name, &settings).is_ok() && check_reserved(name, &settings).is_ok()
        };
        let mut all: Vec<String> = wanted.into_iter().flatten().map(proper).filter(fits).collect();
        all.dedup();
        let base = all.first().cloned().unwrap_or_else(|| "user".into());
        all.extend((1..10).map(|n| format!("{base}-{n}")));
        let random = self.new_id();
        all.push(format!("{base}-{}", &random[random.len() - 8..]));
        all.retain(fits);
        all
    }

    /// Roles of the provider's word that there are here.
    fn roles_of(&self, claim: &Claim) -> Option<Vec<RoleId>> {
        let said = claim.person.roles.as_ref().filter(|_| claim.linking.roles)?;
        let all = self.roles();
        let known = |role: &&String| {
            let role = all.roles.get(&RoleId::new(role.as_str()));
            role.is_some_and(|role| role.scope == RoleScope::Workspace)
        };
        Some(said.iter().take(MAX_ROLES).filter(known).map(|role| RoleId::new(role.as_str())).collect())
    }

    /// The services that the actor's account is linked to.
    pub async fn outside_links(&self, actor: &Actor) -> Result<Vec<String>> {
        let user = self.active_user(actor).await?.id.clone();
        let page = Page { offset: 0, count: MANY };
        let all = self.store().reading(move |rows| rows.documents(LINKS, Some(user.as_str()), page)).await?;
        Ok(all.items.iter().filter_map(|link| link.id.split_once(':')).map(|(s, _)| s.to_owned()).collect())
    }

    /// Ends the actor's link to a service; the last one stays while there is no password.
    ///
    /// # Errors
    /// `NotFound`, `NotAllowed("password")`.
    pub async fn unlink_outside(&self, actor: &Actor, service: &str) -> Result<()> {
        let user = self.active_user(actor).await?;
        let start = format!("{service}:");
        self.store()
            .writing(Lane::Verbs, move |tx| {
                hold(tx)?;
                let all = links(tx, &user.id)?;
                let (these, others): (Vec<_>, Vec<_>) =
                    all.into_iter().partition(|l| l.id.starts_with(&start));
                if these.is_empty() {
                    return Err(Refusal::NotFound(What::Other));
                }
                if others.is_empty() && !user.has_password {
                    return Err(Refusal::NotAllowed("password"));
                }
                these.iter().try_for_each(|link| tx.remove_document(LINKS, &link.id).map(drop))
            })
            .await
    }

    /// Links the actor's account to somebody who is vouched for.
    pub(crate) async fn link_account(&self, user: &Arc<User>, service: &str, subject: &str) -> Result<()> {
        let (user, link, entry) = (user.clone(), format!("{service}:{subject}"), self.new_id());
        let service = service.to_owned();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                hold(tx)?;
                match linked(tx, &link)? {
                    Some(other) if other.id != user.id => {
                        Err(Refusal::Taken { what: What::Other, value: service.clone() })
                    }
                    Some(_) => Ok(()),
                    None => {
                        put_link(tx, &link, &user.id)?;
                        audit(tx, &entry, &user, &service)
                    }
                }
            })
            .await
    }
}

/// Links an account that comes from another chat to whom it was linked there, unless another account is.
pub(crate) fn keep_link(tx: &mut dyn Tx, user: &UserId, service: &str, subject: &str) -> Result<()> {
    let link = format!("{service}:{subject}");
    if linked(tx, &link)?.is_none() { put_link(tx, &link, user) } else { Ok(()) }
}

/// Makes whoever else links wait for the end of this transaction.
fn hold(tx: &mut dyn Tx) -> Result<()> {
    let row = Document { id: LINKS.into(), key: String::new(), body: Json::object(), updated_at: tx.now() };
    tx.put_document("workspace", &row)
}

/// Whom a link leads to; one whose account is gone leads nowhere.
fn linked(tx: &mut dyn Tx, link: &str) -> Result<Option<User>> {
    match tx.document(LINKS, link)? {
        Some(found) => tx.user(&UserId::new(found.key)),
        None => Ok(None),
    }
}

pub(crate) fn links(tx: &mut dyn Tx, user: &UserId) -> Result<Vec<Document>> {
    Ok(tx.documents(LINKS, Some(user.as_str()), Page { offset: 0, count: MANY })?.items)
}

/// A page of all links, and whom they lead to.
pub(crate) fn page<R: crate::store::Read + ?Sized>(
    rows: &mut R,
    page: Page,
) -> Result<Vec<(String, UserId)>> {
    let found = rows.documents(LINKS, None, page)?.items;
    Ok(found.into_iter().map(|link| (link.id, UserId::new(link.key))).collect())
}

/// Forgets all links of an account that goes.
pub(crate) fn forget_links(tx: &mut dyn Tx, user: &UserId) -> Result<()> {
    for link in links(tx, user)? {
        tx.remove_document(LINKS, &link.id)?;
    }
    Ok(())
}

fn put_link(tx: &mut dyn Tx, link: &str, user: &UserId) -> Result<()> {
    let key = user.to_string();
    tx.put_document(LINKS, &Document { id: link.into(), key, body: Json::object(), updated_at: tx.now() })
}

fn audit(tx: &mut dyn Tx, id: &str, user: &User, service: &str) -> Result<()> {
    let entry = crate::audit::AuditEntry {
        id: id.into(),
        actor: user.id.clone(),
        username: user.username.clone(),
        act: "account.linked".into(),
        about: service.into(),
        at: tx.now(),
    };
    crate::audit::keep(tx, &entry)
}

/// An account that is there already and is the same person's by the rules.
fn meant(tx: &mut dyn Tx, claim: &Claim) -> Result<Option<User>> {
    let mut found = None;
    if let Some(address) = &claim.person.email {
        found = tx.user_by_email(address)?.map(|user| (user, address.clone(), true));
    }
    if let (None, true, Some(name)) = (&found, claim.by_username, &claim.person.username) {
        found = tx.user_by_username(name)?.map(|user| (user, name.clone(), false));
    }
    let Some((user, value, by_email)) = found else { return Ok(None) };
    let taken = Refusal::Taken { what: if by_email { What::Email } else { What::Username }, value };
    let proved_there = !by_email || claim.person.email_verified || claim.linking.trust_email;
    // An address that nobody proved here may have been written down by anybody.
    let proved_here = !by_email
        || claim.by_username
        || user.emails.iter().any(|e| {
            e.verified && claim.person.email.as_ref().is_some_and(|c| c.eq_ignore_ascii_case(&e.address))
        });
    let free = claim.with_password || !user.has_password;
    let start = format!("{}:", claim.service);
    let another = links(tx, &user.id)?.iter().any(|link| link.id.starts_with(&start));
    let fits = claim.linking.merge && proved_there && proved_here && free && !another;
    if !fits || user.kind != UserKind::Person {
        return Err(taken);
    }
    if !user.active {
        return Err(Refusal::Deactivated);
    }
    Ok(Some(user))
}

/// Brings an account in line with the provider's word, as far as it follows it.
fn follow(tx: &mut dyn Tx, user: User, claim: &Claim, roles: &Option<Vec<RoleId>>) -> Result<Arc<User>> {
    let mut after = user.clone();
    follow_roles(&mut after, &claim.linking, roles);
    if after.roles == user.roles {
        return Ok(Arc::new(user));
    }
    if user.has_role("admin") && user.active && !after.has_role("admin") {
        // The last administrator stays one, whatever is said elsewhere.
        if another_admin(tx, &user.id).is_err() {
            after.roles.push(RoleId::new("admin"));
        }
    }
    put_user(tx, after)
}

fn follow_roles(user: &mut User, linking: &Linking, said: &Option<Vec<RoleId>>) {
    let Some(said) = said else { return };
    let follows = |role: &RoleId| match linking.these_roles.is_empty() {
        true => role.as_str() != "admin",
        false => linking.these_roles.iter().any(|r| r == role.as_str()),
    };
    if !linking.these_roles.is_empty() {
        user.roles.retain(|role| !follows(role) || said.contains(role));
    }
    for role in said.iter().filter(|role| follows(role)) {
        if !user.roles.contains(role) {
            user.roles.push(role.clone());
        }
    }
    if user.roles.is_empty() {
        user.roles.push(RoleId::new("user"));
    }
}

fn free_name(tx: &mut dyn Tx, names: &[String]) -> Result<String> {
    for name in names {
        if tx.user_by_username(name)?.is_none() {
            return Ok(name.clone());
        }
    }
    Err(Refusal::Taken { what: What::Username, value: names.first().cloned().unwrap_or_default() })
}

/// What somebody is called elsewhere, as a user name.
fn proper(name: &str) -> String {
    let fits = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '.' };
    let plain: String = name.trim().chars().take(60).map(fits).collect();
    plain.trim_matches('.').to_owned()
}

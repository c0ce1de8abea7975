//! New accounts: made by administrators, or by people for themselves.

use std::sync::Arc;

use crate::{
    accounts::hold_admins,
    audit::AuditEntry,
    bootstrap::made,
    chat::Chat,
    error::{Refusal, Result, What},
    id::{RoleId, UserId},
    json::Json,
    rooms::GENERAL,
    session::Actor,
    store::{Lane, Page, Secrets, Tx, UserFilter},
    user::{Email, User},
    users_rules::{
        MAX_BIO, MAX_NICKNAME, check_custom_fields, check_email, check_name, check_reserved, check_username,
        longest,
    },
};

/// An account as somebody wants it.
#[derive(Clone, Default)]
pub struct NewUser {
    /// User name.
    pub username: String,
    /// Display name.
    pub name: String,
    /// Address.
    pub email: Option<String>,
    /// The address counts as proved.
    pub email_verified: bool,
    /// Password in clear; without one nobody can log in until it is set.
    pub password: Option<String>,
    /// Workspace-wide roles; `None` for the usual ones.
    pub roles: Option<Vec<RoleId>>,
    /// Starts deactivated.
    pub inactive: bool,
    /// Must choose another password at the first login.
    pub require_password_change: bool,
    /// Stays out of the default rooms.
    pub stay_out: bool,
    /// Enters them without a notice.
    pub silent: bool,
    /// Values of the workspace's custom fields.
    pub custom_fields: Option<Json>,
    /// About the person.
    pub bio: String,
    /// Another name.
    pub nickname: String,
    /// Text beside the status.
    pub status_text: String,
}

/// What somebody sends to get an account.
#[derive(Clone, Default)]
pub struct Registration {
    /// The account: name, address, password, custom fields; the rest is ours to decide.
    pub user: NewUser,
    /// The secret of the address by which he came.
    pub secret: String,
}

impl Chat {
    /// Makes an account. Needs `create-user`; roles other than the usual ones need `assign-roles`, and `admin` needs
    /// `assign-admin-role`.
    ///
    /// # Errors
    /// `Taken`, `Reserved`, `WeakPassword`, `Invalid`, `TooLarge`, `NotFound(Role)`.
    pub async fn create_user(&self, actor: &Actor, wanted: NewUser) -> Result<Arc<User>> {
        self.require(actor, "create-user", None).await?;
        if let Some(roles) = &wanted.roles {
            self.check_roles(roles)?;
            self.may_assign(actor, &self.usual_roles(), roles).await?;
        }
        check_reserved(&wanted.username, &self.settings())?;
        let entry = self.audit_entry(actor, "user.created", &wanted.username).await?;
        self.make_user(wanted, false, Some(entry)).await
    }

    /// Makes an account for whoever asks, as the settings allow. The very first one on a workspace without an
    /// administrator becomes one.
    ///
    /// # Errors
    /// As [`Chat::create_user`]; `Disabled("Accounts_RegistrationForm")`; `NotAllowed("secret")` for a wrong secret.
    pub async fn sign_up(&self, registration: Registration) -> Result<Arc<User>> {
        let settings = self.settings();
        match settings.text("Accounts_RegistrationForm") {
            "Disabled" => return Err(Refusal::Disabled("Accounts_RegistrationForm")),
            "Secret URL" => {
                let secret = settings.text("Accounts_RegistrationForm_SecretURL");
                if secret.is_empty() || secret != registration.secret {
                    return Err(Refusal::NotAllowed("secret"));
                }
            }
            _ => {}
        }
        let wanted = registration.user;
        check_name(&wanted.name)?;
        check_username(&wanted.username, &settings)?;
        check_reserved(&wanted.username, &settings)?;
        if wanted.password.is_none() {
            return Err(Refusal::invalid("password", "A password is needed"));
        }
        let wanted = NewUser {
            roles: None,
            email_verified: false,
            require_password_change: false,
            inactive: settings.is_on("Accounts_ManuallyApproveNewUsers"),
            custom_fields: Some(wanted.custom_fields.unwrap_or_else(Json::object)),
            ..wanted
        };
        let made = self.make_user(wanted, true, None).await?;
        self.verify_new(&made).await;
        Ok(made)
    }

    /// Asks for a proof of a new address, where one is wanted. The account is there whether or not a letter can be sent.
    pub(crate) async fn verify_new(&self, user: &User) {
        let Some(new) = user.emails.first().filter(|e| !e.verified) else { return };
        if self.sends_mail()
            && self.settings().is_on("Accounts_EmailVerification")
            && let Err(refusal) = self.send_verification(user, &new.address).await
        {
            tracing::warn!(%refusal, "a letter that asks for the proof of an address could not be kept");
        }
    }

    /// Roles of new accounts.
    pub(crate) fn usual_roles(&self) -> Vec<RoleId> {
        let settings = self.settings();
        let chosen = settings.text("Accounts_Registration_Users_Default_Roles");
        let named: Vec<RoleId> =
            chosen.split(',').map(str::trim).filter(|r| !r.is_empty()).map(RoleId::from).collect();
        if named.is_empty() || self.check_roles(&named).is_err() { vec![RoleId::new("user")] } else { named }
    }

    /// Whether the actor may turn these roles into those.
    pub(crate) async fn may_assign(&self, actor: &Actor, before: &[RoleId], after: &[RoleId]) -> Result<()> {
        let changed: Vec<&RoleId> = before
            .iter()
            .filter(|role| !after.contains(role))
            .chain(after.iter().filter(|role| !before.contains(role)))
            .collect();
        if !changed.is_empty() {
            self.require(actor, "assign-roles", None).await?;
        }
        if changed.iter().any(|role| role.as_str() == "admin") {
            self.require(actor, "assign-admin-role", None).await?;
        }
        Ok(())
    }

    async fn make_user(
        &self,
        wanted: NewUser,
        may_be_first: bool,
        entry: Option<AuditEntry>,
    ) -> Result<Arc<User>> {
        let (user, secrets) = self.draft_user(&wanted).await?;
        let made = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                // As the journal has it: that an account is new is told by the two being one.
                let mut user = User { created_at: tx.now(), ..user.clone() };
                refuse_taken(tx, &user)?;
                if let Some(entry) = &entry {
                    crate::audit::keep(tx, entry)?;
                }
                if may_be_first && takes_over(tx)? {
                    user.roles.push(RoleId::new("admin"));
                    user.active = true;
                    crate::bootstrap::set_up(tx, "in_progress")?;
                }
                tx.insert_user(&user)?;
                tx.put_secrets(&user.id, &secrets)?;
                tx.record(None, made(user.clone()))?;
                crate::tickets_members::settle_user(tx, &user)?;
                Ok(Arc::new(user))
            })
            .await?;
        if !wanted.stay_out {
            self.join_default_rooms(&made.id, wanted.silent).await?;
        }
        if may_be_first && made.has_role("admin") {
            self.own_general(&made.id).await?;
        }
        Ok(made)
    }

    /// The first administrator owns the general room, so that somebody does.
    async fn own_general(&self, user: &UserId) -> Result<()> {
        let system = Actor::system(UserId::new(crate::bootstrap::ROCKET_CAT));
        match self.set_room_role(&system, &GENERAL.into(), user, "owner", true).await {
            Err(refusal @ (Refusal::Unavailable | Refusal::Internal(_))) => Err(refusal),
            // There is none, or somebody made him its owner already.
            _ => Ok(()),
        }
    }

    async fn draft_user(&self, wanted: &NewUser) -> Result<(User, Secrets)> {
        let settings = self.settings();
        check_username(&wanted.username, &settings)?;
        check_name(&wanted.name)?;
        longest("bio", &wanted.bio, MAX_BIO)?;
        longest("nickname", &wanted.nickname, MAX_NICKNAME)?;
        longest("status text", &wanted.status_text, crate::presence::MAX_STATUS_TEXT)?;
        if let Some(email) = &wanted.email {
            check_email(email, &settings)?;
        }
        // Whoever makes an account for somebody else may leave its fields to him.
        let custom_fields = match &wanted.custom_fields {
            Some(fields) => check_custom_fields(fields, &settings)?,
            None => Json::object(),
        };
        let password = match &wanted.password {
            Some(password) => Some(self.accept_password(password).await?),
            None => None,
        };
        let email = |address: &String| Email { address: address.clone(), verified: wanted.email_verified };
        let user = User {
            name: if wanted.name.is_empty() { wanted.username.clone() } else { wanted.name.clone() },
            emails: wanted.email.iter().map(email).collect(),
            roles: wanted.roles.clone().unwrap_or_else(|| self.usual_roles()),
            active: !wanted.inactive,
            require_password_change: wanted.require_password_change,
            custom_fields,
            bio: wanted.bio.clone(),
            nickname: wanted.nickname.clone(),
            status_text: wanted.status_text.clone(),
            has_password: password.is_some(),
            ..self.blank_user(UserId::new(self.new_id()), &wanted.username)
        };
        Ok((user, Secrets { password, ..Secrets::default() }))
    }
}

/// Says which of name and address is taken, name first.
fn refuse_taken(tx: &mut dyn Tx, user: &User) -> Result<()> {
    if tx.user_by_username(&user.username)?.is_some() {
        return Err(Refusal::Taken { what: What::Username, value: user.username.clone() });
    }
    for email in &user.emails {
        if tx.user_by_email(&email.address)?.is_some() {
            return Err(Refusal::Taken { what: What::Email, value: email.address.clone() });
        }
    }
    Ok(())
}

/// Whether there is no administrator yet. Two first registrations at once make one.
fn takes_over(tx: &mut dyn Tx) -> Result<bool> {
    let admins = UserFilter { roles: vec!["admin".into()], ..UserFilter::default() };
    let none =
        |tx: &mut dyn Tx| Ok::<_, Refusal>(tx.users(&admins, Page { offset: 0, count: 1 })?.items.is_empty());
    if !none(tx)? {
        return Ok(false);
    }
    hold_admins(tx)?;
    none(tx)
}

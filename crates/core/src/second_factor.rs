//! The second factor: switching it on and off, and asking for it before something that can't be undone.

use std::time::Duration;

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use crate::{
    accounts::{Code, spend},
    chat::Chat,
    clock::Time,
    credentials::{Attempt, Factor, Password},
    error::{Refusal, Result, SecondFactor, State, What},
    id::{RoleId, SessionId, UserId},
    session::{Actor, SessionKind},
    store::{Lane, Secrets},
    user::User,
};

/// Sessions remembered as confirmed at most.
const REMEMBERED: usize = 10_000;

/// Sessions that gave a second factor lately, and until when that counts.
#[derive(Default)]
pub(crate) struct Confirmed(Mutex<FxHashMap<SessionId, Time>>);

impl Confirmed {
    fn holds(&self, session: &SessionId, now: Time) -> bool {
        self.0.lock().get(session).is_some_and(|until| *until > now)
    }
    fn remember(&self, session: SessionId, until: Time, now: Time) {
        let mut all = self.0.lock();
        if all.len() >= REMEMBERED {
            all.retain(|_, until| *until > now);
        }
        if all.len() < REMEMBERED {
            all.insert(session, until);
        }
    }
}

/// When a second factor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Every time.
    Always,
    /// Unless it was given lately, or the account is new.
    Lately,
    /// Unless it was given lately; and only of accounts that have one. Others are not asked for their password, so that
    /// programs which log in with one can administer.
    WhoeverHasOne,
}

/// Which second factors an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// An authenticator.
    pub totp: bool,
    /// Codes by mail.
    pub email: bool,
    /// Recovery codes that are left.
    pub recovery_codes: usize,
}

impl Chat {
    async fn own_secrets(&self, user: &UserId) -> Result<Secrets> {
        let id = user.clone();
        self.store().reading(move |rows| rows.secrets(&id)).await
    }

    /// The actor's second factors.
    pub async fn factors(&self, actor: &Actor) -> Result<Factors> {
        self.active_user(actor).await?;
        let secrets = self.own_secrets(&actor.user).await?;
        Ok(Factors {
            totp: secrets.totp.is_some(),
            email: secrets.email_codes,
            recovery_codes: secrets.recovery.len(),
        })
    }

    /// Offers a secret for an authenticator: in base32, and as an `otpauth` address. Nothing is on before
    /// [`Chat::confirm_totp`].
    ///
    /// # Errors
    /// `State(SecondFactorOn)`; `Invalid` of field `email` while an address is unproved.
    pub async fn offer_totp(&self, actor: &Actor) -> Result<(String, String)> {
        let user = self.active_user(actor).await?;
        self.totp_allowed()?;
        if user.emails.iter().any(|e| !e.verified) {
            return Err(Refusal::invalid("email", "You need to verify your emails before setting up 2FA"));
        }
        let (base32, sealed) = self.ports.credentials.new_totp()?;
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut secrets = tx.secrets(&id)?;
                if secrets.totp.is_some() {
                    return Err(State::SecondFactorOn.into());
                }
                secrets.totp_pending = Some(sealed.clone());
                tx.put_secrets(&id, &secrets)
            })
            .await?;
        // User names and base32 need no encoding within a URL.
        let url = format!("otpauth://totp/Parlor:{}?secret={base32}&issuer=Parlor", user.username);
        Ok((base32, url))
    }

    fn totp_allowed(&self) -> Result<()> {
        let settings = self.settings();
        for setting in
            ["Accounts_TwoFactorAuthentication_Enabled", "Accounts_TwoFactorAuthentication_By_TOTP_Enabled"]
        {
            if !settings.is_on(setting) {
                return Err(Refusal::Disabled(setting));
            }
        }
        Ok(())
    }

    /// Switches the offered authenticator on when it shows the right code; gives the recovery codes, this once. Other
    /// sessions end: they were opened without it.
    ///
    /// # Errors
    /// `SecondFactor` for a wrong code; `NotFound(Token)` when none was offered.
    pub async fn confirm_totp(&self, actor: &Actor, code: &str) -> Result<Vec<String>> {
        let user = self.active_user(actor).await?;
        let sealed = self.own_secrets(&user.id).await?.totp_pending.ok_or(Refusal::NotFound(What::Token))?;
        let step = self.check_code(&user, |c| c.check_totp(&sealed, code, None)).await?;
        let (codes, hashes) = self.ports.credentials.new_recovery_codes(&user.id);
        let (id, kept) = (user.id.clone(), actor.session.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut secrets = tx.secrets(&id)?;
                if secrets.totp_pending.as_ref() != Some(&sealed) {
                    return Err(Refusal::NotFound(What::Token));
                }
                secrets.totp = secrets.totp_pending.take();
                secrets.totp_step = Some(step);
                secrets.recovery = hashes.clone();
                tx.put_secrets(&id, &secrets)?;
                crate::users_change::end_sessions(tx, &id, kept.as_ref(), false)
            })
            .await?;
        Ok(codes)
    }

    /// Counts wrong codes as the login does.
    async fn check_code<T: Send>(
        &self,
        user: &User,
        check: impl Fn(&dyn crate::credentials::Credentials) -> Result<Option<T>> + Send,
    ) -> Result<T> {
        let (credentials, settings) = (&self.ports.credentials, self.settings());
        let attempt = Attempt { user: &user.id, address: None };
        self.admit_attempt(Factor::Code, attempt, &settings).await?;
        match check(&**credentials)? {
            Some(found) => {
                self.attempt_succeeded(Factor::Code, attempt, &settings).await?;
                Ok(found)
            }
            None => {
                self.attempt_failed(Factor::Code, attempt, &settings).await?;
                Err(missing("totp", vec!["totp"], true))
            }
        }
    }

    /// Switches the authenticator off; takes one of its codes or a recovery code.
    pub async fn disable_totp(&self, actor: &Actor, code: &str) -> Result<()> {
        self.change_totp(actor, code, None).await
    }

    /// Replaces the recovery codes; takes a code of the authenticator.
    pub async fn renew_recovery_codes(&self, actor: &Actor, code: &str) -> Result<Vec<String>> {
        let (codes, hashes) = self.ports.credentials.new_recovery_codes(&actor.user);
        self.change_totp(actor, code, Some(hashes)).await?;
        Ok(codes)
    }

    /// With a right code: gives new recovery codes, or (`None`) ends the second factor.
    async fn change_totp(&self, actor: &Actor, code: &str, recovery: Option<Vec<[u8; 32]>>) -> Result<()> {
        let user = self.active_user(actor).await?;
        let secrets = self.own_secrets(&user.id).await?;
        if secrets.totp.is_none() {
            return Err(Refusal::NotFound(What::Token));
        }
        let spent = self.totp_or_recovery(&user, &secrets, code).await?;
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                spend(tx, &id, &spent)?;
                let mut secrets = tx.secrets(&id)?;
                match &recovery {
                    Some(hashes) => secrets.recovery = hashes.clone(),
                    None => clear(&mut secrets),
                }
                tx.put_secrets(&id, &secrets)
            })
            .await
    }

    /// Switches somebody's authenticator off, because it is lost. Needs `edit-other-user-totp`.
    pub async fn reset_totp(&self, actor: &Actor, of: &UserId) -> Result<()> {
        self.require(actor, "edit-other-user-totp", None).await?;
        let user = self.known_user(of).await?;
        let entry = self.audit_entry(actor, "user.two-factor-reset", &user.username).await?;
        let id = user.id.clone();
        self.store()
            .writing(Lane::Verbs, move |tx| {
                crate::audit::keep(tx, &entry)?;
                let mut secrets = tx.secrets(&id)?;
                clear(&mut secrets);
                tx.put_secrets(&id, &secrets)?;
                crate::users_change::end_sessions(tx, &id, None, false)
            })
            .await
    }

    /// Asks for a second factor before something grave: the authenticator's code, or one by mail, or else (if the
    /// settings say so) the password. What was given counts for a while
    /// (`Accounts_TwoFactorAuthentication_RememberFor`), and nothing is asked of new accounts in that time, nor ever of
    /// tokens that bypass it; [`Ask`] says how strictly.
    ///
    /// # Errors
    /// `SecondFactor`.
    pub async fn confirm(&self, actor: &Actor, code: Option<Code>, ask: Ask) -> Result<()> {
        let user = self.active_user(actor).await?;
        let settings = self.settings();
        if actor.is_system() || !settings.is_on("Accounts_TwoFactorAuthentication_Enabled") {
            return Ok(());
        }
        let now = self.now();
        let span = settings.number("Accounts_TwoFactorAuthentication_RememberFor").clamp(0.0, 1e9);
        let span = Duration::from_secs_f64(span);
        let session = self.own_session(actor).await?;
        let bypass = session
            .as_ref()
            .is_some_and(|s| matches!(s.kind, SessionKind::PersonalToken { bypass: true, .. }));
        let fresh = user.created_at.after(span) > now;
        if bypass || (fresh && ask == Ask::Lately) {
            return Ok(());
        }
        if let Some(session) = session.as_ref().filter(|_| ask != Ask::Always)
            && (self.confirmed.holds(&session.id, now) || self.confirmed_elsewhere(&session.id, now).await?)
        {
            return Ok(());
        }
        let secrets = self.own_secrets(&user.id).await?;
        if secrets.totp.is_some() || self.mails_codes(&user, &secrets) {
            let spent = self.second_factor(&user, &secrets, code).await?;
            let id = user.id.clone();
            self.store().writing(Lane::Verbs, move |tx| spend(tx, &id, &spent)).await?;
        } else if ask == Ask::WhoeverHasOne
            || !user.has_password
            || !settings.is_on("Accounts_TwoFactorAuthentication_Enforce_Password_Fallback")
        {
            return Ok(());
        } else {
            let code =
                code.filter(|c| !c.code.is_empty()).ok_or_else(|| missing("password", Vec::new(), false))?;
            let proof = Password::Digest(code.code.to_ascii_lowercase());
            self.prove(&user, Some(proof)).await.map_err(|refusal| match refusal {
                Refusal::BadCredentials => missing("password", Vec::new(), true),
                other => other,
            })?;
        }
        if let Some(session) = session {
            self.confirm_everywhere(&session.id, now, span).await?;
            self.confirmed.remember(session.id, now.after(span), now);
        }
        Ok(())
    }
}

/// Whether a role gives no power over others: new accounts with it are no grave matter.
#[must_use]
pub fn is_ordinary(role: &RoleId) -> bool {
    matches!(role.as_str(), "user" | "guest" | "anonymous" | "bot" | "app")
}

pub(crate) fn missing(method: &'static str, available: Vec<&'static str>, wrong: bool) -> Refusal {
    Refusal::SecondFactor(SecondFactor { method, available, wrong, sent: None })
}

fn clear(secrets: &mut Secrets) {
    secrets.totp = None;
    secrets.totp_pending = None;
    secrets.totp_step = None;
    secrets.recovery.clear();
}

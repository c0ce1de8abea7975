//! The second factor at the door: the authenticator's codes, recovery codes, and codes by mail.

use crate::{
    accounts::{Code, Spent},
    chat::Chat,
    credentials::{Attempt, Factor},
    error::{Refusal, Result, SecondFactor, State},
    second_factor::missing,
    session::Actor,
    store::{Lane, LinkPurpose, Secrets},
    user::{User, UserKind},
};

impl Chat {
    /// Whether the account takes codes by mail.
    pub(crate) fn mails_codes(&self, user: &User, secrets: &Secrets) -> bool {
        secrets.email_codes
            && self.settings().is_on("Accounts_TwoFactorAuthentication_By_Email_Enabled")
            && user.emails.iter().any(|e| e.verified)
    }

    /// Whether the account must prove an address before anybody is let in (`Accounts_EmailVerification`).
    /// Administrators are let in, so that the setting can be switched off again, and accounts without any address.
    pub(crate) fn must_verify_first(&self, user: &User) -> bool {
        self.settings().is_on("Accounts_EmailVerification")
            && user.kind == UserKind::Person
            && !user.has_role("admin")
            && !user.emails.is_empty()
            && !user.emails.iter().any(|e| e.verified)
    }

    /// Checks the second factor when the account has one, and says what of it is used up. Without a code, one is sent
    /// where codes come by mail.
    pub(crate) async fn second_factor(
        &self,
        user: &User,
        secrets: &Secrets,
        code: Option<Code>,
    ) -> Result<Spent> {
        let mailed = self.mails_codes(user, secrets);
        let on = self.settings().is_on("Accounts_TwoFactorAuthentication_Enabled");
        if !on || (secrets.totp.is_none() && !mailed) {
            return Ok(Spent::default());
        }
        let code = code.filter(|c| !c.code.is_empty());
        let by_mail = mailed
            && (secrets.totp.is_none()
                || code.as_ref().is_some_and(|c| c.method.as_deref() == Some("email")));
        let available: Vec<&'static str> = [("totp", secrets.totp.is_some()), ("email", mailed)]
            .into_iter()
            .filter_map(|(way, there)| there.then_some(way))
            .collect();
        let Some(code) = code else {
            let sent = if by_mail { self.send_code(user, false).await? } else { None };
            let method = if by_mail { "email" } else { "totp" };
            return Err(Refusal::SecondFactor(SecondFactor { method, available, wrong: false, sent }));
        };
        if by_mail {
            return self.check_mailed(user, &code.code, available).await;
        }
        self.totp_or_recovery(user, secrets, &code.code).await
    }

    /// Checks a code of the authenticator or a recovery code.
    pub(crate) async fn totp_or_recovery(&self, user: &User, secrets: &Secrets, code: &str) -> Result<Spent> {
        let Some(sealed) = secrets.totp.as_deref() else { return Ok(Spent::default()) };
        let wrong = || missing("totp", vec!["totp"], true);
        let (credentials, settings) = (&self.ports.credentials, self.settings());
        let attempt = Attempt { user: &user.id, address: None };
        self.admit_attempt(Factor::Code, attempt, &settings).await?;
        let step = credentials.check_totp(sealed, code, secrets.totp_step)?;
        let recovery = credentials.find_recovery_code(&user.id, code, &secrets.recovery);
        if step.is_none() && recovery.is_none() {
            self.attempt_failed(Factor::Code, attempt, &settings).await?;
            return Err(wrong());
        }
        self.attempt_succeeded(Factor::Code, attempt, &settings).await?;
        Ok(Spent { step, recovery: recovery.map(|index| secrets.recovery[index]), ..Spent::default() })
    }

    async fn check_mailed(&self, user: &User, code: &str, available: Vec<&'static str>) -> Result<Spent> {
        let (credentials, settings) = (&self.ports.credentials, self.settings());
        let attempt = Attempt { user: &user.id, address: None };
        self.admit_attempt(Factor::Code, attempt, &settings).await?;
        let id = user.id.clone();
        let sent = self.store().reading(move |rows| rows.mail_links(&id, LinkPurpose::Code)).await?;
        let right = sent.iter().find(|link| {
            let hash = crate::hashes::unhex(&link.hash);
            hash.is_some_and(|hash| {
                credentials.check_mail_code(&user.id, code.trim(), &hash, link.expires_at)
            })
        });
        let Some(right) = right else {
            self.attempt_failed(Factor::Code, attempt, &settings).await?;
            return Err(missing("email", available, true));
        };
        self.attempt_succeeded(Factor::Code, attempt, &settings).await?;
        Ok(Spent { mailed: Some(right.hash.clone()), ..Spent::default() })
    }

    /// Switches codes by mail on or off for the actor. On: other sessions end, which were opened without a code.
    ///
    /// # Errors
    /// On: `State(Unverified)` without a proved address, `Disabled` with the setting in the way.
    pub async fn set_mail_codes(&self, actor: &Actor, on: bool) -> Result<()> {
        let user = self.active_user(actor).await?;
        if on {
            for setting in [
                "Accounts_TwoFactorAuthentication_Enabled",
                "Accounts_TwoFactorAuthentication_By_Email_Enabled",
            ] {
                if !self.settings().is_on(setting) {
                    return Err(Refusal::Disabled(setting));
                }
            }
            if !self.sends_mail() {
                return Err(Refusal::Disabled("SMTP_Host"));
            }
            if !user.emails.iter().any(|e| e.verified) {
                return Err(State::Unverified.into());
            }
        }
        let (id, kept) = (user.id.clone(), actor.session.clone());
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut secrets = tx.secrets(&id)?;
                let new = on && !secrets.email_codes;
                secrets.email_codes = on;
                if !on {
                    tx.remove_mail_links(&id, LinkPurpose::Code)?;
                }
                tx.put_secrets(&id, &secrets)?;
                if new { crate::users_change::end_sessions(tx, &id, kept.as_ref(), false) } else { Ok(()) }
            })
            .await
    }

    /// Sends whoever has this user name or address a code, if he takes codes by mail. Says the same of everybody.
    pub async fn send_code_to(&self, name: &str) -> Result<()> {
        let wanted = name.trim().to_owned();
        let found = self
            .store()
            .reading(move |rows| {
                let user = match wanted.contains('@') {
                    true => rows.user_by_email(&wanted)?,
                    false => rows.user_by_username(&wanted)?,
                };
                user.map(|user| Ok((rows.secrets(&user.id)?, user))).transpose()
            })
            .await?;
        match found.filter(|(secrets, user)| user.active && self.mails_codes(user, secrets)) {
            Some((_, user)) => self.send_code(&user, true).await.map(drop),
            None => Ok(()),
        }
    }
}

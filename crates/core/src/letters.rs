//! Letters that the server writes by itself, and the links and codes in them: choosing a new password, confirming an
//! address, inviting somebody, a code as second factor. A letter is kept sealed until a mail server took it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    accounts::put_user,
    chat::Chat,
    clock::Time,
    credentials::Password,
    error::{Refusal, Result, What},
    id::UserId,
    json::Json,
    session::Actor,
    store::{Delivery, DeliveryState, Lane, LinkPurpose, MailLink, Tx, Way},
    user::{User, UserKind},
    users_change::set_password,
};

/// How long a link for a new password is good.
pub const RESET_GOOD: Duration = Duration::from_secs(3_600);
/// How long a link that proves an address is good.
pub const VERIFY_GOOD: Duration = Duration::from_secs(3 * 86_400);
/// How long a code by mail is good; `Credentials::new_mail_code` says the same.
pub const CODE_GOOD: Duration = Duration::from_secs(600);
/// Links of one purpose that one user can have at a time; whoever asks more often gets no further letter.
const MOST_LINKS: usize = 3;
/// Invitations in one call.
const MOST_INVITATIONS: usize = 50;
/// After this time nobody waits for a letter any more.
const LETTER_GOOD: Duration = Duration::from_secs(2 * 86_400);
/// The source of letters, for the log.
const SOURCE: &str = "letters";

/// What a letter is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// A new password can be chosen there.
    Reset(String),
    /// The address is to be confirmed there.
    Verify(String),
    /// Somebody (named) asks to come there.
    Invite(String, String),
    /// There is an account now, of that name, to be entered there.
    Welcome(String, String),
    /// A code as second factor.
    Code(String),
    /// Messages of a room, under this line; what was said, to be read by [`crate::letters_said::read`].
    Said(String, String),
    /// Somebody tries mail out.
    Test,
}

/// A letter, opened for whoever carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The reader's address.
    pub to: String,
    /// The reader's name; may be empty.
    pub name: String,
    /// The reader's language, BCP 47; may be empty.
    pub language: String,
    /// What it is about.
    pub about: About,
    /// Later nobody wants it any more.
    pub until: Time,
}

impl About {
    fn event(&self) -> &'static str {
        match self {
            Self::Reset(_) => "reset",
            Self::Verify(_) => "verify",
            Self::Invite(..) => "invite",
            Self::Welcome(..) => "welcome",
            Self::Code(_) => "code",
            Self::Said(..) => "said",
            Self::Test => "test",
        }
    }
    fn facts(&self) -> [&str; 2] {
        match self {
            Self::Reset(one) | Self::Verify(one) | Self::Code(one) => [one, ""],
            Self::Invite(one, two) | Self::Welcome(one, two) | Self::Said(one, two) => [one, two],
            Self::Test => ["", ""],
        }
    }
    fn read(event: &str, one: &str, two: &str) -> Option<Self> {
        let (one, two) = (one.to_owned(), two.to_owned());
        Some(match event {
            "reset" => Self::Reset(one),
            "verify" => Self::Verify(one),
            "invite" => Self::Invite(one, two),
            "welcome" => Self::Welcome(one, two),
            "code" => Self::Code(one),
            "said" => Self::Said(one, two),
            "test" => Self::Test,
            _ => return None,
        })
    }
}

/// Whom a new password let in, or why it did not.
#[derive(Clone, Debug)]
pub struct Renewed {
    /// Whose password it is.
    pub user: UserId,
    /// The account has a second factor: knowing the new password is not enough.
    pub second_factor: bool,
}

impl Chat {
    /// Whether mail can be sent: `SMTP_Host` is set.
    pub fn sends_mail(&self) -> bool {
        !self.settings().text("SMTP_Host").trim().is_empty()
    }

    /// Refuses when no mail can be sent.
    fn need_mail(&self) -> Result<()> {
        if self.sends_mail() { Ok(()) } else { Err(Refusal::Disabled("SMTP_Host")) }
    }

    /// The address of a page of the web app.
    fn page(&self, path: &str) -> String {
        format!("{}{path}", self.settings().text("Site_Url").trim_end_matches('/'))
    }

    /// A letter as it waits; what it says is sealed.
    pub(crate) fn letter_to(
        &self,
        to: &str,
        name: &str,
        language: &str,
        about: &About,
        good: Duration,
    ) -> Result<Delivery> {
        let [one, two] = about.facts();
        let until = self.now().after(good);
        let facts = json!({ "to": to, "name": name, "language": language, "one": one, "two": two, "until": until.millis() });
        let body = json!({ "sealed": self.ports.credentials.seal(&facts.to_string())? });
        Ok(Delivery {
            way: Way::Mail,
            url: String::new(),
            ..self.new_waiting(SOURCE.to_owned(), about.event(), Json::new(body.to_string()))
        })
    }

    fn letter_for(&self, user: &User, to: &str, about: &About, good: Duration) -> Result<Delivery> {
        let name = user.shown_name();
        self.letter_to(to, name, &user.language, about, good)
    }

    /// Opens a waiting letter; `None` when it is none, or sealed with another server key: others wait behind it.
    pub fn letter(&self, delivery: &Delivery) -> Result<Option<Letter>> {
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
        let Some(sealed) = read(delivery.body.as_str())["sealed"].as_str().map(str::to_owned) else {
            return Ok(None);
        };
        let Ok(facts) = self.ports.credentials.open(&sealed) else { return Ok(None) };
        let facts = read(&facts);
        let text = |key: &str| facts[key].as_str().unwrap_or_default().to_owned();
        let about = About::read(&delivery.event, &text("one"), &text("two"));
        Ok(about.map(|about| Letter {
            to: text("to"),
            name: text("name"),
            language: text("language"),
            about,
            until: Time(facts["until"].as_i64().unwrap_or_default()),
        }))
    }

    /// A new link, and the token in it.
    fn new_link(
        &self,
        purpose: LinkPurpose,
        user: &UserId,
        address: &str,
        good: Duration,
    ) -> (MailLink, String) {
        let (token, hash) = self.ports.credentials.new_token();
        let link = MailLink {
            hash: hex::encode(hash),
            purpose,
            user: user.clone(),
            address: address.to_owned(),
            expires_at: self.now().after(good),
        };
        (link, token)
    }

    async fn by_address(&self, address: &str) -> Result<Option<User>> {
        let wanted = address.trim().to_owned();
        self.store().reading(move |rows| rows.user_by_email(&wanted)).await
    }

    /// Sends a link for choosing a new password to an address. Answers the same, and does as much, whether or not the
    /// address is known.
    ///
    /// # Errors
    /// `Disabled("Accounts_PasswordReset")`.
    pub async fn forgot_password(&self, address: &str) -> Result<()> {
        if !self.settings().is_on("Accounts_PasswordReset") {
            return Err(Refusal::Disabled("Accounts_PasswordReset"));
        }
        let user = self.by_address(address).await?;
        let good = user.filter(|user| user.active && user.kind == UserKind::Person && self.sends_mail());
        // For nobody a link is made all the same, and leads nowhere: the time that it takes tells nothing.
        let nobody = UserId::new(format!("nobody {}", address.trim().to_lowercase()));
        let whom = good.as_ref().map_or(&nobody, |user| &user.id);
        let (link, token) = self.new_link(LinkPurpose::Reset, whom, address.trim(), RESET_GOOD);
        let about = About::Reset(self.page(&format!("/reset-password/{token}")));
        let letter = match &good {
            Some(user) => self.letter_for(user, address.trim(), &about, RESET_GOOD)?,
            None => self.letter_to(address.trim(), "", "", &about, RESET_GOOD)?,
        };
        let real = good.is_some();
        self.keep_link(link, real.then_some(letter)).await
    }

    /// Keeps a link with its letter, unless the user has enough of them.
    async fn keep_link(&self, link: MailLink, letter: Option<Delivery>) -> Result<()> {
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let now = tx.now();
                let known = tx.mail_links(&link.user, link.purpose)?;
                if known.iter().filter(|link| link.expires_at > now).count() >= MOST_LINKS {
                    return Ok(());
                }
                tx.put_mail_link(&link)?;
                letter.iter().try_for_each(|letter| crate::outgoing::put(tx, letter))
            })
            .await?;
        self.wake(Way::Mail);
        Ok(())
    }

    /// Stores a new password for whoever has the link. It is good once; it ends all sessions and proves the address
    /// that it was sent to. A password as a digest can't be judged, and is taken only while there is no policy.
    ///
    /// # Errors
    /// `TokenExpired` for a link that is unknown, used or too old; `WeakPassword`, `Invalid` of field `password`.
    pub async fn renew_password(&self, token: &str, password: Password) -> Result<Renewed> {
        if !self.settings().is_on("Accounts_PasswordReset") {
            return Err(Refusal::Disabled("Accounts_PasswordReset"));
        }
        let hash = hex::encode(self.ports.credentials.token_hash(token));
        let (known, now) = (hash.clone(), self.now());
        let link = self.store().reading(move |rows| rows.mail_link(&known, LinkPurpose::Reset)).await?;
        // Before the work of hashing: nobody makes the server hash without a link.
        link.filter(|link| link.expires_at > now).ok_or(Refusal::TokenExpired)?;
        let stored = match &password {
            Password::Plain(text) => self.accept_password(text).await?,
            Password::Digest(_) if self.ports.credentials.password_rules(&self.settings()).is_empty() => {
                self.ports.credentials.hash(&password).await?
            }
            Password::Digest(_) => {
                return Err(Refusal::invalid(
                    "password",
                    "must be sent as text, so that the policy can be checked",
                ));
            }
        };
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let mut user = taken_by(tx, &hash, LinkPurpose::Reset)?;
                let secrets = tx.secrets(&user.id)?;
                set_password(tx, &mut user, &stored, None)?;
                user.require_password_change = false;
                // Others that were asked for before the password changed must not change it again.
                tx.remove_mail_links(&user.id, LinkPurpose::Reset)?;
                let user = put_user(tx, user)?;
                let second_factor = secrets.totp.is_some() || secrets.email_codes;
                Ok(Renewed { user: user.id.clone(), second_factor })
            })
            .await
    }

    /// Opens a session for whoever has just chosen a new password.
    pub async fn log_in_renewed(
        &self,
        renewed: &Renewed,
        device: crate::accounts::Device,
    ) -> Result<crate::session::Login> {
        if renewed.second_factor {
            return Err(Refusal::NotAllowed("login"));
        }
        let kind = crate::session::SessionKind::Login;
        self.open_session(renewed.user.clone(), kind, device, crate::accounts::Spent::default()).await
    }

    /// Sends a link that proves an address, to the actor's own address.
    ///
    /// # Errors
    /// `NotFound(Email)` when it is not the actor's; `Disabled("SMTP_Host")`.
    pub async fn ask_to_verify(&self, actor: &Actor, address: &str) -> Result<()> {
        let user = self.active_user(actor).await?;
        let own = user.emails.iter().find(|e| e.address.eq_ignore_ascii_case(address.trim()));
        let own = own.ok_or(Refusal::NotFound(What::Email))?.clone();
        self.need_mail()?;
        self.send_verification(&user, &own.address).await
    }

    /// Sends it to whoever has this address and has not proved it; says the same of everybody. For those who can't
    /// log in before.
    pub async fn ask_to_verify_unknown(&self, address: &str) -> Result<()> {
        self.need_mail()?;
        let found = self.by_address(address).await?;
        let unproved = |user: &User| {
            user.active
                && user.emails.iter().any(|e| e.address.eq_ignore_ascii_case(address.trim()) && !e.verified)
        };
        match found.filter(unproved) {
            Some(user) => self.send_verification(&user, address.trim()).await,
            None => Ok(()),
        }
    }

    /// Sends a link that proves this address of the user's.
    pub(crate) async fn send_verification(&self, user: &User, address: &str) -> Result<()> {
        let (link, token) = self.new_link(LinkPurpose::Verify, &user.id, address, VERIFY_GOOD);
        let about = About::Verify(self.page(&format!("/verify-email/{token}")));
        let letter = self.letter_for(user, address, &about, VERIFY_GOOD)?;
        self.keep_link(link, Some(letter)).await
    }

    /// Counts an address as proved, for whoever has the link that was sent to it.
    ///
    /// # Errors
    /// `TokenExpired` for a link that is unknown, used or too old, or of an address that is not the user's any more.
    pub async fn verify_address(&self, token: &str) -> Result<UserId> {
        let hash = hex::encode(self.ports.credentials.token_hash(token));
        self.store()
            .writing(Lane::Verbs, move |tx| {
                let user = taken_by(tx, &hash, LinkPurpose::Verify)?;
                Ok(put_user(tx, user)?.id.clone())
            })
            .await
    }

    /// Asks people by mail to come. Needs `bulk-register-user`; at most 50 at a time.
    ///
    /// # Errors
    /// `Invalid` of field `emails` when none of them is an address; `Disabled("SMTP_Host")`.
    pub async fn invite_by_mail(&self, actor: &Actor, addresses: &[String]) -> Result<Vec<String>> {
        self.require(actor, "bulk-register-user", None).await?;
        if addresses.len() > MOST_INVITATIONS {
            return Err(Refusal::TooLarge { what: "emails", limit: MOST_INVITATIONS as u64 });
        }
        let me = self.active_user(actor).await?;
        let settings = self.settings();
        let fits = |address: &&String| crate::users_rules::check_email(address.trim(), &settings).is_ok();
        let good: Vec<String> = addresses.iter().filter(fits).map(|a| a.trim().to_owned()).collect();
        if good.is_empty() {
            return Err(Refusal::invalid("emails", "No valid email addresses"));
        }
        self.need_mail()?;
        let place = match settings.text("Accounts_RegistrationForm") {
            "Secret URL" => format!("/register/{}", settings.text("Accounts_RegistrationForm_SecretURL")),
            _ => "/".to_owned(),
        };
        let by = me.shown_name();
        let about = About::Invite(by.to_owned(), self.page(&place));
        let letter = |to: &String| self.letter_to(to, "", &me.language, &about, LETTER_GOOD);
        let letters = good.iter().map(letter).collect::<Result<Vec<_>>>()?;
        self.keep_letters(letters).await?;
        Ok(good)
    }

    /// Tells somebody of the account that was made for him. Needs `send-mail`.
    ///
    /// # Errors
    /// `NotFound(User)`; `Disabled("SMTP_Host")`.
    pub async fn welcome_by_mail(&self, actor: &Actor, address: &str) -> Result<()> {
        self.require(actor, "send-mail", None).await?;
        self.need_mail()?;
        let user = self.by_address(address).await?.ok_or(Refusal::NotFound(What::User))?;
        let about = About::Welcome(user.username.clone(), self.page("/"));
        let letter = self.letter_for(&user, address.trim(), &about, LETTER_GOOD)?;
        self.keep_letters(vec![letter]).await
    }

    /// Sends the actor a letter to try mail out, once: ask [`Chat::delivery_now`] how it went. Needs
    /// `test-admin-options`.
    ///
    /// # Errors
    /// `NotFound(Email)` for an actor without an address; `Disabled("SMTP_Host")`.
    pub async fn try_mail_out(&self, actor: &Actor) -> Result<Delivery> {
        self.require(actor, "test-admin-options", None).await?;
        let me = self.active_user(actor).await?;
        let to = me.emails.first().ok_or(Refusal::NotFound(What::Email))?;
        self.need_mail()?;
        let letter = self.letter_for(&me, &to.address, &About::Test, LETTER_GOOD)?;
        self.keep_letters(vec![letter.clone()]).await?;
        Ok(letter)
    }

    /// Sends a code as second factor to the user's first proved address, unless one was sent within the last minute
    /// (or, when it was not asked for by name, is still good). Whether one was sent, and until when it is good.
    pub(crate) async fn send_code(&self, user: &User, asked: bool) -> Result<Option<Time>> {
        let Some(to) = user.emails.iter().find(|e| e.verified).filter(|_| self.sends_mail()) else {
            return Ok(None);
        };
        let made = self.ports.credentials.new_mail_code(&user.id);
        let link = MailLink {
            hash: hex::encode(made.hash),
            purpose: LinkPurpose::Code,
            user: user.id.clone(),
            address: to.address.clone(),
            expires_at: made.expires_at,
        };
        let letter = self.letter_for(user, &to.address, &About::Code(made.code), CODE_GOOD)?;
        let sent = self
            .store()
            .writing(Lane::Verbs, move |tx| {
                let now = tx.now();
                let lately = if asked { CODE_GOOD - Duration::from_secs(60) } else { Duration::ZERO };
                let known = tx.mail_links(&link.user, LinkPurpose::Code)?;
                if known.iter().any(|known| known.expires_at > now.after(lately)) {
                    return Ok(None);
                }
                tx.remove_mail_links(&link.user, LinkPurpose::Code)?;
                tx.put_mail_link(&link)?;
                crate::outgoing::put(tx, &letter)?;
                Ok(Some(link.expires_at))
            })
            .await?;
        self.wake(Way::Mail);
        Ok(sent)
    }

    pub(crate) async fn keep_letters(&self, letters: Vec<Delivery>) -> Result<()> {
        self.store()
            .writing(Lane::Verbs, move |tx| {
                letters.iter().try_for_each(|letter| crate::outgoing::put(tx, letter))
            })
            .await?;
        self.wake(Way::Mail);
        Ok(())
    }

    /// Something new that waits to go out.
    pub(crate) fn new_waiting(&self, source: String, event: &str, body: Json) -> Delivery {
        let now = self.now();
        Delivery {
            id: self.new_id(),
            way: Way::Call,
            integration: source,
            event: event.to_owned(),
            room: None,
            url: String::new(),
            body,
            state: DeliveryState::Waiting,
            attempts: 0,
            due_at: now,
            created_at: now,
            updated_at: now,
            status: None,
            problem: String::new(),
            answer: String::new(),
        }
    }
}

/// Uses a link up: whose it is, with the address proved that it was sent to.
fn taken_by(tx: &mut dyn Tx, hash: &str, purpose: LinkPurpose) -> Result<User> {
    let link = tx.take_mail_link(hash, purpose)?.ok_or(Refusal::TokenExpired)?;
    if link.expires_at <= tx.now() {
        return Err(Refusal::TokenExpired);
    }
    let mut user = tx.user(&link.user)?.filter(|user| user.active).ok_or(Refusal::TokenExpired)?;
    let mine = user.emails.iter_mut().find(|e| e.address.eq_ignore_ascii_case(&link.address));
    // An address that was given up proves nothing any more.
    mine.ok_or(Refusal::TokenExpired)?.verified = true;
    Ok(user)
}

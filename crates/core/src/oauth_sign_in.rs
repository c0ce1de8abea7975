//! The way out to a provider and back, and signing in by what came of it.
//!
//! Whoever goes out gets a sealed note, kept by the browser alone: what comes back counts only beside it. What came of
//! it waits for two minutes under a token that the client chose and a secret that only the page of return learns.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    accounts::{Code, Device, Spent},
    chat::Chat,
    clock::Time,
    error::{Refusal, Result, State},
    id::UserId,
    json::Json,
    oauth::{Asking, Outsider, Returned, Service},
    oauth_links::Claim,
    session::{Actor, Login, SessionKind},
    store::{Document, Lane, Page},
};

/// People who came back and have not signed in yet.
const WAITING: &str = "outside-waiting";
/// How long somebody may take at the provider.
const AWAY: Duration = Duration::from_secs(10 * 60);
/// How long one who came back may take to sign in, with a second factor if need be.
const WAIT: Duration = Duration::from_secs(2 * 60);
/// Rows swept in one step.
const STEP: u64 = 500;
/// Lengths of the token that a client chooses for its credential.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 17..=128;

/// Somebody who goes out.
#[derive(Clone, Debug)]
pub struct GoingOut {
    /// The token that the client chose: part of the credential by which it signs in later.
    pub credential_token: String,
    /// How the client wants to be told; opaque here, at most 500 bytes.
    pub style: String,
    /// Where the answer goes.
    pub redirect_uri: String,
}

/// Where to go, and the note to keep.
#[derive(Clone, Debug)]
pub struct WayOut {
    /// The provider's address.
    pub url: String,
    /// What comes back in the address; the note is kept under it.
    pub state: String,
    /// Sealed; for the browser's keeping.
    pub note: String,
}

/// Somebody who came back.
#[derive(Clone, Debug)]
pub struct ComingBack {
    /// The provider's code.
    pub code: String,
    /// The state in the address.
    pub state: String,
    /// The note that the browser kept.
    pub note: String,
    /// Where the answer went.
    pub redirect_uri: String,
}

/// A credential to sign in by, once.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The token that the client chose.
    pub token: String,
    /// The other half.
    pub secret: String,
    /// As it was asked for.
    pub style: String,
}

impl Chat {
    /// A word that nobody can guess, for a page's script to be known by.
    pub fn new_token(&self) -> String {
        self.ports.credentials.new_token().0
    }

    /// Sends somebody to a provider.
    ///
    /// # Errors
    /// `NotFound` for an unknown service, `Invalid` for a token that is too short to be one, `Unavailable`.
    pub async fn go_out(&self, service: &str, going: GoingOut) -> Result<WayOut> {
        let service = self.outside_service(service)?;
        check_token(&going.credential_token)?;
        if going.style.len() > 500 {
            return Err(Refusal::invalid("state", "is too long"));
        }
        let credentials = &self.ports.credentials;
        let [state, nonce, verifier] = std::array::from_fn(|_| credentials.new_token().0);
        let asking = Asking {
            state: state.clone(),
            nonce: nonce.clone(),
            verifier: verifier.clone(),
            redirect_uri: going.redirect_uri,
        };
        let url = self.ports.providers.address(&service, &asking).await?;
        let note = json!({
            "for": "sign-in", "service": service.name, "state": state, "nonce": nonce, "verifier": verifier,
            "token": going.credential_token, "style": going.style, "until": self.now().after(AWAY).millis(),
        });
        Ok(WayOut { url, state, note: credentials.seal(&note.to_string())? })
    }

    /// Takes somebody back: the state must be the note's, the code the provider's, the identity token ours.
    ///
    /// # Errors
    /// `BadCredentials` for whatever does not fit together, `NotFound`, `Unavailable`.
    pub async fn come_back(&self, service: &str, back: ComingBack) -> Result<Credential> {
        let service = self.outside_service(service)?;
        let note = self.ports.credentials.open_brought(&back.note).ok_or(Refusal::BadCredentials)?;
        let note: Value = serde_json::from_str(&note).map_err(|_| Refusal::BadCredentials)?;
        let text = |key: &str| note[key].as_str().unwrap_or_default().to_owned();
        let expired = note["until"].as_i64().is_none_or(|until| until <= self.now().millis());
        if text("for") != "sign-in"
            || text("service") != service.name
            || text("state") != back.state
            || expired
        {
            return Err(Refusal::BadCredentials);
        }
        let returned = Returned {
            code: back.code,
            nonce: Some(text("nonce")),
            verifier: Some(text("verifier")),
            redirect_uri: back.redirect_uri,
        };
        self.receive(&service, returned, text("token"), text("style")).await
    }

    /// Takes somebody back whom an application sent out by itself, as Rocket.Chat's do for the services that everybody
    /// knows. There is no note then: only the application knows its token, only the page of return the secret.
    ///
    /// # Errors
    /// As [`Chat::come_back`]; `BadCredentials` for a custom service.
    pub async fn come_back_to_app(
        &self,
        service: &str,
        (code, redirect_uri): (String, String),
        credential_token: String,
        style: String,
    ) -> Result<Credential> {
        let service = self.outside_service(service)?;
        check_token(&credential_token)?;
        if service.custom {
            return Err(Refusal::BadCredentials);
        }
        let returned = Returned { code, nonce: None, verifier: None, redirect_uri };
        self.receive(&service, returned, credential_token, style).await
    }

    async fn receive(
        &self,
        service: &Service,
        returned: Returned,
        token: String,
        style: String,
    ) -> Result<Credential> {
        let person = self.ports.providers.redeem(service, &returned).await?;
        let (secret, _) = self.ports.credentials.new_token();
        let row = Document {
            id: self.waiting_under(&token, &secret),
            key: String::new(),
            body: Json::new(written(&service.name, &person).to_string()),
            updated_at: self.now(),
        };
        self.store().writing(Lane::Verbs, move |tx| tx.put_document(WAITING, &row)).await?;
        Ok(Credential { token, secret, style })
    }

    /// Where a credential waits: found by both halves at once, of which only the hash is kept.
    fn waiting_under(&self, token: &str, secret: &str) -> String {
        hex::encode(self.ports.credentials.token_hash(&format!("{token}:{secret}")))
    }

    async fn waiting(&self, token: &str, secret: &str) -> Result<(String, Service, Outsider)> {
        let id = self.waiting_under(token, secret);
        let wanted = id.clone();
        let found = self.store().reading(move |rows| rows.document(WAITING, &wanted)).await?;
        let row =
            found.filter(|row| row.updated_at.after(WAIT) > self.now()).ok_or(Refusal::BadCredentials)?;
        let (service, person) = read(row.body.as_str()).ok_or(Refusal::BadCredentials)?;
        let service = self.outside_service(&service).map_err(|_| Refusal::BadCredentials)?;
        Ok((id, service, person))
    }

    /// Signs in by a credential. It is used up by the session that it opens, so a missing second factor can follow.
    pub(crate) async fn login_by_credential(
        &self,
        (token, secret): (String, String),
        code: Option<Code>,
        device: Device,
    ) -> Result<Login> {
        let (id, service, person) = self.waiting(&token, &secret).await?;
        self.login_vouched(&service, person, Some(id), code, device).await
    }

    /// Signs in by an identity token that a client brings.
    pub(crate) async fn login_by_id_token(
        &self,
        (service, id_token): (String, String),
        code: Option<Code>,
        device: Device,
    ) -> Result<Login> {
        let service = self.outside_service(&service).map_err(|_| Refusal::BadCredentials)?;
        let person = self.ports.providers.vouched(&service, &id_token).await?;
        self.login_vouched(&service, person, None, code, device).await
    }

    async fn login_vouched(
        &self,
        service: &Service,
        person: Outsider,
        waiting: Option<String>,
        code: Option<Code>,
        device: Device,
    ) -> Result<Login> {
        let settings = self.settings();
        let claim = Claim {
            service: service.name.clone(),
            person,
            linking: service.linking.clone(),
            by_username: false,
            with_password: settings.is_on("Accounts_OAuth_Merge_Users_With_Password"),
            register: settings.is_on("Accounts_Registration_AuthenticationServices_Enabled"),
            inactive: settings.is_on("Accounts_ManuallyApproveNewUsers"),
        };
        let user = self.account_of(claim).await?;
        if !user.active {
            return Err(Refusal::Deactivated);
        }
        let mut spent = self.second_factor_of(&user.id, code).await?;
        if self.must_verify_first(&user) {
            return Err(State::Unverified.into());
        }
        spent.waiting = waiting;
        self.open_session(user.id.clone(), SessionKind::Login, device, spent).await
    }

    /// The second factor of somebody whose first was no password.
    pub(crate) async fn second_factor_of(&self, user: &UserId, code: Option<Code>) -> Result<Spent> {
        let wanted = user.clone();
        let (user, secrets) = self
            .store()
            .reading(move |rows| {
                let user = rows.user(&wanted)?.ok_or(Refusal::BadCredentials)?;
                Ok((user.clone(), rows.secrets(&user.id)?))
            })
            .await?;
        self.second_factor(&user, &secrets, code).await
    }

    /// Links the actor's account to whoever a credential stands for; uses the credential up.
    ///
    /// # Errors
    /// `BadCredentials`; `Taken` when that person has another account.
    pub async fn link_outside(&self, actor: &Actor, token: &str, secret: &str) -> Result<String> {
        let user = self.active_user(actor).await?;
        let (id, service, person) = self.waiting(token, secret).await?;
        self.link_account(&user, &service.name, &person.subject).await?;
        self.store().writing(Lane::Verbs, move |tx| use_up(tx, &id)).await?;
        Ok(service.name)
    }

    /// Forgets credentials that nobody used.
    pub(crate) async fn sweep_sign_ins(&self) -> Result<()> {
        let border = Time(self.now().millis() - i64::try_from(WAIT.as_millis()).unwrap_or(i64::MAX));
        let mut offset = 0;
        loop {
            let page = Page { offset, count: STEP };
            let rows = self.store().reading(move |rows| rows.documents(WAITING, None, page)).await?.items;
            let full = rows.len() as u64 == STEP;
            let old: Vec<String> =
                rows.into_iter().filter(|row| row.updated_at < border).map(|row| row.id).collect();
            offset += STEP - old.len() as u64;
            self.store()
                .writing(Lane::Bulk, move |tx| {
                    old.iter().try_for_each(|id| tx.remove_document(WAITING, id).map(drop))
                })
                .await?;
            if !full {
                return Ok(());
            }
        }
    }
}

/// A credential works once: whoever comes second finds it gone.
pub(crate) fn use_up(tx: &mut dyn crate::store::Tx, waiting: &str) -> Result<()> {
    if tx.remove_document(WAITING, waiting)? { Ok(()) } else { Err(Refusal::BadCredentials) }
}

fn check_token(token: &str) -> Result<()> {
    let fits = TOKEN_LENGTHS.contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if fits {
        Ok(())
    } else {
        Err(Refusal::invalid("state", "has no credential token of 17 to 128 characters"))
    }
}

fn written(service: &str, person: &Outsider) -> Value {
    json!({
        "service": service, "subject": person.subject, "username": person.username, "email": person.email,
        "verified": person.email_verified, "name": person.name, "roles": person.roles,
    })
}

fn read(body: &str) -> Option<(String, Outsider)> {
    let body: Value = serde_json::from_str(body).ok()?;
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let person = Outsider {
        subject: text("subject")?,
        username: text("username"),
        email: text("email"),
        email_verified: body["verified"].as_bool().unwrap_or_default(),
        name: text("name"),
        roles: body["roles"]
            .as_array()
            .map(|all| all.iter().filter_map(|role| role.as_str().map(str::to_owned)).collect()),
    };
    Some((text("service")?, person))
}

//! Certificates from an authority that issues them by itself (RFC 8555).

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use instant_acme::{
    Account, AuthorizationStatus, ChallengeHandle, ChallengeType, ExternalAccountKey, Identifier, NewAccount,
    NewOrder, OrderStatus, RetryPolicy,
};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::{crypto::ring, pki_types::PrivateKeyDer, sign::CertifiedKey};

use crate::{
    Error, Shelf,
    binding::Binding,
    kept::{Issued, Kept},
    transport::Transport,
};

/// Sleeps are no longer than this, so that a clock that was set is noticed.
const NAP: Duration = Duration::from_secs(6 * 3600);
/// The first pause after a failure; each further one is four times as long, up to [`NAP`]. Authorities count failures
/// by the hour.
const PAUSE: Duration = Duration::from_secs(60);
/// How long an authority may take to check names or to issue.
const PATIENCE: RetryPolicy = RetryPolicy::new().timeout(Duration::from_secs(180));

/// How a name is proved to be ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Within TLS on port 443 (`tls-alpn-01`).
    Tls,
    /// By plain HTTP on port 80 (`http-01`).
    Http,
}

/// What is asked for, and where.
#[derive(Clone, Debug)]
pub struct Order {
    /// The authority's directory, `https://…`.
    pub directory: String,
    /// The names, all in one certificate; at least one.
    pub domains: Vec<String>,
    /// An e-mail address that the authority may write to.
    pub contact: Option<String>,
    /// The account that we have there already, where the authority takes nobody else.
    pub binding: Option<Binding>,
    /// How the names are proved.
    pub challenge: Challenge,
    /// A file with the authority that the directory's own certificate comes from, where the machine does not trust it.
    pub trust: Option<PathBuf>,
    /// Where account and certificate are kept.
    pub keep: PathBuf,
}

/// Has a certificate issued and renewed, for as long as the server runs.
pub struct Acme {
    order: Order,
    shelf: Arc<Shelf>,
    kept: Kept,
    transport: Transport,
}

impl Acme {
    /// Puts the kept certificate on the shelf, if it still counts for these names. Calls nobody yet.
    ///
    /// # Errors
    /// When the file with the authority's own certificate can't be read.
    pub fn new(order: Order, shelf: Arc<Shelf>) -> Result<Self, Error> {
        let transport = Transport::new(order.trust.as_deref())?;
        let kept = Kept::new(order.keep.clone());
        let this = Self { order, shelf, kept, transport };
        if let Some(issued) = this.current() {
            this.shelf.put(issued.key);
        }
        Ok(this)
    }

    /// Never ends. A failure is said and tried again after a growing pause; what is in force stays.
    pub async fn run(self: Arc<Self>) {
        let mut failures = 0;
        loop {
            let due = self.current().map(|issued| issued.renew_at());
            let wait = due.map_or(Duration::ZERO, |due| {
                due.duration_since(SystemTime::now()).unwrap_or_default().min(NAP)
            });
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
                continue;
            }
            match self.obtain().await {
                Ok(issued) => {
                    failures = 0;
                    tracing::info!(names = ?self.order.domains, "a certificate was issued");
                    self.shelf.put(issued.key);
                }
                Err(error) => {
                    failures += 1;
                    let pause = pause(failures);
                    tracing::warn!(%error, names = ?self.order.domains, again_in = ?pause, "no certificate was issued");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// The kept certificate while it counts for all names.
    fn current(&self) -> Option<Issued> {
        let issued = self.kept.certificate()?;
        (issued.covers(&self.order.domains) && issued.until > SystemTime::now()).then_some(issued)
    }

    async fn obtain(&self) -> Result<Issued, Error> {
        let account = self.account().await?;
        let asked = self.ask(&account).await;
        self.shelf.forget_proofs();
        let pem = asked?;
        let issued = Issued::read(pem.as_bytes())?;
        if !issued.covers(&self.order.domains) || issued.renew_at() <= SystemTime::now() {
            return Err(Error::Authority(
                "the certificate has other names or has run out already".to_owned(),
            ));
        }
        self.kept.keep_certificate(pem.as_bytes())?;
        Ok(issued)
    }

    /// The account of before, as long as the authority knows it; else a new one.
    async fn account(&self) -> Result<Account, Error> {
        let builder = || Account::builder_with_http(Box::new(self.transport.clone()));
        if let Some(credentials) = self.kept.account(&self.order.directory) {
            return Ok(builder().from_credentials(credentials).await?);
        }
        let contact: Vec<String> = self.order.contact.iter().map(|to| format!("mailto:{to}")).collect();
        let contact: Vec<&str> = contact.iter().map(String::as_str).collect();
        let wanted =
            NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let binding = self.order.binding.as_ref();
        let binding = binding.map(|known| ExternalAccountKey::new(known.id.clone(), &known.key));
        let (account, credentials) =
            builder().create(&wanted, self.order.directory.clone(), binding.as_ref()).await?;
        self.kept.keep_account(&self.order.directory, credentials)?;
        Ok(account)
    }

    /// Orders, proves, and fetches: key and chain in PEM.
    async fn ask(&self, account: &Account) -> Result<String, Error> {
        let names: Vec<Identifier> = self.order.domains.iter().cloned().map(Identifier::Dns).collect();
        let mut order = match account.new_order(&NewOrder::new(&names)).await {
            Err(instant_acme::Error::Api(problem)) if is_unknown_account(&problem) => {
                self.kept.forget_account()?;
                return Err(Error::Authority(
                    "the authority no longer knows the account; a new one follows".into(),
                ));
            }
            other => other?,
        };
        let kind = match self.order.challenge {
            Challenge::Tls => ChallengeType::TlsAlpn01,
            Challenge::Http => ChallengeType::Http01,
        };
        let mut authorizations = order.authorizations();
        while let Some(found) = authorizations.next().await {
            let mut authorization = found?;
            if authorization.status == AuthorizationStatus::Valid {
                continue;
            }
            let challenge = authorization.challenge(kind.clone());
            let mut challenge = challenge.ok_or_else(|| {
                Error::Authority("the authority does not offer this way of proving a name".to_owned())
            })?;
            self.prepare(&challenge)?;
            challenge.set_ready().await?;
        }
        if order.poll_ready(&PATIENCE).await? != OrderStatus::Ready {
            return Err(Error::Authority(why_refused(&mut order).await));
        }
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(self.order.domains.clone())?;
        params.distinguished_name = DistinguishedName::new();
        order.finalize_csr(params.serialize_request(&key)?.der()).await?;
        let chain = order.poll_certificate(&PATIENCE).await?;
        Ok(format!("{}{chain}", key.serialize_pem()))
    }

    /// Puts the proof of one name where the authority will look for it.
    fn prepare(&self, challenge: &ChallengeHandle<'_>) -> Result<(), Error> {
        let authorization = challenge.key_authorization();
        if self.order.challenge == Challenge::Http {
            self.shelf.say(&challenge.token, authorization.as_str());
            return Ok(());
        }
        let name = challenge.identifier().to_string();
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![name.clone()])?;
        params.custom_extensions =
            vec![CustomExtension::new_acme_identifier(authorization.digest().as_ref())];
        let certificate = params.self_signed(&key)?;
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let key = ring::default_provider().key_provider.load_private_key(der);
        let key = key.map_err(|error| Error::Unusable(error.to_string()))?;
        // Not compared with its key: that would read the extension, which only the authority has to know.
        let proof = CertifiedKey::new(vec![certificate.der().clone()], key);
        self.shelf.prove(&name, proof);
        Ok(())
    }
}

fn is_unknown_account(problem: &instant_acme::Problem) -> bool {
    problem.r#type.as_deref().is_some_and(|kind| kind.ends_with(":accountDoesNotExist"))
}

/// What the authority says about the names that it did not find proved.
async fn why_refused(order: &mut instant_acme::Order) -> String {
    let mut said = Vec::new();
    let mut authorizations = order.authorizations();
    while let Some(Ok(mut authorization)) = authorizations.next().await {
        let name = authorization.identifier().to_string();
        if let Ok(state) = authorization.refresh().await {
            let problems = state.challenges.iter().filter_map(|challenge| challenge.error.as_ref());
            said.extend(problems.map(|problem| format!("{name}: {problem}")));
        }
    }
    if said.is_empty() { "the names were not found to be ours".to_owned() } else { said.join("; ") }
}

/// The pause after so many failures in a row.
fn pause(failures: u32) -> Duration {
    PAUSE.saturating_mul(4_u32.saturating_pow(failures.saturating_sub(1))).min(NAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded() {
        assert_eq!(pause(1), PAUSE);
        assert_eq!(pause(2), PAUSE * 4);
        assert!((1..40).all(|n| pause(n) <= pause(n + 1)));
        assert_eq!(pause(u32::MAX), NAP);
    }
}

//! The core's directory port over LDAP: connections that last for one question, filters that names can't leave, pages
//! with a bound. Each question runs in a task of its own, so that a server's nonsense ends no more than the question.

mod text;

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry,
    adapters::{Adapter, EntriesOnly, PagedResults},
};
use parlor_core::{
    blobs::Boxed,
    directory::{Directory, Encryption, Entry, Group, MAX_ENTRIES, Place},
    error::{Refusal, Result},
};

use text::{filled, person_filter};

/// Longest time that reading all people may take.
const ALL_WITHIN: Duration = Duration::from_secs(300);

/// A directory that is asked over LDAP.
#[derive(Clone, Copy, Debug, Default)]
pub struct OverLdap;

/// What went wrong, for the log.
type Fault = Box<dyn std::error::Error + Send + Sync>;

impl Directory for OverLdap {
    fn check<'a>(&'a self, place: &'a Place) -> Boxed<'a, ()> {
        let asked = place.clone();
        ask(place.within, async move {
            let ldap = open(&asked).await?;
            close(ldap).await;
            Ok(())
        })
    }

    fn find<'a>(&'a self, place: &'a Place, name: &'a str) -> Boxed<'a, Option<Entry>> {
        let (asked, name) = (place.clone(), name.to_owned());
        ask(place.within, async move {
            let mut ldap = open(&asked).await?;
            let filter = person_filter(&asked, Some(&name));
            let scope = if asked.one_level { Scope::OneLevel } else { Scope::Subtree };
            let found = ldap.search(&asked.base, scope, &filter, vec!["*", "+"]).await?;
            let mut entries = entries(found.success()?.0);
            close(ldap).await;
            // Two people of one name are nobody.
            Ok(if entries.len() == 1 { entries.pop() } else { None })
        })
    }

    fn prove<'a>(&'a self, place: &'a Place, dn: &'a str, password: &'a str) -> Boxed<'a, bool> {
        let (asked, dn, password) = (place.clone(), dn.to_owned(), password.to_owned());
        ask(place.within, async move {
            if password.is_empty() || dn.is_empty() {
                return Ok(false);
            }
            let mut ldap = connect(&asked).await?;
            let bound = ldap.simple_bind(&dn, &password).await?;
            close(ldap).await;
            match bound.rc {
                0 => Ok(true),
                // No such object, inappropriate authentication, invalid credentials, insufficient rights, unwilling
                // (Active Directory's locked accounts).
                32 | 48 | 49 | 50 | 53 => Ok(false),
                rc => Err(format!("binding gave {rc}").into()),
            }
        })
    }

    fn all<'a>(&'a self, place: &'a Place) -> Boxed<'a, Vec<Entry>> {
        let asked = place.clone();
        ask(ALL_WITHIN, async move {
            let mut ldap = open(&asked).await?;
            let adapters: Vec<Box<dyn Adapter<_, _>>> =
                vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(asked.page))];
            let scope = if asked.one_level { Scope::OneLevel } else { Scope::Subtree };
            let filter = person_filter(&asked, None);
            let mut stream =
                ldap.streaming_search_with(adapters, &asked.base, scope, &filter, vec!["*", "+"]).await?;
            let mut all = Vec::new();
            while let Some(found) = stream.next().await? {
                if all.len() >= MAX_ENTRIES {
                    return Err(format!("more than {MAX_ENTRIES} people").into());
                }
                all.push(entry(SearchEntry::construct(found)));
            }
            stream.finish().await.success()?;
            close(ldap).await;
            Ok(all)
        })
    }

    fn is_in<'a>(&'a self, place: &'a Place, group: &'a Group, person: &'a Entry) -> Boxed<'a, bool> {
        let (asked, filter) = (place.clone(), filled(&group.filter, place, group, person));
        let base = if group.base.is_empty() { place.base.clone() } else { group.base.clone() };
        ask(place.within, async move {
            let mut ldap = open(&asked).await?;
            let found = ldap.search(&base, Scope::Subtree, &filter, vec!["1.1"]).await?;
            let there = !entries(found.success()?.0).is_empty();
            close(ldap).await;
            Ok(there)
        })
    }
}

/// Runs a question with a bound in time; what went wrong is told to the log, without what was asked.
fn ask<'a, T: Send + 'static>(
    within: Duration,
    question: impl Future<Output = std::result::Result<T, Fault>> + Send + 'static,
) -> Boxed<'a, T> {
    Box::pin(async move {
        let task = tokio::spawn(question);
        let abort = task.abort_handle();
        let why = match tokio::time::timeout(within, task).await {
            Ok(Ok(Ok(answer))) => return Ok(answer),
            Ok(Ok(Err(fault))) => fault.to_string(),
            Ok(Err(_)) => "an answer that can't be read".to_owned(),
            Err(_) => {
                abort.abort();
                "no answer in time".to_owned()
            }
        };
        tracing::warn!(why, "the directory can't be asked");
        Result::Err(Refusal::Unavailable)
    })
}

async fn connect(place: &Place) -> std::result::Result<Ldap, Fault> {
    let scheme = if place.encryption == Encryption::Tls { "ldaps" } else { "ldap" };
    let host = if place.host.contains(':') && !place.host.starts_with('[') {
        format!("[{}]", place.host)
    } else {
        place.host.clone()
    };
    let settings = LdapConnSettings::new()
        .set_conn_timeout(place.connect_within)
        .set_starttls(place.encryption == Encryption::StartTls)
        .set_no_tls_verify(!place.verify)
        .set_config(Arc::new(tls(place)?));
    let (connection, mut ldap) =
        LdapConnAsync::with_settings(settings, &format!("{scheme}://{host}:{}", place.port)).await?;
    // Ends with the connection, which ends with the handle.
    ldap3::drive!(connection);
    ldap.with_timeout(place.within);
    Ok(ldap)
}

/// Connects and says who reads.
async fn open(place: &Place) -> std::result::Result<Ldap, Fault> {
    let mut ldap = connect(place).await?;
    if let Some((dn, password)) = &place.reader {
        if password.0.is_empty() {
            return Err("the reader has no password".into());
        }
        ldap.simple_bind(dn, &password.0).await?.success()?;
    }
    ldap.with_timeout(place.within);
    Ok(ldap)
}

async fn close(mut ldap: Ldap) {
    // The answer is there already; a server that hangs up first is as well.
    let _ = ldap.unbind().await;
}

/// The machine's certificates, Mozilla's where it has none, and the directory's own.
fn tls(place: &Place) -> std::result::Result<rustls::ClientConfig, Fault> {
    use rustls::pki_types::{CertificateDer, pem::PemObject};
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for certificate in CertificateDer::pem_slice_iter(place.authority.as_bytes()) {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

fn entries(found: Vec<ldap3::ResultEntry>) -> Vec<Entry> {
    let real = found.into_iter().filter(|found| !found.is_ref() && !found.is_intermediate());
    real.map(SearchEntry::construct).map(entry).collect()
}

fn entry(found: SearchEntry) -> Entry {
    let mut attributes: BTreeMap<String, Vec<String>> =
        found.attrs.into_iter().map(|(name, texts)| (name.to_lowercase(), texts)).collect();
    // Ids that are no text (Active Directory's `objectGUID`) become their hexadecimal digits.
    for (name, values) in found.bin_attrs {
        let short = values.iter().filter(|value| value.len() <= 64);
        let texts = short.map(hex::encode);
        attributes.entry(name.to_lowercase()).or_default().extend(texts);
    }
    Entry { dn: found.dn, attributes }
}

//! Configuration of TLS: where it is spoken, with which certificate, and what plain HTTP then does.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail, ensure};
use parlor_tls::{Binding, Challenge, Order, Pair};
use serde::Deserialize;

use crate::config::{Environment, list};

/// The directory of the authority that is asked when none is named.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// How TLS is spoken.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Addresses that speak TLS.
    pub listen: Vec<SocketAddr>,
    /// Plain addresses that send everybody to the public address.
    pub redirect: Vec<SocketAddr>,
    /// Seconds for which browsers are told to come by HTTPS alone; 0: they are not told.
    pub hsts: u64,
    /// Where the certificate comes from.
    pub source: Source,
}

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// Files that somebody else keeps.
    Files(Pair),
    /// An authority that issues it.
    Authority(Order),
}

/// The `[tls]` table of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TlsFile {
    listen: Vec<SocketAddr>,
    redirect: Vec<SocketAddr>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    hsts: Option<u64>,
    acme: AcmeFile,
}

/// The `[tls.acme]` table of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AcmeFile {
    domains: Vec<String>,
    contact: Option<String>,
    directory: Option<String>,
    challenge: Option<String>,
    eab_key_id: Option<String>,
    eab_key: Option<String>,
    trust: Option<PathBuf>,
}

impl TlsFile {
    /// Whether plain addresses have to be named, too, if they are wanted.
    pub(crate) fn is_spoken(&self, env: &Environment) -> bool {
        !self.listen.is_empty() || env.get("PARLOR_TLS_LISTEN").is_some_and(|text| !text.is_empty())
    }
}

/// Reads the environment (`PARLOR_TLS_*`, `PARLOR_ACME_*`), then the file. `None` when no address speaks TLS.
///
/// # Errors
/// One clear line that names the value.
pub(crate) fn load(env: &Environment, file: TlsFile, data: &Path) -> Result<Option<TlsConfig>> {
    let get = |name: &str| env.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let addresses = |name: &str, file: Vec<SocketAddr>| match get(name) {
        None => Ok(file),
        Some(text) => list(&text)
            .iter()
            .map(|one| {
                one.parse().with_context(|| format!("{name}: '{one}' is not an address like 0.0.0.0:443"))
            })
            .collect(),
    };
    let listen: Vec<SocketAddr> = addresses("PARLOR_TLS_LISTEN", file.listen)?;
    let redirect: Vec<SocketAddr> = addresses("PARLOR_TLS_REDIRECT", file.redirect)?;
    let pair = match (
        get("PARLOR_TLS_CERTIFICATE").map(PathBuf::from).or(file.certificate),
        get("PARLOR_TLS_KEY").map(PathBuf::from).or(file.key),
    ) {
        (Some(certificate), Some(key)) => Some(Pair { certificate, key }),
        (None, None) => None,
        _ => bail!("PARLOR_TLS_CERTIFICATE and PARLOR_TLS_KEY go together"),
    };
    let hsts = match get("PARLOR_TLS_HSTS") {
        Some(text) => text.parse().context("PARLOR_TLS_HSTS must be a number of seconds")?,
        None => file.hsts.unwrap_or(0),
    };
    let order = order(&get, file.acme, data)?;
    if listen.is_empty() {
        ensure!(
            pair.is_none() && order.is_none() && redirect.is_empty(),
            "PARLOR_TLS_LISTEN must say where TLS is spoken, such as 0.0.0.0:443"
        );
        return Ok(None);
    }
    let source = match (pair, order) {
        (Some(pair), None) => Source::Files(pair),
        (None, Some(order)) => Source::Authority(order),
        (None, None) => bail!(
            "TLS needs a certificate: PARLOR_TLS_CERTIFICATE and PARLOR_TLS_KEY, or PARLOR_ACME_DOMAINS"
        ),
        (Some(_), Some(_)) => {
            bail!(
                "the certificate comes from files or from an authority (PARLOR_ACME_DOMAINS), not from both"
            )
        }
    };
    Ok(Some(TlsConfig { listen, redirect, hsts, source }))
}

/// What is asked of an authority; `None` when no domain is named.
fn order(get: &impl Fn(&str) -> Option<String>, file: AcmeFile, data: &Path) -> Result<Option<Order>> {
    let domains = get("PARLOR_ACME_DOMAINS").map_or(file.domains, |text| list(&text));
    if domains.is_empty() {
        return Ok(None);
    }
    for name in &domains {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
        let is_address = name.parse::<std::net::IpAddr>().is_ok();
        ensure!(
            plain && !is_address && name.len() <= 253,
            "PARLOR_ACME_DOMAINS: '{name}' is not a host name like chat.example.org (no wildcards, no addresses)"
        );
    }
    let directory = get("PARLOR_ACME_DIRECTORY").or(file.directory).unwrap_or_else(|| DIRECTORY.to_owned());
    ensure!(directory.starts_with("https://"), "PARLOR_ACME_DIRECTORY must begin with https://");
    let challenge = match get("PARLOR_ACME_CHALLENGE").or(file.challenge).as_deref() {
        None | Some("tls-alpn-01") => Challenge::Tls,
        Some("http-01") => Challenge::Http,
        Some(_) => bail!("PARLOR_ACME_CHALLENGE must be tls-alpn-01 or http-01"),
    };
    let binding = match (
        get("PARLOR_ACME_EAB_KEY_ID").or(file.eab_key_id),
        get("PARLOR_ACME_EAB_KEY").or(file.eab_key),
    ) {
        (Some(id), Some(key)) => {
            Some(Binding::read(&id, &key).context("PARLOR_ACME_EAB_KEY_ID and PARLOR_ACME_EAB_KEY")?)
        }
        (None, None) => None,
        _ => bail!("PARLOR_ACME_EAB_KEY_ID and PARLOR_ACME_EAB_KEY go together"),
    };
    Ok(Some(Order {
        directory,
        domains,
        contact: get("PARLOR_ACME_CONTACT").or(file.contact),
        binding,
        challenge,
        trust: get("PARLOR_ACME_TRUST").map(PathBuf::from).or(file.trust),
        keep: data.join("acme"),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<TlsConfig>> {
        let env = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        load(&env, TlsFile::default(), Path::new("data"))
    }

    #[test]
    fn tls_is_off_unless_an_address_is_named_and_half_a_configuration_is_refused() {
        assert!(read(&[]).unwrap().is_none());
        let listen = ("PARLOR_TLS_LISTEN", "0.0.0.0:443,[::]:443");
        let files = [("PARLOR_TLS_CERTIFICATE", "c.pem"), ("PARLOR_TLS_KEY", "k.pem")];
        let found = read(&[listen, files[0], files[1]]).unwrap().unwrap();
        assert_eq!((found.listen.len(), found.hsts), (2, 0));
        assert!(matches!(found.source, Source::Files(_)));
        let domains = ("PARLOR_ACME_DOMAINS", "chat.example.org");
        let Source::Authority(order) = read(&[listen, domains]).unwrap().unwrap().source else {
            panic!("an authority was named")
        };
        assert_eq!((order.directory.as_str(), order.challenge), (DIRECTORY, Challenge::Tls));
        let bound =
            [("PARLOR_ACME_EAB_KEY_ID", "kid-1"), ("PARLOR_ACME_EAB_KEY", "c2VjcmV0c2VjcmV0c2VjcmV0")];
        let found = read(&[listen, domains, bound[0], bound[1]]).unwrap().unwrap();
        assert!(matches!(found.source, Source::Authority(Order { binding: Some(_), .. })));
        for bad in [
            &[listen][..],
            &[files[0], files[1]],
            &[domains],
            &[listen, files[0]],
            &[listen, files[0], files[1], domains],
            &[listen, ("PARLOR_ACME_DOMAINS", "*.example.org")],
            &[listen, ("PARLOR_ACME_DOMAINS", "192.0.2.1")],
            &[listen, domains, ("PARLOR_ACME_CHALLENGE", "dns-01")],
            &[listen, domains, ("PARLOR_ACME_DIRECTORY", "http://ca.example")],
            &[listen, domains, bound[0]],
            &[listen, domains, bound[0], ("PARLOR_ACME_EAB_KEY", "not a key")],
            &[("PARLOR_TLS_LISTEN", "443")],
            &[("PARLOR_TLS_REDIRECT", "0.0.0.0:80")],
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}

//! The doors for host applications, as the configuration wants them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use parlor_core::clock::Clock;
use parlor_core::fetch::{Fetch, Request};
use parlor_host::{Options, Origins};
use parlor_http::{Allowed, Client};
use parlor_identity::{
    ClaimRules, HostTokenConfig, HostTokens, KeySet, RoleMap,
    jwks::{self, ReadJwks},
};

use crate::{config::Config, config_host::HostConfig};

/// What verifies the host's tokens. A key set is read now, so that a wrong path shows at the start; one behind an
/// address may come later.
pub(crate) async fn tokens(config: &HostConfig, clock: Arc<dyn Clock>) -> Result<HostTokens> {
    let keys = config.jwt_jwks.as_deref().map(|place| reader(place).map(KeySet::new)).transpose()?;
    let keys = keys.map(|keys| keys.again_after(Duration::from_secs(config.jwt_jwks_refresh)));
    let rules = ClaimRules {
        role_map: RoleMap::parse(&config.jwt_role_map).context("PARLOR_JWT_ROLE_MAP")?,
        claim_placeholders: config.jwt_claim_placeholders,
    };
    let wanted = HostTokenConfig {
        secret: config.jwt_secret.clone(),
        keys,
        issuer: config.jwt_issuer.clone(),
        audience: config.jwt_audience.clone(),
        rules,
    };
    let now = clock.monotonic();
    let tokens = HostTokens::new(wanted, clock)?;
    if let Some(keys) = tokens.keys()
        && let Err(error) = keys.read_now(now).await
    {
        let remote = config.jwt_jwks.as_deref().is_some_and(is_url);
        anyhow::ensure!(remote, "PARLOR_JWT_JWKS: {error}");
        tracing::warn!(%error, "PARLOR_JWT_JWKS can't be read yet; it is tried again when a token comes");
    }
    Ok(tokens)
}

fn is_url(place: &str) -> bool {
    place.starts_with("https://") || place.starts_with("http://")
}

fn reader(place: &str) -> Result<ReadJwks> {
    if !is_url(place) {
        return Ok(jwks::file(PathBuf::from(place)));
    }
    // The operator names the address, so it may be one of the own network; nothing else is opened by it.
    let host = host_of(place).to_owned();
    let allowed = move || Allowed::read([host.as_str()]).unwrap_or_default();
    let client = Arc::new(Client::new(Arc::new(allowed)).map_err(|why| anyhow::anyhow!("no TLS: {why}"))?);
    let place = place.to_owned();
    Ok(Arc::new(move || {
        let request = Request { at_most: jwks::MAX_DOCUMENT + 1, ..Request::get(place.clone()) };
        let answer = client.fetch(request);
        Box::pin(async move {
            let answer = answer.await.map_err(|why| why.to_string())?;
            if answer.is_success() { Ok(answer.body) } else { Err(format!("status {}", answer.status)) }
        })
    }))
}

/// The name or address in a URL, without user and port.
fn host_of(url: &str) -> &str {
    let rest = url.split("://").nth(1).unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let server = authority.rsplit('@').next().unwrap_or_default();
    match server.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or_default(),
        None => server.split(':').next().unwrap_or_default(),
    }
}

/// What the doors must know.
pub(crate) fn options(config: &Config, file_key: [u8; 32]) -> Options {
    let host = &config.host;
    Options {
        root_url: config.root_url.clone(),
        app_key: host.app_key.clone(),
        origins: Origins::new(&config.root_url, &config.cors_origins),
        token_ttl: Duration::from_secs(host.token_ttl),
        file_url_ttl: Duration::from_secs(host.file_url_ttl),
        file_key,
        upload_types: host.upload_types.clone(),
        public_media: host.public_media,
        accounts_categories: host.accounts_categories.clone(),
        connections: parlor_live::Options {
            keep_alive: Duration::from_secs(host.stream_ping),
            close_timeout: Duration::from_secs(host.close_timeout),
            ..parlor_live::Options::default()
        },
    }
}

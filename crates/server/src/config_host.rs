//! Configuration of the doors for host applications.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::config::Environment;

/// What host applications may do and how they prove it.
#[derive(Clone)]
pub struct HostConfig {
    /// Shared secret of their HS256 tokens (at least 32 bytes).
    pub jwt_secret: Option<String>,
    /// Where the public keys of their RS256 and ES256 tokens are: a URL or a file.
    pub jwt_jwks: Option<String>,
    /// Seconds that pass at least between two readings of the key set.
    pub jwt_jwks_refresh: u64,
    /// The only issuer that counts.
    pub jwt_issuer: Option<String>,
    /// The only audience that counts.
    pub jwt_audience: Option<String>,
    /// `HOST_WORD=ADMIN,…`.
    pub jwt_role_map: String,
    /// Tokens of the key set may take over users made by name.
    pub jwt_claim_placeholders: bool,
    /// Key of the application itself (at least 32 characters).
    pub app_key: Option<String>,
    /// Seconds that tokens of `/api/auth/login` live.
    pub token_ttl: u64,
    /// Seconds that signed file URLs live.
    pub file_url_ttl: u64,
    /// Media types that these doors take.
    pub upload_types: Vec<String>,
    /// Media is served without a signature.
    pub public_media: bool,
    /// Ticket categories that ACCOUNTS may see.
    pub accounts_categories: Vec<String>,
    /// Settings and their values as long as nobody chose others (`PARLOR_MAX_UPLOAD`, `PARLOR_MAX_MESSAGE`).
    pub beginnings: std::collections::BTreeMap<String, String>,
    /// Seconds after which a quiet stream of events says a comment (1 to 60).
    pub stream_ping: u64,
    /// Events that a stream tells to whoever comes back, at most (1 to 10,000).
    pub stream_missed: u64,
    /// Seconds that a client which is cut off has to take the word for it (1 to 60).
    pub close_timeout: u64,
    /// Sends of one user at once; `None` for the usual 60.
    pub send_burst: Option<u32>,
    /// Sends of one user a second after that; `None` for the usual 10.
    pub send_rate: Option<u32>,
}

impl std::fmt::Debug for HostConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostConfig").field("jwt_jwks", &self.jwt_jwks).finish_non_exhaustive()
    }
}

/// The `[host]` table of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HostFile {
    jwt_jwks: Option<String>,
    jwt_jwks_refresh: Option<u64>,
    jwt_issuer: Option<String>,
    jwt_audience: Option<String>,
    jwt_role_map: Option<String>,
    jwt_claim_placeholders: Option<bool>,
    token_ttl: Option<u64>,
    file_url_ttl: Option<u64>,
    upload_types: Option<Vec<String>>,
    public_media: Option<bool>,
    accounts_categories: Option<Vec<String>>,
    stream_ping: Option<u64>,
    stream_missed: Option<u64>,
    close_timeout: Option<u64>,
    send_burst: Option<u32>,
    send_rate: Option<u32>,
}

/// What the doors take unless the operator says otherwise: pictures, film, sound, documents; nothing that can run.
const UPLOAD_TYPES: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "video/quicktime",
    "video/ogg",
    "audio/mpeg",
    "audio/mp4",
    "audio/m4a",
    "audio/x-m4a",
    "audio/ogg",
    "audio/wav",
    "audio/x-wav",
    "audio/webm",
    "audio/aac",
    "audio/flac",
    "audio/x-flac",
    "application/pdf",
    "text/plain",
    "text/csv",
    "text/markdown",
    "application/zip",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.oasis.opendocument.spreadsheet",
    "application/vnd.oasis.opendocument.presentation",
];

impl HostConfig {
    /// Reads the environment, then the file.
    ///
    /// # Errors
    /// One clear line that names the value.
    pub(crate) fn load(
        env: &Environment,
        file: HostFile,
        jwt_secret: Option<String>,
        app_key: Option<String>,
    ) -> Result<Self> {
        let get = |name: &str| env.get(name).filter(|v| !v.is_empty()).cloned();
        let number = |name: &str, else_: Option<u64>, usual: u64| match get(name) {
            None => Ok(else_.unwrap_or(usual)),
            Some(text) => text.parse::<u64>().with_context(|| format!("{name} must be a number of seconds")),
        };
        let small = |name: &str| {
            let parse =
                |text: String| text.parse::<u32>().with_context(|| format!("{name} must be a number"));
            get(name).map(parse).transpose()
        };
        let flag = |name: &str, else_: Option<bool>| {
            get(name).map_or(else_.unwrap_or_default(), |v| v == "1" || v == "true")
        };
        let listed = |name: &str, else_: Option<Vec<String>>, usual: &[&str]| {
            let given = get(name).map(|text| crate::config::list(&text)).or(else_);
            given.unwrap_or_else(|| usual.iter().map(|v| (*v).to_owned()).collect())
        };
        let categories =
            listed("PARLOR_ACCOUNTS_CATEGORIES", file.accounts_categories, &["PAYMENT", "INVOICE"]);
        let config = Self {
            jwt_jwks: get("PARLOR_JWT_JWKS").or(file.jwt_jwks),
            jwt_jwks_refresh: number("PARLOR_JWT_JWKS_REFRESH", file.jwt_jwks_refresh, 60)?,
            jwt_issuer: get("PARLOR_JWT_ISSUER").or(file.jwt_issuer),
            jwt_audience: get("PARLOR_JWT_AUDIENCE").or(file.jwt_audience),
            jwt_role_map: get("PARLOR_JWT_ROLE_MAP").or(file.jwt_role_map).unwrap_or_default(),
            jwt_claim_placeholders: flag("PARLOR_JWT_CLAIM_PLACEHOLDERS", file.jwt_claim_placeholders),
            token_ttl: number("PARLOR_TOKEN_TTL", file.token_ttl, 3600)?,
            file_url_ttl: number("PARLOR_FILE_URL_TTL", file.file_url_ttl, 3600)?,
            upload_types: listed("PARLOR_UPLOAD_TYPES", file.upload_types, UPLOAD_TYPES),
            public_media: flag("PARLOR_PUBLIC_MEDIA", file.public_media),
            stream_ping: number("PARLOR_STREAM_PING", file.stream_ping, 15)?,
            stream_missed: number("PARLOR_STREAM_MISSED", file.stream_missed, 10_000)?,
            close_timeout: number("PARLOR_CLOSE_TIMEOUT", file.close_timeout, 2)?,
            accounts_categories: categories.into_iter().map(|c| c.to_uppercase()).collect(),
            beginnings: beginnings(env)?,
            send_burst: small("PARLOR_SEND_BURST")?.or(file.send_burst),
            send_rate: small("PARLOR_SEND_RATE")?.or(file.send_rate),
            jwt_secret,
            app_key,
        };
        if let Some(secret) = &config.jwt_secret {
            ensure!(secret.len() >= 32, "PARLOR_JWT_SECRET must be at least 32 bytes");
        }
        if let Some(key) = &config.app_key {
            ensure!(key.chars().count() >= 32, "PARLOR_APP_KEY must be at least 32 characters");
        }
        ensure!(config.token_ttl > 0, "PARLOR_TOKEN_TTL must be at least 1");
        ensure!(config.jwt_jwks_refresh > 0, "PARLOR_JWT_JWKS_REFRESH must be at least 1");
        ensure!(config.file_url_ttl > 0, "PARLOR_FILE_URL_TTL must be at least 1");
        for (name, seconds) in
            [("PARLOR_STREAM_PING", config.stream_ping), ("PARLOR_CLOSE_TIMEOUT", config.close_timeout)]
        {
            ensure!((1..=60).contains(&seconds), "{name} must be 1 to 60");
        }
        ensure!((1..=10_000).contains(&config.stream_missed), "PARLOR_STREAM_MISSED must be 1 to 10000");
        parlor_identity::RoleMap::parse(&config.jwt_role_map).context("PARLOR_JWT_ROLE_MAP")?;
        Ok(config)
    }
}

/// Names in the environment, and the settings whose first values they are.
const BEGINNINGS: [(&str, &str); 2] =
    [("PARLOR_MAX_UPLOAD", "FileUpload_MaxFileSize"), ("PARLOR_MAX_MESSAGE", "Message_MaxAllowedSize")];

fn beginnings(env: &Environment) -> Result<std::collections::BTreeMap<String, String>> {
    let mut all = std::collections::BTreeMap::new();
    for (name, setting) in BEGINNINGS {
        if let Some(text) = env.get(name).filter(|text| !text.is_empty()) {
            let number: u64 = text.parse().with_context(|| format!("{name} must be a number"))?;
            ensure!(number > 0, "{name} must be at least 1");
            all.insert(setting.to_owned(), number.to_string());
        }
    }
    Ok(all)
}

impl HostConfig {
    /// How fast one user may send: at once, and a second. Client suites are not held back unless they ask for it.
    pub(crate) fn sends(&self, test_mode: bool) -> (u32, u32) {
        if test_mode && self.send_burst.is_none() && self.send_rate.is_none() {
            return (0, 0);
        }
        (self.send_burst.unwrap_or(60), self.send_rate.unwrap_or(10))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(name: &str, value: &str) -> Result<HostConfig> {
        let env = Environment::from([(name.to_owned(), value.to_owned())]);
        HostConfig::load(&env, HostFile::default(), None, None)
    }

    #[test]
    fn what_can_not_be_meant_is_refused_at_start() {
        for (name, value) in [
            ("PARLOR_JWT_ROLE_MAP", "x"),
            ("PARLOR_TOKEN_TTL", "0"),
            ("PARLOR_TOKEN_TTL", "soon"),
            ("PARLOR_JWT_JWKS_REFRESH", "0"),
            ("PARLOR_FILE_URL_TTL", "-1"),
        ] {
            assert!(load(name, value).is_err(), "{name}={value}");
        }
        let categories = load("PARLOR_ACCOUNTS_CATEGORIES", "refund, Payment").unwrap().accounts_categories;
        assert_eq!(categories, ["REFUND", "PAYMENT"]);
    }
}
